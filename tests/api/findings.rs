//! Printed facts that the record contradicts are told, never refused or corrected.

use crate::app::{NANBU, TestApp, with};
use crate::kpis::{kpi, year};
use crate::plans::{SharedPlan, goal};
use crate::platforms::platform;
use crate::projects::project;
use serde_json::{Value, json};
use uuid::Uuid;

/// Rule, field, what is printed and what the record says, of each finding.
async fn found(app: &TestApp, query: &str) -> Vec<[String; 4]> {
    let page = app.viewer().await.get(&format!("/findings?{query}")).await.expect(200);
    assert_eq!(page["next"], Value::Null);
    let rows = page["items"].as_array().expect("findings");
    rows.iter()
        .map(|f| ["rule", "field", "printed", "computed"].map(|name| f[name].as_str().unwrap_or("-").to_owned()))
        .collect()
}

#[tokio::test]
async fn a_wrong_weekday_warns_and_never_rejects() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform_id = editor.create("/platforms", platform("南部町PF")).await;
    let when =
        |start: &str, printed: &str| json!({ "when": { "precision": "day", "start": start, "printed": printed } });
    let dated = |day: &str| json!({ "state": "entered", "items": [{ "text": day }] });
    let body = json!({
        "platform_id": platform_id,
        "schedules": [
            when("2024-12-10", "令和6年12月10日（月）～11日（火）"),
            when("2024-12-07", "12/7（土）"),
            // A month without a year is that of the fiscal year: 16 February 2025 is a Sunday.
            when("2025-02-16", "2/16（月）"),
        ],
        "content": dated("2月17日(月)に行う"),
        "results": dated("3月9日（土）に行った")
    });
    let created = editor
        .post("/projects", with(project("交流会"), body.clone()))
        .await
        .expect(201);
    assert_eq!(
        created["schedules"][0]["when"]["printed"], "令和6年12月10日（月）～11日（火）",
        "the print stays"
    );
    let year = json!({ "platform_id": platform_id, "fiscal_year": 2024, "process_notes": dated("R6.4.1(火)から") });
    editor.create("/platform-years", year).await;
    let of_project = vec![
        ["wrong_weekday", "/results/items/0/text", "3月9日（土）", "3月9日（日）"],
        [
            "wrong_weekday",
            "/schedules/0/when/printed",
            "令和6年12月10日（月）～11日（火）",
            "令和6年12月10日（火）～11日（水）",
        ],
        ["wrong_weekday", "/schedules/2/when/printed", "2/16（月）", "2/16（日）"],
    ];
    let mut got = found(&app, &format!("project_id={}", created.id())).await;
    got.sort();
    assert_eq!(got, of_project);
    let of_platform = found(&app, &format!("platform_id={platform_id}")).await;
    assert_eq!(of_platform.len(), 4);
    assert!(
        of_platform.contains(
            &[
                "wrong_weekday",
                "/process_notes/items/0/text",
                "R6.4.1(火)",
                "R6.4.1(月)"
            ]
            .map(str::to_owned)
        )
    );
    // Put right, it is gone.
    let right = json!({ "schedules": [], "results": { "state": "none", "items": [] } });
    editor
        .patch(&format!("/projects/{}", created.id()), right)
        .await
        .expect(200);
    assert_eq!(found(&app, &format!("project_id={}", created.id())).await, [[""; 4]; 0]);
}

#[tokio::test]
async fn a_change_of_a_share_is_counted_in_points() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let baseline = json!({ "value": "23.3", "source": "令和5年度市民意識調査" });
    let body = json!({ "unit": "%", "baseline": baseline, "printed": "認知度が約20%上がった" });
    let id = editor.create("/kpis", with(kpi("サポーターの認知度"), body)).await;
    let query = format!("kpi_id={id}");
    assert_eq!(
        found(&app, &query).await,
        [[""; 4]; 0],
        "without a value nothing is contradicted"
    );
    let value = with(year(id, 2024, "41"), json!({ "source": "令和6年度サポーター調査" }));
    editor.create("/kpi-observations", value).await;
    let page = editor.get(&format!("/findings?{query}")).await.expect(200);
    let finding = &page["items"][0];
    assert_eq!(
        [
            &finding["rule"],
            &finding["record_entity"],
            &finding["record_id"],
            &finding["field"],
            &finding["computed"],
            &finding["state"]
        ],
        [
            &json!("change_in_points"),
            &json!("kpis"),
            &json!(id),
            &json!("/printed"),
            &json!("+17.7ポイント"),
            &json!("open")
        ]
    );
    let message = finding["message"].as_str().expect("a message");
    assert!(
        message.contains("令和5年度市民意識調査") && message.contains("令和6年度サポーター調査"),
        "{message}"
    );
    // Neither number was touched.
    let read = editor.get(&format!("/kpis/{id}")).await.expect(200);
    assert_eq!(
        (&read["baseline"]["value"], &read["current"]["value"]),
        (&json!("23.3"), &json!("41"))
    );
}

