//! What each part of a request costs: the same work with one part more each time.

use super::{Bench, Line, gets, rounded};
use crate::{
    bench::system::{Script, pgbench},
    error::Result,
    postgres::SUPERUSER,
    process::say,
};

/// The application's role, for which row-level security is forced.
const APP: &str = "tsunagi_app";
/// The rights check of a person's request, as the server sends it.
const APP_BEGIN: &str = "select * from app_begin('user', bench.id(15, :client_id % 64 + 1), bench.id(1, (:client_id % 64) % :organisations + 1), bench.id(17, :client_id % 64 + 1), null, null, null);";
const FIND_KEY: &str = "select * from idempotency_keys where actor_id = bench.id(15, :user) and key = 'price-' || :id::bigint::text;";
const KEEP_KEY: &str = "insert into idempotency_keys (actor_id, key, request_hash, status, headers, body) values (bench.id(15, :user), 'price-' || :id::bigint::text, sha256('x'), 201, '{\"etag\": \"\\\"v1\\\"\", \"location\": \"/api/v1/kpi-observations/00000000-0000-7000-8000-000000000000\"}', repeat('x', 700));";

/// Measures the parts of reading and of writing.
pub fn run(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    token(bench, lines)?;
    read(bench, lines, "P1", include_str!("../../bench/p1.sql"))?;
    read(bench, lines, "P2", include_str!("../../bench/p2.sql"))?;
    read(bench, lines, "P3", include_str!("../../bench/p3_product.sql"))?;
    read(bench, lines, "P4", include_str!("../../bench/p4.sql"))?;
    write(bench, lines)
}

/// Microseconds of CPU with a part and without it.
fn line(lines: &mut Vec<Line>, name: String, with: f64, without: f64) {
    lines.push(Line {
        name: format!("{name}, us of CPU"),
        ours: rounded(with),
        reference: Some(rounded(without)),
        ratio: Some((with / without * 1000.0).round() / 1000.0),
        goal: None,
        met: None,
    });
}

/// A request that is refused before the database, with and without a token.
fn token(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    say("Price of HTTP and token: CPU of the server");
    bench.refresh()?;
    let path = || std::iter::once("/api/v1/kpis?as_of=never".to_owned());
    let health = bench.load(
        16,
        200,
        3,
        gets(std::iter::once("/healthz".to_owned()), bench.tails(false)),
    )?;
    let without = bench.load(16, 400, 50, gets(path(), bench.tails(false)))?;
    let with = bench.load(16, 400, 50, gets(path(), bench.tails(true)))?;
    println!(
        "    /healthz {:.0}/s, {:.0} us of CPU per request",
        health.rate, health.server_cpu
    );
    line(
        lines,
        "price: routing and refusal, over /healthz".into(),
        without.server_cpu,
        health.server_cpu,
    );
    line(
        lines,
        "price: token".into(),
        with.server_cpu,
        without.server_cpu,
    );
    Ok(())
}

/// Puts statements around those of a script, behind its variables; all of it in one pipeline, as the server does.
fn around(script: &str, before: &str, after: &str) -> String {
    let (variables, statements): (Vec<&str>, Vec<&str>) = script.lines().partition(|line| line.starts_with('\\'));
    let mut lines = variables;
    lines.push("\\startpipeline");
    lines.extend(before.lines());
    lines.extend(statements);
    lines.extend(after.lines());
    lines.push("\\endpipeline");
    lines.join("\n") + "\n"
}

fn read(bench: &mut Bench, lines: &mut Vec<Line>, name: &str, sql: &str) -> Result<()> {
    say(format!("Price of reading ({name}): CPU of PostgreSQL, 16 connections, one pipeline a transaction"));
    let rights = format!("begin;\n{APP_BEGIN}");
    let steps = [
        ("the queries alone", around(sql, "", ""), SUPERUSER),
        ("begin and rollback", around(sql, "begin;", "rollback;"), SUPERUSER),
        ("rights (app_begin)", around(sql, &rights, "rollback;"), SUPERUSER),
        ("row-level security", around(sql, &rights, "rollback;"), APP),
    ];
    let mut before: Option<f64> = None;
    for (part, text, role) in steps {
        let measured = pgbench(&bench.data, &Script { text, role }, 16, bench.time)?;
        println!("    {part}: {:.0} us, {:.0}/s", measured.cpu, measured.rate);
        if let Some(before) = before {
            line(lines, format!("price: {name} {part}"), measured.cpu, before);
        }
        before = Some(measured.cpu);
    }
    Ok(())
}

fn write(bench: &mut Bench, lines: &mut Vec<Line>) -> Result<()> {
    say("Price of writing (P5): CPU of PostgreSQL, 16 connections, one statement after another");
    let db = bench.data.db()?;
    let plain = include_str!("../../bench/p5.sql");
    let ours = include_str!("../../bench/p5_product.sql");
    let rights = ours.replace("begin;", &format!("begin;\n{APP_BEGIN}"));
    let keys = rights
        .replace(APP_BEGIN, &format!("{APP_BEGIN}\n{FIND_KEY}"))
        .replace("commit;", &format!("{KEEP_KEY}\ncommit;"));
    let steps: [(&str, &str, &str, &str); 9] = [
        ("plain copy of the table with a change row", "", plain, SUPERUSER),
        (
            "the product's table and its foreign keys, without the change row",
            "alter table kpi_observations disable trigger user; alter table record_history disable trigger change_flush",
            ours,
            SUPERUSER,
        ),
        (
            "stamp (owner, revision, rules)",
            "alter table kpi_observations enable trigger a_stamp_insert",
            ours,
            SUPERUSER,
        ),
        (
            "references seen through the rights",
            "do $$ declare t text; begin
               for t in select tgname from pg_trigger where tgrelid = 'kpi_observations'::regclass and tgname like 'b\\_see\\_%' loop
                 execute format('alter table kpi_observations enable trigger %I', t);
               end loop; end $$",
            ours,
            SUPERUSER,
        ),
        (
            "kept current value",
            "alter table kpi_observations enable trigger k_current",
            ours,
            SUPERUSER,
        ),
        (
            "history",
            "alter table kpi_observations enable trigger all",
            ours,
            SUPERUSER,
        ),
        (
            "change feed",
            "alter table record_history enable trigger all",
            ours,
            SUPERUSER,
        ),
        ("rights and row-level security", "", &rights, APP),
        ("idempotency key", "", &keys, APP),
    ];
    let mut before: Option<f64> = None;
    for (part, preparation, text, role) in steps {
        db.run(preparation)?;
        db.run("checkpoint")?;
        let script = Script {
            text: text.to_owned(),
            role,
        };
        let measured = pgbench(&bench.data, &script, 16, bench.time)?;
        println!("    {part}: {:.0} us, {:.0}/s", measured.cpu, measured.rate);
        if let Some(before) = before {
            line(lines, format!("price: P5 {part}"), measured.cpu, before);
        }
        before = Some(measured.cpu);
    }
    Ok(())
}
