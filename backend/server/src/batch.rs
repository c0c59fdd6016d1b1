//! Many writes in one request: how systems push what they have.

use crate::access::{Access, ForKind, Record, SignedIn, Tx, for_kind};
use crate::error::{Error, Newer, Problem, Result};
use crate::http::{Committed, Done, Json, valid};
use crate::policy::Action;
use crate::sync_log;
use actix_web::post;
use model::external_id::{ExternalId, ExternalIdFields};
use model::history::{Entity, RecordVersion};
use model::record::Kept;
use model::sync_log::{NewRun, SyncCounts, SyncKind, SyncMode};
use model::text::Name;
use model::{Db, statement};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

/// Largest body of a batch, in bytes.
const BATCH_LIMIT: usize = 5 << 20;

/// Accounts are made one by one; ids of other systems are named with the records.
const NOT_IN_BATCHES: [Entity; 7] = [
    Entity::Users,
    Entity::UserRoles,
    Entity::Grants,
    Entity::Clients,
    Entity::ClientSecrets,
    Entity::Webhooks,
    Entity::ExternalIds,
];

/// Can records of this kind be written in batches?
pub(crate) fn takes(entity: Entity) -> bool {
    !NOT_IN_BATCHES.contains(&entity)
}

/// The kinds that can be written by other systems' ids, as in their addresses.
pub(crate) fn resources() -> Vec<String> {
    let kinds = Entity::ALL.iter().filter(|entity| takes(**entity));
    kinds.map(|entity| entity.as_str().replace('_', "-")).collect()
}

/// The kind that an address names.
pub(crate) fn kind(resource: &str) -> Result<Entity> {
    let kinds = Entity::ALL.iter().copied().filter(|entity| takes(*entity));
    let mut named = kinds.filter(|entity| entity.as_str().replace('_', "-") == resource);
    named.next().ok_or(Error::NotFound)
}

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(write_batch);
}

/// What is wanted of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BatchOperation {
    /// Create it, or make it what `record` says.
    #[default]
    Upsert,
    /// Delete it.
    Delete,
}

/// Up to 1,000 writes, in the order in which they depend on each other.
#[derive(Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// What happens to the others when an item cannot be written.
    #[serde(default = "SyncMode::atomic")]
    mode: SyncMode,
    /// Say what would happen, and do nothing.
    #[serde(default)]
    dry_run: bool,
    /// The writes. What refers to another one comes after it.
    #[validate(nested, length(min = 1, max = 1000))]
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<BatchItem>,
}

/// One write.
#[derive(Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchItem {
    /// Kind of record; not accounts.
    pub(crate) entity: Entity,
    /// What is wanted.
    #[serde(default)]
    pub(crate) operation: BatchOperation,
    /// The record's id. Without it and without `external_id`, a new record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    /// The other system, with `external_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(example = "kintone")]
    pub(crate) source: Option<Name>,
    /// The record's id in the other system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(example = "K-2024-0017")]
    pub(crate) external_id: Option<Name>,
    /// The version that was read; another one is a conflict. Without it, what somebody else has changed since the
    /// caller's own last write is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    #[validate(range(min = 1))]
    pub(crate) if_version: Option<i64>,
    /// For an upsert: everything that can be written of the record, as in `POST`. In place of an id it can name a record
    /// by `{"source": …, "external_id": …}`, with `entity` where the name of the field does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) record: Option<Map<String, Value>>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Created,
    Updated,
    /// It was like that already; no version was made.
    Unchanged,
    Deleted,
    /// Somebody else has changed it: a person decides.
    Conflict,
    /// It cannot be written; see `problem`.
    Error,
}

/// What became of an item.
#[derive(Serialize, ToSchema)]
pub(crate) struct ItemResult {
    /// Its place in the request, from 0.
    index: usize,
    pub(crate) outcome: Outcome,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<Uuid>,
    /// Its version after that.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// Why not; paths of fields begin in `record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
    /// Of a conflict: what the caller wrote last, to compare what both have changed since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) base: Option<Value>,
}

