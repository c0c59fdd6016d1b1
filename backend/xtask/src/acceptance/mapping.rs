//! Where each leaf of a document goes, and whether it is there.

use crate::{
    entry::{Api, Entry},
    error::Result,
    fail,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// How a stored value is written on paper.
pub type Shown = fn(&Value) -> String;

/// A piece of the text of a leaf.
pub enum Piece {
    /// What the form prints between values.
    Text(String),
    /// A value of a record: its key, the pointer in it, how it is shown.
    Field(String, String, Shown),
    /// A value of the record whose id stands there: key, pointer, resource, pointer in it, how it is shown.
    Through(String, String, &'static str, &'static str, Shown),
}

/// A value of a record.
pub fn field(key: &str, pointer: &str) -> Piece {
    Piece::Field(key.to_owned(), pointer.to_owned(), plain)
}

/// A value of a record, as the form writes it.
pub fn shown(key: &str, pointer: &str, shown: Shown) -> Piece {
    Piece::Field(key.to_owned(), pointer.to_owned(), shown)
}

/// A value of the record to which a record refers.
pub fn through(key: &str, pointer: &str, resource: &'static str, there: &'static str) -> Piece {
    Piece::Through(key.to_owned(), pointer.to_owned(), resource, there, plain)
}

/// What the form prints.
pub fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

/// What must hold for a leaf to be placed.
pub enum Test {
    /// These pieces, one after the other, are the leaf.
    Equal(Vec<Piece>),
    /// The leaf is an extract of them: the document itself tells it a second time.
    Extract(Vec<Piece>),
    /// The value is the leaf between these two texts.
    Around(Piece, String, String),
    /// The list at this path has no rows: nothing is there, and nothing was invented.
    NoRows(&'static str, String),
}

/// What became of a leaf.
pub enum Fate {
    /// Read back exactly.
    Placed,
    /// Not there, or no place for it.
    NotPlaced(String),
    /// Derived by the transcriber from other leaves.
    Derived,
    /// A heading of the form.
    Heading,
    /// Nothing was printed there.
    Empty,
    /// Belongs to later work.
    Later(&'static str),
}

/// A document with the records that are made from it and the place of every leaf.
pub struct Mapping {
    /// Its number.
    pub seed: &'static str,
    /// The document.
    pub document: Value,
    /// What is entered, in order.
    pub entries: Vec<Entry>,
    claims: BTreeMap<String, Vec<Test>>,
}

/// In a template of fields: the leaf at this pointer, verbatim.
pub fn leaf(pointer: &str) -> Value {
    json!({ "$leaf": pointer })
}

/// In a template of fields: the figure at this pointer, as the exact decimal that the API wants.
pub fn figure(pointer: &str) -> Value {
    json!({ "$figure": pointer })
}

impl Mapping {
    /// A document of which nothing is placed yet.
    pub fn new(seed: &'static str, document: Value) -> Self {
        Self {
            seed,
            document,
            entries: Vec::new(),
            claims: BTreeMap::new(),
        }
    }

    /// The value at a pointer; null when there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.document.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Is there something at this pointer?
    pub fn has(&self, pointer: &str) -> bool {
        !self.at(pointer).is_null()
    }

    /// The value at a pointer, as text.
    pub fn text(&self, pointer: &str) -> String {
        plain(self.at(pointer))
    }

    /// The pointers of the elements of the array at a pointer.
    pub fn each(&self, pointer: &str) -> Vec<String> {
        let count = self.at(pointer).as_array().map_or(0, Vec::len);
        (0..count).map(|index| format!("{pointer}/{index}")).collect()
    }

    /// The text at a pointer in two, at the first `separator`.
    pub fn split(&self, pointer: &str, separator: &str) -> Result<(String, String)> {
        let text = self.text(pointer);
        match text.split_once(separator) {
            Some((one, two)) => Ok((one.to_owned(), two.to_owned())),
            None => fail!("{pointer} has no {separator}"),
        }
    }

    /// A slot of prose with the lines of the array at a pointer.
    pub fn section(&self, pointer: &str) -> Value {
        let lines: Vec<Value> = self
            .each(pointer)
            .iter()
            .map(|line| json!({ "text": leaf(line) }))
            .collect();
        if lines.is_empty() {
            json!({ "state": "not_entered", "items": leaf(pointer) })
        } else {
            json!({ "state": "entered", "items": lines })
        }
    }

    /// Enters a record. Every leaf in the template is claimed to be where it stands.
    pub fn enter(&mut self, caller: &str, resource: &str, key: &str, template: Value) -> Result<()> {
        let mut fields = template;
        self.fill(key, "", &mut fields)?;
        let Value::Object(fields) = fields else {
            fail!("@{key} is no record")
        };
        self.entries.push(Entry {
            caller: caller.to_owned(),
            resource: resource.to_owned(),
            key: Some(key.to_owned()),
            fields,
        });
        Ok(())
    }

    fn fill(&mut self, key: &str, at: &str, value: &mut Value) -> Result<()> {
        let marked = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let (pointer, as_figure) = match (marked("$leaf"), marked("$figure")) {
            (Some(pointer), _) => (pointer, false),
            (_, Some(pointer)) => (pointer, true),
            _ => {
                match value {
                    Value::Object(map) => {
                        for (name, inner) in map {
                            self.fill(key, &format!("{at}/{name}"), inner)?;
                        }
                    }
                    Value::Array(items) => {
                        for (index, inner) in items.iter_mut().enumerate() {
                            self.fill(key, &format!("{at}/{index}"), inner)?;
                        }
                    }
                    _ => {}
                }
                return Ok(());
            }
        };
        let Some(found) = self.document.pointer(&pointer) else {
            fail!("there is no {pointer} for @{key}{at}")
        };
        *value = match found {
            Value::Number(_) if as_figure => Value::String(plain(found)),
            other => other.clone(),
        };
        if !value.is_null() {
            self.equal(&pointer, vec![field(key, at)]);
        }
        Ok(())
    }

    /// The leaf is these pieces.
    pub fn equal(&mut self, leaf: &str, pieces: Vec<Piece>) {
        self.claim(leaf, Test::Equal(pieces));
    }

    /// The leaf is an extract of these pieces.
    pub fn extract(&mut self, leaf: &str, pieces: Vec<Piece>) {
        self.claim(leaf, Test::Extract(pieces));
    }

    /// Something must hold for a leaf.
    pub fn claim(&mut self, leaf: &str, test: Test) {
        self.claims.entry(leaf.to_owned()).or_default().push(test);
    }

    /// What became of every leaf.
    ///
    /// Each leaf that is found is asked for a second time with another content, and must then be missing: a test that
    /// holds whatever the document says proves nothing.
    pub fn judge(&self, api: &mut Api) -> Result<Vec<(String, Fate)>> {
        let mut reader = Reader {
            api,
            read: HashMap::new(),
        };
        for pointer in self.claims.keys() {
            if self.document.pointer(pointer).is_none() {
                fail!(
                    "seed {}: a place is claimed for {pointer}, which does not exist",
                    self.seed
                );
            }
        }
        let mut leaves = Vec::new();
        leaves_of(&self.document, String::new(), &mut leaves);
        let mut fates = Vec::new();
        for (pointer, value) in leaves {
            let fate = match self.claims.get(&pointer) {
                Some(tests) => {
                    let mut fate = Fate::Placed;
                    for test in tests {
                        if let Some(why) = reader.missed(test, value)? {
                            fate = Fate::NotPlaced(why);
                            break;
                        }
                        if reader.missed(test, &altered(value))?.is_none() {
                            fate = Fate::NotPlaced("its test holds for any content".into());
                            break;
                        }
                    }
                    fate
                }
                None => without_place(self.seed, &self.document, &pointer, value),
            };
            fates.push((pointer, fate));
        }
        Ok(fates)
    }
}

/// The same leaf with another content.
fn altered(leaf: &Value) -> Value {
    match leaf {
        Value::Bool(yes) => Value::Bool(!yes),
        other => Value::String(format!("{}\u{203b}", plain(other))),
    }
}

/// All leaves with their pointers; an empty list is one, since it says that nothing was printed.
fn leaves_of<'a>(value: &'a Value, at: String, leaves: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                leaves_of(inner, format!("{at}/{name}"), leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                leaves_of(inner, format!("{at}/{index}"), leaves);
            }
        }
        _ => leaves.push((at, value)),
    }
}

