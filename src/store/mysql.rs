//! The writers of a MySQL or MariaDB: each takes what waits and commits it as one transaction.
//! Two of them, so that one fills its batch while the other waits for its fsync.

use super::inbox::{AGAIN, Arrival, DEAD, Leased, Outcome, RAW_UNLESS_LEFT, Settled, Stored};
use super::read::bind_mysql;
use super::value::places;
use super::writer::{Answer, BATCH, End, Hands, Work};
use super::{LEASE_MS, Statement, Value, lease_id, lost};
use crate::error::Error;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, MySqlConnection, Row as _};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

/// Writers of a process.
const WRITERS: usize = 2;
/// How often a batch is repeated after a deadlock, a lock wait or a lost connection.
const TRIES: usize = 5;
/// How long a commit may take before its connection is given up.
const SLOW: Duration = Duration::from_secs(10);

/// Every connection to MySQL: strict, UTC, and claims that lock no gaps.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', transaction_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 10";
const SESSION_MARIADB: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     time_zone = '+00:00', tx_isolation = 'READ-COMMITTED', innodb_lock_wait_timeout = 10";

const NOW: &str = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";
/// Starts the writers; they end when every sender is gone.
pub(super) fn start(options: &MySqlConnectOptions, work: mpsc::Receiver<Work>, hands: &Hands, erase: bool) {
    let work = Arc::new(Mutex::new(work));
    for _ in 0..WRITERS {
        let writer = MySqlWriter { options: options.clone(), db: None, hands: hands.clone(), erase };
        tokio::spawn(writer.run(work.clone()));
    }
}

struct MySqlWriter {
    options: MySqlConnectOptions,
    db: Option<MySqlConnection>,
    hands: Hands,
    erase: bool,
}

/// Why a batch was not written.
enum Fault {
    /// The database refused something in it: try each item alone.
    Item(Error),
    /// The database is away, or the outcome of the COMMIT is not known: counts as not committed.
    Away(Error),
}

impl MySqlWriter {
    async fn run(mut self, work: Arc<Mutex<mpsc::Receiver<Work>>>) {
        loop {
            let batch = next_batch(&work).await;
            if batch.is_empty() {
                break;
            }
            self.write(batch).await;
        }
        if let Some(db) = self.db {
            let _ = db.close().await;
        }
    }

    /// One transaction for all; where something in it is at fault, one for each.
    async fn write(&mut self, batch: Vec<Work>) {
        match self.persist(&batch).await {
            Ok(answers) => {
                for (work, answer) in batch.into_iter().zip(answers) {
                    work.tell(Ok(answer));
                }
            }
            Err(Fault::Away(error)) => {
                tracing::error!(%error, "a commit failed, {} waiting were refused", batch.len());
                for work in batch {
                    work.tell(Err(lost_again(&error)));
                }
            }
            Err(Fault::Item(_)) => {
                for work in batch {
                    self.write_alone(work).await;
                }
            }
        }
    }

    async fn write_alone(&mut self, work: Work) {
        match self.persist(std::slice::from_ref(&work)).await {
            Ok(mut answers) => {
                if let Some(answer) = answers.pop() {
                    work.tell(Ok(answer));
                }
            }
            Err(Fault::Away(error)) => work.tell(Err(error)),
            Err(Fault::Item(error)) => match work {
                Work::Settle(rows, tx) => {
                    let ends = self.settle_each(rows).await;
                    Work::Settle(Vec::new(), tx).tell(Ok(Answer::Ends(ends)));
                }
                other => other.tell(Err(error)),
            },
        }
    }

    async fn settle_each(&mut self, rows: Vec<Settled>) -> Vec<End> {
        let mut ends = Vec::with_capacity(rows.len());
        for row in rows {
            let (tx, _rx) = tokio::sync::oneshot::channel();
            let end = match self.persist(&[Work::Settle(vec![row], tx)]).await {
                Ok(mut answers) => match answers.pop() {
                    Some(Answer::Ends(mut ends)) => ends.pop().unwrap_or(End::NotOurs),
                    _ => End::NotOurs,
                },
                Err(Fault::Item(error) | Fault::Away(error)) => End::Failed(error.to_string()),
            };
            ends.push(end);
        }
        ends
    }

