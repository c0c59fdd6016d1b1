//! Who may do what, tried out: every operation of the document, by everybody, on what is his own, somebody else's and
//! nobody's. What comes back is docs/AUTHORIZATION.md.

use crate::app::{Caller, NANBU, PASSWORD, PEOPLE, TOTTORI_CITY, TestApp, Town};
use crate::openapi::{current, document, operations};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use uuid::Uuid;

/// What makes a valid record of each resource: its body on creation. `"@platforms"` stands for a platform of the same
/// owner, `"@new"` for a text that nobody used yet.
fn fixtures() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("clients", json!({ "name": "記録システム" })),
        ("client-secrets", json!({ "client_id": "@clients" })),
        (
            "grants",
            json!({ "organization_id": NANBU.id, "scope_id": "@platforms", "valid_from": "2024-04-01" }),
        ),
        (
            "kpi-observations",
            json!({ "series_id": "@kpis", "period_kind": "fiscal_year", "period_start": "2024-04-01", "period_end": "2025-03-31", "number": "8.0" }),
        ),
        (
            "kpi-placements",
            json!({ "kpi_id": "@kpis", "platform_id": "@platforms" }),
        ),
        ("kpi-series", json!({ "kpi_id": "@kpis", "district": "@new" })),
        (
            "kpi-targets",
            json!({ "kpi_id": "@kpis", "fiscal_year": 2025, "value": "10" }),
        ),
        (
            "kpis",
            json!({ "name": "相談先を知る人", "value_type": "number", "unit": "人" }),
        ),
        (
            "evaluation-levels",
            json!({ "plan_id": "@plans", "code": "@new", "label": "達成", "rank": 1 }),
        ),
        (
            "evaluations",
            json!({ "goal_id": "@goals", "fiscal_year": 2024, "stage": "self" }),
        ),
        (
            "external-ids",
            json!({ "entity": "platforms", "record_id": "@platforms", "source": "@new", "external_id": "1" }),
        ),
        (
            "finding-notes",
            json!({ "entity": "platforms", "record_id": "@platforms", "rule": "wrong_weekday", "printed": "@new", "state": "explained", "explanation": "原本のとおり" }),
        ),
        (
            "imports",
            json!({ "file_name": "一覧.csv", "format": "csv", "entity": "platforms", "mode": "per_row", "full_list": false }),
        ),
        (
            "sync-rows",
            json!({ "run_id": "@sync-runs", "line": 1, "outcome": "error", "item": {} }),
        ),
        (
            "sync-runs",
            json!({ "actor_kind": "client", "kind": "batch", "mode": "per_row", "dry_run": false, "state": "done" }),
        ),
        ("goal-roles", json!({ "goal_id": "@goals", "actor_id": "@plan-actors" })),
        (
            "goals",
            json!({ "plan_id": "@plans", "kind": "measure", "title": "相談機能の強化" }),
        ),
        (
            "members",
            json!({ "platform_id": "@platforms", "kind": "category", "label": "NPO法人" }),
        ),
        (
            "municipality-facts",
            json!({ "municipality_code": "313891", "kind": "population", "value": "10000", "unit": "人", "source": "国勢調査",
                "as_of": { "precision": "day", "start": "2020-10-01" } }),
        ),
        ("organizations", json!({ "kind": "npo", "name": "団体" })),
        (
            "plan-actors",
            json!({ "plan_id": "@plans", "kind": "government", "label": "行政" }),
        ),
        (
            "plans",
            json!({ "kind": "community_welfare_plan", "title": "計画", "first_fiscal_year": 2021, "last_fiscal_year": 2025 }),
        ),
        (
            "project-costs",
            json!({ "project_id": "@projects", "amount_yen": 500000 }),
        ),
        ("projects", json!({ "name": "交流会", "fiscal_year": 2024 })),
        (
            "roadmap-cells",
            json!({ "goal_id": "@goals", "fiscal_year": 2024, "actor_id": "@plan-actors", "kind": "actual", "state": "none" }),
        ),
        (
            "roadmap-items",
            json!({ "goal_id": "@goals", "fiscal_year": 2024, "actor_id": "@plan-actors", "kind": "planned", "text": "研修" }),
        ),
        (
            "platform-years",
            json!({ "platform_id": "@platforms", "fiscal_year": 2024 }),
        ),
        ("platforms", json!({ "kind": "other", "name": "PF" })),
        (
            "user-roles",
            json!({ "user_id": "@users", "role": "adviser", "valid_from": "2024-04-01" }),
        ),
        ("users", json!({ "email": "@new", "name": "新任" })),
        ("webhook-deliveries", json!({ "webhook_id": "@webhooks" })),
        (
            "webhooks",
            json!({ "client_id": "@clients", "url": "http://127.0.0.1:9/" }),
        ),
    ])
}

