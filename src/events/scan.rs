//! A follower scanned a QR code (reference 2.2): the scene.

use crate::app::App;
use crate::error::Result;
use crate::store::{Leased, Statement};

pub(super) fn effects(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    let scene = super::scene(row)?;
    Ok(app.store.scan(&row.account, &row.openid, row.happened, scene.as_deref(), now_ms))
}
