//! The document: current, complete, and true to what it promises clients.

use serde_json::Value;
use std::path::{Path, PathBuf};

pub fn document() -> Value {
    serde_json::from_str(&server::document()).expect("the document is JSON")
}

/// Compares a committed file with what it should be; with UPDATE=1 it is written instead.
pub fn current(path: &str, wanted: &str) {
    let file: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == wanted {
        return;
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, wanted).expect("the file can be written");
        return;
    }
    let differing = wanted
        .lines()
        .zip(found.lines())
        .find(|(wanted, found)| wanted != found);
    panic!("{path} is out of date (UPDATE=1 rewrites it); first difference: {differing:?}");
}

/// Operations as (path, method, operation).
pub fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().expect("operations");
            operations
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

fn parameter<'a>(operation: &'a Value, name: &str) -> Option<&'a Value> {
    operation["parameters"].as_array()?.iter().find(|p| p["name"] == name)
}

#[test]
fn the_committed_document_is_current() {
    current("openapi/openapi.json", &server::document());
}

#[test]
fn every_operation_says_what_it_does_and_how_it_fails() {
    let document = document();
    let mut ids = std::collections::HashSet::new();
    let mut missing = Vec::new();
    for (path, method, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let mut need = |there: bool, what: &str| {
            if !there {
                missing.push(format!("{name}: {what}"));
            }
        };
        let text = |field: &str| operation[field].as_str().unwrap_or_default();
        need(
            !text("summary").is_empty() && !text("summary").ends_with(".."),
            "summary",
        );
        need(!text("description").is_empty(), "description");
        need(
            !text("operationId").is_empty() && ids.insert(text("operationId").to_owned()),
            "operationId",
        );
        need(operation["tags"].as_array().is_some_and(|t| t.len() == 1), "tag");
        let public = operation["security"] == serde_json::json!([{}]);
        let by_id = path.contains('{');
        // A list of what one record has, which the query names.
        let of_one = path == "/api/v1/findings";
        // A table has room for so many rows of one kind, and not for every character.
        let tables = ["/api/v1/exports/", "/api/v1/analytics/"]
            .iter()
            .any(|p| path.starts_with(p))
            || path.ends_with("/rows");
        let body = operation.get("requestBody").is_some();
        let writes = method != "get";
        let conditional = ["patch", "delete"].contains(&method)
            || (method == "put" && path.contains("/external/"))
            || ["/transition", "/carry-over"]
                .iter()
                .any(|action| path.ends_with(action));
        let mut statuses = vec![("400", true), ("401", true), ("503", true)];
        if !public {
            statuses.extend([
                ("403", true),
                ("404", by_id || of_one),
                ("409", writes || of_one || tables),
                ("412", conditional),
                ("428", conditional),
            ]);
            statuses.extend([("413", body), ("415", body), ("422", true)]);
        }
        for (status, wanted) in statuses {
            let told = operation["responses"].get(status);
            need(
                told.is_some() == wanted || public,
                &format!("{status} is told: {}, can happen: {wanted}", told.is_some()),
            );
            if let Some(told) = told {
                // The OAuth endpoints refuse as RFC 6749 says.
                let oauth = path.contains("/oauth/") && told["content"]["application/json"].is_object();
                need(
                    oauth || told["content"]["application/problem+json"].is_object(),
                    &format!("{status} is a problem"),
                );
            }
        }
        need(
            operation["responses"]
                .as_object()
                .is_some_and(|r| r.keys().any(|s| s.starts_with('2'))),
            "a success",
        );
        need(
            conditional == parameter(operation, "If-Match").is_some() || public,
            "If-Match",
        );
        need(
            writes == parameter(operation, "Idempotency-Key").is_some() || public,
            "Idempotency-Key",
        );
        for (status, response) in operation["responses"].as_object().into_iter().flatten() {
            need(
                response["description"].as_str().is_some_and(|d| !d.is_empty()),
                &format!("description of {status}"),
            );
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            need(
                parameter["description"].as_str().is_some_and(|d| !d.is_empty()),
                &format!("description of {}", parameter["name"]),
            );
        }
        if method == "patch" {
            need(
                operation["requestBody"]["content"]["application/merge-patch+json"].is_object(),
                "merge patch",
            );
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_page_can_be_turned() {
    let document = document();
    let mut pages = 0;
    for (path, method, operation) in operations(&document) {
        let schema = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            .as_str()
            .unwrap_or_default();
        // Findings are computed for one platform, project, plan or KPI, all at once.
        if schema.ends_with("Page") && !path.ends_with("/findings") {
            pages += 1;
            for name in ["after", "limit"] {
                assert!(parameter(operation, name).is_some(), "{method} {path} has no `{name}`");
            }
            let limit = &parameter(operation, "limit").expect("a limit")["schema"];
            assert_eq!(
                (&limit["minimum"], &limit["maximum"]),
                (&1.into(), &200.into()),
                "{method} {path}"
            );
        }
    }
    assert!(pages > 5);
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|v| walk(v, references));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, references)),
            _ => {}
        }
    }
    let document = document();
    let mut references = Vec::new();
    walk(&document, &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

/// A property says what it means itself, or its type does.
#[test]
fn every_property_is_described() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let described = |property: &Value| {
        let own = |value: &Value| value["description"].as_str().is_some_and(|d| !d.is_empty());
        let referenced = |value: &Value| {
            value["$ref"]
                .as_str()
                .and_then(|r| r.rsplit('/').next())
                .is_some_and(|name| own(&schemas[name]))
        };
        own(property)
            || referenced(property)
            || ["oneOf", "allOf"]
                .iter()
                .any(|k| property[*k].as_array().is_some_and(|v| v.iter().any(&referenced)))
    };
    let mut missing = Vec::new();
    for (name, schema) in schemas {
        if schema["properties"].is_null() && schema["description"].is_null() && schema["$ref"].is_null() {
            missing.push(name.clone());
        }
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            if !described(property) {
                missing.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
