//! KPIs: definition sheet, places, lines, targets and values. Exact, appended and never overwritten.

use crate::app::{NANBU, PROMOTION, Reply, TOTTORI_CITY, TestApp, with};
use crate::history::now;
use crate::plans::{SharedPlan, goal, plan};
use crate::platforms::platform;
use crate::projects::project;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

pub fn kpi(name: &str) -> Value {
    json!({ "name": name, "value_type": "number", "unit": "人" })
}

/// A period of a fiscal year, without a value.
fn period(series: Uuid, fiscal_year: i32) -> Value {
    json!({ "series_id": series, "period_kind": "fiscal_year",
        "period_start": format!("{fiscal_year}-04-01"), "period_end": format!("{}-03-31", fiscal_year + 1) })
}

/// The value of a fiscal year.
pub fn year(series: Uuid, fiscal_year: i32, number: &str) -> Value {
    with(period(series, fiscal_year), json!({ "number": number }))
}

fn target(kpi: Uuid, fiscal_year: i32, value: &str) -> Value {
    json!({ "kpi_id": kpi, "fiscal_year": fiscal_year, "value": value })
}

#[tokio::test]
async fn baseline_and_value_keep_their_own_period_and_source() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = json!({
        "code": "1-1", "name": "サポーターの認知度", "definition": "「知っている」と答えた人の割合\n（無回答を除く）", "value_type": "number",
        "unit": "%", "decimals": 1, "direction": "increase", "numerator_label": "知っている人", "denominator_label": "回答者",
        "baseline": {
            "value": "23.3", "period": { "precision": "fiscal_year", "start": "2023-04-01", "printed": "令和5年度" },
            "source": "令和5年度市民意識調査", "printed": "２３．３％"
        },
        "time_rule": "none", "area_rule": "ratio", "frequency": "irregular", "responsible": "福祉課", "data_source": "意識調査",
        "counts_people": true, "printed": "認知度 23.3%→", "visibility": "partners", "position": 5, "platform_id": null, "plan_id": null
    });
    let created = editor.post("/kpis", body.clone()).await.expect(201);
    let value = with(
        year(created.id(), 2024, "41"),
        json!({ "source": "令和6年度サポーター調査", "series_break": true, "printed": "41%", "note": "対象者が異なる", "approximate": false, "quality": "final" }),
    );
    let recorded = editor.post("/kpi-observations", value.clone()).await.expect(201);
    for (name, value) in value.as_object().expect("fields") {
        assert_eq!(&recorded[name], value, "{name}");
    }
    assert_eq!(recorded["recorded_by"], format!("{} editor", NANBU.name));
    let read = editor.get(&format!("/kpis/{}", created.id())).await.expect(200);
    for (name, value) in body.as_object().expect("fields") {
        assert_eq!(&read[name], value, "{name}");
    }
    assert_eq!(
        (&read["current"]["value"], &read["current"]["period_start"]),
        (&json!("41"), &json!("2024-04-01"))
    );
    assert_eq!(read["observations"][0], recorded.body);
}

#[tokio::test]
async fn decimals_come_back_digit_by_digit_and_are_never_numbers() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("割合")).await;
    let exact = [
        "23.3",
        "0.10",
        "8.0",
        "-17.7",
        "0",
        "100",
        "39.9",
        "0.000000001",
        "123456789012345678.987654321",
        "0.30000000000000004",
    ];
    for (n, text) in (2000..).zip(exact) {
        let fits = text.split('.').nth(1).is_none_or(|digits| digits.len() <= 9);
        let reply = editor.post("/kpi-observations", year(id, n, text)).await;
        if !fits {
            reply.wrong_field("/number", "wrong_type");
            continue;
        }
        let written = format!("\"number\":\"{text}\"");
        assert!(reply.expect(201).text.contains(&written), "{text}");
        let read = editor.get(&format!("/kpis/{id}")).await.expect(200);
        assert!(
            read.text.contains(&written) && read.text.contains(&format!("\"value\":\"{text}\"")),
            "{}",
            read.text
        );
        assert_eq!(editor.get("/kpis").await.expect(200).items("current")[0]["value"], text);
        let file = editor
            .get(&format!("/kpis/{id}/observations?format=csv&fiscal_year={n}"))
            .await
            .expect(200);
        assert!(
            file.text
                .lines()
                .nth(1)
                .is_some_and(|row| row.split(',').any(|cell| cell == text)),
            "{}",
            file.text
        );
        let set = editor.post("/kpi-targets", target(id, n, text)).await.expect(201);
        assert_eq!(set["value"], text);
        let targets = &editor.get(&format!("/kpis/{id}")).await.expect(200)["current"]["targets"];
        assert_eq!(targets[n.to_string()], text);
        let base = json!({ "baseline": { "value": text } });
        let patched = editor.patch(&format!("/kpis/{id}"), base.clone()).await.expect(200);
        assert_eq!(patched["baseline"], base["baseline"]);
    }
    let between = json!({ "comparator": "between", "high": "10.50" });
    let set = editor
        .post("/kpi-targets", with(target(id, 2030, "10.40"), between))
        .await
        .expect(201);
    assert_eq!((&set["value"], &set["high"]), (&json!("10.40"), &json!("10.50")));
    let before = app.versions().await;
    for wrong in [
        json!(23.3),
        json!(8),
        json!("1e5"),
        json!("01"),
        json!(".5"),
        json!("1."),
        json!("+1"),
        json!("1,000"),
        json!("２３．３"),
        json!(" 1"),
        json!(""),
        json!("NaN"),
        json!("1234567890123456789"),
        json!(true),
    ] {
        for (list, field, body) in [
            ("/kpi-observations", "number", year(id, 2040, "1")),
            ("/kpi-targets", "value", target(id, 2040, "1")),
            (
                "/municipality-facts",
                "value",
                crate::municipality_facts::fact("1", "2020-10-01"),
            ),
        ] {
            let reply = editor.post(list, with(body, json!({ field: wrong }))).await;
            reply.wrong_field(&format!("/{field}"), "wrong_type");
        }
    }
    assert_eq!(app.versions().await, before);
}

