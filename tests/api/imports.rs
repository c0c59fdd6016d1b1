//! Files in and out.

use crate::app::{Caller, Reply, TestApp, with};
use crate::kpis::kpi;
use crate::plans::plan;
use crate::platforms::platform;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// A part of the content of an import.
async fn part(caller: &Caller<'_>, import: &str, offset: usize, content: &[u8]) -> Reply {
    let key = Uuid::now_v7().to_string();
    let path = format!("{import}/content?offset={offset}");
    let headers = [("idempotency-key", key.as_str())];
    caller
        .raw(
            Method::PUT,
            &path,
            Some(content.to_vec()),
            "application/octet-stream",
            &headers,
        )
        .await
}

/// The address of a new import with its content.
async fn import(caller: &Caller<'_>, fields: Value, content: &[u8]) -> String {
    let made = caller
        .post("/imports", with(json!({ "file_name": "一覧" }), fields))
        .await
        .expect(201);
    let import = format!("/imports/{}", made.id());
    for (number, bytes) in content.chunks(1 << 20).enumerate() {
        part(caller, &import, number << 20, bytes).await.expect(200);
    }
    import
}

/// The run of an import, at its end.
async fn run(caller: &Caller<'_>, import: &str, dry_run: bool) -> Value {
    let started = caller
        .post(&format!("{import}/run"), json!({ "dry_run": dry_run }))
        .await
        .expect(200);
    ended(caller, &format!("/sync-runs/{}", started.id())).await
}

