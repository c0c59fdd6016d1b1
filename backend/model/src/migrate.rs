//! Roles, migrations and reference data, one instance at a time.

use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
/// 全国地方公共団体コード: origin and corrections stand in NOTICE.
const MUNICIPALITIES: &str = include_str!("../reference/municipalities.csv");

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Brings the database to the newest schema. Safe to start from several instances at once: the others wait.
///
/// Blocking, with a runtime of its own: diesel's migration harness is synchronous.
pub fn migrate(url: &str) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let _guard = runtime.enter();
    let mut lock = runtime.block_on(AsyncPgConnection::establish(url))?;
    // diesel's harness takes no lock; a session lock of its own connection covers roles, migrations and data.
    runtime.block_on(lock.batch_execute("select pg_advisory_lock(hashtext('tsunagi migrate'))"))?;
    runtime.block_on(prepare_roles(&mut lock))?;
    let mut db = runtime.block_on(AsyncPgConnection::establish(url))?;
    runtime.block_on(
        db.batch_execute("set role tsunagi_owner; set client_min_messages = warning; set lock_timeout = '10s'"),
    )?;
    let mut harness = AsyncMigrationHarness::new(db);
    harness.run_pending_migrations(MIGRATIONS)?;
    let mut db = runtime.block_on(AsyncPgConnection::establish(url))?;
    runtime.block_on(async {
        db.batch_execute("set role tsunagi_owner").await?;
        load_municipalities(&mut db).await
    })
}

/// Creates the operator's organisation and its first account; false where accounts exist.
pub fn create_admin(url: &str, organization: &str, email: String, name: &str, secret_hash: &str) -> Outcome<bool> {
    let email = crate::text::Email(email);
    validator::Validate::validate(&email).map_err(|_| "this is not an e-mail address in lower case")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut db = AsyncPgConnection::establish(url).await?;
        db.batch_execute("set role tsunagi_owner").await?;
        Ok(crate::account::bootstrap(&db, organization, &email, name, secret_hash).await?)
    })
}

/// Creates what a fresh cluster lacks. A cluster whose roles an administrator made needs no such right.
async fn prepare_roles(db: &mut AsyncPgConnection) -> Outcome<()> {
    db.batch_execute(
        "do $$ begin
           if not exists (select 1 from pg_roles where rolname = 'tsunagi_owner') then create role tsunagi_owner nologin; end if;
           if not exists (select 1 from pg_roles where rolname = 'tsunagi_app') then create role tsunagi_app login; end if;
           if not pg_has_role('tsunagi_owner', 'member') then execute format('grant tsunagi_owner to %I', current_user); end if;
           if not has_schema_privilege('tsunagi_owner', 'public', 'create') then grant create, usage on schema public to tsunagi_owner; end if;
           if not has_database_privilege('tsunagi_owner', current_database(), 'create') then
             execute format('grant create on database %I to tsunagi_owner', current_database());
           end if;
         end $$",
    )
    .await
    .map_err(|e| {
        format!("the roles tsunagi_owner and tsunagi_app are missing and cannot be created by this database user: {e}")
    })?;
    Ok(())
}

/// Loads or corrects the municipalities; touches only rows that differ.
async fn load_municipalities(db: &mut AsyncPgConnection) -> Outcome<()> {
    let rows: Vec<serde_json::Value> = MUNICIPALITIES
        .lines()
        .skip(1)
        .map(|line| {
            let f: Vec<&str> = line.split(',').collect();
            serde_json::json!({ "code": f[0], "prefecture": f[1], "prefecture_name": f[2], "name": f[3], "kana": f[4], "kind": f[5],
                "parent_code": if f[6].is_empty() { None } else { Some(f[6]) } })
        })
        .collect();
    diesel::sql_query(
        "insert into municipalities as m (code, prefecture_code, prefecture_name, name, kana, kind, parent_code)
         select r.code, p.code, r.prefecture_name, r.name, r.kana, r.kind, r.parent_code
         from jsonb_to_recordset($1::jsonb) as r(code text, prefecture text, prefecture_name text, name text, kana text, kind text, parent_code text)
         join jsonb_to_recordset($1::jsonb) as p(code text, prefecture text, kind text) on p.prefecture = r.prefecture and p.kind = 'prefecture'
         on conflict (code) do update set prefecture_code = excluded.prefecture_code, prefecture_name = excluded.prefecture_name,
           name = excluded.name, kana = excluded.kana, kind = excluded.kind, parent_code = excluded.parent_code
         where (m.prefecture_code, m.prefecture_name, m.name, m.kana, m.kind, m.parent_code)
           is distinct from (excluded.prefecture_code, excluded.prefecture_name, excluded.name, excluded.kana, excluded.kind, excluded.parent_code)",
    )
    .bind::<Text, _>(serde_json::to_string(&rows)?)
    .execute(db)
    .await?;
    Ok(())
}
