//! KPIs (重要業績評価指標): definition sheet, placements, lines of values, targets, observations.

use crate::record::record;
use crate::schema::{kpi_current, kpi_observations, kpi_placements, kpi_series, kpi_targets, kpis};
use crate::text::{Line, MunicipalityCode, Name, Prose, search_pattern, text_enum};
use crate::value::{Decimal, NaiveDate, Period, Status, Visibility, jsonb};
use crate::{
    Db, GoalId, KpiId, KpiObservationId, KpiPlacementId, KpiSeriesId, KpiTargetId, OrganizationId, PlanId, PlatformId,
    ProjectId, Result,
};
use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Jsonb;
use diesel::{deserialize, serialize};
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

text_enum! {
    /// What a value is.
    ValueType {
        /// 数値
        Number = "number",
        /// 割合: numerator and denominator are kept, so that it can be aggregated.
        Ratio = "ratio",
        /// 状態（連絡会の設置 …）
        State = "state",
        /// 文章
        Text = "text",
    }
    /// Which way is good.
    Direction {
        Increase = "increase",
        Decrease = "decrease",
        Keep = "keep",
        Range = "range",
        /// Reached or not.
        Milestone = "milestone",
        None = "none",
    }
    /// How values of periods make the value of a longer period.
    TimeRule {
        Sum = "sum",
        Last = "last",
        Mean = "mean",
        Maximum = "maximum",
        Minimum = "minimum",
        /// 累計: the value already contains those before.
        Cumulative = "cumulative",
        /// Do not combine.
        None = "none",
    }
    /// How values of areas make the value of a larger area.
    AreaRule {
        Sum = "sum",
        /// Through numerator and denominator.
        Ratio = "ratio",
        /// Do not add.
        None = "none",
    }
    /// How often a value is due.
    Frequency {
        FiscalYear = "fiscal_year",
        Quarter = "quarter",
        Month = "month",
        Day = "day",
        Irregular = "irregular",
    }
    /// What kind of period a value is of.
    PeriodKind {
        /// 年度: 1 April to 31 March.
        FiscalYear = "fiscal_year",
        /// Of the calendar: from 1 January, April, July or October.
        Quarter = "quarter",
        Month = "month",
        Day = "day",
        Range = "range",
    }
    /// Why there is no value. Zero is a value.
    MissingReason {
        /// 不詳
        NotAvailable = "not_available",
        /// 未実施
        NotCarriedOut = "not_carried_out",
        /// 該当なし
        NotApplicable = "not_applicable",
        /// 期限前
        NotYetDue = "not_yet_due",
        /// 秘匿
        Suppressed = "suppressed",
    }
    /// How settled a value is.
    Quality {
        /// 概数・速報
        Provisional = "provisional",
        /// 確定: a correction needs a reason.
        Final = "final",
        /// 推計
        Estimated = "estimated",
    }
    /// What a target is.
    TargetKind {
        Numeric = "numeric",
        /// A sentence.
        Qualitative = "qualitative",
        /// 数値目標は設定しない: the rationale says why.
        NotSet = "not_set",
    }
    /// How a value is compared with its target.
    Comparator {
        AtLeast = "at_least",
        AtMost = "at_most",
        Equal = "equal",
        Between = "between",
    }
}

/// The value from which a KPI starts (基準値), with its own period and source: it may come from another survey than the
/// values, and then they cannot simply be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// A state or sentence, where the value is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub text: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub period: Option<Period>,
    /// 出典（令和5年度市民意識調査）
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub source: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub printed: Option<Line>,
}

jsonb!(Baseline);

/// The definition sheet of a KPI.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = kpis)]
pub struct Kpi {
    pub id: KpiId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: KpiFields,
}

