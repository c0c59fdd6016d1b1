//! Files in: content that arrives in parts, runs that survive a restart, and what a full list does not name any more.

use crate::access::{Access, Act, App, Create, List, Read, Tx, for_kind};
use crate::batch::{self, BatchItem, ItemResult};
use crate::columns::{Cell, Columns};
use crate::error::{Error, Result};
use crate::files::{self, Charset, Detection, Header, Row};
use crate::http::{Committed, Created, Cursor, Done, Json, Octets, Page, Query, Tagged, after, default_limit};
use crate::sync_log;
use actix_web::{get, post, put};
use chrono::Utc;
use model::caller::{Caller, CallerKind, Circumstances};
use model::external_id::{ExternalId, Filter};
use model::import::{FileFormat, Import, ImportFields};
use model::sync_log::{NewRun, Settlement, SyncActor, SyncKind, SyncMode, SyncOutcome, SyncRow, SyncRun, SyncState};
use model::{SyncRowId, SyncRunId, statement};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

/// Largest part of a file, in bytes.
const PART_LIMIT: usize = 4 << 20;
/// Rows of what is done in one transaction: atomic runs and dry runs.
const ONE_TRANSACTION: i64 = 20_000;
/// Deletions that are carried out at once.
const DELETIONS: i64 = 20_000;
/// How much of a source may go without being asked for by number: one in ten.
const SHARE: i64 = 10;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_imports).service(create_import).service(read_import);
    cfg.service(append_content).service(run_import).service(delete_absent);
}

/// Which page.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the files of the caller's organisation that are kept, newest first.
#[utoipa::path(params(ImportQuery))]
#[get("/imports")]
async fn list_imports(access: Access<List<Import>>, Query(query): Query<ImportQuery>) -> Result<Page<Import>> {
    let cursor = after(query.after.as_ref())?;
    let imports = access
        .read(async |tx| Ok(Import::list(tx.db, cursor, query.limit + 1).await?))
        .await?;
    Ok(Page::new(imports, query.limit, |import| import.id))
}

/// Begin to import a file: say what it is, send its content, run it.
#[utoipa::path()]
#[post("/imports")]
async fn create_import(access: Access<Create<Import>>, body: Json<ImportFields>) -> Result<Committed<Created<Import>>> {
    access
        .write(body.bytes(), async |tx| {
            let fields = tx.valid(&body)?;
            if !fields.entity.is_none_or(batch::takes) {
                return Err(Error::Conflict("not_in_batches".to_owned()));
            }
            let organization = tx.caller.organization.ok_or(Error::Unauthenticated)?;
            Ok(Created(Import::create(tx.db, organization, tx.actor()?, fields).await?))
        })
        .await
}

/// Read an import: `size` is where the next part begins.
#[utoipa::path()]
#[get("/imports/{import_id}")]
async fn read_import(access: Access<Read<Import>>) -> Result<Tagged<Import>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Where a part begins.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct PartQuery {
    /// Byte of the file at which this part begins: the `size` that was answered last.
    #[validate(range(min = 0))]
    #[param(minimum = 0)]
    offset: i64,
}

/// Bytes of a file, from `offset` on.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[allow(dead_code, reason = "only its schema is used")]
struct FilePart(Vec<u8>);

