//! Ids of other systems.

use crate::app::{COUNCIL, NANBU, TOTTORI_CITY, TestApp, with};
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
        (json!({ "entity": "sessions" }), "/entity", "wrong_type"),
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
