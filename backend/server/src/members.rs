//! Members of platforms, and how many there are.

use crate::access::{Access, Create, Delete, Edit, List, Read};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Plain, Query, Tagged, Updated, after, default_limit,
};
use actix_web::{delete, get, patch, post};
use model::member::{Filter, Member, MemberCount, MemberFields};
use model::platform::Platform;
use model::value::{NaiveDate, today};
use model::{OrganizationId, PlatformId};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_members)
        .service(create_member)
        .service(read_member)
        .service(update_member);
    cfg.service(delete_member).service(count_members);
}

/// Which members.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct MemberQuery {
    platform_id: Option<PlatformId>,
    organization_id: Option<OrganizationId>,
    /// Only those who were members on this day.
    #[param(example = "2025-09-30")]
    on: Option<NaiveDate>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List members of platforms, in the declared order.
#[utoipa::path(params(MemberQuery))]
#[get("/members")]
async fn list_members(access: Access<List<Member>>, Query(query): Query<MemberQuery>) -> Result<Page<Member>> {
    let filter = Filter {
        platform_id: query.platform_id,
        organization_id: query.organization_id,
        on: query.on,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let members = access.read(async |tx| Ok(Member::list(tx.db, filter).await?)).await?;
    Ok(Page::new(members, query.limit, |m| (m.fields.position, m.id)))
}

/// Add a member to a platform of the caller's organisation.
///
/// The same organisation can come back later or hold another role; the same role twice at a time is a conflict.
#[utoipa::path()]
#[post("/members")]
async fn create_member(access: Access<Create<Member>>, body: Json<MemberFields>) -> Result<Committed<Created<Member>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Member::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a member.
#[utoipa::path()]
#[get("/members/{member_id}")]
async fn read_member(access: Access<Read<Member>>) -> Result<Tagged<Member>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a member (JSON merge patch).
///
/// A member organisation changes label, linkage and notes of its own row. One that leaves gets `left_on`.
#[utoipa::path()]
#[patch("/members/{member_id}")]
async fn update_member(
    access: Access<Edit<Member>>,
    body: Json<Patch<MemberFields>>,
) -> Result<Committed<Updated<Member>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a member that was entered by mistake. One that left gets `left_on` instead.
#[utoipa::path()]
#[delete("/members/{member_id}")]
async fn delete_member(access: Access<Delete<Member>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// On which day.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct MemberCountQuery {
    /// The day; without it, today in Japan.
    #[param(example = "2025-09-30")]
    on: Option<NaiveDate>,
}

/// Count the members of a platform on a day.
#[utoipa::path(params(MemberCountQuery))]
#[get("/platforms/{platform_id}/member-count")]
async fn count_members(
    access: Access<Read<Platform>>,
    Query(query): Query<MemberCountQuery>,
) -> Result<Plain<MemberCount>> {
    let on = query.on.unwrap_or_else(today);
    access
        .read(async |tx| Ok(Plain(Member::count(tx.db, tx.on.id, on).await?)))
        .await
}
