//! Plans: trees of goals, the columns of their sheets, their scales; and the life that all sheets share.

use crate::app::{COUNCIL, Caller, INSTITUTE, NANBU, PROMOTION, TOTTORI_CITY, TestApp, with};
use crate::kpis::{kpi, year};
use crate::members::member;
use crate::municipality_facts::fact;
use crate::platforms::platform;
use crate::projects::project;
use crate::roadmap::{item, place};
use serde_json::{Value, json};
use uuid::Uuid;

pub fn plan(title: &str) -> Value {
    json!({ "kind": "community_welfare_plan", "title": title, "first_fiscal_year": 2021, "last_fiscal_year": 2025 })
}

pub fn goal(plan: Uuid, title: &str) -> Value {
    json!({ "plan_id": plan, "kind": "priority_initiative", "title": title })
}

pub fn actor(plan: Uuid, label: &str) -> Value {
    json!({ "plan_id": plan, "kind": "other", "label": label })
}

pub fn level(plan: Uuid, code: &str, rank: i32) -> Value {
    json!({ "plan_id": plan, "code": code, "label": code, "rank": rank })
}

/// A plan of a town that its partners see, with one goal and three columns.
#[derive(Clone, Copy)]
pub struct SharedPlan {
    pub plan: Uuid,
    pub goal: Uuid,
    /// The town's own column.
    pub government: Uuid,
    /// The column of [`COUNCIL`].
    pub council: Uuid,
    /// The column of [`PROMOTION`].
    pub promotion: Uuid,
}

impl SharedPlan {
    pub async fn new(owner: &Caller<'_>) -> Self {
        let shared = with(plan("地域福祉推進計画"), json!({ "visibility": "partners" }));
        let plan = owner.create("/plans", shared).await;
        let column = async |label: &str, position: i32, organization: Option<Uuid>| {
            let more = json!({ "organization_id": organization, "position": position });
            owner.create("/plan-actors", with(actor(plan, label), more)).await
        };
        Self {
            plan,
            goal: owner.create("/goals", goal(plan, "共生型総合相談体制の構築")).await,
            promotion: column("地域振興協議会", 1, Some(PROMOTION.id)).await,
            council: column("社会福祉協議会", 2, Some(COUNCIL.id)).await,
            government: column("行政", 3, None).await,
        }
    }
}

