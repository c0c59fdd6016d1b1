//! Councils' systems, looked after by the administrators of their organisation.

use crate::access::{Access, Act, App, Create, Delete, Edit, List, Read};
use crate::error::{Error, Result};
use crate::http::{
    Committed, Created, Cursor, Issued, Json, NoContent, Page, Patch, Plain, Query, Secret, Tagged, Updated, after,
    default_limit,
};
use crate::password;
use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, Utc};
use model::client::{Client, ClientFields, ClientSecret, ClientUse};
use model::{ClientId, ClientSecretId};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_clients).service(create_client).service(read_client);
    cfg.service(update_client)
        .service(delete_client)
        .service(list_client_uses);
    cfg.service(issue_client_secret)
        .service(list_client_secrets)
        .service(read_client_secret)
        .service(delete_client_secret);
}

/// Which clients.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ClientQuery {
    /// Only those that end before this moment, or of which a secret does: they are to be renewed.
    expires_before: Option<DateTime<Utc>>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List systems of the caller's organisation, in the order of their making.
#[utoipa::path(params(ClientQuery))]
#[get("/clients")]
async fn list_clients(access: Access<List<Client>>, Query(query): Query<ClientQuery>) -> Result<Page<Client>> {
    let after = after(query.after.as_ref())?;
    let clients = access
        .read(async |tx| Ok(Client::list(tx.db, query.expires_before, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(clients, query.limit, |c| c.id))
}

/// Register a system of the caller's organisation. It signs in once it has a secret or a public key.
#[utoipa::path()]
#[post("/clients")]
async fn create_client(access: Access<Create<Client>>, body: Json<ClientFields>) -> Result<Committed<Created<Client>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Client::create(tx.db, usable(tx.valid(&body)?)?).await?))
        })
        .await
}

/// Read a system.
#[utoipa::path()]
#[get("/clients/{client_id}")]
async fn read_client(access: Access<Read<Client>>) -> Result<Tagged<Client>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a system (JSON merge patch).
///
/// All of it takes effect at once: one that is not active is refused with the tokens that it has, one whose scopes or
/// addresses were narrowed with what it may not do any more, and a key that was taken out verifies nothing.
#[utoipa::path()]
#[patch("/clients/{client_id}")]
async fn update_client(
    access: Access<Edit<Client>>,
    body: Json<Patch<ClientFields>>,
) -> Result<Committed<Updated<Client>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(
                tx.on.update(tx.db, usable(body.patched(&tx.on.fields)?)?).await?,
            ))
        })
        .await
}

/// Delete a system with its secrets.
#[utoipa::path()]
#[delete("/clients/{client_id}")]
async fn delete_client(access: Access<Delete<Client>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Public keys can be used, and each has a name of its own.
fn usable(fields: ClientFields) -> Result<ClientFields> {
    let mut names = HashSet::new();
    let keys = &fields.public_keys.0;
    if keys.iter().all(|key| key.is_whole() && names.insert(&*key.kid)) {
        Ok(fields)
    } else {
        Err(Error::Conflict("clients_public_keys".to_owned()))
    }
}

/// When a system got tokens.
#[derive(Serialize, ToSchema)]
struct ClientUses {
    /// One for each secret and key, the last use first.
    items: Vec<ClientUse>,
}

/// List when a system last got a token, with which secret or key.
///
/// What is not used any more can be ended without harm.
#[utoipa::path()]
#[get("/clients/{client_id}/uses")]
async fn list_client_uses(access: Access<Read<Client>>) -> Result<Plain<ClientUses>> {
    access
        .read(async |tx| {
            Ok(Plain(ClientUses {
                items: tx.on.uses(tx.db).await?,
            }))
        })
        .await
}

/// What is wanted of a new secret.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NewClientSecret {
    /// It is refused after this moment.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// A secret with which a system signs in at `/oauth/token`.
#[derive(Serialize, ToSchema)]
struct IssuedClientSecret {
    /// The secret's own id, to end it by.
    id: ClientSecretId,
    /// The system.
    client_id: ClientId,
    /// Shown once; null when the request is repeated with the same idempotency key.
    client_secret: Option<String>,
    /// It is refused after this moment.
    expires_at: Option<DateTime<Utc>>,
}

impl Secret for IssuedClientSecret {
    fn withheld(&self) -> Self {
        Self {
            client_secret: None,
            ..*self
        }
    }
}

/// Issue a secret for a system.
///
/// The secret before it stays good, so that the system can change over; the one before that ends.
#[utoipa::path()]
#[post("/clients/{client_id}/secrets")]
async fn issue_client_secret(
    access: Access<Act<Client>>,
    app: Data<App>,
    body: Json<NewClientSecret>,
) -> Result<Committed<Issued<IssuedClientSecret>>> {
    access
        .write(body.bytes(), async |tx| {
            let NewClientSecret { expires_at } = tx.valid(&body)?;
            let secret = BASE64.encode(rand::random::<[u8; 32]>());
            let hash = password::hash(&app, secret.clone()).await?;
            let issued = tx.on.issue_secret(tx.db, expires_at, &hash).await?;
            Ok(Issued(IssuedClientSecret {
                id: issued.id,
                client_id: tx.on.id,
                client_secret: Some(secret),
                expires_at,
            }))
        })
        .await
}

/// Which secrets.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ClientSecretQuery {
    /// Of this system.
    client_id: Option<ClientId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List secrets of systems: when they were issued and until when they are good, in the order of their issue.
#[utoipa::path(params(ClientSecretQuery))]
#[get("/client-secrets")]
async fn list_client_secrets(
    access: Access<List<ClientSecret>>,
    Query(query): Query<ClientSecretQuery>,
) -> Result<Page<ClientSecret>> {
    let after = after(query.after.as_ref())?;
    let secrets = access
        .read(async |tx| Ok(ClientSecret::list(tx.db, query.client_id, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(secrets, query.limit, |s| s.id))
}

/// Read what is known of a secret; not the secret.
#[utoipa::path()]
#[get("/client-secrets/{client_secret_id}")]
async fn read_client_secret(access: Access<Read<ClientSecret>>) -> Result<Tagged<ClientSecret>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// End a secret: it is refused from now on. Tokens that were got with it end by themselves, within ten minutes.
///
/// To end them too, switch the system off (`active`: false).
#[utoipa::path()]
#[delete("/client-secrets/{client_secret_id}")]
async fn delete_client_secret(access: Access<Delete<ClientSecret>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
