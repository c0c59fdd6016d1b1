//! The tidy table that analysts pull: everything they may see, in every form, as of a moment.

use crate::app::{Caller, NANBU, Reply, TOTTORI_CITY, TestApp, with};
use crate::kpis::{kpi, year};
use crate::platforms::platform;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const NANBU_CODE: &str = "313891";
const TOTTORI_CODE: &str = "312011";

/// The table as JSON.
async fn table(caller: &Caller<'_>, query: &str) -> Reply {
    caller.get(&format!("/analytics/observations{query}")).await.expect(200)
}

/// Columns of all rows.
fn rows(table: &Reply, columns: &[&str]) -> Vec<Value> {
    let items = table["items"].as_array().expect("items");
    let cells = |row: &Value| columns.iter().map(|name| row[*name].clone()).collect();
    items.iter().map(cells).collect()
}

async fn text(caller: &Caller<'_>, query: &str) -> String {
    let bytes = caller.bytes(&format!("/analytics/observations{query}")).await;
    String::from_utf8(bytes).expect("UTF-8")
}

/// A published KPI with values of three years.
async fn published(editor: &Caller<'_>, admin: &Caller<'_>, fields: Value) -> Uuid {
    let id = editor
        .create(
            "/kpis",
            with(kpi("居場所の利用者数"), with(json!({ "visibility": "public" }), fields)),
        )
        .await;
    for (fiscal_year, number) in [(2022, "10"), (2023, "12.50"), (2024, "0")] {
        editor.create("/kpi-observations", year(id, fiscal_year, number)).await;
    }
    for status in ["submitted", "confirmed", "published"] {
        admin
            .transition(&format!("/kpis/{id}"), status, "published")
            .await
            .expect(200);
    }
    id
}

#[tokio::test]
async fn a_row_tells_everything_about_a_value() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let place = editor.create("/platforms", platform("見守りの場")).await;
    let sheet = json!({ "name": "認知度", "value_type": "ratio", "unit": "%", "direction": "increase", "code": "1-1", "platform_id": place,
        "baseline": { "value": "23.3" } });
    let id = editor.create("/kpis", sheet).await;
    editor
        .create(
            "/kpi-targets",
            json!({ "kpi_id": id, "fiscal_year": 2024, "value": "40" }),
        )
        .await;
    let line = json!({ "kpi_id": id, "municipality_code": TOTTORI_CODE, "district": "東地区", "dimensions": { "年代": "20代" } });
    let line = editor.create("/kpi-series", line).await;
    let value = |series: Uuid, fields: Value| {
        let mut body = year(series, 2024, "0");
        body.as_object_mut().expect("fields").remove("number");
        with(body, fields)
    };
    let share = json!({ "numerator": "2", "denominator": "3", "quality": "provisional", "source": "意識調査", "note": "一行目\n二行目", "printed": "約67％", "approximate": true, "series_break": true });
    editor.create("/kpi-observations", value(id, share)).await;
    editor
        .create(
            "/kpi-observations",
            value(line, json!({ "missing_reason": "not_carried_out" })),
        )
        .await;

    let table = table(&editor, "").await;
    let columns = [
        "kpi_code",
        "kpi_name",
        "owner_name",
        "prefecture_name",
        "municipality_code",
        "municipality_name",
        "platform_name",
        "district",
        "dimensions",
        "period_kind",
        "fiscal_year",
        "value",
        "numerator",
        "denominator",
        "unit",
        "direction",
        "baseline",
        "target",
    ];
    assert_eq!(
        rows(&table, &columns),
        [
            json!([
                "1-1",
                "認知度",
                NANBU.name,
                "鳥取県",
                NANBU_CODE,
                "南部町",
                "見守りの場",
                null,
                null,
                "fiscal_year",
                2024,
                66.666_666_667,
                2,
                3,
                "%",
                "increase",
                23.3,
                40
            ]),
            json!([
                "1-1",
                "認知度",
                NANBU.name,
                "鳥取県",
                TOTTORI_CODE,
                "鳥取市",
                "見守りの場",
                "東地区",
                "年代=20代",
                "fiscal_year",
                2024,
                null,
                null,
                null,
                "%",
                "increase",
                23.3,
                40
            ]),
        ]
    );
    let columns = [
        "status",
        "missing_reason",
        "obs_status",
        "sign",
        "approximate",
        "series_break",
        "revision",
        "source",
        "note",
        "printed",
    ];
    assert_eq!(
        rows(&table, &columns),
        [
            json!([
                "provisional",
                null,
                "B",
                "p",
                true,
                true,
                1,
                "意識調査",
                "一行目\n二行目",
                "約67％"
            ]),
            json!([
                "missing",
                "not_carried_out",
                "M",
                "-",
                false,
                false,
                1,
                null,
                null,
                null
            ]),
        ]
    );
}

