//! Members of platforms: of mixed grain, each for a time.

use crate::app::{COUNCIL, Caller, NANBU, PROMOTION, SHINONSEN, TOTTORI_CITY, TestApp, with};
use crate::platforms::platform;
use serde_json::{Value, json};
use uuid::Uuid;

pub fn member(platform: Uuid, label: &str) -> Value {
    json!({ "platform_id": platform, "kind": "organization", "label": label })
}

/// A platform that its members see.
pub async fn shared_platform(owner: &Caller<'_>) -> Uuid {
    owner
        .create(
            "/platforms",
            with(platform("南部町PF"), json!({ "visibility": "partners" })),
        )
        .await
}

#[tokio::test]
async fn members_are_organisations_categories_and_networks_counted_on_a_day() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/platforms", platform("広域PF")).await;
    let of = |label, more| with(member(id, label), more);
    let network = editor
        .create(
            "/members",
            of(
                "居住支援ネットワーク",
                json!({ "kind": "network", "class": "協力会員" }),
            ),
        )
        .await;
    let bodies = [
        of("NPO法人", json!({ "kind": "category", "position": 1 })),
        of(
            "IT企業",
            json!({ "kind": "category", "position": 2, "joined_on": "2025-10-01" }),
        ),
        of(
            "新温泉町",
            json!({ "organization_id": SHINONSEN.id, "position": 3, "class": "参画団体" }),
        ),
        of(
            "鳥取市",
            json!({ "organization_id": TOTTORI_CITY.id, "role": "lead", "position": 4 }),
        ),
        of(
            "鳥取市（事務局）",
            json!({ "organization_id": TOTTORI_CITY.id, "role": "secretariat", "position": 5 }),
        ),
        of(
            "不動産の会",
            json!({ "parent_id": network, "position": 6, "joined_on": "2025-09-16", "joined_text": "第3回承認" }),
        ),
        of(
            "家主の会",
            json!({ "parent_id": network, "position": 7, "left_on": "2025-09-30", "linkage": "空き家の紹介" }),
        ),
    ];
    for body in bodies {
        let created = editor.post("/members", body.clone()).await.expect(201);
        for (name, value) in body.as_object().expect("fields") {
            assert_eq!(&created[name], value, "{name}");
        }
    }
    // 70団体（令和7年9月30日時点): a number of members is that of a day; an organisation with two roles counts once.
    for (day, organizations, categories) in [
        ("2025-09-15", 3, 1),
        ("2025-09-29", 4, 1),
        ("2025-09-30", 3, 1),
        ("2025-10-01", 3, 2),
    ] {
        let count = editor
            .get(&format!("/platforms/{id}/member-count?on={day}"))
            .await
            .expect(200);
        let expected = json!({ "on": day, "organizations": organizations, "categories": categories, "networks": 1,
            "total": organizations + categories + 1 });
        assert_eq!(count.body, expected);
        let rows = editor.list(&format!("/members?platform_id={id}&on={day}"), "id").await;
        assert_eq!(rows.len(), organizations + categories + 2, "{day}");
    }
    let today = editor.get(&format!("/platforms/{id}/member-count")).await.expect(200);
    assert_eq!(today["total"], 6);
    // 個人での参画はご遠慮: a person is no kind of member.
    editor
        .post("/members", of("個人", json!({ "kind": "person" })))
        .await
        .wrong_field("/kind", "unknown_choice");
}

