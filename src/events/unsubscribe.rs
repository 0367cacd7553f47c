//! Somebody left (reference 2.2): what is known of them is blanked, unless the policy is to keep it.

use crate::app::App;
use crate::erase;
use crate::error::Result;
use crate::store::{Cause, Leased, Statement};

pub(super) fn effects(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    let mut effects = app.store.unfollow(&row.account, &row.openid, row.happened, app.erases(), now_ms);
    if app.erases() {
        effects.push(erase::record(app, &row.account, &row.openid, Cause::Unsubscribe, row.happened, now_ms));
    }
    Ok(effects)
}
