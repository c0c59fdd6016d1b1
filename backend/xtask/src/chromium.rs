//! A browser for the browser tests: found, or installed from the system's packages. Never done without.

use crate::{
    error::Result,
    fail,
    process::{self, say},
};
use std::{path::PathBuf, process::Command};

/// The path of a Chromium, installing one when that is possible.
pub fn find_or_install() -> Result<PathBuf> {
    if let Some(chosen) = std::env::var_os("CHROMIUM").filter(|text| !text.is_empty()) {
        let chosen = PathBuf::from(chosen);
        return match process::which(&chosen.to_string_lossy()) {
            Some(path) => Ok(path),
            None => fail!("CHROMIUM is {}, which is no program", chosen.display()),
        };
    }
    if let Some(path) = find() {
        return Ok(path);
    }
    if !rustix::process::geteuid().is_root() || process::which("apt-get").is_none() {
        fail!("no Chromium was found: install it (Debian: apt install chromium), or set CHROMIUM to its path");
    }
    say("Browser tests: installing Chromium from the system's packages");
    for arguments in [
        &["update"][..],
        &["install", "-y", "--no-install-recommends", "chromium"],
    ] {
        let mut apt = Command::new("apt-get");
        process::capture(
            apt.args(["-q"])
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )?;
    }
    match find() {
        Some(path) => Ok(path),
        None => fail!("Chromium was installed but is not in PATH: set CHROMIUM to its path"),
    }
}

fn find() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        .iter()
        .find_map(|name| process::which(name))
        .or_else(|| process::which("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"))
}