#[tokio::test]
async fn printed_numbers_stay_a_range_about_or_a_share_of_people() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let people = editor.create("/kpis", kpi("参加者")).await;
    let share = with(kpi("認知度"), json!({ "value_type": "ratio", "unit": "%" }));
    let share = editor.create("/kpis", share).await;
    let open = with(kpi("連絡会"), json!({ "value_type": "state", "unit": null }));
    let open = editor.create("/kpis", open).await;
    let text = editor
        .create("/kpis", with(kpi("変化"), json!({ "value_type": "text" })))
        .await;
    for (series, n, value) in [
        (
            people,
            2021,
            json!({ "low": "23", "high": "24", "approximate": true, "printed": "23～24名程度" }),
        ),
        (
            people,
            2022,
            json!({ "number": "25", "approximate": true, "printed": "25名ほど", "quality": "provisional" }),
        ),
        (people, 2023, json!({ "low": "8", "high": "8", "approximate": false })),
        // 39.9% of 163 is printed; the people behind it are not computed from it, nor it from them.
        (
            share,
            2023,
            json!({ "number": "39.9", "printed": "39.9%（N=163）", "quality": "estimated" }),
        ),
        (
            share,
            2024,
            json!({ "numerator": "65", "denominator": "163", "note": "窓口" }),
        ),
        (open, 2024, json!({ "state": "設置準備中" })),
        (text, 2024, json!({ "state": "表情が明るくなった\n話すようになった" })),
    ] {
        let recorded = editor
            .post("/kpi-observations", with(period(series, n), value.clone()))
            .await
            .expect(201);
        for field in [
            "number",
            "low",
            "high",
            "numerator",
            "denominator",
            "state",
            "missing_reason",
            "printed",
            "note",
        ] {
            assert_eq!(recorded[field], value[field], "{field}");
        }
        for field in ["approximate", "quality"] {
            let default = if field == "quality" {
                json!("final")
            } else {
                json!(false)
            };
            assert_eq!(&recorded[field], value.get(field).unwrap_or(&default), "{field}");
        }
    }
    let current = &editor.get(&format!("/kpis/{open}")).await.expect(200)["current"];
    assert_eq!(
        (&current["text"], &current["value"]),
        (&json!("設置準備中"), &Value::Null)
    );
}

#[tokio::test]
async fn zero_is_a_value_missing_has_a_reason_and_no_row_is_neither() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("説明会に出た人")).await;
    let line = async |code: &str| {
        editor
            .create("/kpi-series", json!({ "kpi_id": id, "municipality_code": code }))
            .await
    };
    // Invited but absent is a zero; a town where it was not held says so; the third was never asked.
    let (absent, not_held, unasked) = (line("043249").await, line("313891").await, line("312011").await);
    editor.create("/kpi-observations", year(absent, 2024, "0")).await;
    let missing = with(period(not_held, 2024), json!({ "missing_reason": "not_carried_out" }));
    editor.create("/kpi-observations", missing).await;
    for (series, rows) in [
        (absent, vec![(json!("0"), Value::Null)]),
        (not_held, vec![(Value::Null, json!("not_carried_out"))]),
        (unasked, vec![]),
    ] {
        let (numbers, reasons): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let list = format!("/kpi-observations?series_id={series}");
        assert_eq!(editor.list(&list, "number").await, numbers);
        assert_eq!(editor.list(&list, "missing_reason").await, reasons);
    }
    let whole = format!("/kpis/{id}");
    assert_eq!(
        editor.get(&whole).await.expect(200)["current"],
        Value::Null,
        "a line is not the whole"
    );
    for (n, value, shown, reason) in [
        (2021, json!({ "number": "0" }), json!("0"), Value::Null),
        (
            2022,
            json!({ "missing_reason": "not_available" }),
            Value::Null,
            json!("not_available"),
        ),
        (
            2023,
            json!({ "missing_reason": "suppressed" }),
            Value::Null,
            json!("suppressed"),
        ),
    ] {
        editor.create("/kpi-observations", with(period(id, n), value)).await;
        let current = &editor.get(&whole).await.expect(200)["current"];
        assert_eq!(
            (&current["value"], &current["missing_reason"]),
            (&shown, &reason),
            "{n}"
        );
    }
    let unknown = with(period(id, 2024), json!({ "missing_reason": "" }));
    editor
        .post("/kpi-observations", unknown)
        .await
        .wrong_field("/missing_reason", "unknown_choice");
}

#[tokio::test]
async fn an_observation_says_exactly_one_thing_of_the_kind_of_its_kpi() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let of = async |value_type: &str| {
        let body = with(kpi(value_type), json!({ "value_type": value_type }));
        editor.create("/kpis", body).await
    };
    let (number, ratio, state) = (of("number").await, of("ratio").await, of("state").await);
    let rule = |name: &str| format!("kpi_observations_{name}");
    for (series, value, code) in [
        (number, json!({ "number": "1", "state": "済" }), rule("one_value")),
        (
            number,
            json!({ "number": "1", "missing_reason": "not_available" }),
            rule("one_value"),
        ),
        (
            number,
            json!({ "number": "1", "low": "1", "high": "2" }),
            rule("one_value"),
        ),
        (
            ratio,
            json!({ "number": "50", "numerator": "1", "denominator": "2" }),
            rule("one_value"),
        ),
        (number, json!({}), rule("value_type")),
        (number, json!({ "state": "済" }), rule("value_type")),
        (
            number,
            json!({ "numerator": "1", "denominator": "2" }),
            rule("value_type"),
        ),
        (number, json!({ "high": "2" }), rule("value_type")),
        (ratio, json!({ "low": "1", "high": "2" }), rule("value_type")),
        (ratio, json!({ "denominator": "2" }), rule("value_type")),
        (state, json!({ "number": "1" }), rule("value_type")),
        (number, json!({ "low": "1" }), rule("range")),
        (number, json!({ "low": "24", "high": "23" }), rule("range")),
        (number, json!({ "number": "1", "high": "2" }), rule("range")),
        (ratio, json!({ "numerator": "1" }), rule("ratio")),
        (ratio, json!({ "number": "1", "denominator": "2" }), rule("ratio")),
        (ratio, json!({ "numerator": "0", "denominator": "0" }), rule("ratio")),
        (ratio, json!({ "numerator": "1", "denominator": "-2" }), rule("ratio")),
        (Uuid::now_v7(), json!({ "number": "1" }), rule("series_id_fkey")),
    ] {
        editor
            .refused("/kpi-observations", with(period(series, 2024), value), 409, &code)
            .await;
    }
    // A period is as long as its kind says.
    let of_kind = |kind: &str, start: &str, end: &str| json!({ "series_id": number, "period_kind": kind, "period_start": start, "period_end": end, "number": "1" });
    for (kind, start, end) in [
        ("fiscal_year", "2024-01-01", "2024-12-31"),
        ("fiscal_year", "2024-04-01", "2025-03-30"),
        ("quarter", "2024-05-01", "2024-07-31"),
        ("month", "2025-02-01", "2025-02-29"),
        ("month", "2024-04-02", "2024-05-01"),
        ("day", "2024-04-01", "2024-04-02"),
        ("range", "2024-04-02", "2024-04-01"),
    ] {
        if end == "2025-02-29" {
            let reply = editor.post("/kpi-observations", of_kind(kind, start, end)).await;
            reply.wrong_field("/period_end", "wrong_type");
            continue;
        }
        editor
            .refused(
                "/kpi-observations",
                of_kind(kind, start, end),
                409,
                "kpi_observations_period",
            )
            .await;
    }
    for (kind, start, end) in [
        ("fiscal_year", "2024-04-01", "2025-03-31"),
        ("quarter", "2025-01-01", "2025-03-31"),
        ("month", "2024-02-01", "2024-02-29"),
        ("day", "2024-02-29", "2024-02-29"),
        ("range", "2024-04-01", "2025-03-31"),
    ] {
        editor.create("/kpi-observations", of_kind(kind, start, end)).await;
    }
    // Periods belong to the fiscal year in which they begin.
    let kinds = async |year: i32| {
        let list = format!("/kpi-observations?series_id={number}&fiscal_year={year}");
        editor.list(&list, "period_kind").await
    };
    assert_eq!(kinds(2023).await, ["month", "day"]);
    assert_eq!(kinds(2024).await, ["fiscal_year", "range", "quarter"]);
}

