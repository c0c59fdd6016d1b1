//! Who may do what. The database can be reached only through an [`Access`], so a handler that forgets to ask for
//! permission cannot do anything: no permission, no database.
//!
//! The order of a request is settled here once: token and size limits (401, 413), body read and readable (400), then
//! one transaction: begin, caller re-checked (401), record loaded (404), decision (403), version (428, 412), and only
//! then the handler: validation (422), effect (409), commit, answer.

use crate::error::{Error, Newer, Result};
use crate::http::{Answer, Committed, Json, etag};
use crate::policy::{self, Action, Relation};
use crate::token::{Claims, Keys};
use actix_web::dev::Payload;
use actix_web::http::{Method, header};
use actix_web::{FromRequest, HttpRequest, web::Data};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, Utc};
use model::caller::{Caller, CallerKind, Circumstances, Role, Standing};
use model::history::RecordVersion;
use model::idempotency;
use model::{Connection, Db, OrganizationId, Pool};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::str::FromStr;
use tracing_actix_web::RequestId;
use uuid::Uuid;
use validator::Validate;

/// What the service holds while it runs. Nothing of it is a state of its own: all of it can be rebuilt from the database.
pub struct App {
    pool: Pool,
    pub(crate) keys: Keys,
    pub(crate) config: crate::config::Config,
    /// Bounds the memory and CPU of password hashing.
    pub(crate) hashing: tokio::sync::Semaphore,
}

impl App {
    pub fn new(config: crate::config::Config) -> Self {
        Self {
            pool: model::pool(&config.database_url, config.connections),
            keys: Keys::new(config.key),
            hashing: tokio::sync::Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            config,
        }
    }

    /// Is the database reachable and safe to serve from?
    pub async fn check(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        model::check(&self.pool).await
    }

    /// Reads the signing keys; makes a new one when it is time.
    pub async fn load_keys(&self) -> Result<()> {
        self.authenticator(async |db| self.keys.load(db).await).await
    }

