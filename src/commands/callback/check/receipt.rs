//! What a push may be answered with (reference 1.4 and 2.4): nothing, `success`, or a passive reply.

use crate::domain::account::{Mode, Official};
use crate::domain::event::Element;
use crate::error::Text;
use crate::say;
use crate::wire::reason::Reason;
use crate::wire::{envelope, signature, xml};

/// What a passive reply may be (reference 2.4).
const TYPES: [&str; 7] = ["text", "image", "voice", "video", "music", "news", "transfer_customer_service"];

/// An answer that the platform takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// No body.
    Nothing,
    /// The word.
    Success,
    /// A message to the follower.
    Reply,
}

/// An answer that it does not: the cause, and the sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The word for programs.
    pub cause: &'static str,
    /// The sentence.
    pub what: Text,
}

/// Reads the body of a 200; `shown` is its beginning.
pub fn read(account: &Official, mode: Mode, body: &[u8], shown: &str) -> Result<Receipt, Wrong> {
    match body {
        b"" => return Ok(Receipt::Nothing),
        b"success" => return Ok(Receipt::Success),
        _ => {}
    }
    if String::from_utf8_lossy(body).trim_matches(|c: char| c.is_whitespace() || "\u{feff}\"'".contains(c)) == "success"
    {
        return wrong(
            "reply_around",
            say!("`success` came with a line break, BOM or quotes around it"; "`success` 前后多了换行、BOM 或引号"),
        );
    }
    match xml::parse(body) {
        Ok(root) if root.child("Encrypt").is_some() => sealed(account, mode, &root),
        Ok(_) if mode == Mode::Secure => wrong(
            "reply_clear",
            say!("it answers with a clear reply; in secure mode a reply is encrypted"; "被动回复是明文；安全模式下回复必须加密"),
        ),
        Ok(root) => message(&root),
        Err(_) if shown.is_empty() => wrong("reply_text", say!("it answers with blanks"; "它返回了空白字符")),
        Err(_) => wrong(
            "reply_text",
            say!(
                "it answers {shown:?}: neither nothing, nor `success`, nor a reply in XML";
                "它返回 {shown:?}：既不是空，也不是 `success`，也不是 XML 回复"
            ),
        ),
    }
}

fn sealed(account: &Official, mode: Mode, root: &Element) -> Result<Receipt, Wrong> {
    if mode == Mode::Plain {
        return wrong(
            "reply_encrypted",
            say!("it answers with an encrypted reply in plain mode"; "明文模式下它返回了加密的回复"),
        );
    }
    let field = |name| root.text_of(name).unwrap_or_default();
    let encrypt = field("Encrypt");
    let parts = [field("TimeStamp"), field("Nonce"), encrypt];
    if signature::find(&account.tokens, &parts, field("MsgSignature")).is_none() {
        return wrong(
            "reply_signature",
            say!("the MsgSignature of its reply is not of our Token"; "其回复的 MsgSignature 与 Token 不符"),
        );
    }
    let opened: Vec<_> = account.aes_keys.iter().map(|key| envelope::open(key, &account.app_id, encrypt)).collect();
    if opened.contains(&Err(Reason::Appid)) {
        return wrong("reply_receive_id", say!("its reply is sealed for another AppID"; "其回复密文中的 AppID 不同"));
    }
    let Some(clear) = opened.into_iter().find_map(Result::ok) else {
        return wrong(
            "reply_aes_key",
            say!("its reply is sealed with another EncodingAESKey"; "其回复用另一个 EncodingAESKey 加密"),
        );
    };
    match xml::parse(clear.as_bytes()) {
        Ok(root) => message(&root),
        Err(_) => wrong("reply_fields", say!("what its encrypted reply holds is no XML"; "其加密回复的内容不是 XML")),
    }
}

fn message(root: &Element) -> Result<Receipt, Wrong> {
    let filled = |name: &&str| root.text_of(name).is_some_and(|text| !text.is_empty());
    let missing = ["ToUserName", "FromUserName", "CreateTime", "MsgType"].into_iter().find(|name| !filled(name));
    if let Some(name) = missing {
        return wrong("reply_fields", say!("its reply has no {name}"; "其回复缺少 {name}"));
    }
    let kind = root.text_of("MsgType").unwrap_or_default();
    if !TYPES.contains(&kind) {
        return wrong(
            "reply_fields",
            say!("its reply has the MsgType {kind:?}, which no reply may have"; "其回复的 MsgType 为 {kind:?}，不是可用的回复类型"),
        );
    }
    Ok(Receipt::Reply)
}

