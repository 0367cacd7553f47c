//! `[[hook]]` as it stands in the file: its keys are known and its values of the right kind; what they say is looked at
//! in `hook.rs`.

use super::file::Reader;
use super::keys;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::say;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One `[[hook]]`: its keys are known, its values are not looked at yet.
#[derive(Debug)]
pub(super) struct HookTable {
    pub line: usize,
    pub items: BTreeMap<String, (Item, usize)>,
}

/// A value of a hook.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Text(Secret),
    List(Vec<String>),
    Number(i64),
    Flag(bool),
}

/// Reads them all, in their order.
pub(super) fn read(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Result<Vec<HookTable>> {
    let wanted = say!("must be a list of tables, each begun with [[hook]]"; "应为表的列表，每个以 [[hook]] 开头");
    let tables = reader.tables("hook", value, &wanted)?;
    tables.into_iter().map(|(span, table)| hook(reader, reader.line(&span), table)).collect()
}

fn hook(reader: &Reader<'_>, line: usize, entries: &DeTable<'_>) -> Result<HookTable> {
    let known: Vec<String> = keys::HOOK.iter().map(|key| (*key).to_owned()).collect();
    let mut items = BTreeMap::new();
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let full = format!("hook.{name}");
        if !known.iter().any(|k| k == name) {
            return Err(reader.unknown(key.span(), name, &full, &known));
        }
        items.insert(name.to_owned(), (item(reader, name, &full, value)?, reader.line(&value.span())));
    }
    Ok(HookTable { line, items })
}

fn item(reader: &Reader<'_>, name: &str, full: &str, value: &Spanned<DeValue<'_>>) -> Result<Item> {
    let error = |wanted| reader.error(value.span(), full, wanted);
    let found = value.get_ref();
    match name {
        "command" | "events" | "accounts" => {
            let wanted = || say!("must be a list of texts in quotes"; "应为带引号字符串的列表");
            let list = found.as_array().ok_or_else(|| error(wanted()))?;
            let texts = list.iter().map(|one| one.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map(Item::List).ok_or_else(|| error(wanted()))
        }
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
