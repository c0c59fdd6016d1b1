//! KPIs: definition sheets, placements, lines of values, targets, observations.

use crate::access::{Access, Create, Delete, Edit, List, Read, Transit};
use crate::error::{Error, Result};
use crate::http::{
    Committed, Created, Cursor, Format, Fresh, Handmade, Json, NoContent, OrCsv, Page, Patch, Query, Tagged, Updated,
    after, default_limit, wants_csv,
};
use crate::transition::{Transition, confirm};
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};
use model::kpi::{
    Filter, Kpi, KpiDetail, KpiFields, KpiObservation, KpiObservationFields, KpiPlacement, KpiPlacementFields,
    KpiSeries, KpiSeriesFields, KpiStanding, KpiTarget, KpiTargetFields, ObservationFilter, PlacementFilter,
};
use model::text::Line;
use model::value::{NaiveDate, Status};
use model::{GoalId, KpiId, KpiSeriesId, OrganizationId, PlanId, PlatformId, ProjectId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_kpis)
        .service(create_kpi)
        .service(read_kpi)
        .service(update_kpi)
        .service(delete_kpi)
        .service(transition_kpi);
    cfg.service(list_observations_of_kpi);
    cfg.service(list_kpi_placements)
        .service(create_kpi_placement)
        .service(read_kpi_placement);
    cfg.service(update_kpi_placement).service(delete_kpi_placement);
    cfg.service(list_kpi_series)
        .service(create_kpi_series)
        .service(read_kpi_series);
    cfg.service(update_kpi_series).service(delete_kpi_series);
    cfg.service(list_kpi_targets)
        .service(create_kpi_target)
        .service(read_kpi_target);
    cfg.service(list_kpi_observations)
        .service(create_kpi_observation)
        .service(read_kpi_observation);
}

