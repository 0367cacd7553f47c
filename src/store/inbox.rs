//! `inbox_event`: what arrives, what is in hand, how it is settled, and what people ask of it.

use super::read::Row;
use super::value::{Value, places, stmt};
use super::{LEASE_MS, Statement, Store, lease_id};
use crate::domain::event::{Event, Kind};
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// A verified callback on its way into the table.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// The account's name.
    pub account: Arc<str>,
    /// CreateTime in 4 bytes, then 28 of the keyed hash.
    pub key: [u8; 32],
    /// The parsed message; handed on to the handlers without reading the row again.
    pub event: Arc<Event>,
    /// The message as it was decrypted.
    pub raw: String,
    /// When the event happened: CreateTime, or the receipt where that lies in the future.
    pub happened: DateTime<Utc>,
    /// When it came in.
    pub received: DateTime<Utc>,
    /// Whether a handler has something to do with it; else it is done as soon as it is stored.
    pub acts: bool,
}

/// How an arrival ended: both are acknowledged, after the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// A new row, on its way to its handler.
    New,
    /// A new row with nothing to handle: done.
    Done {
        /// inbox_event.id
        id: i64,
    },
    /// Its original is committed already, or spooled.
    Duplicate,
    /// On this host's disk, to be moved into the table when the database is back.
    Spooled,
}

/// A row in hand: leased to this process until its lease runs out.
#[derive(Debug, Clone)]
pub struct Leased {
    /// inbox_event.id
    pub id: i64,
    /// The lease it is held under.
    pub lease: i64,
    /// The account's name.
    pub account: Arc<str>,
    /// The person, or the system account.
    pub openid: String,
    /// What it is.
    pub kind: Kind,
    /// The message.
    pub body: Body,
    /// When it happened.
    pub happened: DateTime<Utc>,
    /// How often a handler failed on it.
    pub attempts: i64,
}

/// The message of a row in hand.
#[derive(Debug, Clone)]
pub enum Body {
    /// Straight from the door.
    Parsed(Arc<Event>),
    /// Read back from the table; `None` once its person is erased.
    Raw(Option<String>),
}

/// What becomes of a row in hand.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The effects are written and the row is done, in one transaction.
    Done(Vec<Statement>),
    /// The handler failed: again at this time (ms).
    Again {
        /// When, milliseconds.
        due_at: i64,
        /// Why, for `events show`.
        error: String,
    },
    /// Parked with its error until `events replay`.
    Dead {
        /// Why.
        error: String,
    },
}

/// A row in hand with its outcome.
#[derive(Debug, Clone)]
pub struct Settled {
    /// inbox_event.id
    pub id: i64,
    /// The lease it is held under; where another process took the row over, nothing is written.
    pub lease: i64,
    /// What becomes of it.
    pub outcome: Outcome,
}

impl Settled {
    /// What is written with it, where it is done.
    pub(super) fn effects(&self) -> Option<&[Statement]> {
        match &self.outcome {
            Outcome::Done(effects) => Some(effects),
            _ => None,
        }
    }

    /// The same, to be changed on the way.
    pub(super) fn effects_mut(&mut self) -> Option<&mut [Statement]> {
        match &mut self.outcome {
            Outcome::Done(effects) => Some(effects),
            _ => None,
        }
    }
}

/// A callback dated further ahead than this (seconds) is ordered by its receipt.
const AHEAD_S: i64 = 600;

impl Arrival {
    /// An accepted callback at its receipt, to be handled.
    pub fn new(account: Arc<str>, key: [u8; 32], event: Event, raw: String, received: DateTime<Utc>) -> Self {
        let created = DateTime::from_timestamp(event.created, 0).unwrap_or(received);
        let happened = if (created - received).num_seconds() > AHEAD_S { received } else { created };
        Arrival { account, key, event: Arc::new(event), raw, happened, received, acts: true }
    }

    /// The same, where a handler acts on it or not.
    #[must_use]
    pub fn acting(mut self, acts: bool) -> Self {
        self.acts = acts;
        self
    }

    /// The row in hand that it becomes.
    pub(super) fn leased(&self, id: i64, lease: i64) -> Leased {
        Leased {
            id,
            lease,
            account: self.account.clone(),
            openid: self.event.openid().to_owned(),
            kind: self.event.kind,
            body: Body::Parsed(self.event.clone()),
            happened: self.happened,
            attempts: 0,
        }
    }
}

