//! The change feed: everything that a system must know to keep a copy of what it may see.

use crate::access::{Access, App, ForKind, ReadFeed, Record, Tx, for_kind};
use crate::error::{Error, Result, Resync};
use crate::http::{Cursor, Many, Plain, Query};
use actix_web::get;
use actix_web::web::Data;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use model::feed::{self, Change, Count, Stream};
use model::history::Entity;
use model::record::Kept;
use model::{Db, OrganizationId};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_changes)
        .service(read_latest_cursor)
        .service(list_change_counts);
}

/// Which changes.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ChangeQuery {
    /// `next` of the previous answer; without it, everything from the beginning: the first load.
    after: Option<Cursor>,
    /// Only these kinds of records: one parameter each, or one with commas.
    #[param(value_type = Option<Vec<Entity>>, style = Form, explode = true)]
    #[serde(default)]
    entity: Many<Entity>,
    /// Seconds to wait for a change when there is none yet.
    #[serde(default)]
    #[validate(range(max = 25))]
    #[param(maximum = 25, default = 0)]
    wait: u64,
    /// Changes of an answer.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 5000))]
    #[param(minimum = 1, maximum = 5000, default = 500)]
    limit: i32,
}

/// How long something is not noticed of which nobody in this process tells.
const LOOK: Duration = Duration::from_millis(500);

fn default_limit() -> i32 {
    500
}

/// What is to be done with the own copy.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChangeOperation {
    /// The record as it is now: keep it if its version is greater than that of the copy.
    Upsert,
    /// It was deleted, or is not the reader's to see any more: forget it.
    Gone,
}

/// One change.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeItem {
    /// Whose record it is; numbers are counted for each organisation.
    organization_id: OrganizationId,
    /// Its place in the order of that organisation's changes.
    #[schema(example = 1042)]
    seq: i64,
    operation: ChangeOperation,
    /// Kind of record.
    #[schema(value_type = Entity)]
    entity: String,
    /// The record. An id is that of one record of a kind.
    id: Uuid,
    /// Version of the record in `record`; of one that is gone, the version after that.
    #[schema(example = 3)]
    version: i64,
    /// When it happened.
    at: DateTime<Utc>,
    /// The reader has made this change.
    mine: bool,
    /// Why it was deleted, where a reason was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The record as `GET` by its id answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) record: Option<Box<RawValue>>,
}

/// The numbers that an answer covers: each one is that of an item, or skipped.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeRange {
    organization_id: OrganizationId,
    /// The first number; one more than the last one of the answer before.
    #[schema(example = 1040)]
    first: i64,
    /// The last number of the answer.
    #[schema(example = 1044)]
    last: i64,
    /// First and last of numbers without an item: of other kinds, not the reader's to see, or followed by a newer change.
    #[schema(example = json!([[1040, 1041], [1043, 1044]]))]
    skipped: Vec<[i64; 2]>,
}

/// Changes since a cursor.
#[derive(Serialize, ToSchema)]
pub(crate) struct Changes {
    /// Of each organisation in the order in which they were committed.
    pub(crate) items: Vec<ChangeItem>,
    /// Which numbers of which organisations this answer covers.
    pub(crate) ranges: Vec<ChangeRange>,
    /// `after` of the next request. It survives restarts and updates of the service.
    pub(crate) next: Cursor,
    /// There is more already.
    more: bool,
}

