//! Findings: printed facts that the record contradicts. They are computed from the records with every read; nothing is
//! corrected and nothing refused, but a person can say what is behind one.

mod change;
mod text;
mod weekday;
mod yen;

use crate::history::Entity;
use crate::kpi::Baseline;
use crate::platform::PlatformYear;
use crate::project::{MediaItem, Project};
use crate::project_cost::ProjectCost;
use crate::record::record;
use crate::schema::{
    finding_notes, goals, kpi_current, kpi_observations, kpi_placements, kpis, platform_years, project_costs, projects,
};
use crate::text::{Line, Prose, text_enum};
use crate::value::{Decimal, NaiveDate, fiscal_year};
use crate::{
    Db, FindingNoteId, GoalId, KpiId, KpiObservationId, KpiPlacementId, OrganizationId, PlanId, PlatformId, ProjectId,
    Result,
};
use bigdecimal::{BigDecimal, Signed, Zero};
use change::Verdict;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

text_enum! {
    /// Which contradiction was found.
    FindingRule {
        /// A printed date has another weekday.
        WrongWeekday = "wrong_weekday",
        /// A printed amount or total is not what the recorded costs amount to.
        CostSum = "cost_sum",
        /// The quantity of a medium is not that of each outlet times the outlets.
        MediaTotal = "media_total",
        /// A printed change of a share is not the difference of its values in ポイント.
        ChangeInPoints = "change_in_points",
        /// A KPI is marked ※再掲, and the place it is repeated from is not recorded.
        RelistedAlone = "relisted_alone",
    }
    /// How much a finding matters.
    FindingSeverity {
        /// Worth a look.
        Info = "info",
        /// The print contradicts the record.
        Warning = "warning",
    }
    /// What was made of a finding.
    FindingState {
        /// 未確認
        Open = "open",
        /// 説明済: the print stays, the note says why.
        Explained = "explained",
        /// 修正済: corrected at its source.
        Fixed = "fixed",
    }
    /// What a note makes of a finding.
    NoteState {
        /// 説明済
        Explained = "explained",
        /// 修正済
        Fixed = "fixed",
    }
}

impl NoteState {
    /// What most notes say.
    pub const fn explained() -> Self {
        Self::Explained
    }
}

/// A printed fact that the record contradicts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    pub rule: FindingRule,
    pub severity: FindingSeverity,
    /// Kind of record in which it stands.
    pub record_entity: Entity,
    /// The record.
    pub record_id: Uuid,
    /// JSON pointer to the field.
    #[schema(example = "/schedules/0/when/printed")]
    pub field: String,
    /// What is printed.
    #[schema(example = "令和6年12月10日（月）～11日（火）")]
    pub printed: String,
    /// What the record says instead.
    #[schema(example = "令和6年12月10日（火）～11日（水）")]
    pub computed: Option<String>,
    /// What is wrong and what to do, in Japanese.
    pub message: String,
    pub state: FindingState,
    /// What a person of the caller's organisation said about it.
    pub note: Option<FindingNote>,
}

/// What a person said about a finding. It belongs to the organisation of that person and is seen by nobody else.
#[derive(Clone, Debug, PartialEq, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = finding_notes)]
pub struct FindingNote {
    pub id: FindingNoteId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation whose note it is.
    pub owner_org_id: OrganizationId,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: FindingNoteFields,
}

/// What can be written of a note. It names the finding by record, rule and printed text.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = finding_notes, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
pub struct FindingNoteFields {
    /// Kind of record.
    pub entity: Entity,
    /// The record; one that the caller sees.
    pub record_id: Uuid,
    pub rule: FindingRule,
    /// What is printed, as the finding has it.
    #[validate(nested)]
    #[schema(example = "令和6年12月10日（月）～11日（火）")]
    pub printed: Line,
    #[serde(default = "NoteState::explained")]
    pub state: NoteState,
    #[validate(nested)]
    #[schema(example = "原文の曜日が1日ずれている。日付は開催通知で確認した。")]
    pub explanation: Prose,
}

record!(finding_notes, FindingNote, FindingNoteId, FindingNoteFields, mutable);

/// Whose findings.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// The platform's years, projects and KPIs.
    Platform(PlatformId),
    Project(ProjectId),
    /// The plan's KPIs, and the projects for its goals.
    Plan(PlanId),
    Kpi(KpiId),
}

impl Finding {
    /// The findings of a scope, as far as the caller sees its records.
    pub async fn list(db: Db<'_>, scope: Scope) -> Result<Vec<Self>> {
        let records = Records::load(db, scope).await?;
        let mut findings = records.findings();
        let mut notes = FindingNote::of(db, &findings).await?;
        for finding in &mut findings {
            let key = (finding.record_id, finding.rule, finding.printed.clone());
            if let Some(note) = notes.remove(&key) {
                finding.state = match note.fields.state {
                    NoteState::Explained => FindingState::Explained,
                    NoteState::Fixed => FindingState::Fixed,
                };
                // The same words at two places of a record share their note.
                notes.insert(key, note.clone());
                finding.note = Some(note);
            }
        }
        Ok(findings)
    }
}

