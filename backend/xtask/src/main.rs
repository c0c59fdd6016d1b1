//! `cargo xtask`: the one front door to every chore.

mod acceptance;
mod bench;
mod checks;
mod chromium;
mod counts;
mod db;
mod demo;
mod entry;
mod error;
mod faults;
mod frontend;
mod generate;
mod layout;
mod postgres;
mod process;
mod run;
mod schema;
mod service;
mod test;

#[cfg(test)]
mod deployment;

use clap::{Parser, Subcommand};
use error::{Error, Result};
use postgres::{Cluster, SUPERUSER};
use service::Profile;
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The one front door to every chore of the project")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Set everything up, start the product, stop it on Ctrl-C
    Run(run::Options),
    /// Run every check and every test, set-up included
    Test,
    /// Write the generated files: schema.rs, openapi.json, the client's types
    Gen {
        /// Only see whether they are current
        #[arg(long)]
        check: bool,
    },
    /// Write only schema.rs, from the migrations
    GenSchema,
    /// Write the generated files and rewrite what the tests compare
    Bless,
    /// Format and lint everything that can be linted without a database
    Lint,
    /// Enter the demo data into a running server
    Demo {
        /// Where it serves
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        url: String,
    },
    /// Measure; one JSON line per measurement after the table
    Bench(bench::Options),
    /// Kill PostgreSQL and the server while systems write and read, and see that nothing is lost, doubled or out of order
    Faults(faults::Options),
    /// Enter the seed documents of a folder and read them back
    Acceptance {
        /// The folder that holds seed-data; without it, the project's own demo data
        dir: Option<PathBuf>,
    },
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
        Chore::Run(options) => run::run(&options),
        Chore::Test => test::test(),
        Chore::Gen { check } => {
            let mode = if check {
                generate::Mode::Check
            } else {
                generate::Mode::Write
            };
            generate::all(&Cluster::throw_away("gen")?, mode, || service::build(Profile::Debug))
        }
        Chore::GenSchema => generate::only_schema(&Cluster::throw_away("gen")?),
        Chore::Bless => bless(),
        Chore::Lint => lint(),
        Chore::Demo { url } => {
            let (password, generated) = demo::password();
            demo::load(&url, &password)?;
            if generated {
                println!("password of all demo accounts, shown only now: {password}");
            }
            Ok(())
        }
        Chore::Bench(options) => bench::run(&options),
        Chore::Faults(options) => faults::run(&options, service::build(Profile::Release)?),
        Chore::Acceptance { dir } => {
            let server = service::build(Profile::Debug)?;
            let counts = match dir {
                Some(dir) => acceptance::run(server, &dir)?,
                None => acceptance::fixture(server)?,
            };
            println!("{} placed, {} not placed", counts.passed, counts.failed);
            if counts.failed > 0 {
                return Err(Error::Reported(1));
            }
            Ok(())
        }
    }
}

fn bless() -> Result<()> {
    let cluster = Cluster::throw_away("bless")?;
    generate::all(&cluster, generate::Mode::Write, || service::build(Profile::Debug))?;
    let mut tests = test::rust_tests();
    tests
        .env("TEST_DATABASE_URL", cluster.url(SUPERUSER, "postgres"))
        .env("UPDATE", "1");
    process::run(&mut tests)
}

/// All lints, each of them even when one before has failed.
fn lint() -> Result<()> {
    let frontend = frontend::folder();
    let mut failed = 0;
    let mut check = |name: &str, made: Result<std::process::Command>| -> Result<()> {
        process::say(name);
        match made.and_then(|mut command| process::run(&mut command)) {
            Ok(()) => {}
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(why) => {
                eprintln!("error: {why}");
                failed += 1;
            }
        }
        Ok(())
    };
    check("rust format", Ok(checks::format()))?;
    check("rust lints", checks::clippy())?;
    let dependencies = frontend::require_node().and_then(|()| frontend::install(&frontend));
    check(
        "frontend lint",
        dependencies.map(|()| frontend::npm(&frontend, &["run", "lint"])),
    )?;
    check("OpenAPI lint", checks::openapi_lint())?;
    check("OpenAPI changes", Ok(checks::openapi_changes()))?;
    match checks::deny() {
        Some(deny) => check("licences and origins of crates", Ok(deny))?,
        None => process::say("licences and origins of crates: NOT CHECKED, cargo-deny is not installed"),
    }
    if failed > 0 {
        Err(Error::Message(format!("{failed} lint(s) failed")))
    } else {
        Ok(())
    }
}
