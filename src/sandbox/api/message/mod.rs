//! POST /cgi-bin/message/send and recall: what an app of WeCom tells its people (WeCom reference 3, 3.1).

pub mod content;

use super::call::Call;
use crate::sandbox::account::Kind;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::office::{LONGEST_CHECK_MS, Order, To};
use crate::sandbox::world::{House, World, lock};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The paths: what answers there speaks WeCom's way.
pub const SEND: &str = "/cgi-bin/message/send";
/// Takes a message back.
pub const RECALL: &str = "/cgi-bin/message/recall";

/// Everybody in the app's sight.
const EVERYBODY: &str = "@all";
/// Userids, parties and tags of one message at most, and what more of them is.
const USERS: (usize, i64) = (1000, 40032);
const PARTIES: (usize, i64) = (100, 82002);
const TAGS: (usize, i64) = (100, 82003);
/// How far the duplicate check looks back unless told.
const CHECK_MS: i64 = 1_800_000;

/// Takes a message, and answers as the platform does whether or not it arrives.
pub fn send(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let message = object(call)?;
    let own = match house.account.kind {
        Kind::Wecom { agent_id } => agent_id,
        _ => return refuse(40014),
    };
    check_agent(message.get("agentid"), own)?;
    let said = content::said(&message, lock(&house.callback).is_some())?;
    let to = recipients(&message)?;
    if to == To::Everybody && said.msgtype == "miniprogram_notice" {
        return Err(Refusal::said(40058, "miniprogram_notice not support @all"));
    }
    let interactive = said.interactive;
    let order = Order {
        account: &house.account.name,
        to: &to,
        said,
        body: &call.body,
        check_ms: check(&message)?,
        now_ms: world.clock.now_ms(),
        at_ms: call.at_ms,
    };
    let taken = lock(&world.office).take(order)?;
    let mut answer = Map::new();
    answer.insert("errcode".into(), 0.into());
    answer.insert("errmsg".into(), "ok".into());
    answer.extend(taken.left_out.named().into_iter().map(|(name, ids)| (name.to_owned(), ids.into())));
    if interactive {
        answer.insert("response_code".into(), format!("RC-{}", taken.msgid).into());
    }
    answer.insert("msgid".into(), taken.msgid.into());
    Ok(Value::from(answer).to_string())
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    msgid: String,
}

/// Takes a message of the same app back, within a day.
pub fn recall(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Which { msgid } = serde_json::from_slice(&call.body).map_err(|_| Refusal::of(40058))?;
    if msgid.is_empty() {
        return refuse(40063);
    }
    lock(&world.office).recall(&msgid, &house.account.name, world.clock.now_ms())?;
    Ok(r#"{"errcode":0,"errmsg":"ok"}"#.to_owned())
}

/// The body: 40063 when empty, 40058 when it is no JSON object.
fn object(call: &Call) -> Result<Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return refuse(40063);
    }
    serde_json::from_slice(&call.body).or_else(|_| refuse(40058))
}

/// An integer, and of the app that the token is of.
fn check_agent(agentid: Option<&Value>, own: u32) -> Result<(), Refusal> {
    match agentid {
        None | Some(Value::Null) => refuse(41011),
        Some(id) => match id.as_i64() {
            None => refuse(40056),
            Some(id) if id != i64::from(own) => refuse(301002),
            Some(_) => Ok(()),
        },
    }
}

fn recipients(message: &Map<String, Value>) -> Result<To, Refusal> {
    if message.get("touser").and_then(Value::as_str).map(str::trim) == Some(EVERYBODY) {
        return Ok(To::Everybody);
    }
    let (users, parties, tags) =
        (list(message, "touser", USERS)?, list(message, "toparty", PARTIES)?, list(message, "totag", TAGS)?);
    if users.is_empty() && parties.is_empty() && tags.is_empty() {
        return refuse(82001);
    }
    Ok(To::Some { users, parties, tags })
}

/// What a text joins by `|`; 40058 where it is no text.
fn list(message: &Map<String, Value>, name: &str, (most, too_many): (usize, i64)) -> Result<Vec<String>, Refusal> {
    let text = match message.get(name) {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(Refusal::said(40058, format!("invalid Request Parameter: {name}"))),
    };
    let ids: Vec<_> = text.split('|').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if ids.len() > most { refuse(too_many) } else { Ok(ids) }
}

/// How far the duplicate check looks back, where it is asked for. The documents name a most and not what
/// more is: 40058 (choice), so that a client's mistake is seen.
fn check(message: &Map<String, Value>) -> Result<Option<i64>, Refusal> {
    let wrong = |name: &str| Err(Refusal::said(40058, format!("invalid Request Parameter: {name}")));
    match message.get("enable_duplicate_check").map_or(Some(0), Value::as_i64) {
        Some(0) => return Ok(None),
        Some(1) => {}
        _ => return wrong("enable_duplicate_check"),
    }
    match message.get("duplicate_check_interval").map_or(Some(0), Value::as_i64) {
        Some(0) => Ok(Some(CHECK_MS)),
        Some(seconds) if (1..=LONGEST_CHECK_MS / 1000).contains(&seconds) => Ok(Some(seconds * 1000)),
        _ => wrong("duplicate_check_interval"),
    }
}
