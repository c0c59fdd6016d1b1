//! The environment, read once.

use crate::outbound::{Reach, Reachable};
use crate::webhooks::Settings;
use clap::Args;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

/// How the service runs.
#[derive(Clone)]
pub struct Config {
    pub database_url: String,
    /// Connections of each thread that serves; each is one PostgreSQL backend.
    pub connections: usize,
    /// Issuer of tokens and the one origin of the screens.
    pub public_url: String,
    /// Encrypts signing keys and derives refresh tokens.
    pub key: [u8; 32],
    /// Callers are known by what the proxy in front says, not by their connection.
    pub behind_proxy: bool,
    /// Shown on every screen.
    pub demo: bool,
    pub webhooks: Settings,
    /// Largest file that may be imported, in bytes.
    pub import_limit: u64,
}

/// Options of `server serve`, each also an environment variable.
#[derive(Args)]
pub struct Options {
    /// Where the data is; the role should be tsunagi_app.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,
    /// Address and port to listen on.
    #[arg(long, env = "TSUNAGI_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// Address under which people reach the service; default: http:// and the listening address.
    #[arg(long, env = "TSUNAGI_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// File of 32 random bytes; made when it does not exist.
    #[arg(long, env = "TSUNAGI_KEY_FILE", default_value = "tsunagi.key")]
    pub key_file: PathBuf,
    /// Connections to the database, shared out among the threads that serve (one for each processor).
    #[arg(long, env = "TSUNAGI_CONNECTIONS", default_value_t = 16)]
    pub connections: usize,
    /// A proxy is in front and only it can connect: the last address of X-Forwarded-For is the caller's.
    #[arg(long, env = "TSUNAGI_BEHIND_PROXY", default_value_t = false, value_parser = clap::builder::FalseyValueParser::new())]
    pub behind_proxy: bool,
    /// Demonstration: the screens say so.
    #[arg(long, env = "TSUNAGI_DEMO", default_value_t = false, value_parser = clap::builder::FalseyValueParser::new())]
    pub demo: bool,
    /// Networks where receivers of webhooks may be, separated by commas: `public`, or one like 10.20.0.0/16.
    #[arg(
        long,
        env = "TSUNAGI_WEBHOOK_NETWORKS",
        default_value = "public",
        value_delimiter = ','
    )]
    pub webhook_networks: Vec<Reach>,
    /// Seconds between the attempts to deliver a message to a webhook; after the last one it is given up.
    #[arg(
        long,
        env = "TSUNAGI_WEBHOOK_SCHEDULE",
        value_delimiter = ',',
        default_value = "5,300,1800,7200,18000,36000,50400,72000,86400"
    )]
    pub webhook_schedule: Vec<u32>,
    /// Seconds that a receiver has for its answer.
    #[arg(long, env = "TSUNAGI_WEBHOOK_TIMEOUT", default_value_t = 15, value_parser = clap::value_parser!(u8).range(1..=60))]
    pub webhook_timeout: u8,
    /// Largest file that may be imported, in bytes.
    #[arg(long, env = "TSUNAGI_IMPORT_LIMIT", default_value_t = 200 << 20)]
    pub import_limit: u64,
}

impl Options {
    /// Reads or makes the key file; the error is one sentence.
    pub fn config(&self) -> Result<Config, String> {
        Ok(Config {
            database_url: self.database_url.clone(),
            connections: self
                .connections
                .div_ceil(std::thread::available_parallelism().map_or(1, usize::from)),
            public_url: self
                .public_url
                .clone()
                .unwrap_or_else(|| format!("http://{}", self.listen)),
            key: key(&self.key_file)
                .map_err(|e| format!("the key file {} cannot be used: {e}", self.key_file.display()))?,
            behind_proxy: self.behind_proxy,
            demo: self.demo,
            webhooks: Settings {
                reachable: Reachable(self.webhook_networks.clone()),
                schedule: self
                    .webhook_schedule
                    .iter()
                    .map(|s| Duration::from_secs(u64::from(*s)))
                    .collect(),
                limit: Duration::from_secs(u64::from(self.webhook_timeout)),
            },
            import_limit: self.import_limit,
        })
    }
}

fn key(path: &std::path::Path) -> std::io::Result<[u8; 32]> {
    let mut key = [0; 32];
    match std::fs::File::open(path) {
        Ok(mut file) => file.read_exact(&mut key)?,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            rand::fill(&mut key);
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            options.open(path)?.write_all(&key)?;
        }
        Err(e) => return Err(e),
    }
    Ok(key)
}