#[tokio::test]
async fn the_table_is_the_same_in_every_form() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    published(&editor, &admin, json!({})).await;
    let columns = "column=kpi_name,period_start,value,target,approximate";
    assert_eq!(
        text(&editor, &format!("?format=csv&{columns}")).await,
        "kpi_name,period_start,value,target,approximate\r\n居場所の利用者数,2022-04-01,10,,false\r\n\
         居場所の利用者数,2023-04-01,12.50,,false\r\n居場所の利用者数,2024-04-01,0,,false\r\n"
    );
    let lines = text(&editor, &format!("?format=ndjson&{columns}")).await;
    assert!(
        lines.starts_with("{\"kpi_name\":\"居場所の利用者数\",\"period_start\":\"2022-04-01\",\"value\":10,"),
        "{lines}"
    );
    assert!(
        lines.contains("\"value\":12.50,"),
        "decimals are kept digit by digit: {lines}"
    );
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(json!(lines), table(&editor, &format!("?{columns}")).await["items"]);
    // By what is accepted, too.
    let accept = [("accept", "text/html, application/x-ndjson;q=0.9, text/csv;q=0.8")];
    let reply = editor
        .raw(Method::GET, "/analytics/observations", None, "", &accept)
        .await
        .expect(200);
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    // Every column that there is, and its name.
    let header = text(&editor, "?format=csv").await;
    let header = header.lines().next().unwrap_or_default().split(',').count();
    let row = table(&editor, "").await["items"][0]
        .as_object()
        .map(serde_json::Map::len);
    assert_eq!(row, Some(header));

    let bytes = editor
        .bytes("/analytics/observations?format=csv&charset=utf-8-bom")
        .await;
    assert!(bytes.starts_with(b"\xef\xbb\xbfobservation_id,"));
    let bytes = editor
        .bytes(&format!("/analytics/observations?format=csv&charset=cp932&{columns}"))
        .await;
    assert!(
        bytes.windows(6).any(|w| w == b"\x8b\x8f\x8f\xea\x8f\x8a"),
        "居場所 in CP932"
    );
    editor.create("/kpis", kpi("🍙の数")).await;
    let onigiri = editor.get("/kpis?search=🍙").await.expect(200)["items"][0]["id"].clone();
    let onigiri: Uuid = onigiri.as_str().and_then(|id| id.parse().ok()).expect("an id");
    editor.create("/kpi-observations", year(onigiri, 2024, "3")).await;
    let refused = editor
        .get("/analytics/observations?format=csv&charset=cp932&column=kpi_name")
        .await;
    assert_eq!(refused.problem(409, "unmappable")["errors"][0]["path"], "/5/1");
}

#[tokio::test]
async fn everybody_sees_what_is_his_to_see() {
    let app = TestApp::new().await;
    let (editor, admin, city) = (app.editor().await, app.admin().await, app.foreign_editor().await);
    let public = published(&editor, &admin, json!({})).await;
    let draft = editor.create("/kpis", kpi("下書き")).await;
    editor.create("/kpi-observations", year(draft, 2024, "5")).await;
    let submitted = editor.create("/kpis", kpi("提出した指標")).await;
    editor.create("/kpi-observations", year(submitted, 2024, "6")).await;
    editor
        .transition(&format!("/kpis/{submitted}"), "submitted", "")
        .await
        .expect(200);
    let seen = async |caller: &Caller<'_>| {
        let mut kpis: Vec<String> = rows(&table(caller, "").await, &["kpi_id"])
            .iter()
            .map(|row| row[0].to_string())
            .collect();
        kpis.dedup();
        kpis.len()
    };
    assert_eq!(seen(&editor).await, 3);
    assert_eq!(
        seen(&app.prefecture().await).await,
        2,
        "what was submitted and what is published"
    );
    for caller in [&app.anonymous(), &city, &app.caller("analyst").await] {
        assert_eq!(seen(caller).await, 1, "what is published");
    }
    // Withdrawn, it is gone at once; with today's rights, in the past as well.
    let before = table(&city, "").await["vintage"]
        .as_str()
        .expect("a vintage")
        .to_owned();
    admin
        .transition(&format!("/kpis/{public}"), "confirmed", "an+error")
        .await
        .expect(200);
    assert_eq!(seen(&city).await, 0);
    assert_eq!(table(&city, &format!("?as_of={before}")).await["items"], json!([]));
}

