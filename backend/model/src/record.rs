//! What every record can do.

use crate::{Db, OrganizationId, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A record with what can be written of it, whichever kind it is.
pub trait Kept: Sized {
    /// What can be written of it.
    type Fields: Serialize + DeserializeOwned + Validate + ToSchema + Clone;

    /// Corrected by new records, never changed or deleted.
    const APPEND_ONLY: bool;

    /// Is it like that already?
    fn is(&self, fields: &Self::Fields) -> bool;
    /// Creates records, in one statement; they come back in the same order.
    fn create_many(db: Db<'_>, fields: Vec<Self::Fields>) -> impl Future<Output = Result<Vec<Self>>>;
    /// Writes other fields: a new version, or, of what is never changed, a new record that supersedes this one.
    fn replace(&self, db: Db<'_>, fields: Self::Fields) -> impl Future<Output = Result<Self>>;
    /// Deletes it; what is never changed is never deleted either.
    fn remove(&self, db: Db<'_>) -> impl Future<Output = Result<()>>;
    /// Keeps others from changing those that the caller may change until the transaction ends, in the order of their ids.
    fn hold_many(db: Db<'_>, ids: &[Uuid]) -> impl Future<Output = Result<()>>;
    /// Those of these records that the caller may see, in no order.
    fn find_many(db: Db<'_>, ids: &[Uuid]) -> impl Future<Output = Result<Vec<Self>>>;
    /// Records of this organisation, in the order in which they were made.
    fn owned_by(
        db: Db<'_>,
        owner: OrganizationId,
        after: Option<Uuid>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Self>>>;
}

/// Find, create, change and delete for a record `$record` of table `$table` whose input is `$fields`.
///
/// `id`, `version`, owner and times are the database's; see `record_attach` in the first migration.
macro_rules! record {
    ($table:ident, $record:ident, $id:ident, $fields:ident, kept $($kept:tt)+) => {
        impl $record {
            /// The table, which is also the name of the record in history and feed.
            pub const ENTITY: &'static str = stringify!($table);

            /// The record, if the caller may see it.
            pub async fn find(mut db: crate::Db<'_>, id: crate::$id) -> crate::Result<Self> {
                Self::query().find(id).first(&mut db).await
            }

            /// Creates a record. Its owner is that of its parent, or the caller's organisation.
            pub async fn create(mut db: crate::Db<'_>, fields: $fields) -> crate::Result<Self> {
                diesel::insert_into(crate::schema::$table::table)
                    .values((crate::schema::$table::id.eq(crate::$id::new()), fields))
                    .returning(Self::as_returning())
                    .get_result(&mut db)
                    .await
            }
        }

        impl crate::record::Kept for $record {
            type Fields = $fields;

            async fn create_many(mut db: crate::Db<'_>, fields: Vec<$fields>) -> crate::Result<Vec<Self>> {
                let rows: Vec<_> = fields
                    .into_iter()
                    .map(|fields| (crate::schema::$table::id.eq(crate::$id::new()), fields))
                    .collect();
                let mut made: Vec<Self> = diesel::insert_into(crate::schema::$table::table)
                    .values(rows)
                    .returning(Self::as_returning())
                    .get_results(&mut db)
                    .await?;
                // Ids ascend in the order in which they were made.
                made.sort_by_key(|record| record.id);
                Ok(made)
            }
            async fn find_many(mut db: crate::Db<'_>, ids: &[uuid::Uuid]) -> crate::Result<Vec<Self>> {
                Self::query()
                    .filter(crate::schema::$table::id.eq_any(ids))
                    .load(&mut db)
                    .await
            }
            async fn owned_by(
                mut db: crate::Db<'_>,
                owner: crate::OrganizationId,
                after: Option<uuid::Uuid>,
                limit: i64,
            ) -> crate::Result<Vec<Self>> {
                Self::query()
                    .filter(crate::schema::$table::owner_org_id.eq(owner))
                    .filter(crate::schema::$table::id.gt(after.unwrap_or_default()))
                    .order(crate::schema::$table::id)
                    .limit(limit)
                    .load(&mut db)
                    .await
            }
            $($kept)+
        }
    };
    ($table:ident, $record:ident, $id:ident, $fields:ident) => {
        crate::record::record! { $table, $record, $id, $fields, kept
            const APPEND_ONLY: bool = true;

            /// Which one it superseded, and why, says nothing about what it is.
            fn is(&self, fields: &$fields) -> bool {
                let mut fields = fields.clone();
                fields.supersedes_id = self.fields.supersedes_id;
                fields.reason.clone_from(&self.fields.reason);
                fields == self.fields
            }
            async fn hold_many(_: crate::Db<'_>, _: &[uuid::Uuid]) -> crate::Result<()> {
                Ok(())
            }
            async fn replace(&self, db: crate::Db<'_>, mut fields: $fields) -> crate::Result<Self> {
                fields.supersedes_id = Some(self.id);
                Self::create(db, fields).await
            }
            async fn remove(&self, _: crate::Db<'_>) -> crate::Result<()> {
                Err(crate::Error::NotFound)
            }
        }
    };
    ($table:ident, $record:ident, $id:ident, $fields:ident, mutable) => {
        crate::record::record! { $table, $record, $id, $fields, kept
            const APPEND_ONLY: bool = false;

            fn is(&self, fields: &$fields) -> bool {
                *fields == self.fields
            }
            async fn hold_many(mut db: crate::Db<'_>, ids: &[uuid::Uuid]) -> crate::Result<()> {
                crate::schema::$table::table
                    .filter(crate::schema::$table::id.eq_any(ids))
                    .order(crate::schema::$table::id)
                    .select(crate::schema::$table::id)
                    .for_no_key_update()
                    .execute(&mut db)
                    .await
                    .map(|_| ())
            }
            async fn replace(&self, db: crate::Db<'_>, fields: $fields) -> crate::Result<Self> {
                self.update(db, fields).await
            }
            async fn remove(&self, db: crate::Db<'_>) -> crate::Result<()> {
                self.delete(db).await
            }
        }

        impl $record {
            /// Writes the fields if they differ, as a new version of what the caller has read; somebody else's newer
            /// version is "not found" here.
            pub async fn update(&self, mut db: crate::Db<'_>, fields: $fields) -> crate::Result<Self> {
                if fields == self.fields {
                    return Ok(self.clone());
                }
                diesel::update(crate::schema::$table::table.find(self.id))
                    .filter(crate::schema::$table::version.eq(self.version))
                    .set(fields)
                    .returning(Self::as_returning())
                    .get_result(&mut db)
                    .await
            }

            /// Deletes the record; history and feed keep its tombstone.
            pub async fn delete(&self, mut db: crate::Db<'_>) -> crate::Result<()> {
                let deleted = diesel::delete(crate::schema::$table::table.find(self.id))
                    .filter(crate::schema::$table::version.eq(self.version))
                    .execute(&mut db)
                    .await?;
                if deleted == 1 {
                    Ok(())
                } else {
                    Err(crate::Error::NotFound)
                }
            }
        }
    };
}
pub(crate) use record;
