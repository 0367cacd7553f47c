//! `--accounts-file`: the accounts a sandbox knows, `[official.NAME]` in TOML.

use crate::domain::account::Mode;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::sandbox::Account;
use crate::sandbox::account::mode_named;
use crate::say;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    official: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    app_id: String,
    #[serde(alias = "secret")]
    app_secret: String,
    token: String,
    aes_key: Option<String>,
    original_id: String,
    mode: Option<String>,
    callback: Option<String>,
}

/// Reads the file.
///
/// # Errors
/// Configuration: unreadable, unknown keys, no account. The text of the file is not in the error.
pub fn read(path: &Path) -> Result<Vec<Account>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::config(say!("cannot read {shown}: {error}"; "无法读取 {shown}：{error}")))?;
    let file: File = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| 1 + text[..span.start].matches('\n').count());
        let why = without_value(error.message());
        Error::config(say!("{shown}, line {line}: {why}"; "{shown} 第 {line} 行：{why}"))
    })?;
    if file.official.is_empty() {
        return Err(Error::config(say!("{shown} holds no [official.NAME]"; "{shown} 中没有 [official.NAME]")));
    }
    file.official.into_iter().map(|(name, entry)| account(name, entry)).collect()
}

/// What was expected, without what was found instead: that may be a secret.
fn without_value(message: &str) -> &str {
    match message.starts_with("invalid ") {
        true => message.rsplit_once(", ").map_or(message, |(_, expected)| expected),
        false => message,
    }
}

fn account(name: String, entry: Entry) -> Result<Account> {
    let mode = match entry.mode.as_deref() {
        None if entry.aes_key.is_some() => Mode::Secure,
        None => Mode::Plain,
        Some(text) => mode_named(text).ok_or_else(|| {
            Error::config(say!(
                "account {name}: its mode is none of plain, compat, secure";
                "账号 {name}：mode 不是 plain、compat、secure 之一"
            ))
        })?,
    };
    Ok(Account {
        app_id: entry.app_id,
        secret: Secret::new(entry.app_secret),
        token: Secret::new(entry.token),
        aes_key: entry.aes_key.map(Secret::new),
        original_id: entry.original_id,
        mode,
        callback: entry.callback,
        name,
    })
}
