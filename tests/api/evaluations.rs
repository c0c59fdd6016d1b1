//! Evaluations: each on the scale of its plan, replaced and never changed.

use crate::app::{NANBU, TestApp, with};
use crate::plans::{SharedPlan, goal, level};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn evaluation(goal: Uuid, stage: &str, level: Option<Uuid>) -> Value {
    json!({ "goal_id": goal, "fiscal_year": 2024, "stage": stage, "level_id": level })
}

#[tokio::test]
async fn a_goal_that_is_not_evaluated_is_not_one_at_the_lowest_level() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let here = SharedPlan::new(&admin).await;
    let untouched = with(level(here.plan, "D", 1), json!({ "criteria": "未着手" }));
    let untouched = admin.create("/evaluation-levels", untouched).await;
    let blank = admin.create("/goals", goal(here.plan, "まだ評価していない")).await;
    let worded = admin.create("/goals", goal(here.plan, "講評だけ")).await;
    admin
        .create("/evaluations", evaluation(here.goal, "final", Some(untouched)))
        .await;
    let remark = with(
        evaluation(worded, "committee", None),
        json!({ "remark": "来年度に期待する\n以上", "decided_by": "策定委員会", "decided_on": "2025-03-10" }),
    );
    let created = admin.post("/evaluations", remark.clone()).await.expect(201);
    for (name, value) in remark.as_object().expect("fields") {
        assert_eq!(&created[name], value, "{name}");
    }
    let sheet = admin.get(&format!("/plans/{}/sheet", here.plan)).await.expect(200).body;
    let graded = |goal: Uuid| -> Vec<Value> {
        let rows = sheet["evaluations"].as_array().expect("rows").iter();
        rows.filter(|e| e["goal_id"] == json!(goal))
            .map(|e| e["level_id"].clone())
            .collect()
    };
    assert_eq!(graded(here.goal), [json!(untouched)]);
    assert_eq!(graded(blank), [Value::Null; 0]);
    assert_eq!(graded(worded), [Value::Null]);
}

#[tokio::test]
async fn grades_of_two_scales_are_never_mixed() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    // C of the one is "started", C of the other "reached, to be improved".
    let ours = with(level(here.plan, "C", 2), json!({ "criteria": "着手済み" }));
    let ours = editor.create("/evaluation-levels", ours).await;
    let theirs = with(level(there.plan, "C", 2), json!({ "criteria": "達成・要改善" }));
    let theirs = editor.create("/evaluation-levels", theirs).await;
    for foreign in [theirs, Uuid::now_v7()] {
        editor
            .refused(
                "/evaluations",
                evaluation(here.goal, "self", Some(foreign)),
                409,
                "evaluations_level_of_plan",
            )
            .await;
    }
    let created = editor
        .post("/evaluations", evaluation(here.goal, "self", Some(ours)))
        .await
        .expect(201);
    assert_eq!(created["plan_id"], json!(here.plan));
    // Neither the level nor the goal changes over to another plan under the evaluation.
    editor
        .refused(
            &format!("/evaluation-levels/{ours}"),
            json!({ "plan_id": there.plan, "code": "着手" }),
            409,
            "evaluation_levels_plan_id_stays",
        )
        .await;
    editor
        .refused(
            &format!("/goals/{}", here.goal),
            json!({ "plan_id": there.plan }),
            409,
            "goals_plan_id_stays",
        )
        .await;
    let unknown = evaluation(Uuid::now_v7(), "self", None);
    editor
        .refused("/evaluations", unknown, 409, "evaluations_goal_id_fkey")
        .await;
}