    /// Writes a batch, again after a deadlock or a lost connection. The lease of the batch stays the
    /// same: rows that an unanswered COMMIT did bring are found as ours, those it did not are inserted.
    async fn persist(&mut self, batch: &[Work]) -> Result<Vec<Answer>, Fault> {
        let arrivals: Vec<&Arrival> = batch
            .iter()
            .filter_map(|work| match work {
                Work::Arrive(arrival, _) => Some(arrival),
                _ => None,
            })
            .collect();
        let lease = self.hands.room(arrivals.len()).then(lease_id);
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match tokio::time::timeout(SLOW, self.transaction(batch, &arrivals, lease)).await {
                Ok(Ok((answers, rows))) => {
                    self.hands.give(rows);
                    return Ok(answers);
                }
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut)),
            };
            let again = repeatable(&error);
            if again.is_none_or(|kept| !kept) {
                self.db = None;
            }
            match again {
                Some(_) if tries < TRIES => tokio::time::sleep(Duration::from_millis(5 * tries as u64)).await,
                Some(_) => return Err(Fault::Away(lost(error))),
                None => return Err(Fault::Item(lost(error))),
            }
        }
    }

    async fn transaction(
        &mut self,
        batch: &[Work],
        arrivals: &[&Arrival],
        lease: Option<i64>,
    ) -> sqlx::Result<(Vec<Answer>, Vec<Leased>)> {
        let erase = self.erase;
        let db = match &mut self.db {
            Some(db) => db,
            none => {
                let mut fresh = self.options.connect().await?;
                session(&mut fresh).await?;
                none.insert(fresh)
            }
        };
        let mut tx = db.begin().await?;
        let new = insert(&mut tx, arrivals, lease).await?;
        let mut rows = Vec::with_capacity(new.len());
        let mut answers = Vec::with_capacity(batch.len());
        for work in batch {
            answers.push(match work {
                Work::Arrive(arrival, _) => Answer::Stored(match (new.get(&arrival.key), lease) {
                    (Some((id, first)), Some(lease)) if std::ptr::eq(*first, arrival) => {
                        rows.push(arrival.leased(*id, lease));
                        Stored::New
                    }
                    (Some((_, first)), None) if std::ptr::eq(*first, arrival) => Stored::New,
                    _ => Stored::Duplicate,
                }),
                Work::Settle(settled, _) => Answer::Ends(settle(&mut tx, settled, erase).await?),
                Work::Commit(statements, _) => Answer::Counts(execute(&mut tx, statements).await?),
            });
        }
        tx.commit().await?;
        Ok((answers, rows))
    }
}

/// What waits, up to a batch; empty once every sender is gone.
async fn next_batch(work: &Mutex<mpsc::Receiver<Work>>) -> Vec<Work> {
    let mut work = work.lock().await;
    let mut batch = Vec::new();
    let Some(first) = work.recv().await else { return batch };
    let mut weight = first.weight();
    batch.push(first);
    while weight < BATCH {
        let Ok(next) = work.try_recv() else { break };
        weight += next.weight();
        batch.push(next);
    }
    batch
}

/// Inserts what is not there yet and tells which rows are new, by key. Keys are sorted, so that two
/// writers with the same keys wait for each other in one order.
async fn insert<'a>(
    db: &mut MySqlConnection,
    arrivals: &[&'a Arrival],
    lease: Option<i64>,
) -> sqlx::Result<HashMap<[u8; 32], (i64, &'a Arrival)>> {
    let mut sorted: Vec<&Arrival> = arrivals.to_vec();
    sorted.sort_by_key(|arrival| arrival.key);
    sorted.dedup_by_key(|arrival| arrival.key);
    // The stamp tells our rows from those that stood before, even where none is taken in hand.
    let stamp = lease.unwrap_or_else(lease_id);
    let until = if lease.is_some() { format!("{NOW} + {LEASE_MS}") } else { "0".to_owned() };
    for rows in powers_of_two(&sorted) {
        let row = format!("(?, 'official', ?, ?, ?, ?, 'new', ?, ?, {until}, ?, ?)");
        let sql = format!(
            "INSERT IGNORE INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, lease, \
             lease_until, event_time, received_at) VALUES {}",
            vec![row; rows.len()].join(", ")
        );
        let args: Vec<Value> = rows.iter().flat_map(|arrival| values(arrival, stamp)).collect();
        bind_mysql(&sql, &args).execute(&mut *db).await?;
    }
    let mut new = HashMap::with_capacity(sorted.len());
    for keys in powers_of_two(&sorted) {
        let sql = format!(
            "SELECT id, dedupe_key FROM inbox_event WHERE dedupe_key IN ({}) AND lease = ?",
            places(keys.len())
        );
        let mut args: Vec<Value> = keys.iter().map(|arrival| Value::from(&arrival.key[..])).collect();
        args.push(stamp.into());
        for row in bind_mysql(&sql, &args).fetch_all(&mut *db).await? {
            let key: Vec<u8> = row.try_get(1)?;
            let first = arrivals.iter().find(|arrival| arrival.key[..] == key[..]);
            if let Some(first) = first {
                new.insert(first.key, (row.try_get(0)?, *first));
            }
        }
    }
    Ok(new)
}

fn values(arrival: &Arrival, lease: i64) -> [Value; 9] {
    [
        (&*arrival.account).into(),
        (&arrival.key[..]).into(),
        arrival.event.openid().into(),
        arrival.event.kind.as_str().into(),
        arrival.raw.as_str().into(),
        arrival.received.timestamp_millis().into(),
        lease.into(),
        arrival.happened.into(),
        arrival.received.into(),
    ]
}

