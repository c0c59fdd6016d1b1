//! Webhooks by the Standard Webhooks specification (https://www.standardwebhooks.com): who is told of changes, and the
//! telling itself. At least once, and for each record in the order of its changes.

use crate::access::{Access, Act, App, Create, Delete, Edit, List, Read};
use crate::changes::{Position, cursor_at, latest, page};
use crate::error::{Error, Result};
use crate::http::{
    Committed, Created, Cursor, Done, Issued, Json, NoContent, Page, Patch, Plain, Query, Secret as Withheld, Tagged,
    Updated, after, default_limit,
};
use crate::outbound::{Answer, Failure, Internet, Reach, Reachable};
use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use model::webhook::{Attempt, DeliveryFilter, DeliveryStatus, Job, Secret, Webhook, WebhookDelivery, WebhookFields};
use model::{WebhookDeliveryId, WebhookId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_webhooks)
        .service(create_webhook)
        .service(read_webhook)
        .service(update_webhook)
        .service(delete_webhook);
    cfg.service(issue_webhook_secret)
        .service(test_webhook)
        .service(replay_webhook);
    cfg.service(list_webhook_deliveries).service(retry_webhook_delivery);
}

/// Which webhooks.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct WebhookQuery {
    /// Only those that are told, or only those that are switched off.
    active: Option<bool>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List webhooks of the caller's organisation, in the order of their making.
