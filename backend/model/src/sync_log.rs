//! The sync log: what batches and imports did, and the rows that a person has to look at.

use crate::history::Entity;
use crate::schema::{imports, sync_rows, sync_runs};
use crate::text::text_enum;
use crate::{Db, ImportId, OrganizationId, Result, SyncRowId, SyncRunId};
use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

text_enum! {
    /// What happens to the others when a row cannot be written.
    SyncMode {
        /// Nothing is written unless everything can be.
        Atomic = "atomic",
        /// Each row for itself.
        PerRow = "per_row",
    }
    /// What a run was.
    SyncKind {
        /// One request to `/batch`.
        Batch = "batch",
        /// A file.
        Import = "import",
        /// What a full list did not name any more.
        Deletions = "deletions",
    }
    /// Who started a run.
    SyncActor {
        /// A person.
        User = "user",
        /// A system.
        Client = "client",
    }
    /// How far a run is.
    SyncState {
        Waiting = "waiting",
        Running = "running",
        /// At its end; see the counts.
        Done = "done",
        /// It could not go on; see `problem`.
        Failed = "failed",
        Cancelled = "cancelled",
    }
    /// Why a row is in the log.
    SyncOutcome {
        /// Somebody else has changed the record: a person decides.
        Conflict = "conflict",
        /// It could not be written.
        Error = "error",
        /// The full list does not name this record any more: it is proposed for deletion.
        Absent = "absent",
    }
    /// How a person settled a row.
    Settlement {
        /// What is there stays.
        Theirs = "theirs",
        /// What was sent was written.
        Mine = "mine",
    }
}

impl SyncMode {
    /// What an import does that does not say.
    pub const fn per_row() -> Self {
        Self::PerRow
    }

    /// What a batch does that does not say.
    pub const fn atomic() -> Self {
        Self::Atomic
    }
}

/// Numbers of rows by outcome.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = sync_runs)]
pub struct SyncCounts {
    /// New records.
    pub created: i64,
    /// Changed records.
    pub updated: i64,
    /// Rows that were so already.
    pub unchanged: i64,
    /// Deleted records.
    pub deleted: i64,
    /// Rows that a person decides.
    pub conflict: i64,
    /// Rows that cannot be written.
    pub error: i64,
}

/// One run: a batch, an import of a file, or the deletions after one.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = sync_runs)]
pub struct SyncRun {
    pub id: SyncRunId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation for which it was.
    pub organization_id: OrganizationId,
    /// The person or system that started it.
    pub actor_id: Uuid,
    /// Which of the two it is.
    pub actor_kind: SyncActor,
    /// Its name at that time.
    pub actor_name: Option<String>,
    pub kind: SyncKind,
    /// The import, while it is kept.
    pub import_id: Option<ImportId>,
    /// Name of the file.
    pub file_name: Option<String>,
    /// The other system.
    pub source: Option<String>,
    pub mode: SyncMode,
    /// Only tried.
    pub dry_run: bool,
    pub state: SyncState,
    /// Was anything written?
    pub committed: bool,
    /// When it was begun.
    pub begun_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Last line that was done.
    pub line: i64,
    /// Why it failed: a problem as operations answer it.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
    /// Numbers of rows by outcome.
    #[diesel(embed)]
    pub counts: SyncCounts,
    /// Records that a full list does not name: proposed for deletion.
    pub absent: i64,
    #[serde(skip)]
    pub session_id: Option<Uuid>,
    #[serde(skip)]
    pub position: i64,
}

/// A run that begins.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = sync_runs)]
pub struct NewRun {
    pub id: SyncRunId,
    pub organization_id: OrganizationId,
    pub actor_id: Uuid,
    pub actor_name: Option<String>,
    pub actor_kind: SyncActor,
    pub session_id: Option<Uuid>,
    pub kind: SyncKind,
    pub import_id: Option<ImportId>,
    pub file_name: Option<String>,
    pub source: Option<String>,
    pub mode: SyncMode,
    pub dry_run: bool,
    pub state: SyncState,
    pub committed: bool,
    pub ended_at: Option<DateTime<Utc>>,
    #[diesel(embed)]
    pub counts: SyncCounts,
}

