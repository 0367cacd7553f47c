//! Whether an answer is a passive reply that the platform would show (reference 1.4 and 2.4).

use crate::domain::account::Mode;
use crate::sandbox::account::Account;
use crate::sandbox::crypto;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::HashMap;

/// What may be answered.
const TYPES: &[&str] = &["text", "image", "voice", "video", "music", "news", "transfer_customer_service"];

/// Whether the platform would take this as a reply; in secure mode it must be encrypted.
pub fn is_sound(answer: &str, account: &Account, mode: Mode) -> bool {
    let Some(fields) = top_level(answer) else { return false };
    if !fields.contains_key("Encrypt") {
        return mode != Mode::Secure && is_message(&fields);
    }
    mode != Mode::Plain && opened(&fields, account).is_some_and(|clear| is_message(&clear))
}

fn opened(fields: &HashMap<String, String>, account: &Account) -> Option<HashMap<String, String>> {
    let field = |name| fields.get(name).map(String::as_str);
    let sealed = field("Encrypt")?;
    let signed = crypto::sign(&[account.token.reveal(), field("TimeStamp")?, field("Nonce")?, sealed]);
    if field("MsgSignature")? != signed {
        return None;
    }
    let (clear, app_id) = crypto::open(&account.key()?, sealed)?;
    (app_id == account.app_id).then(|| top_level(&clear)).flatten()
}

fn is_message(fields: &HashMap<String, String>) -> bool {
    let filled = |name: &&str| fields.get(*name).is_some_and(|text| !text.is_empty());
    let known = fields.get("MsgType").is_some_and(|kind| TYPES.contains(&kind.as_str()));
    known && ["ToUserName", "FromUserName", "CreateTime"].iter().all(filled)
}

/// The elements below a root named `xml`, with the text in them; `None` for what is not well formed.
fn top_level(xml: &str) -> Option<HashMap<String, String>> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut fields = HashMap::new();
    let mut ended = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                if ended || (path.is_empty() && name != "xml") {
                    return None;
                }
                path.push(name);
                if let [_, field] = &path[..] {
                    fields.insert(field.clone(), String::new());
                }
            }
            Event::End(_) => {
                path.pop();
                ended = path.is_empty();
            }
            Event::Text(text) => add(&mut fields, &path, &text),
            Event::CData(text) => add(&mut fields, &path, &text),
            Event::DocType(_) => return None,
            Event::Eof => return ended.then_some(fields),
            _ => {}
        }
    }
}

fn add(fields: &mut HashMap<String, String>, path: &[String], text: &str) {
    if let [_, field] = path {
        fields.entry(field.clone()).or_default().push_str(text);
    }
}
