//! Who asks. [`begin`] is the first query of every transaction.

use crate::client::Scope;
use crate::text::{Network, network, text_enum};
use crate::{Db, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use std::net::IpAddr;
use uuid::Uuid;

text_enum! {
    /// What a caller is to his organisation. What each role may do stands in policy.toml.
    Role {
        /// Nobody signed in: sees what is published.
        Anonymous = "anonymous",
        /// The service itself while it signs somebody in.
        Authenticator = "authenticator",
        /// 市町村 閲覧者
        MunicipalityViewer = "municipality_viewer",
        /// 市町村 編集者
        MunicipalityEditor = "municipality_editor",
        /// 市町村 管理者（確認・公表）
        MunicipalityAdmin = "municipality_admin",
        /// 社会福祉協議会 編集者
        CouncilEditor = "council_editor",
        /// 社会福祉協議会のシステム
        CouncilClient = "council_client",
        /// 連携団体（地域振興協議会・NPOなど）
        Partner = "partner",
        /// 連携団体のシステム
        PartnerClient = "partner_client",
        /// アドバイザー
        Adviser = "adviser",
        /// 都道府県 編集者
        PrefectureEditor = "prefecture_editor",
        /// 都道府県 管理者
        PrefectureAdmin = "prefecture_admin",
        /// 広域事務局
        JointBodySecretariat = "joint_body_secretariat",
        /// 分析担当
        Analyst = "analyst",
        /// 監査担当
        Auditor = "auditor",
        /// システム管理者
        SystemAdmin = "system_admin",
    }
    /// What kind of credential a token was issued for.
    CallerKind {
        User = "user",
        Client = "client",
        Anonymous = "anonymous",
        Authenticator = "authenticator",
    }
}

/// What a token claims; [`begin`] checks it against the accounts of this moment.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub kind: CallerKind,
    pub id: Option<Uuid>,
    pub organization: Option<OrganizationId>,
    /// Of a system, its token: both can be ended before their time.
    pub session: Option<Uuid>,
}

impl Caller {
    /// Somebody without a token.
    pub const ANONYMOUS: Self = Self {
        kind: CallerKind::Anonymous,
        id: None,
        organization: None,
        session: None,
    };
    /// The service while it signs somebody in.
    pub const AUTHENTICATOR: Self = Self {
        kind: CallerKind::Authenticator,
        id: None,
        organization: None,
        session: None,
    };
}

/// What else a transaction knows of its request.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    pub request: Option<Uuid>,
    /// Why the caller changes what he changes; kept in the history.
    pub reason: Option<String>,
    /// Read everything as it was at this moment.
    pub as_of: Option<DateTime<Utc>>,
}

/// The caller as the database knows him now.
#[derive(Clone, Debug)]
pub struct Standing {
    pub actor_name: Option<String>,
    pub role: Role,
    pub org_name: Option<String>,
    pub org_kind: Option<String>,
    pub prefecture_code: Option<String>,
    /// Of a system: what it may read and write at most; none, all that its role may.
    pub scopes: Vec<Scope>,
    /// Of a system: from where it may call; none, from everywhere.
    pub addresses: Vec<Network>,
}

/// Is this address in one of these networks? Without networks, every address is.
pub fn admits(networks: &[Network], address: Option<IpAddr>) -> bool {
    let contains = |address: IpAddr| {
        let mut networks = networks.iter().filter_map(|n| network(n));
        networks.any(|network| network.contains(&address))
    };
    networks.is_empty() || address.is_some_and(contains)
}

/// The message with which [`begin`] refuses a session, person, client or role that has ended.
pub const ENDED: &str = "the session has ended";

/// Checks the caller and sets the variables of row-level security for this transaction.
pub async fn begin(mut db: Db<'_>, caller: &Caller, circumstances: &Circumstances) -> Result<Standing> {
    let (actor_name, role, org_name, org_kind, prefecture_code, scopes, addresses, _search_path) =
        Begin { caller, circumstances }.get_result::<Row>(&mut db).await?;
    Ok(Standing {
        actor_name,
        role,
        org_name,
        org_kind,
        prefecture_code,
        scopes: scopes.unwrap_or_default(),
        addresses: addresses.unwrap_or_default(),
    })
}

/// What [`begin`] reads.
type Row = (
    Option<String>,
    Role,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Vec<Scope>>,
    Option<Vec<Network>>,
    Option<String>,
);

/// The call of `app_begin`, as a query of its own so that each connection prepares it once.
struct Begin<'a> {
    caller: &'a Caller,
    circumstances: &'a Circumstances,
}

impl QueryId for Begin<'_> {
    type QueryId = Begin<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Begin<'_> {
    type SqlType = (
        Nullable<Text>,
        Text,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Array<Text>>,
        Nullable<Array<Text>>,
        Nullable<Text>,
    );
}

impl QueryFragment<Pg> for Begin<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        // The search path is set out here: what a function with a search path of its own sets ends with the function.
        out.push_sql(
            "select b.*, case when $7 is not null then set_config('search_path', 'as_of, public', true) end from app_begin(",
        );
        out.push_bind_param::<Text, _>(&self.caller.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.caller.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.caller.organization)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.caller.session)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<SqlUuid>, _>(&self.circumstances.request)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.circumstances.reason)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Timestamptz>, _>(&self.circumstances.as_of)?;
        out.push_sql(") b");
        Ok(())
    }
}
