//! `cargo xtask bench`: the measurements of docs/PERFORMANCE.md.
//!
//! The product's own program, with its tokens, rights and row-level security, against pgbench with the same SQL as
//! superuser, on the same data, one after the other several times. Only the ratio of the two is worth comparing.

mod data;
mod exports;
mod http;
mod price;
mod sync;
mod system;

use crate::{
    error::{Context, Result},
    fail,
    postgres::SUPERUSER,
    process::{self, Background, say},
    service::{self, Profile, Serving, Settings},
};
use data::Data;
use http::{Load, Make, Outcome};
use rustix::process::Signal;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    cell::Cell,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};
use system::{Reference, Script, pgbench};

/// What can be measured.
const NAMES: [&str; 11] = ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P9", "P10", "P15", "price"];
/// Accounts of the load; connection n signs in as account n.
const ACCOUNTS: usize = 64;
/// Both directions of scale.
const CONNECTIONS: [usize; 2] = [16, 64];
/// An access token lives ten minutes.
const TOKEN: Duration = Duration::from_secs(300);

/// What can be chosen.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Observations in the database; another number loads anew
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// Seconds of a single measurement
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often ours and the reference take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Only these: P1 to P7, P9, P10, P15, price
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The folder that keeps the database [default: bench in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

/// One line of the result.
#[derive(Serialize, Debug)]
struct Line {
    name: String,
    /// Per second, unless the name says otherwise.
    ours: f64,
    reference: Option<f64>,
    ratio: Option<f64>,
    goal: Option<f64>,
    met: Option<bool>,
}

/// Measures everything, or what was chosen.
pub fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options.only.iter().find(|only| !NAMES.contains(&only.as_str())) {
        fail!("nothing is called {unknown}: choose among {}", NAMES.join(", "));
    }
    let program = service::build(Profile::Release)?;
    let data = Data::open(options.data.as_deref(), options.rows, &program)?;
    say(machine(&data)?);
    let mut lines = Vec::new();
    if options.wants("P15") {
        lines.extend(start(&data, &program)?);
    }
    let mut bench = Bench::start(data, options, &program)?;
    for work in works() {
        if options.wants(work.id) {
            bench.compare(&work, &mut lines)?;
        }
    }
    if options.wants("P5") {
        bench.compare_one_organisation(&mut lines)?;
    }
    if options.wants("P6") {
        exports::csv(&mut bench, &mut lines)?;
    }
    if options.wants("P7") {
        exports::ndjson(&mut bench, &mut lines)?;
    }
    if options.wants("P9") {
        sync::batches(&mut bench, &mut lines)?;
    }
    if options.wants("P10") {
        sync::feed(&mut bench, &mut lines)?;
    }
    if options.wants("price") {
        price::run(&mut bench, &mut lines)?;
    }
    println!();
    table(&lines);
    println!();
    for line in &lines {
        println!("{}", serde_json::to_string(line).could_not(|| "write a result".into())?);
    }
    Ok(())
}

fn table(lines: &[Line]) {
    let number = |n: Option<f64>| n.map_or_else(|| "-".to_owned(), |n| format!("{n:.2}"));
    println!(
        "{:<64} {:>10} {:>10} {:>7} {:>7}  met",
        "measurement", "ours", "reference", "ratio", "goal"
    );
    for line in lines {
        let met = match line.met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        println!(
            "{:<64} {:>10.1} {:>10} {:>7} {:>7}  {met}",
            line.name,
            line.ours,
            line.reference.map_or_else(|| "-".to_owned(), |n| format!("{n:.1}")),
            number(line.ratio),
            number(line.goal)
        );
    }
}

