//! What holds for every input: what is sealed can be opened, and nothing from outside makes a panic.
#![allow(clippy::unwrap_used)]

use super::query::Query;
use super::reason::{Reason, Refusal};
use super::{dedupe, envelope, push, signature, write, xml};
use crate::domain::account::{Access, AesKey, Mode, Official, Platform};
use crate::domain::event::Element;
use crate::domain::secret::Secret;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const KEY: &str = "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o";
const NOW: i64 = 1_735_660_800;

fn account(mode: Mode, tokens: &[&str]) -> Official {
    Official {
        access: Access::new(Platform::Official, "main", "wx0123456789abcdef", ""),
        tokens: tokens.iter().copied().map(Secret::new).collect(),
        aes_keys: vec![AesKey::parse(KEY).unwrap()],
        mode,
        original_id: None,
        replies: Default::default(),
    }
}

/// A query signed by `token`; of an encrypted push when `encrypt` is given.
fn query(token: &str, encrypt: Option<&str>) -> String {
    let token = Secret::new(token);
    let time = NOW.to_string();
    let query = format!("signature={}&timestamp={time}&nonce=n", signature::sign(&token, &[&time, "n"]));
    encrypt.map_or(query.clone(), |encrypt| {
        let signed = signature::sign(&token, &[&time, "n", encrypt]);
        format!("{query}&encrypt_type=aes&msg_signature={signed}")
    })
}

/// A message with the fields that every push has, and one more.
fn message(extra: &str) -> String {
    format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>{NOW}</CreateTime>\
         <MsgType>event</MsgType>{extra}</xml>"
    )
}

fn accept_clear(text: &str) -> Result<push::Accepted, Refusal> {
    push::accept(&account(Mode::Plain, &["t"]), &query("t", None), text.as_bytes(), NOW, None)
}

fn reason(text: &str) -> Option<&'static str> {
    accept_clear(text).err().map(|refusal| refusal.reason.as_str())
}

proptest! {
    #[test]
    fn sealed_is_opened(text in any::<String>(), appid in "[a-z0-9]{0,40}", random in any::<[u8; 16]>()) {
        let key = AesKey::parse(KEY).unwrap();
        let sealed = envelope::seal(&key, &appid, &random, &text);
        prop_assert_eq!(envelope::open(&key, &appid, &sealed), Ok(text));
        let other = appid + "x";
        prop_assert!(envelope::open(&key, &other, &sealed).is_err());
    }

    #[test]
    fn written_is_read(text in any::<String>()) {
        let document = write::Document::new().group("Outer", |inner| inner.text("Leaf", &text)).finish();
        let root = xml::parse(document.as_bytes()).unwrap();
        let legal = |c| if xml::is_xml_char(c) { c } else { '\u{fffd}' };
        let expected = text.chars().map(legal).collect::<String>().replace("\r\n", "\n").replace('\r', "\n");
        prop_assert_eq!(root.child("Outer").unwrap().text_of("Leaf"), Some(expected.as_str()));
    }

    #[test]
    fn no_bytes_make_a_panic(bytes in any::<Vec<u8>>(), text in any::<String>(), code in "[A-Za-z0-9+/=]{0,200}") {
        let key = AesKey::parse(KEY).unwrap();
        let _ = xml::parse(&bytes);
        let _ = Query::read(&text);
        let _ = envelope::open(&key, "wx", &text);
        let _ = envelope::open(&key, "wx", &code);
        let account = account(Mode::Secure, &["t"]);
        let body = write::sealed_push("gh_1", &code);
        let _ = push::accept(&account, &query("t", Some(&code)), body.as_bytes(), NOW, None);
        let _ = push::accept(&account, &text, &bytes, i64::MIN, Some(i64::MIN));
        let _ = push::handshake(&account, &text, i64::MAX, Some(1));
    }

    #[test]
    fn no_markup_makes_a_panic(text in r#"(<|>|/|&|;|#|!|\?|-|\[|\]|CDATA|DOCTYPE|xml|a|"|'|=| |<a>|</a>|<xml>){0,40}"#) {
        let _ = xml::parse(text.as_bytes());
        let _ = xml::parse(format!("<xml>{text}</xml>").as_bytes());
    }

    #[test]
    fn a_changed_letter_is_refused(at in 0usize..64, flip in 1u8..=255) {
        let key = AesKey::parse(KEY).unwrap();
        let sealed = envelope::seal(&key, "wx0123456789abcdef", &[7; 16], &message(""));
        let (query, mut body) = (query("t", Some(&sealed)), write::sealed_push("gh_1", &sealed).into_bytes());
        let start = body.len() - 40 - 64;
        body[start + at] ^= flip;
        prop_assert!(push::accept(&account(Mode::Secure, &["t"]), &query, &body, NOW, None).is_err());
    }
}

