//! The TOML file: text values with the line each stands on. Every key is known or an error.

use super::keys;
use super::listed::{self, Listed};
use super::replies::{self, Written};
use crate::domain::account::Platform;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Keys of which several values may stand in a list.
const LISTS: [&str; 4] = ["trusted_proxies", "queue.fields", "queue.kinds", "queue.changed"];

/// Keys that are numbers, beside `agent_id`.
const NUMBERS: [&str; 2] = ["queue.max_attempts", "queue.monitor_interval"];
/// Keys that are true or false.
const SWITCHES: [&str; 2] = ["spool_tmpfs", "queue.in_serve"];

/// A value and its line, counted from 1.
pub(super) type Entry = (Secret, usize);

/// The parsed file.
#[derive(Debug)]
pub(super) struct File {
    pub path: PathBuf,
    pub values: BTreeMap<String, Entry>,
    pub accounts: BTreeMap<(Platform, String), Table>,
    pub replies: Vec<Written>,
    pub hooks: Vec<Listed>,
    pub clients: Vec<Listed>,
    pub rules: Vec<Listed>,
}

/// One `[official.NAME]`, `[wecom.NAME]` or `[minigame.NAME]`.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub line: usize,
    pub values: BTreeMap<String, Entry>,
    pub default: bool,
}

/// `[queue]`: its values under their full names, and its rules.
struct Section {
    values: Vec<(String, Entry)>,
    rules: Vec<Listed>,
}

impl File {
    /// Parses the file's text. A message never shows the file's own words but keys: values may be secrets.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let reader = Reader { path, text };
        let root = DeTable::parse(text).map_err(|error| reader.syntax(&error))?;
        let mut file = File {
            path: path.to_owned(),
            values: BTreeMap::new(),
            accounts: BTreeMap::new(),
            replies: Vec::new(),
            hooks: Vec::new(),
            clients: Vec::new(),
            rules: Vec::new(),
        };
        let mut known = keys::toml_keys(keys::GLOBAL);
        known.extend(Platform::ALL.map(|platform| platform.as_str().into()));
        known.retain(|key| !key.contains('.'));
        known.extend(["reply".into(), "hook".into(), "client".into(), "queue".into()]);
        for (key, value) in root.get_ref() {
            let name = key.get_ref().as_ref();
            let name = name.strip_prefix("wxops_").unwrap_or(name);
            if let Some(platform) = Platform::ALL.into_iter().find(|platform| platform.as_str() == name) {
                file.accounts.extend(reader.accounts(platform, value)?);
                continue;
            }
            match name {
                "reply" => file.replies = replies::read(&reader, value)?,
                "hook" => file.hooks = listed::read(&reader, "hook", keys::HOOK, value)?,
                "queue" => {
                    let section = reader.queue(value)?;
                    file.values.extend(section.values);
                    file.rules = section.rules;
                }
                "client" => file.clients = listed::read(&reader, "client", keys::CLIENT, value)?,
                _ if !known.iter().any(|k| k == name) => return Err(reader.unknown(key.span(), name, name, &known)),
                _ => _ = file.values.insert(name.to_owned(), reader.text_of(name, value)?),
            }
        }
        Ok(file)
    }

    /// The table of an account.
    pub fn account(&self, platform: Platform, name: &str) -> Option<&Table> {
        self.accounts.get(&(platform, name.to_owned()))
    }

    /// The tables of a platform's accounts, by name.
    pub fn accounts_on(&self, platform: Platform) -> impl Iterator<Item = (&String, &Table)> {
        self.accounts.iter().filter(move |((on, _), _)| *on == platform).map(|((_, name), table)| (name, table))
    }
}

