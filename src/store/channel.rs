//! `channel`: which APIs of an account are paused, why, and who may probe.

use super::Store;
use super::value::stmt;
use crate::error::Result;

/// A paused channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The account's name.
    pub account: String,
    /// The API, or `*` for all of the account.
    pub api: String,
    /// The platform's own words.
    pub reason: String,
    /// When a probe may go out, milliseconds.
    pub paused_until: i64,
}

/// How long one process has the right to probe, milliseconds: no more than one probe a minute.
const PROBE_MS: i64 = 60_000;

impl Store {
    /// What is paused of an account for this API.
    pub async fn paused(&self, account: &str, api: &str) -> Result<Option<Pause>> {
        let sql = "SELECT account, api, reason, paused_until FROM channel WHERE account = ? AND (api = ? OR api = '*') \
                   ORDER BY paused_until DESC LIMIT 1";
        self.row(sql, vec![account.into(), api.into()], |row| {
            Ok(Pause { account: row.text(0)?, api: row.text(1)?, reason: row.text(2)?, paused_until: row.int(3)? })
        })
        .await
    }

    /// Pauses a channel until `until` (ms).
    pub async fn pause(&self, account: &str, api: &str, reason: &str, until: i64) -> Result<()> {
        let bare = format!(
            "{} INTO channel (account, api, reason, paused_until) VALUES (?, ?, ?, ?)",
            self.dialect.insert_new()
        );
        let update = "UPDATE channel SET reason = ?, paused_until = ?, probe_lease = 0 WHERE account = ? AND api = ?";
        self.commit(vec![stmt!(bare, account, api, reason, until), stmt!(update, reason, until, account, api)])
            .await
            .map(drop)
    }

    /// Whether this process may probe now: one of all, once a minute.
    pub async fn may_probe(&self, pause: &Pause, now_ms: i64) -> Result<bool> {
        let sql = "UPDATE channel SET probe_lease = ? WHERE account = ? AND api = ? AND paused_until <= ? AND probe_lease <= ?";
        let probe = stmt!(sql, now_ms + PROBE_MS, pause.account.as_str(), pause.api.as_str(), now_ms, now_ms);
        Ok(self.commit(vec![probe]).await?[0] == 1)
    }

    /// A person changed what kept the account from working, such as its token: whoever serves may probe at once.
    pub async fn probe_at_once(&self, account: &str) -> Result<()> {
        let sql = "UPDATE channel SET paused_until = 0, probe_lease = 0 WHERE account = ? AND api = '*'";
        self.commit(vec![stmt!(sql, account)]).await.map(drop)
    }

    /// A call went through: the channel is well again.
    pub async fn resume(&self, account: &str, api: &str) -> Result<()> {
        let sql = "DELETE FROM channel WHERE account = ? AND (api = ? OR api = '*')";
        self.commit(vec![stmt!(sql, account, api)]).await.map(drop)
    }
}