/// Bodies of actions, by the last step of their path.
fn action(name: &str) -> Option<Value> {
    match name {
        "run" | "cancellation" => Some(json!({})),
        "deletions" => Some(json!({ "sync_run_id": Uuid::now_v7() })),
        "settlement" => Some(json!({ "take": "theirs" })),
        "password" => Some(json!({ "password": PASSWORD })),
        "carry-over" => Some(json!({ "fiscal_year": 2025 })),
        "replay" => Some(json!({ "since": chrono::Utc::now() })),
        "transition" => Some(json!({ "status": "submitted" })),
        _ => None,
    }
}

/// Lists without a fixture: nobody writes them.
const REFERENCE: [&str; 6] = [
    "analytics",
    "changes",
    "exports",
    "findings",
    "history",
    "municipalities",
];

/// Sheets with a life: a published one is seen by everybody.
const PUBLISHED: [&str; 5] = ["kpis", "municipality-facts", "plans", "platforms", "projects"];

/// Whose record it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relation {
    Own,
    Other,
    Public,
    None,
}
use Relation::{None as Nobody, Other, Own, Public};

/// Records made for the test, each used until somebody has changed it.
struct Records<'a> {
    app: &'a TestApp,
    fixtures: BTreeMap<&'static str, Value>,
    made: HashMap<(String, Uuid, bool), Uuid>,
    count: usize,
}

impl Records<'_> {
    fn id<'b>(&'b mut self, resource: &'b str, owner: Town, public: bool) -> LocalBoxFuture<'b, Uuid> {
        async move {
            let key = (resource.to_owned(), owner.id, public);
            if let Some(id) = self.made.get(&key) {
                return *id;
            }
            let mut body = self.body(resource, owner, public).await;
            if PUBLISHED.contains(&resource) && public {
                body["visibility"] = json!("public");
                body["status"] = json!("published");
            }
            if ["imports", "sync-runs"].contains(&resource) {
                body["actor_id"] = json!(Uuid::now_v7());
            }
            let id = if resource == "webhook-deliveries" {
                self.app
                    .undelivered(body["webhook_id"].as_str().unwrap_or_default())
                    .await
            } else {
                self.app.insert(&resource.replace('-', "_"), owner, &body).await
            };
            self.made.insert(key, id);
            id
        }
        .boxed_local()
    }

    /// A valid body whose parents belong to `owner`.
    async fn body(&mut self, resource: &str, owner: Town, public: bool) -> Value {
        let fixture = self.fixtures.get(resource);
        let mut body = fixture
            .unwrap_or_else(|| panic!("add a fixture for {resource}"))
            .clone();
        for (_, value) in body.as_object_mut().expect("a body") {
            match value
                .as_str()
                .and_then(|v| v.strip_prefix('@'))
                .map(str::to_owned)
                .as_deref()
            {
                Some("new") => {
                    self.count += 1;
                    *value = json!(format!("new-{}@example.jp", self.count));
                }
                Some(parent) => *value = json!(self.id(parent, owner, public).await),
                None => {}
            }
        }
        body
    }

    fn has_parent(&self, resource: &str) -> bool {
        self.fixtures.get(resource).is_some_and(|body| {
            let values = body.as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str());
            values.into_iter().any(|v| v.starts_with('@') && v != "@new")
        })
    }
}

