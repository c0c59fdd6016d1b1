//! Seed 000: a city's annual report on its partnership platform, entered by the city; the wide-area platform and its
//! seven municipalities by the secretariat of the joint body.

use super::mapping::{
    Mapping, Piece, Test, era_year, field, figure, first_day, last_day, leaf, plain, shown, text, through, year,
};
use crate::{error::Result, fail};
use serde_json::{Value, json};

/// What is counted on its own.
pub const PARTS: &[super::Part] = &[
    (
        "document",
        &[
            "/document",
            "/schema",
            "/seed_id",
            "/source_file",
            "/conventions",
            "/anomalies",
            "/counts",
        ],
    ),
    ("municipality", &["/section_a/municipality_overview"]),
    (
        "platform year",
        &["/section_a/target_platform", "/section_a/platform_value"],
    ),
    ("platform and members", &["/section_a/external_cooperation"]),
    ("platform figure", &["/section_b"]),
    (
        "projects: overview",
        &[
            "/section_c/label",
            "/section_c/heading",
            "/section_c/points_label",
            "/section_c/points",
            "/section_c/column_labels",
            "/section_c/detail_labels",
        ],
    ),
    ("project 1", &["/section_c/projects/0"]),
    ("project 2", &["/section_c/projects/1"]),
    ("project 3", &["/section_c/projects/2"]),
    ("project 4", &["/section_c/projects/3"]),
    ("project 5", &["/section_c/projects/4"]),
    ("project 6", &["/section_c/projects/5"]),
    (
        "next years and reactions",
        &["/section_c/next_year", "/section_c/reaction"],
    ),
    ("process notes", &["/section_d"]),
    ("breakthrough", &["/section_e"]),
    ("seed_kpis.csv", &["/figures_csv"]),
];

const CITY: &str = "tottori-editor";
const JOINT: &str = "secretariat";

const OVERVIEW: &str = "/section_a/municipality_overview";
const TARGET: &str = "/section_a/target_platform";
const EXTERNAL: &str = "/section_a/external_cooperation";

/// Where everything goes.
pub fn map(m: &mut Mapping) -> Result<()> {
    platforms(m)?;
    members(m)?;
    narrative(m)?;
    for (index, project) in m.each("/section_c/projects").iter().enumerate() {
        projects(m, index, project)?;
    }
    figures(m)
}

/// The name of the city, which owns what it enters.
fn city_of(key: &str) -> Vec<Piece> {
    vec![through(key, "/owner_org_id", "organizations", "/name")]
}

