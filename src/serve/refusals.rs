//! Refused callbacks: counted each, logged at most ten times a second.

use crate::wire::reason::Reason;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in a second.
const LINES: u32 = 10;

/// The limit on log lines, and what it swallowed.
#[derive(Debug)]
pub(super) struct Refusals {
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    since: Instant,
    lines: u32,
    swallowed: u64,
}

impl Default for Refusals {
    fn default() -> Self {
        Refusals { window: Mutex::new(Window { since: Instant::now(), lines: 0, swallowed: 0 }) }
    }
}

impl Refusals {
    /// One line with the usual cause, unless there were ten in this second.
    pub(super) fn log(&self, account: &str, reason: Reason, body_hash: Option<&str>) {
        let Some(swallowed) = self.line() else { return };
        let (reason, hint) = (reason.as_str(), reason.hint().en);
        let not_shown = (swallowed > 0).then_some(swallowed);
        tracing::warn!(account, reason, body = body_hash, not_shown, "callback refused: {hint}");
    }

    /// A line about a callback that was accepted, under the same limit.
    pub(super) fn note(&self, account: &str, what: &str) {
        let Some(swallowed) = self.line() else { return };
        let not_shown = (swallowed > 0).then_some(swallowed);
        tracing::warn!(account, not_shown, "callback accepted: {what}");
    }

    /// How many lines were swallowed since the last, or `None` where this one is swallowed too.
    fn line(&self) -> Option<u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.since.elapsed() >= Duration::from_secs(1) {
            window.since = Instant::now();
            window.lines = 0;
        }
        if window.lines >= LINES {
            window.swallowed += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.swallowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_line_of_a_second_is_swallowed() {
        let refusals = Refusals::default();
        assert!((0..10).all(|_| refusals.line() == Some(0)));
        assert_eq!(refusals.line(), None);
        if let Ok(mut window) = refusals.window.lock() {
            window.since -= Duration::from_secs(2);
        }
        assert_eq!(refusals.line(), Some(1));
    }
}
