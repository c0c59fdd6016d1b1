//! Projects and what they cost.

use crate::access::{Access, Create, Delete, Edit, List, Read, Transit};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use crate::transition::{Transition, confirm};
use actix_web::{delete, get, patch, post};
use model::project::{Filter, Project, ProjectFields, ProjectProgress, ProjectSummary};
use model::text::Line;
use model::value::Status;
use model::{GoalId, OrganizationId, PlatformId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_projects)
        .service(create_project)
        .service(read_project)
        .service(update_project);
    cfg.service(delete_project).service(transition_project);
}

/// Which projects.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ProjectQuery {
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    platform_id: Option<PlatformId>,
    /// The organisation that owns them.
    owner_org_id: Option<OrganizationId>,
    /// The goal of a plan they serve.
    goal_id: Option<GoalId>,
    progress: Option<ProjectProgress>,
    status: Option<Status>,
    /// Part of name or title.
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

/// List projects without their prose, by fiscal year and in the declared order.
#[utoipa::path(params(ProjectQuery))]
#[get("/projects")]
async fn list_projects(
    access: Access<List<Project>>,
    Query(query): Query<ProjectQuery>,
) -> Result<Page<ProjectSummary>> {
    let filter = Filter {
        fiscal_year: query.fiscal_year,
        platform_id: query.platform_id,
        owner_org_id: query.owner_org_id,
        goal_id: query.goal_id,
        progress: query.progress,
        status: query.status,
        search: query.search.map(|s| s.0),
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let projects = access
        .read(async |tx| Ok(ProjectSummary::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(projects, query.limit, |p| (p.fiscal_year, p.position, p.id)))
}

/// Create a project, owned by the caller's organisation.
#[utoipa::path()]
#[post("/projects")]
async fn create_project(
    access: Access<Create<Project>>,
    body: Json<ProjectFields>,
) -> Result<Committed<Created<Project>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Project::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a project.
#[utoipa::path()]
#[get("/projects/{project_id}")]
async fn read_project(access: Access<Read<Project>>) -> Result<Tagged<Project>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a project (JSON merge patch).
#[utoipa::path()]
#[patch("/projects/{project_id}")]
async fn update_project(
    access: Access<Edit<Project>>,
    body: Json<Patch<ProjectFields>>,
) -> Result<Committed<Updated<Project>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a project that nothing refers to any more. One that was called off is `cancelled` instead.
#[utoipa::path()]
#[delete("/projects/{project_id}")]
async fn delete_project(access: Access<Delete<Project>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Move a project along its life: draft, submitted, returned, confirmed, published.
///
/// Going back from confirmed or published, and returning, need a `Change-Reason`.
#[utoipa::path()]
#[post("/projects/{project_id}/transition")]
async fn transition_project(
    access: Access<Transit<Project>>,
    body: Json<Transition>,
) -> Result<Committed<Updated<Project>>> {
    access
        .write(body.bytes(), async |tx| {
            let status = confirm(tx, tx.on.status, tx.valid(&body)?)?;
            Ok(Updated(tx.on.transition(tx.db, status).await?))
        })
        .await
}