async fn ended(caller: &Caller<'_>, run: &str) -> Value {
    for _ in 0..600 {
        let run = caller.get(run).await.expect(200).body;
        if run["ended_at"].is_string() {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{run} does not end");
}

async fn rows(caller: &Caller<'_>, run: &Value) -> Vec<Value> {
    let path = format!("/sync-runs/{}/rows?limit=200", run["id"].as_str().expect("an id"));
    caller.get(&path).await.expect(200)["items"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn counts(run: &Value) -> Vec<(String, i64)> {
    let counts = run["counts"].as_object().expect("counts").iter();
    let mut counts: Vec<_> = counts
        .map(|(name, n)| (name.clone(), n.as_i64().expect("a number")))
        .filter(|(_, n)| *n > 0)
        .collect();
    counts.sort();
    counts
}

fn count(name: &str, number: i64) -> (String, i64) {
    (name.to_owned(), number)
}

fn organizations() -> Value {
    json!({ "format": "csv", "entity": "organizations", "source": "kintone" })
}

#[tokio::test]
async fn a_csv_file_is_tried_and_then_written_row_by_row() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    // A line break in a cell, a code with a zero in front, and a text that looks like a formula.
    let file = "外部ID,種類,名称,市区町村,別名\r\nO-1,npo,見守りの会,012025,\"見守り\r\nみまもり\"\r\nO-2,npo,'=会,,\r\nO-3,npo,,,\r\n,,,,\r\nO-4,nothing,会,,\r\n";
    let import = import(&editor, organizations(), file.as_bytes()).await;
    let before = app.versions().await;
    let dry = run(&editor, &import, true).await;
    assert_eq!(
        (&dry["state"], &dry["committed"], app.versions().await),
        (&json!("done"), &json!(false), before)
    );
    let real = run(&editor, &import, false).await;
    let expected = [count("created", 2), count("error", 2)];
    assert_eq!(
        (counts(&dry), counts(&real)),
        (expected.to_vec(), expected.to_vec()),
        "{real}"
    );
    let failed = rows(&editor, &real).await;
    let told = |row: &Value| {
        json!([
            row["line"],
            row["problem"]["errors"][0]["path"],
            row["problem"]["errors"][0]["code"]
        ])
    };
    assert_eq!(
        failed.iter().map(told).collect::<Vec<_>>(),
        [json!([5, "/name", "missing"]), json!([7, "/kind", "unknown_choice"])]
    );
    assert_eq!(
        rows(&editor, &dry).await.iter().map(told).collect::<Vec<_>>(),
        failed.iter().map(told).collect::<Vec<_>>()
    );
    let one = editor.get("/organizations/external/kintone/O-1").await.expect(200);
    assert_eq!(
        (&one["municipality_code"], &one["aliases"]),
        (&json!("012025"), &json!(["見守り", "みまもり"]))
    );
    assert_eq!(editor.get("/organizations/external/kintone/O-2").await["name"], "=会");
    // Again, and nothing changes.
    assert_eq!(
        counts(&run(&editor, &import, false).await),
        [count("error", 2), count("unchanged", 2)]
    );
    // The rows that failed come as a file; corrected, it is sent again.
    let csv = editor
        .get(&format!(
            "/sync-runs/{}/rows?format=csv",
            real["id"].as_str().expect("an id")
        ))
        .await
        .expect(200)
        .text;
    assert!(csv.contains("O-3") && csv.contains("名称を入力してください。"), "{csv}");
    let corrected = csv.replace("nothing", "npo").replacen("npo,,", "npo,直した会,", 1);
    let again = super::imports::import(&editor, organizations(), corrected.as_bytes()).await;
    assert_eq!(
        counts(&run(&editor, &again, false).await),
        [count("created", 2)],
        "{corrected}"
    );
}

#[tokio::test]
async fn content_comes_in_parts_and_goes_on_where_it_broke_off() {
    let app = TestApp::new().await;
    let (system, stranger) = (app.client().await, app.foreign_editor().await);
    let lines = (0..2500).map(|n| json!({ "entity": "organizations", "source": "kintone", "external_id": format!("O{n}"), "record": { "kind": "npo", "name": format!("団体{n}") } }).to_string());
    let content = lines.collect::<Vec<_>>().join("\n");
    let (one, two) = content.as_bytes().split_at(1000);
    let import = import(&system, json!({ "format": "ndjson" }), one).await;
    // A retry of what arrived, and one that leaves something out, are told where to go on.
    for offset in [0, 999, 1001, usize::try_from(i64::MAX).expect("64 bits")] {
        let wrong = part(&system, &import, offset, two).await.problem(409, "imports_offset");
        assert_eq!(wrong["current"]["size"], json!(1000));
    }
    stranger.get(&import).await.problem(404, "not_found");
    assert_eq!(part(&stranger, &import, 1000, two).await.status, 404);
    assert_eq!(
        part(&system, &import, 1000, two).await.expect(200)["size"],
        json!(content.len())
    );
    let done = run(&system, &import, false).await;
    assert_eq!(counts(&done), [count("created", 2500)], "{done}");
    // The history names the run.
    let of_run = app
        .texts(
            "select count(*)::text from record_history where request_id = $1::text::uuid and entity = 'organizations'",
            &[&done["id"].as_str().expect("an id")],
        )
        .await;
    assert_eq!(of_run, ["2500"]);
}

#[tokio::test]
async fn a_run_goes_on_behind_what_was_committed_when_its_worker_dies() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut content = "外部ID,種類,名称\n".to_owned();
    (0..3000).for_each(|n| content += &format!("O{n},npo,団体{n}\n"));
    let import = import(&editor, organizations(), content.as_bytes()).await;
    // A run of a worker that has written the first 1,000 rows and was not heard of since.
    let behind = content.lines().take(1001).map(|l| l.len() + 1).sum::<usize>();
    app.sql("create function stop_after_one() returns trigger language plpgsql as $$ begin
      if new.position > 0 and new.state = 'running' and new.worker is not null then
        new.worker := gen_random_uuid(); new.lease_until := now() + interval '2 seconds';
      end if; return new; end $$;
      create trigger stop_after_one before update on sync_runs for each row when (old.position = 0 and new.position > 0) execute function stop_after_one()").await;
    let started = editor.post(&format!("{import}/run"), json!({})).await.expect(200);
    let done = ended(&editor, &format!("/sync-runs/{}", started.id())).await;
    assert_eq!(
        (counts(&done), &done["state"]),
        (vec![count("created", 3000)], &json!("done")),
        "{done}"
    );
    let made = app.texts("select count(*)::text from record_history where entity = 'organizations' and op = 'I' and row ->> 'name' like '団体%'", &[]).await;
    assert_eq!(made, ["3000"], "each once, though the worker changed at byte {behind}");
}

#[tokio::test]
async fn all_or_nothing_is_all_or_nothing() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut content = "external_id\tkind\tname\n".to_owned();
    (0..1500).for_each(|n| content += &format!("O{n}\tnpo\t団体{n}\n"));
    let good = import(
        &editor,
        with(organizations(), json!({ "mode": "atomic" })),
        content.as_bytes(),
    )
    .await;
    let bad = import(
        &editor,
        with(organizations(), json!({ "mode": "atomic" })),
        format!("{content}X\tnpo\t\n").as_bytes(),
    )
    .await;
    let before = app.versions().await;
    let refused = run(&editor, &bad, false).await;
    assert_eq!(
        (&refused["committed"], counts(&refused)),
        (&json!(false), vec![count("created", 1500), count("error", 1)])
    );
    assert_eq!((app.versions().await, rows(&editor, &refused).await.len()), (before, 1));
    let done = run(&editor, &good, false).await;
    assert_eq!(
        (&done["committed"], counts(&done)),
        (&json!(true), vec![count("created", 1500)])
    );
    (0..20_000).for_each(|n| content += &format!("X{n}\tnpo\tx\n"));
    let long = import(
        &editor,
        with(organizations(), json!({ "mode": "atomic" })),
        content.as_bytes(),
    )
    .await;
    let failed = run(&editor, &long, false).await;
    assert_eq!(
        (&failed["state"], &failed["problem"]["code"]),
        (&json!("failed"), &json!("imports_rows"))
    );
}

#[tokio::test]
async fn a_full_list_proposes_what_it_does_not_name_and_deletes_it_when_asked() {
    let app = TestApp::new().await;
    let (editor, stranger) = (app.editor().await, app.foreign_editor().await);
    let file = |numbers: std::ops::Range<i32>| {
        numbers.fold("外部ID,種類,名称\n".to_owned(), |text, n| {
            text + &format!("O{n},npo,団体{n}\n")
        })
    };
    let full = with(organizations(), json!({ "full_list": true }));
    let first = import(&editor, full.clone(), file(0..20).as_bytes()).await;
    assert_eq!(run(&editor, &first, false).await["absent"], json!(0));
    // Others know organisations by the same ids; they have nothing to do with it.
    let theirs = import(&stranger, organizations(), file(0..30).as_bytes()).await;
    run(&stranger, &theirs, false).await;
    let second = import(&editor, full, file(3..20).as_bytes()).await;
    assert_eq!(run(&editor, &second, true).await["absent"], json!(3));
    let done = run(&editor, &second, false).await;
    assert_eq!(
        (&done["absent"], counts(&done)),
        (&json!(3), vec![count("unchanged", 17)])
    );
    let named: Vec<Value> = rows(&editor, &done)
        .await
        .iter()
        .map(|r| json!([r["outcome"], r["item"]["external_id"]]))
        .collect();
    assert_eq!(named.len(), 3);
    assert!(named.contains(&json!(["absent", "O0"])));
    editor.get("/organizations/external/kintone/O0").await.expect(200);
    let deletions = format!("{second}/deletions");
    let ask = |at_most: Value| json!({ "sync_run_id": done["id"], "at_most": at_most });
    // Three of twenty are more than one in ten.
    editor
        .post(&deletions, ask(Value::Null))
        .await
        .problem(409, "imports_deletions_threshold");
    editor
        .post(&deletions, ask(json!(2)))
        .await
        .problem(409, "imports_deletions_threshold");
    stranger.post(&deletions, ask(json!(3))).await.problem(404, "not_found");
    let deleted = editor.post(&deletions, ask(json!(3))).await.expect(200);
    assert_eq!(
        (&deleted["kind"], counts(&deleted.body)),
        (&json!("deletions"), vec![count("deleted", 3)])
    );
    editor
        .get("/organizations/external/kintone/O0")
        .await
        .problem(404, "not_found");
    stranger.get("/organizations/external/kintone/O0").await.expect(200);
    let again = editor.post(&deletions, ask(Value::Null)).await.expect(200);
    assert!(counts(&again.body).is_empty());
    // A list with a row that nobody can read may have named anything: it proposes nothing.
    let mut torn = file(0..10).into_bytes();
    torn.extend_from_slice(b"O\xe4\xbc,npo,x\n");
    let torn = import(&editor, with(organizations(), json!({ "full_list": true })), &torn).await;
    let torn = run(&editor, &torn, false).await;
    assert_eq!(
        (&torn["absent"], &torn["counts"]["error"]),
        (&json!(0), &json!(1)),
        "{torn}"
    );
}

#[tokio::test]
async fn what_is_exported_is_unchanged_when_it_is_imported() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let section = json!({ "state": "entered", "items": [{ "marker": "●", "text": "一行目\n二行目, \"引用\"" }] });
    let awkward = json!({ "area_name": "=1+1", "members_note": "", "selection_notes": section, "municipality_codes": ["313891", "312011"], "lead_department": "'-課", "summary": "一行目\n\"二行目\", 終わり" });
    editor.create("/platforms", platform("見守り")).await;
    editor.create("/platforms", with(platform("@困りごと"), awkward)).await;
    editor.create("/plans", plan("計画")).await;
    let made = editor.create("/kpis", kpi("−ではじまらない指標")).await;
    let value = |year: i32, number: &str| json!({ "series_id": made, "period_kind": "fiscal_year", "period_start": format!("{year}-04-01"), "period_end": format!("{}-03-31", year + 1), "number": number });
    editor.create("/kpi-observations", value(2023, "-8.00")).await;
    editor
        .create("/kpi-observations", value(2024, "0012.5".trim_start_matches('0')))
        .await;
    let before = app.versions().await;
    for kind in ["platforms", "plans", "kpis", "kpi-observations"] {
        for (format, query) in [("csv", ""), ("csv", "?charset=cp932"), ("xlsx", "?format=xlsx")] {
            let path = format!("/exports/{kind}{query}");
            let file = editor.bytes(&path).await;
            if (kind, query) == ("kpis", "?charset=cp932") {
                // U+2212 is not in CP932: that is said, and nothing takes its place.
                let refused = editor.get(&path).await.problem(409, "unmappable");
                assert!(
                    refused["errors"][0]["message"]
                        .as_str()
                        .is_some_and(|m| m.contains("U+2212")),
                    "{}",
                    refused.text
                );
                continue;
            }
            if format == "csv" {
                assert!(
                    !file.windows(2).any(|w| w == b",=" || w == b",@"),
                    "{kind}: nothing that a spreadsheet runs"
                );
            }
            let fields = json!({ "format": format, "entity": kind.replace('-', "_") });
            let import = import(&editor, fields, &file).await;
            let done = run(&editor, &import, false).await;
            assert_eq!(
                counts(&done).iter().map(|(o, _)| o.as_str()).collect::<Vec<_>>(),
                ["unchanged"],
                "{kind} {query}: {done} {:?}",
                rows(&editor, &done).await
            );
        }
    }
    assert_eq!(app.versions().await, before);
    app.anonymous()
        .get("/exports/platforms")
        .await
        .problem(401, "unauthenticated");
    editor.get("/exports/users").await.problem(404, "not_found");
}

#[tokio::test]
async fn a_workbook_is_imported_with_codes_that_a_spreadsheet_took_for_numbers() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    for (column, name) in (0..).zip(["外部ID", "kind", "名称", "市区町村", "有効な最初の日"]) {
        sheet.write_string(0, column, name).expect("a cell");
    }
    sheet
        .write_string(1, 0, "O-1")
        .expect("a cell")
        .write_string(1, 1, "npo")
        .expect("a cell");
    sheet
        .write_string(1, 2, "札幌の会")
        .expect("a cell")
        .write_number(1, 3, 12025)
        .expect("a cell");
    let day = rust_xlsxwriter::ExcelDateTime::from_ymd(2024, 4, 1).expect("a day");
    sheet.write_datetime_with_format(1, 4, &day, &date).expect("a cell");
    let content = book.save_to_buffer().expect("a workbook");
    let fields = with(organizations(), json!({ "format": "xlsx" }));
    let done = run(&editor, &import(&editor, fields, &content).await, false).await;
    assert_eq!(
        counts(&done),
        [count("created", 1)],
        "{done} {:?}",
        rows(&editor, &done).await
    );
    let made = editor.get("/organizations/external/kintone/O-1").await.expect(200);
    assert_eq!(
        (&made["municipality_code"], &made["valid_from"]),
        (&json!("012025"), &json!("2024-04-01"))
    );
}

