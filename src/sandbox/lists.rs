//! What is odd about the list of followers: who comes and goes while it is read, and how it is answered. A
//! client has to come to its end all the same (reference 4.1, 4.3).

use crate::error::{Error, Result};
use crate::say;
use serde::{Deserialize, Serialize};

/// An oddity of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// A full page gives back the next_openid that was sent.
    Stuck,
    /// Each page after the first begins with the last openids of the one before.
    Doubled,
    /// `total` is not what the pages hold.
    TotalOff,
    /// The end of the list has `data`: without an openid, or null, by turns.
    NullData,
    /// batchget answers in another order than it was asked.
    Shuffled,
}

/// Names on the command line; `--list-quirk`.
const NAMES: &[(&str, Quirk)] = &[
    ("stuck", Quirk::Stuck),
    ("doubled", Quirk::Doubled),
    ("total-off", Quirk::TotalOff),
    ("null-data", Quirk::NullData),
    ("shuffled", Quirk::Shuffled),
];

impl Quirk {
    /// The quirk of a name.
    ///
    /// # Errors
    /// Usage, with the names that there are.
    pub fn named(name: &str) -> Result<Self> {
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, quirk)| *quirk);
        known.ok_or_else(|| {
            let names = NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            Error::usage(say!("no quirk of a list is called {name:?}"; "没有名为 {name:?} 的列表怪癖"))
                .next(say!("use one of {names}"; "可用：{names}"))
        })
    }
}

/// What of it is on. `/sandbox/lists` shows and changes it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lists {
    /// After each page so many leave and so many join, and nobody is told.
    #[serde(default)]
    pub churn: u64,
    /// The oddities.
    #[serde(default)]
    pub quirks: Vec<Quirk>,
}

impl Lists {
    /// Whether this is on.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}