/// What became of a batch.
#[derive(Serialize, ToSchema)]
struct BatchResult {
    /// Was anything written? Not in a dry run, and not when an item of an atomic batch failed.
    committed: bool,
    /// Numbers of items by outcome.
    counts: SyncCounts,
    /// In the order of the request.
    items: Vec<ItemResult>,
}

/// Write many records at once: create, change and delete, of mixed kinds, by our ids or those of another system.
///
/// An item that names nothing new is `unchanged`; one that somebody else has changed since is a `conflict` and nothing is
/// overwritten; nothing is touched that no item names. Answers 200 with the outcome of each item even if none could be
/// written: see `committed`. `dry_run` finds out the same and leaves no trace.
#[utoipa::path(request_body = Batch)]
#[post("/batch")]
async fn write_batch(access: Access<SignedIn>, body: Json<Batch, BATCH_LIMIT>) -> Result<Committed<Done<BatchResult>>> {
    access
        .write(body.bytes(), async |tx| {
            let batch = tx.valid(&body)?;
            statement(tx.db, "savepoint batch").await?;
            let results = run(tx, &batch.items).await?;
            let items: Vec<ItemResult> = results.into_iter().enumerate().map(ItemResult::of).collect();
            let counts = count(&items);
            let whole = counts.conflict == 0 && counts.error == 0;
            let committed = !batch.dry_run && (whole || batch.mode == SyncMode::PerRow);
            if !committed {
                statement(tx.db, "rollback to savepoint batch").await?;
            }
            let run = NewRun {
                mode: batch.mode,
                dry_run: batch.dry_run,
                source: batch
                    .items
                    .iter()
                    .find_map(|item| item.source.as_ref())
                    .map(|s| s.0.clone()),
                committed,
                counts,
                ..sync_log::begin(tx, SyncKind::Batch)?
            };
            sync_log::keep(tx.db, &run, batch.items.iter().zip(&items)).await?;
            Ok(Done(BatchResult {
                committed,
                counts,
                items,
            }))
        })
        .await
}

impl ItemResult {
    pub(crate) fn of((index, result): (usize, Result<Settled>)) -> Self {
        let (outcome, id, version, base, problem) = match result {
            Err(error) => (Outcome::Error, None, None, None, Some(error.problem())),
            Ok(settled) => {
                let problem = settled.newer.map(|newer| {
                    let mut problem = Error::Conflict("changed_by_others".to_owned()).problem();
                    problem.current = Some(newer.current);
                    (problem.changed_by, problem.changed_at) = (newer.changed_by, newer.changed_at);
                    problem
                });
                (settled.outcome, settled.id, settled.version, settled.base, problem)
            }
        };
        Self {
            index,
            outcome,
            id,
            version,
            problem,
            base,
        }
    }
}

/// How many of each outcome.
pub(crate) fn count<'a>(results: impl IntoIterator<Item = &'a ItemResult>) -> SyncCounts {
    let mut counts = SyncCounts::default();
    for result in results {
        *number(&mut counts, result.outcome) += 1;
    }
    counts
}

/// The number of this outcome.
pub(crate) fn number(counts: &mut SyncCounts, of: Outcome) -> &mut i64 {
    match of {
        Outcome::Created => &mut counts.created,
        Outcome::Updated => &mut counts.updated,
        Outcome::Unchanged => &mut counts.unchanged,
        Outcome::Deleted => &mut counts.deleted,
        Outcome::Conflict => &mut counts.conflict,
        Outcome::Error => &mut counts.error,
    }
}

/// What another system calls a record.
type Name3 = (Entity, String, String);

/// A batch while it is being written.
struct Run<'a> {
    tx: &'a Tx<'a, ()>,
    items: &'a [BatchItem],
    /// The caller's ids of other systems that the batch names.
    known: HashMap<Name3, ExternalId>,
    results: Vec<Option<Result<Settled>>>,
}

