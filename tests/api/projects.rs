//! Projects as the documents have them, and what they cost.

use crate::app::{COUNCIL, NANBU, TOTTORI_CITY, TestApp, with};
use crate::plans::{goal, plan};
use crate::platforms::platform;
use serde_json::{Value, json};
use uuid::Uuid;

pub fn project(name: &str) -> Value {
    json!({ "name": name, "fiscal_year": 2024 })
}

#[tokio::test]
async fn a_project_keeps_its_aims_rounds_and_times_as_they_were_printed() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let section = |lines: &[(u8, &str, &str)]| {
        let items: Vec<Value> = lines
            .iter()
            .map(|(depth, marker, text)| json!({ "depth": depth, "marker": marker, "text": text }))
            .collect();
        json!({ "state": "entered", "items": items })
    };
    let body = json!({
        "name": "サポーター養成講座", "fiscal_year": 2024, "number": "3", "title": "つながる講座", "is_reference": true,
        "lead_department": "総務部人権政策局 中央人権福祉センター",
        // The aims are the KPIs, mostly text, and there are several of them.
        "aims": section(&[(0, "①", "相談先を知る人の増加"), (0, "②", "受講者100名"), (1, "・", "うち若者20名")]),
        "content": { "state": "none", "items": [] },
        "results": { "state": "not_applicable", "items": [] },
        "verification": [
            { "round": "第1回", "text": "25名ほどが参加\n満足度は高い" },
            { "round": "第2回", "text": "アンケート回収23～24名程度" },
            { "text": "次年度も続ける" }
        ],
        "schedules": [
            // Two rows of one day with the same start; a start is no key.
            { "label": "1回目", "when": { "precision": "day", "start": "2024-12-07", "printed": "12/7（土）9:45~" }, "start_time": "10:00", "end_time": "12:00", "done": true },
            { "label": "受付", "when": { "precision": "day", "start": "2024-12-07" }, "start_time": "10:00", "place": "公民館", "done": true },
            { "when": { "precision": "day", "start": "2024-12-07", "printed": "13:30～15:30" }, "start_time": "13:30", "end_time": "15:30", "done": false },
            { "label": "出前講座", "when": { "precision": "days", "start": "2024-05-20", "days": ["2024-05-20", "2024-06-17", "2024-06-17"] }, "done": false },
            { "label": "広報", "when": { "precision": "month", "start": "2024-12-01", "end": "2025-02-28", "printed": "12月～2月" }, "done": false },
            { "when": { "precision": "undecided", "printed": "調整中" }, "done": false }
        ],
        "sections": [{ "heading": "PFの開催概要", "body": { "state": "not_entered", "items": [] } }],
        "media_plan": [{ "kind": "video", "medium": "テレビ", "content": "15秒CM 72本", "quantity": 72, "unit": "本", "per_outlet": 24, "outlets": ["一局", "二局", "三局"] }],
        "progress": "done", "visibility": "partners", "position": -3
    });
    let created = editor.post("/projects", body.clone()).await.expect(201);
    let read = editor.get(&format!("/projects/{}", created.id())).await.expect(200);
    assert_eq!(read.body, created.body);
    for (name, value) in body.as_object().expect("fields") {
        assert_eq!(&read[name], value, "{name}");
    }
    // What nobody said stays unsaid.
    for name in ["platform_id", "goal_id", "predecessor_id"] {
        assert_eq!(read[name], Value::Null);
    }
    assert_eq!(read["ingenuity_points"], json!({ "state": "not_entered", "items": [] }));
    let listed = editor.get("/projects").await.expect(200);
    assert_eq!(listed.items("schedules"), [body["schedules"].clone()]);
    assert_eq!(listed.items("aims"), [Value::Null], "a list has no prose");
}

#[tokio::test]
async fn a_cancelled_project_keeps_its_date_and_a_planned_one_stands_in_the_report() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform = editor.create("/platforms", platform("南部町PF")).await;
    let on = |name: &str, progress: &str, day: &str| {
        let when = json!({ "precision": "day", "start": day });
        with(
            project(name),
            json!({ "platform_id": platform, "progress": progress, "schedules": [{ "when": when }] }),
        )
    };
    editor
        .create("/projects", on("中止した会", "ongoing", "2024-07-20"))
        .await;
    editor
        .create("/projects", on("三月の会", "planned", "2025-03-20"))
        .await;
    let id = editor.list("/projects?progress=ongoing", "id").await[0].clone();
    let address = format!("/projects/{}", id.as_str().expect("an id"));
    let cancelled = editor
        .patch(&address, json!({ "progress": "cancelled" }))
        .await
        .expect(200);
    assert_eq!(cancelled["schedules"][0]["when"]["start"], "2024-07-20");
    assert_eq!(cancelled["schedules"][0]["done"], false);
    let report = editor
        .get(&format!("/projects?platform_id={platform}&fiscal_year=2024"))
        .await
        .expect(200);
    assert_eq!(report.items("name"), ["中止した会", "三月の会"]);
    assert_eq!(report.items("progress"), ["cancelled", "planned"]);
}

