//! Administration: people, their roles, grants to others.

use crate::access::{Access, Act, App, Create, CreateIn, Delete, Edit, List, Read, SignedIn};
use crate::auth::throttle;
use crate::error::{Error, Result};
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use crate::password;
use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use model::account::{
    self, Failures, Grant, GrantFields, Session, User, UserFields, UserFilter, UserRole, UserRoleFields,
};
use model::caller::CallerKind;
use model::{OrganizationId, UserId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_users)
        .service(create_user)
        .service(create_user_of_organization)
        .service(read_user)
        .service(update_user)
        .service(delete_user);
    cfg.service(set_password).service(change_password);
    cfg.service(list_user_roles)
        .service(create_user_role)
        .service(create_user_role_in_organization);
    cfg.service(read_user_role)
        .service(update_user_role)
        .service(delete_user_role);
    cfg.service(list_grants).service(create_grant).service(read_grant);
    cfg.service(update_grant).service(delete_grant);
}

/// Which accounts.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct UserQuery {
    /// The organisation that keeps the accounts.
    owner_org_id: Option<OrganizationId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List accounts, by organisation and e-mail address.
///
/// Of the caller's organisation; a system administrator sees those of all.
#[utoipa::path(params(UserQuery))]
#[get("/users")]
async fn list_users(access: Access<List<User>>, Query(query): Query<UserQuery>) -> Result<Page<User>> {
    let filter = UserFilter {
        owner_org_id: query.owner_org_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let users = access.read(async |tx| Ok(User::list(tx.db, filter).await?)).await?;
    Ok(Page::new(users, query.limit, |u| {
        (u.owner_org_id, u.fields.email.clone(), u.id)
    }))
}

/// Create an account in the caller's organisation.
///
/// It can sign in once it has a password and a role.
#[utoipa::path()]
#[post("/users")]
async fn create_user(access: Access<Create<User>>, body: Json<UserFields>) -> Result<Committed<Created<User>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(User::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Create an account in another organisation.
///
/// A system administrator makes the first administrator of each organisation.
#[utoipa::path()]
#[post("/organizations/{organization_id}/users")]
async fn create_user_of_organization(
    access: Access<CreateIn<User>>,
    body: Json<UserFields>,
) -> Result<Committed<Created<User>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(User::create_for(tx.db, tx.on.id, tx.valid(&body)?).await?))
        })
        .await
}

/// Read an account.
#[utoipa::path()]
#[get("/users/{user_id}")]
async fn read_user(access: Access<Read<User>>) -> Result<Tagged<User>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change an account (JSON merge patch).
///
/// Closing it (`active`: false) ends its sessions at once.
#[utoipa::path()]
#[patch("/users/{user_id}")]
async fn update_user(access: Access<Edit<User>>, body: Json<Patch<UserFields>>) -> Result<Committed<Updated<User>>> {
    access
        .write(body.bytes(), async |tx| {
            let user = tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?;
            if !user.fields.active {
                Session::revoke_all(tx.db, user.id.0, None).await?;
            }
            Ok(Updated(user))
        })
        .await
}

/// Delete an account with its roles. Somebody who leaves is better closed: `active`: false.
#[utoipa::path()]
#[delete("/users/{user_id}")]
async fn delete_user(access: Access<Delete<User>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// A new password.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 15 to 128 characters, not easy to guess (409 `weak_password`).
    #[validate(length(min = 15, max = 128))]
    #[schema(min_length = 15, max_length = 128, format = Password)]
    password: String,
}

/// Set the password of a person.
///
/// An administrator's work; it ends all sessions of that person.
#[utoipa::path()]
#[post("/users/{user_id}/password")]
async fn set_password(
    access: Access<Act<User>>,
    app: Data<App>,
    body: Json<NewPassword>,
) -> Result<Committed<NoContent>> {
    access
        .write(body.bytes(), async |tx| {
            let NewPassword { password } = tx.valid(&body)?;
            let hash = new_hash(&app, password, &tx.on).await?;
            account::set_secret(tx.db, tx.on.id.0, &hash).await?;
            Session::revoke_all(tx.db, tx.on.id.0, None).await?;
            Ok(NoContent)
        })
        .await
}

/// The own password, replaced.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The one that is replaced.
    #[validate(length(max = 128))]
    #[schema(max_length = 128, format = Password)]
    current_password: String,
    /// 15 to 128 characters, not easy to guess (409 `weak_password`).
    #[validate(length(min = 15, max = 128))]
    #[schema(min_length = 15, max_length = 128, format = Password)]
    password: String,
}