#[tokio::test]
async fn bad_files_are_told_what_is_wrong_with_them() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let failed = async |fields: Value, content: &[u8]| {
        let done = run(&editor, &import(&editor, fields, content).await, false).await;
        assert_eq!(done["state"], "failed", "{done}");
        done["problem"].clone()
    };
    let xlsx = with(organizations(), json!({ "format": "xlsx" }));
    assert_eq!(failed(xlsx, b"PK\x03\x04 broken").await["code"], "imports_xlsx");
    let header = failed(organizations(), "外部ID,なまえ,種類,種類\n".as_bytes()).await;
    assert_eq!(
        json!([header["errors"][0]["path"], header["errors"][1]["code"]]),
        json!(["/なまえ", "twice"])
    );
    assert_eq!(failed(organizations(), b"\n\n").await["code"], "imports_header");
    // A NUL, which the database cannot keep, is told with its mark.
    let header = failed(organizations(), "外部ID,名\0称\n".as_bytes()).await;
    assert_eq!(header["errors"][0]["path"], "/名\u{2400}称");
    // Half a character at the end, the same id twice, an id of nobody, and one of somebody else.
    let mut torn = "外部ID,種類,名称\nO-1,npo,一\nO-1,npo,二\nO-2,npo,".as_bytes().to_vec();
    torn.extend_from_slice(&"会".as_bytes()[..2]);
    let done = run(&editor, &import(&editor, organizations(), &torn).await, false).await;
    let found = rows(&editor, &done).await;
    let told: Vec<Value> = found.iter().map(|r| json!([r["line"], r["problem"]["code"]])).collect();
    assert_eq!(told, [json!([3, "twice_in_batch"]), json!([4, "undecodable"])]);
    assert!(
        found[1]["problem"]["errors"][0]["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("4行目の3列目、1バイト目")),
        "{}",
        found[1]
    );
    let goals = json!({ "format": "csv", "entity": "goals", "source": "kintone" });
    let cycle = "外部ID,計画,種類,表題,上位\nA,P,measure,一,B\nB,P,measure,二,A\n";
    editor
        .send(
            Method::PUT,
            "/plans/external/kintone/P",
            Some(plan("計画")),
            &[("if-none-match", "*")],
        )
        .await
        .expect(201);
    let done = run(&editor, &import(&editor, goals.clone(), cycle.as_bytes()).await, false).await;
    assert_eq!(
        rows(&editor, &done)
            .await
            .iter()
            .map(|r| r["problem"]["code"].clone())
            .collect::<Vec<_>>(),
        ["unknown_external_id"; 2]
    );
    let stranger = app.foreign_editor().await;
    let done = run(
        &stranger,
        &import(&stranger, goals, "外部ID,計画,種類,表題\nA,P,measure,一\n".as_bytes()).await,
        false,
    )
    .await;
    assert_eq!(
        rows(&stranger, &done).await[0]["problem"]["code"],
        "unknown_external_id"
    );
    let ndjson = "{\"entity\": \"platforms\", \"record\": {\"kind\": \"other\", \"name\": \"一\"}}\n{]\n\n{\"entity\": \"users\", \"record\": {}}\n[1]";
    let done = run(
        &editor,
        &import(&editor, json!({ "format": "ndjson" }), ndjson.as_bytes()).await,
        false,
    )
    .await;
    let told: Vec<Value> = rows(&editor, &done)
        .await
        .iter()
        .map(|r| json!([r["line"], r["problem"]["code"]]))
        .collect();
    assert_eq!(
        (counts(&done)[0].clone(), told),
        (
            count("created", 1),
            vec![
                json!([2, "malformed_json"]),
                json!([4, "not_in_batches"]),
                json!([5, "invalid"])
            ]
        )
    );
    // Half a character at the end of the last line.
    let mut torn = b"{\"entity\": \"platforms\", \"record\": {\"kind\": \"other\", \"name\": \"x\"}}\n".to_vec();
    torn.extend_from_slice("{\"entity\": \"platforms\", \"record\": {\"kind\": \"other\", \"name\": \"".as_bytes());
    torn.extend_from_slice(&"会".as_bytes()[..2]);
    let done = run(
        &editor,
        &import(&editor, json!({ "format": "ndjson" }), &torn).await,
        false,
    )
    .await;
    let told: Vec<Value> = rows(&editor, &done)
        .await
        .iter()
        .map(|r| json!([r["line"], r["problem"]["code"]]))
        .collect();
    assert_eq!(told, [json!([2, "undecodable"])]);
    assert_eq!(counts(&done), [count("created", 1), count("error", 1)]);
}