/// What can be written of a KPI.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = kpis, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct KpiFields {
    /// The platform it belongs to.
    #[serde(default)]
    pub platform_id: Option<PlatformId>,
    /// The plan it belongs to.
    #[serde(default)]
    pub plan_id: Option<PlanId>,
    /// The organisation's own code, unique there.
    #[serde(default)]
    #[validate(nested)]
    pub code: Option<Name>,
    /// 指標名
    #[validate(nested)]
    pub name: Name,
    /// 定義
    #[serde(default)]
    #[validate(nested)]
    pub definition: Option<Prose>,
    pub value_type: ValueType,
    /// 単位（人, 回, %）
    #[serde(default)]
    #[validate(nested)]
    pub unit: Option<Name>,
    /// Digits after the point when shown.
    #[serde(default)]
    #[validate(range(min = 0, max = 6))]
    #[schema(minimum = 0, maximum = 6)]
    pub decimals: Option<i16>,
    #[serde(default = "Direction::unknown")]
    pub direction: Direction,
    /// 分子
    #[serde(default)]
    #[validate(nested)]
    pub numerator_label: Option<Line>,
    /// 分母
    #[serde(default)]
    #[validate(nested)]
    pub denominator_label: Option<Line>,
    #[serde(default)]
    #[validate(nested)]
    pub baseline: Option<Baseline>,
    #[serde(default = "TimeRule::last")]
    pub time_rule: TimeRule,
    #[serde(default = "AreaRule::unknown")]
    pub area_rule: AreaRule,
    #[serde(default = "Frequency::yearly")]
    pub frequency: Frequency,
    /// Department that keeps it (担当課).
    #[serde(default)]
    #[validate(nested)]
    pub responsible: Option<Line>,
    /// Where the values come from.
    #[serde(default)]
    #[validate(nested)]
    pub data_source: Option<Line>,
    /// It counts persons: small counts are suppressed for outside readers.
    #[serde(default)]
    pub counts_people: bool,
    /// The text as printed.
    #[serde(default)]
    #[validate(nested)]
    pub printed: Option<Prose>,
    #[serde(default = "Visibility::organization")]
    pub visibility: Visibility,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

impl Direction {
    fn unknown() -> Self {
        Self::None
    }
}

impl TimeRule {
    fn last() -> Self {
        Self::Last
    }
}

impl AreaRule {
    fn unknown() -> Self {
        Self::None
    }
}

impl Frequency {
    fn yearly() -> Self {
        Self::FiscalYear
    }
}

record!(kpis, Kpi, KpiId, KpiFields, mutable);

/// Numeric targets in force, by fiscal year: {"2025": "40"}.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, Decimal>, example = json!({ "2025": "40" }))]
pub struct Targets(BTreeMap<String, Decimal>);

jsonb!(Targets);

/// The newest value of the whole, and the targets.
#[derive(Clone, Debug, Serialize, ToSchema, Queryable, Selectable)]
#[diesel(table_name = kpi_current)]
pub struct KpiCurrent {
    pub observation_id: Option<KpiObservationId>,
    pub period_kind: Option<PeriodKind>,
    pub period_start: Option<NaiveDate>,
    pub period_end: Option<NaiveDate>,
    /// The number, or numerator by denominator in the unit of the KPI (41 where that is %).
    pub value: Option<Decimal>,
    /// The state or sentence.
    pub text: Option<String>,
    pub missing_reason: Option<MissingReason>,
    pub quality: Option<Quality>,
    /// Numeric targets by fiscal year.
    pub targets: Targets,
}

/// A KPI with where it stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KpiStanding {
    #[serde(flatten)]
    pub kpi: Kpi,
    /// Absent while nothing was recorded.
    pub current: Option<KpiCurrent>,
    /// Where it stood in the fiscal year that was asked for; null when none was.
    pub of_year: Option<KpiOfYear>,
}

/// Where a KPI stands in one fiscal year.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct KpiOfYear {
    /// The value of the whole for the latest and longest period that begins in the year, in its newest revision.
    pub observation: Option<KpiObservation>,
    /// The target in force.
    pub target: Option<KpiTarget>,
}