#[tokio::test]
async fn no_cost_is_zero_and_not_unknown() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/projects", project("交流会")).await;
    for body in [
        json!({ "amount_yen": 0, "printed": "費用なし" }),
        json!({ "amount_yen": null, "printed": "未定" }),
        json!({ "amount_yen": 500_000, "approximate": true, "printed": "有識者謝金、交通費（50万円程度）", "items": ["有識者謝金", "交通費"] }),
        json!({ "amount_yen": 999_999_999_999_999_i64, "contractor": "一般社団法人" }),
    ] {
        let created = editor
            .post("/project-costs", with(json!({ "project_id": id }), body.clone()))
            .await
            .expect(201);
        for (name, value) in body.as_object().expect("fields") {
            assert_eq!(&created[name], value, "{name}");
        }
    }
    let amounts = editor
        .list(&format!("/project-costs?project_id={id}"), "amount_yen")
        .await;
    assert_eq!(
        amounts,
        [json!(0), Value::Null, json!(500_000), json!(999_999_999_999_999_i64)]
    );
    let free = editor
        .get(&format!("/project-costs?project_id={id}&limit=1"))
        .await
        .expect(200);
    let address = format!("/project-costs/{}", free.items("id")[0].as_str().expect("an id"));
    let unknown = editor.patch(&address, json!({ "amount_yen": null })).await.expect(200);
    assert_eq!(unknown["amount_yen"], Value::Null);
    let known = editor.patch(&address, json!({ "amount_yen": 0 })).await.expect(200);
    assert_eq!((&known["amount_yen"], &known["version"]), (&json!(0), &json!(3)));
    for (amount, code) in [
        (json!(-1), "range"),
        (json!(1_000_000_000_000_000_i64), "range"),
        (json!(0.5), "wrong_type"),
        (json!("0"), "wrong_type"),
    ] {
        let body = json!({ "project_id": id, "amount_yen": amount });
        editor
            .post("/project-costs", body)
            .await
            .wrong_field("/amount_yen", code);
    }
}

#[tokio::test]
async fn costs_are_seen_by_owner_contractor_and_the_prefecture_it_was_submitted_to() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let open = json!({ "visibility": "public" });
    let id = editor.create("/projects", with(project("交流会"), open)).await;
    let contracted = json!({ "project_id": id, "amount_yen": 1_540_000, "contractor_id": COUNCIL.id });
    let contracted = editor.create("/project-costs", contracted).await;
    let own = editor
        .create("/project-costs", json!({ "project_id": id, "amount_yen": 1 }))
        .await;
    let sees = async |who: &str, ids: &[Uuid]| {
        let caller = app.caller(who).await;
        assert_eq!(
            caller.list("/project-costs", "id").await,
            *json!(ids).as_array().expect("ids"),
            "{who}"
        );
        for cost in [contracted, own] {
            let status = if ids.contains(&cost) { 200 } else { 404 };
            caller.get(&format!("/project-costs/{cost}")).await.expect(status);
        }
    };
    sees("viewer", &[contracted, own]).await;
    sees("council", &[contracted]).await;
    sees("pref-editor", &[]).await;
    let address = format!("/projects/{id}");
    editor.transition(&address, "submitted", "").await.expect(200);
    sees("pref-editor", &[contracted, own]).await;
    admin.transition(&address, "confirmed", "").await.expect(200);
    admin.transition(&address, "published", "").await.expect(200);
    // Published is the project, never what it costs.
    for outsider in ["city", "far", "partner", "adviser"] {
        app.caller(outsider).await.get(&address).await.expect(200);
        sees(outsider, &[]).await;
    }
    app.anonymous().get(&address).await.expect(200);
    app.anonymous()
        .get("/project-costs")
        .await
        .problem(401, "unauthenticated");
    let filtered = app
        .council()
        .await
        .list(&format!("/project-costs?contractor_id={}", COUNCIL.id), "id")
        .await;
    assert_eq!(filtered, [json!(contracted)]);
    app.council()
        .await
        .refused(
            &format!("/project-costs/{contracted}"),
            json!({ "amount_yen": 2 }),
            403,
            "forbidden",
        )
        .await;
}

