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

/// Somebody who reads the feed, and whose changes these are, in SQL.
struct Reader {
    token: String,
    streams: String,
}

/// P10: changes a second that systems read from the beginning, and the first load of a prefecture.
pub fn feed(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    bench.refresh()?;
    let first = get(bench.port, "/api/v1/changes?limit=1", Some(&bench.tokens[0]))?;
    if first["items"][0]["record"]["id"].is_null() {
        fail!("GET /api/v1/changes does not answer what the measurement is about: {first}");
    }
    let organisations = bench.data.organisations;
    let towns: Vec<Reader> = (0..STREAMS)
        .map(|account| Reader {
            token: bench.tokens[account].clone(),
            streams: format!("'{}'", id(1, account as u64 % organisations + 1)),
        })
        .collect();
    compare(
        bench,
        lines,
        &format!("feeds of {STREAMS} municipalities, {READERS} at a time"),
        &towns,
    )?;
    bench.refresh()?;
    let prefecture = Reader {
        token: bench.token("prefecture")?,
        streams: "select id from organizations where prefecture_code = '010006' or id = bench.id(23, 1)".into(),
    };
    compare(bench, lines, "first load of a prefecture", &[prefecture])
}

fn compare(bench: &Bench, lines: &mut Vec<Line>, name: &str, readers: &[Reader]) -> Result<()> {
    say(format!("P10 {name}"));
    let (mut ours, mut references, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..bench.rounds {
        let begun = Instant::now();
        let read = by_turns(readers, |reader| read_on(bench, reader))?;
        ours.push(read as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        rows = by_turns(readers, |reader| copy(bench, reader))?;
        references.push(rows as f64 / begun.elapsed().as_secs_f64());
        if read != rows {
            fail!("the feed told {read} changes, COPY {rows}");
        }
    }
    let (mine, reference) = (super::median(ours.into_iter()), super::median(references.into_iter()));
    println!("    ours {mine:.0} changes a second, reference {reference:.0}; {rows} changes");
    lines.push(Line {
        name: format!("P10 {name}"),
        ours: rounded(mine),
        reference: Some(rounded(reference)),
        ratio: Some((mine / reference * 1000.0).round() / 1000.0),
        goal: Some(0.5),
        met: Some(mine / reference >= 0.5),
    });
    Ok(())
}

/// Shares the readers out; the sum of what was read.
fn by_turns(readers: &[Reader], read: impl Fn(&Reader) -> Result<usize> + Sync) -> Result<usize> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..READERS)
            .map(|turn| {
                let read = &read;
                scope.spawn(move || {
                    readers
                        .iter()
                        .skip(turn)
                        .step_by(READERS)
                        .map(read)
                        .sum::<Result<usize>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| fail!("a reader broke")))
            .sum()
    })
}

/// Reads the feed, page after page; the number of changes.
fn read_on(bench: &Bench, reader: &Reader) -> Result<usize> {
    let agent = service::agent(Duration::from_secs(60));
    let (mut after, mut count) = (String::new(), 0);
    loop {
        process::check_interrupt()?;
        let page: Page = agent
            .get(format!(
                "http://127.0.0.1:{}/api/v1/changes?limit={PAGE}{after}",
                bench.port
            ))
            .header("Authorization", format!("Bearer {}", reader.token))
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
fn copy(bench: &Bench, reader: &Reader) -> Result<usize> {
    let rows = format!(
        "select c.stream_id, c.seq, h.row from change_log c join record_history h on h.entity = c.entity and h.record_id = c.record_id \
         and h.version = c.version where c.stream_id in ({}) order by c.stream_id, c.seq",
        reader.streams
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