/// A KPI with where it stands and the newest values of the whole.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KpiDetail {
    #[serde(flatten)]
    pub kpi: Kpi,
    /// Absent while nothing was recorded.
    pub current: Option<KpiCurrent>,
    /// The newest twelve periods of the whole, newest first, each in its newest revision.
    pub observations: Vec<KpiObservation>,
}

/// Which KPIs.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub platform_id: Option<PlatformId>,
    pub plan_id: Option<PlanId>,
    /// Listed at this goal.
    pub goal_id: Option<GoalId>,
    /// Listed at this project.
    pub project_id: Option<ProjectId>,
    pub owner_org_id: Option<OrganizationId>,
    pub status: Option<Status>,
    /// Part of name, code or definition.
    pub search: Option<String>,
    /// Tell also where they stand in this fiscal year.
    pub fiscal_year: Option<i16>,
    pub after: Option<(i32, KpiId)>,
    pub limit: i64,
}

impl Kpi {
    /// KPIs with where they stand, in the declared order: the dashboard of a platform in one query.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<KpiStanding>> {
        let mut query = kpis::table
            .left_join(kpi_current::table)
            .select((Self::as_select(), Option::<KpiCurrent>::as_select()))
            .into_boxed();
        if let Some(platform) = filter.platform_id {
            query = query.filter(kpis::platform_id.eq(platform));
        }
        if let Some(plan) = filter.plan_id {
            query = query.filter(kpis::plan_id.eq(plan));
        }
        if let Some(goal) = filter.goal_id {
            let listed = kpi_placements::table
                .filter(kpi_placements::goal_id.eq(goal))
                .select(kpi_placements::kpi_id);
            query = query.filter(kpis::id.eq_any(listed));
        }
        if let Some(project) = filter.project_id {
            let listed = kpi_placements::table
                .filter(kpi_placements::project_id.eq(project))
                .select(kpi_placements::kpi_id);
            query = query.filter(kpis::id.eq_any(listed));
        }
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(kpis::owner_org_id.eq(owner));
        }
        if let Some(status) = filter.status {
            query = query.filter(kpis::status.eq(status));
        }
        if let Some(text) = filter.search {
            query = query.filter(kpis::search.like(search_pattern(&text)));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                kpis::position
                    .gt(position)
                    .or(kpis::position.eq(position).and(kpis::id.gt(id))),
            );
        }
        let rows: Vec<(Self, Option<KpiCurrent>)> = query
            .order((kpis::position, kpis::id))
            .limit(filter.limit)
            .load(&mut db)
            .await?;
        let mut of_year = match filter.fiscal_year {
            Some(year) => Some(KpiOfYear::find(db, &rows.iter().map(|(k, _)| k.id).collect::<Vec<_>>(), year).await?),
            None => None,
        };
        Ok(rows
            .into_iter()
            .map(|(kpi, current)| KpiStanding {
                of_year: of_year.as_mut().map(|years| years.remove(&kpi.id).unwrap_or_default()),
                kpi,
                current,
            })
            .collect())
    }

    /// Moves the sheet along its life.
    pub async fn transition(&self, mut db: Db<'_>, status: Status) -> Result<Self> {
        diesel::update(kpis::table.find(self.id))
            .filter(kpis::version.eq(self.version))
            .set(kpis::status.eq(status))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}

impl KpiOfYear {
    /// Where these KPIs stand in a fiscal year, in one pipeline.
    async fn find(db: Db<'_>, kpis: &[KpiId], year: i16) -> Result<HashMap<KpiId, Self>> {
        let (observations, targets) = futures_util::try_join!(
            KpiObservation::of_year(db, kpis, year),
            KpiTarget::of_year(db, kpis, year)
        )?;
        let mut found: HashMap<KpiId, Self> = HashMap::new();
        for observation in observations {
            let kpi = observation.kpi_id;
            found.entry(kpi).or_default().observation = Some(observation);
        }
        for target in targets {
            let kpi = target.fields.kpi_id;
            found.entry(kpi).or_default().target = Some(target);
        }
        Ok(found)
    }
}

impl KpiDetail {
    /// Where it is in history and feed: the KPI itself.
    pub const ENTITY: &'static str = Kpi::ENTITY;

