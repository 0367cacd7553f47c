//! Somebody left (reference 2.2): what is known of them is blanked, unless the policy is to keep it.

use crate::app::App;
use crate::error::Result;
use crate::store::{Leased, Statement};

pub(super) fn effects(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    Ok(app.store.unfollow(&row.account, &row.openid, row.happened, app.erases(), now_ms))
}
