//! Plans (地域福祉計画), the columns of their sheets and their evaluation scales.

use crate::record::record;
use crate::schema::{evaluation_levels, plan_actors, plans};
use crate::text::{Line, MunicipalityCode, Name, Prose, search_pattern, text_enum};
use crate::value::{Status, Visibility};
use crate::{Db, EvaluationLevelId, OrganizationId, PlanActorId, PlanId, PlatformId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// What a plan is.
    PlanKind {
        /// 地域福祉計画
        CommunityWelfarePlan = "community_welfare_plan",
        /// 地域福祉活動計画（社会福祉協議会）
        CommunityWelfareActivityPlan = "community_welfare_activity_plan",
        /// 重層的支援体制整備事業実施計画
        MultilayeredSupportPlan = "multilayered_support_plan",
        /// プラットフォームの計画
        PlatformPlan = "platform_plan",
        Other = "other",
    }
    /// Who stands at the head of a column of the sheet.
    PlanActorKind {
        /// 地域振興協議会・民間団体
        CommunityPromotionCouncil = "community_promotion_council",
        /// 社会福祉協議会
        SocialWelfareCouncil = "social_welfare_council",
        /// 行政
        Government = "government",
        Other = "other",
    }
}

/// A plan: a tree of goals over several fiscal years, with a sheet of what each actor plans and does.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = plans)]
pub struct Plan {
    pub id: PlanId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: PlanFields,
}

/// What can be written of a plan.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = plans, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct PlanFields {
    /// The platform it belongs to.
    #[serde(default)]
    pub platform_id: Option<PlatformId>,
    pub kind: PlanKind,
    #[validate(nested)]
    #[schema(example = "地域福祉推進計画")]
    pub title: Name,
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "実施計画ロードマップ")]
    pub subtitle: Option<Name>,
    /// Municipality it is for.
    #[serde(default)]
    #[validate(nested)]
    pub municipality_code: Option<MunicipalityCode>,
    /// First fiscal year (計画期間の初年度).
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2021)]
    pub first_fiscal_year: i16,
    /// Last fiscal year, at most 30 years later.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2025)]
    pub last_fiscal_year: i16,
    /// Which edition it is (第3期, 令和5年度改訂).
    #[serde(default)]
    #[validate(nested)]
    pub edition: Option<Line>,
    /// The plan it takes the place of.
    #[serde(default)]
    pub supersedes_id: Option<PlanId>,
    #[serde(default = "Visibility::organization")]
    pub visibility: Visibility,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(plans, Plan, PlanId, PlanFields, mutable);

/// Which plans.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub owner_org_id: Option<OrganizationId>,
    pub platform_id: Option<PlatformId>,
    pub municipality_code: Option<String>,
    /// A year of their period.
    pub fiscal_year: Option<i16>,
    pub kind: Option<PlanKind>,
    pub status: Option<Status>,
    /// Part of title or subtitle.
    pub search: Option<String>,
    pub after: Option<(i32, PlanId)>,
    pub limit: i64,
}

