//! Goals of plans (基本目標, 重点取組) and the roles of actors for them.

use crate::record::record;
use crate::schema::{goal_roles, goals};
use crate::text::{Line, Name, text_enum};
use crate::value::{List, ListItem, Section};
use crate::{Db, GoalId, GoalRoleId, OrganizationId, PlanActorId, PlanId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// What a goal is in the tree of its plan.
    GoalKind {
        /// 基本理念
        Principle = "principle",
        /// 基本目標
        BasicGoal = "basic_goal",
        /// 基本計画
        BasicPlan = "basic_plan",
        /// 重点取組
        PriorityInitiative = "priority_initiative",
        /// 施策
        Measure = "measure",
        /// 細目
        Item = "item",
    }
}

/// A goal in the tree of a plan.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = goals)]
pub struct Goal {
    pub id: GoalId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: GoalFields,
}

/// What can be written of a goal.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = goals, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct GoalFields {
    pub plan_id: PlanId,
    /// The goal above it, of the same plan.
    #[serde(default)]
    pub parent_id: Option<GoalId>,
    pub kind: GoalKind,
    /// Its number as printed.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "【重点取組3】")]
    pub number: Option<Line>,
    #[validate(nested)]
    #[schema(example = "共生型総合相談体制の構築")]
    pub title: Name,
    /// めざす姿
    #[serde(default)]
    #[validate(nested)]
    pub states: Section,
    /// Place in the declared order, among the goals with the same one above.
    #[serde(default)]
    pub position: i32,
}

record!(goals, Goal, GoalId, GoalFields, mutable);

/// Which goals.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub plan_id: Option<PlanId>,
    pub parent_id: Option<GoalId>,
    pub after: Option<(i32, GoalId)>,
    pub limit: i64,
}

impl Goal {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(plan) = filter.plan_id {
            query = query.filter(goals::plan_id.eq(plan));
        }
        if let Some(parent) = filter.parent_id {
            query = query.filter(goals::parent_id.eq(parent));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                goals::position
                    .gt(position)
                    .or(goals::position.eq(position).and(goals::id.gt(id))),
            );
        }
        query
            .order((goals::position, goals::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}

/// The role (役割) of an actor for a goal.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = goal_roles)]
pub struct GoalRole {
    pub id: GoalRoleId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: GoalRoleFields,
}

/// What can be written of a role. There is one for each goal and actor.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = goal_roles, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct GoalRoleFields {
    pub goal_id: GoalId,
    /// A column of the same plan.
    pub actor_id: PlanActorId,
    /// 期待される活動主体
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "福祉事業所")]
    pub expected_actor: Option<Line>,
    /// The lines, in order, with their marks and depth.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<ListItem>, max_items = 500)]
    pub items: List<ListItem>,
}

record!(goal_roles, GoalRole, GoalRoleId, GoalRoleFields, mutable);

/// Which roles.
#[derive(Clone, Debug, Default)]
pub struct RoleFilter {
    pub goal_id: Option<GoalId>,
    pub actor_id: Option<PlanActorId>,
    pub after: Option<GoalRoleId>,
    pub limit: i64,
}

impl GoalRole {
    /// In the order in which they were written; the sheet puts them under their columns.
    pub async fn list(mut db: Db<'_>, filter: RoleFilter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(goal) = filter.goal_id {
            query = query.filter(goal_roles::goal_id.eq(goal));
        }
        if let Some(actor) = filter.actor_id {
            query = query.filter(goal_roles::actor_id.eq(actor));
        }
        if let Some(after) = filter.after {
            query = query.filter(goal_roles::id.gt(after));
        }
        query.order(goal_roles::id).limit(filter.limit).load(&mut db).await
    }
}
