//! A town, a city, a prefecture and their partners, on a real server with a database of its own.
//!
//! `TestApp::new()` copies a migrated template that all tests share (its name is a hash of what is in it), starts the
//! service on a free port and drops both at the end. Everything goes over HTTP; SQL only makes what a test starts from
//! and looks at what no operation shows.

use actix_web::HttpServer;
use actix_web::web::Data;
use futures_util::FutureExt;
use model::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use server::access::App;
use server::config::Config;
use server::outbound::{Reach, Reachable};
use server::webhooks::Settings;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// The password of everybody, and the secret of the council's system.
pub const PASSWORD: &str = "correct horse battery staple";
/// The key file of every test's installation.
pub const KEY: [u8; 32] = [7; 32];

/// An organisation that is there from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Town {
    pub id: Uuid,
    pub name: &'static str,
    kind: &'static str,
    municipality: Option<&'static str>,
    prefecture: Option<&'static str>,
}

const fn town(
    number: u128,
    name: &'static str,
    kind: &'static str,
    municipality: Option<&'static str>,
    prefecture: Option<&'static str>,
) -> Town {
    Town {
        id: Uuid::from_u128(0x0193_6d3e_0000_7000_8000_0000_0000_0000 + number),
        name,
        kind,
        municipality,
        prefecture,
    }
}

const TOTTORI: Option<&str> = Some("310000");
pub const OPERATOR: Town = town(1, "つなぎ運営", "operator", None, None);
pub const PREFECTURE: Town = town(2, "鳥取県", "prefecture", None, TOTTORI);
pub const NANBU: Town = town(3, "南部町", "municipality", Some("313891"), TOTTORI);
pub const TOTTORI_CITY: Town = town(4, "鳥取市", "municipality", Some("312011"), TOTTORI);
pub const SHINONSEN: Town = town(5, "新温泉町", "municipality", Some("285862"), Some("280003"));
pub const COUNCIL: Town = town(
    6,
    "南部町社会福祉協議会",
    "social_welfare_council",
    Some("313891"),
    TOTTORI,
);
pub const PROMOTION: Town = town(
    7,
    "東西町地域振興協議会",
    "community_promotion_council",
    Some("313891"),
    TOTTORI,
);
pub const JOINT_BODY: Town = town(8, "麒麟のまち圏域事務局", "joint_body", None, TOTTORI);
pub const INSTITUTE: Town = town(9, "地域福祉研究所", "npo", None, Some("130001"));
const TOWNS: [Town; 9] = [
    OPERATOR,
    PREFECTURE,
    NANBU,
    TOTTORI_CITY,
    SHINONSEN,
    COUNCIL,
    PROMOTION,
    JOINT_BODY,
    INSTITUTE,
];

/// Somebody who can sign in.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub name: &'static str,
    pub town: Town,
    pub role: Role,
}

impl Person {
    pub fn email(self) -> String {
        format!("{}@example.jp", self.name)
    }

    /// Id and secret's id of what is no person but a system.
    fn client(self) -> Option<(Uuid, Uuid)> {
        match self.role {
            Role::CouncilClient => Some((CLIENT, CLIENT_SECRET)),
            Role::PartnerClient => Some((PARTNERS_CLIENT, PARTNERS_SECRET)),
            _ => None,
        }
    }
}

const fn person(name: &'static str, town: Town, role: Role) -> Person {
    Person { name, town, role }
}

/// One for each role, and two in other places. The systems of the council and of its partner come last.
pub const PEOPLE: [Person; 16] = [
    person("viewer", NANBU, Role::MunicipalityViewer),
    person("editor", NANBU, Role::MunicipalityEditor),
    person("admin", NANBU, Role::MunicipalityAdmin),
    person("auditor", NANBU, Role::Auditor),
    person("council", COUNCIL, Role::CouncilEditor),
    person("partner", PROMOTION, Role::Partner),
    person("adviser", INSTITUTE, Role::Adviser),
    person("analyst", INSTITUTE, Role::Analyst),
    person("city", TOTTORI_CITY, Role::MunicipalityEditor),
    person("far", SHINONSEN, Role::MunicipalityEditor),
    person("pref-editor", PREFECTURE, Role::PrefectureEditor),
    person("pref-admin", PREFECTURE, Role::PrefectureAdmin),
    person("joint", JOINT_BODY, Role::JointBodySecretariat),
    person("operator", OPERATOR, Role::SystemAdmin),
    person("client", COUNCIL, Role::CouncilClient),
    person("system", PROMOTION, Role::PartnerClient),
];

