//! The tidy table: its columns, and how it is written as JSON, as lines of JSON, and as CSV.
//!
//! Long form (L3-09 of 行政データにおける機械可読性に関するルール), names in ASCII, one value a cell, units and states in columns of their own.

use crate::error::{Error, FieldError, Result};
use crate::files::{is_in_cp932, unmappable};
use crate::http::{Responses, json_response};
use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use encoding_rs::SHIFT_JIS;
use model::analytics::{KpiValue, TargetInForce};
use model::kpi::{Kpi, MissingReason, Quality};
use model::municipality::Municipality;
use model::organization::Organization;
use model::value::{Decimal, NaiveDate, fiscal_year};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{IntoResponses, PartialSchema, ToSchema};
use uuid::Uuid;

/// Form of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    Json,
    /// One object a line.
    Ndjson,
    Csv,
}

impl Form {
    /// What the caller accepts first.
    pub fn accepted(request: &HttpRequest) -> Self {
        let accept = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok());
        let types = accept
            .unwrap_or_default()
            .split(',')
            .map(|t| t.split(';').next().unwrap_or_default().trim());
        let mut known = types.filter_map(|media_type| match media_type {
            "text/csv" => Some(Self::Csv),
            "application/x-ndjson" | "application/jsonl" => Some(Self::Ndjson),
            "application/json" => Some(Self::Json),
            _ => None,
        });
        known.next().unwrap_or(Self::Json)
    }
}

/// Characters of CSV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Characters {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// With a byte order mark, by which spreadsheets know it.
    #[serde(rename = "utf-8-bom")]
    Utf8WithBom,
    /// Shift_JIS as Windows has it. What it does not have is 409 with its places.
    #[serde(rename = "cp932")]
    Cp932,
}

/// How the table is written.
#[derive(Debug)]
pub struct Style {
    form: Form,
    characters: Characters,
    columns: Vec<&'static Column>,
}

impl Style {
    /// With these columns in this order; all of them if none is named.
    pub fn new(form: Form, characters: Characters, names: &[String]) -> Result<Self> {
        let column = |name: &String| {
            let found = COLUMNS.iter().find(|column| column.name == name);
            found.ok_or_else(|| {
                Error::field(
                    &format!("/column/{}", name.chars().take(60).collect::<String>()),
                    "unknown_column",
                )
            })
        };
        let mut columns: Vec<&'static Column> = Vec::new();
        for name in names {
            let column = column(name)?;
            if !columns.iter().any(|c| c.name == column.name) {
                columns.push(column);
            }
        }
        if columns.is_empty() {
            columns.extend(COLUMNS);
        }
        Ok(Self {
            form,
            characters,
            columns,
        })
    }

    pub fn media_type(&self) -> &'static str {
        match (self.form, self.characters) {
            (Form::Json, _) => "application/json",
            (Form::Ndjson, _) => "application/x-ndjson",
            (Form::Csv, Characters::Cp932) => "text/csv; charset=Shift_JIS; header=present",
            (Form::Csv, _) => "text/csv; charset=utf-8; header=present",
        }
    }

    /// Is there anything that cannot be written in it?
    pub fn may_fail(&self) -> bool {
        self.form == Form::Csv && self.characters == Characters::Cp932
    }
}

/// A KPI with what its values have in common.
pub struct Sheet {
    pub kpi: Kpi,
    pub owner: Option<Organization>,
    pub platform: Option<String>,
    pub plan: Option<String>,
    /// In force, by fiscal year.
    pub targets: BTreeMap<i16, TargetInForce>,
}

/// A value in its place.
pub struct Row<'a> {
    sheet: &'a Sheet,
    value: &'a KpiValue,
    /// The prefecture or municipality.
    place: Option<&'a Municipality>,
    fiscal_year: i16,
}

