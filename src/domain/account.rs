//! An account as the configuration describes it: what a call with its access_token needs, and of an Official Account
//! what receives callbacks.

use super::layout::Layout;
use super::reply::Reply;
use super::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::sync::Arc;
use zeroize::Zeroizing;

/// How the console of the account sends its pushes (reference 1.2, table of modes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Clear XML; the signature does not cover the body.
    Plain,
    /// Clear and encrypted side by side; for a change-over.
    Compat,
    /// Encrypted only; a clear body is a downgrade and refused.
    Secure,
}

impl Mode {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Compat => "compat",
            Mode::Secure => "secure",
        }
    }
}

/// Whose platform an account is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// An Official Account.
    Official,
    /// An application of WeCom.
    WeCom,
    /// A mini-game; its server API is the Official Account's.
    MiniGame,
}

impl Platform {
    /// Every one, in the order of the file.
    pub const ALL: [Platform; 3] = [Platform::Official, Platform::WeCom, Platform::MiniGame];

    /// The name of its tables in the file, and in the table `account`.
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::Official => "official",
            Platform::WeCom => "wecom",
            Platform::MiniGame => "minigame",
        }
    }
}

/// Which API gives an account's access_token (reference 3.1, 3.2; WeCom reference 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenApi {
    /// `/cgi-bin/stable_token`: the same token until 5 minutes before its end.
    Stable,
    /// `/cgi-bin/token`: a new token at every call, the one before it lives for 5 more minutes.
    Legacy,
    /// WeCom's `/cgi-bin/gettoken`: the same token until 5 minutes before its end.
    GetToken,
}

impl TokenApi {
    /// The API as the references name it.
    pub fn as_str(self) -> &'static str {
        match self {
            TokenApi::Stable => "stable_token",
            TokenApi::Legacy => "token",
            TokenApi::GetToken => "gettoken",
        }
    }
}

/// Another installation that holds the token, and lets this one read it.
#[derive(Debug, Clone)]
pub struct TokenFrom {
    /// `https://HOST/api/token/NAME`.
    pub url: String,
    /// What this installation proves itself with there.
    pub key: Secret,
}

/// What a call with an access_token needs, of an account on whichever platform.
#[derive(Debug, Clone)]
pub struct Access {
    /// The name in the configuration, `main` without a file; in paths and tables, unlike any other's.
    pub name: String,
    /// Whose platform.
    pub platform: Platform,
    /// AppID, `wx…`; of a WeCom application its CorpID.
    pub app_id: String,
    /// AgentId of a WeCom application.
    pub agent_id: Option<i64>,
    /// AppSecret; absent where only callbacks are received, or the token is read elsewhere.
    pub secret: Option<Secret>,
    /// Base URL of the platform's API, without a trailing slash.
    pub api_base: String,
    /// A fixed exit for the platform's IP white list; its URL may hold a password.
    pub proxy: Option<Secret>,
    /// Which API gives the token.
    pub token_api: TokenApi,
    /// Who holds the token instead of this installation.
    pub token_from: Option<TokenFrom>,
    /// Where other programs look for a copy of the token.
    pub token_layout: Option<Layout>,
    /// What else no text about this account may show, such as the keys of its callbacks.
    pub hidden: Vec<Secret>,
}

impl Access {
    /// An account whose calls go to `api_base`, with nothing else known of it.
    pub fn new(platform: Platform, name: &str, app_id: &str, api_base: &str) -> Self {
        Access {
            name: name.to_owned(),
            platform,
            app_id: app_id.to_owned(),
            agent_id: None,
            secret: None,
            api_base: api_base.to_owned(),
            proxy: None,
            token_api: if platform == Platform::WeCom { TokenApi::GetToken } else { TokenApi::Stable },
            token_from: None,
            token_layout: None,
            hidden: Vec::new(),
        }
    }

    /// What no text about this account may show.
    pub fn secrets(&self) -> Vec<Secret> {
        let key = self.token_from.iter().map(|from| &from.key);
        self.secret.iter().chain(key).chain(&self.hidden).cloned().collect()
    }

    /// What the table `account` knows it by: an application of WeCom is one of its corporation's.
    pub fn identity(&self) -> String {
        match self.agent_id {
            Some(agent) => format!("{}:{agent}", self.app_id),
            None => self.app_id.clone(),
        }
    }

