//! `cargo xtask gen`: files that are written by programs and committed.

use crate::{
    error::{Context, Error, Result},
    frontend, layout,
    postgres::Cluster,
    process::{self, say},
    schema,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const DOCUMENT: &str = "openapi/openapi.json";
const TYPES: &str = "frontend/src/api/schema.gen.ts";

/// Whether to write, or only to see if what is committed is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Writes the files.
    Write,
    /// Fails when one is stale.
    Check,
}

/// All generated files, in the order in which they build on each other. `server` compiles the program.
pub fn all(cluster: &Cluster, mode: Mode, server: impl FnOnce() -> Result<PathBuf>) -> Result<()> {
    let mut stale = Vec::new();
    settle(schema::FILE, &schema::generate(cluster)?, mode, &mut stale)?;
    // The server is compiled after its schema is right.
    let server = server()?;
    let document = process::capture(Command::new(server).arg("openapi").current_dir(layout::root()))?;
    settle(DOCUMENT, &with_newline(document), mode, &mut stale)?;
    settle(TYPES, &types()?, mode, &mut stale)?;
    if stale.is_empty() {
        return Ok(());
    }
    for file in &stale {
        eprintln!("stale: {file}");
    }
    Err(Error::Message(format!(
        "{} generated file(s) are not current: run `cargo xtask gen` and commit",
        stale.len()
    )))
}

/// Only the schema, for the time when the server does not compile without it.
pub fn only_schema(cluster: &Cluster) -> Result<()> {
    settle(schema::FILE, &schema::generate(cluster)?, Mode::Write, &mut Vec::new())
}

/// The client's types, made from the committed document.
fn types() -> Result<String> {
    let folder = frontend::folder();
    frontend::install(&folder)?;
    let out = std::env::temp_dir().join(format!("tsunagi-types-{:08x}.ts", rand::random::<u32>()));
    let mut command = Command::new(folder.join("node_modules/.bin/openapi-typescript"));
    command
        .arg(layout::path(DOCUMENT))
        .arg("-o")
        .arg(&out)
        .current_dir(&folder);
    let text = process::capture(&mut command)
        .and_then(|_| fs::read_to_string(&out).could_not(|| format!("read {}", out.display())));
    // A left-over temporary file harms nobody.
    let _ = fs::remove_file(&out);
    text
}

fn settle(file: &str, text: &str, mode: Mode, stale: &mut Vec<String>) -> Result<()> {
    let path = layout::path(file);
    if fs::read_to_string(&path).is_ok_and(|now| now == text) {
        say(format!("{file}: current"));
        return Ok(());
    }
    match mode {
        Mode::Check => stale.push(file.to_owned()),
        Mode::Write => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).could_not(|| format!("create {}", folder.display()))?;
            }
            write(&path, text)?;
            say(format!("{file}: written"));
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).could_not(|| format!("write {}", path.display()))
}

fn with_newline(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
