//! What a record looked like at every version, and who changed it.

use crate::schema::record_history;
use crate::text::text_enum;
use crate::{Db, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// Kinds of records, by the plural noun of their table.
    Entity {
        Organizations = "organizations",
        Users = "users",
        UserRoles = "user_roles",
        Grants = "grants",
        Clients = "clients",
        ClientSecrets = "client_secrets",
        Webhooks = "webhooks",
        Platforms = "platforms",
        PlatformYears = "platform_years",
        Members = "members",
        Plans = "plans",
        PlanActors = "plan_actors",
        EvaluationLevels = "evaluation_levels",
        Goals = "goals",
        GoalRoles = "goal_roles",
        RoadmapCells = "roadmap_cells",
        RoadmapItems = "roadmap_items",
        Evaluations = "evaluations",
        Projects = "projects",
        ProjectCosts = "project_costs",
        Kpis = "kpis",
        KpiPlacements = "kpi_placements",
        KpiSeries = "kpi_series",
        KpiTargets = "kpi_targets",
        KpiObservations = "kpi_observations",
        MunicipalityFacts = "municipality_facts",
        ExternalIds = "external_ids",
        FindingNotes = "finding_notes",
    }
}

/// One version of a record.
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = record_history)]
pub struct RecordVersion {
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
    pub record: Value,
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

/// One version of a record and what it changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    #[serde(flatten)]
    pub version: RecordVersion,
    /// Fields that differ from the version before; none where the record was created or deleted.
    pub changes: Vec<Change>,
}

/// A field that was changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Name of the field.
    #[schema(example = "name")]
    pub field: String,
    /// Before: any JSON.
    #[schema(value_type = Value)]
    pub from: Value,
    /// After: any JSON.
    #[schema(value_type = Value)]
    pub to: Value,
}

/// What the database sets with every change says nothing about the change.
const BOOKKEEPING: [&str; 2] = ["version", "updated_at"];

/// Fields that differ between two images of a record, in the order of their names.
fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return Vec::new();
    };
    let added = new.keys().filter(|field| !old.contains_key(*field));
    let mut fields: Vec<_> = old.keys().chain(added).collect();
    fields.sort();
    fields
        .into_iter()
        .filter(|field| !BOOKKEEPING.contains(&field.as_str()))
        .filter_map(|field| {
            let side = |image: &serde_json::Map<String, Value>| image.get(field).cloned().unwrap_or_default();
            let (from, to) = (side(old), side(new));
            (from != to).then(|| Change {
                field: field.clone(),
                from,
                to,
            })
        })
        .collect()
}

diesel::define_sql_function! {
    /// The moment at which the caller looks, if it is not now.
    fn app_as_of() -> diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>;
}

impl HistoryEntry {
    /// Versions of a record that the caller may see, newest first; at most `limit` and one more to know that there are.
    pub async fn list(
        mut db: Db<'_>,
        entity: Entity,
        record: Uuid,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = RecordVersion::query()
            .filter(record_history::entity.eq(entity))
            .filter(record_history::record_id.eq(record))
            .filter(app_as_of().is_null().or(record_history::at.nullable().le(app_as_of())))
            .into_boxed();
        if let Some(before) = before {
            query = query.filter(record_history::version.lt(before));
        }
        let versions: Vec<RecordVersion> = query
            .order(record_history::version.desc())
            .limit(limit + 1)
            .load(&mut db)
            .await?;
        Ok(compared(versions))
    }
}

/// Each version with its changes against the next one, which is older.
fn compared(versions: Vec<RecordVersion>) -> Vec<HistoryEntry> {
    let mut older: Vec<Option<Value>> = versions.iter().skip(1).map(|v| Some(v.record.clone())).collect();
    older.push(None);
    versions
        .into_iter()
        .zip(older)
        .map(|(version, older)| HistoryEntry {
            changes: older.map(|older| changes(&older, &version.record)).unwrap_or_default(),
            version,
        })
        .collect()
}

impl RecordVersion {
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

    /// The newest version that this account or client has made.
    pub async fn last_of(mut db: Db<'_>, entity: &str, record: Uuid, actor: Uuid) -> Result<Option<Self>> {
        Self::query()
            .filter(record_history::entity.eq(entity))
            .filter(record_history::record_id.eq(record))
            .filter(record_history::actor_id.eq(actor))
            .order(record_history::version.desc())
            .first(&mut db)
            .await
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_name_the_fields_that_differ() {
        let before = json!({ "version": 1, "updated_at": "a", "name": "旧", "note": null, "gone": 1, "same": [1] });
        let after = json!({ "version": 2, "updated_at": "b", "name": "新", "note": "x", "added": null, "same": [1] });
        let found = changes(&before, &after);
        let expected = [
            ("gone", json!(1), json!(null)),
            ("name", json!("旧"), json!("新")),
            ("note", json!(null), json!("x")),
        ];
        let expected: Vec<Change> = expected
            .into_iter()
            .map(|(field, from, to)| Change {
                field: field.to_owned(),
                from,
                to,
            })
            .collect();
        assert_eq!(found, expected);
    }
}