#[tokio::test]
async fn a_plan_is_a_tree_of_goals_with_columns_of_groups_and_is_read_as_one_sheet() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = json!({
        "kind": "community_welfare_activity_plan", "title": "地域福祉推進計画", "subtitle": "実施計画ロードマップ",
        "municipality_code": "313891", "first_fiscal_year": 2021, "last_fiscal_year": 2025, "edition": "第3期", "position": 4,
        "visibility": "organization", "platform_id": null, "supersedes_id": null
    });
    let created = editor.post("/plans", body.clone()).await.expect(201);
    for (name, value) in body.as_object().expect("fields") {
        assert_eq!(&created[name], value, "{name}");
    }
    let plan = created.id();
    let in_tree = |title: &str, kind: &str, parent: Option<Uuid>, position: i32| {
        with(
            goal(plan, title),
            json!({ "kind": kind, "parent_id": parent, "position": position }),
        )
    };
    let principle = editor.create("/goals", in_tree("理念", "principle", None, 1)).await;
    // 項目 (1)(2)①: the printed number is text, and its order is the declared one.
    let second = with(
        in_tree("重点二", "priority_initiative", Some(principle), 2),
        json!({ "number": "【重点取組2】" }),
    );
    let second = editor.create("/goals", second).await;
    let first = editor
        .create("/goals", in_tree("重点一", "priority_initiative", Some(principle), 1))
        .await;
    let states = json!({ "state": "entered", "items": [{ "depth": 0, "marker": "◎", "text": "誰もが相談できる" }] });
    let item = with(in_tree("細目", "item", Some(second), 1), json!({ "states": states }));
    let item = editor.create("/goals", item).await;

    let group = with(
        actor(plan, "地域振興協議会・民間団体"),
        json!({ "kind": "community_promotion_council", "position": 1 }),
    );
    let group = editor.create("/plan-actors", group).await;
    let government = with(actor(plan, "行政"), json!({ "kind": "government", "position": 2 }));
    let government = editor.create("/plan-actors", government).await;
    for n in 0..7 {
        let council = with(
            actor(plan, &format!("協議会{n}")),
            json!({ "parent_id": group, "position": n }),
        );
        editor.create("/plan-actors", council).await;
    }
    let role = json!({ "goal_id": second, "actor_id": government, "expected_actor": "福祉事業所",
        "items": [{ "depth": 0, "marker": "・", "text": "相談の窓口" }, { "depth": 1, "text": "夜間も" }] });
    let created_role = editor.post("/goal-roles", role.clone()).await.expect(201);
    assert_eq!(created_role["items"], role["items"]);
    for (code, rank) in [("C", 2), ("A", 4), ("D", 1), ("B", 3)] {
        editor.create("/evaluation-levels", level(plan, code, rank)).await;
    }

    let titles = |sheet: &Value, part: &str, field: &str| -> Vec<Value> {
        let rows = sheet[part].as_array().expect("rows");
        rows.iter().map(|row| row[field].clone()).collect()
    };
    let whole = editor.get(&format!("/plans/{plan}/sheet")).await.expect(200).body;
    assert_eq!(whole["fiscal_years"], json!([2021, 2022, 2023, 2024, 2025]));
    assert_eq!(titles(&whole, "goals", "title"), ["理念", "重点一", "重点二", "細目"]);
    assert_eq!(
        titles(&whole, "goals", "id"),
        [json!(principle), json!(first), json!(second), json!(item)]
    );
    let columns = [
        "地域振興協議会・民間団体",
        "協議会0",
        "協議会1",
        "協議会2",
        "協議会3",
        "協議会4",
        "協議会5",
        "協議会6",
        "行政",
    ];
    assert_eq!(titles(&whole, "actors", "label"), columns);
    assert_eq!(titles(&whole, "levels", "code"), ["A", "B", "C", "D"]);
    let part = editor
        .get(&format!("/plans/{plan}/sheet?goal_id={second}"))
        .await
        .expect(200)
        .body;
    assert_eq!(titles(&part, "above", "title"), ["理念"]);
    assert_eq!(titles(&part, "goals", "title"), ["重点二", "細目"]);
    assert_eq!(titles(&part, "roles", "expected_actor"), ["福祉事業所"]);
    let elsewhere = SharedPlan::new(&editor).await;
    editor
        .get(&format!("/plans/{plan}/sheet?goal_id={}", elsewhere.goal))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_plan_that_contradicts_itself_or_what_is_stored_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let hidden = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let hidden_plan = app.insert("plans", TOTTORI_CITY, &plan("市の計画")).await;
    let cases = [
        (json!({ "last_fiscal_year": 2020 }), "plans_years"),
        (json!({ "last_fiscal_year": 2052 }), "plans_years"),
        (json!({ "municipality_code": "999997" }), "plans_municipality_code_fkey"),
        (json!({ "platform_id": hidden }), "plans_platform_id_fkey"),
        (json!({ "supersedes_id": hidden_plan }), "plans_supersedes_id_fkey"),
    ];
    let own = format!("/plans/{}", editor.create("/plans", plan("町の計画")).await);
    for (more, code) in cases {
        editor
            .refused("/plans", with(plan("計画"), more.clone()), 409, code)
            .await;
        editor.refused(&own, more, 409, code).await;
    }
    // Thirty years and one year are as long and as short as it gets.
    for last in [2051, 2021] {
        editor
            .patch(&own, json!({ "last_fiscal_year": last }))
            .await
            .expect(200);
    }
    for (more, path) in [
        (json!({ "first_fiscal_year": 1949 }), "/first_fiscal_year"),
        (json!({ "last_fiscal_year": 2201 }), "/last_fiscal_year"),
    ] {
        editor.patch(&own, more).await.wrong_field(path, "range");
    }
    // Years in which something stands on the sheet stay.
    let here = SharedPlan::new(&editor).await;
    let written = format!(
        "/roadmap-items/{}",
        editor.create("/roadmap-items", item(&here, here.council, "研修")).await
    );
    let said = with(
        place(&here, Some(here.government), "actual"),
        json!({ "fiscal_year": 2024 }),
    );
    editor.create("/roadmap-cells", said).await;
    let address = format!("/plans/{}", here.plan);
    for years in [
        json!({ "first_fiscal_year": 2023 }),
        json!({ "last_fiscal_year": 2023 }),
    ] {
        editor.refused(&address, years, 409, "plans_years_in_use").await;
    }
    editor.delete(&written).await.expect(204);
    let narrow = json!({ "first_fiscal_year": 2024, "last_fiscal_year": 2024 });
    editor.patch(&address, narrow).await.expect(200);
}

