//! The request of a message as JSON (WeCom reference 3 and 4): the same bytes for the same words, people and row.

use super::cut::{to_bytes, to_letters};
use crate::domain::notice::{Form, Recipient, Via};
use crate::error::{Error, Result, Then};
use crate::say;
use reqwest::Url;
use serde::Serialize;
use std::collections::BTreeMap;

/// Seconds within which the platform lets nobody receive the same request twice: the most there is.
const DUPLICATES: u32 = 14_400;
/// Recipients of one message at the most: people, departments, tags.
const MOST: [usize; 3] = [1000, 100, 100];
/// Letters of a text card's parts.
const TITLE: usize = 128;
const DESCRIPTION: usize = 512;
const BUTTON: usize = 4;
/// Bytes of an address.
const URL: usize = 2048;
/// Letters of a template card's parts that a phone has room for; rows of it.
const CARD_TITLE: usize = 26;
const CARD_DESC: usize = 30;
const CARD_EMPHASIS: usize = 10;
const CARD_EMPHASIS_DESC: usize = 15;
const CARD_SOURCE: usize = 13;
const CARD_QUOTE: usize = 112;
const CARD_TEXT: usize = 112;
const CARD_NAME: usize = 5;
const CARD_VALUE: usize = 26;
const CARD_ROWS: usize = 6;

/// The blocks that the template of a card may have.
pub fn parts(form: Form) -> &'static [&'static str] {
    match form {
        Form::TextCard => &["title", "description", "url", "button"],
        Form::TemplateCard => &["source", "title", "desc", "emphasis", "emphasis_desc", "quote", "text", "rows", "url"],
        Form::Text | Form::Markdown | Form::MarkdownV2 => &[],
    }
}

/// Those that it must have.
pub fn needed(form: Form) -> &'static [&'static str] {
    match form {
        Form::TextCard => &["title", "description", "url"],
        Form::TemplateCard => &["title", "url"],
        Form::Text | Form::Markdown | Form::MarkdownV2 => &[],
    }
}

/// What a message says, without who hears it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "msgtype", rename_all = "snake_case")]
pub enum Content {
    /// Plain text.
    Text { text: Said },
    /// With marks.
    Markdown { markdown: Said },
    /// With a robot's further marks.
    #[serde(rename = "markdown_v2")]
    MarkdownV2 { markdown_v2: Said },
    /// A card.
    #[serde(rename = "textcard")]
    TextCard { textcard: TextCard },
    /// A card with rows.
    TemplateCard { template_card: Box<Card> },
}

/// One text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    content: String,
}

/// A text card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextCard {
    title: String,
    description: String,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    btntxt: Option<String>,
}

