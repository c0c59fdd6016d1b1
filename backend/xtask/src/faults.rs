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
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
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
    /// PostgreSQL is killed and a standby that lags behind takes its place
    Failover,
    /// Nothing is killed: how long after its commit a change arrives, also while a transaction stays open elsewhere
    Lag,
}

impl Trial {
    fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Batches => "batches",
            Self::Failover => "failover",
            Self::Lag => "lag",
        }
    }
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
    /// How long each part of `lag` is measured
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
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
            seconds: 0,
        }
    }
}

/// Kills, and fails when something was lost, doubled or told in another order.
pub fn run(options: &Options, program: PathBuf) -> Result<()> {
    let python = test::python(&layout::path("tests/python"))?;
    let mut place = Place::prepare(program)?;
    let mut load = Load::start(&place, options, &python)?;
    if options.trial != Trial::Lag {
        say(format!("{}: {} kills", options.trial.name(), options.kills));
    }
    for kill in 0..options.kills {
        match options.trial {
            Trial::Feed => {
                load.work(options.every)?;
                if kill % 2 == 0 {
                    place.cluster.kill();
                    place.cluster.start_again()?;
                } else {
                    place.kill_server()?;
                }
            }
            Trial::Batches => {
                load.work(rand::random_range(0.1..options.every.max(0.2)))?;
                place.kill_server()?;
            }
            Trial::Failover => place.fail_over(&mut load, kill)?,
            Trial::Lag => {
                place.lag(&mut load)?;
                break;
            }
        }
    }
    load.finish()
}

/// tests/python/faults.py.
struct Load {
    child: Child,
    /// What it says.
    lines: mpsc::Receiver<String>,
}

impl Load {
    /// Starts it and waits until it works.
    fn start(place: &Place, options: &Options, python: &Path) -> Result<Self> {
        let mut command = Command::new(python.join("bin/python"));
        command
            .arg(layout::path("tests/python/faults.py"))
            .arg(options.trial.name())
            .args(["--writers", &options.writers.to_string()])
            .args(["--streams", &options.streams.to_string()])
            .args(["--seconds", &options.seconds.to_string()])
            .env("TSUNAGI_URL", place.settings.url())
            .env("TSUNAGI_DEMO_PASSWORD", &place.password)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().could_not(|| "start tests/python/faults.py".into())?;
        let Some(said) = child.stdout.take() else {
            fail!("the load says nothing");
        };
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(said).lines().map_while(std::result::Result::ok);
            // Nobody listens any more when we give up.
            lines.for_each(|line| drop(send.send(line)));
        });
        let mut load = Self { child, lines };
        load.until("ready")?;
        Ok(load)
    }

    /// Shows what it says until it says this.
    fn until(&mut self, what: &str) -> Result<()> {
        loop {
            match self.lines.recv_timeout(Duration::from_millis(200)) {
                Ok(line) if line == what => return Ok(()),
                Ok(line) => println!("    {line}"),
                Err(mpsc::RecvTimeoutError::Timeout) => process::check_interrupt()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => fail!("the load ended early"),
            }
        }
    }

    /// Lets it work for some seconds.
    fn work(&mut self, seconds: f64) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs_f64(seconds);
        while process::pause(deadline)? {
            if let Some(status) = self.child.try_wait().could_not(|| "watch the load".into())? {
                fail!("the load ended early ({})", process::describe(status));
            }
        }
        Ok(())
    }

    /// Tells it to do something and waits until it is done.
    fn tell(&mut self, what: &str) -> Result<()> {
        if let Some(stdin) = &mut self.child.stdin {
            writeln!(stdin, "{what}").could_not(|| "talk to the load".into())?;
        }
        self.until("done")
    }

    /// End of its input: it finishes what it has begun, compares and reports.
    fn finish(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        self.lines.iter().for_each(|line| println!("    {line}"));
        let ended = self.child.wait().could_not(|| "wait for the load".into())?;
        if ended.success() {
            Ok(())
        } else {
            Err(Error::Reported(1))
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // After finish() it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server with a PostgreSQL of its own, as durable as in production. Ends in this order.
struct Place {
    serving: Serving,
    cluster: Cluster,
    settings: Settings,
    password: String,
    programs: Programs,
    runner: Option<Runner>,
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
            programs,
            runner,
            folder,
        })
    }

    fn kill_server(&mut self) -> Result<()> {
        self.serving.kill();
        self.serving = self.settings.serve(&self.folder.0.join("server.log"))?;
        Ok(())
    }

    /// Half of what can be written is written, and arrives; then once more beside a transaction that does not end.
    fn lag(&self, load: &mut Load) -> Result<()> {
        load.tell("peak")?;
        load.tell("lag 0.1")?;
        let elsewhere = self.cluster.admin("tsunagi")?;
        elsewhere.run("begin; update organizations set position = position + 1 where id = (select min(id::text) from organizations)::uuid")?;
        say("a transaction has written a row of another organisation and stays open");
        load.tell("lag 1")?;
        elsewhere.run("rollback")
    }

    /// A standby follows, is cut off while others write on and read that, and takes over.
    fn fail_over(&mut self, load: &mut Load, number: u64) -> Result<()> {
        let name = format!("standby-{number}");
        let (data, log) = (self.folder.0.join(&name), self.folder.0.join(format!("{name}.log")));
        let mut standby = self
            .cluster
            .standby(&self.programs, &data, &log, self.runner.as_ref())?;
        load.tell("write")?;
        load.tell("read")?;
        let follower = standby.admin("postgres")?;
        follower.run("alter system set primary_conninfo = ''")?;
        follower.run("select pg_reload_conf()")?;
        let deadline = Instant::now() + Duration::from_secs(30);
        while follower.value("select 1 from pg_stat_wal_receiver")?.is_some() {
            if !process::pause(deadline)? {
                fail!("the standby does not stop following");
            }
        }
        load.tell("write")?;
        load.tell("read")?;
        self.serving.kill();
        self.cluster.kill();
        follower.run("select pg_promote(true, 60)")?;
        drop(follower);
        std::mem::swap(&mut self.cluster, &mut standby);
        drop(standby);
        self.settings.database_url = self.cluster.url("tsunagi_app", "tsunagi");
        self.settings.migration_database_url = self.cluster.url(SUPERUSER, "tsunagi");
        self.serving = self.settings.serve(&self.folder.0.join("server.log"))?;
        if number.is_multiple_of(2) {
            // Every other time they read before anything new takes the numbers of what was lost.
            load.tell("read")?;
        }
        load.tell("write")?;
        load.tell("check")
    }
}

/// Goes with everything in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
