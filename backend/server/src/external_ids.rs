//! Ids of other systems.

use crate::access::{Access, Create, Delete, List, Read};
use crate::error::Result;
use crate::http::{Committed, Created, Cursor, Json, NoContent, Page, Query, Tagged, after, default_limit};
use actix_web::{delete, get, post};
use model::external_id::{ExternalId, ExternalIdFields, Filter};
use model::history::Entity;
use model::text::Name;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_external_ids).service(create_external_id);
    cfg.service(read_external_id).service(delete_external_id);
}

/// Which external ids.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ExternalIdQuery {
    /// Kind of record.
    entity: Option<Entity>,
    record_id: Option<Uuid>,
    /// The other system.
    #[validate(nested)]
    source: Option<Name>,
    /// The id there.
    #[validate(nested)]
    external_id: Option<Name>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the caller's ids of other systems, in the order in which they were recorded.
#[utoipa::path(params(ExternalIdQuery))]
#[get("/external-ids")]
async fn list_external_ids(
    access: Access<List<ExternalId>>,
    Query(query): Query<ExternalIdQuery>,
) -> Result<Page<ExternalId>> {
    let filter = Filter {
        entity: query.entity,
        record_id: query.record_id,
        source: query.source.map(|s| s.0),
        external_id: query.external_id.map(|e| e.0),
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let ids = access
        .read(async |tx| Ok(ExternalId::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(ids, query.limit, |e| e.id))
}

/// Record the id that another system gave to a record the caller sees.
///
/// A record has one id in each system, and an id of a system stands for one record of a kind.
#[utoipa::path()]
#[post("/external-ids")]
async fn create_external_id(
    access: Access<Create<ExternalId>>,
    body: Json<ExternalIdFields>,
) -> Result<Committed<Created<ExternalId>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(ExternalId::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read an id of another system.
#[utoipa::path()]
#[get("/external-ids/{external_id_id}")]
async fn read_external_id(access: Access<Read<ExternalId>>) -> Result<Tagged<ExternalId>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Delete an id of another system.
#[utoipa::path()]
#[delete("/external-ids/{external_id_id}")]
async fn delete_external_id(access: Access<Delete<ExternalId>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
