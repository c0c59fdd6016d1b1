//! One id type per table, so that a `KpiId` can never be passed where a `ProjectId` is wanted.

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema, diesel_derive_newtype::DieselNewType,
        )]
        #[serde(transparent)]
        #[schema(example = "01936d3e-7c1a-7000-8000-000000000001")]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A fresh id (UUIDv7: ids of later records sort later).
            #[expect(clippy::new_without_default, reason = "a fresh id is not a default")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }
        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
        impl From<$name> for uuid::Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, uuid::Error> {
                s.parse().map(Self)
            }
        }
    )+};
}

typed_ids! {
    /// An organisation (団体).
    OrganizationId,
    /// A person with an account.
    UserId,
    /// A role of a person in an organisation, for a time.
    UserRoleId,
    /// Access to one platform or plan of another organisation.
    GrantId,
    /// A council's system.
    ClientId,
    /// A secret of a council's system.
    ClientSecretId,
    /// Where a system is told of changes.
    WebhookId,
    /// A message to a webhook.
    WebhookDeliveryId,
    /// A sign-in.
    SessionId,
    /// A platform (官民連携プラットフォーム, 地域協議会, 協議体 …).
    PlatformId,
    /// The narrative of a platform in one fiscal year.
    PlatformYearId,
    /// A member (参画メンバー) of a platform.
    MemberId,
    /// A plan (地域福祉計画 …).
    PlanId,
    /// A column of a plan's sheet (活動主体).
    PlanActorId,
    /// A level of a plan's evaluation scale (評価基準).
    EvaluationLevelId,
    /// A goal in the tree of a plan (基本目標, 重点取組 …).
    GoalId,
    /// The role of an actor for a goal (役割).
    GoalRoleId,
    /// The state of a cell of the roadmap sheet.
    RoadmapCellId,
    /// An entry of the roadmap sheet.
    RoadmapItemId,
    /// An evaluation (総合評価) of a goal in a fiscal year.
    EvaluationId,
    /// A project (試行的事業).
    ProjectId,
    /// A cost (予算) of a project.
    ProjectCostId,
    /// A KPI (重要業績評価指標).
    KpiId,
    /// A place where a KPI is listed.
    KpiPlacementId,
    /// A line of values of a KPI.
    KpiSeriesId,
    /// A target value (目標値).
    KpiTargetId,
    /// An observed value (実績値).
    KpiObservationId,
    /// A fact of a municipality, such as its population.
    MunicipalityFactId,
    /// An id of another system.
    ExternalIdId,
    /// What a person said about a finding.
    FindingNoteId,
    /// A file to import.
    ImportId,
    /// A run of the sync log.
    SyncRunId,
    /// A row of the sync log.
    SyncRowId,
}
