//! The roadmap sheet: states of its cells, and its entries.

use crate::access::{Access, Create, Delete, Edit, List, Read};
use crate::error::Result;
use crate::http::{
    Committed, Created, Cursor, Json, NoContent, Page, Patch, Query, Tagged, Updated, after, default_limit,
};
use actix_web::{delete, get, patch, post};
use model::roadmap::{
    CellFilter, ItemFilter, ItemProgress, RoadmapCell, RoadmapCellFields, RoadmapItem, RoadmapItemFields, RoadmapKind,
};
use model::value::NaiveDate;
use model::{GoalId, PlanActorId, PlanId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_roadmap_cells)
        .service(create_roadmap_cell)
        .service(read_roadmap_cell);
    cfg.service(update_roadmap_cell).service(delete_roadmap_cell);
    cfg.service(list_roadmap_items)
        .service(create_roadmap_item)
        .service(read_roadmap_item);
    cfg.service(update_roadmap_item)
        .service(delete_roadmap_item)
        .service(carry_over_roadmap_item);
}

/// Which cells.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct RoadmapCellQuery {
    goal_id: Option<GoalId>,
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List cells of the sheet that say something of themselves, by year.
#[utoipa::path(params(RoadmapCellQuery))]
#[get("/roadmap-cells")]
async fn list_roadmap_cells(
    access: Access<List<RoadmapCell>>,
    Query(query): Query<RoadmapCellQuery>,
) -> Result<Page<RoadmapCell>> {
    let filter = CellFilter {
        goal_id: query.goal_id,
        fiscal_year: query.fiscal_year,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access
        .read(async |tx| Ok(RoadmapCell::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(rows, query.limit, |c| (c.fields.fiscal_year, c.id)))
}

/// Say why a cell is empty: none (なし), not carried out (未実施), not yet due.
#[utoipa::path()]
#[post("/roadmap-cells")]
async fn create_roadmap_cell(
    access: Access<Create<RoadmapCell>>,
    body: Json<RoadmapCellFields>,
) -> Result<Committed<Created<RoadmapCell>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(RoadmapCell::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read a cell.
#[utoipa::path()]
#[get("/roadmap-cells/{roadmap_cell_id}")]
async fn read_roadmap_cell(access: Access<Read<RoadmapCell>>) -> Result<Tagged<RoadmapCell>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change a cell (JSON merge patch).
#[utoipa::path()]
#[patch("/roadmap-cells/{roadmap_cell_id}")]
async fn update_roadmap_cell(
    access: Access<Edit<RoadmapCell>>,
    body: Json<Patch<RoadmapCellFields>>,
) -> Result<Committed<Updated<RoadmapCell>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete what a cell says of itself.
#[utoipa::path()]
#[delete("/roadmap-cells/{roadmap_cell_id}")]
async fn delete_roadmap_cell(access: Access<Delete<RoadmapCell>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// Which entries.
#[derive(Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
struct RoadmapItemQuery {
    goal_id: Option<GoalId>,
    /// The plan of their goals.
    plan_id: Option<PlanId>,
    #[validate(range(min = 1950, max = 2200))]
    #[param(minimum = 1950, maximum = 2200)]
    fiscal_year: Option<i16>,
    /// The column they stand in.
    actor_id: Option<PlanActorId>,
    kind: Option<RoadmapKind>,
    progress: Option<ItemProgress>,
    /// Due before this day.
    due_before: Option<NaiveDate>,
    /// `next` of the previous page.
    after: Option<Cursor>,
    /// Rows of a page.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: i64,
}

/// List entries of the sheet, by year, then in the declared order.
#[utoipa::path(params(RoadmapItemQuery))]
#[get("/roadmap-items")]
async fn list_roadmap_items(
    access: Access<List<RoadmapItem>>,
    Query(query): Query<RoadmapItemQuery>,
) -> Result<Page<RoadmapItem>> {
    let filter = ItemFilter {
        goal_id: query.goal_id,
        plan_id: query.plan_id,
        fiscal_year: query.fiscal_year,
        actor_id: query.actor_id,
        kind: query.kind,
        progress: query.progress,
        due_before: query.due_before,
        after: after(query.after.as_ref())?,
        limit: query.limit + 1,
    };
    let rows = access
        .read(async |tx| Ok(RoadmapItem::list(tx.db, filter).await?))
        .await?;
    Ok(Page::new(rows, query.limit, |i| {
        (i.fields.fiscal_year, i.fields.position, i.id)
    }))
}

/// Write an entry into the sheet.
///
/// An organisation writes into its own column; the plan's owner into all columns but those that are entered by their
/// organisation alone.
#[utoipa::path()]
#[post("/roadmap-items")]
async fn create_roadmap_item(
    access: Access<Create<RoadmapItem>>,
    body: Json<RoadmapItemFields>,
) -> Result<Committed<Created<RoadmapItem>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Created(RoadmapItem::create(tx.db, tx.valid(&body)?).await?))
        })
        .await
}

/// Read an entry.
#[utoipa::path()]
#[get("/roadmap-items/{roadmap_item_id}")]
async fn read_roadmap_item(access: Access<Read<RoadmapItem>>) -> Result<Tagged<RoadmapItem>> {
    access.read(async |tx| Ok(Tagged(tx.on.clone()))).await
}

/// Change an entry (JSON merge patch).
#[utoipa::path()]
#[patch("/roadmap-items/{roadmap_item_id}")]
async fn update_roadmap_item(
    access: Access<Edit<RoadmapItem>>,
    body: Json<Patch<RoadmapItemFields>>,
) -> Result<Committed<Updated<RoadmapItem>>> {
    access
        .write(body.bytes(), async |tx| {
            Ok(Updated(tx.on.update(tx.db, body.patched(&tx.on.fields)?).await?))
        })
        .await
}

/// Delete an entry.
#[utoipa::path()]
#[delete("/roadmap-items/{roadmap_item_id}")]
async fn delete_roadmap_item(access: Access<Delete<RoadmapItem>>) -> Result<Committed<NoContent>> {
    access
        .write(&[], async |tx| Ok(tx.on.delete(tx.db).await.map(|()| NoContent)?))
        .await
}

/// The year to which an entry is carried over.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct CarryOver {
    /// A later year of the plan.
    #[validate(range(min = 1950, max = 2200))]
    #[schema(minimum = 1950, maximum = 2200, example = 2023)]
    fiscal_year: i16,
}

/// Carry an entry over to a later year (繰越).
///
/// The answer is the new entry, linked to this one by `carried_over_from_id`; this one is marked `carried_over`.
#[utoipa::path()]
#[post("/roadmap-items/{roadmap_item_id}/carry-over")]
async fn carry_over_roadmap_item(
    access: Access<Edit<RoadmapItem>>,
    body: Json<CarryOver>,
) -> Result<Committed<Created<RoadmapItem>>> {
    access
        .write(body.bytes(), async |tx| {
            let to = tx.valid(&body)?;
            Ok(Created(tx.on.carry_over(tx.db, to.fiscal_year).await?))
        })
        .await
}
