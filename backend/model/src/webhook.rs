//! Webhooks: whom to tell of changes, how far he has been told, and what became of each message.
//!
//! Queries marked (worker) run as the service itself; the others with the rights of an administrator.

use crate::account::yes;
use crate::history::Entity;
use crate::record::record;
use crate::schema::{webhook_deliveries, webhook_secrets, webhook_states, webhooks};
use crate::text::{Line, WebhookUrl, text_enum};
use crate::{ClientId, Db, OrganizationId, Result, WebhookDeliveryId, WebhookId};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

text_enum! {
    /// What became of a message.
    DeliveryStatus {
        /// To be delivered, now or when its turn comes again.
        Pending = "pending",
        /// The receiver has it.
        Delivered = "delivered",
        /// Given up: what follows was told, this was not.
        Dead = "dead",
        /// It was given up and is tried once more.
        Retry = "retry",
    }
}

/// Where a system is told that records have changed, so that it need not ask.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = webhooks)]
pub struct Webhook {
    pub id: WebhookId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation of the system.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: WebhookFields,
}

/// What can be written of a webhook.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct WebhookFields {
    /// The system that is told. It is told of what it may see, and of nothing while it is switched off or has expired.
    pub client_id: ClientId,
    /// Where messages are posted: https, port 443 or 8443, an address of the public internet in its plain spelling.
    #[validate(nested)]
    pub url: WebhookUrl,
    /// What it is for.
    #[serde(default)]
    #[validate(nested)]
    pub description: Option<Line>,
    /// Only changes of these kinds of records; of all kinds if empty.
    #[serde(default)]
    #[validate(length(max = 50))]
    #[schema(max_items = 50)]
    pub entities: Vec<Entity>,
    /// One that is not active is told nothing; what it missed it is told when it is active again.
    #[serde(default = "yes")]
    pub active: bool,
}

record!(webhooks, Webhook, WebhookId, WebhookFields, mutable);

impl Webhook {
    /// Webhooks of the caller's organisation.
    pub async fn list(mut db: Db<'_>, active: Option<bool>, after: Option<WebhookId>, limit: i64) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(active) = active {
            query = query.filter(webhooks::active.eq(active));
        }
        if let Some(after) = after {
            query = query.filter(webhooks::id.gt(after));
        }
        query.order(webhooks::id).limit(limit).load(&mut db).await
    }

    /// Notes from where on it is to be told; what was under way is told anew from there.
    pub async fn begin_at(&self, mut db: Db<'_>, position: &str) -> Result<()> {
        diesel::delete(
            webhook_deliveries::table
                .filter(webhook_deliveries::webhook_id.eq(self.id))
                .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending)),
        )
        .execute(&mut db)
        .await?;
        diesel::insert_into(webhook_states::table)
            .values((
                webhook_states::webhook_id.eq(self.id),
                webhook_states::position.eq(position),
            ))
            .on_conflict(webhook_states::webhook_id)
            .do_update()
            .set(webhook_states::position.eq(position))
            .execute(&mut db)
            .await?;
        Self::wake(db, self.id).await
    }

    /// Makes it due at once, however long its receiver has failed; whoever delivers now does not go on with what he knows.
    pub async fn wake(mut db: Db<'_>, id: WebhookId) -> Result<()> {
        diesel::update(webhook_states::table.find(id))
            .set((
                webhook_states::next_attempt_at.eq(now),
                webhook_states::lease.eq(None::<Uuid>),
                webhook_states::leased_until.eq(None::<DateTime<Utc>>),
                webhook_states::seen.eq(None::<i64>),
            ))
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Adds a secret; of the older ones the newest stays good.
    pub async fn add_secret(&self, mut db: Db<'_>, secret: Secret) -> Result<()> {
        let old: Vec<Uuid> = webhook_secrets::table
            .filter(webhook_secrets::webhook_id.eq(self.id))
            .order(webhook_secrets::id.desc())
            .offset(1)
            .select(webhook_secrets::id)
            .load(&mut db)
            .await?;
        diesel::delete(webhook_secrets::table.filter(webhook_secrets::id.eq_any(old)))
            .execute(&mut db)
            .await?;
        diesel::insert_into(webhook_secrets::table)
            .values((
                webhook_secrets::id.eq(secret.id),
                webhook_secrets::webhook_id.eq(self.id),
                webhook_secrets::sealed.eq(secret.sealed),
            ))
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Switches it off, because its receiver is gone. (worker)
    pub async fn switch_off(mut db: Db<'_>, id: WebhookId) -> Result<()> {
        diesel::sql_query("select set_config('app.reason', '410 Gone', true)")
            .execute(&mut db)
            .await?;
        diesel::update(webhooks::table.find(id))
            .set(webhooks::active.eq(false))
            .execute(&mut db)
            .await
            .map(|_| ())
    }
}

/// What signs messages, encrypted.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = webhook_secrets)]
pub struct Secret {
    pub id: Uuid,
    pub sealed: Vec<u8>,
}

impl Secret {
    /// Those that are good, newest first.
    pub async fn list(mut db: Db<'_>, webhook: WebhookId) -> Result<Vec<Self>> {
        Self::query()
            .filter(webhook_secrets::webhook_id.eq(webhook))
            .order(webhook_secrets::id.desc())
            .load(&mut db)
            .await
    }
}

/// A message to a webhook and what became of it.
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = webhook_deliveries)]
pub struct WebhookDelivery {
    /// Also the `webhook-id` of each attempt, after `msg_`.
    pub id: WebhookDeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The organisation of the webhook.
    pub organization_id: OrganizationId,
    pub status: DeliveryStatus,
    /// The body, as it is sent: JSON.
    #[schema(
        example = r#"{"type":"records.changed","timestamp":"2026-04-01T00:00:00Z","data":{"items":[],"next":"…"}}"#
    )]
    pub message: String,
    /// How often it was sent.
    #[schema(example = 1)]
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
    /// When it was sent last.
    pub attempted_at: Option<DateTime<Utc>>,
    /// When it is sent next, if it is not delivered and not given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What the receiver answered last: its HTTP status.
    #[schema(example = 503)]
    pub answer_status: Option<i16>,
    /// Why the last attempt failed: `status` (not 2xx), `timeout`, `unresolved`, `forbidden_address`, `not_connected`, `tls` or
    /// `broken_answer`.
    #[schema(example = "status")]
    pub failure: Option<String>,
}