#[tokio::test]
async fn a_value_is_corrected_by_a_new_one_that_names_it_and_a_final_one_with_a_reason() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("相談先を知る人")).await;
    let correct = |number: &str, supersedes: Value, reason: Value, quality: &str| {
        with(
            year(id, 2024, number),
            json!({ "supersedes_id": supersedes, "reason": reason, "quality": quality }),
        )
    };
    let other_year = editor.create("/kpi-observations", year(id, 2023, "1")).await;
    let first = editor
        .post(
            "/kpi-observations",
            correct("10", Value::Null, Value::Null, "provisional"),
        )
        .await
        .expect(201);
    let current = "kpi_observations_current";
    for supersedes in [Value::Null, json!(other_year)] {
        editor
            .refused(
                "/kpi-observations",
                correct("11", supersedes, json!("訂正"), "final"),
                409,
                current,
            )
            .await;
    }
    let unknown = correct("11", json!(Uuid::now_v7()), json!("訂正"), "final");
    editor.refused("/kpi-observations", unknown, 409, current).await;
    // What was provisional is settled without a reason, what was final is not touched without one.
    let second = editor
        .post(
            "/kpi-observations",
            correct("11", json!(first.id()), Value::Null, "final"),
        )
        .await
        .expect(201);
    for reason in [Value::Null, json!("")] {
        editor
            .refused(
                "/kpi-observations",
                correct("12", json!(second.id()), reason, "final"),
                409,
                "kpi_observations_reason",
            )
            .await;
    }
    editor
        .refused(
            "/kpi-observations",
            correct("12", json!(first.id()), json!("訂正"), "final"),
            409,
            current,
        )
        .await;
    let third = editor
        .post(
            "/kpi-observations",
            correct("12", json!(second.id()), json!("集計の誤り"), "final"),
        )
        .await
        .expect(201);
    assert_eq!([&first, &second, &third].map(|r| r["revision"].clone()), [1, 2, 3]);
    for (query, numbers) in [
        ("", vec!["1", "10", "11", "12"]),
        ("?current=true", vec!["1", "12"]),
        ("?fiscal_year=2024", vec!["10", "11", "12"]),
    ] {
        assert_eq!(
            editor.list(&format!("/kpis/{id}/observations{query}"), "number").await,
            numbers,
            "{query}"
        );
    }
    for address in [
        format!("/kpi-observations/{}", first.id()),
        format!("/kpi-observations/{}", third.id()),
    ] {
        for method in [Method::PATCH, Method::DELETE] {
            let body = Some(json!({ "number": "99" }));
            editor
                .send(method, &address, body, &[("if-match", "*")])
                .await
                .problem(405, "method_not_allowed");
        }
    }
    assert_eq!(
        editor
            .get(&format!("/kpi-observations/{}", first.id()))
            .await
            .expect(200)
            .body,
        first.body
    );
    // A correction of an older year leaves the newest value where it is.
    let body = with(
        year(id, 2023, "2"),
        json!({ "supersedes_id": other_year, "reason": "訂正" }),
    );
    editor.create("/kpi-observations", body).await;
    let kpi = editor.get(&format!("/kpis/{id}")).await.expect(200);
    assert_eq!(kpi["current"]["value"], "12");
    let newest: Vec<_> = kpi["observations"]
        .as_array()
        .expect("values")
        .iter()
        .map(|o| o["number"].clone())
        .collect();
    assert_eq!(newest, ["12", "2"]);
    // A KPI with values is not deleted.
    editor.delete(&format!("/kpis/{id}")).await.expect(409);
}

#[tokio::test]
async fn of_corrections_at_once_one_counts_and_the_others_learn_it() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let value = editor.create("/kpi-observations", year(id, 2024, "1")).await;
    let target_id = editor.create("/kpi-targets", target(id, 2024, "1")).await;
    for (list, body, supersedes, code) in [
        (
            "/kpi-observations",
            year(id, 2024, "2"),
            Some(value),
            "kpi_observations_current",
        ),
        (
            "/kpi-observations",
            year(id, 2025, "2"),
            None,
            "kpi_observations_current",
        ),
        (
            "/kpi-targets",
            target(id, 2024, "2"),
            Some(target_id),
            "kpi_targets_current",
        ),
        ("/kpi-targets", target(id, 2025, "2"), None, "kpi_targets_current"),
    ] {
        let body = with(body, json!({ "supersedes_id": supersedes, "reason": "訂正" }));
        let mut replies = join_all((0..4).map(|_| editor.post(list, body.clone()))).await;
        replies.sort_by_key(|reply| reply.status);
        let winner = replies.remove(0).expect(201);
        assert_eq!(winner["revision"], if supersedes.is_some() { 2 } else { 1 });
        for late in replies {
            late.problem(409, code);
        }
    }
}

