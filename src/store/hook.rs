//! `hook_delivery`: what a hook is still to be told, who tells it now, and how that ended.
//!
//! The row is `sending` before the receiver is called and stays so where the process dies meanwhile: what that means,
//! [`Store::expire_hook`] says when the lease has run out. It holds no message: that is read from the event when it
//! is sent, so that what was erased by then is not sent.

use super::read::Row;
use super::value::{Value, places, stmt};
use super::{Dialect, Statement, Store, lease_id, time_of};
use crate::domain::event::Kind;
use crate::domain::hook::Hook;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A delivery in hand.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// hook_delivery.id
    pub id: i64,
    /// The lease it is held under.
    pub lease: i64,
    /// What it tells of.
    pub of: Matter,
    /// The account's name.
    pub account: String,
    /// The person, or the system account.
    pub openid: String,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// When it became due first.
    pub created_at: DateTime<Utc>,
}

/// What a delivery tells of.
#[derive(Debug, Clone)]
pub enum Matter {
    /// An event.
    Event {
        /// inbox_event.id
        id: i64,
        /// What it is.
        kind: Kind,
        /// The message; `None` once its person is erased.
        raw: Option<String>,
        /// inbox_event.dedupe_key: the same for the same callback, in every installation another.
        key: Vec<u8>,
        /// When it happened.
        happened: DateTime<Utc>,
        /// When it came in.
        received: DateTime<Utc>,
    },
    /// That the person was erased.
    Erasure,
    /// An event that is no longer there.
    Nothing,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The receiver has it.
    Delivered,
    /// Again at this time (ms).
    Again {
        /// When, milliseconds.
        due_at: i64,
        /// Why.
        error: String,
        /// Whether the try counts: it does not where the receiver could not be reached at all.
        counts: bool,
    },
    /// It ended in this state: `failed`, `unknown`, `erased` or `gone`.
    Ended {
        /// The state.
        state: &'static str,
        /// Why.
        error: Option<String>,
    },
}

/// What was written of a try whose process died.
const LOST: &str = "wxops ended while it was sending; whether it arrived is not known";

/// Whom nobody else sends to now: an erasure waits for what is on its way about its person.
const FREE: &str = "(d.event_id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM hook_delivery s JOIN inbox_event e ON e.id = s.event_id \
     WHERE s.state = 'sending' AND s.hook = d.hook AND e.account = d.account AND e.openid = d.openid))";

impl Store {
    /// A hook is to be told of an event: written with the event's settlement, so that it is neither lost nor twice.
    pub fn hook_due(&self, hook: &str, event: i64, account: &str, now_ms: i64) -> Statement {
        let sql = format!(
            "{} INTO hook_delivery (event_id, hook, account, state, due_at, created_at) VALUES (?, ?, ?, 'pending', ?, ?)",
            self.dialect.insert_new()
        );
        stmt!(sql, event, hook, account, now_ms, time_of(now_ms))
    }