impl FindingNote {
    async fn of(mut db: Db<'_>, findings: &[Finding]) -> Result<HashMap<(Uuid, FindingRule, String), Self>> {
        let records: Vec<Uuid> = findings.iter().map(|f| f.record_id).collect();
        let notes: Vec<Self> = Self::query()
            .filter(finding_notes::record_id.eq_any(records))
            .load(&mut db)
            .await?;
        Ok(notes
            .into_iter()
            .map(|n| ((n.fields.record_id, n.fields.rule, n.fields.printed.0.clone()), n))
            .collect())
    }

    /// Notes of the caller's organisation, in the order in which they were written.
    pub async fn list(
        mut db: Db<'_>,
        record: Option<Uuid>,
        after: Option<FindingNoteId>,
        limit: i64,
    ) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(record) = record {
            query = query.filter(finding_notes::record_id.eq(record));
        }
        if let Some(id) = after {
            query = query.filter(finding_notes::id.gt(id));
        }
        query.order(finding_notes::id).limit(limit).load(&mut db).await
    }
}

/// What the rules look at.
#[derive(Default)]
struct Records {
    years: Vec<PlatformYear>,
    projects: Vec<Project>,
    costs: Vec<ProjectCost>,
    kpis: Vec<KpiFacts>,
    observations: Vec<ObservationFacts>,
    placements: Vec<Placement>,
    /// Only what is about this KPI is wanted.
    about: Option<KpiId>,
}

/// What the rules need of a KPI.
#[derive(Clone, Debug, Queryable)]
struct KpiFacts {
    id: KpiId,
    name: String,
    unit: Option<String>,
    baseline: Option<Baseline>,
    printed: Option<String>,
}

/// What the rules need of the newest value of the whole.
#[derive(Clone, Debug, Queryable)]
struct ObservationFacts {
    id: KpiObservationId,
    kpi_id: KpiId,
    number: Option<Decimal>,
    numerator: Option<Decimal>,
    denominator: Option<Decimal>,
    source: Option<String>,
    printed: Option<String>,
    note: Option<String>,
}

/// A place of a KPI, and the document in which it is: a plan, or what a platform or project reports.
#[derive(Clone, Debug)]
struct Placement {
    id: KpiPlacementId,
    kpi_id: KpiId,
    document: Option<Uuid>,
    relisted: bool,
    printed: Option<String>,
}

type PlacementRow = (
    KpiPlacementId,
    KpiId,
    Option<GoalId>,
    Option<ProjectId>,
    Option<PlatformId>,
    bool,
    Option<String>,
);

impl Records {
    async fn load(mut db: Db<'_>, scope: Scope) -> Result<Self> {
        let mut records = Self::default();
        match scope {
            Scope::Platform(id) => {
                records.load_projects(db, Wanted::Platform(id)).await?;
                records.load_years(db, id).await?;
                records.load_kpis(db, Wanted::Platform(id)).await?;
            }
            Scope::Project(id) => {
                records.load_projects(db, Wanted::Project(id)).await?;
                records.load_kpis(db, Wanted::Project(id)).await?;
            }
            Scope::Plan(id) => {
                records.load_projects(db, Wanted::Plan(id)).await?;
                records.load_kpis(db, Wanted::Plan(id)).await?;
                records.placements.retain(|p| p.document == Some(id.0));
            }
            Scope::Kpi(id) => {
                records.about = Some(id);
                let platform: Option<Option<PlatformId>> = kpis::table
                    .find(id)
                    .select(kpis::platform_id)
                    .first(&mut db)
                    .await
                    .optional()?;
                // What is printed of a KPI can stand anywhere in the report of its platform.
                match platform.flatten() {
                    Some(platform) => {
                        records.load_projects(db, Wanted::Platform(platform)).await?;
                        records.load_years(db, platform).await?;
                        records.load_kpis(db, Wanted::Platform(platform)).await?;
                    }
                    None => records.load_kpis(db, Wanted::Kpi(id)).await?,
                }
            }
        }
        Ok(records)
    }

    async fn load_years(&mut self, mut db: Db<'_>, platform: PlatformId) -> Result<()> {
        self.years = PlatformYear::query()
            .filter(platform_years::platform_id.eq(platform))
            .order((platform_years::fiscal_year, platform_years::id))
            .load(&mut db)
            .await?;
        Ok(())
    }

