//! The database of the measurements: a PostgreSQL of its own in a kept folder, loaded once.

use crate::{
    db::Db,
    error::{Context, Result},
    fail, layout,
    postgres::{self, Cluster, Programs, Runner, SUPERUSER},
    process::{self, say},
    service::Settings,
};
use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Instant,
};

const DATABASE: &str = "bench";
const LOAD: &str = include_str!("../../bench/load.sql");
/// Municipalities of the whole country, with five million observations.
const ORGANISATIONS: u64 = 1741;
const OBSERVATIONS: u64 = 5_000_000;
/// What differs from PostgreSQL's defaults: room for the data, and no checkpoint in the middle of a measurement.
/// Nothing that makes a commit less durable.
const SETTINGS: [(&str, &str); 3] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
];

/// Who signs in; the accounts of the load share the password.
const PASSWORD_LENGTH: usize = 32;

/// A loaded database.
pub struct Data {
    cluster: Cluster,
    folder: PathBuf,
    programs: Programs,
    /// Municipalities in it; everything else is a multiple of it.
    pub organisations: u64,
    /// Of every account.
    pub password: String,
    _lock: File,
}

impl Data {
    /// Opens the folder, and loads what is not there yet: about `rows` observations.
    pub fn open(folder: Option<&Path>, rows: u64, server: &Path) -> Result<Self> {
        let organisations = (rows * ORGANISATIONS).div_ceil(OBSERVATIONS);
        if rows == 0 || organisations > ORGANISATIONS {
            fail!("--rows must lie between 1 and {OBSERVATIONS}");
        }
        let folder = folder_of(folder)?;
        let lock = File::create(folder.join("lock")).could_not(|| format!("write into {}", folder.display()))?;
        if lock.try_lock().is_err() {
            fail!("another `cargo xtask bench` is using {}", folder.display());
        }
        let data = folder.join("postgres");
        let runner = Runner::for_data(&data)?;
        let programs = Programs::find(&data, &folder.join("postgres-programs"), runner.as_ref())?;
        if !programs.dir().join("pgbench").exists() {
            fail!(
                "{} has no pgbench, which the measurements are compared with: install PostgreSQL from the system's packages",
                programs.dir().display()
            );
        }
        let open = || Cluster::open(&programs, &data, &folder.join("postgres.log"), runner.as_ref());
        let mut cluster = open()?;
        if configure(&cluster)? {
            // Stopped before it is opened anew.
            drop(cluster);
            cluster = open()?;
        }
        let mut made = Self {
            cluster,
            folder,
            programs,
            organisations,
            password: String::new(),
            _lock: lock,
        };
        made.ensure_loaded(server)?;
        Ok(made)
    }

    /// The folder that holds everything.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// PostgreSQL's programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// A connection as superuser.
    pub fn db(&self) -> Result<Db> {
        self.cluster.admin(DATABASE)
    }

    /// The address for a role.
    pub fn url(&self, role: &str) -> String {
        self.cluster.url(role, DATABASE)
    }

    /// How the product's server is told of it.
    pub fn settings(&self, program: &Path, port: u16) -> Settings {
        Settings {
            program: program.to_owned(),
            database_url: self.url("tsunagi_app"),
            migration_database_url: self.url(SUPERUSER),
            port,
            key_file: self.folder.join("server.key"),
            demo: false,
            fast_database: false,
        }
    }

    /// The process id of the postmaster.
    pub fn postmaster(&self) -> Result<u32> {
        let file = self.folder.join("postgres/postmaster.pid");
        let text = fs::read_to_string(&file).could_not(|| format!("read {}", file.display()))?;
        match text.lines().next().and_then(|line| line.trim().parse().ok()) {
            Some(pid) => Ok(pid),
            None => fail!("{} names no process", file.display()),
        }
    }

    /// A number for a run that writes.
    pub fn next_run(&self) -> Result<u64> {
        let number = self.db()?.value("select nextval('bench.runs')")?;
        number
            .and_then(|n| n.parse().ok())
            .ok_or_else(|| "the database gave no number".into())
    }

    /// The 400 days that a run writes, which no other run does.
    pub fn days(&self, run: u64) -> Result<Vec<String>> {
        let days = format!("select (date '2030-01-01' + {run} * 400 + g)::text from generate_series(0, 399) g");
        Ok(self.db()?.rows(&days)?.into_iter().flatten().flatten().collect())
    }