#[test]
fn different_pushes_have_different_bytes() {
    let mut seen = Vec::new();
    for extra in [
        "",
        "<a/>",
        "<ab/>",
        "<a>b</a>",
        "<a><b/></a>",
        "<a/><b/>",
        "<b/><a/>",
        "<a><b/><c/></a>",
        "<a><b><c/></b></a>",
        "<a><b/></a><c/>",
        "<a>1</a><b>2</b>",
        "<a>12</a><b/>",
        "<a><i>1</i><i>2</i></a>",
        "<a><i>12</i><i/></a>",
    ] {
        let bytes = dedupe::dedupe_message("main", &push::read(&message(extra)).unwrap());
        assert!(!seen.contains(&bytes), "{extra}");
        seen.push(bytes);
    }
}

#[test]
fn a_message_is_known_by_its_id_if_it_has_one() {
    let bytes = |extra: &str| {
        let text = message(extra).replace("<MsgType>event", "<MsgType>text");
        dedupe::dedupe_message("main", &push::read(&text).unwrap())
    };
    assert_eq!(bytes("<MsgId>7345678901234567890</MsgId><a/>"), bytes("<MsgId>7345678901234567890</MsgId><b/>"));
    assert_ne!(bytes("<MsgId>1</MsgId>"), bytes("<MsgId>2</MsgId>"));
    for no_id in ["", "<MsgId/>", "<MsgId>x</MsgId>", "<MsgId>123456789012345678901</MsgId>"] {
        assert_ne!(bytes(&format!("{no_id}<a/>")), bytes(&format!("{no_id}<b/>")), "{no_id}");
    }
}

#[test]
fn a_previous_token_and_key_still_work() {
    let account = account(Mode::Secure, &["new", "old"]);
    let sealed = envelope::seal(&account.aes_keys[0], &account.app_id, &[7; 16], &message(""));
    let body = write::sealed_push("gh_1", &sealed);
    for (token, previous) in [("new", false), ("old", true)] {
        let accepted = push::accept(&account, &query(token, Some(&sealed)), body.as_bytes(), NOW + 301, None).unwrap();
        assert_eq!((accepted.previous_token, accepted.skew), (previous, Some(301)));
    }
    let twice = [Secret::new("t"), Secret::new("t")];
    let signed = signature::sign(&twice[0], &["1", "n"]);
    assert_eq!(signature::find(&twice, &["1", "n"], &signed), Some(0), "the current one, when both are the same");
    let other = push::accept(&account, &query("x", Some(&sealed)), body.as_bytes(), NOW, None);
    assert_eq!(other, Err(Refusal::unsigned(Reason::Signature)));
}

#[test]
fn both_signatures_must_be_of_one_token() {
    let account = account(Mode::Secure, &["new", "old"]);
    let sealed = envelope::seal(&account.aes_keys[0], &account.app_id, &[7; 16], &message(""));
    let mixed = query("new", None) + query("old", Some(&sealed)).split_once("&nonce=n").unwrap().1;
    let refused = push::accept(&account, &mixed, write::sealed_push("gh_1", &sealed).as_bytes(), NOW, None);
    assert_eq!(refused, Err(Refusal::unsigned(Reason::MsgSignature)));
}

#[test]
fn fields_are_checked() {
    let with = |from: &str, time: &str| message("").replace("o1", from).replace(&NOW.to_string(), time);
    let long = "o".repeat(65);
    assert_eq!(reason(&with("o1", "1735660800")), None);
    for (from, time) in [
        ("", "1735660800"),
        ("o 1", "1735660800"),
        ("o<a/>", "1735660800"),
        (long.as_str(), "1735660800"),
        ("o1", ""),
        ("o1", "-1"),
        ("o1", "+1735660800"),
        ("o1", " 1735660800"),
        ("o1", "1262303999"),
        ("o1", "4102444800"),
        ("o1", "99999999999999999999999"),
    ] {
        assert_eq!(reason(&with(from, time)), Some("bad_field"), "{from} {time}");
    }
    let revoked = "<Event>user_authorization_revoke</Event><OpenID>a b</OpenID>";
    assert_eq!(reason(&message(revoked)), Some("bad_field"), "the person is OpenID there");
    assert_eq!(reason("<xml><CreateTime>1</CreateTime></xml>"), Some("missing_field"));
}

#[test]
fn a_plain_account_refuses_what_looks_encrypted() {
    assert_eq!(reason(&message("<Encrypt>x</Encrypt>")), Some("no_key"));
}

#[test]
fn queries_are_read_strictly() {
    let read = |query: &str| Query::read(query).map(|query| query.nonce.into_owned());
    let good = "signature=s&timestamp=1&nonce=";
    assert_eq!(read(&format!("{good}a+b%2B%e4%bd%a0")), Ok("a+b+你".into()));
    for bad in ["", "%", "%2", "%zz", "%+1", "%ff"] {
        assert_eq!(read(&format!("{good}{bad}")), Err(Reason::MissingParameter), "{bad}");
    }
    assert_eq!(read(&format!("{good}n&%6eonce=n")), Err(Reason::DuplicateParameter));
    assert_eq!(read(&format!("{good}n&openid=1&openid=2&x=%")), Ok("n".into()));
    for bad in ["-1", "1.0", "99999999999999999999", "%31x"] {
        assert_eq!(read(&format!("signature=s&timestamp={bad}&nonce=n")), Err(Reason::Timestamp), "{bad}");
    }
}

