//! The sync log: what batches and imports did, and who settled what.

use crate::app::{COUNCIL, Caller, TestApp, with};
use crate::plans::plan;
use crate::platforms::platform;
use serde_json::{Value, json};

fn upsert(external_id: &str, record: Value) -> Value {
    json!({ "entity": "plans", "source": "kintone", "external_id": external_id, "record": record })
}

#[tokio::test]
async fn every_batch_is_a_run_with_its_counts_and_the_rows_that_were_not_written() {
    let app = TestApp::new().await;
    let (system, staff, stranger) = (app.client().await, app.council().await, app.foreign_editor().await);
    let items = vec![
        upsert("P", plan("計画")),
        upsert("Q", with(plan("x"), json!({ "title": " " }))),
    ];
    let send = async |body: Value| system.post("/batch", body).await.expect(200);
    send(json!({ "mode": "per_row", "dry_run": true, "items": items })).await;
    // Nothing of an atomic batch is written, and the log says so.
    send(json!({ "mode": "atomic", "items": items })).await;
    send(json!({ "mode": "per_row", "items": items })).await;
    let runs = staff.get("/sync-runs").await.expect(200);
    let told: Vec<Value> = runs["items"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| {
            json!([
                run["kind"],
                run["mode"],
                run["dry_run"],
                run["committed"],
                run["counts"]["created"],
                run["counts"]["error"],
                run["state"]
            ])
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["batch", "per_row", false, true, 1, 1, "done"],
            ["batch", "atomic", false, false, 1, 1, "done"],
            ["batch", "per_row", true, false, 1, 1, "done"],
        ])
    );
    let run = &runs["items"][0];
    assert_eq!(
        (&run["source"], run["actor_name"].is_string()),
        (&json!("kintone"), true)
    );
    let address = format!("/sync-runs/{}", run["id"].as_str().expect("an id"));
    let rows = staff.get(&format!("{address}/rows")).await.expect(200);
    assert_eq!(rows["items"].as_array().map(Vec::len), Some(1));
    let row = &rows["items"][0];
    assert_eq!(
        (&row["line"], &row["outcome"], &row["item"]["external_id"]),
        (&json!(2), &json!("error"), &json!("Q"))
    );
    assert_eq!(row["problem"]["errors"][0]["path"], "/title");
    let csv = staff.get(&format!("{address}/rows?format=csv")).await.expect(200);
    let lines: Vec<&str> = csv.text.trim_start_matches('\u{feff}').lines().collect();
    assert!(
        lines[0].starts_with("操作,ID,版番号,外部ID,") && lines[0].ends_with("行,エラー"),
        "{}",
        csv.text
    );
    assert!(lines[1].starts_with(",,,Q,"), "{}", csv.text);
    // By state and by who started it; nobody else sees them.
    let who = run["actor_id"].as_str().expect("an id");
    assert_eq!(
        staff
            .list(&format!("/sync-runs?actor_id={who}&state=done"), "kind")
            .await
            .len(),
        3
    );
    assert!(staff.list("/sync-runs?state=failed", "kind").await.is_empty());
    assert!(stranger.list("/sync-runs", "kind").await.is_empty());
    stranger.get(&address).await.problem(404, "not_found");
    app.caller("auditor")
        .await
        .get("/sync-runs")
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn a_person_settles_a_conflict_with_both_texts_before_him() {
    let app = TestApp::new().await;
    let (system, staff) = (app.client().await, app.council().await);
    let made = system
        .post("/batch", json!({ "items": [upsert("P", plan("計画"))] }))
        .await
        .expect(200);
    let plan_address = format!("/plans/{}", made["items"][0]["id"].as_str().expect("an id"));
    let conflict = async |title: &str| {
        system
            .post(
                "/batch",
                json!({ "mode": "per_row", "items": [upsert("P", plan(title))] }),
            )
            .await
            .expect(200);
        let run = staff.get("/sync-runs?limit=1").await["items"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        staff
            .get(&format!("/sync-runs/{run}/rows?outcome=conflict&open=true"))
            .await["items"][0]
            .clone()
    };
    staff
        .patch(&plan_address, json!({ "subtitle": "職員の副題" }))
        .await
        .expect(200);
    let row = conflict("改めた計画").await;
    assert_eq!(
        (
            &row["base"]["title"],
            &row["item"]["record"]["title"],
            &row["problem"]["current"]["subtitle"]
        ),
        (&json!("計画"), &json!("改めた計画"), &json!("職員の副題"))
    );
    let settle = |row: &Value, body: Value| {
        let address = format!("/sync-rows/{}/settlement", row["id"].as_str().expect("an id"));
        let staff = staff.clone();
        async move { staff.post(&address, body).await }
    };
    let viewer = app.viewer().await;
    let address = format!("/sync-rows/{}/settlement", row["id"].as_str().expect("an id"));
    viewer
        .post(&address, json!({ "take": "theirs" }))
        .await
        .problem(404, "not_found");
    // The version he was shown is not the one that is there.
    staff
        .patch(&plan_address, json!({ "subtitle": "また改めた副題" }))
        .await
        .expect(200);
    let stale = settle(&row, json!({ "take": "mine", "version": 2 }))
        .await
        .problem(412, "stale");
    assert_eq!(stale["current"]["version"], json!(3));
    let settled = settle(&row, json!({ "take": "mine", "version": 3 })).await.expect(200);
    assert_eq!(
        (&settled["settlement"], settled["settled_by_name"].is_string()),
        (&json!("mine"), true)
    );
    assert_eq!(staff.get(&plan_address).await["title"], "改めた計画");
    settle(&row, json!({ "take": "theirs" }))
        .await
        .problem(409, "sync_rows_settled");
    let row = conflict("三度目の計画").await;
    settle(&row, json!({ "take": "theirs" })).await.expect(200);
    assert_eq!(staff.get(&plan_address).await["title"], "改めた計画");
    // What was only tried is not written from here.
    let body = json!({ "dry_run": true, "items": [{ "entity": "platforms", "record": with(platform("x"), json!({ "name": " " })) }] });
    system.post("/batch", body).await.expect(200);
    let run = staff.get("/sync-runs?limit=1").await["items"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let row = staff.get(&format!("/sync-runs/{run}/rows")).await["items"][0].clone();
    settle(&row, json!({ "take": "mine" }))
        .await
        .problem(409, "sync_rows_not_written");
}

#[tokio::test]
async fn a_run_says_whether_a_person_or_a_system_started_it() {
    let app = TestApp::new().await;
    let (system, staff) = (app.client().await, app.council().await);
    for sender in [&system, &staff] {
        sender
            .post("/batch", json!({ "items": [upsert("P", plan("計画"))] }))
            .await
            .expect(200);
    }
    let runs = staff.get("/sync-runs").await.expect(200);
    let told: Vec<Value> = runs["items"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|run| json!([run["actor_kind"], run["actor_name"]]))
        .collect();
    let name = format!("{} council", COUNCIL.name);
    assert_eq!(json!(told), json!([["user", name], ["client", "相談記録システム"],]));
}

#[tokio::test]
async fn runs_are_found_by_who_what_and_what_is_left_to_do() {
    let app = TestApp::new().await;
    let (system, staff) = (app.client().await, app.council().await);
    let send = async |sender: &Caller<'_>, how: Value| {
        let items = json!({ "mode": "per_row", "items": [upsert("P", plan("計画"))] });
        sender.post("/batch", with(items, how)).await.expect(200)
    };
    let newest = async || staff.get("/sync-runs?limit=1").await["items"][0].clone();
    let made = send(&system, json!({})).await;
    let written = newest().await["id"].clone();
    send(&system, json!({ "dry_run": true })).await;
    let tried = newest().await["id"].clone();
    send(&staff, json!({ "items": [upsert("Q", json!({}))] })).await;
    let wrong = newest().await;
    let plan_address = format!("/plans/{}", made["items"][0]["id"].as_str().expect("an id"));
    staff
        .patch(&plan_address, json!({ "title": "職員の題" }))
        .await
        .expect(200);
    let differing = json!({ "items": [upsert("P", plan("改めた計画"))] });
    send(&system, with(differing.clone(), json!({ "dry_run": true }))).await;
    let tried_again = newest().await["id"].clone();
    send(&system, differing).await;
    let differs = newest().await["id"].clone();
    let found = async |question: &str| staff.list(&format!("/sync-runs?{question}"), "id").await;
    let wrong_id = wrong["id"].clone();
    let by_staff = format!("actor_id={}", wrong["actor_id"].as_str().expect("an id"));
    for (question, expected) in [
        ("actor_kind=user", vec![&wrong_id]),
        (&by_staff, vec![&wrong_id]),
        ("actor_kind=client&dry_run=false", vec![&differs, &written]),
        ("dry_run=true", vec![&tried_again, &tried]),
        ("kind=import", vec![]),
        ("kind=batch&with_errors=true", vec![&wrong_id]),
        // What was only tried is not to be settled.
        ("open=true", vec![&differs]),
        ("to=2020-01-01T00:00:00Z", vec![]),
    ] {
        assert_eq!(found(question).await.iter().collect::<Vec<_>>(), expected, "{question}");
    }
    let row = staff
        .list(&format!("/sync-runs/{}/rows", differs.as_str().expect("an id")), "id")
        .await[0]
        .clone();
    let settlement = format!("/sync-rows/{}/settlement", row.as_str().expect("an id"));
    staff.post(&settlement, json!({ "take": "theirs" })).await.expect(200);
    assert!(found("open=true").await.is_empty());
    app.sql("update sync_runs set state = 'failed', error = 0").await;
    assert_eq!(found("with_errors=true").await.len(), 5);
}

#[tokio::test]
async fn the_log_is_kept_for_400_days() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for _ in 0..2 {
        editor
            .post("/batch", json!({ "items": [upsert("P", json!({}))] }))
            .await
            .expect(200);
    }
    app.sql("update sync_runs set begun_at = now() - interval '401 days' where id = (select min(id::text)::uuid from sync_runs)").await;
    app.service().forget_runs().await.expect("housekeeping");
    assert_eq!(app.texts("select count(*)::text from sync_runs", &[]).await, ["1"]);
    assert_eq!(app.texts("select count(*)::text from sync_rows", &[]).await, ["1"]);
}

#[tokio::test]
async fn a_row_with_a_nul_is_refused_and_kept_with_its_mark() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let record = json!({ "kind": "npo", "name": "見守り\u{0}の会", "a\u{0}b": ["\u{0}"] });
    let items = json!({ "mode": "per_row", "items": [{ "entity": "organizations", "record": record }] });
    let reply = editor.post("/batch", items).await.expect(200);
    assert_eq!(reply["items"][0]["outcome"], "error", "{}", reply.said());
    let runs = editor.list("/sync-runs", "id").await;
    let rows = editor
        .get(&format!("/sync-runs/{}/rows", runs[0].as_str().expect("an id")))
        .await
        .expect(200);
    assert_eq!(rows["items"][0]["item"]["record"]["name"], "見守り\u{2400}の会");
}
