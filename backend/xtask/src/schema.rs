//! Writes `backend/model/src/schema.rs`: what diesel needs to know of the tables, read from a database
//! that has just been migrated.
//!
//! The migrations are run here as plain files and not by the server, because the server does not compile
//! while its schema is out of date.

use crate::{
    db::Db,
    error::{Context, Result},
    fail, layout,
    postgres::{self, Cluster},
    process,
};
use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf, process::Command};

/// The generated file.
pub const FILE: &str = "backend/model/src/schema.rs";
/// The widest table the feature `32-column-tables` of diesel allows.
const WIDEST: usize = 32;

/// Migrates an empty database of `cluster` and returns the text of the schema file.
pub fn generate(cluster: &Cluster) -> Result<String> {
    let database = format!("schema_{:08x}", rand::random::<u32>());
    let admin = cluster.admin("postgres")?;
    postgres::create_roles(&admin)?;
    admin.run(&format!(
        "create database {database} encoding 'UTF8' template template0"
    ))?;
    let text = cluster.admin(&database).and_then(|db| {
        migrate(&db)?;
        print(&db)
    });
    admin.run(&format!("drop database {database} with (force)"))?;
    rustfmt(&text?)
}

/// The migrations in their order.
fn migrations() -> Result<Vec<PathBuf>> {
    let dir = layout::path("backend/model/migrations");
    let entries = fs::read_dir(&dir).could_not(|| format!("read {}", dir.display()))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path().join("up.sql"))
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    Ok(files)
}

fn migrate(db: &Db) -> Result<()> {
    for file in migrations()? {
        process::check_interrupt()?;
        let sql = fs::read_to_string(&file).could_not(|| format!("read {}", file.display()))?;
        if let Err(why) = db.run(&sql) {
            let why = why.to_string();
            fail!("{}{}: {why}", file.display(), line_of(&sql, &why));
        }
    }
    Ok(())
}

/// PostgreSQL counts characters; people count lines.
fn line_of(sql: &str, why: &str) -> String {
    let position = why
        .split_once(" at character ")
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok());
    match position {
        Some(at) => format!(
            ":{}",
            1 + sql.chars().take(at.saturating_sub(1)).filter(|c| *c == '\n').count()
        ),
        None => String::new(),
    }
}

struct Table {
    name: String,
    key: Vec<String>,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    sql_type: String,
    /// Its type is not diesel's own.
    custom: bool,
}

const TABLES: &str = "
    select c.oid, c.relname,
           (select string_agg(a.attname, ',' order by k.ord)
              from pg_index i
              cross join unnest(i.indkey) with ordinality k (attnum, ord)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
             where i.indrelid = c.oid and i.indisprimary)
      from pg_class c
      join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
       and c.relname <> '__diesel_schema_migrations'
       and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by c.relname collate \"C\"";

// A domain travels as its base type, an array names its element.
const COLUMNS: &str = "
    with recursive base (typ, root) as (
        select oid, oid from pg_type where typtype <> 'd'
        union all
        select d.oid, b.root from pg_type d join base b on b.typ = d.typbasetype where d.typtype = 'd'
    )
    select a.attname,
           case when t.typcategory = 'A' and t.typelem <> 0 then e.typname else t.typname end,
           t.typcategory = 'A' and t.typelem <> 0,
           a.attnotnull or bt.typnotnull,
           case when t.typcategory = 'A' and t.typelem <> 0 then en.nspname else tn.nspname end
      from pg_attribute a
      join pg_type bt on bt.oid = a.atttypid
      join base b on b.typ = a.atttypid
      join pg_type t on t.oid = b.root
      join pg_namespace tn on tn.oid = t.typnamespace
      left join base eb on eb.typ = t.typelem
      left join pg_type e on e.oid = eb.root
      left join pg_namespace en on en.oid = e.typnamespace
     where a.attrelid = '{oid}'::oid and a.attnum > 0 and not a.attisdropped
     order by a.attnum";

// Diesel joins along a foreign key of one column that points at the whole primary key of another table.
const REFERENCES: &str = "
    select child.relname, parent.relname, a.attname
      from pg_constraint f
      join pg_class child on child.oid = f.conrelid
      join pg_class parent on parent.oid = f.confrelid
      join pg_namespace n on n.oid = child.relnamespace
      join pg_attribute a on a.attrelid = child.oid and a.attnum = f.conkey[1]
      join pg_index i on i.indrelid = parent.oid and i.indisprimary
     where f.contype = 'f' and f.conparentid = 0 and n.nspname = 'public'
       and not child.relispartition
       and cardinality(f.conkey) = 1 and i.indnkeyatts = 1 and i.indkey[0] = f.confkey[1]
     order by child.relname collate \"C\", parent.relname collate \"C\", a.attname collate \"C\"";