macro_rules! erased {
    () => {
        "EXISTS (SELECT 1 FROM user_mapping u WHERE u.account = inbox_event.account \
         AND u.openid = inbox_event.openid AND u.erased_to >= inbox_event.event_time)"
    };
}

/// The raw message of somebody who is erased since is blanked as it is settled: the unsubscribe that erased
/// it may have been handled first. What is done on arrival is blanked on arrival.
pub(super) const RAW_UNLESS_ERASED: &str = concat!("CASE WHEN ", erased!(), " THEN NULL ELSE raw END");

/// Whether the person of a row is erased since it happened.
pub(super) const ERASED: &str = erased!();

/// A row in hand that failed: due again.
pub(super) const AGAIN: &str = "UPDATE inbox_event SET attempts = attempts + 1, due_at = ?, last_error = ?, lease = NULL, \
     lease_until = 0 WHERE id = ? AND lease = ? AND state = 'new'";
/// A row in hand that is parked; of somebody who is erased since, without its message.
pub(super) const DEAD: &str = concat!(
    "UPDATE inbox_event SET raw = CASE WHEN ",
    erased!(),
    " THEN NULL ELSE raw END, attempts = attempts + 1, state = 'dead', last_error = ?, lease = NULL, lease_until = 0 \
     WHERE id = ? AND lease = ? AND state = 'new'"
);

/// One row of `events list` and `events show`.
#[derive(Debug, Clone)]
pub struct InboxRow {
    /// inbox_event.id
    pub id: i64,
    /// The account's name.
    pub account: String,
    /// official, …
    pub platform: String,
    /// The person, or the system account.
    pub openid: String,
    /// What it is.
    pub kind: String,
    /// The decrypted message; `None` once its person is erased.
    pub raw: Option<String>,
    /// new, done or dead.
    pub state: String,
    /// How often a handler failed on it.
    pub attempts: i64,
    /// When it is next looked at, milliseconds.
    pub due_at: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it happened.
    pub event_time: DateTime<Utc>,
    /// When it came in.
    pub received_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "id, account, platform, openid, kind, raw, state, attempts, due_at, last_error, event_time, received_at";

fn inbox_row(row: &Row) -> Result<InboxRow> {
    Ok(InboxRow {
        id: row.int(0)?,
        account: row.text(1)?,
        platform: row.text(2)?,
        openid: row.text(3)?,
        kind: row.text(4)?,
        raw: row.opt_text(5)?,
        state: row.text(6)?,
        attempts: row.int(7)?,
        due_at: row.int(8)?,
        last_error: row.opt_text(9)?,
        event_time: row.time(10)?,
        received_at: row.time(11)?,
    })
}

/// What `events list` and `events tail` ask for; every field narrows.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// Only this account.
    pub account: Option<String>,
    /// Only new, done or dead.
    pub state: Option<String>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this person.
    pub openid: Option<String>,
    /// Only what a hook could not be told of, or may not have been.
    pub hook_failed: bool,
    /// Only what came in at or after.
    pub since: Option<DateTime<Utc>>,
    /// Only ids below.
    pub before: Option<i64>,
    /// Only ids above.
    pub after: Option<i64>,
}

impl InboxFilter {
    fn sql(&self) -> (String, Vec<Value>) {
        let mut sql = String::from("1 = 1");
        let mut args: Vec<Value> = Vec::new();
        let mut and = |condition: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(condition);
                args.push(value);
            }
        };
        and("account = ?", self.account.clone().map(Value::from));
        and("state = ?", self.state.clone().map(Value::from));
        and("kind = ?", self.kind.clone().map(Value::from));
        and("openid = ?", self.openid.clone().map(Value::from));
        and("received_at >= ?", self.since.map(Value::from));
        and("id < ?", self.before.map(Value::from));
        and("id > ?", self.after.map(Value::from));
        if self.hook_failed {
            sql.push_str(
                " AND id IN (SELECT event_id FROM hook_delivery WHERE state IN ('failed', 'gone', 'unknown'))",
            );
        }
        (sql, args)
    }
}

impl Store {
    /// Up to `limit` rows, newest first; the next page is asked with `before` = the last id.
    pub async fn inbox_page(&self, filter: &InboxFilter, limit: i64) -> Result<Vec<InboxRow>> {
        let (condition, mut args) = filter.sql();
        args.push(limit.into());
        let sql = format!("SELECT {COLUMNS} FROM inbox_event WHERE {condition} ORDER BY id DESC LIMIT ?");
        self.rows(&sql, args, inbox_row).await
    }

