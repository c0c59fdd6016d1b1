//! `cargo xtask test`: everything, set-up included. A failed step does not hide the next one.

use crate::{
    acceptance, checks, chromium,
    counts::{self, Counts},
    demo,
    error::{Context, Error, Result},
    fail, faults, frontend, generate, layout,
    postgres::{self, Cluster},
    process::{self, cargo, say},
    service::{self, Serving, Settings},
};
use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Runs all steps and says what came of them.
pub fn test() -> Result<()> {
    let mut suite = Suite::default();
    let done = steps(&mut suite);
    if let Err(Error::Interrupted) = done {
        return Err(Error::Interrupted);
    }
    done?;
    suite.close()
}

fn steps(suite: &mut Suite) -> Result<()> {
    let frontend = frontend::folder();
    suite.command("rust format", || Ok(checks::format()))?;
    let node = suite.step("frontend dependencies", || {
        frontend::require_node()?;
        frontend::install(&frontend)?;
        Ok(Step::Done(None))
    })?;
    for (name, script) in [
        ("frontend lint", "lint"),
        ("frontend types", "typecheck"),
        ("frontend tests", "test"),
        ("frontend build", "build"),
    ] {
        suite.command(name, || {
            needs(node, "the frontend's dependencies")?;
            Ok(frontend::npm(&frontend, &["run", script]))
        })?;
    }
    suite.command("rust lints", checks::clippy)?;
    let compiled = suite.command("rust compile", || {
        frontend::ensure_dist()?;
        let mut command = cargo();
        // With all targets, so that the server and the tests share what is compiled.
        command.args(["build", "--workspace", "--all-targets", "--quiet"]);
        Ok(command)
    })?;
    let server = service::prebuilt().unwrap_or_else(|| layout::target().join("debug/server"));

    let cluster = OnceCell::new();
    suite.step("throw-away PostgreSQL", || {
        let made = Cluster::throw_away("test")?;
        // The cell is new and set only here.
        let _ = cluster.set(made);
        Ok(Step::Done(None))
    })?;
    let database = || {
        cluster
            .get()
            .ok_or_else(|| Error::from("there is no PostgreSQL to test with"))
    };
    suite.command("rust tests", || {
        let url = database()?.url(postgres::SUPERUSER, "postgres");
        let mut command = rust_tests();
        command.env("TEST_DATABASE_URL", url);
        Ok(command)
    })?;
    suite.command("rust documentation tests", || {
        let mut command = cargo();
        command.args(["test", "--workspace", "--doc", "--quiet", "--no-fail-fast"]);
        Ok(command)
    })?;
    suite.step("generated files are current", || {
        needs(compiled, "the server")?;
        generate::all(database()?, generate::Mode::Check, || Ok(server.clone()))?;
        Ok(Step::Done(None))
    })?;
    suite.command("OpenAPI lint", checks::openapi_lint)?;
    suite.command("OpenAPI changes", || Ok(checks::openapi_changes()))?;

    let demo = OnceCell::new();
    suite.step("server with demo data", || {
        needs(compiled, "the server")?;
        // As above.
        let _ = demo.set(Demo::start(database()?, server.clone())?);
        Ok(Step::Done(None))
    })?;
    let running = || {
        demo.get()
            .ok_or_else(|| Error::from("there is no server with demo data"))
    };
    suite.step("browser tests", || {
        let folder = layout::path("tests/e2e");
        if !folder.join("package.json").exists() {
            return Ok(Step::NotThere("tests/e2e/package.json"));
        }
        let browser = chromium::find_or_install()?;
        frontend::install(&folder)?;
        let mut command = frontend::npm(&folder, &["run", "e2e"]);
        running()?.tell(&mut command).env("CHROMIUM", browser);
        watched(&mut command)
    })?;
    suite.step("clients and properties (Python)", || {
        let folder = layout::path("tests/python");
        if !folder.join("run.sh").exists() {
            return Ok(Step::NotThere("tests/python/run.sh"));
        }
        let environment = python(&folder)?;
        let mut command = Command::new("bash");
        command.arg("run.sh").current_dir(&folder);
        in_environment(&mut command, &environment)?;
        watched(running()?.tell(&mut command))
    })?;
    drop(demo);
    suite.step("kills while systems write and read", || {
        needs(compiled, "the server")?;
        faults::run(&faults::Options::short(), server.clone())
            .map(|()| Step::Done(Some(Counts { passed: 1, failed: 0 })))
    })?;
    suite.step("demo data read back", || {
        needs(compiled, "the server")?;
        Ok(Step::Done(Some(acceptance::fixture(server.clone())?)))
    })?;
    suite.step("seed acceptance", || match acceptance::seeds() {
        None => Ok(Step::NotRun("seed acceptance: NOT RUN")),
        Some(seeds) => {
            needs(compiled, "the server")?;
            Ok(Step::Done(Some(acceptance::run(server.clone(), &seeds)?)))
        }
    })?;
    Ok(())
}

