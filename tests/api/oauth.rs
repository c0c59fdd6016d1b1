//! Councils' systems: how they sign in, what they may do with it, and how that ends.

use crate::app::{CLIENT, CLIENT_SECRET, COUNCIL, Caller, NANBU, PASSWORD, PROMOTION, Reply, TestApp};
use crate::plans::{SharedPlan, plan};
use crate::sign_in::Forge;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A private key, as a system has one.
enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().expect("randomness"))
    }

    /// The public half, as it is registered.
    fn public(&self, kid: &str) -> Value {
        match self {
            Self::Ed25519(pair) => {
                json!({ "kid": kid, "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(pair.public_key()) })
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kid": kid, "kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y), "use": "sig" })
            }
            Self::Rsa(pair) => {
                let numbers = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "kid": kid, "kty": "RSA", "n": BASE64.encode(numbers.n), "e": BASE64.encode(numbers.e) })
            }
        }
    }

    fn sign(&self, algorithm: &str, told: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(told).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, told).expect("a signature").as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let padding: &dyn aws_lc_rs::signature::RsaEncoding = if algorithm == "PS256" {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                pair.sign(padding, &random, told, &mut signature).expect("a signature");
                signature
            }
        }
    }

    fn signed(&self, header: &Value, claims: &str) -> String {
        let told = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims));
        let algorithm = header["alg"].as_str().unwrap_or_default();
        format!("{told}.{}", BASE64.encode(self.sign(algorithm, told.as_bytes())))
    }

    /// A good assertion.
    fn assertion(&self, app: &TestApp, kid: &str, algorithm: &str) -> String {
        self.signed(
            &json!({ "alg": algorithm, "kid": kid }),
            &claims(app, CLIENT).to_string(),
        )
    }
}

fn claims(app: &TestApp, client: Uuid) -> Value {
    let now = Utc::now().timestamp();
    json!({ "iss": client, "sub": client, "aud": app.url, "jti": Uuid::now_v7(), "iat": now, "exp": now + 120 })
}

async fn with_assertion(app: &TestApp, assertion: &str) -> Reply {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    app.form("/oauth/token", &form, &[]).await
}

async fn with_scope(app: &TestApp, scope: &str) -> Reply {
    let client = CLIENT.to_string();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", PASSWORD),
        ("scope", scope),
    ];
    app.form("/oauth/token", &form, &[]).await
}

/// A form with the secret of the council's system.
async fn with_secret(app: &TestApp, path: &str, more: &[(&str, &str)], from: &str) -> Reply {
    let client = CLIENT.to_string();
    let mut form = vec![("client_id", client.as_str()), ("client_secret", PASSWORD)];
    form.extend(more);
    app.form(path, &form, &[("x-forwarded-for", from)]).await
}

fn bearer<'a>(app: &'a TestApp, token: &Reply) -> Caller<'a> {
    app.with_token(token["access_token"].as_str().expect("a token"))
}

async fn change(app: &TestApp, fields: Value) {
    let council = app.council().await;
    council.patch(&format!("/clients/{CLIENT}"), fields).await.expect(200);
}

#[tokio::test]
async fn a_system_signs_in_with_a_signature_by_every_kind_of_key() {
    let app = TestApp::new().await;
    let keys = [
        ("ed", &["EdDSA"][..], Signer::ed25519()),
        (
            "ec",
            &["ES256"],
            Signer::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness")),
        ),
        (
            "rsa",
            &["RS256", "PS256"],
            Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness")),
        ),
    ];
    let public: Vec<Value> = keys.iter().map(|(kid, _, signer)| signer.public(kid)).collect();
    change(&app, json!({ "public_keys": public })).await;
    for (kid, algorithms, signer) in &keys {
        for algorithm in *algorithms {
            let token = with_assertion(&app, &signer.assertion(&app, kid, algorithm))
                .await
                .expect(200);
            assert_eq!(bearer(&app, &token).get("/me").await.expect(200)["id"], json!(CLIENT));
        }
    }
    // The key need not be named, and the audience may be the endpoint.
    for audience in ["/api/v1/oauth/token", "/api/v1/oauth/revoke", ""] {
        let mut claims = claims(&app, CLIENT);
        claims["aud"] = json!([format!("{}{audience}", app.url)]);
        let assertion = keys[0]
            .2
            .signed(&json!({ "alg": "EdDSA", "typ": "JWT" }), &claims.to_string());
        with_assertion(&app, &assertion).await.expect(200);
    }
    let used = app
        .council()
        .await
        .get(&format!("/clients/{CLIENT}/uses"))
        .await
        .expect(200);
    let mut used = used.items("credential");
    used.sort_by_key(Value::to_string);
    assert_eq!(used, ["ec", "ed", "rsa"]);
}

#[tokio::test]
async fn a_key_that_was_taken_out_verifies_nothing() {
    let app = TestApp::new().await;
    let (old, new) = (Signer::ed25519(), Signer::ed25519());
    change(&app, json!({ "public_keys": [old.public("old"), new.public("new")] })).await;
    with_assertion(&app, &old.assertion(&app, "old", "EdDSA"))
        .await
        .expect(200);
    with_assertion(&app, &new.assertion(&app, "new", "EdDSA"))
        .await
        .expect(200);
    change(&app, json!({ "public_keys": [new.public("new")] })).await;
    let refused = with_assertion(&app, &old.assertion(&app, "old", "EdDSA")).await;
    refused.refused(401, "invalid_client", "client_refused");
    with_assertion(&app, &new.assertion(&app, "new", "EdDSA"))
        .await
        .expect(200);
}

