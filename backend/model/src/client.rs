//! Councils' systems: how each proves who it is, and what it may do with that.

use crate::account::yes;
use crate::record::record;
use crate::schema::{client_assertions, client_secrets, client_uses, clients, credentials, revoked_tokens};
use crate::text::{KeyId, KeyNumber, Name, Network, text_enum};
use crate::value::List;
use crate::{ClientId, ClientSecretId, Db, OrganizationId, Result};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

text_enum! {
    /// What a system may do: read records of a kind, or read and write them. A kind stands for the sheet with all below
    /// it; policy.toml says what each covers.
    Scope {
        OrganizationsRead = "organizations:read",
        OrganizationsWrite = "organizations:write",
        PlatformsRead = "platforms:read",
        PlatformsWrite = "platforms:write",
        ProjectsRead = "projects:read",
        ProjectsWrite = "projects:write",
        PlansRead = "plans:read",
        PlansWrite = "plans:write",
        KpisRead = "kpis:read",
        KpisWrite = "kpis:write",
        MunicipalityFactsRead = "municipality_facts:read",
        MunicipalityFactsWrite = "municipality_facts:write",
        FindingNotesRead = "finding_notes:read",
        FindingNotesWrite = "finding_notes:write",
        ExternalIdsRead = "external_ids:read",
        ExternalIdsWrite = "external_ids:write",
        AccountsRead = "accounts:read",
        /// Imports and the sync log; their rows are of every kind that the system, not the token, may write.
        SyncRead = "sync:read",
        SyncWrite = "sync:write",
    }
    /// Kind of a public key.
    KeyKind {
        /// Ed25519
        Okp = "OKP",
        /// P-256
        Ec = "EC",
        /// RSA of 2,048 bits or more
        Rsa = "RSA",
    }
    /// Curve of a public key that has one.
    Curve {
        Ed25519 = "Ed25519",
        P256 = "P-256",
    }
    /// How assertions are signed: always with a private key.
    KeyAlgorithm {
        EdDsa = "EdDSA",
        Es256 = "ES256",
        Rs256 = "RS256",
        Ps256 = "PS256",
    }
    /// What a key is for.
    KeyUse {
        Signature = "sig",
    }
}

impl Scope {
    /// The kinds it covers, by their name in policy.toml, and whether for writing, too.
    pub fn parts(self) -> (&'static str, bool) {
        let (kinds, action) = self.as_str().split_once(':').unwrap_or_default();
        (kinds, action == "write")
    }

    /// Is this part of what `granted` allows?
    pub fn is_within(self, granted: &[Self]) -> bool {
        let (kinds, writes) = self.parts();
        granted.iter().any(|scope| {
            let (granted_kinds, granted_writes) = scope.parts();
            kinds == granted_kinds && (granted_writes || !writes)
        })
    }
}

/// A public key (JSON Web Key, RFC 7517) whose private half only the system has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    #[validate(nested)]
    pub kid: KeyId,
    pub kty: KeyKind,
    /// Of `OKP` and `EC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<Curve>,
    /// Of `OKP` and `EC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub x: Option<KeyNumber>,
    /// Of `EC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub y: Option<KeyNumber>,
    /// Modulus of `RSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub n: Option<KeyNumber>,
    /// Exponent of `RSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub e: Option<KeyNumber>,
    /// The only algorithm for which it is good, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<KeyAlgorithm>,
    /// Always for signatures.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<KeyUse>,
}