/// The kind of machine, without its name.
fn machine(data: &Data) -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse::<f64>()
                .ok()
        })
        .unwrap_or(0.0);
    let db = data.db()?;
    let version = db.value("show server_version")?.unwrap_or_default();
    let size = db
        .value("select pg_size_pretty(pg_database_size(current_database()))")?
        .unwrap_or_default();
    Ok(format!(
        "Machine: {cores} cores, {:.0} GiB; PostgreSQL {version}, {} municipalities, {size}; it runs PostgreSQL, server and load together",
        memory / 1024.0 / 1024.0,
        data.organisations
    ))
}

/// Something to measure through HTTP and through pgbench.
struct Work {
    id: &'static str,
    name: &'static str,
    /// Ratios at 16 and at 64 connections.
    goals: [f64; 2],
    /// In the OpenAPI document; what it does not have is left out.
    path: &'static str,
    request: Request,
    reference: &'static str,
}

/// How requests are made.
#[derive(Clone, Copy)]
enum Request {
    /// A path with a random record in it, and whether the answer is complete.
    Read(fn(organisations: u64) -> String, fn(&Value) -> bool),
    /// A new observation.
    Write,
}

fn id(kind: u64, number: u64) -> String {
    format!(
        "{:08x}-{:04x}-7{kind:03x}-8000-000000000000",
        number >> 16,
        number & 0xffff
    )
}

fn random(limit: u64) -> u64 {
    rand::random_range(1..=limit)
}

fn works() -> [Work; 5] {
    [
        Work {
            id: "P1",
            name: "P1 KPI read",
            goals: [1.0, 2.0],
            path: "/api/v1/kpis/{kpi_id}",
            request: Request::Read(
                |o| format!("/api/v1/kpis/{}", id(5, random(o * 60) * 5)),
                |answer| length(answer, "observations") == 12 && answer["current"]["value"].is_string(),
            ),
            reference: include_str!("../bench/p1.sql"),
        },
        Work {
            id: "P2",
            name: "P2 project page of 50",
            goals: [0.8, 1.1],
            path: "/api/v1/projects",
            request: Request::Read(
                |o| format!("/api/v1/projects?platform_id={}&limit=50", id(2, random(o * 5))),
                |answer| length(answer, "items") == 50 && answer["next"].is_string(),
            ),
            reference: include_str!("../bench/p2.sql"),
        },
        Work {
            id: "P3",
            name: "P3 platform dashboard",
            goals: [1.5, 1.5],
            path: "/api/v1/kpis",
            request: Request::Read(
                |o| format!("/api/v1/kpis?platform_id={}&limit=200", id(2, random(o * 5))),
                |answer| length(answer, "items") == 60 && answer["items"][59]["current"]["value"].is_string(),
            ),
            reference: include_str!("../bench/p3.sql"),
        },
        Work {
            id: "P4",
            name: "P4 roadmap sheet of a plan",
            goals: [0.8, 0.8],
            path: "/api/v1/plans/{plan_id}/sheet",
            request: Request::Read(
                |o| format!("/api/v1/plans/{}/sheet", id(8, random(o))),
                |answer| answer.to_string().matches("見守り体制の整備と担い手育成研修").count() == 280,
            ),
            reference: include_str!("../bench/p4.sql"),
        },
        Work {
            id: "P5",
            name: "P5 observation write",
            goals: [0.7, 0.7],
            path: "/api/v1/kpi-observations",
            request: Request::Write,
            reference: include_str!("../bench/p5.sql"),
        },
    ]
}

fn length(answer: &Value, field: &str) -> usize {
    answer[field].as_array().map_or(0, Vec::len)
}

/// A running server on loaded data, and accounts that are signed in.
struct Bench {
    server: Serving,
    port: u16,
    data: Data,
    document: Value,
    time: Duration,
    rounds: u64,
    tokens: Vec<String>,
    signed_in: Instant,
}