#[tokio::test]
async fn only_whole_public_keys_are_registered() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let address = format!("/clients/{CLIENT}");
    let key = Signer::ed25519().public("k");
    let with = |name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        json!({ "public_keys": [key] })
    };
    // The private half does not belong here.
    council
        .patch(&address, with("d", json!("secret")))
        .await
        .wrong_field("/public_keys/0/d", "unknown_field");
    council
        .patch(&address, with("kty", json!("oct")))
        .await
        .wrong_field("/public_keys/0/kty", "unknown_choice");
    for broken in [
        with("kty", json!("RSA")),
        with("crv", json!("P-256")),
        with("x", json!("AQ")),
        with("alg", json!("RS256")),
        json!({ "public_keys": [key, key] }),
    ] {
        council
            .patch(&address, broken)
            .await
            .problem(409, "clients_public_keys");
    }
}

#[tokio::test]
async fn an_assertion_is_good_for_one_token() {
    let app = TestApp::new().await;
    let signer = Signer::ed25519();
    change(&app, json!({ "public_keys": [signer.public("k")] })).await;
    let assertion = signer.assertion(&app, "k", "EdDSA");
    let (one, other) = tokio::join!(with_assertion(&app, &assertion), with_assertion(&app, &assertion));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    with_assertion(&app, &assertion)
        .await
        .refused(401, "invalid_client", "assertion_reused");
}