    async fn load_projects(&mut self, mut db: Db<'_>, wanted: Wanted) -> Result<()> {
        let query = Project::query().into_boxed();
        let query = match wanted {
            Wanted::Platform(id) => query.filter(projects::platform_id.eq(id)),
            Wanted::Project(id) => query.filter(projects::id.eq(id)),
            Wanted::Plan(id) => {
                let of_plan = goals::table.filter(goals::plan_id.eq(id)).select(goals::id.nullable());
                query.filter(projects::goal_id.eq_any(of_plan))
            }
            Wanted::Kpi(_) => return Ok(()),
        };
        self.projects = query
            .order((projects::fiscal_year, projects::position, projects::id))
            .load(&mut db)
            .await?;
        let ids: Vec<ProjectId> = self.projects.iter().map(|p| p.id).collect();
        self.costs = ProjectCost::query()
            .filter(project_costs::project_id.eq_any(ids))
            .order((project_costs::project_id, project_costs::position, project_costs::id))
            .load(&mut db)
            .await?;
        Ok(())
    }

    async fn load_kpis(&mut self, mut db: Db<'_>, wanted: Wanted) -> Result<()> {
        use kpi_placements as p;
        let placed = p::table.select(p::kpi_id).into_boxed();
        let query = kpis::table.into_boxed();
        let query = match wanted {
            Wanted::Platform(id) => {
                let of_platform = projects::table
                    .filter(projects::platform_id.eq(id))
                    .select(projects::id.nullable());
                let placed = placed.filter(p::platform_id.eq(id).or(p::project_id.eq_any(of_platform)));
                query.filter(
                    kpis::platform_id
                        .eq(id)
                        .or(kpis::id.nullable().eq_any(placed.nullable())),
                )
            }
            Wanted::Project(id) => query.filter(kpis::id.eq_any(placed.filter(p::project_id.eq(id)))),
            Wanted::Plan(id) => {
                let of_plan = goals::table.filter(goals::plan_id.eq(id)).select(goals::id.nullable());
                let placed = placed.filter(p::goal_id.eq_any(of_plan));
                query.filter(kpis::plan_id.eq(id).or(kpis::id.nullable().eq_any(placed.nullable())))
            }
            Wanted::Kpi(id) => query.filter(kpis::id.eq(id)),
        };
        self.kpis = query
            .order((kpis::position, kpis::id))
            .select((kpis::id, kpis::name, kpis::unit, kpis::baseline, kpis::printed))
            .load(&mut db)
            .await?;
        let ids: Vec<KpiId> = self.kpis.iter().map(|k| k.id).collect();
        let newest: Vec<KpiObservationId> = kpi_current::table
            .filter(kpi_current::kpi_id.eq_any(&ids))
            .filter(kpi_current::observation_id.is_not_null())
            .select(kpi_current::observation_id.assume_not_null())
            .load(&mut db)
            .await?;
        {
            use kpi_observations as o;
            self.observations = o::table
                .filter(o::id.eq_any(newest))
                .select((
                    o::id,
                    o::kpi_id,
                    o::number,
                    o::numerator,
                    o::denominator,
                    o::source,
                    o::printed,
                    o::note,
                ))
                .load(&mut db)
                .await?;
        }
        let rows: Vec<PlacementRow> = p::table
            .filter(p::kpi_id.eq_any(&ids))
            .order((p::position, p::id))
            .select((
                p::id,
                p::kpi_id,
                p::goal_id,
                p::project_id,
                p::platform_id,
                p::relisted,
                p::printed,
            ))
            .load(&mut db)
            .await?;
        self.placements = placed_in_documents(db, rows).await?;
        Ok(())
    }

    /// Every finding, in the order of the records.
    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.about.is_none() {
            for year in &self.years {
                findings.extend(in_texts(
                    Entity::PlatformYears,
                    year.id.0,
                    &json(&year.fields),
                    year.fields.fiscal_year,
                ));
            }
            for project in &self.projects {
                let fields = json(&project.fields);
                findings.extend(in_texts(
                    Entity::Projects,
                    project.id.0,
                    &fields,
                    project.fields.fiscal_year,
                ));
                findings.extend(media_totals(project.id, &project.fields.media_plan.0));
                let costs: Vec<&ProjectCost> = self
                    .costs
                    .iter()
                    .filter(|c| c.fields.project_id == project.id)
                    .collect();
                findings.extend(cost_sums(project.id, &fields, &costs));
            }
        }
        let texts = self.texts();
        let about = |id: KpiId| self.about.is_none_or(|wanted| wanted == id);
        for kpi in self.kpis.iter().filter(|k| about(k.id)) {
            let observation = self.observations.iter().find(|o| o.kpi_id == kpi.id);
            findings.extend(changes_in_points(kpi, observation, &texts));
        }
        findings.extend(relisted_alone(&self.placements, about));
        findings
    }

    /// Texts in which the change of a KPI can be printed.
    fn texts(&self) -> Vec<Text> {
        let mut texts = Vec::new();
        let mut own = |kpi: KpiId, entity: Entity, record_id: Uuid, field: &str, text: &Option<String>| {
            if let (Some(text), Some(kpi)) = (text, self.kpis.iter().find(|k| k.id == kpi)) {
                texts.push(Text {
                    entity,
                    record_id,
                    field: field.to_owned(),
                    text: text.clone(),
                    kpi: Some(kpi.name.clone()),
                });
            }
        };
        for kpi in &self.kpis {
            own(kpi.id, Entity::Kpis, kpi.id.0, "/printed", &kpi.printed);
        }
        for observation in &self.observations {
            let mut own = |field, text| {
                own(
                    observation.kpi_id,
                    Entity::KpiObservations,
                    observation.id.0,
                    field,
                    text,
                )
            };
            own("/printed", &observation.printed);
            own("/note", &observation.note);
        }
        for placement in &self.placements {
            own(
                placement.kpi_id,
                Entity::KpiPlacements,
                placement.id.0,
                "/printed",
                &placement.printed,
            );
        }
        let years = self
            .years
            .iter()
            .map(|y| (Entity::PlatformYears, y.id.0, json(&y.fields)));
        let projects = self
            .projects
            .iter()
            .map(|p| (Entity::Projects, p.id.0, json(&p.fields)));
        for (entity, record_id, fields) in years.chain(projects) {
            walk(&fields, &mut String::new(), None, &mut |field, text, _| {
                texts.push(Text {
                    entity,
                    record_id,
                    field: field.to_owned(),
                    text: text.to_owned(),
                    kpi: None,
                });
            });
        }
        texts
    }
}

