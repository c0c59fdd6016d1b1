//! What analysts ask: values in the long form, with the KPIs they belong to, as of a vintage.
//!
//! In a transaction with `as_of` everything here reads the past (decision 0005).

use crate::kpi::{Comparator, Dimensions, Kpi, MissingReason, PeriodKind, Quality, TargetKind};
use crate::schema::{kpi_series, kpis, municipalities, organizations};
use crate::value::{Decimal, NaiveDate};
use crate::{Db, KpiId, KpiObservationId, KpiSeriesId, OrganizationId, PlanId, PlatformId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use futures_util::Stream;

diesel::table! {
    /// A row for each value in its newest revision; see the migration of analytics.
    kpi_values (id) {
        id -> Uuid,
        kpi_id -> Uuid,
        series_id -> Uuid,
        series_position -> Int4,
        municipality_code -> Nullable<Text>,
        district -> Nullable<Text>,
        organization_id -> Nullable<Uuid>,
        organization_name -> Nullable<Text>,
        dimensions -> Jsonb,
        period_kind -> Text,
        period_start -> Date,
        period_end -> Date,
        number -> Nullable<Numeric>,
        low -> Nullable<Numeric>,
        high -> Nullable<Numeric>,
        numerator -> Nullable<Numeric>,
        denominator -> Nullable<Numeric>,
        state -> Nullable<Text>,
        missing_reason -> Nullable<Text>,
        approximate -> Bool,
        printed -> Nullable<Text>,
        quality -> Text,
        series_break -> Bool,
        source -> Nullable<Text>,
        note -> Nullable<Text>,
        revision -> Int4,
        recorded_at -> Timestamptz,
    }
}

diesel::table! {
    /// The targets that nothing has superseded.
    targets_in_force (kpi_id, fiscal_year) {
        kpi_id -> Uuid,
        fiscal_year -> Int2,
        kind -> Text,
        comparator -> Text,
        value -> Nullable<Numeric>,
        high -> Nullable<Numeric>,
        text -> Nullable<Text>,
    }
}

/// A value with the line it stands in.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = kpi_values)]
pub struct KpiValue {
    pub id: KpiObservationId,
    pub kpi_id: KpiId,
    pub series_id: KpiSeriesId,
    /// Of the line; without one, that of the KPI.
    pub municipality_code: Option<String>,
    pub district: Option<String>,
    /// Whose values they are.
    pub organization_id: Option<OrganizationId>,
    pub organization_name: Option<String>,
    pub dimensions: Dimensions,
    pub period_kind: PeriodKind,
    pub period_start: NaiveDate,
    pub period_end: NaiveDate,
    pub number: Option<Decimal>,
    pub low: Option<Decimal>,
    pub high: Option<Decimal>,
    pub numerator: Option<Decimal>,
    pub denominator: Option<Decimal>,
    pub state: Option<String>,
    pub missing_reason: Option<MissingReason>,
    pub approximate: bool,
    pub printed: Option<String>,
    pub quality: Quality,
    pub series_break: bool,
    pub source: Option<String>,
    pub note: Option<String>,
    pub revision: i32,
    pub recorded_at: DateTime<Utc>,
}

/// A target that is in force.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = targets_in_force)]
pub struct TargetInForce {
    pub kpi_id: KpiId,
    pub fiscal_year: i16,
    pub kind: TargetKind,
    pub comparator: Comparator,
    pub value: Option<Decimal>,
    pub high: Option<Decimal>,
    pub text: Option<String>,
}

/// Which values. An empty list asks for nothing in particular.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kpis: Vec<KpiId>,
    pub platforms: Vec<PlatformId>,
    pub plans: Vec<PlanId>,
    /// Owners of KPIs.
    pub organizations: Vec<OrganizationId>,
    pub municipality_codes: Vec<String>,
    pub prefecture_codes: Vec<String>,
    pub period_kinds: Vec<PeriodKind>,
    /// Periods that begin on this day or later.
    pub from: Option<NaiveDate>,
    /// … and on this day or earlier.
    pub to: Option<NaiveDate>,
    /// Recorded after this moment.
    pub updated_after: Option<DateTime<Utc>>,
}