pub const CLIENT: Uuid = Uuid::from_u128(0x0193_6d3e_0000_7000_8000_0000_0000_00ff);
pub const CLIENT_SECRET: Uuid = Uuid::from_u128(0x0193_6d3e_0000_7000_8000_0000_0000_0100);
const PARTNERS_CLIENT: Uuid = Uuid::from_u128(0x0193_6d3e_0000_7000_8000_0000_0000_0101);
const PARTNERS_SECRET: Uuid = Uuid::from_u128(0x0193_6d3e_0000_7000_8000_0000_0000_0102);

/// A running service with a database of its own.
pub struct TestApp {
    pub url: String,
    pub http: reqwest::Client,
    config: Config,
    database: String,
    sql: tokio_postgres::Client,
    tokens: Mutex<HashMap<&'static str, String>>,
    server: actix_web::dev::ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl TestApp {
    pub async fn new() -> Self {
        let template = template().await;
        let admin = connect(&database_url("postgres")).await;
        let database = format!("tsunagi_test_{}", Uuid::now_v7().simple());
        when_free(
            &admin,
            &format!("create database {database} template {template} owner tsunagi_owner"),
        )
        .await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        let config = Config {
            database_url: database_url(&database),
            connections: 12,
            public_url: url.clone(),
            key: KEY,
            behind_proxy: true,
            demo: false,
            webhooks: Settings {
                reachable: Reachable(vec![Reach::Net("127.0.0.0/8".parse().expect("a network"))]),
                schedule: [50, 100, 150].map(Duration::from_millis).to_vec(),
                limit: Duration::from_secs(2),
            },
            import_limit: 2 << 20,
        };
        let serving = config.clone();
        let (started, start) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = Data::new(App::new(serving));
                app.load_keys().await.expect("signing keys");
                actix_web::rt::spawn(server::webhooks::deliver(app.clone()));
                actix_web::rt::spawn(server::carry_out_imports(app.clone()));
                actix_web::rt::spawn(server::follow_changes(app.clone()));
                let server = HttpServer::new(move || server::app(app.clone()).0)
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .expect("it listens")
                    .run();
                let _ = started.send(server.handle());
                server.await.expect("the server ends when it is told to");
            });
        });
        let server = start.await.expect("the server starts");
        let sql = connect(&database_url(&database)).await;
        sql.batch_execute("set role tsunagi_owner")
            .await
            .expect("the owner exists");
        Self {
            url,
            http: reqwest::Client::new(),
            config,
            database,
            sql,
            tokens: Mutex::default(),
            server,
            thread: Some(thread),
        }
    }

    /// Another instance of the service on the same database, as far as it works without being asked.
    pub fn another_instance(&self) -> Instance {
        let config = self.config.clone();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                actix_web::rt::spawn(server::webhooks::deliver(Data::new(App::new(config))));
                let _ = stopped.await;
            });
        });
        Instance {
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Another instance of the service on the same database, for what no request does.
    pub fn service(&self) -> App {
        App::new(self.config.clone())
    }

    pub fn anonymous(&self) -> Caller<'_> {
        Caller { app: self, token: None }
    }

    /// Somebody of [`PEOPLE`], signed in over HTTP.
    pub async fn caller(&self, name: &str) -> Caller<'_> {
        let person = PEOPLE.into_iter().find(|p| p.name == name).expect("one of PEOPLE");
        let known = self.tokens.lock().expect("no thread died").get(person.name).cloned();
        let token = match known {
            Some(token) => token,
            None => {
                let token = if let Some((client, _)) = person.client() {
                    self.client_token(client, PASSWORD).await.expect(200)
                } else {
                    self.sign_in(&person.email(), PASSWORD).await.expect(200)
                };
                let token = token["access_token"].as_str().expect("a token").to_owned();
                self.tokens
                    .lock()
                    .expect("no thread died")
                    .insert(person.name, token.clone());
                token
            }
        };
        Caller {
            app: self,
            token: Some(token),
        }
    }

    pub async fn viewer(&self) -> Caller<'_> {
        self.caller("viewer").await
    }
    pub async fn editor(&self) -> Caller<'_> {
        self.caller("editor").await
    }
    pub async fn admin(&self) -> Caller<'_> {
        self.caller("admin").await
    }
    /// An editor of another town in the same prefecture.
    pub async fn foreign_editor(&self) -> Caller<'_> {
        self.caller("city").await
    }
    pub async fn council(&self) -> Caller<'_> {
        self.caller("council").await
    }
    pub async fn prefecture(&self) -> Caller<'_> {
        self.caller("pref-admin").await
    }
    pub async fn joint_body(&self) -> Caller<'_> {
        self.caller("joint").await
    }
    pub async fn operator(&self) -> Caller<'_> {
        self.caller("operator").await
    }
    pub async fn client(&self) -> Caller<'_> {
        self.caller("client").await
    }

    /// A caller with a token of one's own making.
    pub fn with_token(&self, token: &str) -> Caller<'_> {
        Caller {
            app: self,
            token: Some(token.to_owned()),
        }
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.anonymous()
            .post("/auth/sign-in", json!({ "email": email, "password": password }))
            .await
    }

    pub async fn client_token(&self, client: Uuid, secret: &str) -> Reply {
        let client = client.to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", secret),
        ];
        self.form("/oauth/token", &form, &[]).await
    }

    /// A form, as the OAuth endpoints take it.
    pub async fn form(&self, path: &str, form: &[(&str, &str)], headers: &[(&str, &str)]) -> Reply {
        let mut request = self.http.post(format!("{}/api/v1{path}", self.url)).form(form);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request).await
    }

    /// A request of the screens with their cookie.
    pub async fn with_cookie(&self, path: &str, cookie: &str) -> Reply {
        let headers = [
            ("origin", self.url.as_str()),
            ("x-requested-by", "tsunagi"),
            ("cookie", cookie),
        ];
        self.anonymous()
            .send(Method::POST, path, Some(json!({})), &headers)
            .await
    }

    /// Runs SQL as the owner of the tables, past the service.
    pub async fn sql(&self, sql: &str) {
        self.sql
            .batch_execute(sql)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    /// The first column of every row, as text.
    pub async fn texts(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<String> {
        let rows = self
            .sql
            .query(sql, parameters)
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e:?}"));
        rows.iter()
            .map(|row| row.get::<_, Option<String>>(0).unwrap_or_default())
            .collect()
    }

    /// A connection of its own to the test's database, as a superuser.
    pub async fn superuser(&self) -> tokio_postgres::Client {
        connect(&database_url(&self.database)).await
    }

    /// Inserts a record past the service; columns that are not named get their defaults.
    pub async fn insert(&self, table: &str, owner: Town, fields: &Value) -> Uuid {
        // Some rules ask whose work it is: the owner's.
        self.texts(
            "select set_config('app.begun', 'yes', false), set_config('app.org', $1, false)",
            &[&owner.id.to_string()],
        )
        .await;
        let names: Vec<&str> = fields.as_object().expect("fields").keys().map(String::as_str).collect();
        let list = |prefix: &str| names.iter().map(|n| format!(", {prefix}{n}")).collect::<String>();
        // The log belongs to whom it was written for; it is no record.
        let is_log = ["imports", "sync_runs", "sync_rows"].contains(&table);
        let organization = if is_log { "organization_id" } else { "owner_org_id" };
        let statement = format!(
            "insert into {table} (id, {organization}{}) select gen_random_uuid(), $1::text::uuid{}
             from jsonb_populate_record(null::{table}, $2::text::jsonb) r returning id::text",
            list(""),
            list("r.")
        );
        // Some rules ask for whom the caller acts.
        let acting = "select set_config('app.begun', $1, false), set_config('app.org', $2, false)";
        let owner = owner.id.to_string();
        self.texts(acting, &[&"yes", &owner]).await;
        let ids = self.texts(&statement, &[&owner, &fields.to_string()]).await;
        self.texts(acting, &[&"", &""]).await;
        ids[0].parse().expect("an id")
    }

    /// A message to a webhook that was given up, past the service.
    pub async fn undelivered(&self, webhook: &str) -> Uuid {
        let statement = "insert into webhook_deliveries (id, webhook_id, organization_id, status, message, position)
             select gen_random_uuid(), id, owner_org_id, 'dead', '{}', '' from webhooks where id = $1::text::uuid returning id::text";
        let ids = self.texts(statement, &[&webhook]).await;
        ids[0].parse().expect("an id")
    }

    /// How many versions of records were written so far.
    pub async fn versions(&self) -> String {
        self.texts("select count(*)::text from record_history", &[])
            .await
            .remove(0)
    }

    /// The id of one of [`PEOPLE`].
    pub async fn user_id(&self, name: &str) -> Uuid {
        let email = format!("{name}@example.jp");
        self.texts("select id::text from users where email = $1", &[&email])
            .await[0]
            .parse()
            .expect("an id")
    }
}