#[tokio::test]
async fn goals_columns_and_levels_stay_in_the_tree_of_their_plan() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    let hidden = app.insert("plans", TOTTORI_CITY, &plan("市の計画")).await;
    for (path, top, below, elsewhere) in [
        ("goals", here.goal, goal(here.plan, "下"), there.goal),
        ("plan-actors", here.council, actor(here.plan, "下"), there.council),
    ] {
        let (list, table) = (format!("/{path}"), path.replace('-', "_"));
        let child = editor
            .create(&list, with(below.clone(), json!({ "parent_id": top })))
            .await;
        let grandchild = editor
            .create(&list, with(below.clone(), json!({ "parent_id": child })))
            .await;
        let (parent, of_plan) = (format!("{table}_parent_id_fkey"), format!("{table}_plan_id_fkey"));
        let top = format!("{list}/{top}");
        let cycle = format!("{table}_no_cycle");
        editor.refused(&top, json!({ "parent_id": child }), 409, &cycle).await;
        editor
            .refused(&top, json!({ "parent_id": grandchild }), 409, &cycle)
            .await;
        let child = format!("{list}/{child}");
        editor
            .refused(&child, json!({ "parent_id": elsewhere }), 409, &parent)
            .await;
        let stays = format!("{table}_plan_id_stays");
        for plan in [hidden, there.plan] {
            editor.refused(&child, json!({ "plan_id": plan }), 409, &stays).await;
        }
        editor.refused(&child, Value::Null, 409, &parent).await;
        for (more, code) in [
            (json!({ "parent_id": elsewhere }), &parent),
            (json!({ "parent_id": Uuid::now_v7() }), &parent),
            (json!({ "plan_id": hidden }), &of_plan),
            (json!({ "plan_id": Uuid::now_v7() }), &of_plan),
        ] {
            editor.refused(&list, with(below.clone(), more), 409, code).await;
        }
    }
    let role = |goal: Uuid, actor: Uuid| json!({ "goal_id": goal, "actor_id": actor });
    let written = editor.create("/goal-roles", role(here.goal, here.council)).await;
    for (body, code) in [
        (role(here.goal, here.council), "goal_roles_key"),
        (role(here.goal, there.council), "goal_roles_actor_of_plan"),
        (role(Uuid::now_v7(), here.council), "goal_roles_goal_id_fkey"),
    ] {
        editor.refused("/goal-roles", body, 409, code).await;
    }
    let written = format!("/goal-roles/{written}");
    editor
        .refused(
            &written,
            json!({ "actor_id": there.council }),
            409,
            "goal_roles_actor_of_plan",
        )
        .await;
    let column = format!("/plan-actors/{}", here.council);
    editor.delete(&written).await.expect(204);
    let a = editor.create("/evaluation-levels", level(here.plan, "A", 4)).await;
    let b = editor.create("/evaluation-levels", level(here.plan, "B", 3)).await;
    editor.create("/evaluation-levels", level(there.plan, "A", 4)).await;
    editor
        .refused(
            "/evaluation-levels",
            level(here.plan, "A", 1),
            409,
            "evaluation_levels_code_key",
        )
        .await;
    editor
        .refused(
            &format!("/evaluation-levels/{b}"),
            json!({ "code": "A" }),
            409,
            "evaluation_levels_code_key",
        )
        .await;
    let evaluation = json!({ "goal_id": here.goal, "fiscal_year": 2024, "stage": "self", "level_id": a });
    editor.create("/evaluations", evaluation).await;
    editor
        .refused(
            &format!("/evaluation-levels/{a}"),
            Value::Null,
            409,
            "evaluations_level_of_plan",
        )
        .await;
    let item = json!({ "goal_id": here.goal, "fiscal_year": 2024, "kind": "planned", "actor_id": here.government, "text": "研修" });
    editor.create("/roadmap-items", item).await;
    editor
        .refused(
            &format!("/plan-actors/{}", here.government),
            Value::Null,
            409,
            "roadmap_items_actor_id_fkey",
        )
        .await;
    let reply = editor.delete(&format!("/plans/{}", here.plan)).await.expect(409);
    assert!(
        reply["code"]
            .as_str()
            .is_some_and(|code| code.ends_with("_plan_id_fkey")),
        "{}",
        reply.text
    );
    editor.get(&column).await.expect(200);
}

