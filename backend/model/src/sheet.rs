//! The roadmap sheet of a plan as a whole grid: what a screen or a printed page needs, in one round trip.

use crate::evaluation::{Evaluation, replaced};
use crate::goal::{Goal, GoalRole};
use crate::kpi::{Direction, KpiCurrent, KpiPlacement, KpiTarget, ValueType};
use crate::plan::{EvaluationLevel, Plan, PlanActor};
use crate::roadmap::{RoadmapCell, RoadmapItem};
use crate::schema::{
    evaluation_levels, evaluations, goal_roles, goals, kpi_current, kpi_placements, kpi_targets, kpis, plan_actors,
    roadmap_cells, roadmap_items,
};
use crate::text::Name;
use crate::{Db, Error, GoalId, PlanId, Result};
use diesel::dsl::select;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Uuid};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use utoipa::ToSchema;

#[diesel::declare_sql_function]
extern "SQL" {
    /// A goal of a plan and everything below it; without a goal, every goal of the plan.
    fn goals_below(plan: Uuid, goal: Nullable<Uuid>) -> Uuid;
    /// What stands above a goal.
    fn goals_above(goal: Nullable<Uuid>) -> Uuid;
}

/// The roadmap sheet (実施計画ロードマップ) of a goal and everything below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sheet {
    pub plan: Plan,
    /// The years of the plan, in order.
    #[schema(example = json!([2021, 2022, 2023, 2024, 2025]))]
    pub fiscal_years: Vec<i16>,
    /// The columns: each group before its organisations.
    pub actors: Vec<PlanActor>,
    /// 評価基準, the best first.
    pub levels: Vec<EvaluationLevel>,
    /// What stands above the chosen goal (基本目標, 基本計画), from the root down.
    pub above: Vec<Goal>,
    /// The chosen goal and everything below it: each goal before those below.
    pub goals: Vec<Goal>,
    /// 役割
    pub roles: Vec<GoalRole>,
    /// 重要業績評価指標(KPI), as they are listed at these goals.
    pub kpis: Vec<SheetKpi>,
    /// 目標値 of these KPIs that are in force, by year: numbers, sentences, and years for which none is set.
    pub targets: Vec<KpiTarget>,
    /// 総合評価: those that nothing replaced, by year.
    pub evaluations: Vec<Evaluation>,
    /// Cells that say something of themselves.
    pub cells: Vec<RoadmapCell>,
    /// The entries, by year, then in the declared order.
    pub items: Vec<RoadmapItem>,
}

/// A KPI where the sheet lists it, with where it stands.
#[derive(Debug, Serialize, ToSchema, Queryable)]
pub struct SheetKpi {
    #[serde(flatten)]
    pub placement: KpiPlacement,
    /// 指標名
    pub name: Name,
    pub value_type: ValueType,
    /// 単位
    pub unit: Option<Name>,
    /// Digits after the point when shown.
    pub decimals: Option<i16>,
    pub direction: Direction,
    /// Absent while nothing was recorded.
    pub current: Option<KpiCurrent>,
}

impl Sheet {
    /// The sheet of a plan, or of one of its goals. All queries travel in one pipeline.
    pub async fn read(db: Db<'_>, plan: Plan, goal: Option<GoalId>) -> Result<Self> {
        let id = plan.id;
        let (actors, levels, above, goals, roles, kpis, targets, evaluations, cells, items) = futures_util::try_join!(
            actors(db, id),
            levels(db, id),
            above(db, goal),
            goals(db, id, goal),
            roles(db, id, goal),
            kpis(db, id, goal),
            targets(db, id, goal),
            evaluations(db, id, goal),
            cells(db, id, goal),
            items(db, id, goal),
        )?;
        if goal.is_some() && goals.is_empty() {
            return Err(Error::NotFound);
        }
        Ok(Self {
            fiscal_years: (plan.fields.first_fiscal_year..=plan.fields.last_fiscal_year).collect(),
            plan,
            actors: in_tree_order(actors, |a| a.id, |a| a.fields.parent_id),
            levels,
            above: in_tree_order(above, |g| g.id, |g| g.fields.parent_id),
            goals: in_tree_order(goals, |g| g.id, |g| g.fields.parent_id),
            roles,
            kpis,
            targets,
            evaluations,
            cells,
            items,
        })
    }
}

async fn actors(mut db: Db<'_>, plan: PlanId) -> Result<Vec<PlanActor>> {
    use plan_actors as a;
    let columns = PlanActor::query().filter(a::plan_id.eq(plan));
    columns.order((a::position, a::id)).load(&mut db).await
}

