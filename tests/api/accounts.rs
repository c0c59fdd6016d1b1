//! Administration of people, roles, grants and systems.

use crate::app::{CLIENT, COUNCIL, Caller, INSTITUTE, NANBU, PASSWORD, PROMOTION, TOTTORI_CITY, TestApp};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

const NEW_PASSWORD: &str = "seven quiet rivers at dawn";

async fn account(admin: &Caller<'_>, organization: Option<Uuid>, email: &str, role: &str) -> Uuid {
    let place = organization.map(|o| format!("/organizations/{o}")).unwrap_or_default();
    let body = json!({ "email": email, "name": "新任" });
    let id = admin.post(&format!("{place}/users"), body).await.expect(201).id();
    let body = json!({ "user_id": id, "role": role, "valid_from": "2024-04-01" });
    admin.post(&format!("{place}/user-roles"), body).await.expect(201);
    admin
        .post(&format!("/users/{id}/password"), json!({ "password": NEW_PASSWORD }))
        .await
        .expect(204);
    id
}

#[tokio::test]
async fn an_administrator_lets_a_colleague_in() {
    let app = TestApp::new().await;
    let id = account(&app.admin().await, None, "new@example.jp", "municipality_editor").await;
    let token = app.sign_in("new@example.jp", NEW_PASSWORD).await.expect(200);
    let me = app
        .with_token(token["access_token"].as_str().expect("a token"))
        .get("/me")
        .await
        .expect(200);
    assert_eq!((&me["id"], &me["role"]), (&json!(id), &json!("municipality_editor")));
    let people = app
        .viewer()
        .await
        .get(&format!("/users?owner_org_id={}", NANBU.id))
        .await
        .expect(200);
    assert_eq!(people.items("email").len(), 5);
    let roles = app
        .viewer()
        .await
        .get(&format!("/user-roles?user_id={id}"))
        .await
        .expect(200);
    assert_eq!(roles.items("role"), ["municipality_editor"]);
    app.foreign_editor()
        .await
        .get(&format!("/users/{id}"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_operator_makes_the_first_administrator_of_a_town() {
    let app = TestApp::new().await;
    let operator = app.operator().await;
    let body =
        json!({ "kind": "municipality", "name": "大山町", "municipality_code": "313866", "prefecture_code": "310000" });
    let town = operator.post("/organizations", body).await.expect(201).id();
    account(&operator, Some(town), "admin@daisen.example.jp", "municipality_admin").await;
    let token = app.sign_in("admin@daisen.example.jp", NEW_PASSWORD).await.expect(200);
    let first = app.with_token(token["access_token"].as_str().expect("a token"));
    account(&first, None, "editor@daisen.example.jp", "municipality_editor").await;
    assert_eq!(first.get("/users").await.expect(200).items("email").len(), 2);
    // Nobody else founds accounts elsewhere.
    let body = json!({ "email": "mole@example.jp", "name": "潜入" });
    first
        .post(&format!("/organizations/{}/users", NANBU.id), body.clone())
        .await
        .problem(403, "forbidden");
    app.editor()
        .await
        .post(&format!("/organizations/{town}/users"), body)
        .await
        .problem(403, "forbidden");
}

#[tokio::test]
async fn roles_fit_their_organisation() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let id = admin
        .post("/users", json!({ "email": "new@example.jp", "name": "新任" }))
        .await
        .expect(201)
        .id();
    let role = |role: &str| json!({ "user_id": id, "role": role, "valid_from": "2024-04-01" });
    for bad in [
        "system_admin",
        "prefecture_admin",
        "council_editor",
        "joint_body_secretariat",
        "partner",
        "council_client",
    ] {
        admin
            .post("/user-roles", role(bad))
            .await
            .problem(409, "user_roles_fits_organization");
    }
    let given = admin
        .post("/user-roles", role("municipality_viewer"))
        .await
        .expect(201)
        .id();
    let address = format!("/user-roles/{given}");
    admin
        .patch(&address, json!({ "role": "system_admin" }))
        .await
        .problem(409, "user_roles_fits_organization");
    admin.patch(&address, json!({ "role": "auditor" })).await.expect(200);
    admin
        .post("/user-roles", role("municipality_editor"))
        .await
        .problem(409, "user_roles_no_overlap");
    admin
        .post("/user-roles", role("anonymous"))
        .await
        .problem(409, "user_roles_role");

    let operator = app.operator().await;
    let in_town = format!("/organizations/{}/user-roles", TOTTORI_CITY.id);
    operator
        .post(&in_town, role("system_admin"))
        .await
        .problem(409, "user_roles_fits_organization");
    operator.post(&in_town, role("municipality_viewer")).await.expect(201);
    let partner = app.user_id("partner").await;
    let body =
        json!({ "user_id": partner, "role": "council_editor", "valid_from": "2010-04-01", "valid_to": "2011-03-31" });
    operator
        .post(&format!("/organizations/{}/user-roles", PROMOTION.id), body)
        .await
        .problem(409, "user_roles_fits_organization");
    // A person of another organisation cannot be given a role here.
    let stranger = json!({ "user_id": partner, "role": "municipality_viewer", "valid_from": "2024-04-01" });
    admin
        .post("/user-roles", stranger)
        .await
        .problem(409, "user_roles_user_id_fkey");
}

#[tokio::test]
async fn only_administrators_administer() {
    let app = TestApp::new().await;
    let colleague = app.user_id("viewer").await;
    for name in ["viewer", "editor", "auditor"] {
        let caller = app.caller(name).await;
        let body = json!({ "password": NEW_PASSWORD });
        caller
            .post(&format!("/users/{colleague}/password"), body)
            .await
            .problem(403, "forbidden");
        caller
            .post("/users", json!({ "email": "new@example.jp", "name": "新任" }))
            .await
            .problem(403, "forbidden");
        caller
            .patch(&format!("/users/{colleague}"), json!({ "name": "別名" }))
            .await
            .problem(403, "forbidden");
        let role = json!({ "user_id": colleague, "role": "municipality_admin", "valid_from": "2030-04-01" });
        caller.post("/user-roles", role).await.problem(403, "forbidden");
    }
    app.foreign_editor()
        .await
        .post(
            &format!("/users/{colleague}/password"),
            json!({ "password": NEW_PASSWORD }),
        )
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn the_database_refuses_a_colleague_too() {
    let app = TestApp::new().await;
    let sql = app.superuser().await;
    let (editor, viewer) = (app.user_id("editor").await, app.user_id("viewer").await);
    app.editor().await.get("/me").await.expect(200);
    let session = app.texts("select id::text from sessions", &[]).await.remove(0);
    sql.batch_execute("set role tsunagi_app")
        .await
        .expect("the role exists");
    let begin = format!(
        "begin; select app_begin('user', '{editor}', '{}', '{session}', null, null, null);",
        NANBU.id
    );
    let count = async |sql_text: &str| {
        sql.batch_execute(&begin).await.expect("signed in");
        let rows = sql.query(sql_text, &[]).await.expect("SQL").len();
        sql.batch_execute("rollback").await.expect("rolled back");
        rows
    };
    assert_eq!(count("select 1 from users").await, 4);
    assert_eq!(
        count(&format!("select 1 from credentials where holder_id = '{viewer}'")).await,
        0
    );
    assert_eq!(
        count(&format!("select 1 from credentials where holder_id = '{editor}'")).await,
        1
    );
    assert_eq!(
        count(&format!(
            "update credentials set secret_hash = 'x' where holder_id <> '{editor}' returning 1"
        ))
        .await,
        0
    );
    assert_eq!(
        count(&format!(
            "update users set name = 'x' where id = '{viewer}' returning 1"
        ))
        .await,
        0
    );
    assert_eq!(
        count("update user_roles set role = 'municipality_admin' returning 1").await,
        0
    );
    assert_eq!(
        count(&format!(
            "update sessions set revoked_at = now() where actor_id <> '{editor}' returning 1"
        ))
        .await,
        0
    );
    assert_eq!(
        count("select 1 from signing_keys").await + count("select 1 from sign_in_failures").await,
        0
    );
}

#[tokio::test]
async fn a_password_set_by_an_administrator_ends_all_sessions() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let id = app.user_id("editor").await;
    let address = format!("/users/{id}/password");
    app.admin()
        .await
        .post(&address, json!({ "password": NEW_PASSWORD }))
        .await
        .expect(204);
    editor.get("/me").await.problem(401, "unauthenticated");
    app.sign_in("editor@example.jp", PASSWORD)
        .await
        .problem(401, "wrong_credentials");
    app.sign_in("editor@example.jp", NEW_PASSWORD).await.expect(200);
    app.operator()
        .await
        .post(&address, json!({ "password": PASSWORD }))
        .await
        .expect(204);
    app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_password_that_is_easy_to_guess_is_refused() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let address = format!("/users/{}/password", app.user_id("editor").await);
    admin
        .post(&address, json!({ "password": "short" }))
        .await
        .wrong_field("/password", "length");
    admin
        .post(&address, json!({ "password": "x".repeat(129) }))
        .await
        .wrong_field("/password", "length");
    for guessed in ["passwordpassword", "tsunagitsunagi123", "editoreditoreditor"] {
        admin
            .post(&address, json!({ "password": guessed }))
            .await
            .problem(409, "weak_password");
    }
    admin
        .post(&address, json!({ "password": "春の小川はさらさら行くよ岸の菫" }))
        .await
        .expect(204);
}

#[tokio::test]
async fn one_changes_ones_own_password() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let elsewhere = app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
    let elsewhere = app.with_token(elsewhere["access_token"].as_str().expect("a token"));
    let change = |current: &str, password: &str| json!({ "current_password": current, "password": password });
    editor
        .post("/me/password", change("not the right one", NEW_PASSWORD))
        .await
        .problem(403, "wrong_credentials");
    editor
        .post("/me/password", change(PASSWORD, "tsunagitsunagi123"))
        .await
        .problem(409, "weak_password");
    elsewhere.get("/me").await.expect(200);
    editor
        .post("/me/password", change(PASSWORD, NEW_PASSWORD))
        .await
        .expect(204);
    editor.get("/me").await.expect(200);
    elsewhere.get("/me").await.problem(401, "unauthenticated");
    app.sign_in("editor@example.jp", NEW_PASSWORD).await.expect(200);
    for _ in 0..3 {
        editor
            .post("/me/password", change("not the right one", PASSWORD))
            .await
            .problem(403, "wrong_credentials");
    }
    editor
        .post("/me/password", change(NEW_PASSWORD, PASSWORD))
        .await
        .problem(429, "too_many_attempts");
    app.client()
        .await
        .post("/me/password", change(PASSWORD, NEW_PASSWORD))
        .await
        .problem(403, "forbidden");
    app.anonymous()
        .post("/me/password", change(PASSWORD, NEW_PASSWORD))
        .await
        .problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_system_has_two_secrets_while_it_changes_over() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let address = format!("/clients/{CLIENT}/secrets");
    let headers = [("idempotency-key", "key")];
    let body = || Some(json!({}));
    let first = council.send(Method::POST, &address, body(), &headers).await.expect(201);
    assert_eq!(first["client_id"], json!(CLIENT));
    let first = first["client_secret"].as_str().expect("a secret").to_owned();
    assert_eq!(first.len(), 43);
    app.client_token(CLIENT, PASSWORD).await.expect(200);
    app.client_token(CLIENT, &first).await.expect(200);
    // It is shown once: not to a retry, and the database does not know it.
    let again = council.send(Method::POST, &address, body(), &headers).await.expect(201);
    assert!(again["client_secret"].is_null() && again.header("idempotency-replayed").is_some());
    assert!(
        !app.texts("select body from idempotency_keys", &[])
            .await
            .concat()
            .contains(&first)
    );

    let second = council.post(&address, json!({})).await.expect(201);
    let second = second["client_secret"].as_str().expect("a secret").to_owned();
    app.client_token(CLIENT, &second).await.expect(200);
    app.client_token(CLIENT, &first).await.expect(200);
    app.client_token(CLIENT, PASSWORD)
        .await
        .refused(401, "invalid_client", "client_refused");
    app.editor()
        .await
        .post(&address, json!({}))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn what_is_deleted_cannot_sign_in() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let body = json!({ "name": "記録システム", "expires_at": "2030-03-31T00:00:00Z" });
    let client = council.post("/clients", body).await.expect(201);
    assert_eq!(client["owner_org_id"], json!(COUNCIL.id));
    let id = client.id();
    let secret = council
        .post(&format!("/clients/{id}/secrets"), json!({}))
        .await
        .expect(201);
    let secret = secret["client_secret"].as_str().expect("a secret");
    app.client_token(id, secret).await.expect(200);
    council
        .patch(
            &format!("/clients/{id}"),
            json!({ "expires_at": "2020-03-31T00:00:00Z" }),
        )
        .await
        .expect(200);
    app.client_token(id, secret)
        .await
        .refused(401, "invalid_client", "client_ended");
    council.delete(&format!("/clients/{id}")).await.expect(204);

    let viewer = app.viewer().await;
    app.admin()
        .await
        .delete(&format!("/users/{}", app.user_id("viewer").await))
        .await
        .expect(204);
    viewer.get("/me").await.problem(401, "unauthenticated");
    app.sign_in("viewer@example.jp", PASSWORD)
        .await
        .problem(401, "wrong_credentials");
    let left = "select holder_id::text from credentials where holder_id not in (select id from users union select id from clients)";
    assert!(app.texts(left, &[]).await.is_empty());
}

#[tokio::test]
async fn a_grant_opens_one_platform_for_a_time() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partners = json!({ "kind": "other", "name": "関係者限り", "visibility": "partners" });
    let platform = app.insert("platforms", NANBU, &partners).await;
    let other = app.insert("platforms", NANBU, &partners).await;
    let foreign = app.insert("platforms", TOTTORI_CITY, &partners).await;
    let adviser = app.caller("adviser").await;
    adviser
        .get(&format!("/platforms/{platform}"))
        .await
        .problem(404, "not_found");

    let grant = json!({ "organization_id": INSTITUTE.id, "scope_id": platform, "valid_from": "2024-04-01" });
    let grant = admin.post("/grants", grant).await.expect(201);
    adviser.get(&format!("/platforms/{platform}")).await.expect(200);
    adviser
        .get(&format!("/platforms/{other}"))
        .await
        .problem(404, "not_found");
    adviser
        .patch(&format!("/platforms/{platform}"), json!({ "name": "助言" }))
        .await
        .problem(403, "forbidden");
    let address = format!("/grants/{}", grant.id());
    admin
        .patch(&address, json!({ "valid_to": "2024-03-31" }))
        .await
        .problem(409, "grants_validity");
    admin
        .patch(&address, json!({ "valid_to": "2025-03-31" }))
        .await
        .expect(200);
    adviser
        .get(&format!("/platforms/{platform}"))
        .await
        .problem(404, "not_found");

    // Nobody grants, to himself least of all, what belongs to somebody else.
    let own = json!({ "organization_id": NANBU.id, "scope_id": foreign, "valid_from": "2024-04-01" });
    admin.post("/grants", own).await.problem(409, "grants_scope_id_fkey");
    admin
        .patch(&address, json!({ "scope_id": foreign }))
        .await
        .problem(409, "grants_scope_id_fkey");
    let nobody = json!({ "scope_id": platform, "valid_from": "2024-04-01" });
    admin.post("/grants", nobody).await.problem(409, "grants_subject");
    app.editor()
        .await
        .post(
            "/grants",
            json!({ "organization_id": INSTITUTE.id, "scope_id": platform, "valid_from": "2024-04-01" }),
        )
        .await
        .problem(403, "forbidden");
}