/// An instance that stops at once when it is dropped, whatever it is doing.
pub struct Instance {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Instance {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.server.stop(false));
        let _ = self.thread.take().map(JoinHandle::join);
        let database = self.database.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let admin = connect(&database_url("postgres")).await;
                let _ = admin
                    .batch_execute(&format!("drop database {database} with (force)"))
                    .await;
            });
        });
        let _ = dropped.join();
    }
}

/// A body with further fields, or with others.
pub fn with(mut body: Value, more: Value) -> Value {
    let fields = body.as_object_mut().expect("a body");
    fields.extend(more.as_object().cloned().expect("fields"));
    body
}

/// Who asks.
#[derive(Clone)]
pub struct Caller<'a> {
    app: &'a TestApp,
    token: Option<String>,
}

impl Caller<'_> {
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None, &[]).await
    }

    /// With a fresh idempotency key: systems need one.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let key = Uuid::now_v7().to_string();
        self.send(Method::POST, path, Some(body), &[("idempotency-key", &key)])
            .await
    }

    /// Changes the version that is there now.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        let etag = self.etag(path).await;
        self.patch_version(path, body, &etag).await
    }

    pub async fn patch_version(&self, path: &str, body: Value, etag: &str) -> Reply {
        let key = Uuid::now_v7().to_string();
        self.send(
            Method::PATCH,
            path,
            Some(body),
            &[("if-match", etag), ("idempotency-key", &key)],
        )
        .await
    }

    /// Deletes the version that is there now.
    pub async fn delete(&self, path: &str) -> Reply {
        let etag = self.etag(path).await;
        let key = Uuid::now_v7().to_string();
        self.send(
            Method::DELETE,
            path,
            None,
            &[("if-match", &etag), ("idempotency-key", &key)],
        )
        .await
    }

    /// Makes a record.
    pub async fn create(&self, path: &str, body: Value) -> Uuid {
        self.post(path, body).await.expect(201).id()
    }

    /// A field of every row of a list, read in pages of two: the pages are the whole list, no row twice and none lost.
    pub async fn list(&self, path: &str, field: &str) -> Vec<Value> {
        let path = format!("{path}{}", if path.contains('?') { "&" } else { "?" });
        let whole = self.get(&format!("{path}limit=200")).await.expect(200);
        let (mut rows, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}limit=2{next}")).await.expect(200);
            let items = page["items"].as_array().cloned().unwrap_or_default();
            rows.extend(items.iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&after={cursor}"),
                None => break,
            }
            assert_eq!(items.len(), 2, "{path}");
        }
        assert_eq!(
            (&json!(rows), &Value::Null),
            (&whole["items"], &whole["next"]),
            "{path}"
        );
        whole.items(field)
    }

    /// Tries to create a record (by id: to change it; without a body: to delete it). That is refused with this status
    /// and code, and nothing is written.
    pub async fn refused(&self, path: &str, body: Value, status: u16, code: &str) {
        let before = self.app.versions().await;
        let by_id = path.trim_start_matches('/').contains('/');
        let reply = match body.clone() {
            Value::Null => self.delete(path).await,
            body if by_id => self.patch(path, body).await,
            body => self.post(path, body).await,
        };
        let got = (reply.status, reply["code"].as_str());
        assert_eq!(got, (status, Some(code)), "{path} {body}: {}", reply.text);
        reply.problem(status, code);
        assert_eq!(self.app.versions().await, before, "{path} {body}");
    }

    /// Moves a sheet along its life.
    pub async fn transition(&self, path: &str, status: &str, reason: &str) -> Reply {
        let etag = self.etag(path).await;
        let headers = [("if-match", etag.as_str()), ("change-reason", reason)];
        self.send(
            Method::POST,
            &format!("{path}/transition"),
            Some(json!({ "status": status })),
            &headers,
        )
        .await
    }

    async fn etag(&self, path: &str) -> String {
        self.get(path).await.header("etag").unwrap_or("*").to_owned()
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>, headers: &[(&str, &str)]) -> Reply {
        let body = body.map(|b| b.to_string().into_bytes());
        self.raw(method, path, body, "application/json", headers).await
    }

    /// What comes back, as bytes.
    pub async fn bytes(&self, path: &str) -> Vec<u8> {
        let mut request = self.app.http.get(format!("{}/api/v1{path}", self.app.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        response.bytes().await.expect("a body").to_vec()
    }

    /// A body that need not be JSON.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        media_type: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        let path = if path.starts_with("/api/") {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let mut request = self.app.http.request(method, format!("{}{path}", self.app.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", media_type).body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Reply::of(request).await
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
    asked: String,
}

impl Reply {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let (client, request) = request.build_split();
        let request = request.expect("a request");
        let asked = format!("{} {}", request.method(), request.url().path());
        let response = client.execute(request).await.unwrap_or_else(|e| panic!("{asked}: {e}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap_or_else(|e| panic!("{asked}: {e}"));
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
            text,
            asked,
        }
    }

    /// The reply, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} answered {}", self.asked, self.text);
        self
    }

    /// The reply, if it is a problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(
            reply.header("content-type"),
            Some("application/problem+json"),
            "{}",
            reply.text
        );
        assert_eq!(reply["code"], code, "{} answered {}", reply.asked, reply.text);
        assert_eq!(reply["status"], status);
        assert_eq!(reply["request_id"].as_str(), reply.header("x-request-id"));
        assert!(
            reply["title"].as_str().is_some_and(|t| t.ends_with('。')),
            "{}",
            reply.text
        );
        reply
    }

    /// The reply, if an OAuth endpoint refuses with this status, code of RFC 6749 and code of ours.
    #[track_caller]
    pub fn refused(self, status: u16, error: &str, code: &str) -> Self {
        let reply = self.expect(status);
        assert_eq!(reply.header("content-type"), Some("application/json"), "{}", reply.text);
        assert_eq!(
            (&reply["error"], &reply["code"]),
            (&error.into(), &code.into()),
            "{}",
            reply.text
        );
        let description = reply["error_description"].as_str().unwrap_or_default();
        // RFC 6749 section 5.2: these characters and no others.
        assert!(
            !description.is_empty()
                && description
                    .bytes()
                    .all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
        );
        assert!(
            reply["title"].as_str().is_some_and(|t| t.ends_with('。')),
            "{}",
            reply.text
        );
        reply
    }

    /// What it says, whichever request it answers.
    pub fn said(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(problem) = body.as_object_mut() {
            problem.remove("request_id");
        }
        body
    }

    /// The reply, if it names this field as wrong, with this code.
    #[track_caller]
    pub fn wrong_field(self, path: &str, code: &str) -> Self {
        let reply = self.problem(422, "invalid");
        let errors = reply["errors"].as_array().cloned().unwrap_or_default();
        assert!(
            errors.iter().any(|e| e["path"] == path && e["code"] == code),
            "{}",
            reply.text
        );
        reply
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn etag(&self) -> &str {
        self.header("etag").expect("an ETag")
    }

    #[track_caller]
    pub fn id(&self) -> Uuid {
        self["id"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .unwrap_or_else(|| panic!("no id: {}", self.text))
    }

    /// The refresh cookie that the answer sets, as `name=value`.
    pub fn cookie(&self) -> String {
        let set = self.header("set-cookie").expect("a cookie");
        set.split(';').next().unwrap_or_default().to_owned()
    }

    /// Values of a field of the rows of a page.
    pub fn items(&self, field: &str) -> Vec<Value> {
        let items = self["items"]
            .as_array()
            .unwrap_or_else(|| panic!("no page: {}", self.text));
        items.iter().map(|item| item[field].clone()).collect()
    }
}

impl std::ops::Index<&str> for Reply {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}

/// The URL of a database of the throw-away cluster.
fn database_url(database: &str) -> String {
    let url = std::env::var("TEST_DATABASE_URL").expect(
        "TEST_DATABASE_URL must be the superuser's URL of a throw-away PostgreSQL; `cargo xtask test` starts one",
    );
    let (base, query) = url
        .split_once('?')
        .map_or((url.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
    let (server, _) = base.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{database}{query}")
}

pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the test cluster answers");
    tokio::spawn(connection.map(drop));
    client
}

/// A template is free only when the connections that made it are really gone.
async fn when_free(admin: &tokio_postgres::Client, sql: &str) {
    for attempt in 0.. {
        match admin.batch_execute(sql).await {
            Ok(()) => return,
            Err(error) if attempt < 100 && error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{sql}: {error:?}"),
        }
    }
}

/// The migrated database with the towns and their people, made once for all processes.
async fn template() -> String {
    let mut hash = DefaultHasher::new();
    include_str!("app.rs").hash(&mut hash);
    let backend = Path::new(env!("CARGO_MANIFEST_DIR")).join("../backend/model");
    hash_files(&backend.join("migrations"), &mut hash);
    hash_files(&backend.join("reference"), &mut hash);
    let name = format!("tsunagi_template_{:016x}", hash.finish());

    let admin = connect(&database_url("postgres")).await;
    admin
        .batch_execute("select pg_advisory_lock(hashtext('tsunagi test template'))")
        .await
        .expect("a lock");
    let made = admin
        .query("select 1 from pg_database where datname = $1", &[&name])
        .await
        .expect("databases");
    if made.is_empty() {
        let raw = format!("{name}_raw");
        admin
            .batch_execute(&format!("drop database if exists {raw} with (force)"))
            .await
            .expect("no half template");
        admin
            .batch_execute(&format!("create database {raw} template template0 locale 'C.UTF-8'"))
            .await
            .expect("a database");
        let url = database_url(&raw);
        tokio::task::spawn_blocking({
            let url = url.clone();
            move || model::migrate(&url).expect("migrations")
        })
        .await
        .expect("migrations");
        furnish(&url).await;
        when_free(&admin, &format!("alter database {raw} rename to {name}")).await;
    }
    name
}

fn hash_files(folder: &Path, hash: &mut DefaultHasher) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            hash_files(&path, hash);
        } else {
            path.file_name().hash(hash);
            std::fs::read(&path).expect("a file").hash(hash);
        }
    }
}

