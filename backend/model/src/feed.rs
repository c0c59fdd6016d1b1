//! The change feed: what changed in the streams that a caller follows, in the order of the commits.

use crate::history::Entity;
use crate::schema::change_stream;
use crate::{Db, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The changes of one organisation's records, and where they stand.
#[derive(Clone, Debug, QueryableByName)]
pub struct Stream {
    /// The organisation.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub stream_id: OrganizationId,
    /// Changes when the caller may know more or less of the stream than before.
    #[diesel(sql_type = Text)]
    pub scope: String,
    #[diesel(sql_type = BigInt)]
    pub last_seq: i64,
    /// What is older is not kept any more.
    #[diesel(sql_type = BigInt)]
    pub floor_seq: i64,
    /// Another one after the database was restored or failed over: what was read before may not be there.
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub epoch: Uuid,
}

/// One change, without the record.
#[derive(Clone, Debug, QueryableByName)]
pub struct Change {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub stream_id: OrganizationId,
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Text)]
    pub entity: String,
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub record_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub version: i64,
    /// I, U, D or V.
    #[diesel(sql_type = Text)]
    pub op: String,
    /// Of a deletion: others than the owner may have seen the record.
    #[diesel(sql_type = Bool)]
    pub open: bool,
    #[diesel(sql_type = Nullable<diesel::sql_types::Uuid>)]
    pub actor_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Why it was deleted.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
}

/// What there is of one kind in one stream, for the caller.
#[derive(Clone, Debug, QueryableByName, Serialize, ToSchema)]
pub struct Count {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    pub organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    #[schema(value_type = Entity)]
    pub entity: String,
    /// Records.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 12)]
    pub count: i64,
    /// XOR of the first eight bytes of SHA-256(`id:version`) of each record, as 16 hexadecimal digits.
    #[diesel(sql_type = Text)]
    #[schema(example = "9f86d081884c7d65")]
    pub checksum: String,
}

/// The streams the caller follows, by organisation.
pub async fn streams(mut db: Db<'_>) -> Result<Vec<Stream>> {
    diesel::sql_query("select * from feed_streams()").load(&mut db).await
}

/// How far all streams have come.
pub async fn heads(mut db: Db<'_>) -> Result<Vec<(OrganizationId, i64)>> {
    let heads = change_stream::table.select((change_stream::stream_id, change_stream::last_seq));
    heads.load(&mut db).await
}

/// The next changes of `entities`, stream by stream, after these numbers.
pub async fn changes(
    mut db: Db<'_>,
    after: &[(OrganizationId, i64)],
    entities: &[&str],
    limit: i32,
) -> Result<Vec<Change>> {
    let (streams, numbers): (Vec<Uuid>, Vec<i64>) = after.iter().map(|(stream, seq)| (stream.0, *seq)).unzip();
    diesel::sql_query("select * from feed_changes($1, $2, $3, $4)")
        .bind::<Array<diesel::sql_types::Uuid>, _>(streams)
        .bind::<Array<BigInt>, _>(numbers)
        .bind::<Array<Text>, _>(entities)
        .bind::<Integer, _>(limit)
        .load(&mut db)
        .await
}

/// How far these streams had come before a moment.
pub async fn before(mut db: Db<'_>, streams: &[Uuid], at: DateTime<Utc>) -> Result<Vec<(OrganizationId, i64)>> {
    #[derive(QueryableByName)]
    struct Place {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        stream_id: OrganizationId,
        #[diesel(sql_type = BigInt)]
        seq: i64,
    }
    let places: Vec<Place> = diesel::sql_query("select * from feed_before($1, $2)")
        .bind::<Array<diesel::sql_types::Uuid>, _>(streams)
        .bind::<Timestamptz, _>(at)
        .load(&mut db)
        .await?;
    Ok(places.into_iter().map(|p| (p.stream_id, p.seq)).collect())
}

/// Counts and checksums of one kind in these streams.
pub async fn counts(mut db: Db<'_>, entity: Entity, streams: &[Uuid]) -> Result<Vec<Count>> {
    // The name of a table cannot be bound; this one comes from the enumeration.
    diesel::sql_query(format!(
        "select owner_org_id as organization_id, '{0}' as entity, count(*) as count,
           encode(int8send(bit_xor(('x' || left(encode(sha256((id || ':' || version)::bytea), 'hex'), 16))::bit(64)::bigint)), 'hex') as checksum
         from {0} where owner_org_id = any($1) group by 1 order by 1",
        entity.as_str()
    ))
    .bind::<Array<diesel::sql_types::Uuid>, _>(streams)
    .load(&mut db)
    .await
}

/// Forgets changes older than the promised 400 days whose records have newer ones; how many.
pub async fn forget(mut db: Db<'_>) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Forgotten {
        #[diesel(sql_type = BigInt)]
        changes: i64,
    }
    let forgotten: Forgotten = diesel::sql_query("select feed_forget('400 days') as changes")
        .get_result(&mut db)
        .await?;
    Ok(forgotten.changes)
}
