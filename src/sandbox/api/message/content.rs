//! What a message says: its msgtype, what that needs, and how much of it arrives (WeCom reference 3).

use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::office::Said;
use serde_json::{Map, Value};

/// Bytes of a text or markdown that arrive; more is cut without a word.
const TEXT: usize = 2048;
/// Letters of a text card's title and description that arrive.
const CARD_TITLE: usize = 128;
const CARD_DESCRIPTION: usize = 512;
/// Letters of its button.
const CARD_BUTTON: usize = 4;
/// Bytes of a URL.
const URL: usize = 2048;
/// Articles of a news message.
const ARTICLES: std::ops::RangeInclusive<usize> = 1..=8;
/// Rows of a template card, and its links.
const ROWS: usize = 6;
const JUMPS: usize = 3;
/// Items of a mini-program's notice.
const ITEMS: usize = 10;
/// Letters of a task id.
const TASK_ID: usize = 128;
/// Kinds of template card, and whether they call back.
const CARDS: &[(&str, bool)] = &[
    ("text_notice", false),
    ("news_notice", false),
    ("button_interaction", true),
    ("vote_interaction", true),
    ("multiple_interaction", true),
];

/// What a message of an app says: 40008 for a msgtype that there is not. `called_back`: the app has a
/// callback URL, which some cards need.
pub fn said(message: &Map<String, Value>, called_back: bool) -> Result<Said, Refusal> {
    let msgtype = message.get("msgtype").and_then(Value::as_str).unwrap_or_default();
    let body = message.get(msgtype).unwrap_or(&Value::Null);
    let said = match msgtype {
        "text" | "markdown" => text(body)?,
        "textcard" => textcard(body)?,
        "news" | "mpnews" => {
            articles(body, msgtype == "mpnews")?;
            whole(body)
        }
        "image" | "voice" | "file" | "video" => {
            filled(body, "media_id", 41006)?;
            whole(body)
        }
        "miniprogram_notice" => {
            filled(body, "title", 41016)?;
            filled(body, "appid", 40063)?;
            let items = body["content_item"].as_array().map_or(0, Vec::len);
            if items > ITEMS { refuse(40058)? } else { whole(body) }
        }
        "template_card" => {
            let (task_id, interactive) = card(body)?;
            if interactive && !called_back {
                return refuse(43012);
            }
            Said { task_id, interactive, ..whole(body) }
        }
        _ => return refuse(40008),
    };
    Ok(Said { msgtype: msgtype.to_owned(), ..said })
}

/// A text up to the end of a letter within so many bytes.
pub fn within(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// As it is written down where a message is no text.
pub fn whole(body: &Value) -> Said {
    let json = body.to_string();
    Said { content: within(&json, TEXT).to_owned(), ..Said::default() }
}

fn text(body: &Value) -> Result<Said, Refusal> {
    let content = filled(body, "content", 44004)?;
    let arrives = within(content, TEXT);
    Ok(Said { content: arrives.to_owned(), cut: arrives.len() < content.len(), ..Said::default() })
}

fn textcard(body: &Value) -> Result<Said, Refusal> {
    let title = filled(body, "title", 41016)?;
    let description = filled(body, "description", 41033)?;
    url(filled(body, "url", 41010)?)?;
    if body["btntxt"].as_str().is_some_and(|text| text.chars().count() > CARD_BUTTON) {
        return Err(Refusal::said(40058, "textcard.btntxt exceed max length 4"));
    }
    let (head, rest) = (letters(title, CARD_TITLE), letters(description, CARD_DESCRIPTION));
    let cut = head.len() < title.len() || rest.len() < description.len();
    Ok(Said { content: format!("{head}\n{rest}"), cut, ..Said::default() })
}

/// Each has a title, and leads somewhere.
pub fn articles(body: &Value, with_content: bool) -> Result<(), Refusal> {
    let articles = body["articles"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !ARTICLES.contains(&articles.len()) {
        return refuse(45008);
    }
    for article in articles {
        filled(article, "title", 41016)?;
        match article["url"].as_str().filter(|url| !url.is_empty()) {
            Some(link) => url(link)?,
            None if with_content => _ = filled(article, "content", 44004)?,
            None if article["appid"].is_string() && article["pagepath"].is_string() => {}
            None => return refuse(41010),
        }
    }
    Ok(())
}

/// A template card: its task id, and whether it calls back.
pub fn card(body: &Value) -> Result<(Option<String>, bool), Refusal> {
    let kind = body["card_type"].as_str().unwrap_or_default();
    let Some((_, calls_back)) = CARDS.iter().find(|(known, _)| *known == kind) else {
        return refuse(42031);
    };
    let has = |part: &str, field: &str| body[part][field].as_str().is_some_and(|text| !text.is_empty());
    let sub_title = body["sub_title_text"].as_str().is_some_and(|text| !text.is_empty());
    let titled = has("main_title", "title") || kind == "text_notice" && sub_title;
    if !titled {
        return refuse(42033);
    }
    if !calls_back {
        action(&body["card_action"])?;
    }
    let rows = body["horizontal_content_list"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rows.len() > ROWS {
        return refuse(42035);
    }
    rows.iter().try_for_each(|row| filled(row, "keyname", 42027).map(|_| ()))?;
    let jumps = body["jump_list"].as_array().map(Vec::as_slice).unwrap_or_default();
    if jumps.len() > JUMPS {
        return refuse(42042);
    }
    jumps.iter().try_for_each(|jump| filled(jump, "title", 42033).map(|_| ()))?;
    let interactive = *calls_back || body["action_menu"].is_object();
    let task_id = body["task_id"].as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    let sane = |letter: u8| letter.is_ascii_alphanumeric() || b"_-@".contains(&letter);
    match &task_id {
        None if interactive => refuse(42014),
        Some(id) if id.len() > TASK_ID || !id.bytes().all(sane) => refuse(42014),
        _ => Ok((task_id, interactive)),
    }
}

/// Where a click on a card leads: 1 to a URL, 2 to a mini-program.
fn action(action: &Value) -> Result<(), Refusal> {
    match action["type"].as_i64() {
        Some(1) => filled(action, "url", 42028).map(|_| ()),
        Some(2) => filled(action, "appid", 42030).map(|_| ()),
        _ => refuse(42045),
    }
}

fn url(url: &str) -> Result<(), Refusal> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return refuse(45034);
    }
    if url.len() > URL { Err(Refusal::said(40058, "url exceed max length 2048")) } else { Ok(()) }
}

/// A text that must be there.
fn filled<'a>(body: &'a Value, name: &str, errcode: i64) -> Result<&'a str, Refusal> {
    let text = body[name].as_str().filter(|text| !text.is_empty());
    text.map_or_else(|| refuse(errcode), Ok)
}

fn letters(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}
