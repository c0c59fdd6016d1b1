//! Seed 002: the roadmap sheet of a town's community welfare plan, entered by the town, its social welfare council and a
//! regional promotion council, each in its own column.

use super::mapping::{
    Mapping, Piece, Test, era_year, field, figure, first_day, last_day, leaf, plain, sheet_year, shown, text, through,
    year,
};
use crate::{error::Result, fail};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What is counted on its own.
pub const PARTS: &[super::Part] = &[
    (
        "plan",
        &[
            "/document",
            "/schema",
            "/seed_id",
            "/source_file",
            "/conventions",
            "/anomalies",
            "/counts",
            "/fiscal_years",
        ],
    ),
    ("goals", &["/priority", "/measures", "/goal_states"]),
    ("evaluation scale", &["/evaluation_scale"]),
    ("evaluations", &["/overall_evaluation"]),
    ("kpis", &["/kpis"]),
    ("roles", &["/roles"]),
    ("roadmap", &["/roadmap"]),
    ("councils", &["/community_councils"]),
    ("figures", &["/figures"]),
    ("seed_kpis.csv", &["/figures_csv"]),
];

const TOWN: &str = "municipality-editor";
const TOWN_ADMIN: &str = "municipality-admin";
const COUNCIL: &str = "council-editor";
const PARTNER: &str = "partner";
/// The regional promotion council that has an account: its place in the printed order.
const PARTNER_COLUMN: usize = 4;

/// Where everything goes.
pub fn map(m: &mut Mapping) -> Result<()> {
    plan(m)?;
    goals(m)?;
    actors(m)?;
    roles(m)?;
    roadmap(m)?;
    evaluations(m)?;
    kpis(m)?;
    figures(m)
}

fn plan(m: &mut Mapping) -> Result<()> {
    let years = m.each("/fiscal_years");
    let Some(last) = years.last() else {
        fail!("no fiscal years")
    };
    let template = json!({
        "kind": "community_welfare_plan",
        "title": leaf("/document/title"),
        "subtitle": leaf("/document/subtitle"),
        "municipality_code": leaf("/document/municipality_code"),
        "first_fiscal_year": leaf("/fiscal_years/0/fiscal_year_fy"),
        "last_fiscal_year": leaf(&format!("{last}/fiscal_year_fy")),
        // Shared with the organisations that have a column in it.
        "visibility": "partners",
    });
    m.enter(TOWN, "plans", "plan", template)?;
    for (index, year) in years.iter().enumerate() {
        // The years between the first and the last are those of its rows.
        let milestone = format!("milestone-{index}-0");
        m.equal(
            &format!("{year}/printed"),
            vec![shown(&milestone, "/fiscal_year", sheet_year)],
        );
        m.equal(
            &format!("{year}/fiscal_year_fy"),
            vec![field(&milestone, "/fiscal_year")],
        );
    }
    for (index, grade) in m.each("/evaluation_scale/grades").iter().enumerate() {
        let template = json!({
            "plan_id": "@plan",
            "code": leaf(&format!("{grade}/grade")),
            "label": leaf(&format!("{grade}/grade")),
            "criteria": leaf(&format!("{grade}/definition")),
            "rank": leaf(&format!("{grade}/level_order")),
        });
        m.enter(TOWN, "evaluation-levels", &format!("level-{index}"), template)?;
    }
    Ok(())
}

/// A goal whose printed text is number, separator and title.
fn goal(
    m: &mut Mapping,
    key: &str,
    parent: Option<&str>,
    kind: &str,
    pointer: &str,
    separator: &str,
    states: Value,
) -> Result<()> {
    let (number, title) = m.split(pointer, separator)?;
    // A bracket belongs to the number.
    let closing = matches!(separator, ")" | "】");
    let number = if closing {
        format!("{number}{separator}")
    } else {
        number
    };
    let mut template = json!({"plan_id": "@plan", "kind": kind, "number": number, "title": title, "states": states});
    template["position"] = json!(m.entries.len());
    if let Some(parent) = parent {
        template["parent_id"] = json!(format!("@{parent}"));
    }
    m.enter(TOWN, "goals", key, template)?;
    let between = if closing { "" } else { separator };
    m.equal(
        pointer,
        vec![field(key, "/number"), text(between), field(key, "/title")],
    );
    Ok(())
}