    /// The KPI with its values, in one pipeline.
    pub async fn find(db: Db<'_>, id: KpiId) -> Result<Self> {
        let standing = async |mut db: Db<'_>| -> Result<(Kpi, Option<KpiCurrent>)> {
            kpis::table
                .left_join(kpi_current::table)
                .filter(kpis::id.eq(id))
                .select((Kpi::as_select(), Option::<KpiCurrent>::as_select()))
                .first(&mut db)
                .await
        };
        let ((kpi, current), observations) =
            futures_util::try_join!(standing(db), KpiObservation::newest(db, KpiSeriesId(id.0), 12))?;
        Ok(Self {
            kpi,
            current,
            observations,
        })
    }
}

/// A place where a KPI is listed: under a goal, a project or a platform. Re-listed (※再掲) is a mark of the place; the
/// KPI and its values exist once.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = kpi_placements)]
pub struct KpiPlacement {
    pub id: KpiPlacementId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the KPI.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: KpiPlacementFields,
}

/// What can be written of a placement: exactly one of goal, project and platform.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = kpi_placements, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct KpiPlacementFields {
    pub kpi_id: KpiId,
    #[serde(default)]
    pub goal_id: Option<GoalId>,
    #[serde(default)]
    pub project_id: Option<ProjectId>,
    #[serde(default)]
    pub platform_id: Option<PlatformId>,
    /// Number at this place.
    #[serde(default)]
    #[validate(nested)]
    pub number: Option<Name>,
    /// The text as printed at this place.
    #[serde(default)]
    #[validate(nested)]
    pub printed: Option<Prose>,
    /// ※再掲
    #[serde(default)]
    pub relisted: bool,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(
    kpi_placements,
    KpiPlacement,
    KpiPlacementId,
    KpiPlacementFields,
    mutable
);

/// Which placements.
#[derive(Clone, Debug, Default)]
pub struct PlacementFilter {
    pub kpi_id: Option<KpiId>,
    pub goal_id: Option<GoalId>,
    pub project_id: Option<ProjectId>,
    pub platform_id: Option<PlatformId>,
    pub after: Option<(i32, KpiPlacementId)>,
    pub limit: i64,
}

impl KpiPlacement {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: PlacementFilter) -> Result<Vec<Self>> {
        use kpi_placements as p;
        let mut query = Self::query().into_boxed();
        if let Some(kpi) = filter.kpi_id {
            query = query.filter(p::kpi_id.eq(kpi));
        }
        if let Some(goal) = filter.goal_id {
            query = query.filter(p::goal_id.eq(goal));
        }
        if let Some(project) = filter.project_id {
            query = query.filter(p::project_id.eq(project));
        }
        if let Some(platform) = filter.platform_id {
            query = query.filter(p::platform_id.eq(platform));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(p::position.gt(position).or(p::position.eq(position).and(p::id.gt(id))));
        }
        query
            .order((p::position, p::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}

/// A line of values of a KPI: the whole (its id is the KPI's), an area, an organisation, values of dimensions.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = kpi_series)]
pub struct KpiSeries {
    pub id: KpiSeriesId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The owner of the KPI.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: KpiSeriesFields,
}

/// Values of dimensions: {"年代": "20代"}.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(transparent)]
pub struct Dimensions(pub BTreeMap<String, Line>);

impl Dimensions {
    /// Most dimensions of one line.
    const MAX: usize = 20;
}

impl PartialSchema for Dimensions {
    fn schema() -> RefOr<Schema> {
        let name = match Name::schema() {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(_) => None,
        };
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Values of dimensions, by name."))
            .property_names(name)
            .additional_properties(Some(Ref::from_schema_name("Line")))
            .max_properties(Some(Self::MAX))
            .examples([serde_json::json!({ "年代": "20代" })])
            .build()
            .into()
    }
}

impl ToSchema for Dimensions {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([("Name".to_owned(), Name::schema()), ("Line".to_owned(), Line::schema())]);
    }
}

impl Validate for Dimensions {
    fn validate(&self) -> std::result::Result<(), validator::ValidationErrors> {
        if self.0.len() > Self::MAX {
            return Err(crate::text::invalid("too_many"));
        }
        self.0
            .iter()
            .try_for_each(|(name, value)| Name(name.clone()).validate().and_then(|()| value.validate()))
    }
}

jsonb!(Dimensions);

/// What can be written of a line of values.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = kpi_series, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct KpiSeriesFields {
    pub kpi_id: KpiId,
    #[serde(default)]
    #[validate(nested)]
    pub municipality_code: Option<MunicipalityCode>,
    /// 地区
    #[serde(default)]
    #[validate(nested)]
    pub district: Option<Name>,
    /// The organisation whose values these are; it may record them itself.
    #[serde(default)]
    pub organization_id: Option<OrganizationId>,
    #[serde(default)]
    #[validate(nested)]
    pub dimensions: Dimensions,
    /// Place in the declared order.
    #[serde(default)]
    pub position: i32,
}

