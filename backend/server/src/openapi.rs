//! What all operations have in common in the OpenAPI document, so that no handler repeats it.

use crate::batch;
use crate::http::SCHEMAS;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::openapi::OpenApi as Document;
use utoipa::{OpenApi, PartialSchema};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tsunagi",
        description = "The system of record for cooperation in Japanese community welfare: platforms of town halls, social welfare councils and NPOs, their members, projects, KPIs and roadmaps.\n\nConventions (identifiers, pages, versions, errors, history) stand in docs/API.md.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "Tsunagi", url = "https://example.jp/tsunagi")
    ),
    servers((url = "/", description = "This server")),
    components(schemas(crate::error::Problem, crate::error::FieldError, crate::error::OAuthError, crate::http::Cursor))
)]
pub struct Base;

/// Completes the document: tags, path parameters, headers, errors, patches. utoipa's own types are made for building,
/// not for changing, so this works on the JSON they print.
pub fn complete(document: &Document) -> Value {
    let mut document = serde_json::to_value(document).expect("a document is JSON");
    document["components"]["securitySchemes"] =
        json!({ "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } });
    finish(&mut document);
    document
}

fn finish(document: &mut Value) {
    let mut schemas = BTreeMap::new();
    let mut tags = BTreeMap::new();
    let paths = document["paths"].as_object_mut().expect("there are paths");
    for (path, item) in paths {
        let segments: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        for (method, operation) in item.as_object_mut().expect("a path item") {
            if !["get", "post", "put", "patch", "delete"].contains(&method.as_str()) {
                continue;
            }
            let tag = if segments[0].starts_with('{') {
                "external-ids"
            } else {
                segments[0]
            }
            .to_owned();
            tags.insert(tag.clone(), ());
            operation["tags"] = json!([tag]);
            lift_schemas(operation, &mut schemas);
            let public_only = operation["security"] == json!([{}]);
            let (mut parameters, errors) = common(
                path,
                method,
                &segments,
                public_only,
                operation.get("requestBody").is_some(),
            );
            if let Some(own) = operation.get("parameters").and_then(Value::as_array) {
                parameters.extend(own.iter().cloned().map(complete_parameter));
            }
            if operation.get("description").is_none() {
                operation["description"] = json!(general_description(method, by_id(&segments)));
            }
            if !parameters.is_empty() {
                operation["parameters"] = json!(parameters);
            }
            for (status, description) in errors {
                // RFC 6749 section 5.2 has a form of its own.
                let (media_type, schema) = if segments[0] == "oauth" && ["400", "401", "403"].contains(&status) {
                    ("application/json", "OAuthError")
                } else {
                    ("application/problem+json", "Problem")
                };
                operation["responses"][status] = json!({ "description": description,
                    "content": { media_type: { "schema": { "$ref": format!("#/components/schemas/{schema}") } } } });
            }
            if method == "patch" {
                let body = operation["requestBody"]["content"]["application/json"].clone();
                operation["requestBody"]["content"]["application/merge-patch+json"] = body;
            }
            if !public_only {
                operation["security"] = if method == "get" && path != "/api/v1/me" {
                    json!([{}, { "bearer": [] }])
                } else {
                    json!([{ "bearer": [] }])
                };
            }
        }
    }
    let components = document["components"]["schemas"]
        .as_object_mut()
        .expect("there are schemas");
    for (name, schema) in schemas {
        add(&name, schema, |schema| components.insert(name.clone(), schema));
    }
    flatten(components);
    describe_properties(components);
    patches(components);
    rename_patches(document);
    open_objects(document);
    drop_unused(document);
    document["tags"] = tags
        .into_keys()
        .map(|name| json!({ "name": name, "description": describe(&name) }))
        .collect();
}

fn by_id(segments: &[&str]) -> bool {
    segments.iter().any(|s| s.starts_with('{'))
}

/// What holds for every operation of a kind, where the handler says nothing of its own.
fn general_description(method: &str, by_id: bool) -> &'static str {
    match (method, by_id) {
        ("get", false) => "Keyset pages: pass `next` as `after`. Rows that the caller may not see are left out.",
        ("get", true) => {
            "Answers with the version as `ETag`, for `If-Match`. A record that the caller may not see is not found."
        }
        ("patch", _) => "An absent field stays, `null` clears it. Needs the `If-Match` of the version that was read.",
        ("delete", _) => {
            "History and feed keep a tombstone with date and reason. Needs the `If-Match` of the version that was read."
        }
        _ => {
            "The database sets id, version, owner and times. Send an `Idempotency-Key` to be able to repeat it safely."
        }
    }
}

/// A parameter is there or not, never null; and each says what it means.
fn complete_parameter(mut parameter: Value) -> Value {
    let schema = &mut parameter["schema"];
    if let Some(variants) = schema.get("oneOf").and_then(Value::as_array)
        && let Some(variant) = variants.iter().find(|v| v["type"] != "null")
    {
        *schema = variant.clone();
    }
    if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
        schema["type"] = kinds.iter().find(|k| *k != "null").cloned().unwrap_or_default();
    }
    if parameter.get("description").is_none() {
        let name = parameter["name"].as_str().unwrap_or_default();
        parameter["description"] = json!(format!("Only those with this `{name}`."));
    }
    parameter
}

