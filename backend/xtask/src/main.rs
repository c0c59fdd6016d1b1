//! `cargo xtask`: the one front door to every chore.

mod db;
mod error;
mod layout;
mod postgres;
mod process;
mod schema;

use clap::{Parser, Subcommand};
use error::{Context, Error, Result};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "The one front door to every chore of the project"
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Write backend/model/src/schema.rs from the migrations.
    GenSchema,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match process::listen_for_signals().and_then(|()| perform(arguments.chore)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Message(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
        Err(Error::Interrupted) => {
            eprintln!("stopped on request");
            ExitCode::from(130)
        }
        Err(Error::Reported(status)) => ExitCode::from(status),
    }
}

fn perform(chore: Chore) -> Result<()> {
    match chore {
        Chore::GenSchema => {
            let cluster = postgres::Cluster::throw_away("schema")?;
            let text = schema::generate(&cluster)?;
            std::fs::write(layout::path(schema::FILE), text)
                .could_not(|| format!("write {}", schema::FILE))?;
            process::say(format!("wrote {}", schema::FILE));
            Ok(())
        }
    }
}
