//! POST /cgi-bin/webhook/send (WeCom reference 4). A text that is too long is refused, not cut.

use super::call::Call;
use super::message::content;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::office::Said;
use crate::sandbox::world::{World, lock};
use serde_json::{Value, json};

/// The path: what answers there speaks WeCom's way.
pub const SEND: &str = "/cgi-bin/webhook/send";

/// What a robot can say, and the most bytes of its content, where that is a text.
const TYPES: &[(&str, Option<usize>)] = &[
    ("text", Some(2048)),
    ("markdown", Some(4096)),
    ("markdown_v2", Some(4096)),
    ("image", None),
    ("news", None),
    ("file", None),
    ("voice", None),
    ("template_card", None),
];

/// Says it in the group.
pub fn send(world: &World, call: &Call) -> Result<String, Refusal> {
    let key = call.query("key").unwrap_or_default();
    if !lock(&world.robot).has_key(key) {
        return refuse(93000);
    }
    let said = said(&serde_json::from_slice(&call.body).unwrap_or_default())?;
    let now_ms = world.clock.now_ms();
    let spoken = lock(&world.robot).speak(now_ms);
    lock(&world.office).robot(spoken.is_ok().then_some(said), now_ms, call.at_ms);
    spoken?;
    Ok(json!({ "errcode": 0, "errmsg": "ok" }).to_string())
}

fn said(message: &Value) -> Result<Said, Refusal> {
    let name = message["msgtype"].as_str().unwrap_or_default();
    let Some((_, most)) = TYPES.iter().find(|(known, _)| *known == name) else {
        return refuse(40008);
    };
    let (msgtype, body) = (name.to_owned(), &message[name]);
    let Some(most) = most else {
        return sound(name, body).map(|()| Said { msgtype, ..content::whole(body) });
    };
    let content = body["content"].as_str().unwrap_or_default();
    match content.len() {
        0 => refuse(44004),
        long if long > *most => Err(Refusal::said(40058, format!("{name}.content exceed max length {most}"))),
        _ => Ok(Said { msgtype, content: content.to_owned(), ..Said::default() }),
    }
}

/// What is no text: articles each lead somewhere, and a robot has no card that calls back.
fn sound(name: &str, body: &Value) -> Result<(), Refusal> {
    if !body.is_object() {
        return refuse(44004);
    }
    match name {
        "news" => content::articles(body, false),
        "template_card" => match content::card(body)? {
            (_, true) => refuse(42031),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