impl Bench {
    fn start(data: Data, options: &Options, program: &std::path::Path) -> Result<Self> {
        let port = service::free_port()?;
        let settings = data.settings(program, port);
        let server = settings.serve(&data.folder().join("server.log"))?;
        let document = process::capture(Command::new(program).arg("openapi"))?;
        let document = serde_json::from_str(&document).could_not(|| "read the OpenAPI document".into())?;
        let mut bench = Self {
            server,
            port,
            data,
            document,
            time: Duration::from_secs(options.seconds),
            rounds: options.rounds,
            tokens: Vec::new(),
            signed_in: Instant::now(),
        };
        bench.sign_in()?;
        Ok(bench)
    }

    /// Signs all accounts in like people do.
    fn sign_in(&mut self) -> Result<()> {
        self.tokens = (1..=ACCOUNTS)
            .map(|account| self.token(&format!("editor{account}")))
            .collect::<Result<_>>()?;
        self.signed_in = Instant::now();
        Ok(())
    }

    fn token(&self, account: &str) -> Result<String> {
        process::check_interrupt()?;
        let body = json!({ "email": format!("{account}@bench.example.jp"), "password": self.data.password });
        let answer: Value = service::agent(Duration::from_secs(30))
            .post(format!("http://127.0.0.1:{}/api/v1/auth/sign-in", self.port))
            .send_json(&body)
            .and_then(|mut answer| answer.body_mut().read_json())
            .could_not(|| format!("sign {account} in"))?;
        match answer["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => fail!("{account} got no token"),
        }
    }

    /// Ours and the reference by turns, at both numbers of connections.
    fn compare(&mut self, work: &Work, lines: &mut Vec<Line>) -> Result<()> {
        if self.document["paths"].get(work.path).is_none() {
            say(format!("{}: NOT MEASURED, the server has no {}", work.name, work.path));
            return Ok(());
        }
        let script = Script {
            text: work.reference.to_owned(),
            role: SUPERUSER,
        };
        for (connections, goal) in CONNECTIONS.into_iter().zip(work.goals) {
            say(format!("{}, {connections} connections", work.name));
            let mut ours = Vec::new();
            let mut references = Vec::new();
            for _ in 0..self.rounds {
                ours.push(match work.request {
                    Request::Read(path, check) => self.read(connections, path, check)?,
                    Request::Write => self.write(connections, None)?,
                });
                self.settle(work.request)?;
                references.push(pgbench(&self.data, &script, connections, self.time)?);
                self.settle(work.request)?;
            }
            report(&ours, &references);
            lines.push(judge(
                format!("{}, {connections} connections", work.name),
                &ours,
                &references,
                goal,
            ));
        }
        Ok(())
    }

    /// The worst case of the change feed: everybody writes into the stream of one organisation.
    fn compare_one_organisation(&mut self, lines: &mut Vec<Line>) -> Result<()> {
        say("P5 with all writers in one organisation, 16 connections");
        let ours = vec![self.write(16, Some(0))?];
        report(&ours, &[]);
        lines.push(Line {
            name: "P5 with all writers in one organisation, 16 connections".into(),
            ours: rounded(ours[0].rate),
            reference: None,
            ratio: None,
            goal: None,
            met: None,
        });
        Ok(())
    }

    /// After writing: what is left to write is written before the next measurement begins.
    fn settle(&self, request: Request) -> Result<()> {
        match request {
            Request::Read(..) => Ok(()),
            Request::Write => self.data.db()?.run("checkpoint"),
        }
    }

    fn read(&mut self, connections: usize, path: fn(u64) -> String, check: fn(&Value) -> bool) -> Result<Outcome> {
        self.refresh()?;
        let organisations = self.data.organisations;
        let sample = path(organisations);
        let answer = get(self.port, &sample, Some(&self.tokens[0]))?;
        if !check(&answer) {
            fail!("GET {sample} does not answer what the measurement is about: {answer}");
        }
        // Some answers are a little shorter than the sample; an error is much shorter.
        let least = answer.to_string().len() * 8 / 10;
        let paths = (0..20_000).map(|_| path(organisations));
        self.load(connections, 200, least, gets(paths, self.tails(true)))
    }

