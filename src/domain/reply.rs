//! Passive replies as the configuration has them (reference 2.4): which push is answered, and with what.

use super::event::Event;
use regex::Regex;

/// One `[[reply]]`: the first of an account that fits is the answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What it answers.
    pub when: When,
    /// What the person reads.
    pub content: Content,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum When {
    /// Somebody follows.
    Subscribe,
    /// A follower scanned a QR code.
    Scan,
    /// Any message: text, image, voice, …
    Message,
    /// A text message that says this and nothing else; blanks around it don't count.
    Exact(String),
    /// A text message that begins so; blanks before it don't count.
    Prefix(String),
    /// A text message in which this is found, in a time that grows with its length alone; not in one of over 8 KiB.
    Pattern(Box<Regex>),
    /// A menu button of this key was pressed: CLICK, or a scan that waits for an answer.
    Click(String),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// At most [`TEXT_MAX`] bytes; line breaks allowed.
    Text(String),
    /// The media_id of an uploaded image.
    Image(String),
    /// One article; more are history (reference 2.4).
    News(News),
}

/// An article of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Its headline.
    pub title: String,
    /// The lines below it; may be empty.
    pub description: String,
    /// The URL of its picture; may be empty.
    pub picurl: String,
    /// Where a tap leads.
    pub url: String,
}

/// Longest text of a reply, in bytes (reference 2.4).
pub const TEXT_MAX: usize = 2048;

/// Longest message in which a pattern is sought, in bytes: nobody writes more, and the time grows with it.
const SOUGHT_MAX: usize = 8_192;

/// The answer to a push: the first that fits. Whoever left can't be answered, and of a VIEW nobody sees one.
pub fn answer<'a>(replies: &'a [Reply], event: &Event) -> Option<&'a Content> {
    replies.iter().find(|reply| reply.when.fits(event)).map(|reply| &reply.content)
}

impl When {
    fn fits(&self, event: &Event) -> bool {
        let kind = event.kind.as_str();
        let text = || Some(event).filter(|_| kind == "message.text").and_then(|event| event.root.text_of("Content"));
        match self {
            When::Subscribe => kind == "event.subscribe",
            When::Scan => kind == "event.scan",
            When::Message => kind.starts_with("message."),
            When::Exact(word) => text().is_some_and(|text| text.trim() == word),
            When::Prefix(word) => text().is_some_and(|text| text.trim_start().starts_with(word)),
            When::Pattern(pattern) => text().is_some_and(|text| text.len() <= SOUGHT_MAX && pattern.is_match(text)),
            When::Click(key) => {
                matches!(kind, "event.click" | "event.scancode_waitmsg") && event.root.text_of("EventKey") == Some(key)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::event::{Element, Kind};

    fn event(msg_type: &str, name: Option<&str>, field: (&str, &str)) -> Event {
        let leaf = Element { name: field.0.into(), text: field.1.into(), ..Element::default() };
        let root = Element { name: "xml".into(), children: vec![leaf], ..Element::default() };
        let kind = Kind::of(msg_type, name);
        Event { to_user: "gh_1".into(), from_user: "o1".into(), created: 1_700_000_000, kind, msg_id: None, root }
    }

    fn text(content: &str) -> Event {
        event("text", None, ("Content", content))
    }

    #[test]
    fn each_fits_what_it_says() {
        let exact = When::Exact("价格".into());
        assert!(exact.fits(&text(" 价格\n")) && !exact.fits(&text("价格表")) && !exact.fits(&text("")));
        let prefix = When::Prefix("order".into());
        assert!(prefix.fits(&text(" order 12")) && !prefix.fits(&text("my order")) && !prefix.fits(&text("Order")));
        let pattern = When::Pattern(Box::new(Regex::new(r"(?i)^\d+ pcs$").unwrap()));
        assert!(pattern.fits(&text("12 PCS")) && !pattern.fits(&text("12 pcs please")));
        assert!(!pattern.fits(&text(&format!("{} pcs", "1".repeat(SOUGHT_MAX)))), "nobody writes that much");
        let click = When::Click("V1".into());
        assert!(click.fits(&event("event", Some("CLICK"), ("EventKey", "V1"))));
        assert!(click.fits(&event("event", Some("scancode_waitmsg"), ("EventKey", "V1"))));
        assert!(!click.fits(&event("event", Some("VIEW"), ("EventKey", "V1"))));
        assert!(!click.fits(&event("event", Some("CLICK"), ("EventKey", "v1"))));
        assert!(When::Message.fits(&event("image", None, ("PicUrl", ""))) && When::Message.fits(&text("")));
        assert!(!When::Message.fits(&event("event", Some("LOCATION"), ("Latitude", "1"))));
        // A field of that name is no text message.
        assert!(!exact.fits(&event("link", None, ("Content", "价格"))));
    }

    #[test]
    fn nobody_who_left_is_answered() {
        let all = [When::Subscribe, When::Scan, When::Message, When::Click(String::new())];
        let left = event("event", Some("unsubscribe"), ("EventKey", ""));
        assert!(all.iter().all(|when| !when.fits(&left)));
    }
}
