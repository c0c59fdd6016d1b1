//! The sync log: what batches and imports did, for people to look at and to settle.

use crate::access::{Access, Act, List, Read, Tx};
use crate::batch::{self, BatchItem, ItemResult, Outcome};
use crate::error::{Error, Result};
use crate::exports::{self, TableCharset, TableFormat};
use crate::http::{
    Committed, Cursor, Done, Format, Handmade, Json, OrCsv, Page, Query, Tagged, after, default_limit, wants_csv,
};
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{DateTime, Utc};
use model::caller::CallerKind;
use model::history::Entity;
use model::sync_log::{
    NewRun, RunFilter, Settlement, SyncActor, SyncCounts, SyncKind, SyncMode, SyncOutcome, SyncRow, SyncRun, SyncState,
};
use model::{Db, ImportId, OrganizationId, SyncRowId, SyncRunId};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_sync_runs).service(read_sync_run);
    cfg.service(list_sync_rows).service(cancel_sync_run);
    cfg.service(settle_sync_row);
}

/// A run of this caller that has ended, as far as nothing else is said.
pub(crate) fn begin<On>(tx: &Tx<'_, On>, kind: SyncKind) -> Result<NewRun> {
    Ok(NewRun {
        id: SyncRunId::new(),
        organization_id: tx.caller.organization.ok_or(Error::Unauthenticated)?,
        actor_id: tx.actor()?,
        actor_name: tx.standing.actor_name.clone(),
        actor_kind: match tx.caller.kind {
            CallerKind::Client => SyncActor::Client,
            _ => SyncActor::User,
        },
        session_id: tx.caller.session,
        kind,
        import_id: None,
        file_name: None,
        source: None,
        mode: SyncMode::PerRow,
        dry_run: false,
        state: SyncState::Done,
        committed: true,
        ended_at: Some(Utc::now()),
        counts: SyncCounts::default(),
    })
}

/// Writes a whole run: what it was, and the items that somebody has to look at.
pub(crate) async fn keep(
    db: Db<'_>,
    run: &NewRun,
    items: impl Iterator<Item = (&BatchItem, &ItemResult)>,
) -> Result<()> {
    run.create(db).await?;
    let mut rows = Vec::new();
    for (line, (item, result)) in (1..).zip(items) {
        let sent = serde_json::to_value(item).map_err(Error::internal)?;
        rows.extend(row(run.organization_id, run.id, line, Some(item.entity), sent, result)?);
    }
    Ok(SyncRow::create(db, &rows).await?)
}

/// The row of the log that an outcome makes; none where all is well.
pub(crate) fn row(
    organization_id: OrganizationId,
    run_id: SyncRunId,
    line: i64,
    entity: Option<Entity>,
    item: Value,
    result: &ItemResult,
) -> Result<Option<SyncRow>> {
    let outcome = match result.outcome {
        Outcome::Conflict => SyncOutcome::Conflict,
        Outcome::Error => SyncOutcome::Error,
        _ => return Ok(None),
    };
    let problem = result.problem.as_ref().map(serde_json::to_value).transpose();
    Ok(Some(SyncRow {
        id: SyncRowId::new(),
        version: 1,
        organization_id,
        run_id,
        line,
        outcome,
        entity,
        record_id: result.id,
        item: storable(item),
        problem: problem.map_err(Error::internal)?.map(storable),
        base: result.base.clone(),
        settled_at: None,
        settled_by: None,
        settled_by_name: None,
        settlement: None,
    }))
}

/// What was sent may hold a NUL, which is why it was refused; PostgreSQL cannot keep it, so its mark stands there.
pub(crate) fn storable(value: Value) -> Value {
    let text = |text: String| text.replace('\0', "\u{2400}");
    match value {
        Value::String(held) => Value::String(text(held)),
        Value::Array(held) => held.into_iter().map(storable).collect(),
        Value::Object(held) => held
            .into_iter()
            .map(|(name, value)| (text(name), storable(value)))
            .collect(),
        other => other,
    }
}

/// Which runs.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct SyncRunQuery {
    /// The person or system that started it.
    actor_id: Option<Uuid>,
    #[param(inline)]
    actor_kind: Option<SyncActor>,
    #[param(inline)]
    kind: Option<SyncKind>,
    import_id: Option<ImportId>,
    #[param(inline)]
    state: Option<SyncState>,
    /// Only those that wrote nothing because they were to be tried, or only the others.
    dry_run: Option<bool>,
    /// Only those that failed, or of which rows could not be written.
    #[serde(default)]
    with_errors: bool,
    /// Only those with conflicts that nobody has settled.
    #[serde(default)]
    open: bool,
    /// Begun at this moment or later.
    from: Option<DateTime<Utc>>,
    /// Begun at this moment or earlier.
    to: Option<DateTime<Utc>>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List what batches and imports of the caller's organisation did, newest first.