fn goals(m: &mut Mapping) -> Result<()> {
    let none = json!({"state": "not_entered", "items": []});
    goal(
        m,
        "basic-goal",
        None,
        "basic_goal",
        "/priority/basic_goal",
        "：",
        none.clone(),
    )?;
    goal(
        m,
        "basic-plan",
        Some("basic-goal"),
        "basic_plan",
        "/priority/basic_plan",
        "：",
        none.clone(),
    )?;
    goal(
        m,
        "priority",
        Some("basic-plan"),
        "priority_initiative",
        "/priority/label",
        "】",
        none,
    )?;
    m.equal("/priority/name", vec![field("priority", "/title")]);
    for (index, measure) in m.each("/measures").iter().enumerate() {
        let state = format!("/goal_states/items/{index}/text");
        let (label, vision) = m.split(&state, " ")?;
        let states = json!({"state": "entered", "items": [{"label": label, "text": vision}]});
        let key = format!("measure-{}", index + 1);
        goal(
            m,
            &key,
            Some("priority"),
            "measure",
            &format!("{measure}/name"),
            ")",
            states,
        )?;
        m.equal(
            &state,
            vec![
                field(&key, "/states/items/0/label"),
                text(" "),
                field(&key, "/states/items/0/text"),
            ],
        );
    }
    Ok(())
}

fn actors(m: &mut Mapping) -> Result<()> {
    let columns = [
        ("community_promotion_council", None),
        ("social_welfare_council", Some("@nanbu-council")),
        ("government", Some("@nanbu")),
    ];
    for (index, (kind, organization)) in columns.into_iter().enumerate() {
        let template = json!({
            "plan_id": "@plan",
            "kind": kind,
            "label": leaf(&format!("/roadmap/column_labels/{}", index + 2)),
            "role_label": leaf(&format!("/roles/{index}/label")),
            "organization_id": organization,
            "position": index * 10,
        });
        m.enter(TOWN, "plan-actors", &format!("actor-{index}"), template)?;
    }
    for (index, council) in m.each("/community_councils").iter().enumerate() {
        let template = json!({
            "plan_id": "@plan",
            "parent_id": "@actor-0",
            "kind": "community_promotion_council",
            "label": leaf(&format!("{council}/name")),
            "organization_id": format!("@regional-{}", index + 1),
            "position": index + 1,
        });
        m.enter(TOWN, "plan-actors", &format!("regional-column-{index}"), template)?;
    }
    Ok(())
}

/// Number and title of a goal to which a record refers.
fn goal_of(key: &str) -> Vec<Piece> {
    ["/number", "/title"]
        .map(|there| through(key, "/goal_id", "goals", there))
        .into()
}

fn roles(m: &mut Mapping) -> Result<()> {
    for (actor, role) in m.each("/roles").iter().enumerate() {
        for by_goal in m.each(&format!("{role}/roles_by_goal")) {
            let goal = m.text(&format!("{by_goal}/goal_number_derived"));
            let mut items = Vec::new();
            for line in m.each(&format!("{by_goal}/roles")) {
                items.push(
                    json!({"depth": 0, "marker": leaf(&format!("{line}/mark")), "text": leaf(&format!("{line}/text"))}),
                );
                for below in m.each(&format!("{line}/sub_items")) {
                    items.push(json!({"depth": 1, "marker": leaf(&format!("{below}/mark")), "text": leaf(&format!("{below}/text"))}));
                }
            }
            let key = format!("role-{actor}-{goal}");
            let template = json!({
                "goal_id": format!("@measure-{goal}"),
                "actor_id": format!("@actor-{actor}"),
                "expected_actor": leaf(&format!("{by_goal}/expected_actor")),
                "items": items,
            });
            let caller = if actor == 1 { COUNCIL } else { TOWN };
            m.enter(caller, "goal-roles", &key, template)?;
            m.equal(&format!("{by_goal}/goal"), goal_of(&key));
        }
    }
    Ok(())
}

