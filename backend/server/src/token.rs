//! Signed tokens (JWT, EdDSA) and the keys that sign them.

use crate::error::{Error, Result};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use model::account::SigningKey;
use model::caller::CallerKind;
use model::{Db, OrganizationId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use uuid::Uuid;

/// How long an access token lives.
pub const ACCESS: TimeDelta = TimeDelta::minutes(10);
/// Longest token that is looked at.
const LONGEST: usize = 4096;
/// Clocks may differ by this many seconds.
const LEEWAY: i64 = 5;
/// Most tokens that are remembered as genuine.
const REMEMBERED: usize = 20_000;
const AUDIENCE: &str = "tsunagi-api";
/// A key signs for this long; then the next start makes a new one.
const ROTATION: TimeDelta = TimeDelta::days(30);

/// What an access token says. Deserialised strictly: an issuer that is a list is no issuer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: Uuid,
    pub kind: CallerKind,
    pub org: OrganizationId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sid: Option<Uuid>,
    /// What a system may do with it, separated by spaces; without it, all that its role may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scope: Option<String>,
    pub jti: Uuid,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
}

struct Loaded {
    id: Uuid,
    public: Vec<u8>,
    verify: DecodingKey,
    sign: Option<EncodingKey>,
}

/// The keys in use, kept in memory and read anew when a token names one that is not known yet.
pub struct Keys {
    secret: [u8; 32],
    loaded: RwLock<Arc<Vec<Loaded>>>,
    /// Tokens whose signature was found genuine, by their hash. Forgotten whenever the keys are read anew.
    genuine: Mutex<HashMap<[u8; 32], Claims>>,
}

impl Keys {
    pub fn new(secret: [u8; 32]) -> Self {
        Self {
            secret,
            loaded: RwLock::new(Arc::new(Vec::new())),
            genuine: Mutex::new(HashMap::new()),
        }
    }

    /// Reads the keys; makes one when there is none or the newest has signed long enough.
    pub async fn load(&self, db: Db<'_>) -> Result<()> {
        let mut keys = SigningKey::list(db).await?;
        if keys.first().is_none_or(|k| k.active_from < Utc::now() - ROTATION) {
            self.rotate(db).await?;
            keys = SigningKey::list(db).await?;
        }
        let loaded = keys.into_iter().map(|key| self.open(key)).collect::<Result<Vec<_>>>()?;
        *self
            .loaded
            .write()
            .map_err(|_| Error::internal("a thread died with the keys"))? = Arc::new(loaded);
        if let Ok(mut genuine) = self.genuine.lock() {
            genuine.clear();
        }
        Ok(())
    }

    /// Makes a new key; tokens of the old ones stay good until they end by themselves.
    pub async fn rotate(&self, db: Db<'_>) -> Result<()> {
        let pair = Ed25519KeyPair::generate().map_err(|_| Error::internal("no randomness"))?;
        let document = pair
            .to_pkcs8v1()
            .map_err(|_| Error::internal("the key has no document"))?;
        let id = Uuid::now_v7();
        let key = SigningKey {
            id,
            public_key: pair.public_key().as_ref().to_vec(),
            private_key: self.seal(document.as_ref(), id)?,
            active_from: Utc::now(),
            retired_at: None,
        };
        key.add(db).await?;
        Ok(SigningKey::retire_others(db, id, Utc::now() + TimeDelta::days(1)).await?)
    }

