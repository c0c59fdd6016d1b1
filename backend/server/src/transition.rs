//! The life of a sheet: draft, submitted, returned, confirmed, published.

use crate::access::{Record, Tx};
use crate::error::{Error, Result};
use model::value::Status;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

/// The next state of a sheet.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    pub status: Status,
}

/// Submitting is an editor's; to confirm, to publish and to take either back is the administrator's. Whoever got the
/// sheet from its owner (a prefecture) can only return it. Which steps exist at all, and which need a reason, the
/// database knows.
pub fn confirm<R: Record>(tx: &Tx<'_, R>, from: Status, to: Transition) -> Result<Status> {
    let confirming = [from, to.status]
        .iter()
        .any(|s| matches!(s, Status::Confirmed | Status::Published));
    let allowed = if tx.caller.organization == Some(tx.on.owner()) {
        !confirming || tx.may_confirm(R::ENTITY)
    } else {
        (from, to.status) == (Status::Submitted, Status::Returned)
    };
    if allowed { Ok(to.status) } else { Err(Error::Forbidden) }
}
