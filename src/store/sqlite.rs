//! The one writer of a SQLite file: a thread with the only connection that writes.

use super::complaint;
use super::inbox::{AGAIN, Arrival, DEAD, Leased, Outcome, RAW_UNLESS_ERASED, Settled, Stored};
use super::value::time_text;
use super::writer::{Answer, BATCH, End, Hands, Told, Work};
use super::{AWAY, LEASE_MS, Statement, Value, lease_id};
use crate::domain::beat::Beat;
use crate::error::{Error, Result, Then};
use crate::say;
use chrono::Utc;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params};
use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long a writer waits for another process of the same file.
const BUSY: Duration = Duration::from_secs(5);

/// What the writer keeps of the file in memory (negative: KiB): the ends of the indexes, and people who come back.
const CACHE_KIB: i64 = -4 * 1024;
/// The WAL is copied into the file after so many pages (16 MiB): the same few change again and again.
const CHECKPOINT_PAGES: i64 = 4096;

/// The message, unless its person is erased since. One writer at a time: the unsubscribe is handled before, or finds
/// the row. Not written at all, it is not in the log of the file either.
macro_rules! raw {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM user_mapping u WHERE u.account = ?1 AND u.openid = ?3 AND u.erased_to >= ?7) \
         THEN NULL ELSE ?5 END"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, event_time, received_at, \
     lease, lease_until) VALUES (?1, ?11, ?2, ?3, ?4, ",
    raw!(),
    ", 'new', ?6, ?7, ?8, ?9, ?10) ON CONFLICT (dedupe_key) DO NOTHING"
);

/// A row with nothing to handle: done as it is stored.
const INSERT_DONE: &str = concat!(
    "INSERT INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, event_time, received_at) \
     VALUES (?1, ?9, ?2, ?3, ?4, ",
    raw!(),
    ", 'done', ?6, ?7, ?8) ON CONFLICT (dedupe_key) DO NOTHING"
);

/// Opens the connection that writes, and refuses a file that can't be written before anything relies on
/// it. WAL with synchronous=FULL: a commit is on disk when it returns.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        make_wal(&db)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // What is erased is overwritten in the file too, not only given back to it.
        db.pragma_update(None, "secure_delete", "ON")?;
        db.pragma_update(None, "cache_size", CACHE_KIB)?;
        db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(db)
    };
    let db = open().map_err(|error| unusable(path, error))?;
    // Asked without a transaction: a verb should not wait for the write lock of a busy serve.
    match db.is_readonly(rusqlite::MAIN_DB) {
        Ok(false) => Ok(db),
        Ok(true) => Err(read_only(path)),
        Err(error) => Err(unusable(path, error)),
    }
}

/// As the mode of a new file is changed, SQLite refuses all others at once, whatever their patience.
fn make_wal(db: &Connection) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && start.elapsed() < BUSY => {
                std::thread::sleep(Duration::from_millis(rand::random_range(2..20)));
            }
            done => return done,
        }
    }
}

fn read_only(path: &Path) -> Error {
    let file = path.display();
    Error::config(say!("the database {file} can't be written"; "数据库 {file} 不可写"))
        .next(say!("give the file and its folder to the user who runs wxops"; "请把该文件及其目录的写权限授予运行 wxops 的用户"))
}

/// A file that can't be opened as it must be: wrong by configuration, unless the disk or a lock is at fault.
pub(super) fn unusable(path: &Path, error: rusqlite::Error) -> Error {
    let file = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            read_only(path).source(error)
        }
        Some(ErrorCode::NotADatabase) => {
            Error::config(say!("{file} is no SQLite database"; "{file} 不是 SQLite 数据库"))
                .next(say!("name another file with DATABASE_URL"; "请用 DATABASE_URL 指定另一个文件"))
                .source(error)
        }
        _ => failed(error),
    }
}

