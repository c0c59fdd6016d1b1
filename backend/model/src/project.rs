//! Projects (試行的事業).

use crate::record::record;
use crate::schema::projects;
use crate::text::{Line, Name, Prose, TimeOfDay, search_pattern, text_enum};
use crate::value::{List, Period, Section, Status, Visibility};
use crate::{Db, GoalId, OrganizationId, PlatformId, ProjectId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// How far a project is.
    ProjectProgress {
        /// 予定
        Planned = "planned",
        /// 実施中
        Ongoing = "ongoing",
        /// 完了
        Done = "done",
        /// 中止: its dates stay.
        Cancelled = "cancelled",
    }
    /// What a medium is made of.
    MediaKind {
        /// 動画
        Video = "video",
        /// 紙
        Paper = "paper",
        Other = "other",
    }
}

impl ProjectProgress {
    /// What a project is when it is written down.
    pub const fn planned() -> Self {
        Self::Planned
    }
}

/// One line of 成果検証結果.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// Which round it is about (第1回).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(example = "第1回")]
    pub round: Option<Line>,
    #[validate(nested)]
    pub text: Prose,
}

/// One date of 実施時期: planned or done, as exact as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "times_in_order"))]
pub struct Schedule {
    /// What takes place (1回目).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(example = "1回目")]
    pub label: Option<Line>,
    #[validate(nested)]
    pub when: Period,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub start_time: Option<TimeOfDay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub end_time: Option<TimeOfDay>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub place: Option<Line>,
    /// It has taken place; a date in the past does not say so.
    #[serde(default)]
    pub done: bool,
}

fn times_in_order(schedule: &Schedule) -> std::result::Result<(), validator::ValidationError> {
    match (&schedule.start_time, &schedule.end_time) {
        (Some(start), Some(end)) if end.0 < start.0 => Err(validator::ValidationError::new("time_order")),
        _ => Ok(()),
    }
}

/// A part of a project's page under a heading of its own (PFの開催概要, 実施結果).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ProjectSection {
    #[validate(nested)]
    pub heading: Line,
    #[serde(default)]
    #[validate(nested)]
    pub body: Section,
}

/// One line of the media plan (広報の実施概要).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MediaItem {
    pub kind: MediaKind,
    /// テレビ, ラジオ, SNS, 新聞折込 …
    #[validate(nested)]
    #[schema(example = "テレビ")]
    pub medium: Line,
    /// 内容・分量, as printed.
    #[validate(nested)]
    #[schema(example = "15秒CM 72本（24本×3局）")]
    pub content: Prose,
    /// How many in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 0, max = 999_999_999_999_i64))]
    #[schema(minimum = 0, maximum = 999_999_999_999_i64, example = 72)]
    pub quantity: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    #[schema(example = "本")]
    pub unit: Option<Line>,
    /// How many for each outlet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(range(min = 0, max = 999_999_999_999_i64))]
    #[schema(minimum = 0, maximum = 999_999_999_999_i64, example = 24)]
    pub per_outlet: Option<i64>,
    /// 出稿先
    #[serde(default)]
    #[validate(nested, length(max = 200))]
    #[schema(max_items = 200)]
    pub outlets: Vec<Line>,
    /// What is printed of the outlets beside their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub outlet_note: Option<Line>,
    /// 日程
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub when: Option<Period>,
}

/// A project of a platform or for a goal of a plan, in one fiscal year.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = projects)]
pub struct Project {
    pub id: ProjectId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ProjectFields,
}

