//! Who may do what. The database can be reached only through an [`Access`], so a handler that forgets to ask for
//! permission cannot do anything: no permission, no database.
//!
//! The order of a request is settled here once: token and size limits (401, 413), body read and readable (400), then
//! one transaction: begin, caller re-checked (401), record loaded (404), decision (403), version (428, 412), and only
//! then the handler: validation (422), effect (409), commit, answer.

use crate::Questions;
use crate::error::{Error, Newer, REQUEST_ID, Result};
use crate::http::{Answer, Committed, Json, etag};
use crate::policy::{self, Action, Relation, Rights};
use crate::token::{Claims, Keys};
use actix_web::body::{BodyStream, BoxBody};
use actix_web::dev::Payload;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use chrono::{DateTime, FixedOffset, NaiveTime, Utc};
use model::analytics;
use model::caller::{Caller, CallerKind, Circumstances, Role, Standing, admits};
use model::client::Scope;
use model::history::{Entity, RecordVersion};
use model::idempotency;
use model::organization::Organization;
use model::record::Kept;
use model::value::NaiveDate;
use model::{ClientId, Connection, Db, OrganizationId, Pool};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use std::collections::HashMap;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use thread_local::ThreadLocal;
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;
use validator::Validate;

/// Streamed answers at the same time.
const STREAMS: usize = 8;
/// How long a reader may take for a piece of his answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the service holds while it runs. Nothing of it is a state of its own: all of it can be rebuilt from the database.
pub struct App {
    /// One for each thread that serves, so that the thread of a request also does the work of its connection.
    pools: ThreadLocal<Pool>,
    pub(crate) keys: Keys,
    pub(crate) config: crate::config::Config,
    /// Wakes who looks for changes.
    pub(crate) committed: tokio::sync::Notify,
    /// How far the stream of each organisation has come; wakes whoever waits for changes.
    pub(crate) heads: tokio::sync::watch::Sender<HashMap<OrganizationId, i64>>,
    /// Wakes who carries out imports.
    pub(crate) started: tokio::sync::Notify,
    /// Bounds the memory and CPU of password hashing.
    pub(crate) hashing: Semaphore,
    /// Bounds how many answers are sent for as long as their readers take. They have connections of their own.
    streaming: Arc<Semaphore>,
    streams: ThreadLocal<Pool>,
}

