//! What projects cost and who is paid (発注先, 予算). Never public: the table has a policy of its own.

use crate::record::record;
use crate::schema::project_costs;
use crate::text::{Line, Name, Prose};
use crate::{Db, OrganizationId, ProjectCostId, ProjectId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

/// A cost of a project.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = project_costs)]
pub struct ProjectCost {
    pub id: ProjectCostId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the project.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ProjectCostFields,
}

/// What can be written of a cost.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = project_costs, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct ProjectCostFields {
    pub project_id: ProjectId,
    /// 発注先, as printed.
    #[serde(default)]
    #[validate(nested)]
    pub contractor: Option<Name>,
    /// The contractor, where it is a known organisation; it sees this cost.
    #[serde(default)]
    pub contractor_id: Option<OrganizationId>,
    /// What the money is for (謝金, 旅費).
    #[serde(default)]
    #[validate(nested, length(max = 100))]
    #[schema(max_items = 100)]
    pub items: Vec<Name>,
    /// Whole yen (円), exact; 0 is 費用なし, absent is not known.
    #[serde(default)]
    #[validate(range(min = 0, max = 999_999_999_999_999_i64))]
    #[schema(minimum = 0, maximum = 999_999_999_999_999_i64, example = 500_000)]
    pub amount_yen: Option<i64>,
    /// 程度, 約: the amount is not exact.
    #[serde(default)]
    pub approximate: bool,
    /// The text as printed; never corrected.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "有識者謝金、交通費、宿泊費（50万円程度）")]
    pub printed: Option<Line>,
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(project_costs, ProjectCost, ProjectCostId, ProjectCostFields, mutable);

/// Which costs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub project_id: Option<ProjectId>,
    pub contractor_id: Option<OrganizationId>,
    pub after: Option<(ProjectId, i32, ProjectCostId)>,
    pub limit: i64,
}

impl ProjectCost {
    /// By project, in the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        use project_costs as c;
        let mut query = Self::query().into_boxed();
        if let Some(project) = filter.project_id {
            query = query.filter(c::project_id.eq(project));
        }
        if let Some(contractor) = filter.contractor_id {
            query = query.filter(c::contractor_id.eq(contractor));
        }
        if let Some((project, position, id)) = filter.after {
            query = query.filter(
                c::project_id.gt(project).or(c::project_id
                    .eq(project)
                    .and(c::position.gt(position).or(c::position.eq(position).and(c::id.gt(id))))),
            );
        }
        query
            .order((c::project_id, c::position, c::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}