/// A row that could not be written, or that a person decides.
#[derive(Clone, Debug, HasQuery, Identifiable, Insertable, Serialize, ToSchema)]
#[diesel(table_name = sync_rows, treat_none_as_default_value = false)]
pub struct SyncRow {
    pub id: SyncRowId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation for which it was.
    pub organization_id: OrganizationId,
    /// The run.
    pub run_id: SyncRunId,
    /// Its place: line of the file, or place in the batch from 1.
    pub line: i64,
    pub outcome: SyncOutcome,
    /// Kind of record, where it could be read.
    pub entity: Option<Entity>,
    /// The record, where there is one.
    pub record_id: Option<Uuid>,
    /// The row as it was sent, as an item of a batch; the text of a line that could not be read.
    #[schema(value_type = Value)]
    pub item: Value,
    /// Why not; of a conflict, `current` is what is there.
    #[schema(value_type = Option<Object>)]
    pub problem: Option<Value>,
    /// Of a conflict: what the sender wrote last.
    #[schema(value_type = Option<Object>)]
    pub base: Option<Value>,
    /// When a person settled it.
    pub settled_at: Option<DateTime<Utc>>,
    /// Who.
    pub settled_by: Option<Uuid>,
    /// The person's name at that time.
    pub settled_by_name: Option<String>,
    /// How.
    pub settlement: Option<Settlement>,
}

/// Which runs.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Row-level security asks for it, too; here an index answers.
    pub organization_id: Option<OrganizationId>,
    pub actor_id: Option<Uuid>,
    pub actor_kind: Option<SyncActor>,
    pub kind: Option<SyncKind>,
    pub import_id: Option<ImportId>,
    pub state: Option<SyncState>,
    pub dry_run: Option<bool>,
    pub with_errors: bool,
    pub open: bool,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub after: Option<SyncRunId>,
    pub limit: i64,
}

/// A run that a worker has taken up, with what only the worker needs.
pub type Taken = (SyncRun, crate::import::Import);

impl NewRun {
    /// Writes the beginning, or all, of a run. Nothing is returned: not everybody who may write sees the log.
    pub async fn create(&self, mut db: Db<'_>) -> Result<()> {
        diesel::insert_into(sync_runs::table)
            .values(self)
            .execute(&mut db)
            .await
            .map(|_| ())
    }
}

impl SyncRun {
    /// The name of the resource.
    pub const ENTITY: &'static str = "sync_runs";

    pub async fn find(mut db: Db<'_>, id: SyncRunId) -> Result<Self> {
        Self::query().find(id).first(&mut db).await
    }

