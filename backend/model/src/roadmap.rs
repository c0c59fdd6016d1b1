//! The roadmap sheet (実施計画ロードマップ): its entries, and what its cells say when they have none.

use crate::record::record;
use crate::schema::{goals, roadmap_cells, roadmap_items};
use crate::text::{Line, Prose, text_enum};
use crate::value::NaiveDate;
use crate::{Db, Error, GoalId, OrganizationId, PlanActorId, PlanId, Result, RoadmapCellId, RoadmapItemId};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// What stands in a cell.
    RoadmapKind {
        /// 進捗の目安
        Milestone = "milestone",
        /// 予定される取り組み
        Planned = "planned",
        /// 取組実績
        Actual = "actual",
        /// その他特記事項
        Note = "note",
    }
    /// Why a cell has no entries. Any state but `not_entered` excludes them.
    CellState {
        /// 未入力
        NotEntered = "not_entered",
        /// なし
        None = "none",
        /// 未実施
        NotCarriedOut = "not_carried_out",
        /// 期限前
        NotYetDue = "not_yet_due",
    }
    /// How far an entry has come.
    ItemProgress {
        /// 未着手
        NotStarted = "not_started",
        /// 実施中
        Ongoing = "ongoing",
        /// 完了
        Done = "done",
        /// 中止
        Dropped = "dropped",
        /// 繰越
        CarriedOver = "carried_over",
    }
}

impl CellState {
    fn not_entered() -> Self {
        Self::NotEntered
    }
}

impl ItemProgress {
    fn not_started() -> Self {
        Self::NotStarted
    }
}

/// A cell of the sheet, apart from its entries. A cell without a row is simply not entered.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = roadmap_cells)]
pub struct RoadmapCell {
    pub id: RoadmapCellId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Who entered it: not the organisation of the column when somebody entered for it (代理入力).
    pub entered_by_org_id: OrganizationId,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: RoadmapCellFields,
}

/// What can be written of a cell. There is one for each goal, year, actor and kind.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = roadmap_cells, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct RoadmapCellFields {
    pub goal_id: GoalId,
    /// A year of the plan.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2022)]
    pub fiscal_year: i16,
    /// A column of the same plan; absent for what belongs to no column (進捗の目安, その他特記事項).
    #[serde(default)]
    pub actor_id: Option<PlanActorId>,
    pub kind: RoadmapKind,
    #[serde(default = "CellState::not_entered")]
    pub state: CellState,
    /// Is the heading (【予定される取り組み】) printed although the cell is empty?
    #[serde(default = "heading_shown")]
    #[schema(default = true)]
    pub heading_shown: bool,
}

fn heading_shown() -> bool {
    true
}

record!(roadmap_cells, RoadmapCell, RoadmapCellId, RoadmapCellFields, mutable);

/// Which cells.
#[derive(Clone, Debug, Default)]
pub struct CellFilter {
    pub goal_id: Option<GoalId>,
    pub fiscal_year: Option<i16>,
    pub after: Option<(i16, RoadmapCellId)>,
    pub limit: i64,
}

