//! Rows of `inbox_event` that are settled and old: counted, and deleted in small transactions beside a
//! running `serve`.

use super::value::{Statement, Value, places};
use super::{Store, sqlite};
use crate::error::{Error, Result};
use crate::say;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a deletion waits for the write lock of a SQLite file: a busy serve leaves gaps, but few.
const PATIENCE: Duration = Duration::from_secs(30);
/// Memory for pages, as SQLite wants it: negative, KiB. Its usual 2 MiB hold fewer than 500 rows touch.
const CACHE_KIB: i64 = -65_536;

/// What a hook is still to be told of, or may not have been, stays.
const TOLD: &str = "NOT EXISTS (SELECT 1 FROM hook_delivery d WHERE d.event_id = inbox_event.id \
     AND d.state IN ('pending', 'sending', 'unknown'))";

/// Which rows are to go.
#[derive(Debug, Clone)]
pub struct Old {
    /// Only this account's.
    pub account: Option<String>,
    /// Only what came in before.
    pub before: DateTime<Utc>,
    /// Dead ones too, not only those that are done.
    pub dead: bool,
}

impl Old {
    /// Whether rows in this state go. A row that is not settled never does.
    pub fn takes(&self, state: &str) -> bool {
        state == "done" || (self.dead && state == "dead")
    }

    fn states(&self) -> &'static str {
        if self.dead { "state IN ('done', 'dead')" } else { "state = 'done'" }
    }

    /// Came in before, in this account; with its arguments.
    fn condition(&self) -> (&'static str, Vec<Value>) {
        match &self.account {
            Some(account) => ("received_at < ? AND account = ?", vec![self.before.into(), account.as_str().into()]),
            None => ("received_at < ?", vec![self.before.into()]),
        }
    }
}

/// How many old rows an account has in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldRows {
    /// The account's name.
    pub account: String,
    /// new, done or dead.
    pub state: String,
    /// How many.
    pub events: i64,
}

/// A deletion under way. What it has deleted is gone for good after each step, and it can be begun anew at any time.
pub struct Purge {
    store: Store,
    old: Old,
    /// The first id, the next to be looked at, and the bound.
    ids: (i64, i64, i64),
    /// Its own connection to a SQLite file: the time under the write lock is to be told from the wait for it.
    db: Option<Connection>,
}

/// What one transaction did.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Rows deleted; fewer than were looked for where one was replayed at that moment.
    pub deleted: u64,
    /// How long others could not write.
    pub held: Duration,
}

impl Store {
    /// How many rows are that old, by account and state; those too that are not to go.
    pub async fn inbox_old(&self, old: &Old) -> Result<Vec<OldRows>> {
        let (condition, mut args) = old.condition();
        args.insert(0, self.inbox_id_past(old.before).await?.into());
        let sql = format!(
            "SELECT account, state, COUNT(*) FROM inbox_event WHERE id < ? AND {condition} AND {TOLD} \
             GROUP BY account, state ORDER BY account, state"
        );
        self.rows(&sql, args, |row| Ok(OldRows { account: row.text(0)?, state: row.text(1)?, events: row.int(2)? }))
            .await
    }

    /// Begins to delete.
    pub async fn purge(&self, old: Old) -> Result<Purge> {
        let first = self.row("SELECT MIN(id) FROM inbox_event", vec![], |row| row.opt_int(0)).await?.flatten();
        let bound = self.inbox_id_past(old.before).await?;
        let db = self.file().map(connect).transpose()?;
        let first = first.unwrap_or(bound);
        Ok(Purge { store: self.clone(), old, ids: (first, first, bound), db })
    }

    /// Bytes of a SQLite file that hold nothing and are used again before it grows; `None` for another database.
    pub async fn free_bytes(&self) -> Result<Option<i64>> {
        if self.file().is_none() {
            return Ok(None);
        }
        let sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
        self.row(sql, vec![], |row| row.int(0)).await
    }
}

