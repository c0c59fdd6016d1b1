//! Entering records through the API and reading them back: the one way in for the demo data and for the seed documents.
//!
//! An entry names who enters it, the resource and the fields. A field `"@key"` is the id of the record that an earlier
//! entry made under that key; `"$password"` is the password of the accounts. Entries run in order, each with an
//! idempotency key of its own, so that a second run changes nothing.

use crate::{
    error::{Context, Result},
    fail, process, service,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    time::{Duration, Instant},
};

/// Something to enter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Who enters it: an account, or `anonymous`.
    #[serde(rename = "as")]
    pub caller: String,
    /// The resource (`plans`), or an action on a record (`plans/@plan/transition`).
    pub resource: String,
    /// The name under which later entries refer to the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The body; an action may have none.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

/// A record that was entered.
pub struct Record {
    /// Who entered it.
    pub caller: String,
    /// Its address below `/api/v1/`.
    pub path: String,
    /// What was sent, with ids in place of keys.
    pub fields: Value,
    id: String,
    etag: String,
}

/// The service, as its callers see it.
pub struct Api {
    agent: ureq::Agent,
    base: String,
    domain: String,
    password: String,
    tokens: HashMap<String, (String, Instant)>,
    records: HashMap<String, Record>,
}

/// What the service answered.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Value,
    etag: Option<String>,
}

/// An access token lives ten minutes; a load that takes longer signs in again in time.
const TOKEN_FRESH: Duration = Duration::from_secs(8 * 60);

impl Api {
    /// The service at `base`, whose accounts are `NAME@domain` and share one password.
    pub fn new(base: &str, domain: &str, password: &str) -> Self {
        Self {
            agent: service::agent(Duration::from_secs(60)),
            base: base.trim_end_matches('/').to_owned(),
            domain: domain.to_owned(),
            password: password.to_owned(),
            tokens: HashMap::new(),
            records: HashMap::new(),
        }
    }

    /// A record by its key.
    pub fn record(&self, key: &str) -> Option<&Record> {
        self.records.get(key)
    }

    /// Enters everything in order. `name` tells these entries from others of the same keys.
    pub fn enter(&mut self, name: &str, entries: &[Entry]) -> Result<()> {
        for entry in entries {
            process::check_interrupt()?;
            self.enter_one(name, entry)?;
        }
        Ok(())
    }

    fn enter_one(&mut self, name: &str, entry: &Entry) -> Result<()> {
        let what = || format!("{} {}", entry.resource, entry.key.as_deref().unwrap_or(""));
        let mut fields = Value::Object(entry.fields.clone());
        self.resolve(&mut fields).could_not(|| format!("enter {}", what()))?;
        let target = entry.resource.split('/').find_map(|part| part.strip_prefix('@'));
        let path = self.path(&entry.resource).could_not(|| format!("enter {}", what()))?;
        let etag = target.and_then(|key| self.records.get(key)).map(|r| r.etag.clone());
        let repeatable = match &entry.key {
            Some(key) => format!("{name}-{key}"),
            None => {
                let mut hash = DefaultHasher::new();
                (&entry.resource, Value::Object(entry.fields.clone()).to_string()).hash(&mut hash);
                format!("{name}-{:016x}", hash.finish())
            }
        };
        let answer = self.post(&entry.caller, &path, &fields, &repeatable, etag.as_deref())?;
        if !(200..300).contains(&answer.status) {
            fail!(
                "{} could not be entered by {}: {} {}",
                what(),
                entry.caller,
                answer.status,
                said(&answer.body)
            );
        }
        let etag = answer.etag.unwrap_or_default();
        if let Some(key) = &entry.key {
            let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
            let collection = path.split('/').next_back().unwrap_or(&path);
            // What an action or a part of an organisation makes has its own address.
            let collection = match (target, collection) {
                (Some(_), "carry-over") => "roadmap-items",
                (_, other) => other,
            };
            let record = Record {
                caller: entry.caller.clone(),
                path: format!("{collection}/{id}"),
                fields,
                id,
                etag,
            };
            self.records.insert(key.clone(), record);
        } else if let Some(record) = target.and_then(|key| self.records.get_mut(key))
            && !etag.is_empty()
        {
            record.etag = etag;
        }
        Ok(())
    }