impl<'a> Row<'a> {
    pub fn new(sheet: &'a Sheet, value: &'a KpiValue, municipalities: &'a HashMap<String, Municipality>) -> Self {
        let owner = sheet.owner.as_ref().map(|owner| &owner.fields);
        let code = value.municipality_code.as_deref();
        let code = code.or_else(|| owner.and_then(|o| o.municipality_code.as_deref().or(o.prefecture_code.as_deref())));
        Self {
            sheet,
            value,
            place: code.and_then(|code| municipalities.get(code)),
            fiscal_year: fiscal_year(value.period_start),
        }
    }

    pub fn prefecture_code(&self) -> Option<&'a str> {
        self.place.map(|place| place.prefecture_code.as_str())
    }

    fn municipality(&self) -> Option<&'a Municipality> {
        self.place.filter(|place| place.kind != "prefecture")
    }

    pub fn municipality_code(&self) -> Option<&'a str> {
        self.municipality().map(|place| place.code.as_str())
    }

    fn state(&self) -> State {
        match (self.value.missing_reason, self.value.quality) {
            (Some(MissingReason::Suppressed), _) => State::Suppressed,
            (Some(_), _) => State::Missing,
            (None, Quality::Provisional) => State::Provisional,
            (None, Quality::Estimated) => State::Estimated,
            (None, Quality::Final) if self.value.revision > 1 => State::Revised,
            (None, Quality::Final) => State::Final,
        }
    }

    /// The number, or numerator by denominator in the unit of the KPI.
    fn number(&self) -> Option<Cow<'a, Decimal>> {
        if let Some(number) = &self.value.number {
            return Some(Cow::Borrowed(number));
        }
        let (numerator, denominator) = self.value.numerator.as_ref().zip(self.value.denominator.as_ref())?;
        let unit = self.sheet.kpi.fields.unit.as_deref();
        Some(Cow::Owned(model::kpi::ratio(numerator, denominator, unit)))
    }
}

/// How settled a value is, with the signs of Japanese statistics and the codes of SDMX (CL_OBS_STATUS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Final,
    /// Final, and not the first value that was.
    Revised,
    Provisional,
    Estimated,
    Missing,
    Suppressed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Revised => "revised",
            Self::Provisional => "provisional",
            Self::Estimated => "estimated",
            Self::Missing => "missing",
            Self::Suppressed => "suppressed",
        }
    }
}

/// 皆無・不詳・秘匿・概数・改訂, as Japanese tables print them.
fn sign(row: &Row<'_>) -> Option<&'static str> {
    match (row.value.missing_reason, row.state()) {
        (Some(MissingReason::NotCarriedOut | MissingReason::NotApplicable), _) => Some("-"),
        (Some(MissingReason::NotAvailable | MissingReason::NotYetDue), _) => Some("…"),
        (_, State::Suppressed) => Some("x"),
        (_, State::Provisional) => Some("p"),
        (_, State::Estimated) => Some("e"),
        (_, State::Revised) => Some("r"),
        _ => None,
    }
}

/// SDMX CL_OBS_STATUS 2.2.
fn sdmx(row: &Row<'_>) -> &'static str {
    match (row.value.missing_reason, row.value.quality) {
        (Some(MissingReason::NotAvailable), _) => "L",
        (Some(MissingReason::NotCarriedOut | MissingReason::NotApplicable), _) => "M",
        (Some(MissingReason::NotYetDue), _) => "O",
        (Some(MissingReason::Suppressed), _) => "Q",
        (None, _) if row.value.series_break => "B",
        (None, Quality::Provisional) => "P",
        (None, Quality::Estimated) => "E",
        (None, Quality::Final) => "A",
    }
}

/// What stands in a cell.
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Number(Cow<'a, Decimal>),
    Count(i64),
    Flag(bool),
    Day(NaiveDate),
    Moment(DateTime<Utc>),
    Id(Uuid),
}

impl<'a> Cell<'a> {
    fn text(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    fn number(number: Option<&'a Decimal>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(Cow::Borrowed(number)))
    }

    fn id(id: Option<impl Into<Uuid>>) -> Self {
        id.map_or(Self::Empty, |id| Self::Id(id.into()))
    }
}

/// What kind of cells a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Text,
    /// One of a few codes.
    Code(&'static [&'static str]),
    Number,
    Count,
    Flag,
    Day,
    Moment,
}

/// A column of the table.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    /// Its name on screens.
    pub title: &'static str,
    pub kind: Kind,
    /// Is there something in every row?
    pub required: bool,
    pub about: &'static str,
    of: for<'a> fn(&Row<'a>) -> Cell<'a>,
}