/// The rules for leaves that no record claims. Everything they do not name is not placed.
fn without_place(seed: &str, document: &Value, pointer: &str, value: &Value) -> Fate {
    let names: Vec<&str> = pointer.split('/').filter(|name| !name.is_empty()).collect();
    // The name of a list counts for its elements.
    let name = names
        .iter()
        .rev()
        .find(|name| name.parse::<usize>().is_err())
        .copied()
        .unwrap_or_default();
    if let ["figures_csv", row, column] = names[..] {
        let category = document["figures_csv"][row]["category"].as_str().unwrap_or_default();
        return match column {
            "seed_file" | "page_section" | "row_id" | "category" | "json_ref" | "note" | "direction" => Fate::Derived,
            // These name the slot of the form in which the fact stands.
            "indicator_name" if ["budget", "qualitative_goal", "grade"].contains(&category) => Fate::Heading,
            "indicator_name" if category == "qualitative_kpi" && seed == "000" => Fate::Heading,
            "unit" if category == "budget" => Fate::Heading,
            _ => Fate::NotPlaced("no place".into()),
        };
    }
    if names.iter().any(|name| *name == "anomalies" || *name == "counts") {
        return Fate::Derived;
    }
    for (part, what) in [
        ("events", "events and speakers (meetings)"),
        ("survey", "surveys"),
        ("photos", "images"),
        ("photos_label", "images"),
        ("section_b", "images"),
    ] {
        if names.contains(&part) {
            return Fate::Later(what);
        }
    }
    const DERIVED: [&str; 12] = [
        "schema",
        "seed_id",
        "source_file",
        "conventions",
        "id",
        "kind",
        "note",
        "status",
        "precision",
        "amount_yen",
        "value_low",
        "value_high",
    ];
    let derived_ending = ["_iso", "_code", "_derived", "_fy", "_kind"];
    if DERIVED.contains(&name) || derived_ending.iter().any(|ending| name.ends_with(ending)) {
        return Fate::Derived;
    }
    let heading = ["hint", "columns", "heading", "sections", "label"];
    if heading.contains(&name)
        || ["_label", "_labels", "_columns"]
            .iter()
            .any(|ending| name.ends_with(ending))
    {
        return Fate::Heading;
    }
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return Fate::Empty;
    }
    Fate::NotPlaced("no place".into())
}

