//! Plans, the columns of their sheets and their evaluation scales.

use crate::access::{Access, Create, Delete, Edit, List, Read, Transit};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Plain, Query, Tagged, Updated, after, default_limit,
};
use crate::transition::{Transition, confirm};
use actix_web::{delete, get, patch, post};
use model::kpi::Kpi;
use model::plan::{
    ActorFilter, EvaluationLevel, EvaluationLevelFields, Filter, LevelFilter, Plan, PlanActor, PlanActorFields,
    PlanFields, PlanKind,
};
use model::sheet::Sheet;
use model::text::{Line, MunicipalityCode};
use model::value::Status;
use model::{GoalId, OrganizationId, PlanId, PlatformId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_plans).service(create_plan).service(read_plan);
    cfg.service(update_plan)
        .service(delete_plan)
        .service(transition_plan)
        .service(read_sheet);
    cfg.service(list_plan_actors)
        .service(create_plan_actor)
        .service(read_plan_actor);
    cfg.service(update_plan_actor).service(delete_plan_actor);
    cfg.service(list_evaluation_levels)
        .service(create_evaluation_level)
        .service(read_evaluation_level);
    cfg.service(update_evaluation_level).service(delete_evaluation_level);
}

/// Which plans.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct PlanQuery {
    /// The organisation that owns them.
    owner_org_id: Option<OrganizationId>,
    /// The platform they belong to.
    platform_id: Option<PlatformId>,
    /// The municipality they are for.
    #[validate(nested)]
    municipality_code: Option<MunicipalityCode>,
    /// A year of their period.
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    kind: Option<PlanKind>,
    status: Option<Status>,
    /// Part of title or subtitle.
    #[validate(nested)]
    search: Option<Line>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List plans, in the declared order.
