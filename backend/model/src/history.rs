//! What a record looked like at every version, and who changed it.

use crate::schema::record_history;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One version of a record.
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = record_history)]
pub struct HistoryEntry {
    /// Kind of record: the plural noun of its table.
    pub entity: String,
    /// The record.
    pub record_id: Uuid,
    /// Version after the change; a deletion counts as one.
    pub version: i64,
    /// I = created, U = changed, D = deleted.
    #[diesel(column_name = op)]
    #[schema(value_type = String, example = "U")]
    pub operation: Operation,
    /// The whole record after the change (before it, for a deletion).
    #[diesel(column_name = row)]
    #[schema(value_type = Object)]
    pub record: serde_json::Value,
    /// Account or client that made the change.
    pub actor_id: Option<Uuid>,
    /// Its name at that time.
    pub actor_name: Option<String>,
    /// Its organisation.
    pub actor_org_id: Option<Uuid>,
    /// Why, where a reason was given.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// I, U or D: one byte in the database, one letter on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, diesel::deserialize::FromSqlRow, diesel::expression::AsExpression)]
#[diesel(sql_type = diesel::sql_types::CChar)]
pub struct Operation(pub u8);

impl diesel::deserialize::FromSql<diesel::sql_types::CChar, diesel::pg::Pg> for Operation {
    fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        bytes
            .as_bytes()
            .first()
            .copied()
            .map(Self)
            .ok_or_else(|| "an empty operation".into())
    }
}

impl Serialize for Operation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(&char::from(self.0))
    }
}

impl HistoryEntry {
    /// Versions of a record that the caller may see, newest first.
    pub async fn list(
        mut db: Db<'_>,
        entity: &str,
        record: Uuid,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query()
            .filter(record_history::entity.eq(entity))
            .filter(record_history::record_id.eq(record))
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(record_history::version.lt(before));
        }
        query
            .order(record_history::version.desc())
            .limit(limit)
            .load(&mut db)
            .await
    }

    /// The newest version: who changed the record last, and when.
    pub async fn last(mut db: Db<'_>, entity: &str, record: Uuid) -> Result<Option<Self>> {
        Self::query()
            .filter(record_history::entity.eq(entity))
            .filter(record_history::record_id.eq(record))
            .order(record_history::version.desc())
            .first(&mut db)
            .await
            .optional()
    }
}