#[tokio::test]
async fn a_target_is_changed_with_a_reason_and_the_old_one_is_kept() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("集落")).await;
    let more = json!({ "rationale": "6 % of 1,274", "scope": "令和3年度以降の集落", "printed": "40以上", "comparator": "at_most" });
    let first = editor
        .post("/kpi-targets", with(target(id, 2025, "40"), more.clone()))
        .await
        .expect(201);
    for (name, value) in more.as_object().expect("fields") {
        assert_eq!(&first[name], value, "{name}");
    }
    let other_year = editor.create("/kpi-targets", target(id, 2026, "45")).await;
    let change = |value: &str, supersedes: Value, reason: Value| {
        with(
            target(id, 2025, value),
            json!({ "supersedes_id": supersedes, "reason": reason }),
        )
    };
    for (supersedes, reason, code) in [
        (Value::Null, json!("実績による"), "kpi_targets_current"),
        (json!(other_year), json!("実績による"), "kpi_targets_current"),
        (
            json!(Uuid::now_v7()),
            json!("実績による"),
            "kpi_targets_supersedes_id_fkey",
        ),
        (json!(first.id()), Value::Null, "kpi_targets_reason"),
        (json!(first.id()), json!(""), "kpi_targets_reason"),
    ] {
        editor
            .refused("/kpi-targets", change("50", supersedes, reason), 409, code)
            .await;
    }
    let targets = async || editor.get(&format!("/kpis/{id}")).await.expect(200)["current"]["targets"].clone();
    assert_eq!(targets().await, json!({ "2025": "40", "2026": "45" }));
    let second = editor
        .post("/kpi-targets", change("50", json!(first.id()), json!("実績による")))
        .await
        .expect(201);
    assert_eq!(second["revision"], 2);
    assert_eq!(targets().await, json!({ "2025": "50", "2026": "45" }));
    let none = json!({ "kpi_id": id, "fiscal_year": 2025, "kind": "not_set", "rationale": "予防が目的のため数値目標は設定しない",
        "supersedes_id": second.id(), "reason": "見直し" });
    editor.create("/kpi-targets", none).await;
    assert_eq!(targets().await, json!({ "2026": "45" }));
    let words = json!({ "kpi_id": id, "fiscal_year": 2024, "kind": "qualitative", "text": "連絡会を設ける" });
    editor.create("/kpi-targets", words).await;
    assert_eq!(
        editor
            .list(&format!("/kpi-targets?kpi_id={id}&fiscal_year=2025"), "value")
            .await,
        [json!("40"), json!("50"), Value::Null]
    );
    let address = format!("/kpi-targets/{}", first.id());
    assert_eq!(editor.get(&address).await.expect(200).body, first.body);
    for method in [Method::PATCH, Method::DELETE] {
        let reply = editor
            .send(method, &address, Some(json!({ "value": "1" })), &[("if-match", "*")])
            .await;
        reply.problem(405, "method_not_allowed");
    }
    for wrong in [
        json!({ "value": null }),
        json!({ "comparator": "between" }),
        json!({ "high": "50" }),
        json!({ "kind": "qualitative" }),
        json!({ "kind": "qualitative", "text": "連絡会を設ける" }),
        json!({ "kind": "not_set" }),
    ] {
        editor
            .refused(
                "/kpi-targets",
                with(target(id, 2030, "40"), wrong),
                409,
                "kpi_targets_value",
            )
            .await;
    }
    let unknown = target(Uuid::now_v7(), 2025, "1");
    editor
        .refused("/kpi-targets", unknown, 409, "kpi_targets_kpi_id_fkey")
        .await;
}

#[tokio::test]
async fn current_value_and_targets_are_those_of_the_moment_that_is_asked_for() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let body = with(kpi("利用者"), json!({ "visibility": "public" }));
    let id = editor.create("/kpis", body).await;
    let sees = async |moment: &str, value: Value, targets: Value, numbers: &[&str]| {
        let read = editor.get(&format!("/kpis/{id}?as_of={moment}")).await.expect(200);
        let listed = editor
            .get(&format!("/kpis?as_of={moment}"))
            .await
            .expect(200)
            .items("current");
        let (current, numbers_then): (&Value, Vec<Value>) = (
            &read["current"],
            read["observations"]
                .as_array()
                .expect("values")
                .iter()
                .map(|o| o["number"].clone())
                .collect(),
        );
        assert_eq!(*current, listed[0]);
        assert_eq!(current["value"], value, "{moment}");
        assert_eq!(current["targets"], targets, "{moment}");
        assert_eq!(numbers_then, numbers);
        let all = editor
            .list(
                &format!("/kpis/{id}/observations?current=true&as_of={moment}"),
                "number",
            )
            .await;
        let oldest_first: Vec<_> = numbers.iter().rev().map(|n| json!(n)).collect();
        assert_eq!(all, oldest_first);
        let file = editor
            .get(&format!(
                "/kpis/{id}/observations?current=true&format=csv&as_of={moment}"
            ))
            .await
            .expect(200);
        assert_eq!(file.text.lines().count(), numbers.len() + 1);
    };
    let empty = now(&app).await;
    let first = editor.create("/kpi-observations", year(id, 2023, "10")).await;
    let goal = editor.create("/kpi-targets", target(id, 2025, "40")).await;
    let early = now(&app).await;
    editor.create("/kpi-observations", year(id, 2024, "20.0")).await;
    let more = json!({ "supersedes_id": goal, "reason": "実績による" });
    editor.create("/kpi-targets", with(target(id, 2025, "50"), more)).await;
    let late = now(&app).await;
    let more = json!({ "supersedes_id": first, "reason": "訂正" });
    editor
        .create("/kpi-observations", with(year(id, 2023, "11"), more))
        .await;
    editor
        .patch(&format!("/kpis/{id}"), json!({ "name": "利用した人" }))
        .await
        .expect(200);
    let today = now(&app).await;
    let read = editor.get(&format!("/kpis/{id}?as_of={empty}")).await.expect(200);
    assert_eq!((&read["current"], &read["observations"]), (&Value::Null, &json!([])));
    sees(&early, json!("10"), json!({ "2025": "40" }), &["10"]).await;
    sees(&late, json!("20.0"), json!({ "2025": "50" }), &["20.0", "10"]).await;
    sees(&today, json!("20.0"), json!({ "2025": "50" }), &["20.0", "11"]).await;
    let then = editor.get(&format!("/kpis/{id}?as_of={late}")).await.expect(200);
    assert_eq!(then["name"], "利用者");
    // Now and the past of this moment are the same.
    let now = editor.get(&format!("/kpis/{id}")).await.expect(200);
    assert_eq!(
        editor.get(&format!("/kpis/{id}?as_of={today}")).await.expect(200).body,
        now.body
    );
    let none: [Value; 0] = [];
    assert_eq!(editor.list(&format!("/kpi-targets?as_of={empty}"), "value").await, none);
    assert_eq!(
        editor.list(&format!("/kpi-targets?as_of={early}"), "value").await,
        ["40"]
    );
}

