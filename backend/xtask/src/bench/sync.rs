//! What systems do at night: P9, batches of observations, against COPY into a stage and a merge; P10, reading the change
//! feed from its beginning, against COPY of the same rows.

use super::{ACCOUNTS, Bench, Line, get, id, judge, rounded};
use crate::{
    bench::{
        http::Make,
        system::{Script, pgbench},
    },
    error::{Context, Result},
    fail,
    postgres::SUPERUSER,
    process::{self, say},
    service,
};
use serde_json::{Value, json};
use std::{
    cell::Cell,
    fmt::Write as _,
    fs,
    io::Write as _,
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};

/// Rows of a batch: the most that the service takes.
const ROWS: u64 = 1000;
/// Batches at the same time.
const WRITERS: usize = 4;
/// Those whose feed is read, and how many read at the same time.
const STREAMS: usize = 16;
const READERS: usize = 2;
/// The most that a page of the feed has.
const PAGE: usize = 2000;
/// Batches of a run, by connection: each writes days of its own.
const BATCHES: u64 = 100;

/// P9: rows a second in batches of 1,000 with an outcome for each.
pub fn batches(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    say(format!("P9 observations in batches of {ROWS}, {WRITERS} connections"));
    let script = Script {
        text: merge(bench)?,
        role: SUPERUSER,
    };
    let (mut ours, mut references) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds {
        bench.refresh()?;
        let run = bench.data.next_run()?;
        let mut written = bench.load(WRITERS, 200, 80_000, push(bench, run)?)?;
        let there = bench.data.db()?.value(&format!(
            "select count(*) from kpi_observations where note = 'bulk {run}'"
        ))?;
        let there: f64 = there.and_then(|n| n.parse().ok()).unwrap_or(0.0);
        if there < written.rate * bench.time.as_secs_f64() * ROWS as f64 {
            fail!(
                "{there} rows are there after {:.0} batches a second: some were refused",
                written.rate
            );
        }
        per_row(&mut written.rate, [&mut written.server_cpu, &mut written.postgres_cpu]);
        ours.push(written);
        bench.data.db()?.run("checkpoint")?;
        let mut merged = pgbench(&bench.data, &script, WRITERS, bench.time)?;
        per_row(&mut merged.rate, [&mut merged.cpu]);
        references.push(merged);
        bench.data.db()?.run("checkpoint")?;
    }
    super::report(&ours, &references);
    lines.push(judge("P9 rows in batches".into(), &ours, &references, 0.6));
    Ok(())
}

fn per_row<const N: usize>(rate: &mut f64, cpu: [&mut f64; N]) {
    *rate *= ROWS as f64;
    cpu.into_iter().for_each(|cpu| *cpu /= ROWS as f64);
}

/// Requests with a batch each.
fn push(bench: &Bench, run: u64) -> Result<Make> {
    let dates = bench.data.days(run)?;
    let organisations = bench.data.organisations;
    let done: Vec<Cell<u64>> = (0..ACCOUNTS).map(|_| Cell::new(0)).collect();
    let tails = bench.tails(true);
    Ok(Rc::new(move |connection, request| {
        let organisation = connection as u64 % organisations;
        let batch = done[connection].get();
        done[connection].set(batch + 1);
        let items: Vec<Value> = (0..ROWS)
            .map(|row| {
                let day = &dates[((batch % BATCHES) * ROWS.div_ceil(300) + row / 300) as usize];
                json!({ "entity": "kpi_observations", "record": {
                    "series_id": id(5, organisation * 300 + row % 300 + 1), "period_kind": "day", "period_start": day,
                    "period_end": day, "number": "12.5", "source": "福祉課の集計", "note": format!("bulk {run}"),
                }})
            })
            .collect();
        let body = json!({ "items": items }).to_string();
        // Into memory: this cannot fail.
        let _ = write!(
            request,
            "POST /api/v1/batch HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\nIdempotency-Key: bulk-{run}-{connection}-{batch}\r\n",
            body.len()
        );
        request.extend_from_slice(&tails[connection]);
        request.extend_from_slice(body.as_bytes());
    }))
}

