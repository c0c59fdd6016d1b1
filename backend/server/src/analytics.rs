//! What analysts pull: one tidy table of all values, and what its columns mean.

use crate::access::{Access, Answering, List, Tx};
use crate::error::{Error, FieldError, Result};
use crate::http::{Handmade, Many, Query};
use crate::messages;
use crate::tidy::{Characters, ColumnName, Form, Row, Sheet, Style, TidyTable, Writer};
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, get};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::StreamExt;
use model::analytics::{Filter, TargetInForce};
use model::kpi::{Kpi, PeriodKind};
use model::municipality::Municipality;
use model::organization::Organization;
use model::plan::Plan;
use model::platform::Platform;
use model::record::Kept;
use model::text::MunicipalityCode;
use model::value::{FIRST_FISCAL_YEAR, LAST_FISCAL_YEAR, NaiveDate};
use model::{KpiId, OrganizationId, PlanId, PlatformId};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::pin;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

/// KPIs whose descriptions are held at a time.
const SHEETS: i64 = 500;
/// Values that are taken from the database at a time, when they are there.
const VALUES: usize = 256;
/// Bytes after which a piece is sent.
const PIECE: usize = 64 << 10;
/// The moment that the answer shows.
const VINTAGE: HeaderName = HeaderName::from_static("vintage");

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_observations);
}

/// Which values, and how.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ObservationQuery {
    /// Form of the answer; without it, what `Accept` says, and JSON.
    #[param(inline)]
    format: Option<Form>,
    /// Characters of CSV; UTF-8 without.
    #[serde(default)]
    #[param(inline)]
    charset: Characters,
    /// Only these columns, in this order.
    #[serde(default)]
    #[param(inline, value_type = Option<Vec<ColumnName>>, style = Form, explode = true, example = json!(["kpi_name", "fiscal_year", "value"]))]
    column: Many<String>,
    /// Only these KPIs.
    #[serde(default)]
    #[param(value_type = Option<Vec<KpiId>>, style = Form, explode = true)]
    kpi_id: Many<KpiId>,
    /// Only KPIs of these platforms.
    #[serde(default)]
    #[param(value_type = Option<Vec<PlatformId>>, style = Form, explode = true)]
    platform_id: Many<PlatformId>,
    /// Only KPIs of these plans.
    #[serde(default)]
    #[param(value_type = Option<Vec<PlanId>>, style = Form, explode = true)]
    plan_id: Many<PlanId>,
    /// Only KPIs of these owners.
    #[serde(default)]
    #[param(value_type = Option<Vec<OrganizationId>>, style = Form, explode = true)]
    owner_id: Many<OrganizationId>,
    /// Only values of these municipalities.
    #[serde(default)]
    #[validate(nested)]
    #[param(value_type = Option<Vec<MunicipalityCode>>, style = Form, explode = true)]
    municipality_code: Many<MunicipalityCode>,
    /// Only values of these prefectures and what lies in them.
    #[serde(default)]
    #[validate(nested)]
    #[param(value_type = Option<Vec<MunicipalityCode>>, style = Form, explode = true)]
    prefecture_code: Many<MunicipalityCode>,
    /// Only values of such periods.
    #[serde(default)]
    #[param(value_type = Option<Vec<PeriodKind>>, style = Form, explode = true)]
    period_kind: Many<PeriodKind>,
    /// Only periods that begin in this fiscal year or later.
    #[validate(range(min = FIRST_FISCAL_YEAR, max = LAST_FISCAL_YEAR))]
    #[param(minimum = 1950, maximum = 2200)]
    first_fiscal_year: Option<i16>,
    /// Only periods that begin in this fiscal year or earlier.
    #[validate(range(min = FIRST_FISCAL_YEAR, max = LAST_FISCAL_YEAR))]
    #[param(minimum = 1950, maximum = 2200)]
    last_fiscal_year: Option<i16>,
    /// Only values recorded after this moment: what is new or corrected.
    updated_after: Option<DateTime<Utc>>,
}

