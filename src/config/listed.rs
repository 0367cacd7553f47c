//! `[[hook]]`, `[[client]]` and `[[queue.rule]]` as they stand in the file: their keys are known and their values of the right kind; what
//! they say is looked at in `hook.rs`, `client.rs` and `queue/rule.rs`.

use super::file::Reader;
use super::layers::Layers;
use super::source::{Layer, Origin, Value};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table of such a list: its keys are known, its values are not looked at yet.
#[derive(Debug)]
pub(super) struct Listed {
    /// `hook`, `client`, `queue.rule`.
    list: &'static str,
    pub line: usize,
    pub items: BTreeMap<String, (Item, usize)>,
}

/// A value of it.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Text(Secret),
    List(Vec<String>),
    Number(i64),
    Flag(bool),
}

/// Reads all tables of a list, in their order.
pub(super) fn read(
    reader: &Reader<'_>,
    list: &'static str,
    known: &[&str],
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Listed>> {
    let wanted = say!("must be a list of tables, each begun with [[{list}]]"; "应为表的列表，每个以 [[{list}]] 开头");
    let known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
    let tables = reader.tables(list, value, &wanted)?;
    tables.into_iter().map(|(span, table)| one(reader, list, &known, reader.line(&span), table)).collect()
}

fn one(
    reader: &Reader<'_>,
    list: &'static str,
    known: &[String],
    line: usize,
    entries: &DeTable<'_>,
) -> Result<Listed> {
    let mut items = BTreeMap::new();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let full = format!("{list}.{name}");
        if !known.iter().any(|k| k == name) {
            return Err(reader.unknown(key.span(), name, &full, known));
        }
        items.insert(name.to_owned(), (item(reader, name, &full, value)?, reader.line(&value.span())));
    }
    Ok(Listed { list, line, items })
}

fn item(reader: &Reader<'_>, name: &str, full: &str, value: &Spanned<DeValue<'_>>) -> Result<Item> {
    let error = |wanted| reader.error(value.span(), full, wanted);
    let found = value.get_ref();
    match name {
        "command" | "events" | "accounts" | "scopes" | "addresses" => {
            let wanted = || say!("must be a list of texts in quotes"; "应为带引号字符串的列表");
            texts(value).map(Item::List).ok_or_else(|| error(wanted()))
        }
        // One, or several in a list.
        "to" | "kinds" => match found.as_str() {
            Some(one) => Ok(Item::List(vec![one.to_owned()])),
            None => {
                let wanted = say!("must be text in quotes, or a list of such"; "应为带引号的字符串或其列表");
                texts(value).map(Item::List).ok_or_else(|| error(wanted))
            }
        },
        "tries" => {
            let number = found.as_integer().and_then(|number| number.as_str().parse().ok());
            number.map(Item::Number).ok_or_else(|| error(say!("must be a whole number"; "应为整数")))
        }
        "insecure" => {
            let wanted = say!("must be true or false"; "应为 true 或 false");
            found.as_bool().map(Item::Flag).ok_or_else(|| error(wanted))
        }
        _ => reader.text_of(full, value).map(|(text, _)| Item::Text(text)),
    }
}

/// The texts of a list; `None` where it is none, or has something else in it.
pub(super) fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    value.get_ref().as_array()?.iter().map(|one| one.get_ref().as_str().map(str::to_owned)).collect()
}

impl Listed {
    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Option<&Secret> {
        match self.items.get(key) {
            Some((Item::Text(text), _)) if !text.reveal().is_empty() => Some(text),
            _ => None,
        }
    }

    pub fn list(&self, key: &str) -> Option<&[String]> {
        match self.items.get(key) {
            Some((Item::List(list), _)) => Some(list),
            _ => None,
        }
    }

    pub fn flag(&self, key: &str) -> bool {
        matches!(self.items.get(key), Some((Item::Flag(true), _)))
    }

    /// A key as people are told of it, such as `hook.crm.url`; while the name is not known, `hook.url`.
    pub fn full(&self, name: &str, key: &str) -> String {
        let list = self.list;
        match name.is_empty() {
            true => format!("{list}.{key}"),
            false => format!("{list}.{name}.{key}"),
        }
    }

    /// Where the key stands; a key that is missing is missing where the table begins.
    pub fn origin(&self, layers: &Layers<'_>, key: &str) -> Origin {
        let path = layers.file.as_ref().map(|file| file.path.clone()).unwrap_or_default();
        Origin::File { path, line: self.items.get(key).map_or(self.line, |(_, line)| *line) }
    }

    /// A complaint about a key.
    pub fn error(&self, layers: &Layers<'_>, (name, key): (&str, &str), why: Text) -> Error {
        let (key, origin) = (self.full(name, key), self.origin(layers, key));
        Value { key, text: Secret::new(""), origin, layer: Layer::File }.error(why)
    }
}
