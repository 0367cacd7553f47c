//! What is accepted of a WeCom application (WeCom reference 5): always signed and always encrypted. Its one signature
//! covers the envelope, so that nothing is known of a push before its body.

use super::message::{self, MAX_ID, check_unique, decrypt, skew_of};
use super::push::Accepted;
use super::query::{Query, required};
use super::reason::{Reason, Refusal};
use super::{envelope, json, signature, xml};
use crate::domain::account::WeCom;
use crate::domain::event::{Element, Event, Kind};

/// The URL check of the console: what is sealed in echostr, to be answered as it is. `now` and `window` are seconds;
/// without a window every timestamp will do.
pub fn handshake(account: &WeCom, query: &str, now: i64, window: Option<i64>) -> Result<String, Refusal> {
    let query = Query::sealed(query).map_err(Refusal::unsigned)?;
    // Base64 has a plus sign where whoever decodes a form finds a blank.
    let echostr = required(query.echostr.as_deref()).map_err(Refusal::unsigned)?.replace(' ', "+");
    let proven = prove(account, &query, Ok(echostr), (now, window))?;
    let opened = decrypt(&account.aes_keys, &account.app_id, &proven.encrypt).map_err(Refusal::signed)?;
    Ok(opened.1)
}

/// A push: checks query, envelope, signature, XML or JSON, and fields, in that order. `now` and `window` are seconds;
/// without a window every timestamp will do, and `skew` tells of it.
pub fn accept(account: &WeCom, query: &str, body: &[u8], now: i64, window: Option<i64>) -> Result<Accepted, Refusal> {
    if body.len() > xml::MAX_BYTES {
        return Err(Refusal::unsigned(Reason::TooLarge));
    }
    let query = Query::sealed(query).map_err(Refusal::unsigned)?;
    let outer = outer(body);
    let agent = outer.as_ref().ok().and_then(|outer| outer.agent_id.clone());
    let proven = prove(account, &query, outer.map(|outer| outer.encrypt), (now, window))?;
    let (key_index, raw) = decrypt(&account.aes_keys, &account.app_id, &proven.encrypt).map_err(Refusal::signed)?;
    let event = read(&raw).and_then(|event| ours(account, event, agent)).map_err(Refusal::signed)?;
    let skew = skew_of(now.saturating_sub(query.seconds));
    let previous_token = proven.token > 0;
    Ok(Accepted { event, raw, clear: false, key_index: Some(key_index), previous_token, skew })
}

/// The fields of a message that was verified before, such as one read back from the inbox: XML, or JSON of the same
/// names.
pub fn read(raw: &str) -> Result<Event, Reason> {
    let root = if is_json(raw.as_bytes()) { json::parse(raw)? } else { xml::parse(raw.as_bytes())? };
    let event = message::event(root, Kind::of_wecom)?;
    if is_userid(&event.from_user) { Ok(event) } else { Err(Reason::BadField) }
}

/// What stands around the message.
struct Outer {
    encrypt: String,
    agent_id: Option<String>,
}

/// An envelope that a Token of the account has signed.
struct Proven {
    encrypt: String,
    /// Which token, 0 is the current one.
    token: usize,
}

/// `msg_signature`, then the replay window. Whoever is refused takes the way of the others: how long it takes must not
/// tell how far it got.
fn prove(
    account: &WeCom,
    query: &Query<'_>,
    encrypt: Result<String, Reason>,
    (now, window): (i64, Option<i64>),
) -> Result<Proven, Refusal> {
    let encrypt = encrypt.map_err(Refusal::unsigned)?;
    if !account.receives() {
        return Err(Refusal::unsigned(Reason::NoKey));
    }
    let given = query.msg_signature.as_deref().unwrap_or_default();
    let token = signature::find(&account.tokens, &[&query.timestamp, &query.nonce, &encrypt], given);
    let stale = message::is_stale(query.seconds, now, window);
    match token {
        Some(token) if !stale => Ok(Proven { encrypt, token }),
        Some(_) => Err(Refusal::signed(Reason::Stale)),
        None => {
            account.aes_keys.iter().for_each(|_| envelope::feign(&encrypt));
            Err(Refusal::unsigned(Reason::MsgSignature))
        }
    }
}

/// The XML form, or the JSON form, by its first letter. There is no clear-text mode: a body without Encrypt is refused.
fn outer(body: &[u8]) -> Result<Outer, Reason> {
    let (root, names) = match is_json(body) {
        true => {
            let text = std::str::from_utf8(body).map_err(|_| Reason::Xml)?;
            (json::parse(text)?, ["encrypt", "agentid"])
        }
        false => (xml::parse(body)?, ["Encrypt", "AgentID"]),
    };
    check_unique(&root)?;
    let text = |name: &str| root.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let [encrypt, agent_id] = names.map(text);
    Ok(Outer { encrypt: encrypt.ok_or(Reason::Downgrade)?, agent_id })
}

fn is_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Whether it is for this application, as far as both sides say: one URL may serve several. What the message says is
/// signed; what stands around it counts only where the message says nothing, as of the address book.
fn ours(account: &WeCom, event: Event, around: Option<String>) -> Result<Event, Reason> {
    let Some(ours) = account.agent_id else { return Ok(event) };
    let told = |root: &Element| root.text_of("AgentID").filter(|id| !id.is_empty()).map(str::to_owned);
    match told(&event.root).or(around) {
        Some(agent) if agent != ours.to_string() => Err(Reason::ForeignAccount),
        _ => Ok(event),
    }
}

/// Letters of a userid, `[A-Za-z0-9_.@-]{1,64}`; of somebody of another corporation that one stands before it, with a
/// slash.
fn is_userid(id: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"_.@-/".contains(&b);
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(letter)
}
