//! Whatever comes in, a clear problem comes back, and nothing is half-written.

use crate::app::{NANBU, TOTTORI_CITY, TestApp};
use crate::platforms::platform;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_wrong_field_is_named() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let with = |name: &str, value: Value| {
        let mut body = platform("一");
        body[name] = value;
        body
    };
    let cases = [
        (with("nickname", json!("x")), "/nickname", "unknown_field"),
        (with("id", json!(Uuid::nil())), "/id", "unknown_field"),
        (
            with("owner_org_id", json!(TOTTORI_CITY.id)),
            "/owner_org_id",
            "unknown_field",
        ),
        (with("status", json!("published")), "/status", "unknown_field"),
        (json!({ "kind": "other" }), "/name", "missing"),
        (with("name", Value::Null), "/name", "wrong_type"),
        (with("name", json!(7)), "/name", "wrong_type"),
        (with("name", json!("")), "/name", "blank"),
        (with("name", json!(" \u{3000}")), "/name", "blank"),
        (with("name", json!("あ".repeat(301))), "/name", "too_long"),
        (with("name", json!("一\n二")), "/name", "control_character"),
        (with("name", json!("一\u{0}")), "/name", "control_character"),
        (with("name", json!("一\u{7f}")), "/name", "control_character"),
        (with("summary", json!("一\t二")), "/summary", "control_character"),
        (with("summary", json!("一\r\n二")), "/summary", "control_character"),
        (with("kind", json!("town_hall")), "/kind", "unknown_choice"),
        (with("layer", json!(4)), "/layer", "range"),
        (with("layer", json!(1.5)), "/layer", "wrong_type"),
        (with("layer", json!(70_000)), "/layer", "wrong_type"),
        (with("layer", json!("1")), "/layer", "wrong_type"),
        (with("parent_id", json!("1")), "/parent_id", "wrong_type"),
        (with("districts", json!("東")), "/districts", "wrong_type"),
        (with("districts", json!(["東", ""])), "/districts/1", "blank"),
        (with("districts", json!(vec!["東"; 301])), "/districts", "length"),
        (
            with("municipality_codes", json!(["312012"])),
            "/municipality_codes/0",
            "local_government_code",
        ),
        (
            with("municipality_codes", json!(["３１２０１１"])),
            "/municipality_codes/0",
            "local_government_code",
        ),
        (
            with("municipality_codes", json!(["31201"])),
            "/municipality_codes/0",
            "local_government_code",
        ),
        (
            with("municipality_codes", json!([312_011])),
            "/municipality_codes/0",
            "wrong_type",
        ),
        (
            with("launches", json!([{ "state": "established", "fiscal_year": 1800 }])),
            "/launches/0/fiscal_year",
            "range",
        ),
        (
            with("launches", json!([{ "state": "soon" }])),
            "/launches/0/state",
            "unknown_choice",
        ),
        (
            with("launches", json!([{ "state": "established", "year": 1 }])),
            "/launches/0/year",
            "unknown_field",
        ),
        (
            with(
                "selection_notes",
                json!({ "state": "entered", "items": [{ "text": "一\u{1}" }] }),
            ),
            "/selection_notes/items/0/text",
            "control_character",
        ),
        (json!([]), "", "wrong_type"),
        (json!("x"), "", "wrong_type"),
        (Value::Null, "", "wrong_type"),
    ];
    for (body, path, code) in cases {
        let reply = editor.post("/platforms", body.clone()).await;
        let errors = reply["errors"].as_array().cloned().unwrap_or_default();
        assert_eq!(reply.status, 422, "{body}: {}", reply.text);
        assert!(
            errors.iter().any(|e| e["path"] == path && e["code"] == code),
            "{body}: {}",
            reply.text
        );
        assert!(
            errors
                .iter()
                .all(|e| e["message"].as_str().is_some_and(|m| m.ends_with('。'))),
            "{}",
            reply.text
        );
    }
    let dates = [
        ("valid_from", "2025-02-29"),
        ("valid_from", "2025/03/31"),
        ("valid_from", "令和7年3月31日"),
        ("valid_to", "２０２５-03-31"),
        ("valid_to", "0000-00-00"),
        ("valid_to", "2025-3-31"),
        ("valid_to", " 2025-03-31"),
        // Years that PostgreSQL cannot hold, and that a date in JSON cannot say.
        ("valid_from", "-4714-01-01"),
        ("valid_from", "-262143-01-01"),
        ("valid_from", "+12345-01-01"),
    ];
    for (name, date) in dates {
        let body = json!({ "kind": "npo", "name": "団体", name: date });
        editor
            .post("/organizations", body)
            .await
            .wrong_field(&format!("/{name}"), "wrong_type");
    }
    let numbers = [
        ("corporate_number", "9000020102025", "corporate_number"),
        ("corporate_number", "９００００２０１０２０２４", "corporate_number"),
        ("phone", "０８５７", "phone"),
        ("url", "javascript:alert(1)", "web_address"),
    ];
    for (name, value, code) in numbers {
        let body = json!({ "kind": "npo", "name": "団体", name: value });
        editor
            .post("/organizations", body)
            .await
            .wrong_field(&format!("/{name}"), code);
    }
    assert!(
        app.texts(
            "select name from platforms union all select name from organizations where kind = 'npo' and name = '団体'",
            &[]
        )
        .await
        .is_empty()
    );
}