async fn levels(mut db: Db<'_>, plan: PlanId) -> Result<Vec<EvaluationLevel>> {
    use evaluation_levels as l;
    let scale = EvaluationLevel::query().filter(l::plan_id.eq(plan));
    scale.order((l::rank.desc(), l::id)).load(&mut db).await
}

async fn above(mut db: Db<'_>, goal: Option<GoalId>) -> Result<Vec<Goal>> {
    let above = Goal::query().filter(goals::id.eq_any(select(goals_above(goal))));
    above.load(&mut db).await
}

async fn goals(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<Goal>> {
    let below = Goal::query().filter(goals::id.eq_any(select(goals_below(plan, goal))));
    below.order((goals::position, goals::id)).load(&mut db).await
}

async fn roles(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<GoalRole>> {
    use goal_roles as r;
    let roles = GoalRole::query().filter(r::goal_id.eq_any(select(goals_below(plan, goal))));
    roles.order(r::id).load(&mut db).await
}

async fn kpis(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<SheetKpi>> {
    use kpi_placements as p;
    p::table
        .inner_join(kpis::table.left_join(kpi_current::table))
        .filter(p::goal_id.assume_not_null().eq_any(select(goals_below(plan, goal))))
        .select((
            KpiPlacement::as_select(),
            kpis::name,
            kpis::value_type,
            kpis::unit,
            kpis::decimals,
            kpis::direction,
            Option::<KpiCurrent>::as_select(),
        ))
        .order((p::position, p::id))
        .load(&mut db)
        .await
}

async fn targets(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<KpiTarget>> {
    use {kpi_placements as p, kpi_targets as t};
    let listed = p::table
        .filter(p::goal_id.assume_not_null().eq_any(select(goals_below(plan, goal))))
        .select(p::kpi_id);
    KpiTarget::query()
        .filter(t::kpi_id.eq_any(listed))
        .distinct_on((t::fiscal_year, t::kpi_id))
        .order((t::fiscal_year, t::kpi_id, t::revision.desc()))
        .load(&mut db)
        .await
}

async fn evaluations(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<Evaluation>> {
    use evaluations as e;
    let current = Evaluation::query()
        .filter(e::plan_id.eq(plan))
        .filter(e::goal_id.eq_any(select(goals_below(plan, goal))))
        .filter(diesel::dsl::not(replaced()));
    current.order((e::fiscal_year, e::id)).load(&mut db).await
}

async fn cells(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<RoadmapCell>> {
    use roadmap_cells as c;
    let cells = RoadmapCell::query().filter(c::goal_id.eq_any(select(goals_below(plan, goal))));
    cells.order((c::fiscal_year, c::id)).load(&mut db).await
}

async fn items(mut db: Db<'_>, plan: PlanId, goal: Option<GoalId>) -> Result<Vec<RoadmapItem>> {
    use roadmap_items as i;
    let items = RoadmapItem::query().filter(i::goal_id.eq_any(select(goals_below(plan, goal))));
    items.order((i::fiscal_year, i::position, i::id)).load(&mut db).await
}

/// Each row before those below it; rows with the same one above keep their order. A row whose parent is not among the
/// rows is a root.
fn in_tree_order<T, K: Copy + Eq + Hash>(
    rows: Vec<T>,
    id: impl Fn(&T) -> K,
    parent: impl Fn(&T) -> Option<K>,
) -> Vec<T> {
    let present: HashSet<K> = rows.iter().map(&id).collect();
    let mut below: HashMap<Option<K>, Vec<T>> = HashMap::new();
    let count = rows.len();
    for row in rows {
        let parent = parent(&row).filter(|p| present.contains(p));
        below.entry(parent).or_default().push(row);
    }
    let mut ordered = Vec::with_capacity(count);
    let mut waiting: Vec<T> = below.remove(&None).unwrap_or_default().into_iter().rev().collect();
    while let Some(row) = waiting.pop() {
        waiting.extend(below.remove(&Some(id(&row))).unwrap_or_default().into_iter().rev());
        ordered.push(row);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_from_the_top() {
        // (id, parent), in the declared order; the parent of 1 is not on this sheet.
        let rows = vec![(4, Some(1)), (2, Some(1)), (1, Some(9)), (3, Some(2)), (5, None)];
        let ordered = in_tree_order(rows, |r| r.0, |r| r.1);
        assert_eq!(ordered.iter().map(|r| r.0).collect::<Vec<_>>(), [1, 4, 2, 3, 5]);
    }
}
