//! The writers of a MySQL or MariaDB: each takes what waits and commits it as one transaction. One for
//! callbacks with a second that helps where it takes long, and one for effects: two with effects of the same
//! people in their batches deadlock.

mod batch;
mod numbered;
mod queue;
mod recent;

use super::inbox::{Arrival, ERASED, Leased, Settled, Stored};
use super::writer::{Answer, End, Hands, Work};
use super::zone::{self, Zone};
use super::{Statement, complaint, lease_id, lost};
use crate::error::{Error, Then};
pub(super) use batch::write_alike;
use batch::{execute, insert, settle};
use queue::Queue;
use rand::seq::SliceRandom;
use recent::Recent;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlConnection};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Prepared statements that a connection keeps: three kinds in each number of rows, and the effects.
pub(super) const STATEMENTS: usize = 320;
/// How often a batch is repeated after a deadlock or a lost connection.
const TRIES: usize = 5;
/// Settlements in a round that may meet a lock; the rest keeps its leases and comes again when they end.
const WAITS: usize = 1;
/// How long a commit may take before its connection is given up.
const SLOW: Duration = Duration::from_secs(10);
/// How often is looked whether anybody still waits for a commit.
const LOOK: Duration = Duration::from_millis(100);
/// What a connection that has rested gets for a sign of life. Through a network that was cut it would wait for minutes.
const SIGN: Duration = Duration::from_millis(500);
/// What making a connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection that rested for so long is asked for a sign of life.
const RESTED: Duration = Duration::from_secs(1);

/// Every connection to MySQL: strict, and a second at the most for a row
/// that somebody else has locked: others wait behind it.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     innodb_lock_wait_timeout = 1, ";

/// Starts the writers; they end when every sender is gone.
pub(super) fn start(
    options: &MySqlConnectOptions,
    (arriving, settling): (mpsc::Receiver<Work>, mpsc::Receiver<Work>),
    hands: &Hands,
    zone: Option<Zone>,
) {
    let erased: Arc<str> = zone::in_utc(zone, ERASED).into();
    let recent = Arc::new(Recent::default());
    let callbacks = Queue::pair(arriving).map(|queue| (queue, Isolation::ReadUncommitted));
    for (queue, isolation) in callbacks.into_iter().chain([(Queue::alone(settling), Isolation::ReadCommitted)]) {
        let writer = MySqlWriter {
            options: options.clone(),
            db: None,
            used: Instant::now(),
            isolation,
            hands: hands.clone(),
            zone,
            erased: erased.clone(),
            recent: recent.clone(),
            stuck: VecDeque::new(),
            waits: 0,
        };
        tokio::spawn(writer.run(queue));
    }
}

struct MySqlWriter {
    options: MySqlConnectOptions,
    db: Option<MySqlConnection>,
    /// When it was last used.
    used: Instant,
    isolation: Isolation,
    hands: Hands,
    zone: Option<Zone>,
    /// The condition for somebody who is erased.
    erased: Arc<str>,
    /// What was committed lately, by this writer and the one who helps it.
    recent: Arc<Recent>,
    /// Callbacks that met a lock, such as a copy whose original is not committed yet: tried again, one
    /// after each batch, as long as somebody waits for the answer.
    stuck: VecDeque<Work>,
    /// Lock waits of settlements in this round.
    waits: usize,
}

/// Why a batch was not written.
enum Fault {
    /// The database refused something in it: try each item alone.
    Item(Error),
    /// Somebody else has locked a row that something in it needs (1205): the rest must not wait.
    Locked(Error),
    /// The database is away, or the outcome of the COMMIT is not known: counts as not committed.
    Away(Error),
}

impl MySqlWriter {
    async fn run(mut self, mut queue: Queue) {
        loop {
            self.stuck.retain(Work::awaited);
            let batch = match self.stuck.is_empty() {
                true => queue.next().await,
                false => queue.at_hand(),
            };
            if batch.is_empty() && self.stuck.is_empty() {
                break;
            }
            self.waits = 0;
            self.write(batch).await;
            if let Some(work) = self.stuck.pop_front() {
                self.write_alone(work).await;
            }
        }
        if let Some(db) = self.db {
            let _ = db.close().await;
        }
    }