#[tokio::test]
async fn every_sheet_goes_through_its_life_in_order_and_back_with_a_reason() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let reason = "%E8%AA%A4%E3%82%8A"; // 誤り
    for (table, body) in [
        ("plans", plan("計画")),
        ("projects", project("交流会")),
        ("kpis", kpi("相談先を知る人")),
        ("municipality_facts", fact("10000", "2020-10-01")),
    ] {
        let list = format!("/{}", table.replace('_', "-"));
        let address = format!("{list}/{}", editor.create(&list, body).await);
        let (order, why) = (format!("{table}_transition"), format!("{table}_transition_reason"));
        let refused = async |caller: &Caller<'_>, status: &str, expected: u16, code: &str| {
            let before = editor.get(&address).await.expect(200);
            caller.transition(&address, status, "").await.problem(expected, code);
            assert_eq!(editor.get(&address).await.expect(200).body, before.body);
        };
        let moved = async |caller: &Caller<'_>, status: &str, reason: &str| {
            let reply = caller.transition(&address, status, reason).await.expect(200);
            assert_eq!(reply["status"], status, "{table}");
        };
        for status in ["returned", "published"] {
            refused(&admin, status, 409, &order).await;
        }
        refused(&editor, "confirmed", 403, "forbidden").await;
        moved(&editor, "submitted", "").await;
        refused(&admin, "published", 409, &order).await;
        refused(&admin, "returned", 409, &why).await;
        moved(&admin, "returned", reason).await;
        for status in ["draft", "confirmed", "published"] {
            refused(&admin, status, 409, &order).await;
        }
        moved(&editor, "submitted", "").await;
        moved(&editor, "draft", "").await;
        moved(&admin, "confirmed", "").await;
        let (locked, wider) = (format!("{table}_locked"), json!({ "visibility": "partners" }));
        admin.refused(&address, wider.clone(), 409, &locked).await;
        admin.refused(&address, Value::Null, 409, &locked).await;
        refused(&editor, "published", 403, "forbidden").await;
        refused(&admin, "submitted", 409, &order).await;
        refused(&admin, "draft", 409, &why).await;
        moved(&admin, "published", "").await;
        admin.refused(&address, wider.clone(), 409, &locked).await;
        refused(&admin, "draft", 409, &order).await;
        refused(&editor, "confirmed", 403, "forbidden").await;
        refused(&admin, "confirmed", 409, &why).await;
        moved(&admin, "confirmed", reason).await;
        moved(&admin, "draft", reason).await;
        editor.patch(&address, wider).await.expect(200);
        let reasons = app
            .texts(
                "select reason from record_history where entity = $1 and reason is not null order by version",
                &[&table],
            )
            .await;
        assert_eq!(reasons, ["誤り"; 3], "{table}");
    }
}

#[tokio::test]
async fn what_grows_below_a_confirmed_sheet_from_year_to_year_stays_open() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let here = SharedPlan::new(&editor).await;
    let platform_id = editor.create("/platforms", platform("南部町PF")).await;
    let project_id = editor.create("/projects", project("交流会")).await;
    let kpi_id = editor.create("/kpis", kpi("相談先を知る人")).await;
    for sheet in [
        format!("/plans/{}", here.plan),
        format!("/platforms/{platform_id}"),
        format!("/projects/{project_id}"),
        format!("/kpis/{kpi_id}"),
    ] {
        admin.transition(&sheet, "confirmed", "").await.expect(200);
        admin.transition(&sheet, "published", "").await.expect(200);
    }
    let goal = here.goal;
    for (list, body) in [
        (
            "/platform-years",
            json!({ "platform_id": platform_id, "fiscal_year": 2024 }),
        ),
        ("/members", member(platform_id, "新しい団体")),
        ("/project-costs", json!({ "project_id": project_id, "amount_yen": 0 })),
        (
            "/kpi-targets",
            json!({ "kpi_id": kpi_id, "fiscal_year": 2025, "value": "1" }),
        ),
        ("/kpi-observations", year(kpi_id, 2024, "1")),
        (
            "/evaluations",
            json!({ "goal_id": goal, "fiscal_year": 2024, "stage": "self" }),
        ),
        ("/roadmap-items", item(&here, here.government, "研修")),
        ("/roadmap-cells", place(&here, Some(here.council), "actual")),
    ] {
        editor.create(list, body).await;
    }
}

