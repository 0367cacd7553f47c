//! What is accepted of an Official Account, line by line of the table in reference 1.3.

use super::message::{self, MAX_ID, check_unique, decrypt, skew_of};
use super::query::{Query, required};
use super::reason::{Reason, Refusal};
use super::{envelope, signature, xml};
use crate::domain::account::{Mode, Official};
use crate::domain::event::{Element, Event, Kind};

/// A push that may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Who, when, what.
    pub event: Event,
    /// The message as XML: decrypted, or the clear body.
    pub raw: String,
    /// It came in clear though the account is in compatible mode: count it and warn.
    pub clear: bool,
    /// Which of the account's AES keys opened it, 0 is the current one; a reply is sealed with the same.
    pub key_index: Option<usize>,
    /// The token before the current one signed it.
    pub previous_token: bool,
    /// Our time minus the platform's, in seconds, where it is beyond 300: one of the two clocks is wrong,
    /// or it is a replay.
    pub skew: Option<i64>,
}

/// The URL check of the console (reference 1.1): the bare echostr to answer with. `now` and `window` are
/// seconds; without a window every timestamp will do.
pub fn handshake(account: &Official, query: &str, now: i64, window: Option<i64>) -> Result<String, Refusal> {
    let query = Query::read(query).map_err(Refusal::unsigned)?;
    verify(account, &query, now, window)?;
    required(query.echostr).map(String::from).map_err(Refusal::unsigned)
}

/// A push: checks query, signatures, envelope, XML and fields, in that order. `now` and `window` are
/// seconds; without a window every timestamp will do, and `skew` tells of it.
pub fn accept(
    account: &Official,
    query: &str,
    body: &[u8],
    now: i64,
    window: Option<i64>,
) -> Result<Accepted, Refusal> {
    ask(account, query, now, window)?.accept(body)
}

/// The first half of [`accept`], for whoever has no body yet.
pub fn ask<'a>(account: &'a Official, query: &'a str, now: i64, window: Option<i64>) -> Result<Asked<'a>, Refusal> {
    let query = Query::read(query).map_err(Refusal::unsigned)?;
    let token = verify(account, &query, now, window);
    let skew = now.saturating_sub(query.seconds);
    Ok(Asked { account, query, token, skew })
}

/// A push whose query can be read, and whose body is still to come.
pub struct Asked<'a> {
    account: &'a Official,
    query: Query<'a>,
    /// Which token signed the query.
    token: Result<usize, Refusal>,
    /// Our time minus the platform's, seconds.
    skew: i64,
}

impl Asked<'_> {
    /// Whether one of the account's tokens signed the query: whoever sends it is no stranger.
    pub fn is_signed(&self) -> bool {
        self.token.as_ref().map_or_else(|refusal| refusal.signed, |_| true)
    }

    /// The second half of [`accept`]. A push that is refused already takes the way of the others: how long it takes
    /// must not tell how far it got.
    pub fn accept(self, body: &[u8]) -> Result<Accepted, Refusal> {
        let Asked { account, query, token, skew } = self;
        if body.len() > xml::MAX_BYTES {
            return Err(Refusal::unsigned(Reason::TooLarge));
        }
        let opened = match (query.encrypt_type.as_deref(), token) {
            (Some("aes"), token) => sealed(account, &query, token, body),
            (_, Err(refusal)) => Err(refusal),
            (None | Some("raw"), Ok(_)) => clear(account, body).map_err(Refusal::unsigned),
            (Some(_), Ok(_)) => Err(Refusal::unsigned(Reason::EncryptType)),
        };
        let Opened { event, raw, key_index } = opened?;
        let clear = account.mode == Mode::Compat && key_index.is_none();
        let previous_token = token.is_ok_and(|token| token > 0);
        Ok(Accepted { event, raw, clear, key_index, previous_token, skew: skew_of(skew) })
    }
}

/// The fields of a message that was verified before, such as one read back from the inbox.
pub fn read(raw: &str) -> Result<Event, Reason> {
    event_of(xml::parse(raw.as_bytes())?, None)
}

/// A message that passed every check.
struct Opened {
    event: Event,
    raw: String,
    key_index: Option<usize>,
}

