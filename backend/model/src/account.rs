//! Accounts, roles, credentials, sessions, signing keys.
//!
//! Secrets live in tables of their own that only the service itself reaches while it signs somebody in, so no list,
//! history or feed can ever carry one.

use crate::caller::Role;
use crate::record::record;
use crate::schema::{credentials, grants, sessions, sign_in_failures, signing_keys, user_roles, users};
use crate::text::{Email, Name};
use crate::value::NaiveDate;
use crate::{Db, GrantId, OrganizationId, Result, SessionId, UserId, UserRoleId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A person with an account.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = users)]
pub struct User {
    pub id: UserId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation that keeps the account.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: UserFields,
}

/// What can be written of a person: as little as the work needs (個人情報保護法).
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct UserFields {
    /// Signs in with it; unique.
    #[validate(nested)]
    pub email: Email,
    #[validate(nested)]
    pub name: Name,
    #[serde(default)]
    #[validate(nested)]
    pub kana: Option<Name>,
    /// 役職
    #[serde(default)]
    #[validate(nested)]
    pub title: Option<Name>,
    /// 所属部署
    #[serde(default)]
    #[validate(nested)]
    pub department: Option<Name>,
    /// A closed account cannot sign in; its open sessions end at once.
    #[serde(default = "yes")]
    pub active: bool,
}

pub(crate) fn yes() -> bool {
    true
}

record!(users, User, UserId, UserFields, mutable);

/// A role of a person in the organisation that owns the row, for a time.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = user_roles)]
pub struct UserRole {
    pub id: UserRoleId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation in which the role holds.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: UserRoleFields,
}

/// What can be written of a role.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = user_roles, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct UserRoleFields {
    pub user_id: UserId,
    pub role: Role,
    /// From this day (personnel change on 1 April).
    pub valid_from: NaiveDate,
    /// Until this day; open if absent.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
}

record!(user_roles, UserRole, UserRoleId, UserRoleFields, mutable);

/// Access of a person or an organisation to one platform or plan, for a time.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = grants)]
pub struct Grant {
    pub id: GrantId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation that grants.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: GrantFields,
}

/// What can be written of a grant: exactly one of person and organisation.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = grants, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct GrantFields {
    #[serde(default)]
    pub user_id: Option<UserId>,
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// The platform or plan that may be read.
    pub scope_id: Uuid,
    pub valid_from: NaiveDate,
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
}

record!(grants, Grant, GrantId, GrantFields, mutable);

/// Which accounts.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    pub owner_org_id: Option<OrganizationId>,
    pub after: Option<(OrganizationId, Email, UserId)>,
    pub limit: i64,
}