impl App {
    pub fn new(config: crate::config::Config) -> Self {
        Self {
            pools: ThreadLocal::new(),
            keys: Keys::new(config.key),
            committed: tokio::sync::Notify::new(),
            heads: tokio::sync::watch::Sender::default(),
            started: tokio::sync::Notify::new(),
            hashing: Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from)),
            streaming: Arc::new(Semaphore::new(STREAMS)),
            streams: ThreadLocal::new(),
            config,
        }
    }

    fn pool(&self) -> &Pool {
        self.pools
            .get_or(|| model::pool(&self.config.database_url, self.config.connections))
    }

    /// Is the database reachable and safe to serve from?
    pub async fn check(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        model::check(self.pool()).await
    }

    /// Reads the signing keys; makes a new one when it is time.
    pub async fn load_keys(&self) -> Result<()> {
        self.authenticator(async |db| self.keys.load(db).await).await
    }

    /// Deletes answers of writes that are kept no longer.
    pub async fn forget_answers(&self) -> Result<usize> {
        self.authenticator(async |db| Ok(idempotency::Answer::prune(db).await?))
            .await
    }

    /// Forgets assertions and ended tokens that are too old to be of use.
    pub async fn forget_tokens(&self) -> Result<()> {
        self.authenticator(async |db| Ok(model::client::forget_expired(db).await?))
            .await
    }

    /// Deletes messages to webhooks that are kept no longer.
    pub async fn forget_deliveries(&self) -> Result<usize> {
        self.authenticator(async |db| Ok(model::webhook::WebhookDelivery::prune(db).await?))
            .await
    }

    /// Forgets changes that are kept no longer.
    pub async fn forget_changes(&self) -> Result<i64> {
        self.authenticator(async |db| Ok(model::feed::forget(db).await?)).await
    }

    /// Reads what a system may see, for what the service does on its behalf without being asked.
    pub(crate) async fn on_behalf_of<T>(
        &self,
        client: ClientId,
        organization: OrganizationId,
        work: impl AsyncFnOnce(&Tx<'_, ()>) -> Result<T>,
    ) -> Result<T> {
        let caller = Caller {
            kind: CallerKind::Client,
            id: Some(client.0),
            organization: Some(organization),
            session: None,
        };
        let open = Open::new(self.pool()).await?;
        let result = acting(&open, &caller, &Circumstances::default(), async |tx| {
            ReadFeed::decide(&tx.gate(), ()).await?;
            work(tx).await
        })
        .await;
        open.end(false).await?;
        result
    }

    /// Deletes files and runs of the sync log that are kept no longer.
    pub async fn forget_runs(&self) -> Result<usize> {
        self.authenticator(async |db| Ok(model::sync_log::prune(db).await?))
            .await
    }

    /// A transaction for somebody who is not there any more, with his rights of this moment.
    pub(crate) async fn acting<T>(
        &self,
        caller: &Caller,
        circumstances: &Circumstances,
        work: impl AsyncFnOnce(&Tx<'_, ()>) -> Result<T>,
    ) -> Result<T> {
        let open = Open::new(self.pool()).await?;
        let result = acting(&open, caller, circumstances, work).await;
        open.end(result.is_ok()).await?;
        self.committed.notify_waiters();
        result
    }

    /// A transaction of the service itself, to sign somebody in or to look after its keys.
    pub(crate) async fn authenticator<T>(&self, work: impl AsyncFnOnce(Db<'_>) -> Result<T>) -> Result<T> {
        let open = Open::new(self.pool()).await?;
        let result = match begin(open.db(), &Caller::AUTHENTICATOR, &Circumstances::default()).await {
            Ok(_) => work(open.db()).await,
            Err(error) => Err(error),
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

/// What can be done with records of every kind.
pub trait ForKind {
    type Out;
    fn with<R: Record + Kept>(self) -> impl Future<Output = Result<Self::Out>>;
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
    )+

        /// Does something with records of a kind that is known only now.
        pub async fn for_kind<W: ForKind>(entity: Entity, work: W) -> Result<W::Out> {
            match entity.as_str() {
                $(<$record>::ENTITY => work.with::<$record>().await,)+
                other => Err(Error::internal(format!("no records are called {other}"))),
            }
        }
    };
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
            Self::Actor(Some(actor)) => model::plan::PlanActor::organization(db, actor).await,
        }
    }
}

records! {
    Organization, model::OrganizationId, "organization_id";
    model::platform::Platform, model::PlatformId, "platform_id";
    model::platform::PlatformYear, model::PlatformYearId, "platform_year_id";
    model::project::Project, model::ProjectId, "project_id";
    model::project_cost::ProjectCost, model::ProjectCostId, "project_cost_id";
    model::municipality_fact::MunicipalityFact, model::MunicipalityFactId, "municipality_fact_id";
    model::finding::FindingNote, model::FindingNoteId, "finding_note_id";
    model::external_id::ExternalId, model::ExternalIdId, "external_id_id";
    model::member::Member, model::MemberId, "member_id", slot |m| Slot::Organization(m.fields.organization_id);
    model::account::User, model::UserId, "user_id";
    model::account::UserRole, model::UserRoleId, "user_role_id";
    model::account::Grant, model::GrantId, "grant_id";
    model::client::Client, model::ClientId, "client_id";
    model::client::ClientSecret, model::ClientSecretId, "client_secret_id";
    model::webhook::Webhook, model::WebhookId, "webhook_id";
    model::plan::Plan, model::PlanId, "plan_id";
    model::plan::PlanActor, model::PlanActorId, "plan_actor_id";
    model::plan::EvaluationLevel, model::EvaluationLevelId, "evaluation_level_id";
    model::goal::Goal, model::GoalId, "goal_id";
    model::goal::GoalRole, model::GoalRoleId, "goal_role_id", slot |r| Slot::Actor(Some(r.fields.actor_id));
    model::roadmap::RoadmapCell, model::RoadmapCellId, "roadmap_cell_id", slot |c| Slot::Actor(c.fields.actor_id);
    model::roadmap::RoadmapItem, model::RoadmapItemId, "roadmap_item_id", slot |i| Slot::Actor(i.fields.actor_id);
    model::evaluation::Evaluation, model::EvaluationId, "evaluation_id";
    model::kpi::Kpi, model::KpiId, "kpi_id";
    model::kpi::KpiPlacement, model::KpiPlacementId, "kpi_placement_id";
    model::kpi::KpiSeries, model::KpiSeriesId, "kpi_series_id";
    model::kpi::KpiTarget, model::KpiTargetId, "kpi_target_id";
    model::kpi::KpiObservation, model::KpiObservationId, "kpi_observation_id";
}

/// What is no record, because it has no history, and is permitted like one.
macro_rules! logs {
    ($($log:path, $id:ty, $param:literal;)+) => {$(
        impl Record for $log {
            const ENTITY: &'static str = <$log>::ENTITY;
            const PARAM: &'static str = $param;
            type Id = $id;
            async fn find(db: Db<'_>, id: $id) -> model::Result<Self> {
                <$log>::find(db, id).await
            }
            fn id(&self) -> Uuid {
                self.id.0
            }
            fn version(&self) -> i64 {
                self.version
            }
            fn owner(&self) -> OrganizationId {
                self.organization_id
            }
        }
    )+};
}

logs! {
    model::import::Import, model::ImportId, "import_id";
    model::sync_log::SyncRun, model::SyncRunId, "sync_run_id";
    model::sync_log::SyncRow, model::SyncRowId, "sync_row_id";
}

impl Record for model::kpi::KpiDetail {
    const ENTITY: &'static str = Self::ENTITY;
    const PARAM: &'static str = "kpi_id";
    type Id = model::KpiId;
    async fn find(db: Db<'_>, id: model::KpiId) -> model::Result<Self> {
        Self::find(db, id).await
    }
    fn id(&self) -> Uuid {
        self.kpi.id.0
    }
    fn version(&self) -> i64 {
        self.kpi.version
    }
    fn owner(&self) -> OrganizationId {
        self.kpi.owner_org_id
    }
}

impl Record for model::webhook::WebhookDelivery {
    const ENTITY: &'static str = Self::ENTITY;
    const PARAM: &'static str = "webhook_delivery_id";
    type Id = model::WebhookDeliveryId;
    async fn find(db: Db<'_>, id: model::WebhookDeliveryId) -> model::Result<Self> {
        Self::find(db, id).await
    }
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> i64 {
        self.attempts.into()
    }
    fn owner(&self) -> OrganizationId {
        self.organization_id
    }
}

/// Something a caller can be permitted to do.
pub trait Permission: 'static {
    /// What the decision needs of the database.
    type Loaded;
    /// What the permission is about, as the handler gets it.
    type On;
    /// Does it change a record that the caller must have read (If-Match)?
    const CONDITIONAL: bool = false;
    /// Travels in the same pipeline as the check of the caller, so it must not depend on its answer.
    fn load(db: Db<'_>, id: Option<&str>) -> impl Future<Output = Result<Self::Loaded>>;
    fn decide(gate: &Gate<'_>, loaded: Self::Loaded) -> impl Future<Output = Result<Self::On>>;
    /// The record as it is now, for a caller who lost a race.
    fn reread(_gate: &Gate<'_>, _id: Option<&str>) -> impl Future<Output = Result<Newer>> {
        async { Err(Error::NotFound) }
    }
}

/// A record that row-level security hides is not found; nobody learns that it exists.
async fn load<R: Record>(db: Db<'_>, id: Option<&str>) -> Result<R> {
    let id = id.and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
    Ok(R::find(db, id).await?)
}

/// What a permission decides from.
pub struct Gate<'a> {
    pub db: Db<'a>,
    pub rights: &'a Rights,
    pub caller: &'a Caller,
    if_match: Option<&'a str>,
    is_past: bool,
}

impl Gate<'_> {
    async fn decide<R: Record>(&self, record: R, action: Action) -> Result<R> {
        self.decide_for(R::ENTITY, record, action).await
    }

    /// Decides on something done to `resource` at this record.
    async fn decide_for<R: Record>(&self, resource: &str, record: R, action: Action) -> Result<R> {
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
        if self.rights.allow(resource, action, relation) {
            Ok(record)
        } else {
            Err(self.refusal(resource, action))
        }
    }

    /// Somebody without an account is asked to sign in; somebody with one is told that he, or his token, may not.
    fn refusal(&self, resource: &str, action: Action) -> Error {
        if self.caller.kind == CallerKind::Anonymous {
            return Error::Unauthenticated;
        }
        let missing = self.rights.missing(resource, action);
        missing.map_or(Error::Forbidden, Error::InsufficientScope)
    }

    async fn decide_version<R: Record>(&self, record: R, action: Action) -> Result<R> {
        let record = self.decide(record, action).await?;
        let wanted = self.if_match.ok_or(Error::PreconditionRequired)?;
        if wanted == "*" || wanted == etag(record.version()) {
            Ok(record)
        } else if wanted.starts_with("\"v") || wanted.starts_with("W/\"") {
            Err(Error::Stale(Box::new(self.newer(&record).await?)))
        } else {
            Err(Error::BadRequest("bad_if_match"))
        }
    }

    /// The record after a change that touched no row: somebody was faster, or row-level security refused.
    async fn reread<R: Record>(&self, record: R) -> Result<Newer> {
        if self.if_match == Some(&etag(record.version())) {
            return Err(Error::Forbidden);
        }
        self.newer(&record).await
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

    fn require(&self, resource: &str, action: Action) -> Result<()> {
        if self.rights.allow_any(resource, action) {
            Ok(())
        } else {
            Err(self.refusal(resource, action))
        }
    }
}

/// May read this record.
pub struct Read<R>(PhantomData<R>);
/// May read records of this kind; row-level security decides which.
pub struct List<R>(PhantomData<R>);
/// May create a record of this kind; under which parent, the database decides with the insert.
pub struct Create<R>(PhantomData<R>);
/// May create a record of this kind in the organisation of the path, which may be another one than the caller's.
pub struct CreateIn<R>(PhantomData<R>);
/// May act on this record in whatever version it is: what is done does not touch its fields.
pub struct Act<R>(PhantomData<R>);
/// May change this record, in the version he names.
pub struct Edit<R>(PhantomData<R>);
/// May delete this record, in the version he names.
pub struct Delete<R>(PhantomData<R>);
/// May move this record along its life, in the version he names; how far, [`crate::transition`] says.
pub struct Transit<R>(PhantomData<R>);
/// May read the history of records; of which kinds, [`Tx::may_read`] says, of which records, row-level security.
pub struct ReadHistory;
/// May follow the changes of records; of which kinds, [`Tx::may_read`] says, of which records, row-level security.
pub struct ReadFeed;
/// Is signed in.
pub struct SignedIn;

impl<R: Record> Permission for Read<R> {
    type Loaded = R;
    type On = R;
    fn load(db: Db<'_>, id: Option<&str>) -> impl Future<Output = Result<R>> {
        load(db, id)
    }
    async fn decide(gate: &Gate<'_>, record: R) -> Result<R> {
        gate.decide(record, Action::Read).await
    }
}

impl<R: Record> Permission for Act<R> {
    type Loaded = R;
    type On = R;
    fn load(db: Db<'_>, id: Option<&str>) -> impl Future<Output = Result<R>> {
        load(db, id)
    }
    async fn decide(gate: &Gate<'_>, record: R) -> Result<R> {
        gate.decide(record, Action::Update).await
    }
}

impl<R: Record> Permission for CreateIn<R> {
    type Loaded = Organization;
    type On = Organization;
    fn load(db: Db<'_>, id: Option<&str>) -> impl Future<Output = Result<Organization>> {
        load(db, id)
    }
    async fn decide(gate: &Gate<'_>, organization: Organization) -> Result<Organization> {
        gate.decide_for(R::ENTITY, organization, Action::Create).await
    }
}

/// Permissions about a record in the version that the caller has read.
macro_rules! conditional {
    ($($permission:ident: $action:ident),+) => {$(
        impl<R: Record> Permission for $permission<R> {
            type Loaded = R;
            type On = R;
            const CONDITIONAL: bool = true;
            fn load(db: Db<'_>, id: Option<&str>) -> impl Future<Output = Result<R>> {
                load(db, id)
            }
            async fn decide(gate: &Gate<'_>, record: R) -> Result<R> {
                gate.decide_version(record, Action::$action).await
            }
            async fn reread(gate: &Gate<'_>, id: Option<&str>) -> Result<Newer> {
                gate.reread(load::<R>(gate.db, id).await?).await
            }
        }
    )+};
}

conditional!(Edit: Update, Delete: Delete, Transit: Transit);

/// Permissions that need nothing of the database beyond who the caller is.
macro_rules! unloaded {
    ($([$($generic:tt)*] $permission:ty, $rule:expr;)+) => {$(
        impl<$($generic)*> Permission for $permission {
            type Loaded = ();
            type On = ();
            async fn load(_: Db<'_>, _: Option<&str>) -> Result<()> {
                Ok(())
            }
            async fn decide(gate: &Gate<'_>, (): ()) -> Result<()> {
                let rule: fn(&Gate<'_>) -> Result<()> = $rule;
                rule(gate)
            }
        }
    )+};
}

unloaded! {
    [R: Record] List<R>, |gate| gate.require(R::ENTITY, Action::Read);
    [R: Record] Create<R>, |gate| gate.require(R::ENTITY, Action::Create);
    [] ReadHistory, |gate| gate.require("record_history", Action::Read);
    [] ReadFeed, |gate| if gate.is_past { Err(Error::BadRequest("as_of_of_changes")) } else { gate.require("change_log", Action::Read) };
    [] SignedIn, |gate| if gate.caller.kind == CallerKind::Anonymous { Err(Error::Unauthenticated) } else { Ok(()) };
}

/// The caller has been let in: the open transaction, what it is about, and who asks.
pub struct Tx<'a, On> {
    pub db: Db<'a>,
    pub on: On,
    pub standing: &'a Standing,
    pub rights: &'a Rights,
    pub caller: &'a Caller,
}

impl<On> Tx<'_, On> {
    /// The body as a valid `T`. Only somebody who was let in learns whether his body is valid.
    pub fn valid<T: DeserializeOwned + Validate, const LIMIT: usize>(&self, body: &Json<T, LIMIT>) -> Result<T> {
        body.parse()
    }

    fn gate(&self) -> Gate<'_> {
        Gate {
            db: self.db,
            rights: self.rights,
            caller: self.caller,
            if_match: None,
            is_past: false,
        }
    }

    /// The same, about nothing in particular.
    pub fn plain(&self) -> Tx<'_, ()> {
        Tx {
            db: self.db,
            on: (),
            standing: self.standing,
            rights: self.rights,
            caller: self.caller,
        }
    }

    /// May the caller do this with this record? For what is decided one record after another.
    pub async fn may<R: Record>(&self, record: R, action: Action) -> Result<R> {
        self.gate().decide(record, action).await
    }

    /// The record as it is, for a caller who has seen it otherwise.
    pub async fn newer<R: Record>(&self, record: &R) -> Result<Newer> {
        self.gate().newer(record).await
    }

    /// May the caller create records of this kind?
    pub fn may_create<R: Record>(&self) -> Result<()> {
        self.gate().require(R::ENTITY, Action::Create)
    }

    /// May the caller confirm records of this kind that his organisation owns?
    pub fn may_confirm(&self, resource: &str) -> bool {
        self.rights.allow(resource, Action::Confirm, Relation::Own)
    }

    /// May the caller read some record of this kind?
    pub fn may_read(&self, resource: &str) -> bool {
        self.rights.allow_any(resource, Action::Read)
    }

    /// Does the caller read what his own organisation has not published?
    pub fn reads_own_drafts(&self) -> bool {
        !matches!(self.standing.role, Role::Auditor | Role::Analyst | Role::SystemAdmin)
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
    /// What the token says it is good for; nothing, if it is for all.
    scopes: Option<Vec<Scope>>,
    /// From where the request comes.
    address: Option<IpAddr>,
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
    /// Whose token it is. Whether it is still good, the transaction finds out.
    pub fn holder(&self) -> Result<Uuid> {
        self.caller.id.ok_or(Error::Unauthenticated)
    }

    /// For which organisation it is. The transaction finds out whether it still is.
    pub fn organization(&self) -> Option<OrganizationId> {
        self.caller.organization
    }

    /// Largest file that may be imported, in bytes.
    pub fn import_limit(&self) -> u64 {
        self.app.config.import_limit
    }

    /// Tells who carries out imports that there is something to do.
    pub fn started(&self) -> impl FnOnce() + use<P> {
        let app = self.app.clone();
        move || app.started.notify_one()
    }

    /// Reads. The transaction ends behind the answer's back: nothing can fail any more.
    pub async fn read<T>(&self, work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>) -> Result<T> {
        let open = Open::new(self.app.pool()).await?;
        let (standing, loaded) = futures_util::join!(self.begin(open.db()), P::load(open.db(), self.id.as_deref()));
        let result = async {
            let (standing, rights) = standing?;
            let on = P::decide(&self.gate(open.db(), &rights), loaded?).await?;
            work(&Tx {
                db: open.db(),
                on,
                standing: &standing,
                rights: &rights,
                caller: &self.caller,
            })
            .await
        }
        .await;
        open.end_later();
        result
    }

    /// Reads for as long as the answer is being sent: in one snapshot, with a name of its own, at the pace of who reads it.
    /// `work` begins the answer and sends its pieces; what fails before that is answered like everything else.
    pub async fn stream(
        self,
        work: impl AsyncFnOnce(&Tx<'_, P::On>, DateTime<Utc>, Answering) -> Result<()> + 'static,
    ) -> Result<HttpResponse> {
        let permit = self.app.streaming.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::Busy(5))?;
        let (head, begun) = oneshot::channel();
        let (pieces, mut body) = mpsc::channel(1);
        let answering = Answering {
            head: Rc::new(Cell::new(Some(head))),
            pieces,
        };
        let failing = answering.clone();
        actix_web::rt::spawn(async move {
            let result = self.send(work, answering).await;
            drop(permit);
            if let Err(error) = result {
                match failing.head.take() {
                    Some(head) => drop(head.send(Err(error))),
                    // Broken off: who reads it sees that the end is missing.
                    None => {
                        tracing::warn!(%error, cause = ?std::error::Error::source(&error), "an answer broke off");
                        drop(failing.pieces.send(Err(error)).await);
                    }
                }
            }
        });
        let head = begun.await.map_err(Error::internal)??;
        if head.status() == StatusCode::NOT_MODIFIED {
            return Ok(head);
        }
        let pieces = futures_util::stream::poll_fn(move |context| body.poll_recv(context));
        Ok(head.set_body(BoxBody::new(BodyStream::new(pieces))))
    }

    async fn send(
        &self,
        work: impl AsyncFnOnce(&Tx<'_, P::On>, DateTime<Utc>, Answering) -> Result<()>,
        answering: Answering,
    ) -> Result<()> {
        let pool = self
            .app
            .streams
            .get_or(|| model::pool(&self.app.config.database_url, STREAMS));
        let open = Open::new(pool).await?;
        let db = open.db();
        let settled = analytics::settled(db).await?;
        let now = Circumstances {
            as_of: None,
            ..self.circumstances.clone()
        };
        let (began, standing, _, _, loaded, changed) = futures_util::join!(
            model::statement(db, "begin isolation level repeatable read, read only"),
            model::caller::begin(db, &self.caller, &now),
            // Who reads slowly is patiently waited for; who does not read at all, `Answering` notices.
            model::statement(db, "set local statement_timeout = 0"),
            model::statement(db, "set local idle_in_transaction_session_timeout = '90s'"),
            P::load(db, self.id.as_deref()),
            analytics::changed(db),
        );
        began?;
        let (standing, changed) = (standing?, changed?);
        let rights = self.admit(&standing)?;
        let on = P::decide(&self.gate(db, &rights), loaded?).await?;
        let asked = self.circumstances.as_of.unwrap_or(settled).min(settled);
        // What is asked for is what there is, unless something was changed since.
        let vintage = if changed <= asked {
            self.circumstances.as_of.map_or(changed, |_| asked)
        } else {
            analytics::look_back(db, asked).await?;
            asked
        };
        let tx = Tx {
            db,
            on,
            standing: &standing,
            rights: &rights,
            caller: &self.caller,
        };
        work(&tx, vintage, answering).await?;
        open.end(false).await
    }

    /// Changes. The answer is made and, with an idempotency key, kept inside the transaction; only what is committed is
    /// answered, and a failure leaves nothing behind.
    pub async fn write<T: Answer>(
        self,
        body: &[u8],
        work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>,
    ) -> Result<Committed<T>> {
        if self.caller.kind == CallerKind::Anonymous {
            return Err(Error::Unauthenticated);
        }
        if self.circumstances.as_of.is_some() {
            return Err(Error::BadRequest("as_of_read_only"));
        }
        if self.idempotency.is_none() && self.caller.kind == CallerKind::Client {
            return Err(Error::BadRequest("idempotency_key_required"));
        }
        let open = Open::new(self.app.pool()).await?;
        let result = self.work(open.db(), body, work).await;
        open.end(result.is_ok()).await?;
        self.app.committed.notify_waiters();
        result
    }

    async fn work<T: Answer>(
        &self,
        db: Db<'_>,
        body: &[u8],
        work: impl AsyncFnOnce(&Tx<'_, P::On>) -> Result<T>,
    ) -> Result<Committed<T>> {
        let key = self.idempotency.as_ref().zip(self.caller.id).map(|(key, actor)| {
            (
                key,
                actor,
                self.app.keys.fingerprint(&[key.request_line.as_bytes(), body]),
            )
        });
        let earlier = async {
            match &key {
                Some((key, actor, _)) => idempotency::Answer::find(db, *actor, &key.key).await,
                None => Ok(None),
            }
        };
        let (standing, earlier, loaded) = futures_util::join!(self.begin(db), earlier, P::load(db, self.id.as_deref()));
        let (standing, rights) = standing?;
        if let (Some(answer), Some((_, _, hash))) = (earlier?, &key) {
            // Before the record is asked for: after a deletion the retry still gets its first answer.
            return if answer.request_hash == *hash {
                Ok(Committed::replay(answer))
            } else {
                Err(Error::KeyReused)
            };
        }
        let gate = self.gate(db, &rights);
        let on = P::decide(&gate, loaded?).await?;
        let answer = match work(&Tx {
            db,
            on,
            standing: &standing,
            rights: &rights,
            caller: &self.caller,
        })
        .await
        {
            // The version was right when it was loaded and is gone now: somebody was faster.
            Err(Error::NotFound) if P::CONDITIONAL => {
                return Err(Error::Stale(Box::new(P::reread(&gate, self.id.as_deref()).await?)));
            }
            other => other?,
        };
        let committed = Committed::new(&answer)?;
        if let Some((key, actor, hash)) = key {
            committed.keep(&answer, actor, &key.key, hash)?.keep(db).await?;
        }
        Ok(committed)
    }

    /// Opens the transaction and asks the database who the caller is, in one round trip.
    async fn begin(&self, db: Db<'_>) -> Result<(Standing, Rights)> {
        let standing = begin(db, &self.caller, &self.circumstances).await?;
        let rights = self.admit(&standing)?;
        Ok((standing, rights))
    }

    fn admit(&self, standing: &Standing) -> Result<Rights> {
        if admits(&standing.addresses, self.address) {
            Ok(Rights::new(standing.role, self.scopes.clone(), &standing.scopes))
        } else {
            Err(Error::AddressRefused)
        }
    }

    fn gate<'a>(&'a self, db: Db<'a>, rights: &'a Rights) -> Gate<'a> {
        Gate {
            db,
            rights,
            caller: &self.caller,
            if_match: self.if_match.as_deref(),
            is_past: self.circumstances.as_of.is_some(),
        }
    }
}

