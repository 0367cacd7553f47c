//! What somebody asks to be pushed.

use serde::{Deserialize, Serialize};

/// An order for pushes, as the control API takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Name of a kind, or `mix`.
    pub event: String,
    /// Where to; else the account's callback.
    #[serde(default)]
    pub to: Option<String>,
    /// Which account; else the first.
    #[serde(default)]
    pub account: Option<String>,
    /// Whom it concerns; else somebody.
    #[serde(default)]
    pub openid: Option<String>,
    /// `plain`, `compat`, `secure`; else the account's own.
    #[serde(default)]
    pub mode: Option<String>,
    /// How many.
    #[serde(default = "one")]
    pub count: u64,
    /// At most so many a second.
    #[serde(default)]
    pub rate: Option<f64>,
    /// At most so many at once.
    #[serde(default = "eight")]
    pub concurrency: usize,
    /// The share that is sent once more after its answer, 0 to 1.
    #[serde(default)]
    pub duplicates: f64,
    /// Elements to set: path and value.
    #[serde(default)]
    pub set: Vec<(String, String)>,
    /// What is damaged on purpose.
    #[serde(default, rename = "break")]
    pub damage: Option<Break>,
    /// An address that is not of this machine is meant.
    #[serde(default)]
    pub yes: bool,
}

/// What is wrong with a push that should be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[clap(rename_all = "snake_case")]
pub enum Break {
    /// `signature` is wrong.
    Signature,
    /// `msg_signature` is wrong.
    MsgSignature,
    /// The body ends in the middle.
    Truncate,
    /// The appid inside is another account's.
    Appid,
    /// Encrypted with another key.
    Key,
}

impl Break {
    /// Whether there is nothing of it in plain mode.
    pub fn needs_encryption(self) -> bool {
        matches!(self, Break::MsgSignature | Break::Appid | Break::Key)
    }
}

impl Order {
    /// One push of a kind.
    pub fn of(event: &str) -> Self {
        Order {
            event: event.to_owned(),
            to: None,
            account: None,
            openid: None,
            mode: None,
            count: one(),
            rate: None,
            concurrency: eight(),
            duplicates: 0.0,
            set: Vec::new(),
            damage: None,
            yes: false,
        }
    }
}

fn one() -> u64 {
    1
}

fn eight() -> usize {
    8
}