/// Reads the parsed file; every complaint names the key and its line.
pub(super) struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn accounts(
        &self,
        platform: Platform,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<(Platform, String), Table>> {
        let mut accounts = BTreeMap::new();
        for (name, value) in self.table(platform.as_str(), value)? {
            let full = format!("{}.{}", platform.as_str(), name.get_ref());
            if !account_name(name.get_ref()) {
                return Err(self.error(
                    name.span(),
                    &full,
                    say!(
                        "an account's name is 1 to 32 of a-z 0-9 _ -, and not \"all\"";
                        "账号名应为 1 至 32 个 a-z 0-9 _ - 字符，且不能是 \"all\""
                    ),
                ));
            }
            let mut table = self.account(platform, &full, self.table(&full, value)?)?;
            table.line = self.line(&name.span());
            accounts.insert((platform, name.get_ref().to_string()), table);
        }
        Ok(accounts)
    }

    fn account(&self, platform: Platform, full: &str, entries: &DeTable<'_>) -> Result<Table> {
        let mut known = keys::toml_keys(keys::of(platform));
        if platform == Platform::Official {
            known.push("default".into());
        }
        let mut table = Table::default();
        for (key, value) in entries {
            let name = plain_name(platform, key.get_ref().as_ref());
            let full = format!("{full}.{}", key.get_ref());
            if !known.iter().any(|k| k == name) {
                return Err(self.unknown(key.span(), name, &full, &known));
            }
            if name == "default" {
                let yes_or_no = say!("must be true or false"; "应为 true 或 false");
                table.default = value.get_ref().as_bool().ok_or_else(|| self.error(value.span(), &full, yes_or_no))?;
            } else if table.values.insert(name.to_owned(), self.text_of(&full, value)?).is_some() {
                return Err(self.error(key.span(), &full, say!("given twice"; "重复出现")));
            }
        }
        Ok(table)
    }

    /// The values of `[queue]`, each under its full name, and its rules.
    fn queue(&self, value: &Spanned<DeValue<'_>>) -> Result<Section> {
        let wanted = say!("must be a table that begins with [queue]"; "应为以 [queue] 开头的表");
        let table = value.get_ref().as_table().ok_or_else(|| self.error(value.span(), "queue", wanted))?;
        let mut known = keys::queue();
        known.push("queue.rule".into());
        let (mut values, mut rules) = (Vec::new(), Vec::new());
        for (key, value) in table {
            let full = format!("queue.{}", key.get_ref());
            match full.as_str() {
                "queue.rule" => rules = listed::read(self, "queue.rule", keys::QUEUE_RULE, value)?,
                _ if known.contains(&full) => values.push((full.clone(), self.text_of(&full, value)?)),
                _ => return Err(self.unknown(key.span(), &full, &full, &known)),
            }
        }
        Ok(Section { values, rules })
    }

    /// The tables of a list that is written as `[[key]]`, each with where it stands; else what is `wanted`.
    pub fn tables<'v, 'i>(
        &self,
        key: &str,
        value: &'v Spanned<DeValue<'i>>,
        wanted: &Text,
    ) -> Result<Vec<(Range<usize>, &'v DeTable<'i>)>> {
        let wrong = |value: &Spanned<DeValue<'_>>| self.error(value.span(), key, wanted.clone());
        let list = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        let table = |value: &'v Spanned<DeValue<'i>>| {
            Ok((value.span(), value.get_ref().as_table().ok_or_else(|| wrong(value))?))
        };
        list.iter().map(table).collect()
    }

    fn table<'v, 'i>(&self, key: &str, value: &'v Spanned<DeValue<'i>>) -> Result<&'v DeTable<'i>> {
        let wanted = say!("must be a table, such as [official.main]"; "应为表，例如 [official.main]");
        value.get_ref().as_table().ok_or_else(|| self.error(value.span(), key, wanted))
    }

    pub fn text_of(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Entry> {
        // A switch is written as TOML has it, or in quotes as in the environment.
        if let Some(switch) = value.get_ref().as_bool().filter(|_| SWITCHES.contains(&key)) {
            return Ok((Secret::new(switch.to_string()), self.line(&value.span())));
        }
        if let Some(number) =
            value.get_ref().as_integer().filter(|_| key.ends_with(".agent_id") || NUMBERS.contains(&key))
        {
            return Ok((Secret::new(number.as_str()), self.line(&value.span())));
        }
        // Several may stand in a list, or in one text as in the environment.
        if let Some(list) = listed::texts(value).filter(|_| LISTS.contains(&key)) {
            return Ok((Secret::new(list.join(", ")), self.line(&value.span())));
        }
        let wanted = say!("must be text in quotes"; "应为带引号的字符串");
        let text = value.get_ref().as_str().ok_or_else(|| self.error(value.span(), key, wanted))?;
        Ok((Secret::new(text), self.line(&value.span())))
    }

    pub fn unknown(&self, span: Range<usize>, name: &str, full: &str, known: &[String]) -> Error {
        let error = self.error(span, full, say!("unknown key"; "未知的配置项"));
        match keys::near(name, known) {
            Some(near) => error.next(say!("did you mean {near}?"; "是不是 {near}？")),
            None => error,
        }
    }

    pub fn error(&self, span: Range<usize>, key: &str, why: Text) -> Error {
        let (line, path) = (self.line(&span), self.path.display());
        let (en, zh) = (why.en, why.zh);
        Error::config(say!("{key} (line {line} of {path}): {en}"; "{key}（{path} 第 {line} 行）：{zh}"))
    }

    fn syntax(&self, error: &toml::de::Error) -> Error {
        let path = self.path.display();
        let line = error.span().map_or(1, |span| self.line(&span));
        let why = error.message();
        Error::config(say!("line {line} of {path} is not TOML: {why}"; "{path} 第 {line} 行不是合法的 TOML：{why}"))
    }

    pub fn line(&self, span: &Range<usize>) -> usize {
        1 + self.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
    }
}

/// The variable's name in lower case does as well, and so does what SDKs call the AppSecret.
fn plain_name(platform: Platform, name: &str) -> &str {
    let prefix = match platform {
        Platform::Official => "wechat_",
        Platform::WeCom => "wecom_",
        Platform::MiniGame => "minigame_",
    };
    match name.strip_prefix(prefix).unwrap_or(name) {
        "secret" if platform != Platform::WeCom => "app_secret",
        "secret_file" if platform != Platform::WeCom => "app_secret_file",
        name => name,
    }
}

/// `[a-z0-9_-]{1,32}`; `all` is what `--account all` means.
pub(super) fn account_name(name: &str) -> bool {
    let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_' || c == b'-';
    (1..=32).contains(&name.len()) && name.bytes().all(letter) && name != "all"
}
