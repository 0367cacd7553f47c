//! Refused callbacks, and odd ones that are accepted: why, in the log. A refusal is answered first; what it proves is
//! found out afterwards, by one task, so that neither the answer nor its time tells a stranger the cause.

mod desk;
mod diagnosis;
mod lately;

use crate::domain::account::{Official, Platform};
use crate::domain::clock::Clock;
use crate::wire::reason::Refusal;
use axum::body::Bytes;
use lately::Lately;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

pub(super) use desk::Desk;

/// Cases that wait for the desk; more are only counted.
const WAITING: usize = 64;
/// A longer body that no signature covers is not looked at: the platform's are below 30 kB.
const BODY: usize = 64 * 1024;

/// A callback that was refused.
#[derive(Debug)]
pub struct Refused {
    /// Whose callback it seems to be.
    pub platform: Platform,
    /// The account's name, or what stood in its place.
    pub account: String,
    /// Why.
    pub refusal: Refusal,
    /// The part of the URL behind `?`; it holds what a forger needs, and is never shown.
    pub query: String,
    /// The body, where it was read.
    pub body: Bytes,
}

/// What is odd about a callback that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// Clear text in compatible mode.
    Clear,
    /// Signed with the previous Token.
    OldToken,
    /// Sealed with the previous key.
    OldKey,
    /// Its timestamp is off: our clock minus the platform's, seconds.
    Skew(i64),
}

/// What the desk is told.
#[derive(Debug)]
enum Case {
    Refused(Refused),
    Odd(Platform, String, Odd),
}

/// The accounts as they are at this moment.
pub(super) type Accounts = Box<dyn Fn() -> Vec<Arc<Official>> + Send + Sync>;

/// Where the routes leave their cases.
#[derive(Debug)]
pub(super) struct Refusals {
    cases: mpsc::Sender<Case>,
    dropped: Arc<AtomicU64>,
    lately: Arc<Lately>,
}

impl Refusals {
    /// The routes' side and the desk's.
    pub(super) fn new(accounts: Accounts, clock: Clock) -> (Refusals, Desk) {
        let (cases, waiting) = mpsc::channel(WAITING);
        let (dropped, lately) = (Arc::new(AtomicU64::new(0)), Arc::new(Lately::new()));
        let desk = Desk::new(waiting, dropped.clone(), lately.clone(), accounts, clock);
        (Refusals { cases, dropped, lately }, desk)
    }

    /// Leaves a refusal; takes the same time whatever its cause.
    pub(super) fn refused(&self, mut refused: Refused) {
        if refused.body.len() > BODY && !refused.refusal.signed {
            refused.body = Bytes::new();
        }
        self.leave(Case::Refused(refused));
    }

    /// Leaves an odd callback that was accepted.
    pub(super) fn odd(&self, platform: Platform, account: &str, odd: Odd) {
        self.leave(Case::Odd(platform, account.to_owned(), odd));
    }

    /// Notes that a callback was accepted; `timely`: its timestamp was right.
    pub(super) fn accepted(&self, account: &str, timely: bool) {
        self.lately.accepted(account, timely);
    }

    fn leave(&self, case: Case) {
        if self.cases.try_send(case).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