/// Which projects and KPIs.
#[derive(Clone, Copy)]
enum Wanted {
    Platform(PlatformId),
    Project(ProjectId),
    Plan(PlanId),
    Kpi(KpiId),
}

async fn placed_in_documents(mut db: Db<'_>, rows: Vec<PlacementRow>) -> Result<Vec<Placement>> {
    let of_rows: Vec<ProjectId> = rows.iter().filter_map(|r| r.3).collect();
    let project_places: HashMap<ProjectId, (Option<GoalId>, Option<PlatformId>)> = projects::table
        .filter(projects::id.eq_any(of_rows))
        .select((projects::id, (projects::goal_id, projects::platform_id)))
        .load(&mut db)
        .await?
        .into_iter()
        .collect();
    let of_places: Vec<GoalId> = rows
        .iter()
        .filter_map(|r| r.2)
        .chain(project_places.values().filter_map(|p| p.0))
        .collect();
    let plans: HashMap<GoalId, PlanId> = goals::table
        .filter(goals::id.eq_any(of_places))
        .select((goals::id, goals::plan_id))
        .load(&mut db)
        .await?
        .into_iter()
        .collect();
    let plan = |goal: Option<GoalId>| goal.and_then(|g| plans.get(&g)).map(|p| p.0);
    Ok(rows
        .into_iter()
        .map(|(id, kpi_id, goal, project, platform, relisted, printed)| {
            let place = project.and_then(|p| project_places.get(&p)).copied();
            let document = plan(goal)
                .or(platform.map(|p| p.0))
                .or_else(|| plan(place?.0).or(place?.1.map(|p| p.0)))
                .or(project.map(|p| p.0));
            Placement {
                id,
                kpi_id,
                document,
                relisted,
                printed,
            }
        })
        .collect())
}

// What follows knows of no database.

fn json(fields: &impl Serialize) -> Value {
    serde_json::to_value(fields).unwrap_or_default()
}

fn finding(rule: FindingRule, severity: FindingSeverity, entity: Entity, record_id: Uuid, field: &str) -> Finding {
    Finding {
        rule,
        severity,
        record_entity: entity,
        record_id,
        field: field.to_owned(),
        printed: String::new(),
        computed: None,
        message: String::new(),
        state: FindingState::Open,
        note: None,
    }
}

