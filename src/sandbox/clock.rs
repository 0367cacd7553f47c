//! The sandbox's clock: the machine's plus what was added by hand, or one that stands still for a test.

use chrono::Datelike;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Beijing time, which rules days and months of quotas (reference 0).
const BEIJING_MS: i64 = 8 * 3600 * 1000;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Where the sandbox's time starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The machine's time plus so many seconds.
    Offset(i64),
    /// Stands at this time (ms since 1970) and moves by hand only.
    Frozen(i64),
}

impl Default for Start {
    fn default() -> Self {
        Start::Offset(0)
    }
}

/// A clock that can be moved while running.
#[derive(Debug)]
pub struct Clock {
    frozen_ms: Option<i64>,
    added_ms: AtomicI64,
}

impl Clock {
    /// A clock with this start.
    pub fn new(start: Start) -> Self {
        match start {
            Start::Offset(seconds) => Clock { frozen_ms: None, added_ms: AtomicI64::new(seconds.saturating_mul(1000)) },
            Start::Frozen(ms) => Clock { frozen_ms: Some(ms), added_ms: AtomicI64::new(0) },
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        let base = self.frozen_ms.unwrap_or_else(real_ms);
        base.saturating_add(self.added_ms.load(Relaxed))
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Moves the clock, back with a negative number.
    pub fn advance(&self, seconds: i64) {
        self.added_ms.fetch_add(seconds.saturating_mul(1000), Relaxed);
    }

    /// How many seconds were added so far.
    pub fn added_seconds(&self) -> i64 {
        self.added_ms.load(Relaxed).div_euclid(1000)
    }
}

/// The number of the Beijing day that holds this time.
pub fn beijing_day(ms: i64) -> i64 {
    (ms + BEIJING_MS).div_euclid(DAY_MS)
}

/// The number of the Beijing calendar month that holds this time: 12 a year.
pub fn beijing_month(ms: i64) -> i64 {
    let then = chrono::DateTime::from_timestamp_millis(ms.saturating_add(BEIJING_MS)).unwrap_or_default();
    i64::from(then.year()) * 12 + i64::from(then.month0())
}

/// The machine's own time, ms since 1970: arrival times are true, whatever the sandbox's clock says.
pub fn real_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
