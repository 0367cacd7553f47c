//! Where other programs of the company look for an access_token in Redis, and in which form: the keys and values of
//! four libraries, read in their sources, by their defaults.
//!
//! None of them has a word for "somebody else holds the token". Each believes in what stands under its key until that
//! ends, and asks the platform itself when it finds nothing there. So a copy is to stand without a gap, to be replaced
//! at once by the next one, and never to outlive its token: Redis keeps it for the rest of the token's life, whatever
//! margin the library leaves when it writes by itself.

mod easywechat;
mod senparc;
mod silenceper;
#[cfg(test)]
mod tests;
mod wxjava;

use super::account::Access;
use super::secret::Secret;
use super::veil::Veil;
use crate::error::{Error, Result};
use crate::say;

/// A token of unknown end is copied for so long at a time, milliseconds: the life of any other. A copy without an end
/// would be believed in for ever.
const UNKNOWN_MS: i64 = 7_200_000;
/// One of unknown end is written anew when so much is left, milliseconds.
const ANEW_MS: i64 = 300_000;
/// Ends that differ by so much, milliseconds, are the same: clocks differ, and Redis was asked a moment later.
const SLACK_MS: i64 = 60_000;
/// The longest key that is taken.
const KEY_MAX: usize = 200;

/// The form in which other programs of the company look for the token in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// The bare token under this key.
    Plain(String),
    /// WxJava, with this prefix instead of its starters' own.
    WxJava(Option<String>),
    /// EasyWeChat 6, with this namespace instead of `easywechat`.
    EasyWeChat6(Option<String>),
    /// silenceper/wechat, v2.
    Silenceper,
    /// Senparc.Weixin, with this namespace instead of `DefaultCache`.
    Senparc(Option<String>),
}

/// What is known of a token that is to be copied.
#[derive(Debug, Clone, Copy)]
pub struct Original<'a> {
    /// The token.
    pub text: &'a Secret,
    /// When it ends, milliseconds; `None`: set by hand, trusted until refused.
    pub expires_at: Option<i64>,
    /// How long it had to live as it came, milliseconds; `None`: not known.
    pub life_ms: Option<i64>,
}

/// A copy as it is to stand in Redis.
#[derive(Debug, Clone)]
pub struct TokenCopy {
    /// The key. Two libraries put the account's secret into it.
    pub key: Secret,
    /// The value.
    pub value: Secret,
    /// How long Redis is to keep it, milliseconds; `None`: the library looks into the value for its end.
    pub keep_ms: Option<i64>,
    text: Secret,
    left_ms: i64,
    end_known: bool,
    now_ms: i64,
}

impl Layout {
    /// Reads the word of the configuration: `plain:KEY`, `wxjava`, `wxjava:PREFIX`, `easywechat6`,
    /// `easywechat6:NAMESPACE`, `silenceper`, `senparc` or `senparc:NAMESPACE`. Nothing after the colon is no prefix.
    pub fn parse(text: &str) -> Result<Layout> {
        let (word, option) = match text.split_once(':') {
            Some((word, option)) => (word, Some(option)),
            None => (text, None),
        };
        match (word, option) {
            ("plain", Some(key)) => plain(key),
            ("wxjava", option) => prefix(option).map(Layout::WxJava),
            ("easywechat6", option) => prefix(option).map(Layout::EasyWeChat6),
            ("silenceper", None) => Ok(Layout::Silenceper),
            ("senparc", option) => prefix(option).map(Layout::Senparc),
            _ => Err(Error::config(say!(
                "must be plain:KEY, wxjava, easywechat6, silenceper or senparc";
                "必须是 plain:键名、wxjava、easywechat6、silenceper 或 senparc"
            ))),
        }
    }

