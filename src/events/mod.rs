//! What a received event does: one file a kind that acts; every other kind is stored and done.

mod enrich;
mod scan;
mod subscribe;
mod unsubscribe;
mod worker;

pub use enrich::{TRIES, enrich};
pub use worker::{Worker, work};

use crate::app::App;
use crate::error::Result;
use crate::store::{Body, Leased, Statement};
use crate::wire;

/// The effects of an event, as statements that are written together with its settlement. No handler
/// relies on the order of arrival: the statements compare times.
fn effects(app: &App, row: &Leased) -> Result<Vec<Statement>> {
    match row.kind.as_str() {
        "event.subscribe" => subscribe::effects(app, row),
        "event.unsubscribe" => Ok(unsubscribe::effects(app, row)),
        "event.scan" => scan::effects(app, row),
        _ => Ok(Vec::new()),
    }
}

/// The scene of a QR code; `None` also where the message is erased.
fn scene(row: &Leased) -> Result<Option<String>> {
    match &row.body {
        Body::Parsed(event) => Ok(event.scene().map(str::to_owned)),
        Body::Raw(None) => Ok(None),
        Body::Raw(Some(raw)) => match wire::push::read(raw) {
            Ok(event) => Ok(event.scene().map(str::to_owned)),
            Err(reason) => Err(unreadable(reason.as_str())),
        },
    }
}

fn unreadable(reason: &str) -> crate::error::Error {
    use crate::error::{Error, Then};
    Error::failed(crate::say!("the stored message can't be read: {reason}"; "无法读取已存的消息：{reason}"))
        .then(Then::Never)
}

/// Letters of an openid that are shown. They are its last: all openids of an account begin alike.
const SHOWN: usize = 6;

/// An openid for the log: enough to find it, not enough to have it.
pub fn short(openid: &str) -> String {
    match openid.char_indices().rev().nth(SHOWN - 1) {
        Some((at, _)) if at > 0 => format!("…{}", &openid[at..]),
        _ => openid.to_owned(),
    }
}