fn wrong(cause: &'static str, what: Text) -> Result<Receipt, Wrong> {
    Err(Wrong { cause, what })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::account::{Access, AesKey, Platform};
    use crate::domain::secret::Secret;
    use crate::wire::write::{Document, sealed_reply};

    const KEY: &str = "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o";
    const OTHER_KEY: &str = "CRYjMD1KV2RxfouYpbK/zNnm8wANGic0QU5baHWCj5w";

    fn account() -> Official {
        Official {
            access: Access::new(Platform::Official, "main", "wx0123456789abcdef", ""),
            tokens: vec![Secret::new("wxopsToken123")],
            aes_keys: vec![AesKey::parse(KEY).unwrap()],
            mode: Mode::Secure,
            original_id: None,
            replies: Default::default(),
        }
    }

    fn text_reply() -> Document {
        let from_to = Document::new().text("ToUserName", "oX").text("FromUserName", "gh_1");
        from_to.number("CreateTime", 1_700_000_000).text("MsgType", "text").text("Content", "hi")
    }

    fn sealed(key: &str, app_id: &str, token: &str) -> String {
        let encrypt = envelope::seal(&AesKey::parse(key).unwrap(), app_id, &[7; 16], &text_reply().finish());
        let signed = signature::sign(&Secret::new(token), &["1700000000", "n", &encrypt]);
        sealed_reply(&encrypt, &signed, 1_700_000_000, "n")
    }

    fn cause(mode: Mode, body: &str) -> Result<Receipt, &'static str> {
        read(&account(), mode, body.as_bytes(), body).map_err(|wrong| wrong.cause)
    }

    #[test]
    fn what_ends_a_push() {
        for mode in [Mode::Plain, Mode::Compat, Mode::Secure] {
            assert_eq!(cause(mode, ""), Ok(Receipt::Nothing));
            assert_eq!(cause(mode, "success"), Ok(Receipt::Success));
            assert_eq!(cause(mode, "success\n"), Err("reply_around"));
            assert_eq!(cause(mode, "\u{feff}success"), Err("reply_around"));
            assert_eq!(cause(mode, "\n"), Err("reply_text"));
            assert_eq!(cause(mode, "{\"code\":0}"), Err("reply_text"));
            assert_eq!(cause(mode, "<html><body>ok</body></html>"), Err("reply_text"));
        }
    }

    #[test]
    fn replies_by_their_mode() {
        let clear = text_reply().finish();
        assert_eq!(cause(Mode::Plain, &clear), Ok(Receipt::Reply));
        assert_eq!(cause(Mode::Compat, &clear), Ok(Receipt::Reply));
        assert_eq!(cause(Mode::Secure, &clear), Err("reply_clear"));
        let good = sealed(KEY, "wx0123456789abcdef", "wxopsToken123");
        assert_eq!(cause(Mode::Plain, &good), Err("reply_encrypted"));
        assert_eq!(cause(Mode::Compat, &good), Ok(Receipt::Reply));
        assert_eq!(cause(Mode::Secure, &good), Ok(Receipt::Reply));
    }

    #[test]
    fn a_reply_tells_what_the_server_is_set_to() {
        let of = |key, app_id, token| cause(Mode::Secure, &sealed(key, app_id, token));
        assert_eq!(of(OTHER_KEY, "wx0123456789abcdef", "wxopsToken123"), Err("reply_aes_key"));
        assert_eq!(of(KEY, "wxffffffffffffffff", "wxopsToken123"), Err("reply_receive_id"));
        assert_eq!(of(KEY, "wx0123456789abcdef", "another"), Err("reply_signature"));
    }

    #[test]
    fn a_reply_has_its_fields() {
        let event = text_reply().finish().replace("<![CDATA[text]]>", "<![CDATA[event]]>");
        assert_eq!(cause(Mode::Plain, &event), Err("reply_fields"));
        assert_eq!(cause(Mode::Plain, &text_reply().finish().replace("ToUserName", "To")), Err("reply_fields"));
    }
}