    /// A transaction of the service itself, to sign somebody in or to look after its keys.
    pub(crate) async fn authenticator<T>(&self, work: impl AsyncFnOnce(Db<'_>) -> Result<T>) -> Result<T> {
        let (mut open, standing) = Open::begin(&self.pool, &Caller::AUTHENTICATOR, &Circumstances::default()).await?;
        let result = match standing {
            Ok(_) => work(open.db()).await,
            Err(error) => Err(error.into()),
        };
        open.end(result.is_ok()).await?;
        result
    }
}

/// A record that requests name by a path parameter and that belongs to an organisation.
pub trait Record: Clone + Serialize + 'static {
    /// The table; also the name of the resource in policy.toml, history and feed.
    const ENTITY: &'static str;
    /// The path parameter.
    const PARAM: &'static str;
    type Id: FromStr + Copy + Into<Uuid>;
    fn find(db: Db<'_>, id: Self::Id) -> impl Future<Output = model::Result<Self>>;
    fn id(&self) -> Uuid;
    fn version(&self) -> i64;
    fn owner(&self) -> OrganizationId;
    /// The organisation whose column, line or row this is, where that is not the owner.
    fn slot(&self, _db: Db<'_>) -> impl Future<Output = model::Result<Option<OrganizationId>>> {
        async { Ok(None) }
    }
}

/// `Record` for types that have `find`, `id`, `version` and `owner_org_id`, as all of them do.
macro_rules! records {
    ($($record:path, $id:ty, $param:literal $(, slot $slot:expr)?;)+) => {$(
        impl Record for $record {
            const ENTITY: &'static str = <$record>::ENTITY;
            const PARAM: &'static str = $param;
            type Id = $id;
            async fn find(db: Db<'_>, id: $id) -> model::Result<Self> {
                <$record>::find(db, id).await
            }
            fn id(&self) -> Uuid {
                self.id.0
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn owner(&self) -> OrganizationId {
                self.owner_org_id
            }
            $(async fn slot(&self, db: Db<'_>) -> model::Result<Option<OrganizationId>> {
                let slot: fn(&Self) -> _ = $slot;
                slot(self).resolve(db).await
            })?
        }
    )+};
}

/// How a record tells whose slot it is: directly, or through the column of the sheet it stands in.
pub enum Slot {
    Organization(Option<OrganizationId>),
    Actor(Option<model::PlanActorId>),
}

impl Slot {
    async fn resolve(self, db: Db<'_>) -> model::Result<Option<OrganizationId>> {
        match self {
            Self::Organization(organization) => Ok(organization),
            Self::Actor(None) => Ok(None),
            Self::Actor(Some(_)) => {
                let _ = db;
                Ok(None)
            }
        }
    }
}

records! {
    model::organization::Organization, model::OrganizationId, "organization_id";
    model::platform::Platform, model::PlatformId, "platform_id";
    model::platform::PlatformYear, model::PlatformYearId, "platform_year_id";
    model::project::Project, model::ProjectId, "project_id";
    model::project_cost::ProjectCost, model::ProjectCostId, "project_cost_id";
    model::municipality_fact::MunicipalityFact, model::MunicipalityFactId, "municipality_fact_id";
    model::external_id::ExternalId, model::ExternalIdId, "external_id_id";
    model::member::Member, model::MemberId, "member_id", slot |m| Slot::Organization(m.fields.organization_id);
}

/// Something a caller can be permitted to do.
pub trait Permission: 'static {
    /// What the permission is about: loaded and decided before the handler runs.
    type On;
    /// Does it change a record that the caller must have read (If-Match)?
    const CONDITIONAL: bool = false;
    fn admit(gate: &Gate<'_>) -> impl Future<Output = Result<Self::On>>;
    /// The record as it is now, for a caller who lost a race.
    fn reread(_gate: &Gate<'_>) -> impl Future<Output = Result<Newer>> {
        async { Err(Error::NotFound) }
    }
}

/// What a permission decides from.
pub struct Gate<'a> {
    pub db: Db<'a>,
    pub standing: &'a Standing,
    pub caller: &'a Caller,
    id: Option<&'a str>,
    if_match: Option<&'a str>,
}

impl Gate<'_> {
    async fn load<R: Record>(&self, action: Action) -> Result<R> {
        let id = self.id.and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
        // A record that row-level security hides is not found; nobody learns that it exists.
        let record = R::find(self.db, id).await?;
        let relation = if self.caller.organization == Some(record.owner()) {
            Relation::Own
        } else if self.caller.organization.is_some()
            && action != Action::Read
            && record.slot(self.db).await? == self.caller.organization
        {
            Relation::Slot
        } else {
            Relation::Seen
        };
        if policy::allows(self.standing.role, R::ENTITY, action, relation) {
            Ok(record)
        } else {
            Err(self.refusal())
        }
    }

    /// Somebody without an account is asked to sign in; somebody with one is told that he may not.
    fn refusal(&self) -> Error {
        if self.caller.kind == CallerKind::Anonymous {
            Error::Unauthenticated
        } else {
            Error::Forbidden
        }
    }

    async fn load_version<R: Record>(&self, action: Action) -> Result<R> {
        let record: R = self.load(action).await?;
        let wanted = self.if_match.ok_or(Error::PreconditionRequired)?;
        if wanted == "*" || wanted == etag(record.version()) {
            Ok(record)
        } else if wanted.starts_with("\"v") || wanted.starts_with("W/\"") {
            Err(Error::Stale(Box::new(self.newer(&record).await?)))
        } else {
            Err(Error::BadRequest("bad_if_match"))
        }
    }

    async fn newer<R: Record>(&self, record: &R) -> Result<Newer> {
        let last = RecordVersion::last(self.db, R::ENTITY, record.id()).await?;
        Ok(Newer {
            current: serde_json::to_value(record).map_err(Error::internal)?,
            etag: etag(record.version()),
            changed_by: last.as_ref().and_then(|l| l.actor_name.clone()),
            changed_at: last.map(|l| l.at),
        })
    }

    async fn reload<R: Record>(&self) -> Result<Newer> {
        let record: R = self.load(Action::Read).await?;
        self.newer(&record).await
    }

    fn require(&self, resource: &str, action: Action) -> Result<()> {
        if policy::allows_any(self.standing.role, resource, action) {
            Ok(())
        } else {
            Err(self.refusal())
        }
    }
}

