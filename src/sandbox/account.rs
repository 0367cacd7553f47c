//! An account as the sandbox, playing the platform, knows it: an Official Account, a mini-game, an app of WeCom.

use super::crypto;
use super::noise::Noise;
use crate::domain::account::{Mode, Official, WeCom};
use crate::domain::secret::Secret;

/// Letters of a hexadecimal number.
const HEX: &[u8] = b"0123456789abcdef";
/// What a console allows in a Token.
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Where the ids of a corporation's own apps begin.
const FIRST_AGENT: u32 = 1_000_002;
/// Letters of a WeCom secret.
const WECOM_SECRET: usize = 43;

/// What an account is on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An Official Account: tokens, followers, pushes.
    Official,
    /// A mini-game: tokens.
    Minigame,
    /// An app of WeCom: tokens by CorpID and secret (WeCom reference 2).
    Wecom {
        /// AgentId.
        agent_id: u32,
    },
}

/// One account of the stand-in platform. What belongs to pushes is empty where it gets none.
#[derive(Debug, Clone)]
pub struct Account {
    /// The name people call it by.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// AppID; CorpID of an app of WeCom.
    pub app_id: String,
    /// AppSecret.
    pub secret: Secret,
    /// The console's Token.
    pub token: Secret,
    /// EncodingAESKey, 43 letters; absent only in plain mode.
    pub aes_key: Option<Secret>,
    /// The original id, `gh_…`.
    pub original_id: String,
    /// How pushes are sent.
    pub mode: Mode,
    /// Where pushes go.
    pub callback: Option<String>,
}

impl Account {
    /// An account with keys of its own; the same name and seed give the same keys. The AES key's last
    /// letter has a spare bit set, as three of four real keys do (reference 1.2).
    pub fn made(name: &str, seed: u64) -> Self {
        let mut noise = Noise::new(super::noise::of_text(seed, name));
        let app_id = format!("wx{}", noise.word(HEX, 16));
        let secret = Secret::new(noise.word(HEX, 32));
        let token = Secret::new(noise.word(ALNUM, 16));
        let mut key = [0u8; 32];
        key.fill_with(|| noise.draw() as u8);
        let aes_key = alphanumeric(&mut key, &mut noise);
        let original_id = format!("gh_{}", noise.word(HEX, 12));
        Account {
            name: name.to_owned(),
            kind: Kind::Official,
            app_id,
            secret,
            token,
            aes_key: Some(Secret::new(aes_key)),
            original_id,
            mode: Mode::Secure,
            callback: None,
        }
    }

    /// One of each kind with keys of its own: `main`, an Official Account, `wecom` and `minigame`.
    pub fn made_all(seed: u64) -> Vec<Self> {
        let mut noise = Noise::new(super::noise::of_text(seed, "wecom"));
        let corp_id = format!("ww{}", noise.word(HEX, 16));
        let secret = Secret::new(noise.word(ALNUM, WECOM_SECRET));
        let kind = Kind::Wecom { agent_id: FIRST_AGENT };
        let sealed = Account::made("the callback of wecom", seed);
        let wecom = Account::without_pushes("wecom", kind, corp_id, secret).receiving(sealed.token, sealed.aes_key);
        let mut noise = Noise::new(super::noise::of_text(seed, "minigame"));
        let app_id = format!("wx{}", noise.word(HEX, 16));
        let secret = Secret::new(noise.word(HEX, 32));
        let minigame = Account::without_pushes("minigame", Kind::Minigame, app_id, secret);
        vec![Account::made("main", seed), wecom, minigame]
    }

    /// An account that the platform pushes nothing for.
    pub fn without_pushes(name: &str, kind: Kind, app_id: String, secret: Secret) -> Self {
        Account {
            name: name.to_owned(),
            kind,
            app_id,
            secret,
            token: Secret::new(String::new()),
            aes_key: None,
            original_id: String::new(),
            mode: Mode::Plain,
            callback: None,
        }
    }

    /// The same with the keys of its callback.
    #[must_use]
    pub fn receiving(self, token: Secret, aes_key: Option<Secret>) -> Self {
        Account { token, aes_key, mode: Mode::Secure, ..self }
    }

    /// Whether it is an app of WeCom, which has its own codes and words.
    pub fn is_wecom(&self) -> bool {
        matches!(self.kind, Kind::Wecom { .. })
    }

    /// A configured account, for pushes that are sent with its own keys. Where the configuration names
    /// no original id, one is put that no account has.
    pub fn of(official: &Official) -> Self {
        let unset = || Secret::new(String::new());
        Account {
            name: official.name.clone(),
            kind: Kind::Official,
            app_id: official.app_id.clone(),
            secret: official.secret.clone().unwrap_or_else(unset),
            token: official.tokens.first().cloned().unwrap_or_else(unset),
            aes_key: official.aes_keys.first().map(|key| Secret::new(crypto::key_letters(key.bytes(), 0))),
            original_id: official.original_id.clone().unwrap_or_else(|| "gh_000000000000".to_owned()),
            mode: official.mode,
            callback: None,
        }
    }

    /// A configured application of WeCom, for pushes that are sent with its own keys.
    pub fn of_wecom(wecom: &WeCom) -> Self {
        let unset = || Secret::new(String::new());
        let agent_id = wecom.agent_id.and_then(|id| u32::try_from(id).ok()).unwrap_or(FIRST_AGENT);
        let aes_key = wecom.aes_keys.first().map(|key| Secret::new(crypto::key_letters(key.bytes(), 0)));
        let secret = wecom.secret.clone().unwrap_or_else(unset);
        Account::without_pushes(&wecom.name, Kind::Wecom { agent_id }, wecom.app_id.clone(), secret)
            .receiving(wecom.tokens.first().cloned().unwrap_or_else(unset), aes_key)
    }

    /// The 32 bytes of the AES key.
    pub(super) fn key(&self) -> Option<[u8; 32]> {
        crypto::key_bytes(self.aes_key.as_ref()?.reveal())
    }
}

/// The console makes keys of letters and digits only: draws again until none of them is `+` or `/`.
fn alphanumeric(key: &mut [u8; 32], noise: &mut Noise) -> String {
    loop {
        let letters = crypto::key_letters(key, 1 + noise.below(3) as u8);
        if letters.bytes().all(|letter| letter.is_ascii_alphanumeric()) {
            return letters;
        }
        key.fill_with(|| noise.draw() as u8);
    }
}

/// The name of a kind, as the tables of the configuration are called.
pub fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Official => "official",
        Kind::Minigame => "minigame",
        Kind::Wecom { .. } => "wecom",
    }
}

/// The name of a mode, as the configuration spells it.
pub fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Plain => "plain",
        Mode::Compat => "compat",
        Mode::Secure => "secure",
    }
}

/// The mode of a name.
pub fn mode_named(name: &str) -> Option<Mode> {
    [Mode::Plain, Mode::Compat, Mode::Secure].into_iter().find(|mode| mode_name(*mode) == name)
}