macro_rules! columns {
    ($($name:ident $title:literal $kind:expr, $required:literal, $about:literal, $of:expr;)+) => {
        /// The columns, in their order. New ones are added at the end (L3-07).
        pub static COLUMNS: &[Column] = &[$(Column {
            name: stringify!($name), title: $title, kind: $kind, required: $required, about: $about, of: $of,
        }),+];
    };
}

columns! {
    observation_id "実績値ID" Kind::Id, true, "The value.", |r| Cell::Id(r.value.id.0);
    kpi_id "指標ID" Kind::Id, true, "The KPI.", |r| Cell::Id(r.sheet.kpi.id.0);
    kpi_code "指標コード" Kind::Text, false, "The owner's own code of the KPI.", |r| Cell::text(r.sheet.kpi.fields.code.as_deref());
    kpi_name "指標名" Kind::Text, true, "Name of the KPI.", |r| Cell::text(Some(&*r.sheet.kpi.fields.name.0));
    owner_id "所有団体ID" Kind::Id, true, "The organisation that keeps the KPI.", |r| Cell::Id(r.sheet.kpi.owner_org_id.0);
    owner_name "所有団体名" Kind::Text, false, "Its name.", |r| Cell::text(r.sheet.owner.as_ref().map(|o| &*o.fields.name.0));
    prefecture_code "都道府県コード" Kind::Text, false, "Six digits (全国地方公共団体コード).", |r| Cell::text(r.prefecture_code());
    prefecture_name "都道府県名" Kind::Text, false, "Its name.", |r| Cell::text(r.place.map(|p| p.prefecture_name.as_str()));
    municipality_code "市区町村コード" Kind::Text, false, "Six digits: of the line, else of the owner of the KPI.", |r| Cell::text(r.municipality_code());
    municipality_name "市区町村名" Kind::Text, false, "Its name.", |r| Cell::text(r.municipality().map(|m| m.name.as_str()));
    district "地区" Kind::Text, false, "Part of the municipality.", |r| Cell::text(r.value.district.as_deref());
    platform_id "プラットフォームID" Kind::Id, false, "The platform of the KPI.", |r| Cell::id(r.sheet.kpi.fields.platform_id);
    platform_name "プラットフォーム名" Kind::Text, false, "Its name.", |r| Cell::text(r.sheet.platform.as_deref());
    plan_id "計画ID" Kind::Id, false, "The plan of the KPI.", |r| Cell::id(r.sheet.kpi.fields.plan_id);
    plan_title "計画名" Kind::Text, false, "Its title.", |r| Cell::text(r.sheet.plan.as_deref());
    series_id "系列ID" Kind::Id, true, "The line of values; of the whole, the id of the KPI.", |r| Cell::Id(r.value.series_id.0);
    organization_id "団体ID" Kind::Id, false, "The organisation whose values these are, where the KPI is broken down by organisation.", |r| Cell::id(r.value.organization_id);
    organization_name "団体名" Kind::Text, false, "Its name.", |r| Cell::text(r.value.organization_name.as_deref());
    dimensions "内訳" Kind::Text, false, "Values of dimensions: 年代=20代、性別=女.", |r| Cell::text(model::kpi::told(&r.value.dimensions));
    period_kind "期間の種類" Kind::Code(&["fiscal_year", "quarter", "month", "day", "range"]), true, "What kind of period.", |r| Cell::text(Some(r.value.period_kind.as_str()));
    period_start "期間の初日" Kind::Day, true, "First day of the period.", |r| Cell::Day(r.value.period_start);
    period_end "期間の末日" Kind::Day, true, "Last day of the period.", |r| Cell::Day(r.value.period_end);
    fiscal_year "年度" Kind::Count, true, "Fiscal year (April to March) in which the period begins: 2024 is 令和6年度.", |r| Cell::Count(r.fiscal_year.into());
    value "値" Kind::Number, false, "The number; of a ratio, numerator by denominator in the unit.", |r| r.number().map_or(Cell::Empty, Cell::Number);
    value_low "値の下限" Kind::Number, false, "Of a value that is a range.", |r| Cell::number(r.value.low.as_ref());
    value_high "値の上限" Kind::Number, false, "Of a value that is a range.", |r| Cell::number(r.value.high.as_ref());
    numerator "分子" Kind::Number, false, "Of a ratio.", |r| Cell::number(r.value.numerator.as_ref());
    denominator "分母" Kind::Number, false, "Of a ratio.", |r| Cell::number(r.value.denominator.as_ref());
    text "状態" Kind::Text, false, "Of a value that is a state or sentence.", |r| Cell::text(r.value.state.as_deref());
    unit "単位" Kind::Text, false, "Unit of value, target and baseline.", |r| Cell::text(r.sheet.kpi.fields.unit.as_deref());
    direction "望ましい方向" Kind::Code(&["increase", "decrease", "keep", "range", "milestone", "none"]), true, "Which way is good.", |r| Cell::text(Some(r.sheet.kpi.fields.direction.as_str()));
    baseline "基準値" Kind::Number, false, "The value from which the KPI starts.", |r| Cell::number(r.sheet.kpi.fields.baseline.as_ref().and_then(|b| b.value.as_ref()));
    target "目標値" Kind::Number, false, "The numeric target of the fiscal year that is in force; of a range its lower bound.", |r| Cell::number(r.sheet.targets.get(&r.fiscal_year).and_then(|t| t.value.as_ref()));
    status "確度" Kind::Code(&["final", "revised", "provisional", "estimated", "missing", "suppressed"]), true, "How settled the value is.", |r| Cell::text(Some(r.state().as_str()));
    missing_reason "値がない理由" Kind::Code(&["not_available", "not_carried_out", "not_applicable", "not_yet_due", "suppressed"]), false, "Why there is no value: 不詳, 未実施, 該当なし, 期限前, 秘匿.", |r| Cell::text(r.value.missing_reason.map(MissingReason::as_str));
    obs_status "SDMX状態" Kind::Code(&["A", "B", "E", "L", "M", "O", "P", "Q"]), true, "Code of SDMX CL_OBS_STATUS.", |r| Cell::text(Some(sdmx(r)));
    sign "統計符号" Kind::Code(&["-", "…", "x", "p", "e", "r"]), false, "Sign of Japanese statistics: - none, … unknown, x suppressed, p provisional, e estimated, r revised.", |r| Cell::text(sign(r));
    approximate "概数" Kind::Flag, true, "Said to be approximate (約, 程度).", |r| Cell::Flag(r.value.approximate);
    series_break "系列の断絶" Kind::Flag, true, "Not comparable with the values before.", |r| Cell::Flag(r.value.series_break);
    revision "改訂番号" Kind::Count, true, "1 for the first value of a period, one more with each correction.", |r| Cell::Count(r.value.revision.into());
    recorded_at "記録日時" Kind::Moment, true, "When the value was recorded.", |r| Cell::Moment(r.value.recorded_at);
    source "出典" Kind::Text, false, "Where the value comes from.", |r| Cell::text(r.value.source.as_deref());
    note "備考" Kind::Text, false, "Remark.", |r| Cell::text(r.value.note.as_deref());
    printed "原文" Kind::Text, false, "The value as printed.", |r| Cell::text(r.value.printed.as_deref());
}