fn platforms(m: &mut Mapping) -> Result<()> {
    let platform = format!("{EXTERNAL}/platform");
    let founded = format!("{TARGET}/previous_efforts/milestones/1/event");
    let Some(name) = m.text(&founded).strip_suffix("を構築").map(str::to_owned) else {
        fail!("{founded} does not name the platform")
    };
    let template = json!({
        "kind": "partnership_platform",
        "name": name,
        "lead_department": leaf(&format!("{OVERVIEW}/department")),
        "municipality_codes": [leaf(&format!("{OVERVIEW}/municipality_code"))],
        "launches": [
            {"state": "established", "fiscal_year": leaf(&format!("{platform}/launch_fiscal_year_fy")),
                "printed": leaf(&format!("{platform}/launch_fiscal_year"))},
            {"state": "established", "scope": "広域",
                "fiscal_year": leaf(&format!("{platform}/wide_area_launch_fiscal_year_fy")),
                "printed": leaf(&format!("{platform}/wide_area_launch_fiscal_year"))},
        ],
        "selection_notes": m.section(&format!("{platform}/selection_notes")),
        "visibility": "partners",
    });
    m.enter(CITY, "platforms", "platform", template)?;
    m.claim(
        &founded,
        Test::Extract(vec![field("platform", "/name"), text("を構築")]),
    );
    let launched = vec![
        text("立ち上げ年度 "),
        field("platform", "/launches/0/printed"),
        text(" ※"),
        field("platform", "/launches/1/scope"),
        text("は "),
        field("platform", "/launches/1/printed"),
    ];
    m.equal(&format!("{platform}/launched"), launched);
    for place in ["/document/title".to_owned(), format!("{OVERVIEW}/municipality")] {
        m.equal(&place, city_of("platform"));
    }

    let council = format!("{EXTERNAL}/regional_council");
    let (_, printed) = m.split(&format!("{council}/launched"), " ")?;
    let template = json!({
        "kind": "regional_council",
        "name": format!("{name} {}", m.text(&format!("{council}/label"))),
        "parent_id": "@platform",
        "launches": [{"state": "substituted", "substituted_by": leaf(&format!("{council}/substitute")), "printed": printed}],
        "members_note": leaf(&format!("{council}/members_printed")),
        "selection_notes": m.section(&format!("{council}/selection_notes")),
        "visibility": "partners",
    });
    m.enter(CITY, "platforms", "council", template)?;
    m.equal(
        &format!("{council}/launched"),
        vec![text("立ち上げ年度 "), field("council", "/launches/0/printed")],
    );

    let area = format!("{TARGET}/previous_efforts/regions");
    let codes: Vec<Value> = m
        .each(&format!("{area}/municipalities"))
        .iter()
        .map(|t| leaf(&format!("{t}/municipality_code")))
        .collect();
    let template = json!({
        "kind": "partnership_platform",
        "name": "麒麟のまち孤独・孤立対策官民連携PF",
        "area_name": leaf(&format!("{area}/area_name")),
        "municipality_codes": codes,
        "launches": [{"state": "established", "fiscal_year": leaf(&format!("{platform}/wide_area_launch_fiscal_year_fy"))}],
        "visibility": "partners",
    });
    m.enter(JOINT, "platforms", "wide-platform", template)?;

    let template = json!({
        "municipality_code": leaf(&format!("{OVERVIEW}/municipality_code")),
        "kind": "population",
        "value": figure(&format!("{OVERVIEW}/population")),
        "unit": "人",
        "as_of": {"precision": "day", "start": leaf(&format!("{OVERVIEW}/population_as_of_iso")), "printed": "令和2年10月"},
        "source": leaf(&format!("{OVERVIEW}/population_source")),
        "printed": leaf(&format!("{OVERVIEW}/population_printed")),
    });
    m.enter(CITY, "municipality-facts", "population", template)
}

fn member(m: &mut Mapping, caller: &str, key: &str, template: Value) -> Result<()> {
    let mut template = template;
    template["position"] = json!(m.entries.len());
    m.enter(caller, "members", key, template)
}

