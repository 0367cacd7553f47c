//! The query string of a callback: six parameters count, all others (also `openid`, which nothing
//! signs) are ignored. WeCom's has no `signature`, the one that covers Encrypt is its only one.

use super::reason::Reason;
use std::borrow::Cow;

/// What a callback's query says, decoded. Not for logs: in plain mode whoever has it can forge a push.
pub struct Query<'a> {
    /// Hex SHA-1 over token, timestamp and nonce; empty in WeCom's.
    pub signature: Cow<'a, str>,
    /// Seconds since 1970 as sent: the text is what is signed.
    pub timestamp: Cow<'a, str>,
    /// `timestamp` as a number.
    pub seconds: i64,
    /// Random letters of the platform.
    pub nonce: Cow<'a, str>,
    /// Hex SHA-1 that also covers Encrypt.
    pub msg_signature: Option<Cow<'a, str>>,
    /// `aes`, `raw` or absent.
    pub encrypt_type: Option<Cow<'a, str>>,
    /// What the URL check wants back.
    pub echostr: Option<Cow<'a, str>>,
}

/// The parameters that count, with the reason when a value can't be decoded.
const NAMES: [(&str, Reason); 6] = [
    ("signature", Reason::Signature),
    ("timestamp", Reason::Timestamp),
    ("nonce", Reason::MissingParameter),
    ("msg_signature", Reason::MsgSignature),
    ("encrypt_type", Reason::EncryptType),
    ("echostr", Reason::MissingParameter),
];

impl<'a> Query<'a> {
    /// Reads the part behind `?`. A plus sign is itself, not a blank: the platform sends no forms.
    pub fn read(query: &'a str) -> Result<Self, Reason> {
        let [signature, timestamp, nonce, msg_signature, encrypt_type, echostr] = values(query)?;
        let timestamp = required(timestamp)?;
        let (signature, nonce) = (required(signature)?, required(nonce)?);
        let seconds = digits(&timestamp).ok_or(Reason::Timestamp)?;
        Ok(Query { signature, timestamp, seconds, nonce, msg_signature, encrypt_type, echostr })
    }

    /// Reads WeCom's, whose `msg_signature` is always there (WeCom reference 5).
    pub fn sealed(query: &'a str) -> Result<Self, Reason> {
        let [_, timestamp, nonce, msg_signature, _, echostr] = values(query)?;
        let timestamp = required(timestamp)?;
        let (msg_signature, nonce) = (Some(required(msg_signature)?), required(nonce)?);
        let seconds = digits(&timestamp).ok_or(Reason::Timestamp)?;
        let signature = Cow::Borrowed("");
        Ok(Query { signature, timestamp, seconds, nonce, msg_signature, encrypt_type: None, echostr })
    }
}

/// The values of [`NAMES`], each at most once.
fn values(query: &str) -> Result<[Option<Cow<'_, str>>; 6], Reason> {
    let mut values: [Option<Cow<'_, str>>; 6] = Default::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(name) = decode(name) else { continue };
        let Some(at) = NAMES.iter().position(|(known, _)| *known == name) else { continue };
        if values[at].is_some() {
            return Err(Reason::DuplicateParameter);
        }
        values[at] = Some(decode(value).ok_or(NAMES[at].1)?);
    }
    Ok(values)
}

/// A parameter that must be there and not empty.
pub fn required<T: AsRef<str>>(value: Option<T>) -> Result<T, Reason> {
    value.filter(|value| !value.as_ref().is_empty()).ok_or(Reason::MissingParameter)
}

/// A number written in ASCII digits only, without a sign.
pub fn digits(text: &str) -> Option<i64> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Percent-decoding, strict: `None` for a `%` without two hex digits and for what is not UTF-8.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (pair, after) = rest.split_first_chunk::<2>()?;
        bytes.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
        rest = after;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