    fn cipher(&self) -> Result<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &self.secret)
            .map(LessSafeKey::new)
            .map_err(|_| Error::internal("no cipher"))
    }

    /// Encrypts what the database keeps and must not be able to tell, bound to its row.
    pub fn seal(&self, document: &[u8], id: Uuid) -> Result<Vec<u8>> {
        let nonce: [u8; 12] = rand::random();
        let mut sealed = document.to_vec();
        self.cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(id.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::internal("the key cannot be encrypted"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What was sealed for this row.
    pub fn unseal(&self, sealed: &[u8], id: Uuid) -> Result<Vec<u8>> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<12>()
            .ok_or_else(|| Error::internal("a broken key or secret"))?;
        let mut document = sealed.to_vec();
        let length = self
            .cipher()?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(id.as_bytes()),
                &mut document,
            )
            .map_err(|_| {
                Error::internal(
                    "the key file does not belong to this database: its keys and secrets cannot be decrypted",
                )
            })?
            .len();
        document.truncate(length);
        Ok(document)
    }

    fn open(&self, key: SigningKey) -> Result<Loaded> {
        let opened = self.unseal(&key.private_key, key.id)?;
        Ok(Loaded {
            id: key.id,
            verify: DecodingKey::from_ed_der(&key.public_key),
            public: key.public_key,
            sign: key.retired_at.is_none().then(|| EncodingKey::from_ed_der(&opened)),
        })
    }

    fn current(&self) -> Arc<Vec<Loaded>> {
        self.loaded
            .read()
            .map_or_else(|_| Arc::new(Vec::new()), |keys| Arc::clone(&keys))
    }

    /// Signs an access token.
    pub fn issue(
        &self,
        issuer: &str,
        kind: CallerKind,
        sub: Uuid,
        org: OrganizationId,
        sid: Option<Uuid>,
        scope: Option<String>,
    ) -> Result<String> {
        let keys = self.current();
        let (key, sign) = keys
            .iter()
            .find_map(|k| k.sign.as_ref().map(|s| (k, s)))
            .ok_or_else(|| Error::internal("no signing key"))?;
        let now = Utc::now();
        let claims = Claims {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub,
            kind,
            org,
            sid,
            scope,
            jti: Uuid::now_v7(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + ACCESS).timestamp(),
        };
        jsonwebtoken::encode(&header(key.id), &claims, sign).map_err(Error::internal)
    }

    /// The claims of a token that we signed for this service and that is good now; anything else is nothing.
    ///
    /// The signature is checked once: it costs four times as much as the rest of a request before the database. The
    /// time is checked each time; whether the session goes on, the database says with each request.
    pub fn verify(&self, token: &str, issuer: &str) -> Option<Claims> {
        if token.len() > LONGEST {
            return None;
        }
        let hash: [u8; 32] = digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()?;
        if let Some(claims) = self.genuine.lock().ok()?.get(&hash) {
            let now = Utc::now().timestamp();
            return (claims.nbf - LEEWAY <= now && now < claims.exp + LEEWAY && claims.iss == issuer)
                .then(|| claims.clone());
        }
        let claims = self.verify_signed(token, issuer)?;
        let mut genuine = self.genuine.lock().ok()?;
        if genuine.len() >= REMEMBERED {
            genuine.clear();
        }
        genuine.insert(hash, claims.clone());
        Some(claims)
    }

    fn verify_signed(&self, token: &str, issuer: &str) -> Option<Claims> {
        let told = jsonwebtoken::decode_header(token).ok()?;
        let keys = self.current();
        // Compared as a whole: another type or algorithm, a key that the token brings itself, an extension that must be
        // understood are all not ours.
        let key = keys.iter().find(|k| header(k.id) == told)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = LEEWAY.unsigned_abs();
        validation.validate_nbf = true;
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        let claims = jsonwebtoken::decode::<Claims>(token, &key.verify, &validation)
            .ok()?
            .claims;
        matches!(claims.kind, CallerKind::User | CallerKind::Client).then_some(claims)
    }

    /// Public keys, as a JSON Web Key Set (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> Value {
        let keys: Vec<_> = self
            .current()
            .iter()
            .map(|k| {
                json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": k.id, "x": BASE64.encode(&k.public) })
            })
            .collect();
        json!({ "keys": keys })
    }

    /// The refresh token of a session's generation: nothing is stored, so nothing can be stolen from the database.
    pub fn refresh_token(&self, session: Uuid, generation: i32) -> String {
        let mut token = Vec::with_capacity(52);
        token.extend(session.as_bytes());
        token.extend(generation.to_be_bytes());
        let tag = hmac::sign(&self.derived_key(b"refresh token"), &token);
        token.extend(tag.as_ref());
        BASE64.encode(token)
    }

    /// Session and generation of a genuine refresh token.
    pub fn read_refresh_token(&self, token: &str) -> Option<(Uuid, i32)> {
        let bytes = BASE64.decode(token).ok()?;
        let (told, tag) = bytes.split_at_checked(20)?;
        hmac::verify(&self.derived_key(b"refresh token"), told, tag).ok()?;
        let (session, generation) = told.split_at_checked(16)?;
        Some((
            Uuid::from_slice(session).ok()?,
            i32::from_be_bytes(generation.try_into().ok()?),
        ))
    }

    /// A hash of a request. Keyed: a request may hold a password, and whoever reads the database must not be able to
    /// try guesses against it.
    pub fn fingerprint(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = hmac::Context::with_key(&self.derived_key(b"fingerprint"));
        for part in parts {
            hash.update(&part.len().to_be_bytes());
            hash.update(part);
        }
        hash.sign().as_ref().to_vec()
    }

    fn derived_key(&self, purpose: &[u8]) -> hmac::Key {
        let derive = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&derive, purpose).as_ref())
    }
}

/// The header of our tokens.
fn header(key: Uuid) -> Header {
    Header {
        typ: Some("at+jwt".to_owned()),
        kid: Some(key.to_string()),
        ..Header::new(Algorithm::EdDSA)
    }
}

/// When a session that begins now ends at the latest.
pub fn session_end() -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(12)
}