#[tokio::test]
async fn the_list_tells_where_kpis_stand_in_a_fiscal_year() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (one, two) = (
        editor.create("/kpis", kpi("一")).await,
        editor.create("/kpis", kpi("二")).await,
    );
    let line = editor
        .create("/kpi-series", json!({ "kpi_id": two, "district": "東" }))
        .await;
    let month = json!({ "period_kind": "month", "period_start": "2025-03-01" });
    editor
        .create("/kpi-observations", with(year(one, 2024, "3.0"), month))
        .await;
    let first = editor.create("/kpi-observations", year(one, 2024, "10")).await;
    let correction = json!({ "supersedes_id": first, "reason": "訂正" });
    editor
        .create("/kpi-observations", with(year(one, 2024, "12.0"), correction))
        .await;
    for (series, n, number) in [(one, 2023, "9"), (one, 2025, "20"), (line, 2024, "7")] {
        editor.create("/kpi-observations", year(series, n, number)).await;
    }
    let old = editor.create("/kpi-targets", target(one, 2024, "40")).await;
    let more = json!({ "supersedes_id": old, "reason": "見直し" });
    editor.create("/kpi-targets", with(target(one, 2024, "50"), more)).await;
    let words = json!({ "kpi_id": two, "fiscal_year": 2024, "kind": "qualitative", "text": "連絡会を設ける" });
    editor.create("/kpi-targets", words).await;
    let of_year = editor.list("/kpis?fiscal_year=2024", "of_year").await;
    assert_eq!(
        of_year[0]["observation"]["number"], "12.0",
        "the longest of the latest periods, in its newest revision"
    );
    assert_eq!(of_year[0]["target"]["value"], "50");
    assert_eq!(of_year[1]["observation"], Value::Null, "a line is not the whole");
    assert_eq!(of_year[1]["target"]["text"], "連絡会を設ける");
    // Where they stand today does not depend on the year that is asked for, and other years have nothing.
    let current = editor.list("/kpis?fiscal_year=2024", "current").await;
    assert_eq!(current[0]["value"], "20");
    let nothing = json!({ "observation": null, "target": null });
    assert_eq!(
        editor.list("/kpis?fiscal_year=2020", "of_year").await,
        [nothing.clone(), nothing]
    );
    assert_eq!(editor.list("/kpis", "of_year").await, [Value::Null, Value::Null]);
}

