//! A small blocking client: SQL text in, text out.

use crate::error::{Error, Result};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// One connection.
pub struct Db {
    runtime: tokio::runtime::Runtime,
    client: Client,
}

impl Db {
    /// Connects, or says why not.
    pub fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| format!("could not start the database client: {cause}"))?;
        let client = runtime
            .block_on(async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            })
            .map_err(explain)?;
        Ok(Self { runtime, client })
    }

    /// Runs statements that return nothing.
    pub fn run(&self, sql: &str) -> Result<()> {
        self.runtime.block_on(self.client.batch_execute(sql)).map_err(explain)
    }

    /// Runs one query and returns its rows as text.
    pub fn rows(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let messages = self.runtime.block_on(self.client.simple_query(sql)).map_err(explain)?;
        Ok(messages
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()),
                _ => None,
            })
            .collect())
    }

    /// The first column of the first row.
    pub fn value(&self, sql: &str) -> Result<Option<String>> {
        Ok(self
            .rows(sql)?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .flatten())
    }
}

/// tokio-postgres says only "db error"; the server's own words are what helps.
fn explain(error: tokio_postgres::Error) -> Error {
    let Some(server) = error.as_db_error() else {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text = format!("{text}: {cause}");
        }
        return Error::Message(text);
    };
    let mut text = format!("{} (SQLSTATE {})", server.message(), server.code().code());
    if let Some(tokio_postgres::error::ErrorPosition::Original(at)) = server.position() {
        text.push_str(&format!(" at character {at}"));
    }
    for more in [server.detail(), server.hint(), server.where_()].into_iter().flatten() {
        text.push_str(&format!("; {more}"));
    }
    Error::Message(text)
}