#[tokio::test]
async fn a_project_that_contradicts_itself_or_what_is_stored_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let schedule = |when: Value, more: Value| json!({ "schedules": [with(json!({ "when": when }), more)] });
    let day = || json!({ "precision": "day", "start": "2024-12-07" });
    let unknown = Uuid::now_v7();
    let hidden = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let hidden_project = app.insert("projects", TOTTORI_CITY, &project("市の事業")).await;
    for (more, code) in [
        (
            schedule(day(), json!({ "start_time": "15:30", "end_time": "13:30" })),
            "time_order",
        ),
        (
            schedule(
                json!({ "precision": "range", "start": "2025-02-28", "end": "2024-12-01" }),
                json!({}),
            ),
            "period_order",
        ),
        (
            schedule(json!({ "precision": "range", "end": "2024-12-01" }), json!({})),
            "period_order",
        ),
        (json!({ "platform_id": hidden }), "projects_platform_id_fkey"),
        (json!({ "goal_id": unknown }), "projects_goal_id_fkey"),
        (
            json!({ "predecessor_id": hidden_project }),
            "projects_predecessor_id_fkey",
        ),
    ] {
        editor
            .refused("/projects", with(project("交流会"), more), 409, code)
            .await;
    }
    for (more, path, code) in [
        (json!({ "fiscal_year": 1949 }), "/fiscal_year", "range"),
        (
            schedule(day(), json!({ "start_time": "9:45" })),
            "/schedules/0/start_time",
            "time_of_day",
        ),
        (
            json!({ "media_plan": [{ "kind": "video", "medium": "a", "content": "", "quantity": -1 }] }),
            "/media_plan/0/quantity",
            "range",
        ),
    ] {
        let reply = editor.post("/projects", with(project("交流会"), more)).await;
        reply.wrong_field(path, code);
    }
    let first = editor
        .create(
            "/projects",
            with(project("令和5年度の会"), json!({ "fiscal_year": 2023 })),
        )
        .await;
    let next = editor
        .create(
            "/projects",
            with(project("令和6年度の会"), json!({ "predecessor_id": first })),
        )
        .await;
    let first = format!("/projects/{first}");
    editor
        .refused(&first, Value::Null, 409, "projects_predecessor_id_fkey")
        .await;
    let cost = editor.create("/project-costs", json!({ "project_id": next })).await;
    let next = format!("/projects/{next}");
    editor
        .refused(&next, Value::Null, 409, "project_costs_project_id_fkey")
        .await;
    for (body, code) in [
        (json!({ "project_id": hidden_project }), "project_costs_project_id_fkey"),
        (json!({ "contractor_id": unknown }), "project_costs_contractor_id_fkey"),
    ] {
        editor.refused(&format!("/project-costs/{cost}"), body, 409, code).await;
    }
    editor.delete(&format!("/project-costs/{cost}")).await.expect(204);
    editor.delete(&next).await.expect(204);
    editor.delete(&first).await.expect(204);
}

#[tokio::test]
async fn projects_and_costs_are_listed_by_year_and_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform = editor.create("/platforms", platform("南部町PF")).await;
    let plan = editor.create("/plans", plan("計画")).await;
    let goal = editor.create("/goals", goal(plan, "目標")).await;
    let foreign = with(
        project("市の事業"),
        json!({ "visibility": "public", "status": "published" }),
    );
    app.insert("projects", TOTTORI_CITY, &foreign).await;
    for (name, more) in [
        ("翌年の一", json!({ "fiscal_year": 2025, "position": -1 })),
        ("二の一", json!({ "position": 2, "platform_id": platform })),
        ("二の二", json!({ "position": 2, "goal_id": goal, "title": "ｺﾐｭﾆﾃｨ" })),
        ("二の三", json!({ "position": 2, "progress": "done" })),
        ("一", json!({ "position": 1, "platform_id": platform })),
        ("前年の九", json!({ "fiscal_year": 2023, "position": 9 })),
    ] {
        editor.create("/projects", with(project(name), more)).await;
    }
    let mine = format!("owner_org_id={}", NANBU.id);
    for (query, names) in [
        (
            mine.clone(),
            vec!["前年の九", "一", "二の一", "二の二", "二の三", "翌年の一"],
        ),
        (
            "fiscal_year=2024".to_owned(),
            vec!["市の事業", "一", "二の一", "二の二", "二の三"],
        ),
        (format!("platform_id={platform}"), vec!["一", "二の一"]),
        (format!("goal_id={goal}"), vec!["二の二"]),
        ("progress=done".to_owned(), vec!["二の三"]),
        ("status=published".to_owned(), vec!["市の事業"]),
        (format!("status=draft&fiscal_year=2023&{mine}"), vec!["前年の九"]),
        ("search=コミュニティ".to_owned(), vec!["二の二"]),
    ] {
        assert_eq!(
            editor.list(&format!("/projects?{query}"), "name").await,
            names,
            "{query}"
        );
    }
    let ids = editor.list(&format!("/projects?platform_id={platform}"), "id").await;
    // Costs come project by project; these were made in the other order.
    for (project, note, position) in [(0, "三", 0), (1, "二", 5), (1, "一", 1), (0, "四", 0), (0, "五", 7)] {
        let body = json!({ "project_id": ids[project], "note": note, "position": position });
        editor.create("/project-costs", body).await;
    }
    let all = editor.list("/project-costs", "note").await;
    assert_eq!(all, ["一", "二", "三", "四", "五"]);
    let first = format!("/project-costs?project_id={}", ids[0].as_str().expect("an id"));
    assert_eq!(editor.list(&first, "note").await, ["三", "四", "五"]);
}
