//! A database that is ill fails each commit; the log hears of it once a second.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The log hears of a failed commit at the most so often.
const EVERY: Duration = Duration::from_secs(1);

/// When the log heard of one last, and how many have failed since, with how many who waited.
static LAST: Mutex<(Option<Instant>, u64, u64)> = Mutex::new((None, 0, 0));

/// A commit failed, and so many were refused for it.
pub(super) fn commit_failed(error: &dyn Display, refused: usize) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let (said, commits, waiting) = &mut *last;
    (*commits, *waiting) = (*commits + 1, *waiting + refused as u64);
    if said.is_some_and(|said| said.elapsed() < EVERY) {
        return;
    }
    tracing::error!(%error, "a commit failed, {waiting} waiting were refused{}", more(*commits));
    *last = (Some(Instant::now()), 0, 0);
}

fn more(commits: u64) -> String {
    if commits > 1 { format!(" ({commits} commits since the last such line)") } else { String::new() }
}
