//! Platforms and their years, as the documents have them.

use crate::app::{NANBU, TestApp, with};
use crate::projects::project;
use serde_json::{Value, json};

pub fn platform(name: &str) -> Value {
    json!({ "kind": "partnership_platform", "name": name })
}

#[tokio::test]
async fn a_platform_crosses_prefectures_and_is_launched_twice() {
    let app = TestApp::new().await;
    let joint_body = app.joint_body().await;
    let body = json!({
        "kind": "partnership_platform",
        "name": "麒麟のまち孤独・孤立対策官民連携PF",
        "area_name": "麒麟のまち圏域",
        "municipality_codes": ["312011", "313025", "285862"],
        "launches": [
            { "state": "established", "fiscal_year": 2022, "printed": "令和4年度 ※広域は令和6年度" },
            { "state": "established", "scope": "広域", "fiscal_year": 2024 }
        ],
        "selection_notes": { "state": "entered", "items": [{ "marker": "●", "text": "既存のつながりを活かす" }] },
        "summary": "一行目\n二行目"
    });
    let created = joint_body.post("/platforms", body.clone()).await.expect(201);
    assert_eq!(created.etag(), "\"v1\"");
    let address = created.header("location").expect("an address").to_owned();
    let read = joint_body.get(&address).await.expect(200);
    assert_eq!(read.body, created.body);
    for (name, value) in body.as_object().expect("an object") {
        if name != "selection_notes" {
            assert_eq!(&read[name], value, "{name}");
        }
    }
    assert_eq!(read["selection_notes"]["items"][0]["text"], "既存のつながりを活かす");
    let found = joint_body.get("/platforms?municipality_code=285862").await.expect(200);
    assert_eq!(found.items("id"), [json!(created.id())]);
}

#[tokio::test]
async fn another_body_takes_the_place_of_a_regional_council() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform = editor.post("/platforms", platform("南部町PF")).await.expect(201);
    let council = json!({
        "kind": "regional_council", "name": "孤独・孤立対策地域協議会", "parent_id": platform.id(),
        "launches": [{ "state": "substituted", "substituted_by": "重層的支援会議", "printed": "未（代替あり）" }]
    });
    let council = editor.post("/platforms", council).await.expect(201);
    assert_eq!(council["launches"][0]["substituted_by"], "重層的支援会議");
    let below = editor
        .get(&format!("/platforms?parent_id={}", platform.id()))
        .await
        .expect(200);
    assert_eq!(below.items("id"), [json!(council.id())]);
    editor
        .delete(&format!("/platforms/{}", platform.id()))
        .await
        .problem(409, "platforms_parent_id_fkey");
}

#[tokio::test]
async fn a_platform_is_seen_by_those_it_was_opened_to() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let created = editor.post("/platforms", platform("南部町PF")).await.expect(201);
    let address = format!("/platforms/{}", created.id());
    let (city, prefecture, anonymous) = (app.foreign_editor().await, app.prefecture().await, app.anonymous());
    let seen = async |by_prefecture: u16, by_all: u16| {
        prefecture.get(&address).await.expect(by_prefecture);
        city.get(&address).await.expect(by_all);
        anonymous.get(&address).await.expect(by_all);
    };
    app.viewer().await.get(&address).await.expect(200);
    seen(404, 404).await;
    editor.transition(&address, "submitted", "").await.expect(200);
    seen(200, 404).await;
    prefecture
        .patch(&address, json!({ "name": "県の名" }))
        .await
        .problem(403, "forbidden");
    editor
        .transition(&address, "confirmed", "")
        .await
        .problem(403, "forbidden");
    admin
        .transition(&address, "published", "")
        .await
        .problem(409, "platforms_transition");
    admin.transition(&address, "confirmed", "").await.expect(200);
    admin.transition(&address, "published", "").await.expect(200);
    seen(200, 404).await;
    // What was confirmed is unlocked with a reason before it is changed or deleted.
    let wider = json!({ "visibility": "public" });
    admin
        .patch(&address, wider.clone())
        .await
        .problem(409, "platforms_locked");
    admin.delete(&address).await.problem(409, "platforms_locked");
    for status in ["confirmed", "draft"] {
        admin
            .transition(&address, status, "%E5%85%AC%E9%96%8B")
            .await
            .expect(200);
    }
    admin.patch(&address, wider).await.expect(200);
    for status in ["confirmed", "published"] {
        admin.transition(&address, status, "").await.expect(200);
    }
    seen(200, 200).await;
    city.patch(&address, json!({ "name": "市の名" }))
        .await
        .problem(403, "forbidden");
    anonymous
        .patch(&address, json!({ "name": "誰かの名" }))
        .await
        .problem(401, "unauthenticated");
    admin
        .transition(&address, "confirmed", "")
        .await
        .problem(409, "platforms_transition_reason");
    admin
        .transition(&address, "confirmed", "%E8%AA%A4%E3%82%8A")
        .await
        .expect(200);
    seen(200, 404).await;
}

