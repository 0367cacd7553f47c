//! A sync's own way into a SQLite file: it looks at rows and writes them in one transaction.

use super::super::value::time_text;
use super::super::{Statement, sqlite};
use super::compare::{Known, TEXTS, Verdict, verdict};
use super::{Listed, NEW, NEW_ROW, Note, SEEN, Synced, Syncing, Written, change, overtaken};
use crate::error::{Error, Result};
use crate::say;
use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, TransactionBehavior, params};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a transaction waits for the write lock: a busy serve leaves gaps, but few.
const PATIENCE: Duration = Duration::from_secs(30);
/// Memory for pages, as SQLite wants it: negative, KiB. What it does not hold, the system does.
const CACHE_KIB: i64 = -16 * 1024;
/// The log is carried into the file after so many rows: each of them changes up to three pages of it.
const CARRY: usize = 20_000;

/// The connection; it is away while a thread that may block works on it.
#[derive(Debug)]
pub(super) struct File {
    db: Option<Connection>,
    /// Rows that are in the log alone.
    logged: usize,
}

impl File {
    /// Opens it.
    pub fn open(path: &Path) -> Result<File> {
        let db = sqlite::connect(path)?;
        let set = || {
            db.busy_timeout(PATIENCE)?;
            db.pragma_update(None, "cache_size", CACHE_KIB)?;
            db.pragma_update(None, "wal_autocheckpoint", 0)?;
            // A crash of the machine may cost the last transactions, each with the note of how far it was.
            db.pragma_update(None, "synchronous", "NORMAL")
        };
        set().map_err(sqlite::failed)?;
        Ok(File { db: Some(db), logged: 0 })
    }

    /// Writes people in one transaction.
    pub async fn write(
        &mut self,
        syncing: &Syncing,
        (people, now): (Vec<Listed>, DateTime<Utc>),
        note: Note,
        strangers: bool,
    ) -> Result<Written> {
        let ended = || Error::failed(say!("the database's thread ended"; "数据库线程意外结束"));
        let mut db = self.db.take().ok_or_else(ended)?;
        let syncing = syncing.clone();
        self.logged += people.len();
        let carry = self.logged >= CARRY;
        let work = move || {
            let mut done = transaction(&mut db, &syncing, (people, now), note, strangers);
            if carry && done.is_ok() {
                // Others may write meanwhile.
                let carried = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
                done = carried.and(done);
            }
            (done, db)
        };
        let (done, db) = tokio::task::spawn_blocking(work).await.map_err(|error| ended().source(error))?;
        self.logged = if carry { 0 } else { self.logged };
        self.db = Some(db);
        done.map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => overtaken(),
            error => sqlite::failed(error),
        })
    }
}

fn transaction(
    db: &mut Connection,
    syncing: &Syncing,
    (mut people, now): (Vec<Listed>, DateTime<Utc>),
    note: Note,
    strangers: bool,
) -> rusqlite::Result<Written> {
    // In the order of the index, so that a page of it is touched once.
    people.sort_unstable_by(|one, other| one.openid.cmp(&other.openid));
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let start = Instant::now();
    let mut rows = Rows::new(&tx, syncing, now)?;
    for person in people {
        rows.write(person, strangers)?;
    }
    let tally = rows.tally;
    drop(rows);
    if execute(&tx, &note(&tally))? == 0 {
        return Err(rusqlite::Error::QueryReturnedNoRows);
    }
    tx.commit()?;
    Ok(Written { tally, held: start.elapsed() })
}

fn execute(db: &Connection, statement: &Statement) -> rusqlite::Result<usize> {
    db.prepare_cached(&statement.sql)?.execute(rusqlite::params_from_iter(&statement.args))
}

/// The rows of one transaction.
struct Rows<'a> {
    db: &'a Connection,
    syncing: &'a Syncing,
    began: String,
    now: DateTime<Utc>,
    look: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    seen: CachedStatement<'a>,
    tally: Synced,
}