    fn ensure_loaded(&mut self, server: &Path) -> Result<()> {
        let wanted = self.fingerprint()?;
        postgres::prepare(&self.cluster, DATABASE)?;
        if let Some(password) = self.stamped(wanted)? {
            self.password = password;
            // A measurement that was cut short may have left some asleep.
            self.db()?.run(
                "alter table kpi_observations enable trigger all; alter table record_history enable trigger all",
            )?;
            return self.warm();
        }
        say(format!(
            "Data: loading {} municipalities (the first time takes minutes; it stays in {})",
            self.organisations,
            self.folder.display()
        ));
        let begun = Instant::now();
        postgres::drop_database(&self.cluster, DATABASE)?;
        postgres::prepare(&self.cluster, DATABASE)?;
        let settings = self.settings(server, 0);
        settings.migrate()?;
        self.password = rand::random_iter::<char>()
            .filter(char::is_ascii_alphanumeric)
            .take(PASSWORD_LENGTH)
            .collect();
        settings.create_admin("admin@bench.example.jp", &self.password, "計測")?;
        let db = self.db()?;
        let load = LOAD.replace("{organisations}", &self.organisations.to_string());
        for step in load.split("\n-- step: ").skip(1) {
            process::check_interrupt()?;
            let (name, sql) = step.split_once('\n').unwrap_or((step, ""));
            let begun = Instant::now();
            db.run(sql)?;
            println!("    {name}: {:.1} s", begun.elapsed().as_secs_f64());
        }
        db.run("vacuum (analyze)")?;
        db.run("checkpoint")?;
        db.run(&format!(
            "create table bench.stamp as select '{wanted}' as fingerprint, '{}' as password, {} as load_seconds",
            self.password,
            begun.elapsed().as_secs()
        ))?;
        println!("    all of it: {:.0} s", begun.elapsed().as_secs_f64());
        self.warm()
    }

    /// The password, when what is wanted is what is there.
    fn stamped(&self, wanted: u64) -> Result<Option<String>> {
        let db = self.db()?;
        if db.value("select to_regclass('bench.stamp')")?.is_none() {
            return Ok(None);
        }
        db.value(&format!(
            "select password from bench.stamp where fingerprint = '{wanted}'"
        ))
    }

    /// Changes with everything that decides what is loaded.
    fn fingerprint(&self) -> Result<u64> {
        let mut hasher = DefaultHasher::new();
        (LOAD, self.organisations).hash(&mut hasher);
        let migrations = layout::path("backend/model/migrations");
        let mut files: Vec<PathBuf> = fs::read_dir(&migrations)
            .could_not(|| format!("read {}", migrations.display()))?
            .flatten()
            .map(|entry| entry.path().join("up.sql"))
            .filter(|file| file.exists())
            .collect();
        files.sort();
        for file in files {
            fs::read(&file)
                .could_not(|| format!("read {}", file.display()))?
                .hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    /// Brings what is measured into memory, so that the first measurement is not one of the disk.
    fn warm(&self) -> Result<()> {
        let db = self.db()?;
        if db
            .run("create extension if not exists pg_prewarm schema bench")
            .is_err()
        {
            return Ok(());
        }
        db.run(
            "select bench.pg_prewarm(c.oid) from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i')
             and c.relname ~ '^(kpi|project|platform|plan|goal|roadmap|evaluation|user|session|organization)'",
        )
    }
}

/// True when it must be started anew.
fn configure(cluster: &Cluster) -> Result<bool> {
    let db = cluster.admin("postgres")?;
    let mut changed = false;
    for (name, value) in SETTINGS {
        if db.value(&format!("select current_setting('{name}')"))?.as_deref() != Some(value) {
            db.run(&format!("alter system set {name} = '{value}'"))?;
            changed = true;
        }
    }
    Ok(changed)
}

/// The chosen folder, else one below cargo's target folder, else (for root, where PostgreSQL's user cannot reach that)
/// one below /var/lib.
fn folder_of(chosen: Option<&Path>) -> Result<PathBuf> {
    let folder = match chosen {
        Some(folder) => std::path::absolute(folder).could_not(|| format!("find {}", folder.display()))?,
        None => {
            let usual = layout::target().join("bench");
            if postgres::reachable(Runner::choose()?.as_ref(), &layout::target()) {
                usual
            } else {
                PathBuf::from("/var/lib/tsunagi/bench")
            }
        }
    };
    fs::create_dir_all(&folder).could_not(|| format!("create {}", folder.display()))?;
    if rustix::process::geteuid().is_root() {
        // PostgreSQL runs as another user and has to pass, whatever the umask says.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
            .could_not(|| format!("open {} for PostgreSQL", folder.display()))?;
    }
    Ok(folder)
}