#[tokio::test]
async fn a_run_that_is_cancelled_keeps_what_it_has_written_and_says_how_much() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut content = "外部ID,種類,名称\n".to_owned();
    (0..5000).for_each(|n| content += &format!("O{n},npo,団体{n}\n"));
    // Each chunk takes its time.
    app.sql("create function wait() returns trigger language plpgsql as $$ begin perform pg_sleep(0.3); return null; end $$;
      create trigger wait after insert on organizations for each statement execute function wait()").await;
    let there = async || {
        let made = app
            .texts("select count(*)::text from organizations where name like '団体%'", &[])
            .await;
        made[0].parse::<i64>().expect("a number")
    };
    for (mode, kept) in [("atomic", false), ("per_row", true)] {
        let file = import(
            &editor,
            with(organizations(), json!({ "mode": mode })),
            content.as_bytes(),
        )
        .await;
        let started = editor.post(&format!("{file}/run"), json!({})).await.expect(200);
        let address = format!("/sync-runs/{}", started.id());
        while editor.get(&address).await.expect(200)["line"].as_i64() < Some(1000) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let cancelled = editor
            .post(&format!("{address}/cancellation"), json!({}))
            .await
            .expect(200);
        assert_eq!(
            (
                &cancelled["state"],
                &cancelled["committed"],
                cancelled["ended_at"].is_string()
            ),
            (&json!("cancelled"), &json!(kept), true),
            "{}",
            cancelled.text
        );
        let created = cancelled["counts"]["created"].as_i64().expect("a number");
        assert!((1000..5000).contains(&created), "{created} rows before it ended");
        // Nothing comes after it.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(there().await, if kept { created } else { 0 });
        assert_eq!(editor.get(&address).await.body, cancelled.body);
        editor
            .post(&format!("{address}/cancellation"), json!({}))
            .await
            .problem(409, "sync_runs_ended");
        if kept {
            let rest = run(&editor, &file, false).await;
            assert_eq!(
                counts(&rest),
                [count("created", 5000 - created), count("unchanged", created)]
            );
        }
    }
    assert_eq!(there().await, 5000);
}