/// Read all values of KPIs as one tidy table: one row a value, in its newest revision.
///
/// Everything that the caller may see, or what the filters leave of it, streamed in one answer: by KPI in the order in which
/// they were made, line and time. `Vintage` names the moment that the table shows; asked again with `as_of` of that moment
/// the same rights give the same bytes. Numbers are exact decimals; a value that is missing has a reason and is never 0.
#[utoipa::path(params(ObservationQuery))]
#[get("/analytics/observations")]
async fn list_observations(
    access: Access<List<Kpi>>,
    request: HttpRequest,
    Query(query): Query<ObservationQuery>,
) -> Result<Handmade<TidyTable>> {
    let form = query.format.unwrap_or_else(|| Form::accepted(&request));
    let style = Style::new(form, query.charset, &query.column.0)?;
    let filter = query.filter()?;
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let question = format!("{} {style:?}", question(request.query_string()));
    let answer = access.stream(async move |tx, vintage, answering| {
        let tag = tag(tx, vintage, &question);
        let is_known = known.is_some_and(|known| known.to_str().is_ok_and(|k| k.split(',').any(|k| k.trim() == tag)));
        if !is_known && style.may_fail() {
            // Whether all of it can be written is known only at its end.
            Table::new(tx, &filter)
                .write(Writer::new(&style, vintage)?, None)
                .await?;
        }
        let public = tx.caller.id.is_none();
        let mut head = if is_known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        head.insert_header((header::ETAG, tag))
            .insert_header((
                header::CACHE_CONTROL,
                if public {
                    "public, no-cache"
                } else {
                    "private, no-cache"
                },
            ))
            .insert_header((header::VARY, "Accept, Authorization"))
            .insert_header((VINTAGE, vintage.to_rfc3339_opts(SecondsFormat::Micros, true)));
        if is_known {
            answering.begin(head.finish());
            return Ok(());
        }
        head.content_type(style.media_type());
        answering.begin(head.finish());
        Table::new(tx, &filter)
            .write(Writer::new(&style, vintage)?, Some(&answering))
            .await
    });
    answer.await.map(Handmade::from)
}

impl ObservationQuery {
    fn filter(self) -> Result<Filter> {
        let day = |year: i16, month, day| chrono::NaiveDate::from_ymd_opt(year.into(), month, day).map(NaiveDate);
        if self
            .first_fiscal_year
            .zip(self.last_fiscal_year)
            .is_some_and(|(first, last)| first > last)
        {
            return Err(Error::Contradiction(vec![FieldError {
                path: "/last_fiscal_year".to_owned(),
                code: "before_first".to_owned(),
                message: messages::field("/last_fiscal_year", "before_first", None),
            }]));
        }
        let codes = |codes: Many<MunicipalityCode>| codes.0.into_iter().map(|code| code.0).collect();
        Ok(Filter {
            kpis: self.kpi_id.0,
            platforms: self.platform_id.0,
            plans: self.plan_id.0,
            organizations: self.owner_id.0,
            municipality_codes: codes(self.municipality_code),
            prefecture_codes: codes(self.prefecture_code),
            period_kinds: self.period_kind.0,
            from: self.first_fiscal_year.and_then(|year| day(year, 4, 1)),
            to: self.last_fiscal_year.and_then(|year| day(year + 1, 3, 31)),
            updated_after: self.updated_after,
        })
    }
}

/// What was asked for, in whatever order: the moment is told apart by the vintage.
fn question(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("as_of=")).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// The same for the same rows: of a vintage, a question, and somebody's rights.
fn tag(tx: &Tx<'_, ()>, vintage: DateTime<Utc>, question: &str) -> String {
    let rights = (
        tx.standing.role,
        tx.caller.organization,
        tx.caller.id,
        tx.rights.scopes(),
    );
    let told = format!("{vintage:?} {question} {rights:?} {}", env!("CARGO_PKG_VERSION"));
    format!(
        "\"{}\"",
        BASE64.encode(&digest(&SHA256, told.as_bytes()).as_ref()[..15])
    )
}

/// The table that a filter leaves, KPI after KPI.
struct Table<'a> {
    tx: &'a Tx<'a, ()>,
    filter: &'a Filter,
    municipalities: HashMap<String, Municipality>,
}

impl<'a> Table<'a> {
    fn new(tx: &'a Tx<'a, ()>, filter: &'a Filter) -> Self {
        Self {
            tx,
            filter,
            municipalities: HashMap::new(),
        }
    }

