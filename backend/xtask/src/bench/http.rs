//! A load generator: some connections to our own server on the loopback device, each with one request after another.

use crate::{
    bench::system::{self, Usage},
    error::{Context, Error, Result},
    fail, process,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};

/// Before the measurement, so that connections are open and statements prepared.
const WARM_UP: Duration = Duration::from_millis(1500);
/// The longest answer that is still plausible.
const LONGEST: usize = 16 << 20;

/// What to do.
pub struct Load {
    /// On 127.0.0.1.
    pub port: u16,
    /// At the same time.
    pub connections: usize,
    /// How long it is measured.
    pub time: Duration,
    /// The only status that is right.
    pub status: u16,
    /// A shorter body is wrong.
    pub least: usize,
    /// The processes whose work is counted.
    pub server: u32,
    /// Its children are counted too.
    pub postmaster: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Requests a second.
    pub rate: f64,
    /// Half of the answers came within this time, in milliseconds.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// CPU time of the server for a request, in microseconds.
    pub server_cpu: f64,
    /// The same of PostgreSQL.
    pub postgres_cpu: f64,
    /// Memory of the server in MiB.
    pub memory: f64,
}

/// Writes the next request of a connection into the buffer, whole.
pub type Make = Rc<dyn Fn(usize, &mut Vec<u8>)>;

struct Shared {
    load: Load,
    make: Make,
    stop: Cell<bool>,
    measuring: Cell<bool>,
    /// In microseconds.
    latencies: RefCell<Vec<u32>>,
}

/// Runs a load to its end.
pub fn run(load: Load, make: Make) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .could_not(|| "start the load generator".into())?;
    let shared = Rc::new(Shared {
        load,
        make,
        stop: Cell::new(false),
        measuring: Cell::new(false),
        latencies: RefCell::new(Vec::with_capacity(1 << 20)),
    });
    runtime.block_on(LocalSet::new().run_until(drive(shared)))
}

async fn drive(shared: Rc<Shared>) -> Result<Outcome> {
    let connections: Vec<_> = (0..shared.load.connections)
        .map(|number| {
            let shared = Rc::clone(&shared);
            tokio::task::spawn_local(async move {
                let result = connection(number, &shared).await;
                if result.is_err() {
                    // One wrong answer ends the measurement.
                    shared.stop.set(true);
                }
                result
            })
        })
        .collect();
    wait(&shared, WARM_UP).await?;
    let before = usage(&shared.load)?;
    let begun = Instant::now();
    shared.measuring.set(true);
    wait(&shared, shared.load.time).await?;
    shared.measuring.set(false);
    let lasted = begun.elapsed().as_secs_f64();
    let after = usage(&shared.load)?;
    shared.stop.set(true);
    for connection in connections {
        match tokio::time::timeout(Duration::from_secs(10), connection).await {
            Ok(done) => done.could_not(|| "end a connection".into())??,
            Err(_) => fail!("the server did not answer within ten seconds"),
        }
    }
    let mut latencies = shared.latencies.take();
    if latencies.is_empty() {
        fail!("the server answered nothing");
    }
    latencies.sort_unstable();
    let percentile = |p: usize| f64::from(latencies[(latencies.len() - 1) * p / 100]) / 1000.0;
    let count = latencies.len() as f64;
    Ok(Outcome {
        rate: count / lasted,
        p50: percentile(50),
        p99: percentile(99),
        server_cpu: (after.0 - before.0) * 1e6 / count,
        postgres_cpu: (after.1 - before.1) * 1e6 / count,
        memory: system::memory(shared.load.server)?,
    })
}

fn usage(load: &Load) -> Result<(f64, f64)> {
    Ok((
        Usage::of(load.server)?.own,
        system::postgres_seconds(load.postmaster)?,
    ))
}

async fn wait(shared: &Shared, time: Duration) -> Result<()> {
    let deadline = Instant::now() + time;
    while Instant::now() < deadline && !shared.stop.get() {
        process::check_interrupt()?;
        tokio::time::sleep((deadline - Instant::now()).min(Duration::from_millis(100))).await;
    }
    Ok(())
}

async fn connection(number: usize, shared: &Shared) -> Result<()> {
    let load = &shared.load;
    let mut stream = TcpStream::connect(("127.0.0.1", load.port))
        .await
        .could_not(|| "connect to the server".into())?;
    stream.set_nodelay(true).could_not(|| "set up a connection".into())?;
    let mut request = Vec::with_capacity(2048);
    let mut answer = Vec::with_capacity(64 << 10);
    while !shared.stop.get() {
        request.clear();
        (shared.make)(number, &mut request);
        let begun = Instant::now();
        stream
            .write_all(&request)
            .await
            .could_not(|| "send a request".into())?;
        let (status, length) = read(&mut stream, &mut answer).await?;
        let took = begun.elapsed();
        if status != load.status || length < load.least {
            let shown = String::from_utf8_lossy(&answer);
            fail!(
                "a wrong answer ({status}, {length} bytes): {}",
                shown.chars().take(1500).collect::<String>()
            );
        }
        if shared.measuring.get() {
            shared
                .latencies
                .borrow_mut()
                .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
    }
    Ok(())
}

/// Reads one answer; its status and the length of its body.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<(u16, usize)> {
    answer.clear();
    let mut looked_at = 0;
    let head = loop {
        if stream
            .read_buf(answer)
            .await
            .could_not(|| "read an answer".into())?
            == 0
        {
            fail!("the server closed a connection");
        }
        if let Some(end) = answer[looked_at..].windows(4).position(|w| w == b"\r\n\r\n") {
            break looked_at + end + 4;
        }
        looked_at = answer.len().saturating_sub(3);
    };
    let text = std::str::from_utf8(&answer[..head]).could_not(|| "understand an answer".into())?;
    let status = text
        .get(9..12)
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| Error::from("an answer without a status"))?;
    let length: usize = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .filter(|length| *length < LONGEST)
        .ok_or_else(|| Error::from("an answer without a length"))?;
    while answer.len() < head + length {
        if stream
            .read_buf(answer)
            .await
            .could_not(|| "read an answer".into())?
            == 0
        {
            fail!("the server closed a connection");
        }
    }
    if answer.len() > head + length {
        fail!("an answer longer than it says");
    }
    Ok((status, length))
}
