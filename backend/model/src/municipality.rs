//! Municipalities (reference data): read, never written through the API.

use crate::schema::municipalities;
use crate::{Db, Result};
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;

/// A prefecture, municipality or ward, with its local government code (全国地方公共団体コード).
#[derive(Clone, Debug, HasQuery, Serialize, ToSchema)]
#[diesel(table_name = municipalities)]
pub struct Municipality {
    /// Six digits; the key. Names are not unique (南部町 exists three times).
    #[schema(example = "312011")]
    pub code: String,
    /// Code of its prefecture.
    #[schema(example = "310000")]
    pub prefecture_code: String,
    /// Name of its prefecture.
    #[schema(example = "鳥取県")]
    pub prefecture_name: String,
    /// Its name.
    #[schema(example = "鳥取市")]
    pub name: String,
    /// Reading, in hiragana.
    #[schema(example = "とっとりし")]
    pub kana: String,
    /// prefecture, designated_city, city, special_ward, ward, town or village.
    #[schema(example = "city")]
    pub kind: String,
    /// The city of a ward, the prefecture of a municipality.
    pub parent_code: Option<String>,
    /// The code is in use from this day (unknown if absent).
    pub valid_from: Option<NaiveDate>,
    /// … and until this day.
    pub valid_to: Option<NaiveDate>,
    /// What it became.
    pub successor_code: Option<String>,
}

/// Which municipalities.
#[derive(Clone, Debug, Default)]
pub struct Filter<'a> {
    pub prefecture_code: Option<&'a str>,
    pub kind: Option<&'a str>,
    /// Part of name, kana or code.
    pub search: Option<&'a str>,
    pub after: Option<&'a str>,
    pub limit: i64,
}

impl Municipality {
    /// All of them.
    pub async fn all(mut db: Db<'_>) -> Result<Vec<Self>> {
        Self::query().load(&mut db).await
    }

    pub async fn find(mut db: Db<'_>, code: &str) -> Result<Self> {
        Self::query().find(code).first(&mut db).await
    }

    /// In the order of codes (団体コード順).
    pub async fn list(mut db: Db<'_>, filter: Filter<'_>) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(prefecture) = filter.prefecture_code {
            query = query.filter(municipalities::prefecture_code.eq(prefecture));
        }
        if let Some(kind) = filter.kind {
            query = query.filter(municipalities::kind.eq(kind));
        }
        if let Some(text) = filter.search {
            query = query.filter(municipalities::search.like(crate::text::search_pattern(text)));
        }
        if let Some(after) = filter.after {
            query = query.filter(municipalities::code.gt(after));
        }
        query
            .order(municipalities::code)
            .limit(filter.limit)
            .load(&mut db)
            .await
    }
}
