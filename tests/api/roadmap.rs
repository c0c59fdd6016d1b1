//! The roadmap sheet: entries, and what cells say that have none.

use crate::app::{COUNCIL, Caller, NANBU, PROMOTION, Reply, TestApp, with};
use crate::plans::{SharedPlan, actor, goal};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A place of the sheet in fiscal year 2022.
pub fn place(here: &SharedPlan, actor: Option<Uuid>, kind: &str) -> Value {
    json!({ "goal_id": here.goal, "fiscal_year": 2022, "actor_id": actor, "kind": kind })
}

pub fn item(here: &SharedPlan, actor: Uuid, text: &str) -> Value {
    with(place(here, Some(actor), "planned"), json!({ "text": text }))
}

async fn carry_over(caller: &Caller<'_>, item: &str, fiscal_year: i32) -> Reply {
    let (path, key) = (format!("{item}/carry-over"), Uuid::now_v7().to_string());
    let headers = [("if-match", "*"), ("idempotency-key", &key)];
    caller
        .send(
            Method::POST,
            &path,
            Some(json!({ "fiscal_year": fiscal_year })),
            &headers,
        )
        .await
}

#[tokio::test]
async fn a_blank_cell_stays_null_and_is_not_未実施() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let sheet = format!("/plans/{}/sheet", here.plan);
    let blank = editor.get(&sheet).await.expect(200);
    assert_eq!((&blank["cells"], &blank["items"]), (&json!([]), &json!([])));
    // Seven councils in one column of the document: some are empty, one says 未実施, one なし, one entered by its heading only.
    let mut councils = Vec::new();
    for n in 0..7 {
        let column = with(
            actor(here.plan, &format!("協議会{n}")),
            json!({ "parent_id": here.promotion, "position": n }),
        );
        councils.push(editor.create("/plan-actors", column).await);
    }
    let says = |n: usize, more: Value| with(place(&here, Some(councils[n]), "actual"), more);
    for (n, more) in [
        (1, json!({ "state": "not_carried_out" })),
        (3, json!({ "state": "none" })),
        (5, json!({})),
        (6, json!({ "state": "not_yet_due", "heading_shown": false })),
    ] {
        editor.create("/roadmap-cells", says(n, more)).await;
    }
    for (n, text, marker) in [
        (0, "◎の取り組み\n二行目", json!("◎")),
        (0, "次の取り組み", Value::Null),
        (4, "０", Value::Null),
    ] {
        editor
            .create("/roadmap-items", says(n, json!({ "text": text, "marker": marker })))
            .await;
    }
    let sheet = editor.get(&sheet).await.expect(200).body;
    let of = |part: &str, n: usize, field: &str| -> Vec<Value> {
        let rows = sheet[part].as_array().expect("rows").iter();
        rows.filter(|row| row["actor_id"] == json!(councils[n]))
            .map(|row| row[field].clone())
            .collect()
    };
    let none: [&str; 0] = [];
    for (n, state, shown, texts) in [
        (0, &none[..], &[][..], &["◎の取り組み\n二行目", "次の取り組み"][..]),
        (1, &["not_carried_out"], &[true], &[]),
        (2, &[], &[], &[]),
        (3, &["none"], &[true], &[]),
        (4, &[], &[], &["０"]),
        (5, &["not_entered"], &[true], &[]),
        (6, &["not_yet_due"], &[false], &[]),
    ] {
        assert_eq!(of("cells", n, "state"), state, "{n}");
        assert_eq!(of("cells", n, "heading_shown"), shown, "{n}");
        assert_eq!(of("items", n, "text"), texts, "{n}");
    }
    assert_eq!(of("items", 0, "marker"), [json!("◎"), Value::Null]);
    // A cell that is cleared is blank again, and not a text.
    let id = of("cells", 1, "id")[0].as_str().expect("an id").to_owned();
    editor.delete(&format!("/roadmap-cells/{id}")).await.expect(204);
    let rows = editor
        .list(&format!("/roadmap-cells?goal_id={}", here.goal), "state")
        .await;
    assert_eq!(rows, ["none", "not_entered", "not_yet_due"]);
}

