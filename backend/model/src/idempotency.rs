//! Answers of writes, kept in the transaction of their effect.

use crate::schema::idempotency_keys;
use crate::{Db, Result};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

/// The stored answer to a write.
#[derive(Clone, Debug, HasQuery, Insertable)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false)]
pub struct Answer {
    pub actor_id: Uuid,
    pub key: String,
    pub request_hash: Vec<u8>,
    pub status: i16,
    pub headers: serde_json::Value,
    pub body: String,
}

impl Answer {
    /// The answer that `actor` got for `key`, if he asked before.
    pub async fn find(mut db: Db<'_>, actor: Uuid, key: &str) -> Result<Option<Self>> {
        Self::query().find((actor, key)).first(&mut db).await.optional()
    }

    /// Keeps an answer; a twin that runs at the same time waits here and then breaks `idempotency_keys_pkey`.
    pub async fn keep(self, mut db: Db<'_>) -> Result<()> {
        diesel::insert_into(idempotency_keys::table)
            .values(self)
            .execute(&mut db)
            .await
            .map(|_| ())
    }

    /// Deletes what is older than the published 14 days.
    pub async fn prune(mut db: Db<'_>) -> Result<usize> {
        diesel::sql_query("delete from idempotency_keys where created_at < now() - interval '14 days'")
            .execute(&mut db)
            .await
    }
}
