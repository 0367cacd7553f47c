//! Privacy events (reference 2.3): the platform cleaned a profile, a person took a permission back or closed their
//! account. The person is OpenID, never FromUserName, which is a system account.

use super::read;
use crate::app::App;
use crate::domain::event::Event;
use crate::erase;
use crate::error::Result;
use crate::store::{Body, Cause, Leased, Revoked, Statement};

/// user_info_modified: nickname and avatar go, and are asked for again.
pub(super) fn modified(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    Ok(match person(row)? {
        Some(openid) => app.store.profile_cleaned(&row.account, &openid, now_ms),
        None => Vec::new(),
    })
}

/// user_authorization_revoke: what RevokeInfo names goes.
pub(super) fn revoked(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    let Some(openid) = person(row)? else { return Ok(Vec::new()) };
    let info = read(row, |event| event.root.text_of("RevokeInfo").map(str::to_owned))?.unwrap_or_default();
    let kinds = info.split(|letter: char| !letter.is_ascii_digit()).filter_map(Revoked::of);
    let effects: Vec<Statement> =
        kinds.flat_map(|kind| app.store.revoked(&row.account, &openid, kind, row.happened, now_ms)).collect();
    if effects.is_empty() {
        tracing::info!(id = row.id, revoke_info = info, "nothing is stored of what this RevokeInfo is about");
    }
    Ok(effects)
}

/// user_authorization_cancellation: the person closed their WeChat account. All goes, whatever the policy for those
/// who leave.
pub(super) fn cancelled(app: &App, row: &Leased, now_ms: i64) -> Result<Vec<Statement>> {
    Ok(match person(row)? {
        Some(openid) => erase::effects(app, &row.account, &openid, Cause::Cancelled, row.happened, now_ms),
        None => Vec::new(),
    })
}

/// Whom it is about. Pushes without the field were seen: they name nobody, and there is nothing to do.
fn person(row: &Leased) -> Result<Option<String>> {
    let named = |event: &Event| event.root.text_of("OpenID").filter(|id| !id.is_empty()).map(str::to_owned);
    let person = read(row, named)?;
    if person.is_none() && !matches!(row.body, Body::Raw(None)) {
        tracing::warn!(id = row.id, kind = row.kind.as_str(), "this event has no OpenID: it is about nobody");
    }
    Ok(person)
}
