//! `cargo xtask faults`: PostgreSQL and the server are killed while systems write and read. tests/python/faults.py is
//! the load; it knows what was acknowledged to it and compares that with what there is.

use crate::{
    demo,
    error::{Context, Error, Result},
    fail, layout,
    postgres::{self, Cluster, Programs, Runner, SUPERUSER},
    process::{self, say},
    service::{self, Serving, Settings},
    test,
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Trial {
    /// Many writers, a reader of each stream; PostgreSQL and the server are killed in turn
    Feed,
    /// Atomic batches of 1,000 rows; the server is killed in the middle of them
    Batches,
}

/// How much of it.
#[derive(clap::Args, Debug)]
pub struct Options {
    #[arg(value_enum)]
    trial: Trial,
    /// How often something is killed
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    kills: u64,
    /// Seconds between two kills; batches are interrupted at a random moment within them
    #[arg(long, default_value_t = 10.0)]
    every: f64,
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=500))]
    writers: u64,
    /// Organisations that write, each a stream of changes
    #[arg(long, default_value_t = 35, value_parser = clap::value_parser!(u64).range(1..=500))]
    streams: u64,
}

impl Options {
    /// Some seconds of the feed, for every run of the tests.
    pub fn short() -> Self {
        Self {
            trial: Trial::Feed,
            kills: 6,
            every: 8.0,
            writers: 24,
            streams: 8,
        }
    }
}

/// Kills, and fails when something was lost, doubled or told in another order.
pub fn run(options: &Options, program: PathBuf) -> Result<()> {
    let python = test::python(&layout::path("tests/python"))?;
    let mut place = Place::prepare(program)?;
    let (mut load, shown) = place.load(options, &python)?;
    say(format!("{} kills, one every {} s", options.kills, options.every));
    for kill in 0..options.kills {
        let pause = match options.trial {
            Trial::Feed => options.every,
            Trial::Batches => rand::random_range(0.1..options.every.max(0.2)),
        };
        let deadline = Instant::now() + Duration::from_secs_f64(pause);
        while process::pause(deadline)? {
            if let Some(status) = load.try_wait().could_not(|| "watch the load".into())? {
                fail!("the load ended early ({})", process::describe(status));
            }
        }
        place.kill(options.trial == Trial::Feed && kill % 2 == 0)?;
    }
    // End of its input: it finishes, compares and reports.
    drop(load.stdin.take());
    let ended = load.wait().could_not(|| "wait for the load".into())?;
    let _ = shown.join();
    if ended.success() {
        Ok(())
    } else {
        Err(Error::Reported(1))
    }
}

/// A server with a PostgreSQL of its own, as durable as in production. Ends in this order.
struct Place {
    serving: Serving,
    cluster: Cluster,
    settings: Settings,
    password: String,
    folder: Folder,
}

impl Place {
    fn prepare(program: PathBuf) -> Result<Self> {
        let folder = Folder(layout::target().join(format!("tsunagi-faults-{}", std::process::id())));
        fs::create_dir_all(&folder.0).could_not(|| format!("create {}", folder.0.display()))?;
        let data = folder.0.join("postgres");
        let runner = Runner::for_data(&data)?;
        let programs = Programs::find(&data, &layout::target().join("postgres"), runner.as_ref())?;
        let cluster = Cluster::open(&programs, &data, &folder.0.join("postgres.log"), runner.as_ref())?;
        postgres::prepare(&cluster, "tsunagi")?;
        let settings = Settings {
            program,
            database_url: cluster.url("tsunagi_app", "tsunagi"),
            migration_database_url: cluster.url(SUPERUSER, "tsunagi"),
            port: service::free_port()?,
            key_file: folder.0.join("server.key"),
            demo: false,
            fast_database: false,
        };
        settings.migrate()?;
        let (password, _) = demo::password();
        demo::first_admin(&settings, &password)?;
        let serving = settings.serve(&folder.0.join("server.log"))?;
        Ok(Self {
            serving,
            cluster,
            settings,
            password,
            folder,
        })
    }

    /// Starts the load and waits until it works.
    fn load(&self, options: &Options, python: &std::path::Path) -> Result<(Child, thread::JoinHandle<()>)> {
        let mut command = Command::new(python.join("bin/python"));
        command
            .arg(layout::path("tests/python/faults.py"))
            .arg(if options.trial == Trial::Feed {
                "feed"
            } else {
                "batches"
            })
            .args([
                "--writers",
                &options.writers.to_string(),
                "--streams",
                &options.streams.to_string(),
            ])
            .env("TSUNAGI_URL", self.settings.url())
            .env("TSUNAGI_DEMO_PASSWORD", &self.password)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().could_not(|| "start tests/python/faults.py".into())?;
        let Some(said) = child.stdout.take() else {
            fail!("the load says nothing");
        };
        let mut lines = BufReader::new(said).lines().map_while(std::result::Result::ok);
        if !lines.any(|line| line == "ready") {
            fail!("the load did not begin");
        }
        let shown = thread::spawn(move || lines.for_each(|line| println!("    {line}")));
        Ok((child, shown))
    }

    fn kill(&mut self, database: bool) -> Result<()> {
        if database {
            return self.cluster.crash();
        }
        self.serving.kill();
        self.serving = self.settings.serve(&self.folder.0.join("server.log"))?;
        Ok(())
    }
}

/// Goes with everything in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
