//! `cargo xtask bench`: the measurements of docs/PERFORMANCE.md.

use crate::error::{Error, Result};

/// Measures everything.
pub fn run() -> Result<()> {
    eprintln!("bench: not there yet");
    Err(Error::Reported(2))
}
