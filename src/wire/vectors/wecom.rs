//! WeCom's callbacks.

use super::{list, load_file, reasons, s};
use crate::domain::account::{Access, AesKey, Platform, WeCom};
use crate::domain::event::Kind;
use crate::domain::secret::Secret;
use crate::wire::push::Accepted;
use crate::wire::reason::{Reason, Refusal};
use crate::wire::{envelope, message, signature, wecom, write};
use serde_json::{Value, json};

/// The time of the vectors.
const NOW: i64 = 1_735_660_802;
const TIME: &str = "1735660800";
const NONCE: &str = "1372623149";
const RANDOM: &[u8; 16] = b"0123456789abcdef";
/// A key that is not the account's.
const OTHER_KEY: &str = "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o";

fn vectors() -> Value {
    load_file("wecom_callback")
}

fn account() -> WeCom {
    let vectors = vectors();
    let mut access = Access::new(Platform::WeCom, "crm", s(&vectors, "receive_id"), "http://127.0.0.1:9");
    access.agent_id = Some(1_000_002);
    WeCom {
        access,
        tokens: vec![Secret::new(s(&vectors, "token"))],
        aes_keys: vec![AesKey::parse(s(&vectors, "encoding_aes_key")).unwrap()],
        to_user: None,
        webhook_key: None,
    }
}

fn query(msg_signature: &str) -> String {
    format!("msg_signature={msg_signature}&timestamp={TIME}&nonce={NONCE}")
}

#[test]
fn url_check() {
    let vectors = vectors();
    let case = &vectors["verify_url"];
    let echo = |query: &str| wecom::handshake(&account(), query, NOW, Some(300));
    let blanks = s(case, "query_plus_unescaped").replace('+', "%20");
    for query in [s(case, "query"), s(case, "query_plus_unescaped"), &blanks] {
        assert_eq!(echo(query).as_deref(), Ok(s(case, "expect_body")), "{query}");
    }
    let query = s(case, "query");
    for (query, reason) in [
        (query.replace("nonce=1", "nonce=2"), Reason::MsgSignature),
        (query.replace("&nonce", "&none"), Reason::MissingParameter),
        (query.replace("msg_signature", "signature"), Reason::MissingParameter),
        (query.replace("&echostr", "&echo"), Reason::MissingParameter),
        (query.replace("timestamp=1", "timestamp=x"), Reason::Timestamp),
        (format!("{query}&echostr=1"), Reason::DuplicateParameter),
    ] {
        assert_eq!(echo(&query), Err(Refusal::unsigned(reason)), "{query}");
    }
    assert_eq!(wecom::handshake(&account(), query, NOW + 600, Some(300)), Err(Refusal::signed(Reason::Stale)));
    let mut other = account();
    other.aes_keys = vec![AesKey::parse(OTHER_KEY).unwrap()];
    assert_eq!(wecom::handshake(&other, query, NOW, None), Err(Refusal::signed(Reason::Decrypt)));
}

#[test]
fn messages() {
    let vectors = vectors();
    let cases = list(&vectors, "messages");
    let mut opened = 0;
    for case in cases {
        let (name, plain) = (s(case, "name"), case["plain"].as_str());
        let query = query(s(case, "msg_signature"));
        // A proxy of the JSON form has the same envelope.
        let outer =
            json!({ "tousername": s(&vectors, "receive_id"), "encrypt": s(case, "encrypt"), "agentid": "1000002" });
        for body in [s(case, "body"), &outer.to_string()] {
            match (s(case, "expect"), wecom::accept(&account(), &query, body.as_bytes(), NOW, Some(300))) {
                ("ok", accepted) => {
                    let Accepted { event, raw, key_index, .. } = accepted.unwrap();
                    assert_eq!((Some(raw.as_str()), key_index), (plain, Some(0)), "{name}");
                    assert_eq!((event.kind.as_str(), event.from_user.as_str()), ("wecom.message.text", "ZhangSan"));
                    assert_eq!(event.msg_id.as_deref(), event.root.text_of("MsgId"));
                    assert_eq!(message::read(event.kind.platform(), &raw), Ok(event), "{name}");
                    opened += 1;
                }
                (word, accepted) => {
                    let refusal = accepted.unwrap_err();
                    // What is decrypted to noise may have a good padding before another CorpID.
                    let either = word == "decrypt_error" && refusal.reason == Reason::Appid;
                    assert!(reasons(word).contains(&refusal.reason) || either, "{name}: {refusal:?}");
                    assert_eq!(refusal.signed, refusal.reason != Reason::MsgSignature, "{name}");
                }
            }
        }
    }
    assert_eq!((cases.len(), opened), (12, 2 * 6));
}

#[test]
fn passive_reply() {
    let vectors = vectors();
    let (reply, account) = (&vectors["passive_reply"], account());
    let random: &[u8; 16] = s(reply, "random").as_bytes().try_into().unwrap();
    let encrypt = envelope::seal(&account.aes_keys[0], &account.app_id, random, s(reply, "plain"));
    assert_eq!(encrypt, s(reply, "encrypt"));
    let parts = [s(reply, "timestamp"), s(reply, "nonce"), &encrypt];
    assert_eq!(signature::sign(&account.tokens[0], &parts), s(reply, "msg_signature"));
    assert_eq!(envelope::open(&account.aes_keys[0], &account.app_id, &encrypt).as_deref(), Ok(s(reply, "plain")));
}

/// What the platform would send of a message.
fn sealed(account: &WeCom, inner: &str) -> (String, String) {
    let encrypt = envelope::seal(&account.aes_keys[0], &account.app_id, RANDOM, inner);
    let query = query(&signature::sign(&account.tokens[0], &[TIME, NONCE, &encrypt]));
    (query, write::sealed_wecom(&account.app_id, account.agent_id, &encrypt))
}