    /// Writes observations; all of them as `account`, or each connection as its own.
    fn write(&mut self, connections: usize, account: Option<usize>) -> Result<Outcome> {
        self.refresh()?;
        let run = self.data.next_run()?;
        let dates = self.data.days(run)?;
        let organisations = self.data.organisations;
        let written: Vec<Cell<usize>> = (0..ACCOUNTS).map(|_| Cell::new(0)).collect();
        let tails = self.tails(true);
        let make: Make = Rc::new(move |connection, request| {
            let account = account.unwrap_or(connection % ACCOUNTS);
            let organisation = account as u64 % organisations;
            // Accounts of one organisation share its days.
            let counter = &written[organisation as usize % ACCOUNTS];
            let n = counter.get();
            counter.set(n + 1);
            let series = id(5, organisation * 300 + n as u64 % 300 + 1);
            let day = dates.get(n / 300).map_or("", String::as_str);
            let body = format!(
                r#"{{"series_id":"{series}","period_kind":"day","period_start":"{day}","period_end":"{day}","number":"12.5","source":"福祉課の集計"}}"#
            );
            request.extend_from_slice(b"POST /api/v1/kpi-observations HTTP/1.1\r\n");
            // Into memory: this cannot fail.
            let _ = write!(
                request,
                "Content-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: bench-{run}-{organisation}-{n}\r\n",
                body.len()
            );
            request.extend_from_slice(&tails[account]);
            request.extend_from_slice(body.as_bytes());
        });
        self.load(connections, 201, 300, make)
    }

    /// The headers that all requests of an account share.
    fn tails(&self, token: bool) -> Vec<Vec<u8>> {
        let tail = |value: &String| {
            let authorization = if token {
                format!("Authorization: Bearer {value}\r\n")
            } else {
                String::new()
            };
            format!("Host: 127.0.0.1:{}\r\n{authorization}\r\n", self.port).into_bytes()
        };
        self.tokens.iter().map(tail).collect()
    }

    fn refresh(&mut self) -> Result<()> {
        if let Some(why) = self.server.ended() {
            fail!("{why}");
        }
        if self.signed_in.elapsed() > TOKEN {
            self.sign_in()?;
        }
        Ok(())
    }

    fn load(&self, connections: usize, status: u16, least: usize, make: Make) -> Result<Outcome> {
        http::run(
            Load {
                port: self.port,
                connections,
                time: self.time,
                status,
                least,
                server: self.server.id(),
                postmaster: self.data.postmaster()?,
            },
            make,
        )
    }
}

/// Requests for paths, one after another.
fn gets(paths: impl Iterator<Item = String>, tails: Vec<Vec<u8>>) -> Make {
    let lines: Vec<Vec<u8>> = paths
        .map(|path| format!("GET {path} HTTP/1.1\r\n").into_bytes())
        .collect();
    let next = Cell::new(0);
    Rc::new(move |connection, request| {
        request.extend_from_slice(&lines[next.get() % lines.len()]);
        next.set(next.get() + 1);
        request.extend_from_slice(&tails[connection % tails.len()]);
    })
}

/// One ordinary request.
fn get(port: u16, path: &str, token: Option<&str>) -> Result<Value> {
    let agent = service::agent(Duration::from_secs(30));
    let mut request = agent.get(format!("http://127.0.0.1:{port}{path}"));
    if let Some(token) = token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    request
        .call()
        .and_then(|mut answer| answer.body_mut().read_json())
        .could_not(|| format!("get {path}"))
}

fn judge(name: String, ours: &[Outcome], references: &[Reference], goal: f64) -> Line {
    let ratio = median(ours.iter().zip(references).map(|(o, r)| o.rate / r.rate));
    Line {
        name,
        ours: rounded(median(ours.iter().map(|o| o.rate))),
        reference: Some(rounded(median(references.iter().map(|r| r.rate)))),
        ratio: Some((ratio * 1000.0).round() / 1000.0),
        goal: Some(goal),
        met: Some(ratio >= goal),
    }
}

