//! Facts of municipalities, each with its date and source.

use crate::app::{NANBU, TOTTORI_CITY, TestApp, with};
use crate::kpis::kpi;
use serde_json::{Value, json};

pub fn fact(value: &str, day: &str) -> Value {
    json!({ "municipality_code": "313891", "kind": "population", "value": value, "unit": "人", "source": "国勢調査",
        "as_of": { "precision": "day", "start": day } })
}

#[tokio::test]
async fn a_population_has_its_day_its_source_and_the_text_as_printed() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = json!({
        "municipality_code": "312011", "kind": "population", "value": "188465", "unit": "人", "source": "国勢調査",
        "as_of": { "precision": "month", "start": "2020-10-01", "end": "2020-10-31", "printed": "令和2年10月" },
        "printed": "188,465（人）<令和2年10月／国勢調査>", "visibility": "public"
    });
    let created = editor.post("/municipality-facts", body.clone()).await.expect(201);
    for (name, value) in body.as_object().expect("fields") {
        assert_eq!(&created[name], value, "{name}");
    }
    assert_eq!(created["as_of_on"], "2020-10-31");
    let rate = with(
        fact("37.10", "2023-04-01"),
        json!({ "kind": "elderly_rate", "unit": "%" }),
    );
    let rate = editor.post("/municipality-facts", rate).await.expect(201);
    assert_eq!(rate["value"], "37.10");
    let address = format!("/municipality-facts/{}", rate.id());
    let moved = json!({ "as_of": { "precision": "fiscal_year", "start": "2022-04-01", "end": "2023-03-31" } });
    assert_eq!(
        editor.patch(&address, moved).await.expect(200)["as_of_on"],
        "2023-03-31"
    );
    for (more, code) in [
        (
            json!({ "municipality_code": "999997" }),
            "municipality_facts_municipality_code_fkey",
        ),
        (
            json!({ "as_of": { "precision": "undecided", "start": null, "printed": "不明" } }),
            "undated",
        ),
        (
            json!({ "as_of": { "precision": "range", "start": "2023-04-01", "end": "2022-04-01" } }),
            "period_order",
        ),
    ] {
        editor
            .refused(
                "/municipality-facts",
                with(fact("1", "2020-10-01"), more.clone()),
                409,
                code,
            )
            .await;
        let without_end = json!({ "as_of": { "precision": "day", "start": "2022-04-01", "end": null } });
        editor.patch(&address, without_end).await.expect(200);
        editor.refused(&address, more, 409, code).await;
    }
    for (more, path, code) in [
        (
            json!({ "municipality_code": "312012" }),
            "/municipality_code",
            "local_government_code",
        ),
        (json!({ "source": null }), "/source", "wrong_type"),
        (json!({ "value": null }), "/value", "wrong_type"),
    ] {
        let reply = editor
            .post("/municipality-facts", with(fact("1", "2020-10-01"), more))
            .await;
        reply.wrong_field(path, code);
    }
}

#[tokio::test]
async fn facts_are_listed_by_code_and_day() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let published = json!({ "visibility": "public", "status": "published" });
    let published = with(fact("6", "2019-09-30"), published);
    for foreign in [published, fact("99", "2019-10-01")] {
        app.insert("municipality_facts", TOTTORI_CITY, &foreign).await;
    }
    for (value, day, more) in [
        ("9", "2020-10-01", json!({ "municipality_code": "313891" })),
        ("7.1", "2019-10-01", json!({ "kind": "area" })),
        ("7.2", "2019-10-01", json!({})),
        ("3", "2021-10-01", json!({ "municipality_code": "312011" })),
        (
            "5",
            "2022-10-01",
            json!({ "municipality_code": "312011", "kind": "area" }),
        ),
        (
            "8",
            "2020-01-01",
            json!({ "as_of": { "precision": "range", "start": "2018-01-01", "end": "2020-01-01" } }),
        ),
    ] {
        editor.create("/municipality-facts", with(fact(value, day), more)).await;
    }
    for (query, values) in [
        (String::new(), vec!["3", "5", "6", "7.1", "7.2", "8", "9"]),
        (
            format!("owner_org_id={}", NANBU.id),
            vec!["3", "5", "7.1", "7.2", "8", "9"],
        ),
        ("municipality_code=312011".to_owned(), vec!["3", "5"]),
        ("kind=area".to_owned(), vec!["5", "7.1"]),
        ("status=published".to_owned(), vec!["6"]),
    ] {
        assert_eq!(
            editor.list(&format!("/municipality-facts?{query}"), "value").await,
            values,
            "{query}"
        );
    }
}

#[tokio::test]
async fn another_digit_is_a_change() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!(
        "/municipality-facts/{}",
        editor.create("/municipality-facts", fact("8.0", "2020-10-01")).await
    );
    let changed = editor.patch(&address, json!({ "value": "8.00" })).await.expect(200);
    assert_eq!((&changed["value"], &changed["version"]), (&json!("8.00"), &json!(2)));
    let address = format!(
        "/kpis/{}",
        editor
            .create("/kpis", with(kpi("割合"), json!({ "baseline": { "value": "8.0" } })))
            .await
    );
    let changed = editor
        .patch(&address, json!({ "baseline": { "value": "8.00" } }))
        .await
        .expect(200);
    assert_eq!(changed["baseline"]["value"], "8.00");
}