#[tokio::test]
async fn observations_are_a_file_with_one_value_a_row() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let csv = async |path: String| -> Reply {
        let reply = editor
            .send(Method::GET, &path, None, &[("accept", "text/csv")])
            .await
            .expect(200);
        assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(
            !reply.text.starts_with('\u{feff}') && reply.text.ends_with("\r\n"),
            "{}",
            reply.text
        );
        assert_eq!(
            reply.text.matches('\n').count(),
            reply.text.matches("\r\n").count(),
            "{}",
            reply.text
        );
        reply
    };
    let address = format!("/kpis/{id}/observations");
    let empty = csv(address.clone()).await;
    let header: Vec<&str> = empty.text.trim_end().split(',').collect();
    assert!(
        header
            .iter()
            .all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    );
    let column = |name: &str| {
        header
            .iter()
            .position(|h| *h == name)
            .unwrap_or_else(|| panic!("no column {name}"))
    };
    let before = now(&app).await;
    let ward = editor
        .create(
            "/kpi-series",
            json!({ "kpi_id": id, "district": "東西町", "municipality_code": "313891",
            "dimensions": { "年代": "20代", "性別": "女" } }),
        )
        .await;
    let first = editor.create("/kpi-observations", year(id, 2023, "0")).await;
    let correction = json!({ "supersedes_id": first, "reason": "訂正", "series_break": true });
    editor
        .create("/kpi-observations", with(year(id, 2023, "8.0"), correction))
        .await;
    let range = with(
        period(ward, 2024),
        json!({ "low": "23", "high": "24", "approximate": true, "quality": "provisional" }),
    );
    editor.create("/kpi-observations", range).await;
    let missing = with(
        period(id, 2024),
        json!({ "missing_reason": "not_yet_due", "source": "広報 1月号" }),
    );
    editor.create("/kpi-observations", missing).await;
    let file = csv(address.clone()).await;
    let rows: Vec<Vec<&str>> = file
        .text
        .split_terminator("\r\n")
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    assert!(rows.iter().all(|row| row.len() == header.len()), "{}", file.text);
    for (name, cells) in [
        ("number", ["0", "8.0", "", ""]),
        ("low", ["", "", "23", ""]),
        ("high", ["", "", "24", ""]),
        ("missing_reason", ["", "", "", "not_yet_due"]),
        ("unit", ["人"; 4]),
        ("district", ["", "", "東西町", ""]),
        ("municipality_code", ["", "", "313891", ""]),
        ("dimensions", ["", "", "年代=20代、性別=女", ""]),
        ("reason", ["", "訂正", "", ""]),
        ("recorded_by", ["南部町 editor"; 4]),
        ("fiscal_year", ["2023", "2023", "2024", "2024"]),
        ("period_start", ["2023-04-01", "2023-04-01", "2024-04-01", "2024-04-01"]),
        ("revision", ["1", "2", "1", "1"]),
        ("approximate", ["false", "false", "true", "false"]),
        ("series_break", ["false", "true", "false", "false"]),
        ("quality", ["final", "final", "provisional", "final"]),
        ("source", ["", "", "", "広報 1月号"]),
    ] {
        let got: Vec<&str> = rows.iter().map(|row| row[column(name)]).collect();
        assert_eq!(got, cells, "{name}");
    }
    assert_eq!(rows[2][column("series_id")], ward.to_string());
    for (query, count) in [("current=true", 3), ("fiscal_year=2023", 2), ("limit=1", 4)] {
        assert_eq!(
            csv(format!("{address}?{query}")).await.text.lines().count(),
            count + 1,
            "{query}"
        );
    }
    assert_eq!(csv(format!("{address}?series_id={ward}")).await.text.lines().count(), 2);
    assert_eq!(csv(format!("{address}?as_of={before}")).await.text, empty.text);
    assert_eq!(
        editor.get(&format!("{address}?format=csv")).await.expect(200).text,
        file.text
    );
    let headers = [("accept", "application/json")];
    let page = editor.send(Method::GET, &address, None, &headers).await.expect(200);
    assert_eq!(
        page.items("number"),
        [json!("0"), json!("8.0"), Value::Null, Value::Null]
    );

    // What a spreadsheet would take for a formula is text, a line feed is none, and quotes are doubled.
    let risky = with(kpi("=HYPERLINK(\"x\")"), json!({ "value_type": "text", "unit": "@円" }));
    let id = editor.create("/kpis", risky).await;
    for (n, state, source) in [(2021, "+1\n-2", "＝1"), (2022, "-1", "a,b"), (2023, "\"引用\"", "－1")] {
        let body = with(period(id, n), json!({ "state": state, "source": source }));
        editor.create("/kpi-observations", body).await;
    }
    let file = csv(format!("/kpis/{id}/observations")).await.text;
    for cell in [
        ",\"'=HYPERLINK(\"\"x\"\")\",",
        ",'@円,",
        ",'+1 -2,",
        ",'＝1,",
        ",'-1,",
        ",\"a,b\",",
        ",\"\"\"引用\"\"\",",
        ",'－1,",
    ] {
        assert!(file.contains(cell), "{cell}: {file}");
    }
    app.anonymous()
        .get(&format!("{address}?format=csv"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_kpi_is_relisted_under_several_measures_and_exists_once() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let second = editor.create("/goals", goal(here.plan, "二つ目")).await;
    let platform_id = editor.create("/platforms", platform("南部町PF")).await;
    let project_id = editor.create("/projects", project("交流会")).await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    editor.create("/kpi-observations", year(id, 2024, "12")).await;
    let at = |more: Value| with(json!({ "kpi_id": id }), more);
    let first = at(json!({ "goal_id": here.goal, "number": "1-1", "printed": "利用者 12人" }));
    let first = format!("/kpi-placements/{}", editor.create("/kpi-placements", first).await);
    let again = at(json!({ "goal_id": second, "relisted": true, "printed": "利用者 ※再掲" }));
    editor.create("/kpi-placements", again.clone()).await;
    let of_project = at(json!({ "project_id": project_id }));
    editor.create("/kpi-placements", of_project.clone()).await;
    let sheet = editor
        .get(&format!("/plans/{}/sheet", here.plan))
        .await
        .expect(200)
        .body;
    let listed: Vec<_> = sheet["kpis"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|k| [&k["kpi_id"], &k["relisted"], &k["current"]["value"]])
        .collect();
    assert_eq!(
        listed,
        [
            [&json!(id), &json!(false), &json!("12")],
            [&json!(id), &json!(true), &json!("12")]
        ]
    );
    for query in [format!("goal_id={second}"), format!("project_id={project_id}")] {
        assert_eq!(
            editor.list(&format!("/kpis?{query}"), "id").await,
            [json!(id)],
            "{query}"
        );
    }
    for (body, code) in [
        (again, "kpi_placements_key"),
        (of_project, "kpi_placements_key"),
        (at(json!({})), "kpi_placements_place"),
        (
            at(json!({ "goal_id": second, "platform_id": platform_id })),
            "kpi_placements_place",
        ),
        (at(json!({ "goal_id": Uuid::now_v7() })), "kpi_placements_goal_id_fkey"),
        (
            json!({ "kpi_id": Uuid::now_v7(), "goal_id": second }),
            "kpi_placements_kpi_id_fkey",
        ),
    ] {
        editor.refused("/kpi-placements", body, 409, code).await;
    }
    for (body, code) in [
        (json!({ "goal_id": second }), "kpi_placements_key"),
        (json!({ "goal_id": null }), "kpi_placements_place"),
        (json!({ "platform_id": platform_id }), "kpi_placements_place"),
    ] {
        editor.refused(&first, body, 409, code).await;
    }
    editor.delete(&first).await.expect(204);
    assert_eq!(
        editor.get(&format!("/kpis/{id}")).await.expect(200)["current"]["value"],
        "12"
    );
}

#[tokio::test]
async fn a_line_is_of_an_area_an_organisation_or_dimensions_and_there_is_one_of_each() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let line = |more: Value| with(json!({ "kpi_id": id }), more);
    assert_eq!(
        editor.list(&format!("/kpi-series?kpi_id={id}"), "id").await,
        [json!(id)],
        "the whole is there from the start"
    );
    let mut made = Vec::new();
    for more in [
        json!({ "municipality_code": "313891" }),
        json!({ "district": "東西町", "municipality_code": "313891" }),
        json!({ "organization_id": PROMOTION.id }),
        json!({ "dimensions": { "年代": "20代", "性別": "女" } }),
        json!({ "dimensions": { "年代": "20代" } }),
    ] {
        let created = editor.post("/kpi-series", line(more.clone())).await.expect(201);
        for (name, value) in more.as_object().expect("fields") {
            assert_eq!(&created[name], value, "{name}");
        }
        editor.refused("/kpi-series", line(more), 409, "kpi_series_key").await;
        made.push(created.id());
    }
    let twenty = format!("/kpi-series/{}", made[4]);
    for (more, code) in [
        (json!({}), "kpi_series_key"),
        (
            json!({ "dimensions": { "性別": "女", "年代": "20代" } }),
            "kpi_series_key",
        ),
        (
            json!({ "municipality_code": "999997" }),
            "kpi_series_municipality_code_fkey",
        ),
        (
            json!({ "organization_id": Uuid::now_v7() }),
            "kpi_series_organization_id_fkey",
        ),
        (json!({ "kpi_id": Uuid::now_v7() }), "kpi_series_kpi_id_fkey"),
    ] {
        editor.refused("/kpi-series", line(more), 409, code).await;
    }
    let same = json!({ "dimensions": { "性別": "女" } });
    editor.refused(&twenty, same, 409, "kpi_series_key").await;
    for (more, path, code) in [
        (
            json!({ "municipality_code": "313892" }),
            "/municipality_code",
            "local_government_code",
        ),
        (json!({ "dimensions": { "": "女" } }), "/dimensions", "blank"),
        (json!({ "dimensions": ["女"] }), "/dimensions", "wrong_type"),
    ] {
        editor.post("/kpi-series", line(more)).await.wrong_field(path, code);
    }
    let value = editor.create("/kpi-observations", year(made[4], 2024, "8")).await;
    editor
        .refused(&twenty, Value::Null, 409, "kpi_observations_series_id_fkey")
        .await;
    assert_eq!(
        editor.get(&format!("/kpi-observations/{value}")).await.expect(200)["kpi_id"],
        json!(id)
    );
    editor.delete(&format!("/kpi-series/{}", made[0])).await.expect(204);
}