/// Read what has changed since a cursor, in the order of the commits.
///
/// The reader follows his own organisation and all that share platforms or plans with it; a prefecture follows those of
/// its area. Every change that is committed is told once and none is left out; an item carries the record as it is when
/// it is read, so versions in between may not appear. Where what was read so far is not enough to go on (other rights, a
/// restored database, a cursor too old), the answer is 410 with `organizations` and `after`: forget the records of these
/// organisations and go on from there; they come anew. docs/SYNC.md shows it.
#[utoipa::path(params(ChangeQuery))]
#[get("/changes")]
async fn list_changes(
    access: Access<ReadFeed>,
    app: Data<App>,
    Query(query): Query<ChangeQuery>,
) -> Result<Plain<Changes>> {
    let from = query.after.as_ref().map(Position::read).transpose()?;
    let until = Instant::now() + Duration::from_secs(query.wait);
    // Taken before reading: what is committed in between wakes, too.
    let mut heads = app.heads.subscribe();
    loop {
        let changes = access
            .read(async |tx| page(tx, from.as_ref(), &query.entity.0, query.limit).await)
            .await?;
        let left = until.saturating_duration_since(Instant::now());
        if !changes.ranges.is_empty() || left.is_zero() {
            return Ok(Plain(changes));
        }
        // Other rights are noticed a little later.
        let known = Position::read(&changes.next)?;
        let _ = timeout(left.min(LOOK), heads.wait_for(|heads| known.is_behind(heads))).await;
    }
}

/// Looks how far all streams have come, once for all who wait, for as long as the service runs: so that a commit wakes only
/// those whom it concerns.
pub async fn follow(app: Data<App>) {
    loop {
        // Taken before looking: a commit in between wakes, too.
        let committed = app.committed.notified();
        if app.heads.receiver_count() > 0 {
            match app.authenticator(async |db| Ok(feed::heads(db).await?)).await {
                Ok(heads) => drop(app.heads.send_replace(heads.into_iter().collect())),
                Err(error) => tracing::warn!(%error, "changes could not be looked for"),
            }
        }
        // What others than this process commit is noticed a little later.
        let _ = timeout(LOOK, committed).await;
    }
}

/// The cursor of now.
#[derive(Serialize, ToSchema)]
struct LatestCursor {
    /// `after` of a request for what changes from here on.
    next: Cursor,
}

/// Read the cursor of now, to follow only what changes from here on.
#[utoipa::path()]
#[get("/changes/latest")]
async fn read_latest_cursor(access: Access<ReadFeed>) -> Result<Plain<LatestCursor>> {
    let next = access.read(async |tx| latest(tx).await).await?;
    Ok(Plain(LatestCursor { next }))
}

/// The cursor of now.
pub(crate) async fn latest(tx: &Tx<'_, ()>) -> Result<Cursor> {
    let streams = streams(tx).await?;
    Ok(Position::of(&streams, |stream| stream.last_seq).cursor())
}

/// The cursor of a moment.
pub(crate) async fn cursor_at(tx: &Tx<'_, ()>, at: DateTime<Utc>) -> Result<Cursor> {
    let streams = streams(tx).await?;
    let ids: Vec<Uuid> = streams.iter().map(|s| s.stream_id.0).collect();
    let places: HashMap<_, _> = feed::before(tx.db, &ids, at).await?.into_iter().collect();
    Ok(Position::of(&streams, |stream| places.get(&stream.stream_id).copied().unwrap_or(0)).cursor())
}

/// Counts and checksums, to compare with the own copy.
#[derive(Serialize, ToSchema)]
struct ChangeCounts {
    /// By organisation and kind of record; what is not there has no records.
    items: Vec<Count>,
    /// The cursor of the same moment: a copy is to be compared when it has been read up to here.
    next: Cursor,
}

/// Count what the feed is about: records and a checksum of each kind and organisation, for comparing with a copy.
#[utoipa::path()]
#[get("/changes/counts")]
async fn list_change_counts(access: Access<ReadFeed>) -> Result<Plain<ChangeCounts>> {
    access
        .read(async |tx| {
            let streams = streams(tx).await?;
            let ids: Vec<Uuid> = streams.iter().map(|s| s.stream_id.0).collect();
            let kinds = readable(tx, &[]);
            let counts = try_join_all(kinds.into_iter().map(|entity| feed::counts(tx.db, entity, &ids))).await?;
            Ok(Plain(ChangeCounts {
                items: counts.into_iter().flatten().collect(),
                next: Position::of(&streams, |stream| stream.last_seq).cursor(),
            }))
        })
        .await
}

