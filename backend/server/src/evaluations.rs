//! Evaluations of goals.

use crate::access::{Access, Create, List, Read};
use crate::error::Result;
use crate::http::{Committed, Created, Cursor, Json, Page, Query, Tagged, after, default_limit};
use actix_web::{get, post};
use model::evaluation::{Evaluation, EvaluationFields, Filter};
use model::{GoalId, PlanId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_evaluations)
        .service(create_evaluation)
        .service(read_evaluation);
}

/// Which evaluations.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct EvaluationQuery {
    /// The plan of their goals.
    plan_id: Option<PlanId>,
    goal_id: Option<GoalId>,
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// Only those that nothing replaced (true), or only those that were replaced (false).
    current: Option<bool>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List evaluations, by year, then in the order in which they were made.
#[utoipa::path(params(EvaluationQuery))]
#[get("/evaluations")]
async fn list_evaluations(
    access: Access<List<Evaluation>>,
    Query(query): Query<EvaluationQuery>,
) -> Result<Page<Evaluation>> {
    let filter = Filter {
        plan_id: query.plan_id,
        goal_id: query.goal_id,
        fiscal_year: query.fiscal_year,
        current: query.current,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access
        .read(async |tx| Ok(Evaluation::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(rows, query.limit, |e| (e.fields.fiscal_year, e.id)))
}

/// Evaluate a goal, or replace its evaluation.
///
/// Self-assessments and interim evaluations are an editor's, those of the committee and the final ones (総合評価) an
/// administrator's. An evaluation that replaces another names it in `supersedes_id` and says why.
#[utoipa::path()]
#[post("/evaluations")]
async fn create_evaluation(
    access: Access<Create<Evaluation>>,
    body: Json<EvaluationFields>,
) -> Result<Committed<Created<Evaluation>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Evaluation::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read an evaluation.
#[utoipa::path()]
#[get("/evaluations/{evaluation_id}")]
async fn read_evaluation(access: Access<Read<Evaluation>>) -> Result<Tagged<Evaluation>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}