record!(kpi_series, KpiSeries, KpiSeriesId, KpiSeriesFields, mutable);

impl KpiSeries {
    /// Lines of a KPI (of all visible ones without), in the declared order.
    pub async fn list(
        mut db: Db<'_>,
        kpi: Option<KpiId>,
        after: Option<(i32, KpiSeriesId)>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(kpi) = kpi {
            query = query.filter(kpi_series::kpi_id.eq(kpi));
        }
        if let Some((position, id)) = after {
            query = query.filter(
                kpi_series::position
                    .gt(position)
                    .or(kpi_series::position.eq(position).and(kpi_series::id.gt(id))),
            );
        }
        query
            .order((kpi_series::position, kpi_series::id))
            .limit(limit)
            .load(&mut db)
            .await
    }
}

/// A target value (目標値) of a KPI for a fiscal year. A change is a new revision with a reason; the old one is kept.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = kpi_targets)]
pub struct KpiTarget {
    pub id: KpiTargetId,
    /// Always 1: a target is replaced, never changed.
    pub version: i64,
    /// The owner of the KPI.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    /// 1 for the first, then one more with each replacement; the highest is in force.
    pub revision: i32,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: KpiTargetFields,
}

/// What can be written of a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, Queryable, Selectable)]
#[diesel(table_name = kpi_targets, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct KpiTargetFields {
    pub kpi_id: KpiId,
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2025)]
    pub fiscal_year: i16,
    #[serde(default = "TargetKind::numeric")]
    pub kind: TargetKind,
    #[serde(default = "Comparator::at_least")]
    pub comparator: Comparator,
    /// For a numeric target.
    #[serde(default)]
    pub value: Option<Decimal>,
    /// Upper bound, with comparator `between`.
    #[serde(default)]
    pub high: Option<Decimal>,
    /// For a qualitative target.
    #[serde(default)]
    #[validate(nested)]
    pub text: Option<Prose>,
    /// 目標設定の考え方
    #[serde(default)]
    #[validate(nested)]
    pub rationale: Option<Prose>,
    /// What it covers (令和3年度以降の集落).
    #[serde(default)]
    #[validate(nested)]
    pub scope: Option<Line>,
    /// The text as printed.
    #[serde(default)]
    #[validate(nested)]
    pub printed: Option<Line>,
    /// Why it replaces the one before; required then.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Prose>,
    /// The target in force that this one replaces: nobody overwrites what he has not seen.
    #[serde(default)]
    pub supersedes_id: Option<KpiTargetId>,
}

impl TargetKind {
    fn numeric() -> Self {
        Self::Numeric
    }
}

impl Comparator {
    fn at_least() -> Self {
        Self::AtLeast
    }
}

record!(kpi_targets, KpiTarget, KpiTargetId, KpiTargetFields);

