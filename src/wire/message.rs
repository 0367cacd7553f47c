//! What is alike in the callbacks of all platforms: the fields that every message has, the keys that open it, its time.

use super::envelope;
use super::push;
use super::query::digits;
use super::reason::Reason;
use super::wecom;
use crate::domain::account::{AesKey, Platform};
use crate::domain::event::{Element, Event, Kind};

/// Beyond this a timestamp is worth a warning, in seconds.
const USUAL_SKEW: u64 = 300;
/// 2010-01-01, seconds since 1970: before the platforms.
const FIRST_TIME: i64 = 1_262_304_000;
/// 2100-01-01, seconds since 1970; CreateTime fits into 4 bytes.
const LAST_TIME: i64 = 4_102_444_800;
/// Longest openid or userid, in letters.
pub(super) const MAX_ID: usize = 64;

/// The fields of a message that was verified before, such as one read back from the inbox.
pub fn read(platform: Platform, raw: &str) -> Result<Event, Reason> {
    match platform {
        Platform::WeCom => wecom::read(raw),
        Platform::Official | Platform::MiniGame => push::read(raw),
    }
}

/// The fields that every message has, checked; who they name is its platform's to judge.
pub(super) fn event(root: Element, kind_of: fn(&str, Option<&str>) -> Kind) -> Result<Event, Reason> {
    check_unique(&root)?;
    let to_user = field(&root, "ToUserName")?.to_owned();
    let from_user = field(&root, "FromUserName")?.to_owned();
    let created = field(&root, "CreateTime")?;
    let msg_type = field(&root, "MsgType")?;
    let created = digits(created).filter(|time| (FIRST_TIME..LAST_TIME).contains(time)).ok_or(Reason::BadField)?;
    let kind = kind_of(msg_type, root.text_of("Event"));
    let msg_id = if msg_type == "event" { None } else { message_id(&root) };
    Ok(Event { to_user, from_user, created, kind, msg_id, root })
}

/// The current key, then the previous one (reference 1.2). A wrong appid says more than a failed
/// decryption, so it is kept as the reason.
pub(super) fn decrypt(keys: &[AesKey], app_id: &str, encrypt: &str) -> Result<(usize, String), Reason> {
    let mut why = Reason::Decrypt;
    for (index, key) in keys.iter().enumerate() {
        match envelope::open(key, app_id, encrypt) {
            Ok(raw) => return Ok((index, raw)),
            Err(Reason::Appid) => why = Reason::Appid,
            Err(_) => {}
        }
    }
    Err(why)
}

/// Whether a timestamp is outside the replay window; without one none is.
pub(super) fn is_stale(seconds: i64, now: i64, window: Option<i64>) -> bool {
    window.is_some_and(|window| now.abs_diff(seconds) > window.unsigned_abs())
}

/// How far the timestamp is off, where it is worth a word.
pub(super) fn skew_of(skew: i64) -> Option<i64> {
    (skew.unsigned_abs() > USUAL_SKEW).then_some(skew)
}

/// No field twice at the top: parsers differ in which one they take.
pub(super) fn check_unique(root: &Element) -> Result<(), Reason> {
    let mut names: Vec<&str> = root.children.iter().map(|child| child.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
    (!twice).then_some(()).ok_or(Reason::DuplicateField)
}

/// A leaf that must be there and not empty.
fn field<'a>(root: &'a Element, name: &str) -> Result<&'a str, Reason> {
    let element = root.child(name).ok_or(Reason::MissingField)?;
    let good = element.children.is_empty() && !element.text.is_empty();
    good.then_some(element.text.as_str()).ok_or(Reason::BadField)
}

/// MsgId where it can be one: up to 20 digits, 64 bit. Another text is no key to rely on; the message is
/// then told apart by all its fields.
fn message_id(root: &Element) -> Option<String> {
    let id = root.text_of("MsgId")?;
    let good = (1..=20).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    good.then(|| id.to_owned())
}