fn report(ours: &[Outcome], references: &[Reference]) {
    let of = |value: fn(&Outcome) -> f64| median(ours.iter().map(value));
    println!(
        "    ours       {:>8.0}/s  p50 {:.2} ms, p99 {:.2} ms; CPU per request: server {:.0} us, PostgreSQL {:.0} us; server's memory {:.0} MiB",
        of(|o| o.rate),
        of(|o| o.p50),
        of(|o| o.p99),
        of(|o| o.server_cpu),
        of(|o| o.postgres_cpu),
        of(|o| o.memory)
    );
    if !references.is_empty() {
        println!(
            "    reference  {:>8.0}/s  CPU per transaction: PostgreSQL {:.0} us",
            median(references.iter().map(|r| r.rate)),
            median(references.iter().map(|r| r.cpu))
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// P15: how long until the server answers, alone and with `cargo xtask run`.
fn start(data: &Data, program: &std::path::Path) -> Result<Vec<Line>> {
    say("P15 start of the server");
    let mut times = Vec::new();
    for _ in 0..7 {
        process::check_interrupt()?;
        let settings = data.settings(program, service::free_port()?);
        times.push(start_once(&settings, data)?);
    }
    let alone = median(times.into_iter());
    println!("    the server alone answers after {alone:.0} ms");
    let mut lines = vec![limit("P15 start of the server, ms", alone, 300.0)];
    say("P15 second start of `cargo xtask run` (the first one sets up)");
    let folder = data.folder().join("run");
    let second = xtask_run(&folder).and_then(|_| xtask_run(&folder));
    match second {
        Ok(ready) => {
            println!("    ready after {ready:.0} ms");
            lines.push(limit("P15 second start of cargo xtask run, ms", ready, 3000.0));
        }
        Err(crate::error::Error::Message(why)) => say(format!("P15 second start: NOT MEASURED: {why}")),
        Err(other) => return Err(other),
    }
    Ok(lines)
}

fn limit(name: &str, ours: f64, goal: f64) -> Line {
    Line {
        name: name.into(),
        ours: rounded(ours),
        reference: None,
        ratio: None,
        goal: Some(goal),
        met: Some(ours < goal),
    }
}

fn start_once(settings: &Settings, data: &Data) -> Result<f64> {
    let begun = Instant::now();
    let mut server = Background::start(
        "the server",
        &mut settings.command("serve"),
        &data.folder().join("server.log"),
    )?;
    while !answers(settings.port) {
        if let Some(why) = server.ended() {
            fail!("{why}");
        }
        if begun.elapsed() > Duration::from_secs(60) {
            fail!("the server did not answer within a minute");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    server.stop(Signal::TERM);
    Ok(took)
}

fn answers(port: u16) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// Starts the product as a person does, and ends it; milliseconds until it said that it is ready.
fn xtask_run(folder: &std::path::Path) -> Result<f64> {
    let myself = std::env::current_exe().could_not(|| "find this program".into())?;
    let begun = Instant::now();
    let mut child = Command::new(myself)
        .args(["run", "--empty", "--port", "0", "--data"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .could_not(|| "start `cargo xtask run`".into())?;
    let said = child.stdout.take();
    let mut ready = None;
    for line in said
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufRead::lines)
        .map_while(std::io::Result::ok)
    {
        if line.starts_with("Tsunagi is ready at ") {
            ready = Some(begun.elapsed().as_secs_f64() * 1000.0);
            process::signal(child.id(), Signal::INT);
        }
    }
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        // What it says is only needed when it failed.
        let _ = stderr.read_to_string(&mut complaint);
    }
    let status = child.wait().could_not(|| "wait for `cargo xtask run`".into())?;
    match ready {
        Some(ready) => Ok(ready),
        None => fail!(
            "`cargo xtask run` ended ({}): {}",
            process::describe(status),
            process::last_lines(complaint.trim(), 3)
        ),
    }
}
