//! The queue as whoever watches it sees it: what waits too long, and what was given up.

use super::super::{Dialect, Store};
use super::words::Words;
use crate::error::Result;

/// Rows that are counted at the most, and looked at one by one.
const COUNTED: u32 = 100_000;
const LOOKED_AT: u32 = 1_000;
/// What was given up is news for so long, milliseconds.
const NEWS_MS: i64 = 86_400_000;

/// How it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// Rows that wait, due or not; counted up to 100,000.
    pub pending: i64,
    /// Of these, rows that are due.
    pub due: i64,
    /// For how long the oldest of these has waited since it was made, milliseconds.
    pub oldest_ms: Option<i64>,
    /// For how long a row has been due that nobody takes in hand, or was in the hand of somebody who died, milliseconds.
    pub untouched_ms: Option<i64>,
    /// For how long a row that is due has waited since it was made without any answer of the platform, milliseconds.
    pub unanswered_ms: Option<i64>,
    /// Rows that were given up within the last day.
    pub given_up: i64,
    /// The newest of them: its number, and why.
    pub newest: Option<(i64, String)>,
}

impl Store {
    /// How the queue stands; by its index, but for what was given up.
    pub async fn watch_queue(&self) -> Result<Watch> {
        let words = Words(self.dialect);
        let (now, now_ms) = (words.now(), self.dialect.now_ms());
        let queue = "FROM member_notification_queue WHERE status";
        let pending = format!("SELECT COUNT(*) FROM (SELECT 1 {queue} = 'pending' LIMIT {COUNTED}) AS some");
        let untouched = format!(
            "SELECT {now_ms} - MIN(since) FROM (SELECT MIN({}) AS since {queue} = 'pending' AND available_at <= {now} \
             UNION ALL SELECT MIN({}) {queue} = 'processing' AND locked_until <= {now}) AS late",
            words.ms("available_at"),
            words.ms("locked_until")
        );
        let waits = format!(
            "SELECT {now_ms} - MIN(made), {now_ms} - MIN(CASE WHEN attempts = 0 THEN made END) \
             FROM (SELECT {} AS made, attempts {queue} = 'pending' AND available_at <= {now} \
             ORDER BY available_at LIMIT {LOOKED_AT}) AS due",
            words.stamp_ms("created_at")
        );
        let given_up = format!("SELECT COUNT(*) {queue} = 'dead' AND processed_at >= {}", words.stamp_ago(NEWS_MS));
        let newest = format!(
            "SELECT id, last_error {queue} = 'dead' AND processed_at >= {} ORDER BY processed_at DESC, id DESC LIMIT 1",
            words.stamp_ago(NEWS_MS)
        );
        let waits = self.row(&waits, vec![], |row| Ok((row.opt_int(0)?, row.opt_int(1)?))).await?;
        let (oldest_ms, unanswered_ms) = waits.unwrap_or_default();
        Ok(Watch {
            pending: self.row(&pending, vec![], |row| row.int(0)).await?.unwrap_or(0),
            due: self.due_up_to(COUNTED).await?,
            oldest_ms,
            unanswered_ms,
            untouched_ms: self.row(&untouched, vec![], |row| row.opt_int(0)).await?.flatten(),
            given_up: self.row(&given_up, vec![], |row| row.int(0)).await?.unwrap_or(0),
            newest: self.row(&newest, vec![], |row| Ok((row.int(0)?, row.opt_text(1)?.unwrap_or_default()))).await?,
        })
    }

    /// How far the database's clock is ahead of this one (milliseconds), by which the queue goes; `None` where they are one.
    pub async fn clock_ahead_ms(&self, now_ms: impl Fn() -> i64) -> Result<Option<i64>> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let before = now_ms();
        let theirs = self.row(&format!("SELECT {}", self.dialect.now_ms()), vec![], |row| row.int(0)).await?;
        // It was told somewhere on the way.
        Ok(theirs.map(|theirs| theirs - (before + now_ms()) / 2))
    }
}