fn members(m: &mut Mapping) -> Result<()> {
    let inside = format!("{OVERVIEW}/internal_cooperation");
    let main = json!({
        "platform_id": "@platform", "kind": "organization", "role": "main_department",
        "label": leaf(&format!("{inside}/main/department")), "linkage": leaf(&format!("{inside}/main/role")),
    });
    member(m, CITY, "main-department", main)?;
    // 総務部人権政策局 (人権推進課)、福祉部 (…): the printed line is put together from the departments.
    let mut printed = Vec::new();
    for (index, department) in m.each(&format!("{inside}/members/departments")).iter().enumerate() {
        let bureau = format!("bureau-{index}");
        let template = json!({
            "platform_id": "@platform", "kind": "organization", "role": "member_department",
            "label": leaf(&format!("{department}/bureau")), "linkage": leaf(&format!("{inside}/members/role")),
        });
        member(m, CITY, &bureau, template)?;
        printed.push(text(if index == 0 { "" } else { "、" }));
        printed.push(field(&bureau, "/label"));
        for (number, section) in m.each(&format!("{department}/sections")).iter().enumerate() {
            let key = format!("{bureau}-{number}");
            let template = json!({
                "platform_id": "@platform", "parent_id": format!("@{bureau}"), "kind": "organization",
                "role": "member_department", "label": leaf(section),
            });
            member(m, CITY, &key, template)?;
            printed.push(text(if number == 0 { " (" } else { "、" }));
            printed.push(field(&key, "/label"));
        }
        printed.push(text(")"));
    }
    m.equal(&format!("{inside}/members/printed"), printed);

    let platform = format!("{EXTERNAL}/platform");
    for (index, place) in m.each(&format!("{platform}/members")).iter().enumerate() {
        let key = format!("member-{index}");
        let name = format!("{place}/name");
        let kind = m.text(&format!("{place}/kind"));
        if kind != "network" {
            member(
                m,
                CITY,
                &key,
                json!({"platform_id": "@platform", "kind": kind, "label": leaf(&name)}),
            )?;
            continue;
        }
        let (label, _) = m.split(&name, " (")?;
        member(
            m,
            CITY,
            &key,
            json!({"platform_id": "@platform", "kind": kind, "label": label}),
        )?;
        let mut printed = vec![field(&key, "/label")];
        for (number, category) in m
            .each(&format!("{platform}/member_categories_in_network"))
            .iter()
            .enumerate()
        {
            let below = format!("{key}-{number}");
            let template = json!({
                "platform_id": "@platform", "parent_id": format!("@{key}"), "kind": "category", "label": leaf(category),
            });
            member(m, CITY, &below, template)?;
            printed.push(text(if number == 0 { " (" } else { "、" }));
            printed.push(field(&below, "/label"));
        }
        printed.push(text(")"));
        m.equal(&name, printed);
    }

    let mut codes = Vec::new();
    for (index, place) in m.each(&format!("{platform}/municipal_members")).iter().enumerate() {
        let code = m.text(&format!("{place}/municipality_code"));
        let key = format!("municipality-{index}");
        let organization = format!("town-{code}");
        let template = json!({
            "platform_id": "@wide-platform", "kind": "organization", "label": leaf(&format!("{place}/name")),
            "organization_id": format!("@{organization}"),
        });
        member(m, JOINT, &key, template)?;
        m.equal(
            &format!("{place}/municipality_code"),
            vec![field(&organization, "/municipality_code")],
        );
        codes.push((code, key));
    }
    for place in m.each(&format!("{TARGET}/previous_efforts/regions/municipalities")) {
        let code = m.text(&format!("{place}/municipality_code"));
        let Some((_, key)) = codes.iter().find(|(known, _)| *known == code) else {
            fail!("{place} is no member")
        };
        m.equal(&format!("{place}/municipality"), vec![field(key, "/label")]);
    }
    Ok(())
}

fn narrative(m: &mut Mapping) -> Result<()> {
    let final_goals = format!("{TARGET}/desired_state/final_goals");
    let lines = |m: &Mapping, pointer: &str, label: Option<&str>| {
        let lines = m.each(pointer).into_iter().map(|line| {
            let mut item = json!({"text": leaf(&format!("{line}/text"))});
            if let Some(label) = label {
                item["label"] = leaf(&format!("{line}/{label}"));
            }
            item
        });
        json!({"state": "entered", "items": lines.collect::<Vec<_>>()})
    };
    let factors: Vec<Value> = m
        .each("/section_e/factors")
        .iter()
        .map(|factor| {
            let part = |name: &str| leaf(&format!("{factor}/{name}"));
            json!({"issue": part("issue"), "action": part("action"), "change": part("change")})
        })
        .collect();
    let timeline = json!([
        {"precision": "month", "start": "2024-04-01", "printed": leaf("/section_e/timeline/0/printed")},
        {"precision": "range", "start": "2024-09-01", "end": "2025-02-28", "printed": leaf("/section_e/timeline/1/printed")},
        {"precision": "month", "start": "2025-03-01", "printed": leaf("/section_e/timeline/2/printed")},
    ]);
    let template = json!({
        "platform_id": "@platform",
        "fiscal_year": leaf("/document/fiscal_year_fy"),
        "prior_efforts": m.section(&format!("{TARGET}/previous_efforts/entries")),
        "goals_of_year": lines(m, &format!("{TARGET}/desired_state/goals_this_year/items"), None),
        "final_goals": lines(m, &format!("{final_goals}/items"), Some("name")),
        "final_goals_closing": leaf(&format!("{final_goals}/closing")),
        "partnership_values": m.section("/section_a/platform_value/items"),
        "trial_points": m.section("/section_c/points"),
        "next_year_proposals": lines(m, "/section_c/next_year/items", None),
        "reactions": m.section("/section_c/reaction/items"),
        "process_notes": m.section("/section_d/items"),
        "breakthrough": {"theme": leaf("/section_e/theme"), "timeline": timeline, "factors": factors},
    });
    m.enter(CITY, "platform-years", "platform-2024", template)?;
    // The list of events repeats what the lines above say.
    for (milestone, line) in m
        .each(&format!("{TARGET}/previous_efforts/milestones"))
        .iter()
        .zip([0, 1, 2, 2, 2])
    {
        for name in ["printed", "event", "month"] {
            let place = format!("{milestone}/{name}");
            if m.has(&place) {
                m.extract(
                    &place,
                    vec![field("platform-2024", &format!("/prior_efforts/items/{line}/text"))],
                );
            }
        }
    }
    let region = format!("{TARGET}/previous_efforts/regions/name");
    m.extract(&region, vec![field("platform-2024", "/prior_efforts/items/2/text")]);
    Ok(())
}

