//! Many writes in one request.

use crate::app::{Caller, Reply, TestApp, with};
use crate::kpis::kpi;
use crate::plans::plan;
use crate::platforms::platform;
use serde_json::{Value, json};
use uuid::Uuid;

fn upsert(entity: &str, external_id: &str, record: Value) -> Value {
    json!({ "entity": entity, "source": "kintone", "external_id": external_id, "record": record })
}

fn named(external_id: &str) -> Value {
    json!({ "source": "kintone", "external_id": external_id })
}

async fn batch(caller: &Caller<'_>, mode: &str, items: Vec<Value>) -> Reply {
    caller.post("/batch", json!({ "mode": mode, "items": items })).await
}

fn outcomes(reply: &Reply) -> Vec<String> {
    let items = reply["items"].as_array().expect("results");
    items
        .iter()
        .map(|i| i["outcome"].as_str().expect("an outcome").to_owned())
        .collect()
}

fn code(reply: &Reply, index: usize) -> String {
    reply["items"][index]["problem"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// A plan with a column, two goals one below the other, and an entry, all by the ids of another system.
fn sheet() -> Vec<Value> {
    vec![
        upsert("plans", "P", plan("計画")),
        upsert(
            "plan_actors",
            "A",
            json!({ "plan_id": named("P"), "kind": "government", "label": "行政" }),
        ),
        upsert(
            "goals",
            "G",
            json!({ "plan_id": named("P"), "kind": "basic_goal", "title": "基本目標" }),
        ),
        upsert(
            "goals",
            "M",
            json!({ "plan_id": named("P"), "parent_id": named("G"), "kind": "measure", "title": "施策" }),
        ),
        upsert(
            "roadmap_items",
            "I",
            json!({ "goal_id": named("M"), "actor_id": named("A"), "fiscal_year": 2024, "kind": "planned", "text": "研修" }),
        ),
    ]
}

#[tokio::test]
async fn what_depends_on_each_other_is_written_in_one_request_and_again_is_unchanged() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let first = batch(&editor, "atomic", sheet()).await.expect(200);
    assert_eq!(outcomes(&first), ["created"; 5], "{}", first.text);
    assert_eq!(
        (&first["committed"], &first["counts"]["created"]),
        (&json!(true), &json!(5))
    );
    let item = editor
        .get(&format!(
            "/roadmap-items/{}",
            first["items"][4]["id"].as_str().expect("an id")
        ))
        .await
        .expect(200);
    assert_eq!(
        (&item["goal_id"], &item["actor_id"]),
        (&first["items"][3]["id"], &first["items"][1]["id"])
    );
    let before = app.versions().await;
    let again = batch(&editor, "atomic", sheet()).await.expect(200);
    assert_eq!(outcomes(&again), ["unchanged"; 5], "{}", again.text);
    assert_eq!(app.versions().await, before, "no version and nothing for the feed");
    let mut changed = sheet();
    changed[4]["record"]["text"] = json!("研修を二回");
    let changed = batch(&editor, "per_row", changed).await.expect(200);
    assert_eq!(
        outcomes(&changed),
        ["unchanged", "unchanged", "unchanged", "unchanged", "updated"]
    );
    assert_eq!(changed["items"][4]["version"], json!(2));
}

#[tokio::test]
async fn a_dry_run_says_what_the_real_run_does_and_leaves_no_trace() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut items = sheet();
    items.push(upsert(
        "goals",
        "bad",
        json!({ "plan_id": named("nowhere"), "kind": "measure", "title": "x" }),
    ));
    let before = app.versions().await;
    let body = |dry_run: bool| json!({ "mode": "per_row", "dry_run": dry_run, "items": items });
    let dry = editor.post("/batch", body(true)).await.expect(200);
    assert_eq!((app.versions().await, &dry["committed"]), (before, &json!(false)));
    let real = editor.post("/batch", body(false)).await.expect(200);
    assert_eq!(outcomes(&dry), outcomes(&real));
    assert_eq!(
        (code(&dry, 5), code(&real, 5)),
        ("unknown_external_id".into(), "unknown_external_id".into())
    );
    assert_eq!(real["committed"], json!(true));
}

