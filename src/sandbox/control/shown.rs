//! What the control API answers, as types that both of its ends read.

use crate::error::{Error, Kind, Text};
use crate::sandbox::faults::Shown;
use crate::sandbox::guesses::Blocked;
use crate::sandbox::journal::Counts;
use crate::sandbox::office::Shown as Wecom;
use crate::sandbox::people::Churned;
use crate::sandbox::quota::Shown as Quota;
use serde::{Deserialize, Serialize};

/// GET /sandbox/state.
#[derive(Debug, Serialize)]
pub struct State {
    /// The accounts.
    pub accounts: Vec<AccountState>,
    /// What was called.
    pub requests: Counts,
    /// What goes wrong on purpose.
    pub faults: Vec<Shown>,
    /// What the apps and the robot of WeCom said, and whom it reached.
    pub wecom: Wecom,
    /// Addresses that gettoken refuses for wrong secrets.
    pub blocked: Vec<Blocked>,
    /// The clock.
    pub clock: Clock,
}

/// One account.
#[derive(Debug, Serialize)]
pub struct AccountState {
    /// Its name.
    pub name: String,
    /// `official`, `minigame`, `wecom`.
    pub kind: &'static str,
    /// Its AppID or CorpID.
    pub appid: String,
    /// How many follow it.
    pub followers: u64,
    /// Who came and went unnoticed.
    pub churned: Churned,
    /// Tokens given out, by both endpoints.
    pub tokens_issued: u64,
    /// Calls that count today, and clears of the month.
    pub quota: Quota,
    /// Pushes made.
    pub pushes: u64,
    /// Where pushes go.
    pub callback: Option<String>,
}

/// The sandbox's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Seconds since 1970.
    pub now: i64,
    /// Seconds added by hand.
    pub advanced_seconds: i64,
}

/// POST /sandbox/faults: clear first, then set each `KIND=RATE`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultOrder {
    /// Turn all off first.
    #[serde(default)]
    pub clear: bool,
    /// Faults to turn on or change.
    #[serde(default)]
    pub set: Vec<String>,
}

/// POST /sandbox/revoke: end tokens before their time.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeOrder {
    /// Of this account; without it, of all.
    #[serde(default)]
    pub account: Option<String>,
}

/// What a revocation ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Revoked {
    /// The account.
    pub account: String,
    /// Its tokens that lived.
    pub tokens: usize,
}

/// GET /sandbox/accounts: the keys that a configuration needs, called as in its table `[KIND.NAME]`.
#[derive(Serialize)]
pub struct AccountKeys {
    /// Its name.
    pub name: String,
    /// `official`, `minigame`, `wecom`.
    pub kind: String,
    /// This sandbox, as the caller named it.
    pub api_base: String,
    /// The rest.
    #[serde(flatten)]
    pub keys: Keys,
}

/// The keys of each kind.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Keys {
    /// An Official Account.
    Official {
        /// AppID.
        app_id: String,
        /// AppSecret.
        secret: String,
        /// The console's Token.
        token: String,
        /// EncodingAESKey.
        aes_key: Option<String>,
        /// Original id.
        original_id: String,
        /// `plain`, `compat`, `secure`.
        mode: String,
        /// Where pushes go.
        callback: Option<String>,
    },
    /// A mini-game.
    Minigame {
        /// AppID.
        app_id: String,
        /// AppSecret.
        secret: String,
    },
    /// An app of WeCom.
    Wecom {
        /// CorpID.
        corp_id: String,
        /// AgentId.
        agent_id: u32,
        /// The app's secret.
        secret: String,
        /// The Token of its callback.
        token: String,
        /// Its EncodingAESKey; without one it gets no pushes.
        aes_key: Option<String>,
    },
}

/// A refusal of the control API.
#[derive(Debug, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
    /// What to do, in both languages.
    pub next: Option<(String, String)>,
    /// The order was wrong, rather than its work.
    pub usage: bool,
}

impl Problem {
    /// The form of an error that travels.
    pub fn of(error: Error) -> Self {
        let next = error.next.map(|text| (text.en, text.zh));
        let usage = error.kind == Kind::Usage;
        Problem { en: error.what.en, zh: error.what.zh, next, usage }
    }

    /// The error at the other end.
    pub fn into_error(self) -> Error {
        let kind = if self.usage { Kind::Usage } else { Kind::Failed };
        let error = Error::new(kind, Text { en: self.en, zh: self.zh });
        match self.next {
            Some((en, zh)) => error.next(Text { en, zh }),
            None => error,
        }
    }
}
