//! Values that several records share: decimals, periods, lists of prose, states of a sheet.

use crate::text::{Line, Prose, invalid, string_schema, text_enum};
use bigdecimal::BigDecimal;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Jsonb, Numeric};
use diesel::{deserialize, serialize};
use diesel_derive_newtype::DieselNewType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use validator::{Validate, ValidateLength, ValidationErrors};

/// An exact decimal. A string on the wire ("17.7"), `numeric` in the database; its digits after the point are
/// kept as written ("8.0" stays "8.0").
#[derive(Clone, Debug, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Numeric)]
pub struct Decimal(pub BigDecimal);

/// As written: 8.0 and 8.00 are the same number and different decimals, so to make one the other is a change.
impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.0.fractional_digit_count() == other.0.fractional_digit_count() && self.0 == other.0
    }
}

const DECIMAL_PATTERN: &str = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$";

impl std::str::FromStr for Decimal {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let digits = s.strip_prefix('-').unwrap_or(s);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let whole_ok =
            all_digits(whole) && (1..=18).contains(&whole.len()) && (whole == "0" || !whole.starts_with('0'));
        let fraction_ok = fraction.is_none_or(|f| all_digits(f) && (1..=9).contains(&f.len()));
        if whole_ok && fraction_ok {
            s.parse().map(Self).map_err(|_| "not a decimal number")
        } else {
            Err("not a decimal number: write at most 18 digits, a point and at most 9 digits, as a string (\"17.7\")")
        }
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl serialize::ToSql<Numeric, Pg> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut serialize::Output<'b, '_, Pg>) -> serialize::Result {
        <BigDecimal as serialize::ToSql<Numeric, Pg>>::to_sql(&self.0, out)
    }
}

impl deserialize::FromSql<Numeric, Pg> for Decimal {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        <BigDecimal as deserialize::FromSql<Numeric, Pg>>::from_sql(bytes).map(Self)
    }
}

impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        string_schema(
            "An exact decimal, as a string; digits after the point are kept as written.",
            DECIMAL_PATTERN,
            29,
            "17.7",
        )
    }
}

impl ToSchema for Decimal {
    fn name() -> Cow<'static, str> {
        "Decimal".into()
    }
}

/// A day as RFC 3339 writes it, 2025-03-31, of the years 0 to 9999. It has the name of chrono's type because utoipa knows a date by
/// that name; chrono's own reads " 2025-4-1" and years that neither JSON nor PostgreSQL can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, DieselNewType)]
#[serde(transparent)]
pub struct NaiveDate(pub chrono::NaiveDate);

impl std::ops::Deref for NaiveDate {
    type Target = chrono::NaiveDate;
    fn deref(&self) -> &chrono::NaiveDate {
        &self.0
    }
}

impl std::str::FromStr for NaiveDate {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        use chrono::Datelike;
        let day: Option<chrono::NaiveDate> = s.parse().ok();
        day.filter(|day| (0..=9999).contains(&day.year()) && day.to_string() == s)
            .map(Self)
            .ok_or("not a day: write it as 2025-03-31")
    }
}

impl<'de> Deserialize<'de> for NaiveDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A fiscal year (年度, April to March), named by the calendar year in which it begins: 2024 is 令和6年度.
pub const FIRST_FISCAL_YEAR: i16 = 1950;
/// The last fiscal year that can be written.
pub const LAST_FISCAL_YEAR: i16 = 2200;

/// The fiscal year of a day: the year of its 1 April (地方自治法208条).
pub fn fiscal_year(day: NaiveDate) -> i16 {
    use chrono::Datelike;
    let year = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    i16::try_from(year).unwrap_or(i16::MAX)
}

/// The day in Japan.
pub fn today() -> NaiveDate {
    NaiveDate((chrono::Utc::now() + chrono::TimeDelta::hours(9)).date_naive())
}

/// Typed JSON in a `jsonb` column.
macro_rules! jsonb {
    ($($t:ty),+ $(,)?) => {$(
        impl serialize::ToSql<Jsonb, Pg> for $t {
            fn to_sql<'b>(&'b self, out: &mut serialize::Output<'b, '_, Pg>) -> serialize::Result {
                use std::io::Write;
                out.write_all(&[1])?; // the version of jsonb's binary form
                serde_json::to_writer(out, self)?;
                Ok(serialize::IsNull::No)
            }
        }
        impl deserialize::FromSql<Jsonb, Pg> for $t {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                match bytes.as_bytes() {
                    [1, json @ ..] => Ok(serde_json::from_slice(json)?),
                    _ => Err("unknown version of jsonb".into()),
                }
            }
        }
    )+};
}
pub(crate) use jsonb;

/// A list of typed JSON values on a record (prose and small parts that nothing else refers to). In the OpenAPI
/// document it is an array: write `#[schema(value_type = Vec<T>, max_items = 500)]` on the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(transparent)]
pub struct List<T: std::fmt::Debug + 'static>(pub Vec<T>);

impl<T: std::fmt::Debug> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Validate + std::fmt::Debug> Validate for List<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        if self.0.len() > 500 {
            return Err(invalid("too_many"));
        }
        self.0.validate()
    }
}

impl<T: std::fmt::Debug> ValidateLength<u64> for List<T> {
    fn length(&self) -> Option<u64> {
        u64::try_from(self.0.len()).ok()
    }
}