/// An answer that is sent while it is being made.
#[derive(Clone)]
pub struct Answering {
    head: Rc<Cell<Option<oneshot::Sender<Result<HttpResponse>>>>>,
    pieces: mpsc::Sender<Result<Bytes>>,
}

impl Answering {
    /// Status and headers; `304` is the whole answer.
    pub fn begin(&self, head: HttpResponse) {
        if let Some(begun) = self.head.take() {
            // Who asked has gone; the first piece finds out.
            drop(begun.send(Ok(head)));
        }
    }

    /// The next piece, when the one before has been taken.
    pub async fn send(&self, piece: Bytes) -> Result<()> {
        let sending = self.pieces.send(Ok(piece));
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Error::Gone),
        }
    }
}

/// A connection inside a transaction. Dropped without an end (a client that went away), the connection is closed and
/// PostgreSQL rolls back.
struct Open(Option<Connection>);

impl Open {
    async fn new(pool: &Pool) -> Result<Self> {
        Ok(Self(Some(pool.get().await?)))
    }

    fn db(&self) -> Db<'_> {
        self.0.as_ref().expect("taken only at the end")
    }

    async fn end(mut self, commit: bool) -> Result<()> {
        match model::statement(self.db(), if commit { "commit" } else { "rollback" }).await {
            // Back to the pool.
            Ok(()) => drop(self.0.take()),
            Err(error) if commit => return Err(error.into()),
            // The failure that led here is the one to report.
            Err(_) => {}
        }
        Ok(())
    }

    /// Ends a reading transaction without making the caller wait for it.
    fn end_later(self) {
        actix_web::rt::spawn(async move {
            let _ = self.end(false).await;
        });
    }
}

