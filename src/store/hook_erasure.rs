//! Who must hear that a person was erased: every hook that ever got something about them, or may have.

use super::value::{places, stmt};
use super::{Statement, Store};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A hook that has not confirmed an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHeard {
    /// The person.
    pub openid: String,
    /// When they were erased: it belongs to that erasure alone, and not to one of a later following.
    pub erased_at: DateTime<Utc>,
    /// The hook's name.
    pub hook: String,
    /// pending, sending or gone: its receiver, or the hook itself, is no more.
    pub state: String,
    /// Why it failed last.
    pub last_error: Option<String>,
}

/// [`Store::tell_erasure`] for somebody of whom user/info said that they do not follow: only where the statement before
/// it has blanked them at `now`.
pub(super) fn tell_gone(account: &str, openid: &str, now: DateTime<Utc>) -> Statement {
    stmt!(
        "INSERT INTO hook_delivery (hook, account, openid, state, due_at, created_at) \
         SELECT p.hook, p.account, p.openid, 'pending', ?4, ?3 FROM hook_person p \
         WHERE p.account = ?1 AND p.openid = ?2 AND EXISTS (SELECT 1 FROM user_mapping u \
         WHERE u.account = p.account AND u.openid = p.openid AND u.erased_at = ?3)",
        account,
        openid,
        now,
        now.timestamp_millis()
    )
}

impl Store {
    /// Whether any hook was ever told of anybody.
    pub async fn was_told(&self) -> Result<bool> {
        Ok(self.row("SELECT 1 FROM hook_person LIMIT 1", vec![], |row| row.int(0)).await?.is_some())
    }

    /// Makes a delivery of type `person.erased` due at each of these hooks: one of the statements of an erasure, behind
    /// the one that blanks the raw messages, on whose rows a delivery under way and an erasure wait for each other.
    pub fn tell_erasure(&self, account: &str, openid: &str, now_ms: i64) -> Statement {
        stmt!(
            "INSERT INTO hook_delivery (hook, account, openid, state, due_at, created_at) \
             SELECT p.hook, p.account, p.openid, 'pending', ?3, ?4 FROM hook_person p \
             WHERE p.account = ?1 AND p.openid = ?2",
            account,
            openid,
            now_ms,
            super::time_of(now_ms)
        )
    }

    /// The hooks that have not confirmed the erasures of these people of an account.
    pub async fn not_heard(&self, account: &str, openids: &[&str]) -> Result<Vec<NotHeard>> {
        let sql = format!(
            "SELECT openid, created_at, hook, state, last_error FROM hook_delivery WHERE account = ? AND openid IN ({}) \
             AND state <> 'delivered' ORDER BY hook",
            places(openids.len())
        );
        let args = std::iter::once(account.into()).chain(openids.iter().map(|openid| (*openid).into()));
        self.rows(&sql, args.collect(), |row| {
            Ok(NotHeard {
                openid: row.text(0)?,
                erased_at: row.time(1)?,
                hook: row.text(2)?,
                state: row.text(3)?,
                last_error: row.opt_text(4)?,
            })
        })
        .await
    }
}