/// Two types of one name would silently become one.
fn add(name: &str, schema: Value, insert: impl FnOnce(Value) -> Option<Value>) {
    if let Some(known) = insert(schema.clone()) {
        assert_eq!(known, schema, "two schemas are called {name}: rename one of the types");
    }
}

/// Responses carry their schemas in an extension (juhaku/utoipa#1224); they belong to the components.
fn lift_schemas(operation: &mut Value, schemas: &mut BTreeMap<String, Value>) {
    for response in operation["responses"]
        .as_object_mut()
        .expect("there are responses")
        .values_mut()
    {
        if let Some(carried) = response.as_object_mut().and_then(|r| r.remove(SCHEMAS)) {
            let carried: BTreeMap<String, Value> = serde_json::from_value(carried).expect("written by us");
            for (name, schema) in carried {
                add(&name, schema, |schema| schemas.insert(name.clone(), schema));
            }
        }
    }
}

type Errors = Vec<(&'static str, &'static str)>;

/// Parameters and errors that follow from path and method.
fn common(path: &str, method: &str, segments: &[&str], public_only: bool, has_body: bool) -> (Vec<Value>, Errors) {
    let parameter = |name: &str, place: &str, required: bool, description: &str, schema: Value| json!({ "name": name, "in": place, "required": required, "description": description, "schema": schema });
    let mut parameters = Vec::new();
    for id in segments.iter().filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')) {
        let name = || json!(model::text::Name::schema());
        let (description, schema) = match id {
            "resource" => (
                "Kind of record, as in its address.",
                json!({ "type": "string", "enum": batch::resources() }),
            ),
            "source" => ("The other system.", name()),
            "external_id" => ("The id there.", name()),
            _ => ("Id of the record.", json!({ "type": "string", "format": "uuid" })),
        };
        parameters.push(parameter(id, "path", true, description, schema));
    }
    let by_id = by_id(segments);
    let creates = method == "post" && segments.len() == 1;
    let mut errors = vec![(
        "503",
        "Busy or without its database; `Retry-After` says when to try again.",
    )];
    if segments[0] == "oauth" {
        errors.extend([
            (
                "400",
                "The request cannot be read, or asks for what there is not; `error` says which.",
            ),
            (
                "401",
                "The system has not proved who it is; `error_description` says why.",
            ),
            ("403", "The system may not ask from this address."),
            ("429", "Too many attempts; `Retry-After` says when to try again."),
        ]);
        return (parameters, errors);
    }
    if public_only {
        errors.extend([
            ("400", "The request cannot be read."),
            ("401", "Not signed in, or wrong credentials."),
            ("403", "Not from the service's own pages."),
            ("413", "The body is larger than 1 MiB."),
            ("415", "The body is not JSON."),
            ("422", "Fields are not as the schema says."),
            ("429", "Too many attempts; `Retry-After` says when to try again."),
        ]);
        return (parameters, errors);
    }
    errors.extend([
        ("400", "The request cannot be read: header, query or JSON."),
        ("401", "No token, or one that is not good any more."),
        ("403", "The caller may not do this."),
    ]);
    if method == "get" {
        let now_only = ["changes", "me", "imports", "sync-runs", "sync-rows"];
        if !now_only.contains(&segments[0]) || path.starts_with("/api/v1/me/") {
            parameters.push(parameter(
                "as_of",
                "query",
                false,
                "Read everything as it was at the end of this day in Japan, or at this moment.",
                json!({ "oneOf": [{ "type": "string", "format": "date" }, { "type": "string", "format": "date-time" }] }),
            ));
        }
        if by_id {
            parameters.push(parameter(
                "If-None-Match",
                "header",
                false,
                "ETag of the version the caller has.",
                json!({ "type": "string" }),
            ));
        }
        errors.push(("422", "Query parameters are not as the schema says."));
    } else {
        parameters.push(parameter(
            "Idempotency-Key",
            "header",
            false,
            "Repeating a request with the same key gets the first answer again; required for systems. Kept 14 days.",
            json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" }),
        ));
        parameters.push(parameter(
            "Change-Reason",
            "header",
            false,
            "Why, kept in the history; UTF-8 of at most 1,000 characters, percent-encoded.",
            // The format says what the pattern cannot: that the escapes are UTF-8.
            json!({ "type": "string", "format": "percent-encoded", "pattern": "^([!-$&-~]|%[0-9A-Fa-f]{2})*$", "examples": ["%E8%A8%82%E6%AD%A3"] }),
        ));
        errors.extend([
            ("409", "Contradicts stored data; `code` names the rule."),
            (
                "422",
                "Fields are not as the schema says, or the idempotency key was used for another request.",
            ),
        ]);
        if has_body {
            errors.extend([
                ("413", "The body is larger than 1 MiB."),
                ("415", "The body is not JSON."),
            ]);
        }
    }
    if segments[0] == "exports" {
        errors.push(("409", "Too many records, or characters that the charset does not have."));
    }
    if segments[0] == "analytics" {
        parameters.push(parameter(
            "If-None-Match",
            "header",
            false,
            "ETag of the answer the caller has.",
            json!({ "type": "string" }),
        ));
        errors.extend([
            (
                "409",
                "Filters that contradict each other, or characters that the charset does not have.",
            ),
            (
                "429",
                "As many answers as can be are being sent; `Retry-After` says when to try again.",
            ),
        ]);
    }
    if path.ends_with("/rows") {
        errors.push(("409", "Rows of several kinds in one table."));
    }
    if path == "/api/v1/findings" {
        errors.extend([
            ("404", "No such record, or not the caller's to see."),
            ("409", "Not exactly one record is named."),
        ]);
    }
    if path == "/api/v1/changes" {
        errors.push((
            "410",
            "The cursor cannot be continued; `organizations` and `after` are the way back.",
        ));
    }
    if path == "/api/v1/me/password" {
        errors.push(("429", "Too many attempts; `Retry-After` says when to try again."));
    }
    if by_id {
        errors.push(("404", "No such record, or not the caller's to see."));
        // An action by POST does not touch the fields; moving a record along its life or into a later year does.
        let moves = path.ends_with("/transition") || path.ends_with("/carry-over");
        let puts = method == "put" && path.contains("/external/");
        if puts {
            parameters.push(parameter(
                "If-None-Match",
                "header",
                false,
                "`*`: create it, if it is not there.",
                json!({ "type": "string", "enum": ["*"] }),
            ));
        }
        if moves || puts || ["patch", "delete"].contains(&method) {
            parameters.push(parameter(
                "If-Match",
                "header",
                !puts,
                "ETag of the version that was read, or `*` for whatever is there (428 without).",
                json!({ "type": "string", "pattern": "^(\\*|\"v[0-9]{1,18}\")$" }),
            ));
            errors.extend([
                (
                    "412",
                    "Somebody changed the record since: the current one is in the answer.",
                ),
                ("428", "If-Match is missing."),
            ]);
        }
    }
    debug_assert!(!creates || !by_id, "a path holds at most one id");
    (parameters, errors)
}