fn projects(m: &mut Mapping, index: usize, project: &str) -> Result<()> {
    let at = |name: &str| format!("{project}/{name}");
    let key = format!("project-{}", index + 1);
    let (number, rest) = m.split(&at("name"), " ")?;
    let mark = m
        .has(&at("reference_mark"))
        .then(|| format!("{} ", m.text(&at("reference_mark"))));
    let name = mark
        .as_deref()
        .and_then(|mark| rest.strip_prefix(mark))
        .unwrap_or(&rest)
        .to_owned();
    let verification: Vec<Value> = m
        .each(&at("verification"))
        .iter()
        .map(|line| {
            let mut item = json!({"text": leaf(&format!("{line}/text"))});
            if m.has(&format!("{line}/round")) {
                item["round"] = leaf(&format!("{line}/round"));
            }
            item
        })
        .collect();
    let (schedules, printed) = schedules(m, project, &key)?;
    let template = json!({
        "platform_id": "@platform",
        "fiscal_year": m.at("/document/fiscal_year_fy"),
        "number": number,
        "name": name,
        "title": leaf(&at("title")),
        "is_reference": leaf(&at("is_reference")),
        "progress": "done",
        "content": m.section(&at("content")),
        "aims": m.section(&at("aims")),
        "verification": if verification.is_empty() { leaf(&at("verification")) } else { json!(verification) },
        "schedules": schedules,
        "summary": m.section(&at("detail/summary")),
        "ingenuity_points": m.section(&at("detail/ingenuity_points")),
        "detail_aims": m.section(&at("detail/aims")),
        "results": m.section(&at("detail/results")),
        "sections": sections(m, project),
        "media_plan": media(m, project),
        "visibility": "partners",
        "position": index,
    });
    m.enter(CITY, "projects", &key, template)?;
    for (place, pieces) in printed {
        m.equal(&place, pieces);
    }
    let reference: fn(&Value) -> String = |value| {
        if value == true {
            "※参考".to_owned()
        } else {
            String::new()
        }
    };
    let mut whole = vec![field(&key, "/number"), text(" ")];
    if mark.is_some() {
        whole.extend([shown(&key, "/is_reference", reference), text(" ")]);
        m.equal(&at("reference_mark"), vec![shown(&key, "/is_reference", reference)]);
    }
    whole.push(field(&key, "/name"));
    m.equal(&at("name"), whole);
    media_outlets(m, project, &key);
    if m.has(&at("detail/held_on")) {
        m.equal(&at("detail/held_on"), vec![field(&key, "/schedules/1/when/printed")]);
    }

    let template = json!({
        "project_id": format!("@{key}"),
        "contractor": leaf(&at("contractor")),
        "items": if m.has(&at("budget_items")) {
            json!(m.each(&at("budget_items")).iter().map(|item| leaf(item)).collect::<Vec<_>>())
        } else {
            json!([])
        },
        "amount_yen": leaf(&at("amount_yen")),
        "approximate": m.text(&at("precision")) == "approximate",
        "printed": leaf(&at("budget_printed")),
    });
    m.enter(CITY, "project-costs", &format!("cost-{}", index + 1), template)
}