/// All tests of the workspace, with nextest where it is installed.
pub fn rust_tests() -> Command {
    let mut command = cargo();
    if process::which("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass"]);
    } else {
        command.args(["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    command
}

fn needs(there: bool, what: &str) -> Result<()> {
    if there {
        Ok(())
    } else {
        Err(Error::Message(format!("not tried without {what}")))
    }
}

/// A server with demo data on a port of its own, in a database of its own.
struct Demo {
    settings: Settings,
    /// An empty database, as the application and as its owner reach it.
    spare: [String; 2],
    password: String,
    folder: PathBuf,
    // Last: dropped after what is above has been used to stop it.
    _serving: Serving,
}

impl Demo {
    fn start(cluster: &Cluster, program: PathBuf) -> Result<Self> {
        let folder = layout::target().join(format!("tsunagi-test-{}", std::process::id()));
        fs::create_dir_all(&folder).could_not(|| format!("create {}", folder.display()))?;
        postgres::prepare(cluster, "tsunagi")?;
        // For tests that start and kill services of their own.
        postgres::prepare(cluster, "spare")?;
        let spare = ["tsunagi_app", postgres::SUPERUSER].map(|role| cluster.url(role, "spare"));
        let settings = Settings {
            program,
            database_url: cluster.url("tsunagi_app", "tsunagi"),
            migration_database_url: cluster.url(postgres::SUPERUSER, "tsunagi"),
            port: service::free_port()?,
            key_file: folder.join("server.key"),
            demo: true,
            fast_database: true,
        };
        settings.migrate()?;
        // Kept after the run: it tells why a browser test failed.
        let serving = settings.serve(&layout::target().join("test-server.log"))?;
        let (password, _) = demo::password();
        demo::first_admin(&settings, &password)?;
        demo::load(&settings.url(), &password)?;
        Ok(Self {
            settings,
            spare,
            password,
            folder,
            _serving: serving,
        })
    }

    /// Tells a program where the server is.
    fn tell<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("TSUNAGI_URL", self.settings.url())
            .env("TSUNAGI_DEMO_PASSWORD", &self.password)
            .env("TSUNAGI_OPENAPI", layout::path("openapi/openapi.json"))
            .env("TSUNAGI_SERVER", &self.settings.program)
            .env("TSUNAGI_SPARE_DATABASE_URL", &self.spare[0])
            .env("TSUNAGI_SPARE_MIGRATION_URL", &self.spare[1])
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self._serving.stop();
        // The key of a server that is gone.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A Python environment in the target folder with exactly what requirements.txt names.
pub fn python(folder: &Path) -> Result<PathBuf> {
    let environment = layout::target().join("python");
    let requirements =
        fs::read(folder.join("requirements.txt")).could_not(|| "read tests/python/requirements.txt".into())?;
    let stamp = environment.join("installed-requirements.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(environment);
    }
    if process::which("python3").is_none() {
        fail!("the program `python3` is missing: install Python 3.11 or newer with its venv module");
    }
    say("Python: installing what tests/python/requirements.txt names");
    process::capture(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(folder.join("requirements.txt"));
    process::capture(&mut pip)?;
    fs::write(&stamp, requirements).could_not(|| format!("write {}", stamp.display()))?;
    Ok(environment)
}

fn in_environment(command: &mut Command, environment: &Path) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(environment.join("bin")).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).could_not(|| "put the Python environment into PATH".into())?;
    command.env("PATH", path).env("VIRTUAL_ENV", environment);
    Ok(())
}

/// What came of a step.
enum Step {
    Done(Option<Counts>),
    /// The name of what does not exist yet.
    NotThere(&'static str),
    /// Needs something that this machine does not have; the line that says so.
    NotRun(&'static str),
}

/// Runs a test runner and reads its counts.
fn watched(command: &mut Command) -> Result<Step> {
    let (success, output) = process::tee(command)?;
    let counts = counts::read(&output);
    match (success, counts) {
        (true, Some(counts)) if counts.failed > 0 => Ok(Step::Done(Some(counts))),
        (true, counts) => Ok(Step::Done(counts)),
        (false, Some(counts)) if counts.failed > 0 => Ok(Step::Done(Some(counts))),
        (false, counts) => {
            // It broke outside of its tests: that is one failure more than it counted.
            let passed = counts.map_or(0, |counts| counts.passed);
            Ok(Step::Done(Some(Counts { passed, failed: 1 })))
        }
    }
}

struct Report {
    name: &'static str,
    result: &'static str,
    counts: Option<Counts>,
    took: Duration,
}

#[derive(Default)]
struct Suite {
    reports: Vec<Report>,
    remarks: Vec<String>,
}

impl Suite {
    /// Runs one step; true when it succeeded. Only an interrupt ends the whole.
    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<Step>) -> Result<bool> {
        process::check_interrupt()?;
        println!();
        say(name);
        let begun = Instant::now();
        let (result, counts) = match work() {
            Ok(Step::Done(counts)) if counts.is_some_and(|counts| counts.failed > 0) => ("FAILED", counts),
            Ok(Step::Done(counts)) => ("ok", counts),
            Ok(Step::NotThere(what)) => {
                self.remarks.push(format!("{name}: NOT THERE YET ({what})"));
                ("NOT THERE YET", None)
            }
            Ok(Step::NotRun(line)) => {
                self.remarks.push(line.to_owned());
                ("NOT RUN", None)
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(why) => {
                eprintln!("error: {why}");
                ("FAILED", Some(Counts { passed: 0, failed: 1 }))
            }
        };
        self.reports.push(Report {
            name,
            result,
            counts,
            took: begun.elapsed(),
        });
        Ok(result == "ok")
    }

    /// A step that is one program.
    fn command(&mut self, name: &'static str, make: impl FnOnce() -> Result<Command>) -> Result<bool> {
        self.step(name, || watched(&mut make()?))
    }

    /// The summary, and the exit status.
    fn close(self) -> Result<()> {
        println!(
            "\n{:<34} {:<14} {:>7} {:>7} {:>9}",
            "step", "result", "passed", "failed", "time"
        );
        let mut all = Counts::default();
        for report in &self.reports {
            let number = |pick: fn(&Counts) -> u64| report.counts.as_ref().map_or("-".into(), |c| pick(c).to_string());
            println!(
                "{:<34} {:<14} {:>7} {:>7} {:>7.1} s",
                report.name,
                report.result,
                number(|counts| counts.passed),
                number(|counts| counts.failed),
                report.took.as_secs_f64()
            );
            all += report.counts.unwrap_or_default();
        }
        let took: Duration = self.reports.iter().map(|report| report.took).sum();
        println!("total {:.0} s", took.as_secs_f64());
        for remark in &self.remarks {
            println!("{remark}");
        }
        println!("{} passed, {} failed", all.passed, all.failed);
        if all.failed > 0 {
            Err(Error::Reported(1))
        } else {
            Ok(())
        }
    }
}
