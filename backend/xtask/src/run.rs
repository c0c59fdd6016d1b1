//! `cargo xtask run`: from a fresh clone to a running product, and back.

use crate::{
    db::Db,
    demo,
    error::{Context, Error, Result},
    fail, frontend, layout,
    postgres::{self, Cluster, Programs, Runner},
    process::{self, say},
    service::{self, Profile, Settings},
};
use rustix::process::Signal;
use std::{
    fs::{self, File, TryLockError},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The product's database in its own PostgreSQL.
const DATABASE: &str = "tsunagi";

/// What can be chosen.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The port on 127.0.0.1 (0: any free one)
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The one folder for everything that is written: database, key, logs [default: .data in the clone]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Start without demo data
    #[arg(long)]
    empty: bool,
}

/// Does all set-up, serves until asked to stop, stops everything in order.
pub fn run(options: &Options) -> Result<()> {
    match serve(options) {
        Err(Error::Interrupted) => {
            say("Stopped");
            Ok(())
        }
        other => other,
    }
}

fn serve(options: &Options) -> Result<()> {
    let begun = Instant::now();
    // What can be known to fail is asked before the long work begins.
    let port = if options.port == 0 {
        service::free_port()?
    } else {
        options.port
    };
    let prebuilt = service::prebuilt();
    match &prebuilt {
        Some(program) if !program.is_file() => fail!("TSUNAGI_SERVER is {}, which is no program", program.display()),
        Some(_) => {}
        None => frontend::require_node()?,
    }
    let folder = Folder::open(options.data.as_deref())?;
    service::require_port(port)?;
    let source = Source::find(&folder)?;

    if prebuilt.is_none() {
        say("Frontend dependencies");
        frontend::install(&frontend::folder())?;
        frontend::build()?;
        say("Server: compiling what has changed (the first time takes minutes)");
    }
    let program = service::build(Profile::Release)?;

    let mut database = source.open(&folder)?;
    let stamps = Stamps {
        folder: folder.path.clone(),
    };
    if options.empty && database.is_new() {
        stamps.set(EMPTY)?;
    }
    let loaded = stamps.has(LOADED);
    // A folder begun without demo data holds somebody's own: it stays without.
    let demo_wanted = !options.empty && !stamps.has(EMPTY);
    let settings = Settings {
        program,
        database_url: database.serving_url(),
        migration_database_url: database.migrating_url(),
        port,
        key_file: folder.path.join("server.key"),
        demo: loaded || demo_wanted,
        fast_database: false,
    };
    say("Database: migrating");
    settings.migrate()?;
    say("Server: starting");
    let log = folder.path.join("server.log");
    let mut server = settings.serve(&log)?;
    folder.remember_server(server.id())?;

    let mut new_password = None;
    if !loaded && demo_wanted {
        say("Demo data: loading");
        if database.is_new() {
            stamps.set(LOADING)?;
        }
        let (password, generated) = demo::password();
        demo::first_admin(&settings, &password)?;
        demo::load(&settings.url(), &password)?;
        stamps.set(LOADED)?;
        stamps.clear(LOADING);
        new_password = generated.then_some(password);
    }
    println!("    log of the server: {}", log.display());
    print_accounts(settings.demo, loaded, new_password.as_deref());
    println!();
    println!(
        "Tsunagi is ready at {} (after {:.1} s; Ctrl-C stops it)",
        settings.url(),
        begun.elapsed().as_secs_f64()
    );

    let why = loop {
        if process::interrupted() {
            break None;
        }
        if let Some(why) = server.ended().or_else(|| database.ended()) {
            break Some(why);
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    println!();
    say("Stopping the server");
    server.stop();
    folder.forget_server();
    if matches!(database, Database::Own { .. }) {
        say("Stopping its PostgreSQL");
    }
    drop(database);
    match why {
        Some(why) => fail!("{why}"),
        None => {
            say("Stopped");
            Ok(())
        }
    }
}

fn print_accounts(demo: bool, loaded_before: bool, new_password: Option<&str>) {
    if !demo {
        println!("    no demo data: make the first administrator with `server create-admin` (docs/DEPLOYMENT.md)");
        return;
    }
    for account in demo::ACCOUNTS {
        println!("    {:<40} {}", account.email, account.role);
    }
    match new_password {
        Some(password) => println!("    password of all demo accounts, shown only now: {password}"),
        None if loaded_before => {
            println!("    password of the demo accounts: the one of the first start")
        }
        None => println!("    password of all demo accounts: the one in TSUNAGI_DEMO_PASSWORD"),
    }
}

/// The demo data is complete.
const LOADED: &str = "demo-loaded";
/// The demo data is on its way into a database made for it.
const LOADING: &str = "demo-loading";
/// The database was begun without demo data.
const EMPTY: &str = "without-demo";

/// Small files that say how far a data folder is.
struct Stamps {
    folder: PathBuf,
}

impl Stamps {
    fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    fn set(&self, name: &str) -> Result<()> {
        fs::write(self.folder.join(name), "").could_not(|| format!("write {}", self.folder.join(name).display()))
    }

    fn clear(&self, name: &str) {
        // It may not be there at all.
        let _ = fs::remove_file(self.folder.join(name));
    }
}

/// The data folder, held by us alone.
struct Folder {
    path: PathBuf,
    /// Locked as long as the file is open.
    _lock: File,
}

impl Folder {
    fn open(chosen: Option<&Path>) -> Result<Self> {
        let path = match chosen {
            Some(path) => std::path::absolute(path).could_not(|| format!("find {}", path.display()))?,
            None => default_folder()?,
        };
        say(format!("Data folder: {}", path.display()));
        if !path.exists() {
            let root = rustix::process::geteuid().is_root();
            fs::DirBuilder::new()
                .recursive(true)
                .mode(if root { 0o755 } else { 0o700 })
                .create(&path)
                .could_not(|| format!("create the data folder {}", path.display()))?;
            if root {
                // PostgreSQL runs as another user and has to pass, whatever the umask says.
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                    .could_not(|| format!("open {} for PostgreSQL", path.display()))?;
            }
        }
        let path = fs::canonicalize(&path).could_not(|| format!("use the data folder {}", path.display()))?;
        fs::read_dir(&path).could_not(|| format!("read the data folder {}", path.display()))?;
        let lock =
            File::create(path.join("lock")).could_not(|| format!("write into the data folder {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                fail!(
                    "another `cargo xtask run` is using the data folder {}: stop it, or choose another with --data",
                    path.display()
                )
            }
            Err(TryLockError::Error(cause)) => {
                fail!("could not lock the data folder {}: {cause}", path.display())
            }
        }
        let folder = Self { path, _lock: lock };
        folder.end_left_over_server();
        Ok(folder)
    }

    fn remember_server(&self, pid: u32) -> Result<()> {
        let file = self.path.join("server.pid");
        fs::write(&file, pid.to_string()).could_not(|| format!("write {}", file.display()))
    }

    fn forget_server(&self) {
        // At worst the next start looks for a process that is gone.
        let _ = fs::remove_file(self.path.join("server.pid"));
    }

    /// A run that was killed leaves its server behind, which would keep the port.
    fn end_left_over_server(&self) {
        let file = self.path.join("server.pid");
        let Some(pid) = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()) else {
            return;
        };
        // Only if it really is one: the number may belong to another program by now.
        let is_server = fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words
                .windows(2)
                .any(|pair| pair[0].ends_with(b"server") && pair[1] == b"serve")
        });
        if is_server && process::alive(pid) {
            say("Ending the server of a run that was killed");
            process::signal(pid, Signal::TERM);
            process::wait_gone(pid, Duration::from_secs(10));
        }
        self.forget_server();
    }
}

