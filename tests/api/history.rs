//! What was, and who changed it.

use crate::app::{NANBU, TestApp};
use crate::platforms::platform;
use reqwest::Method;
use serde_json::json;

/// A moment between the last change and the next one.
pub async fn now(app: &TestApp) -> String {
    let moment = app
        .texts(
            "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
            &[],
        )
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    moment[0].clone()
}

#[tokio::test]
async fn a_record_is_read_as_it_was() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let before = now(&app).await;
    let created = editor.post("/platforms", platform("旧名")).await.expect(201);
    let address = format!("/platforms/{}", created.id());
    let between = now(&app).await;
    editor.patch(&address, json!({ "name": "新名" })).await.expect(200);
    let after = now(&app).await;
    editor.delete(&address).await.expect(204);

    editor
        .get(&format!("{address}?as_of={before}"))
        .await
        .problem(404, "not_found");
    assert_eq!(
        editor.get(&format!("{address}?as_of={between}")).await.expect(200).body,
        created.body
    );
    assert_eq!(
        editor.get(&format!("{address}?as_of={after}")).await.expect(200)["name"],
        "新名"
    );
    editor.get(&address).await.problem(404, "not_found");
    for (moment, names) in [(&before, vec![]), (&between, vec!["旧名"]), (&after, vec!["新名"])] {
        let list = editor.get(&format!("/platforms?as_of={moment}")).await.expect(200);
        assert_eq!(list.items("name"), names);
    }
    // With the rights of today.
    app.foreign_editor()
        .await
        .get(&format!("{address}?as_of={after}"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_date_means_its_end_in_japan() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    editor.post("/platforms", platform("今日")).await.expect(201);
    let japan = chrono::FixedOffset::east_opt(9 * 3600).expect("nine hours");
    let today = chrono::Utc::now().with_timezone(&japan).date_naive();
    let count = async |day: chrono::NaiveDate| {
        editor
            .get(&format!("/platforms?as_of={day}"))
            .await
            .expect(200)
            .items("id")
            .len()
    };
    assert_eq!(count(today).await, 1);
    assert_eq!(count(today - chrono::Days::new(1)).await, 0);
    for bad in ["2025-02-30", "yesterday", "2025-03-31T09:00:00", "", "%FF"] {
        editor
            .get(&format!("/platforms?as_of={bad}"))
            .await
            .problem(400, "bad_as_of");
    }
    // Every date that the schema allows is one: long ago there was nothing, and in the far future what is now.
    for day in ["0000-01-01", "9999-12-31"] {
        editor.get(&format!("/platforms?as_of={day}")).await.expect(200);
    }
    let body = Some(platform("過去"));
    let reply = editor
        .send(Method::POST, &format!("/platforms?as_of={today}"), body, &[])
        .await;
    reply.problem(400, "as_of_read_only");
}

#[tokio::test]
async fn every_change_is_kept_with_who_when_and_why() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.post("/platforms", platform("一")).await.expect(201).id();
    let address = format!("/platforms/{id}");
    // "改称" in UTF-8, percent-encoded: headers are ASCII.
    let headers = [("if-match", "\"v1\""), ("change-reason", "%E6%94%B9%E7%A7%B0")];
    editor
        .send(Method::PATCH, &address, Some(json!({ "name": "二" })), &headers)
        .await
        .expect(200);
    let headers = [("if-match", "\"v2\"")];
    app.admin()
        .await
        .send(Method::DELETE, &address, None, &headers)
        .await
        .expect(204);

    let history = app
        .texts(
            "select concat_ws(' ', version, op, row ->> 'name', actor_name, coalesce(reason, '-'), actor_org_id = stream_id,
               request_id is not null, at > now() - interval '1 minute')
             from record_history where record_id = $1::text::uuid order by version",
            &[&id.to_string()],
        )
        .await;
    let (editor, admin) = (format!("{} editor", NANBU.name), format!("{} admin", NANBU.name));
    assert_eq!(
        history,
        [
            format!("1 I 一 {editor} - t t t"),
            format!("2 U 二 {editor} 改称 t t t"),
            format!("3 D 二 {admin} - t t t"),
        ]
    );
}

#[tokio::test]
async fn a_reason_is_readable_or_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for bad in ["%FF", "%00"] {
        let reply = editor
            .send(
                Method::POST,
                "/platforms",
                Some(platform("一")),
                &[("change-reason", bad)],
            )
            .await;
        reply.problem(400, "bad_header");
    }
}