/// Rows that are done first and together; where one of them is no longer ours, each alone.
async fn settle(db: &mut MySqlConnection, rows: &[Settled], erase: bool) -> sqlx::Result<Vec<End>> {
    let mut ends = vec![End::NotOurs; rows.len()];
    let done: Vec<usize> = (0..rows.len()).filter(|at| matches!(rows[*at].outcome, Outcome::Done(_))).collect();
    for group in powers_of_two(&done) {
        let ids: Vec<Value> = group.iter().map(|at| Value::Int(rows[*at].id)).collect();
        let sql = format!(
            "SELECT id, lease FROM inbox_event WHERE id IN ({}) AND state = 'new' FOR UPDATE",
            places(ids.len())
        );
        let held: HashMap<i64, Option<i64>> = bind_mysql(&sql, &ids)
            .fetch_all(&mut *db)
            .await?
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<sqlx::Result<_>>()?;
        let ours: Vec<&usize> =
            group.iter().filter(|at| held.get(&rows[**at].id) == Some(&Some(rows[**at].lease))).collect();
        for group in powers_of_two(&ours) {
            let raw = if erase { format!("raw = {RAW_UNLESS_LEFT}, ") } else { String::new() };
            let sql = format!(
                "UPDATE inbox_event SET {raw}state = 'done', lease = NULL, lease_until = 0 WHERE id IN ({})",
                places(group.len())
            );
            let ids: Vec<Value> = group.iter().map(|at| Value::Int(rows[**at].id)).collect();
            bind_mysql(&sql, &ids).execute(&mut *db).await?;
        }
        for at in ours {
            if let Outcome::Done(effects) = &rows[*at].outcome {
                execute(db, effects).await?;
            }
            ends[*at] = End::Settled;
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let (sql, args) = match &row.outcome {
            Outcome::Done(_) => continue,
            Outcome::Again { due_at, error } => {
                (AGAIN, vec![(*due_at).into(), error.as_str().into(), row.id.into(), row.lease.into()])
            }
            Outcome::Dead { error } => (DEAD, vec![error.as_str().into(), row.id.into(), row.lease.into()]),
        };
        if bind_mysql(sql, &args).execute(&mut *db).await?.rows_affected() == 1 {
            ends[at] = End::Settled;
        }
    }
    Ok(ends)
}

async fn execute(db: &mut MySqlConnection, statements: &[Statement]) -> sqlx::Result<Vec<u64>> {
    let mut counts = Vec::with_capacity(statements.len());
    for statement in statements {
        counts.push(bind_mysql(&statement.sql, &statement.args).execute(&mut *db).await?.rows_affected());
    }
    Ok(counts)
}

/// Runs of 64, 32, … 1: few shapes, so that the server prepares few statements.
fn powers_of_two<T>(items: &[T]) -> Vec<&[T]> {
    let mut runs = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let size = (1usize << rest.len().ilog2()).min(64);
        let (run, tail) = rest.split_at(size);
        runs.push(run);
        rest = tail;
    }
    runs
}

/// Whether the batch may be written again, and whether the connection can be kept: deadlock (1213) and
/// lock wait (1205) keep it; a lost connection, a server that stops (1053, 1927) or turns read-only
/// for a moment (1290, 1836) does not. `None`: something in the batch is at fault.
fn repeatable(error: &sqlx::Error) -> Option<bool> {
    match error {
        sqlx::Error::Database(e) => {
            let number = e.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|e| e.number());
            match number {
                Some(1205 | 1213) => Some(true),
                Some(1040 | 1053 | 1290 | 1836 | 1927 | 2006 | 2013 | 1044 | 1045) => Some(false),
                _ => None,
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut => Some(false),
        _ => None,
    }
}

fn lost_again(error: &Error) -> Error {
    Error::new(error.kind, error.what.clone()).then(error.then)
}

/// A write by a process that does not serve: one transaction on its own connection.
pub(super) async fn commit(pool: &sqlx::MySqlPool, statements: &[Statement]) -> crate::error::Result<Vec<u64>> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut db = pool.acquire().await.map_err(lost)?;
        let written = async {
            let mut tx = db.begin().await?;
            let counts = execute(&mut tx, statements).await?;
            tx.commit().await?;
            Ok::<_, sqlx::Error>(counts)
        };
        match written.await {
            Err(error) if tries < TRIES && repeatable(&error) == Some(true) => {
                tokio::time::sleep(Duration::from_millis(5 * tries as u64)).await;
            }
            done => return done.map_err(lost),
        }
    }
}

/// Pins what the server's defaults could change. MariaDB before 11.1 names the isolation otherwise.
pub(super) async fn session(db: &mut sqlx::MySqlConnection) -> sqlx::Result<()> {
    if db.execute(SESSION).await.is_err() {
        db.execute(SESSION_MARIADB).await?;
    }
    Ok(())
}
