//! Sign-in of councils' systems: OAuth 2.0 client credentials (RFC 6749 section 4.4), by secret or by signature
//! (RFC 7523), and the end of a token before its time (RFC 7009).

use crate::access::{App, address};
use crate::auth::{origin, throttle};
use crate::error::{Error, Refusal, Result};
use crate::http::{Done, Handmade, Plain};
use crate::password;
use crate::token::ACCESS;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{Data, Form};
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use model::ClientId;
use model::account::Failures;
use model::caller::{CallerKind, admits};
use model::client::{self, Client, KeyAlgorithm, KeyKind, PublicKey, Scope};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(issue_client_token).service(revoke_client_token);
}

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// For so long an assertion is good, whatever it says: libraries write an hour without asking.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// Clocks may differ by this much.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// An end that is nearer than this is told.
const SOON: TimeDelta = TimeDelta::days(30);

/// Parameters of a form. One that comes twice is refused, one without a value is none (RFC 6749 section 3.2).
struct Parameters(HashMap<String, String>);

impl Parameters {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromRequest for Parameters {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = Form::<Vec<(String, String)>>::from_request(request, payload);
        async move {
            let mut parameters = HashMap::new();
            for (name, value) in form.await.map_err(|_| bad_form())?.into_inner() {
                if !value.is_empty() && parameters.insert(name, value).is_some() {
                    return Err(bad_form());
                }
            }
            Ok(Self(parameters))
        }
        .boxed_local()
    }
}

pub fn bad_form() -> Error {
    refuse(
        "invalid_request",
        "bad_form",
        "the body is not a form, or names a parameter twice",
    )
}

fn refuse(error: &'static str, code: &'static str, description: impl Into<String>) -> Error {
    Error::OAuth(Refusal::new(error, code, description))
}

fn wrong() -> Error {
    refuse(
        "invalid_client",
        "client_refused",
        "client id, secret or signature are wrong",
    )
}

/// How a system signs in.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum GrantType {
    ClientCredentials,
}

/// How a signature is sent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
enum AssertionType {
    #[schema(rename = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")]
    JwtBearer,
}

/// A request for a token. The system proves who it is in one way: by its secret, in the `Authorization` header or here, or
/// by an assertion.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ClientCredentials {
    /// Always `client_credentials`.
    grant_type: GrantType,
    /// What the token is to be good for, separated by spaces; without it, all that the system may.
    #[schema(nullable = false, example = "kpis:read plans:write")]
    scope: Option<String>,
    /// The system; may stand in the `Authorization` header instead.
    #[schema(nullable = false, format = Uuid)]
    client_id: Option<String>,
    /// Its secret; may stand in the `Authorization` header instead.
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// With `client_assertion`.
    #[schema(nullable = false)]
    client_assertion_type: Option<AssertionType>,
    /// A JWT that the system has signed with its private key (EdDSA, ES256, RS256, PS256): `iss` and `sub` are its id,
    /// `aud` is the issuer or the address of this operation, `jti` another one each time. It is good until `exp`, and no
    /// longer than five minutes from `iat`; without `iat`, `exp` is at most five minutes ahead.
    #[schema(nullable = false)]
    client_assertion: Option<String>,
}

/// A token to be ended. The system proves who it is as it does for a token.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Revocation {
    /// The access token.
    token: String,
    /// Not needed: there is one kind of tokens.
    #[schema(nullable = false, example = "access_token")]
    token_type_hint: Option<String>,
    /// The system; may stand in the `Authorization` header instead.
    #[schema(nullable = false, format = Uuid)]
    client_id: Option<String>,
    /// Its secret; may stand in the `Authorization` header instead.
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// With `client_assertion`.
    #[schema(nullable = false)]
    client_assertion_type: Option<AssertionType>,
    /// A JWT that the system has signed.
    #[schema(nullable = false)]
    client_assertion: Option<String>,
}

