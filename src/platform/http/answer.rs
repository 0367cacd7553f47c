//! What came back: HTTP 200 stands for errors too, the errcode may be absent, and not everything is JSON (reference 0).

use crate::domain::secret::Secret;
use crate::domain::veil::Veil;
use crate::error::{Error, Text, Then};
use crate::platform::Platform;
use crate::platform::errcode::Refusal;
use crate::say;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::time::Duration;

/// Until the next try after an answer that is not the platform's (reference 9: platform class).
const GATEWAY_PAUSE: Duration = Duration::from_secs(1);

/// Characters of an errmsg that are kept.
const ERRMSG_MAX: usize = 500;

/// The body of an answer: any JSON object, or one whose fields are known and which is read without a tree.
pub trait Reply: Sized {
    /// Reads a JSON object.
    fn read(text: &[u8]) -> serde_json::Result<Self>;

    /// Its errcode as it stands; `None` where there is none.
    fn errcode(&self) -> Option<&Value>;

    /// Its errmsg; empty where there is none.
    fn errmsg(&self) -> &str;
}

impl Reply for Map<String, Value> {
    fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    fn errcode(&self) -> Option<&Value> {
        self.get("errcode")
    }

    fn errmsg(&self) -> &str {
        self.get("errmsg").and_then(Value::as_str).unwrap_or_default()
    }
}

/// An answer of the platform: a JSON object with its errcode read.
#[derive(Clone, PartialEq)]
pub struct Answer<T = Map<String, Value>> {
    /// The errcode; 0 where the reply has none.
    pub errcode: i64,
    /// The platform's text without its tail, secrets masked.
    pub errmsg: String,
    /// The request id of the tail: `rid: …`, in older texts `hint: [...]`.
    pub rid: Option<String>,
    /// The whole object.
    pub body: T,
}

/// `Debug` leaves the body out: it holds tokens and people.
impl<T> std::fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Answer { errcode, errmsg, rid, .. } = self;
        f.debug_struct("Answer")
            .field("errcode", errcode)
            .field("errmsg", errmsg)
            .field("rid", rid)
            .finish_non_exhaustive()
    }
}

impl<T> Answer<T> {
    pub(super) fn refusal<'a>(&'a self, platform: Platform, api: &'a str) -> Refusal<'a> {
        Refusal { platform, api, code: self.errcode, errmsg: &self.errmsg, rid: self.rid.as_deref() }
    }
}

impl Answer {
    /// A text that is there and not empty: the platform sends empty ones for what it does not tell (reference 4.2).
    pub fn text(&self, key: &str) -> Option<&str> {
        self.body.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// A whole number, also where it comes as text.
    pub fn number(&self, key: &str) -> Option<i64> {
        whole(self.body.get(key)?)
    }
}

/// Reads a reply; `hidden` are the secrets that its text must not show.
pub fn read<'a, T: Reply>(
    api: &str,
    status: u16,
    body: &[u8],
    hidden: impl Iterator<Item = &'a Secret>,
) -> Result<Answer<T>, Error> {
    if (500..600).contains(&status) {
        return Err(foreign(say!(
            "{api}: answered with HTTP {status}: a fault at the platform or a gateway before it";
            "{api}：返回 HTTP {status}：平台或其前面的网关有故障"
        )));
    }
    if (300..400).contains(&status) {
        return Err(foreign(say!(
            "{api}: answered with a redirect (HTTP {status}), which is not followed; a proxy or captive portal?";
            "{api}：返回重定向（HTTP {status}），未予跟随；是否经过代理或认证门户？"
        )));
    }
    let Some(body) = object::<T>(body) else { return Err(not_json(api, status, body)) };
    let errcode = match body.errcode() {
        None => 0,
        Some(code) => whole(code).ok_or_else(|| unreadable(api, "errcode"))?,
    };
    if errcode == 0 && !(200..300).contains(&status) {
        return Err(foreign(say!(
            "{api}: answered with HTTP {status} and no errcode: not the platform's own answer; a proxy?";
            "{api}：返回 HTTP {status} 且无 errcode，不是平台的应答；是否经过代理？"
        )));
    }
    let errmsg = match body.errmsg() {
        said @ ("" | "ok") => Cow::Borrowed(said),
        // A gateway's error may quote the URL or the body.
        said => Veil::over(hidden).hide(said),
    };
    let (errmsg, rid) = split_tail(&errmsg);
    let errmsg = printable(&errmsg);
    Ok(Answer { errcode, errmsg, rid, body })
}

