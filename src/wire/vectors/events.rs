//! Full pushes with their fields, and hostile documents.

use super::{account, list, load, query, reasons, s};
use crate::domain::event::Element;
use crate::wire::reason::Refusal;
use crate::wire::{dedupe, envelope, push, signature, write};
use ring::hmac;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The tree as the vectors write it: names that may repeat are lists.
fn fields(element: &Element) -> Value {
    if element.children.is_empty() {
        return json!(element.text);
    }
    let mut map = Map::new();
    for child in &element.children {
        let value = fields(child);
        if !["item", "List", "fail_idx"].contains(&child.name.as_str()) {
            assert!(map.insert(child.name.clone(), value).is_none(), "{} repeats", child.name);
            continue;
        }
        let list = map.entry(child.name.clone()).or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(value);
    }
    Value::Object(map)
}

#[test]
fn events() {
    let vectors = load("events");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"installation");
    let cases = list(&vectors, "cases");
    let mut ours: HashMap<[u8; 32], &str> = HashMap::new();
    for case in cases {
        let (name, text) = (s(case, "name"), s(case, "xml"));
        let plain = push::accept(&account("plain"), &query_plain(), text.as_bytes(), NOW, Some(300)).unwrap();
        let event = &plain.event;
        assert_eq!(fields(&event.root), case["fields"], "{name}");
        assert_eq!(event.kind.as_str(), s(case, "kind"), "{name}");
        assert_eq!(event.from_user, s(&case["fields"], "FromUserName"), "{name}");
        assert_eq!(event.created.to_string(), s(&case["fields"], "CreateTime"), "{name}");
        let is_message = s(case, "dedupe_key").starts_with("msg:");
        assert_eq!(event.msg_id.is_some(), is_message, "{name}");
        let secure = sealed(text).unwrap();
        assert_eq!((&secure.event, secure.raw.as_str()), (event, text), "{name}");
        let found = dedupe::dedupe_key(&key, "main", event);
        assert_eq!(found[..4], u32::try_from(event.created).unwrap().to_be_bytes());
        assert_ne!(found, dedupe::dedupe_key(&key, "other", event), "{name}");
        let twin = ours.insert(found, s(case, "dedupe_key"));
        assert!(twin.is_none(), "{name} can't be told from {twin:?}");
    }
    assert_eq!(cases.len(), 58);
}

/// The time of the vectors.
const NOW: i64 = 1_735_660_802;

fn query_plain() -> String {
    query("wxopsToken123", "1735660800", "1372623149", None)
}

/// Seals a message as the platform would and lets the account in secure mode accept it.
fn sealed(text: &str) -> Result<push::Accepted, Refusal> {
    let account = account("secure");
    let encrypt = envelope::seal(&account.aes_keys[0], &account.app_id, b"0123456789abcdef", text);
    let given = signature::sign(&account.tokens[0], &["1735660800", "1372623149", &encrypt]);
    let query = query("wxopsToken123", "1735660800", "1372623149", Some(&given));
    push::accept(&account, &query, write::sealed_push("gh_0123456789ab", &encrypt).as_bytes(), NOW, Some(300))
}

#[test]
fn hazards() {
    let vectors = load("events");
    let cases = list(&vectors, "hazards");
    for case in cases {
        let (name, text) = (s(case, "name"), s(case, "xml"));
        let plain = push::accept(&account("plain"), &query_plain(), text.as_bytes(), NOW, Some(300));
        let secure = sealed(text);
        match s(case, "expect") {
            "accept" => assert_eq!(plain.unwrap().event, secure.unwrap().event, "{name}"),
            "reject" => {
                let (plain, secure) = (plain.unwrap_err(), secure.unwrap_err());
                assert!(reasons(s(case, "reason")).contains(&plain.reason), "{name}: {plain:?}");
                assert_eq!(plain.reason, secure.reason, "{name}");
                assert_eq!((plain.signed, secure.signed), (false, true), "{name}");
            }
            other => panic!("unknown expect {other}"),
        }
    }
    assert_eq!(cases.len(), 23);
}

/// What a Status means is not this room's to know; here it only has to arrive as it was sent.
#[test]
fn mass_status_arrives_unchanged() {
    let vectors = load("events");
    let cases = list(&vectors, "mass_status");
    for case in cases {
        let text = write::Document::new()
            .text("ToUserName", "gh_0123456789ab")
            .text("FromUserName", "oSYSTEM000000000000000000001")
            .number("CreateTime", NOW)
            .text("MsgType", "event")
            .text("Event", "MASSSENDJOBFINISH")
            .text("Status", s(case, "status"))
            .finish();
        let event = sealed(&text).unwrap().event;
        assert_eq!(event.kind.as_str(), "event.mass_finished");
        assert_eq!(event.root.text_of("Status"), Some(s(case, "status")));
    }
    assert_eq!(cases.len(), 16);
}
