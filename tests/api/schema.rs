//! What holds for every table.

use crate::app::{NANBU, TOTTORI_CITY, TestApp};
use serde_json::json;

/// Facts without an owner, which everybody may read.
const REFERENCE: [&str; 3] = ["municipalities", "record_tree", "__diesel_schema_migrations"];

#[tokio::test]
async fn every_foreign_key_has_an_index() {
    let app = TestApp::new().await;
    let without = app
        .texts(
            "select c.conname::text from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace
             and not exists (select 1 from pg_index i where i.indrelid = c.conrelid
               and (select array_agg(k order by k) from unnest(c.conkey) k)
                 = (select array_agg(k order by k) from unnest((i.indkey::int2[])[0:cardinality(c.conkey) - 1]) k))",
            &[],
        )
        .await;
    assert!(without.is_empty(), "foreign keys without an index: {without:?}");
}

#[tokio::test]
async fn every_table_forces_row_level_security() {
    let app = TestApp::new().await;
    let open = app
        .texts(
            "select relname::text from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
             and not (relrowsecurity and relforcerowsecurity) order by 1",
            &[],
        )
        .await;
    let mut reference = REFERENCE;
    reference.sort_unstable();
    assert_eq!(open, reference);
}

#[tokio::test]
async fn every_record_has_its_history_and_its_view() {
    let app = TestApp::new().await;
    let records = app
        .texts("select table_name::text from information_schema.columns where table_schema = 'public' and column_name = 'owner_org_id' order by 1", &[])
        .await;
    let captured = app
        .texts("select distinct event_object_table::text from information_schema.triggers where trigger_name = 'capture_insert' order by 1", &[])
        .await;
    assert!(records.len() > 20);
    assert_eq!(records, captured);
    let views = app
        .texts(
            "select viewname::text from pg_views v where schemaname = 'as_of' and viewname <> 'kpi_current'
               and not exists (select 1 from pg_views now where now.schemaname = 'public' and now.viewname = v.viewname) order by 1",
            &[],
        )
        .await;
    assert_eq!(records, views);
    // A view shows the columns that its table has now.
    let outdated = app
        .texts(
            "select t.table_name || '.' || t.column_name from information_schema.columns t
             left join information_schema.columns v on v.table_schema = 'as_of' and v.table_name = t.table_name and v.column_name = t.column_name
             where t.table_schema = 'public' and v.column_name is null
               and t.table_name in (select viewname from pg_views where schemaname = 'as_of')",
            &[],
        )
        .await;
    assert!(outdated.is_empty(), "{outdated:?}");
    // The one that looks past row-level security asks for the rights itself: see analytics::everybody_sees_what_is_his_to_see.
    let past_it = app
        .texts("select relnamespace::regnamespace || '.' || relname from pg_class where relkind = 'v' and not coalesce(reloptions @> '{security_invoker=true}', false)
                and relnamespace in ('public'::regnamespace, 'as_of'::regnamespace) order by 1", &[])
        .await;
    assert_eq!(past_it, ["as_of.kpi_values", "public.kpi_values"]);
}

#[tokio::test]
async fn every_constraint_has_a_name_of_its_own_making() {
    let app = TestApp::new().await;
    // The name is the problem code that clients see: PostgreSQL's own numbering must not leak into it.
    let unnamed = app
        .texts("select conname::text from pg_constraint where connamespace = 'public'::regnamespace and conname ~ '(_check|_excl|[0-9])$'", &[])
        .await;
    assert!(unnamed.is_empty(), "{unnamed:?}");
}

#[tokio::test]
async fn functions_that_run_as_the_owner_have_a_fixed_search_path() {
    let app = TestApp::new().await;
    let open = app
        .texts(
            "select proname::text from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
             and not exists (select 1 from unnest(proconfig) c where c like 'search_path=%pg_temp')",
            &[],
        )
        .await;
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn the_service_is_not_above_the_law() {
    let app = TestApp::new().await;
    let sql = app.superuser().await;
    sql.batch_execute("set role tsunagi_app")
        .await
        .expect("the role exists");
    let powers =
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user";
    assert!(!sql.query_one(powers, &[]).await.expect("a role").get::<_, bool>(0));
    let tables = app
        .texts("select relname::text from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and has_table_privilege('tsunagi_app', oid, 'select')", &[])
        .await;
    app.insert("platforms", NANBU, &json!({ "kind": "other", "name": "案" }))
        .await;
    for table in tables.iter().filter(|t| !REFERENCE.contains(&t.as_str())) {
        let query = format!("select 1 from {table}");
        let Err(refused) = sql.query(&query, &[]).await else {
            // Without rows no policy is asked; with rows it must have been.
            let rows = app.texts(&format!("select count(*)::text from {table}"), &[]).await;
            assert_eq!(rows, ["0"], "{table} was read without app_begin");
            continue;
        };
        assert_eq!(refused.code().map(|c| c.code()), Some("TS000"), "{table}: {refused:?}");
    }
    for statement in [
        "update record_history set reason = ''",
        "delete from change_log",
        "insert into change_log (stream_id, seq, entity, record_id, version, op) values (gen_random_uuid(), 1, 'x', gen_random_uuid(), 1, 'I')",
        "update municipalities set name = 'x'",
        "alter table platforms disable row level security",
        "drop table platforms",
        "create table public.mine (id int)",
        "set role tsunagi_owner_of_nothing",
    ] {
        assert!(sql.batch_execute(statement).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn another_organisation_sees_nothing() {
    let app = TestApp::new().await;
    let platform = app
        .insert("platforms", NANBU, &json!({ "kind": "other", "name": "案" }))
        .await;
    app.insert(
        "platform_years",
        NANBU,
        &json!({ "platform_id": platform, "fiscal_year": 2024 }),
    )
    .await;
    app.insert(
        "external_ids",
        NANBU,
        &json!({ "entity": "platforms", "record_id": platform, "source": "x", "external_id": "1" }),
    )
    .await;
    app.foreign_editor().await.get("/me").await.expect(200);
    let session = app.texts("select id::text from sessions", &[]).await.remove(0);
    let city = app.user_id("city").await;
    let sql = app.superuser().await;
    sql.batch_execute("set role tsunagi_app; begin")
        .await
        .expect("the role exists");
    sql.batch_execute(&format!(
        "select app_begin('user', '{city}', '{}', '{session}', null, null, null)",
        TOTTORI_CITY.id
    ))
    .await
    .expect("signed in");
    for table in ["platforms", "platform_years", "external_ids", "clients", "grants"] {
        for name in [format!("public.{table}"), format!("as_of.{table}")] {
            let rows = sql.query(&format!("select 1 from {name}"), &[]).await;
            let rows = rows.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            assert!(rows.is_empty(), "{name}");
        }
    }
    let rows = sql
        .query(
            &format!("select 1 from record_history where record_id = '{platform}'"),
            &[],
        )
        .await
        .expect("SQL");
    assert!(rows.is_empty());
    let rows = sql
        .query(
            &format!("update platforms set name = 'x' where id = '{platform}' returning 1"),
            &[],
        )
        .await;
    assert!(rows.expect("SQL").is_empty());
}

/// Everything that makes up the schema, as text.
const SCHEMA: &str = "
  select 'column ' || concat_ws(' ', c.table_schema, c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, c.generation_expression)
    from information_schema.columns c where c.table_schema in ('public', 'as_of')
  union all select 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
  union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
  union all select 'function ' || pg_get_functiondef(p.oid) from pg_proc p where pronamespace = 'public'::regnamespace
    and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  union all select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all select 'policy ' || concat_ws(' ', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check) from pg_policies
  union all select 'grant ' || concat_ws(' ', relnamespace::regnamespace, relname, relacl) from pg_class where relnamespace in ('public'::regnamespace, (select oid from pg_namespace where nspname = 'as_of'))
    and relkind in ('r', 'v')
  union all select 'namespace ' || nspname || ' ' || coalesce(nspacl::text, '') from pg_namespace where nspname = 'as_of'
  order by 1";

#[tokio::test]
async fn migrations_go_down_and_up_again_to_the_same_schema() {
    let app = TestApp::new().await;
    let before = app.texts(SCHEMA, &[]).await;
    assert!(before.len() > 500);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../backend/model/migrations");
    let mut migrations: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|e| e.expect("an entry").path())
        .collect();
    migrations.sort();
    let read = |path: &std::path::PathBuf, name: &str| std::fs::read_to_string(path.join(name)).expect("a migration");
    for migration in migrations.iter().rev() {
        app.sql(&read(migration, "down.sql")).await;
    }
    let left = app.texts(SCHEMA, &[]).await;
    let left: Vec<_> = left
        .iter()
        .filter(|l| !l.contains("__diesel_schema_migrations"))
        .collect();
    assert!(left.is_empty(), "the way down leaves {left:?}");
    for migration in &migrations {
        app.sql(&read(migration, "up.sql")).await;
    }
    let after = app.texts(SCHEMA, &[]).await;
    let differing: Vec<_> = before
        .iter()
        .filter(|l| !after.contains(l))
        .chain(after.iter().filter(|l| !before.contains(l)))
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
}
