//! Somebody follows (reference 2.2): a row at once, their data when due.

use crate::app::App;
use crate::error::Result;
use crate::store::{Leased, Statement};

pub(super) fn effects(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    let scene = super::scene(row)?;
    Ok(app.store.follow(&row.account, &row.openid, row.happened, scene.as_deref(), now_ms))
}