/// A record is printed as `allOf` of its own columns and its fields; one flat object is easier to read and to generate from.
fn flatten(schemas: &mut serde_json::Map<String, Value>) {
    let originals = schemas.clone();
    for schema in schemas.values_mut().filter(|s| s.get("allOf").is_some()) {
        let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
        gather(schema, &originals, &mut properties);
        // An answer always has every field, also those that may be left out of a request.
        required.extend(properties.keys().cloned());
        let description = schema.get("description").cloned();
        *schema = json!({ "type": "object", "required": required, "properties": properties });
        if let Some(description) = description {
            schema["description"] = description;
        }
    }
}

/// Properties of a schema and of everything it is made of.
fn gather(schema: &Value, originals: &serde_json::Map<String, Value>, properties: &mut serde_json::Map<String, Value>) {
    if let Some(name) = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.rsplit('/').next())
    {
        gather(&originals[name], originals, properties);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        gather(part, originals, properties);
    }
    if let Some(own) = schema.get("properties").and_then(Value::as_object) {
        properties.extend(own.clone());
    }
}

/// Fields that mean the same in every record.
fn describe_properties(schemas: &mut serde_json::Map<String, Value>) {
    for schema in schemas.values_mut() {
        for (name, property) in schema
            .get_mut("properties")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            let meaning = match name.as_str() {
                "created_at" => "When it was created.",
                "updated_at" => "When it was changed last.",
                "valid_from" => "First day on which it holds.",
                "valid_to" => "Last day on which it holds; open if null.",
                "fiscal_year" => "年度: the calendar year in which it begins.",
                "period_start" => "First day of the period.",
                "period_end" => "Last day of the period.",
                _ => continue,
            };
            if property.get("description").is_none() {
                property["description"] = json!(meaning);
            }
        }
    }
}

