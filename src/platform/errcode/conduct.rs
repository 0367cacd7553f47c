//! What the program does about a code. The client, the enrichment and `explain` all ask here, so that what is told is
//! what is done.

use super::refusal::advice;
use super::{Class, Refusal, error, lookup};
use crate::error::{Text, Then};
use crate::platform::Platform;
use std::time::Duration;

/// An ill channel is probed this often, at the least.
const PROBE: Duration = Duration::from_secs(60);

/// So often the pause of an ill channel is doubled.
const DOUBLINGS: u32 = 5;

/// The first move on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Success, or success in disguise: the answer is used.
    Take,
    /// A fresh token once, and the call once more.
    Renew,
    /// The answer is an error.
    Fail,
}

/// The first move on a code.
pub fn first(platform: Platform, code: i64) -> Move {
    match super::class(platform, code) {
        Class::Ok | Class::Done => Move::Take,
        Class::Token => Move::Renew,
        Class::Backoff | Class::Quota | Class::Input | Class::Config | Class::Platform => Move::Fail,
    }
}

/// How an ill channel is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// Until the first probe.
    pub first: Duration,
    /// The longest pause between two.
    pub longest: Duration,
}

impl Probing {
    /// The pause after so many failures in a row.
    pub fn wait(self, failures: u32) -> Duration {
        self.first.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS)).min(self.longest)
    }
}

/// How the channel is probed after an error that pauses it for `after`: soon at first, then less often; a long illness
/// once a minute. Only where the platform forbids every call for a time (8950x: an administrator must confirm) is it
/// left alone for that long.
pub fn probing(code: Option<i64>, after: Duration) -> Probing {
    let forbidden = code.is_some_and(|code| (89_500..89_600).contains(&code));
    if forbidden {
        Probing { first: after, longest: after }
    } else {
        Probing { first: after.min(PROBE), longest: PROBE }
    }
}

/// All that the program does about an answer that says no.
#[derive(Debug, Clone)]
pub struct Conduct {
    /// What the client does at once.
    pub first: Move,
    /// What becomes of the item.
    pub then: Then,
    /// How the channel is probed, where it is paused.
    pub probing: Option<Probing>,
    /// What a command ends with.
    pub exit: u8,
    /// What a person does.
    pub next: Text,
}

/// What the program does about a refusal at `now_ms` (milliseconds since 1970); without an `api` it is any but the
/// token endpoints.
pub fn conduct(refusal: &Refusal, now_ms: i64) -> Conduct {
    let first = match first(refusal.platform, refusal.code) {
        Move::Renew if refusal.of_token_endpoint() => Move::Fail,
        first => first,
    };
    let error = error(refusal, now_ms);
    let (exit, then) = match first {
        Move::Take => (0, Then::Never),
        Move::Renew | Move::Fail => (error.kind.exit_code(), error.then),
    };
    let probing = match then {
        Then::Pause { after, .. } => Some(probing(Some(refusal.code), after)),
        Then::Again | Then::Never => None,
    };
    let next = advice(refusal, lookup(refusal.platform, refusal.code), error.then, now_ms);
    Conduct { first, then, probing, exit, next }
}