#[tokio::test]
async fn a_prefecture_sees_what_was_submitted_and_no_draft() {
    let app = TestApp::new().await;
    let (editor, prefecture) = (app.editor().await, app.prefecture().await);
    let here = SharedPlan::new(&editor).await;
    let child = async |path: &str, body: Value| format!("{path}/{}", editor.create(path, body).await);
    let cell =
        |kind: &str| json!({ "goal_id": here.goal, "fiscal_year": 2024, "actor_id": here.government, "kind": kind });
    let project_id = editor.create("/projects", project("交流会")).await;
    let kpi_id = editor.create("/kpis", kpi("相談先を知る人")).await;
    let sheets = [
        (
            format!("/plans/{}", here.plan),
            vec![
                format!("/goals/{}", here.goal),
                format!("/plan-actors/{}", here.council),
                child("/evaluation-levels", level(here.plan, "A", 4)).await,
                child("/goal-roles", json!({ "goal_id": here.goal, "actor_id": here.council })).await,
                child(
                    "/evaluations",
                    json!({ "goal_id": here.goal, "fiscal_year": 2024, "stage": "self" }),
                )
                .await,
                child("/roadmap-items", with(cell("planned"), json!({ "text": "研修" }))).await,
                child("/roadmap-cells", with(cell("actual"), json!({ "state": "none" }))).await,
            ],
        ),
        (
            format!("/projects/{project_id}"),
            vec![child("/project-costs", json!({ "project_id": project_id, "amount_yen": 1 })).await],
        ),
        (
            format!("/kpis/{kpi_id}"),
            vec![
                format!("/kpi-series/{kpi_id}"),
                child(
                    "/kpi-targets",
                    json!({ "kpi_id": kpi_id, "fiscal_year": 2024, "value": "1" }),
                )
                .await,
                child("/kpi-observations", year(kpi_id, 2024, "1")).await,
                child("/kpi-placements", json!({ "kpi_id": kpi_id, "goal_id": here.goal })).await,
            ],
        ),
        (child("/municipality-facts", fact("10000", "2020-10-01")).await, vec![]),
    ];
    for (sheet, children) in &sheets {
        let sees = async |status: u16| {
            prefecture.get(sheet).await.expect(status);
            for child in children {
                prefecture.get(child).await.expect(status);
                let (list, id) = child.rsplit_once('/').expect("an address");
                let listed = prefecture.list(list, "id").await.contains(&json!(id));
                assert_eq!(listed, status == 200, "{child}");
            }
            for stranger in ["city", "far", "adviser"] {
                app.caller(stranger).await.get(sheet).await.problem(404, "not_found");
            }
            app.anonymous().get(sheet).await.problem(404, "not_found");
        };
        sees(404).await;
        editor.transition(sheet, "submitted", "").await.expect(200);
        sees(200).await;
        // It reads, and changes nothing of it.
        prefecture
            .refused(sheet, json!({ "position": 7, "source": "県" }), 403, "forbidden")
            .await;
        for child in children {
            let append_only = ["/evaluations/", "/kpi-targets/", "/kpi-observations/"];
            let never = append_only.iter().any(|list| child.starts_with(list));
            prefecture.delete(child).await.expect(if never { 405 } else { 403 });
        }
        // What it returned it follows up.
        prefecture
            .transition(sheet, "returned", "%E7%A2%BA%E8%AA%8D")
            .await
            .expect(200);
        sees(200).await;
        editor.transition(sheet, "submitted", "").await.expect(200);
        editor.transition(sheet, "draft", "").await.expect(200);
        sees(404).await;
    }
}