/// Puts the towns and their people into the template.
async fn furnish(url: &str) {
    let (sql, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .expect("the template answers");
    let connection = tokio::spawn(connection);
    let hash = server::password::hash_now(PASSWORD, "somebody@example.jp").expect("a good password");
    sql.batch_execute("set role tsunagi_owner")
        .await
        .expect("the owner exists");
    for town in TOWNS {
        sql.execute(
            "insert into organizations (id, owner_org_id, kind, name, municipality_code, prefecture_code)
             select $1::text::uuid, $1::text::uuid, $2, $3, $4, $5",
            &[
                &town.id.to_string(),
                &town.kind,
                &town.name,
                &town.municipality,
                &town.prefecture,
            ],
        )
        .await
        .expect("a town");
    }
    for person in PEOPLE {
        let town = person.town.id.to_string();
        if let Some((client, secret)) = person.client() {
            sql.batch_execute(&format!(
                "insert into clients (id, owner_org_id, name) values ('{client}', '{town}', '相談記録システム');
                 insert into client_secrets (id, client_id) values ('{secret}', '{client}');
                 insert into credentials (id, holder_id, secret_hash) values ('{secret}', '{client}', '{hash}')"
            ))
            .await
            .expect("a client");
            continue;
        }
        let (id, email, role) = (Uuid::now_v7(), person.email(), person.role.as_str());
        let name = format!("{} {}", person.town.name, person.name);
        sql.batch_execute(&format!(
            "insert into users (id, owner_org_id, email, name) values ('{id}', '{town}', '{email}', '{name}');
             insert into user_roles (id, owner_org_id, user_id, role, valid_from) values (gen_random_uuid(), '{town}', '{id}', '{role}', '2020-04-01');
             insert into credentials (id, holder_id, secret_hash) values (gen_random_uuid(), '{id}', '{hash}')"
        ))
        .await
        .unwrap_or_else(|e| panic!("{}: {e:?}", person.name));
    }
    drop(sql);
    let _ = connection.await;
}