/// Send the next part of the content, up to 4 MiB.
///
/// Without an answer, read the import: it says where to go on. A part that begins elsewhere is 409 with the import in
/// `current`; nothing is written twice.
#[utoipa::path(params(PartQuery), request_body(content = FilePart, content_type = "application/octet-stream"))]
#[put("/imports/{import_id}/content")]
async fn append_content(
    access: Access<Act<Import>>,
    Query(part): Query<PartQuery>,
    body: Octets<PART_LIMIT>,
) -> Result<Committed<Done<Import>>> {
    let limit = access.import_limit();
    access
        .write(body.bytes(), async |tx| {
            let end = part
                .offset
                .saturating_add(i64::try_from(body.bytes().len()).unwrap_or(i64::MAX));
            let limit = if tx.on.fields.format == FileFormat::Xlsx {
                limit.min(files::XLSX_LIMIT)
            } else {
                limit
            };
            if part.offset == tx.on.size && end > i64::try_from(limit).unwrap_or(i64::MAX) {
                return Err(Error::TooLarge);
            }
            match tx.on.append(tx.db, part.offset, body.bytes()).await {
                Err(model::Error::NotFound) => {
                    let now = Import::find(tx.db, tx.on.id).await?;
                    let now = serde_json::to_value(&now).map_err(Error::internal)?;
                    Err(Error::Outdated("imports_offset", Box::new(now)))
                }
                import => Ok(Done(import?)),
            }
        })
        .await
}

/// How to run an import.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct RunRequest {
    /// Say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Run an import, once or again: `GET /sync-runs/{sync_run_id}` says how far it is.
///
/// It is carried out in the background, with the rights of who started it, in transactions of 1,000 rows; after a restart
/// of the service it goes on where it was. `atomic` and dry runs are one transaction, of at most 20,000 rows.
#[utoipa::path(request_body = RunRequest)]
#[post("/imports/{import_id}/run")]
async fn run_import(access: Access<Act<Import>>, body: Json<RunRequest>) -> Result<Committed<Done<SyncRun>>> {
    let started = access.started();
    let answer = access
        .write(body.bytes(), async |tx| {
            let request = tx.valid(&body)?;
            if tx.on.size == 0 {
                return Err(Error::Conflict("imports_empty".to_owned()));
            }
            let run = NewRun {
                dry_run: request.dry_run,
                state: SyncState::Waiting,
                committed: false,
                ended_at: None,
                ..of_import(tx, SyncKind::Import)?
            };
            run.create(tx.db).await?;
            Ok(Done(SyncRun::find(tx.db, run.id).await?))
        })
        .await;
    started();
    answer
}

fn of_import(tx: &Tx<'_, Import>, kind: SyncKind) -> Result<NewRun> {
    let fields = &tx.on.fields;
    Ok(NewRun {
        import_id: Some(tx.on.id),
        file_name: Some(fields.file_name.0.clone()),
        source: fields.source.as_ref().map(|s| s.0.clone()),
        mode: fields.mode,
        ..sync_log::begin(tx, kind)?
    })
}

/// What may go.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct DeletionsRequest {
    /// The run whose proposals are carried out.
    sync_run_id: SyncRunId,
    /// Not more than so many. Without it, at most one in ten of the records of this kind and source.
    #[serde(default)]
    #[validate(range(min = 0))]
    #[schema(minimum = 0)]
    at_most: Option<i64>,
}

/// Delete what the full list does not name: the `absent` rows of its run that nobody has settled.
///
/// A record that somebody else has changed since is a conflict and stays.
#[utoipa::path(request_body = DeletionsRequest)]
#[post("/imports/{import_id}/deletions")]
async fn delete_absent(access: Access<Act<Import>>, body: Json<DeletionsRequest>) -> Result<Committed<Done<SyncRun>>> {
    access
        .write(body.bytes(), async |tx| {
            let request = tx.valid(&body)?;
            let run = SyncRun::find(tx.db, request.sync_run_id).await?;
            if run.import_id != Some(tx.on.id) || !run.committed {
                return Err(Error::NotFound);
            }
            let absent = Some(SyncOutcome::Absent);
            let rows = SyncRow::of_run(tx.db, run.id, absent, true, None, DELETIONS + 1).await?;
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let most = match request.at_most {
                Some(most) => most,
                None => i64::try_from(names(tx.plain(), &tx.on.fields).await?.len()).unwrap_or(i64::MAX) / SHARE,
            };
            if count > most.min(DELETIONS) {
                return Err(Error::Conflict("imports_deletions_threshold".to_owned()));
            }
            let items = rows
                .iter()
                .map(|row| serde_json::from_value(row.item.clone()).map_err(Error::internal));
            let items: Vec<BatchItem> = items.collect::<Result<_>>()?;
            let mut results = Vec::new();
            for chunk in items.chunks(files::CHUNK) {
                results.extend(batch::run(&tx.plain(), chunk).await?);
            }
            let results: Vec<ItemResult> = results.into_iter().enumerate().map(ItemResult::of).collect();
            let log = NewRun {
                counts: batch::count(&results),
                ..of_import(tx, SyncKind::Deletions)?
            };
            sync_log::keep(tx.db, &log, items.iter().zip(&results)).await?;
            for row in &rows {
                row.settle(tx.db, Settlement::Mine, tx.actor()?, tx.standing.actor_name.as_deref())
                    .await?;
            }
            Ok(Done(SyncRun::find(tx.db, log.id).await?))
        })
        .await
}