/// `.data` in the clone; for root, where PostgreSQL's user cannot reach that, a folder of this clone under /var/lib.
fn default_folder() -> Result<PathBuf> {
    let usual = layout::path(".data");
    let runner = Runner::for_data(&usual.join("postgres"))?;
    if std::env::var_os("DATABASE_URL").is_some() || postgres::reachable(runner.as_ref(), &usual) {
        return Ok(usual);
    }
    let clone = layout::root();
    let name = clone.to_string_lossy().trim_matches('/').replace('/', "-");
    Ok(Path::new("/var/lib/tsunagi").join(name))
}

/// Where the database comes from, checked before the long work.
enum Source {
    Theirs(String),
    Own { programs: Programs, runner: Option<Runner> },
}

impl Source {
    fn find(folder: &Folder) -> Result<Self> {
        if let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            say("Database: the PostgreSQL of DATABASE_URL");
            // Our small client speaks no TLS; the server will say itself what is wrong there.
            if !url.contains("sslmode=require")
                && let Err(why) = Db::connect(&url)
            {
                fail!("the PostgreSQL of DATABASE_URL does not let us in: {why}");
            }
            return Ok(Self::Theirs(url));
        }
        let data = folder.path.join("postgres");
        let runner = Runner::for_data(&data)?;
        if let Some(runner) = &runner
            && let Some(barrier) = runner.barred_by(&folder.path)
        {
            fail!(
                "PostgreSQL runs as the user {} here, to whom {} is closed: choose another folder, for example --data /var/lib/tsunagi/data",
                runner.name(),
                barrier.display()
            );
        }
        let programs = Programs::find(&data, &folder.path.join("postgres-programs"), runner.as_ref())?;
        say(format!(
            "Database: our own PostgreSQL {} ({})",
            programs.major(),
            programs.dir().display()
        ));
        Ok(Self::Own { programs, runner })
    }

    fn open(self, folder: &Folder) -> Result<Database> {
        match self {
            Self::Theirs(url) => Ok(Database::Theirs(url)),
            Self::Own { programs, runner } => {
                let log = folder.path.join("postgres.log");
                let cluster = Cluster::open(&programs, &folder.path.join("postgres"), &log, runner.as_ref())?;
                say(if cluster.was_running() {
                    "Database: still running, taken over"
                } else {
                    "Database: started"
                });
                let stamps = Stamps {
                    folder: folder.path.clone(),
                };
                if stamps.has(LOADING) {
                    // Nobody has worked in it yet: it was new, and never announced as ready.
                    say("Demo data: the last start was interrupted while loading; beginning again");
                    postgres::drop_database(&cluster, DATABASE)?;
                    stamps.clear(LOADING);
                }
                let new = postgres::prepare(&cluster, DATABASE)?;
                Ok(Database::Own { cluster, new })
            }
        }
    }
}

enum Database {
    Theirs(String),
    Own { cluster: Cluster, new: bool },
}

impl Database {
    fn is_new(&self) -> bool {
        matches!(self, Self::Own { new: true, .. })
    }

    fn serving_url(&self) -> String {
        match self {
            Self::Theirs(url) => url.clone(),
            Self::Own { cluster, .. } => cluster.url("tsunagi_app", DATABASE),
        }
    }

    fn migrating_url(&self) -> String {
        match self {
            Self::Theirs(url) => std::env::var("MIGRATION_DATABASE_URL").unwrap_or_else(|_| url.clone()),
            Self::Own { cluster, .. } => cluster.url(postgres::SUPERUSER, DATABASE),
        }
    }

    fn ended(&mut self) -> Option<String> {
        match self {
            Self::Theirs(_) => None,
            Self::Own { cluster, .. } => cluster.ended(),
        }
    }
}
