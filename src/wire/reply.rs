//! A passive reply as the platform reads it (reference 1.4 and 2.4): in clear, or sealed like the push it answers.

use super::write::{Document, sealed_reply};
use super::{envelope, signature};
use crate::domain::account::{AesKey, Official};
use crate::domain::event::Event;
use crate::domain::reply::{Content, News};
use crate::domain::secret::Secret;

/// The reply to a push in clear; `now` is seconds.
pub fn clear(event: &Event, content: &Content, now: i64) -> String {
    let head = Document::new()
        .text("ToUserName", &event.from_user)
        .text("FromUserName", &event.to_user)
        .number("CreateTime", now);
    match content {
        Content::Text(text) => head.text("MsgType", "text").text("Content", text),
        Content::Image(media_id) => {
            head.text("MsgType", "image").group("Image", |image| image.text("MediaId", media_id))
        }
        Content::News(news) => {
            let article = |list: Document| list.group("item", |item| article(item, news));
            head.text("MsgType", "news").number("ArticleCount", 1).group("Articles", article)
        }
    }
    .finish()
}

fn article(item: Document, news: &News) -> Document {
    item.text("Title", &news.title)
        .text("Description", &news.description)
        .text("PicUrl", &news.picurl)
        .text("Url", &news.url)
}

/// What seals a reply: the key that opened the push and the token that proved it. Only the console knows which of
/// the current and the previous ones it has.
#[derive(Debug)]
pub struct Seal<'a> {
    token: &'a Secret,
    key: &'a AesKey,
    app_id: &'a str,
}

impl<'a> Seal<'a> {
    /// `None` for a push that came in clear: so goes its reply.
    pub fn of(account: &'a Official, key_index: Option<usize>, previous_token: bool) -> Option<Self> {
        let key = account.aes_keys.get(key_index?)?;
        let token = account.tokens.get(usize::from(previous_token))?;
        Some(Seal { token, key, app_id: &account.app_id })
    }

    /// Seals a clear reply under 16 fresh random bytes and a nonce.
    pub fn seal(&self, clear: &str, now: i64, nonce: &str, random: &[u8; 16]) -> String {
        let encrypt = envelope::seal(self.key, self.app_id, random, clear);
        let signature = signature::sign(self.token, &[&now.to_string(), nonce, &encrypt]);
        sealed_reply(&encrypt, &signature, now, nonce)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::event::{Element, Kind};
    use crate::wire::xml;

    fn replied(content: Content) -> Element {
        let event = Event {
            to_user: "gh_1".into(),
            from_user: "o_1".into(),
            created: 1_700_000_000,
            kind: Kind::of("text", None),
            msg_id: None,
            root: Element::default(),
        };
        let root = xml::parse(clear(&event, &content, 1_800_000_000).as_bytes()).unwrap();
        let names: Vec<&str> = root.children.iter().map(|child| child.name.as_str()).collect();
        assert_eq!(names[..4], ["ToUserName", "FromUserName", "CreateTime", "MsgType"]);
        let head = ["ToUserName", "FromUserName", "CreateTime"].map(|name| root.text_of(name).unwrap());
        assert_eq!(head, ["o_1", "gh_1", "1800000000"]);
        root
    }

    #[test]
    fn a_text_arrives_as_it_was_written() {
        for text in ["]]>", "a]]>]]>b ]]", "<xml>&amp;", " 一\n二 ", "🎮"] {
            let root = replied(Content::Text(text.into()));
            assert_eq!((root.text_of("MsgType"), root.text_of("Content")), (Some("text"), Some(text)));
        }
    }

    #[test]
    fn images_and_articles_have_their_places() {
        let root = replied(Content::Image("M".into()));
        assert_eq!(
            (root.text_of("MsgType"), root.child("Image").unwrap().text_of("MediaId")),
            (Some("image"), Some("M"))
        );
        let news = News { title: "t".into(), description: "d".into(), picurl: String::new(), url: "https://e".into() };
        let root = replied(Content::News(news));
        assert_eq!((root.text_of("MsgType"), root.text_of("ArticleCount")), (Some("news"), Some("1")));
        let item = root.child("Articles").unwrap().child("item").unwrap();
        let fields: Vec<_> = item.children.iter().map(|leaf| (leaf.name.as_str(), leaf.text.as_str())).collect();
        assert_eq!(fields, [("Title", "t"), ("Description", "d"), ("PicUrl", ""), ("Url", "https://e")]);
    }
}