#[tokio::test]
async fn a_cell_has_entries_or_says_why_it_has_none() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let cell = with(
        place(&here, Some(here.government), "planned"),
        json!({ "state": "not_carried_out" }),
    );
    let address = format!("/roadmap-cells/{}", editor.create("/roadmap-cells", cell.clone()).await);
    let written = item(&here, here.government, "研修");
    let code = "roadmap_items_cell_closed";
    editor.refused("/roadmap-items", written.clone(), 409, code).await;
    let elsewhere = with(written.clone(), json!({ "fiscal_year": 2023 }));
    let elsewhere = format!("/roadmap-items/{}", editor.create("/roadmap-items", elsewhere).await);
    editor
        .refused(&elsewhere, json!({ "fiscal_year": 2022 }), 409, code)
        .await;
    editor.refused("/roadmap-cells", cell, 409, "roadmap_cells_key").await;

    editor
        .patch(&address, json!({ "state": "not_entered" }))
        .await
        .expect(200);
    let written = format!("/roadmap-items/{}", editor.create("/roadmap-items", written).await);
    let code = "roadmap_cells_state_without_items";
    for state in ["none", "not_carried_out", "not_yet_due"] {
        editor.refused(&address, json!({ "state": state }), 409, code).await;
    }
    // The other kinds of the same place are other cells.
    let actual = with(
        place(&here, Some(here.government), "actual"),
        json!({ "state": "none" }),
    );
    let actual = format!("/roadmap-cells/{}", editor.create("/roadmap-cells", actual).await);
    editor
        .refused(&actual, json!({ "kind": "planned" }), 409, "roadmap_cells_key")
        .await;
    editor.delete(&address).await.expect(204);
    editor.refused(&actual, json!({ "kind": "planned" }), 409, code).await;
    editor.delete(&written).await.expect(204);
    editor.patch(&actual, json!({ "kind": "planned" })).await.expect(200);
    // Of a milestone, too, which has no column.
    let milestone = place(&here, None, "milestone");
    let text = with(milestone.clone(), json!({ "text": "窓口の開設" }));
    editor.create("/roadmap-items", text).await;
    let closed = with(milestone.clone(), json!({ "state": "none" }));
    editor.refused("/roadmap-cells", closed, 409, code).await;
    editor.create("/roadmap-cells", milestone.clone()).await;
    editor
        .refused("/roadmap-cells", milestone, 409, "roadmap_cells_key")
        .await;
}

#[tokio::test]
async fn of_an_entry_and_a_closed_cell_written_at_once_one_is_refused() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let here = SharedPlan::new(&editor).await;
    for fiscal_year in 2021..=2025 {
        let entry = with(
            item(&here, here.government, "研修"),
            json!({ "fiscal_year": fiscal_year }),
        );
        let cell = place(&here, Some(here.government), "planned");
        let cell = with(cell, json!({ "fiscal_year": fiscal_year, "state": "none" }));
        let (entry, cell) = tokio::join!(editor.post("/roadmap-items", entry), admin.post("/roadmap-cells", cell));
        match (entry.status, cell.status) {
            (201, _) => cell.problem(409, "roadmap_cells_state_without_items"),
            _ => entry.problem(409, "roadmap_items_cell_closed"),
        };
    }
    let written = editor.list("/roadmap-items", "id").await.len() + editor.list("/roadmap-cells", "id").await.len();
    assert_eq!(written, 5);
}

#[tokio::test]
async fn year_and_column_of_a_cell_or_entry_are_those_of_its_plan() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    for (list, body) in [
        ("/roadmap-items", item(&here, here.government, "研修")),
        ("/roadmap-cells", place(&here, Some(here.government), "planned")),
    ] {
        let table = list.trim_start_matches('/').replace('-', "_");
        let address = format!("{list}/{}", editor.create(list, body.clone()).await);
        let (year, column) = (format!("{table}_year_of_plan"), format!("{table}_actor_of_plan"));
        for (more, code) in [
            (json!({ "fiscal_year": 2020 }), &year),
            (json!({ "fiscal_year": 2026 }), &year),
            (json!({ "actor_id": there.government }), &column),
            (json!({ "goal_id": there.goal }), &column),
        ] {
            editor.refused(list, with(body.clone(), more.clone()), 409, code).await;
            editor.refused(&address, more, 409, code).await;
        }
        let unknown = with(body.clone(), json!({ "goal_id": Uuid::now_v7() }));
        let code = format!("{table}_goal_id_fkey");
        editor.refused(list, unknown, 409, &code).await;
        editor.patch(&address, json!({ "fiscal_year": 2025 })).await.expect(200);
    }
    for kind in ["planned", "actual"] {
        let body = with(place(&here, None, kind), json!({ "text": "誰の？" }));
        editor.refused("/roadmap-items", body, 409, "roadmap_items_actor").await;
    }
    for kind in ["milestone", "note"] {
        let body = with(place(&here, None, kind), json!({ "text": "全体" }));
        editor.create("/roadmap-items", body).await;
    }
}