impl PublicKey {
    /// Numbers of the key must be there, of the right length, and no others.
    pub fn is_whole(&self) -> bool {
        // Characters of base64url: 43 are 32 bytes, 342 are 256.
        let long = |number: &Option<KeyNumber>, least: usize, most: usize| {
            number.as_ref().is_some_and(|n| (least..=most).contains(&n.len()))
        };
        let algorithms: &[KeyAlgorithm] = match self.kty {
            KeyKind::Okp => &[KeyAlgorithm::EdDsa],
            KeyKind::Ec => &[KeyAlgorithm::Es256],
            KeyKind::Rsa => &[KeyAlgorithm::Rs256, KeyAlgorithm::Ps256],
        };
        self.alg.is_none_or(|alg| algorithms.contains(&alg))
            && match self.kty {
                KeyKind::Okp => self.crv == Some(Curve::Ed25519) && long(&self.x, 43, 43) && self.y.is_none(),
                KeyKind::Ec => self.crv == Some(Curve::P256) && long(&self.x, 43, 43) && long(&self.y, 43, 43),
                KeyKind::Rsa => self.crv.is_none() && self.x.is_none() && self.y.is_none(),
            }
            && match self.kty {
                KeyKind::Rsa => long(&self.n, 342, 1024) && long(&self.e, 1, 6),
                _ => self.n.is_none() && self.e.is_none(),
            }
    }
}

/// A council's system, which signs in with client credentials.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = clients)]
pub struct Client {
    pub id: ClientId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation for which it acts.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ClientFields,
}

/// What can be written of a client.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = clients, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct ClientFields {
    #[validate(nested)]
    pub name: Name,
    /// One that is not active is refused at once, with the tokens that it has.
    #[serde(default = "yes")]
    pub active: bool,
    /// It cannot sign in after this moment, and its tokens end.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// What it may read and write at most; without any, all that its role may. Takes effect at once.
    #[serde(default)]
    #[validate(length(max = 20))]
    #[schema(max_items = 20)]
    pub scopes: Vec<Scope>,
    /// Addresses and networks from which it may call; without any, from everywhere. Takes effect at once.
    #[serde(default)]
    #[validate(nested, length(max = 50))]
    #[schema(max_items = 50, example = json!(["203.0.113.0/24", "2001:db8:1::/48"]))]
    pub addresses: Vec<Network>,
    /// Keys that verify its assertions (`private_key_jwt`); several, so that it can change over from one to the next.
    #[serde(default)]
    #[validate(nested, length(max = 5))]
    #[schema(value_type = Vec<PublicKey>, max_items = 5)]
    pub public_keys: PublicKeys,
}

/// Keys of a client.
pub type PublicKeys = List<PublicKey>;

record!(clients, Client, ClientId, ClientFields, mutable);

/// A secret with which a system signs in. What it is nobody can read: the service keeps its hash.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = client_secrets)]
pub struct ClientSecret {
    pub id: ClientSecretId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation of the system.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ClientSecretFields,
}

/// What is known of a secret.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = client_secrets, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct ClientSecretFields {
    /// The system.
    pub client_id: ClientId,
    /// It is refused after this moment.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

record!(
    client_secrets,
    ClientSecret,
    ClientSecretId,
    ClientSecretFields,
    mutable
);

/// When a system last got a token.
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = client_uses)]
pub struct ClientUse {
    /// With what: the id of a secret, or the `kid` of a key.
    #[schema(example = "2026-04")]
    pub credential: String,
    /// To the minute.
    pub used_at: DateTime<Utc>,
}

impl Client {
    /// Clients of the caller's organisation; if so asked, those that end before a moment, or one of whose secrets does.
    pub async fn list(
        mut db: Db<'_>,
        expires_before: Option<DateTime<Utc>>,
        after: Option<ClientId>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(moment) = expires_before {
            let ending = client_secrets::table
                .filter(client_secrets::expires_at.lt(moment))
                .select(client_secrets::client_id);
            query = query.filter(clients::expires_at.lt(moment).or(clients::id.eq_any(ending)));
        }
        if let Some(after) = after {
            query = query.filter(clients::id.gt(after));
        }
        query.order(clients::id).limit(limit).load(&mut db).await
    }

    /// Its secrets with their hashes. (As the authenticator.)
    pub async fn secrets(&self, mut db: Db<'_>) -> Result<Vec<(ClientSecret, String)>> {
        client_secrets::table
            .inner_join(credentials::table.on(credentials::id.eq(client_secrets::id)))
            .filter(client_secrets::client_id.eq(self.id))
            .select((ClientSecret::as_select(), credentials::secret_hash))
            .load(&mut db)
            .await
    }