/// Writes these items, each in a savepoint of its own. What cannot be written says why; an error of the whole is one of
/// the service.
pub(crate) async fn run(tx: &Tx<'_, ()>, items: &[BatchItem]) -> Result<Vec<Result<Settled>>> {
    let mut names: Vec<&str> = items.iter().filter_map(|i| i.external_id.as_deref()).collect();
    names.extend(
        items
            .iter()
            .filter_map(|i| i.record.as_ref())
            .flat_map(references)
            .map(|r| r.external_id),
    );
    let sources: BTreeSet<&str> = items.iter().filter_map(|i| i.source.as_deref()).collect();
    // What one of them creates, the next one finds.
    in_turn(ExternalId::take_turns(tx.db, sources).await)?;
    let known = ExternalId::named(tx.db, &names).await?;
    let known = known.into_iter().map(|e| {
        (
            (
                e.fields.entity,
                e.fields.source.0.clone(),
                e.fields.external_id.0.clone(),
            ),
            e,
        )
    });
    let mut run = Run {
        tx,
        items,
        known: known.collect(),
        results: items.iter().map(|_| None).collect(),
    };
    run.refuse_what_makes_no_sense();
    run.hold().await?;
    let mut begin = 0;
    for same in items.chunk_by(|a, b| a.entity == b.entity) {
        let range = begin..begin + same.len();
        begin = range.end;
        for_kind(same[0].entity, Write { run: &mut run, range }).await?;
    }
    Ok(run.results.into_iter().flatten().collect())
}

/// Writes one item, for who asks for one record: what he has not seen is stale (412). Which body the kind wants, the
/// schema of such an operation does not say, so a wrong field is a contradiction (409).
pub(crate) async fn run_one(tx: &Tx<'_, ()>, item: BatchItem) -> Result<Settled> {
    match run(tx, &[item]).await?.pop() {
        Some(Ok(Settled { newer: Some(newer), .. })) => Err(Error::Stale(Box::new(newer))),
        Some(Err(Error::Invalid(errors))) => Err(Error::Contradiction(errors)),
        Some(result) => result,
        None => Err(Error::internal("an item without an outcome")),
    }
}

impl<'a> Run<'a> {
    fn refuse_what_makes_no_sense(&mut self) {
        let mut seen = HashSet::new();
        for (index, item) in self.items.iter().enumerate() {
            let error = if !takes(item.entity) {
                Some(Error::Conflict("not_in_batches".to_owned()))
            } else if item.source.is_some() != item.external_id.is_some()
                || (item.id.is_some() && item.source.is_some() && !self.same(item))
            {
                Some(Error::Conflict("one_way_to_name".to_owned()))
            } else if (item.operation == BatchOperation::Upsert) != item.record.is_some() {
                Some(Error::Conflict("record_of_upserts".to_owned()))
            } else if !self.key(index).is_none_or(|key| seen.insert(key)) {
                Some(Error::Conflict("twice_in_batch".to_owned()))
            } else {
                None
            };
            if let Some(error) = error {
                self.results[index] = Some(Err(error));
            }
        }
    }

    /// Do both ids of an item name one record?
    fn same(&self, item: &BatchItem) -> bool {
        let known = item.name().and_then(|name| self.known.get(&name));
        known.is_some_and(|known| Some(known.fields.record_id) == item.id)
    }

    /// What makes two items the same: the record, by whatever name, or the name of a new one.
    fn key(&self, index: usize) -> Option<(Entity, Result<Uuid, Name3>)> {
        let target = self.target(index).map(Ok);
        let key = target.or_else(|| self.items[index].name().map(Err))?;
        Some((self.items[index].entity, key))
    }