    /// Newest first.
    pub async fn list(mut db: Db<'_>, filter: RunFilter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(organization) = filter.organization_id {
            query = query.filter(sync_runs::organization_id.eq(organization));
        }
        if let Some(actor) = filter.actor_id {
            query = query.filter(sync_runs::actor_id.eq(actor));
        }
        if let Some(kind) = filter.actor_kind {
            query = query.filter(sync_runs::actor_kind.eq(kind));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(sync_runs::kind.eq(kind));
        }
        if let Some(import) = filter.import_id {
            query = query.filter(sync_runs::import_id.eq(import));
        }
        if let Some(state) = filter.state {
            query = query.filter(sync_runs::state.eq(state));
        }
        if let Some(dry_run) = filter.dry_run {
            query = query.filter(sync_runs::dry_run.eq(dry_run));
        }
        if filter.with_errors {
            query = query.filter(sync_runs::error.gt(0).or(sync_runs::state.eq(SyncState::Failed)));
        }
        if filter.open {
            let open = sync_rows::table
                .filter(sync_rows::outcome.eq(SyncOutcome::Conflict))
                .filter(sync_rows::settled_at.is_null())
                .select(sync_rows::run_id);
            query = query.filter(sync_runs::id.eq_any(open).and(not(sync_runs::dry_run)));
        }
        if let Some(from) = filter.from {
            query = query.filter(sync_runs::begun_at.ge(from));
        }
        if let Some(to) = filter.to {
            query = query.filter(sync_runs::begun_at.le(to));
        }
        if let Some(after) = filter.after {
            query = query.filter(sync_runs::id.lt(after));
        }
        query
            .order(sync_runs::id.desc())
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Takes up the oldest run that waits, or whose worker has not been heard of.
    pub async fn take(mut db: Db<'_>, worker: Uuid) -> Result<Option<Taken>> {
        let open = sync_runs::table
            .filter(
                sync_runs::state.eq(SyncState::Waiting).or(sync_runs::state
                    .eq(SyncState::Running)
                    .and(sync_runs::lease_until.lt(Utc::now()))),
            )
            .order(sync_runs::id)
            .limit(1)
            .select(sync_runs::id)
            .for_update()
            .skip_locked()
            .first::<SyncRunId>(&mut db)
            .await
            .optional()?;
        let Some(id) = open else {
            return Ok(None);
        };
        let run = diesel::update(sync_runs::table.find(id))
            .set((
                sync_runs::state.eq(SyncState::Running),
                sync_runs::worker.eq(worker),
                sync_runs::lease_until.eq(lease()),
                sync_runs::version.eq(sync_runs::version + 1),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await?;
        let import = imports::table
            .filter(imports::id.nullable().eq(run.import_id))
            .select(crate::import::Import::as_select())
            .first(&mut db)
            .await?;
        Ok(Some((run, import)))
    }

    /// Writes how far the run has come, if it is still this worker's: "not found" otherwise.
    pub async fn advance(&self, mut db: Db<'_>, worker: Uuid) -> Result<()> {
        let done = diesel::update(sync_runs::table.find(self.id))
            .filter(
                sync_runs::worker
                    .eq(worker)
                    .and(sync_runs::state.eq(SyncState::Running)),
            )
            .set((
                sync_runs::state.eq(self.state),
                sync_runs::committed.eq(self.committed),
                sync_runs::ended_at.eq(self.ended_at),
                sync_runs::line.eq(self.line),
                sync_runs::position.eq(self.position),
                sync_runs::problem.eq(&self.problem),
                self.counts,
                sync_runs::absent.eq(self.absent),
                sync_runs::lease_until.eq(lease()),
                sync_runs::version.eq(sync_runs::version + 1),
            ))
            .execute(&mut db)
            .await?;
        if done == 1 { Ok(()) } else { Err(crate::Error::NotFound) }
    }

    /// Ends a run that waits or runs; its worker notices before its next transaction ends.
    pub async fn cancel(&self, mut db: Db<'_>) -> Result<Self> {
        diesel::update(sync_runs::table.find(self.id))
            .filter(sync_runs::state.eq_any([SyncState::Waiting, SyncState::Running]))
            .set((
                sync_runs::state.eq(SyncState::Cancelled),
                sync_runs::ended_at.eq(Utc::now()),
                sync_runs::version.eq(sync_runs::version + 1),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

/// Until when a worker need not be heard of.
fn lease() -> DateTime<Utc> {
    Utc::now() + chrono::TimeDelta::seconds(30)
}

impl SyncRow {
    /// The name of the resource.
    pub const ENTITY: &'static str = "sync_rows";

    pub async fn find(mut db: Db<'_>, id: SyncRowId) -> Result<Self> {
        Self::query().find(id).first(&mut db).await
    }

    /// Nothing is returned: not everybody who may write sees the log.
    pub async fn create(mut db: Db<'_>, rows: &[Self]) -> Result<()> {
        // PostgreSQL takes 65,535 parameters a statement.
        for rows in rows.chunks(2000) {
            diesel::insert_into(sync_rows::table)
                .values(rows)
                .execute(&mut db)
                .await?;
        }
        Ok(())
    }

    /// Rows of a run, in the order of the file.
    pub async fn of_run(
        mut db: Db<'_>,
        run: SyncRunId,
        outcome: Option<SyncOutcome>,
        open: bool,
        after: Option<(i64, SyncRowId)>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().filter(sync_rows::run_id.eq(run)).into_boxed();
        if let Some(outcome) = outcome {
            query = query.filter(sync_rows::outcome.eq(outcome));
        }
        if open {
            query = query.filter(sync_rows::settled_at.is_null());
        }
        if let Some((line, id)) = after {
            query = query.filter(
                sync_rows::line
                    .gt(line)
                    .or(sync_rows::line.eq(line).and(sync_rows::id.gt(id))),
            );
        }
        query
            .order((sync_rows::line, sync_rows::id))
            .limit(limit)
            .load(&mut db)
            .await
    }

    /// "Not found", if somebody has settled it since.
    pub async fn settle(&self, mut db: Db<'_>, how: Settlement, by: Uuid, name: Option<&str>) -> Result<Self> {
        diesel::update(sync_rows::table.find(self.id))
            .filter(sync_rows::settled_at.is_null())
            .set((
                sync_rows::settled_at.eq(Utc::now()),
                sync_rows::settled_by.eq(by),
                sync_rows::settled_by_name.eq(name),
                sync_rows::settlement.eq(how),
                sync_rows::version.eq(sync_rows::version + 1),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

/// Deletes what is older than promised: runs after 400 days, files after 30.
pub async fn prune(mut db: Db<'_>) -> Result<usize> {
    let now = Utc::now();
    let files = diesel::delete(
        imports::table
            .filter(imports::created_at.lt(now - chrono::TimeDelta::days(30)))
            .filter(not(imports::id.nullable().eq_any(
                sync_runs::table
                    .filter(sync_runs::state.eq_any([SyncState::Waiting, SyncState::Running]))
                    .select(sync_runs::import_id),
            ))),
    )
    .execute(&mut db)
    .await?;
    let runs = diesel::delete(sync_runs::table.filter(sync_runs::begun_at.lt(now - chrono::TimeDelta::days(400))))
        .execute(&mut db)
        .await?;
    Ok(files + runs)
}
