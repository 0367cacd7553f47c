//! `access_token`: one row an account. Its generation counts up with every new token, so that a late
//! answer never overwrites a newer one.

use super::read::Row;
use super::token_history::remember;
use super::value::stmt;
use super::{Statement, Store, time_now, time_of};
use crate::domain::secret::Secret;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// What the table holds of an account's token.
#[derive(Debug, Clone, Default)]
pub struct StoredToken {
    /// The token; `None` after `token clear`.
    pub token: Option<Secret>,
    /// When it ends, milliseconds; `None`: set by hand, trusted until refused.
    pub expires_at: Option<i64>,
    /// How long it had to live as it came, milliseconds.
    pub life_ms: Option<i64>,
    /// Counts up with every new token.
    pub generation: i64,
    /// Who brought it: host and process, or a person.
    pub who: Option<String>,
    /// When it came.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// The token before it, and until when that works beside it, milliseconds.
    pub previous: Option<(Secret, i64)>,
    /// When the platform was asked for one last, milliseconds; 0: never.
    pub asked_at: i64,
    /// Why it must not be asked now.
    pub hold: Option<Hold>,
}

/// The platform forbids calls for a token for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Until when, milliseconds.
    pub until: i64,
    /// The errcode.
    pub code: i64,
    /// In the platform's words.
    pub reason: String,
    /// The digest of the secret that it is about; another one may be tried.
    pub secret: String,
}

/// A token to be stored.
#[derive(Debug, Clone)]
pub struct NewToken<'a> {
    /// The token.
    pub text: &'a Secret,
    /// When it ends, milliseconds; `None`: not known.
    pub expires_at: Option<i64>,
    /// How long it has to live, milliseconds.
    pub life_ms: Option<i64>,
    /// How long the one before works beside it, milliseconds; 0 where it died.
    pub overlap_ms: i64,
    /// Where it came from: an API, `forced`, `token_from`, `token set`.
    pub source: &'a str,
    /// Who brings it.
    pub who: &'a str,
    /// When, milliseconds by the clock of the process.
    pub now_ms: i64,
}

const COLUMNS: &str = "token, expires_at, generation, who, refreshed_at, life_ms, previous, previous_until, asked_at, \
     held_until, held_code, held_reason, held_secret";

fn stored(row: &Row) -> Result<StoredToken> {
    let hold = Hold {
        until: row.int(9)?,
        code: row.opt_int(10)?.unwrap_or_default(),
        reason: row.opt_text(11)?.unwrap_or_default(),
        secret: row.opt_text(12)?.unwrap_or_default(),
    };
    let previous_until = row.int(7)?;
    Ok(StoredToken {
        token: row.opt_text(0)?.map(Secret::new),
        expires_at: row.opt_int(1)?,
        generation: row.int(2)?,
        who: row.opt_text(3)?,
        refreshed_at: row.opt_time(4)?,
        life_ms: row.opt_int(5)?,
        previous: row.opt_text(6)?.map(|text| (Secret::new(text), previous_until)),
        asked_at: row.int(8)?,
        hold: (hold.until > 0).then_some(hold),
    })
}

impl Store {
    /// The account's token, with generation 0 where there was never one.
    pub async fn stored_token(&self, account: &str) -> Result<StoredToken> {
        let sql = format!("SELECT {COLUMNS} FROM access_token WHERE account = ?");
        Ok(self.row(&sql, vec![account.into()], stored).await?.unwrap_or_default())
    }

    /// Stores a token as the one after `generation`, and remembers who brought it; false where another came first.
    pub async fn store_token(&self, account: &str, generation: i64, new: &NewToken<'_>) -> Result<bool> {
        let NewToken { text, expires_at, life_ms, overlap_ms, who, now_ms, .. } = *new;
        let counts = self
            .commit(vec![
                self.bare_token(account),
                // The end of the one before is read before it is set: MySQL assigns from left to right.
                stmt!(
                    "UPDATE access_token SET previous = CASE WHEN ? > 0 THEN token ELSE NULL END, \
                     previous_until = CASE WHEN expires_at IS NULL OR expires_at > ? THEN ? ELSE expires_at END, \
                     token = ?, expires_at = ?, life_ms = ?, who = ?, refreshed_at = ?, held_until = 0, \
                     generation = generation + 1 WHERE account = ? AND generation = ?",
                    overlap_ms,
                    now_ms + overlap_ms,
                    now_ms + overlap_ms,
                    text.reveal(),
                    expires_at,
                    life_ms,
                    who,
                    time_of(now_ms),
                    account,
                    generation
                ),
                remember(self.dialect, account, generation, new),
            ])
            .await?;
        Ok(counts[1] == 1)
    }

    /// Forgets the token of this generation, and the one before it; false where another came first.
    pub async fn forget_token(&self, account: &str, generation: i64, who: &str) -> Result<bool> {
        let sql = "UPDATE access_token SET token = NULL, expires_at = NULL, life_ms = NULL, previous = NULL, \
                   previous_until = 0, who = ?, refreshed_at = ?, generation = generation + 1 \
                   WHERE account = ? AND generation = ?";
        Ok(self.commit(vec![stmt!(sql, who, time_now(), account, generation)]).await?[0] == 1)
    }

    /// The same token lives longer or shorter than stored: only its end is corrected.
    pub async fn correct_expiry(&self, account: &str, generation: i64, expires_at: i64) -> Result<()> {
        let sql = "UPDATE access_token SET expires_at = ? WHERE account = ? AND generation = ?";
        self.commit(vec![stmt!(sql, expires_at, account, generation)]).await.map(drop)
    }

    /// Notes that the platform is asked for a token now.
    pub async fn token_asked(&self, account: &str, now_ms: i64) -> Result<()> {
        let sql = "UPDATE access_token SET asked_at = ? WHERE account = ?";
        self.commit(vec![self.bare_token(account), stmt!(sql, now_ms, account)]).await.map(drop)
    }

    /// Not one call for a token before this is over; kept over restarts.
    pub async fn hold_token(&self, account: &str, hold: &Hold) -> Result<()> {
        let sql = "UPDATE access_token SET held_until = ?, held_code = ?, held_reason = ?, held_secret = ? \
                   WHERE account = ?";
        let Hold { until, code, reason, secret } = hold;
        let held = stmt!(sql, *until, *code, reason.as_str(), secret.as_str(), account);
        self.commit(vec![self.bare_token(account), held]).await.map(drop)
    }

    /// A person ends the wait; true where there was one.
    pub async fn release_token(&self, account: &str) -> Result<bool> {
        let sql = "UPDATE access_token SET held_until = 0 WHERE account = ? AND held_until > 0";
        Ok(self.commit(vec![stmt!(sql, account)]).await?[0] == 1)
    }

    fn bare_token(&self, account: &str) -> Statement {
        stmt!(format!("{} INTO access_token (account) VALUES (?)", self.dialect.insert_new()), account)
    }

    /// Counts a force_refresh before it is asked for: false where the last is under a minute old, or
    /// `max` were made on this day. The platform allows 20 a day, 30 s apart (reference 3.2).
    pub async fn count_forced(&self, account: &str, now_ms: i64, day: i64, max: i64) -> Result<bool> {
        let counts = self
            .commit(vec![
                self.bare_token(account),
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
