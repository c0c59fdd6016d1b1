//! Who asks. [`begin`] is the first query of every transaction.

use crate::text::text_enum;
use crate::{Db, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
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
#[derive(Clone, Debug, QueryableByName)]
pub struct Standing {
    #[diesel(sql_type = Nullable<Text>)]
    pub actor_name: Option<String>,
    #[diesel(sql_type = Text)]
    pub role: Role,
    #[diesel(sql_type = Nullable<Text>)]
    pub org_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub org_kind: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub prefecture_code: Option<String>,
}

/// The message with which [`begin`] refuses a session, person, client or role that has ended.
pub const ENDED: &str = "the session has ended";

/// Checks the caller and sets the variables of row-level security for this transaction.
pub async fn begin(mut db: Db<'_>, caller: &Caller, circumstances: &Circumstances) -> Result<Standing> {
    // A function with a search path of its own cannot change that of its caller, so the past is put in front here.
    diesel::sql_query(
        "select b.*, set_config('search_path', case when $7 is null then 'public' else 'as_of, public' end, true)
         from app_begin($1, $2, $3, $4, $5, $6, $7) b",
    )
    .bind::<Text, _>(caller.kind.as_str())
    .bind::<Nullable<SqlUuid>, _>(caller.id)
    .bind::<Nullable<SqlUuid>, _>(caller.organization.map(|o| o.0))
    .bind::<Nullable<SqlUuid>, _>(caller.session)
    .bind::<Nullable<SqlUuid>, _>(circumstances.request)
    .bind::<Nullable<Text>, _>(circumstances.reason.as_deref())
    .bind::<Nullable<Timestamptz>, _>(circumstances.as_of)
    .get_result(&mut db)
    .await
}
