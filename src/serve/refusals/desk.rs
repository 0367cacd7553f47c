//! The one task that looks at refusals and writes the log: a proven cause once a minute, all else at most ten lines a
//! second.

use super::diagnosis::Patterns;
use super::lately::Lately;
use super::{Accounts, Case, Odd, Refused};
use crate::domain::account::Platform;
use crate::domain::clock::Clock;
use crate::lifecycle;
use crate::serve::window::Window;
use crate::wire::advice;
use crate::wire::cause::Cause;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// Lines in a second.
const LINES: u32 = 10;
/// Refusals in a second whose cause is looked for: a flood must not cost the time of genuine callbacks.
const LOOKS: u32 = 100;
/// Between two looks at what has come.
const TOGETHER: Duration = Duration::from_millis(25);
/// A proven cause of an account is told again after this time.
const AGAIN: Duration = Duration::from_secs(60);

/// What it works with.
pub(in crate::serve) struct Desk {
    cases: mpsc::Receiver<Case>,
    dropped: Arc<AtomicU64>,
    lately: Arc<Lately>,
    accounts: Accounts,
    clock: Clock,
    patterns: Patterns,
    lines: Window,
    looks: Window,
    swallowed: u64,
    /// By account and name of what was told: when. Accounts and names are ours, so that it stays small.
    told: HashMap<(String, &'static str), Instant>,
    /// Numbers the skewed pushes.
    skewed: u64,
}

impl Desk {
    pub(super) fn new(
        cases: mpsc::Receiver<Case>,
        dropped: Arc<AtomicU64>,
        lately: Arc<Lately>,
        accounts: Accounts,
        clock: Clock,
    ) -> Desk {
        let (lines, looks) = (Window::new(LINES), Window::new(LOOKS));
        let (patterns, told) = (Patterns::default(), HashMap::new());
        Desk { cases, dropped, lately, accounts, clock, patterns, lines, looks, swallowed: 0, told, skewed: 0 }
    }

    /// Works until `stop`; then what waits is still told.
    pub(in crate::serve) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            let case = tokio::select! {
                case = self.cases.recv() => case,
                () = lifecycle::until(&mut stop) => break,
            };
            let Some(case) = case else { return };
            self.tell(case);
            // Those who come together are looked at together, and not just behind the answer to each: what is found
            // out would else take its time from the very caller's next request.
            tokio::select! {
                () = tokio::time::sleep(TOGETHER) => {}
                () = lifecycle::until(&mut stop) => break,
            }
            for _ in 0..super::WAITING {
                let Ok(case) = self.cases.try_recv() else { break };
                self.tell(case);
            }
        }
        while let Ok(case) = self.cases.try_recv() {
            self.tell(case);
        }
    }

    fn tell(&mut self, case: Case) {
        self.swallowed += self.dropped.swap(0, Ordering::Relaxed);
        match case {
            Case::Refused(refused) => self.refused(&refused),
            Case::Odd(platform, account, odd) => self.odd(platform, &account, odd),
        }
    }

    fn refused(&mut self, refused: &Refused) {
        let (account, reason) = (refused.account.as_str(), refused.refusal.reason);
        let cause = if self.looks.take() { self.prove(refused) } else { None };
        let Some(not_shown) = self.line(account, cause.as_ref().map(Cause::as_str)) else { return };
        let hint = match &cause {
            Some(cause) => advice::of_cause(refused.platform, cause),
            None => advice::of_reason(refused.platform, reason),
        };
        let hint = hint.hint().en;
        let (cause, body) = (cause.as_ref().map(Cause::as_str), hash(refused));
        let reason = reason.as_str();
        tracing::warn!(account, reason, cause, body, not_shown, "callback refused: {hint}");
    }

    fn prove(&mut self, refused: &Refused) -> Option<Cause> {
        let (accepted, timely) = (self.lately.since_accepted(&refused.account), self.lately.since_timely());
        self.patterns.prove(refused, &(self.accounts)(), self.now(), accepted, timely)
    }

    fn now(&self) -> i64 {
        self.clock.now_ms() / 1000
    }

    fn odd(&mut self, platform: Platform, account: &str, odd: Odd) {
        let cause = match odd {
            Odd::Clear => None,
            Odd::OldToken => Some(Cause::PreviousToken),
            Odd::OldKey => Some(Cause::PreviousKey),
            Odd::Skew(skew) => {
                self.skewed += 1;
                self.patterns.skewed(&self.skewed.to_string(), skew, self.now(), self.lately.since_timely())
            }
        };
        let name = match (&cause, odd) {
            (Some(cause), _) => cause.as_str(),
            (None, Odd::Clear) => "clear",
            (None, _) => "stale",
        };
        let Some(not_shown) = self.line(account, Some(name)) else { return };
        let what = match (&cause, odd) {
            (Some(cause), _) => advice::of_cause(platform, cause).hint().en,
            (None, Odd::Skew(skew)) => {
                let (off, side) = (skew.abs(), if skew > 0 { "behind" } else { "ahead of" });
                format!("a stale timestamp, {off} s {side} our clock; one alone proves nothing")
            }
            (None, _) => "a clear push in compatible mode; set the console to secure mode".to_owned(),
        };
        let cause = cause.as_ref().map(Cause::as_str);
        tracing::warn!(account, cause, not_shown, "callback accepted: {what}");
    }

    /// Whether a line may be written now, and how many were not since the last. What has a name is told at first sight,
    /// however many lines there were, and then for a minute no more.
    fn line(&mut self, account: &str, name: Option<&'static str>) -> Option<Option<u64>> {
        let shown = match name {
            None => self.lines.take(),
            Some(name) => {
                let key = (account.to_owned(), name);
                let fresh = self.told.get(&key).is_none_or(|at| at.elapsed() >= AGAIN);
                if fresh {
                    self.told.insert(key, Instant::now());
                }
                fresh
            }
        };
        if !shown {
            self.swallowed += 1;
            return None;
        }
        let swallowed = std::mem::take(&mut self.swallowed);
        Some((swallowed > 0).then_some(swallowed))
    }
}

/// Of a message whose sender is proven the hash is told, so that it can be looked for; an unproven body is told by
/// nothing.
fn hash(refused: &Refused) -> Option<String> {
    if !refused.refusal.signed || refused.body.is_empty() {
        return None;
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, &refused.body);
    Some(crate::domain::hex::hex(&digest.as_ref()[..8]))
}
