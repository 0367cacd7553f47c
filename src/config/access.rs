//! What every account has, on whichever platform: its id, its secret, how its API is called, where its token is.

use super::keys::{self, Setting};
use super::layers::{Layers, Scope};
use super::origins::Origins;
use super::source::{Layer, Origin, Value};
use super::values;
use crate::domain::account::{Access, Platform, TokenApi, TokenFrom};
use crate::domain::layout::Layout;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;

/// Reads the settings of one account.
pub(super) struct Reader<'a> {
    pub layers: &'a Layers<'a>,
    pub platform: Platform,
    pub name: &'a str,
    /// Whether the variables speak of it too.
    pub variables: bool,
}

impl Reader<'_> {
    /// The account; `None` where its AppID or CorpID is missing. What is there is checked either way.
    pub fn access(&self, origins: &mut Origins) -> Result<Option<Access>> {
        let (id, secret, base) = match self.platform {
            Platform::Official => (&keys::APP_ID, &keys::APP_SECRET, &keys::API_BASE),
            Platform::WeCom => (&keys::CORP_ID, &keys::CORP_SECRET, &keys::WECOM_API_BASE),
            Platform::MiniGame => (&keys::GAME_ID, &keys::GAME_SECRET, &keys::API_BASE),
        };
        // Of a platform that nobody has configured, nothing is noted.
        if self.platform != Platform::Official && self.layers.get(id, self.scope())?.is_none() {
            return Ok(None);
        }
        let app_id = self.parsed(id, origins, values::id)?;
        let secret = self.value(secret, origins)?.map(|value| value.text);
        let api_base = self.parsed(base, origins, values::api_base)?;
        let api_base = api_base.unwrap_or_else(|| base.default().unwrap_or_default().to_owned());
        let (agent_id, token_api) = match self.platform {
            Platform::WeCom => (self.parsed(&keys::AGENT_ID, origins, values::agent_id)?, TokenApi::GetToken),
            _ => (None, self.parsed(&keys::TOKEN_API, origins, values::token_api)?.unwrap_or(TokenApi::Stable)),
        };
        let proxy = self.parsed(&keys::PROXY, origins, values::proxy)?;
        let token_from = self.token_from(origins)?;
        let token_layout = self.parsed(&keys::TOKEN_LAYOUT, origins, Layout::parse)?;
        let Some(app_id) = app_id else { return Ok(None) };
        let bare = Access::new(self.platform, self.name, &app_id, &api_base);
        Ok(Some(Access { agent_id, secret, proxy, token_api, token_from, token_layout, ..bare }))
    }

    /// The other installation, and what we prove ourselves with there: neither is of use alone.
    fn token_from(&self, origins: &mut Origins) -> Result<Option<TokenFrom>> {
        let url = self.value(&keys::TOKEN_FROM, origins)?;
        let key = self.value(&keys::TOKEN_FROM_KEY, origins)?;
        match (url, key) {
            (Some(url), Some(key)) => {
                let text = values::token_url(url.text.reveal()).map_err(|error| url.wrap(error))?;
                Ok(Some(TokenFrom { url: text, key: key.text }))
            }
            (Some(url), None) => {
                Err(url.error(say!("token_from_key is missing beside it"; "还缺少 token_from_key")).next(say!(
                    "put the token of a [[client]] with the scope token:NAME there, or name its file with token_from_key_file";
                    "请填入对方 [[client]] 的密钥（作用域 token:账号名），或用 token_from_key_file 指明文件"
                )))
            }
            (None, Some(key)) => Err(key.error(say!("token_from is missing beside it"; "还缺少 token_from"))),
            (None, None) => Ok(None),
        }
    }

    /// The complaint that `missing` is not set, at the value of `there`.
    pub fn missing(&self, there: &Setting, missing: &Setting) -> Result<()> {
        let missing = self.names(missing);
        let Some(value) = self.layers.get(there, self.scope())? else { return Ok(()) };
        Err(value.error(say!("{missing} is missing beside it"; "还缺少 {missing}")))
    }

    pub fn parsed<T>(
        &self,
        setting: &Setting,
        origins: &mut Origins,
        parse: fn(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(value) = self.value(setting, origins)? else { return Ok(None) };
        parse(value.text.reveal()).map(Some).map_err(|error| value.wrap(error))
    }

    pub fn value(&self, setting: &Setting, origins: &mut Origins) -> Result<Option<Value>> {
        let value = self.layers.get(setting, self.scope())?;
        origins.take(&self.origin_name(setting), setting, value.as_ref());
        Ok(value)
    }

    pub fn scope(&self) -> Scope<'_> {
        Scope { account: Some((self.platform, self.name)), variables: self.variables }
    }

    pub fn origin_name(&self, setting: &Setting) -> String {
        format!("{}.{}.{}", self.platform.as_str(), self.name, setting.toml.unwrap_or_default())
    }

    /// How a person may set it: the variable where it counts, else the key.
    pub fn names(&self, setting: &Setting) -> String {
        match setting.env.filter(|_| self.variables) {
            Some(name) => name.to_owned(),
            None => self.origin_name(setting),
        }
    }
}

/// A complaint about the table of an account.
pub(super) fn at_table(layers: &Layers<'_>, (platform, name): (Platform, &str), why: Text) -> Error {
    let file = layers.file.as_ref();
    let line = file.and_then(|file| file.account(platform, name)).map_or(0, |table| table.line);
    let path = file.map(|file| file.path.clone()).unwrap_or_default();
    let key = format!("{}.{name}", platform.as_str());
    Value { key, text: Secret::new(""), origin: Origin::File { path, line }, layer: Layer::File }.error(why)
}
