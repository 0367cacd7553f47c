//! Whether an answer is a passive reply that the platform would show (reference 1.4 and 2.4).

use crate::domain::account::Mode;
use crate::sandbox::account::Account;
use crate::sandbox::crypto;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::HashMap;

/// Elements by their path below the root.
type Fields = HashMap<String, String>;

/// What may be answered.
const TYPES: &[&str] = &["text", "image", "voice", "video", "music", "news", "transfer_customer_service"];

/// What a person would see of this reply; `None` where the platform would not take it. In secure mode it must be
/// encrypted.
pub fn shown(answer: &str, account: &Account, mode: Mode) -> Option<String> {
    let fields = fields(answer)?;
    let clear = match fields.contains_key("Encrypt") {
        false => Some(fields).filter(|_| mode != Mode::Secure)?,
        true => Some(fields).filter(|_| mode != Mode::Plain).and_then(|fields| opened(&fields, account))?,
    };
    is_message(&clear).then(|| in_words(&clear))
}

/// The text, or the kind with what tells it from others.
fn in_words(message: &Fields) -> String {
    let field = |path: &str| message.get(path).map(String::as_str).unwrap_or_default();
    match field("MsgType") {
        "text" => field("Content").to_owned(),
        "image" => format!("[image {}]", field("Image/MediaId")),
        "news" => format!("[news {} {}]", field("Articles/item/Title"), field("Articles/item/Url")),
        kind => format!("[{kind}]"),
    }
}

fn opened(fields: &Fields, account: &Account) -> Option<Fields> {
    let field = |name| fields.get(name).map(String::as_str);
    let sealed = field("Encrypt")?;
    let signed = crypto::sign(&[account.token.reveal(), field("TimeStamp")?, field("Nonce")?, sealed]);
    if field("MsgSignature")? != signed {
        return None;
    }
    let (clear, app_id) = crypto::open(&account.key()?, sealed)?;
    (app_id == account.app_id).then(|| self::fields(&clear)).flatten()
}

fn is_message(fields: &Fields) -> bool {
    let filled = |name: &&str| fields.get(*name).is_some_and(|text| !text.is_empty());
    let known = fields.get("MsgType").is_some_and(|kind| TYPES.contains(&kind.as_str()));
    known && ["ToUserName", "FromUserName", "CreateTime"].iter().all(filled)
}

/// The elements below a root named `xml` by their path (`Image/MediaId`), with the text in them; `None` for what is not
/// well formed.
fn fields(xml: &str) -> Option<Fields> {
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
                if let [_, below @ ..] = &path[..] {
                    fields.insert(below.join("/"), String::new());
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

fn add(fields: &mut Fields, path: &[String], text: &str) {
    if let [_, below @ ..] = path {
        fields.entry(below.join("/")).or_default().push_str(text);
    }
}