/// A fresh access token of a system.
#[derive(Serialize, ToSchema)]
struct ClientToken {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// How the token is sent.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until it ends.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it is good for; absent, if it is for all that the role of the system may.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "kpis:read plans:write")]
    scope: Option<String>,
    /// The system, or the secret it came with, ends at this moment, which is less than 30 days away: time to renew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_expires_at: Option<DateTime<Utc>>,
}

/// The token is good no more; there is nothing to say.
#[derive(Serialize, ToSchema)]
struct Ended {}

/// Token for a council's system (OAuth 2.0 client credentials, RFC 6749 section 4.4).
///
/// `client_secret_basic`, `client_secret_post` or `private_key_jwt` (RFC 7523), form-encoded. Wrong secrets are throttled
/// per system and per address: `429` with `Retry-After`.
#[utoipa::path(
    request_body(content = ClientCredentials, content_type = "application/x-www-form-urlencoded"),
    security(())
)]
#[post("/oauth/token")]
async fn issue_client_token(
    app: Data<App>,
    request: HttpRequest,
    form: Parameters,
) -> Result<Handmade<Plain<ClientToken>>> {
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => {
            let description = "grant_type must be client_credentials";
            return Err(refuse("unsupported_grant_type", "unsupported_grant_type", description));
        }
        None => {
            return Err(refuse(
                "invalid_request",
                "unsupported_grant_type",
                "grant_type is missing",
            ));
        }
    }
    let proven = authenticate(&app, &request, &form).await?;
    let client = &proven.client;
    let scope = scope(form.get("scope"), &client.fields.scopes)?;
    let access_token = app.keys.issue(
        &app.config.public_url,
        CallerKind::Client,
        client.id.0,
        client.owner_org_id,
        None,
        scope.clone(),
    )?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(ClientToken {
            access_token,
            token_type: "Bearer",
            expires_in: ACCESS.num_seconds(),
            scope,
            credential_expires_at: proven.expires_at.filter(|at| *at < Utc::now() + SOON),
        })
        .into())
}

/// End an access token before its time (RFC 7009).
///
/// It is refused from now on, by every instance of the service. A token that is not good any more, or never was, is
/// answered the same.
#[utoipa::path(
    request_body(content = Revocation, content_type = "application/x-www-form-urlencoded"),
    security(())
)]
#[post("/oauth/revoke")]
async fn revoke_client_token(app: Data<App>, request: HttpRequest, form: Parameters) -> Result<Handmade<Done<Ended>>> {
    let proven = authenticate(&app, &request, &form).await?;
    let token = form
        .get("token")
        .ok_or_else(|| refuse("invalid_request", "bad_form", "token is missing"))?;
    if let Some(claims) = app.keys.verify(token, &app.config.public_url) {
        if (claims.kind, claims.sub) != (CallerKind::Client, proven.client.id.0) {
            let description = "the token is another client's";
            return Err(refuse("unauthorized_client", "foreign_token", description));
        }
        let end = DateTime::from_timestamp(claims.exp, 0).unwrap_or_else(Utc::now);
        app.authenticator(async |db| Ok(client::revoke_token(db, claims.jti, end).await?))
            .await?;
    }
    Ok(HttpResponse::Ok().json(Ended {}).into())
}

/// What the service offers to systems (OAuth 2.0 authorization server metadata, RFC 8414).
pub async fn metadata(app: Data<App>) -> HttpResponse {
    let base = app.config.public_url.trim_end_matches('/');
    let methods = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let algorithms = KeyAlgorithm::ALL;
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(json!({
            "issuer": app.config.public_url,
            "token_endpoint": format!("{base}/api/v1/oauth/token"),
            "revocation_endpoint": format!("{base}/api/v1/oauth/revoke"),
            "jwks_uri": format!("{base}/api/v1/auth/jwks"),
            "scopes_supported": Scope::ALL,
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": algorithms,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
            "service_documentation": format!("{base}/api/docs/"),
            "ui_locales_supported": ["ja"],
        }))
}

