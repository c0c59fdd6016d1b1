//! What holds for every list alike.

use crate::app::{COUNCIL, INSTITUTE, NANBU, TOTTORI_CITY, TestApp, with};
use crate::history::now;
use crate::kpis::{kpi, year};
use crate::members::member;
use crate::municipality_facts::fact;
use crate::plans::{SharedPlan, actor, goal, level, plan};
use crate::platforms::platform;
use crate::projects::project;
use crate::roadmap::{item, place};
use serde_json::{Value, json};

#[tokio::test]
async fn search_finds_compatibility_forms_and_takes_nothing_for_a_pattern() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let name = "生活支援Ｃｏ①（ｺﾐｭﾆﾃｨ）㈱ 100%_";
    for (list, field, body) in [
        ("/platforms", "name", platform(name)),
        ("/plans", "title", plan(name)),
        ("/projects", "name", project(name)),
        ("/kpis", "name", kpi(name)),
        ("/organizations", "name", json!({ "kind": "npo", "name": name })),
    ] {
        editor.create(list, body).await;
        for (search, found) in [
            ("Co", true),
            ("CO", true),
            ("ｃｏ１", true),
            ("Co1", true),
            ("コミュニティ", true),
            ("ｺﾐｭﾆﾃｨ", true),
            ("(株)", true),
            ("１００％", true),
            ("100%25_", true),
            ("1%250", false),
            ("Co_", false),
            ("こみゅにてぃ", false),
            ("\\", false),
        ] {
            let found = if found { vec![name] } else { vec![] };
            assert_eq!(
                editor.list(&format!("{list}?search={search}"), field).await,
                found,
                "{list} {search}"
            );
        }
    }
    let aliased = json!({ "kind": "company", "name": "里山の会社", "aliases": ["生活支援コーディネーター", "ＮＳＤ"] });
    editor.create("/organizations", aliased).await;
    for search in ["生活支援ｺｰﾃﾞｨﾈｰﾀｰ", "nsd"] {
        let found = editor.list(&format!("/organizations?search={search}"), "kind").await;
        assert_eq!(found, ["company"], "{search}");
    }
    let towns = app.anonymous().get("/municipalities?search=南部町").await.expect(200);
    assert_eq!(
        towns.items("prefecture_name"),
        ["青森県", "山梨県", "鳥取県"],
        "a name is not a key"
    );
}