impl Plan {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(plans::owner_org_id.eq(owner));
        }
        if let Some(platform) = filter.platform_id {
            query = query.filter(plans::platform_id.eq(platform));
        }
        if let Some(code) = filter.municipality_code {
            query = query.filter(plans::municipality_code.eq(code));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(plans::first_fiscal_year.le(year).and(plans::last_fiscal_year.ge(year)));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(plans::kind.eq(kind));
        }
        if let Some(status) = filter.status {
            query = query.filter(plans::status.eq(status));
        }
        if let Some(text) = filter.search {
            query = query.filter(plans::search.like(search_pattern(&text)));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                plans::position
                    .gt(position)
                    .or(plans::position.eq(position).and(plans::id.gt(id))),
            );
        }
        query
            .order((plans::position, plans::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Moves the plan along its life. The database knows the allowed steps and which of them need a reason.
    pub async fn transition(&self, mut db: Db<'_>, status: Status) -> Result<Self> {
        diesel::update(plans::table.find(self.id))
            .filter(plans::version.eq(self.version))
            .set(plans::status.eq(status))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

/// A column of a plan's sheet (活動主体). A group (地域振興協議会・民間団体) has its organisations below it.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = plan_actors)]
pub struct PlanActor {
    pub id: PlanActorId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: PlanActorFields,
}

/// What can be written of a column.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = plan_actors, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct PlanActorFields {
    pub plan_id: PlanId,
    /// The group it belongs to, a column of the same plan.
    #[serde(default)]
    pub parent_id: Option<PlanActorId>,
    pub kind: PlanActorKind,
    /// Heading of the column.
    #[validate(nested)]
    #[schema(example = "社会福祉協議会の取り組み実績")]
    pub label: Name,
    /// Heading of its role text.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "社会福祉協議会の役割")]
    pub role_label: Option<Line>,
    /// The organisation whose column this is: it reads the plan once that is open to partners, and edits this column.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// May the plan's owner enter for the organisation (代理入力)?
    #[serde(default = "entered_by_owner")]
    #[schema(default = true)]
    pub entered_by_owner: bool,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

fn entered_by_owner() -> bool {
    true
}

record!(plan_actors, PlanActor, PlanActorId, PlanActorFields, mutable);

/// Which columns.
#[derive(Clone, Debug, Default)]
pub struct ActorFilter {
    pub plan_id: Option<PlanId>,
    pub organization_id: Option<OrganizationId>,
    pub after: Option<(i32, PlanActorId)>,
    pub limit: i64,
}

impl PlanActor {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: ActorFilter) -> Result<Vec<Self>> {
        use plan_actors as a;
        let mut query = Self::query().into_boxed();
        if let Some(plan) = filter.plan_id {
            query = query.filter(a::plan_id.eq(plan));
        }
        if let Some(organization) = filter.organization_id {
            query = query.filter(a::organization_id.eq(organization));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(a::position.gt(position).or(a::position.eq(position).and(a::id.gt(id))));
        }
        query
            .order((a::position, a::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// The organisation whose column this is.
    pub async fn organization(mut db: Db<'_>, id: PlanActorId) -> Result<Option<OrganizationId>> {
        plan_actors::table
            .find(id)
            .select(plan_actors::organization_id)
            .first(&mut db)
            .await
    }
}

/// A level of a plan's evaluation scale (評価基準). Scales differ between plans: levels of two plans never meet in one
/// number.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = evaluation_levels)]
pub struct EvaluationLevel {
    pub id: EvaluationLevelId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: EvaluationLevelFields,
}

/// What can be written of a level.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = evaluation_levels, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct EvaluationLevelFields {
    pub plan_id: PlanId,
    /// What is printed in the sheet (A, 5, ○), unique in the plan.
    #[validate(nested)]
    #[schema(example = "A")]
    pub code: Name,
    #[validate(nested)]
    #[schema(example = "A")]
    pub label: Name,
    /// When it is given.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "目標をすべて達成")]
    pub criteria: Option<Prose>,
    /// Higher is better.
    pub rank: i32,
}

record!(
    evaluation_levels,
    EvaluationLevel,
    EvaluationLevelId,
    EvaluationLevelFields,
    mutable
);

/// Which levels.
#[derive(Clone, Debug, Default)]
pub struct LevelFilter {
    pub plan_id: Option<PlanId>,
    pub after: Option<(i32, EvaluationLevelId)>,
    pub limit: i64,
}

impl EvaluationLevel {
    /// The best first.
    pub async fn list(mut db: Db<'_>, filter: LevelFilter) -> Result<Vec<Self>> {
        use evaluation_levels as l;
        let mut query = Self::query().into_boxed();
        if let Some(plan) = filter.plan_id {
            query = query.filter(l::plan_id.eq(plan));
        }
        if let Some((rank, id)) = filter.after {
            query = query.filter(l::rank.lt(rank).or(l::rank.eq(rank).and(l::id.gt(id))));
        }
        query
            .order((l::rank.desc(), l::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}