/// Works as somebody who does not ask himself.
async fn acting<T>(
    open: &Open,
    caller: &Caller,
    circumstances: &Circumstances,
    work: impl AsyncFnOnce(&Tx<'_, ()>) -> Result<T>,
) -> Result<T> {
    let standing = begin(open.db(), caller, circumstances).await?;
    let rights = Rights::new(standing.role, None, &standing.scopes);
    work(&Tx {
        db: open.db(),
        on: (),
        standing: &standing,
        rights: &rights,
        caller,
    })
    .await
}

/// Opens the transaction and asks the database who the caller is, in one round trip.
async fn begin(db: Db<'_>, caller: &Caller, circumstances: &Circumstances) -> Result<Standing> {
    let (began, standing) = futures_util::join!(
        model::statement(db, "begin"),
        model::caller::begin(db, caller, circumstances)
    );
    began?;
    Ok(standing?)
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
        let (caller, scopes) = authenticate(request, &app)?;
        if !request
            .app_data::<Data<Questions>>()
            .is_some_and(|q| q.are_known(request))
        {
            return Err(Error::BadRequest("bad_query"));
        }
        let reason = header(request, "change-reason")?.map(reason).transpose()?;
        let idempotency = match header(request, "idempotency-key")?.map(str::to_owned) {
            Some(key) if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) => {
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
            scopes,
            address: address(&app, request),
            circumstances: Circumstances {
                request: REQUEST_ID.try_get().ok(),
                reason,
                as_of: as_of(request.query_string())?,
            },
            // A record of its own kind is named by the first parameter; an address by other ids is the handler's to read.
            id: request.match_info().iter().next().map(|(_, id)| id.to_owned()),
            if_match: header(request, header::IF_MATCH.as_str())?.map(str::to_owned),
            idempotency,
            app,
            _permission: PhantomData,
        })
    }
}