#[tokio::test]
async fn an_atomic_batch_with_one_bad_row_writes_nothing_and_a_batch_by_row_writes_the_others() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let items = vec![
        json!({ "entity": "platforms", "record": platform("一") }),
        json!({ "entity": "platforms", "record": with(platform("二"), json!({ "name": " " })) }),
        json!({ "entity": "platforms", "record": with(platform("三"), json!({ "parent_id": Uuid::now_v7() })) }),
        json!({ "entity": "platforms", "record": platform("四") }),
    ];
    let before = app.versions().await;
    let reply = batch(&editor, "atomic", items.clone()).await.expect(200);
    assert_eq!(reply["committed"], json!(false));
    assert_eq!(outcomes(&reply), ["created", "error", "error", "created"]);
    assert_eq!(app.versions().await, before);
    let reply = batch(&editor, "per_row", items).await.expect(200);
    assert_eq!(outcomes(&reply), ["created", "error", "error", "created"]);
    assert_eq!(reply["items"][1]["problem"]["errors"][0]["path"], json!("/name"));
    assert_eq!(code(&reply, 2), "platforms_parent_id_fkey");
    let there = editor.get("/platforms").await.expect(200).items("name");
    assert_eq!(there, [json!("一"), json!("四")]);
}

#[tokio::test]
async fn what_somebody_else_has_changed_is_a_conflict_with_all_three_texts() {
    let app = TestApp::new().await;
    let (system, staff) = (app.client().await, app.council().await);
    let made = batch(&system, "atomic", vec![upsert("plans", "P", plan("計画"))])
        .await
        .expect(200);
    let id = made["items"][0]["id"].as_str().expect("an id").to_owned();
    // The system's own second writing is none.
    let own = batch(&system, "atomic", vec![upsert("plans", "P", plan("改めた計画"))])
        .await
        .expect(200);
    assert_eq!(outcomes(&own), ["updated"]);
    staff
        .patch(&format!("/plans/{id}"), json!({ "subtitle": "職員の副題" }))
        .await
        .expect(200);
    let reply = batch(&system, "per_row", vec![upsert("plans", "P", plan("また改めた計画"))])
        .await
        .expect(200);
    assert_eq!(
        (outcomes(&reply), code(&reply, 0)),
        (vec!["conflict".to_owned()], "changed_by_others".into())
    );
    let result = &reply["items"][0];
    assert_eq!(result["base"]["title"], "改めた計画");
    assert_eq!(result["problem"]["current"]["subtitle"], "職員の副題");
    assert!(result["problem"]["changed_by"].is_string());
    assert_eq!(staff.get(&format!("/plans/{id}")).await["title"], "改めた計画");
    // With the version it has read, it says that it knows.
    let settled = with(plan("また改めた計画"), json!({ "subtitle": "職員の副題" }));
    let mut item = upsert("plans", "P", settled);
    item["if_version"] = json!(2);
    assert_eq!(
        outcomes(&batch(&system, "per_row", vec![item.clone()]).await),
        ["conflict"]
    );
    item["if_version"] = json!(3);
    assert_eq!(outcomes(&batch(&system, "per_row", vec![item]).await), ["updated"]);
}

#[tokio::test]
async fn a_value_that_is_sent_again_otherwise_is_a_revision() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let value = |number: &str, reason: Option<&str>| {
        let record = json!({ "series_id": { "source": "kintone", "external_id": "K", "entity": "kpis" }, "period_kind": "fiscal_year",
            "period_start": "2024-04-01", "period_end": "2025-03-31", "number": number, "reason": reason });
        upsert("kpi_observations", "O", record)
    };
    let first = batch(
        &editor,
        "atomic",
        vec![upsert("kpis", "K", kpi("相談")), value("8.0", None)],
    )
    .await
    .expect(200);
    assert_eq!(outcomes(&first), ["created", "created"], "{}", first.text);
    assert_eq!(
        outcomes(&batch(&editor, "atomic", vec![value("8.0", None)]).await),
        ["unchanged"]
    );
    let blank = batch(&editor, "atomic", vec![value("9.0", None)]).await.expect(200);
    assert_eq!(code(&blank, 0), "kpi_observations_reason");
    let second = batch(&editor, "atomic", vec![value("9.0", Some("集計の訂正"))])
        .await
        .expect(200);
    assert_eq!(outcomes(&second), ["updated"], "{}", second.text);
    let revision = editor
        .get(&format!(
            "/kpi-observations/{}",
            second["items"][0]["id"].as_str().expect("an id")
        ))
        .await
        .expect(200);
    assert_eq!(
        (&revision["revision"], &revision["supersedes_id"]),
        (&json!(2), &first["items"][1]["id"])
    );
    assert_eq!(
        outcomes(&batch(&editor, "atomic", vec![value("9.0", None)]).await),
        ["unchanged"]
    );
}