/// The scope of a token: what was asked for, which must be within what the system may; else all of that.
fn scope(wanted: Option<&str>, granted: &[Scope]) -> Result<Option<String>> {
    let wanted: Option<Vec<Scope>> = wanted
        .map(|wanted| {
            let known = wanted.split(' ').map(|scope| scope.parse().ok());
            let within = |scope: &Scope| granted.is_empty() || scope.is_within(granted);
            let description =
                "not a scope of this client; GET /.well-known/oauth-authorization-server lists all there are";
            known
                .map(|scope| scope.filter(within))
                .collect::<Option<_>>()
                .ok_or_else(|| refuse("invalid_scope", "invalid_scope", description))
        })
        .transpose()?;
    let mut scopes = wanted.unwrap_or_else(|| granted.to_vec());
    scopes.sort_unstable();
    scopes.dedup();
    let names: Vec<_> = scopes.into_iter().map(Scope::as_str).collect();
    Ok(Some(names.join(" ")).filter(|scope| !scope.is_empty()))
}

/// A system that has proved who it is.
struct Proven {
    client: Client,
    /// When it, or the secret it came with, ends.
    expires_at: Option<DateTime<Utc>>,
}

/// What a system brings to prove who it is.
enum Proof {
    Secret(String),
    Assertion(String),
}

/// The system and its proof; two ways at once are refused (RFC 6749 section 2.3).
fn proof(request: &HttpRequest, form: &Parameters) -> Result<(ClientId, Proof)> {
    let header = request.headers().get(header::AUTHORIZATION);
    let named = form.get("client_id");
    let (id, proof) = match (header, form.get("client_secret"), form.get("client_assertion")) {
        (Some(header), None, None) => {
            let (id, secret) = header.to_str().ok().and_then(basic).ok_or_else(wrong)?;
            (Some(id), Proof::Secret(secret))
        }
        (None, Some(secret), None) => (named.map(str::to_owned), Proof::Secret(secret.to_owned())),
        (None, None, Some(assertion)) if form.get("client_assertion_type") == Some(ASSERTION) => {
            (subject(assertion), Proof::Assertion(assertion.to_owned()))
        }
        (None, None, None) => {
            let description = "no client authentication; send a secret or an assertion";
            return Err(refuse("invalid_client", "client_refused", description));
        }
        (None, None, Some(_)) => {
            let description = format!("client_assertion_type must be {ASSERTION}");
            return Err(refuse("invalid_request", "one_way_to_authenticate", description));
        }
        _ => {
            let description = "more than one way of client authentication";
            return Err(refuse("invalid_request", "one_way_to_authenticate", description));
        }
    };
    let id = id
        .filter(|id| named.is_none_or(|named| named == id))
        .ok_or_else(wrong)?;
    Ok((id.parse().map_err(|_| wrong())?, proof))
}

/// `client_secret_basic`. Our ids and secrets are the same before and after form encoding.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, pair) = header.split_once(' ')?;
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (id.to_owned(), secret.to_owned()))
}

/// Whose assertion it says it is; its signature is looked at later.
fn subject(assertion: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    claims["sub"].as_str().map(str::to_owned)
}