/// The error of a reply whose `field` is missing or makes no sense. It may lie in the one item that was asked
/// for, so it counts towards parking that item and does not stop the account.
pub fn unreadable(api: &str, field: &str) -> Error {
    Error::unavailable(say!(
        "{api}: the answer has no usable {field}; is it the platform that answered?";
        "{api}：应答中没有可用的 {field}；应答者是否为平台？"
    ))
}

/// The error of a reply with more than `limit` bytes; it counts towards parking the item.
pub fn too_large(api: &str, limit: usize) -> Error {
    Error::unavailable(say!("{api}: the answer is larger than {limit} bytes"; "{api}：应答超过 {limit} 字节"))
}

fn not_json(api: &str, status: u16, body: &[u8]) -> Error {
    let start = body.trim_ascii_start();
    if start.starts_with(b"{") {
        return Error::unavailable(say!(
            "{api}: answered with JSON that is broken or cut short (HTTP {status})";
            "{api}：返回的 JSON 有误或不完整（HTTP {status}）"
        ));
    }
    foreign(match start.first() {
        None => say!("{api}: answered with an empty body (HTTP {status})"; "{api}：应答为空（HTTP {status}）"),
        Some(b'<') => say!(
            "{api}: answered with HTML instead of JSON (HTTP {status}); a proxy or captive portal?";
            "{api}：返回的是 HTML 而非 JSON（HTTP {status}）；是否经过代理或认证门户？"
        ),
        Some(_) => say!(
            "{api}: answered with something that is no JSON object (HTTP {status}); a proxy?";
            "{api}：返回的不是 JSON 对象（HTTP {status}）；是否经过代理？"
        ),
    })
}

/// No word of the platform about this call: whatever stands between stands before every call.
fn foreign(what: Text) -> Error {
    Error::unavailable(what).then(Then::Pause { after: GATEWAY_PAUSE, whole_account: true })
}

/// A JSON object. Raw control characters and broken UTF-8 in names and remarks are replaced, not refused:
/// one odd follower must not stay unread for ever.
fn object<T: Reply>(body: &[u8]) -> Option<T> {
    T::read(body).ok().or_else(|| {
        let mended = String::from_utf8_lossy(body).replace(|c: char| c.is_ascii_control(), " ");
        T::read(mended.as_bytes()).ok()
    })
}

/// A whole number, also where it comes as text.
pub fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Takes ` rid: …` and the older ` hint: [...]` off the end of an errmsg (reference 0).
fn split_tail(errmsg: &str) -> (Cow<'_, str>, Option<String>) {
    let (rest, rid) = match errmsg.rsplit_once(" rid: ") {
        Some((rest, rid)) if is_id(rid.trim()) => (rest, Some(rid.trim().to_owned())),
        _ => (errmsg, None),
    };
    if let Some((text, hint, address)) = wecom_tail(rest) {
        return (format!("{text}{address}").into(), rid.or(hint));
    }
    match rest.trim_end().rsplit_once(" hint: [") {
        Some((text, hint)) if hint.ends_with(']') => {
            let hint = hint.trim_end_matches(']').trim();
            (text.trim_end().into(), rid.or_else(|| is_id(hint).then(|| hint.to_owned())))
        }
        _ => (rest.trim_end().into(), rid),
    }
}

/// Takes WeCom's tail apart: `, hint: [17…], from ip: 203.0.113.7, more info at https://…` (WeCom reference 1). The
/// address stays beside the text, for it may be the one that is not trusted.
fn wecom_tail(errmsg: &str) -> Option<(&str, Option<String>, &str)> {
    let (text, tail) = errmsg.split_once(", hint: [")?;
    let (hint, rest) = tail.split_once(']')?;
    let address = rest.split_once(", more info at ").map_or(rest, |(address, _)| address);
    let hint = is_id(hint.trim()).then(|| hint.trim().to_owned());
    Some((text, hint, address.trim_end()))
}

fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_!.~".contains(c);
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

