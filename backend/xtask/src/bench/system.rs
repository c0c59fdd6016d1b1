//! What processes cost (from /proc), and pgbench as the reference.

use crate::{
    bench::data::Data,
    error::{Context, Result},
    fail, process,
};
use std::{fs, path::PathBuf, process::Command, time::Duration};

/// CPU time in seconds.
pub struct Usage {
    /// Of the process.
    pub own: f64,
    /// Of its children that have ended.
    pub ended: f64,
}

impl Usage {
    /// What a process has used until now.
    pub fn of(pid: u32) -> Result<Self> {
        let fields = stat(pid)?;
        // After the name: state is field 3; utime, stime, cutime and cstime are 14 to 17.
        let ticks = |number: usize| fields.get(number - 3).and_then(|t| t.parse::<f64>().ok());
        match (ticks(14), ticks(15), ticks(16), ticks(17)) {
            (Some(user), Some(system), Some(child_user), Some(child_system)) => {
                let second = rustix::param::clock_ticks_per_second() as f64;
                Ok(Self {
                    own: (user + system) / second,
                    ended: (child_user + child_system) / second,
                })
            }
            _ => fail!("/proc/{pid}/stat is not understood"),
        }
    }
}

/// The fields after the name, which may hold anything.
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).could_not(|| format!("read /proc/{pid}/stat"))?;
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

/// CPU seconds of the postmaster and all its children, ended ones included.
pub fn postgres_seconds(postmaster: u32) -> Result<f64> {
    loop {
        let parent = Usage::of(postmaster)?;
        let mut sum = parent.own + parent.ended;
        for entry in fs::read_dir("/proc").could_not(|| "read /proc".into())?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            if stat(pid).is_ok_and(|fields| fields.get(1).is_some_and(|p| *p == postmaster.to_string()))
                && let Ok(child) = Usage::of(pid)
            {
                sum += child.own;
            }
        }
        // A child that ended meanwhile was counted twice or not at all.
        if Usage::of(postmaster)?.ended.total_cmp(&parent.ended).is_eq() {
            return Ok(sum);
        }
        process::check_interrupt()?;
    }
}

/// Memory of a process in MiB.
pub fn memory(pid: u32) -> Result<f64> {
    let file = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&file).could_not(|| format!("read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    match line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()) {
        Some(kilobytes) => Ok(kilobytes / 1024.0),
        None => fail!("{file} is not understood"),
    }
}

/// A script for pgbench and who runs it.
#[derive(Clone, Debug)]
pub struct Script {
    /// As pgbench reads it.
    pub text: String,
    /// The database role.
    pub role: &'static str,
}

/// What pgbench said.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Transactions a second.
    pub rate: f64,
    /// CPU time of PostgreSQL for a transaction, in microseconds.
    pub cpu: f64,
}

/// Runs a script.
pub fn pgbench(data: &Data, script: &Script, connections: usize, time: Duration) -> Result<Reference> {
    let file: PathBuf = data.folder().join("script.sql");
    fs::write(&file, &script.text).could_not(|| format!("write {}", file.display()))?;
    let run = if script.text.contains(":run") {
        data.next_run()?
    } else {
        0
    };
    let postmaster = data.postmaster()?;
    let before = postgres_seconds(postmaster)?;
    let mut command = Command::new(data.programs().dir().join("pgbench"));
    command
        .args(["-n", "-M", "prepared", "-j", "2", "-c", &connections.to_string()])
        .args(["-T", &time.as_secs().max(1).to_string()])
        .args(["-D", &format!("organisations={}", data.organisations)])
        .args(["-D", &format!("run={run}"), "-D", "n=0", "-f"])
        .arg(&file)
        .arg(data.url(script.role));
    let said = process::capture(&mut command)?;
    let after = postgres_seconds(postmaster)?;
    let number = |start: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(start))
            .and_then(|rest| rest.split([' ', '/']).next()?.parse::<f64>().ok())
    };
    let failed = number("number of failed transactions: ").unwrap_or(0.0);
    match (number("tps = "), number("number of transactions actually processed: ")) {
        (Some(rate), Some(count)) if count > 0.0 && failed == 0.0 => Ok(Reference {
            rate,
            cpu: (after - before) * 1e6 / count,
        }),
        _ => fail!("pgbench measured nothing: {}", process::last_lines(said.trim(), 12)),
    }
}