#[tokio::test]
async fn a_prefecture_returns_what_was_submitted_to_it_and_changes_nothing_else() {
    let app = TestApp::new().await;
    let (editor, prefecture) = (app.editor().await, app.prefecture().await);
    let created = editor.post("/platforms", platform("南部町PF")).await.expect(201);
    let address = format!("/platforms/{}", created.id());
    editor.transition(&address, "submitted", "").await.expect(200);
    prefecture
        .transition(&address, "returned", "")
        .await
        .problem(409, "platforms_transition_reason");
    for status in ["confirmed", "draft"] {
        prefecture
            .transition(&address, status, "%E7%A2%BA%E8%AA%8D")
            .await
            .problem(403, "forbidden");
    }
    prefecture.delete(&address).await.problem(403, "forbidden");
    app.foreign_editor()
        .await
        .transition(&address, "returned", "%E7%A2%BA%E8%AA%8D")
        .await
        .problem(404, "not_found");
    let returned = prefecture
        .transition(&address, "returned", "%E7%A2%BA%E8%AA%8D")
        .await
        .expect(200);
    assert_eq!(returned["status"], "returned");
    // It still sees what it has returned, and returns nothing twice.
    prefecture.get(&address).await.expect(200);
    prefecture
        .transition(&address, "returned", "%E7%A2%BA%E8%AA%8D")
        .await
        .problem(403, "forbidden");
    editor.patch(&address, json!({ "name": "直した名" })).await.expect(200);
    editor.transition(&address, "submitted", "").await.expect(200);
    let history = editor
        .get(&format!("/history?entity=platforms&record_id={}", created.id()))
        .await
        .expect(200);
    let returned = &history["items"][2];
    assert_eq!(
        (&returned["reason"], &returned["record"]["status"]),
        (&json!("確認"), &json!("returned"))
    );
}

#[tokio::test]
async fn who_audits_or_operates_reads_only_what_is_published() {
    let app = TestApp::new().await;
    let (editor, admin, auditor) = (app.editor().await, app.admin().await, app.caller("auditor").await);
    let mut body = platform("南部町PF");
    body["visibility"] = json!("public");
    let created = editor.post("/platforms", body).await.expect(201);
    let address = format!("/platforms/{}", created.id());
    let history = format!("/history?entity=platforms&record_id={}", created.id());
    auditor.get(&address).await.problem(404, "not_found");
    assert!(auditor.get("/platforms").await.expect(200).items("id").is_empty());
    assert!(auditor.get(&history).await.expect(200).items("version").is_empty());
    assert!(!auditor.get("/users").await.expect(200).items("id").is_empty());
    for status in ["confirmed", "published"] {
        admin.transition(&address, status, "").await.expect(200);
    }
    auditor.get(&address).await.expect(200);
}

#[tokio::test]
async fn lists_come_in_the_declared_order_page_by_page() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for (name, position) in [("三", 3), ("一", 1), ("二の一", 2), ("二の二", 2), ("零", 0)] {
        let body = json!({ "kind": "other", "name": name, "position": position });
        editor.post("/platforms", body).await.expect(201);
    }
    let (mut names, mut next) = (Vec::new(), String::new());
    loop {
        let page = editor.get(&format!("/platforms?limit=2{next}")).await.expect(200);
        names.extend(page.items("name"));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(names, ["零", "一", "二の一", "二の二", "三"]);
    let searched = editor.get("/platforms?search=%E4%BA%8C").await.expect(200);
    assert_eq!(searched.items("name"), ["二の一", "二の二"]);
}