fn accept(account: &WeCom, inner: &str) -> Result<Accepted, Refusal> {
    let (query, body) = sealed(account, inner);
    wecom::accept(account, &query, body.as_bytes(), NOW, None)
}

fn event(fields: &str) -> String {
    format!(
        "<xml><ToUserName>ww0123456789abcdef</ToUserName><FromUserName>sys</FromUserName>\
         <CreateTime>1735660800</CreateTime><MsgType>event</MsgType>{fields}</xml>"
    )
}

#[test]
fn events_have_kinds_of_their_own() {
    for (fields, kind) in [
        ("<Event>subscribe</Event>", "wecom.event.subscribe"),
        ("<Event>LOCATION</Event>", "wecom.event.location"),
        ("<Event>change_contact</Event><ChangeType>create_user</ChangeType>", "wecom.event.change_contact"),
        ("<Event>template_card_event</Event>", "wecom.event.template_card"),
        ("<Event>of_tomorrow</Event>", "wecom.unknown"),
        ("", "wecom.unknown"),
    ] {
        let event = accept(&account(), &event(fields)).unwrap().event;
        assert_eq!((event.kind.as_str(), event.kind.platform()), (kind, Platform::WeCom));
        assert_eq!(Kind::named(kind), event.kind);
    }
    // The JSON form has the same fields.
    let inner = json!({ "ToUserName": "ww0123456789abcdef", "FromUserName": "li.si@a_b-c", "CreateTime": 1_735_660_800,
        "MsgType": "text", "Content": "你好", "MsgId": 18_446_744_073_709_551_615_u64, "AgentID": 1_000_002 });
    let told = accept(&account(), &inner.to_string()).unwrap().event;
    assert_eq!((told.kind.as_str(), told.openid()), ("wecom.message.text", "li.si@a_b-c"));
    assert_eq!((told.msg_id.as_deref(), told.created), (Some("18446744073709551615"), 1_735_660_800));
}

#[test]
fn what_is_refused() {
    let text = |from: &str, agent: &str| {
        event(&format!("<Event>view</Event>{agent}")).replace("<FromUserName>sys", &format!("<FromUserName>{from}"))
    };
    for (inner, reason) in [
        (text("zhang", "<AgentID>1000003</AgentID>"), Reason::ForeignAccount),
        (text("zhang san", ""), Reason::BadField),
        (text(&"z".repeat(65), ""), Reason::BadField),
        (text("zhang", "").replace("1735660800", "12"), Reason::BadField),
        (text("zhang", "").replace("<MsgType>event</MsgType>", ""), Reason::MissingField),
        (text("zhang", "<Event>view</Event>"), Reason::DuplicateField),
        ("<xml>".into(), Reason::Xml),
        ("{\"MsgType\": ".into(), Reason::Xml),
        ("<!DOCTYPE a><xml/>".into(), Reason::Doctype),
    ] {
        assert_eq!(accept(&account(), &inner), Err(Refusal::signed(reason)), "{inner}");
    }
    // Whatever the message leaves open, the envelope's word counts.
    let mut other = account();
    other.access.agent_id = Some(7);
    let (query, body) = sealed(&account(), &text("zhang", ""));
    let refused = wecom::accept(&other, &query, body.as_bytes(), NOW, None);
    assert_eq!(refused, Err(Refusal::signed(Reason::ForeignAccount)));
    other.access.agent_id = None;
    assert!(wecom::accept(&other, &query, body.as_bytes(), NOW, None).is_ok(), "an account without a number takes all");
    // No clear text, and nothing half sealed.
    for (body, reason) in [
        (text("zhang", ""), Reason::Downgrade),
        ("{\"MsgType\":\"text\"}".into(), Reason::Downgrade),
        ("<xml><Encrypt></Encrypt></xml>".into(), Reason::Downgrade),
        (body.replace("</xml>", "<Encrypt>a</Encrypt></xml>"), Reason::DuplicateField),
        (String::new(), Reason::Xml),
        ("<xml><Encrypt>not base64!</Encrypt></xml>".into(), Reason::MsgSignature),
    ] {
        let refused = wecom::accept(&account(), &query, body.as_bytes(), NOW, None);
        assert_eq!(refused, Err(Refusal::unsigned(reason)), "{body}");
    }
    let long = vec![b' '; 256 * 1024 + 1];
    let refused = wecom::accept(&account(), &query, &long, NOW, None);
    assert_eq!(refused, Err(Refusal::unsigned(Reason::TooLarge)));
    let mut deaf = account();
    deaf.aes_keys.clear();
    assert_eq!(accept(&account(), "").map(|_| ()), Err(Refusal::signed(Reason::Xml)));
    let refused = wecom::accept(&deaf, &query, sealed(&account(), "").1.as_bytes(), NOW, None);
    assert_eq!(refused, Err(Refusal::unsigned(Reason::NoKey)));
}

#[test]
fn keys_of_before_a_change_are_told() {
    let mut changed = account();
    changed.tokens.insert(0, Secret::new("newer"));
    changed.aes_keys.insert(0, AesKey::parse(OTHER_KEY).unwrap());
    let (query, body) = sealed(&account(), &event("<Event>view</Event>"));
    let accepted = wecom::accept(&changed, &query, body.as_bytes(), NOW + 600, None).unwrap();
    assert_eq!((accepted.key_index, accepted.previous_token, accepted.skew), (Some(1), true, Some(602)));
    let stale = wecom::accept(&changed, &query, body.as_bytes(), NOW + 600, Some(300));
    assert_eq!(stale, Err(Refusal::signed(Reason::Stale)));
}