/// Runs the writer until every sender is gone. Returns the thread's signs of life.
pub(super) fn start(db: Connection, mut work: mpsc::Receiver<Work>, hands: Hands) -> std::io::Result<Beat> {
    let done = format!(
        "UPDATE inbox_event SET raw = {RAW_UNLESS_ERASED}, state = 'done', lease = NULL, lease_until = 0 \
         WHERE id = ? AND lease = ? AND state = 'new'"
    );
    let (told, mut telling) = mpsc::unbounded_channel::<Told>();
    // From a thread outside the runtime each waking costs a system call; from within, a place in a queue.
    tokio::spawn(async move {
        while let Some(told) = telling.recv().await {
            told.into_iter().for_each(|(work, answer)| work.tell(answer));
        }
    });
    db.busy_handler(Some(wait_for_lock)).map_err(std::io::Error::other)?;
    let beat = Beat::default();
    let mut writer = SqliteWriter { db, hands, done, told, beat: beat.clone() };
    std::thread::Builder::new().name("sqlite-writer".into()).spawn(move || {
        WAITING.set(Some((writer.beat.clone(), Instant::now())));
        let mut batch = Vec::new();
        while let Some(first) = work.blocking_recv() {
            if first.given_up() {
                continue;
            }
            let mut weight = first.weight();
            batch.push(first);
            while weight < BATCH {
                let Ok(next) = work.try_recv() else { break };
                if next.given_up() {
                    continue;
                }
                weight += next.weight();
                batch.push(next);
            }
            writer.write(std::mem::take(&mut batch));
            writer.beat.at_rest();
        }
    })?;
    Ok(beat)
}

thread_local! {
    /// The writer's signs of life, and since when it waits for somebody else's lock.
    static WAITING: RefCell<Option<(Beat, Instant)>> = const { RefCell::new(None) };
}

/// Waits for somebody else's lock, up to [`BUSY`], and tells those who watch that this is no hang.
fn wait_for_lock(tries: i32) -> bool {
    WAITING.with_borrow_mut(|waiting| {
        let Some((beat, since)) = waiting else { return false };
        if tries == 0 {
            *since = Instant::now();
        }
        beat.at_work();
        std::thread::sleep(Duration::from_millis(1 << tries.clamp(0, 5)));
        since.elapsed() < BUSY
    })
}

struct SqliteWriter {
    db: Connection,
    hands: Hands,
    done: String,
    told: mpsc::UnboundedSender<Told>,
    beat: Beat,
}

/// Rows a transaction brought, handed on once it is committed.
struct Fresh {
    lease: Option<i64>,
    rows: Vec<Leased>,
}

impl SqliteWriter {
    /// One transaction for all; where something in it is at fault, one for each.
    fn write(&mut self, batch: Vec<Work>) {
        match self.transaction(&batch) {
            Ok(answers) => {
                let told = batch.into_iter().zip(answers.into_iter().map(Ok)).collect();
                // The one who tells is gone only with the runtime, and with it all who wait.
                let _ = self.told.send(told);
            }
            Err(error) if item_fault(&error) => batch.into_iter().for_each(|work| self.write_alone(work)),
            Err(error) => {
                let why = error.to_string();
                complaint::commit_failed(&why, batch.len());
                batch.into_iter().for_each(|work| work.tell(Err(away(&why))));
            }
        }
    }

    fn write_alone(&mut self, work: Work) {
        match self.transaction(std::slice::from_ref(&work)) {
            Ok(mut answers) => match answers.pop() {
                Some(answer) => work.tell(Ok(answer)),
                None => work.tell(Err(away("no answer"))),
            },
            Err(error) => match work {
                Work::Settle(rows, tx) => {
                    let ends = rows.into_iter().map(|row| self.settle_alone(row)).collect();
                    Work::Settle(Vec::new(), tx).tell(Ok(Answer::Ends(ends)));
                }
                other if refuses(&error) => other.tell(Err(failed(error).then(Then::Never))),
                other => other.tell(Err(failed(error))),
            },
        }
    }

    fn settle_alone(&mut self, row: Settled) -> End {
        self.beat.at_work();
        let mut transaction = || -> rusqlite::Result<End> {
            let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let end = settle(&tx, &row, &self.done)?;
            tx.commit()?;
            Ok(end)
        };
        match transaction() {
            Ok(end) => end,
            Err(error) if item_fault(&error) => End::Failed(error.to_string()),
            // The disk or the file is ill, not the row: it costs no attempt.
            Err(_) => End::Later,
        }
    }

    fn transaction(&mut self, batch: &[Work]) -> rusqlite::Result<Vec<Answer>> {
        self.beat.at_work();
        let arrivals = batch.iter().filter(|work| matches!(work, Work::Arrive(arrival, _) if arrival.acts)).count();
        let lease = self.hands.room(arrivals).then(lease_id);
        let mut fresh = Fresh { lease, rows: Vec::with_capacity(arrivals) };
        let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut answers = Vec::with_capacity(batch.len());
        for work in batch {
            answers.push(match work {
                Work::Arrive(arrival, _) if arrival.acts => Answer::Stored(insert(&tx, arrival, &mut fresh)?),
                Work::Arrive(arrival, _) => Answer::Stored(store_done(&tx, arrival)?),
                Work::Settle(rows, _) => {
                    let ends = rows.iter().map(|row| settle(&tx, row, &self.done));
                    Answer::Ends(ends.collect::<rusqlite::Result<_>>()?)
                }
                Work::Commit(statements, _) => {
                    let counts = statements.iter().map(|statement| execute(&tx, statement));
                    Answer::Counts(counts.collect::<rusqlite::Result<_>>()?)
                }
            });
        }
        tx.commit()?;
        self.hands.give(fresh.rows);
        Ok(answers)
    }
}

