//! A retry has the effect of one request.

use crate::app::{Caller, Reply, TestApp};
use crate::platforms::platform;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

async fn post(caller: &Caller<'_>, key: &str, body: Value) -> Reply {
    caller
        .send(Method::POST, "/platforms", Some(body), &[("idempotency-key", key)])
        .await
}

async fn platforms(app: &TestApp) -> String {
    app.texts("select count(*)::text from platforms", &[]).await.remove(0)
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let first = post(&editor, "key", platform("一")).await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let second = post(&editor, "key", platform("一")).await.expect(201);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (second.text.as_str(), second.etag()),
        (first.text.as_str(), first.etag())
    );
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(platforms(&app).await, "1");

    // Also after the record is gone: a retry of the deletion is no failure.
    let address = format!("/platforms/{}", first.id());
    for _ in 0..2 {
        let headers = [("if-match", "\"v1\""), ("idempotency-key", "deletion")];
        editor.send(Method::DELETE, &address, None, &headers).await.expect(204);
    }
    post(&editor, "key", platform("一")).await.expect(201);
    assert_eq!(platforms(&app).await, "0");
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_caller() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let first = post(&editor, "key", platform("一")).await.expect(201);
    post(&editor, "key", platform("二"))
        .await
        .problem(422, "idempotency_key_reused");
    let other = editor
        .send(
            Method::POST,
            "/platform-years",
            Some(platform("一")),
            &[("idempotency-key", "key")],
        )
        .await;
    other.problem(422, "idempotency_key_reused");
    let admins = post(&app.admin().await, "key", platform("一")).await.expect(201);
    assert_ne!(first.id(), admins.id());
}

#[tokio::test]
async fn twins_at_the_same_time_have_one_effect() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let twins = join_all((0..6).map(|_| post(&editor, "key", platform("一"))).collect::<Vec<_>>()).await;
    let mut ids = Vec::new();
    for twin in twins {
        if twin.status == 201 {
            ids.push(twin.id());
        } else {
            twin.problem(409, "idempotency_in_progress");
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(platforms(&app).await, "1");
    assert_eq!(post(&editor, "key", platform("一")).await.expect(201).id(), ids[0]);
}

#[tokio::test]
async fn a_failure_leaves_no_key_behind() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    post(&editor, "key", json!({ "kind": "other", "name": "" }))
        .await
        .wrong_field("/name", "blank");
    post(&editor, "key", platform("一")).await.expect(201);
    post(&app.viewer().await, "key", platform("一"))
        .await
        .problem(403, "forbidden");
    assert_eq!(app.texts("select key from idempotency_keys", &[]).await, ["key"]);
}

#[tokio::test]
async fn a_system_needs_a_key() {
    let app = TestApp::new().await;
    let client = app.client().await;
    let reply = client.send(Method::POST, "/platforms", Some(platform("一")), &[]).await;
    reply.problem(400, "idempotency_key_required");
    client.post("/platforms", platform("一")).await.expect(201);
    let long = "k".repeat(256);
    post(&client, &long, platform("一")).await.problem(400, "bad_header");
    post(&client, "", platform("一")).await.problem(400, "bad_header");
}
