//! Signing in, staying signed in, and being signed out.

use crate::app::{CLIENT, KEY, NANBU, PASSWORD, TestApp};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn a_person_signs_in_and_learns_who_she_is() {
    let app = TestApp::new().await;
    let me = app.editor().await.get("/me").await.expect(200);
    assert_eq!(me["role"], "municipality_editor");
    assert_eq!(me["organization_name"], NANBU.name);
    assert!(
        me["permissions"]
            .as_array()
            .is_some_and(|p| p.contains(&json!("platforms:create:own")))
    );
    app.anonymous().get("/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_are_refused_alike() {
    let app = TestApp::new().await;
    let wrong = app
        .sign_in("editor@example.jp", "not the right password")
        .await
        .problem(401, "wrong_credentials");
    let unknown = app
        .sign_in("nobody@example.jp", "not the right password")
        .await
        .problem(401, "wrong_credentials");
    assert_eq!(wrong.said(), unknown.said());
    app.sign_in("EDITOR@example.jp", PASSWORD)
        .await
        .wrong_field("/email", "email");
}

#[tokio::test]
async fn guessing_is_slowed_down_for_that_account_alone() {
    let app = TestApp::new().await;
    for _ in 0..3 {
        app.sign_in("editor@example.jp", "not the right password")
            .await
            .expect(401);
    }
    let slowed = app
        .sign_in("editor@example.jp", PASSWORD)
        .await
        .problem(429, "too_many_attempts");
    assert!(
        slowed
            .header("retry-after")
            .and_then(|s| s.parse::<u64>().ok())
            .is_some_and(|s| (1..=4).contains(&s))
    );
    app.sign_in("viewer@example.jp", PASSWORD).await.expect(200);
    app.sql("update sign_in_failures set last_at = now() - interval '4 seconds'")
        .await;
    app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn guessing_from_one_address_leaves_the_others_behind_the_proxy_alone() {
    let app = TestApp::new().await;
    let from = async |addresses: &str, password: &str| {
        let body = json!({ "email": "viewer@example.jp", "password": password });
        app.anonymous()
            .send(
                Method::POST,
                "/auth/sign-in",
                Some(body),
                &[("x-forwarded-for", addresses)],
            )
            .await
    };
    from("203.0.113.7", "not the right password").await.expect(401);
    app.sql("update sign_in_failures set failures = 31 where subject = 'address 203.0.113.7'")
        .await;
    from("203.0.113.7", PASSWORD).await.problem(429, "too_many_attempts");
    // What a caller claims stands before what the proxy has seen.
    from("198.51.100.1, 203.0.113.7", PASSWORD)
        .await
        .problem(429, "too_many_attempts");
    from("203.0.113.7, 198.51.100.1", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use() {
    let app = TestApp::new().await;
    let first = app.sign_in("editor@example.jp", PASSWORD).await.expect(200).cookie();
    let second = app.with_cookie("/auth/refresh", &first).await.expect(200);
    assert_ne!(first, second.cookie());
    let set = second.header("set-cookie").unwrap_or_default();
    for attribute in ["__Host-", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    let token = second["access_token"].as_str().expect("a token").to_owned();
    app.with_token(&token).get("/me").await.expect(200);

    // Somebody who comes with the old one later has stolen it: the session ends for both.
    app.sql("update sessions set rotated_at = now() - interval '11 seconds'")
        .await;
    app.with_cookie("/auth/refresh", &first)
        .await
        .problem(401, "unauthenticated");
    app.with_cookie("/auth/refresh", &second.cookie())
        .await
        .problem(401, "unauthenticated");
    app.with_token(&token).get("/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_get_the_same_successor() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("editor@example.jp", PASSWORD).await.expect(200).cookie();
    let (one, other) = tokio::join!(
        app.with_cookie("/auth/refresh", &cookie),
        app.with_cookie("/auth/refresh", &cookie)
    );
    let (one, other) = (one.expect(200), other.expect(200));
    assert_eq!(one.cookie(), other.cookie());
    app.with_cookie("/auth/refresh", &one.cookie()).await.expect(200);
}

#[tokio::test]
async fn only_our_own_pages_may_use_the_cookie() {
    let app = TestApp::new().await;
    let cookie = app.sign_in("editor@example.jp", PASSWORD).await.expect(200).cookie();
    let own = ("origin", app.url.as_str());
    let requested = ("x-requested-by", "tsunagi");
    let cookie = ("cookie", cookie.as_str());
    for headers in [
        vec![cookie],
        vec![cookie, own],
        vec![cookie, requested],
        vec![cookie, requested, ("origin", "https://elsewhere.example")],
        vec![cookie, requested, own, ("sec-fetch-site", "cross-site")],
        vec![cookie, requested, own, ("sec-fetch-site", "same-site")],
    ] {
        let reply = app
            .anonymous()
            .send(Method::POST, "/auth/refresh", Some(json!({})), &headers)
            .await;
        reply.problem(403, "origin_refused");
    }
}

#[tokio::test]
async fn a_session_ends_by_signing_out_by_idling_and_after_its_day() {
    let app = TestApp::new().await;
    for ending in [
        "",
        "update sessions set rotated_at = now() - interval '61 minutes'",
        "update sessions set expires_at = now() - interval '1 second'",
    ] {
        let session = app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
        if ending.is_empty() {
            let gone = app.with_cookie("/auth/sign-out", &session.cookie()).await.expect(204);
            assert!(gone.header("set-cookie").is_some_and(|c| c.contains("Max-Age=0")));
            app.with_token(session["access_token"].as_str().expect("a token"))
                .get("/me")
                .await
                .expect(401);
        } else {
            app.sql(ending).await;
        }
        app.with_cookie("/auth/refresh", &session.cookie())
            .await
            .problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_closed_account_is_out_at_once() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let cookie = app.sign_in("editor@example.jp", PASSWORD).await.expect(200).cookie();
    editor.get("/me").await.expect(200);
    let address = format!("/users/{}", app.user_id("editor").await);
    app.admin()
        .await
        .patch(&address, json!({ "active": false }))
        .await
        .expect(200);
    editor.get("/me").await.problem(401, "unauthenticated");
    editor.get("/platforms").await.problem(401, "unauthenticated");
    app.with_cookie("/auth/refresh", &cookie)
        .await
        .problem(401, "unauthenticated");
    app.sign_in("editor@example.jp", PASSWORD)
        .await
        .problem(401, "wrong_credentials");
    // Opened again, she signs in anew; what was stolen meanwhile stays worthless.
    app.admin()
        .await
        .patch(&address, json!({ "active": true }))
        .await
        .expect(200);
    editor.get("/me").await.problem(401, "unauthenticated");
    app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_role_that_ended_is_out_at_once() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    app.sql("update user_roles set valid_to = current_date - 2").await;
    editor.get("/me").await.problem(401, "unauthenticated");
    app.sign_in("editor@example.jp", PASSWORD)
        .await
        .problem(401, "wrong_credentials");
}

#[tokio::test]
async fn a_system_signs_in_with_its_secret() {
    let app = TestApp::new().await;
    assert_eq!(
        app.client().await.get("/me").await.expect(200)["role"],
        "council_client"
    );
    let wrong = app.client_token(CLIENT, "not the secret").await;
    wrong.refused(401, "invalid_client", "client_refused");
    let unknown = app.client_token(Uuid::nil(), PASSWORD).await;
    unknown.refused(401, "invalid_client", "client_refused");
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{PASSWORD}"));
    let header = format!("Basic {basic}");
    let form = Some(b"grant_type=client_credentials".to_vec());
    let reply = app
        .anonymous()
        .raw(
            Method::POST,
            "/oauth/token",
            form,
            "application/x-www-form-urlencoded",
            &[("authorization", &header)],
        )
        .await;
    reply.expect(200);
    let client = app.client().await;
    app.sql("update clients set active = false").await;
    client.get("/me").await.problem(401, "unauthenticated");
    app.client_token(CLIENT, PASSWORD)
        .await
        .refused(401, "invalid_client", "client_ended");
}

#[tokio::test]
async fn the_public_keys_are_public_and_nothing_else() {
    let app = TestApp::new().await;
    let keys = app.anonymous().get("/auth/jwks").await.expect(200);
    let key = &keys["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    assert!(key["x"].is_string() && key.get("d").is_none());
}

/// The installation's own signing key: a forger who has it still needs the right words.
pub struct Forge {
    kid: String,
    pair: Ed25519KeyPair,
    claims: Value,
}

impl Forge {
    pub async fn of(app: &TestApp, token: &str) -> Self {
        let kid = app.texts("select id::text from signing_keys", &[]).await.remove(0);
        let sealed = app
            .texts("select encode(private_key, 'base64') from signing_keys", &[])
            .await
            .remove(0);
        let sealed = base64::engine::general_purpose::STANDARD
            .decode(sealed.replace('\n', ""))
            .expect("base64");
        let (nonce, sealed) = sealed.split_first_chunk::<12>().expect("a nonce");
        let mut document = sealed.to_vec();
        let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).expect("a key"));
        let id: Uuid = kid.parse().expect("an id");
        let opened = cipher
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(id.as_bytes()),
                &mut document,
            )
            .expect("our own key");
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(opened).expect("a key pair");
        let claims = token.split('.').nth(1).expect("claims");
        let claims = serde_json::from_slice(&BASE64.decode(claims).expect("base64")).expect("JSON");
        Self { kid, pair, claims }
    }

    fn header(&self) -> Value {
        json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": self.kid })
    }

    fn signed(&self, header: &Value, claims: &str) -> String {
        let told = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims));
        format!("{told}.{}", BASE64.encode(self.pair.sign(told.as_bytes())))
    }

    pub fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.signed(&header, &self.claims.to_string())
    }

    pub fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.signed(&self.header(), &claims.to_string())
    }

    fn without_claim(&self, name: &str) -> String {
        let mut claims = self.claims.clone();
        claims.as_object_mut().expect("claims").remove(name);
        self.signed(&self.header(), &claims.to_string())
    }
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let app = TestApp::new().await;
    let session = app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
    let genuine = session["access_token"].as_str().expect("a token");
    let forge = Forge::of(&app, genuine).await;
    let now = chrono::Utc::now().timestamp();
    let body = genuine.rsplit_once('.').expect("a signature").0;
    let claims = forge.claims.to_string();

    // The forge works: what it signs unchanged is taken.
    app.with_token(&forge.signed(&forge.header(), &claims))
        .get("/me")
        .await
        .expect(200);

    let mut none = forge.header();
    none["alg"] = json!("none");
    let unsigned = format!("{}.{}.", BASE64.encode(none.to_string()), BASE64.encode(&claims));
    let mut symmetric = forge.header();
    symmetric["alg"] = json!("HS256");
    let told = format!("{}.{}", BASE64.encode(symmetric.to_string()), BASE64.encode(&claims));
    let public = hmac::Key::new(hmac::HMAC_SHA256, forge.pair.public_key().as_ref());
    let confused = format!("{told}.{}", BASE64.encode(hmac::sign(&public, told.as_bytes())));
    let stranger = Ed25519KeyPair::generate().expect("randomness");
    let strange = format!("{body}.{}", BASE64.encode(stranger.sign(body.as_bytes())));
    let admin = app.user_id("admin").await;
    let repeated = format!("{{\"sub\":\"{admin}\",{}", claims.trim_start_matches('{'));

    let forged = [
        ("no algorithm", unsigned.clone()),
        ("no algorithm, capitals", unsigned.replace("none", "None")),
        ("HS256 with the public key", confused),
        ("another key's signature", strange),
        ("no signature", format!("{body}.")),
        ("two parts", body.to_owned()),
        ("four parts", format!("{genuine}.x")),
        ("a trailing dot", format!("{genuine}.")),
        ("empty", String::new()),
        ("not a token", "x".repeat(100)),
        ("too long", format!("{genuine}{}", "A".repeat(1 << 13))),
        ("unknown key", forge.with_header("kid", json!(Uuid::now_v7()))),
        (
            "a key that is a path",
            forge.with_header("kid", json!("../../etc/passwd")),
        ),
        ("no key", forge.with_header("kid", Value::Null)),
        ("another type", forge.with_header("typ", json!("JWT"))),
        ("no type", forge.with_header("typ", Value::Null)),
        ("a critical extension", forge.with_header("crit", json!(["exp"]))),
        (
            "a key of its own",
            forge.with_header("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AA" })),
        ),
        (
            "a key from elsewhere",
            forge.with_header("jku", json!("https://elsewhere.example/jwks")),
        ),
        ("another audience", forge.with_claim("aud", json!("another-api"))),
        (
            "several audiences",
            forge.with_claim("aud", json!(["tsunagi-api", "another-api"])),
        ),
        (
            "another issuer",
            forge.with_claim("iss", json!("https://elsewhere.example")),
        ),
        (
            "several issuers",
            forge.with_claim("iss", json!([app.url, "https://elsewhere.example"])),
        ),
        ("expired", forge.with_claim("exp", json!(now - 6))),
        ("expiry in words", forge.with_claim("exp", json!("9999999999"))),
        ("expiry with a fraction", forge.with_claim("exp", json!(1e300))),
        ("negative expiry", forge.with_claim("exp", json!(-1))),
        ("not yet good", forge.with_claim("nbf", json!(now + 60))),
        ("no expiry", forge.without_claim("exp")),
        ("no issuer", forge.without_claim("iss")),
        ("no audience", forge.without_claim("aud")),
        ("nobody", forge.without_claim("sub")),
        ("no session", forge.without_claim("sid")),
        ("somebody else", forge.with_claim("sub", json!(admin))),
        ("another session", forge.with_claim("sid", json!(Uuid::now_v7()))),
        (
            "another organisation",
            forge.with_claim("org", json!(crate::app::TOTTORI_CITY.id)),
        ),
        ("a person as a system", forge.with_claim("kind", json!("client"))),
        ("the service itself", forge.with_claim("kind", json!("authenticator"))),
        ("a claim too many", forge.with_claim("role", json!("system_admin"))),
        ("a claim twice", forge.signed(&forge.header(), &repeated)),
        ("claims that are a list", forge.signed(&forge.header(), "[]")),
        ("claims that are no JSON", forge.signed(&forge.header(), "{")),
    ];
    for (what, token) in forged {
        let reply = app.with_token(&token).get("/me").await;
        assert_eq!(
            (reply.status, &reply["code"]),
            (401, &json!("unauthenticated")),
            "{what}: {}",
            reply.text
        );
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{what}");
    }
    let reply = app
        .anonymous()
        .send(Method::GET, "/me", None, &[("authorization", "Basic Zm9vOmJhcg==")])
        .await;
    reply.problem(401, "unauthenticated");
}
