//! Who must hear that a person was erased: every hook that ever got something about them, or may have.

use super::value::stmt;
use super::{Statement, Store};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A hook that must hear of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureTold {
    /// The hook's name.
    pub hook: String,
    /// pending, sending, delivered (this confirms it) or gone: its receiver, or the hook itself, is no more.
    pub state: String,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it was confirmed.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Store {
    /// The hooks that got something about a person, or may have, and have not confirmed an erasure since.
    pub async fn hooks_told(&self, account: &str, openid: &str) -> Result<Vec<String>> {
        let sql = "SELECT hook FROM hook_person WHERE account = ? AND openid = ? ORDER BY hook";
        self.rows(sql, vec![account.into(), openid.into()], |row| row.text(0)).await
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
            super::hook::time_of(now_ms)
        )
    }

    /// How far the hooks are with the erasures of a person since `since`, the latest of each hook.
    pub async fn erasure_told(&self, account: &str, openid: &str, since: DateTime<Utc>) -> Result<Vec<ErasureTold>> {
        let sql = "SELECT d.hook, d.state, d.last_error, d.ended_at FROM hook_delivery d \
                   WHERE d.account = ? AND d.openid = ? AND d.created_at >= ? AND NOT EXISTS (SELECT 1 FROM hook_delivery l \
                   WHERE l.account = d.account AND l.openid = d.openid AND l.hook = d.hook AND l.id > d.id) ORDER BY d.hook";
        let args = vec![account.into(), openid.into(), since.into()];
        self.rows(sql, args, |row| {
            Ok(ErasureTold {
                hook: row.text(0)?,
                state: row.text(1)?,
                last_error: row.opt_text(2)?,
                ended_at: row.opt_time(3)?,
            })
        })
        .await
    }

    /// Takes a person out of what is kept about hooks: for the purge of those who were erased long ago. What was told of
    /// their events goes with those events.
    pub fn forget_hook_person(&self, account: &str, openid: &str) -> Vec<Statement> {
        vec![
            stmt!("DELETE FROM hook_person WHERE account = ?1 AND openid = ?2", account, openid),
            stmt!("DELETE FROM hook_delivery WHERE account = ?1 AND openid = ?2", account, openid),
        ]
    }
}