    /// Items of one kind, in their order. New records that follow each other are written in one statement.
    async fn write<R: Record + Kept>(&mut self, range: Range<usize>) -> Result<()> {
        let ids: Vec<Uuid> = range.clone().filter_map(|index| self.target(index)).collect();
        let there = R::find_many(self.tx.db, &ids).await?;
        let there: HashMap<Uuid, R> = there.into_iter().map(|record| (record.id(), record)).collect();
        let mut new: Vec<(usize, R::Fields)> = Vec::new();
        for index in range {
            if self.results[index].is_some() {
                continue;
            }
            let is_new = self.items[index].operation == BatchOperation::Upsert && self.target(index).is_none();
            let mut fields = self.fields::<R>(index);
            if !is_new || matches!(fields, Err(Error::Conflict(_))) {
                // It may refer to one of those that are not written yet, or its outcome depend on them.
                self.create::<R>(std::mem::take(&mut new)).await?;
                fields = self.fields::<R>(index);
            }
            match fields {
                Ok(Some(fields)) if is_new => new.push((index, fields)),
                Ok(fields) => {
                    let record = self.target(index).and_then(|id| there.get(&id));
                    let outcome = self.change(index, record, fields).await;
                    self.settle(index, outcome)?;
                }
                Err(error) => self.settle(index, Err(error))?,
            }
        }
        self.create::<R>(new).await
    }