/// Change the own password.
///
/// Ends the other sessions of the caller. A wrong current password is 403 `wrong_credentials`, and throttled as at
/// sign-in.
#[utoipa::path()]
#[post("/me/password")]
async fn change_password(
    access: Access<SignedIn>,
    app: Data<App>,
    body: Json<PasswordChange>,
) -> Result<Committed<NoContent>> {
    let subject = format!("password {}", access.holder()?);
    app.authenticator(async |db| throttle(Failures::of(db, &subject).await?, 3))
        .await?;
    let result = access
        .write(body.bytes(), async |tx| {
            if tx.caller.kind != CallerKind::User {
                return Err(Error::Forbidden);
            }
            let change = tx.valid(&body)?;
            let user = User::find(tx.db, tx.actor()?.into()).await?;
            let hashes = account::secrets(tx.db, user.id.0).await?;
            if !password::fits(&app, change.current_password, hashes).await? {
                return Err(Error::WrongPassword);
            }
            let hash = new_hash(&app, change.password, &user).await?;
            account::set_secret(tx.db, user.id.0, &hash).await?;
            Session::revoke_all(tx.db, user.id.0, tx.caller.session).await?;
            Ok(NoContent)
        })
        .await;
    // Counted outside: the failure itself was rolled back.
    match &result {
        Err(Error::WrongPassword) => {
            app.authenticator(async |db| Ok(Failures::count(db, &subject).await?))
                .await?
        }
        Ok(_) => {
            app.authenticator(async |db| Ok(Failures::forget(db, &subject).await?))
                .await?
        }
        Err(_) => {}
    }
    result
}

async fn new_hash(app: &App, password: String, user: &User) -> Result<String> {
    if !password::acceptable(&password, &user.fields.email) {
        return Err(Error::Conflict("weak_password".to_owned()));
    }
    password::hash(app, password).await
}

/// Which roles.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct UserRoleQuery {
    /// Of this person.
    user_id: Option<UserId>,
    /// In this organisation.
    owner_org_id: Option<OrganizationId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List roles, by their first day.
#[utoipa::path(params(UserRoleQuery))]
#[get("/user-roles")]
async fn list_user_roles(access: Access<List<UserRole>>, Query(query): Query<UserRoleQuery>) -> Result<Page<UserRole>> {
    let after = after(query.after.as_ref())?;
    let roles = access
        .read(async |tx| Ok(UserRole::list(tx.db, query.user_id, query.owner_org_id, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(roles, query.limit, |r| (r.fields.valid_from, r.id)))
}

/// Give a person a role in the caller's organisation.
///
/// The role fits the kind of the organisation (409 `user_roles_fits_organization`); a person has one role there at a
/// time (409 `user_roles_no_overlap`).
#[utoipa::path()]
#[post("/user-roles")]
async fn create_user_role(
    access: Access<Create<UserRole>>,
    body: Json<UserRoleFields>,
) -> Result<Committed<Created<UserRole>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(UserRole::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Give a person a role in another organisation: a system administrator's work.
#[utoipa::path()]
#[post("/organizations/{organization_id}/user-roles")]
async fn create_user_role_in_organization(
    access: Access<CreateIn<UserRole>>,
    body: Json<UserRoleFields>,
) -> Result<Committed<Created<UserRole>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(UserRole::create_for(tx.db, tx.on.id, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a role.
#[utoipa::path()]
#[get("/user-roles/{user_role_id}")]
async fn read_user_role(access: Access<Read<UserRole>>) -> Result<Tagged<UserRole>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a role (JSON merge patch). Personnel changes end it by `valid_to`.
#[utoipa::path()]
#[patch("/user-roles/{user_role_id}")]
async fn update_user_role(
    access: Access<Edit<UserRole>>,
    body: Json<Patch<UserRoleFields>>,
) -> Result<Committed<Updated<UserRole>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a role that was given by mistake.
#[utoipa::path()]
#[delete("/user-roles/{user_role_id}")]
async fn delete_user_role(access: Access<Delete<UserRole>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which grants.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct GrantQuery {
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List grants that the caller's organisation gave or got, by their first day.
#[utoipa::path(params(GrantQuery))]
#[get("/grants")]
async fn list_grants(access: Access<List<Grant>>, Query(query): Query<GrantQuery>) -> Result<Page<Grant>> {
    let after = after(query.after.as_ref())?;
    let grants = access
        .read(async |tx| Ok(Grant::list(tx.db, after, query.limit + 1).await?))
        .await?;
    Ok(Page::new(grants, query.limit, |g| (g.fields.valid_from, g.id)))
}

/// Let an organisation or a person read a platform or plan of the caller's organisation, for a time.
#[utoipa::path()]
#[post("/grants")]
async fn create_grant(access: Access<Create<Grant>>, body: Json<GrantFields>) -> Result<Committed<Created<Grant>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Grant::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a grant.
#[utoipa::path()]
#[get("/grants/{grant_id}")]
async fn read_grant(access: Access<Read<Grant>>) -> Result<Tagged<Grant>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a grant (JSON merge patch).
#[utoipa::path()]
#[patch("/grants/{grant_id}")]
async fn update_grant(
    access: Access<Edit<Grant>>,
    body: Json<Patch<GrantFields>>,
) -> Result<Committed<Updated<Grant>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a grant; access ends at once.
#[utoipa::path()]
#[delete("/grants/{grant_id}")]
async fn delete_grant(access: Access<Delete<Grant>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}