impl<'a> Rows<'a> {
    fn new(db: &'a Connection, syncing: &'a Syncing, now: DateTime<Utc>) -> rusqlite::Result<Self> {
        let look = format!(
            "SELECT id, seen_run, is_followed, updated_at, follow_time, unfollow_time, erased_to, \
             info_due_at IS NOT NULL OR info_error IS NOT NULL, sex, {TEXTS} \
             FROM user_mapping WHERE account = ?1 AND openid = ?2"
        );
        let insert =
            format!("INSERT INTO user_mapping ({NEW}) VALUES {NEW_ROW} ON CONFLICT (account, openid) DO NOTHING");
        Ok(Rows {
            db,
            syncing,
            began: time_text(&syncing.began),
            now,
            look: db.prepare_cached(&look)?,
            insert: db.prepare_cached(&insert)?,
            seen: db.prepare_cached(&format!("{SEEN} = ?"))?,
            tally: Synced::default(),
        })
    }

    /// Whoever is most likely a stranger is inserted without a look.
    fn write(&mut self, person: Listed, strangers: bool) -> rusqlite::Result<()> {
        if strangers && self.insert(&person)? {
            return Ok(());
        }
        let Some((id, verdict)) = self.look(&person)? else {
            if !strangers {
                self.insert(&person)?;
            }
            return Ok(());
        };
        self.tally.count(verdict, person.counts);
        match verdict {
            Verdict::Twice => Ok(()),
            Verdict::Changed | Verdict::Returned => self.change(person),
            Verdict::Kept | Verdict::Same => self.mark(id),
        }
    }

    fn mark(&mut self, id: i64) -> rusqlite::Result<()> {
        self.seen.execute(params![self.syncing.run, id]).map(drop)
    }

    /// False where there is a row.
    fn insert(&mut self, person: &Listed) -> rusqlite::Result<bool> {
        let Some(told) = &person.profile else { return Ok(false) };
        let now = time_text(&self.now);
        let inserted = self.insert.execute(params![
            self.syncing.account,
            person.openid,
            told.unionid,
            told.nickname,
            told.avatar_url,
            told.sex,
            told.city,
            told.province,
            told.country,
            told.language,
            told.subscribe_scene,
            told.remark,
            told.follow_time.as_ref().map(time_text),
            now,
            now,
            self.syncing.run,
        ])?;
        self.tally.seen += inserted as u64;
        self.tally.new += inserted as u64;
        Ok(inserted == 1)
    }

    fn look(&mut self, person: &Listed) -> rusqlite::Result<Option<(i64, Verdict)>> {
        let mut rows = self.look.query(params![self.syncing.account, person.openid])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let text = |at: usize| row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from);
        let mut texts = [None; 9];
        for (at, column) in texts.iter_mut().enumerate() {
            *column = text(9 + at)?;
        }
        let known = Known {
            seen_run: row.get(1)?,
            follows: row.get(2)?,
            updated_at: text(3)?.unwrap_or_default(),
            follow_time: text(4)?,
            unfollow_time: text(5)?,
            erased_to: text(6)?,
            unsettled: row.get(7)?,
            sex: row.get(8)?,
            texts,
        };
        let id = row.get(0)?;
        let (run, began) = (self.syncing.run, self.began.as_str());
        Ok(Some((
            id,
            match &person.profile {
                Some(told) => {
                    let since = told.follow_time.as_ref().map(time_text);
                    verdict(&known, told, since.as_deref().as_ref(), run, &began)
                }
                None if known.seen_run == run => Verdict::Twice,
                None => Verdict::Same,
            },
        )))
    }

    fn change(&mut self, person: Listed) -> rusqlite::Result<()> {
        let told = person.profile.unwrap_or_default();
        let changed = execute(self.db, &change(self.syncing, person.openid, told, self.now))?;
        debug_assert_eq!(changed, 1, "looked at in the same transaction");
        Ok(())
    }
}