#[tokio::test]
async fn imports_are_bounded_and_permitted() {
    let app = TestApp::new().await;
    let (editor, viewer) = (app.editor().await, app.viewer().await);
    viewer
        .post("/imports", with(organizations(), json!({ "file_name": "x" })))
        .await
        .problem(403, "forbidden");
    for (fields, code) in [
        (json!({ "format": "csv" }), "imports_entity"),
        (json!({ "format": "ndjson", "full_list": true }), "imports_full_list"),
        (json!({ "format": "csv", "entity": "users" }), "not_in_batches"),
    ] {
        editor
            .post("/imports", with(fields, json!({ "file_name": "x" })))
            .await
            .problem(409, code);
    }
    // Two MiB are the limit of this installation, four that of a part.
    let import = import(&editor, organizations(), &vec![b'\n'; 2 << 20]).await;
    part(&editor, &import, 2 << 20, b"x").await.problem(413, "too_large");
    part(&editor, &import, 2 << 20, &vec![b'x'; (4 << 20) + 1])
        .await
        .problem(413, "too_large");
    let path = format!("{import}/content?offset=0");
    let packed = [("content-encoding", "gzip")];
    let octets = "application/octet-stream";
    editor
        .raw(Method::PUT, &path, Some(vec![0x1f, 0x8b]), octets, &packed)
        .await
        .problem(415, "unsupported_media_type");
    editor
        .raw(Method::PUT, &path, Some(vec![b'x']), "text/csv", &[])
        .await
        .problem(415, "unsupported_media_type");
    let empty = super::imports::import(&editor, organizations(), b"").await;
    editor
        .post(&format!("{empty}/run"), json!({}))
        .await
        .problem(409, "imports_empty");
    // Whoever lost his rights writes nothing any more.
    let admin = app.admin().await;
    let file = super::imports::import(&editor, organizations(), "外部ID,種類,名称\nO,npo,会\n".as_bytes()).await;
    let started = editor.post(&format!("{file}/run"), json!({})).await.expect(200);
    let address = format!("/sync-runs/{}", started.id());
    ended(&editor, &address).await;
    editor
        .post(&format!("{address}/cancellation"), json!({}))
        .await
        .problem(409, "sync_runs_ended");
    app.sql("update users set active = false where email = 'editor@example.jp'")
        .await;
    app.sql("update sync_runs set state = 'waiting', ended_at = null, position = 0")
        .await;
    let failed = ended(&admin, &address).await;
    assert_eq!(
        json!([failed["state"], failed["problem"]["code"]]),
        json!(["failed", "unauthenticated"])
    );
}