    /// The layout as it is written in the configuration, without what follows the colon.
    pub fn name(&self) -> &'static str {
        match self {
            Layout::Plain(_) => "plain",
            Layout::WxJava(_) => "wxjava",
            Layout::EasyWeChat6(_) => "easywechat6",
            Layout::Silenceper => "silenceper",
            Layout::Senparc(_) => "senparc",
        }
    }

    /// Whether the account's secret is part of what is written.
    pub fn needs_secret(&self) -> bool {
        matches!(self, Layout::EasyWeChat6(_) | Layout::Senparc(_))
    }

    /// Under which key the program looks; `None` where that takes a secret which is not configured.
    pub fn key(&self, account: &Access) -> Option<Secret> {
        let key = match self {
            Layout::Plain(key) => key.clone(),
            Layout::WxJava(prefix) => wxjava::key(prefix.as_deref(), account),
            Layout::EasyWeChat6(namespace) => easywechat::key(namespace.as_deref(), account, account.secret.as_ref()?),
            Layout::Silenceper => silenceper::key(account),
            Layout::Senparc(namespace) => senparc::key(namespace.as_deref(), account, account.secret.as_ref()?),
        };
        Some(Secret::new(key))
    }

    /// The key as it may be shown: with `***` for a secret in it.
    pub fn shown_key(&self, account: &Access) -> Option<String> {
        let key = self.key(account)?;
        Some(Veil::over(&account.secret).hide(key.reveal()).into_owned())
    }

    /// The copy of a token; `None` where it has ended, or the layout takes a secret which is not configured.
    pub fn copy(&self, account: &Access, token: Original<'_>, now_ms: i64) -> Option<TokenCopy> {
        let left_ms = token.expires_at.map_or(UNKNOWN_MS, |end| end - now_ms);
        if left_ms <= 0 {
            return None;
        }
        let text = token.text.reveal();
        let (value, keep_ms) = match self {
            Layout::Plain(_) | Layout::WxJava(_) | Layout::Silenceper => (text.to_owned(), Some(left_ms)),
            Layout::EasyWeChat6(_) => (easywechat::value(text), Some(left_ms)),
            Layout::Senparc(_) => {
                let times = senparc::Times { now_ms, left_ms, life_ms: token.life_ms.unwrap_or(left_ms) };
                (senparc::value(account, account.secret.as_ref()?, text, times), None)
            }
        };
        Some(TokenCopy {
            key: self.key(account)?,
            value: Secret::new(value),
            keep_ms,
            text: token.text.clone(),
            left_ms,
            end_known: token.expires_at.is_some(),
            now_ms,
        })
    }
}

impl TokenCopy {
    /// Whether what was found under the key is this copy; `left_ms` is how long Redis keeps that, negative where it is
    /// for ever.
    pub fn is(&self, account: &Access, found: &[u8], left_ms: i64) -> bool {
        let left_ms = match self.keep_ms {
            Some(_) => left_ms,
            None => senparc::read(account, found).map_or(-1, |(_, end_ms)| end_ms - self.now_ms),
        };
        let ends_alike = match self.end_known {
            true => (left_ms - self.left_ms).abs() <= SLACK_MS,
            false => left_ms > ANEW_MS,
        };
        self.holds(account, found) && ends_alike
    }

    /// Whether it is this token, whenever it ends there.
    pub fn holds(&self, account: &Access, found: &[u8]) -> bool {
        match self.keep_ms {
            Some(_) => self.value.reveal().as_bytes() == found,
            None => senparc::read(account, found).is_some_and(|(text, _)| self.text.matches(&text)),
        }
    }
}

fn plain(key: &str) -> Result<Layout> {
    let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > KEY_MAX || !printable {
        return Err(Error::config(say!(
            "after plain: stands a key of printable letters without a blank, at most {KEY_MAX}";
            "plain: 之后应为不含空格的可打印字符，最多 {KEY_MAX} 个"
        )));
    }
    if key.starts_with("wxops:") {
        return Err(Error::config(say!("keys that begin with wxops: are our own"; "以 wxops: 开头的键由本程序自用")));
    }
    Ok(Layout::Plain(key.to_owned()))
}

/// A prefix or namespace, with what a client may put before it.
fn prefix(option: Option<&str>) -> Result<Option<String>> {
    let Some(text) = option else { return Ok(None) };
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-+_.:".contains(&byte);
    match text.len() <= KEY_MAX && text.bytes().all(fine) && !text.starts_with("wxops:") {
        true => Ok(Some(text.to_owned())),
        false => Err(Error::config(say!(
            "what follows the colon may hold only letters, digits and - + _ . :";
            "冒号之后只能含字母、数字与 - + _ . :"
        ))),
    }
}