#[test]
fn broken_documents_are_refused() {
    for text in [
        "<xml><a>",
        "<xml></a></xml>",
        "<xml>&</xml>",
        "<xml>&#0;</xml>",
        "<xml>&#x1F;</xml>",
        "<xml>&#+65;</xml>",
        "<xml>&#xD800;</xml>",
        "<xml>&#;</xml>",
        "<xml>&unknown;</xml>",
        "<xml>]]></xml>",
        "<xml a></xml>",
        "<xml a='1' a='2'/>",
        "<xml a='<'/>",
        "<xml a='&x;'/>",
        "<xml><a/b></xml>",
        "<xml><1/></xml>",
        "<xml><!-- a -- b --></xml>",
        "<xml/>x",
        "<xml/><![CDATA[ ]]>",
        "<xml/>&#32;",
        " <?xml version='1.0'?><xml/>",
        "<?xml version='1.0' encoding='gbk'?><xml/>",
        "<xml><?1 ?></xml>",
        "\u{feff}\u{feff}<xml/>",
        "<xml>\u{ffff}</xml>",
    ] {
        assert_eq!(xml::parse(text.as_bytes()), Err(Reason::Xml), "{text}");
    }
    for text in ["<!DOCTYPE", "<!DOCTYPE>", "<!doctype xml><xml/>", "<xml><!DOCTYPE a></xml>", "<xml/><!DOCTYPE a>"] {
        assert_eq!(xml::parse(text.as_bytes()), Err(Reason::Doctype), "{text}");
    }
    assert_eq!(xml::parse(b"<xml>\xff</xml>"), Err(Reason::Xml));
}

#[test]
fn text_is_kept_as_sent() {
    let root = xml::parse(
        b"<xml>\n<a> x&lt;<![CDATA[&lt;]]> &#20320;\r\n</a>\n<b> \n</b><c><d/> \n</c><e/><f>x<d/></f></xml>",
    )
    .unwrap();
    let text = |name: &str| root.text_of(name).unwrap();
    assert_eq!((text("a"), text("b"), text("c"), text("e")), (" x<&lt; 你\n", " \n", "", ""));
    assert_eq!((root.text.as_str(), text("f")), ("", "x"));
    assert_eq!(root.child("c").unwrap().children, [Element { name: "d".into(), ..Element::default() }]);
}

/// Documents that are meant to cost much: each ends soon, whatever it says.
#[test]
fn hostile_documents_end_soon() {
    let fill = |part: &str| part.repeat(xml::MAX_BYTES / part.len() - 4);
    let numbered: String = (0..20_000).map(|n| format!(" a{n}=''")).collect();
    let entities: String = (0..5_000).map(|n| format!("<!ENTITY a{n} '&a{n};&a{n};'>")).collect();
    for (text, expected) in [
        (format!("<xml{}/>", fill(" a=''")), Reason::Xml),
        (format!("<xml{numbered}/>"), Reason::Xml),
        (format!("<!DOCTYPE xml [{entities}"), Reason::Doctype),
        (format!("<!DOCTYPE {}", fill("[<!--")), Reason::Doctype),
        (fill("<xml>"), Reason::Xml),
        (fill("<!---->"), Reason::Xml),
        (fill("<!--"), Reason::Xml),
        (fill("<![CDATA["), Reason::Xml),
        (format!("<xml>{}</xml>", fill("<a/>")), Reason::Xml),
        (format!("<xml>{}", fill("&amp;")), Reason::Xml),
        (format!("<xml>{}", fill("<!---->a")), Reason::Xml),
        ("x".repeat(xml::MAX_BYTES + 1), Reason::TooLarge),
    ] {
        let start = Instant::now();
        assert_eq!(xml::parse(text.as_bytes()), Err(expected), "{}", &text[..20]);
        assert!(start.elapsed() < Duration::from_secs(2), "{}", &text[..20]);
    }
    let many: String = (0..1_990).map(|n| format!("<a{n}/>")).collect();
    assert!(accept_clear(&message(&many)).is_ok());
}

#[test]
fn every_reason_has_a_name_and_a_hint() {
    let names: Vec<&str> = Reason::all().map(Reason::as_str).collect();
    let list = "signature msg_signature timestamp stale missing_parameter duplicate_parameter encrypt_type no_key \
                downgrade decrypt appid foreign_account doctype xml duplicate_field missing_field bad_field \
                too_large slow unknown_account";
    assert_eq!(names.join(" "), list.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(Reason::all().all(|reason| !reason.hint().en.is_empty() && !reason.hint().zh.is_empty()));
}