/// Where in the sheet: the year's pointer and number, the column, the kind.
struct Cell<'a> {
    caller: &'a str,
    year: &'a str,
    fiscal_year: i64,
    actor: Option<String>,
    kind: &'a str,
    key: String,
}

/// The entries of a cell, or, where there are none, the cell itself; answers the key of a record that stands in it.
fn cell(m: &mut Mapping, cell: &Cell<'_>, entries: &str, heading_shown: bool) -> Result<String> {
    let place = json!({
        "goal_id": "@priority",
        "fiscal_year": cell.fiscal_year,
        "actor_id": cell.actor.as_ref().map(|actor| format!("@{actor}")),
        "kind": cell.kind,
    });
    let with = |more: Value| {
        let mut fields = place.clone();
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
        fields
    };
    let lines = m.each(entries);
    let first = format!("{}-0", cell.key);
    if let [line] = lines.as_slice()
        && m.text(line) == "未実施"
    {
        // Printed like an entry, but it says why there is none.
        m.enter(
            cell.caller,
            "roadmap-cells",
            &first,
            with(json!({"state": "not_carried_out"})),
        )?;
        let state = |value: &Value| {
            if value == "not_carried_out" {
                "未実施".to_owned()
            } else {
                plain(value)
            }
        };
        m.equal(line, vec![shown(&first, "/state", state)]);
        return Ok(first);
    }
    if lines.is_empty() {
        m.enter(
            cell.caller,
            "roadmap-cells",
            &first,
            with(json!({"heading_shown": heading_shown})),
        )?;
        let actor = cell
            .actor
            .as_ref()
            .map(|actor| format!("&actor_id=@{actor}"))
            .unwrap_or_default();
        let rows = format!(
            "roadmap-items?goal_id=@priority&fiscal_year={}&kind={}{actor}",
            cell.fiscal_year, cell.kind
        );
        m.claim(entries, Test::NoRows(TOWN, rows));
        return Ok(first);
    }
    for (index, line) in lines.iter().enumerate() {
        let key = format!("{}-{index}", cell.key);
        let continues = m.text(line).contains("次年度以降も");
        let more = json!({"text": leaf(line), "marker": "◎", "continues": continues, "position": index});
        m.enter(cell.caller, "roadmap-items", &key, with(more))?;
    }
    Ok(first)
}

fn roadmap(m: &mut Mapping) -> Result<()> {
    let names: Vec<String> = m
        .each("/community_councils")
        .iter()
        .map(|c| m.text(&format!("{c}/name")))
        .collect();
    for (index, year) in m.each("/roadmap/years").iter().enumerate() {
        let Some(fiscal_year) = m.at(&format!("{year}/fiscal_year_fy")).as_i64() else {
            fail!("{year} has no fiscal year")
        };
        let at = |caller, actor: Option<String>, kind, key: String| Cell {
            caller,
            year,
            fiscal_year,
            actor,
            kind,
            key,
        };
        let first = cell(
            m,
            &at(TOWN, None, "milestone", format!("milestone-{index}")),
            &format!("{year}/milestones"),
            true,
        )?;
        m.equal(
            &format!("{year}/fiscal_year"),
            vec![shown(&first, "/fiscal_year", sheet_year)],
        );
        for council in m.each(&format!("{year}/community_councils")) {
            let name = m.text(&format!("{council}/council"));
            let Some(column) = names.iter().position(|known| *known == name) else {
                fail!("{name} has no column")
            };
            let caller = if column == PARTNER_COLUMN { PARTNER } else { TOWN };
            let here = at(
                caller,
                Some(format!("regional-column-{column}")),
                "actual",
                format!("regional-{index}-{column}"),
            );
            let first = cell(m, &here, &format!("{council}/entries"), true)?;
            m.equal(
                &format!("{council}/council"),
                vec![through(&first, "/actor_id", "plan-actors", "/label")],
            );
        }
        for (actor, part, caller) in [(1, "social_welfare_council", COUNCIL), (2, "government", TOWN)] {
            for kind in ["planned", "actual"] {
                let label = format!("{year}/{part}/{kind}_label");
                let heading = m.has(&label);
                let here = at(
                    caller,
                    Some(format!("actor-{actor}")),
                    kind,
                    format!("{part}-{kind}-{index}"),
                );
                let first = cell(m, &here, &format!("{}/{part}/{kind}", here.year), heading)?;
                if heading {
                    let printed = |value: &Value| match value.as_str() {
                        Some("planned") => "【予定される取り組み】".to_owned(),
                        Some("actual") => "【取組実績】".to_owned(),
                        _ => plain(value),
                    };
                    m.equal(&label, vec![shown(&first, "/kind", printed)]);
                }
            }
        }
        let notes = format!("roadmap-items?goal_id=@priority&fiscal_year={fiscal_year}&kind=note");
        m.claim(&format!("{year}/remarks"), Test::NoRows(TOWN, notes));
    }
    Ok(())
}

