//! npm's part: installing from lock files and building the pages.

use crate::{
    error::{Context, Result},
    fail, layout, process,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

/// The oldest Node.js that the frontend's tools run on.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// The frontend's folder.
pub fn folder() -> PathBuf {
    layout::path("frontend")
}

/// Fails early when Node.js or npm is missing or too old.
pub fn require_node() -> Result<()> {
    for program in ["node", "npm"] {
        if process::which(program).is_none() {
            fail!("the program `{program}` is missing: install Node.js 20.19 or newer (it brings npm)");
        }
    }
    let version = process::capture(Command::new("node").arg("--version"))?;
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(|n| n.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST_NODE {
        fail!("Node.js {} is too old: 20.19 or newer is needed", version.trim());
    }
    Ok(())
}

/// `npm ci`, only when the lock file has changed since the last time. Scripts of packages are not run.
pub fn install(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json"))
        .could_not(|| format!("read {}", folder.join("package-lock.json").display()))?;
    let stamp = folder.join("node_modules/.installed-lock");
    let shown = folder
        .strip_prefix(layout::root())
        .unwrap_or(folder)
        .display()
        .to_string();
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    process::say(format!("{shown}: installing its dependencies from the lock file"));
    process::run(
        npm(folder, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).env("npm_config_loglevel", "error"),
    )?;
    // Without a single dependency npm makes no folder.
    fs::create_dir_all(folder.join("node_modules")).could_not(|| format!("write {}", stamp.display()))?;
    fs::write(&stamp, lock).could_not(|| format!("write {}", stamp.display()))
}

/// `npm ARGS` in a folder.
pub fn npm(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(args).current_dir(folder);
    command
}

/// Builds the pages when a source is newer than what was built last.
pub fn build() -> Result<()> {
    let folder = folder();
    let built = fs::metadata(folder.join("dist/index.html"))
        .and_then(|meta| meta.modified())
        .ok();
    let newest = newest_source(&folder);
    if let (Some(built), Some(newest)) = (built, newest)
        && built > newest
    {
        process::say("Pages: up to date");
        return Ok(());
    }
    process::say("Pages: building");
    process::run(&mut npm(&folder, &["run", "build"]))
}

/// The server embeds this folder when it is compiled, so it has to be there.
pub fn ensure_dist() -> Result<()> {
    let dist = folder().join("dist");
    fs::create_dir_all(&dist).could_not(|| format!("create {}", dist.display()))
}

/// When the youngest source was changed. Folders count too: removing a file changes its folder.
fn newest_source(folder: &Path) -> Option<SystemTime> {
    let mut newest = None;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if ["node_modules", "dist", ".vite", "coverage"]
            .iter()
            .any(|skipped| name == *skipped)
        {
            continue;
        }
        newest = newest.max(entry.metadata().and_then(|meta| meta.modified()).ok());
        if entry.path().is_dir() {
            newest = newest.max(newest_source(&entry.path()));
        }
    }
    newest
}
