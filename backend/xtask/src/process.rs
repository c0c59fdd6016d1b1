//! Starting, watching and ending other programs, and hearing Ctrl-C.

use crate::{
    error::{Context, Error, Result},
    fail,
};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use std::{
    io::{BufRead, BufReader, IsTerminal, Read, Write},
    os::unix::{fs::OpenOptionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How often a wait looks around.
const TICK: Duration = Duration::from_millis(20);

/// From here on SIGINT, SIGTERM and SIGHUP only set a flag, so that every exit tidies up.
pub fn listen_for_signals() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .could_not(|| "listen for signals".into())?;
    let (ready, started) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime.block_on(async {
            let signals = (|| {
                Ok::<_, std::io::Error>((
                    signal(SignalKind::interrupt())?,
                    signal(SignalKind::terminate())?,
                    signal(SignalKind::hangup())?,
                ))
            })();
            let (mut int, mut term, mut hup) = match signals {
                Ok(all) => all,
                Err(cause) => return drop(ready.send(Err(cause))),
            };
            drop(ready.send(Ok(())));
            loop {
                tokio::select! {
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    _ = hup.recv() => {}
                }
                INTERRUPTED.store(true, Ordering::SeqCst);
            }
        });
    });
    started
        .recv()
        .could_not(|| "listen for signals".into())?
        .could_not(|| "listen for signals".into())
}

/// True once somebody asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Ends the function with `Interrupted` once somebody asked to stop.
pub fn check_interrupt() -> Result<()> {
    if interrupted() { Err(Error::Interrupted) } else { Ok(()) }
}

/// Waits a little; false when the time is over.
pub fn pause(deadline: Instant) -> Result<bool> {
    check_interrupt()?;
    thread::sleep(TICK);
    Ok(Instant::now() < deadline)
}

/// Says what is being done.
pub fn say(what: impl AsRef<str>) {
    println!("==> {}", what.as_ref());
}

/// True when the process exists (even if it belongs to somebody else).
pub fn alive(pid: u32) -> bool {
    to_pid(pid).is_some_and(|pid| match test_kill_process(pid) {
        Ok(()) => true,
        Err(errno) => errno == rustix::io::Errno::PERM,
    })
}

/// Sends a signal to one process; that it is gone already is no error.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        // Gone already is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        let _ = kill_process_group(pid, signal);
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

/// Waits until the process is gone.
pub fn wait_gone(pid: u32, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while alive(pid) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(TICK);
    }
    true
}

/// Looks a program up in PATH.
pub fn which(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(program))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The cargo that runs us.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::layout::root());
    // Set for us by `cargo run`; handed on they would make build scripts run again.
    for (name, _) in std::env::vars_os() {
        if let Some(text) = name.to_str()
            && text.starts_with("CARGO_")
            && (text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The command line as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy()));
    words.join(" ")
}

fn start(command: &mut Command) -> Result<Child> {
    // Its own group: Ctrl-C in the terminal reaches us alone, and we end the others in order.
    command.stdin(Stdio::null()).process_group(0);
    command.spawn().map_err(|cause| {
        let program = Path::new(command.get_program()).display();
        if cause.kind() == std::io::ErrorKind::NotFound && !program.to_string().contains('/') {
            Error::Message(format!(
                "the program `{program}` is missing: install it, or add its folder to PATH"
            ))
        } else {
            Error::Message(format!("could not start `{}`: {cause}", shown(command)))
        }
    })
}

fn finish(child: &mut Child) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().could_not(|| "wait for a program".into())? {
            return Ok(status);
        }
        if interrupted() {
            end(child, Signal::TERM, Duration::from_secs(10));
            return Err(Error::Interrupted);
        }
        thread::sleep(TICK);
    }
}

/// Asks a program and its children to end, then insists.
pub fn end(child: &mut Child, politely: Signal, limit: Duration) -> Option<ExitStatus> {
    signal_group(child.id(), politely);
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(TICK),
            _ => break,
        }
    }
    signal_group(child.id(), Signal::KILL);
    child.wait().ok()
}