/// Reads records as the callers who entered them, each once.
struct Reader<'a> {
    api: &'a mut Api,
    read: HashMap<String, Value>,
}

impl Reader<'_> {
    /// Why a test does not hold for this leaf; None when it does.
    fn missed(&mut self, test: &Test, leaf: &Value) -> Result<Option<String>> {
        let wanted = plain(leaf);
        let (held, found) = match test {
            Test::Equal(pieces) => {
                let found = self.compose(pieces)?;
                (found == wanted, found)
            }
            Test::Extract(pieces) => {
                let found = self.compose(pieces)?;
                (!wanted.is_empty() && found.contains(&wanted), found)
            }
            Test::Around(piece, before, after) => {
                let found = self.show(piece)?;
                (found == format!("{before}{wanted}{after}"), found)
            }
            Test::NoRows(caller, path) => {
                let path = self.api.path(path)?;
                let nothing = leaf.is_null() || leaf.as_array().is_some_and(Vec::is_empty);
                let rows = self.api.list(caller, &path)?.len();
                (nothing && rows == 0, format!("{rows} rows"))
            }
        };
        Ok((!held).then(|| format!("wanted {wanted}, read {found}")))
    }

    fn compose(&mut self, pieces: &[Piece]) -> Result<String> {
        pieces.iter().map(|piece| self.show(piece)).collect()
    }

    fn show(&mut self, piece: &Piece) -> Result<String> {
        Ok(match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(key, pointer, shown) => shown(&self.value(key, pointer)?),
            Piece::Through(key, pointer, resource, there, shown) => {
                let id = plain(&self.value(key, pointer)?);
                let caller = self
                    .api
                    .record(key)
                    .map(|record| record.caller.clone())
                    .unwrap_or_default();
                let body = self.body(&caller, &format!("{resource}/{id}"))?;
                shown(body.pointer(there).unwrap_or(&Value::Null))
            }
        })
    }

    fn value(&mut self, key: &str, pointer: &str) -> Result<Value> {
        let Some(record) = self.api.record(key) else {
            fail!("there is no record @{key}")
        };
        let (caller, path) = (record.caller.clone(), record.path.clone());
        let body = self.body(&caller, &path)?;
        Ok(body.pointer(pointer).cloned().unwrap_or(Value::Null))
    }

    fn body(&mut self, caller: &str, path: &str) -> Result<Value> {
        if let Some(body) = self.read.get(path) {
            return Ok(body.clone());
        }
        let answer = self.api.get(caller, path)?;
        if answer.status != 200 {
            fail!("{path} could not be read by {caller}: {}", answer.status);
        }
        self.read.insert(path.to_owned(), answer.body.clone());
        Ok(answer.body)
    }
}