/// The reference: a file of 1,000 rows into a temporary table, from there into the plain copy with a change row each.
fn merge(bench: &Bench) -> Result<String> {
    let file = bench.data.folder().join("bulk.csv");
    let mut rows = String::new();
    for row in 0..ROWS {
        let _ = writeln!(rows, "{row},12.5");
    }
    fs::write(&file, rows).could_not(|| format!("write {}", file.display()))?;
    Ok(include_str!("../../bench/p9.sql").replace("{file}", &file.display().to_string()))
}

/// P10: changes a second that systems read from the beginning.
pub fn feed(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    say(format!(
        "P10 feed of {STREAMS} organisations from its beginning, {READERS} at a time"
    ));
    bench.refresh()?;
    let first = get(bench.port, "/api/v1/changes?limit=1", Some(&bench.tokens[0]))?;
    if first["items"][0]["record"]["id"].is_null() {
        fail!("GET /api/v1/changes does not answer what the measurement is about: {first}");
    }
    let (mut ours, mut references, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..bench.rounds {
        let begun = Instant::now();
        let read = by_turns(|account| read_on(bench, account))?;
        ours.push(read as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        rows = by_turns(|account| copy(bench, account))?;
        references.push(rows as f64 / begun.elapsed().as_secs_f64());
        if read != rows {
            fail!("the feed told {read} changes, COPY {rows}");
        }
    }
    let (mine, reference) = (super::median(ours.into_iter()), super::median(references.into_iter()));
    println!("    ours {mine:.0} changes a second, reference {reference:.0}; {rows} changes");
    lines.push(Line {
        name: "P10 changes read".into(),
        ours: rounded(mine),
        reference: Some(rounded(reference)),
        ratio: Some((mine / reference * 1000.0).round() / 1000.0),
        goal: Some(0.5),
        met: Some(mine / reference >= 0.5),
    });
    Ok(())
}

/// Shares the streams out; the sum of what was read.
fn by_turns(read: impl Fn(usize) -> Result<usize> + Sync) -> Result<usize> {
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|reader| {
                let read = &read;
                scope.spawn(move || (reader..STREAMS).step_by(READERS).map(read).sum::<Result<usize>>())
            })
            .collect();
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or_else(|_| fail!("a reader broke")))
            .sum()
    })
}

/// Reads the feed as one account, page after page; the number of changes.
fn read_on(bench: &Bench, account: usize) -> Result<usize> {
    let agent = service::agent(Duration::from_secs(60));
    let (mut after, mut count) = (String::new(), 0);
    loop {
        process::check_interrupt()?;
        let page: Page = agent
            .get(format!(
                "http://127.0.0.1:{}/api/v1/changes?limit={PAGE}{after}",
                bench.port
            ))
            .header("Authorization", format!("Bearer {}", bench.tokens[account]))
            .call()
            .and_then(|mut answer| answer.body_mut().with_config().limit(64 << 20).read_json())
            .could_not(|| "read changes".into())?;
        // A page is full of records; what is told of one that comes again stands in the ranges.
        if page.more && page.items.len() < PAGE * 9 / 10 {
            fail!("a page of {PAGE} changes has {} records only", page.items.len());
        }
        count += page
            .ranges
            .iter()
            .map(|range| range.last + 1 - range.first)
            .sum::<usize>();
        if !page.more {
            return Ok(count);
        }
        after = format!("&after={}", page.next);
    }
}

#[derive(serde::Deserialize)]
struct Page {
    items: Vec<serde::de::IgnoredAny>,
    ranges: Vec<Range>,
    next: String,
    more: bool,
}

#[derive(serde::Deserialize)]
struct Range {
    first: usize,
    last: usize,
}

/// The same rows by COPY.
fn copy(bench: &Bench, account: usize) -> Result<usize> {
    let stream = id(1, account as u64 % bench.data.organisations + 1);
    let rows = format!(
        "select c.seq, h.row from change_log c join record_history h on h.entity = c.entity and h.record_id = c.record_id \
         and h.version = c.version where c.stream_id = '{stream}' order by c.seq"
    );
    let mut psql = Command::new(bench.data.programs().dir().join("psql"));
    psql.args([
        "-c",
        &format!("\\copy ({rows}) to /dev/null"),
        "-d",
        &bench.data.url(SUPERUSER),
    ]);
    let said = process::capture(&mut psql)?;
    match said.trim().strip_prefix("COPY ").and_then(|n| n.parse().ok()) {
        Some(count) => Ok(count),
        None => fail!("psql said {said}"),
    }
}