#[tokio::test]
async fn a_partner_sees_the_plan_in_which_it_has_a_column_once_it_is_shared() {
    let app = TestApp::new().await;
    let (editor, partner) = (app.editor().await, app.caller("partner").await);
    let here = SharedPlan::new(&editor).await;
    let address = format!("/plans/{}", here.plan);
    let kpi_id = with(kpi("利用者"), json!({ "plan_id": here.plan, "visibility": "partners" }));
    let kpi_id = editor.create("/kpis", kpi_id).await;
    let of_plan = [
        address.clone(),
        format!("/goals/{}", here.goal),
        format!("/kpis/{kpi_id}"),
        format!("{address}/sheet"),
    ];
    let sees = async |caller: &Caller<'_>, status: u16| {
        for address in &of_plan {
            caller.get(address).await.expect(status);
        }
    };
    sees(&partner, 200).await;
    sees(&app.council().await, 200).await;
    sees(&app.foreign_editor().await, 404).await;
    sees(&app.caller("adviser").await, 404).await;
    editor
        .patch(&address, json!({ "visibility": "organization" }))
        .await
        .expect(200);
    for address in [&of_plan[0], &of_plan[1], &of_plan[3]] {
        partner.get(address).await.problem(404, "not_found");
    }
    editor
        .patch(&address, json!({ "visibility": "partners" }))
        .await
        .expect(200);
    sees(&partner, 200).await;
    partner
        .refused(&address, json!({ "title": "関係者の題" }), 403, "forbidden")
        .await;
    partner.refused("/plans", plan("協議会の計画"), 403, "forbidden").await;
    let column = format!("/plan-actors/{}", here.promotion);
    partner
        .refused(&column, json!({ "label": "改称" }), 403, "forbidden")
        .await;
    editor
        .patch(&column, json!({ "organization_id": null }))
        .await
        .expect(200);
    sees(&partner, 404).await;
}

#[tokio::test]
async fn a_grant_opens_a_plan_with_all_that_stands_on_its_sheet() {
    let app = TestApp::new().await;
    let (admin, adviser) = (app.admin().await, app.caller("adviser").await);
    let (here, there) = (SharedPlan::new(&admin).await, SharedPlan::new(&admin).await);
    let entry = format!(
        "/roadmap-items/{}",
        admin.create("/roadmap-items", item(&here, here.council, "研修")).await
    );
    let kpi_id = with(kpi("利用者"), json!({ "plan_id": here.plan, "visibility": "partners" }));
    let kpi_id = admin.create("/kpis", kpi_id).await;
    let of_plan = [
        format!("/plans/{}", here.plan),
        format!("/goals/{}", here.goal),
        entry.clone(),
        format!("/kpis/{kpi_id}"),
    ];
    let sees = async |status: u16| {
        for address in &of_plan {
            adviser.get(address).await.expect(status);
        }
        adviser
            .get(&format!("/plans/{}", there.plan))
            .await
            .problem(404, "not_found");
    };
    let grant = |scope: Uuid| json!({ "organization_id": INSTITUTE.id, "scope_id": scope, "valid_from": "2024-04-01" });
    sees(404).await;
    for scope in [here.goal, kpi_id, Uuid::now_v7()] {
        admin
            .refused("/grants", grant(scope), 409, "grants_scope_id_fkey")
            .await;
    }
    let granted = format!("/grants/{}", admin.create("/grants", grant(here.plan)).await);
    sees(200).await;
    adviser
        .refused(&entry, json!({ "text": "助言" }), 403, "forbidden")
        .await;
    admin
        .patch(&granted, json!({ "valid_to": "2025-03-31" }))
        .await
        .expect(200);
    sees(404).await;
}