/// `Patch_KpiFields` becomes `KpiPatch`: the same fields, none required, each may be null to clear it.
fn patches(schemas: &mut serde_json::Map<String, Value>) {
    let wanted: Vec<String> = schemas
        .iter()
        .filter_map(|(name, _)| name.strip_prefix("Patch_")?.strip_suffix("Fields").map(str::to_owned))
        .collect();
    schemas.retain(|name, _| !name.starts_with("Patch_"));
    for noun in wanted {
        let patch = patch_of(&schemas[&format!("{noun}Fields")].clone(), schemas);
        schemas.insert(format!("{noun}Patch"), patch);
    }
}

/// A patch of an object; of the objects in it there are patches, too (RFC 7396).
fn patch_of(schema: &Value, schemas: &mut serde_json::Map<String, Value>) -> Value {
    let mut patch = schema.clone();
    let Some(object) = patch.as_object_mut() else {
        return patch;
    };
    let required = object.remove("required").unwrap_or_default();
    let required: Vec<&str> = required
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    object.insert(
        "description".to_owned(),
        json!("A merge patch: an absent field stays, null clears it."),
    );
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            if !required.contains(&name.as_str()) {
                allow_null(property);
            }
            refer_to_patch(property, schemas);
        }
    }
    if let Some(values) = object
        .get_mut("additionalProperties")
        .filter(|values| values.is_object())
    {
        allow_null(values);
    }
    patch
}

fn allow_null(schema: &mut Value) {
    let nothing = json!({ "type": "null" });
    match schema.get("type").cloned() {
        Some(Value::String(kind)) => schema["type"] = json!([kind, "null"]),
        Some(_) => {}
        None if schema.get("oneOf").is_some() => {
            let variants = schema["oneOf"].as_array_mut().expect("oneOf is a list");
            if !variants.contains(&nothing) {
                variants.push(nothing);
            }
        }
        None => *schema = json!({ "oneOf": [nothing, schema.clone()] }),
    }
}

/// `Section` becomes `SectionPatch`. What is in lists is replaced with them, so it stays.
fn refer_to_patch(property: &mut Value, schemas: &mut serde_json::Map<String, Value>) {
    if let Some(variants) = property.get_mut("oneOf").and_then(Value::as_array_mut) {
        variants.iter_mut().for_each(|variant| refer_to_patch(variant, schemas));
    }
    let Some(Value::String(reference)) = property.get_mut("$ref") else {
        return;
    };
    let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
    if schemas[&name]["type"] == "object" {
        let patch = patch_of(&schemas[&name].clone(), schemas);
        reference.push_str("Patch");
        schemas.insert(format!("{name}Patch"), patch);
    }
}