#[tokio::test]
async fn an_organisation_records_the_values_of_its_own_line() {
    let app = TestApp::new().await;
    let (editor, partner) = (app.editor().await, app.caller("partner").await);
    let here = SharedPlan::new(&editor).await;
    let shared = json!({ "plan_id": here.plan, "visibility": "partners" });
    let id = editor.create("/kpis", with(kpi("利用者"), shared)).await;
    let own = editor
        .create("/kpi-series", json!({ "kpi_id": id, "organization_id": PROMOTION.id }))
        .await;
    let area = editor
        .create("/kpi-series", json!({ "kpi_id": id, "district": "東西町" }))
        .await;
    let first = partner
        .post("/kpi-observations", year(own, 2024, "7"))
        .await
        .expect(201);
    assert_eq!(
        (&first["owner_org_id"], &first["kpi_id"]),
        (&json!(NANBU.id), &json!(id))
    );
    assert_eq!(first["recorded_by"], format!("{} partner", PROMOTION.name));
    for series in [id, area] {
        partner
            .refused("/kpi-observations", year(series, 2024, "9"), 403, "forbidden")
            .await;
    }
    for (list, body) in [
        ("/kpi-targets", target(id, 2024, "9")),
        (
            "/kpi-series",
            json!({ "kpi_id": id, "organization_id": PROMOTION.id, "district": "東" }),
        ),
        ("/kpi-placements", json!({ "kpi_id": id, "goal_id": here.goal })),
        ("/kpis", kpi("協議会の指標")),
    ] {
        partner.refused(list, body, 403, "forbidden").await;
    }
    // The owner corrects it, and everybody sees who said what.
    let more = json!({ "supersedes_id": first.id(), "reason": "二重計上" });
    editor
        .create("/kpi-observations", with(year(own, 2024, "6"), more))
        .await;
    let by = partner
        .list(&format!("/kpi-observations?series_id={own}"), "recorded_by")
        .await;
    assert_eq!(
        by,
        [format!("{} partner", PROMOTION.name), format!("{} editor", NANBU.name)]
    );
    let council = app.council().await;
    council
        .refused("/kpi-observations", year(own, 2023, "1"), 403, "forbidden")
        .await;
    editor
        .patch(&format!("/kpis/{id}"), json!({ "visibility": "organization" }))
        .await
        .expect(200);
    partner
        .refused(
            "/kpi-observations",
            year(own, 2025, "1"),
            409,
            "kpi_observations_series_id_fkey",
        )
        .await;
}

#[tokio::test]
async fn a_code_is_used_once_in_an_organisation_and_references_are_to_what_is_seen() {
    let app = TestApp::new().await;
    let (editor, city) = (app.editor().await, app.foreign_editor().await);
    let coded = with(kpi("利用者"), json!({ "code": "1-1" }));
    editor.create("/kpis", coded.clone()).await;
    city.create("/kpis", coded.clone()).await;
    editor.refused("/kpis", coded, 409, "kpis_code_key").await;
    let plain = editor.create("/kpis", kpi("利用者")).await;
    let plain = format!("/kpis/{plain}");
    let hidden = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let hidden_plan = app.insert("plans", TOTTORI_CITY, &plan("市の計画")).await;
    for (more, code) in [
        (json!({ "code": "1-1" }), "kpis_code_key"),
        (json!({ "platform_id": hidden }), "kpis_platform_id_fkey"),
        (json!({ "plan_id": hidden_plan }), "kpis_plan_id_fkey"),
    ] {
        editor.refused(&plain, more, 409, code).await;
    }
    for (more, path) in [
        (json!({ "decimals": 7 }), "/decimals"),
        (json!({ "decimals": -1 }), "/decimals"),
    ] {
        editor
            .post("/kpis", with(kpi("利用者"), more))
            .await
            .wrong_field(path, "range");
    }
}

#[tokio::test]
async fn kpis_and_their_parts_are_listed_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let platform = editor.create("/platforms", platform("南部町PF")).await;
    let foreign = with(
        kpi("市の指標"),
        json!({ "visibility": "public", "status": "published", "position": 9 }),
    );
    app.insert("kpis", TOTTORI_CITY, &foreign).await;
    let mut ids = Vec::new();
    for (name, more) in [
        ("二の一", json!({ "position": 2, "platform_id": platform })),
        (
            "二の二",
            json!({ "position": 2, "plan_id": here.plan, "code": "Ｋ－１" }),
        ),
        ("二の三", json!({ "position": 2, "definition": "サポーター養成" })),
        ("一", json!({ "position": 1, "platform_id": platform })),
    ] {
        ids.push(editor.create("/kpis", with(kpi(name), more)).await);
    }
    for (query, names) in [
        (String::new(), vec!["一", "二の一", "二の二", "二の三", "市の指標"]),
        (
            format!("owner_org_id={}", NANBU.id),
            vec!["一", "二の一", "二の二", "二の三"],
        ),
        (format!("platform_id={platform}"), vec!["一", "二の一"]),
        (format!("plan_id={}", here.plan), vec!["二の二"]),
        ("status=published".to_owned(), vec!["市の指標"]),
        ("search=k-1".to_owned(), vec!["二の二"]),
        ("search=ｻﾎﾟｰﾀｰ".to_owned(), vec!["二の三"]),
        (format!("goal_id={}", here.goal), vec![]),
    ] {
        assert_eq!(editor.list(&format!("/kpis?{query}"), "name").await, names, "{query}");
    }
    let (one, two) = (ids[0], ids[1]);
    for (kpi, more) in [
        (one, json!({ "number": "三", "position": 3, "goal_id": here.goal })),
        (one, json!({ "number": "一", "position": 1, "platform_id": platform })),
        (two, json!({ "number": "二", "position": 1, "goal_id": here.goal })),
    ] {
        editor
            .create("/kpi-placements", with(json!({ "kpi_id": kpi }), more))
            .await;
    }
    for (query, numbers) in [
        (String::new(), vec!["一", "二", "三"]),
        (format!("kpi_id={one}"), vec!["一", "三"]),
        (format!("goal_id={}", here.goal), vec!["二", "三"]),
        (format!("platform_id={platform}"), vec!["一"]),
        (format!("project_id={}", Uuid::now_v7()), vec![]),
    ] {
        assert_eq!(
            editor.list(&format!("/kpi-placements?{query}"), "number").await,
            numbers,
            "{query}"
        );
    }
    for (district, position) in [("三", 3), ("一", -1), ("二の一", 2), ("二の二", 2)] {
        let body = json!({ "kpi_id": one, "district": district, "position": position });
        editor.create("/kpi-series", body).await;
    }
    let districts = editor.list(&format!("/kpi-series?kpi_id={one}"), "district").await;
    assert_eq!(
        districts,
        [json!("一"), Value::Null, json!("二の一"), json!("二の二"), json!("三")]
    );
    assert_eq!(editor.list("/kpi-series", "id").await.len(), 9);
    for (kpi, n, value) in [(two, 2025, "3"), (one, 2026, "4"), (one, 2024, "1"), (one, 2025, "2")] {
        editor.create("/kpi-targets", target(kpi, n, value)).await;
    }
    let replaced = editor
        .list(&format!("/kpi-targets?kpi_id={one}&fiscal_year=2025"), "id")
        .await;
    let more = json!({ "supersedes_id": replaced[0], "reason": "見直し" });
    editor
        .create("/kpi-targets", with(target(one, 2025, "2.5"), more))
        .await;
    for (query, values) in [
        (format!("kpi_id={one}"), vec!["1", "2", "2.5", "4"]),
        (format!("kpi_id={two}"), vec!["3"]),
        ("fiscal_year=2026".to_owned(), vec!["4"]),
    ] {
        assert_eq!(
            editor.list(&format!("/kpi-targets?{query}"), "value").await,
            values,
            "{query}"
        );
    }
    assert_eq!(editor.list("/kpi-targets", "value").await.len(), 5);
    let area = editor.list(&format!("/kpi-series?kpi_id={one}"), "id").await[0].clone();
    let area: Uuid = area.as_str().and_then(|id| id.parse().ok()).expect("an id");
    for (series, n, number) in [(one, 2025, "4"), (area, 2024, "2"), (one, 2024, "3"), (two, 2023, "1")] {
        editor.create("/kpi-observations", year(series, n, number)).await;
    }
    for (query, numbers) in [
        (String::new(), vec!["1", "2", "3", "4"]),
        (format!("kpi_id={one}"), vec!["2", "3", "4"]),
        (format!("series_id={area}"), vec!["2"]),
        (format!("kpi_id={one}&fiscal_year=2025"), vec!["4"]),
        ("current=true&fiscal_year=2024".to_owned(), vec!["2", "3"]),
    ] {
        assert_eq!(
            editor.list(&format!("/kpi-observations?{query}"), "number").await,
            numbers,
            "{query}"
        );
    }
    let of_kpi = format!("/kpis/{one}/observations");
    assert_eq!(editor.list(&of_kpi, "number").await, ["2", "3", "4"]);
    assert_eq!(
        editor.list(&format!("{of_kpi}?series_id={one}"), "number").await,
        ["3", "4"]
    );
}