/// Runs a program whose output goes to the screen; fails when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = finish(&mut start(command)?)?;
    if !status.success() {
        fail!("`{}` failed ({})", shown(command), describe(status));
    }
    Ok(())
}

/// Runs a program silently and returns what it wrote; its complaints become the error.
pub fn capture(command: &mut Command) -> Result<String> {
    let mut child = start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let out = read_all(child.stdout.take());
    let err = read_all(child.stderr.take());
    let status = finish(&mut child)?;
    let out = out.join().unwrap_or_default();
    let err = err.join().unwrap_or_default();
    if !status.success() {
        let said = if err.trim().is_empty() { out.trim() } else { err.trim() };
        fail!(
            "`{}` failed ({}): {}",
            shown(command),
            describe(status),
            last_lines(said, 12)
        );
    }
    Ok(out)
}

fn read_all<R: Read + Send + 'static>(from: Option<R>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            // What was read before an error is still worth showing.
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a program, shows its output and keeps a copy. The bool is its success.
pub fn tee(command: &mut Command) -> Result<(bool, String)> {
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    let mut child = start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let copy = Arc::new(Mutex::new(String::new()));
    let out = show(child.stdout.take(), Arc::clone(&copy), false);
    let err = show(child.stderr.take(), Arc::clone(&copy), true);
    let status = finish(&mut child);
    // A grandchild that holds the pipe open must not hold us: the threads end with their pipes.
    let deadline = Instant::now() + Duration::from_secs(5);
    while !(out.is_finished() && err.is_finished()) && Instant::now() < deadline {
        thread::sleep(TICK);
    }
    let text = copy.lock().map(|text| text.clone()).unwrap_or_default();
    Ok((status?.success(), text))
}

fn show<R: Read + Send + 'static>(
    from: Option<R>,
    copy: Arc<Mutex<String>>,
    to_stderr: bool,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let written = if to_stderr {
                std::io::stderr().write_all(&line)
            } else {
                std::io::stdout().write_all(&line)
            };
            // A closed screen does not stop the work.
            drop(written);
            if let Ok(mut copy) = copy.lock() {
                copy.push_str(&String::from_utf8_lossy(&line));
            }
            line.clear();
        }
    })
}

/// A program that keeps running beside us; ended when dropped.
pub struct Background {
    child: Child,
    name: String,
}

impl Background {
    /// Starts it with its output in a file.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        // Logs are nobody else's business.
        let file = std::fs::OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(log)
            .could_not(|| format!("write {}", log.display()))?;
        let err = file.try_clone().could_not(|| format!("write {}", log.display()))?;
        let child = start(command.stdout(file).stderr(err))?;
        Ok(Self {
            child,
            name: name.to_owned(),
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has ended.
    pub fn ended(&mut self) -> Option<String> {
        self.child
            .try_wait()
            .ok()
            .flatten()
            .map(|status| format!("{} ended ({})", self.name, describe(status)))
    }

    /// Asks it to end and waits.
    pub fn stop(&mut self, politely: Signal) {
        if self.ended().is_none() {
            end(&mut self.child, politely, Duration::from_secs(30));
        }
    }

    /// Ends it with the processes that it has started, without a chance to write anything.
    pub fn kill(&mut self) {
        let children = Command::new("pgrep").args(["-P", &self.id().to_string()]).output();
        let children = children.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        signal(self.id(), Signal::KILL);
        for child in children
            .unwrap_or_default()
            .lines()
            .filter_map(|line| line.parse().ok())
        {
            signal(child, Signal::KILL);
        }
        // Taken note of, so that its number is free again.
        let _ = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop(Signal::TERM);
    }
}

/// "exit status 3", "signal 9".
pub fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "unknown status".into(),
    }
}

/// The end of a long text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