/// Fit for a terminal and a log line. Of a word that the cut falls into nothing stays: the half of a secret is known to
/// nobody who hides secrets.
fn printable(text: &str) -> String {
    let mut letters = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let kept: String = letters.by_ref().take(ERRMSG_MAX).collect();
    match letters.next() {
        Some(next) if next.is_ascii_graphic() => kept.trim_end_matches(|c: char| c.is_ascii_graphic()).to_owned(),
        _ => kept,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read_plain(status: u16, body: &str) -> Result<Answer, Error> {
        read("user/info", status, body.as_bytes(), std::iter::empty())
    }

    #[test]
    fn a_long_text_is_cut_between_words() {
        let long = |word: &str| printable(&format!("{}{word}", "no ".repeat(165)));
        assert_eq!(long("secret-of-another-account"), "no ".repeat(165), "no half of it");
        assert_eq!(long("short"), format!("{}short", "no ".repeat(165)), "500 letters fit");
        assert_eq!(printable(&"错".repeat(600)), "错".repeat(500));
        assert_eq!(printable("a\u{85}b\u{1b}c"), "a b c");
    }

    #[test]
    fn the_tail_of_an_errmsg_comes_off() {
        let cases = [
            ("invalid appid rid: 5f1e2d3c-4b5a6978-8796a5b4", "invalid appid", Some("5f1e2d3c-4b5a6978-8796a5b4")),
            ("invalid openid hint: [Ab_1!c]", "invalid openid", Some("Ab_1!c")),
            ("invalid openid hint: [x] rid: 5f1e-4b5a", "invalid openid", Some("5f1e-4b5a")),
            ("no such rid: it is not here", "no such rid: it is not here", None),
            (
                "not allow to access from your ip, hint: [1700000000000000000], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=60020",
                "not allow to access from your ip, from ip: 203.0.113.7",
                Some("1700000000000000000"),
            ),
            ("invalid webhook url, hint: [17]", "invalid webhook url", Some("17")),
            ("ok", "ok", None),
            ("", "", None),
        ];
        for (errmsg, text, rid) in cases {
            assert_eq!(split_tail(errmsg), (text.into(), rid.map(str::to_owned)), "{errmsg}");
        }
    }

    #[test]
    fn an_absent_errcode_is_0_and_a_text_is_read() {
        assert_eq!(read_plain(200, "{}").unwrap().errcode, 0);
        assert_eq!(read_plain(200, r#"{"errcode":"40003"}"#).unwrap().errcode, 40003);
        assert_eq!(read_plain(400, r#"{"errcode":40003}"#).unwrap().errcode, 40003);
    }

    #[test]
    fn what_is_not_the_platform_s_pauses_the_account() {
        let cases = [
            (200, "<html>", "HTML instead of JSON (HTTP 200); a proxy or captive portal?"),
            (200, "  ", "an empty body"),
            (200, "[1]", "no JSON object"),
            (200, "login please", "no JSON object"),
            (302, "", "a redirect (HTTP 302)"),
            (403, "{}", "HTTP 403 and no errcode"),
            (503, r#"{"errcode":0}"#, "HTTP 503"),
        ];
        for (status, body, says) in cases {
            let e = read_plain(status, body).unwrap_err();
            assert!(e.what.en.contains(says), "{status} {body}: {}", e.what.en);
            assert_eq!(e.kind.exit_code(), 69, "{status} {body}");
            assert_eq!(e.then, Then::Pause { after: GATEWAY_PAUSE, whole_account: true });
        }
    }

    #[test]
    fn one_odd_reply_costs_the_item_a_try_and_not_the_account() {
        for (body, says) in
            [("{\"errcode\":0", "JSON that is broken or cut short"), (r#"{"errcode":{}}"#, "no usable errcode")]
        {
            let e = read_plain(200, body).unwrap_err();
            assert!(e.what.en.contains(says), "{body}: {}", e.what.en);
            assert_eq!((e.kind.exit_code(), e.then), (69, Then::Again), "{body}");
        }
    }

    #[test]
    fn control_characters_and_broken_utf8_do_not_hide_a_follower() {
        let answer: Answer = read("user/info", 200, b"{\"remark\":\"a\x02b\xffc\"}", std::iter::empty()).unwrap();
        assert_eq!(answer.text("remark"), Some("a b\u{fffd}c"));
    }

    #[test]
    fn a_quoted_secret_is_masked_and_a_line_break_can_t_forge_a_log_line() {
        let secret = Secret::new("CANARY");
        let body = br#"{"errcode":40066,"errmsg":"invalid url ?access_token=CANARY\nERROR forged"}"#;
        let answer: Answer = read("user/info", 200, body, [&secret].into_iter()).unwrap();
        assert_eq!(answer.errmsg, "invalid url ?access_token=*** ERROR forged");
    }
}