#[tokio::test]
async fn deletions_are_named_and_a_second_one_changes_nothing() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    batch(&editor, "atomic", sheet()).await.expect(200);
    let delete = |entity: &str, id: &str| json!({ "entity": entity, "operation": "delete", "source": "kintone", "external_id": id });
    let reply = batch(
        &editor,
        "per_row",
        vec![delete("goals", "G"), delete("roadmap_items", "I")],
    )
    .await
    .expect(200);
    assert_eq!(outcomes(&reply), ["error", "deleted"], "{}", reply.text);
    assert_eq!(code(&reply, 0), "goals_parent_id_fkey");
    let again = batch(&editor, "per_row", vec![delete("roadmap_items", "I")])
        .await
        .expect(200);
    assert_eq!(outcomes(&again), ["unchanged"]);
    // A value is never deleted, only corrected.
    let value = json!({ "series_id": { "source": "kintone", "external_id": "K", "entity": "kpis" }, "period_kind": "fiscal_year",
        "period_start": "2024-04-01", "period_end": "2025-03-31", "number": "8" });
    let made = batch(
        &editor,
        "atomic",
        vec![upsert("kpis", "K", kpi("相談")), upsert("kpi_observations", "O", value)],
    )
    .await;
    assert_eq!(outcomes(&made), ["created", "created"], "{}", made.text);
    let reply = batch(&editor, "per_row", vec![delete("kpi_observations", "O")])
        .await
        .expect(200);
    assert_eq!(code(&reply, 0), "append_only");
    // The id is free again.
    let anew = batch(&editor, "per_row", sheet()).await.expect(200);
    assert_eq!(outcomes(&anew)[4], "created");
}

#[tokio::test]
async fn a_batch_does_nothing_that_its_caller_may_not_do_one_by_one() {
    let app = TestApp::new().await;
    let (editor, viewer, stranger) = (app.editor().await, app.viewer().await, app.foreign_editor().await);
    let made = batch(&editor, "atomic", sheet()).await.expect(200);
    let before = app.versions().await;
    let id = made["items"][0]["id"].clone();
    let change = json!({ "entity": "plans", "id": id, "record": plan("よその計画") });
    for (caller, expected) in [(&viewer, "forbidden"), (&stranger, "not_found")] {
        let reply = batch(caller, "per_row", vec![change.clone()]).await.expect(200);
        assert_eq!(code(&reply, 0), expected);
    }
    let reply = batch(
        &viewer,
        "per_row",
        vec![json!({ "entity": "platforms", "record": platform("場") })],
    )
    .await
    .expect(200);
    assert_eq!(code(&reply, 0), "forbidden");
    // Ids of another system are each organisation's own: the stranger's "P" is nothing yet.
    let goal = upsert(
        "goals",
        "G",
        json!({ "plan_id": named("P"), "kind": "measure", "title": "x" }),
    );
    let reply = batch(&stranger, "per_row", vec![goal]).await.expect(200);
    assert_eq!(code(&reply, 0), "unknown_external_id");
    // Under somebody else's plan nothing can be made, by whatever name.
    let goal = json!({ "entity": "goals", "record": { "plan_id": id, "kind": "measure", "title": "x" } });
    let reply = batch(&stranger, "per_row", vec![goal]).await.expect(200);
    assert_eq!(outcomes(&reply), ["error"]);
    // The evaluation of the committee is an administrator's.
    let evaluation = json!({ "goal_id": made["items"][3]["id"], "fiscal_year": 2024, "stage": "final" });
    let reply = batch(
        &editor,
        "per_row",
        vec![json!({ "entity": "evaluations", "record": evaluation })],
    )
    .await
    .expect(200);
    assert_eq!(code(&reply, 0), "forbidden", "{}", reply.text);
    assert_eq!(app.versions().await, before);
    app.anonymous()
        .post("/batch", json!({ "items": [] }))
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn items_that_make_no_sense_are_told_so() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let items = vec![
        json!({ "entity": "users", "record": { "email": "x@example.jp", "name": "x" } }),
        json!({ "entity": "plans", "source": "kintone", "record": plan("x") }),
        json!({ "entity": "plans", "operation": "delete", "id": Uuid::now_v7(), "record": {} }),
        upsert("plans", "P", plan("一")),
        upsert("plans", "P", plan("二")),
        json!({ "entity": "plans", "operation": "delete", "id": Uuid::now_v7() }),
    ];
    let reply = batch(&editor, "per_row", items).await.expect(200);
    let twice = batch(
        &editor,
        "per_row",
        vec![
            upsert("plans", "P", plan("一の改め")),
            json!({ "entity": "plans", "id": reply["items"][3]["id"], "record": plan("二") }),
        ],
    )
    .await
    .expect(200);
    assert_eq!(
        (outcomes(&twice)[0].as_str(), code(&twice, 1).as_str()),
        ("updated", "twice_in_batch")
    );
    let codes: Vec<String> = (0..6).map(|index| code(&reply, index)).collect();
    assert_eq!(
        codes,
        [
            "not_in_batches",
            "one_way_to_name",
            "record_of_upserts",
            "",
            "twice_in_batch",
            "not_found"
        ]
    );
    let too_many = vec![json!({ "entity": "platforms", "record": platform("x") }); 1001];
    batch(&editor, "per_row", too_many).await.problem(422, "invalid");
    let large = "x".repeat(5 << 20);
    batch(
        &editor,
        "per_row",
        vec![json!({ "entity": "platforms", "record": { "name": large } })],
    )
    .await
    .problem(413, "too_large");
}

