//! What analysts pull: P6 and P7, the whole tidy table as CSV and as lines of JSON, against COPY of the same columns.

use super::{Bench, Line, limit, median, rounded};
use crate::{
    bench::system::memory,
    error::{Context, Result},
    fail,
    postgres::SUPERUSER,
    process::{self, say},
    service,
};
use std::{
    io::Read,
    process::Command,
    time::{Duration, Instant},
};

/// A table that was pulled.
struct Pulled {
    rows: usize,
    bytes: usize,
    seconds: f64,
    /// Milliseconds until it began to come.
    first: f64,
    /// MiB by which the server grew meanwhile.
    growth: f64,
}

pub fn csv(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    let columns = include_str!("../../bench/p6.sql");
    compare(
        bench,
        lines,
        "P6 table as CSV",
        "csv",
        &format!("\\copy ({columns}) to /dev/null csv header"),
        1.4,
    )
}

pub fn ndjson(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    let columns = include_str!("../../bench/p6.sql");
    let copy = format!("\\copy (select row_to_json(t) from ({columns}) t) to /dev/null");
    compare(bench, lines, "P7 table as lines of JSON", "ndjson", &copy, 3.0)
}

fn compare(bench: &mut Bench, lines: &mut Vec<Line>, name: &str, form: &str, copy: &str, goal: f64) -> Result<()> {
    say(name);
    let (mut ours, mut references, mut firsts, mut growths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bench.refresh()?;
        let pulled = pull(bench, form)?;
        let begun = Instant::now();
        let rows = copied(bench, copy)?;
        let header = usize::from(form == "csv");
        if pulled.rows != rows + header {
            fail!("the table has {} lines, COPY {rows} rows", pulled.rows);
        }
        references.push(rows as f64 / begun.elapsed().as_secs_f64());
        println!(
            "    {} rows, {:.0} MB in {:.1} s; begins after {:.0} ms; the server grew by {:.1} MiB",
            rows,
            pulled.bytes as f64 / 1e6,
            pulled.seconds,
            pulled.first,
            pulled.growth
        );
        ours.push(rows as f64 / pulled.seconds);
        firsts.push(pulled.first);
        growths.push(pulled.growth);
    }
    let ratio = median(ours.iter().zip(&references).map(|(o, r)| o / r));
    lines.push(Line {
        name: format!("{name}, rows"),
        ours: rounded(median(ours.into_iter())),
        reference: Some(rounded(median(references.into_iter()))),
        ratio: Some((ratio * 1000.0).round() / 1000.0),
        goal: Some(goal),
        met: Some(ratio >= goal),
    });
    lines.push(limit(
        &format!("{name}, ms to its beginning"),
        median(firsts.into_iter()),
        50.0,
    ));
    lines.push(limit(
        &format!("{name}, MiB that the server grew"),
        median(growths.into_iter()),
        4.0,
    ));
    Ok(())
}

fn pull(bench: &Bench, form: &str) -> Result<Pulled> {
    let server = bench.server.id();
    let before = memory(server)?;
    let begun = Instant::now();
    let mut answer = service::agent(Duration::from_secs(600))
        .get(format!(
            "http://127.0.0.1:{}/api/v1/analytics/observations?format={form}",
            bench.port
        ))
        .header("Authorization", format!("Bearer {}", bench.tokens[0]))
        .call()
        .could_not(|| "pull the table".into())?;
    let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
    let mut piece = vec![0; 1 << 18];
    let mut pulled = Pulled {
        rows: 0,
        bytes: 0,
        seconds: 0.0,
        first: 0.0,
        growth: 0.0,
    };
    let mut looked = begun;
    loop {
        let read = body.read(&mut piece).could_not(|| "pull the table".into())?;
        if read == 0 {
            break;
        }
        if pulled.bytes == 0 {
            pulled.first = begun.elapsed().as_secs_f64() * 1000.0;
        }
        pulled.bytes += read;
        pulled.rows += piece[..read].iter().filter(|byte| **byte == b'\n').count();
        if looked.elapsed() > Duration::from_millis(250) {
            process::check_interrupt()?;
            pulled.growth = pulled.growth.max(memory(server)? - before);
            looked = Instant::now();
        }
    }
    pulled.seconds = begun.elapsed().as_secs_f64();
    Ok(pulled)
}

/// The rows that psql copies.
fn copied(bench: &Bench, copy: &str) -> Result<usize> {
    let mut psql = Command::new(bench.data.programs().dir().join("psql"));
    psql.args(["-c", &copy.replace('\n', " "), "-d", &bench.data.url(SUPERUSER)]);
    let said = process::capture(&mut psql)?;
    match said.trim().strip_prefix("COPY ").and_then(|n| n.parse().ok()) {
        Some(count) => Ok(count),
        None => fail!("psql said {said}"),
    }
}