/// A claim that is made once the record exists.
type Claims = Vec<(String, Vec<Piece>)>;

/// 実施時期: what stands before the date is its label or its place.
fn schedules(m: &Mapping, project: &str, key: &str) -> Result<(Value, Claims)> {
    let mut schedules = Vec::new();
    let mut claims = Claims::new();
    for (index, line) in m.each(&format!("{project}/schedule")).iter().enumerate() {
        let at = |name: &str| format!("{line}/{name}");
        let printed = m.text(&at("printed"));
        let mut schedule = json!({"when": period(m, line, &printed), "done": true});
        match printed.split_once(' ') {
            Some((label, date)) if label.ends_with("回目") || label.ends_with("地区") => {
                let slot = if label.ends_with("地区") { "place" } else { "label" };
                schedule[slot] = json!(label);
                schedule["when"]["printed"] = json!(date);
                let pieces = [
                    format!("/schedules/{index}/{slot}"),
                    format!("/schedules/{index}/when/printed"),
                ];
                claims.push((
                    at("printed"),
                    vec![field(key, &pieces[0]), text(" "), field(key, &pieces[1])],
                ));
            }
            _ => schedule["when"]["printed"] = leaf(&at("printed")),
        }
        for (slot, name) in [
            ("label", "label"),
            ("start_time", "time_start"),
            ("end_time", "time_end"),
        ] {
            if m.has(&at(name)) {
                schedule[slot] = leaf(&at(name));
            }
        }
        schedules.push(schedule);
    }
    let told_again = format!("{project}/detail/held_on");
    if m.has(&told_again) {
        let printed = m.text(&told_again);
        schedules.push(json!({
            "label": m.text(&format!("{project}/detail/events_label")),
            "when": period(m, &format!("{project}/detail"), &printed),
            "done": true,
        }));
    }
    Ok((Value::Array(schedules), claims))
}

/// The period beside a printed date.
fn period(m: &Mapping, place: &str, printed: &str) -> Value {
    let at = |name: &str| m.text(&format!("{place}/{name}"));
    let mut period = json!({"precision": "day", "printed": printed});
    let days = m.each(&format!("{place}/dates_iso"));
    if !days.is_empty() {
        period["precision"] = json!("days");
        period["days"] = json!(days.iter().map(|day| m.text(day)).collect::<Vec<_>>());
    } else if m.has(&format!("{place}/date_iso")) {
        period["start"] = json!(at("date_iso"));
    } else {
        let (start, end) = match at("period_start_iso") {
            start if start.is_empty() => (at("start_iso"), at("end_iso")),
            start => (start, at("period_end_iso")),
        };
        // Of months, the first day of the first and the last of the last.
        let last_day = match end.get(5..).unwrap_or_default() {
            "02" => "-28",
            "04" | "06" | "09" | "11" => "-30",
            month if month.len() == 2 => "-31",
            _ => "",
        };
        let first_day = if start.len() == 7 { "-01" } else { "" };
        period["precision"] = json!("range");
        period["start"] = json!(format!("{start}{first_day}"));
        period["end"] = json!(format!("{end}{last_day}"));
    }
    period
}