#[tokio::test]
async fn a_thousand_rows_are_written_at_once_and_a_retry_gets_the_first_answer() {
    let app = TestApp::new().await;
    let system = app.client().await;
    let rows = (0..1000).map(|n| {
        upsert(
            "organizations",
            &format!("O{n}"),
            json!({ "kind": "npo", "name": format!("団体{n}") }),
        )
    });
    let body = json!({ "items": rows.collect::<Vec<_>>() });
    let send = || {
        system.send(
            reqwest::Method::POST,
            "/batch",
            Some(body.clone()),
            &[("idempotency-key", "night-1")],
        )
    };
    let first = send().await.expect(200);
    assert_eq!(first["counts"]["created"], json!(1000), "{}", &first.text[..300]);
    let again = send().await.expect(200);
    assert_eq!(
        (again.text.as_str(), again.header("idempotency-replayed")),
        (first.text.as_str(), Some("true"))
    );
    let names: Vec<&Value> = body["items"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|i| &i["record"]["name"])
        .collect();
    let made: Vec<Value> = app
        .texts(
            "select name from organizations where kind = 'npo' and name like '団体%' order by id",
            &[],
        )
        .await
        .into_iter()
        .map(Value::from)
        .collect();
    assert!(made.iter().eq(names), "in the order of the request");
}

#[tokio::test]
async fn systems_that_push_the_same_rows_in_opposite_order_take_turns_and_nothing_is_missed() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let admin = app.admin().await;
    let ids: Vec<String> = (0..40).map(|n| format!("O-{n}")).collect();
    let rows = |name: String, backwards: bool| -> Vec<Value> {
        let row = |id: &String| {
            upsert(
                "organizations",
                id,
                json!({ "kind": "npo", "name": format!("{id} {name}") }),
            )
        };
        let rows = ids.iter().map(row);
        if backwards {
            rows.rev().collect()
        } else {
            rows.collect()
        }
    };
    // Both create the same at once: one does, the other finds it.
    let (a, b) = tokio::join!(
        batch(&editor, "per_row", rows("初".to_owned(), false)),
        batch(&admin, "per_row", rows("初".to_owned(), true)),
    );
    let mut seen: Vec<Value> = vec![a["counts"].clone(), b["counts"].clone()];
    seen.sort_by_key(|counts| counts["created"].as_u64());
    assert_eq!(seen[0]["unchanged"], 40, "{seen:?}");
    assert_eq!(seen[1]["created"], 40, "{seen:?}");
    let path = format!("/organizations/{}", a["items"][0]["id"].as_str().expect("an id"));
    let mut conflicts = 0;
    for round in 0..8 {
        let edit = async {
            for phone in 0..6 {
                let number = format!("0859-{round:02}-{phone:04}");
                // A batch can be faster: then he looks again, as he would anywhere.
                let reply = admin.patch(&path, json!({ "phone": number })).await;
                assert!([200, 412].contains(&reply.status), "{}", reply.said());
            }
        };
        let (a, b, ()) = tokio::join!(
            batch(&editor, "per_row", rows(format!("編{round}"), false)),
            batch(&admin, "per_row", rows(format!("管{round}"), true)),
            edit,
        );
        for reply in [a, b] {
            let reply = reply.expect(200);
            for item in reply["items"].as_array().expect("results") {
                assert_ne!(item["outcome"], "error", "{item}");
                if item["outcome"] == "conflict" {
                    conflicts += 1;
                    let current = &item["problem"]["current"];
                    assert_eq!(current["version"], item["version"], "{item}");
                    let base = &item["base"];
                    assert!(
                        base.is_null() || base["version"] != current["version"],
                        "somebody else's is newer: {item}"
                    );
                }
            }
        }
    }
    assert!(conflicts > 0, "they met");
}