fn evaluations(m: &mut Mapping) -> Result<()> {
    let levels: Vec<String> = m
        .each("/evaluation_scale/grades")
        .iter()
        .map(|g| m.text(&format!("{g}/grade")))
        .collect();
    let rows: Vec<String> = rows(m, "grade");
    for (index, cell) in m.each("/overall_evaluation/cells").iter().enumerate() {
        let goal = m.text(&format!("{cell}/goal_number_derived"));
        let fiscal_year = m.at(&format!("{cell}/fiscal_year_fy")).clone();
        let grade = format!("{cell}/grade");
        let Some(row) = rows.get(index).cloned() else {
            fail!("seed_kpis.csv has no grade for {cell}")
        };
        let year_index = fiscal_year.as_i64().unwrap_or_default() - 2021;
        let measure = format!("measure-{goal}");
        m.equal(&format!("{cell}/goal_label"), vec![field(&measure, "/number")]);
        m.equal(
            &format!("{row}/subject"),
            vec![field(&measure, "/number"), field(&measure, "/title")],
        );
        m.equal(
            &format!("{row}/unit"),
            vec![field("level-0", "/code"), text("-"), field("level-3", "/code")],
        );
        m.equal(
            &format!("{row}/municipality_code"),
            vec![field("plan", "/municipality_code")],
        );
        // Where nothing was evaluated, the year is the one of its row in the sheet.
        let mut dated = format!("milestone-{year_index}-0");
        if m.has(&grade) {
            let Some(level) = levels.iter().position(|level| *level == m.text(&grade)) else {
                fail!("{grade} is no level of the scale")
            };
            dated = format!("evaluation-{index}");
            let template = json!({
                "goal_id": format!("@{measure}"),
                "fiscal_year": leaf(&format!("{cell}/fiscal_year_fy")),
                "stage": "final",
                "level_id": format!("@level-{level}"),
            });
            m.enter(TOWN_ADMIN, "evaluations", &dated, template)?;
            for place in [&grade, &format!("{row}/actual")] {
                m.equal(place, vec![through(&dated, "/level_id", "evaluation-levels", "/code")]);
            }
            let stage = |value: &Value| {
                if value == "final" {
                    "総合評価".to_owned()
                } else {
                    plain(value)
                }
            };
            m.equal(&format!("{row}/indicator_name"), vec![shown(&dated, "/stage", stage)]);
        } else {
            let rows = format!("evaluations?goal_id=@{measure}&fiscal_year={fiscal_year}");
            m.claim(&grade, Test::NoRows(TOWN, rows));
        }
        for column in ["period", "printed_value"] {
            m.equal(
                &format!("{row}/{column}"),
                vec![shown(&dated, "/fiscal_year", sheet_year)],
            );
        }
        m.equal(&format!("{row}/fiscal_year"), vec![field(&dated, "/fiscal_year")]);
        m.equal(
            &format!("{row}/period_start"),
            vec![shown(&dated, "/fiscal_year", first_day)],
        );
        m.equal(
            &format!("{row}/period_end"),
            vec![shown(&dated, "/fiscal_year", last_day)],
        );
    }
    Ok(())
}