/// Every text of a record with its JSON pointer; texts of a period come with its first day.
fn walk(
    value: &Value,
    pointer: &mut String,
    start: Option<NaiveDate>,
    visit: &mut impl FnMut(&str, &str, Option<NaiveDate>),
) {
    match value {
        Value::String(text) => visit(pointer, text, start),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let length = pointer.len();
                pointer.push_str(&format!("/{index}"));
                walk(item, pointer, None, visit);
                pointer.truncate(length);
            }
        }
        Value::Object(object) => {
            let start = object
                .get("precision")
                .and(object.get("start"))
                .and_then(|start| start.as_str()?.parse().ok());
            for (name, item) in object {
                let length = pointer.len();
                pointer.push('/');
                pointer.push_str(name);
                walk(item, pointer, start, visit);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// The heading under which people know a field.
fn label(pointer: &str) -> &'static str {
    match pointer.split('/').nth(1).unwrap_or_default() {
        "content" => "事業内容",
        "aims" => "目的／期待効果・KPI",
        "verification" => "成果検証結果",
        "schedules" => "実施時期",
        "summary" => "概要",
        "ingenuity_points" => "工夫点",
        "detail_aims" => "ねらい",
        "results" => "結果",
        "media_plan" => "広報の実施概要",
        "goals_of_year" => "今年度のゴール",
        "final_goals" | "final_goals_closing" => "最終的なゴール",
        "prior_efforts" => "従前の取り組み",
        "partnership_values" => "PF連携による価値や工夫",
        "trial_points" => "試行的事業のポイント・工夫",
        "next_year_proposals" => "次年度以降に向けた事業等の案",
        "reactions" => "公表した際の反響",
        "process_notes" => "PF構築プロセスにおける留意点",
        "breakthrough" => "ブレイクスルー要因",
        "printed" => "原文表記",
        "note" => "備考",
        _ => "記載",
    }
}

/// Weekdays that the calendar contradicts. In prose without a printed year the date may be another, so it is only
/// worth a look.
fn in_texts(entity: Entity, record: Uuid, fields: &Value, year: i16) -> Vec<Finding> {
    let mut findings = Vec::new();
    walk(fields, &mut String::new(), None, &mut |field, text, start| {
        for wrong in weekday::wrong_weekdays(text, Some(start.map_or(year, fiscal_year))) {
            let certain = wrong.year_printed || start.is_some();
            let severity = if certain {
                FindingSeverity::Warning
            } else {
                FindingSeverity::Info
            };
            findings.push(Finding {
                message: format!(
                    "{}の「{}」は曜日が日付と合いません。暦では「{}」です。日付が誤りなら日付を直し、原文の曜日が誤りなら原文はそのままにして説明を付けてください。",
                    label(field),
                    wrong.printed,
                    wrong.computed
                ),
                printed: wrong.printed,
                computed: Some(wrong.computed),
                ..finding(FindingRule::WrongWeekday, severity, entity, record, field)
            });
        }
    });
    findings
}

/// Lines of the media plan whose quantity is not that of each outlet times the outlets.
fn media_totals(project: ProjectId, media: &[MediaItem]) -> Vec<Finding> {
    let total = |(index, item): (usize, &MediaItem)| {
        let (quantity, per_outlet) = (item.quantity?, item.per_outlet?);
        let outlets = i64::try_from(item.outlets.len()).ok()?;
        let computed = per_outlet.checked_mul(outlets)?;
        let unit = item.unit.as_deref().unwrap_or_default();
        (outlets > 0 && computed != quantity).then(|| Finding {
            printed: format!("{quantity}{unit}"),
            computed: Some(format!("{computed}{unit}")),
            message: format!(
                "広報の実施概要「{}」の数量 {quantity}{unit} が、{per_outlet}{unit}×出稿先{outlets}か所＝{computed}{unit} と合いません。数量・出稿先ごとの数量・出稿先のいずれかを直すか、説明を付けてください。",
                &*item.medium
            ),
            ..finding(
                FindingRule::MediaTotal,
                FindingSeverity::Warning,
                Entity::Projects,
                project.0,
                &format!("/media_plan/{index}/quantity"),
            )
        })
    };
    media.iter().enumerate().filter_map(total).collect()
}

/// Words that stand before the total of a project in its prose.
const PROJECT_TOTALS: [&str; 7] = [
    "総事業費",
    "総費用",
    "事業費",
    "予算総額",
    "予算額",
    "費用合計",
    "経費合計",
];

/// Printed amounts against the recorded ones: of each cost, of a cost that is the total of the others, and of what the
/// project's prose calls its total.
fn cost_sums(project: ProjectId, fields: &Value, costs: &[&ProjectCost]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for cost in costs {
        let Some(printed) = cost.fields.printed.as_deref() else {
            continue;
        };
        if let Some((computed, what)) = contradicted(printed, cost, costs) {
            findings.push(Finding {
                printed: printed.to_owned(),
                computed: Some(yen::yen(computed)),
                message: format!(
                    "費用の原文表記「{printed}」の金額が、{what} {} と合いません。金額を直すか、説明を付けてください。",
                    yen::yen(computed)
                ),
                ..finding(
                    FindingRule::CostSum,
                    FindingSeverity::Warning,
                    Entity::ProjectCosts,
                    cost.id.0,
                    "/printed",
                )
            });
        }
    }
    let Some(sum) = sum(costs) else {
        return findings;
    };
    let severity = if costs.iter().any(|c| c.fields.approximate) {
        FindingSeverity::Info
    } else {
        FindingSeverity::Warning
    };
    walk(fields, &mut String::new(), None, &mut |field, text, _| {
        if let Some(word) = PROJECT_TOTALS.iter().find(|word| text.contains(**word))
            && let Some(told) = text
                .find(word)
                .and_then(|at| yen::amounts(&text[at..]).into_iter().next())
            && told.yen != sum
        {
            findings.push(Finding {
                printed: format!("{word} {}", yen::yen(told.yen)),
                computed: Some(yen::yen(sum)),
                message: format!(
                    "{}の「{word}」{} が、登録された費用の合計 {} と合いません。費用の登録漏れを確かめるか、説明を付けてください。",
                    label(field),
                    yen::yen(told.yen),
                    yen::yen(sum)
                ),
                ..finding(FindingRule::CostSum, severity, Entity::Projects, project.0, field)
            });
        }
    });
    findings
}

/// What all costs amount to, if all amounts are known.
fn sum(costs: &[&ProjectCost]) -> Option<i64> {
    if costs.is_empty() {
        return None;
    }
    // A cost that is the total of the others is not added to them.
    costs
        .iter()
        .filter(|c| costs.len() == 1 || !is_total(c))
        .map(|c| c.fields.amount_yen)
        .try_fold(0_i64, |sum, amount| sum.checked_add(amount?))
}

fn is_total(cost: &ProjectCost) -> bool {
    let amounts = cost.fields.printed.as_deref().map(yen::amounts).unwrap_or_default();
    matches!(amounts.as_slice(), [only] if only.total)
}

/// The amount that contradicts what is printed of a cost, and what it is.
fn contradicted(printed: &str, cost: &ProjectCost, costs: &[&ProjectCost]) -> Option<(i64, &'static str)> {
    let amounts = yen::amounts(printed);
    let mut totals = amounts.iter().filter(|a| a.total);
    let parts: Vec<i64> = amounts.iter().filter(|a| !a.total).map(|a| a.yen).collect();
    let added: i64 = parts.iter().sum();
    let stated = match (totals.next(), totals.next()) {
        (Some(total), None) => {
            if parts.len() > 1 && added != total.yen {
                return Some((added, "内訳の合計"));
            }
            if parts.is_empty() && costs.len() > 1 {
                let others = sum(costs).filter(|sum| *sum != total.yen);
                if let Some(others) = others {
                    return Some((others, "ほかの費用の合計"));
                }
            }
            total.yen
        }
        (None, None) if !parts.is_empty() => added,
        (None, None) if yen::free(printed) => 0,
        _ => return None,
    };
    let amount = cost.fields.amount_yen?;
    (amount != stated).then_some((amount, "登録された金額"))
}

/// A text in which the change of a KPI can be printed.
struct Text {
    entity: Entity,
    record_id: Uuid,
    field: String,
    text: String,
    /// The name of the KPI to which the text belongs.
    kpi: Option<String>,
}

/// Changes printed of a share that are not the difference of its baseline and its newest value in ポイント.
fn changes_in_points(kpi: &KpiFacts, observation: Option<&ObservationFacts>, texts: &[Text]) -> Vec<Finding> {
    let (Some(baseline), Some(observation)) = (&kpi.baseline, observation) else {
        return Vec::new();
    };
    let (Some(before), Some(actual)) = (&baseline.value, observation.percent()) else {
        return Vec::new();
    };
    if !kpi
        .unit
        .as_deref()
        .is_some_and(|unit| matches!(unit, "%" | "％" | "パーセント"))
    {
        return Vec::new();
    }
    let before = &before.0;
    let sources = match (baseline.source.as_deref(), observation.source.as_deref()) {
        (Some(one), Some(other)) if one != other => {
            format!("基準値は「{one}」、実績値は「{other}」で出典が異なるため、単純には比べられません。")
        }
        _ => String::new(),
    };
    let difference = points(&(&actual - before));
    let mut findings = Vec::new();
    for text in texts.iter().filter(|t| speaks_of(kpi, before, t)) {
        for change in change::changes(&text.text) {
            let (severity, wrong) = match change::judge(&change, before, &actual) {
                Verdict::Right => continue,
                Verdict::Unit => (FindingSeverity::Info, "割合どうしの差の単位はポイントです。"),
                Verdict::Wrong => (FindingSeverity::Warning, ""),
            };
            findings.push(Finding {
                message: format!(
                    "KPI「{}」の変化が{}に「{}」とありますが、基準値 {}% と実績値 {}% の差は {difference} です。{wrong}{sources}値か出典を確かめ、原文どおりなら説明を付けてください。",
                    kpi.name,
                    label(&text.field),
                    change.printed,
                    before.to_plain_string(),
                    actual.to_plain_string()
                ),
                printed: change.printed,
                computed: Some(difference.clone()),
                ..finding(FindingRule::ChangeInPoints, severity, text.entity, text.record_id, &text.field)
            });
        }
    }
    findings
}

/// Is the text about the KPI: its own, that of a KPI named after it (認知度 and 認知度の上昇), or one that tells its
/// baseline (23.3%の認知度)?
fn speaks_of(kpi: &KpiFacts, baseline: &BigDecimal, text: &Text) -> bool {
    match &text.kpi {
        Some(name) => name.starts_with(&kpi.name),
        None => {
            let folded = text::Printed::new(&text.text);
            let value = baseline.to_plain_string();
            (0..folded.len()).any(|at| {
                folded
                    .decimal(at)
                    .is_some_and(|(number, end)| number == value && folded.at(folded.spaces(end)) == Some('%'))
            })
        }
    }
}

/// +17.7ポイント
fn points(difference: &BigDecimal) -> String {
    let sign = if difference.is_positive() { "+" } else { "" };
    format!("{sign}{}ポイント", difference.normalized().to_plain_string())
}

impl ObservationFacts {
    /// The value in percent; a ratio is kept as its two numbers.
    fn percent(&self) -> Option<BigDecimal> {
        match (&self.number, &self.numerator, &self.denominator) {
            (Some(number), ..) => Some(number.0.clone()),
            (None, Some(numerator), Some(denominator)) if !denominator.0.is_zero() => {
                let ratio = &numerator.0 * BigDecimal::from(100) / &denominator.0;
                Some(ratio.with_scale_round(1, bigdecimal::RoundingMode::HalfUp))
            }
            _ => None,
        }
    }
}

/// KPIs marked ※再掲 whose other place in the same document is not recorded.
fn relisted_alone(placements: &[Placement], about: impl Fn(KpiId) -> bool) -> Vec<Finding> {
    let elsewhere = |relisted: &Placement| {
        placements
            .iter()
            .any(|p| p.kpi_id == relisted.kpi_id && p.document == relisted.document && !p.relisted)
    };
    placements
        .iter()
        .filter(|p| p.relisted && p.document.is_some() && about(p.kpi_id) && !elsewhere(p))
        .map(|p| Finding {
            printed: p.printed.clone().unwrap_or_else(|| "※再掲".to_owned()),
            message: "再掲とされていますが、同じ計画の中に元の掲載箇所が登録されていません。元の掲載箇所を登録するか、再掲の印を外すか、説明を付けてください。".to_owned(),
            ..finding(
                FindingRule::RelistedAlone,
                FindingSeverity::Info,
                Entity::KpiPlacements,
                p.id.0,
                "/relisted",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProjectCostId;
    use crate::project::MediaKind;
    use crate::project_cost::ProjectCostFields;
    use serde_json::json;

    fn cost(project: ProjectId, amount_yen: Option<i64>, printed: &str) -> ProjectCost {
        ProjectCost {
            id: ProjectCostId::new(),
            version: 1,
            owner_org_id: OrganizationId::new(),
            created_at: Utc::now(),
            updated_at: Utc::now(),
            fields: ProjectCostFields {
                project_id: project,
                contractor: None,
                contractor_id: None,
                items: Vec::new(),
                amount_yen,
                approximate: false,
                printed: Some(Line(printed.to_owned())),
                note: None,
                position: 0,
            },
        }
    }

    fn computed(costs: &[(Option<i64>, &str)], fields: &Value) -> Vec<(String, String)> {
        let project = ProjectId::new();
        let costs: Vec<ProjectCost> = costs
            .iter()
            .map(|(yen, printed)| cost(project, *yen, printed))
            .collect();
        cost_sums(project, fields, &costs.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|f| (f.field, f.computed.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn weekdays_are_looked_for_in_every_text() {
        let fields = json!({
            "schedules": [{ "when": { "precision": "days", "start": "2024-12-10", "end": "2024-12-11", "printed": "12月10日（月）" } }],
            "content": { "state": "entered", "items": [{ "text": "2月12日（月）に行った。" }, { "text": "12月7日（土）" }] },
        });
        let found = in_texts(Entity::Projects, Uuid::nil(), &fields, 2024);
        let found: Vec<_> = found
            .iter()
            .map(|f| (f.field.as_str(), f.severity, f.printed.as_str()))
            .collect();
        let expected = [
            ("/content/items/0/text", FindingSeverity::Info, "2月12日（月）"),
            ("/schedules/0/when/printed", FindingSeverity::Warning, "12月10日（月）"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_period_lies_in_the_year_of_its_first_day() {
        let fields = json!({ "when": { "precision": "day", "start": "2024-02-12", "printed": "2月12日（月）" } });
        assert_eq!(in_texts(Entity::Projects, Uuid::nil(), &fields, 2024), []);
    }

    #[test]
    fn quantity_is_that_of_each_outlet_times_the_outlets() {
        let item = |quantity, per_outlet, outlets: &[&str]| MediaItem {
            kind: MediaKind::Video,
            medium: Line("テレビ".to_owned()),
            content: Prose(String::new()),
            quantity,
            unit: Some(Line("本".to_owned())),
            per_outlet,
            outlets: outlets.iter().map(|o| Line((*o).to_owned())).collect(),
            outlet_note: None,
            when: None,
        };
        let media = [
            item(Some(72), Some(24), &["a", "b", "c"]),
            item(Some(70), Some(24), &["a", "b", "c"]),
            item(Some(250), None, &["a"]),
            item(Some(250), Some(1), &[]),
        ];
        let found = media_totals(ProjectId::new(), &media);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (
                found[0].field.as_str(),
                found[0].printed.as_str(),
                found[0].computed.as_deref()
            ),
            ("/media_plan/1/quantity", "70本", Some("72本"))
        );
    }

    #[test]
    fn printed_amounts_are_held_against_the_recorded_ones() {
        let none = json!({});
        assert_eq!(
            computed(&[(Some(500_000), "謝金（研修会4回、講師7名、50万円程度）")], &none),
            []
        );
        assert_eq!(computed(&[(Some(0), "費用なし"), (None, "未定")], &none), []);
        let wrong = |value: &str| vec![("/printed".to_owned(), value.to_owned())];
        assert_eq!(computed(&[(Some(300_000), "50万円程度")], &none), wrong("300,000円"));
        assert_eq!(computed(&[(Some(100), "費用なし")], &none), wrong("100円"));
        assert_eq!(
            computed(&[(Some(500_000), "謝金30万円、旅費10万円、計50万円")], &none),
            wrong("400,000円")
        );
        let costs = [
            (Some(300_000), "30万円"),
            (Some(100_000), "10万円"),
            (Some(500_000), "合計 50万円"),
        ];
        assert_eq!(computed(&costs, &none), wrong("400,000円"));
    }

    #[test]
    fn the_total_in_prose_is_held_against_the_sum() {
        let fields =
            json!({ "summary": { "items": [{ "text": "総事業費は154万円である。" }, { "text": "募金は3万円。" }] } });
        assert_eq!(
            computed(&[(Some(500_000), "50万円"), (Some(1_040_000), "104万円")], &fields),
            []
        );
        let expected = [("/summary/items/0/text".to_owned(), "1,500,000円".to_owned())];
        assert_eq!(computed(&[(Some(1_500_000), "150万円")], &fields), expected);
        assert_eq!(computed(&[(Some(1_500_000), "150万円"), (None, "未定")], &fields), []);
    }

    fn kpi(name: &str) -> KpiFacts {
        KpiFacts {
            id: KpiId::new(),
            name: name.to_owned(),
            unit: Some("%".to_owned()),
            baseline: Some(Baseline {
                value: Some("23.3".parse().expect("valid")),
                text: None,
                period: None,
                source: Some(Line("市民意識調査".to_owned())),
                printed: None,
            }),
            printed: None,
        }
    }

    fn text(kpi: Option<&str>, text: &str) -> Text {
        Text {
            entity: Entity::KpiObservations,
            record_id: Uuid::nil(),
            field: "/printed".to_owned(),
            text: text.to_owned(),
            kpi: kpi.map(str::to_owned),
        }
    }

    #[test]
    fn a_printed_change_is_held_against_the_values() {
        let kpi = kpi("サポーターの認知度");
        let observation = ObservationFacts {
            id: KpiObservationId::new(),
            kpi_id: kpi.id,
            number: Some("41".parse().expect("valid")),
            numerator: None,
            denominator: None,
            source: Some("認知度調査".to_owned()),
            printed: None,
            note: None,
        };
        let texts = [
            text(Some("サポーターの認知度"), "認知度は41%となった"),
            text(Some("サポーターの認知度の上昇"), "認知度が約20%上がった"),
            text(Some("参加者の満足度"), "約20%上がった"),
            text(None, "調査では２３．３％の認知度だったところ、約20%上がった"),
            text(None, "参加者が約20%増えた"),
        ];
        let found = changes_in_points(&kpi, Some(&observation), &texts);
        let printed: Vec<_> = found.iter().map(|f| f.printed.as_str()).collect();
        assert_eq!(printed, ["約20%上がった", "約20%上がった"]);
        assert_eq!(found[0].computed.as_deref(), Some("+17.7ポイント"));
        assert!(found[0].message.contains("「市民意識調査」") && found[0].message.contains("出典が異なる"));
        assert_eq!(changes_in_points(&kpi, None, &texts), []);
    }

    #[test]
    fn a_ratio_is_read_in_percent() {
        let observation = ObservationFacts {
            id: KpiObservationId::new(),
            kpi_id: KpiId::new(),
            number: None,
            numerator: Some("65".parse().expect("valid")),
            denominator: Some("163".parse().expect("valid")),
            source: None,
            printed: None,
            note: None,
        };
        assert_eq!(observation.percent().map(|p| p.to_string()).as_deref(), Some("39.9"));
    }

    #[test]
    fn what_is_relisted_stands_elsewhere_in_the_same_document() {
        let (plan, other, kpi) = (Uuid::now_v7(), Uuid::now_v7(), KpiId::new());
        let place = |document, relisted| Placement {
            id: KpiPlacementId::new(),
            kpi_id: kpi,
            document: Some(document),
            relisted,
            printed: None,
        };
        let all = |_| true;
        assert_eq!(relisted_alone(&[place(plan, true), place(plan, false)], all), []);
        assert_eq!(relisted_alone(&[place(plan, true), place(other, false)], all).len(), 1);
        assert_eq!(relisted_alone(&[place(plan, true), place(plan, true)], all).len(), 2);
        assert_eq!(relisted_alone(&[place(plan, true)], |_| false), []);
    }
}
