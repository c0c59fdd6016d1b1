//! Platforms (地方版連携プラットフォーム, 地域協議会, 協議体) and what they say of each fiscal year.

use crate::record::record;
use crate::schema::{platform_years, platforms};
use crate::text::{Line, MunicipalityCode, Name, Prose, search_pattern, text_enum};
use crate::value::{List, Period, Section, Status, Visibility, jsonb};
use crate::{Db, OrganizationId, PlatformId, PlatformYearId, Result};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Jsonb;
use diesel::{deserialize, serialize};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// What a platform is.
    PlatformKind {
        /// 官民連携プラットフォーム
        PartnershipPlatform = "partnership_platform",
        /// 孤独・孤立対策地域協議会
        RegionalCouncil = "regional_council",
        /// 協議体（第1～3層）
        ConsultativeCouncil = "consultative_council",
        /// 連絡会議
        LiaisonConference = "liaison_conference",
        /// 分科会
        SubCommittee = "sub_committee",
        Other = "other",
    }
    /// State of a launch (立ち上げ).
    LaunchState {
        Established = "established",
        /// 未
        NotEstablished = "not_established",
        /// 未（代替あり）: another body takes its place.
        Substituted = "substituted",
    }
}

/// One launch of a platform: it can be launched twice (令和4年度, 広域は令和6年度), or be replaced by another body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    pub state: LaunchState,
    /// Which extent was launched (広域); absent for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub scope: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200)]
    pub fiscal_year: Option<i16>,
    /// The body that takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub substituted_by: Option<Name>,
    /// The text as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub printed: Option<Line>,
}

/// A platform: a body that cooperates. Its area may cross prefectures, so it belongs to an organisation, never to
/// one municipality.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = platforms)]
pub struct Platform {
    pub id: PlatformId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: PlatformFields,
}

/// What can be written of a platform.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = platforms, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct PlatformFields {
    pub kind: PlatformKind,
    #[validate(nested)]
    pub name: Name,
    #[serde(default)]
    #[validate(nested)]
    pub kana: Option<Name>,
    /// The platform it belongs to (a sub-committee's council, a regional council's platform).
    #[serde(default)]
    pub parent_id: Option<PlatformId>,
    /// Layer of a 協議体 (第1層 = 1 … 第3層 = 3).
    #[serde(default)]
    #[validate(range(min = 1, max = 3))]
    #[schema(minimum = 1, maximum = 3)]
    pub layer: Option<i16>,
    /// Name of its area (麒麟のまち圏域).
    #[serde(default)]
    #[validate(nested)]
    pub area_name: Option<Name>,
    /// Municipalities of its area, in order; also of several prefectures.
    #[serde(default)]
    #[validate(nested, length(max = 300))]
    #[schema(max_items = 300)]
    pub municipality_codes: Vec<MunicipalityCode>,
    /// Districts (地区) of its area.
    #[serde(default)]
    #[validate(nested, length(max = 300))]
    #[schema(max_items = 300)]
    pub districts: Vec<Name>,
    /// When it was launched, for which extent, or what takes its place.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<Launch>, max_items = 500)]
    pub launches: List<Launch>,
    /// How members were chosen and approached (選出・打診時の工夫).
    #[serde(default)]
    #[validate(nested)]
    pub selection_notes: Section,
    /// What is printed in place of or beside the members.
    #[serde(default)]
    #[validate(nested)]
    pub members_note: Option<Prose>,
    /// Department in charge (担当部局名), the official name in full.
    #[serde(default)]
    #[validate(nested)]
    pub lead_department: Option<Line>,
    #[serde(default)]
    #[validate(nested)]
    pub summary: Option<Prose>,
    #[serde(default = "Visibility::organization")]
    pub visibility: Visibility,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(platforms, Platform, PlatformId, PlatformFields, mutable);

/// Which platforms.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<PlatformKind>,
    pub parent_id: Option<PlatformId>,
    pub municipality_code: Option<String>,
    pub owner_org_id: Option<OrganizationId>,
    pub status: Option<Status>,
    /// Part of name, reading or area.
    pub search: Option<String>,
    pub after: Option<(i32, PlatformId)>,
    pub limit: i64,
}