impl RoadmapCell {
    /// By year.
    pub async fn list(mut db: Db<'_>, filter: CellFilter) -> Result<Vec<Self>> {
        use roadmap_cells as c;
        let mut query = Self::query().into_boxed();
        if let Some(goal) = filter.goal_id {
            query = query.filter(c::goal_id.eq(goal));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(c::fiscal_year.eq(year));
        }
        if let Some((year, id)) = filter.after {
            query = query.filter(c::fiscal_year.gt(year).or(c::fiscal_year.eq(year).and(c::id.gt(id))));
        }
        query
            .order((c::fiscal_year, c::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}

/// An entry of the sheet.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = roadmap_items)]
pub struct RoadmapItem {
    pub id: RoadmapItemId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the plan.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Who entered it: not the organisation of the column when somebody entered for it (代理入力).
    pub entered_by_org_id: OrganizationId,
    /// The year in which it was first planned; never changes.
    pub original_fiscal_year: i16,
    /// The entry of an earlier year that goes on here (繰越).
    pub carried_over_from_id: Option<RoadmapItemId>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: RoadmapItemFields,
}

/// What can be written of an entry.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = roadmap_items, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct RoadmapItemFields {
    pub goal_id: GoalId,
    /// A year of the plan.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2022)]
    pub fiscal_year: i16,
    /// A column of the same plan; absent only for 進捗の目安 and その他特記事項.
    #[serde(default)]
    pub actor_id: Option<PlanActorId>,
    pub kind: RoadmapKind,
    #[validate(nested)]
    pub text: Prose,
    /// ◎ ● ・ …, as printed.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "◎")]
    pub marker: Option<Line>,
    #[serde(default = "ItemProgress::not_started")]
    pub progress: ItemProgress,
    /// Who does it (担当).
    #[serde(default)]
    #[validate(nested)]
    pub responsible: Option<Line>,
    /// 期限
    #[serde(default)]
    pub due_on: Option<NaiveDate>,
    /// It goes on in the following years (次年度以降も継続的に実施).
    #[serde(default)]
    pub continues: bool,
    /// Place in its cell.
    #[serde(default)]
    pub position: i32,
}

record!(roadmap_items, RoadmapItem, RoadmapItemId, RoadmapItemFields, mutable);

/// Which entries.
#[derive(Clone, Debug, Default)]
pub struct ItemFilter {
    pub goal_id: Option<GoalId>,
    pub plan_id: Option<PlanId>,
    pub fiscal_year: Option<i16>,
    pub actor_id: Option<PlanActorId>,
    pub kind: Option<RoadmapKind>,
    pub progress: Option<ItemProgress>,
    pub due_before: Option<NaiveDate>,
    pub after: Option<(i16, i32, RoadmapItemId)>,
    pub limit: i64,
}

impl RoadmapItem {
    /// By year, then in the declared order.
    pub async fn list(mut db: Db<'_>, filter: ItemFilter) -> Result<Vec<Self>> {
        use roadmap_items as i;
        let mut query = Self::query().into_boxed();
        if let Some(goal) = filter.goal_id {
            query = query.filter(i::goal_id.eq(goal));
        }
        if let Some(plan) = filter.plan_id {
            let goals = goals::table.filter(goals::plan_id.eq(plan)).select(goals::id);
            query = query.filter(i::goal_id.eq_any(goals));
        }
        if let Some(year) = filter.fiscal_year {
            query = query.filter(i::fiscal_year.eq(year));
        }
        if let Some(actor) = filter.actor_id {
            query = query.filter(i::actor_id.eq(actor));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(i::kind.eq(kind));
        }
        if let Some(progress) = filter.progress {
            query = query.filter(i::progress.eq(progress));
        }
        if let Some(day) = filter.due_before {
            query = query.filter(i::due_on.lt(day));
        }
        if let Some((year, position, id)) = filter.after {
            let later = i::position.gt(position).or(i::position.eq(position).and(i::id.gt(id)));
            query = query.filter(i::fiscal_year.gt(year).or(i::fiscal_year.eq(year).and(later)));
        }
        query
            .order((i::fiscal_year, i::position, i::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Carries the entry over to a later year and answers with the new one: not started, without the old date, linked
    /// to this one, which is marked.
    pub async fn carry_over(&self, mut db: Db<'_>, fiscal_year: i16) -> Result<Self> {
        use roadmap_items as i;
        let marked = diesel::update(i::table.find(self.id))
            .filter(i::version.eq(self.version))
            .set(i::progress.eq(ItemProgress::CarriedOver))
            .execute(&mut db)
            .await?;
        if marked == 0 {
            return Err(Error::NotFound);
        }
        let fields = RoadmapItemFields {
            fiscal_year,
            progress: ItemProgress::NotStarted,
            due_on: None,
            ..self.fields.clone()
        };
        diesel::insert_into(i::table)
            .values((
                i::id.eq(RoadmapItemId::new()),
                i::carried_over_from_id.eq(self.id),
                fields,
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}