impl KpiTarget {
    /// Targets by fiscal year and revision.
    pub async fn list(
        mut db: Db<'_>,
        kpi: Option<KpiId>,
        fiscal_year: Option<i16>,
        after: Option<(i16, i32, KpiTargetId)>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        use kpi_targets as t;
        let mut query = Self::query().into_boxed();
        if let Some(kpi) = kpi {
            query = query.filter(t::kpi_id.eq(kpi));
        }
        if let Some(year) = fiscal_year {
            query = query.filter(t::fiscal_year.eq(year));
        }
        if let Some((year, revision, id)) = after {
            query = query.filter(
                t::fiscal_year.gt(year).or(t::fiscal_year
                    .eq(year)
                    .and(t::revision.gt(revision).or(t::revision.eq(revision).and(t::id.gt(id))))),
            );
        }
        query
            .order((t::fiscal_year, t::revision, t::id))
            .limit(limit)
            .load(&mut db)
            .await
    }
}

impl KpiTarget {
    /// The targets of these KPIs that are in force for a fiscal year.
    async fn of_year(mut db: Db<'_>, kpis: &[KpiId], year: i16) -> Result<Vec<Self>> {
        use kpi_targets as t;
        Self::query()
            .filter(t::kpi_id.eq_any(kpis))
            .filter(t::fiscal_year.eq(year))
            .distinct_on(t::kpi_id)
            .order((t::kpi_id, t::revision.desc()))
            .load(&mut db)
            .await
    }
}

/// An observed value (実績値) of a line for a period. A correction is a new revision; nothing is overwritten.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = kpi_observations)]
pub struct KpiObservation {
    pub id: KpiObservationId,
    /// Always 1: an observation is corrected by a new one, never changed.
    pub version: i64,
    /// The owner of the KPI.
    pub owner_org_id: OrganizationId,
    pub kpi_id: KpiId,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// Who recorded it.
    pub recorded_by: Option<String>,
    /// 1 for the first, then one more with each correction; the highest counts.
    pub revision: i32,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: KpiObservationFields,
}

/// What can be written of an observation: exactly one of number, range (low, high), ratio (numerator, denominator),
/// state and missing reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, Queryable, Selectable)]
#[diesel(table_name = kpi_observations, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct KpiObservationFields {
    /// The line; for the whole, the id of the KPI.
    pub series_id: KpiSeriesId,
    pub period_kind: PeriodKind,
    #[schema(example = "2024-04-01")]
    pub period_start: NaiveDate,
    #[schema(example = "2025-03-31")]
    pub period_end: NaiveDate,
    #[serde(default)]
    pub number: Option<Decimal>,
    /// 23～24名程度: low 23, high 24, approximate.
    #[serde(default)]
    pub low: Option<Decimal>,
    #[serde(default)]
    pub high: Option<Decimal>,
    #[serde(default)]
    pub numerator: Option<Decimal>,
    #[serde(default)]
    pub denominator: Option<Decimal>,
    /// A state or sentence.
    #[serde(default)]
    #[validate(nested)]
    pub state: Option<Prose>,
    /// Why there is no value. Zero is a value.
    #[serde(default)]
    pub missing_reason: Option<MissingReason>,
    /// 約, 程度, ほど
    #[serde(default)]
    pub approximate: bool,
    /// The text as printed.
    #[serde(default)]
    #[validate(nested)]
    pub printed: Option<Line>,
    #[serde(default = "Quality::settled")]
    pub quality: Quality,
    /// Not comparable with the values before: the line breaks here.
    #[serde(default)]
    pub series_break: bool,
    /// 出典
    #[serde(default)]
    #[validate(nested)]
    pub source: Option<Line>,
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
    /// Why it corrects the one before; required when that one was final.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Prose>,
    /// The observation that this one corrects: nobody overwrites what he has not seen.
    #[serde(default)]
    pub supersedes_id: Option<KpiObservationId>,
}

impl Quality {
    fn settled() -> Self {
        Self::Final
    }
}

record!(kpi_observations, KpiObservation, KpiObservationId, KpiObservationFields);