impl Platform {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(kind) = filter.kind {
            query = query.filter(platforms::kind.eq(kind));
        }
        if let Some(parent) = filter.parent_id {
            query = query.filter(platforms::parent_id.eq(parent));
        }
        if let Some(code) = filter.municipality_code {
            query = query.filter(platforms::municipality_codes.contains(vec![code]));
        }
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(platforms::owner_org_id.eq(owner));
        }
        if let Some(status) = filter.status {
            query = query.filter(platforms::status.eq(status));
        }
        if let Some(text) = filter.search {
            query = query.filter(platforms::search.like(search_pattern(&text)));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                platforms::position
                    .gt(position)
                    .or(platforms::position.eq(position).and(platforms::id.gt(id))),
            );
        }
        query
            .order((platforms::position, platforms::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Moves the sheet along its life. The database knows the allowed steps and which of them need a reason.
    pub async fn transition(&self, mut db: Db<'_>, status: Status) -> Result<Self> {
        diesel::update(platforms::table.find(self.id))
            .filter(platforms::version.eq(self.version))
            .set(platforms::status.eq(status))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

/// A goal of a platform (今年度のゴール, 最終的なゴール) is a line with an optional label; what else is told of a year
/// is prose in slots whose headings are printed even when they are empty.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = platform_years)]
pub struct PlatformYear {
    pub id: PlatformYearId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the platform.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: PlatformYearFields,
}

/// What can be written of a platform's year.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = platform_years, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct PlatformYearFields {
    pub platform_id: PlatformId,
    /// 年度: the calendar year in which it begins.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2024)]
    pub fiscal_year: i16,
    /// 今年度のゴール
    #[serde(default)]
    #[validate(nested)]
    pub goals_of_year: Section,
    /// 最終的なゴール
    #[serde(default)]
    #[validate(nested)]
    pub final_goals: Section,
    /// The line that closes the final goals (⇒…).
    #[serde(default)]
    #[validate(nested)]
    pub final_goals_closing: Option<Line>,
    /// 従前の取り組み
    #[serde(default)]
    #[validate(nested)]
    pub prior_efforts: Section,
    /// PF連携による価値や工夫
    #[serde(default)]
    #[validate(nested)]
    pub partnership_values: Section,
    /// 試行的事業のポイント・工夫
    #[serde(default)]
    #[validate(nested)]
    pub trial_points: Section,
    /// 次年度以降に向けた事業等の案
    #[serde(default)]
    #[validate(nested)]
    pub next_year_proposals: Section,
    /// 公表した際の反響
    #[serde(default)]
    #[validate(nested)]
    pub reactions: Section,
    /// PF構築プロセスにおける留意点
    #[serde(default)]
    #[validate(nested)]
    pub process_notes: Section,
    /// ブレイクスルー要因
    #[serde(default)]
    #[validate(nested)]
    pub breakthrough: Option<Breakthrough>,
}

/// ブレイクスルー要因: what stood in the way, what was done, what changed, on a time axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(deny_unknown_fields)]
pub struct Breakthrough {
    #[validate(nested)]
    pub theme: Line,
    /// The time axis, from issue to change.
    #[serde(default)]
    #[validate(nested, length(max = 20))]
    #[schema(max_items = 20)]
    pub timeline: Vec<Period>,
    /// What stood in the way and how it was overcome.
    #[serde(default)]
    #[validate(nested, length(max = 50))]
    #[schema(max_items = 50)]
    pub factors: Vec<BreakthroughFactor>,
}

/// One line of a breakthrough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct BreakthroughFactor {
    /// 取り組み課題
    #[validate(nested)]
    pub issue: Prose,
    /// アクション／ブレイクスルー要因
    #[validate(nested)]
    pub action: Prose,
    /// その後の変化
    #[validate(nested)]
    pub change: Prose,
}

jsonb!(Breakthrough);
record!(
    platform_years,
    PlatformYear,
    PlatformYearId,
    PlatformYearFields,
    mutable
);

/// Which years of platforms.
#[derive(Clone, Debug, Default)]
pub struct YearFilter {
    pub platform_id: Option<PlatformId>,
    pub fiscal_year: Option<i16>,
    pub after: Option<(i16, PlatformYearId)>,
    pub limit: i64,
}

impl PlatformYear {
    /// In the order of years.
    pub async fn list(mut db: Db<'_>, filter: YearFilter) -> Result<Vec<Self>> {
        use platform_years as y;
        let mut query = Self::query().into_boxed();
        if let Some(platform) = filter.platform_id {
            query = query.filter(y::platform_id.eq(platform));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(y::fiscal_year.eq(year));
        }
        if let Some((year, id)) = filter.after {
            query = query.filter(y::fiscal_year.gt(year).or(y::fiscal_year.eq(year).and(y::id.gt(id))));
        }
        query
            .order((y::fiscal_year, y::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}
