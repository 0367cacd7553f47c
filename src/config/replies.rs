//! `[[reply]]` of the TOML file: what is answered and with what, checked before any of it is sent.

use super::file::{File, Reader};
use super::keys::near;
use crate::domain::account::Official;
use crate::domain::reply::{Content, News, Reply, TEXT_MAX, When};
use crate::error::{Error, Result, Text};
use crate::say;
use regex::RegexBuilder;
use reqwest::Url;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A compiled pattern may take so many bytes; one that a person writes takes a tenth.
const PATTERN_MAX: usize = 256 * 1024;
/// Longest headline and description, in bytes; the platform names no limit, and nobody reads more.
const NEWS_TEXT_MAX: usize = 1024;
/// Longest URL, in bytes.
const URL_MAX: usize = 2048;

/// The keys that say what is answered, and those that say with what.
const WHEN: &[&str] = &["on", "exact", "prefix", "pattern", "click"];
const CONTENT: &[&str] = &["text", "image", "news"];
/// The keys of `news`.
const NEWS: &[&str] = &["title", "description", "picurl", "url"];

/// One `[[reply]]` as it stands in the file.
#[derive(Debug)]
pub(super) struct Written {
    pub line: usize,
    /// The accounts that give it; `None` is all of them.
    accounts: Option<Vec<(String, usize)>>,
    reply: Reply,
}

