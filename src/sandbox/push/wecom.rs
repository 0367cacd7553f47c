//! WeCom's pushes: always sealed, with one signature that covers what is sealed (WeCom reference 5).

use super::envelope::{self, Envelope};
use super::events::{self, Facts, From, Kind};
use super::fields;
use super::letter::{ID_BITS, Letter};
use super::order::{Break, Order};
use super::xml::{self, Node, inside, number, text};
use crate::error::Result;
use crate::sandbox::account::{Account, Kind as AccountKind};
use crate::sandbox::world::House;

/// Who speaks where no member does.
const SYSTEM: &str = "sys";
/// Members that write of themselves, in turn.
const MEMBERS: [&str; 4] = ["ZhangSan", "li.si", "wang_wu", "zhao-liu@corp"];

const fn message(name: &'static str, msg_type: &'static str, weight: u64, fields: fn(&Facts) -> Vec<Node>) -> Kind {
    Kind { name, msg_type, event: None, from: From::Person, weight, fields }
}

const fn event(name: &'static str, event: &'static str, from: From, fields: fn(&Facts) -> Vec<Node>) -> Kind {
    Kind { name, msg_type: "event", event: Some(event), from, weight: 5, fields }
}

/// All kinds of WeCom.
pub const KINDS: &[Kind] = &[
    message("text", "text", 60, fields::words),
    message("image", "image", 10, fields::image),
    message("voice", "voice", 5, fields::voice),
    message("video", "video", 2, fields::video),
    message("location-message", "location", 3, fields::place),
    message("link", "link", 2, fields::link),
    event("subscribe", "subscribe", From::Person, fields::empty_key),
    event("unsubscribe", "unsubscribe", From::Person, fields::empty_key),
    event("enter-agent", "enter_agent", From::Person, fields::empty_key),
    event("location", "LOCATION", From::Person, fields::position),
    event("click", "click", From::Person, fields::menu_key),
    event("view", "view", From::Person, link_of_a_menu),
    event("template-card", "template_card_event", From::Person, card),
    event("template-card-menu", "template_card_menu_event", From::Person, card),
    event("change-contact", "change_contact", From::System, new_member),
    event("batch-job-result", "batch_job_result", From::System, job),
    event("change-external-contact", "change_external_contact", From::System, new_customer),
    event("unknown", "event_of_tomorrow", From::System, fields::empty_key),
];

/// The kind of a name, as [`events::named`] finds it.
pub fn named(name: &str) -> Option<&'static Kind> {
    events::named_of(KINDS, name.strip_prefix("wecom.").unwrap_or(name))
}

/// Whether this URL is where a WeCom application's callbacks arrive.
pub fn is_door(to: &str) -> bool {
    reqwest::Url::parse(to).is_ok_and(|url| url.path().starts_with("/wecom/"))
}

/// Makes the next push of an application.
pub fn write(house: &House, order: &Order, kind: &'static Kind, now_ms: i64) -> Letter {
    let serial = house.next_push();
    let member = order.openid.clone().unwrap_or_else(|| MEMBERS[serial as usize % MEMBERS.len()].to_owned());
    let from = if kind.from == From::System { SYSTEM.to_owned() } else { member.clone() };
    let now = now_ms.div_euclid(1000);
    let now = if kind.event.is_some() { house.moment(kind.name, &from, now) } else { now };
    let id = (now_ms << ID_BITS) | (serial & ((1 << ID_BITS) - 1)) as i64;
    let facts = Facts { serial, id, openid: &member, app_id: &house.account.app_id, now };
    let mut nodes = vec![
        text("ToUserName", house.account.app_id.as_str()),
        text("FromUserName", from.as_str()),
        number("CreateTime", now),
        text("MsgType", kind.msg_type),
    ];
    nodes.extend(kind.event.map(|event| text("Event", event)));
    nodes.extend((kind.fields)(&facts));
    // What is of the address book names no application.
    if let AccountKind::Wecom { agent_id } = house.account.kind
        && kind.from == From::Person
    {
        nodes.push(number("AgentID", agent_id));
    }
    order.set.iter().for_each(|(path, value)| xml::set(&mut nodes, path, value));
    Letter { event: kind.name, from, openid: member, nodes }
}

/// Seals a letter at a time (seconds since 1970), with a nonce and salt of its own. Of the two signatures that may be
/// damaged there is one.
pub fn seal(account: &Account, letter: &Letter, now: i64, damage: Option<Break>) -> Result<Envelope> {
    let clear = xml::document(&letter.nodes);
    let sealed = envelope::encrypt(account, &clear, damage)?;
    let (timestamp, nonce) = (now.to_string(), envelope::nonce());
    let mut signature = crate::sandbox::crypto::sign(&[account.token.reveal(), &timestamp, &nonce, &sealed]);
    if matches!(damage, Some(Break::Signature | Break::MsgSignature)) {
        envelope::turn(&mut signature);
    }
    let agent = match account.kind {
        AccountKind::Wecom { agent_id } => agent_id.to_string(),
        _ => String::new(),
    };
    let [to, agent, sealed] = [&account.app_id, &agent, &sealed].map(|text| xml::cdata(text));
    let body = format!("<xml><ToUserName>{to}</ToUserName><AgentID>{agent}</AgentID><Encrypt>{sealed}</Encrypt></xml>");
    let body = if damage == Some(Break::Truncate) { envelope::half(body) } else { body };
    Ok(Envelope { query: vec![("msg_signature", signature), ("timestamp", timestamp), ("nonce", nonce)], body })
}

fn link_of_a_menu(_: &Facts) -> Vec<Node> {
    vec![text("EventKey", "https://example.com/?a=1&b=2")]
}

fn card(facts: &Facts) -> Vec<Node> {
    vec![
        text("EventKey", "key111"),
        text("TaskId", format!("task-{}", facts.serial)),
        text("CardType", "text_notice"),
        text("ResponseCode", format!("code-{:x}", facts.id)),
    ]
}

fn new_member(facts: &Facts) -> Vec<Node> {
    let serial = facts.serial;
    vec![
        text("ChangeType", "create_user"),
        text("UserID", format!("member{serial}")),
        text("Name", "张三"),
        text("Department", "1,2"),
    ]
}

fn job(facts: &Facts) -> Vec<Node> {
    let about = vec![
        text("JobId", format!("job-{}", facts.serial)),
        text("JobType", "sync_user"),
        number("ErrCode", 0),
        text("ErrMsg", "ok"),
    ];
    vec![inside("BatchJob", about)]
}

fn new_customer(facts: &Facts) -> Vec<Node> {
    vec![
        text("ChangeType", "add_external_contact"),
        text("UserID", facts.openid),
        text("ExternalUserID", format!("wmSandbox{:016x}", facts.serial)),
        text("State", "wxops"),
    ]
}
