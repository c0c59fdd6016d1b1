//! Ids of other systems.

use crate::app::{COUNCIL, Caller, NANBU, TOTTORI_CITY, TestApp, with};
use crate::kpis::kpi;
use crate::plans::plan;
use crate::platforms::platform;
use crate::projects::project;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

fn external_id(entity: &str, record: Uuid, source: &str, id: &str) -> Value {
    json!({ "entity": entity, "record_id": record, "source": source, "external_id": id })
}

#[tokio::test]
async fn an_id_of_a_system_stands_for_one_record_and_a_record_has_one_there() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let one = editor.create("/platforms", platform("一")).await;
    let two = editor.create("/platforms", platform("二")).await;
    let project_id = editor.create("/projects", project("交流会")).await;
    let hidden = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let first = external_id("platforms", one, "kintone", "K-0017");
    let created = editor.post("/external-ids", first.clone()).await.expect(201);
    assert_eq!(created["owner_org_id"], json!(NANBU.id));
    for (body, code) in [
        (first.clone(), "external_ids_key"),
        (external_id("platforms", two, "kintone", "K-0017"), "external_ids_key"),
        (
            external_id("platforms", one, "kintone", "K-0018"),
            "external_ids_record_key",
        ),
        (
            external_id("platforms", Uuid::now_v7(), "kintone", "K-0019"),
            "external_ids_record_id_fkey",
        ),
        (
            external_id("platforms", hidden, "kintone", "K-0019"),
            "external_ids_record_id_fkey",
        ),
        (
            external_id("projects", one, "kintone", "K-0019"),
            "external_ids_record_id_fkey",
        ),
    ] {
        editor.refused("/external-ids", body, 409, code).await;
    }
    // Another system, another kind of record, and codes that only look alike are other ids.
    for body in [
        external_id("platforms", one, "会計", "K-0017"),
        external_id("projects", project_id, "kintone", "K-0017"),
        external_id("platforms", two, "kintone", "017"),
    ] {
        editor.create("/external-ids", body).await;
    }
    for (more, path, code) in [
        (json!({ "entity": "sessions" }), "/entity", "unknown_choice"),
        (json!({ "external_id": " " }), "/external_id", "blank"),
        (json!({ "source": "" }), "/source", "blank"),
    ] {
        editor
            .post("/external-ids", with(first.clone(), more))
            .await
            .wrong_field(path, code);
    }
    let address = format!("/external-ids/{}", created.id());
    let headers = [("if-match", "*")];
    editor
        .send(
            Method::PATCH,
            &address,
            Some(json!({ "external_id": "K-0020" })),
            &headers,
        )
        .await
        .problem(405, "method_not_allowed");
    for (query, ids) in [
        (String::new(), vec!["K-0017", "K-0017", "K-0017", "017"]),
        ("source=kintone".to_owned(), vec!["K-0017", "K-0017", "017"]),
        (
            "source=kintone&external_id=K-0017&entity=platforms".to_owned(),
            vec!["K-0017"],
        ),
        ("external_id=17".to_owned(), vec![]),
        (format!("record_id={one}"), vec!["K-0017", "K-0017"]),
        ("entity=projects".to_owned(), vec!["K-0017"]),
    ] {
        assert_eq!(
            editor.list(&format!("/external-ids?{query}"), "external_id").await,
            ids,
            "{query}"
        );
    }
    editor.delete(&address).await.expect(204);
    editor
        .create("/external-ids", external_id("platforms", two, "記録システム", "K-0017"))
        .await;
    editor
        .create("/external-ids", external_id("platforms", one, "kintone", "K-0017"))
        .await;
}

#[tokio::test]
async fn ids_are_seen_by_the_organisation_whose_system_knows_the_record() {
    let app = TestApp::new().await;
    let (editor, client) = (app.editor().await, app.client().await);
    let shared = json!({ "visibility": "public", "status": "published" });
    let record = app
        .insert("platforms", NANBU, &with(platform("南部町PF"), shared))
        .await;
    let body = external_id("platforms", record, "kintone", "K-0017");
    let theirs = client.post("/external-ids", body.clone()).await.expect(201);
    assert_eq!(theirs["owner_org_id"], json!(COUNCIL.id));
    // The town's own id of the same name is another one.
    let own = editor.create("/external-ids", body).await;
    let address = format!("/external-ids/{}", theirs.id());
    editor.get(&address).await.problem(404, "not_found");
    app.council().await.get(&address).await.expect(200);
    for (who, ids) in [
        ("editor", vec![json!(own)]),
        ("council", vec![theirs["id"].clone()]),
        ("city", vec![]),
        ("pref-admin", vec![]),
    ] {
        assert_eq!(app.caller(who).await.list("/external-ids", "id").await, ids, "{who}");
    }
    app.anonymous()
        .get("/external-ids")
        .await
        .problem(401, "unauthenticated");
    app.viewer()
        .await
        .refused(
            "/external-ids",
            external_id("platforms", record, "他", "1"),
            403,
            "forbidden",
        )
        .await;
    // What was deleted keeps its ids: the other system can be told.
    let gone = editor.create("/platforms", platform("誤り")).await;
    editor
        .create("/external-ids", external_id("platforms", gone, "kintone", "K-0099"))
        .await;
    editor.delete(&format!("/platforms/{gone}")).await.expect(204);
    assert_eq!(
        editor
            .list(&format!("/external-ids?record_id={gone}"), "external_id")
            .await,
        ["K-0099"]
    );
}

