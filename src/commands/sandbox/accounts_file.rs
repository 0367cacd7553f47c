//! `--accounts-file`: the accounts a sandbox knows, `[official.NAME]`, `[wecom.NAME]` and `[minigame.NAME]` in TOML.

use crate::domain::account::Mode;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::sandbox::Account;
use crate::sandbox::account::{Kind, mode_named};
use crate::say;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    official: BTreeMap<String, Entry>,
    #[serde(default)]
    wecom: BTreeMap<String, Wecom>,
    #[serde(default)]
    minigame: BTreeMap<String, Minigame>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wecom {
    corp_id: String,
    agent_id: u32,
    secret: String,
    token: Option<String>,
    aes_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Minigame {
    app_id: String,
    #[serde(alias = "app_secret")]
    secret: String,
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
    let mut accounts = file.official.into_iter().map(official).collect::<Result<Vec<_>>>()?;
    accounts.extend(file.wecom.into_iter().map(|(name, Wecom { corp_id, agent_id, secret, token, aes_key })| {
        let account = Account::without_pushes(&name, Kind::Wecom { agent_id }, corp_id, Secret::new(secret));
        match token {
            Some(token) => account.receiving(Secret::new(token), aes_key.map(Secret::new)),
            None => account,
        }
    }));
    accounts.extend(file.minigame.into_iter().map(|(name, Minigame { app_id, secret })| {
        Account::without_pushes(&name, Kind::Minigame, app_id, Secret::new(secret))
    }));
    if accounts.is_empty() {
        return Err(Error::config(say!(
            "{shown} holds no [official.NAME], [wecom.NAME] or [minigame.NAME]";
            "{shown} 中没有 [official.NAME]、[wecom.NAME] 或 [minigame.NAME]"
        )));
    }
    Ok(accounts)
}

/// What was expected, without what was found instead: that may be a secret.
fn without_value(message: &str) -> &str {
    match message.starts_with("invalid ") {
        true => message.rsplit_once(", ").map_or(message, |(_, expected)| expected),
        false => message,
    }
}

fn official((name, entry): (String, Entry)) -> Result<Account> {
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
        kind: Kind::Official,
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