/// The streams that the caller follows. A token with other scopes knows more or less of each.
async fn streams(tx: &Tx<'_, ()>) -> Result<Vec<Stream>> {
    let mut streams = feed::streams(tx.db).await?;
    if let Some(scopes) = tx.rights.scopes() {
        for stream in &mut streams {
            let told = format!("{} {scopes:?}", stream.scope);
            stream.scope = BASE64.encode(digest(&SHA256, told.as_bytes()));
        }
    }
    Ok(streams)
}

/// Of these kinds, or of all if none is named, those that the caller may read at all.
fn readable(tx: &Tx<'_, ()>, wanted: &[Entity]) -> Vec<Entity> {
    let kinds = if wanted.is_empty() { Entity::ALL } else { wanted };
    kinds.iter().copied().filter(|e| tx.may_read(e.as_str())).collect()
}

/// The next changes of these kinds after a position.
pub(crate) async fn page(tx: &Tx<'_, ()>, from: Option<&Position>, kinds: &[Entity], limit: i32) -> Result<Changes> {
    let streams = streams(tx).await?;
    let from = match from {
        Some(position) => position.against(&streams)?,
        None => Position::of(&streams, |_| 0),
    };
    let behind: Vec<_> = streams
        .iter()
        .filter_map(|s| {
            from.seq(s.stream_id)
                .filter(|seq| *seq < s.last_seq)
                .map(|seq| (s, seq))
        })
        .collect();
    let after: Vec<_> = behind.iter().map(|(s, seq)| (s.stream_id, *seq)).collect();
    let kinds: Vec<_> = readable(tx, kinds).iter().map(|e| e.as_str()).collect();
    let changes = if after.is_empty() {
        Vec::new()
    } else {
        feed::changes(tx.db, &after, &kinds, limit).await?
    };
    // A full page ends in the middle of a stream; those behind it were not reached.
    let full = i32::try_from(changes.len()).is_ok_and(|n| n >= limit);
    let stop = changes.last().filter(|_| full).map(|c| c.stream_id);
    let mut reached = BTreeMap::new();
    for (stream, _) in &behind {
        let last = changes
            .iter()
            .rfind(|c| c.stream_id == stream.stream_id)
            .map_or(0, |c| c.seq);
        if stop == Some(stream.stream_id) {
            reached.insert(stream.stream_id.0, last);
            break;
        }
        reached.insert(stream.stream_id.0, last.max(stream.last_seq));
    }
    let items = items(tx, changes).await?;
    let ranges = behind
        .iter()
        .filter_map(|(s, seq)| Some((s.stream_id, seq + 1, *reached.get(&s.stream_id.0)?)))
        .map(|(organization_id, first, last)| {
            let of_it = items.iter().filter(|i| i.organization_id == organization_id);
            ChangeRange {
                organization_id,
                first,
                last,
                skipped: gaps(first, last, of_it.map(|i| i.seq)),
            }
        })
        .collect();
    let to = Position::of(&streams, |s| {
        reached
            .get(&s.stream_id.0)
            .copied()
            .or(from.seq(s.stream_id))
            .unwrap_or(0)
    });
    Ok(Changes {
        items,
        ranges,
        next: to.cursor(),
        more: full,
    })
}