impl User {
    /// By organisation and e-mail address.
    pub async fn list(mut db: Db<'_>, filter: UserFilter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(users::owner_org_id.eq(owner));
        }
        if let Some((owner, email, id)) = filter.after {
            query = query.filter(
                users::owner_org_id.gt(owner).or(users::owner_org_id.eq(owner).and(
                    users::email
                        .gt(email.clone())
                        .or(users::email.eq(email).and(users::id.gt(id))),
                )),
            );
        }
        query
            .order((users::owner_org_id, users::email, users::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Creates an account of another organisation (a system administrator makes the first one of each).
    pub async fn create_for(mut db: Db<'_>, owner: OrganizationId, fields: UserFields) -> Result<Self> {
        diesel::insert_into(users::table)
            .values((users::id.eq(UserId::new()), users::owner_org_id.eq(owner), fields))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

impl UserRole {
    /// Roles of a person or of an organisation, by beginning.
    pub async fn list(
        mut db: Db<'_>,
        user: Option<UserId>,
        owner: Option<OrganizationId>,
        after: Option<(NaiveDate, UserRoleId)>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(user) = user {
            query = query.filter(user_roles::user_id.eq(user));
        }
        if let Some(owner) = owner {
            query = query.filter(user_roles::owner_org_id.eq(owner));
        }
        if let Some((from, id)) = after {
            query = query.filter(
                user_roles::valid_from
                    .gt(from)
                    .or(user_roles::valid_from.eq(from).and(user_roles::id.gt(id))),
            );
        }
        query
            .order((user_roles::valid_from, user_roles::id))
            .limit(limit)
            .load(&mut db)
            .await
    }

    /// Creates a role in another organisation (a system administrator's work).
    pub async fn create_for(mut db: Db<'_>, owner: OrganizationId, fields: UserRoleFields) -> Result<Self> {
        diesel::insert_into(user_roles::table)
            .values((
                user_roles::id.eq(UserRoleId::new()),
                user_roles::owner_org_id.eq(owner),
                fields,
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

impl Grant {
    /// Grants that the caller gave or got.
    pub async fn list(mut db: Db<'_>, after: Option<(NaiveDate, GrantId)>, limit: i64) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some((from, id)) = after {
            query = query.filter(
                grants::valid_from
                    .gt(from)
                    .or(grants::valid_from.eq(from).and(grants::id.gt(id))),
            );
        }
        query
            .order((grants::valid_from, grants::id))
            .limit(limit)
            .load(&mut db)
            .await
    }
}

/// An account that tries to sign in.
#[derive(Clone, Debug, QueryableByName)]
pub struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub secret_hash: String,
    #[diesel(sql_type = SqlUuid)]
    pub organization_id: OrganizationId,
}

/// Active accounts of an e-mail address with a role today. (As the authenticator.)
pub async fn candidate(mut db: Db<'_>, email: &str) -> Result<Option<Candidate>> {
    diesel::sql_query(
        "select u.id, c.secret_hash, r.owner_org_id as organization_id from users u
         join credentials c on c.holder_id = u.id
         join user_roles r on r.user_id = u.id and r.valid_from <= (now() at time zone 'Asia/Tokyo')::date
          and coalesce(r.valid_to, 'infinity') >= (now() at time zone 'Asia/Tokyo')::date
         where u.email = $1 and u.active order by r.owner_org_id <> u.owner_org_id, r.valid_from limit 1",
    )
    .bind::<Text, _>(email)
    .get_result(&mut db)
    .await
    .optional()
}

/// The hashes of a holder's secrets. (As an administrator, or the holder himself.)
pub async fn secrets(mut db: Db<'_>, holder: Uuid) -> Result<Vec<String>> {
    credentials::table
        .filter(credentials::holder_id.eq(holder))
        .select(credentials::secret_hash)
        .load(&mut db)
        .await
}

/// Sets the one secret of a person.
pub async fn set_secret(mut db: Db<'_>, holder: Uuid, secret_hash: &str) -> Result<()> {
    diesel::delete(credentials::table.filter(credentials::holder_id.eq(holder)))
        .execute(&mut db)
        .await?;
    diesel::insert_into(credentials::table)
        .values((
            credentials::id.eq(Uuid::now_v7()),
            credentials::holder_id.eq(holder),
            credentials::secret_hash.eq(secret_hash),
        ))
        .execute(&mut db)
        .await
        .map(|_| ())
}

/// Failures of a subject (an e-mail address, an address of a caller) and the moment of the last one.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = sign_in_failures)]
pub struct Failures {
    pub failures: i32,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
}

impl Failures {
    pub async fn of(mut db: Db<'_>, subject: &str) -> Result<Option<Self>> {
        Self::query()
            .filter(sign_in_failures::subject.eq(subject))
            .first(&mut db)
            .await
            .optional()
    }

    /// Counts one more; a day after the first one counting starts anew.
    pub async fn count(mut db: Db<'_>, subject: &str) -> Result<()> {
        diesel::sql_query(
            "insert into sign_in_failures as f (subject, failures) values ($1, 1)
             on conflict (subject) do update set
               failures = case when f.first_at < now() - interval '1 day' then 1 else f.failures + 1 end,
               first_at = case when f.first_at < now() - interval '1 day' then now() else f.first_at end,
               last_at = now()",
        )
        .bind::<Text, _>(subject)
        .execute(&mut db)
        .await
        .map(|_| ())
    }

    pub async fn forget(mut db: Db<'_>, subject: &str) -> Result<()> {
        diesel::delete(sign_in_failures::table.find(subject))
            .execute(&mut db)
            .await
            .map(|_| ())
    }
}

/// A sign-in of a person.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub id: SessionId,
    pub actor_id: Uuid,
    pub organization_id: OrganizationId,
    pub generation: i32,
    pub rotated_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Session {
    pub async fn open(
        mut db: Db<'_>,
        actor: Uuid,
        organization: OrganizationId,
        expires_at: DateTime<Utc>,
    ) -> Result<Self> {
        diesel::insert_into(sessions::table)
            .values((
                sessions::id.eq(SessionId::new()),
                sessions::actor_id.eq(actor),
                sessions::organization_id.eq(organization),
                sessions::expires_at.eq(expires_at),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }

    /// The session, locked: two tabs that refresh at once come one after the other.
    pub async fn lock(mut db: Db<'_>, id: SessionId) -> Result<Option<Self>> {
        Self::query().find(id).for_update().first(&mut db).await.optional()
    }

    pub async fn rotate(&self, mut db: Db<'_>) -> Result<Self> {
        diesel::update(sessions::table.find(self.id))
            .set((
                sessions::generation.eq(self.generation + 1),
                sessions::rotated_at.eq(diesel::dsl::now),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }

    pub async fn revoke(mut db: Db<'_>, id: SessionId) -> Result<()> {
        diesel::update(sessions::table.find(id))
            .set(sessions::revoked_at.eq(diesel::dsl::now))
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Ends the sessions of a person (changed password, closed account), but for the one to keep.
    pub async fn revoke_all(mut db: Db<'_>, actor: Uuid, keep: Option<Uuid>) -> Result<()> {
        diesel::update(
            sessions::table
                .filter(sessions::actor_id.eq(actor))
                .filter(sessions::id.ne(keep.unwrap_or_default()))
                .filter(sessions::revoked_at.is_null()),
        )
        .set(sessions::revoked_at.eq(diesel::dsl::now))
        .execute(&mut db)
        .await
        .map(|_| ())
    }
}

/// A key that signs tokens. The private half is encrypted.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
pub struct SigningKey {
    pub id: Uuid,
    pub public_key: Vec<u8>,
    pub private_key: Vec<u8>,
    pub active_from: DateTime<Utc>,
    pub retired_at: Option<DateTime<Utc>>,
}

impl SigningKey {
    /// Keys that sign or whose tokens may still be in use, newest first.
    pub async fn list(mut db: Db<'_>) -> Result<Vec<Self>> {
        Self::query()
            .filter(
                signing_keys::retired_at
                    .is_null()
                    .or(signing_keys::retired_at.gt(diesel::dsl::now)),
            )
            .order(signing_keys::active_from.desc())
            .load(&mut db)
            .await
    }

    pub async fn add(self, mut db: Db<'_>) -> Result<()> {
        diesel::insert_into(signing_keys::table)
            .values(self)
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Older keys stay valid until tokens that they signed have ended.
    pub async fn retire_others(mut db: Db<'_>, keep: Uuid, retired_at: DateTime<Utc>) -> Result<()> {
        diesel::update(
            signing_keys::table
                .filter(signing_keys::id.ne(keep))
                .filter(signing_keys::retired_at.is_null()),
        )
        .set(signing_keys::retired_at.eq(retired_at))
        .execute(&mut db)
        .await
        .map(|_| ())
    }
}

/// Founds the operator's organisation and its first administrator, who can then make all others. Only on a database
/// without accounts; for `server create-admin`, with a connection of the owner.
pub async fn bootstrap(
    mut db: Db<'_>,
    organization: &str,
    email: &Email,
    name: &str,
    secret_hash: &str,
) -> Result<bool> {
    let made = diesel::sql_query(
        "with operator as (
           insert into organizations (id, owner_org_id, kind, name) select o, o, 'operator', $1 from gen_random_uuid() o
           where not exists (select 1 from users) returning id),
         person as (
           insert into users (id, owner_org_id, email, name) select gen_random_uuid(), id, $2, $3 from operator returning id, owner_org_id),
         role as (
           insert into user_roles (id, owner_org_id, user_id, role) select gen_random_uuid(), owner_org_id, id, 'system_admin' from person)
         insert into credentials (id, holder_id, secret_hash) select gen_random_uuid(), id, $4 from person",
    )
    .bind::<Text, _>(organization)
    .bind::<Text, _>(&email.0)
    .bind::<Text, _>(name)
    .bind::<Text, _>(secret_hash)
    .execute(&mut db)
    .await?;
    Ok(made == 1)
}
