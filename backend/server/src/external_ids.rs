//! Ids of other systems, and records addressed by them.

use crate::access::{Access, Create, Delete, ForKind, List, Read, Record, SignedIn, Tx, for_kind, header};
use crate::batch::{self, BatchItem, BatchOperation};
use crate::error::{Error, Newer, Result};
use crate::http::{
    AnyRecord, Committed, Created, Cursor, Json, NoContent, Page, Put, Query, Shown, Tagged, after, default_limit,
};
use crate::policy::Action;
use actix_web::http::header::{IF_MATCH, IF_NONE_MATCH};
use actix_web::{HttpRequest, delete, get, post, put};
use model::external_id::{ExternalId, ExternalIdFields, Filter};
use model::history::Entity;
use model::record::Kept;
use model::text::Name;
use serde::Deserialize;
use serde_json::Map;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_external_ids).service(create_external_id);
    cfg.service(read_external_id).service(delete_external_id);
    cfg.service(read_by_external_id).service(put_by_external_id);
    cfg.service(delete_by_external_id);
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

/// Read a record by the id that a system of the caller's organisation gave to it.
#[utoipa::path()]
#[get("/{resource}/external/{source}/{external_id}")]
async fn read_by_external_id(access: Access<SignedIn>, request: HttpRequest) -> Result<Shown> {
    access
        .read(async |tx| {
            let record = Address::of(&request)?.record(tx, Action::Read).await?;
            Ok(Shown(record.ok_or(Error::NotFound)?))
        })
        .await
}

/// Create or replace a record by the id that a system of the caller's organisation gave to it.
///
/// `If-None-Match: *` creates, `If-Match` replaces; a retry of either changes nothing twice. The body is that of `POST`
/// of the kind; references can be external ids as in a batch.
#[utoipa::path(request_body = AnyRecord)]
#[put("/{resource}/external/{source}/{external_id}")]
async fn put_by_external_id(
    access: Access<SignedIn>,
    request: HttpRequest,
    body: Json<AnyRecord>,
) -> Result<Committed<Put>> {
    access
        .write(body.bytes(), async |tx| {
            let address = Address::of(&request)?;
            let if_version = address.precondition(tx, &request, Action::Update).await?;
            let AnyRecord(record) = tx.valid(&body)?;
            let id = address
                .write(tx, BatchOperation::Upsert, Some(record), if_version)
                .await?;
            let record = for_kind(
                address.entity,
                Find {
                    tx,
                    id,
                    action: Action::Read,
                },
            )
            .await?;
            Ok(Put {
                id,
                resource: address.entity,
                created: if_version.is_none(),
                record,
            })
        })
        .await
}

/// Delete a record by the id that a system of the caller's organisation gave to it.
#[utoipa::path()]
#[delete("/{resource}/external/{source}/{external_id}")]
async fn delete_by_external_id(access: Access<SignedIn>, request: HttpRequest) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| {
            let address = Address::of(&request)?;
            address.record(tx, Action::Delete).await?.ok_or(Error::NotFound)?;
            let if_version = address.precondition(tx, &request, Action::Delete).await?;
            address.write(tx, BatchOperation::Delete, None, if_version).await?;
            Ok(NoContent)
        })
        .await
}

/// A record of any kind, by another system's id: the path of a request.
struct Address {
    entity: Entity,
    source: Name,
    external_id: Name,
}

impl Address {
    fn of(request: &HttpRequest) -> Result<Self> {
        let part = |name: &str| {
            let text = request.match_info().get(name)?;
            let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
            Some(text.into_owned())
        };
        let name = |path: &str| -> Result<Name> {
            let name = Name(part(path).ok_or(Error::NotFound)?);
            name.validate().map_err(|_| Error::NotFound)?;
            Ok(name)
        };
        Ok(Self {
            entity: batch::kind(&part("resource").unwrap_or_default())?,
            source: name("source")?,
            external_id: name("external_id")?,
        })
    }

    /// The record, if there is one; and may the caller do this with it?
    async fn record(&self, tx: &Tx<'_, ()>, action: Action) -> Result<Option<Newer>> {
        let filter = Filter {
            entity: Some(self.entity),
            source: Some(self.source.0.clone()),
            external_id: Some(self.external_id.0.clone()),
            limit: 1,
            ..Filter::default()
        };
        let Some(name) = ExternalId::list(tx.db, filter).await?.pop() else {
            return Ok(None);
        };
        let id = name.fields.record_id;
        for_kind(self.entity, Find { tx, id, action }).await.map(Some)
    }

    /// The version to replace or delete; nothing, to create.
    async fn precondition(&self, tx: &Tx<'_, ()>, request: &HttpRequest, action: Action) -> Result<Option<i64>> {
        let there = self.record(tx, action).await?;
        let known = header(request, IF_NONE_MATCH.as_str())?;
        match (header(request, IF_MATCH.as_str())?, known) {
            (None, None) => Err(Error::PreconditionRequired),
            (None, Some("*")) => match there {
                None => Ok(None),
                Some(there) => Err(Error::Stale(Box::new(there))),
            },
            (Some(wanted), None | Some("*")) => {
                let there = there.ok_or(Error::NotFound)?;
                if known.is_none() && (wanted == "*" || wanted == there.etag) {
                    Ok(there.current["version"].as_i64())
                } else if wanted == "*" || wanted.starts_with("\"v") || wanted.starts_with("W/\"") {
                    Err(Error::Stale(Box::new(there)))
                } else {
                    Err(Error::BadRequest("bad_if_match"))
                }
            }
            _ => Err(Error::BadRequest("bad_header")),
        }
    }

    /// As a batch of one.
    async fn write(
        &self,
        tx: &Tx<'_, ()>,
        operation: BatchOperation,
        record: Option<Map<String, serde_json::Value>>,
        if_version: Option<i64>,
    ) -> Result<Uuid> {
        let item = BatchItem {
            entity: self.entity,
            operation,
            id: None,
            source: Some(self.source.clone()),
            external_id: Some(self.external_id.clone()),
            if_version,
            record,
        };
        batch::run_one(tx, item).await?.id.ok_or(Error::NotFound)
    }
}

/// A record as it is, of whichever kind.
struct Find<'a> {
    tx: &'a Tx<'a, ()>,
    id: Uuid,
    action: Action,
}

impl ForKind for Find<'_> {
    type Out = Newer;
    async fn with<R: Record + Kept>(self) -> Result<Newer> {
        let record = R::find_many(self.tx.db, &[self.id])
            .await?
            .pop()
            .ok_or(Error::NotFound)?;
        self.tx.newer(&self.tx.may(record, self.action).await?).await
    }
}