#[tokio::test]
async fn search_folds_width_and_case() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = json!({ "kind": "other", "name": "官民連携ＰＦ 100%_達成", "kana": "かんみん" });
    editor.post("/platforms", body).await.expect(201);
    for (search, found) in [
        ("pf", 1),
        ("PF", 1),
        ("%EF%BC%B0%EF%BC%A6", 1),
        ("100%25_", 1),
        ("10_%25", 0),
        ("%5C", 0),
    ] {
        let page = editor.get(&format!("/platforms?search={search}")).await.expect(200);
        assert_eq!(page.items("id").len(), found, "{search}");
    }
}

#[tokio::test]
async fn a_year_belongs_to_its_platform() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform_id = editor.post("/platforms", platform("南部町PF")).await.expect(201).id();
    let year = json!({
        "platform_id": platform_id, "fiscal_year": 2024,
        "goals_of_year": { "state": "entered", "items": [{ "label": "つながる", "text": "相談先を知る人を増やす" }] },
        "reactions": { "state": "none" },
        "breakthrough": { "theme": "支援者の発掘", "timeline": [{ "precision": "month", "start": "2024-06-01" }],
            "factors": [{ "issue": "担い手不足", "action": "出前講座", "change": "登録者が増えた" }] }
    });
    let created = editor.post("/platform-years", year.clone()).await.expect(201);
    assert_eq!(created["breakthrough"], year["breakthrough"]);
    assert_eq!(created["process_notes"]["state"], "not_entered");
    assert_eq!(created["owner_org_id"], json!(NANBU.id));
    editor
        .post("/platform-years", year)
        .await
        .problem(409, "platform_years_year_key");
}

#[tokio::test]
async fn nothing_is_put_into_a_platform_of_somebody_else() {
    let app = TestApp::new().await;
    let (editor, city) = (app.editor().await, app.foreign_editor().await);
    let published = json!({ "kind": "other", "name": "市のPF", "visibility": "public", "status": "published" });
    let foreign = app.insert("platforms", crate::app::TOTTORI_CITY, &published).await;
    let hidden = app
        .insert(
            "platforms",
            crate::app::TOTTORI_CITY,
            &json!({ "kind": "other", "name": "市の案" }),
        )
        .await;
    let own = editor.post("/platforms", platform("南部町PF")).await.expect(201).id();
    city.get(&format!("/platforms/{foreign}")).await.expect(200);

    let year = |platform| json!({ "platform_id": platform, "fiscal_year": 2024 });
    editor
        .post("/platform-years", year(foreign))
        .await
        .problem(403, "forbidden");
    editor
        .post("/platform-years", year(hidden))
        .await
        .problem(409, "platform_years_platform_id_fkey");
    let created = editor.post("/platform-years", year(own)).await.expect(201);
    let address = format!("/platform-years/{}", created.id());
    for target in [foreign, hidden] {
        editor
            .patch(&address, year(target))
            .await
            .problem(409, "platform_years_platform_id_fkey");
    }
    editor
        .patch(&format!("/platforms/{own}"), json!({ "parent_id": hidden }))
        .await
        .problem(409, "platforms_parent_id_fkey");
}

#[tokio::test]
async fn a_consultative_council_has_its_layer_and_is_not_named_after_its_district() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for (layer, name, districts) in [
        (1, "南部町協議体", json!([])),
        (2, "みのわの郷協議体", json!(["箕郷地区"])),
        (3, "三地区合同の会", json!(["東西町", "天津", "大国"])),
    ] {
        let body = json!({ "kind": "consultative_council", "name": name, "layer": layer, "districts": districts });
        let created = editor.post("/platforms", body.clone()).await.expect(201);
        for (field, value) in body.as_object().expect("fields") {
            assert_eq!(&created[field], value, "{field}");
        }
    }
    let below = json!({ "kind": "consultative_council", "name": "第4層", "layer": 4 });
    editor.post("/platforms", below).await.wrong_field("/layer", "range");
}

#[tokio::test]
async fn a_section_has_lines_or_says_why_it_has_none() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for state in ["not_entered", "none", "not_applicable"] {
        let section = json!({ "state": state, "items": [{ "text": "行" }] });
        let reply = editor
            .post("/projects", with(project("会"), json!({ "aims": section })))
            .await;
        assert_eq!(reply.status, 409, "{state}: {}", reply.text);
    }
}
