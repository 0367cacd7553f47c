//! `alarm`: what is out of the ordinary, since when, and when people were last told. Who tells takes the row first, by
//! its `due_at`: of several processes one does, and a process that dies while telling is not repeated by the next.

use super::Store;
use super::value::stmt;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A row: something that was out of the ordinary when it was last looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The account's name; `*` for the whole installation.
    pub account: String,
    /// silence, paused, dead, …
    pub kind: String,
    /// When it was first seen.
    pub began_at: DateTime<Utc>,
    /// When people were last told; `None`: not yet.
    pub told_at: Option<DateTime<Utc>>,
    /// When they are told next, milliseconds.
    pub due_at: i64,
    /// How many of it people were told of.
    pub size: i64,
    /// Failed sends in a row.
    pub tries: i64,
}

impl Store {
    /// All that stands.
    pub async fn alarms(&self) -> Result<Vec<Standing>> {
        let sql = "SELECT account, kind, began_at, told_at, due_at, size, tries FROM alarm ORDER BY account, kind";
        self.rows(sql, vec![], |row| {
            Ok(Standing {
                account: row.text(0)?,
                kind: row.text(1)?,
                began_at: row.time(2)?,
                told_at: row.opt_time(3)?,
                due_at: row.int(4)?,
                size: row.int(5)?,
                tries: row.int(6)?,
            })
        })
        .await
    }

    /// Writes a new one down; one that stands already stays as it is.
    pub async fn raise_alarm(&self, alarm: &Standing) -> Result<()> {
        let insert = self.dialect.insert_new();
        let sql = format!(
            "{insert} INTO alarm (account, kind, began_at, told_at, due_at, size, tries) VALUES (?, ?, ?, ?, ?, ?, ?)"
        );
        let Standing { account, kind, began_at, told_at, due_at, size, tries } = alarm;
        let row = stmt!(sql, account.as_str(), kind.as_str(), *began_at, *told_at, *due_at, *size, *tries);
        self.commit(vec![row]).await.map(drop)
    }

    /// Replaces what was read as `old`: the right to tell, or a send taken back. False where another was faster.
    pub async fn change_alarm(&self, old: &Standing, new: &Standing) -> Result<bool> {
        let sql = "UPDATE alarm SET told_at = ?, due_at = ?, size = ?, tries = ? WHERE account = ? AND kind = ? AND due_at = ?";
        let Standing { told_at, due_at, size, tries, .. } = new;
        let row = stmt!(sql, *told_at, *due_at, *size, *tries, old.account.as_str(), old.kind.as_str(), old.due_at);
        Ok(self.commit(vec![row]).await?[0] == 1)
    }

    /// It is over: false where another process was faster, and tells of it.
    pub async fn end_alarm(&self, old: &Standing) -> Result<bool> {
        let sql = "DELETE FROM alarm WHERE account = ? AND kind = ? AND due_at = ?";
        Ok(self.commit(vec![stmt!(sql, old.account.as_str(), old.kind.as_str(), old.due_at)]).await?[0] == 1)
    }
}