impl Filter {
    /// The next KPIs in the order of their ids that may have such values.
    pub async fn kpis(&self, mut db: Db<'_>, after: Option<KpiId>, limit: i64) -> Result<Vec<Kpi>> {
        let mut query = Kpi::query().into_boxed();
        if !self.kpis.is_empty() {
            query = query.filter(kpis::id.eq_any(&self.kpis));
        }
        if !self.platforms.is_empty() {
            query = query.filter(kpis::platform_id.eq_any(&self.platforms));
        }
        if !self.plans.is_empty() {
            query = query.filter(kpis::plan_id.eq_any(&self.plans));
        }
        if !self.organizations.is_empty() {
            query = query.filter(kpis::owner_org_id.eq_any(&self.organizations));
        }
        if !self.municipality_codes.is_empty() {
            let owners = organizations::table
                .filter(organizations::municipality_code.eq_any(&self.municipality_codes))
                .select(organizations::id);
            let lines = kpi_series::table
                .filter(kpi_series::municipality_code.eq_any(&self.municipality_codes))
                .select(kpi_series::kpi_id);
            query = query.filter(kpis::owner_org_id.eq_any(owners).or(kpis::id.eq_any(lines)));
        }
        if !self.prefecture_codes.is_empty() {
            let owners = organizations::table
                .filter(organizations::prefecture_code.eq_any(&self.prefecture_codes))
                .select(organizations::id);
            let inside = municipalities::table
                .filter(municipalities::prefecture_code.eq_any(&self.prefecture_codes))
                .select(municipalities::code.nullable());
            let lines = kpi_series::table
                .filter(kpi_series::municipality_code.eq_any(inside))
                .select(kpi_series::kpi_id);
            query = query.filter(kpis::owner_org_id.eq_any(owners).or(kpis::id.eq_any(lines)));
        }
        if let Some(after) = after {
            query = query.filter(kpis::id.gt(after));
        }
        query.order(kpis::id).limit(limit).load(&mut db).await
    }

    /// The values of these KPIs: by KPI, line in the declared order and time.
    pub async fn values<'a>(
        &'a self,
        mut db: Db<'a>,
        kpis: &'a [KpiId],
    ) -> Result<impl Stream<Item = Result<KpiValue>> + 'a> {
        use kpi_values as v;
        let mut query = KpiValue::query().filter(v::kpi_id.eq_any(kpis)).into_boxed();
        if !self.period_kinds.is_empty() {
            query = query.filter(v::period_kind.eq_any(&self.period_kinds));
        }
        if let Some(from) = self.from {
            query = query.filter(v::period_start.ge(from));
        }
        if let Some(to) = self.to {
            query = query.filter(v::period_start.le(to));
        }
        if let Some(moment) = self.updated_after {
            query = query.filter(v::recorded_at.gt(moment));
        }
        query
            .order((
                v::kpi_id,
                v::series_position,
                v::series_id,
                v::period_start,
                v::period_end,
                v::period_kind,
            ))
            .load_stream(&mut db)
            .await
    }
}

impl TargetInForce {
    /// Of these KPIs.
    pub async fn of(mut db: Db<'_>, kpis: &[KpiId]) -> Result<Vec<Self>> {
        Self::query()
            .filter(targets_in_force::kpi_id.eq_any(kpis))
            .load(&mut db)
            .await
    }
}

diesel::define_sql_function! {
    fn app_settled() -> Timestamptz;
}
diesel::define_sql_function! {
    fn app_changed() -> Timestamptz;
}
diesel::define_sql_function! {
    fn set_config(name: Text, value: Text, local: Bool) -> Text;
}

/// A moment before which nothing more will be written. To be asked before the transaction that relies on it.
pub async fn settled(mut db: Db<'_>) -> Result<DateTime<Utc>> {
    diesel::select(app_settled()).get_result(&mut db).await
}

/// When something was last changed, whoever may see it.
pub async fn changed(mut db: Db<'_>) -> Result<DateTime<Utc>> {
    diesel::select(app_changed()).get_result(&mut db).await
}

/// From here on the transaction reads the past.
pub async fn look_back(mut db: Db<'_>, to: DateTime<Utc>) -> Result<()> {
    diesel::select((
        set_config("app.as_of", to.to_rfc3339(), true),
        set_config("search_path", "as_of, public", true),
    ))
    .get_result::<(String, String)>(&mut db)
    .await
    .map(|_| ())
}