fn print(db: &Db) -> Result<String> {
    let mut custom = BTreeSet::new();
    let mut tables = Vec::new();
    for row in db.rows(TABLES)? {
        let [Some(oid), Some(name), key] = &row[..] else {
            fail!("the list of tables came in an unknown form");
        };
        let Some(key) = key else {
            fail!("the table {name} has no primary key, without which diesel cannot use it");
        };
        let columns = columns(db, oid, &mut custom)?;
        if columns.len() > WIDEST {
            fail!(
                "the table {name} has {} columns; diesel is built for {WIDEST}",
                columns.len()
            );
        }
        tables.push(Table {
            name: name.clone(),
            key: key.split(',').map(str::to_owned).collect(),
            columns,
        });
    }
    let mut out =
        String::from("//! The tables, as the migrations made them. Written by `cargo xtask gen`, never by hand.\n\n");
    if !custom.is_empty() {
        out.push_str("/// Types of PostgreSQL that diesel does not know itself.\npub mod sql_types {\n");
        for name in &custom {
            let _ = write!(
                out,
                "/// The type `{name}`.\n#[derive(diesel::query_builder::QueryId, Clone, diesel::sql_types::SqlType)]\n#[diesel(postgres_type(name = \"{name}\"))]\npub struct {};\n",
                camel(name)
            );
        }
        out.push_str("}\n\n");
    }
    for table in &tables {
        print_table(&mut out, table);
    }
    print_joins(&mut out, &joins(db)?);
    if tables.len() > 1 {
        out.push_str("diesel::allow_tables_to_appear_in_same_query!(");
        for table in &tables {
            let _ = write!(out, "{},", rust_name(&table.name, None));
        }
        out.push_str(");\n");
    }
    Ok(out)
}

fn columns(db: &Db, oid: &str, custom: &mut BTreeSet<String>) -> Result<Vec<Column>> {
    let mut columns = Vec::new();
    for row in db.rows(&COLUMNS.replace("{oid}", oid))? {
        let [Some(name), Some(type_name), Some(array), Some(not_null), Some(schema)] = &row[..] else {
            fail!("the list of columns came in an unknown form");
        };
        let known = known_type(type_name);
        let mut sql_type = match known {
            Some(known) => known.to_owned(),
            None => {
                if schema != "public" && schema != "pg_catalog" {
                    fail!("the column {name} has the type {schema}.{type_name}, which is outside of the schema public");
                }
                custom.insert(type_name.clone());
                camel(type_name)
            }
        };
        if array == "t" {
            // Elements are never null in our tables, so lists are plain `Vec<T>` in Rust.
            sql_type = format!("Array<{sql_type}>");
        }
        if not_null != "t" {
            sql_type = format!("Nullable<{sql_type}>");
        }
        columns.push(Column {
            name: name.clone(),
            sql_type,
            custom: known.is_none(),
        });
    }
    Ok(columns)
}

fn known_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "bool" => "Bool",
        "bpchar" => "Bpchar",
        "bytea" => "Bytea",
        "char" => "CChar",
        "citext" => "Citext",
        "date" => "Date",
        "datemultirange" => "Datemultirange",
        "daterange" => "Daterange",
        "float4" => "Float4",
        "float8" => "Float8",
        "inet" => "Inet",
        "int2" => "Int2",
        "int4" => "Int4",
        "int4range" => "Int4range",
        "int8" => "Int8",
        "int8range" => "Int8range",
        "interval" => "Interval",
        "json" => "Json",
        "jsonb" => "Jsonb",
        "numeric" => "Numeric",
        "numrange" => "Numrange",
        "oid" => "Oid",
        "text" => "Text",
        "time" => "Time",
        "timestamp" => "Timestamp",
        "timestamptz" => "Timestamptz",
        "tsrange" => "Tsrange",
        "tstzrange" => "Tstzrange",
        "uuid" => "Uuid",
        "varchar" => "Varchar",
        _ => return None,
    })
}