/// May read this record.
pub struct Read<R>(PhantomData<R>);
/// May read records of this kind; row-level security decides which.
pub struct List<R>(PhantomData<R>);
/// May create a record of this kind; under which parent, the database decides with the insert.
pub struct Create<R>(PhantomData<R>);
/// May change this record, in the version he names.
pub struct Edit<R>(PhantomData<R>);
/// May delete this record, in the version he names.
pub struct Delete<R>(PhantomData<R>);
/// May move this record along its life, in the version he names; confirming is a right of its own.
pub struct Transit<R>(PhantomData<R>);
/// May read the history of records; of which kinds, [`Tx::may_read`] says, of which records, row-level security.
pub struct ReadHistory;
/// Is signed in.
pub struct SignedIn;

impl<R: Record> Permission for Read<R> {
    type On = R;
    async fn admit(gate: &Gate<'_>) -> Result<R> {
        gate.load(Action::Read).await
    }
}

impl<R: Record> Permission for List<R> {
    type On = ();
    async fn admit(gate: &Gate<'_>) -> Result<()> {
        gate.require(R::ENTITY, Action::Read)
    }
}

impl<R: Record> Permission for Create<R> {
    type On = ();
    async fn admit(gate: &Gate<'_>) -> Result<()> {
        gate.require(R::ENTITY, Action::Create)
    }
}

impl<R: Record> Permission for Edit<R> {
    type On = R;
    const CONDITIONAL: bool = true;
    async fn admit(gate: &Gate<'_>) -> Result<R> {
        gate.load_version(Action::Update).await
    }
    async fn reread(gate: &Gate<'_>) -> Result<Newer> {
        gate.reload::<R>().await
    }
}

impl<R: Record> Permission for Delete<R> {
    type On = R;
    const CONDITIONAL: bool = true;
    async fn admit(gate: &Gate<'_>) -> Result<R> {
        gate.load_version(Action::Delete).await
    }
    async fn reread(gate: &Gate<'_>) -> Result<Newer> {
        gate.reload::<R>().await
    }
}

impl<R: Record> Permission for Transit<R> {
    type On = R;
    const CONDITIONAL: bool = true;
    async fn admit(gate: &Gate<'_>) -> Result<R> {
        gate.load_version(Action::Update).await
    }
    async fn reread(gate: &Gate<'_>) -> Result<Newer> {
        gate.reload::<R>().await
    }
}

impl Permission for ReadHistory {
    type On = ();
    async fn admit(gate: &Gate<'_>) -> Result<()> {
        gate.require("record_history", Action::Read)
    }
}

impl Permission for SignedIn {
    type On = ();
    async fn admit(gate: &Gate<'_>) -> Result<()> {
        if gate.caller.kind == CallerKind::Anonymous {
            Err(Error::Unauthenticated)
        } else {
            Ok(())
        }
    }
}

/// The caller has been let in: the open transaction, what it is about, and who asks.
pub struct Tx<'a, On> {
    pub db: Db<'a>,
    pub on: On,
    pub standing: &'a Standing,
    pub caller: &'a Caller,
}

impl<On> Tx<'_, On> {
    /// The body as a valid `T`. Only somebody who was let in learns whether his body is valid.
    pub fn valid<T: DeserializeOwned + Validate>(&self, body: &Json<T>) -> Result<T> {
        body.parse()
    }

    /// May the caller confirm records of this kind that his organisation owns?
    pub fn may_confirm(&self, resource: &str) -> bool {
        policy::allows(self.standing.role, resource, Action::Confirm, Relation::Own)
    }

    /// May the caller read some record of this kind?
    pub fn may_read(&self, resource: &str) -> bool {
        policy::allows_any(self.standing.role, resource, Action::Read)
    }

    /// The caller's id, where he has one.
    pub fn actor(&self) -> Result<Uuid> {
        self.caller.id.ok_or(Error::Unauthenticated)
    }
}

/// A request whose token is genuine. [`Access::read`] and [`Access::write`] are the only ways to the database.
pub struct Access<P: Permission> {
    app: Data<App>,
    caller: Caller,
    circumstances: Circumstances,
    id: Option<String>,
    if_match: Option<String>,
    idempotency: Option<Key>,
    _permission: PhantomData<P>,
}

/// An idempotency key with what it was used for.
struct Key {
    key: String,
    request_line: String,
}