#[tokio::test]
async fn an_evaluation_is_replaced_with_a_reason_and_never_changed() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let [a, b] = [("A", 4), ("B", 3)].map(|(code, rank)| level(here.plan, code, rank));
    let (a, b) = (
        editor.create("/evaluation-levels", a).await,
        editor.create("/evaluation-levels", b).await,
    );
    let first = editor
        .post("/evaluations", evaluation(here.goal, "self", Some(a)))
        .await
        .expect(201);
    let other_stage = editor
        .create("/evaluations", evaluation(here.goal, "interim", Some(a)))
        .await;
    let again = |supersedes: Value, reason: Value| {
        with(
            evaluation(here.goal, "self", Some(b)),
            json!({ "supersedes_id": supersedes, "reason": reason }),
        )
    };
    for (supersedes, reason, code) in [
        (Value::Null, json!("見直し"), "evaluations_current"),
        (json!(other_stage), json!("見直し"), "evaluations_current"),
        (json!(Uuid::now_v7()), json!("見直し"), "evaluations_supersedes_id_fkey"),
        (json!(first.id()), Value::Null, "evaluations_reason"),
        (json!(first.id()), json!(""), "evaluations_reason"),
    ] {
        editor
            .refused("/evaluations", again(supersedes, reason), 409, code)
            .await;
    }
    let second = editor
        .post("/evaluations", again(json!(first.id()), json!("証拠の追加")))
        .await
        .expect(201);
    assert_eq!((&first["revision"], &second["revision"]), (&json!(1), &json!(2)));
    // Who did not see the second one does not overwrite it.
    editor
        .refused(
            "/evaluations",
            again(json!(first.id()), json!("見直し")),
            409,
            "evaluations_current",
        )
        .await;
    let address = format!("/evaluations/{}", first.id());
    let kept = editor.get(&address).await.expect(200);
    assert_eq!(kept.body, first.body);
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        let headers = [("if-match", "*")];
        editor
            .send(method, &address, Some(json!({ "level_id": b })), &headers)
            .await
            .problem(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn the_final_word_is_the_administrators() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let here = SharedPlan::new(&editor).await;
    for stage in ["self", "interim"] {
        editor.create("/evaluations", evaluation(here.goal, stage, None)).await;
    }
    for stage in ["committee", "final"] {
        editor
            .refused("/evaluations", evaluation(here.goal, stage, None), 403, "forbidden")
            .await;
        let created = admin
            .post("/evaluations", evaluation(here.goal, stage, None))
            .await
            .expect(201);
        assert_eq!(created["owner_org_id"], json!(NANBU.id));
    }
    for who in ["viewer", "council", "partner", "city", "auditor"] {
        let reply = app
            .caller(who)
            .await
            .post(
                "/evaluations",
                with(evaluation(here.goal, "self", None), json!({ "fiscal_year": 2023 })),
            )
            .await;
        assert!([403, 409].contains(&reply.status), "{who}: {}", reply.text);
    }
    assert_eq!(
        admin.list("/evaluations", "stage").await,
        ["self", "interim", "committee", "final"]
    );
}

#[tokio::test]
async fn evaluations_are_listed_by_year_with_and_without_those_that_were_replaced() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    let mut replaced = Value::Null;
    for (goal, year, remark, supersedes) in [
        (here.goal, 2024, "三", false),
        (here.goal, 2023, "一", false),
        (there.goal, 2023, "二", false),
        (here.goal, 2024, "四", true),
        (here.goal, 2025, "五", false),
    ] {
        let more = json!({ "fiscal_year": year, "remark": remark, "reason": "訂正", "supersedes_id": if supersedes { replaced.clone() } else { Value::Null } });
        let id = editor
            .create("/evaluations", with(evaluation(goal, "self", None), more))
            .await;
        if replaced.is_null() {
            replaced = json!(id);
        }
    }
    for (query, remarks) in [
        (String::new(), vec!["一", "二", "三", "四", "五"]),
        ("current=true".to_owned(), vec!["一", "二", "四", "五"]),
        ("current=false".to_owned(), vec!["三"]),
        (format!("plan_id={}", here.plan), vec!["一", "三", "四", "五"]),
        (format!("goal_id={}&current=true", there.goal), vec!["二"]),
        ("fiscal_year=2024".to_owned(), vec!["三", "四"]),
    ] {
        assert_eq!(
            editor.list(&format!("/evaluations?{query}"), "remark").await,
            remarks,
            "{query}"
        );
    }
}