#[tokio::test]
async fn a_membership_that_contradicts_another_or_itself_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/platforms", platform("南部町PF")).await;
    let other = editor.create("/platforms", platform("別のPF")).await;
    let hidden = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let council = |joined: &str, left: Value| {
        let term = json!({ "organization_id": COUNCIL.id, "joined_on": joined, "left_on": left });
        with(member(id, "社会福祉協議会"), term)
    };
    let first = editor
        .create("/members", council("2023-04-01", json!("2024-04-01")))
        .await;
    // The day on which it left is the first one on which it can come back, and another role is another membership.
    let second = editor.create("/members", council("2024-04-01", Value::Null)).await;
    let chair = with(council("2023-04-01", Value::Null), json!({ "role": "chair" }));
    editor.create("/members", chair).await;
    for (joined, left) in [
        ("2024-03-31", Value::Null),
        ("2023-03-01", json!("2023-04-02")),
        ("2030-04-01", json!("2031-04-01")),
    ] {
        editor
            .refused("/members", council(joined, left), 409, "members_no_overlap")
            .await;
    }
    editor
        .refused(
            &format!("/members/{first}"),
            json!({ "left_on": null }),
            409,
            "members_no_overlap",
        )
        .await;
    editor
        .refused(
            &format!("/members/{second}"),
            json!({ "joined_on": "2024-03-31" }),
            409,
            "members_no_overlap",
        )
        .await;

    let network = editor
        .create(
            "/members",
            with(member(id, "ネットワーク"), json!({ "kind": "network" })),
        )
        .await;
    let below = editor
        .create(
            "/members",
            with(member(id, "下の団体"), json!({ "parent_id": network })),
        )
        .await;
    let elsewhere = editor.create("/members", member(other, "別の団体")).await;
    for (more, code) in [
        (
            json!({ "kind": "category", "organization_id": COUNCIL.id }),
            "members_organization",
        ),
        (
            json!({ "joined_on": "2025-04-01", "left_on": "2025-03-31" }),
            "members_dates",
        ),
        (
            json!({ "organization_id": Uuid::now_v7() }),
            "members_organization_id_fkey",
        ),
        (json!({ "parent_id": elsewhere }), "members_parent_id_fkey"),
        (json!({ "platform_id": hidden }), "members_platform_id_fkey"),
        (json!({ "platform_id": Uuid::now_v7() }), "members_platform_id_fkey"),
    ] {
        editor
            .refused("/members", with(member(id, "団体"), more), 409, code)
            .await;
    }
    let network = format!("/members/{network}");
    for (body, code) in [
        (json!({ "parent_id": below }), "members_no_cycle"),
        (json!({ "platform_id": other }), "members_parent_id_fkey"),
        (json!({ "platform_id": hidden }), "members_platform_id_fkey"),
        (Value::Null, "members_parent_id_fkey"),
    ] {
        editor.refused(&network, body, 409, code).await;
    }
}

#[tokio::test]
async fn a_member_organisation_edits_only_its_own_row() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = shared_platform(&editor).await;
    let row = async |town: crate::app::Town| {
        let body = with(member(id, town.name), json!({ "organization_id": town.id }));
        format!("/members/{}", editor.create("/members", body).await)
    };
    let (of_council, of_partner) = (row(COUNCIL).await, row(PROMOTION).await);
    let (council, partner) = (app.council().await, app.caller("partner").await);
    for (caller, own, other) in [
        (&council, &of_council, &of_partner),
        (&partner, &of_partner, &of_council),
    ] {
        let words = json!({ "label": "新しい名", "linkage": "見守り", "note": "担当が替わった" });
        let changed = caller.patch(own, words.clone()).await.expect(200);
        assert_eq!(
            (&changed["linkage"], &changed["owner_org_id"]),
            (&words["linkage"], &json!(NANBU.id))
        );
        caller.refused(other, words, 403, "forbidden").await;
        // The membership itself is the platform's: what is shared follows it.
        for body in [
            json!({ "role": "chair" }),
            json!({ "class": "一般団体" }),
            json!({ "position": 9 }),
            json!({ "left_on": "2030-04-01" }),
            json!({ "organization_id": null }),
            json!({ "kind": "network" }),
        ] {
            caller.refused(own, body, 403, "forbidden").await;
        }
        let own_again = json!({ "organization_id": COUNCIL.id, "role": "observer" });
        let added = with(member(id, "自薦"), own_again);
        caller.refused("/members", added, 403, "forbidden").await;
        caller.refused(own, Value::Null, 403, "forbidden").await;
    }
    app.viewer()
        .await
        .refused(&of_council, json!({ "note": "x" }), 403, "forbidden")
        .await;
}