/// Writes rows one after another.
pub struct Writer<'s> {
    style: &'s Style,
    csv: csv::Writer<Vec<u8>>,
    json: Vec<u8>,
    rows: u64,
    scratch: Vec<u8>,
    /// What CP932 does not have.
    missing: Vec<FieldError>,
}

impl<'s> Writer<'s> {
    pub fn new(style: &'s Style, vintage: DateTime<Utc>) -> Result<Self> {
        let mark: &[u8] = if style.characters == Characters::Utf8WithBom {
            b"\xef\xbb\xbf"
        } else {
            b""
        };
        let mut writer = Self {
            style,
            csv: csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(mark.to_vec()),
            json: Vec::new(),
            rows: 0,
            scratch: Vec::new(),
            missing: Vec::new(),
        };
        match style.form {
            Form::Csv => writer
                .csv
                .write_record(style.columns.iter().map(|c| c.name))
                .map_err(Error::internal)?,
            Form::Ndjson => {}
            Form::Json => {
                let vintage = vintage.to_rfc3339_opts(SecondsFormat::Micros, true);
                write!(writer.json, "{{\"vintage\":\"{vintage}\",\"items\":[").map_err(Error::internal)?;
            }
        }
        Ok(writer)
    }

    /// Bytes that are not taken yet.
    pub fn waiting(&self) -> usize {
        self.csv.get_ref().len() + self.json.len()
    }