/// Finds out who asks, by whatever way he proves it, and whether he may ask from here.
async fn authenticate(app: &App, request: &HttpRequest, form: &Parameters) -> Result<Proven> {
    let (id, proof) = proof(request, form)?;
    // A stranger who makes up signatures must not lock the system out; one who guesses secrets is slowed down for it, too.
    let mut subjects = vec![(origin(app, request), 30)];
    if matches!(proof, Proof::Secret(_)) {
        subjects.push((format!("client {id}"), 10));
    }
    let found = app
        .authenticator(async |db| {
            for (subject, free) in &subjects {
                throttle(Failures::of(db, subject).await?, *free)?;
            }
            match Client::find(db, id).await {
                Ok(client) => Ok(Some((client.secrets(db).await?, client))),
                Err(model::Error::NotFound) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
        .await?;
    let (secrets, client) = found.map_or_else(|| (Vec::new(), None), |(secrets, client)| (secrets, Some(client)));
    let checked = match &proof {
        Proof::Secret(secret) => {
            let hashes = secrets.iter().map(|(_, hash)| hash.clone()).collect();
            let secret = password::fitting(app, secret.chars().take(128).collect(), hashes).await?;
            let secret = secret.and_then(|index| secrets.get(index)).map(|(secret, _)| secret);
            secret
                .ok_or_else(wrong)
                .map(|secret| (secret.id.to_string(), secret.fields.expires_at, None))
        }
        Proof::Assertion(assertion) => client
            .as_ref()
            .ok_or_else(wrong)
            .and_then(|client| signed(app, client, assertion))
            .map(|(kid, once)| (kid, None, Some(once))),
    };
    let ((credential, expires_at, once), client) = match (checked, client) {
        (Ok(checked), Some(client)) => (checked, client),
        (checked, _) => {
            app.authenticator(async |db| {
                for (subject, _) in &subjects {
                    Failures::count(db, subject).await?;
                }
                Ok(())
            })
            .await?;
            return Err(checked.err().unwrap_or_else(wrong));
        }
    };
    let now = Utc::now();
    if !client.fields.active || client.fields.expires_at.is_some_and(|end| end <= now) {
        let description = "the client is switched off or has expired";
        return Err(refuse("invalid_client", "client_ended", description));
    }
    if expires_at.is_some_and(|end| end <= now) {
        return Err(refuse("invalid_client", "secret_expired", "the secret has expired"));
    }
    if !admits(&client.fields.addresses, address(app, request)) {
        let description = "not from one of the addresses of this client";
        return Err(refuse("unauthorized_client", "address_refused", description));
    }
    app.authenticator(async |db| {
        if let Some((jti, end)) = &once
            && !client.take_assertion(db, jti, *end).await?
        {
            let description = "the jti was used before; every assertion needs its own";
            return Err(refuse("invalid_client", "assertion_reused", description));
        }
        Ok(client.used(db, &credential).await?)
    })
    .await?;
    Ok(Proven {
        expires_at: [expires_at, client.fields.expires_at].into_iter().flatten().min(),
        client,
    })
}

/// What an assertion says (RFC 7523 section 3). Strict: an issuer that is a list is no issuer.
#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default)]
    iat: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The name of the key that signed an assertion of this client, and the assertion's own name with the time of its end.
fn signed(app: &App, client: &Client, assertion: &str) -> Result<(String, (String, DateTime<Utc>))> {
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| wrong())?;
    let known_type = |typ: &String| ["jwt", "client-authentication+jwt"].contains(&typ.to_lowercase().as_str());
    if assertion.len() > 4096 || !header.typ.as_ref().is_none_or(known_type) || header.crit.is_some() {
        return Err(wrong());
    }
    let algorithm = match header.alg {
        Algorithm::EdDSA => KeyAlgorithm::EdDsa,
        Algorithm::ES256 => KeyAlgorithm::Es256,
        Algorithm::RS256 => KeyAlgorithm::Rs256,
        Algorithm::PS256 => KeyAlgorithm::Ps256,
        _ => return Err(wrong()),
    };
    let mut validation = Validation::new(header.alg);
    // Only the signature; what it says is checked below, to say what is wrong with it.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    // Keys are the registered ones; none that the assertion brings or points to is looked at.
    let mut keys = client.fields.public_keys.0.iter().filter(|key| {
        header.kid.as_ref().is_none_or(|kid| *kid == *key.kid)
            && key.alg.is_none_or(|alg| alg == algorithm)
            && key.kty == kind_for(algorithm)
    });
    let claims = keys.find_map(|key| {
        let verified = jsonwebtoken::decode::<Assertion>(assertion, &decoding_key(key)?, &validation);
        match verified {
            Ok(token) => Some(Ok((key, token.claims))),
            Err(error) => match error.kind() {
                ErrorKind::Json(_) => Some(Err(())),
                _ => None,
            },
        }
    });
    let unreadable = "iss, sub, aud, jti must be strings, exp, nbf and iat numbers";
    let (key, claims) = claims
        .ok_or_else(wrong)?
        .map_err(|()| refuse("invalid_client", "assertion_claims", unreadable))?;
    let end = said(app, client, &claims)?;
    Ok((key.kid.0.clone(), (claims.jti, end)))
}

/// Checks what a genuine assertion says; until when it must be remembered.
fn said(app: &App, client: &Client, claims: &Assertion) -> Result<DateTime<Utc>> {
    let id = client.id.to_string();
    let base = app.config.public_url.trim_end_matches('/');
    let here = [
        app.config.public_url.clone(),
        base.to_owned(),
        format!("{base}/api/v1/oauth/token"),
        format!("{base}/api/v1/oauth/revoke"),
    ];
    // One alone: an assertion that several servers take could be passed on from one to the other.
    let audience = match &claims.aud {
        Audience::One(audience) => Some(audience),
        Audience::Several(several) => several.first().filter(|_| several.len() == 1),
    };
    if claims.iss != id
        || claims.sub != id
        || !audience.is_some_and(|a| here.contains(a))
        || !(1..=255).contains(&claims.jti.len())
        || claims.jti.contains('\0')
    {
        let description = format!(
            "iss and sub must be {id}, aud must be {} alone, jti 1 to 255 bytes",
            app.config.public_url
        );
        return Err(refuse("invalid_client", "assertion_claims", description));
    }
    let now = Utc::now();
    // Whole seconds, which do not overflow: an end before all time is one that has passed.
    let ahead = |time: i64| time.saturating_sub(now.timestamp());
    let (longest, skew) = (LONGEST.num_seconds(), SKEW.num_seconds());
    let wrong_time = match (claims.iat, claims.nbf) {
        (Some(iat), _) if ahead(iat) > skew || ahead(iat) < -(longest + skew) => Some(("iat", iat)),
        (None, _) if ahead(claims.exp) > longest + skew => Some(("exp", claims.exp)),
        _ if ahead(claims.exp) <= -skew => Some(("exp", claims.exp)),
        (_, Some(nbf)) if ahead(nbf) > skew => Some(("nbf", nbf)),
        _ => None,
    };
    match wrong_time {
        None => Ok(now + LONGEST + SKEW + SKEW),
        Some((name, time)) => {
            let description = format!(
                "{name} is {} s from now by the clock of the server ({}); assertions are good for 300 s, and clocks may differ by 30 s: set the clock of the client",
                ahead(time),
                now.format("%Y-%m-%dT%H:%M:%SZ"),
            );
            Err(refuse("invalid_client", "assertion_time", description))
        }
    }
}

fn kind_for(algorithm: KeyAlgorithm) -> KeyKind {
    match algorithm {
        KeyAlgorithm::EdDsa => KeyKind::Okp,
        KeyAlgorithm::Es256 => KeyKind::Ec,
        KeyAlgorithm::Rs256 | KeyAlgorithm::Ps256 => KeyKind::Rsa,
    }
}

fn decoding_key(key: &PublicKey) -> Option<DecodingKey> {
    match key.kty {
        KeyKind::Okp => DecodingKey::from_ed_components(key.x.as_ref()?),
        KeyKind::Ec => DecodingKey::from_ec_components(key.x.as_ref()?, key.y.as_ref()?),
        KeyKind::Rsa => DecodingKey::from_rsa_components(key.n.as_ref()?, key.e.as_ref()?),
    }
    .ok()
}