impl<T: Serialize + std::fmt::Debug> serialize::ToSql<Jsonb, Pg> for List<T> {
    fn to_sql<'b>(&'b self, out: &mut serialize::Output<'b, '_, Pg>) -> serialize::Result {
        use std::io::Write;
        out.write_all(&[1])?;
        serde_json::to_writer(out, self)?;
        Ok(serialize::IsNull::No)
    }
}

impl<T: serde::de::DeserializeOwned + std::fmt::Debug> deserialize::FromSql<Jsonb, Pg> for List<T> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        match bytes.as_bytes() {
            [1, json @ ..] => Ok(serde_json::from_slice(json)?),
            _ => Err("unknown version of jsonb".into()),
        }
    }
}

text_enum! {
    /// The four kinds of empty, apart from zero: a slot of a document is not entered, has none (なし), is not
    /// applicable, or is entered.
    SlotState {
        NotEntered = "not_entered",
        None = "none",
        NotApplicable = "not_applicable",
        Entered = "entered",
    }
    /// Who may see a record once it is published or submitted.
    Visibility {
        /// The owning organisation (庁内限り).
        Organization = "organization",
        /// Members of the platform and actors of the plan (関係者限り).
        Partners = "partners",
        /// Everybody, when published (公開).
        Public = "public",
    }
    /// Life of a sheet.
    Status {
        /// 作成中
        Draft = "draft",
        /// 提出済
        Submitted = "submitted",
        /// 差戻し
        Returned = "returned",
        /// 確定
        Confirmed = "confirmed",
        /// 公表
        Published = "published",
    }
    /// How exact a printed date is.
    Precision {
        Day = "day",
        Days = "days",
        Month = "month",
        Quarter = "quarter",
        FiscalYear = "fiscal_year",
        Year = "year",
        Range = "range",
        Undecided = "undecided",
    }
}

impl Visibility {
    /// What a record is until its owner opens it.
    pub const fn organization() -> Self {
        Self::Organization
    }
}

/// A slot of a document that holds prose: the heading is printed even when it is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "lines_are_entered"))]
pub struct Section {
    /// Why it is empty, or `entered`.
    pub state: SlotState,
    /// The lines, in order.
    #[serde(default)]
    #[validate(nested, length(max = 500))]
    #[schema(max_items = 500)]
    pub items: Vec<ListItem>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            state: SlotState::NotEntered,
            items: Vec::new(),
        }
    }
}

/// One line of prose with its mark: marks and depth are structure, not decoration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ListItem {
    /// Depth of indentation, from 0.
    #[serde(default)]
    #[validate(range(max = 9))]
    #[schema(maximum = 9)]
    pub depth: u8,
    /// ● ○ ◎ □ ✓ ➢ ・ …, as printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub marker: Option<Line>,
    /// A label before the text (つながる, 第1回).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub label: Option<Line>,
    #[validate(nested)]
    pub text: Prose,
}

/// A date or period as people write it: exact only as far as `precision` says, with the printed text kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "period_in_order"))]
pub struct Period {
    pub precision: Precision,
    /// First day; of a month or fiscal year, its first day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<NaiveDate>,
    /// Last day; absent for a single day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<NaiveDate>,
    /// Single days when there are several (5/20、6/17 …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[validate(length(max = 100))]
    #[schema(max_items = 100)]
    pub days: Vec<NaiveDate>,
    /// The text as printed (令和6年12月10日（月）～11日（火）); never corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    pub printed: Option<Line>,
}

fn lines_are_entered(section: &Section) -> Result<(), validator::ValidationError> {
    if section.state == SlotState::Entered || section.items.is_empty() {
        Ok(())
    } else {
        Err(validator::ValidationError::new("section_state"))
    }
}

fn period_in_order(period: &Period) -> Result<(), validator::ValidationError> {
    match (period.start, period.end) {
        (Some(start), Some(end)) if end < start => Err(validator::ValidationError::new("period_order")),
        (None, Some(_)) => Err(validator::ValidationError::new("period_order")),
        _ => Ok(()),
    }
}

jsonb!(Section, Period);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_keeps_its_digits() {
        for text in ["8.0", "0", "-17.7", "188465", "0.000000001"] {
            let decimal: Decimal = text.parse().expect("valid");
            assert_eq!(decimal.to_string(), text);
        }
        for text in ["", "1e5", "01", "1.", ".5", "１", "NaN", "1,000", "+1", "--1"] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_written_out() {
        for text in ["2025-03-31", "0000-01-01", "9999-12-31"] {
            let day: NaiveDate = text.parse().expect("valid");
            assert_eq!(day.to_string(), text);
        }
        for text in [
            "",
            "2025-3-31",
            " 2025-03-31",
            "2025-03-31 ",
            "0000-00-00",
            "-0001-01-01",
            "+12345-01-01",
            "-262143-01-01",
            "2025-02-29",
            "２０２５-03-31",
            "20250331",
            "2025-03-31T00:00:00Z",
        ] {
            assert!(text.parse::<NaiveDate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_fiscal_year_begins_in_april() {
        let day = |y, m, d| NaiveDate(chrono::NaiveDate::from_ymd_opt(y, m, d).expect("valid"));
        assert_eq!(fiscal_year(day(2024, 4, 1)), 2024);
        assert_eq!(fiscal_year(day(2025, 3, 31)), 2024);
        assert_eq!(fiscal_year(day(2019, 2, 1)), 2018);
    }
}
