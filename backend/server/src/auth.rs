//! Sign-in of people: refresh cookie on two routes, access token in memory.

use crate::access::{Access, App, SignedIn, address, permissions};
use crate::error::{Error, Result};
use crate::http::{Handmade, Json, NoContent, Plain};
use crate::password;
use crate::token::{ACCESS, session_end};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use chrono::{TimeDelta, Utc};
use model::account::{self, Failures, Session};
use model::caller::{CallerKind, Role};
use model::text::Email;
use model::{OrganizationId, SessionId};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(sign_in).service(refresh_session).service(sign_out);
    cfg.service(read_me).service(read_keys);
}

/// The cookie that carries the refresh token; the prefix makes browsers insist on Secure and the exact host.
const COOKIE: &str = "__Host-tsunagi";
/// A session that was idle for so long is over.
const IDLE: TimeDelta = TimeDelta::minutes(60);
/// Two tabs that refresh within this time get the same successor.
const GRACE: TimeDelta = TimeDelta::seconds(10);

#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct SignIn {
    #[validate(nested)]
    email: Email,
    /// At most 128 characters.
    #[validate(length(max = 128))]
    #[schema(max_length = 128, format = Password)]
    password: String,
}

/// A fresh access token and whose it is.
#[derive(Serialize, ToSchema)]
pub struct AccessToken {
    /// Send it as `Authorization: Bearer …`; keep it in memory only.
    access_token: String,
    /// How the token is sent.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until it ends.
    #[schema(example = 600)]
    expires_in: i64,
}

/// Sign in with e-mail address and password.
///
/// Answers with an access token of ten minutes and sets the refresh cookie. Failures are throttled per account and
/// per address: `429` with `Retry-After`.
#[utoipa::path(security(()))]
#[post("/auth/sign-in")]
async fn sign_in(app: Data<App>, request: HttpRequest, body: Json<SignIn>) -> Result<Handmade<Plain<AccessToken>>> {
    let SignIn { email, password } = body.parse()?;
    let subjects = [format!("account {}", email.0), origin(&app, &request)];
    let candidate = app
        .authenticator(async |db| {
            for (subject, free) in subjects.iter().zip([3, 30]) {
                throttle(Failures::of(db, subject).await?, free)?;
            }
            Ok(account::candidate(db, &email.0).await?)
        })
        .await?;
    let hashes = candidate.iter().map(|c| c.secret_hash.clone()).collect();
    let fits = password::fits(&app, password, hashes).await?;
    let Some(candidate) = candidate.filter(|_| fits) else {
        app.authenticator(async |db| {
            for subject in &subjects {
                Failures::count(db, subject).await?;
            }
            Ok(())
        })
        .await?;
        return Err(Error::WrongCredentials);
    };
    let session = app
        .authenticator(async |db| {
            Failures::forget(db, &subjects[0]).await?;
            Ok(Session::open(db, candidate.id, candidate.organization_id, session_end()).await?)
        })
        .await?;
    signed_in(&app, &session)
}

/// After some free tries each further one waits longer: 1, 3, 5, 10 s; a hundred a day is the end.
pub(crate) fn throttle(failures: Option<Failures>, free: i32) -> Result<()> {
    let Some(failures) = failures.filter(|f| f.first_at > Utc::now() - TimeDelta::days(1)) else {
        return Ok(());
    };
    let wait = match failures.failures - free {
        i32::MIN..0 => 0,
        0..6 => 3,
        6..22 => 5,
        22..97 => 10,
        _ => 3600,
    };
    let left = (failures.last_at + TimeDelta::seconds(wait) - Utc::now()).num_milliseconds();
    if left > 0 {
        Err(Error::TooMany(u64::try_from(left / 1000 + 1).unwrap_or(1)))
    } else {
        Ok(())
    }
}

/// Who is calling, for counting: IPv6 by network, since a single caller owns a whole one.
pub(crate) fn origin(app: &App, request: &HttpRequest) -> String {
    match address(app, request) {
        Some(IpAddr::V6(v6)) => format!("address {:x?}", &v6.segments()[..4]),
        Some(v4) => format!("address {v4}"),
        None => "address unknown".to_owned(),
    }
}