#[tokio::test]
async fn filters_leave_what_they_name() {
    let app = TestApp::new().await;
    let (editor, admin, city) = (app.editor().await, app.admin().await, app.foreign_editor().await);
    let place = editor.create("/platforms", platform("場")).await;
    let first = published(&editor, &admin, json!({ "platform_id": place })).await;
    let second = city
        .create("/kpis", with(kpi("市の指標"), json!({ "visibility": "public" })))
        .await;
    city.create("/kpi-observations", year(second, 2023, "7")).await;
    let month = json!({ "series_id": second, "period_kind": "month", "period_start": "2024-05-01", "period_end": "2024-05-31", "number": "1" });
    city.create("/kpi-observations", month).await;
    let line = city
        .create(
            "/kpi-series",
            json!({ "kpi_id": second, "municipality_code": "313025" }),
        )
        .await;
    city.create("/kpi-observations", year(line, 2024, "9")).await;
    for status in ["submitted", "confirmed", "published"] {
        app.sql(&format!("update kpis set status = '{status}' where id = '{second}'"))
            .await;
    }
    let (nanbu, tottori) = (NANBU_CODE, TOTTORI_CODE);
    let anonymous = app.anonymous();
    for (query, values) in [
        (String::new(), json!([[10], [12.5], [0], [7], [1], [9]])),
        (format!("kpi_id={second}"), json!([[7], [1], [9]])),
        (
            format!("kpi_id={first}&kpi_id={second}&period_kind=month"),
            json!([[1]]),
        ),
        (
            format!("platform_id={place}&first_fiscal_year=2023"),
            json!([[12.5], [0]]),
        ),
        (
            "first_fiscal_year=2023&last_fiscal_year=2023".to_owned(),
            json!([[12.5], [7]]),
        ),
        (format!("municipality_code={nanbu}"), json!([[10], [12.5], [0]])),
        (format!("municipality_code={tottori}"), json!([[7], [1]])),
        ("municipality_code=313025".to_owned(), json!([[9]])),
        (
            "prefecture_code=310000".to_owned(),
            json!([[10], [12.5], [0], [7], [1], [9]]),
        ),
        ("prefecture_code=130001".to_owned(), json!([])),
        (format!("owner_id={}", TOTTORI_CITY.id), json!([[7], [1], [9]])),
    ] {
        let table = table(&anonymous, &format!("?{query}")).await;
        assert_eq!(json!(rows(&table, &["value"])), values, "{query}");
    }
    for (query, status, code) in [
        ("column=value,nothing", 422, "invalid"),
        ("format=parquet2", 400, "bad_query"),
        ("kpi_id=1", 400, "bad_query"),
        ("first_fiscal_year=2024&last_fiscal_year=2023", 409, "before_first"),
        ("first_fiscal_year=1949", 422, "invalid"),
        ("municipality_code=313026", 422, "invalid"),
        ("updated_after=yesterday", 400, "bad_query"),
        ("nothing=1", 400, "bad_query"),
    ] {
        anonymous
            .get(&format!("/analytics/observations?{query}"))
            .await
            .problem(status, code);
    }
}

