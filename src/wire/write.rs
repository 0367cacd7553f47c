//! XML as the platform writes it: strings in CDATA, numbers bare.

use super::xml::is_xml_char;
use std::fmt::Write;

/// A document under construction. Names are ours and written as they are.
#[derive(Debug)]
pub struct Document(String);

impl Document {
    /// Begins with the root `xml`.
    pub fn new() -> Self {
        Document(String::from("<xml>\n"))
    }

    /// A string in CDATA; `]]>` inside is split over two sections, and a character that XML can't carry
    /// becomes U+FFFD.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.open_tag(name);
        self.0.push_str("<![CDATA[");
        for (index, part) in value.split("]]>").enumerate() {
            if index > 0 {
                self.0.push_str("]]]]><![CDATA[>");
            }
            self.0.extend(part.chars().map(|c| if is_xml_char(c) { c } else { '\u{fffd}' }));
        }
        self.0.push_str("]]>");
        self.close_tag(name);
        self
    }

    /// A number, bare.
    #[must_use]
    pub fn number(mut self, name: &str, value: i64) -> Self {
        self.open_tag(name);
        // Writing to a String can't fail.
        let _ = write!(self.0, "{value}");
        self.close_tag(name);
        self
    }

    /// An element with the children that `fill` adds.
    #[must_use]
    pub fn group(mut self, name: &str, fill: impl FnOnce(Self) -> Self) -> Self {
        self.open_tag(name);
        self.0.push('\n');
        let mut filled = fill(self);
        filled.close_tag(name);
        filled
    }

    /// The whole document.
    pub fn finish(mut self) -> String {
        self.0.push_str("</xml>");
        self.0
    }

    fn open_tag(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close_tag(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push_str(">\n");
    }
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

/// The body of a push in secure mode (reference 1.2).
pub fn sealed_push(to_user: &str, encrypt: &str) -> String {
    Document::new().text("ToUserName", to_user).text("Encrypt", encrypt).finish()
}

/// The body of an encrypted passive reply (reference 1.4); `msg_signature` is over token, timestamp,
/// nonce and encrypt.
pub fn sealed_reply(encrypt: &str, msg_signature: &str, timestamp: i64, nonce: &str) -> String {
    Document::new()
        .text("Encrypt", encrypt)
        .text("MsgSignature", msg_signature)
        .number("TimeStamp", timestamp)
        .text("Nonce", nonce)
        .finish()
}

/// The body of WeCom's push (WeCom reference 5); the number of the application stands there where it is for one.
pub fn sealed_wecom(corp_id: &str, agent_id: Option<i64>, encrypt: &str) -> String {
    let document = Document::new().text("ToUserName", corp_id);
    let document = match agent_id {
        Some(agent) => document.text("AgentID", &agent.to_string()),
        None => document,
    };
    document.text("Encrypt", encrypt).finish()
}