/// Reads them all, in their order.
pub(super) fn read(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<Vec<Written>> {
    let wanted = say!("must be written as [[reply]]"; "应写作 [[reply]]");
    let tables = reader.tables("reply", value, &wanted)?;
    tables.into_iter().map(|(span, table)| Section { reader, table, span }.read()).collect()
}

/// Gives every account its replies.
pub(super) fn hand_out(file: Option<&File>, officials: &mut [Official]) -> Result<()> {
    let Some(file) = file.filter(|file| !file.replies.is_empty()) else { return Ok(()) };
    let names: Vec<String> = officials.iter().map(|official| official.name.clone()).collect();
    for (name, line) in file.replies.iter().flat_map(|written| written.accounts.iter().flatten()) {
        if !names.contains(name) {
            return Err(no_such_account(file, name, *line, &names));
        }
    }
    for official in officials {
        let takes = |written: &&Written| match &written.accounts {
            Some(accounts) => accounts.iter().any(|(name, _)| *name == official.name),
            None => true,
        };
        official.replies = file.replies.iter().filter(takes).map(|written| written.reply.clone()).collect();
    }
    Ok(())
}

fn no_such_account(file: &File, name: &str, line: usize, names: &[String]) -> Error {
    let (path, known) = (file.path.display(), names.join(", "));
    let error = Error::config(say!(
        "reply.accounts (line {line} of {path}): there is no account {name:?}; there is {known}";
        "reply.accounts（{path} 第 {line} 行）：没有名为 {name:?} 的账号；现有 {known}"
    ));
    match near(name, names) {
        Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
        None => error,
    }
}

struct Section<'a, 'v> {
    reader: &'a Reader<'a>,
    table: &'v DeTable<'v>,
    span: Range<usize>,
}

impl Section<'_, '_> {
    fn read(&self) -> Result<Written> {
        let known: Vec<String> = WHEN.iter().chain(CONTENT).chain(&["accounts"]).map(|key| (*key).into()).collect();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.iter().any(|known| known == name) {
                return Err(self.reader.unknown(key.span(), name, &format!("reply.{name}"), &known));
            }
        }
        Ok(Written {
            line: self.reader.line(&self.span),
            accounts: self.accounts()?,
            reply: Reply { when: self.when()?, content: self.content()? },
        })
    }

    fn accounts(&self) -> Result<Option<Vec<(String, usize)>>> {
        let Some(value) = self.table.get("accounts") else { return Ok(None) };
        let wanted = say!("must be a list of names, such as [\"main\"]"; "应为账号名的列表，例如 [\"main\"]");
        let wrong = |span| self.wrong(span, "accounts", wanted.clone());
        let list = value.get_ref().as_array().filter(|list| !list.is_empty()).ok_or_else(|| wrong(value.span()))?;
        let name = |value: &Spanned<DeValue<'_>>| {
            let name = value.get_ref().as_str().ok_or_else(|| wrong(value.span()))?;
            Ok((name.to_owned(), self.reader.line(&value.span())))
        };
        list.iter().map(name).collect::<Result<_>>().map(Some)
    }

    /// The one key of `keys` that is there.
    fn one_of(&self, keys: &[&'static str]) -> Result<(&'static str, &Spanned<DeValue<'_>>)> {
        let mut found = keys.iter().filter_map(|key| Some((*key, self.table.get(*key)?)));
        let list = keys.join(", ");
        let Some(first) = found.next() else {
            return Err(
                self.wrong_at(self.span.clone(), say!("one of these is missing: {list}"; "缺少其中之一：{list}"))
            );
        };
        match found.next() {
            Some((key, value)) => {
                let first = first.0;
                Err(self.wrong(value.span(), key, say!("stands beside {first}; only one of {list} may be there"; "与 {first} 同时出现；{list} 只能有一个")))
            }
            None => Ok(first),
        }
    }

    fn when(&self) -> Result<When> {
        let (key, value) = self.one_of(WHEN)?;
        let text = self.text(key, value, TEXT_MAX)?;
        match key {
            "on" => match text {
                "subscribe" => Ok(When::Subscribe),
                "scan" => Ok(When::Scan),
                "message" => Ok(When::Message),
                _ => Err(self.wrong(
                    value.span(),
                    key,
                    say!("must be subscribe, scan or message; nothing else can be answered"; "应为 subscribe、scan 或 message；其他事件无法回复"),
                )),
            },
            "exact" => Ok(When::Exact(text.trim().to_owned())),
            "prefix" => Ok(When::Prefix(text.trim_start().to_owned())),
            "click" => Ok(When::Click(text.to_owned())),
            _ => {
                let built = RegexBuilder::new(text).size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX).build();
                built.map(|pattern| When::Pattern(Box::new(pattern))).map_err(|error| {
                    let why = why_no_pattern(&error);
                    self.wrong(value.span(), key, why)
                })
            }
        }
    }

    fn content(&self) -> Result<Content> {
        let (key, value) = self.one_of(CONTENT)?;
        match key {
            "text" => Ok(Content::Text(self.text(key, value, TEXT_MAX)?.to_owned())),
            "image" => self.media_id(key, value).map(Content::Image),
            _ => self.news(value).map(Content::News),
        }
    }

    fn media_id(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String> {
        let text = self.text(key, value, 256)?;
        let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        match text.bytes().all(letter) {
            true => Ok(text.to_owned()),
            false => Err(self.wrong(
                value.span(),
                key,
                say!("not a media_id: letters, digits, _ and -"; "不是 media_id：只含字母、数字、_ 和 -"),
            )),
        }
    }

    fn news(&self, value: &Spanned<DeValue<'_>>) -> Result<News> {
        let wanted = say!(
            "must be a table, such as {{ title = \"…\", url = \"https://…\" }}";
            "应为表，例如 {{ title = \"…\", url = \"https://…\" }}"
        );
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(value.span(), "news", wanted))?;
        let known: Vec<String> = NEWS.iter().map(|key| (*key).into()).collect();
        let mut news =
            News { title: String::new(), description: String::new(), picurl: String::new(), url: String::new() };
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let full = format!("news.{name}");
            match name {
                "title" => news.title = self.text(&full, value, NEWS_TEXT_MAX)?.to_owned(),
                "description" => news.description = self.text(&full, value, NEWS_TEXT_MAX)?.to_owned(),
                "picurl" => news.picurl = self.url(&full, value)?,
                "url" => news.url = self.url(&full, value)?,
                _ => return Err(self.reader.unknown(key.span(), name, &format!("reply.{full}"), &known)),
            }
        }
        for (key, text) in [("news.title", &news.title), ("news.url", &news.url)] {
            if text.is_empty() {
                return Err(self.wrong(value.span(), key, say!("missing"; "缺少")));
            }
        }
        Ok(news)
    }

    fn url(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String> {
        let text = self.text(key, value, URL_MAX)?;
        let good = Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        match good && !text.contains(char::is_whitespace) {
            true => Ok(text.to_owned()),
            false => Err(self.wrong(
                value.span(),
                key,
                say!("not a URL that begins with https:// or http://"; "不是以 https:// 或 http:// 开头的 URL"),
            )),
        }
    }

    /// A text that XML can carry, not blank, of at most `max` bytes.
    fn text<'v>(&self, key: &str, value: &'v Spanned<DeValue<'_>>, max: usize) -> Result<&'v str> {
        let wrong = |why| self.wrong(value.span(), key, why);
        let text =
            value.get_ref().as_str().ok_or_else(|| wrong(say!("must be text in quotes"; "应为带引号的字符串")))?;
        let length = text.len();
        if text.trim().is_empty() {
            return Err(wrong(say!("is empty"; "为空")));
        }
        if length > max {
            return Err(wrong(
                say!("has {length} bytes, the limit is {max} (a Chinese character has 3)"; "长 {length} 字节，上限为 {max} 字节（一个汉字 3 字节）"),
            ));
        }
        if text
            .chars()
            .any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}'))
        {
            return Err(wrong(say!("has a character in it that can't be sent"; "含有无法发送的字符")));
        }
        Ok(text)
    }

    fn wrong(&self, span: Range<usize>, key: &str, why: Text) -> Error {
        self.reader.error(span, &format!("reply.{key}"), why)
    }

    fn wrong_at(&self, span: Range<usize>, why: Text) -> Error {
        self.reader.error(span, "reply", why)
    }
}

/// The library's own words show the pattern over several lines; its last line says what is wrong.
fn why_no_pattern(error: &regex::Error) -> Text {
    if let regex::Error::CompiledTooBig(_) = error {
        return say!("the pattern is too large"; "正则表达式过大");
    }
    let text = error.to_string();
    let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    say!("not a pattern: {why}"; "不是合法的正则表达式：{why}")
}
