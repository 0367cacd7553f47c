//! POST /cgi-bin/webhook/send (WeCom reference 4). A text that is too long is refused, not cut.

use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
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
    sound(&serde_json::from_slice(&call.body).unwrap_or_default())?;
    lock(&world.robot).speak(world.clock.now_ms())?;
    Ok(json!({ "errcode": 0, "errmsg": "ok" }).to_string())
}

fn sound(message: &Value) -> Result<(), Refusal> {
    let name = message["msgtype"].as_str().unwrap_or_default();
    let Some((_, most)) = TYPES.iter().find(|(known, _)| *known == name) else {
        return refuse(40008);
    };
    let Some(most) = most else {
        return if message[name].is_object() { Ok(()) } else { refuse(44004) };
    };
    let content = message[name]["content"].as_str().unwrap_or_default();
    match content.len() {
        0 => refuse(44004),
        long if long > *most => {
            let text = format!("{name}.content exceed max length {most}");
            Err(Refusal { errcode: 40058, text: Some(text) })
        }
        _ => Ok(()),
    }
}
