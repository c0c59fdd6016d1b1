//! Files to import: what they are, and their content as it arrives.

use crate::history::Entity;
use crate::schema::{import_parts, imports};
use crate::sync_log::SyncMode;
use crate::text::{Name, text_enum};
use crate::{Db, ImportId, OrganizationId, Result};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

text_enum! {
    /// Form of a file.
    FileFormat {
        /// One item of a batch a line.
        Ndjson = "ndjson",
        /// Records of one kind: comma or tab, UTF-8 or CP932.
        Csv = "csv",
        /// Records of one kind: the first sheet.
        Xlsx = "xlsx",
    }
}

/// A file to import.
#[derive(Clone, Debug, HasQuery, Identifiable, Serialize, ToSchema)]
#[diesel(table_name = imports)]
pub struct Import {
    pub id: ImportId,
    /// Counts the changes; the ETag.
    pub version: i64,
    /// The organisation whose import it is.
    pub organization_id: OrganizationId,
    /// Who made it.
    pub actor_id: Uuid,
    pub created_at: DateTime<Utc>,
    /// Bytes received; where the next part begins.
    pub size: i64,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: ImportFields,
}

/// What is to be imported, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, Queryable, Selectable)]
#[diesel(table_name = imports, treat_none_as_default_value = false)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "makes_sense"))]
pub struct ImportFields {
    /// Name of the file, for the log.
    #[validate(nested)]
    #[schema(example = "構成員.csv")]
    pub file_name: Name,
    pub format: FileFormat,
    /// Kind of record; of NDJSON each line says it.
    #[serde(default)]
    pub entity: Option<Entity>,
    /// The system whose ids the file has in `external_id`.
    #[serde(default)]
    #[validate(nested)]
    #[schema(example = "kintone")]
    pub source: Option<Name>,
    /// What happens to the others when a row cannot be written.
    #[serde(default = "SyncMode::per_row")]
    pub mode: SyncMode,
    /// The file names every record of this kind and source: what it does not name is proposed for deletion.
    #[serde(default)]
    pub full_list: bool,
}

fn makes_sense(import: &ImportFields) -> std::result::Result<(), ValidationError> {
    match import {
        ImportFields {
            entity: None,
            format: FileFormat::Csv | FileFormat::Xlsx,
            ..
        } => Err(ValidationError::new("imports_entity")),
        ImportFields {
            full_list: true,
            entity,
            source,
            ..
        } if entity.is_none() || source.is_none() => Err(ValidationError::new("imports_full_list")),
        _ => Ok(()),
    }
}

impl Import {
    /// The name of the resource.
    pub const ENTITY: &'static str = "imports";

    pub async fn find(mut db: Db<'_>, id: ImportId) -> Result<Self> {
        Self::query().find(id).first(&mut db).await
    }

    pub async fn create(
        mut db: Db<'_>,
        organization: OrganizationId,
        actor: Uuid,
        fields: ImportFields,
    ) -> Result<Self> {
        diesel::insert_into(imports::table)
            .values((
                imports::id.eq(ImportId::new()),
                imports::organization_id.eq(organization),
                imports::actor_id.eq(actor),
                fields,
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await
    }

    /// Newest first.
    pub async fn list(mut db: Db<'_>, after: Option<ImportId>, limit: i64) -> Result<Vec<Self>> {
        let mut query = Self::query().into_boxed();
        if let Some(after) = after {
            query = query.filter(imports::id.lt(after));
        }
        query.order(imports::id.desc()).limit(limit).load(&mut db).await
    }

    /// Adds a part that begins at `offset`; "not found" when the content does not end there.
    pub async fn append(&self, mut db: Db<'_>, offset: i64, content: &[u8]) -> Result<Self> {
        let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let import = diesel::update(imports::table.find(self.id))
            .filter(imports::size.eq(offset))
            .set((
                imports::size.eq(offset.saturating_add(length)),
                imports::version.eq(imports::version + 1),
            ))
            .returning(Self::as_returning())
            .get_result(&mut db)
            .await?;
        diesel::insert_into(import_parts::table)
            .values((
                import_parts::import_id.eq(self.id),
                import_parts::begins.eq(offset),
                import_parts::content.eq(content),
            ))
            .execute(&mut db)
            .await?;
        Ok(import)
    }

    /// Content from `position` on: at least `wanted` bytes, unless it ends before.
    pub async fn content(&self, mut db: Db<'_>, position: i64, wanted: usize) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        let first: Option<i64> = import_parts::table
            .filter(
                import_parts::import_id
                    .eq(self.id)
                    .and(import_parts::begins.le(position)),
            )
            .select(diesel::dsl::max(import_parts::begins))
            .first(&mut db)
            .await?;
        let mut next = first.unwrap_or(0);
        while content.len() < wanted && next < self.size {
            let part: Vec<u8> = import_parts::table
                .find((self.id, next))
                .select(import_parts::content)
                .first(&mut db)
                .await?;
            let skipped = usize::try_from(position - next).unwrap_or(0);
            content.extend_from_slice(part.get(skipped..).unwrap_or_default());
            next += i64::try_from(part.len()).unwrap_or(i64::MAX);
        }
        Ok(content)
    }
}