    /// One transaction for all; where something in it is at fault, one for the arrivals, then one for
    /// each settlement.
    async fn write(&mut self, mut batch: Vec<Work>) {
        batch.retain(|work| !work.given_up());
        if batch.is_empty() {
            return;
        }
        match self.persist(&batch).await {
            Ok(answers) => tell(batch, answers),
            Err(Fault::Away(error)) => refuse(batch, &error),
            Err(_) => {
                let (arrivals, rest): (Vec<_>, Vec<_>) =
                    batch.into_iter().partition(|work| matches!(work, Work::Arrive(..)));
                if rest.is_empty() {
                    self.write_each(arrivals).await;
                } else {
                    self.write_arrivals(arrivals).await;
                    self.write_each(rest).await;
                }
            }
        }
    }

    async fn write_arrivals(&mut self, arrivals: Vec<Work>) {
        if arrivals.is_empty() {
            return;
        }
        match self.persist(&arrivals).await {
            Ok(answers) => tell(arrivals, answers),
            Err(Fault::Away(error)) => refuse(arrivals, &error),
            Err(_) => self.write_each(arrivals).await,
        }
    }

    async fn write_each(&mut self, batch: Vec<Work>) {
        for work in batch {
            self.write_alone(work).await;
        }
    }

    async fn write_alone(&mut self, work: Work) {
        if let Work::Settle(rows, tx) = work {
            let ends = self.settle_each(rows).await;
            return Work::Settle(Vec::new(), tx).tell(Ok(Answer::Ends(ends)));
        }
        match self.persist(std::slice::from_ref(&work)).await {
            Ok(answers) => tell(vec![work], answers),
            Err(Fault::Locked(_)) if matches!(work, Work::Arrive(..)) => self.stuck.push_back(work),
            Err(Fault::Away(error) | Fault::Item(error) | Fault::Locked(error)) => work.tell(Err(error)),
        }
    }

    /// Each row alone, in any order, so that those behind a locked one have their turn another time.
    async fn settle_each(&mut self, rows: Vec<Settled>) -> Vec<End> {
        let mut ends = vec![End::Later; rows.len()];
        let mut rows: Vec<_> = rows.into_iter().enumerate().collect();
        rows.shuffle(&mut rand::rng());
        for (at, row) in rows {
            if self.waits >= WAITS {
                break;
            }
            let (tx, _rx) = tokio::sync::oneshot::channel();
            ends[at] = match self.persist(&[Work::Settle(vec![row], tx)]).await {
                Ok(mut answers) => match answers.pop() {
                    Some(Answer::Ends(mut ends)) => ends.pop().unwrap_or(End::NotOurs),
                    _ => End::NotOurs,
                },
                Err(Fault::Item(error)) => End::Failed(error.to_string()),
                Err(Fault::Locked(_)) => {
                    self.waits += 1;
                    End::Later
                }
                Err(Fault::Away(_)) => break,
            };
        }
        ends
    }

