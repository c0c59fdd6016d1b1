//! Ids that other systems gave to our records.

use crate::history::Entity;
use crate::record::record;
use crate::schema::external_ids;
use crate::text::Name;
use crate::{Db, ExternalIdId, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// The id of a record in another system. It belongs to the organisation that recorded it and is seen by nobody else.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = external_ids)]
pub struct ExternalId {
    pub id: ExternalIdId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation whose system knows the record by this id.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ExternalIdFields,
}

/// What can be written of an external id. A wrong one is deleted and recorded anew.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = external_ids, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct ExternalIdFields {
    /// Kind of record.
    pub entity: Entity,
    /// The record; one that the caller sees.
    pub record_id: Uuid,
    /// The other system.
    #[validate(nested)]
    #[schema(example = "kintone")]
    pub source: Name,
    /// The id there.
    #[validate(nested)]
    #[schema(example = "K-2024-0017")]
    pub external_id: Name,
}

record!(external_ids, ExternalId, ExternalIdId, ExternalIdFields, mutable);

/// Which external ids.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub entity: Option<Entity>,
    pub record_id: Option<Uuid>,
    pub source: Option<String>,
    pub external_id: Option<String>,
    pub after: Option<ExternalIdId>,
    pub limit: i64,
}

impl ExternalId {
    /// The caller's own ones among these ids of whichever system and kind.
    pub async fn named(mut db: Db<'_>, ids: &[&str]) -> Result<Vec<Self>> {
        Self::query()
            .filter(external_ids::external_id.eq_any(ids))
            .load(&mut db)
            .await
    }

    /// Who names records of these systems for the caller's organisation, one after the other until each transaction ends.
    pub async fn take_turns(mut db: Db<'_>, sources: BTreeSet<&str>) -> Result<()> {
        let sources: Vec<&str> = sources.into_iter().collect();
        diesel::sql_query(
            "select pg_advisory_xact_lock(hashtextextended(app_org() || ' ' || source, 0)) from unnest($1) source",
        )
        .bind::<Array<Text>, _>(sources)
        .execute(&mut db)
        .await
        .map(|_| ())
    }

    /// In the order in which they were recorded.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(entity) = filter.entity {
            query = query.filter(external_ids::entity.eq(entity));
        }
        if let Some(record) = filter.record_id {
            query = query.filter(external_ids::record_id.eq(record));
        }
        if let Some(source) = filter.source {
            query = query.filter(external_ids::source.eq(source));
        }
        if let Some(id) = filter.external_id {
            query = query.filter(external_ids::external_id.eq(id));
        }
        if let Some(id) = filter.after {
            query = query.filter(external_ids::id.gt(id));
        }
        query.order(external_ids::id).limit(filter.limit).load(&mut db).await
    }
}
