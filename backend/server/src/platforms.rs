//! Platforms and their years.

use crate::access::{Access, Create, Delete, Edit, List, Read, Transit};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use crate::transition::{Transition, confirm};
use actix_web::{delete, get, patch, post};
use model::platform::{Filter, Platform, PlatformFields, PlatformKind, PlatformYear, PlatformYearFields, YearFilter};
use model::text::{Line, MunicipalityCode};
use model::value::Status;
use model::{OrganizationId, PlatformId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_platforms)
        .service(create_platform)
        .service(read_platform)
        .service(update_platform);
    cfg.service(delete_platform).service(transition_platform);
    cfg.service(list_platform_years)
        .service(create_platform_year)
        .service(read_platform_year);
    cfg.service(update_platform_year).service(delete_platform_year);
}

/// Which platforms.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct PlatformQuery {
    kind: Option<PlatformKind>,
    /// The platform they belong to.
    parent_id: Option<PlatformId>,
    /// A municipality of their area.
    #[validate(nested)]
    municipality_code: Option<MunicipalityCode>,
    /// The organisation that owns them.
    owner_org_id: Option<OrganizationId>,
    status: Option<Status>,
    /// Part of name, reading or area.
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

/// List platforms, in the declared order.
///
/// Without a token: those that are published.
#[utoipa::path(params(PlatformQuery))]
#[get("/platforms")]
async fn list_platforms(access: Access<List<Platform>>, Query(query): Query<PlatformQuery>) -> Result<Page<Platform>> {
    let filter = Filter {
        kind: query.kind,
        parent_id: query.parent_id,
        municipality_code: query.municipality_code.map(|c| c.0),
        owner_org_id: query.owner_org_id,
        status: query.status,
        search: query.search.map(|s| s.0),
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let platforms = access.read(async |tx| Ok(Platform::list(tx.db, filter).await?)).await?;
    Ok(Page::new(platforms, query.limit, |p| (p.fields.position, p.id)))
}

/// Create a platform, owned by the caller's organisation.
///
/// A wide-area platform is owned by a joint body; its area may cross prefectures.
#[utoipa::path()]
#[post("/platforms")]
async fn create_platform(
    access: Access<Create<Platform>>,
    body: Json<PlatformFields>,
) -> Result<Committed<Created<Platform>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Platform::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a platform.
#[utoipa::path()]
#[get("/platforms/{platform_id}")]
async fn read_platform(access: Access<Read<Platform>>) -> Result<Tagged<Platform>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a platform (JSON merge patch).
#[utoipa::path()]
#[patch("/platforms/{platform_id}")]
async fn update_platform(
    access: Access<Edit<Platform>>,
    body: Json<Patch<PlatformFields>>,
) -> Result<Committed<Updated<Platform>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a platform that nothing refers to any more.
#[utoipa::path()]
#[delete("/platforms/{platform_id}")]
async fn delete_platform(access: Access<Delete<Platform>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Move a platform along its life: draft, submitted, returned, confirmed, published.
///
/// Going back from confirmed or published, and returning, need a `Change-Reason`.
#[utoipa::path()]
#[post("/platforms/{platform_id}/transition")]
async fn transition_platform(
    access: Access<Transit<Platform>>,
    body: Json<Transition>,
) -> Result<Committed<Updated<Platform>>> {
    access
        .write(body.bytes(), async |tx| {
            let status = confirm(tx, tx.on.status, tx.valid(&body)?)?;
            Ok(Updated(tx.on.transition(tx.db, status).await?))
        })
        .await
}

/// Which years of platforms.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct PlatformYearQuery {
    platform_id: Option<PlatformId>,
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List what platforms say of their fiscal years, by year.
#[utoipa::path(params(PlatformYearQuery))]
#[get("/platform-years")]
async fn list_platform_years(
    access: Access<List<PlatformYear>>,
    Query(query): Query<PlatformYearQuery>,
) -> Result<Page<PlatformYear>> {
    let filter = YearFilter {
        platform_id: query.platform_id,
        fiscal_year: query.fiscal_year,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let years = access
        .read(async |tx| Ok(PlatformYear::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(years, query.limit, |y| (y.fields.fiscal_year, y.id)))
}

/// Begin a fiscal year of a platform.
#[utoipa::path()]
#[post("/platform-years")]
async fn create_platform_year(
    access: Access<Create<PlatformYear>>,
    body: Json<PlatformYearFields>,
) -> Result<Committed<Created<PlatformYear>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(PlatformYear::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a fiscal year of a platform.
#[utoipa::path()]
#[get("/platform-years/{platform_year_id}")]
async fn read_platform_year(access: Access<Read<PlatformYear>>) -> Result<Tagged<PlatformYear>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a fiscal year of a platform (JSON merge patch).
#[utoipa::path()]
#[patch("/platform-years/{platform_year_id}")]
async fn update_platform_year(
    access: Access<Edit<PlatformYear>>,
    body: Json<Patch<PlatformYearFields>>,
) -> Result<Committed<Updated<PlatformYear>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a fiscal year of a platform.
#[utoipa::path()]
#[delete("/platform-years/{platform_year_id}")]
async fn delete_platform_year(access: Access<Delete<PlatformYear>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
