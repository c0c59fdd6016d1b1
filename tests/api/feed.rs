//! The streams under the feed: complete, in the order of commits, and enough to rebuild every table.

use crate::app::{NANBU, TOTTORI_CITY, TestApp};
use crate::platforms::platform;
use futures_util::future::join_all;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const GAPS: &str = "select stream_id::text from change_log group by stream_id
  having min(seq) <> 1 or max(seq) <> count(*) or max(seq) <> (select last_seq from change_stream s where s.stream_id = change_log.stream_id)";

#[tokio::test]
async fn streams_have_no_gaps_and_follow_the_commits_while_eight_write_and_fail() {
    let app = TestApp::new().await;
    let (town, city) = (app.editor().await, app.foreign_editor().await);
    let done = AtomicBool::new(false);
    let writers = (0..8usize).map(|n| {
        let caller = if n % 2 == 0 { &town } else { &city };
        async move {
            for round in 0..8usize {
                let id = caller
                    .post("/platforms", platform(&format!("{n}-{round}")))
                    .await
                    .expect(201)
                    .id();
                let address = format!("/platforms/{id}");
                let mut unknown = platform("取り消し");
                unknown["municipality_codes"] = json!(["999997"]);
                assert!(caller.post("/platforms", unknown).await.status >= 400);
                caller
                    .patch(&address, json!({ "position": round + 1 }))
                    .await
                    .expect(200);
                caller
                    .post("/platform-years", json!({ "platform_id": id, "fiscal_year": 2024 }))
                    .await
                    .expect(201);
                if round % 3 == 0 {
                    caller
                        .delete(&address)
                        .await
                        .problem(409, "platform_years_platform_id_fkey");
                }
            }
        }
    });
    // Transactions of both streams at once, with what a savepoint takes back and with a rollback.
    let mixed = async {
        let sql = app.superuser().await;
        let insert = |town: crate::app::Town| {
            format!(
                "insert into platforms (id, owner_org_id, kind, name) values (gen_random_uuid(), '{}', 'other', 'x');",
                town.id
            )
        };
        for round in 0..20 {
            let end = if round % 2 == 0 { "commit" } else { "rollback" };
            sql.batch_execute(&format!(
                "begin; {} savepoint s; {} rollback to s; {} set constraints all immediate; savepoint t; {} rollback to t; {} {end}",
                insert(TOTTORI_CITY), insert(NANBU), insert(NANBU), insert(TOTTORI_CITY), insert(TOTTORI_CITY)
            ))
            .await
            .expect("SQL");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    // A reader sees at every moment a beginning of each stream: what commits later has a higher number.
    let reader = async {
        let sql = app.superuser().await;
        let mut looks = 0;
        while !done.load(Ordering::Relaxed) {
            let gaps = sql.query(GAPS, &[]).await.expect("SQL");
            assert!(gaps.is_empty(), "a gap was to be seen");
            looks += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        looks
    };
    let (looks, ()) = tokio::join!(reader, async {
        tokio::join!(join_all(writers.collect::<Vec<_>>()), mixed);
        done.store(true, Ordering::Relaxed);
    });
    assert!(looks > 10, "the reader looked {looks} times");

    let unequal = app
        .texts(
            "select coalesce(h.record_id, l.record_id)::text from record_history h
             full join change_log l using (stream_id, entity, record_id, version, op) where h.version is null or l.version is null",
            &[],
        )
        .await;
    assert!(unequal.is_empty(), "{unequal:?}");
    // Versions of a record stand in their order, one behind the other.
    let disordered = app
        .texts(
            "select record_id::text from (select record_id, version, row_number() over (partition by stream_id, record_id order by seq) as n
               from change_log) l where version <> n",
            &[],
        )
        .await;
    assert!(disordered.is_empty(), "{disordered:?}");
    replay(&app).await;
}

/// The newest images of the history, without what was deleted, are the table.
async fn replay(app: &TestApp) {
    let tables = app
        .texts("select distinct event_object_table::text from information_schema.triggers where trigger_name = 'capture_insert'", &[])
        .await;
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        let differing = app
            .texts(
                &format!(
                    "select coalesce(t.id, h.record_id)::text from {table} t full join (
                       select distinct on (record_id) record_id, op, row from record_history where entity = '{table}'
                       order by record_id, version desc) h on h.record_id = t.id
                     where (t.id is null) is distinct from (h.op = 'D') or (t.id is not null and to_jsonb(t) - 'search' <> h.row)"
                ),
                &[],
            )
            .await;
        assert!(differing.is_empty(), "{table}: {differing:?}");
    }
}

#[tokio::test]
async fn a_history_that_is_replayed_is_the_table() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let first = editor.post("/platforms", platform("一")).await.expect(201).id();
    editor
        .patch(
            &format!("/platforms/{first}"),
            json!({ "districts": ["東"], "layer": 2 }),
        )
        .await
        .expect(200);
    let second = editor.post("/platforms", platform("二")).await.expect(201).id();
    editor.delete(&format!("/platforms/{second}")).await.expect(204);
    app.admin()
        .await
        .post("/users", json!({ "email": "new@example.jp", "name": "新人" }))
        .await
        .expect(201);
    replay(&app).await;
}

#[tokio::test]
async fn history_and_feed_cannot_be_changed() {
    let app = TestApp::new().await;
    let sql = app.superuser().await;
    for table in ["record_history", "change_log"] {
        for statement in [
            format!("delete from {table}"),
            format!("update {table} set at = now()"),
            format!("truncate {table}"),
        ] {
            let refused = sql.batch_execute(&statement).await.expect_err(&statement);
            assert!(
                refused
                    .as_db_error()
                    .is_some_and(|e| e.message().contains("append-only")),
                "{refused:?}"
            );
        }
    }
}