    /// Takes up to `limit` deliveries of a hook that are due, for `hold_ms`. Who is told something about a person is
    /// noted with it: an erasure that comes later finds the hook.
    pub async fn claim_hook(&self, hook: &str, limit: i64, hold_ms: i64, now_ms: i64) -> Result<Vec<Delivery>> {
        let due = format!(
            "SELECT d.id, d.event_id FROM hook_delivery d WHERE d.state = 'pending' AND d.hook = ? AND d.due_at <= ? AND {FREE} \
             ORDER BY d.due_at LIMIT ?"
        );
        let args = vec![hook.into(), now_ms.into(), limit.into()];
        let due = self.rows(&due, args, |row| Ok((row.int(0)?, row.opt_int(1)?))).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let (now, lease) = (self.dialect.now_ms(), lease_id());
        let places = places(due.len());
        let with = |first: Vec<Value>, last: Vec<Value>| -> Vec<Value> {
            first.into_iter().chain(due.iter().map(|(id, _)| Value::Int(*id))).chain(last).collect()
        };
        let claim = format!(
            "UPDATE hook_delivery SET state = 'sending', attempts = attempts + 1, lease = ?, lease_until = {now} + ? \
             WHERE id IN ({places}) AND state = 'pending'"
        );
        let note = format!(
            "REPLACE INTO hook_person (account, openid, hook, told_at) SELECT e.account, e.openid, d.hook, ? \
             FROM hook_delivery d JOIN inbox_event e ON e.id = d.event_id \
             WHERE d.id IN ({places}) AND d.lease = ? AND e.raw IS NOT NULL"
        );
        let mut statements = self.hold_events(due.iter().filter_map(|(_, event)| *event).collect());
        let at = statements.len();
        statements.push(Statement { sql: claim.into(), args: with(vec![lease.into(), hold_ms.into()], vec![]) });
        statements.push(Statement { sql: note.into(), args: with(vec![now_ms.into()], vec![lease.into()]) });
        if self.commit(statements).await?[at] == 0 {
            return Ok(Vec::new());
        }
        // After the commit: a message that was erased since is not read any more.
        let sql = format!(
            "SELECT d.id, d.event_id, d.account, COALESCE(d.openid, e.openid), d.attempts, d.created_at, e.kind, e.raw, \
             e.dedupe_key, e.event_time, e.received_at FROM hook_delivery d LEFT JOIN inbox_event e ON e.id = d.event_id \
             WHERE d.id IN ({places}) AND d.lease = ?"
        );
        self.rows(&sql, with(vec![], vec![lease.into()]), |row| delivery(row, lease)).await
    }

    /// On MySQL an erasure under way is waited for, and one that comes meanwhile waits: it must either find the note
    /// or have taken the message away. SQLite has one writer at a time.
    fn hold_events(&self, events: Vec<i64>) -> Vec<Statement> {
        if self.dialect == Dialect::Sqlite || events.is_empty() {
            return Vec::new();
        }
        let sql = format!("UPDATE inbox_event SET attempts = attempts WHERE id IN ({})", places(events.len()));
        vec![Statement { sql: sql.into(), args: events.into_iter().map(Value::Int).collect() }]
    }

    /// Writes how a try ended; false where another process took the delivery over.
    pub async fn settle_hook(&self, hook: &str, delivery: &Delivery, told: &Told, now_ms: i64) -> Result<bool> {
        let now = time_of(now_ms);
        let held = "lease = NULL, lease_until = 0 WHERE id = ? AND lease = ? AND state = 'sending'";
        let (id, lease) = (delivery.id, delivery.lease);
        let mut statements = vec![match told {
            Told::Delivered => {
                let sql =
                    format!("UPDATE hook_delivery SET state = 'delivered', last_error = NULL, ended_at = ?, {held}");
                stmt!(sql, now, id, lease)
            }
            Told::Again { due_at, error, counts } => {
                let sql = format!(
                    "UPDATE hook_delivery SET state = 'pending', attempts = attempts - ?, due_at = ?, last_error = ?, {held}"
                );
                stmt!(sql, !counts, *due_at, error.as_str(), id, lease)
            }
            Told::Ended { state, error } => {
                let sql = format!("UPDATE hook_delivery SET state = ?, last_error = ?, ended_at = ?, {held}");
                stmt!(sql, *state, error.as_deref(), now, id, lease)
            }
        }];
        if let (Matter::Erasure, Told::Delivered) = (&delivery.of, told) {
            statements.push(stmt!(
                "DELETE FROM hook_person WHERE account = ? AND openid = ? AND hook = ? AND told_at <= ?",
                delivery.account.as_str(),
                delivery.openid.as_str(),
                hook,
                delivery.created_at.timestamp_millis()
            ));
        }
        Ok(self.commit(statements).await?[0] == 1)
    }