    /// Keeps others from changing what is read below until it is written. The same order for all, so that two who want
    /// the same records do not wait for each other.
    async fn hold(&self) -> Result<()> {
        let mut wanted: BTreeMap<&str, (Entity, Vec<Uuid>)> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            if let (Some(id), None) = (self.target(index), &self.results[index]) {
                let (_, ids) = wanted
                    .entry(item.entity.as_str())
                    .or_insert_with(|| (item.entity, Vec::new()));
                ids.push(id);
            }
        }
        for (entity, ids) in wanted.into_values() {
            for_kind(entity, Hold(self.tx.db, &ids)).await?;
        }
        Ok(())
    }

    /// The record that an item names, if there is one.
    fn target(&self, index: usize) -> Option<Uuid> {
        let item = &self.items[index];
        item.id
            .or_else(|| self.known.get(&item.name()?).map(|e| e.fields.record_id))
    }

    /// What an item wants the record to be; nothing for a deletion.
    fn fields<R: Kept>(&self, index: usize) -> Result<Option<R::Fields>> {
        let item = &self.items[index];
        let Some(mut record) = item.record.clone() else {
            return Ok(None);
        };
        for (name, value) in &mut record {
            if let Some(reference) = Reference::read(name, value, item.entity) {
                let id = self.known.get(&reference.name()).map(|e| e.fields.record_id);
                let id = id.ok_or_else(|| Error::Conflict("unknown_external_id".to_owned()))?;
                *value = Value::String(id.to_string());
            }
        }
        valid(Value::Object(record)).map(Some)
    }

    /// New records, in one statement; where the database refuses it, one by one.
    async fn create<R: Record + Kept>(&mut self, new: Vec<(usize, R::Fields)>) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        if self.tx.may_create::<R>().is_err() {
            return new.iter().try_for_each(|(index, _)| {
                let refused = self.tx.may_create::<R>().and(Err(Error::Forbidden));
                self.settle(*index, refused)
            });
        }
        let db = self.tx.db;
        let indices: Vec<usize> = new.iter().map(|(index, _)| *index).collect();
        let fields: Vec<R::Fields> = new.into_iter().map(|(_, fields)| fields).collect();
        match guarded(db, self.insert::<R>(&indices, fields.clone())).await {
            Ok(made) => self.created(&indices, made),
            Err(_) if indices.len() > 1 => {
                for (index, fields) in indices.into_iter().zip(fields) {
                    match guarded(db, self.insert::<R>(&[index], vec![fields])).await {
                        Ok(made) => self.created(&[index], made),
                        Err(error) => self.settle(index, Err(error))?,
                    }
                }
            }
            Err(error) => self.settle(indices[0], Err(error))?,
        }
        Ok(())
    }

    async fn insert<R: Record + Kept>(
        &self,
        indices: &[usize],
        fields: Vec<R::Fields>,
    ) -> Result<Vec<(R, Option<ExternalId>)>> {
        let records = R::create_many(self.tx.db, fields).await?;
        let names = indices
            .iter()
            .zip(&records)
            .filter_map(|(index, record)| self.items[*index].called(record.id()));
        let names: Vec<ExternalIdFields> = names.collect();
        let mut named = if names.is_empty() {
            Vec::new()
        } else {
            ExternalId::create_many(self.tx.db, names).await?
        }
        .into_iter();
        let has_name = indices.iter().map(|index| self.items[*index].source.is_some());
        Ok(records
            .into_iter()
            .zip(has_name)
            .map(|(r, has)| (r, if has { named.next() } else { None }))
            .collect())
    }

    fn created<R: Record>(&mut self, indices: &[usize], made: Vec<(R, Option<ExternalId>)>) {
        for (index, (record, name)) in indices.iter().zip(made) {
            if let Some((key, name)) = self.items[*index].name().zip(name) {
                self.known.insert(key, name);
            }
            self.results[*index] = Some(Ok(Settled::done(Outcome::Created, Some(&record))));
        }
    }

    /// Changes or deletes a record that is there.
    async fn change<R: Record + Kept>(
        &self,
        index: usize,
        record: Option<&R>,
        fields: Option<R::Fields>,
    ) -> Result<Settled> {
        let item = &self.items[index];
        let Some(record) = record else {
            return match item.operation {
                // Deleted already: what was wanted is so.
                BatchOperation::Delete if item.id.is_none() => Ok(Settled::done::<R>(Outcome::Unchanged, None)),
                _ => Err(Error::NotFound),
            };
        };
        if fields.as_ref().is_some_and(|fields| record.is(fields)) {
            return Ok(Settled::done(Outcome::Unchanged, Some(record)));
        }
        let action = if fields.is_some() {
            Action::Update
        } else {
            Action::Delete
        };
        self.tx.may(record.clone(), action).await?;
        if let Some(conflict) = self.conflict(item, record).await? {
            return Ok(conflict);
        }
        let db = self.tx.db;
        let name = item.name().and_then(|name| self.known.get(&name)).cloned();
        let Some(fields) = fields else {
            if R::APPEND_ONLY {
                return Err(Error::Conflict("append_only".to_owned()));
            }
            let deleting = async {
                record.remove(db).await?;
                match &name {
                    Some(name) => Ok(name.delete(db).await?),
                    None => Ok(()),
                }
            };
            guarded(db, deleting).await?;
            return Ok(Settled::done(Outcome::Deleted, Some(record)));
        };
        let replacing = async {
            let changed = record.replace(db, fields).await?;
            if let Some(name) = name.filter(|_| changed.id() != record.id()) {
                // A revision: from now on the other system's id is that of the newest.
                let mut moved = name.fields.clone();
                moved.record_id = changed.id();
                name.update(db, moved).await?;
            }
            Ok(changed)
        };
        let changed = guarded(db, replacing).await?;
        Ok(Settled::done(Outcome::Updated, Some(&changed)))
    }

    /// Has somebody else changed the record since the caller has seen it?
    async fn conflict<R: Record>(&self, item: &BatchItem, record: &R) -> Result<Option<Settled>> {
        let me = self.tx.actor()?;
        let last = RecordVersion::last(self.tx.db, R::ENTITY, record.id()).await?;
        let fits = match item.if_version {
            Some(version) => version == record.version(),
            None => last.as_ref().is_some_and(|last| last.actor_id == Some(me)),
        };
        if fits {
            return Ok(None);
        }
        let base = RecordVersion::last_of(self.tx.db, R::ENTITY, record.id(), me).await?;
        Ok(Some(Settled {
            outcome: Outcome::Conflict,
            id: Some(record.id()),
            version: Some(record.version()),
            newer: Some(self.tx.newer(record).await?),
            base: base.map(|version| version.record),
        }))
    }

    fn settle(&mut self, index: usize, outcome: Result<Settled>) -> Result<()> {
        if let Err(error @ (Error::Internal(_) | Error::Unavailable(_) | Error::Unauthenticated)) = outcome {
            return Err(error);
        }
        self.results[index] = Some(outcome);
        Ok(())
    }
}

/// Records of one kind.
struct Hold<'a>(Db<'a>, &'a [Uuid]);