impl<P: Permission> Access<P> {
    /// Reads. The transaction ends behind the answer's back: nothing can fail any more.
    pub async fn read<T>(self, work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>) -> Result<T> {
        let (open, standing) = Open::begin(&self.app.pool, &self.caller, &self.circumstances).await?;
        let result = async {
            let standing = standing?;
            let on = P::admit(&self.gate(open.db(), &standing)).await?;
            work(&Tx {
                db: open.db(),
                on,
                standing: &standing,
                caller: &self.caller,
            })
            .await
        }
        .await;
        open.end_later();
        result
    }

    /// Changes. The answer is made and, with an idempotency key, kept inside the transaction; only what is committed is
    /// answered, and a failure leaves nothing behind.
    pub async fn write<T: Answer>(
        self,
        body: &[u8],
        work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>,
    ) -> Result<Committed<T>> {
        if self.circumstances.as_of.is_some() {
            return Err(Error::BadRequest("as_of_read_only"));
        }
        if self.idempotency.is_none() && self.caller.kind == CallerKind::Client {
            return Err(Error::BadRequest("idempotency_key_required"));
        }
        let (mut open, standing) = Open::begin(&self.app.pool, &self.caller, &self.circumstances).await?;
        let result = match standing {
            Ok(standing) => self.work(open.db(), &standing, body, work).await,
            Err(error) => Err(error.into()),
        };
        open.end(result.is_ok()).await?;
        result
    }

    async fn work<T: Answer>(
        &self,
        db: Db<'_>,
        standing: &Standing,
        body: &[u8],
        work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>,
    ) -> Result<Committed<T>> {
        let key = self
            .idempotency
            .as_ref()
            .zip(self.caller.id)
            .map(|(key, actor)| (key, actor, key.hash(body)));
        if let Some((key, actor, hash)) = &key {
            // Before the record is loaded: after a deletion the retry still gets its first answer.
            if let Some(answer) = idempotency::Answer::find(db, *actor, &key.key).await? {
                return if answer.request_hash == *hash {
                    Ok(Committed::replay(answer))
                } else {
                    Err(Error::KeyReused)
                };
            }
        }
        let gate = self.gate(db, standing);
        let on = P::admit(&gate).await?;
        let answer = match work(&Tx {
            db,
            on,
            standing,
            caller: &self.caller,
        })
        .await
        {
            // The version was right when it was loaded and is gone now: somebody was faster.
            Err(Error::NotFound) if P::CONDITIONAL => {
                return Err(Error::Stale(Box::new(P::reread(&gate).await?)));
            }
            other => other?,
        };
        let committed = Committed::new(&answer)?;
        if let Some((key, actor, hash)) = key {
            committed.keep(actor, &key.key, hash).keep(db).await?;
        }
        Ok(committed)
    }

    fn gate<'a>(&'a self, db: Db<'a>, standing: &'a Standing) -> Gate<'a> {
        Gate {
            db,
            standing,
            caller: &self.caller,
            id: self.id.as_deref(),
            if_match: self.if_match.as_deref(),
        }
    }
}

impl Key {
    fn hash(&self, body: &[u8]) -> Vec<u8> {
        let mut hash = Sha256::new();
        hash.update(self.request_line.as_bytes());
        hash.update([0]);
        hash.update(body);
        hash.finalize().to_vec()
    }
}

/// A connection inside a transaction. Dropped without an end (a client that went away), the connection is closed and
/// PostgreSQL rolls back.
struct Open(Option<Connection>);

impl Open {
    /// Opens a transaction and asks the database who the caller is, in one round trip.
    async fn begin(
        pool: &Pool,
        caller: &Caller,
        circumstances: &Circumstances,
    ) -> Result<(Self, model::Result<Standing>)> {
        let open = Self(Some(pool.get().await?));
        let (began, standing) = futures_util::join!(
            model::statement(open.db(), "begin"),
            model::caller::begin(open.db(), caller, circumstances)
        );
        began?;
        Ok((open, standing))
    }

    fn db(&self) -> Db<'_> {
        self.0.as_ref().expect("taken only at the end")
    }

    async fn end(&mut self, commit: bool) -> Result<()> {
        let ended = model::statement(self.db(), if commit { "commit" } else { "rollback" }).await;
        if ended.is_ok() {
            self.0 = None;
        } else if !commit {
            // The failure that led here is the one to report.
            return Ok(());
        }
        Ok(ended?)
    }

    /// Ends a reading transaction without making the caller wait for it.
    fn end_later(mut self) {
        actix_web::rt::spawn(async move {
            let _ = self.end(false).await;
        });
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Connection::take(connection));
        }
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::new(request))
    }
}

