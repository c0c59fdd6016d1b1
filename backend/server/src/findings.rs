//! Where a printed fact contradicts the record, and what people say about it.

use crate::access::{Access, Create, Delete, Edit, List, Read};
use crate::error::{Error, Result};
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use actix_web::{delete, get, patch, post};
use model::finding::{Finding, FindingNote, FindingNoteFields, Scope};
use model::{KpiId, PlanId, PlatformId, ProjectId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_findings);
    cfg.service(list_finding_notes)
        .service(create_finding_note)
        .service(read_finding_note);
    cfg.service(update_finding_note).service(delete_finding_note);
}

/// Whose findings: exactly one.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct FindingQuery {
    /// Of the platform's years, projects and KPIs.
    platform_id: Option<PlatformId>,
    project_id: Option<ProjectId>,
    /// Of the plan's KPIs and the projects for its goals.
    plan_id: Option<PlanId>,
    kpi_id: Option<KpiId>,
}

impl FindingQuery {
    fn scope(&self) -> Result<Scope> {
        match (self.platform_id, self.project_id, self.plan_id, self.kpi_id) {
            (Some(id), None, None, None) => Ok(Scope::Platform(id)),
            (None, Some(id), None, None) => Ok(Scope::Project(id)),
            (None, None, Some(id), None) => Ok(Scope::Plan(id)),
            (None, None, None, Some(id)) => Ok(Scope::Kpi(id)),
            _ => Err(Error::Conflict("findings_scope".to_owned())),
        }
    }
}

/// List the findings of a platform, project, plan or KPI: printed facts that the record contradicts.
///
/// They are computed from what the caller sees. Nothing is corrected or refused: a finding is explained with a note, or
/// goes away when the record is put right.
#[utoipa::path(params(FindingQuery))]
#[get("/findings")]
async fn list_findings(access: Access<List<FindingNote>>, Query(query): Query<FindingQuery>) -> Result<Page<Finding>> {
    let scope = query.scope()?;
    let items = access.read(async |tx| Ok(Finding::list(tx.db, scope).await?)).await?;
    Ok(Page { items, next: None })
}

/// Which notes.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct FindingNoteQuery {
    /// The record in which the finding stands.
    record_id: Option<Uuid>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the notes of the caller's organisation on findings, in the order in which they were written.
#[utoipa::path(params(FindingNoteQuery))]
#[get("/finding-notes")]
async fn list_finding_notes(
    access: Access<List<FindingNote>>,
    Query(query): Query<FindingNoteQuery>,
) -> Result<Page<FindingNote>> {
    let after = after(query.after.as_ref())?;
    let notes = access
        .read(async |tx| Ok(FindingNote::list(tx.db, query.record_id, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(notes, query.limit, |n| n.id))
}

/// Explain a finding, or say that it was put right at its source.
///
/// One note for each finding and organisation.
#[utoipa::path()]
#[post("/finding-notes")]
async fn create_finding_note(
    access: Access<Create<FindingNote>>,
    body: Json<FindingNoteFields>,
) -> Result<Committed<Created<FindingNote>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(FindingNote::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a note on a finding.
#[utoipa::path()]
#[get("/finding-notes/{finding_note_id}")]
async fn read_finding_note(access: Access<Read<FindingNote>>) -> Result<Tagged<FindingNote>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a note on a finding (JSON merge patch).
#[utoipa::path()]
#[patch("/finding-notes/{finding_note_id}")]
async fn update_finding_note(
    access: Access<Edit<FindingNote>>,
    body: Json<Patch<FindingNoteFields>>,
) -> Result<Committed<Updated<FindingNote>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a note: the finding is open again.
#[utoipa::path()]
#[delete("/finding-notes/{finding_note_id}")]
async fn delete_finding_note(access: Access<Delete<FindingNote>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
