//! The Official Accounts of a configuration.

use super::access::{Reader, at_table};
use super::callback;
use super::file::Table;
use super::keys::{self, Setting};
use super::layers::{Layers, Scope};
use super::origins::Origins;
use super::source::{Origin, Value};
use super::values;
use crate::domain::account::{Mode, Official, Platform};
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::say;
use std::sync::Arc;

/// The name of the account that variables alone describe.
const MAIN: &str = "main";

/// All of them, and which one a command without `--account` takes.
#[derive(Default)]
pub(super) struct Accounts {
    pub list: Vec<Official>,
    pub default: Option<String>,
    /// A variable that describes an account, while the AppID is missing.
    pub half: Option<Value>,
}

/// Reads every account. The `WECHAT_…` variables speak of `main` without a file, else of the file's default.
pub(super) fn officials(layers: &Layers<'_>, origins: &mut Origins) -> Result<Accounts> {
    let tables: Vec<(&String, &Table)> =
        layers.file.iter().flat_map(|file| file.accounts_on(Platform::Official)).collect();
    let default = default_of(layers, &tables)?;
    if tables.is_empty() {
        return only_variables(layers, origins);
    }
    if default.is_none()
        && let Some(value) = any_variable(layers)?
    {
        let names = tables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(value
            .error(say!("it does not say which account it is for: {names}"; "不清楚属于哪个账号：{names}"))
            .next(say!("mark one account with default = true"; "请给其中一个账号加上 default = true")));
    }
    let mut list = Vec::new();
    for (name, _) in &tables {
        let reader = reader(layers, name, default.as_ref() == Some(*name));
        let missing = || at_table(layers, (Platform::Official, name), say!("app_id is missing"; "缺少 app_id"));
        list.push(reader.official(origins)?.ok_or_else(missing)?);
    }
    Ok(Accounts { list, default, half: None })
}

fn only_variables(layers: &Layers<'_>, origins: &mut Origins) -> Result<Accounts> {
    let reader = reader(layers, MAIN, true);
    Ok(match reader.official(origins)? {
        Some(official) => Accounts { list: vec![official], default: Some(MAIN.into()), half: None },
        None => Accounts { half: any_variable(layers)?, ..Accounts::default() },
    })
}

fn default_of(layers: &Layers<'_>, tables: &[(&String, &Table)]) -> Result<Option<String>> {
    let marked: Vec<_> = tables.iter().filter(|(_, table)| table.default).collect();
    match (marked.as_slice(), tables) {
        ([(name, _)], _) | ([], [(name, _)]) => Ok(Some((*name).clone())),
        ([], _) => Ok(None),
        ([.., (name, _)], _) => {
            let why = say!("a second account is marked default"; "有两个账号都标记为 default");
            Err(at_table(layers, (Platform::Official, name), why))
        }
    }
}

fn reader<'a>(layers: &'a Layers<'a>, name: &'a str, variables: bool) -> Reader<'a> {
    Reader { layers, platform: Platform::Official, name, variables }
}

fn any_variable(layers: &Layers<'_>) -> Result<Option<Value>> {
    let scope = Scope { account: None, variables: true };
    for setting in keys::OFFICIAL {
        // Without a table only the variables can answer.
        if let Some(value) = layers.get(&Setting { toml: None, ..*setting }, scope)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

impl Reader<'_> {
    /// The account; `None` where its AppID is missing. What is there is checked either way.
    fn official(&self, origins: &mut Origins) -> Result<Option<Official>> {
        let access = self.access(origins)?;
        let tokens = self.tokens((&keys::TOKEN, &keys::TOKEN_PREVIOUS), values::token, origins)?;
        let aes_keys = self.aes_keys((&keys::AES_KEY, &keys::AES_KEY_PREVIOUS), origins)?;
        let mode = self.mode(!aes_keys.is_empty(), origins)?;
        let original_id = self.parsed(&keys::ORIGINAL_ID, origins, values::id)?;
        let Some(mut access) = access else { return Ok(None) };
        access.hidden = callback::hidden(&tokens, &aes_keys);
        let official = Official { access, tokens, aes_keys, mode, original_id, replies: Arc::default() };
        self.complete(&official, origins)?;
        Ok(Some(official))
    }

    /// The mode, and the AES key it needs (reference 1.2).
    fn mode(&self, has_key: bool, origins: &mut Origins) -> Result<Mode> {
        let Some(value) = self.value(&keys::MODE, origins)? else {
            let mode = if has_key { Mode::Secure } else { Mode::Plain };
            let text = Some(Secret::new(mode.as_str()));
            origins.note(&self.origin_name(&keys::MODE), Origin::Default, text, keys::MODE.shown());
            return Ok(mode);
        };
        let mode = values::mode(value.text.reveal()).map_err(|error| value.wrap(error))?;
        if mode != Mode::Plain && !has_key {
            let names = self.names(&keys::AES_KEY);
            return Err(value
                .error(say!("this mode needs the EncodingAESKey, and it is missing"; "此模式需要 EncodingAESKey，但没有设置"))
                .next(say!("set {names} to the 43 letters of the console"; "请把 {names} 设为公众平台后台的 43 个字符")));
        }
        Ok(mode)
    }

    /// Callbacks need the Token, calls need the AppSecret; an account with neither can do nothing.
    fn complete(&self, official: &Official, origins: &Origins) -> Result<()> {
        let receives = !official.aes_keys.is_empty() || *origins.of(&self.origin_name(&keys::MODE)) != Origin::Default;
        if !official.tokens.is_empty() || (official.has_token() && !receives) {
            return Ok(());
        }
        let Some(value) = self.layers.get(&keys::APP_ID, self.scope())? else { return Ok(()) };
        let token = self.names(&keys::TOKEN);
        if receives {
            return Err(
                value.error(say!("{token} is missing: callbacks can't be verified"; "缺少 {token}：无法验证回调"))
            );
        }
        let secret = self.names(&keys::APP_SECRET);
        Err(value.error(say!("both {token} and {secret} are missing"; "{token} 与 {secret} 都没有设置")))
    }
}
