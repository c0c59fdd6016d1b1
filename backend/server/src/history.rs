//! Who changed what, when and why.

use crate::access::{Access, ReadHistory};
use crate::error::{Error, Result};
use crate::http::{Cursor, Page, Query, after, default_limit};
use actix_web::get;
use model::history::{Entity, HistoryEntry};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_history);
}

/// Whose history.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// Kind of record.
    entity: Entity,
    record_id: Uuid,
    /// `next` of the previous page: older versions.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the versions of a record, newest first, each with what it changed.
///
/// Whoever sees a record sees its history; of a deleted one, its owner does.
#[utoipa::path(params(HistoryQuery))]
#[get("/history")]
async fn list_history(access: Access<ReadHistory>, Query(query): Query<HistoryQuery>) -> Result<Page<HistoryEntry>> {
    let before: Option<i64> = after(query.after.as_ref())?;
    let limit = query.limit;
    let entries = access
        .read(async |tx| {
            if !tx.may_read(query.entity.as_str()) {
                return Err(Error::Forbidden);
            }
            Ok(HistoryEntry::list(tx.db, query.entity, query.record_id, before, limit).await?)
        })
        .await?;
    Ok(Page::new(entries, limit, |e| e.version.version))
}
