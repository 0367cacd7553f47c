//! What people ask at a glance: counts, ages, sizes. Bounded: none of it reads a whole table of callbacks or people.

use super::{Pause, Store};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// The newest people, among whom those without data are counted: no index finds them in the whole table.
const NEWEST: i64 = 10_000;
/// Parked callbacks that are counted: nobody needs to know of more.
const MOST_DEAD: i64 = 10_000;

/// How the fetching of personal data stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Profiles {
    /// How many are due, now or later.
    pub due: i64,
    /// When the first of them is or was due, milliseconds.
    pub first_due_at: Option<i64>,
    /// How many were given up among the newest.
    pub given_up: i64,
    /// How many people those newest are, at most.
    pub given_up_of: i64,
}

impl Store {
    /// Everything that is paused, by account and API.
    pub async fn pauses(&self) -> Result<Vec<Pause>> {
        let sql = "SELECT account, api, reason, paused_until FROM channel ORDER BY account, api";
        self.rows(sql, vec![], |row| {
            Ok(Pause { account: row.text(0)?, api: row.text(1)?, reason: row.text(2)?, paused_until: row.int(3)? })
        })
        .await
    }

    /// Personal data that is due or was given up, of one account or of all.
    pub async fn profiles(&self, account: Option<&str>) -> Result<Profiles> {
        let (and, args) = match account {
            Some(account) => (" AND account = ?", vec![account.into()]),
            None => ("", vec![]),
        };
        let sql = format!("SELECT COUNT(*), MIN(info_due_at) FROM user_mapping WHERE info_due_at IS NOT NULL{and}");
        let due = self.row(&sql, args.clone(), |row| Ok((row.int(0)?, row.opt_int(1)?))).await?.unwrap_or_default();
        let sql = format!(
            "SELECT COUNT(*) FROM user_mapping WHERE id > (SELECT CAST(MAX(id) AS SIGNED) FROM user_mapping) - {NEWEST} \
             AND info_due_at IS NULL AND info_error IS NOT NULL{and}"
        );
        let given_up = self.row(&sql, args, |row| row.int(0)).await?.unwrap_or_default();
        Ok(Profiles { due: due.0, first_due_at: due.1, given_up, given_up_of: NEWEST })
    }

    /// Since when the callback has been due that waits longest, milliseconds.
    pub async fn inbox_due_since(&self) -> Result<Option<i64>> {
        self.row("SELECT due_at FROM inbox_event WHERE state = 'new' ORDER BY due_at LIMIT 1", vec![], |row| row.int(0))
            .await
    }

    /// Parked callbacks that could be handled again, by account: not those of people who have left since.
    pub async fn dead(&self) -> Result<Vec<(String, i64)>> {
        let sql = format!(
            "SELECT account, COUNT(*) FROM (SELECT account FROM inbox_event WHERE state = 'dead' AND raw IS NOT NULL \
             LIMIT {MOST_DEAD}) AS dead GROUP BY account ORDER BY account"
        );
        self.rows(&sql, vec![], |row| Ok((row.text(0)?, row.int(1)?))).await
    }

    /// When the oldest callback came in that is still kept.
    pub async fn oldest_callback(&self) -> Result<Option<DateTime<Utc>>> {
        self.row("SELECT received_at FROM inbox_event ORDER BY id LIMIT 1", vec![], |row| row.time(0)).await
    }

    /// Bytes of the database on disk, as it reckons itself.
    pub async fn size(&self) -> Result<i64> {
        Ok(self.row(self.dialect.size(), vec![], |row| row.opt_int(0)).await?.flatten().unwrap_or_default())
    }
}