#[utoipa::path(params(WebhookQuery))]
#[get("/webhooks")]
async fn list_webhooks(access: Access<List<Webhook>>, Query(query): Query<WebhookQuery>) -> Result<Page<Webhook>> {
    let after = after(query.after.as_ref())?;
    let webhooks = access
        .read(async |tx| Ok(Webhook::list(tx.db, query.active, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(webhooks, query.limit, |w| w.id))
}

/// Have a system told of changes from now on. Nothing is sent before it has a secret.
///
/// Messages are posted as the Standard Webhooks specification says: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
/// Their body names what has changed (kind, id, version) and never contains the records: the system reads them here, with
/// its own rights. An address that may not be called is 409 `webhooks_url_…`; a system that is switched off or has expired
/// is 409 `webhooks_client_active`.
#[utoipa::path()]
#[post("/webhooks")]
async fn create_webhook(
    access: Access<Create<Webhook>>,
    app: Data<App>,
    body: Json<WebhookFields>,
) -> Result<Committed<Created<Webhook>>> {
    access
        .write(body.bytes(), async |tx| {
            let webhook = Webhook::create(tx.db, callable(&app, tx.valid(&body)?)?).await?;
            let now = seen_by(&app, &webhook, None).await?;
            webhook.begin_at(tx.db, now.as_str()).await?;
            Ok(Created(webhook))
        })
        .await
}

/// Read a webhook.
#[utoipa::path()]
#[get("/webhooks/{webhook_id}")]
async fn read_webhook(access: Access<Read<Webhook>>) -> Result<Tagged<Webhook>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a webhook (JSON merge patch). It goes on at once, and from where it was.
#[utoipa::path()]
#[patch("/webhooks/{webhook_id}")]
async fn update_webhook(
    access: Access<Edit<Webhook>>,
    app: Data<App>,
    body: Json<Patch<WebhookFields>>,
) -> Result<Committed<Updated<Webhook>>> {
    access
        .write(body.bytes(), async |tx| {
            let fields = callable(&app, body.patched(&tx.on.fields)?)?;
            let webhook = tx.on.update(tx.db, fields).await?;
            Webhook::wake(tx.db, webhook.id).await?;
            Ok(Updated(webhook))
        })
        .await
}

/// Delete a webhook with its secrets and messages.
#[utoipa::path()]
#[delete("/webhooks/{webhook_id}")]
async fn delete_webhook(access: Access<Delete<Webhook>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Fields whose address may be called. What its name stands for is looked up with each delivery.
fn callable(app: &App, fields: WebhookFields) -> Result<WebhookFields> {
    match app.config.webhooks.reachable.target(&fields.url.0) {
        Ok(_) => Ok(fields),
        Err(failure) => Err(Error::Conflict(failure.as_str().to_owned())),
    }
}

/// The cursor of now, or of a moment, as the system of a webhook sees it.
async fn seen_by(app: &App, webhook: &Webhook, at: Option<DateTime<Utc>>) -> Result<Cursor> {
    let cursor = app.on_behalf_of(webhook.fields.client_id, webhook.owner_org_id, async |tx| match at {
        Some(at) => cursor_at(tx, at).await,
        None => latest(tx).await,
    });
    cursor.await.map_err(|error| match error {
        Error::Unauthenticated | Error::Forbidden => Error::Conflict("webhooks_client_active".to_owned()),
        other => other,
    })
}

/// What signs the messages to a webhook.
#[derive(Serialize, ToSchema)]
struct WebhookSecret {
    /// The webhook.
    webhook_id: WebhookId,
    /// Shown once; null when the request is repeated with the same idempotency key. `whsec_` and 32 bytes in base64.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: Option<String>,
}

impl Withheld for WebhookSecret {
    fn withheld(&self) -> Self {
        Self {
            webhook_id: self.webhook_id,
            secret: None,
        }
    }
}

/// Issue a secret for a webhook.
///
/// The secret before it stays good: messages are signed with both, so that the receiver can change over. The one before
/// that ends.
#[utoipa::path()]
#[post("/webhooks/{webhook_id}/secrets")]
async fn issue_webhook_secret(
    access: Access<Act<Webhook>>,
    app: Data<App>,
) -> Result<Committed<Issued<WebhookSecret>>> {
    access
        .write(&[], async |tx| {
            let (id, secret) = (Uuid::now_v7(), rand::random::<[u8; 32]>());
            let sealed = app.keys.seal(&secret, id)?;
            tx.on.add_secret(tx.db, Secret { id, sealed }).await?;
            Ok(Issued(WebhookSecret {
                webhook_id: tx.on.id,
                secret: Some(format!("whsec_{}", BASE64.encode(secret))),
            }))
        })
        .await
}

/// What came of a message that was sent to try.
#[derive(Serialize, ToSchema)]
struct WebhookTest {
    /// The receiver answered with 2xx.
    delivered: bool,
    /// Its HTTP status.
    #[schema(example = 204)]
    answer_status: Option<u16>,
    /// Why not, as in a delivery.
    #[schema(example = "timeout")]
    failure: Option<&'static str>,
}

/// Send a message of type `ping` now, and say what came back.
///
/// It is signed as all are, also while the webhook is not active; it is not repeated and not kept. Without a secret it is
/// 409 `webhooks_secret`.
#[utoipa::path()]
#[post("/webhooks/{webhook_id}/test")]
async fn test_webhook(access: Access<Act<Webhook>>, app: Data<App>) -> Result<Plain<WebhookTest>> {
    // Nothing is written, but nobody reads here either.
    access.holder()?;
    let (webhook, secrets) = access
        .read(async |tx| Ok((tx.on.clone(), Secret::list(tx.db, tx.on.id).await?)))
        .await?;
    if secrets.is_empty() {
        return Err(Error::Conflict("webhooks_secret".to_owned()));
    }
    let body = message("ping", json!({ "webhook_id": webhook.id }));
    let answer = send(&app, &webhook.fields.url.0, WebhookDeliveryId::new(), body, &secrets).await?;
    let (answer_status, failure) = judge(&answer);
    Ok(Plain(WebhookTest {
        delivered: failure.is_none(),
        answer_status,
        failure,
    }))
}

/// From where on to tell again: exactly one of the two.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Replay {
    /// `next` of a message, or of an answer of `GET /changes` to the same system.
    #[serde(default)]
    after: Option<Cursor>,
    /// A moment of the last 400 days.
    #[serde(default)]
    since: Option<DateTime<Utc>>,
}

/// Tell a webhook everything again from a point on, in new messages. The receiver gets each record as it is now.
///
/// 409 `webhooks_replay_from` unless exactly one of `after` and `since` is given; 409 `webhooks_replay_cursor` for a cursor
/// that is none, `webhooks_replay_kept` for what is not kept any more.
#[utoipa::path()]
#[post("/webhooks/{webhook_id}/replay")]
async fn replay_webhook(
    access: Access<Act<Webhook>>,
    app: Data<App>,
    body: Json<Replay>,
) -> Result<Committed<NoContent>> {
    access
        .write(body.bytes(), async |tx| {
            let position = match tx.valid(&body)? {
                Replay {
                    after: Some(after),
                    since: None,
                } => {
                    // Every text is as the schema says; that it is none of ours is for nobody but us to know.
                    Position::read(&after).map_err(|_| Error::Conflict("webhooks_replay_cursor".to_owned()))?;
                    after
                }
                Replay {
                    after: None,
                    since: Some(since),
                } if since < Utc::now() - TimeDelta::days(400) => {
                    return Err(Error::Conflict("webhooks_replay_kept".to_owned()));
                }
                Replay {
                    after: None,
                    since: Some(since),
                } => seen_by(&app, &tx.on, Some(since)).await?,
                _ => return Err(Error::Conflict("webhooks_replay_from".to_owned())),
            };
            tx.on.begin_at(tx.db, position.as_str()).await?;
            Ok(NoContent)
        })
        .await
}

/// Which messages.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct WebhookDeliveryQuery {
    /// To this webhook.
    webhook_id: Option<WebhookId>,
    /// `dead`: those that were given up.
    status: Option<DeliveryStatus>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List messages to the webhooks of the caller's organisation, newest first.
///
/// Each with what became of it. What was delivered is kept for 30 days, what was given up for 400.
#[utoipa::path(params(WebhookDeliveryQuery))]
#[get("/webhook-deliveries")]
async fn list_webhook_deliveries(
    access: Access<List<WebhookDelivery>>,
    Query(query): Query<WebhookDeliveryQuery>,
) -> Result<Page<WebhookDelivery>> {
    let filter = DeliveryFilter {
        webhook_id: query.webhook_id,
        status: query.status,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let deliveries = access
        .read(async |tx| Ok(WebhookDelivery::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(deliveries, query.limit, |d| d.id))
}

/// Send a message again at once: one that was given up, or one whose turn has not come.
///
/// It keeps its `webhook-id`. One that was given up is tried once more and is then delivered or given up again; one that was
/// delivered is 409 `webhook_deliveries_delivered`.
#[utoipa::path()]
#[post("/webhook-deliveries/{webhook_delivery_id}/retry")]
async fn retry_webhook_delivery(access: Access<Act<WebhookDelivery>>) -> Result<Committed<Done<WebhookDelivery>>> {
    access
        .write(&[], async |tx| {
            if tx.on.status == DeliveryStatus::Delivered {
                return Err(Error::Conflict("webhook_deliveries_delivered".to_owned()));
            }
            Ok(Done(tx.on.retry(tx.db).await?))
        })
        .await
}

// The telling.

/// Webhooks that one instance serves at a time.
const SLOTS: usize = 16;
/// Changes of a message.
const CHANGES: i32 = 100;
/// How soon it is noticed what other instances commit, and what falls due.
const TICK: Duration = Duration::from_millis(500);
/// Commits that follow each other are told together.
const PAUSE: Duration = Duration::from_millis(100);
/// No receiver's wish to be left alone is longer.
const LONGEST_WAIT: TimeDelta = TimeDelta::days(1);

/// How messages are delivered.
#[derive(Clone, Debug)]
pub struct Settings {
    pub reachable: Reachable,
    /// Time between attempts; after the last one a message is given up.
    pub schedule: Vec<Duration>,
    /// What a receiver has for its answer.
    pub limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reachable: Reachable(vec![Reach::Public]),
            schedule: Vec::new(),
            limit: Duration::from_secs(15),
        }
    }
}

impl Settings {
    /// How long a webhook stays with an instance that says nothing of itself any more.
    fn lease(&self) -> i32 {
        i32::try_from(self.limit.as_secs() * 2).unwrap_or(i32::MAX)
    }
}

/// Tells webhooks of changes for as long as the service runs. Several instances share the work.
pub async fn deliver(app: Data<App>) {
    let slots = Arc::new(Semaphore::new(SLOTS));
    let lease = app.config.webhooks.lease();
    loop {
        // Taken before looking: a commit in between wakes, too.
        let committed = app.committed.notified();
        while let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            match app.authenticator(async |db| Ok(Job::claim(db, lease).await?)).await {
                Ok(Some(job)) => {
                    let app = app.clone();
                    actix_web::rt::spawn(async move {
                        let webhook = job.webhook_id;
                        match serve(&app, job).await {
                            // Not found: somebody has changed the webhook meanwhile, or another instance has it.
                            Ok(()) | Err(Error::NotFound) => {}
                            Err(error) => tracing::warn!(%error, %webhook, "a webhook could not be served"),
                        }
                        drop(slot);
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "webhooks could not be looked for");
                    break;
                }
            }
        }
        let _ = timeout(TICK, committed).await;
        sleep(PAUSE).await;
    }
}

/// A message, where to go on when it is delivered, and what signs it.
struct Due {
    message: WebhookDelivery,
    position: String,
    secrets: Vec<Secret>,
}

/// Delivers until nothing is left or the receiver fails.
async fn serve(app: &App, mut job: Job) -> Result<()> {
    while let Some(due) = next(app, &mut job).await? {
        if !attempt(app, &mut job, due).await? {
            return Ok(());
        }
    }
    app.authenticator(async |db| Ok(job.rest(db, None).await?)).await
}

/// What is to be sent next. It is written down before it is sent: whoever has to send it again sends the same.
async fn next(app: &App, job: &mut Job) -> Result<Option<Due>> {
    let lease = app.config.webhooks.lease();
    loop {
        let due = app
            .authenticator(async |db| {
                job.hold(db, lease).await?;
                let due = WebhookDelivery::next(db, job.webhook_id).await?;
                Ok(due.zip(Some(Secret::list(db, job.webhook_id).await?)))
            })
            .await?;
        if let Some(((message, position), secrets)) = due {
            return Ok(Some(Due {
                message,
                position,
                secrets,
            }));
        }
        let Some((news, position)) = news(app, job).await? else {
            return Ok(None);
        };
        app.authenticator(async |db| {
            job.hold(db, lease).await?;
            match news {
                Some(message) => Ok(WebhookDelivery::prepare(db, job, message, position.as_str()).await?),
                None => Ok(job.advance(db, position.as_str().to_owned()).await?),
            }
        })
        .await?;
    }
}

/// What has changed for the webhook's system since its position, and the position after that; nothing to say where all of
/// it is of other kinds or hidden.
async fn news(app: &App, job: &Job) -> Result<Option<(Option<String>, Cursor)>> {
    let from = Position::read(&Cursor::from(job.position.clone()))?;
    let changes = app
        .on_behalf_of(job.client_id, job.organization_id, async |tx| {
            page(tx, Some(&from), &job.entities, CHANGES).await
        })
        .await;
    match changes {
        Ok(changes) if changes.ranges.is_empty() => Ok(None),
        Ok(mut changes) => {
            // The reader fetches them: no content leaves the service unasked.
            for item in &mut changes.items {
                item.record = None;
                item.reason = None;
            }
            let told = (!changes.items.is_empty()).then(|| {
                message(
                    "records.changed",
                    json!({ "items": changes.items, "next": changes.next }),
                )
            });
            Ok(Some((told, changes.next)))
        }
        Err(Error::Resync(resync)) => {
            let data = json!({ "organizations": resync.organizations, "next": resync.after });
            Ok(Some((Some(message("records.resync", data)), resync.after)))
        }
        // The system was switched off meanwhile.
        Err(Error::Unauthenticated | Error::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sends a message and notes what came of it; whether to go on.
async fn attempt(app: &App, job: &mut Job, due: Due) -> Result<bool> {
    let settings = &app.config.webhooks;
    let answer = send(app, &job.url, due.message.id, due.message.message.clone(), &due.secrets).await?;
    let (answer_status, failure) = judge(&answer);
    let is_retry = due.message.status == DeliveryStatus::Retry;
    let is_gone = answer_status == Some(410);
    let wait = usize::try_from(due.message.attempts)
        .ok()
        .and_then(|attempts| settings.schedule.get(attempts));
    let (status, until) = match (failure, wait) {
        (None, _) => (DeliveryStatus::Delivered, None),
        (Some(_), _) if is_retry => (DeliveryStatus::Dead, None),
        (Some(_), _) if is_gone => (DeliveryStatus::Pending, None),
        (Some(_), Some(wait)) => (DeliveryStatus::Pending, Some(not_before(*wait, &answer))),
        (Some(_), None) => (DeliveryStatus::Dead, None),
    };
    if status == DeliveryStatus::Dead {
        tracing::warn!(webhook = %job.webhook_id, delivery = %due.message.id, failure, "webhook_message_given_up");
    }
    let outcome = Attempt {
        status,
        next_attempt_at: until,
        answer_status: answer_status.and_then(|s| i16::try_from(s).ok()),
        failure,
    };
    app.authenticator(async |db| {
        job.hold(db, settings.lease()).await?;
        due.message.settle(db, outcome).await?;
        if status != DeliveryStatus::Pending && !is_retry {
            job.advance(db, due.position).await?;
        }
        if is_gone {
            Webhook::switch_off(db, job.webhook_id).await?;
        }
        if is_gone || until.is_some() {
            job.rest(db, until.or(Some(Utc::now()))).await?;
        }
        Ok(())
    })
    .await?;
    Ok(!is_gone && until.is_none())
}

/// When to try again: by the schedule, a little scattered, and not before the receiver wants it.
fn not_before(wait: Duration, answer: &Result<Answer, Failure>) -> DateTime<Utc> {
    let now = Utc::now();
    let scattered = now + wait.mul_f64(1.0 + rand::random::<f64>() / 10.0);
    let wish = answer
        .as_ref()
        .ok()
        .and_then(|a| a.retry_after.as_deref())
        .and_then(|text| {
            let seconds = text.parse().ok().and_then(TimeDelta::try_seconds);
            let moment = || DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc());
            seconds
                .map(|s| now + s.clamp(TimeDelta::zero(), LONGEST_WAIT))
                .or_else(moment)
        });
    wish.map_or(scattered, |wish| {
        wish.clamp(scattered, (now + LONGEST_WAIT).max(scattered))
    })
}

/// The HTTP status of an answer, and why it does not count as delivered.
fn judge(answer: &Result<Answer, Failure>) -> (Option<u16>, Option<&'static str>) {
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => (Some(answer.status), None),
        Ok(answer) => (Some(answer.status), Some("status")),
        Err(failure) => (None, Some(failure.as_str())),
    }
}

fn message(kind: &str, data: Value) -> String {
    json!({ "type": kind, "timestamp": Utc::now(), "data": data }).to_string()
}

async fn send(
    app: &App,
    url: &str,
    id: WebhookDeliveryId,
    body: String,
    secrets: &[Secret],
) -> Result<Result<Answer, Failure>> {
    let (id, timestamp) = (format!("msg_{id}"), Utc::now().timestamp().to_string());
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures = secrets.iter().map(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &app.keys.unseal(&secret.sealed, secret.id)?);
        Ok(format!("v1,{}", BASE64.encode(hmac::sign(&key, signed.as_bytes()))))
    });
    let signatures = signatures.collect::<Result<Vec<_>>>()?.join(" ");
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures),
    ] {
        headers.insert(name, value.parse().map_err(Error::internal)?);
    }
    let settings = &app.config.webhooks;
    Ok(settings
        .reachable
        .post(&Internet, url, headers, body, settings.limit)
        .await)
}