/// Parts that were merged into the records they belong to are components of their own no longer.
fn drop_unused(document: &mut Value) {
    fn names(value: &Value, used: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                let name = object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|r| r.rsplit('/').next());
                used.extend(name.map(str::to_owned));
                object.values().for_each(|v| names(v, used));
            }
            Value::Array(items) => items.iter().for_each(|v| names(v, used)),
            _ => {}
        }
    }
    loop {
        let mut used = BTreeSet::new();
        names(document, &mut used);
        let schemas = document["components"]["schemas"]
            .as_object_mut()
            .expect("there are schemas");
        let before = schemas.len();
        schemas.retain(|name, _| used.contains(name));
        if schemas.len() == before {
            return;
        }
    }
}

/// What a record is, its kind says: an object without declared members has any. (Without this, generated clients take it
/// for one that has none.)
fn open_objects(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let is_object = match &object.get("type") {
                Some(Value::String(name)) => name == "object",
                Some(Value::Array(names)) => names.iter().any(|name| name == "object"),
                _ => false,
            };
            let says_more = ["properties", "additionalProperties", "allOf", "oneOf", "$ref"];
            if is_object && !says_more.iter().any(|word| object.contains_key(*word)) {
                object.insert("additionalProperties".to_owned(), Value::Bool(true));
            }
            object.values_mut().for_each(open_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(open_objects),
        _ => {}
    }
}

fn rename_patches(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(noun) = reference
                    .strip_prefix("#/components/schemas/Patch_")
                    .and_then(|n| n.strip_suffix("Fields"))
            {
                *reference = format!("#/components/schemas/{noun}Patch");
            }
            object.values_mut().for_each(rename_patches);
        }
        Value::Array(items) => items.iter_mut().for_each(rename_patches),
        _ => {}
    }
}

fn describe(tag: &str) -> &'static str {
    match tag {
        "auth" => "Sign-in of people.",
        "oauth" => "Sign-in of systems.",
        "me" => "The signed-in caller.",
        "organizations" => "Organisations (団体).",
        "municipalities" => "Municipalities (市区町村) and their codes.",
        "platforms" => "Platforms (官民連携プラットフォーム, 地域協議会, 協議体).",
        "platform-years" => "What a platform says of a fiscal year: goals, narrative, breakthroughs.",
        "members" => "Members (参画メンバー) of platforms.",
        "projects" => "Projects (試行的事業).",
        "project-costs" => "What projects cost.",
        "plans" => "Plans (地域福祉計画) and their roadmap sheets.",
        "plan-actors" => "Columns of a plan's sheet (活動主体).",
        "evaluation-levels" => "A plan's evaluation scale (評価基準).",
        "goals" => "Goals of a plan (基本目標, 重点取組).",
        "goal-roles" => "Roles of actors for goals (役割).",
        "roadmap-cells" => "States of cells of the roadmap sheet.",
        "roadmap-items" => "Entries of the roadmap sheet.",
        "evaluations" => "Evaluations (総合評価) of goals.",
        "kpis" => "KPIs (重要業績評価指標): definition, current value, values.",
        "kpi-placements" => "Where KPIs are listed (※再掲).",
        "kpi-series" => "Lines of values: the whole, areas, organisations, dimensions.",
        "kpi-targets" => "Target values (目標値).",
        "observations" => "Observed values (実績値).",
        "municipality-facts" => "Facts of municipalities, such as population.",
        "batch" => "Many writes at once.",
        "imports" => "Files to import.",
        "analytics" => "All values as one table.",
        "exports" => "Records as files.",
        "sync-runs" => "The sync log: what batches and imports did.",
        "sync-rows" => "Rows that a person settles.",
        "changes" => "What has changed, for systems that keep a copy.",
        "external-ids" => "Ids of other systems.",
        "findings" => "Where a printed fact contradicts the record.",
        "finding-notes" => "What people say about findings.",
        "history" => "Who changed what, when and why.",
        "users" => "Accounts.",
        "user-roles" => "Roles of accounts.",
        "grants" => "Access for advisers and partners.",
        "clients" => "Councils' systems.",
        "client-secrets" => "Secrets of councils' systems.",
        "webhooks" => "Whom to tell of changes.",
        "webhook-deliveries" => "What became of messages to webhooks.",
        "home" => "What to do.",
        _ => "Operations.",
    }
}