#[tokio::test]
async fn every_list_of_a_moment_is_what_it_was_then() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let here = SharedPlan::new(&editor).await;
    let mut records = vec![
        format!("/plans/{}", here.plan),
        format!("/goals/{}", here.goal),
        format!("/plan-actors/{}", here.government),
    ];
    let platform_id = editor.create("/platforms", platform("旧")).await;
    let project_id = editor.create("/projects", project("旧")).await;
    let kpi_id = editor.create("/kpis", kpi("旧")).await;
    for (list, id) in [
        ("/platforms", platform_id),
        ("/projects", project_id),
        ("/kpis", kpi_id),
    ] {
        records.push(format!("{list}/{id}"));
    }
    for (list, body) in [
        ("/members", member(platform_id, "旧")),
        (
            "/platform-years",
            json!({ "platform_id": platform_id, "fiscal_year": 2024 }),
        ),
        ("/project-costs", json!({ "project_id": project_id, "amount_yen": 0 })),
        ("/evaluation-levels", level(here.plan, "A", 4)),
        ("/goal-roles", json!({ "goal_id": here.goal, "actor_id": here.council })),
        ("/roadmap-items", item(&here, here.council, "旧")),
        ("/roadmap-cells", place(&here, Some(here.council), "actual")),
        ("/kpi-placements", json!({ "kpi_id": kpi_id, "project_id": project_id })),
        ("/kpi-series", json!({ "kpi_id": kpi_id, "district": "旧" })),
        ("/municipality-facts", fact("1.10", "2020-10-01")),
        (
            "/evaluations",
            json!({ "goal_id": here.goal, "fiscal_year": 2024, "stage": "self" }),
        ),
        (
            "/kpi-targets",
            json!({ "kpi_id": kpi_id, "fiscal_year": 2024, "value": "0.10" }),
        ),
        ("/kpi-observations", year(kpi_id, 2024, "23.30")),
    ] {
        records.push(format!("{list}/{}", editor.create(list, body).await));
    }
    let sheet = format!("/plans/{}/sheet", here.plan);
    let mut reads = vec![sheet.clone()];
    for record in &records {
        let (list, _) = record.rsplit_once('/').expect("an address");
        reads.extend([list.to_owned(), record.clone()]);
    }
    let mut then = Vec::new();
    for read in &reads {
        then.push(editor.get(read).await.expect(200).body);
    }
    let moment = now(&app).await;
    for (list, more) in [
        ("/plans", json!({ "title": "新", "position": 9 })),
        ("/goals", json!({ "title": "新" })),
        ("/plan-actors", json!({ "label": "新" })),
        ("/platforms", json!({ "name": "新", "districts": ["東"] })),
        ("/projects", json!({ "name": "新" })),
        ("/kpis", json!({ "name": "新" })),
        ("/members", json!({ "label": "新" })),
        ("/platform-years", json!({ "fiscal_year": 2025 })),
        ("/project-costs", Value::Null),
        ("/evaluation-levels", Value::Null),
        ("/goal-roles", Value::Null),
        ("/roadmap-items", json!({ "text": "新" })),
        ("/roadmap-cells", Value::Null),
        ("/kpi-placements", Value::Null),
        ("/kpi-series", Value::Null),
        ("/municipality-facts", json!({ "value": "1.2" })),
    ] {
        let address = records
            .iter()
            .find(|r| r.rsplit_once('/').is_some_and(|(l, _)| l == list))
            .expect("a record");
        match more {
            Value::Null => editor.delete(address).await.expect(204),
            more => editor.patch(address, more).await.expect(200),
        };
    }
    let again = json!({ "goal_id": here.goal, "fiscal_year": 2023, "stage": "self" });
    editor.create("/evaluations", again).await;
    editor
        .create(
            "/kpi-targets",
            json!({ "kpi_id": kpi_id, "fiscal_year": 2025, "value": "1" }),
        )
        .await;
    editor.create("/kpi-observations", year(kpi_id, 2025, "1")).await;
    for (read, then) in reads.iter().zip(&then) {
        let past = editor.get(&format!("{read}?as_of={moment}")).await.expect(200);
        assert_eq!(past.body, *then, "{read}");
    }
    // With the rights of today: nobody else saw any of it then.
    let city = app.foreign_editor().await;
    for record in &records {
        city.get(&format!("{record}?as_of={moment}"))
            .await
            .problem(404, "not_found");
    }
    editor
        .get(&format!("{sheet}?as_of=2020-01-01"))
        .await
        .problem(404, "not_found");
    let before = format!("?as_of=2020-01-01&owner_org_id={}", NANBU.id);
    assert!(editor.list(&format!("/plans{before}"), "id").await.is_empty());
}