/// The changes with the records as the caller may see them now.
async fn items(tx: &Tx<'_, ()>, changes: Vec<Change>) -> Result<Vec<ChangeItem>> {
    let mut wanted: BTreeMap<String, HashSet<Uuid>> = BTreeMap::new();
    for change in changes.iter().filter(|c| c.op != "D") {
        wanted
            .entry(change.entity.clone())
            .or_default()
            .insert(change.record_id);
    }
    let loads = wanted.into_iter().map(|(entity, ids)| async move {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let kind = entity.parse().map_err(Error::internal)?;
        let records = for_kind(kind, Current { db: tx.db, ids: &ids }).await?;
        Ok::<_, Error>((entity, records))
    });
    // The whole line of a KPI has the KPI's id, so an id alone names no record.
    let mut records: HashMap<String, States> = try_join_all(loads).await?.into_iter().collect();
    let seen: HashMap<String, HashSet<Uuid>> = records
        .iter()
        .map(|(entity, records)| (entity.clone(), records.keys().copied().collect()))
        .collect();
    let own = tx.caller.organization.filter(|_| tx.reads_own_drafts());
    Ok(changes
        .into_iter()
        .filter_map(|change| {
            let is_own = own == Some(change.stream_id);
            let operation = match change.op.as_str() {
                "D" => (is_own || change.open).then_some(ChangeOperation::Gone),
                // Its owner has seen it before and goes on seeing it.
                "V" if is_own => None,
                "V" if !seen.get(&change.entity).is_some_and(|s| s.contains(&change.record_id)) => {
                    Some(ChangeOperation::Gone)
                }
                _ => Some(ChangeOperation::Upsert),
            }?;
            let (version, record) = match operation {
                ChangeOperation::Gone => (change.version, None),
                // The first of several changes brings it; not there: hidden, or deleted further on.
                ChangeOperation::Upsert => {
                    let record = records.get_mut(&change.entity)?.remove(&change.record_id);
                    record.map(|(version, record)| (version, Some(record)))?
                }
            };
            Some(ChangeItem {
                organization_id: change.stream_id,
                seq: change.seq,
                operation,
                entity: change.entity,
                id: change.record_id,
                version,
                at: change.at,
                mine: change.actor_id.is_some() && change.actor_id == tx.caller.id,
                reason: change.reason,
                record,
            })
        })
        .collect())
}

/// Records with their versions, by id.
type States = HashMap<Uuid, (i64, Box<RawValue>)>;

/// Reads records as they are now: those of these that the caller may see.
struct Current<'a> {
    db: Db<'a>,
    ids: &'a [Uuid],
}

impl ForKind for Current<'_> {
    type Out = States;
    async fn with<R: Record + Kept>(self) -> Result<States> {
        let state = |record: R| {
            Ok((
                record.id(),
                (record.version(), to_raw_value(&record).map_err(Error::internal)?),
            ))
        };
        R::find_many(self.db, self.ids).await?.into_iter().map(state).collect()
    }
}

/// Numbers from `first` to `last` that are not in `there`, which ascends.
fn gaps(first: i64, last: i64, there: impl Iterator<Item = i64>) -> Vec<[i64; 2]> {
    let mut gaps = Vec::new();
    let mut next = first;
    for seq in there.chain([last + 1]) {
        if seq > next {
            gaps.push([next, seq - 1]);
        }
        next = seq + 1;
    }
    gaps
}

/// How far a reader has come in each stream, and what it was to him. A cursor is this, in few bytes: a prefecture follows
/// hundreds of streams.
pub(crate) struct Position(BTreeMap<Uuid, Mark>);

/// How a cursor is written; another way gets another number.
const FORM: u8 = 1;

#[derive(Clone, Copy)]
struct Mark {
    seq: i64,
    /// Beginning of the hash of the caller's rights in the stream, and of its epoch.
    rights: [u8; 4],
    epoch: [u8; 4],
}

impl Mark {
    fn of(stream: &Stream, seq: i64) -> Self {
        let begin = |bytes: &[u8]| [bytes[0], bytes[1], bytes[2], bytes[3]];
        Self {
            seq,
            rights: begin(stream.scope.as_bytes()),
            epoch: begin(stream.epoch.as_bytes()),
        }
    }
}

