//! What the service knows: every table, row and query. Nothing here knows of HTTP.
//!
//! A query takes a [`Db`], which is a shared handle on one connection inside one transaction: queries that do
//! not depend on each other can be awaited together and travel in one pipeline.

mod ids;
mod migrate;
pub mod record;
mod schema;

pub mod account;
pub mod analytics;
pub mod caller;
pub mod client;
pub mod evaluation;
pub mod external_id;
pub mod feed;
pub mod finding;
pub mod goal;
pub mod history;
pub mod idempotency;
pub mod import;
pub mod kpi;
pub mod member;
pub mod municipality;
pub mod municipality_fact;
pub mod organization;
pub mod plan;
pub mod platform;
pub mod project;
pub mod project_cost;
pub mod roadmap;
pub mod sheet;
pub mod sync_log;
pub mod text;
pub mod value;
pub mod webhook;

pub use diesel::result::{DatabaseErrorKind, Error};
pub use ids::*;
pub use migrate::{create_admin, migrate};

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel_async::pooled_connection::deadpool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::FutureExt;

/// A connection in use. Copy it; awaiting several queries together pipelines them.
pub type Db<'a> = &'a AsyncPgConnection;
pub type Result<T> = std::result::Result<T, Error>;
pub type Pool = deadpool::Pool<AsyncPgConnection>;
pub type PoolError = deadpool::PoolError;
pub type Connection = deadpool::Object<AsyncPgConnection>;

/// Connections that can only do what `tsunagi_app` may: whoever the URL names steps down to it.
pub fn pool(url: &str, max_size: usize) -> Pool {
    let mut config = ManagerConfig::default();
    // A connection that was closed is known as such; to ask it first would double the round trips.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(|url| {
        async move {
            let mut connection = AsyncPgConnection::establish(url).await?;
            connection
                .batch_execute(
                    "set role tsunagi_app; set time zone 'UTC'; set statement_timeout = '5s'; set lock_timeout = '2s';
                     set idle_in_transaction_session_timeout = '10s'",
                )
                .await
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Pool::builder(manager)
        .max_size(max_size)
        .wait_timeout(Some(std::time::Duration::from_secs(1)))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()
        .expect("a runtime is set")
}

/// Is the database safe to serve from? An error says in one sentence what is wrong.
pub async fn check(pool: &Pool) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
    #[derive(diesel::QueryableByName)]
    struct Facts {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        japanese_trigrams: bool,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        above_the_law: bool,
        #[diesel(sql_type = diesel::sql_types::Bool)]
        durable: bool,
    }
    let connection = pool.get().await?;
    let mut db: Db<'_> = &connection;
    let facts: Facts = diesel::sql_query(
        "select show_trgm('社会福祉協議会') <> '{}' as japanese_trigrams,
                (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) as above_the_law,
                current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'
                and current_setting('synchronous_commit') <> 'off' as durable",
    )
    .get_result(&mut db)
    .await?;
    if !facts.japanese_trigrams {
        return Err("the database cannot search Japanese (its lc_ctype is C): create it with locale C.UTF-8".into());
    }
    if facts.above_the_law {
        return Err("the service's database role is exempt from row-level security: connect as tsunagi_app".into());
    }
    if !facts.durable && std::env::var_os("TSUNAGI_ALLOW_FAST_DATABASE").is_none() {
        return Err(
            "fsync, full_page_writes or synchronous_commit is off: a crash would lose acknowledged writes".into(),
        );
    }
    Ok(())
}

/// Begin, commit and rollback, as plain statements so that they travel in the same pipeline.
pub async fn statement(mut db: Db<'_>, sql: &'static str) -> Result<()> {
    Statement(sql).execute(&mut db).await.map(|_| ())
}

/// SQL without a result, prepared once a connection (diesel's `sql_query` is prepared anew each time: one more round trip).
struct Statement(&'static str);

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> diesel::QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();
    // Which statement it is, its text says.
    const HAS_STATIC_QUERY_ID: bool = false;
}
