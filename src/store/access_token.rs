//! `access_token`: one row an account. Its generation counts up with every new token, so that a late
//! answer never overwrites a newer one.

use super::value::stmt;
use super::{Store, time_now};
use crate::domain::secret::Secret;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// What the table holds of an account's token.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The token; `None` after `token clear`.
    pub token: Option<Secret>,
    /// When it ends, milliseconds; `None`: set by hand, trusted until refused.
    pub expires_at: Option<i64>,
    /// Counts up with every new token.
    pub generation: i64,
    /// Who brought it: host and process, or a person.
    pub who: Option<String>,
    /// When it came.
    pub refreshed_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The account's token, with generation 0 where there was never one.
    pub async fn stored_token(&self, account: &str) -> Result<StoredToken> {
        let sql = "SELECT token, expires_at, generation, who, refreshed_at FROM access_token WHERE account = ?";
        let row = self
            .row(sql, vec![account.into()], |row| {
                Ok(StoredToken {
                    token: row.opt_text(0)?.map(Secret::new),
                    expires_at: row.opt_int(1)?,
                    generation: row.int(2)?,
                    who: row.opt_text(3)?,
                    refreshed_at: row.opt_time(4)?,
                })
            })
            .await?;
        Ok(row.unwrap_or(StoredToken { token: None, expires_at: None, generation: 0, who: None, refreshed_at: None }))
    }

    /// Stores a token as the one after `generation`; false where another came first.
    pub async fn store_token(
        &self,
        account: &str,
        token: Option<&Secret>,
        expires_at: Option<i64>,
        generation: i64,
        who: &str,
    ) -> Result<bool> {
        let bare = format!("{} INTO access_token (account) VALUES (?)", self.dialect.insert_new());
        let counts = self
            .commit(vec![
                stmt!(bare, account),
                stmt!(
                    "UPDATE access_token SET token = ?, expires_at = ?, who = ?, refreshed_at = ?, generation = generation + 1 \
                     WHERE account = ? AND generation = ?",
                    token.map(|t| t.reveal().to_owned()),
                    expires_at,
                    who,
                    time_now(),
                    account,
                    generation
                ),
            ])
            .await?;
        Ok(counts[1] == 1)
    }

    /// The same token lives longer or shorter than stored: only its end is corrected.
    pub async fn correct_expiry(&self, account: &str, generation: i64, expires_at: i64) -> Result<()> {
        let sql = "UPDATE access_token SET expires_at = ? WHERE account = ? AND generation = ?";
        self.commit(vec![stmt!(sql, expires_at, account, generation)]).await.map(drop)
    }

    /// Counts a force_refresh before it is asked for: false where the last is under a minute old, or
    /// `max` were made on this day. The platform allows 20 a day, 30 s apart (reference 3.2).
    pub async fn count_forced(&self, account: &str, now_ms: i64, day: i64, max: i64) -> Result<bool> {
        let bare = format!("{} INTO access_token (account) VALUES (?)", self.dialect.insert_new());
        let counts = self
            .commit(vec![
                stmt!(bare, account),
                stmt!(
                    "UPDATE access_token SET forced_count = CASE WHEN forced_day = ? THEN forced_count + 1 ELSE 1 END, \
                     forced_day = ?, forced_at = ? \
                     WHERE account = ? AND forced_at <= ? AND (forced_day <> ? OR forced_count < ?)",
                    day,
                    day,
                    now_ms,
                    account,
                    now_ms - 60_000,
                    day,
                    max
                ),
            ])
            .await?;
        Ok(counts[1] == 1)
    }
}