impl Position {
    fn of(streams: &[Stream], seq: impl Fn(&Stream) -> i64) -> Self {
        Self(streams.iter().map(|s| (s.stream_id.0, Mark::of(s, seq(s)))).collect())
    }

    fn seq(&self, stream: OrganizationId) -> Option<i64> {
        self.0.get(&stream.0).map(|mark| mark.seq)
    }

    /// Has one of its streams come further?
    fn is_behind(&self, heads: &HashMap<OrganizationId, i64>) -> bool {
        let further =
            |(stream, mark): (&Uuid, &Mark)| heads.get(&OrganizationId(*stream)).is_some_and(|seq| *seq > mark.seq);
        self.0.iter().any(further)
    }

    /// Streams of which nothing was read are left out: they begin at their beginning.
    fn cursor(&self) -> Cursor {
        let mut bytes = Vec::with_capacity(1 + self.0.len() * 28);
        bytes.push(FORM);
        for (stream, mark) in self.0.iter().filter(|(_, mark)| mark.seq > 0) {
            bytes.extend_from_slice(stream.as_bytes());
            bytes.extend_from_slice(&mark.rights);
            bytes.extend_from_slice(&mark.epoch);
            // Seven bits a byte, the last one first; the highest bit says that there are more.
            let mut rest = mark.seq;
            while rest > 0x7f {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
        Cursor::of_bytes(&bytes)
    }

    pub(crate) fn read(cursor: &Cursor) -> Result<Self> {
        let bytes = cursor.bytes().ok_or(Error::BadRequest("bad_cursor"))?;
        let (Some(&FORM), mut left) = (bytes.first(), bytes.get(1..).unwrap_or_default()) else {
            return Err(Error::BadRequest("bad_cursor"));
        };
        let mut marks = BTreeMap::new();
        while !left.is_empty() {
            let (stream, mark) = Self::read_mark(&mut left).ok_or(Error::BadRequest("bad_cursor"))?;
            marks.insert(stream, mark);
        }
        Ok(Self(marks))
    }

    fn read_mark(left: &mut &[u8]) -> Option<(Uuid, Mark)> {
        let (stream, rest) = left.split_first_chunk::<16>()?;
        let (rights, rest) = rest.split_first_chunk::<4>()?;
        let (epoch, mut rest) = rest.split_first_chunk::<4>()?;
        let mut seq = 0i64;
        for place in 0..9 {
            let (byte, after) = rest.split_first()?;
            rest = after;
            seq |= i64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                *left = rest;
                let (rights, epoch) = (*rights, *epoch);
                return Some((Uuid::from_bytes(*stream), Mark { seq, rights, epoch }));
            }
        }
        None
    }

    /// From here on in today's streams; new ones begin at their beginning. Where that would leave something out or keep
    /// something that is not the reader's any more, he is told.
    fn against(&self, streams: &[Stream]) -> Result<Self> {
        let now = Self::of(streams, |s| self.seq(s.stream_id).unwrap_or(0));
        let gone = self
            .0
            .iter()
            .filter(|(stream, mark)| mark.seq > 0 && !now.0.contains_key(stream))
            .map(|(stream, _)| *stream);
        let broken = streams.iter().filter_map(|s| {
            let known = self.0.get(&s.stream_id.0)?;
            let today = Mark::of(s, known.seq);
            let whole = known.seq == 0
                || (known.rights == today.rights
                    && known.epoch == today.epoch
                    && (s.floor_seq..=s.last_seq).contains(&known.seq));
            (!whole).then_some(s.stream_id.0)
        });
        let lost: Vec<Uuid> = gone.chain(broken).collect();
        if lost.is_empty() {
            return Ok(now);
        }
        let anew = Self::of(streams, |s| {
            now.seq(s.stream_id)
                .filter(|_| !lost.contains(&s.stream_id.0))
                .unwrap_or(0)
        });
        Err(Error::Resync(Box::new(Resync {
            organizations: lost,
            after: anew.cursor(),
        })))
    }
}