/// Parts of a project's page under their own headings.
fn sections(m: &Mapping, project: &str) -> Value {
    let detail = |name: &str| format!("{project}/detail/{name}");
    let lines = |pointers: Vec<String>| {
        let items: Vec<Value> = pointers.iter().map(|line| json!({"text": leaf(line)})).collect();
        json!({"state": "entered", "items": items})
    };
    let mut sections = Vec::new();
    let mut add = |heading: &str, body: Value| {
        if m.has(&detail(heading)) {
            sections.push(json!({"heading": leaf(&detail(heading)), "body": body}));
        }
    };
    let mut under_events = Vec::new();
    if m.has(&detail("events_note")) {
        under_events.push(detail("events_note"));
    }
    under_events.extend(m.each(&detail("procedure")));
    under_events.extend(m.each(&detail("notes")));
    let courses = m.each(&detail("courses_considered"));
    for (index, line) in m.each(&detail("overview_lines")).into_iter().enumerate() {
        // Each course considered is the heading of the lines that follow.
        if let Some(course) = [5, 7, 8]
            .iter()
            .position(|first| *first == index)
            .and_then(|n| courses.get(n))
        {
            under_events.push(course.clone());
        }
        under_events.push(line);
    }
    if !under_events.is_empty() {
        add("events_label", lines(under_events));
    }
    add("group_work_label", m.section(&detail("group_work")));
    if m.has(&detail("report_findings")) {
        let mut items = Vec::new();
        for (label, list) in [
            ("label", "findings"),
            ("wishes_label", "wishes"),
            ("merits_label", "merits"),
        ] {
            items.push(json!({"text": leaf(&detail(&format!("report_findings/{label}")))}));
            for line in m.each(&detail(&format!("report_findings/{list}"))) {
                items.push(json!({"depth": 1, "text": leaf(&line)}));
            }
        }
        add("outcomes_label", json!({"state": "entered", "items": items}));
    } else {
        add("outcomes_label", m.section(&detail("outcomes")));
    }
    Value::Array(sections)
}

/// 広報の実施概要. An outlet is a name; what is printed around the names is a note.
fn media(m: &Mapping, project: &str) -> Value {
    let mut items = Vec::new();
    for item in m.each(&format!("{project}/detail/media_plan/items")) {
        let at = |name: &str| format!("{item}/{name}");
        let mut line = json!({
            "kind": leaf(&at("media_kind")),
            "medium": leaf(&at("medium")),
            "content": leaf(&at("content")),
            "outlets": m.each(&at("outlets")).iter().map(|outlet| leaf(outlet)).collect::<Vec<_>>(),
        });
        if m.each(&at("outlets")).is_empty() {
            line["outlets"] = leaf(&at("outlets"));
        }
        for name in ["quantity", "unit"] {
            if m.has(&at(name)) {
                line[name] = leaf(&at(name));
            }
        }
        let formula = m.text(&at("quantity_formula"));
        if let Some(each) = formula.split_once('本').and_then(|(each, _)| each.parse::<i64>().ok()) {
            line["per_outlet"] = json!(each);
        }
        let names: Vec<String> = m.each(&at("outlets")).iter().map(|outlet| m.text(outlet)).collect();
        let outlet = m.text(&at("outlet"));
        if outlet != names.join("、") {
            let note = outlet.split_once(" (").map_or(outlet.as_str(), |(note, _)| note);
            line["outlet_note"] = json!(note);
        }
        if m.has(&at("schedule")) {
            line["when"] = period(m, &item, &m.text(&at("schedule")));
            line["when"]["printed"] = leaf(&at("schedule"));
        }
        items.push(line);
    }
    Value::Array(items)
}

fn media_outlets(m: &mut Mapping, project: &str, key: &str) {
    for (index, item) in m.each(&format!("{project}/detail/media_plan/items")).iter().enumerate() {
        let here = |name: &str| field(key, &format!("/media_plan/{index}/{name}"));
        let outlets = m.each(&format!("{item}/outlets"));
        let names: Vec<String> = outlets.iter().map(|outlet| m.text(outlet)).collect();
        let outlet = m.text(&format!("{item}/outlet"));
        let listed: Vec<Piece> = (0..outlets.len())
            .flat_map(|n| [text(if n == 0 { "" } else { "、" }), here(&format!("outlets/{n}"))])
            .collect();
        let pieces = if outlet == names.join("、") {
            listed
        } else if outlet.contains(" (") {
            let mut pieces = vec![here("outlet_note"), text(" (")];
            pieces.extend(listed);
            pieces.push(text(")"));
            pieces
        } else {
            vec![here("outlet_note")]
        };
        m.equal(&format!("{item}/outlet"), pieces);
        let formula = format!("{item}/quantity_formula");
        if m.has(&formula) {
            m.extract(&formula, vec![here("content")]);
        }
    }
}