#[tokio::test]
async fn what_is_carried_over_keeps_the_year_in_which_it_was_first_planned() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let more = json!({ "due_on": "2023-03-31", "progress": "ongoing", "responsible": "福祉課", "continues": true });
    let body = with(item(&here, here.government, "相談窓口の開設"), more);
    let first = editor.post("/roadmap-items", body).await.expect(201);
    let address = |id: Uuid| format!("/roadmap-items/{id}");
    let origin = address(first.id());
    let before = app.versions().await;
    for (year, code) in [
        (2022, "roadmap_items_carried_over_later"),
        (2021, "roadmap_items_carried_over_later"),
        (2026, "roadmap_items_year_of_plan"),
    ] {
        carry_over(&editor, &origin, year).await.problem(409, code);
    }
    assert_eq!(app.versions().await, before, "a refusal leaves the mark off");
    let second = carry_over(&editor, &origin, 2023).await.expect(201);
    assert_eq!(editor.get(&origin).await.expect(200)["progress"], "carried_over");
    for (field, value) in [
        ("fiscal_year", json!(2023)),
        ("original_fiscal_year", json!(2022)),
        ("carried_over_from_id", json!(first.id())),
        ("progress", json!("not_started")),
        ("due_on", Value::Null),
        ("text", first["text"].clone()),
        ("responsible", json!("福祉課")),
        ("continues", json!(true)),
    ] {
        assert_eq!(second[field], value, "{field}");
    }
    carry_over(&editor, &origin, 2024)
        .await
        .problem(409, "roadmap_items_carried_over_once");
    let third = carry_over(&editor, &address(second.id()), 2025).await.expect(201);
    assert_eq!(
        (&third["original_fiscal_year"], &third["fiscal_year"]),
        (&json!(2022), &json!(2025))
    );
    // Moved, it keeps its first year; nobody writes that year or the link.
    let moved = editor
        .patch(&address(third.id()), json!({ "fiscal_year": 2024 }))
        .await
        .expect(200);
    assert_eq!(moved["original_fiscal_year"], 2022);
    for year in [2023, 2022] {
        let earlier = json!({ "fiscal_year": year });
        editor
            .refused(&address(third.id()), earlier, 409, "roadmap_items_carried_over_later")
            .await;
    }
    for field in ["original_fiscal_year", "carried_over_from_id", "entered_by_org_id"] {
        let reply = editor.patch(&address(third.id()), json!({ field: 2021 })).await;
        reply.wrong_field(&format!("/{field}"), "unknown_field");
    }
    editor
        .refused(&origin, Value::Null, 409, "roadmap_items_carried_over_from_id_fkey")
        .await;
    let closed = json!({ "goal_id": here.goal, "fiscal_year": 2025, "actor_id": here.government, "kind": "planned", "state": "none" });
    editor.create("/roadmap-cells", closed).await;
    carry_over(&editor, &address(third.id()), 2025)
        .await
        .problem(409, "roadmap_items_cell_closed");
}