#[tokio::test]
async fn a_vintage_is_the_same_whenever_it_is_asked_for() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let id = published(&editor, &admin, json!({})).await;
    editor
        .create(
            "/kpi-targets",
            json!({ "kpi_id": id, "fiscal_year": 2024, "value": "15" }),
        )
        .await;
    let read = async |caller: &Caller<'_>, vintage: &str| {
        let query = if vintage.is_empty() {
            String::new()
        } else {
            format!("&as_of={vintage}")
        };
        let path = format!("/analytics/observations?format=csv{query}");
        let reply = caller.raw(Method::GET, &path, None, "", &[]).await.expect(200);
        let header = |name: &str| reply.header(name).expect("a header").to_owned();
        (
            header("vintage"),
            header("etag"),
            text(caller, &format!("?format=csv{query}")).await,
        )
    };
    let (first, tag, before) = read(&editor, "").await;
    // Nothing was changed: the same vintage, and nothing to send.
    assert_eq!(read(&editor, "").await, (first.clone(), tag.clone(), before.clone()));
    let known = [("if-none-match", tag.as_str())];
    let unchanged = editor
        .raw(Method::GET, "/analytics/observations?format=csv", None, "", &known)
        .await
        .expect(304);
    assert_eq!(unchanged.header("vintage"), Some(first.as_str()));
    assert_eq!(read(&editor, &first).await.2, before);

    // Everything that can change about a row.
    let old = editor
        .get(&format!("/kpis/{id}/observations?current=true"))
        .await
        .expect(200)["items"][0]
        .clone();
    let corrected = with(
        year(id, 2022, "11"),
        json!({ "supersedes_id": old["id"], "reason": "転記の誤り" }),
    );
    editor.create("/kpi-observations", corrected).await;
    let target = editor.get(&format!("/kpi-targets?kpi_id={id}")).await.expect(200)["items"][0]["id"].clone();
    let replaced =
        json!({ "kpi_id": id, "fiscal_year": 2024, "value": "20", "supersedes_id": target, "reason": "見直し" });
    editor.create("/kpi-targets", replaced).await;
    for status in ["confirmed", "draft"] {
        admin
            .transition(&format!("/kpis/{id}"), status, "renamed")
            .await
            .expect(200);
    }
    editor
        .patch(&format!("/kpis/{id}"), json!({ "name": "新しい名前" }))
        .await
        .expect(200);

    let (second, other, after) = read(&editor, "").await;
    assert!(second > first && other != tag && after != before);
    let newest = table(
        &editor,
        &format!("?updated_after={first}&column=kpi_name,value,status,revision,target"),
    )
    .await;
    assert_eq!(
        newest["items"],
        json!([{ "kpi_name": "新しい名前", "value": 11, "status": "revised", "revision": 2, "target": null }])
    );
    let (named, _, again) = read(&editor, &first).await;
    assert_eq!(
        (named.as_str(), again.as_str()),
        (first.as_str(), before.as_str()),
        "as it was"
    );
    assert_eq!(read(&editor, &second).await.2, after);
    // The future is now.
    assert_eq!(read(&editor, "9999-12-31").await.2, after);
}

#[tokio::test]
async fn what_is_being_written_belongs_to_a_later_vintage() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let id = published(&editor, &admin, json!({})).await;
    let other = editor.create("/kpis", kpi("別の指標")).await;
    // Somebody has begun to write and takes his time.
    let slow = app.superuser().await;
    slow.batch_execute(&format!(
        "begin; select set_config('app.begun', 'yes', true);
         insert into kpi_observations (id, series_id, period_kind, period_start, period_end, number)
         values (gen_random_uuid(), '{other}', 'fiscal_year', '2021-04-01', '2022-03-31', 8)"
    ))
    .await
    .expect("written");
    // Others write and are done.
    editor.create("/kpi-observations", year(id, 2020, "4")).await;
    let moment = table(&editor, "").await;
    let vintage = moment["vintage"].as_str().expect("a vintage").to_owned();
    slow.batch_execute("commit").await.expect("committed");
    let again = table(&editor, &format!("?as_of={vintage}")).await;
    let columns = ["kpi_name", "fiscal_year", "value", "recorded_at"];
    assert_eq!(
        rows(&again, &columns),
        rows(&moment, &columns),
        "nothing came into it afterwards"
    );
    assert_eq!(rows(&table(&editor, "").await, &["value"]).len(), 5);
}