///
/// Without a token: those that are published.
#[utoipa::path(params(PlanQuery))]
#[get("/plans")]
async fn list_plans(access: Access<List<Plan>>, Query(query): Query<PlanQuery>) -> Result<Page<Plan>> {
    let filter = Filter {
        owner_org_id: query.owner_org_id,
        platform_id: query.platform_id,
        municipality_code: query.municipality_code.map(|c| c.0),
        fiscal_year: query.fiscal_year,
        kind: query.kind,
        status: query.status,
        search: query.search.map(|s| s.0),
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access.read(async |tx| Ok(Plan::list(tx.db, filter).await?)).await?;
    Ok(Page::new(rows, query.limit, |p| (p.fields.position, p.id)))
}

/// Create a plan, owned by the caller's organisation.
#[utoipa::path()]
#[post("/plans")]
async fn create_plan(access: Access<Create<Plan>>, body: Json<PlanFields>) -> Result<Committed<Created<Plan>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Plan::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a plan.
#[utoipa::path()]
#[get("/plans/{plan_id}")]
async fn read_plan(access: Access<Read<Plan>>) -> Result<Tagged<Plan>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a plan (JSON merge patch).
#[utoipa::path()]
#[patch("/plans/{plan_id}")]
async fn update_plan(access: Access<Edit<Plan>>, body: Json<Patch<PlanFields>>) -> Result<Committed<Updated<Plan>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a plan that nothing refers to any more.
#[utoipa::path()]
#[delete("/plans/{plan_id}")]
async fn delete_plan(access: Access<Delete<Plan>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Move a plan along its life: draft, submitted, returned, confirmed, published.
///
/// Going back from confirmed or published, and returning, need a `Change-Reason`.
#[utoipa::path()]
#[post("/plans/{plan_id}/transition")]
async fn transition_plan(access: Access<Transit<Plan>>, body: Json<Transition>) -> Result<Committed<Updated<Plan>>> {
    access
        .write(body.bytes(), async |tx| {
            let status = confirm(tx, tx.on.status, tx.valid(&body)?)?;
            Ok(Updated(tx.on.transition(tx.db, status).await?))
        })
        .await
}

/// Which part of the sheet.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct SheetQuery {
    /// A goal of the plan (a 重点取組): the sheet shows it and everything below it. Without it, the whole plan.
    goal_id: Option<GoalId>,
}

/// Read the roadmap sheet (実施計画ロードマップ): the whole grid at once.
///
/// A token whose scope does not cover KPIs gets it without them.
#[utoipa::path(params(SheetQuery))]
#[get("/plans/{plan_id}/sheet")]
async fn read_sheet(access: Access<Read<Plan>>, Query(query): Query<SheetQuery>) -> Result<Plain<Sheet>> {
    access
        .read(async |tx| {
            let mut sheet = Sheet::read(tx.db, tx.on.clone(), query.goal_id).await?;
            if !tx.may_read(Kpi::ENTITY) {
                sheet.kpis.clear();
                sheet.targets.clear();
            }
            Ok(Plain(sheet))
        })
        .await
}

/// Which columns.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct PlanActorQuery {
    /// The plan they belong to.
    plan_id: Option<PlanId>,
    /// The organisation whose columns they are.
    organization_id: Option<OrganizationId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the columns of sheets, in the declared order.
#[utoipa::path(params(PlanActorQuery))]
#[get("/plan-actors")]
async fn list_plan_actors(
    access: Access<List<PlanActor>>,
    Query(query): Query<PlanActorQuery>,
) -> Result<Page<PlanActor>> {
    let filter = ActorFilter {
        plan_id: query.plan_id,
        organization_id: query.organization_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access
        .read(async |tx| Ok(PlanActor::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(rows, query.limit, |a| (a.fields.position, a.id)))
}

/// Add a column to the sheet of a plan.
#[utoipa::path()]
#[post("/plan-actors")]
async fn create_plan_actor(
    access: Access<Create<PlanActor>>,
    body: Json<PlanActorFields>,
) -> Result<Committed<Created<PlanActor>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(PlanActor::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a column of a sheet.
#[utoipa::path()]
#[get("/plan-actors/{plan_actor_id}")]
async fn read_plan_actor(access: Access<Read<PlanActor>>) -> Result<Tagged<PlanActor>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a column of a sheet (JSON merge patch).
#[utoipa::path()]
#[patch("/plan-actors/{plan_actor_id}")]
async fn update_plan_actor(
    access: Access<Edit<PlanActor>>,
    body: Json<Patch<PlanActorFields>>,
) -> Result<Committed<Updated<PlanActor>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a column of a sheet in which nothing is entered.
#[utoipa::path()]
#[delete("/plan-actors/{plan_actor_id}")]
async fn delete_plan_actor(access: Access<Delete<PlanActor>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which levels.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct EvaluationLevelQuery {
    /// The plan they belong to.
    plan_id: Option<PlanId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the levels of evaluation scales, the best first.
#[utoipa::path(params(EvaluationLevelQuery))]
#[get("/evaluation-levels")]
async fn list_evaluation_levels(
    access: Access<List<EvaluationLevel>>,
    Query(query): Query<EvaluationLevelQuery>,
) -> Result<Page<EvaluationLevel>> {
    let filter = LevelFilter {
        plan_id: query.plan_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access
        .read(async |tx| Ok(EvaluationLevel::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(rows, query.limit, |l| (l.fields.rank, l.id)))
}

/// Add a level to a plan's evaluation scale.
#[utoipa::path()]
#[post("/evaluation-levels")]
async fn create_evaluation_level(
    access: Access<Create<EvaluationLevel>>,
    body: Json<EvaluationLevelFields>,
) -> Result<Committed<Created<EvaluationLevel>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(EvaluationLevel::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a level of an evaluation scale.
#[utoipa::path()]
#[get("/evaluation-levels/{evaluation_level_id}")]
async fn read_evaluation_level(access: Access<Read<EvaluationLevel>>) -> Result<Tagged<EvaluationLevel>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a level of an evaluation scale (JSON merge patch).
#[utoipa::path()]
#[patch("/evaluation-levels/{evaluation_level_id}")]
async fn update_evaluation_level(
    access: Access<Edit<EvaluationLevel>>,
    body: Json<Patch<EvaluationLevelFields>>,
) -> Result<Committed<Updated<EvaluationLevel>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a level that no evaluation uses.
#[utoipa::path()]
#[delete("/evaluation-levels/{evaluation_level_id}")]
async fn delete_evaluation_level(access: Access<Delete<EvaluationLevel>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