#[tokio::test]
async fn printed_sums_and_relisted_kpis_are_held_against_the_record() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let media = json!({ "kind": "video", "medium": "テレビ", "content": "CM", "quantity": 70, "unit": "本", "per_outlet": 24, "outlets": ["一", "二", "三"] });
    let body = json!({ "goal_id": here.goal, "media_plan": [media] });
    let project_id = editor.create("/projects", with(project("広報"), body)).await;
    for (amount, printed) in [
        (json!(300_000), "50万円程度"),
        (json!(0), "費用なし"),
        (Value::Null, "未定"),
    ] {
        let cost = json!({ "project_id": project_id, "amount_yen": amount, "printed": printed });
        editor.create("/project-costs", cost).await;
    }
    let id = editor.create("/kpis", kpi("利用者")).await;
    let second = editor.create("/goals", goal(here.plan, "二つ目")).await;
    let relisted = json!({ "kpi_id": id, "goal_id": second, "relisted": true });
    editor.create("/kpi-placements", relisted).await;
    let rules = async |query: String| {
        let mut rules: Vec<String> = found(&app, &query).await.into_iter().map(|[rule, ..]| rule).collect();
        rules.sort();
        rules
    };
    assert_eq!(
        rules(format!("project_id={project_id}")).await,
        ["cost_sum", "media_total"]
    );
    assert_eq!(
        rules(format!("plan_id={}", here.plan)).await,
        ["cost_sum", "media_total", "relisted_alone"]
    );
    assert_eq!(rules(format!("kpi_id={id}")).await, ["relisted_alone"]);
    editor
        .create("/kpi-placements", json!({ "kpi_id": id, "goal_id": here.goal }))
        .await;
    assert_eq!(
        rules(format!("plan_id={}", here.plan)).await,
        ["cost_sum", "media_total"]
    );
    let editor_asks = async |query: &str| editor.get(&format!("/findings{query}")).await;
    for query in ["".to_owned(), format!("?kpi_id={id}&plan_id={}", here.plan)] {
        editor_asks(&query).await.problem(409, "findings_scope");
    }
}

#[tokio::test]
async fn a_note_explains_a_finding_and_without_it_the_finding_is_open_again() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let printed = "12/7（金）";
    let schedule = json!({ "when": { "precision": "day", "start": "2024-12-07", "printed": printed } });
    let shown = json!({ "schedules": [schedule], "visibility": "public" });
    let project_id = editor.create("/projects", with(project("交流会"), shown)).await;
    let query = format!("/findings?project_id={project_id}");
    let state = async || editor.get(&query).await.expect(200)["items"][0]["state"].clone();
    assert_eq!(state().await, "open");
    let note = json!({ "entity": "projects", "record_id": project_id, "rule": "wrong_weekday", "printed": printed, "explanation": "原本のとおり" });
    let created = editor.post("/finding-notes", note.clone()).await.expect(201);
    assert_eq!(
        (&created["state"], &created["owner_org_id"]),
        (&json!("explained"), &json!(NANBU.id))
    );
    assert_eq!(state().await, "explained");
    assert_eq!(editor.get(&query).await.expect(200)["items"][0]["note"], created.body);
    let address = format!("/finding-notes/{}", created.id());
    editor.patch(&address, json!({ "state": "fixed" })).await.expect(200);
    assert_eq!(state().await, "fixed");
    for (more, code) in [
        (json!({}), "finding_notes_key"),
        (json!({ "record_id": Uuid::now_v7() }), "finding_notes_record_id_fkey"),
        (json!({ "entity": "plans" }), "finding_notes_record_id_fkey"),
    ] {
        editor
            .refused("/finding-notes", with(note.clone(), more), 409, code)
            .await;
    }
    editor
        .refused(
            &address,
            json!({ "record_id": Uuid::now_v7() }),
            409,
            "finding_notes_record_id_fkey",
        )
        .await;
    let blank = with(note.clone(), json!({ "state": "open" }));
    editor
        .post("/finding-notes", blank)
        .await
        .wrong_field("/state", "unknown_choice");
    // A note belongs to the organisation of whoever wrote it.
    let (admin, city) = (app.admin().await, app.foreign_editor().await);
    let sheet = format!("/projects/{project_id}");
    admin.transition(&sheet, "confirmed", "").await.expect(200);
    admin.transition(&sheet, "published", "").await.expect(200);
    let theirs = city.get(&query).await.expect(200);
    assert_eq!(
        (&theirs["items"][0]["state"], &theirs["items"][0]["note"]),
        (&json!("open"), &Value::Null)
    );
    city.get(&address).await.problem(404, "not_found");
    city.create("/finding-notes", note).await;
    for n in ["一", "二", "三"] {
        let other = json!({ "entity": "projects", "record_id": project_id, "rule": "cost_sum", "printed": n, "explanation": n });
        editor.create("/finding-notes", other).await;
    }
    assert_eq!(
        editor.list("/finding-notes", "printed").await,
        [printed, "一", "二", "三"]
    );
    let of_record = |id: Uuid| format!("/finding-notes?record_id={id}");
    assert_eq!(editor.list(&of_record(project_id), "id").await.len(), 4);
    assert_eq!(editor.list(&of_record(Uuid::now_v7()), "id").await.len(), 0);
    editor.delete(&address).await.expect(204);
    assert_eq!(state().await, "open");
    app.anonymous()
        .get("/finding-notes")
        .await
        .problem(401, "unauthenticated");
}