#[tokio::test]
async fn what_is_shared_is_seen_by_members_of_today_and_by_nobody_else() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = shared_platform(&editor).await;
    let partner = app.caller("partner").await;
    let body = with(
        member(id, "東西町地域振興協議会"),
        json!({ "organization_id": PROMOTION.id, "left_on": "2025-04-01" }),
    );
    let row = format!("/members/{}", editor.create("/members", body).await);
    let year = json!({ "platform_id": id, "fiscal_year": 2024 });
    let year = editor.create("/platform-years", year).await;
    let project = |visibility: &str| json!({ "platform_id": id, "fiscal_year": 2024, "name": "交流会", "visibility": visibility });
    let kpi = |visibility: &str| json!({ "platform_id": id, "name": "利用者", "value_type": "number", "visibility": visibility });
    let shared = [
        format!("/platforms/{id}"),
        format!("/platform-years/{year}"),
        row.clone(),
        format!("/projects/{}", editor.create("/projects", project("partners")).await),
        format!("/kpis/{}", editor.create("/kpis", kpi("partners")).await),
    ];
    let internal = [
        format!(
            "/projects/{}",
            editor.create("/projects", project("organization")).await
        ),
        format!("/kpis/{}", editor.create("/kpis", kpi("organization")).await),
    ];
    let sees = async |shared_status: u16| {
        for address in &shared {
            partner.get(address).await.expect(shared_status);
        }
        for address in &internal {
            partner.get(address).await.problem(404, "not_found");
        }
        let of = format!("platform_id={id}");
        for list in ["platform-years", "members", "projects", "kpis"] {
            let rows = partner.list(&format!("/{list}?{of}"), "id").await;
            assert_eq!(rows.len(), usize::from(shared_status == 200), "{list}");
        }
        for stranger in ["city", "far", "analyst", "pref-admin"] {
            let stranger = app.caller(stranger).await;
            for address in shared.iter().chain(&internal) {
                stranger.get(address).await.problem(404, "not_found");
            }
        }
    };
    sees(404).await;
    editor
        .patch(&row, json!({ "left_on": null, "joined_on": "2099-04-01" }))
        .await
        .expect(200);
    sees(404).await;
    editor
        .patch(&row, json!({ "joined_on": "2020-04-01", "left_on": "2099-04-01" }))
        .await
        .expect(200);
    sees(200).await;
    partner
        .refused(&shared[0], json!({ "name": "関係者の名" }), 403, "forbidden")
        .await;
}

#[tokio::test]
async fn members_are_listed_by_platform_organisation_and_day_in_the_declared_order() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.create("/platforms", platform("南部町PF")).await;
    let other = editor.create("/platforms", platform("別のPF")).await;
    for (of, label, more) in [
        (id, "三", json!({ "position": 3 })),
        (
            id,
            "一",
            json!({ "position": 1, "organization_id": COUNCIL.id, "joined_on": "2024-04-01" }),
        ),
        (id, "二の一", json!({ "position": 2 })),
        (id, "二の二", json!({ "position": 2 })),
        (id, "二の三", json!({ "position": 2, "left_on": "2024-04-01" })),
        (other, "別", json!({ "position": 2, "organization_id": COUNCIL.id })),
    ] {
        editor.create("/members", with(member(of, label), more)).await;
    }
    for (query, labels) in [
        (String::new(), vec!["一", "二の一", "二の二", "二の三", "別", "三"]),
        (
            format!("?platform_id={id}"),
            vec!["一", "二の一", "二の二", "二の三", "三"],
        ),
        (
            format!("?platform_id={id}&on=2024-03-31"),
            vec!["二の一", "二の二", "二の三", "三"],
        ),
        (
            format!("?platform_id={id}&on=2024-04-01"),
            vec!["一", "二の一", "二の二", "三"],
        ),
        (format!("?organization_id={}", COUNCIL.id), vec!["一", "別"]),
        (format!("?platform_id={id}&organization_id={}", NANBU.id), vec![]),
    ] {
        assert_eq!(
            editor.list(&format!("/members{query}"), "label").await,
            labels,
            "{query}"
        );
    }
}