/// The value of a header. Which one of several counts is not for us to guess.
pub(crate) fn header<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>> {
    let mut values = request.headers().get_all(name);
    let value = values.next().map(|v| v.to_str().map(str::trim));
    match value.transpose() {
        Ok(value) if values.next().is_none() => Ok(value),
        _ => Err(Error::BadRequest("bad_header")),
    }
}

/// `Change-Reason`: percent-encoded UTF-8, at most 1,000 characters.
fn reason(text: &str) -> Result<String> {
    let bad = || Error::BadRequest("bad_header");
    let mut escapes = text.split('%');
    let plain = escapes.next().is_some_and(|s| s.bytes().all(|b| b.is_ascii_graphic()))
        && escapes.all(|s| {
            let (digits, rest) = s.as_bytes().split_at_checked(2).unwrap_or((b"-", b""));
            digits.iter().all(u8::is_ascii_hexdigit) && rest.iter().all(u8::is_ascii_graphic)
        });
    let reason = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| bad())?;
    if plain && reason.chars().count() <= 1000 && !reason.contains('\0') {
        Ok(reason.into_owned())
    } else {
        Err(bad())
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
        // PostgreSQL's timestamps are wider than this, which is all that a date of four digits can say.
        Some(moment) if (-1..=10_000).contains(&chrono::Datelike::year(&moment)) => Ok(Some(moment)),
        _ => Err(Error::BadRequest("bad_as_of")),
    }
}

