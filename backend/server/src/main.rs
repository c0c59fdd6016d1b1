//! `server serve | migrate | openapi | create-admin`

use actix_web::{HttpServer, web::Data};
use clap::{Parser, Subcommand};
use server::access::App;
use server::config::Options;
use std::io::BufRead;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "server", about = "Tsunagi: API, documentation and screens in one program")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve API, documentation and screens.
    Serve(Options),
    /// Bring the database to the newest schema; several instances may start at once.
    Migrate {
        /// A role that may create objects (and, on a fresh cluster, roles).
        #[arg(long, env = "MIGRATION_DATABASE_URL", hide_env_values = true)]
        migration_database_url: Option<String>,
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
    /// Print the OpenAPI document.
    Openapi,
    /// Create the operator's organisation and the first account, which creates all others. The password is one line on
    /// standard input.
    CreateAdmin {
        #[arg(long, env = "MIGRATION_DATABASE_URL", hide_env_values = true)]
        migration_database_url: Option<String>,
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "システム管理者")]
        name: String,
        #[arg(long, default_value = "つなぎ運営")]
        organization: String,
    },
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(options) => serve(options),
        Command::Migrate {
            migration_database_url,
            database_url,
        } => migration_database_url
            .or(database_url)
            .ok_or_else(|| "DATABASE_URL is not set".into())
            .and_then(|url| model::migrate(&url)),
        Command::Openapi => {
            print!("{}", server::document());
            Ok(())
        }
        Command::CreateAdmin {
            migration_database_url,
            database_url,
            email,
            name,
            organization,
        } => migration_database_url
            .or(database_url)
            .ok_or_else(|| "DATABASE_URL is not set".into())
            .and_then(|url| create_admin(&url, &organization, email, &name)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[actix_web::main]
async fn serve(options: Options) -> Outcome {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "info,tracing_actix_web=warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let listener =
        std::net::TcpListener::bind(options.listen).map_err(|e| format!("cannot listen on {}: {e}", options.listen))?;
    let app = Data::new(App::new(options.config()?));
    app.check().await?;
    app.load_keys().await.map_err(|e| {
        let cause = std::error::Error::source(&e).map(ToString::to_string);
        cause.unwrap_or_else(|| e.to_string())
    })?;
    let keys = app.clone();
    actix_web::rt::spawn(async move {
        // Keys of other instances appear here; expired answers of writes and tokens go, and once a day old changes and messages.
        let mut tick = tokio::time::interval(Duration::from_secs(60));
        for minute in 0u64.. {
            tick.tick().await;
            told("signing keys could not be read", keys.load_keys().await);
            told(
                "old answers of writes could not be deleted",
                keys.forget_answers().await,
            );
            told("old tokens could not be forgotten", keys.forget_tokens().await);
            if minute % (24 * 60) == 0 {
                told("old changes could not be forgotten", keys.forget_changes().await);
                told(
                    "old runs of the sync log could not be deleted",
                    keys.forget_runs().await,
                );
                told(
                    "old messages to webhooks could not be deleted",
                    keys.forget_deliveries().await,
                );
            }
        }
    });
    actix_web::rt::spawn(server::webhooks::deliver(app.clone()));
    actix_web::rt::spawn(server::carry_out_imports(app.clone()));
    actix_web::rt::spawn(server::follow_changes(app.clone()));
    HttpServer::new(move || server::app(app.clone()).0)
        .client_request_timeout(Duration::from_secs(5))
        // Longer than clients and balancers keep theirs, so that they are the ones who close.
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(25)
        .listen(listener)?
        .run()
        .await?;
    Ok(())
}

/// Housekeeping that failed is tried again by itself; the log knows.
fn told<T>(what: &str, outcome: server::error::Result<T>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "{what}");
    }
}

fn create_admin(url: &str, organization: &str, email: String, name: &str) -> Outcome {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let hash = server::password::hash_now(password.trim_end_matches(['\r', '\n']), &email)?;
    if model::create_admin(url, organization, email, name, &hash)? {
        Ok(())
    } else {
        Err("there are accounts already: an administrator creates further ones".into())
    }
}
