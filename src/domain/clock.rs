//! The clock of a process. Expiry, due times and backoff read it; leases read the database's.

use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// Where "now" comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// The machine's clock plus the whole seconds that a file holds; read at each call, so that a test moves time.
    Shifted(PathBuf),
}

impl Clock {
    /// Milliseconds since 1970, UTC.
    pub fn now_ms(&self) -> i64 {
        let now = Utc::now().timestamp_millis();
        match self {
            Clock::System => now,
            Clock::Shifted(file) => now + 1000 * offset(file),
        }
    }

    /// The time, UTC.
    pub fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.now_ms()).unwrap_or_else(Utc::now)
    }
}

fn offset(file: &PathBuf) -> i64 {
    std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