    /// Writes it out, and sends it as it grows.
    async fn write(mut self, mut writer: Writer<'_>, answering: Option<&Answering>) -> Result<()> {
        let db = self.tx.db;
        let municipalities = Municipality::all(db).await?;
        self.municipalities = municipalities.into_iter().map(|m| (m.code.clone(), m)).collect();
        let mut after = None;
        loop {
            let kpis = self.filter.kpis(db, after, SHEETS).await?;
            let Some(last) = kpis.last() else { break };
            after = Some(last.id);
            let ids: Vec<KpiId> = kpis.iter().map(|kpi| kpi.id).collect();
            let sheets = self.sheets(kpis).await?;
            let mut values = pin!(self.filter.values(db, &ids).await?.ready_chunks(VALUES));
            while let Some(values) = values.next().await {
                for value in values {
                    let value = value?;
                    let Some(sheet) = sheets.get(&value.kpi_id) else {
                        continue;
                    };
                    let row = Row::new(sheet, &value, &self.municipalities);
                    if self.wants(&row) {
                        writer.row(&row)?;
                    }
                }
                if writer.waiting() >= PIECE {
                    let piece = writer.piece()?;
                    if let Some(answering) = answering {
                        answering.send(piece).await?;
                    }
                }
            }
        }
        let end = writer.end()?;
        match answering {
            Some(answering) => answering.send(end).await,
            None => Ok(()),
        }
    }

    /// A KPI may have values of several places.
    fn wants(&self, row: &Row<'_>) -> bool {
        let within = |codes: &[String], code: Option<&str>| {
            codes.is_empty() || code.is_some_and(|c| codes.iter().any(|w| w == c))
        };
        within(&self.filter.municipality_codes, row.municipality_code())
            && within(&self.filter.prefecture_codes, row.prefecture_code())
    }

    /// What is told of these KPIs, in one pipeline.
    async fn sheets(&self, kpis: Vec<Kpi>) -> Result<HashMap<KpiId, Sheet>> {
        let db = self.tx.db;
        let distinct = |ids: Vec<Uuid>| ids.into_iter().collect::<HashSet<_>>().into_iter().collect::<Vec<_>>();
        let owners = distinct(kpis.iter().map(|k| k.owner_org_id.0).collect());
        let platforms = distinct(
            kpis.iter()
                .filter_map(|k| k.fields.platform_id)
                .map(|id| id.0)
                .collect(),
        );
        let plans = distinct(kpis.iter().filter_map(|k| k.fields.plan_id).map(|id| id.0).collect());
        let ids: Vec<KpiId> = kpis.iter().map(|kpi| kpi.id).collect();
        let (owners, platforms, plans, in_force) = futures_util::try_join!(
            Organization::find_many(db, &owners),
            Platform::find_many(db, &platforms),
            Plan::find_many(db, &plans),
            TargetInForce::of(db, &ids)
        )?;
        let owners: HashMap<_, _> = owners.into_iter().map(|o| (o.id, o)).collect();
        let platforms: HashMap<_, _> = platforms.into_iter().map(|p| (p.id, p)).collect();
        let plans: HashMap<_, _> = plans.into_iter().map(|p| (p.id, p)).collect();
        let mut targets: HashMap<KpiId, BTreeMap<i16, TargetInForce>> = HashMap::new();
        for target in in_force {
            targets
                .entry(target.kpi_id)
                .or_default()
                .insert(target.fiscal_year, target);
        }
        let sheet = |kpi: Kpi| {
            let sheet = Sheet {
                owner: owners.get(&kpi.owner_org_id).cloned(),
                platform: kpi
                    .fields
                    .platform_id
                    .and_then(|id| platforms.get(&id))
                    .map(|p| p.fields.name.0.clone()),
                plan: kpi
                    .fields
                    .plan_id
                    .and_then(|id| plans.get(&id))
                    .map(|p| p.fields.title.0.clone()),
                targets: targets.remove(&kpi.id).unwrap_or_default(),
                kpi,
            };
            (sheet.kpi.id, sheet)
        };
        Ok(kpis.into_iter().map(sheet).collect())
    }
}
