//! What every record can do.

/// Find, create, change and delete for a record `$record` of table `$table` whose input is `$fields`.
///
/// `id`, `version`, owner and times are the database's; see `record_attach` in the first migration.
macro_rules! record {
    ($table:ident, $record:ident, $id:ident, $fields:ident) => {
        impl $record {
            /// The table, which is also the name of the record in history and feed.
            pub const ENTITY: &'static str = stringify!($table);

            /// The record, if the caller may see it.
            pub async fn find(mut db: crate::Db<'_>, id: crate::$id) -> crate::Result<Self> {
                Self::query().find(id).first(&mut db).await
            }

            /// Those of these records that the caller may see, in no order.
            pub async fn find_many(mut db: crate::Db<'_>, ids: &[uuid::Uuid]) -> crate::Result<Vec<Self>> {
                Self::query()
                    .filter(crate::schema::$table::id.eq_any(ids))
                    .load(&mut db)
                    .await
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
    };
    ($table:ident, $record:ident, $id:ident, $fields:ident, mutable) => {
        crate::record::record!($table, $record, $id, $fields);

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