#[tokio::test]
async fn plans_and_their_parts_are_listed_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform = editor.create("/platforms", platform("南部町PF")).await;
    let foreign = with(
        plan("市の計画"),
        json!({ "visibility": "public", "status": "published", "position": 9 }),
    );
    app.insert("plans", TOTTORI_CITY, &foreign).await;
    for (title, more) in [
        ("二の一", json!({ "position": 2, "municipality_code": "313891" })),
        ("二の二", json!({ "position": 2, "subtitle": "第３期ﾛｰﾄﾞﾏｯﾌﾟ" })),
        (
            "二の三",
            json!({ "position": 2, "kind": "other", "first_fiscal_year": 2026, "last_fiscal_year": 2030 }),
        ),
        ("一", json!({ "position": 1, "platform_id": platform })),
    ] {
        editor.create("/plans", with(plan(title), more)).await;
    }
    for (query, titles) in [
        (String::new(), vec!["一", "二の一", "二の二", "二の三", "市の計画"]),
        (
            format!("owner_org_id={}", NANBU.id),
            vec!["一", "二の一", "二の二", "二の三"],
        ),
        (format!("platform_id={platform}"), vec!["一"]),
        ("municipality_code=313891".to_owned(), vec!["二の一"]),
        (
            "fiscal_year=2025".to_owned(),
            vec!["一", "二の一", "二の二", "市の計画"],
        ),
        ("fiscal_year=2026".to_owned(), vec!["二の三"]),
        ("fiscal_year=2020".to_owned(), vec![]),
        ("kind=other".to_owned(), vec!["二の三"]),
        ("status=published".to_owned(), vec!["市の計画"]),
        ("search=第3期ロードマップ".to_owned(), vec!["二の二"]),
    ] {
        assert_eq!(
            editor.list(&format!("/plans?{query}"), "title").await,
            titles,
            "{query}"
        );
    }
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    let of = format!("plan_id={}", here.plan);
    let top = here.goal;
    for (title, position, parent) in [
        ("三", 3, None),
        ("一", 1, Some(top)),
        ("二", 1, Some(top)),
        ("零", -1, None),
    ] {
        let more = json!({ "position": position, "parent_id": parent });
        editor.create("/goals", with(goal(here.plan, title), more)).await;
    }
    let top = "共生型総合相談体制の構築";
    for (query, titles) in [
        (String::new(), vec!["零", top, top, "一", "二", "三"]),
        (of.clone(), vec!["零", top, "一", "二", "三"]),
        (format!("parent_id={}", here.goal), vec!["一", "二"]),
    ] {
        assert_eq!(
            editor.list(&format!("/goals?{query}"), "title").await,
            titles,
            "{query}"
        );
    }
    let tie = with(actor(here.plan, "同順"), json!({ "position": 2 }));
    editor.create("/plan-actors", tie).await;
    for (query, ids) in [
        (
            format!("organization_id={}", COUNCIL.id),
            vec![here.council, there.council],
        ),
        (format!("organization_id={}&{of}", PROMOTION.id), vec![here.promotion]),
    ] {
        assert_eq!(
            editor.list(&format!("/plan-actors?{query}"), "id").await,
            *json!(ids).as_array().expect("ids")
        );
    }
    let labels = ["地域振興協議会", "社会福祉協議会", "同順", "行政"];
    assert_eq!(editor.list(&format!("/plan-actors?{of}"), "label").await, labels);
    // The best level first; of equal ones the older first.
    for (code, rank) in [("C", 2), ("A", 9), ("B", 3), ("B'", 3), ("D", -1)] {
        editor.create("/evaluation-levels", level(here.plan, code, rank)).await;
    }
    editor.create("/evaluation-levels", level(there.plan, "5", 5)).await;
    assert_eq!(
        editor.list("/evaluation-levels", "code").await,
        ["A", "5", "B", "B'", "C", "D"]
    );
    assert_eq!(
        editor.list(&format!("/evaluation-levels?{of}"), "code").await,
        ["A", "B", "B'", "C", "D"]
    );
    for (here, actor) in [
        (here, here.council),
        (there, there.council),
        (here, here.promotion),
        (here, here.government),
    ] {
        editor
            .create("/goal-roles", json!({ "goal_id": here.goal, "actor_id": actor }))
            .await;
    }
    for (query, actors) in [
        (
            String::new(),
            vec![here.council, there.council, here.promotion, here.government],
        ),
        (
            format!("goal_id={}", here.goal),
            vec![here.council, here.promotion, here.government],
        ),
        (format!("actor_id={}", there.council), vec![there.council]),
    ] {
        let listed = editor.list(&format!("/goal-roles?{query}"), "actor_id").await;
        assert_eq!(listed, *json!(actors).as_array().expect("ids"), "{query}");
    }
}

#[tokio::test]
async fn no_plan_follows_itself_or_what_follows_it() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let one = editor.create("/plans", plan("計画")).await;
    let two = editor
        .create("/plans", with(plan("次の計画"), json!({ "supersedes_id": one })))
        .await;
    for next in [one, two] {
        editor
            .patch(&format!("/plans/{one}"), json!({ "supersedes_id": next }))
            .await
            .problem(409, "plans_no_cycle");
    }
}

#[tokio::test]
async fn a_project_continues_one_of_an_earlier_year() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let one = editor.create("/projects", project("会")).await;
    let same_year = with(project("会"), json!({ "predecessor_id": one }));
    let reply = editor.post("/projects", same_year).await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    let reply = editor
        .patch(&format!("/projects/{one}"), json!({ "predecessor_id": one }))
        .await;
    assert_eq!(reply.status, 409, "{}", reply.text);
}