#[tokio::test]
async fn a_kpi_without_values_can_be_deleted() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!("/kpis/{}", editor.create("/kpis", kpi("誤り")).await);
    editor.delete(&address).await.expect(204);
    editor.get(&address).await.problem(404, "not_found");
    assert!(editor.list("/kpi-series", "id").await.is_empty());
}

#[tokio::test]
async fn the_line_of_the_whole_stays_the_whole() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let whole = format!("/kpi-series/{id}");
    let code = "kpi_series_whole";
    editor.refused(&whole, json!({ "district": "東西町" }), 409, code).await;
    editor.refused(&whole, Value::Null, 409, code).await;
    editor.create("/kpi-observations", year(id, 2024, "1")).await;
}

#[tokio::test]
async fn a_line_with_values_stays_with_its_kpi() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (one, two) = (
        editor.create("/kpis", kpi("一")).await,
        editor.create("/kpis", kpi("二")).await,
    );
    let line = editor
        .create("/kpi-series", json!({ "kpi_id": one, "district": "東西町" }))
        .await;
    editor.create("/kpi-observations", year(line, 2024, "1")).await;
    let reply = editor
        .patch(&format!("/kpi-series/{line}"), json!({ "kpi_id": two }))
        .await;
    assert_eq!(reply.status, 409, "{}", reply.text);
}

#[tokio::test]
async fn a_kpi_with_values_keeps_their_kind() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    editor.create("/kpi-observations", year(id, 2024, "1")).await;
    let reply = editor
        .patch(&format!("/kpis/{id}"), json!({ "value_type": "state" }))
        .await;
    assert_eq!(reply.status, 409, "{}", reply.text);
}

#[tokio::test]
async fn the_current_value_of_a_ratio_is_a_decimal_of_the_document() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor
        .create(
            "/kpis",
            with(kpi("認知度"), json!({ "value_type": "ratio", "unit": null })),
        )
        .await;
    let value = with(
        year(id, 2024, "1"),
        json!({ "number": null, "numerator": "65", "denominator": "163" }),
    );
    editor.create("/kpi-observations", value).await;
    let current = editor.get(&format!("/kpis/{id}")).await.expect(200)["current"]["value"].clone();
    assert!(
        current
            .as_str()
            .is_some_and(|v| v.parse::<model::value::Decimal>().is_ok()),
        "{current}"
    );
}

#[tokio::test]
async fn a_target_is_between_a_lower_and_an_upper_bound() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    for body in [
        json!({ "value": "50", "high": "40", "comparator": "between" }),
        json!({ "kind": "qualitative", "text": "設ける", "high": "40" }),
        json!({ "kind": "not_set", "rationale": "予防", "high": "40" }),
    ] {
        let body = with(json!({ "kpi_id": id, "fiscal_year": 2025 }), body);
        editor.refused("/kpi-targets", body, 409, "kpi_targets_value").await;
    }
}

#[tokio::test]
async fn a_blank_is_no_reason() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let here = SharedPlan::new(&editor).await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let evaluation = json!({ "goal_id": here.goal, "fiscal_year": 2024, "stage": "self" });
    let sheet = format!("/plans/{}", here.plan);
    admin.transition(&sheet, "confirmed", "").await.expect(200);
    let reply = admin.transition(&sheet, "draft", "%E3%80%80").await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    for (list, body, code) in [
        (
            "/kpi-targets",
            json!({ "kpi_id": id, "fiscal_year": 2025, "value": "1" }),
            "kpi_targets_reason",
        ),
        ("/kpi-observations", year(id, 2024, "1"), "kpi_observations_reason"),
        ("/evaluations", evaluation, "evaluations_reason"),
    ] {
        let first = editor.create(list, body.clone()).await;
        let again = with(body, json!({ "supersedes_id": first, "reason": " \u{3000}\n" }));
        editor.refused(list, again, 409, code).await;
    }
}

#[tokio::test]
async fn the_current_value_is_the_same_now_and_as_of_now() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/kpis", kpi("利用者")).await;
    let first = editor.create("/kpi-observations", year(id, 2024, "1")).await;
    let again = json!({ "supersedes_id": first, "reason": "訂正" });
    editor
        .create("/kpi-observations", with(year(id, 2024, "2"), again))
        .await;
    let range = with(year(id, 2024, "3"), json!({ "period_kind": "range" }));
    editor.create("/kpi-observations", range).await;
    let moment = crate::history::now(&app).await;
    let now = editor.get(&format!("/kpis/{id}")).await.expect(200);
    let past = editor.get(&format!("/kpis/{id}?as_of={moment}")).await.expect(200);
    assert_eq!(past["current"], now["current"]);
}