/// Which observations.
#[derive(Clone, Debug, Default)]
pub struct ObservationFilter {
    pub kpi_id: Option<KpiId>,
    pub series_id: Option<KpiSeriesId>,
    pub fiscal_year: Option<i16>,
    /// Only the newest revision of each period.
    pub current: bool,
    pub after: Option<(NaiveDate, KpiObservationId)>,
    pub limit: i64,
}

impl KpiObservation {
    /// By period and time of recording.
    pub async fn list(mut db: Db<'_>, filter: ObservationFilter) -> Result<Vec<Self>> {
        use kpi_observations as o;
        let mut query = Self::query().into_boxed();
        if let Some(kpi) = filter.kpi_id {
            query = query.filter(o::kpi_id.eq(kpi));
        }
        if let Some(series) = filter.series_id {
            query = query.filter(o::series_id.eq(series));
        }
        if let Some((first, last)) = filter.fiscal_year.and_then(fiscal_year_days) {
            query = query.filter(o::period_start.between(first, last));
        }
        if filter.current {
            let later = diesel::alias!(kpi_observations as later);
            query = query.filter(diesel::dsl::not(diesel::dsl::exists(
                later
                    .filter(later.field(o::supersedes_id).eq(o::id.nullable()))
                    .select(later.field(o::id)),
            )));
        }
        if let Some((start, id)) = filter.after {
            query = query.filter(
                o::period_start
                    .gt(start)
                    .or(o::period_start.eq(start).and(o::id.gt(id))),
            );
        }
        query
            .order((o::period_start, o::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// The value of the whole of each of these KPIs for the latest and longest period that begins in a fiscal year.
    async fn of_year(mut db: Db<'_>, kpis: &[KpiId], year: i16) -> Result<Vec<Self>> {
        use kpi_observations as o;
        let Some((first, last)) = fiscal_year_days(year) else {
            return Ok(Vec::new());
        };
        let wholes: Vec<_> = kpis.iter().map(|kpi| KpiSeriesId(kpi.0)).collect();
        Self::query()
            .filter(o::series_id.eq_any(wholes))
            .filter(o::period_start.between(first, last))
            .distinct_on(o::series_id)
            .order((
                o::series_id,
                o::period_end.desc(),
                o::period_start,
                o::created_at.desc(),
                o::revision.desc(),
            ))
            .load(&mut db)
            .await
    }

    /// The newest periods of a line, each in its newest revision, newest first.
    pub async fn newest(mut db: Db<'_>, series: KpiSeriesId, periods: i64) -> Result<Vec<Self>> {
        use kpi_observations as o;
        Self::query()
            .filter(o::series_id.eq(series))
            .distinct_on((o::period_start, o::period_kind, o::period_end))
            .order((
                o::period_start.desc(),
                o::period_kind.desc(),
                o::period_end.desc(),
                o::revision.desc(),
            ))
            .limit(periods)
            .load(&mut db)
            .await
    }
}

/// Numerator by denominator in the unit of the KPI (41 where that is %), as the database's `observed_value` has it.
pub fn ratio(numerator: &Decimal, denominator: &Decimal, unit: Option<&str>) -> Decimal {
    let share = &numerator.0 / &denominator.0;
    let percent = unit.is_some_and(|unit| matches!(unit, "%" | "％" | "﹪"));
    Decimal(
        (if percent { share * 100 } else { share })
            .with_scale_round(9, bigdecimal::RoundingMode::HalfUp)
            .normalized(),
    )
}

/// Values of dimensions in one cell, 年代=20代、性別=女; none for a line without.
pub fn told(dimensions: &Dimensions) -> Option<String> {
    let pairs: Vec<String> = dimensions
        .0
        .iter()
        .map(|(name, value)| format!("{name}={}", value.0))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("、"))
}

/// First and last day of a fiscal year.
fn fiscal_year_days(year: i16) -> Option<(NaiveDate, NaiveDate)> {
    let day = |year, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day).map(NaiveDate);
    let year = i32::from(year);
    day(year, 4, 1).zip(day(year + 1, 3, 31))
}