impl ForKind for Hold<'_> {
    type Out = ();
    async fn with<R: Record + Kept>(self) -> Result<()> {
        in_turn(R::hold_many(self.0, self.1).await)
    }
}

/// Others hold what is wanted for longer than we wait.
fn in_turn(waited: model::Result<()>) -> Result<()> {
    match waited.map_err(Error::from) {
        Err(Error::Conflict(_)) => Err(Error::Unavailable(2)),
        other => other,
    }
}

/// Items of one kind.
struct Write<'r, 'a> {
    run: &'r mut Run<'a>,
    range: Range<usize>,
}

impl ForKind for Write<'_, '_> {
    type Out = ();
    async fn with<R: Record + Kept>(self) -> Result<()> {
        self.run.write::<R>(self.range).await
    }
}

/// What became of an item that could be read.
pub(crate) struct Settled {
    pub(crate) outcome: Outcome,
    pub(crate) id: Option<Uuid>,
    version: Option<i64>,
    /// Of a conflict: the record as it is, and who made it so.
    pub(crate) newer: Option<Newer>,
    base: Option<Value>,
}

impl Settled {
    fn done<R: Record>(outcome: Outcome, record: Option<&R>) -> Self {
        Self {
            outcome,
            id: record.map(Record::id),
            version: record.map(Record::version),
            newer: None,
            base: None,
        }
    }
}

/// Does something in a savepoint: what the database refuses leaves nothing behind.
async fn guarded<T>(db: Db<'_>, work: impl Future<Output = Result<T>>) -> Result<T> {
    statement(db, "savepoint item").await?;
    let result = work.await;
    let end = if result.is_ok() {
        "release savepoint item"
    } else {
        "rollback to savepoint item"
    };
    statement(db, end).await?;
    result
}

impl BatchItem {
    fn name(&self) -> Option<Name3> {
        let (source, external_id) = self.source.as_ref().zip(self.external_id.as_ref())?;
        Some((self.entity, source.0.clone(), external_id.0.clone()))
    }

    fn called(&self, record_id: Uuid) -> Option<ExternalIdFields> {
        let (source, external_id) = self.source.clone().zip(self.external_id.clone())?;
        Some(ExternalIdFields {
            entity: self.entity,
            record_id,
            source,
            external_id,
        })
    }
}

/// A record named by another system's id, in place of ours.
struct Reference<'a> {
    entity: Option<Entity>,
    source: &'a str,
    external_id: &'a str,
}

impl<'a> Reference<'a> {
    /// `value` of the field `name` of a record of this kind.
    fn read(name: &str, value: &'a Value, of: Entity) -> Option<Self> {
        let members = value.as_object()?;
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let entity = match text("entity") {
            Some(entity) => entity.parse().ok(),
            None => kind_of(name, of),
        };
        (name.ends_with("_id") && members.len() == 2 + usize::from(members.contains_key("entity"))).then_some(())?;
        Some(Self {
            entity,
            source: text("source")?,
            external_id: text("external_id")?,
        })
    }

    fn name(&self) -> Name3 {
        // A kind that nothing can be: nothing is found.
        let entity = self.entity.unwrap_or(Entity::ExternalIds);
        (entity, self.source.to_owned(), self.external_id.to_owned())
    }
}

/// References of a record, whatever their kinds.
fn references(record: &Map<String, Value>) -> impl Iterator<Item = Reference<'_>> {
    let members = record.iter();
    members.filter_map(|(name, value)| Reference::read(name, value, Entity::ExternalIds))
}

/// What a field refers to, by its name.
fn kind_of(field: &str, of: Entity) -> Option<Entity> {
    match field {
        "parent_id" | "supersedes_id" | "predecessor_id" | "carried_over_from_id" => Some(of),
        "actor_id" => Some(Entity::PlanActors),
        "level_id" => Some(Entity::EvaluationLevels),
        "series_id" => Some(Entity::KpiSeries),
        "contractor_id" => Some(Entity::Organizations),
        _ => format!("{}s", field.strip_suffix("_id")?).parse().ok(),
    }
}