fn print_table(out: &mut String, table: &Table) {
    out.push_str("diesel::table! {\n");
    if table.columns.iter().any(|column| column.custom) {
        out.push_str("    use diesel::sql_types::*;\n    use super::sql_types::*;\n\n");
    }
    let name = rust_name(&table.name, None);
    if name != table.name {
        let _ = writeln!(out, "    #[sql_name = \"{}\"]", table.name);
    }
    let key: Vec<String> = table
        .key
        .iter()
        .map(|column| rust_name(column, Some(&table.name)))
        .collect();
    let _ = writeln!(out, "    {name} ({}) {{", key.join(", "));
    for column in &table.columns {
        let rust = rust_name(&column.name, Some(&table.name));
        if rust != column.name {
            let _ = writeln!(out, "        #[sql_name = \"{}\"]", column.name);
        }
        let _ = writeln!(out, "        {rust} -> {},", column.sql_type);
    }
    out.push_str("    }\n}\n\n");
}

/// Pairs of tables with exactly one way to join them; of several, diesel could not choose.
fn joins(db: &Db) -> Result<Vec<[String; 3]>> {
    let mut all = Vec::new();
    for row in db.rows(REFERENCES)? {
        let [Some(child), Some(parent), Some(column)] = &row[..] else {
            fail!("the list of foreign keys came in an unknown form");
        };
        all.push([child.clone(), parent.clone(), column.clone()]);
    }
    let same_pair = |a: &[String; 3], b: &[String; 3]| (a[0] == b[0] && a[1] == b[1]) || (a[0] == b[1] && a[1] == b[0]);
    Ok(all
        .iter()
        .filter(|join| join[0] != join[1] && all.iter().filter(|other| same_pair(join, other)).count() == 1)
        .cloned()
        .collect())
}

fn print_joins(out: &mut String, joins: &[[String; 3]]) {
    for [child, parent, column] in joins {
        let _ = writeln!(
            out,
            "diesel::joinable!({} -> {} ({}));",
            rust_name(child, None),
            rust_name(parent, None),
            rust_name(column, Some(child))
        );
    }
    if !joins.is_empty() {
        out.push('\n');
    }
}

/// Words that cannot name a module in Rust, or that diesel uses itself, get an underscore.
fn rust_name(name: &str, table: Option<&str>) -> String {
    const TAKEN: &[&str] = &[
        "abstract",
        "all_columns",
        "as",
        "async",
        "await",
        "become",
        "box",
        "break",
        "columns",
        "const",
        "continue",
        "crate",
        "do",
        "dsl",
        "dyn",
        "else",
        "enum",
        "extern",
        "false",
        "final",
        "fn",
        "for",
        "gen",
        "if",
        "impl",
        "in",
        "let",
        "loop",
        "macro",
        "match",
        "mod",
        "move",
        "mut",
        "override",
        "priv",
        "pub",
        "ref",
        "return",
        "self",
        "sql_types",
        "star",
        "static",
        "struct",
        "super",
        "table",
        "trait",
        "true",
        "try",
        "type",
        "typeof",
        "unsafe",
        "unsized",
        "use",
        "virtual",
        "where",
        "while",
        "yield",
    ];
    if TAKEN.contains(&name) || table == Some(name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect()
}

fn rustfmt(text: &str) -> Result<String> {
    let file = std::env::temp_dir().join(format!("tsunagi-schema-{:08x}.rs", rand::random::<u32>()));
    fs::write(&file, text).could_not(|| format!("write {}", file.display()))?;
    let mut command = Command::new("rustfmt");
    command
        .args(["--edition", "2024"])
        .arg(&file)
        .current_dir(layout::root());
    let formatted = process::capture(&mut command)
        .and_then(|_| fs::read_to_string(&file).could_not(|| format!("read {}", file.display())));
    // A left-over temporary file harms nobody.
    let _ = fs::remove_file(&file);
    formatted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rust_or_diesel_use_get_an_underscore() {
        assert_eq!(rust_name("type", None), "type_");
        assert_eq!(rust_name("kpis", None), "kpis");
        assert_eq!(rust_name("kpis", Some("kpis")), "kpis_");
    }

    #[test]
    fn a_type_name_becomes_a_struct_name() {
        assert_eq!(camel("tsvector"), "Tsvector");
        assert_eq!(camel("kpi_state"), "KpiState");
    }

    #[test]
    fn an_error_position_becomes_a_line() {
        assert_eq!(line_of("a\nb\nc", "syntax error at character 5"), ":3");
        assert_eq!(line_of("a", "no place"), "");
    }
}
