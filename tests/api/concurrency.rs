//! Nobody overwrites unseen.

use crate::app::{NANBU, TestApp};
use crate::platforms::platform;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_change_needs_the_version_that_was_read() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!(
        "/platforms/{}",
        editor.post("/platforms", platform("一")).await.expect(201).id()
    );
    let body = Some(json!({ "name": "二" }));
    for method in [Method::PATCH, Method::DELETE] {
        editor
            .send(method, &address, body.clone(), &[])
            .await
            .problem(428, "precondition_required");
    }
    editor
        .send(Method::PATCH, &address, body.clone(), &[("if-match", "v1")])
        .await
        .problem(400, "bad_if_match");
    let changed = editor
        .send(Method::PATCH, &address, body, &[("if-match", "\"v1\"")])
        .await
        .expect(200);
    assert_eq!((changed.etag(), &changed["version"]), ("\"v2\"", &json!(2)));
    editor
        .send(Method::DELETE, &address, None, &[("if-match", "*")])
        .await
        .expect(204);
    editor.get(&address).await.problem(404, "not_found");
}

#[tokio::test]
async fn who_comes_late_is_shown_what_is_there_and_who_wrote_it() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let address = format!(
        "/platforms/{}",
        editor.post("/platforms", platform("一")).await.expect(201).id()
    );
    let newer = admin.patch(&address, json!({ "name": "管理者の名" })).await.expect(200);
    for weak in ["\"v1\"", "W/\"v1\""] {
        let late = editor
            .patch_version(&address, json!({ "name": "遅い名" }), weak)
            .await
            .problem(412, "stale");
        assert_eq!(late["current"], newer.body);
        assert_eq!(late["changed_by"], format!("{} admin", NANBU.name));
        assert!(late["changed_at"].as_str() >= newer["updated_at"].as_str());
        assert_eq!(late.etag(), newer.etag());
    }
    let late = editor
        .send(Method::DELETE, &address, None, &[("if-match", "\"v1\"")])
        .await;
    late.problem(412, "stale");
    editor
        .patch_version(&address, json!({ "name": "新しい名" }), newer.etag())
        .await
        .expect(200);
}

#[tokio::test]
async fn of_writers_at_once_one_wins_and_the_others_learn_it() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!(
        "/platforms/{}",
        editor.post("/platforms", platform("零")).await.expect(201).id()
    );
    for round in 1..=3 {
        let etag = format!("\"v{round}\"");
        let writers = (0..8).map(|n| editor.patch_version(&address, json!({ "position": round * 10 + n + 1 }), &etag));
        let mut replies = join_all(writers.collect::<Vec<_>>()).await;
        replies.sort_by_key(|r| r.status);
        let winner = replies.remove(0).expect(200);
        for late in replies {
            assert_eq!(late.problem(412, "stale")["current"]["position"], winner["position"]);
        }
    }
    assert_eq!(editor.get(&address).await.expect(200)["version"], 4);
}

#[tokio::test]
async fn an_absent_member_stays_and_null_clears() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut body = platform("一");
    body["kana"] = json!("いち");
    body["summary"] = json!("概要");
    body["districts"] = json!(["東", "西"]);
    body["position"] = json!(7);
    let address = format!("/platforms/{}", editor.post("/platforms", body).await.expect(201).id());
    let patch = json!({ "kana": null, "position": null, "selection_notes": { "state": "none" } });
    let changed = editor.patch(&address, patch).await.expect(200);
    assert_eq!(changed["kana"], Value::Null);
    assert_eq!(changed["position"], 0);
    assert_eq!(
        (&changed["summary"], &changed["districts"]),
        (&json!("概要"), &json!(["東", "西"]))
    );
    assert_eq!(changed["selection_notes"], json!({ "state": "none", "items": [] }));
    editor
        .patch(&address, json!({ "name": null }))
        .await
        .wrong_field("/name", "missing");
    editor.patch(&address, json!([])).await.wrong_field("", "wrong_type");
    editor
        .patch(&address, json!({ "version": 9 }))
        .await
        .wrong_field("/version", "unknown_field");
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_version() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let created = editor.post("/platforms", platform("一")).await.expect(201);
    let address = format!("/platforms/{}", created.id());
    for body in [json!({}), json!({ "name": "一" }), json!({ "kana": null })] {
        let same = editor.patch(&address, body).await.expect(200);
        assert_eq!(same.body, created.body);
    }
    let known = editor
        .send(Method::GET, &address, None, &[("if-none-match", "\"v1\"")])
        .await
        .expect(304);
    assert!(known.text.is_empty());
    let changed = editor
        .send(Method::GET, &address, None, &[("if-none-match", "\"v0\"")])
        .await;
    changed.expect(200);
}

#[tokio::test]
async fn an_unknown_field_is_not_cleared() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!("/platforms/{}", editor.create("/platforms", platform("一")).await);
    for name in ["nickname", "owner_org_id", "version"] {
        let reply = editor.patch(&address, json!({ name: null })).await;
        reply.wrong_field(&format!("/{name}"), "unknown_field");
    }
}