    /// `"@key"` becomes the id, `"$password"` the password, wherever they stand.
    fn resolve(&self, value: &mut Value) -> Result<()> {
        match value {
            Value::String(text) if text == "$password" => *text = self.password.clone(),
            Value::String(text) => {
                if let Some(key) = text.strip_prefix('@') {
                    *text = self.id(key)?;
                }
            }
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.resolve(item))?,
            Value::Object(map) => map.values_mut().try_for_each(|item| self.resolve(item))?,
            _ => {}
        }
        Ok(())
    }

    /// A path or query in which `@key` stands for an id.
    pub fn path(&self, template: &str) -> Result<String> {
        let mut path = String::new();
        let mut parts = template.split('@');
        path.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .unwrap_or(part.len());
            let (key, rest) = part.split_at(end);
            path.push_str(&self.id(key)?);
            path.push_str(rest);
        }
        Ok(path)
    }

    fn id(&self, key: &str) -> Result<String> {
        match self.records.get(key) {
            Some(record) => Ok(record.id.clone()),
            None => fail!("there is no entry @{key} before this one"),
        }
    }

    /// Reads a path below `/api/v1/` as a caller.
    pub fn get(&mut self, caller: &str, path: &str) -> Result<Answer> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut request = self.agent.get(&url).config().http_status_as_error(false).build();
        if let Some(token) = self.token(caller)? {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        read(request.call().could_not(|| format!("read {path}"))?)
    }

    /// All rows of a list, page by page.
    pub fn list(&mut self, caller: &str, path: &str) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let after = cursor.map(|c| format!("&after={c}")).unwrap_or_default();
            let answer = self.get(caller, &format!("{path}{joint}limit=200{after}"))?;
            if answer.status != 200 {
                fail!(
                    "{path} could not be read by {caller}: {} {}",
                    answer.status,
                    said(&answer.body)
                );
            }
            if let Value::Array(items) = &answer.body["items"] {
                rows.extend(items.iter().cloned());
            }
            match answer.body["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(rows),
            }
        }
    }

    /// Posts to a path below `/api/v1/`. A change of a record names the version that it changes.
    pub fn post(
        &mut self,
        caller: &str,
        path: &str,
        body: &Value,
        repeatable: &str,
        etag: Option<&str>,
    ) -> Result<Answer> {
        let url = format!("{}/api/v1/{path}", self.base);
        let mut request = self
            .agent
            .post(&url)
            .config()
            .http_status_as_error(false)
            .build()
            .header("Idempotency-Key", repeatable);
        if let Some(token) = self.token(caller)? {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(etag) = etag.filter(|etag| !etag.is_empty()) {
            request = request.header("If-Match", etag);
        }
        read(request.send_json(body).could_not(|| format!("post to {path}"))?)
    }

    fn token(&mut self, caller: &str) -> Result<Option<String>> {
        if caller == "anonymous" {
            return Ok(None);
        }
        if let Some((token, since)) = self.tokens.get(caller)
            && since.elapsed() < TOKEN_FRESH
        {
            return Ok(Some(token.clone()));
        }
        let body = serde_json::json!({
            "email": format!("{caller}@{}", self.domain),
            "password": self.password,
        });
        let request = self
            .agent
            .post(format!("{}/api/v1/auth/sign-in", self.base))
            .config()
            .http_status_as_error(false)
            .build();
        let answer = read(request.send_json(body).could_not(|| format!("sign in as {caller}"))?)?;
        let Some(token) = answer.body["access_token"].as_str() else {
            fail!("{caller} could not sign in: {} {}", answer.status, said(&answer.body));
        };
        self.tokens
            .insert(caller.to_owned(), (token.to_owned(), Instant::now()));
        Ok(Some(token.to_owned()))
    }

    /// Reads every record of these entries again, as the one who entered it, and compares each leaf that was sent.
    /// Answers how many leaves came back unchanged, and what did not.
    pub fn read_back(&mut self, entries: &[Entry]) -> Result<(u64, Vec<String>)> {
        let mut unchanged = 0;
        let mut changed = Vec::new();
        for key in entries.iter().filter_map(|entry| entry.key.as_deref()) {
            let Some(record) = self.records.get(key) else { continue };
            let (caller, path, sent) = (record.caller.clone(), record.path.clone(), record.fields.clone());
            let answer = self.get(&caller, &path)?;
            compare(&sent, &answer.body, &format!("@{key}"), &mut unchanged, &mut changed);
        }
        Ok((unchanged, changed))
    }
}