#[tokio::test]
async fn a_record_is_created_read_replaced_and_deleted_by_the_other_systems_id() {
    let app = TestApp::new().await;
    let (system, staff, stranger) = (app.client().await, app.council().await, app.foreign_editor().await);
    let address = "/plans/external/kintone/K%2F2024-17";
    let put = async |caller: &Caller<'_>, title: &str, name: &'static str, value: &str| {
        let key = Uuid::now_v7().to_string();
        let headers = [(name, value), ("idempotency-key", key.as_str())];
        caller.send(Method::PUT, address, Some(plan(title)), &headers).await
    };
    system.get(address).await.problem(404, "not_found");
    put(&system, "計画", "if-match", "*").await.problem(404, "not_found");
    let made = put(&system, "計画", "if-none-match", "*").await.expect(201);
    let by_id = made
        .header("location")
        .expect("an address")
        .trim_start_matches("/api/v1")
        .to_owned();
    assert_eq!(
        (by_id.as_str(), made.etag()),
        (format!("/plans/{}", made.id()).as_str(), "\"v1\"")
    );
    assert_eq!(
        system.get(address).await.expect(200).body,
        system.get(&by_id).await.body
    );
    let known = [("if-none-match", "\"v1\"")];
    system.send(Method::GET, address, None, &known).await.expect(304);
    // Twice is not created twice, and what somebody else has changed is not overwritten.
    let twice = put(&system, "計画", "if-none-match", "*").await.problem(412, "stale");
    assert_eq!(twice["current"]["id"], made["id"]);
    staff
        .patch(&by_id, json!({ "subtitle": "職員の副題" }))
        .await
        .expect(200);
    let stale = put(&system, "改めた計画", "if-match", "\"v1\"")
        .await
        .problem(412, "stale");
    assert_eq!(
        (stale.etag(), &stale["current"]["subtitle"]),
        ("\"v2\"", &json!("職員の副題"))
    );
    let same = put(&system, "計画", "if-match", "\"v1\"").await;
    assert_eq!(same.status, 412, "even if it would change nothing");
    let replaced = put(&system, "改めた計画", "if-match", "\"v2\"").await.expect(200);
    assert_eq!(
        (&replaced["title"], &replaced["version"]),
        (&json!("改めた計画"), &json!(3))
    );
    put(&system, "計画", "if-match", "3").await.problem(400, "bad_if_match");
    // The id is the council's own: to others it is nothing.
    stranger.get(address).await.problem(404, "not_found");
    app.anonymous().get(address).await.problem(401, "unauthenticated");
    let bare = [("idempotency-key", "bare")];
    system
        .send(Method::PUT, address, Some(plan("x")), &bare)
        .await
        .problem(428, "precondition_required");
    system
        .send(Method::DELETE, address, None, &bare)
        .await
        .problem(428, "precondition_required");
    system.delete(address).await.expect(204);
    system.get(address).await.problem(404, "not_found");
    system.get(&by_id).await.problem(404, "not_found");
    system.delete(address).await.problem(404, "not_found");
}

#[tokio::test]
async fn an_address_takes_what_its_kind_takes_and_nothing_else() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let put = async |address: &str, body: Value| {
        editor
            .send(Method::PUT, address, Some(body), &[("if-none-match", "*")])
            .await
    };
    put("/plans/external/kintone/P", plan("計画")).await.expect(201);
    let goal = json!({ "plan_id": { "source": "kintone", "external_id": "P" }, "kind": "measure", "title": "施策" });
    let made = put("/goals/external/kintone/G", goal.clone()).await.expect(201);
    assert_eq!(made["plan_id"], editor.get("/plans/external/kintone/P").await["id"]);
    let wrong = put("/goals/external/kintone/G2", json!({ "title": "施策" }))
        .await
        .problem(409, "missing");
    assert_eq!(wrong["errors"][0]["path"], "/plan_id");
    put("/goals/external/kintone/G2", json!([1]))
        .await
        .problem(422, "invalid");
    put("/users/external/kintone/U", json!({}))
        .await
        .problem(404, "not_found");
    put("/plan_actors/external/kintone/A", json!({}))
        .await
        .problem(404, "not_found");
    put("/goals/external/%20/G2", goal).await.problem(404, "not_found");
    // A value is corrected by another one, never deleted.
    put("/kpis/external/kintone/K", kpi("相談")).await.expect(201);
    let id = editor.get("/kpis/external/kintone/K").await["id"].clone();
    let value = |number: &str| {
        json!({ "series_id": id, "period_kind": "fiscal_year", "period_start": "2024-04-01",
        "period_end": "2025-03-31", "number": number, "reason": "訂正" })
    };
    let address = "/kpi-observations/external/kintone/O";
    let first = put(address, value("8")).await.expect(201);
    let headers = [("if-match", first.etag())];
    let second = editor
        .send(Method::PUT, address, Some(value("9")), &headers)
        .await
        .expect(200);
    assert_eq!(
        (&second["supersedes_id"], &second["revision"]),
        (&first["id"], &json!(2))
    );
    editor.delete(address).await.problem(409, "append_only");
}