    pub fn row(&mut self, row: &Row<'_>) -> Result<()> {
        self.rows += 1;
        let written = match self.style.form {
            Form::Csv => self.csv_row(row),
            Form::Ndjson => self.json_row(row).and_then(|()| self.json.write_all(b"\n")),
            Form::Json => {
                let between: &[u8] = if self.rows == 1 { b"\n" } else { b",\n" };
                self.json.extend_from_slice(between);
                self.json_row(row)
            }
        };
        written.map_err(Error::internal)
    }

    fn csv_row(&mut self, row: &Row<'_>) -> std::io::Result<()> {
        for (number, column) in self.style.columns.iter().enumerate() {
            self.scratch.clear();
            match (column.of)(row) {
                Cell::Empty => {}
                Cell::Text(text) => {
                    // One line a row (L1-14).
                    let text = if text.contains(['\n', '\r']) {
                        Cow::Owned(text.replace(['\n', '\r'], " "))
                    } else {
                        text
                    };
                    if self.style.characters == Characters::Cp932 {
                        let unknown = text.chars().filter(|c| !is_in_cp932(*c));
                        let line = self.rows as usize + 1;
                        self.missing.extend(
                            unknown
                                .map(|c| unmappable(line, number + 1, c))
                                .take(100 - self.missing.len().min(100)),
                        );
                    }
                    self.scratch.extend_from_slice(text.as_bytes());
                }
                Cell::Number(number) => write!(self.scratch, "{number}")?,
                Cell::Count(count) => write!(self.scratch, "{count}")?,
                Cell::Flag(flag) => write!(self.scratch, "{flag}")?,
                Cell::Day(day) => write!(self.scratch, "{}", day.0)?,
                Cell::Moment(moment) => {
                    write!(self.scratch, "{}", moment.to_rfc3339_opts(SecondsFormat::Micros, true))?
                }
                Cell::Id(id) => write!(self.scratch, "{id}")?,
            }
            self.csv.write_field(&self.scratch)?;
        }
        self.csv.write_record(None::<&[u8]>)?;
        // What the CSV writer holds back is not counted.
        self.csv.flush()
    }

    fn json_row(&mut self, row: &Row<'_>) -> std::io::Result<()> {
        let out = &mut self.json;
        for (number, column) in self.style.columns.iter().enumerate() {
            write!(out, "{}\"{}\":", if number == 0 { '{' } else { ',' }, column.name)?;
            match (column.of)(row) {
                Cell::Empty => out.extend_from_slice(b"null"),
                Cell::Text(text) => serde_json::to_writer(&mut *out, &*text)?,
                // Digit by digit: a number of JSON is a decimal.
                Cell::Number(number) => write!(out, "{number}")?,
                Cell::Count(count) => write!(out, "{count}")?,
                Cell::Flag(flag) => write!(out, "{flag}")?,
                Cell::Day(day) => write!(out, "\"{}\"", day.0)?,
                Cell::Moment(moment) => write!(out, "\"{}\"", moment.to_rfc3339_opts(SecondsFormat::Micros, true))?,
                Cell::Id(id) => write!(out, "\"{id}\"")?,
            }
        }
        out.write_all(b"}")
    }