#[tokio::test]
async fn the_matrix_of_rights_is_what_the_documentation_says() {
    let app = TestApp::new().await;
    let document = document();
    let mut records = Records {
        app: &app,
        fixtures: fixtures(),
        made: HashMap::new(),
        count: 0,
    };
    let names: Vec<&str> = std::iter::once("anonymous")
        .chain(PEOPLE.iter().map(|p| p.name))
        .collect();
    let mut callers: Vec<(Caller<'_>, Option<Town>)> = vec![(app.anonymous(), None)];
    for person in PEOPLE {
        callers.push((app.caller(person.name).await, Some(person.town)));
    }

    let mut public = Vec::new();
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let (mut rows, mut broken) = (0, Vec::new());
    for (path, method, operation) in operations(&document) {
        if operation["security"] == json!([{}]) {
            public.push(format!("{:<7}{path}", method.to_uppercase()));
            continue;
        }
        let short = path.trim_start_matches("/api/v1");
        let steps: Vec<&str> = short.trim_start_matches('/').split('/').collect();
        let by_id = short.contains('{');
        // Any kind does: which one it is changes nothing of the address.
        let steps: Vec<&str> = steps
            .iter()
            .map(|s| if *s == "{resource}" { "platforms" } else { s })
            .collect();
        let relations: &[Relation] = match (by_id, method == "post" && records.has_parent(steps[0])) {
            _ if steps[0] == "exports" => &[Nobody],
            (true, _) if short.contains("/external/") => &[Own, Other, Nobody],
            (true, _) if PUBLISHED.contains(&steps[0]) => &[Own, Other, Public, Nobody],
            (true, _) => &[Own, Other, Nobody],
            (false, true) => &[Own, Other, Nobody],
            (false, false) => &[Nobody],
        };
        let table = tables
            .entry(if short.contains("/external/") {
                "external-ids"
            } else {
                steps[0]
            })
            .or_default();
        for relation in relations {
            let mut line = String::new();
            for (caller, town) in &callers {
                let status = if *relation == Own && town.is_none() {
                    "  ·".to_owned()
                } else {
                    let reply = ask(&mut records, caller, *town, *relation, method, &steps).await;
                    if reply >= 500 {
                        broken.push(format!("{method} {short} {relation:?} answered {reply}"));
                    }
                    reply.to_string()
                };
                write!(line, " {status:>6}").expect("a text");
            }
            let of = match relation {
                Own => "own",
                Other => "other",
                Public => "public",
                Nobody if by_id || relations.len() > 1 => "none",
                Nobody => "",
            };
            let first = if *relation == relations[0] {
                format!("{:<7}{short}", method.to_uppercase())
            } else {
                String::new()
            };
            writeln!(table, "{first:<46} {of:<7}{}", line.trim_end()).expect("a text");
            rows += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(rows > 60);

    let mut header = format!("{:<54}", "");
    for name in &names {
        write!(header, " {:>6}", name.chars().take(6).collect::<String>()).expect("a text");
    }
    let mut text = include_str!("authorization.md").to_owned();
    for person in PEOPLE {
        writeln!(
            text,
            "| {} | {} | {} |",
            person.name,
            person.role.as_str(),
            person.town.name
        )
        .expect("a text");
    }
    text += "\n## Without a token\n\n```text\n";
    text += &public.join("\n");
    text += "\n```\n";
    for (resource, table) in tables {
        write!(text, "\n## {resource}\n\n```text\n{header}\n{table}```\n").expect("a text");
    }
    current("docs/AUTHORIZATION.md", &text);
}

async fn ask(
    records: &mut Records<'_>,
    caller: &Caller<'_>,
    town: Option<Town>,
    relation: Relation,
    method: &str,
    steps: &[&str],
) -> u16 {
    let resource = steps[0];
    // Somebody else is a town with which the caller has nothing to do.
    let stranger = if town == Some(TOTTORI_CITY) {
        NANBU
    } else {
        TOTTORI_CITY
    };
    let owner = match relation {
        Own => town.expect("somebody with an organisation"),
        Other | Public | Nobody => stranger,
    };
    let by_id = steps.get(1).is_some_and(|s| s.starts_with('{'));
    let mut path = format!("/{resource}");
    if by_id {
        let id = if relation == Nobody {
            Uuid::now_v7()
        } else {
            records.id(resource, owner, relation == Public).await
        };
        write!(path, "/{id}").expect("a text");
    }
    let external = steps.get(1) == Some(&"external");
    if external {
        // An organisation knows its own record by this id; nobody else knows the id.
        let name = Uuid::now_v7();
        if relation != Nobody {
            let record = records.id(resource, owner, false).await;
            let fields = json!({ "entity": resource, "record_id": record, "source": name, "external_id": name });
            records.app.insert("external_ids", owner, &fields).await;
        }
        write!(path, "/external/{name}/{name}").expect("a text");
    }
    for step in &steps[if external {
        4
    } else if by_id {
        2
    } else {
        1
    }
    .min(steps.len())..]
    {
        write!(path, "/{step}").expect("a text");
    }
    let last = steps.last().copied().unwrap_or_default();
    let body = match (method, last) {
        ("patch", _) => Some(json!({})),
        ("put", _) if external => Some(records.body(resource, owner, false).await),
        ("post", _) if resource == "me" => Some(json!({ "current_password": PASSWORD, "password": PASSWORD })),
        // What is in a batch is decided item by item: tests/api/batch.rs.
        ("post", "batch") => {
            Some(json!({ "items": [{ "entity": "platforms", "operation": "delete", "id": Uuid::now_v7() }] }))
        }
        ("post", "secrets") if path.contains("/clients/") => Some(json!({})),
        ("post", "secrets" | "test" | "retry") => None,
        ("post", name) if by_id && records.fixtures.contains_key(name) => {
            let mut body = records.body(name, owner, false).await;
            if let Some(parent) = body.get_mut("user_id") {
                // A person without a role yet.
                *parent = json!(
                    records
                        .app
                        .insert(
                            "users",
                            owner,
                            &json!({ "email": format!("{}@example.jp", Uuid::now_v7()), "name": "新任" })
                        )
                        .await
                );
            }
            Some(body)
        }
        ("post", name) if by_id => Some(action(name).unwrap_or_else(|| panic!("add a body for the action {name}"))),
        ("post", _) => {
            let mut body = records.body(resource, owner, false).await;
            if relation == Nobody && records.has_parent(resource) {
                for (_, value) in body.as_object_mut().expect("a body") {
                    if value.as_str().is_some_and(|v| v.parse::<Uuid>().is_ok()) {
                        *value = json!(Uuid::now_v7());
                    }
                }
            }
            Some(body)
        }
        _ => None,
    };
    assert!(
        records.fixtures.contains_key(resource)
            || ["me", "batch"].contains(&resource)
            || (REFERENCE.contains(&resource) && method == "get"),
        "add a fixture for {resource}"
    );
    if last == "content" {
        path.push_str("?offset=0");
    }
    let key = Uuid::now_v7().to_string();
    let method: Method = method.to_uppercase().parse().expect("a method");
    let writes = method != Method::GET;
    let headers = [("if-match", "*"), ("idempotency-key", key.as_str())];
    let headers: &[_] = if writes { &headers } else { &[] };
    let reply = if last == "content" {
        let octets = "application/octet-stream";
        caller.raw(method, &path, Some(vec![b'x']), octets, headers).await
    } else {
        caller.send(method, &path, body, headers).await
    };
    if writes && reply.status < 300 {
        // What was changed is no fixture any more, and neither is what stands on it.
        records.made.clear();
    }
    reply.status
}