#[tokio::test]
async fn an_organisation_writes_its_own_column_and_no_other() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    for (who, own, organization, other) in [
        ("partner", here.promotion, PROMOTION, here.council),
        ("council", here.council, COUNCIL, here.promotion),
        ("client", here.council, COUNCIL, here.government),
    ] {
        let caller = app.caller(who).await;
        let created = caller
            .post("/roadmap-items", item(&here, own, "見守り"))
            .await
            .expect(201);
        assert_eq!(created["entered_by_org_id"], json!(organization.id), "{who}");
        assert_eq!(created["owner_org_id"], json!(NANBU.id), "the sheet stays the town's");
        let address = format!("/roadmap-items/{}", created.id());
        caller.patch(&address, json!({ "progress": "done" })).await.expect(200);
        let cell = with(place(&here, Some(own), "actual"), json!({ "state": "none" }));
        let cell = format!("/roadmap-cells/{}", caller.create("/roadmap-cells", cell).await);
        let role = json!({ "goal_id": here.goal, "actor_id": own });
        let role = format!("/goal-roles/{}", caller.create("/goal-roles", role).await);
        for body in [
            item(&here, other, "よその欄"),
            item(&here, here.government, "町の欄"),
            with(place(&here, None, "milestone"), json!({ "text": "全体の目安" })),
        ] {
            caller.refused("/roadmap-items", body, 403, "forbidden").await;
        }
        let theirs = place(&here, Some(other), "actual");
        caller.refused("/roadmap-cells", theirs, 403, "forbidden").await;
        let theirs = json!({ "goal_id": here.goal, "actor_id": other });
        caller.refused("/goal-roles", theirs, 403, "forbidden").await;
        // What is one's own is not moved into the column of somebody else.
        for address in [&address, &cell, &role] {
            caller
                .refused(address, json!({ "actor_id": other }), 403, "forbidden")
                .await;
        }
        let foreign = format!(
            "/roadmap-items/{}",
            editor.create("/roadmap-items", item(&here, other, "研修")).await
        );
        for body in [json!({ "text": "書き換え" }), json!({ "actor_id": own }), Value::Null] {
            caller.refused(&foreign, body, 403, "forbidden").await;
        }
        carry_over(&caller, &address, 2023).await.expect(201);
        carry_over(&caller, &foreign, 2023).await.problem(403, "forbidden");
        for address in [&cell, &role] {
            caller.delete(address).await.expect(204);
        }
    }
    for stranger in ["viewer", "auditor", "city", "pref-editor"] {
        let before = app.versions().await;
        let reply = app
            .caller(stranger)
            .await
            .post("/roadmap-items", item(&here, here.council, "研修"))
            .await;
        assert!([403, 409].contains(&reply.status), "{stranger}: {}", reply.text);
        assert_eq!(app.versions().await, before);
    }
}

#[tokio::test]
async fn the_owner_of_a_plan_enters_for_others_only_where_that_is_agreed_and_it_stays_visible() {
    let app = TestApp::new().await;
    let (editor, partner) = (app.editor().await, app.caller("partner").await);
    let here = SharedPlan::new(&editor).await;
    let for_them = editor
        .post("/roadmap-items", item(&here, here.promotion, "代理の記入"))
        .await
        .expect(201);
    assert_eq!(for_them["entered_by_org_id"], json!(NANBU.id));
    let address = format!("/roadmap-items/{}", for_them.id());
    let own = partner
        .patch(&address, json!({ "text": "自分の記入" }))
        .await
        .expect(200);
    assert_eq!(own["entered_by_org_id"], json!(PROMOTION.id));
    let cell = place(&here, Some(here.promotion), "actual");
    let cell = format!("/roadmap-cells/{}", editor.create("/roadmap-cells", cell).await);
    let spare = format!(
        "/roadmap-items/{}",
        editor
            .create("/roadmap-items", item(&here, here.government, "町"))
            .await
    );

    let column = format!("/plan-actors/{}", here.promotion);
    editor
        .patch(&column, json!({ "entered_by_owner": false }))
        .await
        .expect(200);
    for (address, body) in [
        (&address, json!({ "text": "町の言い分" })),
        (&address, json!({ "actor_id": here.government })),
        (&address, Value::Null),
        (&cell, json!({ "state": "none" })),
        (&cell, Value::Null),
        (&spare, json!({ "actor_id": here.promotion })),
    ] {
        editor.refused(address, body, 403, "forbidden").await;
    }
    editor
        .refused("/roadmap-items", item(&here, here.promotion, "代理"), 403, "forbidden")
        .await;
    carry_over(&editor, &address, 2023).await.problem(403, "forbidden");
    partner
        .patch(&cell, json!({ "state": "not_carried_out" }))
        .await
        .expect(200);
    partner.delete(&address).await.expect(204);
    editor
        .patch(&column, json!({ "entered_by_owner": true }))
        .await
        .expect(200);
    editor.delete(&cell).await.expect(204);
}