#[tokio::test]
async fn platforms_and_their_years_are_listed_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let foreign =
        json!({ "visibility": "public", "status": "published", "position": 9, "municipality_codes": ["312011"] });
    let foreign = app
        .insert("platforms", TOTTORI_CITY, &with(platform("市のPF"), foreign))
        .await;
    let mut ids = Vec::new();
    for (name, more) in [
        ("二の一", json!({ "position": 2, "kind": "regional_council" })),
        (
            "二の二",
            json!({ "position": 2, "municipality_codes": ["313891", "312011"] }),
        ),
        ("二の三", json!({ "position": 2, "area_name": "ｷﾘﾝのまち" })),
        ("一", json!({ "position": 1 })),
    ] {
        ids.push(editor.create("/platforms", with(platform(name), more)).await);
    }
    for (query, names) in [
        (String::new(), vec!["一", "二の一", "二の二", "二の三", "市のPF"]),
        (
            format!("owner_org_id={}", NANBU.id),
            vec!["一", "二の一", "二の二", "二の三"],
        ),
        ("kind=regional_council".to_owned(), vec!["二の一"]),
        ("municipality_code=312011".to_owned(), vec!["二の二", "市のPF"]),
        ("status=published".to_owned(), vec!["市のPF"]),
        ("status=draft&search=キリン".to_owned(), vec!["二の三"]),
    ] {
        assert_eq!(
            editor.list(&format!("/platforms?{query}"), "name").await,
            names,
            "{query}"
        );
    }
    app.insert(
        "platform_years",
        TOTTORI_CITY,
        &json!({ "platform_id": foreign, "fiscal_year": 2022 }),
    )
    .await;
    for (platform, year, text) in [
        (0, 2024, "三"),
        (1, 2023, "一"),
        (0, 2023, "二"),
        (1, 2024, "四"),
        (0, 2025, "五"),
    ] {
        let body = json!({ "platform_id": ids[platform], "fiscal_year": year, "final_goals_closing": text });
        editor.create("/platform-years", body).await;
    }
    for (query, texts) in [
        (
            String::new(),
            vec![
                Value::Null,
                json!("一"),
                json!("二"),
                json!("三"),
                json!("四"),
                json!("五"),
            ],
        ),
        (
            format!("platform_id={}", ids[0]),
            vec![json!("二"), json!("三"), json!("五")],
        ),
        ("fiscal_year=2024".to_owned(), vec![json!("三"), json!("四")]),
    ] {
        let listed = editor
            .list(&format!("/platform-years?{query}"), "final_goals_closing")
            .await;
        assert_eq!(listed, texts, "{query}");
    }
}

#[tokio::test]
async fn organisations_and_accounts_are_listed_page_by_page() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let parent = editor
        .create(
            "/organizations",
            json!({ "kind": "other", "name": "親", "position": 8 }),
        )
        .await;
    for (name, position) in [("三", 3), ("一", 1), ("二の一", 2), ("二の二", 2), ("二の三", 2)] {
        let body = json!({ "kind": "npo", "name": name, "position": position, "parent_id": parent, "municipality_code": "193666" });
        editor.create("/organizations", body).await;
    }
    let names = ["一", "二の一", "二の二", "二の三", "三"];
    for query in [format!("parent_id={parent}"), "municipality_code=193666".to_owned()] {
        assert_eq!(
            editor.list(&format!("/organizations?{query}"), "name").await,
            names,
            "{query}"
        );
    }
    assert_eq!(app.anonymous().list("/organizations?kind=npo", "name").await.len(), 6);
    assert_eq!(app.anonymous().list("/organizations", "id").await.len(), 15);

    let people = [
        "admin@example.jp",
        "auditor@example.jp",
        "editor@example.jp",
        "viewer@example.jp",
    ];
    assert_eq!(admin.list("/users", "email").await, people);
    assert_eq!(admin.list("/user-roles", "role").await.len(), 4);
    let platform = editor.create("/platforms", platform("南部町PF")).await;
    for organization in [INSTITUTE, COUNCIL, TOTTORI_CITY, INSTITUTE] {
        let body = json!({ "organization_id": organization.id, "scope_id": platform, "valid_from": "2024-04-01" });
        admin.create("/grants", body).await;
    }
    let granted = [INSTITUTE.id, COUNCIL.id, TOTTORI_CITY.id, INSTITUTE.id].map(|id| json!(id));
    assert_eq!(admin.list("/grants", "organization_id").await, granted);
    for n in ["一", "二", "三"] {
        admin.create("/clients", json!({ "name": n })).await;
    }
    assert_eq!(admin.list("/clients", "name").await, ["一", "二", "三"]);
}

