//! Organisations and municipalities.

use crate::app::{COUNCIL, NANBU, PREFECTURE, TestApp};
use serde_json::json;

#[tokio::test]
async fn municipalities_are_told_apart_by_their_codes() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let towns = anonymous
        .get("/municipalities?search=%E5%8D%97%E9%83%A8%E7%94%BA")
        .await
        .expect(200);
    assert_eq!(towns.items("code"), ["024457", "193666", "313891"]);
    let nanbu = anonymous.get("/municipalities?search=313891").await.expect(200);
    assert_eq!(nanbu.items("prefecture_name"), ["鳥取県"]);
    let page = anonymous
        .get("/municipalities?prefecture_code=310000&limit=3")
        .await
        .expect(200);
    assert_eq!(page.items("code")[..2], [json!("310000"), json!("312011")]);
    let next = anonymous
        .get(&format!(
            "/municipalities?prefecture_code=310000&limit=200&after={}",
            page["next"].as_str().expect("more")
        ))
        .await
        .expect(200);
    assert_eq!(next.items("code").len() + 3, 20);
}

#[tokio::test]
async fn an_editor_keeps_the_organisations_she_works_with() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = json!({
        "kind": "npo", "name": "NPO法人 なんぶ里山デザイン機構", "kana": "なんぶさとやまでざいんきこう",
        "municipality_code": "313891", "phone": "0859-00-0000", "url": "https://example.jp/", "aliases": ["里山デザイン"]
    });
    let created = editor.post("/organizations", body).await.expect(201);
    assert_eq!(created["owner_org_id"], json!(NANBU.id));
    let address = format!("/organizations/{}", created.id());
    assert_eq!(app.anonymous().get(&address).await.expect(200)["name"], created["name"]);
    editor
        .patch(&address, json!({ "kind": "company", "valid_to": "2025-03-31" }))
        .await
        .expect(200);
    app.foreign_editor()
        .await
        .patch(&address, json!({ "name": "市の名" }))
        .await
        .problem(403, "forbidden");
    editor.delete(&address).await.expect(204);
}

#[tokio::test]
async fn departments_form_a_tree() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let department = |name: &str, parent| json!({ "kind": "department", "name": name, "parent_id": parent });
    let division = editor
        .post("/organizations", department("福祉部", NANBU.id))
        .await
        .expect(201)
        .id();
    let section = editor
        .post("/organizations", department("福祉課", division))
        .await
        .expect(201)
        .id();
    let address = format!("/organizations/{division}");
    for parent in [section, division] {
        editor
            .patch(&address, json!({ "parent_id": parent }))
            .await
            .problem(409, "organizations_no_cycle");
    }
    editor
        .delete(&address)
        .await
        .problem(409, "organizations_parent_id_fkey");
    let found = editor
        .get(&format!("/organizations?parent_id={division}"))
        .await
        .expect(200);
    assert_eq!(found.items("id"), [json!(section)]);
}

#[tokio::test]
async fn what_an_organisation_sees_is_not_its_own_to_change() {
    let app = TestApp::new().await;
    let own = format!("/organizations/{}", NANBU.id);
    for patch in [
        json!({ "kind": "prefecture" }),
        json!({ "kind": "operator" }),
        json!({ "prefecture_code": "280003" }),
        json!({ "municipality_code": "312011" }),
    ] {
        app.admin()
            .await
            .patch(&own, patch.clone())
            .await
            .problem(409, "organizations_standing");
    }
    app.admin()
        .await
        .patch(&own, json!({ "phone": "0859-00-0001" }))
        .await
        .expect(200);
    app.operator()
        .await
        .patch(&own, json!({ "municipality_code": "313891", "kana": "なんぶちょう" }))
        .await
        .expect(200);
    let council = format!("/organizations/{}", COUNCIL.id);
    app.council()
        .await
        .patch(&council, json!({ "kind": "municipality" }))
        .await
        .problem(409, "organizations_standing");
}

#[tokio::test]
async fn the_operator_founds_organisations() {
    let app = TestApp::new().await;
    let operator = app.operator().await;
    let body =
        json!({ "kind": "municipality", "name": "大山町", "municipality_code": "313866", "prefecture_code": "310000" });
    let town = operator.post("/organizations", body).await.expect(201);
    assert_eq!(town["owner_org_id"], town["id"]);
    // Contents stay closed to the operator.
    app.insert("platforms", NANBU, &json!({ "kind": "other", "name": "案" }))
        .await;
    assert!(operator.get("/platforms").await.expect(200).items("id").is_empty());
    let prefecture = format!("/organizations/{}", PREFECTURE.id);
    app.editor().await.delete(&prefecture).await.problem(403, "forbidden");
}
