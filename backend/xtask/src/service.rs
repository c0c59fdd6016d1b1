//! The server program: built, configured through its environment, started, watched.

use crate::{
    error::{Context, Result},
    fail, frontend, layout,
    process::{self, Background},
};
use rustix::process::Signal;
use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How the server is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to compile; for tests.
    Debug,
    /// Quick to run.
    Release,
}

/// Compiles the server and returns its program. `TSUNAGI_SERVER` names one that is built already.
pub fn build(profile: Profile) -> Result<PathBuf> {
    if let Some(program) = prebuilt() {
        return Ok(program);
    }
    frontend::ensure_dist()?;
    let mut cargo = process::cargo();
    cargo.args(["build", "--package", "server"]);
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            cargo.arg("--release");
            "release"
        }
    };
    process::run(&mut cargo)?;
    Ok(layout::target().join(folder).join("server"))
}

/// A server program that need not be built.
pub fn prebuilt() -> Option<PathBuf> {
    std::env::var_os("TSUNAGI_SERVER")
        .filter(|text| !text.is_empty())
        .map(PathBuf::from)
}

/// Everything the server is told. It has no other settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program.
    pub program: PathBuf,
    /// Where it serves from, as the application's role.
    pub database_url: String,
    /// Where it migrates, as a role that may.
    pub migration_database_url: String,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its key of 32 bytes, made by the server when absent.
    pub key_file: PathBuf,
    /// Demo accounts, shown as such.
    pub demo: bool,
    /// A database that is thrown away may forget: the server refuses one otherwise.
    pub fast_database: bool,
}

impl Settings {
    /// Where a browser finds it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// `server WHAT` with its environment.
    pub fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(what)
            .current_dir(layout::root())
            .env("DATABASE_URL", &self.database_url)
            .env("MIGRATION_DATABASE_URL", &self.migration_database_url)
            .env("TSUNAGI_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("TSUNAGI_KEY_FILE", &self.key_file)
            .env("TSUNAGI_PUBLIC_URL", self.url());
        if self.demo {
            // What is tried out tells nobody outside of this machine.
            command
                .env("TSUNAGI_DEMO", "1")
                .env("TSUNAGI_WEBHOOK_NETWORKS", "127.0.0.0/8");
        } else {
            command.env_remove("TSUNAGI_DEMO");
        }
        if self.fast_database {
            command.env("TSUNAGI_ALLOW_FAST_DATABASE", "1");
        }
        command
    }

    /// Brings the database up to date.
    pub fn migrate(&self) -> Result<()> {
        process::capture(&mut self.command("migrate")).map(drop)
    }

    /// Makes an administrator of an organisation; the password goes through a pipe, not the command line.
    pub fn create_admin(&self, email: &str, password: &str, organization: &str) -> Result<()> {
        let mut command = self.command("create-admin");
        command.args(["--email", email, "--organization", organization]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .could_not(|| "start the server".into())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin
                .write_all(format!("{password}\n").as_bytes())
                .could_not(|| "hand over the password".into())?;
        }
        let output = child.wait_with_output().could_not(|| "wait for the server".into())?;
        if !output.status.success() {
            fail!(
                "the first administrator could not be made: {}",
                process::last_lines(String::from_utf8_lossy(&output.stderr).trim(), 3)
            );
        }
        Ok(())
    }

    /// Starts serving and waits until it answers.
    pub fn serve(&self, log: &Path) -> Result<Serving> {
        let background = Background::start("the server", self.command("serve").env("NO_COLOR", "1"), log)?;
        let mut serving = Serving {
            background,
            log: log.to_owned(),
        };
        let health = format!("{}/healthz", self.url());
        let agent = agent(Duration::from_secs(2));
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(why) = serving.ended() {
                fail!("{why}");
            }
            if agent.get(&health).call().is_ok() {
                return Ok(serving);
            }
            if !process::pause(deadline)? {
                fail!(
                    "the server did not answer at {health} within a minute; see {}",
                    log.display()
                );
            }
        }
    }
}

/// A server that serves. Stopped when dropped.
pub struct Serving {
    background: Background,
    log: PathBuf,
}

impl Serving {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.background.id()
    }

    /// Why it is not running any more, if so.
    pub fn ended(&mut self) -> Option<String> {
        let why = self.background.ended()?;
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        Some(format!(
            "{why}: {} (all of it in {})",
            process::last_lines(said.trim(), 3).replace('\n', " / "),
            self.log.display()
        ))
    }

    /// Ends it in the middle of whatever it is doing.
    pub fn kill(&mut self) {
        self.background.kill();
    }

    /// Lets it finish what it is doing.
    pub fn stop(&mut self) {
        self.background.stop(Signal::TERM);
    }
}

/// An HTTP client for our own server: no proxy in between.
pub fn agent(limit: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(limit))
        .proxy(None)
        .build()
        .into()
}

/// A port nobody uses.
pub fn free_port() -> Result<u16> {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .could_not(|| "find a free port".into())
}

/// Fails when the port cannot be had.
pub fn require_port(port: u16) -> Result<()> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => {
            fail!("port {port} is in use by another program: end it, or choose another with --port")
        }
        Err(cause) => fail!("port {port} cannot be used: {cause}; choose another with --port"),
    }
}