/// A value as it is written: a text without quotes, a figure with its digits.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// 2024 is 令和6年度.
pub fn era_year(value: &Value) -> String {
    year_of(value).map_or(String::new(), |year| match year - 2018 {
        ..=0 => format!("平成{}年度", year - 1988),
        1 => "令和元年度".to_owned(),
        reiwa => format!("令和{reiwa}年度"),
    })
}

/// 2021 is 2021 (R3) 年度.
pub fn sheet_year(value: &Value) -> String {
    year_of(value).map_or(String::new(), |year| format!("{year} (R{}) 年度", year - 2018))
}

/// The number of a fiscal year.
pub fn year(value: &Value) -> String {
    year_of(value).map_or(String::new(), |year| year.to_string())
}

/// The first day of a fiscal year.
pub fn first_day(value: &Value) -> String {
    year_of(value).map_or(String::new(), |year| format!("{year}-04-01"))
}

/// The last day of a fiscal year.
pub fn last_day(value: &Value) -> String {
    year_of(value).map_or(String::new(), |year| format!("{}-03-31", year + 1))
}

/// A fiscal year, also of a day.
fn year_of(value: &Value) -> Option<i64> {
    if let Some(year) = value.as_i64() {
        return Some(year);
    }
    let mut parts = value.as_str()?.split('-').map(str::parse::<i64>);
    let (year, month) = (parts.next()?.ok()?, parts.next()?.ok()?);
    Some(if month >= 4 { year } else { year - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_shown_as_the_forms_write_them() {
        assert_eq!(era_year(&json!(2024)), "令和6年度");
        assert_eq!(era_year(&json!("2025-03-31")), "令和6年度");
        assert_eq!(era_year(&json!(2019)), "令和元年度");
        assert_eq!(era_year(&json!(2018)), "平成30年度");
        assert_eq!(sheet_year(&json!("2021-08-01")), "2021 (R3) 年度");
        assert_eq!(
            (first_day(&json!(2024)), last_day(&json!(2024))),
            ("2024-04-01".into(), "2025-03-31".into())
        );
    }

    #[test]
    fn a_leaf_without_a_place_is_not_placed() {
        let document = json!({
            "label": "A", "items": [{"text": "い", "id": "1", "date_iso": "2024"}], "events": [{"x": 1}], "none": [],
            "figures_csv": {"r": {"category": "budget", "unit": "円", "actual": "1"}},
        });
        let mut leaves = Vec::new();
        leaves_of(&document, String::new(), &mut leaves);
        let mut not_placed: Vec<String> = leaves
            .into_iter()
            .filter(|(pointer, value)| matches!(without_place("000", &document, pointer, value), Fate::NotPlaced(_)))
            .map(|(pointer, _)| pointer)
            .collect();
        not_placed.sort();
        assert_eq!(not_placed, ["/figures_csv/r/actual", "/items/0/text"]);
    }

    #[test]
    fn the_leaves_of_a_template_are_filled_and_claimed() {
        let mut mapping = Mapping::new("000", json!({"name": "あ", "n": 40, "list": ["い", "う"], "none": []}));
        let template = json!({
            "name": leaf("/name"), "value": figure("/n"), "lines": mapping.section("/list"),
            "empty": mapping.section("/none"),
        });
        mapping.enter("x", "things", "t", template).unwrap();
        let fields = Value::Object(mapping.entries[0].fields.clone());
        assert_eq!(fields["value"], "40");
        assert_eq!(fields["lines"]["items"][1]["text"], "う");
        assert_eq!(fields["empty"], json!({"state": "not_entered", "items": []}));
        let claimed: Vec<&String> = mapping.claims.keys().collect();
        assert_eq!(claimed, ["/list/0", "/list/1", "/n", "/name", "/none"]);
    }
}
