//! `cargo xtask acceptance DIR`: the seed documents, entered through the API and read back.
//!
//! Two documents that people really wrote — a platform's annual report (000) and a roadmap sheet (002) — and the figures
//! in them are entered by the callers who would enter them, and read again. Each leaf of a document is then counted:
//!
//! - placed: the record read back holds exactly this text or figure;
//! - not placed: it does not, or nothing says where it belongs;
//! - and, by rule and never where something was entered: what the transcriber derived, headings of the form (which
//!   belong to the form, not to the data), and parts of later work, listed by name.

mod mapping;
mod nanbu;
mod tottori;

use crate::{
    counts::Counts,
    demo,
    entry::{Api, Entry, said},
    error::{Context, Result},
    fail, layout,
    postgres::{self, Cluster},
    process::say,
    service::{self, Serving, Settings},
};
use mapping::{Fate, Mapping};
use serde_json::{Map, Value};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where the seed documents are, when this machine has them.
pub fn seeds() -> Option<PathBuf> {
    let dir = match std::env::var_os("TSUNAGI_SEEDS").filter(|text| !text.is_empty()) {
        Some(dir) => PathBuf::from(dir),
        None => layout::path("../shared"),
    };
    dir.join("seed-data").is_dir().then_some(dir)
}

/// A part of a document that is counted on its own: its name and where it begins.
pub type Part = (&'static str, &'static [&'static str]);

/// Enters and reads back everything below `dir`, with this server. Passed and failed count leaves.
pub fn run(server: PathBuf, dir: &Path) -> Result<Counts> {
    let dir = if dir.join("seed-data").is_dir() {
        dir.join("seed-data")
    } else {
        dir.to_owned()
    };
    let documents = [
        ("000", "seed-000-tottori.json", tottori::PARTS),
        ("002", "seed-002-nanbu.json", nanbu::PARTS),
    ];
    let figures = fs::read_to_string(dir.join("seed_kpis.csv")).could_not(|| "read seed_kpis.csv".into())?;
    let mut mappings = Vec::new();
    for (seed, file, parts) in documents {
        let text = fs::read_to_string(dir.join(file)).could_not(|| format!("read {file}"))?;
        let mut document: Value = serde_json::from_str(&text).could_not(|| format!("understand {file}"))?;
        document["figures_csv"] = figures_of(seed, &figures)?;
        let mut mapping = Mapping::new(seed, document);
        match seed {
            "000" => tottori::map(&mut mapping)?,
            _ => nanbu::map(&mut mapping)?,
        }
        mappings.push((mapping, parts));
    }
    let house = House::open(server)?;
    let mut api = house.api();
    api.enter("founding", &demo::founding()?)?;
    let mut counts = Counts::default();
    for (mapping, parts) in &mappings {
        say(format!(
            "Seed {}: entering {} records",
            mapping.seed,
            mapping.entries.len()
        ));
        api.enter(mapping.seed, &mapping.entries)?;
        counts += count(mapping, parts, &mut api)?;
    }
    findings(&mut api)?;
    Ok(counts)
}

/// The project's own demo data, entered and read back leaf by leaf: what can be tried without the seed documents.
pub fn fixture(server: PathBuf) -> Result<Counts> {
    let house = House::open(server)?;
    let mut api = house.api();
    let entries = demo::enter(&mut api)?;
    let records: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| entry.key.is_some() && !entry.fields.contains_key("password"))
        .collect();
    let (unchanged, changed) = api.read_back(&records)?;
    for line in &changed {
        println!("    {line}");
    }
    println!(
        "demo data: {} records, {unchanged} leaves read back unchanged, {} not",
        records.len(),
        changed.len()
    );
    Ok(Counts {
        passed: unchanged,
        failed: u64::try_from(changed.len()).unwrap_or(u64::MAX),
    })
}

/// Rows of the table of figures that belong to these parts, by their ids; empty cells are no facts.
fn figures_of(seed: &str, text: &str) -> Result<Value> {
    const CATEGORIES: [&str; 6] = ["kpi", "kpi_change", "budget", "grade", "activity", "milestone"];
    let mut rows = Map::new();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for row in reader.deserialize::<std::collections::BTreeMap<String, String>>() {
        let row = row.could_not(|| "read seed_kpis.csv".into())?;
        let column = |name: &str| row.get(name).map(String::as_str).unwrap_or_default();
        let category = column("category");
        let ours =
            CATEGORIES.contains(&category) || category.starts_with("qualitative_") || category.starts_with("milestone");
        if ours && column("row_id").starts_with(seed) {
            let cells = row.iter().filter(|(_, cell)| !cell.is_empty());
            let cells = cells.map(|(name, cell)| (name.clone(), Value::String(cell.clone())));
            rows.insert(column("row_id").to_owned(), Value::Object(cells.collect()));
        }
    }
    Ok(Value::Object(rows))
}

/// A server of its own with a database that is thrown away.
struct House {
    settings: Settings,
    folder: PathBuf,
    // In this order: what is above is used to stop what is below.
    serving: Serving,
    _cluster: Cluster,
}

/// Signs in only to a database that lives for minutes.
const PASSWORD: &str = "yamabuki-kawasemi-tombo";

impl House {
    fn open(program: PathBuf) -> Result<Self> {
        let cluster = Cluster::throw_away("acceptance")?;
        postgres::prepare(&cluster, "tsunagi")?;
        let folder = layout::target().join(format!("tsunagi-acceptance-{}", std::process::id()));
        fs::create_dir_all(&folder).could_not(|| format!("create {}", folder.display()))?;
        let settings = Settings {
            program,
            database_url: cluster.url("tsunagi_app", "tsunagi"),
            migration_database_url: cluster.url(postgres::SUPERUSER, "tsunagi"),
            port: service::free_port()?,
            key_file: folder.join("server.key"),
            demo: true,
            fast_database: true,
        };
        settings.migrate()?;
        let serving = settings.serve(&layout::target().join("acceptance-server.log"))?;
        demo::first_admin(&settings, PASSWORD)?;
        Ok(Self {
            settings,
            folder,
            serving,
            _cluster: cluster,
        })
    }

    fn api(&self) -> Api {
        Api::new(&self.settings.url(), demo::DOMAIN, PASSWORD)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.serving.stop();
        // The key of a server that is gone.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Counts the leaves of a document, part by part, and says of each that is not placed why.
fn count(mapping: &Mapping, parts: &[Part], api: &mut Api) -> Result<Counts> {
    let leaves = mapping.judge(api)?;
    println!();
    println!(
        "seed {:<32} {:>7} {:>10} {:>8} {:>8} {:>6} {:>6}",
        mapping.seed, "placed", "not placed", "derived", "headings", "empty", "later"
    );
    let mut lines = Vec::new();
    let mut counts = Counts::default();
    let mut later: Vec<&str> = Vec::new();
    let of_part = |leaf: &str| {
        let within = |start: &str| {
            leaf.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        parts
            .iter()
            .position(|(_, starts)| starts.iter().any(|start| within(start)))
    };
    if let Some((leaf, _)) = leaves.iter().find(|(leaf, _)| of_part(leaf).is_none()) {
        fail!("seed {}: {leaf} belongs to no part", mapping.seed);
    }
    for (index, (name, _)) in parts.iter().enumerate() {
        let (mut placed, mut not_placed, mut derived, mut headings, mut empty, mut others) = (0, 0, 0, 0, 0, 0);
        for (leaf, fate) in leaves.iter().filter(|(leaf, _)| of_part(leaf) == Some(index)) {
            match fate {
                Fate::Placed => placed += 1,
                Fate::NotPlaced(why) => {
                    not_placed += 1;
                    println!("    not placed: {leaf}: {why}");
                }
                Fate::Derived => derived += 1,
                Fate::Heading => headings += 1,
                Fate::Empty => empty += 1,
                Fate::Later(what) => {
                    others += 1;
                    if !later.contains(what) {
                        later.push(what);
                    }
                }
            }
        }
        println!("  {name:<35} {placed:>7} {not_placed:>10} {derived:>8} {headings:>8} {empty:>6} {others:>6}");
        lines.push(serde_json::json!({
            "seed": mapping.seed, "part": name, "placed": placed, "not_placed": not_placed,
        }));
        counts.passed += placed;
        counts.failed += not_placed;
    }
    if !later.is_empty() {
        println!("  later: {}", later.join("; "));
    }
    for line in lines {
        println!("{line}");
    }
    Ok(counts)
}

/// What the service itself finds in the documents: printed facts that the record contradicts.
fn findings(api: &mut Api) -> Result<()> {
    for (seed, caller, list, scope) in [
        ("000", "tottori-editor", "platforms", "platform_id"),
        ("002", "municipality-editor", "plans", "plan_id"),
    ] {
        let records = api.get(caller, &format!("{list}?limit=200"))?;
        for record in records.body["items"].as_array().into_iter().flatten() {
            let id = record["id"].as_str().unwrap_or_default();
            let answer = api.get(caller, &format!("findings?{scope}={id}"))?;
            if answer.status != 200 {
                fail!("findings could not be read by {caller}: {}", said(&answer.body));
            }
            for finding in answer.body["items"].as_array().into_iter().flatten() {
                println!("seed {seed}: {}", finding["message"].as_str().unwrap_or_default());
            }
        }
    }
    Ok(())
}
