//! Files out: records of one kind, with the columns that an import reads.

use crate::access::{Access, ForKind, Record, SignedIn, Tx, for_kind};
use crate::batch;
use crate::columns::{Column, Columns, NOTES, japanese};
use crate::error::{Error, Result};
use crate::files::{self, Charset};
use crate::http::{Handmade, Query, Table};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get};
use model::external_id::{ExternalId, Filter};
use model::history::Entity;
use model::record::Kept;
use model::sync_log::SyncRow;
use model::text::Name;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use validator::Validate;

/// Records of one file.
const ROWS: i64 = 100_000;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(export_records);
}

/// Form of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableFormat {
    #[default]
    Csv,
    Xlsx,
}

/// Characters of a CSV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TableCharset {
    /// UTF-8 with a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Shift_JIS as Windows has it.
    #[serde(rename = "cp932")]
    Cp932,
}

/// Which file.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// Form of the file; CSV without.
    #[serde(default)]
    #[param(inline)]
    format: TableFormat,
    /// Characters of a CSV file; UTF-8 without. What CP932 does not have is 409 with its places.
    #[serde(default)]
    #[param(inline)]
    charset: TableCharset,
    /// The other system whose ids stand in the column of external ids.
    #[validate(nested)]
    source: Option<Name>,
}

/// Export the records of a kind that the caller's organisation owns, as a file that an import reads again.
///
/// Up to 100,000 records. Columns have Japanese names; an import takes these and the names of the fields. Nested values
/// are JSON, lists of texts one a line. A cell that a spreadsheet would run has an apostrophe in front, which an import
/// takes away.
#[utoipa::path(params(ExportQuery))]
#[get("/exports/{resource}")]
async fn export_records(
    access: Access<SignedIn>,
    request: HttpRequest,
    Query(query): Query<ExportQuery>,
) -> Result<Handmade<Table>> {
    let rows = access
        .read(async |tx| {
            let entity = batch::kind(request.match_info().get("resource").unwrap_or_default())?;
            let columns = for_kind(entity, Columns).await?;
            for_kind(
                entity,
                Rows {
                    tx,
                    entity,
                    columns,
                    source: query.source,
                },
            )
            .await
        })
        .await?;
    file(rows, query.format, query.charset).await.map(Handmade::from)
}

/// The answer with a file.
pub async fn file(rows: Vec<Vec<String>>, format: TableFormat, charset: TableCharset) -> Result<HttpResponse> {
    let (media_type, charset) = match (format, charset) {
        (TableFormat::Xlsx, _) => (Table::XLSX, None),
        (TableFormat::Csv, TableCharset::Utf8) => ("text/csv; charset=utf-8", Some(Charset::Utf8)),
        (TableFormat::Csv, TableCharset::Cp932) => ("text/csv; charset=Shift_JIS", Some(Charset::Cp932)),
    };
    let content = actix_web::web::block(move || match charset {
        Some(charset) => files::csv_file(&rows, charset),
        None => files::xlsx_file(&rows),
    });
    let content = content.await.map_err(Error::internal)??;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .body(content))
}

/// The table of a kind.
struct Rows<'a> {
    tx: &'a Tx<'a, ()>,
    entity: Entity,
    columns: Vec<Column>,
    source: Option<Name>,
}

impl ForKind for Rows<'_> {
    type Out = Vec<Vec<String>>;
    async fn with<R: Record + Kept>(self) -> Result<Vec<Vec<String>>> {
        let db = self.tx.db;
        if !self.tx.may_read(R::ENTITY) {
            return Err(Error::Forbidden);
        }
        let owner = self.tx.caller.organization.ok_or(Error::Unauthenticated)?;
        let records = R::owned_by(db, owner, None, ROWS + 1).await?;
        if i64::try_from(records.len()).unwrap_or(i64::MAX) > ROWS {
            return Err(Error::Conflict("exports_rows".to_owned()));
        }
        let names = match self.source {
            Some(source) => {
                let filter = Filter {
                    entity: Some(self.entity),
                    source: Some(source.0),
                    limit: ROWS,
                    ..Filter::default()
                };
                ExternalId::list(db, filter).await?
            }
            None => Vec::new(),
        };
        let names: HashMap<Uuid, String> = names
            .into_iter()
            .map(|e| (e.fields.record_id, e.fields.external_id.0))
            .collect();
        let mut rows = vec![files::header(&self.columns)];
        for record in records {
            let mut fields = serde_json::to_value(&record).map_err(Error::internal)?;
            let name = names.get(&record.id()).cloned();
            fields["external_id"] = name.map_or(Value::Null, Value::String);
            let Value::Object(fields) = fields else { continue };
            rows.push(self.columns.iter().map(|column| column.of(&fields)).collect());
        }
        Ok(rows)
    }
}

/// Rows of the log as a file that can be corrected and imported: what was sent, and what is wrong with it.
pub async fn log_table(entity: Entity, log: &[SyncRow]) -> Result<Vec<Vec<String>>> {
    let columns = for_kind(entity, Columns).await?;
    let mut header = files::header(&columns);
    header.extend(NOTES.map(|name| japanese(name).to_owned()));
    let mut rows = vec![header];
    for row in log.iter().filter(|row| row.entity.is_none_or(|e| e == entity)) {
        let sent = cells(&row.item);
        let mut cells: Vec<String> = columns.iter().map(|column| column.of(&sent)).collect();
        cells.push(row.line.to_string());
        cells.push(row.problem.as_ref().map(why).unwrap_or_default());
        rows.push(cells);
    }
    Ok(rows)
}

/// What was sent of a row, by the names of the columns: an item, or a row of a table that was none.
fn cells(item: &Value) -> Map<String, Value> {
    let sent = item.as_object().cloned().unwrap_or_default();
    let Some(record) = sent.get("record").and_then(Value::as_object) else {
        return sent;
    };
    let mut cells = record.clone();
    for (column, member) in [("id", "id"), ("version", "if_version"), ("external_id", "external_id")] {
        cells.extend(sent.get(member).map(|value| (column.to_owned(), value.clone())));
    }
    cells
}

/// A problem in one sentence or a few.
fn why(problem: &Value) -> String {
    let errors = problem["errors"].as_array().into_iter().flatten();
    let messages: Vec<&str> = errors.filter_map(|e| e["message"].as_str()).collect();
    if messages.is_empty() {
        problem["title"].as_str().unwrap_or_default().to_owned()
    } else {
        messages.join(" ")
    }
}