/// Compares leaf by leaf what was sent; what the service adds is its own.
fn compare(sent: &Value, read: &Value, at: &str, unchanged: &mut u64, changed: &mut Vec<String>) {
    match sent {
        Value::Object(map) => {
            for (name, value) in map {
                compare(value, &read[name], &format!("{at}/{name}"), unchanged, changed);
            }
        }
        Value::Array(items) if items.len() == read.as_array().map_or(0, Vec::len) => {
            for (index, value) in items.iter().enumerate() {
                compare(value, &read[index], &format!("{at}/{index}"), unchanged, changed);
            }
        }
        other if other == read => *unchanged += 1,
        other => changed.push(format!("{at}: sent {other}, read {read}")),
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer> {
    let status = response.status().as_u16();
    let etag = response
        .headers()
        .get("ETag")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let text = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()
        .could_not(|| "read an answer of the server".into())?;
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).could_not(|| format!("understand an answer of the server ({status})"))?
    };
    Ok(Answer { status, body, etag })
}

/// The sentences of a problem.
pub fn said(problem: &Value) -> String {
    let fields = problem["errors"].as_array().into_iter().flatten().map(|error| {
        format!(
            "{} {}",
            error["path"].as_str().unwrap_or_default(),
            error["message"].as_str().unwrap_or_default()
        )
    });
    let title = problem["title"].as_str().unwrap_or_default().to_owned();
    let code = problem["code"].as_str().unwrap_or_default().to_owned();
    [code, title].into_iter().chain(fields).collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_stand_for_ids() {
        let mut api = Api::new("http://127.0.0.1:1", "example.jp", "secret");
        let record = Record {
            caller: "one".into(),
            path: "plans/7".into(),
            fields: Value::Null,
            id: "7".into(),
            etag: String::new(),
        };
        api.records.insert("plan-a".into(), record);
        assert_eq!(api.path("goals?plan_id=@plan-a&x=1").unwrap(), "goals?plan_id=7&x=1");
        assert_eq!(api.path("plans/@plan-a/transition").unwrap(), "plans/7/transition");
        assert!(api.path("plans/@none").is_err());
        let mut fields = json!({"plan_id": "@plan-a", "list": [{"password": "$password"}]});
        api.resolve(&mut fields).unwrap();
        assert_eq!(fields, json!({"plan_id": "7", "list": [{"password": "secret"}]}));
    }

    #[test]
    fn a_changed_leaf_is_named() {
        let (mut unchanged, mut changed) = (0, Vec::new());
        let sent = json!({"name": "あ", "items": [{"text": "い"}, {"text": "う"}]});
        let read = json!({"id": 1, "name": "あ", "items": [{"text": "い", "depth": 0}, {"text": "え"}]});
        compare(&sent, &read, "@k", &mut unchanged, &mut changed);
        assert_eq!(unchanged, 2);
        assert_eq!(changed, [r#"@k/items/1/text: sent "う", read "え""#]);
    }
}