    /// Whether a token can be had for it: by its own secret, or where another installation holds it.
    pub fn has_token(&self) -> bool {
        self.secret.is_some() || self.token_from.is_some()
    }

    /// Whether its calls go to WeChat itself: `api.weixin.qq.com`, `qyapi.weixin.qq.com` or another of its entrances.
    pub fn at_the_platform(&self) -> bool {
        let host = self.api_base.strip_prefix("https://").and_then(|rest| rest.split(['/', ':']).next());
        host.is_some_and(|host| host.ends_with(".weixin.qq.com"))
    }
}

/// One Official Account: its access, and what receives its callbacks.
#[derive(Debug, Clone)]
pub struct Official {
    /// Name, AppID, AppSecret, and how its API is called.
    pub access: Access,
    /// The console's Token, and the one before it during a change.
    pub tokens: Vec<Secret>,
    /// The console's EncodingAESKey, and the one before it during a change.
    pub aes_keys: Vec<AesKey>,
    /// The mode that is accepted; others are refused.
    pub mode: Mode,
    /// The original id, `gh_…`; compared where given.
    pub original_id: Option<String>,
    /// Its passive replies, in the order in which they are tried.
    pub replies: Arc<[Reply]>,
}

/// An Official Account can be called for wherever an account can.
impl std::ops::Deref for Official {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

/// One WeCom application: its access, what receives its callbacks, and whom its messages go to.
#[derive(Debug, Clone)]
pub struct WeCom {
    /// Name, CorpID, AgentId, Secret, and how its API is called.
    pub access: Access,
    /// The Token of its callback (接收消息), and the one before it during a change; empty where it receives nothing.
    pub tokens: Vec<Secret>,
    /// The EncodingAESKey of its callback, and the one before it during a change.
    pub aes_keys: Vec<AesKey>,
    /// Whom its messages go to, as it was written: `zhang|li`, `party:2`, `tag:3`, `@all`.
    pub to_user: Option<String>,
    /// The key of a group robot beside it.
    pub webhook_key: Option<Secret>,
}

impl WeCom {
    /// Whether its callbacks can be taken: they are always signed and always encrypted (WeCom reference 5).
    pub fn receives(&self) -> bool {
        !self.tokens.is_empty() && !self.aes_keys.is_empty()
    }

    /// Whether messages can go out by it, or by the robot beside it.
    pub fn sends(&self) -> bool {
        (self.access.has_token() && self.access.agent_id.is_some()) || self.webhook_key.is_some()
    }
}

/// A WeCom application can be called for wherever an account can.
impl std::ops::Deref for WeCom {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

/// The 32 bytes behind an EncodingAESKey.
#[derive(Clone)]
pub struct AesKey(Zeroizing<[u8; 32]>);

impl AesKey {
    /// Reads the 43 letters of the console. The last letter carries two spare bits of any value
    /// (reference 1.2): three of four real keys are refused by a strict decoder.
    pub fn parse(text: &str) -> Result<Self> {
        let length = text.chars().count();
        if length != 43 {
            return Err(Error::config(say!(
                "an EncodingAESKey has 43 letters, this one has {length}";
                "EncodingAESKey 应为 43 个字符，现为 {length} 个"
            )));
        }
        let lenient = GeneralPurpose::new(
            &STANDARD,
            GeneralPurposeConfig::new()
                .with_decode_allow_trailing_bits(true)
                .with_decode_padding_mode(DecodePaddingMode::RequireNone),
        );
        let bytes = Zeroizing::new(lenient.decode(text).map_err(|_| bad_letters())?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| bad_letters())?;
        Ok(AesKey(Zeroizing::new(key)))
    }

    /// The key as it is written down, without its last letter, whose spare bits are anybody's.
    pub fn written(&self) -> Secret {
        let mut text = STANDARD_NO_PAD.encode(self.bytes());
        text.pop();
        Secret::new(text)
    }

    /// The key for AES-256-CBC; its first 16 bytes are the IV.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn bad_letters() -> Error {
    Error::config(say!(
        "an EncodingAESKey is made of A-Z a-z 0-9 + / only";
        "EncodingAESKey 只能含 A-Z a-z 0-9 + /"
    ))
}

impl std::fmt::Debug for AesKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}