#[tokio::test]
async fn forged_assertions_are_refused() {
    let app = TestApp::new().await;
    let (signer, stranger) = (Signer::ed25519(), Signer::ed25519());
    let rsa = Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness"));
    change(&app, json!({ "public_keys": [signer.public("k"), rsa.public("rsa")] })).await;
    // Another system of the same council, with a key of its own.
    let council = app.council().await;
    let other = json!({ "name": "別のシステム", "public_keys": [stranger.public("k")] });
    let other = council.create("/clients", other).await;

    let header = |name: &str, value: Value| {
        let mut header = json!({ "alg": "EdDSA", "kid": "k" });
        header[name] = value;
        header
    };
    let good = || claims(&app, CLIENT);
    let saying = |name: &str, value: Value| {
        let mut claims = good();
        claims[name] = value;
        claims.to_string()
    };
    let plain = header("typ", json!("JWT"));
    let unsigned = |algorithm: &str| {
        format!(
            "{}.{}.",
            BASE64.encode(header("alg", json!(algorithm)).to_string()),
            BASE64.encode(good().to_string())
        )
    };
    let symmetric = |secret: &[u8], kid: &str| {
        let header = json!({ "alg": "HS256", "kid": kid });
        let told = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(good().to_string())
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("{told}.{}", BASE64.encode(hmac::sign(&key, told.as_bytes())))
    };
    let public = signer.public("k");
    let x = public["x"].as_str().expect("a number");
    let whole = signer.signed(&plain, &good().to_string());
    let body = whole.rsplit_once('.').expect("a signature").0.to_owned();
    let repeated = format!("{{\"sub\":\"{other}\",{}", good().to_string().trim_start_matches('{'));
    let token = app.client_token(CLIENT, PASSWORD).await.expect(200);
    let own = stranger.public("k");

    let strangers = [
        ("no algorithm", unsigned("none")),
        ("no algorithm, capitals", unsigned("NONE")),
        (
            "HS256 with the public key",
            symmetric(&BASE64.decode(x).expect("base64"), "k"),
        ),
        ("HS256 with the text of the public key", symmetric(x.as_bytes(), "k")),
        (
            "HS256 with the JSON of the public key",
            symmetric(public.to_string().as_bytes(), "k"),
        ),
        (
            "HS256 with the modulus",
            symmetric(rsa.public("rsa")["n"].as_str().unwrap_or_default().as_bytes(), "rsa"),
        ),
        ("a stranger's signature", stranger.signed(&plain, &good().to_string())),
        (
            "a key of its own",
            stranger.signed(&header("jwk", own.clone()), &good().to_string()),
        ),
        (
            "a key from elsewhere",
            stranger.signed(
                &header("jku", json!("https://elsewhere.example/jwks")),
                &good().to_string(),
            ),
        ),
        (
            "a certificate from elsewhere",
            stranger.signed(
                &header("x5u", json!("https://elsewhere.example/x")),
                &good().to_string(),
            ),
        ),
        (
            "a certificate of its own",
            stranger.signed(&header("x5c", json!(["MIIB"])), &good().to_string()),
        ),
        (
            "an unknown key",
            signer.signed(&header("kid", json!("none")), &good().to_string()),
        ),
        (
            "a key that is a path",
            signer.signed(&header("kid", json!("../../../dev/null")), &good().to_string()),
        ),
        (
            "a key that is SQL",
            signer.signed(&header("kid", json!("k' or '1'='1")), &good().to_string()),
        ),
        (
            "the key of another kind",
            signer.signed(&header("kid", json!("rsa")), &good().to_string()),
        ),
        (
            "another algorithm",
            signer.signed(&header("alg", json!("ES256")), &good().to_string()),
        ),
        (
            "RS512",
            rsa.signed(&json!({ "alg": "RS512", "kid": "rsa" }), &good().to_string()),
        ),
        (
            "the type of an access token",
            signer.signed(&header("typ", json!("at+jwt")), &good().to_string()),
        ),
        (
            "a critical extension",
            signer.signed(&header("crit", json!(["exp"])), &good().to_string()),
        ),
        (
            "an access token",
            token["access_token"].as_str().unwrap_or_default().to_owned(),
        ),
        (
            "for another system",
            signer.signed(&plain, &claims(&app, other).to_string()),
        ),
        (
            "for nobody",
            signer.signed(&plain, &claims(&app, Uuid::now_v7()).to_string()),
        ),
        ("no signature", format!("{body}.")),
        ("two parts", body.clone()),
        ("four parts", format!("{whole}.x")),
        ("empty parts", "..".to_owned()),
        ("not a token", "x".repeat(100)),
        (
            "too long",
            signer.signed(&plain, &saying("note", json!("x".repeat(5000)))),
        ),
    ];
    for (what, assertion) in strangers {
        let reply = with_assertion(&app, &assertion).await;
        assert_eq!(
            (reply.status, &reply["code"]),
            (401, &json!("client_refused")),
            "{what}: {}",
            reply.text
        );
        app.sql("delete from sign_in_failures").await;
    }
    let now = Utc::now().timestamp();
    let without_iat = |exp: Value| {
        let mut claims = good();
        (claims["iat"], claims["exp"]) = (Value::Null, exp);
        claims.to_string()
    };
    let mut missing = good();
    missing.as_object_mut().expect("claims").remove("jti");
    let said = [
        ("another issuer", saying("iss", json!(other)), "assertion_claims"),
        (
            "an issuer that is a list",
            saying("iss", json!([CLIENT])),
            "assertion_claims",
        ),
        (
            "another audience",
            saying("aud", json!("https://elsewhere.example")),
            "assertion_claims",
        ),
        (
            "several audiences",
            saying("aud", json!([app.url, "https://elsewhere.example"])),
            "assertion_claims",
        ),
        ("no audience", saying("aud", Value::Null), "assertion_claims"),
        ("no name", missing.to_string(), "assertion_claims"),
        ("an empty name", saying("jti", json!("")), "assertion_claims"),
        ("a long name", saying("jti", json!("x".repeat(256))), "assertion_claims"),
        ("a name with NUL", saying("jti", json!("x\0")), "assertion_claims"),
        ("no end", saying("exp", Value::Null), "assertion_claims"),
        (
            "an end in words",
            saying("exp", json!("9999999999")),
            "assertion_claims",
        ),
        (
            "an end beyond all numbers",
            saying("exp", json!(1e300)),
            "assertion_claims",
        ),
        ("a subject twice", repeated, "assertion_claims"),
        ("an end far away", without_iat(json!(now + 3600)), "assertion_time"),
        ("an end before time", saying("exp", json!(i64::MIN)), "assertion_time"),
        ("an end after time", without_iat(json!(i64::MAX)), "assertion_time"),
        ("not yet good", saying("nbf", json!(now + 60)), "assertion_time"),
    ];
    for (what, claims, code) in said {
        let reply = with_assertion(&app, &signer.signed(&plain, &claims)).await;
        assert_eq!(
            (reply.status, &reply["code"]),
            (401, &json!(code)),
            "{what}: {}",
            reply.text
        );
        app.sql("delete from sign_in_failures").await;
    }
    with_assertion(&app, &whole).await.expect(200);
    // Five minutes from its making is all it gets, whatever it says; libraries write an hour.
    let long = signer.signed(&plain, &saying("exp", json!(now + 3600)));
    with_assertion(&app, &long).await.expect(200);
    let mut old = good();
    (old["iat"], old["exp"]) = (json!(now - 340), json!(now + 3260));
    let old = with_assertion(&app, &signer.signed(&plain, &old.to_string())).await;
    old.refused(401, "invalid_client", "assertion_time");
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_off_is_told_so() {
    let app = TestApp::new().await;
    let signer = Signer::ed25519();
    change(&app, json!({ "public_keys": [signer.public("k")] })).await;
    for (off, status) in [(-600, 401), (600, 401), (-20, 200), (20, 200)] {
        let now = Utc::now().timestamp() + off;
        let mut claims = claims(&app, CLIENT);
        (claims["iat"], claims["nbf"], claims["exp"]) = (json!(now), json!(now), json!(now + 300));
        let assertion = signer.signed(&json!({ "alg": "EdDSA", "kid": "k" }), &claims.to_string());
        let reply = with_assertion(&app, &assertion).await;
        if status == 200 {
            reply.expect(200);
            continue;
        }
        let reply = reply.refused(401, "invalid_client", "assertion_time");
        let description = reply["error_description"].as_str().unwrap_or_default();
        assert!(
            description.contains("set the clock") && description.contains(" s from now"),
            "{description}"
        );
        assert!(
            reply["title"].as_str().is_some_and(|t| t.contains("時計")),
            "{}",
            reply.text
        );
        assert!(reply.header("date").is_some());
    }
}

#[tokio::test]
async fn a_stranger_cannot_lock_a_system_out_with_signatures() {
    let app = TestApp::new().await;
    let (signer, stranger) = (Signer::ed25519(), Signer::ed25519());
    change(&app, json!({ "public_keys": [signer.public("k")] })).await;
    let form = |assertion: String| {
        [
            ("grant_type".to_owned(), "client_credentials".to_owned()),
            ("client_assertion_type".to_owned(), ASSERTION.to_owned()),
            ("client_assertion".to_owned(), assertion),
        ]
    };
    for turn in 0..32 {
        let form = form(stranger.assertion(&app, "k", "EdDSA"));
        let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reply = app
            .form("/oauth/token", &form, &[("x-forwarded-for", "203.0.113.7")])
            .await;
        assert_eq!(
            reply.status,
            if turn < 30 { 401 } else { 429 },
            "{turn}: {}",
            reply.text
        );
    }
    with_assertion(&app, &signer.assertion(&app, "k", "EdDSA"))
        .await
        .expect(200);
}

#[tokio::test]
async fn errors_are_those_of_the_standard() {
    let app = TestApp::new().await;
    let client = CLIENT.to_string();
    let grant = ("grant_type", "client_credentials");
    let id = ("client_id", client.as_str());
    let secret = ("client_secret", PASSWORD);
    let assertion = ("client_assertion", "x.y.z");
    let kind = ("client_assertion_type", ASSERTION);
    for (form, status, error, code) in [
        (vec![id, secret], 400, "invalid_request", "unsupported_grant_type"),
        (
            vec![("grant_type", "password"), id, secret],
            400,
            "unsupported_grant_type",
            "unsupported_grant_type",
        ),
        (vec![grant, grant, id, secret], 400, "invalid_request", "bad_form"),
        (vec![grant, id, id, secret], 400, "invalid_request", "bad_form"),
        (
            vec![grant, id, secret, kind, assertion],
            400,
            "invalid_request",
            "one_way_to_authenticate",
        ),
        (
            vec![grant, assertion],
            400,
            "invalid_request",
            "one_way_to_authenticate",
        ),
        (vec![grant], 401, "invalid_client", "client_refused"),
        (vec![grant, id], 401, "invalid_client", "client_refused"),
        (
            vec![grant, ("client_id", "nobody"), secret],
            401,
            "invalid_client",
            "client_refused",
        ),
        (
            vec![grant, id, ("client_secret", "")],
            401,
            "invalid_client",
            "client_refused",
        ),
        (
            vec![grant, id, secret, ("scope", "everything")],
            400,
            "invalid_scope",
            "invalid_scope",
        ),
        (
            vec![grant, id, secret, ("scope", "kpis:read  plans:read")],
            400,
            "invalid_scope",
            "invalid_scope",
        ),
    ] {
        let reply = app.form("/oauth/token", &form, &[]).await.refused(status, error, code);
        assert_eq!(reply["request_id"].as_str(), reply.header("x-request-id"));
        assert_eq!(
            reply.header("www-authenticate"),
            (status == 401).then_some("Basic realm=\"tsunagi\"")
        );
    }
    // Unknown parameters and empty ones are none.
    let token = app
        .form(
            "/oauth/token",
            &[grant, id, secret, ("scope", ""), ("resource", "x")],
            &[],
        )
        .await
        .expect(200);
    assert_eq!(
        (token.header("cache-control"), &token["expires_in"]),
        (Some("no-store"), &json!(600))
    );
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let header = basic(&format!("{CLIENT}:{PASSWORD}"));
    app.form("/oauth/token", &[grant, id], &[("authorization", &header)])
        .await
        .expect(200);
    let both = app
        .form("/oauth/token", &[grant, secret], &[("authorization", &header)])
        .await;
    both.refused(400, "invalid_request", "one_way_to_authenticate");
    for header in [
        basic("nobody"),
        basic(&format!("{CLIENT}:wrong")),
        "Basic %".to_owned(),
        "Bearer x".to_owned(),
        "Basic".to_owned(),
    ] {
        let reply = app.form("/oauth/token", &[grant], &[("authorization", &header)]).await;
        reply.refused(401, "invalid_client", "client_refused");
    }
    let json = app
        .anonymous()
        .post("/oauth/token", json!({ "grant_type": "client_credentials" }))
        .await;
    json.refused(400, "invalid_request", "bad_form");
}

#[tokio::test]
async fn the_metadata_says_where_everything_is() {
    let app = TestApp::new().await;
    let metadata = app
        .http
        .get(format!("{}/.well-known/oauth-authorization-server", app.url))
        .send()
        .await;
    let metadata: Value = metadata.expect("an answer").json().await.expect("JSON");
    assert_eq!(metadata["issuer"], app.url.as_str());
    let scopes = metadata["scopes_supported"].as_array().expect("scopes");
    assert!(scopes.contains(&json!("kpis:read")));
    let keys = metadata["jwks_uri"]
        .as_str()
        .expect("an address")
        .strip_prefix(&app.url)
        .expect("ours");
    app.anonymous().get(keys).await.expect(200);
    for endpoint in ["token_endpoint", "revocation_endpoint"] {
        let path = metadata[endpoint]
            .as_str()
            .expect("an address")
            .strip_prefix(&app.url)
            .expect("ours")
            .to_owned();
        app.anonymous()
            .raw(Method::POST, &path, Some(Vec::new()), "text/plain", &[])
            .await
            .expect(400);
    }
}

#[tokio::test]
async fn a_revoked_token_ends_at_once_and_alone() {
    let app = TestApp::new().await;
    let first = app.client_token(CLIENT, PASSWORD).await.expect(200);
    let second = app.client_token(CLIENT, PASSWORD).await.expect(200);
    bearer(&app, &first).get("/me").await.expect(200);
    let token = first["access_token"].as_str().expect("a token");
    for _ in 0..2 {
        with_secret(
            &app,
            "/oauth/revoke",
            &[("token", token), ("token_type_hint", "refresh_token")],
            "127.0.0.1",
        )
        .await
        .expect(200);
    }
    bearer(&app, &first).get("/me").await.problem(401, "unauthenticated");
    bearer(&app, &first)
        .get("/platforms")
        .await
        .problem(401, "unauthenticated");
    bearer(&app, &second).get("/me").await.expect(200);
    // What is no token is answered the same.
    with_secret(&app, "/oauth/revoke", &[("token", "no token")], "127.0.0.1")
        .await
        .expect(200);
    with_secret(&app, "/oauth/revoke", &[], "127.0.0.1")
        .await
        .refused(400, "invalid_request", "bad_form");
    let client = CLIENT.to_string();
    let wrong = [
        ("client_id", client.as_str()),
        ("client_secret", "wrong"),
        ("token", token),
    ];
    app.form("/oauth/revoke", &wrong, &[])
        .await
        .refused(401, "invalid_client", "client_refused");
    app.form("/oauth/revoke", &[("token", token)], &[])
        .await
        .refused(401, "invalid_client", "client_refused");
    let person = app.sign_in("editor@example.jp", PASSWORD).await.expect(200);
    let foreign = person["access_token"].as_str().expect("a token");
    with_secret(&app, "/oauth/revoke", &[("token", foreign)], "127.0.0.1")
        .await
        .refused(400, "unauthorized_client", "foreign_token");
    bearer(&app, &person).get("/me").await.expect(200);
}

#[tokio::test]
async fn a_system_that_is_off_or_has_expired_is_out_at_once() {
    let app = TestApp::new().await;
    for (end, again) in [
        (json!({ "active": false }), json!({ "active": true })),
        (
            json!({ "expires_at": "2020-03-31T00:00:00Z" }),
            json!({ "expires_at": null }),
        ),
    ] {
        let token = app.client_token(CLIENT, PASSWORD).await.expect(200);
        bearer(&app, &token).get("/me").await.expect(200);
        change(&app, end).await;
        bearer(&app, &token).get("/me").await.problem(401, "unauthenticated");
        app.client_token(CLIENT, PASSWORD)
            .await
            .refused(401, "invalid_client", "client_ended");
        // Only who knows the secret learns that.
        app.client_token(CLIENT, "wrong")
            .await
            .refused(401, "invalid_client", "client_refused");
        change(&app, again).await;
        app.client_token(CLIENT, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn a_secret_is_ended_alone_and_its_history_says_by_whom() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let until = json!({ "expires_at": Utc::now() + TimeDelta::days(10) });
    let issued = council
        .post(&format!("/clients/{CLIENT}/secrets"), until)
        .await
        .expect(201);
    let secret = issued["client_secret"].as_str().expect("a secret").to_owned();
    let listed = council.list(&format!("/client-secrets?client_id={CLIENT}"), "id").await;
    assert_eq!(listed, [json!(CLIENT_SECRET), issued["id"].clone()]);
    // What ends soon is told.
    let token = app.client_token(CLIENT, &secret).await.expect(200);
    assert!(token["credential_expires_at"].is_string(), "{}", token.text);
    assert!(app.client_token(CLIENT, PASSWORD).await.expect(200)["credential_expires_at"].is_null());

    let path = format!("/client-secrets/{}", issued["id"].as_str().expect("an id"));
    assert!(!council.get(&path).await.expect(200).text.contains(&secret));
    council.delete(&path).await.expect(204);
    app.client_token(CLIENT, &secret)
        .await
        .refused(401, "invalid_client", "client_refused");
    bearer(&app, &token).get("/me").await.expect(200);
    app.client_token(CLIENT, PASSWORD).await.expect(200);
    let id = issued["id"].as_str().expect("an id");
    let history = council
        .get(&format!("/history?entity=client_secrets&record_id={id}"))
        .await
        .expect(200);
    assert_eq!(history.items("operation"), ["D", "I"]);
    assert_eq!(history.items("actor_name")[0], "南部町社会福祉協議会 council");
    let hashes = app
        .texts(
            "select secret_hash from credentials where holder_id = $1::text::uuid",
            &[&CLIENT.to_string()],
        )
        .await;
    let kept = app.texts("select row::text from record_history", &[]).await.concat();
    assert!(hashes.len() == 1 && !kept.contains("argon2"));

    app.sql("update client_secrets set expires_at = now() - interval '1 second'")
        .await;
    app.client_token(CLIENT, PASSWORD)
        .await
        .refused(401, "invalid_client", "secret_expired");
}

#[tokio::test]
async fn the_last_use_is_kept_to_the_minute() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let uses = format!("/clients/{CLIENT}/uses");
    assert!(council.get(&uses).await.expect(200).items("used_at").is_empty());
    app.client_token(CLIENT, PASSWORD).await.expect(200);
    let first = council.get(&uses).await.expect(200);
    assert_eq!(first.items("credential"), [json!(CLIENT_SECRET)]);
    app.client_token(CLIENT, PASSWORD).await.expect(200);
    assert_eq!(council.get(&uses).await.expect(200).body, first.body);
    app.sql("update client_uses set used_at = used_at - interval '2 minutes'")
        .await;
    app.client_token(CLIENT, PASSWORD).await.expect(200);
    assert!(council.get(&uses).await.expect(200).items("used_at")[0].as_str() > first.items("used_at")[0].as_str());
    app.editor().await.get(&uses).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_system_calls_only_from_its_addresses() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let address = format!("/clients/{CLIENT}");
    for wrong in ["203.0.113.0/33", "300.0.0.1", "2001:db8::/129", "a.b", "::1::"] {
        let reply = council.patch(&address, json!({ "addresses": [wrong] })).await;
        reply.wrong_field("/addresses/0", "network");
    }
    let grant = [("grant_type", "client_credentials")];
    let running = app.client_token(CLIENT, PASSWORD).await.expect(200);
    change(
        &app,
        json!({ "addresses": ["203.0.113.0/24", "198.51.100.7", "2001:db8:1::/48"] }),
    )
    .await;
    for (from, good) in [
        ("203.0.113.9", true),
        ("198.51.100.7", true),
        ("2001:db8:1:2::3", true),
        ("::ffff:203.0.113.9", true),
        ("198.51.100.1, 203.0.113.9", true),
        ("203.0.114.1", false),
        ("198.51.100.8", false),
        ("2001:db8:2::1", false),
        // What a caller claims stands before what the proxy has seen.
        ("203.0.113.9, 198.51.100.1", false),
    ] {
        let token = with_secret(&app, "/oauth/token", &grant, from).await;
        let headers = [("x-forwarded-for", from)];
        let read = bearer(&app, &running)
            .send(Method::GET, "/platforms", None, &headers)
            .await;
        let key = Uuid::now_v7().to_string();
        let write = bearer(&app, &running)
            .send(
                Method::POST,
                "/batch",
                Some(json!({})),
                &[headers[0], ("idempotency-key", &key)],
            )
            .await;
        if good {
            token.expect(200);
            read.expect(200);
            write.expect(422);
        } else {
            token.refused(403, "unauthorized_client", "address_refused");
            read.problem(403, "address_refused");
            write.problem(403, "address_refused");
        }
    }
    change(&app, json!({ "addresses": [] })).await;
    bearer(&app, &running).get("/platforms").await.expect(200);
}

/// A plan of the council with a goal, and a KPI listed there.
async fn furnish(app: &TestApp) -> (Uuid, Uuid) {
    let council = app.council().await;
    let plan = json!({ "kind": "community_welfare_activity_plan", "title": "計画", "first_fiscal_year": 2021, "last_fiscal_year": 2025 });
    let plan = council.create("/plans", plan).await;
    let goal = council
        .create("/goals", json!({ "plan_id": plan, "kind": "measure", "title": "相談" }))
        .await;
    let kpi = council
        .create(
            "/kpis",
            json!({ "name": "相談件数", "value_type": "number", "unit": "件" }),
        )
        .await;
    council
        .create("/kpi-placements", json!({ "kpi_id": kpi, "goal_id": goal }))
        .await;
    (plan, kpi)
}

#[tokio::test]
async fn a_token_reads_and_writes_within_its_scope() {
    let app = TestApp::new().await;
    let (plan, kpi) = furnish(&app).await;
    let token = with_scope(&app, "kpis:read plans:write").await.expect(200);
    assert_eq!(token["scope"], "plans:write kpis:read");
    let client = bearer(&app, &token);
    // Reading: by id, in lists, and what a sheet shows.
    client.get(&format!("/kpis/{kpi}")).await.expect(200);
    client.get("/kpis").await.expect(200);
    client.get(&format!("/plans/{plan}")).await.expect(200);
    let refused = client.get("/platforms").await.problem(403, "insufficient_scope");
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"platforms:read\"";
    assert_eq!(refused.header("www-authenticate"), Some(challenge));
    client.get("/projects").await.problem(403, "insufficient_scope");
    client.get("/users").await.problem(403, "insufficient_scope");
    // Writing.
    client
        .patch(&format!("/plans/{plan}"), json!({ "title": "新しい計画" }))
        .await
        .expect(200);
    client
        .patch(&format!("/kpis/{kpi}"), json!({ "name": "x" }))
        .await
        .problem(403, "insufficient_scope");
    client
        .post("/kpis", json!({ "name": "x", "value_type": "number" }))
        .await
        .problem(403, "insufficient_scope");
    client
        .post("/kpi-placements", json!({ "kpi_id": kpi, "goal_id": kpi }))
        .await
        .problem(403, "insufficient_scope");
    client
        .delete(&format!("/kpis/{kpi}"))
        .await
        .problem(403, "insufficient_scope");
    let step = json!({ "status": "submitted" });
    let moved = [("if-match", "*"), ("idempotency-key", "move")];
    let reply = client
        .send(Method::POST, &format!("/kpis/{kpi}/transition"), Some(step), &moved)
        .await;
    reply.problem(403, "insufficient_scope");
    // In a batch each item is decided for itself.
    let batch = json!({ "mode": "per_row", "items": [
        { "entity": "goals", "source": "s", "external_id": "1", "record": { "plan_id": plan, "kind": "measure", "title": "新規" } },
        { "entity": "kpis", "record": { "name": "x", "value_type": "number" } },
        { "entity": "kpis", "id": kpi, "record": { "name": "x", "value_type": "number" } },
        { "entity": "platforms", "record": { "kind": "other", "name": "x" } },
    ] });
    let done = client.post("/batch", batch).await.expect(200);
    assert_eq!(done.items("outcome"), ["created", "error", "error", "error"]);
    assert!(
        done.items("problem")[1..]
            .iter()
            .all(|p| p["code"] == "insufficient_scope"),
        "{}",
        done.text
    );
    // What the token may, it says itself.
    let me = client.get("/me").await.expect(200);
    let permissions = me["permissions"].as_array().expect("permissions");
    assert!(permissions.contains(&json!("goals:create:own")) && permissions.contains(&json!("kpis:read:own")));
    assert!(!permissions.contains(&json!("kpis:create:own")) && !permissions.contains(&json!("platforms:read:own")));
    // The history and the feed.
    client
        .get(&format!("/history?entity=kpis&record_id={kpi}"))
        .await
        .expect(200);
    client
        .get(&format!("/history?entity=platforms&record_id={kpi}"))
        .await
        .problem(403, "forbidden");
    let changes = client.get("/changes").await.expect(200);
    let mut told: Vec<_> = changes.items("entity").iter().map(Value::to_string).collect();
    told.sort();
    told.dedup();
    assert_eq!(
        told,
        [
            "\"goals\"",
            "\"kpi_placements\"",
            "\"kpi_series\"",
            "\"kpis\"",
            "\"plans\""
        ]
    );
    let asked = client.get("/changes?entity=organizations,kpis").await.expect(200);
    assert!(asked.items("entity").iter().all(|e| e == "kpis"));
    let counted = client.get("/changes/counts").await.expect(200).items("entity");
    assert!(
        !counted.is_empty() && counted.iter().all(|e| told.contains(&e.to_string())),
        "{counted:?}"
    );
}

#[tokio::test]
async fn a_sheet_comes_without_what_is_out_of_scope() {
    let app = TestApp::new().await;
    let (plan, _) = furnish(&app).await;
    for (scope, kpis) in [("plans:read", 0), ("plans:read kpis:read", 1)] {
        let token = with_scope(&app, scope).await.expect(200);
        let sheet = bearer(&app, &token)
            .get(&format!("/plans/{plan}/sheet"))
            .await
            .expect(200);
        assert_eq!(sheet["kpis"].as_array().map(Vec::len), Some(kpis), "{scope}");
        assert_eq!(sheet["goals"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test]
async fn the_scope_of_a_system_bounds_its_tokens_at_once() {
    let app = TestApp::new().await;
    furnish(&app).await;
    let all = app.client_token(CLIENT, PASSWORD).await.expect(200);
    assert!(all["scope"].is_null());
    let both = with_scope(&app, "kpis:write plans:read").await.expect(200);
    bearer(&app, &both).get("/plans").await.expect(200);
    let council = app.council().await;
    let address = format!("/clients/{CLIENT}");
    council
        .patch(&address, json!({ "scopes": ["everything"] }))
        .await
        .wrong_field("/scopes/0", "unknown_choice");
    change(&app, json!({ "scopes": ["kpis:read"] })).await;
    // Tokens that are out there lose what the system has lost.
    for token in [&all, &both] {
        bearer(&app, token).get("/kpis").await.expect(200);
        bearer(&app, token)
            .get("/plans")
            .await
            .problem(403, "insufficient_scope");
        let kpi = json!({ "name": "x", "value_type": "number" });
        bearer(&app, token)
            .post("/kpis", kpi)
            .await
            .problem(403, "insufficient_scope");
    }
    assert_eq!(
        app.client_token(CLIENT, PASSWORD).await.expect(200)["scope"],
        "kpis:read"
    );
    for wanted in ["kpis:write", "plans:read", "kpis:read plans:read"] {
        with_scope(&app, wanted)
            .await
            .refused(400, "invalid_scope", "invalid_scope");
    }
    // Writing includes reading.
    change(&app, json!({ "scopes": ["kpis:write"] })).await;
    let token = with_scope(&app, "kpis:read").await.expect(200);
    bearer(&app, &token).get("/kpis").await.expect(200);
    let kpi = json!({ "name": "x", "value_type": "number" });
    bearer(&app, &token)
        .post("/kpis", kpi)
        .await
        .problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a_cursor_of_another_scope_is_not_continued() {
    let app = TestApp::new().await;
    furnish(&app).await;
    let narrow = with_scope(&app, "kpis:read").await.expect(200);
    let wide = with_scope(&app, "plans:read kpis:read").await.expect(200);
    let again = with_scope(&app, "kpis:read plans:read").await.expect(200);
    let read = bearer(&app, &narrow).get("/changes").await.expect(200);
    let next = read["next"].as_str().expect("a cursor").to_owned();
    let on = format!("/changes?after={next}");
    bearer(&app, &narrow).get(&on).await.expect(200);
    // Plans that were there before would be missed.
    let resync = bearer(&app, &wide).get(&on).await.problem(410, "resync_required");
    assert!(
        resync["organizations"]
            .as_array()
            .is_some_and(|o| o.contains(&json!(COUNCIL.id)))
    );
    let anew = format!("/changes?after={}", resync["after"].as_str().expect("a cursor"));
    let told = bearer(&app, &again).get(&anew).await.expect(200);
    assert!(told.items("entity").contains(&json!("plans")));
}

#[tokio::test]
async fn forged_tokens_of_systems_are_refused() {
    let app = TestApp::new().await;
    let signer = Signer::ed25519();
    change(
        &app,
        json!({ "public_keys": [signer.public("k")], "scopes": ["kpis:read"] }),
    )
    .await;
    let token = app.client_token(CLIENT, PASSWORD).await.expect(200);
    let genuine = token["access_token"].as_str().expect("a token");
    let forge = Forge::of(&app, genuine).await;
    let now = Utc::now().timestamp();
    let own = |header: Value| {
        let claims = BASE64
            .decode(genuine.split('.').nth(1).expect("claims"))
            .expect("base64");
        signer.signed(&header, &String::from_utf8(claims).expect("UTF-8"))
    };
    for (what, token) in [
        ("an assertion", signer.assertion(&app, "k", "EdDSA")),
        (
            "signed by the system itself",
            own(json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "k" })),
        ),
        (
            "with a key of its own",
            own(json!({ "typ": "at+jwt", "alg": "EdDSA", "jwk": signer.public("k") })),
        ),
        (
            "with a key from elsewhere",
            forge.with_header("jku", json!("https://elsewhere.example")),
        ),
        (
            "with a certificate from elsewhere",
            forge.with_header("x5u", json!("https://elsewhere.example")),
        ),
        ("another type", forge.with_header("typ", json!("JWT"))),
        ("another organisation", forge.with_claim("org", json!(NANBU.id))),
        (
            "another issuer",
            forge.with_claim("iss", json!("https://elsewhere.example")),
        ),
        ("another audience", forge.with_claim("aud", json!("another-api"))),
        ("expired", forge.with_claim("exp", json!(now - 6))),
        ("a person", forge.with_claim("kind", json!("user"))),
        ("another system", forge.with_claim("sub", json!(Uuid::now_v7()))),
        (
            "a scope that is a list",
            forge.with_claim("scope", json!(["plans:write"])),
        ),
    ] {
        let reply = app.with_token(&token).get("/me").await;
        assert_eq!(
            (reply.status, &reply["code"]),
            (401, &json!("unauthenticated")),
            "{what}: {}",
            reply.text
        );
    }
    // Even our own key gives no system more than it has now.
    let wide = app.with_token(&forge.with_claim("scope", json!("kpis:write plans:write nonsense")));
    wide.get("/plans").await.problem(403, "insufficient_scope");
    let secret = app.with_token(&forge.with_claim("scope", json!("")));
    secret.get("/kpis").await.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a_partner_looks_after_its_own_system_which_reaches_what_a_partner_reaches() {
    let app = TestApp::new().await;
    let (editor, partner) = (app.editor().await, app.caller("partner").await);
    let here = SharedPlan::new(&editor).await;
    let hidden = editor.create("/plans", plan("庁内の計画")).await;

    let made = partner
        .post("/clients", json!({ "name": "協議会の表計算" }))
        .await
        .expect(201);
    let address = format!("/clients/{}", made.id());
    let secret = partner.post(&format!("{address}/secrets"), json!({})).await.expect(201);
    let token = app
        .client_token(made.id(), secret["client_secret"].as_str().expect("a secret"))
        .await
        .expect(200);
    let system = bearer(&app, &token);
    let me = system.get("/me").await.expect(200);
    assert_eq!(
        (&me["role"], &me["organization_id"]),
        (&json!("partner_client"), &json!(PROMOTION.id))
    );

    // Its own column, by ids of its own, and what it needs to keep a copy.
    let item = |actor: Uuid, text: &str| {
        let record =
            json!({ "goal_id": here.goal, "fiscal_year": 2024, "actor_id": actor, "kind": "planned", "text": text });
        json!({ "entity": "roadmap_items", "source": "表計算", "external_id": actor, "record": record })
    };
    let batch = |items: Value| json!({ "mode": "per_row", "items": items });
    let items = batch(json!([item(here.promotion, "見守り"), item(here.council, "研修")]));
    let sent = system.post("/batch", items.clone()).await.expect(200);
    let told = |sent: &Reply| json!([sent["items"][0]["outcome"], sent["items"][1]["problem"]["code"]]);
    assert_eq!(told(&sent), json!(["created", "forbidden"]));
    let again = system.post("/batch", items).await.expect(200);
    assert_eq!(told(&again), json!(["unchanged", "forbidden"]));
    system.get("/changes").await.expect(200);
    assert_eq!(partner.list("/sync-runs?actor_kind=client", "id").await.len(), 2);

    // Nothing else: no sheet, neither its own nor the town's, and nothing that was not shared.
    system.refused("/plans", plan("協議会の計画"), 403, "forbidden").await;
    system
        .refused(
            &format!("/plans/{}", here.plan),
            json!({ "title": "x" }),
            403,
            "forbidden",
        )
        .await;
    let column = format!("/plan-actors/{}", here.promotion);
    system
        .refused(&column, json!({ "label": "改称" }), 403, "forbidden")
        .await;
    system.get(&format!("/plans/{hidden}")).await.problem(404, "not_found");
    // No system makes systems or secrets, not even for itself.
    system
        .refused("/clients", json!({ "name": "もう一つ" }), 403, "forbidden")
        .await;
    system
        .post(&format!("{address}/secrets"), json!({}))
        .await
        .problem(403, "forbidden");
    system.get("/clients").await.problem(403, "forbidden");
    // And no partner looks after another's.
    partner
        .get(&format!("/clients/{CLIENT}"))
        .await
        .problem(404, "not_found");
    partner
        .refused(
            "/users",
            json!({ "email": "new@example.jp", "name": "新任" }),
            403,
            "forbidden",
        )
        .await;
    app.council().await.get(&address).await.problem(404, "not_found");

    // It is bounded and ended as every other.
    partner.patch(&address, json!({ "active": false })).await.expect(200);
    system.get("/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn systems_that_are_to_be_renewed_are_found() {
    let app = TestApp::new().await;
    let council = app.council().await;
    let (soon, late) = (Utc::now() + TimeDelta::days(10), Utc::now() + TimeDelta::days(100));
    council
        .create("/clients", json!({ "name": "一年後", "expires_at": late }))
        .await;
    let ending = council
        .create("/clients", json!({ "name": "十日後", "expires_at": soon }))
        .await;
    council
        .post(&format!("/clients/{CLIENT}/secrets"), json!({ "expires_at": soon }))
        .await
        .expect(201);
    let before = async |days: i64| {
        let moment = (Utc::now() + TimeDelta::days(days)).format("%FT%TZ");
        council.list(&format!("/clients?expires_before={moment}"), "id").await
    };
    assert_eq!(before(9).await.len(), 0);
    assert_eq!(before(30).await, [json!(CLIENT), json!(ending)]);
    assert_eq!(before(101).await.len(), 3);
}