/// Which KPIs.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct KpiQuery {
    platform_id: Option<PlatformId>,
    plan_id: Option<PlanId>,
    /// Listed at this goal.
    goal_id: Option<GoalId>,
    /// Listed at this project.
    project_id: Option<ProjectId>,
    /// The organisation that owns them.
    owner_org_id: Option<OrganizationId>,
    status: Option<Status>,
    /// Part of name, code or definition.
    #[validate(nested)]
    search: Option<Line>,
    /// Tell also where they stand in this fiscal year: `of_year`.
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List KPIs with their current value and targets, in the declared order.
///
/// With `platform_id`, the dashboard of a platform.
#[utoipa::path(params(KpiQuery))]
#[get("/kpis")]
async fn list_kpis(access: Access<List<Kpi>>, Query(query): Query<KpiQuery>) -> Result<Page<KpiStanding>> {
    let filter = Filter {
        platform_id: query.platform_id,
        plan_id: query.plan_id,
        goal_id: query.goal_id,
        project_id: query.project_id,
        owner_org_id: query.owner_org_id,
        status: query.status,
        search: query.search.map(|s| s.0),
        fiscal_year: query.fiscal_year,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let kpis = access.read(async |tx| Ok(Kpi::list(tx.db, filter).await?)).await?;
    Ok(Page::new(kpis, query.limit, |k| (k.kpi.fields.position, k.kpi.id)))
}

/// Create a KPI, owned by the caller's organisation.
///
/// Its line of the whole exists from then on, under the id of the KPI.
#[utoipa::path()]
#[post("/kpis")]
async fn create_kpi(access: Access<Create<Kpi>>, body: Json<KpiFields>) -> Result<Committed<Created<Kpi>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(Kpi::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a KPI with its current value, targets and newest twelve values of the whole.
#[utoipa::path()]
#[get("/kpis/{kpi_id}")]
async fn read_kpi(access: Access<Read<KpiDetail>>) -> Result<Fresh<KpiDetail>> {
    access.read(async |tx| Ok(Fresh(tx.on.clone()))).await
}

/// Change a KPI (JSON merge patch).
#[utoipa::path()]
#[patch("/kpis/{kpi_id}")]
async fn update_kpi(access: Access<Edit<Kpi>>, body: Json<Patch<KpiFields>>) -> Result<Committed<Updated<Kpi>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a KPI without values.
#[utoipa::path()]
#[delete("/kpis/{kpi_id}")]
async fn delete_kpi(access: Access<Delete<Kpi>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Move a KPI along its life: draft, submitted, returned, confirmed, published.
///
/// Going back from confirmed or published, and returning, need a `Change-Reason`.
#[utoipa::path()]
#[post("/kpis/{kpi_id}/transition")]
async fn transition_kpi(access: Access<Transit<Kpi>>, body: Json<Transition>) -> Result<Committed<Updated<Kpi>>> {
    access
        .write(body.bytes(), async |tx| {
            let status = confirm(tx, tx.on.status, tx.valid(&body)?)?;
            Ok(Updated(tx.on.transition(tx.db, status).await?))
        })
        .await
}

/// Which observations of a KPI.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ObservationsOfKpiQuery {
    /// A line of values; all lines without.
    series_id: Option<KpiSeriesId>,
    /// Periods that begin in this fiscal year.
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// Only the newest revision of each period.
    #[serde(default)]
    current: bool,
    /// `csv` gives a file (UTF-8, one header row); also by `Accept: text/csv`.
    #[param(inline)]
    format: Option<Format>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List the observations of a KPI by period, with all revisions; as JSON pages or as one CSV file.
#[utoipa::path(params(ObservationsOfKpiQuery))]
#[get("/kpis/{kpi_id}/observations")]
async fn list_observations_of_kpi(
    access: Access<Read<Kpi>>,
    request: HttpRequest,
    Query(query): Query<ObservationsOfKpiQuery>,
) -> Result<Handmade<OrCsv<Page<KpiObservation>>>> {
    let csv = wants_csv(&request, query.format);
    // A KPI has a few hundred values at the most; the analysts' table streams.
    let limit = if csv { 100_000 } else { query.limit };
    let cursor = after(query.after.as_ref())?;
    let (kpi, lines, observations) = access
        .read(async |tx| {
            let filter = ObservationFilter {
                kpi_id: Some(tx.on.id),
                series_id: query.series_id,
                fiscal_year: query.fiscal_year,
                current: query.current,
                after: cursor,
                limit: limit + 1,
            };
            let lines = async {
                match csv {
                    true => KpiSeries::list(tx.db, Some(tx.on.id), None, limit).await,
                    false => Ok(Vec::new()),
                }
            };
            let (lines, observations) = futures_util::try_join!(lines, KpiObservation::list(tx.db, filter))?;
            Ok((tx.on.clone(), lines, observations))
        })
        .await?;
    if csv {
        let file = csv_of(&kpi, &lines, &observations).map_err(Error::internal)?;
        return Ok(HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .body(file)
            .into());
    }
    let page = Page::new(observations, limit, |o| (o.fields.period_start, o.id));
    Ok(HttpResponse::Ok().json(page).into())
}

/// One row a value; units and names in columns of their own (行政データにおける機械可読性に関するルール).
#[derive(Serialize)]
struct CsvRow<'a> {
    kpi_id: KpiId,
    kpi_name: String,
    unit: Option<String>,
    series_id: KpiSeriesId,
    municipality_code: Option<&'a str>,
    district: Option<String>,
    organization_id: Option<OrganizationId>,
    /// 年代=20代、性別=女
    dimensions: Option<String>,
    period_kind: &'a str,
    period_start: NaiveDate,
    period_end: NaiveDate,
    fiscal_year: i16,
    number: Option<String>,
    low: Option<String>,
    high: Option<String>,
    numerator: Option<String>,
    denominator: Option<String>,
    state: Option<String>,
    missing_reason: Option<&'a str>,
    approximate: bool,
    quality: &'a str,
    series_break: bool,
    source: Option<String>,
    note: Option<String>,
    revision: i32,
    reason: Option<String>,
    recorded_at: chrono::DateTime<chrono::Utc>,
    recorded_by: Option<String>,
}

const CSV_HEADER: [&str; 28] = [
    "kpi_id",
    "kpi_name",
    "unit",
    "series_id",
    "municipality_code",
    "district",
    "organization_id",
    "dimensions",
    "period_kind",
    "period_start",
    "period_end",
    "fiscal_year",
    "number",
    "low",
    "high",
    "numerator",
    "denominator",
    "state",
    "missing_reason",
    "approximate",
    "quality",
    "series_break",
    "source",
    "note",
    "revision",
    "reason",
    "recorded_at",
    "recorded_by",
];

fn csv_of(
    kpi: &Kpi,
    lines: &[KpiSeries],
    observations: &[KpiObservation],
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let lines: HashMap<_, _> = lines.iter().map(|l| (l.id, &l.fields)).collect();
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .has_headers(false)
        .from_writer(Vec::new());
    // By hand, because a KPI without values has it, too.
    writer.write_record(CSV_HEADER)?;
    for o in observations {
        let f = &o.fields;
        let line = lines.get(&f.series_id);
        let decimal = |d: &Option<model::value::Decimal>| d.as_ref().map(ToString::to_string);
        writer.serialize(CsvRow {
            kpi_id: o.kpi_id,
            kpi_name: cell(&kpi.fields.name),
            unit: kpi.fields.unit.as_deref().map(cell),
            series_id: f.series_id,
            municipality_code: line.and_then(|l| l.municipality_code.as_deref()),
            district: line.and_then(|l| l.district.as_deref()).map(cell),
            organization_id: line.and_then(|l| l.organization_id),
            dimensions: line
                .and_then(|l| model::kpi::told(&l.dimensions))
                .map(|text| cell(&text)),
            period_kind: f.period_kind.as_str(),
            period_start: f.period_start,
            period_end: f.period_end,
            fiscal_year: model::value::fiscal_year(f.period_start),
            number: decimal(&f.number),
            low: decimal(&f.low),
            high: decimal(&f.high),
            numerator: decimal(&f.numerator),
            denominator: decimal(&f.denominator),
            state: f.state.as_deref().map(cell),
            missing_reason: f.missing_reason.map(model::kpi::MissingReason::as_str),
            approximate: f.approximate,
            quality: f.quality.as_str(),
            series_break: f.series_break,
            source: f.source.as_deref().map(cell),
            note: f.note.as_deref().map(cell),
            revision: o.revision,
            reason: f.reason.as_deref().map(cell),
            recorded_at: o.created_at,
            recorded_by: o.recorded_by.as_deref().map(cell),
        })?;
    }
    Ok(writer.into_inner()?)
}

/// A text cell that no spreadsheet takes for a formula, on one line.
fn cell(text: &str) -> String {
    let line = text.replace('\n', " ");
    let risky = line.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    if risky { format!("'{line}") } else { line }
}

/// Which placements.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct KpiPlacementQuery {
    kpi_id: Option<KpiId>,
    goal_id: Option<GoalId>,
    project_id: Option<ProjectId>,
    platform_id: Option<PlatformId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List where KPIs are listed, in the declared order.
#[utoipa::path(params(KpiPlacementQuery))]
#[get("/kpi-placements")]
async fn list_kpi_placements(
    access: Access<List<KpiPlacement>>,
    Query(query): Query<KpiPlacementQuery>,
) -> Result<Page<KpiPlacement>> {
    let filter = PlacementFilter {
        kpi_id: query.kpi_id,
        goal_id: query.goal_id,
        project_id: query.project_id,
        platform_id: query.platform_id,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let placements = access
        .read(async |tx| Ok(KpiPlacement::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(placements, query.limit, |p| (p.fields.position, p.id)))
}

/// List a KPI at a goal, a project or a platform.
#[utoipa::path()]
#[post("/kpi-placements")]
async fn create_kpi_placement(
    access: Access<Create<KpiPlacement>>,
    body: Json<KpiPlacementFields>,
) -> Result<Committed<Created<KpiPlacement>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(KpiPlacement::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a placement.
#[utoipa::path()]
#[get("/kpi-placements/{kpi_placement_id}")]
async fn read_kpi_placement(access: Access<Read<KpiPlacement>>) -> Result<Tagged<KpiPlacement>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a placement (JSON merge patch).
#[utoipa::path()]
#[patch("/kpi-placements/{kpi_placement_id}")]
async fn update_kpi_placement(
    access: Access<Edit<KpiPlacement>>,
    body: Json<Patch<KpiPlacementFields>>,
) -> Result<Committed<Updated<KpiPlacement>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Take a KPI off a place; the KPI and its values stay.
#[utoipa::path()]
#[delete("/kpi-placements/{kpi_placement_id}")]
async fn delete_kpi_placement(access: Access<Delete<KpiPlacement>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which lines of values.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct KpiSeriesQuery {
    kpi_id: Option<KpiId>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List lines of values, in the declared order.
#[utoipa::path(params(KpiSeriesQuery))]
#[get("/kpi-series")]
async fn list_kpi_series(
    access: Access<List<KpiSeries>>,
    Query(query): Query<KpiSeriesQuery>,
) -> Result<Page<KpiSeries>> {
    let cursor = after(query.after.as_ref())?;
    let series = access
        .read(async |tx| Ok(KpiSeries::list(tx.db, query.kpi_id, cursor, query.limit + 1).await?))
        .await?;
    Ok(Page::new(series, query.limit, |s| (s.fields.position, s.id)))
}

/// Open a line of values for an area, an organisation or values of dimensions.
#[utoipa::path()]
#[post("/kpi-series")]
async fn create_kpi_series(
    access: Access<Create<KpiSeries>>,
    body: Json<KpiSeriesFields>,
) -> Result<Committed<Created<KpiSeries>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(KpiSeries::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a line of values.
#[utoipa::path()]
#[get("/kpi-series/{kpi_series_id}")]
async fn read_kpi_series(access: Access<Read<KpiSeries>>) -> Result<Tagged<KpiSeries>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a line of values (JSON merge patch).
#[utoipa::path()]
#[patch("/kpi-series/{kpi_series_id}")]
async fn update_kpi_series(
    access: Access<Edit<KpiSeries>>,
    body: Json<Patch<KpiSeriesFields>>,
) -> Result<Committed<Updated<KpiSeries>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete a line without values.
#[utoipa::path()]
#[delete("/kpi-series/{kpi_series_id}")]
async fn delete_kpi_series(access: Access<Delete<KpiSeries>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which targets.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct KpiTargetQuery {
    kpi_id: Option<KpiId>,
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List targets by fiscal year, with those that were replaced.
#[utoipa::path(params(KpiTargetQuery))]
#[get("/kpi-targets")]
async fn list_kpi_targets(
    access: Access<List<KpiTarget>>,
    Query(query): Query<KpiTargetQuery>,
) -> Result<Page<KpiTarget>> {
    let cursor = after(query.after.as_ref())?;
    let targets = access
        .read(async |tx| Ok(KpiTarget::list(tx.db, query.kpi_id, query.fiscal_year, cursor, query.limit + 1).await?))
        .await?;
    Ok(Page::new(targets, query.limit, |t| {
        (t.fields.fiscal_year, t.revision, t.id)
    }))
}

/// Set a target, or replace the one in force: then `supersedes_id` names it and `reason` says why.
#[utoipa::path()]
#[post("/kpi-targets")]
async fn create_kpi_target(
    access: Access<Create<KpiTarget>>,
    body: Json<KpiTargetFields>,
) -> Result<Committed<Created<KpiTarget>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(KpiTarget::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a target.
#[utoipa::path()]
#[get("/kpi-targets/{kpi_target_id}")]
async fn read_kpi_target(access: Access<Read<KpiTarget>>) -> Result<Tagged<KpiTarget>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Which observations.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct KpiObservationQuery {
    kpi_id: Option<KpiId>,
    series_id: Option<KpiSeriesId>,
    /// Periods that begin in this fiscal year.
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// Only the newest revision of each period.
    #[serde(default)]
    current: bool,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List observations by period.
#[utoipa::path(params(KpiObservationQuery))]
#[get("/kpi-observations")]
async fn list_kpi_observations(
    access: Access<List<KpiObservation>>,
    Query(query): Query<KpiObservationQuery>,
) -> Result<Page<KpiObservation>> {
    let filter = ObservationFilter {
        kpi_id: query.kpi_id,
        series_id: query.series_id,
        fiscal_year: query.fiscal_year,
        current: query.current,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let observations = access
        .read(async |tx| Ok(KpiObservation::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(observations, query.limit, |o| (o.fields.period_start, o.id)))
}

/// Record a value, or correct the newest one of its period: then `supersedes_id` names it, and `reason` says why if it was final.
#[utoipa::path()]
#[post("/kpi-observations")]
async fn create_kpi_observation(
    access: Access<Create<KpiObservation>>,
    body: Json<KpiObservationFields>,
) -> Result<Committed<Created<KpiObservation>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(KpiObservation::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read an observation.
#[utoipa::path()]
#[get("/kpi-observations/{kpi_observation_id}")]
async fn read_kpi_observation(access: Access<Read<KpiObservation>>) -> Result<Tagged<KpiObservation>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}