/// What can be written of a project.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = projects, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct ProjectFields {
    #[serde(default)]
    pub platform_id: Option<PlatformId>,
    /// The goal of a plan it serves.
    #[serde(default)]
    pub goal_id: Option<GoalId>,
    /// The project of an earlier year that it continues.
    #[serde(default)]
    pub predecessor_id: Option<ProjectId>,
    /// 年度: the calendar year in which it begins.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2024)]
    pub fiscal_year: i16,
    /// Its number in the document.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "1")]
    pub number: Option<Line>,
    #[validate(nested)]
    pub name: Name,
    /// Its heading where it is told in full, if that is another.
    #[serde(default)]
    #[validate(nested)]
    pub title: Option<Line>,
    /// ※参考: reported, but not part of the programme.
    #[serde(default)]
    pub is_reference: bool,
    #[serde(default = "ProjectProgress::planned")]
    pub progress: ProjectProgress,
    /// Department in charge (担当部局名).
    #[serde(default)]
    #[validate(nested)]
    pub lead_department: Option<Line>,
    /// 事業内容
    #[serde(default)]
    #[validate(nested)]
    pub content: Section,
    /// 目的／期待効果・KPI
    #[serde(default)]
    #[validate(nested)]
    pub aims: Section,
    /// 成果検証結果
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<Verification>, max_items = 500)]
    pub verification: List<Verification>,
    /// 実施時期
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<Schedule>, max_items = 500)]
    pub schedules: List<Schedule>,
    /// 概要
    #[serde(default)]
    #[validate(nested)]
    pub summary: Section,
    /// 工夫点
    #[serde(default)]
    #[validate(nested)]
    pub ingenuity_points: Section,
    /// ねらい
    #[serde(default)]
    #[validate(nested)]
    pub detail_aims: Section,
    /// 結果
    #[serde(default)]
    #[validate(nested)]
    pub results: Section,
    /// Further parts, each under its own heading.
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<ProjectSection>, max_items = 500)]
    pub sections: List<ProjectSection>,
    /// 広報の実施概要
    #[serde(default)]
    #[validate(nested)]
    #[schema(value_type = Vec<MediaItem>, max_items = 500)]
    pub media_plan: List<MediaItem>,
    #[serde(default = "Visibility::organization")]
    pub visibility: Visibility,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(projects, Project, ProjectId, ProjectFields, mutable);

/// A project in a list: all but its prose, which is most of its weight.
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = projects)]
pub struct ProjectSummary {
    pub id: ProjectId,
    /// Counts the changes; the ETag of the project.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    pub platform_id: Option<PlatformId>,
    /// The goal of a plan it serves.
    pub goal_id: Option<GoalId>,
    /// The project of an earlier year that it continues.
    pub predecessor_id: Option<ProjectId>,
    /// 年度: the calendar year in which it begins.
    #[schema(minimum = 1950, maximum = 2200, example = 2024)]
    pub fiscal_year: i16,
    /// Its number in the document.
    pub number: Option<Line>,
    pub name: Name,
    /// Its heading where it is told in full, if that is another.
    pub title: Option<Line>,
    /// ※参考: reported, but not part of the programme.
    pub is_reference: bool,
    pub progress: ProjectProgress,
    /// Department in charge (担当部局名).
    pub lead_department: Option<Line>,
    /// 実施時期
    #[schema(value_type = Vec<Schedule>, max_items = 500)]
    pub schedules: List<Schedule>,
    pub visibility: Visibility,
    /// Place in the declared order.
    pub position: i32,
}

/// Which projects.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub fiscal_year: Option<i16>,
    pub platform_id: Option<PlatformId>,
    pub owner_org_id: Option<OrganizationId>,
    pub goal_id: Option<GoalId>,
    pub progress: Option<ProjectProgress>,
    pub status: Option<Status>,
    /// Part of name or title.
    pub search: Option<String>,
    pub after: Option<(i16, i32, ProjectId)>,
    pub limit: i64,
}

impl ProjectSummary {
    /// By fiscal year, in the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        use projects as p;
        let mut query = Self::query().into_boxed();
        if let Some(year) = filter.fiscal_year {
            query = query.filter(p::fiscal_year.eq(year));
        }
        if let Some(platform) = filter.platform_id {
            query = query.filter(p::platform_id.eq(platform));
        }
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(p::owner_org_id.eq(owner));
        }
        if let Some(goal) = filter.goal_id {
            query = query.filter(p::goal_id.eq(goal));
        }
        if let Some(progress) = filter.progress {
            query = query.filter(p::progress.eq(progress));
        }
        if let Some(status) = filter.status {
            query = query.filter(p::status.eq(status));
        }
        if let Some(text) = filter.search {
            query = query.filter(p::search.like(search_pattern(&text)));
        }
        if let Some((year, position, id)) = filter.after {
            query = query.filter(
                p::fiscal_year.gt(year).or(p::fiscal_year
                    .eq(year)
                    .and(p::position.gt(position).or(p::position.eq(position).and(p::id.gt(id))))),
            );
        }
        query
            .order((p::fiscal_year, p::position, p::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}

impl Project {
    /// Moves the sheet along its life. The database knows the allowed steps and which of them need a reason.
    pub async fn transition(&self, mut db: Db<'_>, status: Status) -> Result<Self> {
        diesel::update(projects::table.find(self.id))
            .filter(projects::version.eq(self.version))
            .set(projects::status.eq(status))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}