/// The rows of the table of figures.
fn figures(m: &mut Mapping) -> Result<()> {
    let Value::Object(rows) = m.at("/figures_csv").clone() else {
        return Ok(());
    };
    let year_fields = |m: &mut Mapping, row: &str, key: &str, from: &str| {
        for (column, shown_as) in [
            ("period", era_year as fn(&Value) -> String),
            ("fiscal_year", year),
            ("period_start", first_day),
            ("period_end", last_day),
        ] {
            let place = format!("{row}/{column}");
            if m.has(&place) {
                m.equal(&place, vec![shown(key, from, shown_as)]);
            }
        }
    };
    for (id, cells) in &rows {
        let row = format!("/figures_csv/{id}");
        let at = |column: &str| format!("{row}/{column}");
        let cell = |column: &str| plain(&cells[column]);
        match cell("category").as_str() {
            "qualitative_goal" => {
                let slot = if cell("indicator_name") == "今年度のゴール" {
                    "goals_of_year"
                } else {
                    "final_goals"
                };
                let list = if slot == "goals_of_year" {
                    "goals_this_year"
                } else {
                    "final_goals"
                };
                let items = m.each(&format!("{TARGET}/desired_state/{list}/items"));
                let found = items
                    .iter()
                    .position(|item| m.text(&format!("{item}/text")) == cell("printed_value"));
                let Some(index) = found else { fail!("{id} is no goal") };
                m.equal(
                    &at("printed_value"),
                    vec![field("platform-2024", &format!("/{slot}/items/{index}/text"))],
                );
                m.equal(&at("subject"), city_of("platform-2024"));
                m.equal(
                    &at("municipality_code"),
                    vec![field("platform", "/municipality_codes/0")],
                );
                year_fields(m, &row, "platform-2024", "/fiscal_year");
            }
            category @ ("qualitative_kpi" | "budget") => {
                let number = cell("subject").replace("事業", "");
                let project = format!("project-{number}");
                m.equal(&at("subject"), vec![text("事業"), field(&project, "/number")]);
                year_fields(m, &row, &project, "/fiscal_year");
                if category == "budget" {
                    let cost = format!("cost-{number}");
                    m.equal(&at("actual"), vec![field(&cost, "/amount_yen")]);
                    m.extract(&at("printed_value"), vec![field(&cost, "/printed")]);
                    if m.has(&at("approximate")) {
                        m.equal(&at("approximate"), vec![field(&cost, "/approximate")]);
                    }
                } else {
                    let aims = m.each(&format!(
                        "/section_c/projects/{}/aims",
                        number.parse::<usize>().unwrap_or(1) - 1
                    ));
                    let Some(index) = aims.iter().position(|aim| m.text(aim) == cell("printed_value")) else {
                        fail!("{id} is no aim")
                    };
                    m.equal(
                        &at("printed_value"),
                        vec![field(&project, &format!("/aims/items/{index}/text"))],
                    );
                }
            }
            "kpi" | "kpi_change" => recognition(m, &row, id)?,
            "milestone" | "milestone_plan" => milestone(m, &row, id, &cell("category"))?,
            other => fail!("{id} is of category {other}"),
        }
    }
    Ok(())
}

