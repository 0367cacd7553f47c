//! `spool`: what lies on the disk of each host that serves, as its `serve` has seen it last.

use super::value::stmt;
use super::{Statement, Store, time_now};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A place that nobody has looked at for so long, and that was empty then, is gone, milliseconds.
const GONE_MS: i64 = 86_400_000;

/// A row: the spool of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolRow {
    /// The host and the folder.
    pub place: String,
    /// What its files take.
    pub bytes: i64,
    /// Callbacks that wait to be moved in.
    pub events: i64,
    /// When the oldest of them came in.
    pub oldest_at: Option<DateTime<Utc>>,
    /// Files that wait for a person.
    pub set_aside: i64,
    /// When the oldest of them was written.
    pub set_aside_since: Option<DateTime<Utc>>,
}

impl Store {
    /// Every place that is known, and how long ago somebody looked there, milliseconds.
    pub async fn spools(&self) -> Result<Vec<(SpoolRow, i64)>> {
        let sql = format!(
            "SELECT place, bytes, events, oldest_at, set_aside, set_aside_since, {} - seen_at FROM spool ORDER BY place",
            self.dialect.now_ms()
        );
        self.rows(&sql, vec![], |row| {
            let spool = SpoolRow {
                place: row.text(0)?,
                bytes: row.int(1)?,
                events: row.int(2)?,
                oldest_at: row.opt_time(3)?,
                set_aside: row.int(4)?,
                set_aside_since: row.opt_time(5)?,
            };
            Ok((spool, row.int(6)?))
        })
        .await
    }

    /// Statements that change a row each time: where they come back, the database has written.
    pub(super) fn touch_spool(&self, place: &str) -> Vec<Statement> {
        let touch = format!("UPDATE spool SET touched_at = {} WHERE place = ?", self.dialect.now_ms());
        vec![self.bare_spool(place), stmt!(touch, place)]
    }

    fn bare_spool(&self, place: &str) -> Statement {
        let insert = self.dialect.insert_new();
        let bare = format!("{insert} INTO spool (place, bytes, events, set_aside, seen_at) VALUES (?, 0, 0, 0, 0)");
        stmt!(bare, place)
    }

    /// Notes what lies in a place, and forgets places that are gone.
    pub async fn note_spool(&self, spool: &SpoolRow) -> Result<()> {
        let now = self.dialect.now_ms();
        let note = format!(
            "UPDATE spool SET bytes = ?, events = ?, oldest_at = ?, set_aside = ?, set_aside_since = ?, seen_at = {now} \
             WHERE place = ?"
        );
        let gone = format!("DELETE FROM spool WHERE events = 0 AND set_aside = 0 AND seen_at < {now} - {GONE_MS}");
        let SpoolRow { place, bytes, events, oldest_at, set_aside, set_aside_since } = spool;
        let note = stmt!(note, *bytes, *events, *oldest_at, *set_aside, *set_aside_since, place.as_str());
        self.commit(vec![self.bare_spool(place), note, stmt!(gone)]).await.map(drop)
    }
}

/// Milliseconds as a time of a row.
pub fn spool_time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_else(time_now)
}
