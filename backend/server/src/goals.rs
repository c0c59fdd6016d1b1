//! Goals of plans and the roles of actors for them.

use crate::access::{Access, Create, Delete, Edit, List, Read};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use actix_web::{delete, get, patch, post};
use model::goal::{Filter, Goal, GoalFields, GoalRole, GoalRoleFields, RoleFilter};
use model::{GoalId, PlanActorId, PlanId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_goals).service(create_goal).service(read_goal);
    cfg.service(update_goal).service(delete_goal);
    cfg.service(list_goal_roles)
        .service(create_goal_role)
        .service(read_goal_role);
    cfg.service(update_goal_role).service(delete_goal_role);
}

/// Which goals.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct GoalQuery {
    /// The plan they belong to.
    plan_id: Option<PlanId>,
    /// The goal above them.
    parent_id: Option<GoalId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List goals, in the declared order.
#[utoipa::path(params(GoalQuery))]
#[get("/goals")]
async fn list_goals(access: Access<List<Goal>>, Query(query): Query<GoalQuery>) -> Result<Page<Goal>> {
    let filter = Filter {
        plan_id: query.plan_id,
        parent_id: query.parent_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access.read(async |tx| Ok(Goal::list(tx.db, filter).await?)).await?;
    Ok(Page::new(rows, query.limit, |g| (g.fields.position, g.id)))
}

/// Add a goal to the tree of a plan.
#[utoipa::path()]
#[post("/goals")]
async fn create_goal(access: Access<Create<Goal>>, body: Json<GoalFields>) -> Result<Committed<Created<Goal>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Goal::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a goal.
#[utoipa::path()]
#[get("/goals/{goal_id}")]
async fn read_goal(access: Access<Read<Goal>>) -> Result<Tagged<Goal>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a goal (JSON merge patch).
#[utoipa::path()]
#[patch("/goals/{goal_id}")]
async fn update_goal(access: Access<Edit<Goal>>, body: Json<Patch<GoalFields>>) -> Result<Committed<Updated<Goal>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a goal that nothing refers to any more.
#[utoipa::path()]
#[delete("/goals/{goal_id}")]
async fn delete_goal(access: Access<Delete<Goal>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which roles.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct GoalRoleQuery {
    /// The goal they are for.
    goal_id: Option<GoalId>,
    /// The column of the sheet.
    actor_id: Option<PlanActorId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List roles of actors for goals, in the order in which they were written.
#[utoipa::path(params(GoalRoleQuery))]
#[get("/goal-roles")]
async fn list_goal_roles(access: Access<List<GoalRole>>, Query(query): Query<GoalRoleQuery>) -> Result<Page<GoalRole>> {
    let filter = RoleFilter {
        goal_id: query.goal_id,
        actor_id: query.actor_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access.read(async |tx| Ok(GoalRole::list(tx.db, filter).await?)).await?;
    Ok(Page::new(rows, query.limit, |r| r.id))
}

/// Write the role of an actor for a goal.
#[utoipa::path()]
#[post("/goal-roles")]
async fn create_goal_role(
    access: Access<Create<GoalRole>>,
    body: Json<GoalRoleFields>,
) -> Result<Committed<Created<GoalRole>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(GoalRole::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read the role of an actor.
#[utoipa::path()]
#[get("/goal-roles/{goal_role_id}")]
async fn read_goal_role(access: Access<Read<GoalRole>>) -> Result<Tagged<GoalRole>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change the role of an actor (JSON merge patch).
#[utoipa::path()]
#[patch("/goal-roles/{goal_role_id}")]
async fn update_goal_role(
    access: Access<Edit<GoalRole>>,
    body: Json<Patch<GoalRoleFields>>,
) -> Result<Committed<Updated<GoalRole>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete the role of an actor.
#[utoipa::path()]
#[delete("/goal-roles/{goal_role_id}")]
async fn delete_goal_role(access: Access<Delete<GoalRole>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