#[tokio::test]
async fn the_rejected_value_is_not_repeated() {
    let app = TestApp::new().await;
    let body = json!({ "email": "編集者@example.jp", "password": "a secret that must not come back" });
    let reply = app
        .anonymous()
        .post("/auth/sign-in", body)
        .await
        .wrong_field("/email", "email");
    assert!(!reply.text.contains("編集者") && !reply.text.contains("secret"));
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let post = async |body: &[u8], media_type: &str| {
        editor
            .raw(Method::POST, "/platforms", Some(body.to_vec()), media_type, &[])
            .await
    };
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let deep_objects = "{\"a\":".repeat(100_000);
    for body in [
        &b""[..],
        b"{",
        b"{\"kind\":",
        b"nul",
        b"{\"name\": \"\xff\"}",
        // Half a character at the end, of a text and of the body.
        b"{\"kind\": \"other\", \"name\": \"\xe4\xbc",
        b"{\"kind\": \"other\", \"name\": \"x\"}\xe4\xbc",
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"{\"name\": NaN}",
        &deep,
        deep_objects.as_bytes(),
    ] {
        post(body, "application/json").await.problem(400, "malformed_json");
    }
    let body = platform("一").to_string();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "",
    ] {
        post(body.as_bytes(), media_type)
            .await
            .problem(415, "unsupported_media_type");
    }
    // Nothing is unpacked, whatever it would be.
    for packing in ["gzip", "deflate", "br", "zstd", "identity"] {
        for path in ["/platforms", "/batch"] {
            let bytes = Some(vec![0x1f, 0x8b, 8, 0]);
            let packed = [("content-encoding", packing), ("idempotency-key", "packed")];
            let reply = editor.raw(Method::POST, path, bytes, "application/json", &packed).await;
            reply.problem(415, "unsupported_media_type");
        }
    }
    let large = json!({ "kind": "other", "name": "一", "summary": "あ".repeat(700_000) }).to_string();
    assert!(large.len() > 2 << 20);
    post(large.as_bytes(), "application/json")
        .await
        .problem(413, "too_large");
    post(body.as_bytes(), "application/json; charset=utf-8")
        .await
        .expect(201);
}