#[utoipa::path(params(SyncRunQuery))]
#[get("/sync-runs")]
async fn list_sync_runs(access: Access<List<SyncRun>>, Query(query): Query<SyncRunQuery>) -> Result<Page<SyncRun>> {
    let filter = RunFilter {
        organization_id: access.organization(),
        actor_id: query.actor_id,
        actor_kind: query.actor_kind,
        kind: query.kind,
        import_id: query.import_id,
        state: query.state,
        dry_run: query.dry_run,
        with_errors: query.with_errors,
        open: query.open,
        from: query.from,
        to: query.to,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let runs = access.read(async |tx| Ok(SyncRun::list(tx.db, filter).await?)).await?;
    Ok(Page::new(runs, query.limit, |run| run.id))
}

/// Read a run: how far it is, and how many rows of each outcome.
#[utoipa::path()]
#[get("/sync-runs/{sync_run_id}")]
async fn read_sync_run(access: Access<Read<SyncRun>>) -> Result<Tagged<SyncRun>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Cancel an import that waits or runs; chunks that are written stay written.
#[utoipa::path()]
#[post("/sync-runs/{sync_run_id}/cancellation")]
async fn cancel_sync_run(access: Access<Act<SyncRun>>) -> Result<Committed<Done<SyncRun>>> {
    access
        .write(&[], async |tx| match tx.on.cancel(tx.db).await {
            Err(model::Error::NotFound) => Err(Error::Conflict("sync_runs_ended".to_owned())),
            cancelled => Ok(Done(cancelled?)),
        })
        .await
}

/// Which rows of a run.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct SyncRowQuery {
    #[param(inline)]
    outcome: Option<SyncOutcome>,
    /// Only those that nobody has settled.
    #[serde(default)]
    open: bool,
    /// Kind of record of a CSV file, where the run has several.
    #[param(inline)]
    entity: Option<Entity>,
    /// `csv` gives all these rows as a file that can be corrected and imported; also by `Accept: text/csv`.
    #[param(inline)]
    format: Option<Format>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the rows of a run that could not be written, that a person decides, or that a full list does not name any more.
///
/// What was written is in the history. `item` is a row as it was sent: corrected, it can be sent again.
#[utoipa::path(params(SyncRowQuery))]
#[get("/sync-runs/{sync_run_id}/rows")]
async fn list_sync_rows(
    access: Access<Read<SyncRun>>,
    request: HttpRequest,
    Query(query): Query<SyncRowQuery>,
) -> Result<Handmade<OrCsv<Page<SyncRow>>>> {
    let csv = wants_csv(&request, query.format);
    let limit = if csv { 100_000 } else { query.limit };
    let cursor = after(query.after.as_ref())?;
    let rows = access
        .read(async |tx| Ok(SyncRow::of_run(tx.db, tx.on.id, query.outcome, query.open, cursor, limit + 1).await?))
        .await?;
    if csv {
        let mut kinds = rows.iter().filter_map(|row| row.entity);
        let kind = query
            .entity
            .or_else(|| kinds.next())
            .filter(|k| query.entity.is_some() || kinds.all(|other| other == *k));
        let kind = kind.ok_or_else(|| Error::Conflict("one_kind".to_owned()))?;
        let table = exports::log_table(kind, &rows).await?;
        return Ok(exports::file(table, TableFormat::Csv, TableCharset::Utf8).await?.into());
    }
    let page = Page::new(rows, limit, |row| (row.line, row.id));
    Ok(HttpResponse::Ok().json(page).into())
}

/// How a row is settled.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SettlementRequest {
    /// `theirs` leaves what is there, `mine` writes what was sent.
    take: Settlement,
    /// With `mine`: the version of the record that the person was shown.
    #[serde(default)]
    #[validate(range(min = 1))]
    #[schema(minimum = 1)]
    version: Option<i64>,
}

/// Settle a row: leave what is there, or write what was sent over the version that the person was shown.
///
/// It is written with the rights of who settles. A record that was changed meanwhile is 412 with the current one.
#[utoipa::path(request_body = SettlementRequest)]
#[post("/sync-rows/{sync_row_id}/settlement")]
async fn settle_sync_row(
    access: Access<Act<SyncRow>>,
    body: Json<SettlementRequest>,
) -> Result<Committed<Done<SyncRow>>> {
    access
        .write(body.bytes(), async |tx| {
            let settlement = tx.valid(&body)?;
            if settlement.take == Settlement::Mine {
                write_mine(tx, settlement.version).await?;
            }
            let settled = tx
                .on
                .settle(tx.db, settlement.take, tx.actor()?, tx.standing.actor_name.as_deref());
            match settled.await {
                Err(model::Error::NotFound) => Err(Error::Conflict("sync_rows_settled".to_owned())),
                settled => Ok(Done(settled?)),
            }
        })
        .await
}

async fn write_mine(tx: &Tx<'_, SyncRow>, version: Option<i64>) -> Result<()> {
    let run = SyncRun::find(tx.db, tx.on.run_id).await?;
    let item: Option<BatchItem> = serde_json::from_value(tx.on.item.clone()).ok();
    let (Some(mut item), false) = (item, run.dry_run) else {
        return Err(Error::Conflict("sync_rows_not_written".to_owned()));
    };
    item.if_version = version;
    batch::run_one(&tx.plain(), item).await.map(|_| ())
}