impl<P: Permission> Access<P> {
    fn new(request: &HttpRequest) -> Result<Self> {
        let app = request
            .app_data::<Data<App>>()
            .ok_or_else(|| Error::internal("App is not configured"))?
            .clone();
        let caller = authenticate(request, &app)?;
        let text = |name: &str| match request.headers().get(name) {
            None => Ok(None),
            Some(value) => value
                .to_str()
                .map(|v| Some(v.trim().to_owned()))
                .map_err(|_| Error::BadRequest("bad_header")),
        };
        let reason = text("change-reason")?
            .map(|r| {
                percent_encoding::percent_decode_str(&r)
                    .decode_utf8()
                    .map(|r| r.chars().take(1000).collect::<String>())
                    .map_err(|_| Error::BadRequest("bad_header"))
            })
            .transpose()?;
        if reason.as_deref().is_some_and(|r| r.contains('\0')) {
            return Err(Error::BadRequest("bad_header"));
        }
        let idempotency = match text("idempotency-key")? {
            Some(key) if key.is_empty() || key.len() > 255 => {
                return Err(Error::BadRequest("bad_header"));
            }
            Some(key) if request.method() != Method::GET => Some(Key {
                key,
                request_line: format!("{} {}", request.method(), request.uri()),
            }),
            _ => None,
        };
        Ok(Self {
            caller,
            circumstances: Circumstances {
                request: request.app_data_request_id(),
                reason,
                as_of: as_of(request.query_string())?,
            },
            // A path holds at most one id.
            id: request.match_info().iter().next().map(|(_, id)| id.to_owned()),
            if_match: text(header::IF_MATCH.as_str())?,
            idempotency,
            app,
            _permission: PhantomData,
        })
    }
}

/// The id under which the log knows a request.
trait KnownRequest {
    fn app_data_request_id(&self) -> Option<Uuid>;
}

impl KnownRequest for HttpRequest {
    fn app_data_request_id(&self) -> Option<Uuid> {
        use actix_web::HttpMessage;
        self.extensions()
            .get::<RequestId>()
            .map(|id| Uuid::from_bytes(*(**id).as_bytes()))
    }
}

/// `as_of=2025-03-31` is the end of that day in Japan; a date and time is that moment.
fn as_of(query: &str) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = query.split('&').find_map(|pair| pair.strip_prefix("as_of=")) else {
        return Ok(None);
    };
    let text = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| Error::BadRequest("bad_as_of"))?;
    let moment = match text.parse::<NaiveDate>() {
        Ok(day) => {
            let japan = FixedOffset::east_opt(9 * 3600).expect("nine hours are in range");
            day.succ_opt()
                .and_then(|next| next.and_time(NaiveTime::MIN).and_local_timezone(japan).single())
                .map(|t| t.to_utc())
        }
        Err(_) => DateTime::parse_from_rfc3339(&text).ok().map(|t| t.to_utc()),
    };
    match moment {
        // PostgreSQL's timestamps are wider than this; nobody recorded anything outside.
        Some(moment) if (1970..=2500).contains(&chrono::Datelike::year(&moment)) => Ok(Some(moment)),
        _ => Err(Error::BadRequest("bad_as_of")),
    }
}

fn authenticate(request: &HttpRequest, app: &App) -> Result<Caller> {
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        return Ok(Caller::ANONYMOUS);
    };
    let token = header
        .to_str()
        .ok()
        .and_then(|h| h.strip_prefix("Bearer "))
        .ok_or(Error::Unauthenticated)?;
    let claims: Claims = app
        .keys
        .verify(token, &app.config.public_url)
        .ok_or(Error::Unauthenticated)?;
    Ok(Caller {
        kind: claims.kind,
        id: Some(claims.sub),
        organization: Some(claims.org),
        session: claims.sid,
    })
}

/// What a role may do, for `GET /me`: resources and actions, own and shared alike.
pub fn permissions(role: Role) -> Vec<String> {
    let mut permissions: Vec<String> = policy::grants()
        .into_iter()
        .filter(|(r, ..)| *r == role)
        .map(|(_, resource, action, relation)| format!("{resource}:{action:?}:{relation:?}").to_lowercase())
        .collect();
    permissions.dedup();
    permissions
}