#[tokio::test]
async fn nothing_is_put_below_what_others_have_published() {
    let app = TestApp::new().await;
    let (editor, admin, city) = (app.editor().await, app.admin().await, app.foreign_editor().await);
    let here = SharedPlan::new(&editor).await;
    let public = json!({ "visibility": "public" });
    let platform_id = editor
        .create("/platforms", with(platform("南部町PF"), public.clone()))
        .await;
    let project_id = editor
        .create("/projects", with(project("交流会"), public.clone()))
        .await;
    let kpi_id = editor.create("/kpis", with(kpi("利用者"), public.clone())).await;
    editor.patch(&format!("/plans/{}", here.plan), public).await.expect(200);
    for sheet in [
        format!("/plans/{}", here.plan),
        format!("/platforms/{platform_id}"),
        format!("/projects/{project_id}"),
        format!("/kpis/{kpi_id}"),
    ] {
        admin.transition(&sheet, "confirmed", "").await.expect(200);
        admin.transition(&sheet, "published", "").await.expect(200);
        city.get(&sheet).await.expect(200);
    }
    for (list, body) in [
        ("/members", member(platform_id, "市")),
        (
            "/platform-years",
            json!({ "platform_id": platform_id, "fiscal_year": 2024 }),
        ),
        ("/project-costs", json!({ "project_id": project_id, "amount_yen": 0 })),
        ("/goals", goal(here.plan, "市の目標")),
        ("/plan-actors", actor(here.plan, "市")),
        ("/evaluation-levels", level(here.plan, "A", 4)),
        (
            "/goal-roles",
            json!({ "goal_id": here.goal, "actor_id": here.government }),
        ),
        ("/roadmap-items", item(&here, here.government, "市の取り組み")),
        ("/roadmap-cells", place(&here, None, "note")),
        (
            "/evaluations",
            json!({ "goal_id": here.goal, "fiscal_year": 2024, "stage": "self" }),
        ),
        ("/kpi-series", json!({ "kpi_id": kpi_id, "district": "東" })),
        (
            "/kpi-targets",
            json!({ "kpi_id": kpi_id, "fiscal_year": 2024, "value": "1" }),
        ),
        ("/kpi-observations", year(kpi_id, 2024, "1")),
        (
            "/grants",
            json!({ "organization_id": TOTTORI_CITY.id, "scope_id": platform_id, "valid_from": "2024-04-01" }),
        ),
    ] {
        city.refused(list, body, 403, "forbidden").await;
    }
    // A place is no part of what it names, so it is the reference that is refused.
    let place = json!({ "kpi_id": kpi_id, "platform_id": platform_id });
    city.refused("/kpi-placements", place, 409, "kpi_placements_platform_id_fkey")
        .await;
}

#[tokio::test]
async fn a_stranger_does_not_stand_on_the_sheet_of_a_town() {
    let app = TestApp::new().await;
    let (admin, city) = (app.admin().await, app.foreign_editor().await);
    let here = SharedPlan::new(&admin).await;
    let sheet = format!("/plans/{}", here.plan);
    admin.patch(&sheet, json!({ "visibility": "public" })).await.expect(200);
    for status in ["confirmed", "published"] {
        admin.transition(&sheet, status, "").await.expect(200);
    }
    let published = json!({ "visibility": "public", "status": "published" });
    let theirs = app
        .insert("kpis", crate::app::TOTTORI_CITY, &with(kpi("市の指標"), published))
        .await;
    let placed = city
        .post("/kpi-placements", json!({ "kpi_id": theirs, "goal_id": here.goal }))
        .await;
    let read = app.anonymous().get(&format!("{sheet}/sheet")).await.expect(200);
    assert_eq!(read["kpis"], json!([]), "answered {}", placed.status);
}