/// The rows of the table of figures that are of a category, in order.
fn rows(m: &Mapping, category: &str) -> Vec<String> {
    let Value::Object(rows) = m.at("/figures_csv") else {
        return Vec::new();
    };
    rows.iter()
        .filter(|(_, row)| row["category"] == category)
        .map(|(id, _)| format!("/figures_csv/{id}"))
        .collect()
}

/// The row of the table of figures that tells the same as an element of the document.
fn row_of(m: &Mapping, id: &str) -> Result<String> {
    let found = match m.at("/figures_csv") {
        Value::Object(rows) => rows.iter().find(|(_, row)| row["json_ref"] == id),
        _ => None,
    };
    match found {
        Some((row, _)) => Ok(format!("/figures_csv/{row}")),
        None => fail!("seed_kpis.csv does not tell {id}"),
    }
}

fn kpis(m: &mut Mapping) -> Result<()> {
    for (index, item) in m.each("/kpis/items").iter().enumerate() {
        let row = row_of(m, &m.text(&format!("{item}/id")))?;
        let goal = m.text(&format!("{item}/goal_number_derived"));
        let (key, place) = (format!("kpi-{index}"), format!("kpi-place-{index}"));
        let of_figures = m.has(&format!("{item}/unit_derived"));
        let direction = if of_figures {
            format!("{item}/direction")
        } else {
            format!("{row}/direction")
        };
        let mut template = json!({
            "plan_id": "@plan",
            "name": leaf(&format!("{row}/indicator_name")),
            "value_type": if of_figures { "ratio" } else { "state" },
            "direction": leaf(&direction),
            "printed": leaf(&format!("{item}/text")),
            "visibility": "partners",
            "position": index,
        });
        if of_figures {
            template["unit"] = leaf(&format!("{item}/unit_derived"));
            template["numerator_label"] = json!("マップをつくった集落");
            template["denominator_label"] = json!("すべての集落");
        }
        m.enter(TOWN, "kpis", &key, template)?;
        let relisted = m.has(&format!("{item}/relisted_mark"));
        let template = json!({
            "kpi_id": format!("@{key}"),
            "goal_id": format!("@measure-{goal}"),
            "number": figure(&format!("{item}/number_derived")),
            "printed": leaf(&format!("{item}/text")),
            "relisted": relisted,
            "position": index,
        });
        m.enter(TOWN, "kpi-placements", &place, template)?;
        if relisted {
            let mark = |value: &Value| {
                if value == true {
                    "※再掲".to_owned()
                } else {
                    String::new()
                }
            };
            m.equal(&format!("{item}/relisted_mark"), vec![shown(&place, "/relisted", mark)]);
        }
        let kind = |value: &Value| {
            if value == "milestone" {
                "qualitative_milestone"
            } else {
                "quantitative"
            }
            .to_owned()
        };
        m.equal(&format!("{item}/type"), vec![shown(&key, "/direction", kind)]);
        if of_figures {
            let target = format!("kpi-target-{index}");
            let template = json!({
                "kpi_id": format!("@{key}"),
                "fiscal_year": m.at("/fiscal_years/4/fiscal_year_fy"),
                "kind": "numeric",
                "comparator": "at_least",
                "value": figure(&format!("{item}/target_derived")),
                "scope": "令和3年度以降の集落",
                "printed": leaf(&format!("{item}/text")),
            });
            m.enter(TOWN, "kpi-targets", &target, template)?;
            m.equal(&format!("{row}/target"), vec![field(&target, "/value")]);
            m.equal(&format!("{row}/unit"), vec![field(&key, "/unit")]);
            m.equal(&format!("{row}/direction"), vec![field(&key, "/direction")]);
        }
        m.equal(&format!("{row}/subject"), goal_of(&place));
        m.equal(&format!("{row}/printed_value"), vec![field(&place, "/printed")]);
        let of_plan = |there, shown| vec![Piece::Through(key.clone(), "/plan_id".into(), "plans", there, shown)];
        let mut period = of_plan("/first_fiscal_year", era_year);
        period.push(text("～"));
        period.extend(of_plan("/last_fiscal_year", era_year));
        m.equal(&format!("{row}/period"), period);
        m.equal(&format!("{row}/period_start"), of_plan("/first_fiscal_year", first_day));
        m.equal(&format!("{row}/period_end"), of_plan("/last_fiscal_year", last_day));
        m.equal(
            &format!("{row}/municipality_code"),
            of_plan("/municipality_code", plain),
        );
    }
    Ok(())
}

