//! Facts of municipalities.

use crate::access::{Access, Create, Delete, Edit, List, Read, Transit};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use crate::transition::{Transition, confirm};
use actix_web::{delete, get, patch, post};
use model::OrganizationId;
use model::municipality_fact::{FactKind, Filter, MunicipalityFact, MunicipalityFactFields};
use model::text::MunicipalityCode;
use model::value::Status;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_municipality_facts)
        .service(create_municipality_fact)
        .service(read_municipality_fact);
    cfg.service(update_municipality_fact)
        .service(delete_municipality_fact)
        .service(transition_municipality_fact);
}

/// Which facts.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct MunicipalityFactQuery {
    #[validate(nested)]
    municipality_code: Option<MunicipalityCode>,
    kind: Option<FactKind>,
    /// The organisation that owns them.
    owner_org_id: Option<OrganizationId>,
    status: Option<Status>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List facts of municipalities, in the order of codes (団体コード順) and dates.
#[utoipa::path(params(MunicipalityFactQuery))]
#[get("/municipality-facts")]
async fn list_municipality_facts(
    access: Access<List<MunicipalityFact>>,
    Query(query): Query<MunicipalityFactQuery>,
) -> Result<Page<MunicipalityFact>> {
    let filter = Filter {
        municipality_code: query.municipality_code.map(|c| c.0),
        kind: query.kind,
        owner_org_id: query.owner_org_id,
        status: query.status,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let facts = access
        .read(async |tx| Ok(MunicipalityFact::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(facts, query.limit, |f| {
        (f.fields.municipality_code.clone(), f.as_of_on, f.id)
    }))
}

/// Record a fact of a municipality, owned by the caller's organisation.
#[utoipa::path()]
#[post("/municipality-facts")]
async fn create_municipality_fact(
    access: Access<Create<MunicipalityFact>>,
    body: Json<MunicipalityFactFields>,
) -> Result<Committed<Created<MunicipalityFact>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(MunicipalityFact::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a fact of a municipality.
#[utoipa::path()]
#[get("/municipality-facts/{municipality_fact_id}")]
async fn read_municipality_fact(access: Access<Read<MunicipalityFact>>) -> Result<Tagged<MunicipalityFact>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a fact of a municipality (JSON merge patch).
#[utoipa::path()]
#[patch("/municipality-facts/{municipality_fact_id}")]
async fn update_municipality_fact(
    access: Access<Edit<MunicipalityFact>>,
    body: Json<Patch<MunicipalityFactFields>>,
) -> Result<Committed<Updated<MunicipalityFact>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a fact of a municipality.
#[utoipa::path()]
#[delete("/municipality-facts/{municipality_fact_id}")]
async fn delete_municipality_fact(access: Access<Delete<MunicipalityFact>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Move a fact along its life: draft, submitted, returned, confirmed, published.
///
/// Going back from confirmed or published, and returning, need a `Change-Reason`.
#[utoipa::path()]
#[post("/municipality-facts/{municipality_fact_id}/transition")]
async fn transition_municipality_fact(
    access: Access<Transit<MunicipalityFact>>,
    body: Json<Transition>,
) -> Result<Committed<Updated<MunicipalityFact>>> {
    access
        .write(body.bytes(), async |tx| {
            let status = confirm(tx, tx.on.status, tx.valid(&body)?)?;
            Ok(Updated(tx.on.transition(tx.db, status).await?))
        })
        .await
}
