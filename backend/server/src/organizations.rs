//! Organisations and municipalities.

use crate::access::{Access, Create, Delete, Edit, List, Read};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use actix_web::{delete, get, patch, post};
use model::OrganizationId;
use model::caller::Role;
use model::municipality::{self, Municipality};
use model::organization::{Filter, Organization, OrganizationFields, OrganizationKind};
use model::text::{Line, MunicipalityCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_organizations)
        .service(create_organization)
        .service(read_organization);
    cfg.service(update_organization)
        .service(delete_organization)
        .service(list_municipalities);
}

/// Which organisations.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct OrganizationQuery {
    kind: Option<OrganizationKind>,
    /// Municipality of the seat.
    #[validate(nested)]
    municipality_code: Option<MunicipalityCode>,
    /// The organisation they are a part of.
    parent_id: Option<OrganizationId>,
    /// Part of name or reading.
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

/// List organisations, in the declared order.
#[utoipa::path(params(OrganizationQuery))]
#[get("/organizations")]
async fn list_organizations(
    access: Access<List<Organization>>,
    Query(query): Query<OrganizationQuery>,
) -> Result<Page<Organization>> {
    let filter = Filter {
        kind: query.kind,
        municipality_code: query.municipality_code.map(|c| c.0),
        parent_id: query.parent_id,
        search: query.search.map(|s| s.0),
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let organizations = access
        .read(async |tx| Ok(Organization::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(organizations, query.limit, |o| (o.fields.position, o.id)))
}

/// Create an organisation.
///
/// It belongs to the caller's organisation; one that a system administrator creates owns itself and can have accounts.
#[utoipa::path()]
#[post("/organizations")]
async fn create_organization(
    access: Access<Create<Organization>>,
    body: Json<OrganizationFields>,
) -> Result<Committed<Created<Organization>>> {
    access
        .write(body.bytes(), async |tx| {
            let fields = tx.valid(&body)?;
            let founding = tx.standing.role == Role::SystemAdmin;
            Ok(Created(if founding {
                Organization::found(tx.db, fields).await
            } else {
                Organization::create(tx.db, fields).await
            }?))
        })
        .await
}

/// Read an organisation.
#[utoipa::path()]
#[get("/organizations/{organization_id}")]
async fn read_organization(access: Access<Read<Organization>>) -> Result<Tagged<Organization>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change an organisation (JSON merge patch).
#[utoipa::path()]
#[patch("/organizations/{organization_id}")]
async fn update_organization(
    access: Access<Edit<Organization>>,
    body: Json<Patch<OrganizationFields>>,
) -> Result<Committed<Updated<Organization>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete an organisation that nothing refers to. One that ended gets `valid_to` instead.
#[utoipa::path()]
#[delete("/organizations/{organization_id}")]
async fn delete_organization(access: Access<Delete<Organization>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which municipalities.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct MunicipalityQuery {
    /// Six-digit code of the prefecture.
    #[validate(nested)]
    prefecture_code: Option<MunicipalityCode>,
    /// prefecture, designated_city, city, special_ward, ward, town or village.
    #[validate(nested)]
    kind: Option<Line>,
    /// Part of name, reading or code.
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

/// List municipalities, in the order of codes (団体コード順).
#[utoipa::path(params(MunicipalityQuery))]
#[get("/municipalities")]
async fn list_municipalities(
    access: Access<List<Organization>>,
    Query(query): Query<MunicipalityQuery>,
) -> Result<Page<Municipality>> {
    let after: Option<String> = after(query.after.as_ref())?;
    let limit = query.limit;
    let municipalities = access
        .read(async |tx| {
            let filter = municipality::Filter {
                prefecture_code: query.prefecture_code.as_deref(),
                kind: query.kind.as_deref(),
                search: query.search.as_deref(),
                after: after.as_deref(),
                limit: limit + 1,
            };
            Ok(Municipality::list(tx.db, filter).await?)
        })
        .await?;
    Ok(Page::new(municipalities, limit, |m| m.code.clone()))
}
