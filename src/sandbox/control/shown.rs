//! What the control API answers, as types that both of its ends read.

use crate::error::{Error, Kind, Text};
use crate::sandbox::faults::Shown;
use crate::sandbox::journal::Counts;
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
    /// The clock.
    pub clock: Clock,
}

/// One account.
#[derive(Debug, Serialize)]
pub struct AccountState {
    /// Its name.
    pub name: String,
    /// Its AppID.
    pub appid: String,
    /// How many follow it.
    pub followers: u64,
    /// Tokens given out, by both endpoints.
    pub tokens_issued: u64,
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

/// GET /sandbox/accounts: the keys that a configuration needs.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccountKeys {
    /// Its name.
    pub name: String,
    /// AppID.
    pub app_id: String,
    /// AppSecret.
    pub secret: String,
    /// The console's Token.
    pub token: String,
    /// EncodingAESKey.
    pub aes_key: Option<String>,
    /// Original id.
    pub original_id: String,
    /// `plain`, `compat`, `secure`.
    pub mode: String,
    /// Where pushes go.
    pub callback: Option<String>,
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