impl Purge {
    /// How much of the way is done, 0 to 1.
    pub fn part(&self) -> f64 {
        let (first, next, bound) = self.ids;
        if next >= bound { 1.0 } else { (next - first) as f64 / (bound - first) as f64 }
    }

    /// Deletes the next rows, `limit` at the most, in one transaction; `None` when there are no more. They are
    /// looked for before it, outside every lock. Ids are passed one after the other: what could commit late below
    /// one of them is younger than any row that is looked for.
    pub async fn step(&mut self, limit: usize) -> Result<Option<Step>> {
        let (_, next, bound) = self.ids;
        let (condition, mut args) = self.old.condition();
        args.extend([next.into(), bound.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()]);
        let sql = format!(
            "SELECT id FROM inbox_event WHERE {condition} AND {} AND {TOLD} AND id >= ? AND id < ? ORDER BY id LIMIT ?",
            self.old.states()
        );
        let ids = self.store.rows(&sql, args, |row| row.int(0)).await?;
        let Some(last) = ids.last() else {
            self.ids.1 = bound;
            return Ok(None);
        };
        self.ids.1 = last + 1;
        let (condition, mut args) = self.old.condition();
        args.extend(ids.iter().map(|id| Value::Int(*id)));
        // All of it again: a row that was replayed since is not deleted.
        let sql = format!(
            "DELETE FROM inbox_event WHERE {condition} AND {} AND {TOLD} AND id IN ({})",
            self.old.states(),
            places(ids.len())
        );
        let told = format!(
            "DELETE FROM hook_delivery WHERE event_id IN ({}) AND NOT EXISTS (SELECT 1 FROM inbox_event e \
             WHERE e.id = hook_delivery.event_id)",
            places(ids.len())
        );
        let ids = ids.into_iter().map(Value::Int).collect();
        let both = [Statement { sql: sql.into(), args }, Statement { sql: told.into(), args: ids }];
        self.delete(both).await.map(Some)
    }

    /// Lets others write for this long. What was deleted is carried from the log to the file of SQLite meanwhile:
    /// else a callback's commit would have to, as soon as the log is long.
    pub async fn rest(&mut self, pause: Duration) -> Result<()> {
        let end = tokio::time::Instant::now() + pause;
        if self.db.is_some() {
            self.on_file(|db| db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))).await?;
        }
        tokio::time::sleep_until(end).await;
        Ok(())
    }

    /// The rows, then what was told of them.
    async fn delete(&mut self, both: [Statement; 2]) -> Result<Step> {
        if self.db.is_some() {
            return self.on_file(move |db| transaction(db, &both)).await;
        }
        let start = Instant::now();
        let deleted = self.store.commit(both.into()).await?[0];
        Ok(Step { deleted, held: start.elapsed() })
    }

    /// Works on the connection to the file, on a thread that may block.
    async fn on_file<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let ended = || Error::failed(say!("the database's thread ended"; "数据库线程意外结束"));
        let mut db = self.db.take().ok_or_else(ended)?;
        let done = tokio::task::spawn_blocking(move || (work(&mut db), db)).await;
        let (done, db) = done.map_err(|error| ended().source(error))?;
        self.db = Some(db);
        done.map_err(sqlite::failed)
    }
}

fn connect(file: &Path) -> Result<Connection> {
    let db = sqlite::connect(file)?;
    let set = || {
        db.busy_timeout(PATIENCE)?;
        db.pragma_update(None, "cache_size", CACHE_KIB)?;
        db.pragma_update(None, "wal_autocheckpoint", 0)
    };
    set().map_err(sqlite::failed)?;
    Ok(db)
}

fn transaction(db: &mut Connection, [rows, told]: &[Statement; 2]) -> rusqlite::Result<Step> {
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let start = Instant::now();
    let execute = |one: &Statement| tx.prepare_cached(&one.sql)?.execute(rusqlite::params_from_iter(&one.args));
    let deleted = execute(rows)? as u64;
    execute(told)?;
    tx.commit()?;
    Ok(Step { deleted, held: start.elapsed() })
}
