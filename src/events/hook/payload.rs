//! What a hook is told: JSON as Standard Webhooks recommend it, `type`, `timestamp`, `data`. Ids are text, and so is
//! every field of the message, as WeChat wrote it.

use crate::domain::event::{Element, Kind};
use crate::domain::hook::PERSON_ERASED;
use crate::store::{Delivery, Matter};
use crate::wire;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// A delivery as it goes out.
#[derive(Debug)]
pub(super) struct Payload {
    /// The same in every try and every replay: a receiver knows a repetition by it.
    pub id: String,
    /// The event's kind, or `person.erased`.
    pub kind: &'static str,
    /// The JSON.
    pub body: String,
}

/// Why there is nothing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Nothing {
    /// The person was erased.
    Erased,
    /// The event was deleted.
    Gone,
    /// The stored message can't be read.
    Unreadable(&'static str),
}

/// What goes out for a delivery to this hook.
pub(super) fn of(hook: &str, delivery: &Delivery) -> Result<Payload, Nothing> {
    let Delivery { id, account, openid, created_at, .. } = delivery;
    let (event, kind, raw, key, happened, received) = match &delivery.of {
        Matter::Nothing => return Err(Nothing::Gone),
        Matter::Erasure => {
            let data = json!({ "account": account, "openid": openid });
            let id = format!("erased_{}_{id}_{hook}", created_at.timestamp_millis());
            return Ok(payload(id, PERSON_ERASED, created_at, data));
        }
        Matter::Event { id, kind, raw, key, happened, received } => (id, *kind, raw, key, happened, received),
    };
    let mut data = json!({
        "id": event.to_string(),
        "account": account,
        "openid": openid,
        "received_at": time(received),
    });
    match raw {
        Some(raw) => {
            let read =
                wire::message::read(kind.platform(), raw).map_err(|reason| Nothing::Unreadable(reason.as_str()))?;
            data["message"] = value(&read.root);
        }
        // That somebody left is all that is kept of them, here too.
        None if kind == Kind::named("event.unsubscribe") => {}
        None => return Err(Nothing::Erased),
    }
    // CreateTime and 16 bytes of the keyed hash: no other callback has them, here or elsewhere.
    let key = crate::domain::hex::hex(&key[..key.len().min(20)]);
    Ok(payload(format!("evt_{key}_{hook}"), kind.as_str(), happened, data))
}

fn payload(id: String, kind: &'static str, at: &DateTime<Utc>, data: Value) -> Payload {
    let body = json!({ "type": kind, "timestamp": time(at), "data": data }).to_string();
    Payload { id, kind, body }
}

fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A leaf is its text, a branch an object; what stands several times is a list.
fn value(element: &Element) -> Value {
    if element.children.is_empty() {
        return Value::from(element.text.as_str());
    }
    let mut fields = Map::new();
    for child in &element.children {
        let value = value(child);
        match fields.get_mut(&child.name) {
            None => drop(fields.insert(child.name.clone(), value)),
            Some(Value::Array(list)) => list.push(value),
            Some(one) => *one = Value::Array(vec![one.take(), value]),
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const RAW: &str = "<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1700000000</CreateTime>\
        <MsgType>event</MsgType><Event>pic_weixin</Event><SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum>\
        </item><item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo></xml>";

    fn delivery(kind: &str, raw: Option<&str>) -> Delivery {
        let at = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let of = Matter::Event {
            id: 17,
            kind: Kind::named(kind),
            raw: raw.map(str::to_owned),
            key: (0..32).collect(),
            happened: at,
            received: at,
        };
        Delivery { id: 3, lease: 1, of, account: "main".into(), openid: "o1".into(), attempt: 1, created_at: at }
    }

    #[test]
    fn an_event_is_told_whole() {
        let told = of("crm", &delivery("event.pic_weixin", Some(RAW))).unwrap();
        assert_eq!(told.id, "evt_000102030405060708090a0b0c0d0e0f10111213_crm");
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(body["type"], "event.pic_weixin");
        assert_eq!(body["timestamp"], "2023-11-14T22:13:20.000Z");
        assert_eq!(body["data"]["id"], "17");
        let items = &body["data"]["message"]["SendPicsInfo"]["PicList"]["item"];
        assert_eq!(*items, json!([{ "PicMd5Sum": "a" }, { "PicMd5Sum": "b" }]));
    }

    #[test]
    fn of_who_was_erased_only_the_leaving_is_told() {
        assert_eq!(of("crm", &delivery("message.text", None)).unwrap_err(), Nothing::Erased);
        let told = of("crm", &delivery("event.unsubscribe", None)).unwrap();
        let body: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(body["data"]["openid"], "o1");
        assert!(body["data"].get("message").is_none(), "{body}");
        assert_eq!(of("crm", &delivery("message.text", Some("<xml>"))).unwrap_err(), Nothing::Unreadable("xml"));
    }
}