/// `signature` and the replay window; which token it was.
fn verify(account: &Official, query: &Query<'_>, now: i64, window: Option<i64>) -> Result<usize, Refusal> {
    let token = signature::find(&account.tokens, &[&query.timestamp, &query.nonce], &query.signature)
        .ok_or(Refusal::unsigned(Reason::Signature))?;
    match message::is_stale(query.seconds, now, window) {
        true => Err(Refusal::signed(Reason::Stale)),
        false => Ok(token),
    }
}

/// A clear body. No signature covers it.
fn clear(account: &Official, body: &[u8]) -> Result<Opened, Reason> {
    if account.mode == Mode::Secure {
        return Err(Reason::Downgrade);
    }
    let root = xml::parse(body)?;
    if root.child("Encrypt").is_some() {
        // Someone took encrypt_type away, or the console encrypts and this account has no key.
        return Err(if account.mode == Mode::Plain { Reason::NoKey } else { Reason::Downgrade });
    }
    let event = event_of(root, account.original_id.as_deref())?;
    let raw = std::str::from_utf8(body).map_err(|_| Reason::Xml)?.to_owned();
    Ok(Opened { event, raw, key_index: None })
}

/// An encrypted body: msg_signature first, decryption second. Of a compatible push only Encrypt counts. What was found
/// out about the query goes first (`token`).
fn sealed(
    account: &Official,
    query: &Query<'_>,
    token: Result<usize, Refusal>,
    body: &[u8],
) -> Result<Opened, Refusal> {
    let inner = signed_encrypt(account, query, body);
    let proven = token.and_then(|token| match &inner {
        Ok((_, signed_by)) if *signed_by == Some(token) => Ok(()),
        Ok(_) => Err(Refusal::unsigned(Reason::MsgSignature)),
        Err(reason) => Err(Refusal::unsigned(*reason)),
    });
    match (proven, inner) {
        (Ok(()), Ok((encrypt, _))) => open(account, &encrypt).map_err(Refusal::signed),
        (Err(refusal), Ok((encrypt, _))) => {
            // A wrong padding and a wrong appid come to light behind the decryption: so do the others.
            account.aes_keys.iter().for_each(|_| envelope::feign(&encrypt));
            Err(refusal)
        }
        (Err(refusal), Err(_)) => Err(refusal),
        (Ok(()), Err(reason)) => Err(Refusal::unsigned(reason)),
    }
}

/// Encrypt, and which token its msg_signature was made with.
fn signed_encrypt(account: &Official, query: &Query<'_>, body: &[u8]) -> Result<(String, Option<usize>), Reason> {
    if account.mode == Mode::Plain || account.aes_keys.is_empty() {
        return Err(Reason::NoKey);
    }
    let msg_signature = required(query.msg_signature.as_deref())?;
    let outer = xml::parse(body)?;
    check_unique(&outer)?;
    let encrypt = outer.children.into_iter().find(|child| child.name == "Encrypt");
    let encrypt = encrypt.ok_or(Reason::Downgrade)?.text;
    let signed_by = signature::find(&account.tokens, &[&query.timestamp, &query.nonce, &encrypt], msg_signature);
    Ok((encrypt, signed_by))
}

fn open(account: &Official, encrypt: &str) -> Result<Opened, Reason> {
    let (key_index, raw) = decrypt(&account.aes_keys, &account.app_id, encrypt)?;
    let event = event_of(xml::parse(raw.as_bytes())?, account.original_id.as_deref())?;
    Ok(Opened { event, raw, key_index: Some(key_index) })
}

/// The fields that every push has, checked.
fn event_of(root: Element, original_id: Option<&str>) -> Result<Event, Reason> {
    let event = message::event(root, Kind::of)?;
    if original_id.is_some_and(|id| id != event.to_user) {
        return Err(Reason::ForeignAccount);
    }
    match is_identifier(&event.from_user) && is_identifier(event.openid()) {
        true => Ok(event),
        false => Err(Reason::BadField),
    }
}

/// Letters of an openid, `[A-Za-z0-9_-]{1,64}`.
fn is_identifier(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