#[tokio::test]
async fn a_wrong_question_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for query in [
        "limit=x",
        "nickname=x",
        "parent_id=1",
        "limit=1&limit=2",
        "kind=town_hall",
        "as_of=2025-03-31&as_of=2024-03-31",
        "as_off=2025-03-31",
    ] {
        editor
            .get(&format!("/platforms?{query}"))
            .await
            .problem(400, "bad_query");
    }
    let town = format!("/organizations/{}", NANBU.id);
    for query in ["as_off=2025-03-31", "as%5Fof=2025-03-31", "as_of", "limit=1"] {
        editor.get(&format!("{town}?{query}")).await.problem(400, "bad_query");
    }
    for (query, path) in [
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("municipality_code=312012", "/municipality_code"),
        ("search=%00", "/search"),
    ] {
        let reply = editor.get(&format!("/platforms?{query}")).await.problem(422, "invalid");
        assert_eq!(reply["errors"][0]["path"], path);
    }
    for cursor in ["x", "e30", "WyJ4IiwieCJd", "%FF", ""] {
        let reply = editor.get(&format!("/platforms?after={cursor}")).await;
        assert_eq!(
            (reply.status, reply["code"].as_str()),
            (400, Some("bad_cursor")),
            "{cursor}: {}",
            reply.text
        );
    }
    // Forged: a code with NUL, a day that PostgreSQL cannot hold.
    for key in [
        json!(["\0", "2024-04-01", Uuid::nil()]),
        json!(["312011", "-262143-01-01", Uuid::nil()]),
    ] {
        let cursor = URL_SAFE_NO_PAD.encode(key.to_string());
        editor
            .get(&format!("/municipality-facts?after={cursor}"))
            .await
            .problem(400, "bad_cursor");
    }
}

#[tokio::test]
async fn a_patch_reaches_into_objects_and_does_not_leave_half_of_one() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let notes = json!({ "state": "entered", "items": [{ "text": "公募による" }] });
    let platform = editor.post("/platforms", platform("一")).await.expect(201).id();
    let year = json!({ "platform_id": platform, "fiscal_year": 2024, "reactions": notes });
    let year = editor.post("/platform-years", year).await.expect(201).id();
    let address = format!("/platform-years/{year}");
    // What is left out of the object stays, what stands in a list is replaced with it.
    let body = json!({ "reactions": { "items": [{ "text": "推薦による" }] } });
    let changed = editor.patch(&address, body).await.expect(200);
    assert_eq!(changed["reactions"]["state"], "entered");
    assert_eq!(changed["reactions"]["items"][0]["text"], "推薦による");
    for (body, status, code) in [
        // The schema allows it, and there is no breakthrough yet that it could change.
        (json!({ "breakthrough": { "factors": [] } }), 409, "missing"),
        (json!({ "breakthrough": { "theme": null } }), 422, "invalid"),
        (json!({ "reactions": { "items": [{}] } }), 422, "invalid"),
        (json!({ "reactions": { "state": null } }), 422, "invalid"),
        (json!({ "fiscal_year": null }), 422, "invalid"),
    ] {
        editor.patch(&address, body).await.problem(status, code);
    }
    let now = editor.get(&address).await.expect(200);
    assert_eq!(now["version"], changed["version"]);
}

#[tokio::test]
async fn a_header_given_twice_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = editor.post("/platforms", platform("一")).await.expect(201).id();
    let address = format!("/platforms/{id}");
    for (name, other) in [
        ("if-match", "*"),
        ("idempotency-key", "other"),
        ("change-reason", "other"),
        ("authorization", "Bearer other"),
    ] {
        let headers = [
            ("if-match", "\"v1\""),
            ("idempotency-key", "key"),
            ("change-reason", "reason"),
            (name, other),
        ];
        let reply = editor.send(Method::DELETE, &address, None, &headers).await;
        match name {
            "authorization" => reply.problem(401, "unauthenticated"),
            _ => reply.problem(400, "bad_header"),
        };
    }
    editor.get(&address).await.expect(200);
}