/// Exchange the refresh cookie for a new access token.
///
/// The cookie is replaced with each use; one that was used before ends the session, because somebody else has it.
/// For the service's own pages: `Content-Type: application/json`, `X-Requested-By: tsunagi` and their own `Origin`.
#[utoipa::path(security(()))]
#[post("/auth/refresh")]
async fn refresh_session(app: Data<App>, request: HttpRequest) -> Result<Handmade<Plain<AccessToken>>> {
    same_origin(&app, &request)?;
    let (id, generation) = cookie(&app, &request).ok_or(Error::Unauthenticated)?;
    let session = app
        .authenticator(async |db| {
            let Some(session) = Session::lock(db, id).await? else {
                return Ok(None);
            };
            let now = Utc::now();
            if session.revoked_at.is_some() || session.expires_at < now || session.rotated_at < now - IDLE {
                return Ok(None);
            }
            if generation == session.generation {
                return Ok(Some(session.rotate(db).await?));
            }
            if generation == session.generation - 1 && session.rotated_at > now - GRACE {
                return Ok(Some(session));
            }
            tracing::warn!(session = %session.id, "authn_token_reuse");
            Session::revoke(db, session.id).await?;
            Ok(None)
        })
        .await?;
    signed_in(&app, &session.ok_or(Error::Unauthenticated)?)
}

/// Sign out: the session ends at once, on every tab.
///
/// For the service's own pages: `Content-Type: application/json`, `X-Requested-By: tsunagi` and their own `Origin`.
#[utoipa::path(security(()))]
#[post("/auth/sign-out")]
async fn sign_out(app: Data<App>, request: HttpRequest) -> Result<Handmade<NoContent>> {
    same_origin(&app, &request)?;
    if let Some((id, _)) = cookie(&app, &request) {
        app.authenticator(async |db| Ok(Session::revoke(db, id).await?)).await?;
    }
    let mut gone = refresh_cookie(String::new());
    gone.make_removal();
    Ok(HttpResponse::NoContent().cookie(gone).finish().into())
}

/// The signed-in caller.
#[derive(Serialize, ToSchema)]
struct Me {
    /// Account or system.
    id: Uuid,
    /// Its name.
    #[schema(example = "南部町 編集者")]
    name: Option<String>,
    organization_id: Option<OrganizationId>,
    /// The name of the organisation for which it acts.
    #[schema(example = "南部町")]
    organization_name: Option<String>,
    /// What that organisation is.
    #[schema(example = "municipality")]
    organization_kind: Option<String>,
    role: Role,
    /// What the role may do within the scope of the token: resource:action:relation, as in policy.toml.
    permissions: Vec<String>,
    /// Is this a demonstration?
    demo: bool,
}

/// Who am I, for whom, and what may I do?
#[utoipa::path()]
#[get("/me")]
async fn read_me(access: Access<SignedIn>, app: Data<App>) -> Result<Plain<Me>> {
    let demo = app.config.demo;
    access
        .read(async |tx| {
            let standing = tx.standing.clone();
            Ok(Plain(Me {
                id: tx.actor()?,
                name: standing.actor_name,
                organization_id: tx.caller.organization,
                organization_name: standing.org_name,
                organization_kind: standing.org_kind,
                role: standing.role,
                permissions: permissions(standing.role, tx.rights),
                demo,
            }))
        })
        .await
}

/// JSON Web Key Set.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct KeySet {
    /// Keys that sign, and keys whose tokens may still be in use.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// Public keys that verify access tokens (JSON Web Key Set, RFC 7517).
#[utoipa::path(security(()))]
#[get("/auth/jwks")]
async fn read_keys(app: Data<App>) -> Handmade<Plain<KeySet>> {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(app.keys.jwks())
        .into()
}

fn signed_in(app: &App, session: &Session) -> Result<Handmade<Plain<AccessToken>>> {
    let token = app.keys.issue(
        &app.config.public_url,
        CallerKind::User,
        session.actor_id,
        session.organization_id,
        Some(session.id.0),
        None,
    )?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(refresh_cookie(app.keys.refresh_token(session.id.0, session.generation)))
        .json(access_token(token))
        .into())
}

fn access_token(access_token: String) -> AccessToken {
    AccessToken {
        access_token,
        token_type: "Bearer",
        expires_in: ACCESS.num_seconds(),
    }
}

fn refresh_cookie(value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

fn cookie(app: &App, request: &HttpRequest) -> Option<(SessionId, i32)> {
    let (session, generation) = app.keys.read_refresh_token(request.cookie(COOKIE)?.value())?;
    Some((SessionId(session), generation))
}

/// The two routes that read a cookie answer only to our own pages.
fn same_origin(app: &App, request: &HttpRequest) -> Result<()> {
    let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let json = text("content-type").is_some_and(|t| t.starts_with("application/json"));
    let fetched = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let own = |origin: &str| {
        origin == app.config.public_url.trim_end_matches('/')
            || text("host")
                .is_some_and(|host| origin.strip_prefix("http://").or(origin.strip_prefix("https://")) == Some(host))
    };
    if json && fetched && text("origin").is_some_and(own) && text("x-requested-by") == Some("tsunagi") {
        Ok(())
    } else {
        Err(Error::ForeignOrigin)
    }
}