/// All that the caller's organisation knows of this kind by ids of this source.
async fn names(tx: Tx<'_, ()>, fields: &ImportFields) -> Result<Vec<ExternalId>> {
    let mut all: Vec<ExternalId> = Vec::new();
    loop {
        let filter = Filter {
            entity: fields.entity,
            source: fields.source.as_ref().map(|s| s.0.clone()),
            after: all.last().map(|e| e.id),
            limit: 10_000,
            ..Filter::default()
        };
        let page = ExternalId::list(tx.db, filter).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// Carries out imports, one after another, as long as the service runs. Others, in other instances, may do the same.
pub async fn work(app: actix_web::web::Data<App>) {
    let worker = Uuid::now_v7();
    loop {
        let taken = app.authenticator(async |db| Ok(SyncRun::take(db, worker).await?)).await;
        match taken {
            Ok(Some((run, import))) => carry_out(&app, worker, run, import).await,
            Ok(None) => {
                let _ = tokio::time::timeout(Duration::from_secs(5), app.started.notified()).await;
            }
            Err(error) => {
                tracing::warn!(%error, "imports could not be looked for");
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        }
    }
}

async fn carry_out(app: &App, worker: Uuid, run: SyncRun, import: Import) {
    let id = run.id;
    let mut job = Job {
        app,
        worker,
        run,
        named: HashSet::new(),
        unreadable: false,
    };
    let result = async {
        let mut file = File::open(app, &import).await?;
        job.catch_up(&mut file).await?;
        if job.run.dry_run || job.run.mode == SyncMode::Atomic {
            job.at_once(&mut file).await
        } else {
            job.by_chunks(&mut file).await
        }
    }
    .await;
    let error = match result {
        // Cancelled, or taken up by another worker, who goes on.
        Ok(()) | Err(Error::NotFound) => return,
        // Taken up again when its time is over.
        Err(Error::Unavailable(_)) => return,
        Err(error) => error,
    };
    tracing::warn!(%error, run = %id, "an import failed");
    job.run.state = SyncState::Failed;
    job.run.problem = serde_json::to_value(error.problem()).ok().map(sync_log::storable);
    job.run.ended_at = Some(Utc::now());
    let run = &job.run;
    if let Err(error) = app.authenticator(async |db| Ok(run.advance(db, worker).await?)).await {
        tracing::warn!(%error, run = %id, "the failure of an import could not be written");
    }
}

/// A file that is being read, from its beginning to its end.
struct File<'a> {
    app: &'a App,
    import: &'a Import,
    charset: Charset,
    delimiter: u8,
    header: Option<Header>,
    /// Of a workbook: all rows below the header.
    rows: Vec<(i64, Result<Vec<Cell>>)>,
    /// Where the next row begins: a byte, or of a workbook a row.
    position: i64,
    /// The line there.
    line: i64,
}

impl<'a> File<'a> {
    async fn open(app: &'a App, import: &'a Import) -> Result<Self> {
        let mut file = Self {
            app,
            import,
            charset: Charset::Utf8,
            delimiter: b',',
            header: None,
            rows: Vec::new(),
            position: 0,
            line: 1,
        };
        let start = file.window(0, 3).await?;
        let marked = start.starts_with(b"\xef\xbb\xbf");
        file.position = if marked { 3 } else { 0 };
        match import.fields.format {
            FileFormat::Ndjson => {}
            FileFormat::Csv => {
                if !marked {
                    file.charset = file.detect().await?;
                }
                let window = file.window(file.position, files::WINDOW).await?;
                file.delimiter = files::delimiter(&window);
                let mut first = file.table(&window, 1)?;
                let cells = first
                    .rows
                    .pop()
                    .ok_or_else(|| Error::Conflict("imports_header".to_owned()))?
                    .1?;
                file.begin(&cells).await?;
                file.advance(first.bytes, first.lines);
            }
            FileFormat::Xlsx => {
                let content = file
                    .window(0, usize::try_from(import.size).unwrap_or(usize::MAX))
                    .await?;
                // Where the parser panics, the file is broken.
                let rows = actix_web::web::block(move || files::xlsx_rows(content))
                    .await
                    .map_err(|_| Error::Conflict("imports_xlsx".to_owned()))??;
                let mut rows = rows.into_iter().map(|(line, cells)| (line, Ok(cells)));
                let (_, first) = rows
                    .next()
                    .ok_or_else(|| Error::Conflict("imports_header".to_owned()))?;
                file.begin(&first?).await?;
                file.rows = rows.collect();
            }
        }
        Ok(file)
    }

    async fn begin(&mut self, first: &[Cell]) -> Result<()> {
        let entity = self.import.fields.entity.ok_or(Error::NotFound)?;
        self.header = Some(Header::read(first, &for_kind(entity, Columns).await?)?);
        Ok(())
    }

    async fn detect(&self) -> Result<Charset> {
        let (mut detection, mut position) = (Detection::default(), 0);
        while position < self.import.size {
            let window = self.window(position, files::WINDOW).await?;
            position += i64::try_from(window.len()).unwrap_or(i64::MAX);
            detection.see(&window, position >= self.import.size);
        }
        Ok(detection.charset())
    }

    /// Content from `position` on, at least so much of it. Read by the service, for whom row-level security has rights.
    async fn window(&self, position: i64, wanted: usize) -> Result<Vec<u8>> {
        self.app
            .authenticator(async |db| Ok(self.import.content(db, position, wanted).await?))
            .await
    }

    fn is_last(&self, window: &[u8]) -> bool {
        self.position + i64::try_from(window.len()).unwrap_or(0) >= self.import.size
    }

    fn table(&self, window: &[u8], limit: usize) -> Result<files::Lines> {
        files::csv_rows(
            window,
            self.is_last(window),
            self.line,
            self.charset,
            self.delimiter,
            limit,
        )
    }

    fn advance(&mut self, bytes: usize, lines: i64) {
        self.position += i64::try_from(bytes).unwrap_or(0);
        self.line += lines;
    }

    fn is_at_end(&self) -> bool {
        let end = match self.import.fields.format {
            FileFormat::Xlsx => i64::try_from(self.rows.len()).unwrap_or(i64::MAX),
            _ => self.import.size,
        };
        self.position >= end
    }

    /// The next rows, up to a chunk.
    async fn next(&mut self) -> Result<Vec<Row>> {
        let fields = &self.import.fields;
        if fields.format == FileFormat::Ndjson {
            let window = self.window(self.position, files::WINDOW).await?;
            let (rows, bytes, lines) = files::ndjson_rows(&window, self.is_last(&window), self.line, fields.entity)?;
            self.advance(bytes, lines);
            return Ok(rows);
        }
        let rows = if fields.format == FileFormat::Csv {
            let window = self.window(self.position, files::WINDOW).await?;
            let lines = self.table(&window, files::CHUNK)?;
            self.advance(lines.bytes, lines.lines);
            lines.rows
        } else {
            let begin = usize::try_from(self.position)
                .unwrap_or(usize::MAX)
                .min(self.rows.len());
            let end = (begin + files::CHUNK).min(self.rows.len());
            self.position += i64::try_from(end - begin).unwrap_or(0);
            let rows = self.rows[begin..end].iter_mut();
            rows.map(|(line, cells)| (*line, std::mem::replace(cells, Ok(Vec::new()))))
                .collect()
        };
        let (Some(header), Some(entity)) = (&self.header, fields.entity) else {
            return Err(Error::internal("a table without a header"));
        };
        let source = fields.source.as_ref();
        Ok(rows
            .into_iter()
            .map(|(line, cells)| files::table_row(line, cells, header, entity, source))
            .collect())
    }
}

/// A run while it is carried out.
struct Job<'a> {
    app: &'a App,
    worker: Uuid,
    run: SyncRun,
    /// Records that the file has named so far.
    named: HashSet<String>,
    /// Did the file have a row that may have named a record nobody can read?
    unreadable: bool,
}

impl Job<'_> {
    /// Reads what was done before a break, to know what it named.
    async fn catch_up(&mut self, file: &mut File<'_>) -> Result<()> {
        while file.position < self.run.position {
            for row in file.next().await? {
                self.name(&row);
            }
        }
        Ok(())
    }

    /// Is it the first row of its record?
    fn name(&mut self, row: &Row) -> bool {
        match &row.item {
            Ok(BatchItem {
                external_id: Some(id),
                entity,
                source,
                ..
            }) => {
                let source = source.as_ref().map_or("", |s| s.0.as_str());
                self.named.insert(format!("{}\n{source}\n{}", entity.as_str(), id.0))
            }
            Ok(BatchItem { id: Some(id), .. }) => self.named.insert(id.to_string()),
            Ok(_) => true,
            Err(_) => {
                self.unreadable = true;
                true
            }
        }
    }

    fn caller(&self) -> (Caller, Circumstances) {
        let caller = Caller {
            kind: match self.run.actor_kind {
                SyncActor::User => CallerKind::User,
                SyncActor::Client => CallerKind::Client,
            },
            id: Some(self.run.actor_id),
            organization: Some(self.run.organization_id),
            session: self.run.session_id,
        };
        // The history names the run as the request.
        (
            caller,
            Circumstances {
                request: Some(self.run.id.0),
                ..Circumstances::default()
            },
        )
    }

    /// Writes rows; the log gets those that were not written.
    async fn write(&mut self, tx: &Tx<'_, ()>, rows: Vec<Row>) -> Result<Vec<SyncRow>> {
        let (mut items, mut lines, mut log) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let is_first = self.name(&row);
            self.run.line = row.line;
            match row.item {
                Ok(item) if is_first => {
                    lines.push(row.line);
                    items.push(item);
                }
                Ok(item) => {
                    let sent = serde_json::to_value(&item).map_err(Error::internal)?;
                    let twice = Error::Conflict("twice_in_batch".to_owned());
                    log.extend(self.log(row.line, Some(&item), sent, Err(twice))?);
                }
                Err(error) => log.extend(self.log(row.line, None, row.text, Err(error))?),
            }
        }
        let results = batch::run(tx, &items).await?;
        for ((line, item), result) in lines.into_iter().zip(&items).zip(results) {
            let sent = serde_json::to_value(item).map_err(Error::internal)?;
            log.extend(self.log(line, Some(item), sent, result)?);
        }
        log.sort_by_key(|row: &SyncRow| row.line);
        Ok(log)
    }

    fn log(
        &mut self,
        line: i64,
        item: Option<&BatchItem>,
        sent: Value,
        result: Result<batch::Settled>,
    ) -> Result<Option<SyncRow>> {
        let result = ItemResult::of((0, result));
        *batch::number(&mut self.run.counts, result.outcome) += 1;
        sync_log::row(
            self.run.organization_id,
            self.run.id,
            line,
            item.map(|i| i.entity),
            sent,
            &result,
        )
    }

    /// Each chunk is a transaction, with the progress in it: after a break the next worker begins behind the last one that
    /// was committed.
    async fn by_chunks(&mut self, file: &mut File<'_>) -> Result<()> {
        loop {
            let rows = file.next().await?;
            let (caller, circumstances) = self.caller();
            let (app, worker) = (self.app, self.worker);
            app.acting(&caller, &circumstances, async |tx| {
                // The run is locked first: whoever lost it writes nothing.
                self.run.advance(tx.db, worker).await?;
                let log = self.write(tx, rows).await?;
                SyncRow::create(tx.db, &log).await?;
                self.run.position = file.position;
                self.run.committed = true;
                if file.is_at_end() {
                    self.end(tx, file.import).await?;
                }
                Ok(self.run.advance(tx.db, worker).await?)
            })
            .await?;
            if self.run.state == SyncState::Done {
                return Ok(());
            }
        }
    }

    /// All rows in one transaction: written all or not at all, or only tried.
    async fn at_once(&mut self, file: &mut File<'_>) -> Result<()> {
        let (caller, circumstances) = self.caller();
        let (app, worker) = (self.app, self.worker);
        app.acting(&caller, &circumstances, async |tx| {
            statement(tx.db, "savepoint batch").await?;
            let mut log = Vec::new();
            let mut count = 0;
            while !file.is_at_end() {
                let rows = file.next().await?;
                count += i64::try_from(rows.len()).unwrap_or(i64::MAX);
                if count > ONE_TRANSACTION {
                    return Err(Error::Conflict("imports_rows".to_owned()));
                }
                log.extend(self.write(tx, rows).await?);
                // On another connection, for people to see and for other workers to know.
                let progress = SyncRun {
                    position: 0,
                    ..self.run.clone()
                };
                app.authenticator(async |db| Ok(progress.advance(db, worker).await?))
                    .await?;
            }
            let whole = self.run.counts.conflict == 0 && self.run.counts.error == 0;
            self.run.committed = !self.run.dry_run && (whole || self.run.mode == SyncMode::PerRow);
            self.end(tx, file.import).await?;
            if !self.run.committed {
                statement(tx.db, "rollback to savepoint batch").await?;
            }
            SyncRow::create(tx.db, &log).await?;
            Ok(self.run.advance(tx.db, worker).await?)
        })
        .await
    }

    /// The last of a run: what a full list does not name is proposed for deletion, unless a row could not be read, which
    /// may have named it.
    async fn end(&mut self, tx: &Tx<'_, ()>, import: &Import) -> Result<()> {
        self.run.state = SyncState::Done;
        self.run.ended_at = Some(Utc::now());
        if !import.fields.full_list || self.unreadable || (self.run.mode == SyncMode::Atomic && !self.run.committed) {
            return Ok(());
        }
        let mut absent = Vec::new();
        for name in names(tx.plain(), &import.fields).await? {
            let fields = name.fields;
            let key = format!(
                "{}\n{}\n{}",
                fields.entity.as_str(),
                fields.source.0,
                fields.external_id.0
            );
            if self.named.contains(&key) || self.named.contains(&fields.record_id.to_string()) {
                continue;
            }
            absent.push(SyncRow {
                id: SyncRowId::new(),
                version: 1,
                organization_id: self.run.organization_id,
                run_id: self.run.id,
                line: 0,
                outcome: SyncOutcome::Absent,
                entity: Some(fields.entity),
                record_id: Some(fields.record_id),
                item: json!({ "entity": fields.entity, "operation": "delete", "source": fields.source, "external_id": fields.external_id }),
                problem: None,
                base: None,
                settled_at: None,
                settled_by: None,
                settled_by_name: None,
                settlement: None,
            });
        }
        self.run.absent = i64::try_from(absent.len()).unwrap_or(i64::MAX);
        // What a dry run finds out is counted; its rows go with its savepoint.
        Ok(SyncRow::create(tx.db, &absent).await?)
    }
}