#[tokio::test]
async fn cells_and_entries_are_listed_by_year_and_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    let second = editor.create("/goals", goal(here.plan, "二つ目")).await;
    for (text, more) in [
        ("翌年の一", json!({ "fiscal_year": 2023, "position": -1 })),
        ("二の一", json!({ "position": 2, "due_on": "2023-03-31" })),
        ("二の二", json!({ "position": 2, "kind": "actual", "progress": "done" })),
        ("二の三", json!({ "position": 2, "actor_id": here.council })),
        (
            "一",
            json!({ "position": 1, "goal_id": second, "due_on": "2023-03-30" }),
        ),
        ("前年の九", json!({ "fiscal_year": 2021, "position": 9 })),
    ] {
        editor
            .create("/roadmap-items", with(item(&here, here.government, text), more))
            .await;
    }
    editor
        .create("/roadmap-items", item(&there, there.council, "よその計画"))
        .await;
    for (query, texts) in [
        (
            String::new(),
            vec!["前年の九", "よその計画", "一", "二の一", "二の二", "二の三", "翌年の一"],
        ),
        (
            format!("plan_id={}", here.plan),
            vec!["前年の九", "一", "二の一", "二の二", "二の三", "翌年の一"],
        ),
        (
            format!("goal_id={}&fiscal_year=2022", here.goal),
            vec!["二の一", "二の二", "二の三"],
        ),
        (format!("goal_id={second}"), vec!["一"]),
        (format!("actor_id={}", here.council), vec!["二の三"]),
        ("kind=actual".to_owned(), vec!["二の二"]),
        ("progress=done".to_owned(), vec!["二の二"]),
        ("due_before=2023-03-31".to_owned(), vec!["一"]),
        ("due_before=2023-04-01".to_owned(), vec!["一", "二の一"]),
    ] {
        assert_eq!(
            editor.list(&format!("/roadmap-items?{query}"), "text").await,
            texts,
            "{query}"
        );
    }
    for (goal, year, kind) in [
        (here.goal, 2024, "note"),
        (here.goal, 2023, "note"),
        (second, 2023, "note"),
        (here.goal, 2023, "milestone"),
        (there.goal, 2022, "note"),
    ] {
        let body = json!({ "goal_id": goal, "fiscal_year": year, "kind": kind });
        editor.create("/roadmap-cells", body).await;
    }
    for (query, cells) in [
        (
            String::new(),
            vec![
                (2022, "note"),
                (2023, "note"),
                (2023, "note"),
                (2023, "milestone"),
                (2024, "note"),
            ],
        ),
        (
            format!("goal_id={}", here.goal),
            vec![(2023, "note"), (2023, "milestone"), (2024, "note")],
        ),
        (format!("goal_id={second}&fiscal_year=2023"), vec![(2023, "note")]),
        ("fiscal_year=2022".to_owned(), vec![(2022, "note")]),
    ] {
        let list = format!("/roadmap-cells?{query}");
        let (years, kinds): (Vec<i32>, Vec<&str>) = cells.into_iter().unzip();
        assert_eq!(editor.list(&list, "fiscal_year").await, years, "{query}");
        assert_eq!(editor.list(&list, "kind").await, kinds, "{query}");
    }
}

#[tokio::test]
async fn goals_and_columns_with_entries_stay_in_their_plan() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let (here, there) = (SharedPlan::new(&editor).await, SharedPlan::new(&editor).await);
    editor
        .create("/roadmap-items", item(&here, here.government, "研修"))
        .await;
    editor
        .create("/goal-roles", json!({ "goal_id": here.goal, "actor_id": here.council }))
        .await;
    for address in [
        format!("/goals/{}", here.goal),
        format!("/plan-actors/{}", here.government),
        format!("/plan-actors/{}", here.council),
    ] {
        let reply = editor.patch(&address, json!({ "plan_id": there.plan })).await;
        assert_eq!(reply.status, 409, "{address}: {}", reply.text);
    }
}

#[tokio::test]
async fn an_entry_that_was_carried_over_stays_before_what_continues_it() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let origin = editor
        .create("/roadmap-items", item(&here, here.government, "研修"))
        .await;
    let origin = format!("/roadmap-items/{origin}");
    let body = Some(json!({ "fiscal_year": 2023 }));
    let path = format!("{origin}/carry-over");
    editor
        .send(Method::POST, &path, body, &[("if-match", "*")])
        .await
        .expect(201);
    for year in [2023, 2024] {
        let later = json!({ "fiscal_year": year });
        editor
            .refused(&origin, later, 409, "roadmap_items_carried_over_later")
            .await;
    }
}
