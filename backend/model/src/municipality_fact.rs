//! Facts of municipalities (人口, 世帯数, 高齢化率), each with its date and source.

use crate::record::record;
use crate::schema::municipality_facts;
use crate::text::{Line, MunicipalityCode, text_enum};
use crate::value::{Decimal, NaiveDate, Period, Status, Visibility};
use crate::{Db, MunicipalityFactId, OrganizationId, Result};
use chrono::{DateTime, Datelike, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

text_enum! {
    /// What a fact of a municipality is about.
    FactKind {
        /// 人口
        Population = "population",
        /// 世帯数
        Households = "households",
        /// 高齢化率
        ElderlyRate = "elderly_rate",
        /// 面積
        Area = "area",
        /// 地区数
        Districts = "districts",
        Other = "other",
    }
}

/// A fact of a municipality.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = municipality_facts)]
pub struct MunicipalityFact {
    pub id: MunicipalityFactId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns and edits the record.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub status: Status,
    /// The day by which facts are ordered: the last one of `as_of`.
    pub as_of_on: NaiveDate,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: MunicipalityFactFields,
}

/// What can be written of a fact.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = municipality_facts, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "dated"))]
pub struct MunicipalityFactFields {
    #[validate(nested)]
    pub municipality_code: MunicipalityCode,
    pub kind: FactKind,
    #[schema(example = "188465")]
    pub value: Decimal,
    #[validate(nested)]
    #[schema(example = "人")]
    pub unit: Line,
    /// The day or period it holds for (令和2年10月).
    #[validate(nested)]
    pub as_of: Period,
    #[validate(nested)]
    #[schema(example = "国勢調査")]
    pub source: Line,
    /// The text as printed; never corrected.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "188,465（人）<令和2年10月／国勢調査>")]
    pub printed: Option<Line>,
    #[serde(default = "Visibility::organization")]
    pub visibility: Visibility,
}

/// The day by which facts are ordered; the database reads it from JSON and knows no year 0.
fn order_day(period: &Period) -> Option<NaiveDate> {
    period.end.or(period.start).filter(|day| day.year() > 0)
}

fn dated(fields: &MunicipalityFactFields) -> std::result::Result<(), ValidationError> {
    order_day(&fields.as_of)
        .map(|_| ())
        .ok_or_else(|| ValidationError::new("undated"))
}

/// Which facts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub municipality_code: Option<String>,
    pub kind: Option<FactKind>,
    pub owner_org_id: Option<OrganizationId>,
    pub status: Option<Status>,
    pub after: Option<(String, NaiveDate, MunicipalityFactId)>,
    pub limit: i64,
}

record!(
    municipality_facts,
    MunicipalityFact,
    MunicipalityFactId,
    MunicipalityFactFields,
    mutable
);

impl MunicipalityFact {
    /// In the order of codes, older facts first.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        use municipality_facts as f;
        let mut query = Self::query().into_boxed();
        if let Some(code) = filter.municipality_code {
            query = query.filter(f::municipality_code.eq(code));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(f::kind.eq(kind));
        }
        if let Some(owner) = filter.owner_org_id {
            query = query.filter(f::owner_org_id.eq(owner));
        }
        if let Some(status) = filter.status {
            query = query.filter(f::status.eq(status));
        }
        if let Some((code, day, id)) = filter.after {
            query = query.filter(
                f::municipality_code.gt(code.clone()).or(f::municipality_code
                    .eq(code)
                    .and(f::as_of_on.gt(day).or(f::as_of_on.eq(day).and(f::id.gt(id))))),
            );
        }
        query
            .order((f::municipality_code, f::as_of_on, f::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Moves the sheet along its life. The database knows the allowed steps and which of them need a reason.
    pub async fn transition(&self, mut db: Db<'_>, status: Status) -> Result<Self> {
        diesel::update(municipality_facts::table.find(self.id))
            .filter(municipality_facts::version.eq(self.version))
            .set(municipality_facts::status.eq(status))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}