/// Which messages.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub webhook_id: Option<WebhookId>,
    pub status: Option<DeliveryStatus>,
    pub after: Option<WebhookDeliveryId>,
    pub limit: i64,
}

impl WebhookDelivery {
    pub const ENTITY: &'static str = "webhook_deliveries";

    pub async fn find(mut db: Db<'_>, id: WebhookDeliveryId) -> Result<Self> {
        Self::query().find(id).first(&mut db).await
    }

    /// Newest first.
    pub async fn list(mut db: Db<'_>, filter: DeliveryFilter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(webhook) = filter.webhook_id {
            query = query.filter(webhook_deliveries::webhook_id.eq(webhook));
        }
        if let Some(status) = filter.status {
            query = query.filter(webhook_deliveries::status.eq(status));
        }
        if let Some(after) = filter.after {
            query = query.filter(webhook_deliveries::id.lt(after));
        }
        query
            .order(webhook_deliveries::id.desc())
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Has it sent at once: one that was given up once more, one whose turn has not come before its time.
    pub async fn retry(&self, mut db: Db<'_>) -> Result<Self> {
        Webhook::wake(db, self.webhook_id).await?;
        let status = match self.status {
            DeliveryStatus::Dead => DeliveryStatus::Retry,
            other => other,
        };
        diesel::update(webhook_deliveries::table.find(self.id))
            .set((
                webhook_deliveries::status.eq(status),
                webhook_deliveries::next_attempt_at.eq(now),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }

    /// Writes a message down before it is sent. (worker)
    pub async fn prepare(mut db: Db<'_>, job: &Job, message: String, position: &str) -> Result<()> {
        diesel::insert_into(webhook_deliveries::table)
            .values((
                webhook_deliveries::id.eq(WebhookDeliveryId::new()),
                webhook_deliveries::webhook_id.eq(job.webhook_id),
                webhook_deliveries::organization_id.eq(job.organization_id),
                webhook_deliveries::message.eq(message),
                webhook_deliveries::position.eq(position),
            ))
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// What is to be sent before anything new: what an administrator asked for, then what has not been
    /// delivered; each with the position after it. (worker)
    pub async fn next(mut db: Db<'_>, webhook: WebhookId) -> Result<Option<(Self, String)>> {
        webhook_deliveries::table
            .select((Self::as_select(), webhook_deliveries::position))
            .filter(webhook_deliveries::webhook_id.eq(webhook))
            .filter(webhook_deliveries::status.eq_any([DeliveryStatus::Retry, DeliveryStatus::Pending]))
            .order((webhook_deliveries::status.desc(), webhook_deliveries::id))
            .first(&mut db)
            .await
            .optional()
    }

    /// Notes an attempt and what follows from it. (worker)
    pub async fn settle(&self, mut db: Db<'_>, attempt: Attempt<'_>) -> Result<()> {
        diesel::update(webhook_deliveries::table.find(self.id))
            .set((
                webhook_deliveries::status.eq(attempt.status),
                webhook_deliveries::attempts.eq(self.attempts + 1),
                webhook_deliveries::attempted_at.eq(now),
                webhook_deliveries::next_attempt_at.eq(attempt.next_attempt_at),
                webhook_deliveries::answer_status.eq(attempt.answer_status),
                webhook_deliveries::failure.eq(attempt.failure),
            ))
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Deletes what was delivered 30 days ago or given up 400 days ago; how many. (worker)
    pub async fn prune(mut db: Db<'_>) -> Result<usize> {
        let before = |days| Utc::now() - TimeDelta::days(days);
        diesel::delete(
            webhook_deliveries::table.filter(
                webhook_deliveries::created_at
                    .lt(before(30))
                    .and(webhook_deliveries::status.eq(DeliveryStatus::Delivered))
                    .or(webhook_deliveries::created_at
                        .lt(before(400))
                        .and(webhook_deliveries::status.eq(DeliveryStatus::Dead))),
            ),
        )
        .execute(&mut db)
        .await
    }
}

/// What came of an attempt.
pub struct Attempt<'a> {
    pub status: DeliveryStatus,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub answer_status: Option<i16>,
    pub failure: Option<&'a str>,
}

/// A webhook that one instance delivers to, as long as it holds the lease.
#[derive(Clone, Debug, QueryableByName)]
pub struct Job {
    #[diesel(sql_type = SqlUuid)]
    pub webhook_id: WebhookId,
    #[diesel(sql_type = SqlUuid)]
    pub lease: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: OrganizationId,
    #[diesel(sql_type = SqlUuid)]
    pub client_id: ClientId,
    #[diesel(sql_type = Text)]
    pub url: String,
    #[diesel(sql_type = Array<Text>)]
    pub entities: Vec<Entity>,
    #[diesel(sql_type = Text)]
    pub position: String,
    /// What all streams had counted when the lease was taken.
    #[diesel(sql_type = BigInt)]
    pub counted: i64,
}

impl Job {
    /// Takes the lease of a webhook that is due and has something to be told, if there is one. (worker)
    pub async fn claim(mut db: Db<'_>, seconds: i32) -> Result<Option<Self>> {
        diesel::sql_query(
            "with counted as materialized (select coalesce(sum(last_seq), 0)::bigint as n from change_stream),
             due as (
               select s.webhook_id from webhook_states s
               join webhooks w on w.id = s.webhook_id and w.active
               join clients c on c.id = w.client_id and c.active and coalesce(c.expires_at, 'infinity') > now()
               where s.next_attempt_at <= now() and coalesce(s.leased_until, '-infinity') < now()
                 and exists (select 1 from webhook_secrets k where k.webhook_id = s.webhook_id)
                 and (s.seen is distinct from (select n from counted)
                   or exists (select 1 from webhook_deliveries d where d.webhook_id = s.webhook_id and d.status = 'retry'))
               order by s.next_attempt_at limit 1 for update of s skip locked)
             update webhook_states s set lease = gen_random_uuid(), leased_until = now() + $1 * interval '1 second'
             from due, webhooks w where s.webhook_id = due.webhook_id and w.id = s.webhook_id
             returning s.webhook_id, s.lease, w.owner_org_id as organization_id, w.client_id, w.url, w.entities, s.position,
               (select n from counted) as counted",
        )
        .bind::<Integer, _>(seconds)
        .get_result(&mut db)
        .await
        .optional()
    }

    /// Holds the lease for longer; not found when another instance has it. The webhook itself is held first: who deletes it
    /// takes it first, too. (worker)
    pub async fn hold(&self, mut db: Db<'_>, seconds: i32) -> Result<()> {
        let held = diesel::sql_query(
            "with kept as materialized (select id from webhooks where id = $1 for key share)
             update webhook_states set leased_until = now() + $3 * interval '1 second' from kept where webhook_id = kept.id and lease = $2",
        )
        .bind::<SqlUuid, _>(self.webhook_id)
        .bind::<SqlUuid, _>(self.lease)
        .bind::<Integer, _>(seconds)
        .execute(&mut db)
        .await?;
        mine(held)
    }

    /// Goes on from another position. (worker)
    pub async fn advance(&mut self, mut db: Db<'_>, position: String) -> Result<()> {
        let held = diesel::update(
            webhook_states::table
                .find(self.webhook_id)
                .filter(webhook_states::lease.eq(self.lease)),
        )
        .set(webhook_states::position.eq(&position))
        .execute(&mut db)
        .await?;
        self.position = position;
        mine(held)
    }

    /// Lets go of the lease until then, or, with nothing left to tell, until something changes. (worker)
    pub async fn rest(&self, mut db: Db<'_>, until: Option<DateTime<Utc>>) -> Result<()> {
        let held = diesel::update(
            webhook_states::table
                .find(self.webhook_id)
                .filter(webhook_states::lease.eq(self.lease)),
        )
        .set((
            webhook_states::next_attempt_at.eq(until.unwrap_or_else(Utc::now)),
            webhook_states::seen.eq(until.is_none().then_some(self.counted)),
            webhook_states::lease.eq(None::<Uuid>),
            webhook_states::leased_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(&mut db)
        .await?;
        mine(held)
    }
}

/// One row: the lease is still ours.
fn mine(held: usize) -> Result<()> {
    if held == 1 { Ok(()) } else { Err(crate::Error::NotFound) }
}
