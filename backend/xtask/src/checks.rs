//! The checks that need no database: format, lints, the OpenAPI document.

use crate::{
    error::Result,
    frontend, layout,
    process::{self, cargo},
};
use std::{path::PathBuf, process::Command};

/// `cargo fmt --check`.
pub fn format() -> Command {
    let mut command = cargo();
    command.args(["fmt", "--all", "--check"]);
    command
}

/// `cargo clippy`, where every warning is an error.
pub fn clippy() -> Result<Command> {
    frontend::ensure_dist()?;
    let mut command = cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]);
    Ok(command)
}

/// Licences, bans and sources of all crates. Advisories are left to the reader's own runs: their list comes from elsewhere.
pub fn deny() -> Option<Command> {
    process::which("cargo-deny")?;
    let mut command = cargo();
    command.args(["deny", "--offline", "check", "licenses", "bans", "sources"]);
    Some(command)
}

/// The folder of the checks of the OpenAPI document.
pub fn openapi_lint_folder() -> PathBuf {
    layout::path("tests/openapi-lint")
}

/// spectral over the committed document.
pub fn openapi_lint() -> Result<Command> {
    let folder = openapi_lint_folder();
    frontend::install(&folder)?;
    let mut command = Command::new(folder.join("node_modules/.bin/spectral"));
    command
        .args(["lint", "--fail-severity", "warn", "--ruleset"])
        .arg(folder.join(".spectral.yaml"))
        .arg(layout::path("openapi/openapi.json"))
        .current_dir(&folder);
    Ok(command)
}

/// What of the document would break a client is declared; needs nothing but Node.js.
pub fn openapi_changes() -> Command {
    let mut command = Command::new("node");
    command
        .args(["--test", "--test-reporter=spec"])
        .current_dir(openapi_lint_folder());
    command
}
