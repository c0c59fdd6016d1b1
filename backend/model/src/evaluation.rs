//! Evaluations (総合評価) of goals: revisions are added, none is changed.

use crate::record::record;
use crate::schema::evaluations;
use crate::text::{Line, Prose, text_enum};
use crate::value::NaiveDate;
use crate::{Db, EvaluationId, EvaluationLevelId, GoalId, OrganizationId, PlanId, Result};
use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// Who evaluates, and when.
    EvaluationStage {
        /// 自己評価
        SelfAssessment = "self",
        /// 中間評価
        Interim = "interim",
        /// 委員会評価
        Committee = "committee",
        /// 総合評価
        Final = "final",
    }
}

/// An evaluation of a goal in a fiscal year. No evaluation means not yet evaluated, which is not the lowest level.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = evaluations)]
pub struct Evaluation {
    pub id: EvaluationId,
    /// Always 1: a correction is a new evaluation.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// The plan of the goal.
    pub plan_id: PlanId,
    /// Counts the evaluations of this goal, year and stage.
    pub revision: i32,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: EvaluationFields,
}

/// What can be written of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, Queryable, Selectable)]
#[diesel(table_name = evaluations, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct EvaluationFields {
    pub goal_id: GoalId,
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2022)]
    pub fiscal_year: i16,
    pub stage: EvaluationStage,
    /// A level of the plan's scale; absent where there is only a remark.
    #[serde(default)]
    pub level_id: Option<EvaluationLevelId>,
    #[serde(default)]
    #[validate(nested)]
    pub remark: Option<Prose>,
    /// Why it replaces the one before; needed then.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Prose>,
    /// When it was decided.
    #[serde(default)]
    pub decided_on: Option<NaiveDate>,
    /// Who decided (策定委員会).
    #[serde(default)]
    #[validate(nested)]
    pub decided_by: Option<Line>,
    /// The evaluation of the same goal, year and stage that this one replaces: the newest, or nothing for the first.
    #[serde(default)]
    pub supersedes_id: Option<EvaluationId>,
}

record!(evaluations, Evaluation, EvaluationId, EvaluationFields);

diesel::alias!(evaluations as newer: Newer);

/// Has a newer evaluation taken its place?
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn replaced() -> _ {
    exists(newer.filter(newer.field(evaluations::supersedes_id).eq(evaluations::id.nullable())))
}

/// Which evaluations.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub plan_id: Option<PlanId>,
    pub goal_id: Option<GoalId>,
    pub fiscal_year: Option<i16>,
    /// Only those that nothing replaced (true), or only those that were replaced (false).
    pub current: Option<bool>,
    pub after: Option<(i16, EvaluationId)>,
    pub limit: i64,
}

impl Evaluation {
    /// By year, then in the order in which they were made.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        use evaluations as e;
        let mut query = Self::query().into_boxed();
        if let Some(plan) = filter.plan_id {
            query = query.filter(e::plan_id.eq(plan));
        }
        if let Some(goal) = filter.goal_id {
            query = query.filter(e::goal_id.eq(goal));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(e::fiscal_year.eq(year));
        }
        if let Some(current) = filter.current {
            query = if current {
                query.filter(not(replaced()))
            } else {
                query.filter(replaced())
            };
        }
        if let Some((year, id)) = filter.after {
            query = query.filter(e::fiscal_year.gt(year).or(e::fiscal_year.eq(year).and(e::id.gt(id))));
        }
        query
            .order((e::fiscal_year, e::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}