    /// Adds a secret; the newest before it stays good, older ones end.
    pub async fn issue_secret(
        &self,
        mut db: Db<'_>,
        expires_at: Option<DateTime<Utc>>,
        secret_hash: &str,
    ) -> Result<ClientSecret> {
        let older: Vec<ClientSecretId> = client_secrets::table
            .filter(client_secrets::client_id.eq(self.id))
            .order((client_secrets::created_at.desc(), client_secrets::id.desc()))
            .offset(1)
            .select(client_secrets::id)
            .load(&mut db)
            .await?;
        diesel::delete(client_secrets::table.filter(client_secrets::id.eq_any(older)))
            .execute(&mut db)
            .await?;
        let fields = ClientSecretFields {
            client_id: self.id,
            expires_at,
        };
        let secret = ClientSecret::create(db, fields).await?;
        diesel::insert_into(credentials::table)
            .values((
                credentials::id.eq(secret.id.0),
                credentials::holder_id.eq(self.id.0),
                credentials::secret_hash.eq(secret_hash),
            ))
            .execute(&mut db)
            .await?;
        Ok(secret)
    }

    /// When it got tokens, the last use first.
    pub async fn uses(&self, mut db: Db<'_>) -> Result<Vec<ClientUse>> {
        ClientUse::query()
            .filter(client_uses::client_id.eq(self.id))
            .order((client_uses::used_at.desc(), client_uses::credential))
            .load(&mut db)
            .await
    }

    /// Remembers that it got a token with this secret or key; written at most once a minute. (As the authenticator.)
    pub async fn used(&self, mut db: Db<'_>, credential: &str) -> Result<()> {
        diesel::sql_query(
            "insert into client_uses as u (client_id, credential) values ($1, $2)
             on conflict (client_id, credential) do update set used_at = now() where u.used_at < now() - interval '1 minute'",
        )
        .bind::<SqlUuid, _>(self.id.0)
        .bind::<Text, _>(credential)
        .execute(&mut db)
        .await
        .map(|_| ())
    }

    /// Takes an assertion for use; false if it was used before. (As the authenticator.)
    pub async fn take_assertion(&self, mut db: Db<'_>, jti: &str, expires_at: DateTime<Utc>) -> Result<bool> {
        let taken = diesel::insert_into(client_assertions::table)
            .values((
                client_assertions::client_id.eq(self.id),
                client_assertions::jti.eq(jti),
                client_assertions::expires_at.eq(expires_at),
            ))
            .on_conflict_do_nothing()
            .execute(&mut db)
            .await?;
        Ok(taken == 1)
    }
}

impl ClientSecret {
    /// Secrets of a client, or of all of the caller's organisation, in the order in which they were issued.
    pub async fn list(
        mut db: Db<'_>,
        client: Option<ClientId>,
        after: Option<ClientSecretId>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(client) = client {
            query = query.filter(client_secrets::client_id.eq(client));
        }
        if let Some(after) = after {
            query = query.filter(client_secrets::id.gt(after));
        }
        query.order(client_secrets::id).limit(limit).load(&mut db).await
    }
}

/// Ends a token before its time. (As the authenticator.)
pub async fn revoke_token(mut db: Db<'_>, id: Uuid, expires_at: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(revoked_tokens::table)
        .values((revoked_tokens::id.eq(id), revoked_tokens::expires_at.eq(expires_at)))
        .on_conflict_do_nothing()
        .execute(&mut db)
        .await
        .map(|_| ())
}

/// Forgets assertions and ended tokens that would be refused for their age. (As the authenticator.)
pub async fn forget_expired(mut db: Db<'_>) -> Result<()> {
    // Clocks of several instances may differ a little.
    let long_ago = Utc::now() - TimeDelta::minutes(5);
    diesel::delete(client_assertions::table.filter(client_assertions::expires_at.lt(long_ago)))
        .execute(&mut db)
        .await?;
    diesel::delete(revoked_tokens::table.filter(revoked_tokens::expires_at.lt(long_ago)))
        .execute(&mut db)
        .await
        .map(|_| ())
}