    /// Writes a batch, again after a deadlock or a lost connection. The lease of the batch stays the
    /// same: rows that an unanswered COMMIT did bring are found as ours, those it did not are inserted.
    async fn persist(&mut self, batch: &[Work]) -> Result<Vec<Answer>, Fault> {
        let arrivals: Vec<&Arrival> = batch
            .iter()
            .filter_map(|work| match work {
                Work::Arrive(arrival, _) => Some(&**arrival),
                _ => None,
            })
            .collect();
        let acting = arrivals.iter().filter(|arrival| arrival.acts).count();
        let lease = self.hands.room(acting).then(lease_id);
        let mut tries = 0;
        loop {
            tries += 1;
            let written = tokio::select! {
                written = self.transaction(batch, &arrivals, lease) => written,
                // Its outcome is not known, and nobody asks for it any more: whoever comes next gets a connection that
                // answers, or hears soon that there is none.
                error = stalled(batch) => {
                    self.db = None;
                    return Err(Fault::Away(lost(error)));
                }
            };
            let error = match written {
                Ok((answers, rows)) => {
                    arrivals.iter().for_each(|arrival| self.recent.add(&arrival.key));
                    self.hands.give(rows);
                    return Ok(answers);
                }
                Err(error) => error,
            };
            let next = next(&error);
            if !matches!(next, Next::Repeat | Next::Apart) {
                self.db = None;
            }
            match next {
                Next::Apart => return Err(Fault::Locked(lost(error))),
                Next::Alone if refuses(&error) => return Err(Fault::Item(lost(error).then(Then::Never))),
                Next::Alone => return Err(Fault::Item(lost(error))),
                // Drawn, so that two that locked each other out do not meet again.
                _ if tries < TRIES => {
                    let wait = rand::random_range(1..=5 * tries as u64);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                // Small transactions come through where the large one did not.
                Next::Repeat if batch.len() > 1 => return Err(Fault::Item(lost(error))),
                _ => return Err(Fault::Away(lost(error))),
            }
        }
    }

    async fn transaction(
        &mut self,
        batch: &[Work],
        arrivals: &[&Arrival],
        lease: Option<i64>,
    ) -> sqlx::Result<(Vec<Answer>, Vec<Leased>)> {
        let (erased, recent) = (self.erased.clone(), self.recent.clone());
        if self.used.elapsed() > RESTED
            && let Some(db) = &mut self.db
            && answers(db).await.is_err()
        {
            self.db = None;
        }
        let db = match &mut self.db {
            Some(db) => db,
            none => none.insert(
                tokio::time::timeout(CONNECT, connected(&self.options, self.isolation, self.zone))
                    .await
                    .map_err(|_| timed_out())??,
            ),
        };
        self.used = Instant::now();
        match written(db, batch, arrivals, lease, (&erased, &recent)).await {
            Ok(done) => db.execute("COMMIT").await.map(|_| done),
            // Said now: it would keep its locks until the next batch.
            Err(error) => {
                // What is still open would be committed with the next batch.
                if db.execute("ROLLBACK").await.is_err() {
                    self.db = None;
                }
                Err(error)
            }
        }
    }
}

/// A connection that writes.
async fn connected(
    options: &MySqlConnectOptions,
    isolation: Isolation,
    zone: Option<Zone>,
) -> sqlx::Result<MySqlConnection> {
    let mut db = options.connect().await?;
    session(&mut db, isolation, zone).await?;
    // A transaction begins with its first statement: a round trip less for each.
    db.execute("SET autocommit = 0").await?;
    Ok(db)
}

/// Whether a connection that has rested still stands.
pub(super) async fn answers(db: &mut MySqlConnection) -> sqlx::Result<()> {
    tokio::time::timeout(SIGN, db.ping()).await.map_err(|_| timed_out())?
}

/// Ends when a commit takes too long, or nobody waits for it any more.
async fn stalled(batch: &[Work]) -> sqlx::Error {
    let end = Instant::now() + SLOW;
    while Instant::now() < end && !batch.iter().all(Work::given_up) {
        tokio::time::sleep(LOOK).await;
    }
    timed_out()
}

fn timed_out() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

/// The statements of a batch, what is told of each work, and the rows to hand on.
async fn written(
    tx: &mut MySqlConnection,
    batch: &[Work],
    arrivals: &[&Arrival],
    lease: Option<i64>,
    (erased, recent): (&str, &Recent),
) -> sqlx::Result<(Vec<Answer>, Vec<Leased>)> {
    let new = insert(tx, arrivals, lease, (erased, recent)).await?;
    let settled: Vec<&Settled> = batch.iter().flat_map(Work::settled).collect();
    let mut ends = settle(tx, &settled, erased).await?.into_iter();
    let mut rows = Vec::with_capacity(new.len());
    let mut answers = Vec::with_capacity(batch.len());
    for work in batch {
        answers.push(match work {
            Work::Arrive(arrival, _) => Answer::Stored(match new.get(&arrival.key) {
                Some((id, first)) if std::ptr::eq(*first, &**arrival) => match (arrival.acts, lease) {
                    (false, _) => Stored::Done { id: *id },
                    (true, None) => Stored::New,
                    (true, Some(lease)) => {
                        rows.push(arrival.leased(*id, lease));
                        Stored::New
                    }
                },
                _ => Stored::Duplicate,
            }),
            Work::Settle(settled, _) => Answer::Ends(ends.by_ref().take(settled.len()).collect()),
            Work::Commit(statements, _) => Answer::Counts(execute(tx, statements).await?),
        });
    }
    Ok((answers, rows))
}

fn tell(batch: Vec<Work>, answers: Vec<Answer>) {
    for (work, answer) in batch.into_iter().zip(answers) {
        work.tell(Ok(answer));
    }
}

fn refuse(batch: Vec<Work>, error: &Error) {
    complaint::commit_failed(error, batch.len());
    for work in batch {
        work.tell(Err(Error::new(error.kind, error.what.clone()).then(error.then)));
    }
}

/// What becomes of a batch that failed.
enum Next {
    /// Deadlock (1213): again on the same connection.
    Repeat,
    /// A lost connection, a server that stops (1053, 1927) or turns read-only for a moment (1290, 1836):
    /// again on another connection.
    Reconnect,
    /// Lock wait (1205).
    Apart,
    /// Something in the batch is at fault.
    Alone,
}

fn next(error: &sqlx::Error) -> Next {
    match error {
        sqlx::Error::Database(e) => {
            let number = e.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|e| e.number());
            match number {
                Some(1213) => Next::Repeat,
                Some(1205) => Next::Apart,
                Some(1040 | 1053 | 1290 | 1836 | 1927 | 2006 | 2013 | 1044 | 1045) => Next::Reconnect,
                _ => Next::Alone,
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::PoolTimedOut => {
            Next::Reconnect
        }
        _ => Next::Alone,
    }
}

/// Whether the error is about the values of a row, whoever writes it: too long (1406), out of range (1264), no text of
/// its character set (1366), not to be NULL (1048), against a check (3819, 4025), a trigger's refusal (1644), or dropped
/// by IGNORE. All else may be the server's: no room, no right, no table.
fn refuses(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(e) => e
            .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
            .is_some_and(|e| matches!(e.number(), 1048 | 1264 | 1366 | 1406 | 1644 | 3819 | 4025)),
        sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

/// How statements that belong together are run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Run {
    /// One after the other; how many rows each touched is told.
    Each,
    /// About a different person each: those of one text together.
    Alike,
}

/// A write past the writers: one transaction on a connection of the pool, within a limit.
pub(super) async fn commit(
    pool: &sqlx::MySqlPool,
    statements: &[Statement],
    run: Run,
    limit: Option<Duration>,
) -> crate::error::Result<Vec<u64>> {
    let mut tries = 0;
    loop {
        tries += 1;
        let mut db = pool.acquire().await.map_err(lost)?;
        let written = within(limit, transaction(&mut db, statements, run)).await;
        match written {
            Err(error) if tries < TRIES && matches!(next(&error), Next::Repeat | Next::Apart) => {
                drop(db);
                tokio::time::sleep(Duration::from_millis(5 * tries as u64)).await;
            }
            Err(error) => {
                if matches!(error, sqlx::Error::Io(_)) {
                    // Nobody knows what is still to come on it.
                    db.close_on_drop();
                }
                return Err(lost(error));
            }
            Ok(counts) => return Ok(counts),
        }
    }
}

/// After a deadlock or a lock wait: waits a moment, and says whether the transaction that failed `tries` times is
/// to be tried again.
pub(super) async fn again(error: &sqlx::Error, tries: usize) -> bool {
    let repeat = tries < TRIES && matches!(next(error), Next::Repeat | Next::Apart);
    if repeat {
        tokio::time::sleep(Duration::from_millis(5 * tries as u64)).await;
    }
    repeat
}

async fn transaction(db: &mut MySqlConnection, statements: &[Statement], run: Run) -> sqlx::Result<Vec<u64>> {
    let mut tx = db.begin().await?;
    let written = match run {
        Run::Each => execute(&mut tx, statements).await,
        Run::Alike => write_alike(&mut tx, statements.iter()).await.map(|()| Vec::new()),
    };
    match written {
        Ok(counts) => tx.commit().await.map(|()| counts),
        Err(error) => {
            let _ = tx.rollback().await;
            Err(error)
        }
    }
}

/// What it is, or a time-out where there is a limit.
pub(super) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.map_err(|_| timed_out())?,
        None => work.await,
    }
}

/// What a connection sees of others.
#[derive(Debug, Clone, Copy)]
pub(super) enum Isolation {
    /// What is committed; claims lock no gaps.
    ReadCommitted,
    /// Also what is not committed yet: an unsubscribe under way, see [`batch::insert`].
    ReadUncommitted,
}

/// Pins what the server's defaults could change; the time_zone is that of user_mapping, see `zone.rs`. MariaDB before 11.1 names the isolation otherwise.
pub(super) async fn session(
    db: &mut sqlx::MySqlConnection,
    isolation: Isolation,
    zone: Option<Zone>,
) -> sqlx::Result<()> {
    let zone = zone.map_or_else(|| "+00:00".to_owned(), Zone::text);
    let isolation = match isolation {
        Isolation::ReadCommitted => "'READ-COMMITTED'",
        Isolation::ReadUncommitted => "'READ-UNCOMMITTED'",
    };
    let mysql = format!("{SESSION}time_zone = '{zone}', transaction_isolation = {isolation}");
    if db.execute(AssertSqlSafe(mysql)).await.is_err() {
        db.execute(AssertSqlSafe(format!("{SESSION}time_zone = '{zone}', tx_isolation = {isolation}"))).await?;
    }
    Ok(())
}