/// A template card of the kind text_notice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    card_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    main_title: Title,
    #[serde(skip_serializing_if = "Option::is_none")]
    emphasis_content: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote_area: Option<Quote>,
    sub_title_text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    horizontal_content_list: Vec<Row>,
    card_action: Action,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Source {
    desc: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Title {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    desc: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Quote {
    quote_text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    keyname: String,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Action {
    #[serde(rename = "type")]
    kind: u8,
    url: String,
}

/// The request of an application.
#[derive(Serialize)]
struct ToPeople<'a> {
    #[serde(skip_serializing_if = "String::is_empty")]
    touser: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    toparty: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    totag: String,
    agentid: i64,
    #[serde(flatten)]
    content: &'a Content,
    enable_duplicate_check: u8,
    duplicate_check_interval: u32,
}

impl Content {
    /// A text of this form, cut to what its way takes; `tail` is never cut.
    pub fn text(form: Form, via: Via, text: &str, tail: &str) -> Content {
        let tail = match form {
            Form::Markdown => format!("\n<font color=\"comment\">{tail}</font>"),
            _ => format!("\n{tail}"),
        };
        let marks = form != Form::Text;
        let room = form.bytes(via).saturating_sub(tail.len());
        let content = format!("{}{tail}", to_bytes(text.trim(), room, marks));
        let said = Said { content };
        match form {
            Form::Markdown => Content::Markdown { markdown: said },
            Form::MarkdownV2 => Content::MarkdownV2 { markdown_v2: said },
            _ => Content::Text { text: said },
        }
    }

    /// A card of these parts.
    pub fn card(form: Form, mut parts: BTreeMap<&'static str, String>, tail: &str) -> Result<Content> {
        let mut take = |name: &str| parts.remove(name).filter(|text| !text.is_empty());
        let url = address(take("url").unwrap_or_default())?;
        let title = take("title").ok_or_else(no_title)?;
        if form == Form::TextCard {
            let tail = format!("<div class=\"gray\">{tail}</div>");
            let room = DESCRIPTION - tail.chars().count();
            let description = to_letters(&take("description").unwrap_or_default(), room, true);
            let card = TextCard {
                title: to_letters(&title, TITLE, false),
                description: format!("{description}{tail}"),
                url,
                btntxt: take("button").map(|text| text.chars().take(BUTTON).collect()),
            };
            return Ok(Content::TextCard { textcard: card });
        }
        let mut short = |name: &str, letters: usize| take(name).map(|text| to_letters(&text, letters, false));
        let main_title = Title { title: to_letters(&title, CARD_TITLE, false), desc: short("desc", CARD_DESC) };
        let emphasis_desc = short("emphasis_desc", CARD_EMPHASIS_DESC);
        let emphasis = short("emphasis", CARD_EMPHASIS).map(|title| Title { title, desc: emphasis_desc });
        let room = CARD_TEXT - 1 - tail.chars().count();
        let text = short("text", room).map_or_else(|| tail.to_owned(), |text| format!("{text}\n{tail}"));
        let card = Card {
            card_type: "text_notice",
            source: short("source", CARD_SOURCE).map(|desc| Source { desc }),
            main_title,
            emphasis_content: emphasis,
            quote_area: short("quote", CARD_QUOTE).map(|quote_text| Quote { quote_text }),
            sub_title_text: text,
            horizontal_content_list: short("rows", usize::MAX).map(|text| rows(&text)).unwrap_or_default(),
            card_action: Action { kind: 1, url },
        };
        Ok(Content::TemplateCard { template_card: Box::new(card) })
    }

    /// The bytes of the request.
    pub fn request(&self, via: Via, to: &[Recipient], agent_id: Option<i64>) -> Result<String> {
        let bytes = match via {
            Via::Robot => serde_json::to_string(self),
            Via::App => serde_json::to_string(&self.to_people(to, agent_id)?),
        };
        bytes.map_err(|e| Error::failed(say!("a message can't be written as JSON: {e}"; "消息无法写成 JSON：{e}")))
    }

    fn to_people(&self, to: &[Recipient], agent_id: Option<i64>) -> Result<ToPeople<'_>> {
        let Some(agentid) = agent_id else {
            return Err(Error::config(say!(
                "no WeCom application with an AgentId is configured";
                "没有配置带 AgentId 的企业微信应用"
            )));
        };
        let lists = [
            to.iter().filter_map(|it| if let Recipient::User(id) = it { Some(id.as_str()) } else { None }).collect(),
            to.iter().filter_map(|it| if let Recipient::Party(id) = it { Some(id.as_str()) } else { None }).collect(),
            to.iter().filter_map(|it| if let Recipient::Tag(id) = it { Some(id.as_str()) } else { None }).collect(),
        ];
        let [touser, toparty, totag] = match to.contains(&Recipient::All) {
            // The others are looked at by nobody then.
            true => ["@all".to_owned(), String::new(), String::new()],
            false => joined(lists)?,
        };
        Ok(ToPeople {
            touser,
            toparty,
            totag,
            agentid,
            content: self,
            enable_duplicate_check: 1,
            duplicate_check_interval: DUPLICATES,
        })
    }
}

fn joined(lists: [Vec<&str>; 3]) -> Result<[String; 3]> {
    if lists.iter().all(Vec::is_empty) {
        return Err(Error::config(say!("the message has no recipient"; "消息没有接收人")).then(Then::Never));
    }
    for ((list, most), name) in lists.iter().zip(MOST).zip(["touser", "toparty", "totag"]) {
        let count = list.len();
        if count > most {
            return Err(Error::config(say!(
                "{count} in {name} are more than the {most} of a message";
                "{name} 中有 {count} 个，超过一条消息的上限 {most}"
            ))
            .then(Then::Never));
        }
    }
    Ok(lists.map(|list| list.join("|")))
}

/// `name：value` a line; a line without a name is left out.
fn rows(text: &str) -> Vec<Row> {
    let row = |line: &str| {
        let (name, value) = line.trim().split_once(['：', ':'])?;
        let (name, value) = (name.trim(), value.trim());
        let row = Row { keyname: to_letters(name, CARD_NAME, false), value: to_letters(value, CARD_VALUE, false) };
        (!name.is_empty() && !value.is_empty()).then_some(row)
    };
    text.lines().filter_map(row).take(CARD_ROWS).collect()
}

fn address(text: String) -> Result<String> {
    let good = Url::parse(&text).is_ok_and(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    match good && text.len() <= URL && !text.contains(char::is_whitespace) {
        true => Ok(text),
        false => Err(Error::config(say!(
            "the url of a card is none that begins with https:// or http://, or has over {URL} bytes";
            "卡片的 url 不是以 https:// 或 http:// 开头的地址，或超过 {URL} 字节"
        ))
        .then(Then::Never)),
    }
}

fn no_title() -> Error {
    Error::config(say!("the title of a card is empty"; "卡片标题为空")).then(Then::Never)
}

/// A card as a plain text, for a way that has no such card: without its tags.
pub fn as_text(parts: &BTreeMap<&'static str, String>) -> String {
    let mut out = Vec::new();
    for name in ["title", "description", "desc", "text", "rows", "url"] {
        let Some(text) = parts.get(name) else { continue };
        let text = without_tags(text);
        out.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    out.join("\n")
}

/// Lines where tags broke them. A `<` that a value had is full-width by then.
fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        let (inside, after) = tag.split_once('>').unwrap_or((tag, ""));
        if inside.starts_with("/div") || inside.starts_with("br") {
            out.push('\n');
        }
        rest = after;
    }
    out + rest
}
