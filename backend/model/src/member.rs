//! Members (参画メンバー) of platforms: organisations, unnamed categories (NPO法人) and networks, each for a time.

use crate::record::record;
use crate::schema::members;
use crate::text::{Line, Name, Prose, text_enum};
use crate::value::NaiveDate;
use crate::{Db, MemberId, OrganizationId, PlatformId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// The grain of a member.
    MemberKind {
        /// 団体: one organisation.
        Organization = "organization",
        /// 区分: unnamed organisations of a kind (NPO法人, IT企業).
        Category = "category",
        /// ネットワーク: its own members stand below it.
        Network = "network",
    }
    /// What a member does in the platform.
    MemberRole {
        /// 中心となる団体
        Lead = "lead",
        /// 庁内連携部局（メイン）
        MainDepartment = "main_department",
        /// 庁内連携部局（メンバー）
        MemberDepartment = "member_department",
        /// 事務局
        Secretariat = "secretariat",
        /// 会長・委員長
        Chair = "chair",
        /// 副会長・副委員長
        ViceChair = "vice_chair",
        /// 参画メンバー
        Member = "member",
        /// オブザーバー
        Observer = "observer",
        /// 調整機関
        CoordinatingBody = "coordinating_body",
    }
}

impl MemberRole {
    /// What most members are.
    pub const fn member() -> Self {
        Self::Member
    }
}

/// A member of a platform.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = members)]
pub struct Member {
    pub id: MemberId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the platform.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: MemberFields,
}

/// What can be written of a member.
///
/// A member organisation keeps its own label, linkage and notes; the membership itself is the platform owner's.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = members, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct MemberFields {
    pub platform_id: PlatformId,
    /// The network or department it belongs to.
    #[serde(default)]
    pub parent_id: Option<MemberId>,
    pub kind: MemberKind,
    /// The organisation, where it is a known one; never of a category.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    /// The name as the platform prints it.
    #[validate(nested)]
    pub label: Name,
    #[serde(default = "MemberRole::member")]
    pub role: MemberRole,
    /// Class of membership (参画団体, 一般団体, 協力会員).
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "参画団体")]
    pub class: Option<Line>,
    /// What it contributes (連携内容).
    #[serde(default)]
    #[validate(nested)]
    pub linkage: Option<Prose>,
    /// Its first day (参画日); absent: from the beginning.
    #[serde(default)]
    pub joined_on: Option<NaiveDate>,
    /// The first day on which it is a member no more (退会日).
    #[serde(default)]
    pub left_on: Option<NaiveDate>,
    /// When it joined, as printed.
    #[serde(default)]
    #[validate(nested)]
    pub joined_text: Option<Line>,
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
    /// Place in the declared order (建制順).
    #[serde(default)]
    pub position: i32,
}

record!(members, Member, MemberId, MemberFields, mutable);

/// Which members.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub platform_id: Option<PlatformId>,
    pub organization_id: Option<OrganizationId>,
    /// Only those who were members on this day.
    pub on: Option<NaiveDate>,
    pub after: Option<(i32, MemberId)>,
    pub limit: i64,
}

/// How many members a platform has on a day (70団体（令和7年9月30日時点）).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberCount {
    /// The day.
    pub on: NaiveDate,
    /// Organisations; one with several roles counts once.
    #[schema(minimum = 0, example = 63)]
    pub organizations: usize,
    /// Unnamed categories.
    #[schema(minimum = 0, example = 5)]
    pub categories: usize,
    /// Networks, beside the members they consist of.
    #[schema(minimum = 0, example = 2)]
    pub networks: usize,
    /// All of them.
    #[schema(minimum = 0, example = 70)]
    pub total: usize,
}

impl Member {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(platform) = filter.platform_id {
            query = query.filter(members::platform_id.eq(platform));
        }
        if let Some(organization) = filter.organization_id {
            query = query.filter(members::organization_id.eq(organization));
        }
        if let Some(day) = filter.on {
            query = query
                .filter(members::joined_on.is_null().or(members::joined_on.le(day)))
                .filter(members::left_on.is_null().or(members::left_on.gt(day)));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                members::position
                    .gt(position)
                    .or(members::position.eq(position).and(members::id.gt(id))),
            );
        }
        query
            .order((members::position, members::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// How many members the platform has on `day`.
    pub async fn count(mut db: Db<'_>, platform: PlatformId, day: NaiveDate) -> Result<MemberCount> {
        let members: Vec<(MemberKind, Option<OrganizationId>)> = members::table
            .filter(members::platform_id.eq(platform))
            .filter(members::joined_on.is_null().or(members::joined_on.le(day)))
            .filter(members::left_on.is_null().or(members::left_on.gt(day)))
            .select((members::kind, members::organization_id))
            .load(&mut db)
            .await?;
        Ok(count(&members, day))
    }
}

fn count(members: &[(MemberKind, Option<OrganizationId>)], on: NaiveDate) -> MemberCount {
    let mut seen = HashSet::new();
    let mut count = MemberCount {
        on,
        organizations: 0,
        categories: 0,
        networks: 0,
        total: 0,
    };
    for (kind, organization) in members {
        if organization.is_some_and(|id| !seen.insert(id)) {
            continue;
        }
        match kind {
            MemberKind::Organization => count.organizations += 1,
            MemberKind::Category => count.categories += 1,
            MemberKind::Network => count.networks += 1,
        }
        count.total += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_with_two_roles_is_one_member() {
        let day = "2025-09-30".parse().expect("valid");
        let known = OrganizationId::new();
        let members = [
            (MemberKind::Organization, Some(known)),
            (MemberKind::Organization, Some(known)),
            (MemberKind::Organization, None),
            (MemberKind::Organization, None),
            (MemberKind::Category, None),
            (MemberKind::Network, None),
        ];
        let expected = MemberCount {
            on: day,
            organizations: 3,
            categories: 1,
            networks: 1,
            total: 5,
        };
        assert_eq!(count(&members, day), expected);
    }
}