/// 認知度: the value before comes from another survey, so the line breaks, and 約20% is kept as it was printed.
fn recognition(m: &mut Mapping, row: &str, id: &str) -> Result<()> {
    let at = |column: &str| format!("{row}/{column}");
    let (kpi, observation) = (format!("kpi-{id}"), format!("observation-{id}"));
    let (subject, indicator) = (m.text(&at("subject")), m.text(&at("indicator_name")));
    let subject = if subject.is_empty() {
        "つながりサポーター".to_owned()
    } else {
        subject
    };
    let mut template = json!({
        "platform_id": "@platform",
        "name": format!("{subject}の{indicator}"),
        "value_type": "number",
        "unit": leaf(&at("unit")),
        "direction": leaf(&at("direction")),
        "visibility": "partners",
    });
    let baseline = m.has(&at("baseline"));
    let printed = m.text(&at("printed_value"));
    let (now, before) = printed.split_once(" || ").unwrap_or((&printed, ""));
    if baseline {
        template["baseline"] = json!({
            "value": leaf(&at("baseline")),
            "period": {"precision": "fiscal_year", "start": "2023-04-01", "end": "2024-03-31", "printed": "令和5年度"},
            "source": "市民意識調査",
            "printed": before,
        });
    }
    m.enter(CITY, "kpis", &kpi, template)?;
    let (whole_year, remark) = (m.text(&at("period_start")).ends_with("-04-01"), m.text(&at("period")));
    let remark = remark
        .split_once('（')
        .map(|(_, remark)| remark.trim_end_matches('）').to_owned());
    let template = json!({
        "series_id": format!("@{kpi}"),
        "period_kind": if whole_year { "fiscal_year" } else { "range" },
        "period_start": leaf(&at("period_start")),
        "period_end": leaf(&at("period_end")),
        "number": leaf(&at("actual")),
        "approximate": m.text(&at("approximate")) == "true",
        "printed": now,
        "source": if baseline { json!("認知度調査") } else { Value::Null },
        "series_break": baseline,
        "note": remark.clone(),
    });
    m.enter(CITY, "kpi-observations", &observation, template)?;
    let name = |before: &str, after: &str| Test::Around(field(&kpi, "/name"), before.to_owned(), after.to_owned());
    if m.has(&at("subject")) {
        m.claim(&at("subject"), name("", &format!("の{indicator}")));
    }
    m.claim(&at("indicator_name"), name(&format!("{subject}の"), ""));
    let mut period = vec![shown(&observation, "/period_start", era_year)];
    if remark.is_some() {
        period.extend([text("（"), field(&observation, "/note"), text("）")]);
    }
    m.equal(&at("period"), period);
    m.equal(&at("fiscal_year"), vec![shown(&observation, "/period_start", year)]);
    let mut whole = vec![field(&observation, "/printed")];
    if baseline {
        whole.extend([text(" || "), field(&kpi, "/baseline/printed")]);
    }
    m.equal(&at("printed_value"), whole);
    if m.has(&at("approximate")) {
        m.equal(&at("approximate"), vec![field(&observation, "/approximate")]);
    }
    Ok(())
}

/// What was or will be reached: a KPI of state, with the value of its year or the target for it.
fn milestone(m: &mut Mapping, row: &str, id: &str, category: &str) -> Result<()> {
    let at = |column: &str| format!("{row}/{column}");
    let (kpi, when) = (format!("kpi-{id}"), format!("milestone-{id}"));
    let template = json!({
        "platform_id": "@platform",
        "name": leaf(&at("indicator_name")),
        "value_type": "state",
        "direction": leaf(&at("direction")),
        "visibility": "partners",
    });
    m.enter(CITY, "kpis", &kpi, template)?;
    m.equal(&at("subject"), city_of(&kpi));
    m.equal(
        &at("municipality_code"),
        vec![through(&kpi, "/platform_id", "platforms", "/municipality_codes/0")],
    );
    let from = if category == "milestone" {
        let template = json!({
            "series_id": format!("@{kpi}"),
            "period_kind": "fiscal_year",
            "period_start": leaf(&at("period_start")),
            "period_end": leaf(&at("period_end")),
            "state": leaf(&at("printed_value")),
        });
        m.enter(CITY, "kpi-observations", &when, template)?;
        "/period_start"
    } else {
        let Ok(fiscal_year) = m.text(&at("fiscal_year")).parse::<i64>() else {
            fail!("{id} has no year")
        };
        let template = json!({
            "kpi_id": format!("@{kpi}"),
            "fiscal_year": fiscal_year,
            "kind": "qualitative",
            "text": leaf(&at("printed_value")),
        });
        m.enter(CITY, "kpi-targets", &when, template)?;
        m.equal(&at("period_start"), vec![shown(&when, "/fiscal_year", first_day)]);
        m.equal(&at("period_end"), vec![shown(&when, "/fiscal_year", last_day)]);
        "/fiscal_year"
    };
    m.equal(&at("period"), vec![shown(&when, from, era_year)]);
    m.equal(&at("fiscal_year"), vec![shown(&when, from, year)]);
    Ok(())
}