#[tokio::test]
async fn trees_stay_trees() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let top = editor.post("/platforms", platform("一")).await.expect(201).id();
    let mut body = platform("二");
    body["parent_id"] = json!(top);
    let below = editor.post("/platforms", body).await.expect(201).id();
    for parent in [below, top] {
        let reply = editor
            .patch(&format!("/platforms/{top}"), json!({ "parent_id": parent }))
            .await;
        reply.problem(409, "platforms_no_cycle");
    }
}

#[tokio::test]
async fn what_belongs_to_others_does_not_exist() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let foreign = app.insert("platforms", TOTTORI_CITY, &platform("市の案")).await;
    let unknown = Uuid::now_v7();
    let mut answers = Vec::new();
    for id in [foreign, unknown] {
        let address = format!("/platforms/{id}");
        let body = json!({ "name": "町の名" });
        answers.push([
            editor.get(&address).await.problem(404, "not_found").said(),
            editor
                .patch_version(&address, body, "\"v1\"")
                .await
                .problem(404, "not_found")
                .said(),
            editor
                .send(Method::DELETE, &address, None, &[])
                .await
                .problem(404, "not_found")
                .said(),
            editor
                .post("/platform-years", json!({ "platform_id": id, "fiscal_year": 2024 }))
                .await
                .problem(409, "platform_years_platform_id_fkey")
                .said(),
        ]);
    }
    // Word for word the same: nobody learns that it exists.
    assert_eq!(answers[0], answers[1]);
    for id in ["1", "x", "00000000-0000-0000-0000-00000000000g", "%00", "..%2F"] {
        editor.get(&format!("/platforms/{id}")).await.problem(404, "not_found");
    }
    let reply = editor
        .get(&format!("/platforms?owner_org_id={}", TOTTORI_CITY.id))
        .await
        .expect(200);
    assert!(reply.items("id").is_empty());
}

#[tokio::test]
async fn an_unknown_code_is_a_contradiction_not_a_wrong_field() {
    let app = TestApp::new().await;
    let mut body = platform("一");
    body["municipality_codes"] = json!(["999997"]);
    if model::text::local_government_code("999997") {
        app.editor()
            .await
            .post("/platforms", body)
            .await
            .problem(409, "platforms_municipality_codes_fkey");
    }
    let body = json!({ "kind": "npo", "name": "団体", "valid_from": "2025-04-01", "valid_to": "2025-03-31" });
    app.editor()
        .await
        .post("/organizations", body)
        .await
        .problem(409, "organizations_validity");
}

#[tokio::test]
async fn other_methods_and_paths_are_told_apart() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let address = format!("/platforms/{}", NANBU.id);
    for (method, path, allowed) in [
        (Method::PUT, "/platforms", "GET, HEAD, POST, OPTIONS"),
        (Method::DELETE, "/platforms", "GET, HEAD, POST, OPTIONS"),
        (Method::POST, &address, "DELETE, GET, HEAD, PATCH, OPTIONS"),
    ] {
        let reply = editor
            .send(method.clone(), path, Some(json!({})), &[])
            .await
            .problem(405, "method_not_allowed");
        let mut methods: Vec<&str> = reply.header("allow").unwrap_or_default().split(", ").collect();
        let mut wanted: Vec<&str> = allowed.split(", ").collect();
        methods.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(methods, wanted);
    }
    editor.send(Method::OPTIONS, "/platforms", None, &[]).await.expect(204);
    for path in ["/nothing", "/platforms/x/y/z", "/api/v2/platforms"] {
        editor.get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let app = TestApp::new().await;
    let platforms = app.editor().await.get("/platforms").await.expect(200);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(platforms.header(name), Some(value));
    }
    assert!(
        platforms
            .header("content-security-policy")
            .is_some_and(|p| p.contains("default-src 'self'"))
    );
    for path in ["/healthz", "/readyz"] {
        let reply = app
            .http
            .get(format!("{}{path}", app.url))
            .send()
            .await
            .expect("an answer");
        assert_eq!(reply.status(), 200);
    }
}