/// Who is calling. Behind a proxy that is what the proxy has seen, which stands last.
pub fn address(app: &App, request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr().map(|a| a.ip());
    let address = match request.headers().get_all("x-forwarded-for").last() {
        Some(said) if app.config.behind_proxy => said
            .to_str()
            .ok()
            .and_then(|list| list.rsplit(',').next()?.trim().parse().ok())
            .or(peer),
        _ => peer,
    };
    address.map(|ip| ip.to_canonical())
}

fn authenticate(request: &HttpRequest, app: &App) -> Result<(Caller, Option<Vec<Scope>>)> {
    let Some(header) = header(request, header::AUTHORIZATION.as_str()).map_err(|_| Error::Unauthenticated)? else {
        return Ok((Caller::ANONYMOUS, None));
    };
    let token = header.strip_prefix("Bearer ").ok_or(Error::Unauthenticated)?;
    let claims: Claims = app
        .keys
        .verify(token, &app.config.public_url)
        .ok_or(Error::Unauthenticated)?;
    let caller = Caller {
        kind: claims.kind,
        id: Some(claims.sub),
        organization: Some(claims.org),
        session: match claims.kind {
            CallerKind::Client => Some(claims.jti),
            _ => claims.sid,
        },
    };
    // What is no scope any more gives nothing.
    let scopes = claims
        .scope
        .map(|s| s.split(' ').filter_map(|scope| scope.parse().ok()).collect());
    Ok((caller, scopes))
}

/// What a role may do, for `GET /me`: resources and actions, own and shared alike.
pub fn permissions(role: Role, rights: &Rights) -> Vec<String> {
    let mut permissions: Vec<String> = policy::grants()
        .into_iter()
        .filter(|(r, resource, action, relation)| *r == role && rights.allow(resource, *action, *relation))
        .map(|(_, resource, action, relation)| format!("{resource}:{action:?}:{relation:?}").to_lowercase())
        .collect();
    permissions.dedup();
    permissions
}
