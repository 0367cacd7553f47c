//! An Official Account as the configuration describes it.

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

/// One Official Account.
#[derive(Debug, Clone)]
pub struct Official {
    /// The name in the configuration, `main` without a file; in paths and tables.
    pub name: String,
    /// AppID, `wx…`.
    pub app_id: String,
    /// AppSecret; absent where only callbacks are received.
    pub secret: Option<Secret>,
    /// The console's Token, and the one before it during a change.
    pub tokens: Vec<Secret>,
    /// The console's EncodingAESKey, and the one before it during a change.
    pub aes_keys: Vec<AesKey>,
    /// The mode that is accepted; others are refused.
    pub mode: Mode,
    /// The original id, `gh_…`; compared where given.
    pub original_id: Option<String>,
    /// Base URL of the platform's API, without a trailing slash.
    pub api_base: String,
    /// A fixed exit for the platform's IP white list; its URL may hold a password.
    pub proxy: Option<Secret>,
    /// Its passive replies, in the order in which they are tried.
    pub replies: Arc<[Reply]>,
}

impl Official {
    /// What no text about this account may show.
    pub fn secrets(&self) -> Vec<Secret> {
        let keys = self.aes_keys.iter().map(AesKey::written);
        self.secret.iter().chain(&self.tokens).cloned().chain(keys).collect()
    }

    /// Whether its calls go to WeChat itself: `api.weixin.qq.com` or another of its entrances.
    pub fn at_the_platform(&self) -> bool {
        let host = self.api_base.strip_prefix("https://").and_then(|rest| rest.split(['/', ':']).next());
        host.is_some_and(|host| host.ends_with(".weixin.qq.com"))
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