    /// What became of deliveries whose process died: due again where a repetition does no harm, else not known.
    pub async fn expire_hook(&self, hook: &Hook, now_ms: i64) -> Result<u64> {
        let lost = format!("state = 'sending' AND hook = ? AND lease_until <= {}", self.dialect.now_ms());
        let some = format!("SELECT id FROM hook_delivery WHERE {lost} LIMIT 1");
        if self.row(&some, vec![hook.name.as_str().into()], |row| row.int(0)).await?.is_none() {
            return Ok(0);
        }
        let (name, now) = (hook.name.as_str(), time_of(now_ms));
        let again = if hook.repeats { "(event_id IS NULL OR attempts < ?)" } else { "(event_id IS NULL AND ? > 0)" };
        let end = if hook.repeats { "failed" } else { "unknown" };
        let again = format!(
            "UPDATE hook_delivery SET state = 'pending', due_at = ?, last_error = ?, lease = NULL, lease_until = 0 \
             WHERE {lost} AND {again}"
        );
        let ended = format!(
            "UPDATE hook_delivery SET state = ?, last_error = ?, ended_at = ?, lease = NULL, lease_until = 0 \
             WHERE {lost} AND event_id IS NOT NULL"
        );
        let statements = vec![stmt!(again, now_ms, LOST, name, hook.tries), stmt!(ended, end, LOST, now, name)];
        Ok(self.commit(statements).await?.iter().sum())
    }

    /// Ends every lease of a delivery. Only for SQLite, as [`Store::free_inbox`].
    pub async fn free_hooks(&self) -> Result<()> {
        let free = stmt!("UPDATE hook_delivery SET lease_until = 0 WHERE state = 'sending' AND lease_until > 0");
        self.commit(vec![free]).await.map(drop)
    }

    /// Ends what waits since before `before_ms` for hooks that are no longer configured. One that rests is configured
    /// somewhere: who has it put it to rest.
    pub async fn abandon_hooks(&self, configured: &[&str], before_ms: i64, now_ms: i64) -> Result<u64> {
        let ours = if configured.is_empty() {
            String::new()
        } else {
            format!("AND hook NOT IN ({})", places(configured.len()))
        };
        let now = self.dialect.now_ms();
        let rests = "SELECT 1 FROM channel WHERE account = '*' AND api = ";
        let rests = match self.dialect {
            Dialect::Sqlite => format!("{rests}'hook:' || hook"),
            Dialect::MySql => format!("{rests}CONCAT('hook:', hook)"),
        };
        let waits = format!(
            "state IN ('pending', 'sending') {ours} AND due_at <= ? AND lease_until <= {now} AND NOT EXISTS ({rests})"
        );
        let mut args: Vec<Value> = configured.iter().map(|name| Value::from(*name)).collect();
        args.push(before_ms.into());
        let some = format!("SELECT id FROM hook_delivery WHERE {waits} LIMIT 1");
        if self.row(&some, args.clone(), |row| row.int(0)).await?.is_none() {
            return Ok(0);
        }
        let sql = format!(
            "UPDATE hook_delivery SET state = 'gone', last_error = 'the hook is not configured any more', ended_at = ?, \
             lease = NULL, lease_until = 0 WHERE {waits}"
        );
        args.insert(0, time_of(now_ms).into());
        Ok(self.commit(vec![Statement { sql: sql.into(), args }]).await?[0])
    }
}

fn delivery(row: &Row, lease: i64) -> Result<Delivery> {
    let of = match (row.opt_int(1)?, row.opt_text(6)?) {
        (None, _) => Matter::Erasure,
        (Some(_), None) => Matter::Nothing,
        (Some(id), Some(kind)) => Matter::Event {
            id,
            kind: Kind::named(&kind),
            raw: row.opt_text(7)?,
            key: row.bytes(8)?,
            happened: row.time(9)?,
            received: row.time(10)?,
        },
    };
    Ok(Delivery {
        id: row.int(0)?,
        lease,
        of,
        account: row.text(2)?,
        openid: row.opt_text(3)?.unwrap_or_default(),
        attempt: row.int(4)?,
        created_at: row.time(5)?,
    })
}