    /// What has been written since.
    pub fn piece(&mut self) -> Result<Bytes> {
        if self.style.form != Form::Csv {
            return Ok(std::mem::take(&mut self.json).into());
        }
        if !self.missing.is_empty() {
            return Err(Error::Contradiction(std::mem::take(&mut self.missing)));
        }
        let fresh = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(Vec::new());
        let text = std::mem::replace(&mut self.csv, fresh)
            .into_inner()
            .map_err(|e| Error::internal(e.to_string()))?;
        Ok(match self.style.characters {
            Characters::Cp932 => SHIFT_JIS
                .encode(std::str::from_utf8(&text).map_err(Error::internal)?)
                .0
                .into_owned()
                .into(),
            _ => text.into(),
        })
    }

    /// The rest.
    pub fn end(mut self) -> Result<Bytes> {
        if self.style.form == Form::Json {
            self.json.extend_from_slice(b"\n]}\n");
        }
        self.piece()
    }
}

/// Name of a column.
pub struct ColumnName;

impl PartialSchema for ColumnName {
    fn schema() -> RefOr<Schema> {
        let names = COLUMNS.iter().map(|column| column.name);
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Name of a column."))
            .enum_values(Some(names))
            .build()
            .into()
    }
}

impl ToSchema for ColumnName {
    fn name() -> Cow<'static, str> {
        "ColumnName".into()
    }
}

/// A row of the tidy table; the columns that were asked for.
pub struct ObservationRow;

impl PartialSchema for ObservationRow {
    fn schema() -> RefOr<Schema> {
        let mut row = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("A value in the long form."));
        for column in COLUMNS {
            row = row.property(column.name, column.schema());
        }
        row.build().into()
    }
}

impl ToSchema for ObservationRow {
    fn name() -> Cow<'static, str> {
        "ObservationRow".into()
    }
}

impl Column {
    fn schema(&self) -> RefOr<Schema> {
        let kind = match self.kind {
            Kind::Number => Type::Number,
            Kind::Count => Type::Integer,
            Kind::Flag => Type::Boolean,
            _ => Type::String,
        };
        let mut schema = ObjectBuilder::new().description(Some(format!("{} ({})", self.about, self.title)));
        schema = if self.required {
            schema.schema_type(kind)
        } else {
            schema.schema_type(utoipa::openapi::schema::SchemaType::from_iter([kind, Type::Null]))
        };
        schema.build().into()
    }
}

/// The table as JSON.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Observations {
    /// The moment that the table shows.
    vintage: DateTime<Utc>,
    /// One row a value.
    #[schema(value_type = Vec<ObservationRow>)]
    items: Vec<ObservationRow>,
}

/// The table in any form.
pub struct TidyTable;

impl IntoResponses for TidyTable {
    fn responses() -> Responses {
        let headers = [
            (
                "ETag",
                "The same for the same rows: of a vintage, a question and somebody's rights.",
            ),
            (
                "Vintage",
                "The moment that the table shows: `as_of` of a request that wants it again.",
            ),
        ];
        let mut responses = json_response::<Observations>("200", "The table.", "Observations".to_owned(), &headers);
        for response in responses.values_mut() {
            if let RefOr::T(response) = response {
                for media_type in ["text/csv", "application/x-ndjson"] {
                    let text = ObjectBuilder::new().schema_type(Type::String).build();
                    let content = ContentBuilder::new().schema(Some(text)).build();
                    response.content.insert(media_type.to_owned(), content.into());
                }
            }
        }
        responses
    }
}