    /// Up to `limit` rows, oldest first; the next page is asked with `after` = the last id.
    pub async fn inbox_after(&self, filter: &InboxFilter, limit: i64) -> Result<Vec<InboxRow>> {
        let (condition, mut args) = filter.sql();
        args.push(limit.into());
        let sql = format!("SELECT {COLUMNS} FROM inbox_event WHERE {condition} ORDER BY id LIMIT ?");
        self.rows(&sql, args, inbox_row).await
    }

    /// One row.
    pub async fn inbox_event(&self, id: i64) -> Result<Option<InboxRow>> {
        self.row(&format!("SELECT {COLUMNS} FROM inbox_event WHERE id = ?"), vec![id.into()], inbox_row).await
    }

    /// How many rows are in each state, and when the oldest new one came in.
    pub async fn inbox_counts(&self) -> Result<(i64, i64, Option<DateTime<Utc>>)> {
        // In the text and not bound: SQLite takes a partial index only for a condition that it can read.
        let count = |sql: &'static str| async move { Ok(self.row(sql, vec![], |row| row.int(0)).await?.unwrap_or(0)) };
        let oldest = self
            .row("SELECT received_at FROM inbox_event WHERE state = 'new' ORDER BY due_at LIMIT 1", vec![], |row| {
                row.time(0)
            })
            .await?;
        let new = count("SELECT COUNT(*) FROM inbox_event WHERE state = 'new'").await?;
        let dead = count("SELECT COUNT(*) FROM inbox_event WHERE state = 'dead'").await?;
        Ok((new, dead, oldest))
    }

    /// Takes up to `limit` rows that are due and in nobody's hand: what a crash, a full channel or a
    /// failed try left. The condition stands again outside the subselect: without it MariaDB at READ
    /// COMMITTED hands a row to two processes.
    pub async fn claim_inbox(&self, limit: i64, now_ms: i64) -> Result<Vec<Leased>> {
        let now = self.dialect.now_ms();
        let due = format!(
            "SELECT id FROM inbox_event WHERE state = 'new' AND due_at <= ? AND lease_until <= {now} ORDER BY due_at LIMIT ?"
        );
        let ids = self.rows(&due, vec![now_ms.into(), limit.into()], |row| row.int(0)).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let lease = lease_id();
        let mut args = vec![Value::Int(lease)];
        args.extend(ids.iter().map(|id| Value::Int(*id)));
        let sql = format!(
            "UPDATE inbox_event SET lease = ?, lease_until = {now} + {LEASE_MS} \
             WHERE id IN ({}) AND state = 'new' AND lease_until <= {now}",
            places(ids.len())
        );
        if self.commit(vec![Statement { sql: sql.into(), args }]).await?[0] == 0 {
            return Ok(Vec::new());
        }
        let mut args: Vec<Value> = ids.iter().map(|id| Value::Int(*id)).collect();
        args.push(lease.into());
        let sql = format!("SELECT {COLUMNS} FROM inbox_event WHERE id IN ({}) AND lease = ?", places(ids.len()));
        let rows = self.rows(&sql, args, inbox_row).await?;
        Ok(rows.into_iter().map(|row| taken(row, lease)).collect())
    }

    /// Gives back every event lease. Only for SQLite, where a held file lock proves that no other
    /// `serve` lives: after kill -9 the next one takes over at once.
    pub async fn free_inbox(&self) -> Result<u64> {
        let free =
            stmt!("UPDATE inbox_event SET lease = NULL, lease_until = 0 WHERE state = 'new' AND lease_until > 0");
        Ok(self.commit(vec![free]).await?[0])
    }

    /// Makes a row due again, with a clean slate; false where its person is erased or it is not there.
    pub async fn replay_inbox(&self, id: i64, now_ms: i64) -> Result<bool> {
        let again = stmt!(
            "UPDATE inbox_event SET state = 'new', attempts = 0, due_at = ?, lease = NULL, lease_until = 0, \
             last_error = NULL WHERE id = ? AND raw IS NOT NULL",
            now_ms,
            id
        );
        Ok(self.commit(vec![again]).await?[0] == 1)
    }
}

fn taken(row: InboxRow, lease: i64) -> Leased {
    Leased {
        id: row.id,
        lease,
        account: row.account.into(),
        openid: row.openid,
        kind: Kind::named(&row.kind),
        body: Body::Raw(row.raw),
        happened: row.event_time,
        attempts: row.attempts,
    }
}