fn insert(db: &Connection, arrival: &Arrival, fresh: &mut Fresh) -> rusqlite::Result<Stored> {
    let event = &arrival.event;
    let until = fresh.lease.map_or(0, |_| Utc::now().timestamp_millis() + LEASE_MS);
    let count = db.prepare_cached(INSERT)?.execute(params![
        &*arrival.account,
        &arrival.key[..],
        event.openid(),
        event.kind.as_str(),
        arrival.raw,
        arrival.received.timestamp_millis(),
        time_text(&arrival.happened),
        time_text(&arrival.received),
        fresh.lease,
        until,
        event.kind.platform().as_str(),
    ])?;
    if count == 0 {
        return Ok(Stored::Duplicate);
    }
    if let Some(lease) = fresh.lease {
        fresh.rows.push(arrival.leased(db.last_insert_rowid(), lease));
    }
    Ok(Stored::New)
}

fn store_done(db: &Connection, arrival: &Arrival) -> rusqlite::Result<Stored> {
    let event = &arrival.event;
    let count = db.prepare_cached(INSERT_DONE)?.execute(params![
        &*arrival.account,
        &arrival.key[..],
        event.openid(),
        event.kind.as_str(),
        arrival.raw,
        arrival.received.timestamp_millis(),
        time_text(&arrival.happened),
        time_text(&arrival.received),
        event.kind.platform().as_str(),
    ])?;
    Ok(if count == 0 { Stored::Duplicate } else { Stored::Done { id: db.last_insert_rowid() } })
}

/// The row first, so that a row taken over by another brings no effects.
fn settle(db: &Connection, row: &Settled, done: &str) -> rusqlite::Result<End> {
    let count = match &row.outcome {
        Outcome::Done(_) => db.prepare_cached(done)?.execute(params![row.id, row.lease])?,
        Outcome::Again { due_at, error } => {
            db.prepare_cached(AGAIN)?.execute(params![due_at, error, row.id, row.lease])?
        }
        Outcome::Dead { error } => db.prepare_cached(DEAD)?.execute(params![error, row.id, row.lease])?,
    };
    if count == 0 {
        return Ok(End::NotOurs);
    }
    if let Outcome::Done(effects) = &row.outcome {
        for statement in effects {
            execute(db, statement)?;
        }
    }
    Ok(End::Settled)
}

fn execute(db: &Connection, statement: &Statement) -> rusqlite::Result<u64> {
    let count = db.prepare_cached(&statement.sql)?.execute(rusqlite::params_from_iter(&statement.args))?;
    Ok(count as u64)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Int(v) => ToSqlOutput::Owned((*v).into()),
            Value::Text(v) => ToSqlOutput::Borrowed(ValueRef::Text(v.as_bytes())),
            Value::Bytes(v) => ToSqlOutput::Borrowed(ValueRef::Blob(v)),
            Value::Time(v) => ToSqlOutput::Owned(time_text(v).into()),
        })
    }
}

/// Whether one item of the batch is at fault and not the disk or the file.
fn item_fault(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig | ErrorCode::Unknown
        ),
        None => true,
    }
}

/// Whether the error is about the values of a row, whoever writes it, and not about the file.
fn refuses(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig))
}

fn away(why: &str) -> Error {
    Error::unavailable(say!("the database failed: {why}"; "数据库出错：{why}"))
        .then(Then::Pause { after: AWAY, whole_account: true })
}

pub(super) fn failed(error: rusqlite::Error) -> Error {
    away(&error.to_string()).source(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Read back from the connection that [`start`] is given: journal_mode is kept in the file, synchronous is not.
    #[test]
    fn the_writer_syncs_at_each_commit() {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let db = connect(&dir.path().join("t.db")).unwrap();
            let text: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            let full: i64 = db.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
            assert_eq!((text.as_str(), full), ("wal", 2));
        }
    }
}
