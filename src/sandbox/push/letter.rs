//! A push before it is sealed: whom it concerns, what it says, and what it changes among the followers.

use super::events::{Facts, From, Kind};
use super::order::Order;
use super::xml::{self, Node, number, text};
use crate::sandbox::noise::Noise;
use crate::sandbox::world::{House, lock};

/// Bits of a message id below the milliseconds.
pub const ID_BITS: u32 = 20;

/// The clear message.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its kind's name.
    pub event: &'static str,
    /// FromUserName.
    pub from: String,
    /// The person it concerns.
    pub openid: String,
    /// The elements below `xml`.
    pub nodes: Vec<Node>,
}

/// Makes the next push of an account and lets it happen there: who follows from now on is what user/info
/// answers from now on.
pub fn write(house: &House, order: &Order, kind: &'static Kind, noise: &mut Noise, now_ms: i64) -> Letter {
    let serial = house.next_push();
    let openid = match &order.openid {
        Some(openid) => openid.clone(),
        None => somebody(house, kind, noise),
    };
    let system = lock(&house.people).system();
    let from = if kind.from == From::System { system } else { openid.clone() };
    let name = kind.event.unwrap_or(kind.msg_type);
    let now = now_ms.div_euclid(1000);
    // Messages have an id to be told apart by; events need a second of their own.
    let now = if kind.event.is_some() { house.moment(name, &from, now) } else { now };
    let id = (now_ms << ID_BITS) | (serial & ((1 << ID_BITS) - 1)) as i64;
    let facts = Facts { serial, id, openid: &openid, app_id: &house.account.app_id, now };
    let mut nodes = vec![
        text("ToUserName", house.account.original_id.as_str()),
        text("FromUserName", from.as_str()),
        number("CreateTime", now),
        text("MsgType", kind.msg_type),
    ];
    nodes.extend(kind.event.map(|event| text("Event", event)));
    nodes.extend((kind.fields)(&facts));
    order.set.iter().for_each(|(path, value)| xml::set(&mut nodes, path, value));
    let letter = Letter { event: kind.name, from, openid, nodes };
    happen(house, &letter, now);
    letter
}

/// Who it happens to: somebody new follows, any follower does the rest.
fn somebody(house: &House, kind: &Kind, noise: &mut Noise) -> String {
    let mut people = lock(&house.people);
    let known = if kind.event == Some("subscribe") { None } else { people.pick(noise.draw()) };
    known.unwrap_or_else(|| people.newcomer())
}

fn happen(house: &House, letter: &Letter, now: i64) {
    let mut people = lock(&house.people);
    let event = xml::text_of(&letter.nodes, "Event").unwrap_or_default();
    match event {
        "subscribe" => {
            let key = xml::text_of(&letter.nodes, "EventKey").unwrap_or_default();
            people.follow(&letter.openid, now, key.strip_prefix("qrscene_").map(str::to_owned));
        }
        "unsubscribe" | "user_authorization_cancellation" => people.unfollow(&letter.openid),
        // Who writes to an account follows it, unless it is known that they left.
        _ if !people.has_met(&letter.openid) => people.follow(&letter.openid, now, None),
        _ => {}
    }
}
