//! What a received event does: one file a kind that acts; every other kind is stored and done.

mod enrich;
mod finished;
mod hook;
mod location;
mod privacy;
mod scan;
mod subscribe;
mod unsubscribe;
mod worker;

pub use enrich::{Round, TRIES, enrich, round};
pub use hook::{channel, tell};
pub use worker::{Worker, work};

use crate::app::App;
use crate::domain::event::{Event, Kind};
use crate::error::Result;
use crate::store::{Body, Leased, Statement};
use crate::wire;

/// Gives the effects of an event, as statements that are written together with its settlement. No handler
/// relies on the order of arrival: the statements compare times. A batch has one `now_ms`, so that what it writes about
/// many people differs in little.
type Handler = fn(&App, &Leased, now_ms: i64) -> Result<Vec<Statement>>;

/// Who acts on an event of this kind.
fn handler(kind: Kind) -> Option<Handler> {
    match kind.as_str() {
        "event.subscribe" => Some(subscribe::effects),
        "event.unsubscribe" => Some(unsubscribe::effects),
        "event.scan" => Some(scan::effects),
        "event.location" => Some(location::effects),
        "event.mass_finished" => Some(finished::mass),
        "event.publish_finished" => Some(finished::publish),
        "event.user_info_modified" => Some(privacy::modified),
        "event.user_authorization_revoke" => Some(privacy::revoked),
        "event.user_authorization_cancellation" => Some(privacy::cancelled),
        _ => None,
    }
}

/// Whether one of our own handlers acts on an event of this kind.
pub fn handles(kind: Kind) -> bool {
    handler(kind).is_some()
}

/// Whether something is to be done about an event of this kind: by us, or by a hook that is told of it. What nobody
/// acts on is done as it is stored.
pub fn acts(app: &App, account: &str, kind: Kind) -> bool {
    handles(kind) || app.hooks.want(account, kind)
}

/// The one line of an event that went well.
pub fn log_done(id: i64, account: &str, kind: Kind, openid: &str) {
    tracing::info!(id, account, kind = kind.as_str(), openid = short(openid), "event");
}

/// The scene of a QR code; `None` also where the message is erased.
fn scene(row: &Leased) -> Result<Option<String>> {
    read(row, |event| event.scene().map(str::to_owned))
}

/// What a message tells; `None` also where it is erased.
fn read<T>(row: &Leased, tell: impl Fn(&Event) -> Option<T>) -> Result<Option<T>> {
    match &row.body {
        Body::Parsed(event) => Ok(tell(event)),
        Body::Raw(None) => Ok(None),
        Body::Raw(Some(raw)) => match wire::message::read(row.kind.platform(), raw) {
            Ok(event) => Ok(tell(&event)),
            Err(reason) => Err(unreadable(reason.as_str())),
        },
    }
}

/// The texts of these elements of the message; `None` where it is erased.
fn fields<const N: usize>(row: &Leased, names: [&str; N]) -> Result<Option<[Option<String>; N]>> {
    let of = |event: &crate::domain::event::Event| names.map(|name| event.root.text_of(name).map(str::to_owned));
    match &row.body {
        Body::Parsed(event) => Ok(Some(of(event))),
        Body::Raw(None) => Ok(None),
        Body::Raw(Some(raw)) => wire::message::read(row.kind.platform(), raw)
            .map(|event| Some(of(&event)))
            .map_err(|reason| unreadable(reason.as_str())),
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