/// Figures in the text of the sheet are values of KPIs of their own; the council records those of its line itself.
fn figures(m: &mut Mapping) -> Result<()> {
    let mut known: HashMap<String, String> = HashMap::new();
    for (index, item) in m.each("/figures").iter().enumerate() {
        let row = row_of(m, &m.text(&format!("{item}/id")))?;
        let name = m.text(&format!("{row}/indicator_name"));
        let counted = m.has(&format!("{item}/value"));
        let by_council = m.text(&format!("{item}/actor")) == "社会福祉協議会";
        let kpi = match known.get(&name) {
            Some(kpi) => kpi.clone(),
            None => {
                let kpi = format!("figure-kpi-{index}");
                let mut template = json!({
                    "plan_id": "@plan",
                    "name": leaf(&format!("{row}/indicator_name")),
                    "value_type": if counted { "number" } else { "state" },
                    "direction": leaf(&format!("{row}/direction")),
                    "responsible": leaf(&format!("{item}/actor")),
                    "visibility": "partners",
                    "position": 100 + index,
                });
                if counted {
                    template["unit"] = leaf(&format!("{item}/unit"));
                }
                m.enter(TOWN, "kpis", &kpi, template)?;
                if by_council {
                    let template = json!({"kpi_id": format!("@{kpi}"), "organization_id": "@nanbu-council"});
                    m.enter(TOWN, "kpi-series", &format!("{kpi}-series"), template)?;
                }
                known.insert(name, kpi.clone());
                kpi
            }
        };
        let period_kind = if m.text(&format!("{row}/period_start")).ends_with("-04-01") {
            "fiscal_year"
        } else {
            "range"
        };
        let mut template = json!({
            // The line of the whole stands under the id of the KPI.
            "series_id": if by_council { format!("@{kpi}-series") } else { format!("@{kpi}") },
            "period_kind": period_kind,
            "period_start": leaf(&format!("{row}/period_start")),
            "period_end": leaf(&format!("{row}/period_end")),
            "printed": leaf(&format!("{row}/printed_value")),
        });
        if counted {
            template["number"] = figure(&format!("{item}/value"));
        } else {
            template["state"] = leaf(&format!("{row}/printed_value"));
        }
        if m.has(&format!("{item}/since")) {
            template["note"] = leaf(&format!("{item}/since"));
        }
        let key = format!("figure-{index}");
        m.enter(
            if by_council { COUNCIL } else { TOWN },
            "kpi-observations",
            &key,
            template,
        )?;
        m.extract(&format!("{item}/indicator"), vec![field(&key, "/printed")]);
        let kpi_field = |there| vec![field(&kpi, there)];
        m.equal(
            &format!("{item}/fiscal_year_fy"),
            vec![shown(&key, "/period_start", year)],
        );
        m.equal(&format!("{item}/actor"), kpi_field("/responsible"));
        m.equal(&format!("{row}/subject"), kpi_field("/responsible"));
        m.equal(&format!("{row}/indicator_name"), kpi_field("/name"));
        m.equal(&format!("{row}/direction"), kpi_field("/direction"));
        if counted {
            m.equal(&format!("{item}/unit"), kpi_field("/unit"));
            m.equal(&format!("{row}/unit"), kpi_field("/unit"));
            m.equal(&format!("{row}/actual"), vec![field(&key, "/number")]);
        }
        m.equal(&format!("{row}/period"), vec![shown(&key, "/period_start", sheet_year)]);
        m.equal(&format!("{row}/fiscal_year"), vec![shown(&key, "/period_start", year)]);
        m.equal(
            &format!("{row}/municipality_code"),
            vec![through(&kpi, "/plan_id", "plans", "/municipality_code")],
        );
    }
    Ok(())
}
