//! Organisations (団体): town halls, social welfare councils, NPOs, departments, companies.

use crate::record::record;
use crate::schema::organizations;
use crate::text::{CorporateNumber, MunicipalityCode, Name, Phone, WebAddress, search_pattern, text_enum};
use crate::value::NaiveDate;
use crate::{Db, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

text_enum! {
    /// What an organisation is.
    OrganizationKind {
        /// 国
        National = "national",
        /// 都道府県
        Prefecture = "prefecture",
        /// 市区町村
        Municipality = "municipality",
        /// 庁内部局・課
        Department = "department",
        /// 広域の共同体
        JointBody = "joint_body",
        /// 社会福祉協議会
        SocialWelfareCouncil = "social_welfare_council",
        /// 地域包括支援センター
        CommunityGeneralSupportCenter = "community_general_support_center",
        /// 地域振興協議会
        CommunityPromotionCouncil = "community_promotion_council",
        /// 社会福祉法人
        SocialWelfareCorporation = "social_welfare_corporation",
        /// NPO法人
        Npo = "npo",
        /// 一般社団法人
        GeneralIncorporatedAssociation = "general_incorporated_association",
        /// 医療機関
        Medical = "medical",
        /// 協同組合
        Cooperative = "cooperative",
        /// 企業
        Company = "company",
        /// 学校
        School = "school",
        /// 住民組織
        ResidentsGroup = "residents_group",
        /// つなぎの運営者
        Operator = "operator",
        Other = "other",
    }
}

/// An organisation.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = organizations)]
pub struct Organization {
    pub id: OrganizationId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// Who owns the record; an organisation with accounts owns itself.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: OrganizationFields,
}

/// What can be written of an organisation.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = organizations, treat_none_as_null = true, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct OrganizationFields {
    pub kind: OrganizationKind,
    /// The official name, not shortened.
    #[validate(nested)]
    pub name: Name,
    /// Reading, for sorting and for reading aloud.
    #[serde(default)]
    #[validate(nested)]
    pub kana: Option<Name>,
    /// Other names under which it is found.
    #[serde(default)]
    #[validate(nested, length(max = 50))]
    #[schema(max_items = 50)]
    pub aliases: Vec<Name>,
    #[serde(default)]
    #[validate(nested)]
    pub corporate_number: Option<CorporateNumber>,
    /// Municipality of its seat.
    #[serde(default)]
    #[validate(nested)]
    pub municipality_code: Option<MunicipalityCode>,
    /// Prefecture of its seat; a prefecture gathers from the organisations that name it here.
    #[serde(default)]
    #[validate(nested)]
    pub prefecture_code: Option<MunicipalityCode>,
    /// The organisation it is a part of.
    #[serde(default)]
    pub parent_id: Option<OrganizationId>,
    /// Place in the declared order (建制順).
    #[serde(default)]
    pub position: i32,
    #[serde(default)]
    #[validate(nested)]
    pub url: Option<WebAddress>,
    #[serde(default)]
    #[validate(nested)]
    pub phone: Option<Phone>,
    /// It exists from this day …
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// … until this day; then history keeps its name.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
    /// What it became.
    #[serde(default)]
    pub successor_id: Option<OrganizationId>,
}

record!(organizations, Organization, OrganizationId, OrganizationFields, mutable);

/// Which organisations.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub kind: Option<OrganizationKind>,
    pub municipality_code: Option<String>,
    pub parent_id: Option<OrganizationId>,
    /// Part of name or reading.
    pub search: Option<String>,
    pub after: Option<(i32, OrganizationId)>,
    pub limit: i64,
}

impl Organization {
    /// In the declared order.
    pub async fn list(mut db: Db<'_>, filter: Filter) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(kind) = filter.kind {
            query = query.filter(organizations::kind.eq(kind));
        }
        if let Some(code) = filter.municipality_code {
            query = query.filter(organizations::municipality_code.eq(code));
        }
        if let Some(parent) = filter.parent_id {
            query = query.filter(organizations::parent_id.eq(parent));
        }
        if let Some(text) = filter.search {
            query = query.filter(organizations::search.like(search_pattern(&text)));
        }
        if let Some((position, id)) = filter.after {
            query = query.filter(
                organizations::position
                    .gt(position)
                    .or(organizations::position.eq(position).and(organizations::id.gt(id))),
            );
        }
        query
            .order((organizations::position, organizations::id))
            .limit(filter.limit)
            .load(&mut db)
            .await
    }

    /// Creates an organisation that owns itself and can have accounts (a system administrator's work).
    pub async fn found(mut db: Db<'_>, fields: OrganizationFields) -> Result<Self> {
        let id = OrganizationId::new();
        diesel::insert_into(organizations::table)
            .values((organizations::id.eq(id), organizations::owner_org_id.eq(id), fields))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }
}
