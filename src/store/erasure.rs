//! `erasure`: who was erased, and which other store has confirmed it. The statements of an erasure are one list,
//! whoever asks for it; the row of `erasure` is written with them.

use super::follow::{BLANK, BLANK_SCENE, ERASED_TO, TEXT_MAX, cut};
use super::read::Row;
use super::value::{Value, places, stmt};
use super::{Dialect, LEASE_MS, Statement, Store, hook_erasure, lease_id};
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// Why somebody is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// They left.
    Unsubscribe,
    /// An operator was told to.
    Forget,
    /// They asked for it in `user_delete_request`.
    Request,
    /// They closed their WeChat account.
    Cancelled,
    /// user/info says that they do not follow.
    Gone,
}

impl Cause {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Unsubscribe => "unsubscribe",
            Cause::Forget => "forget",
            Cause::Request => "request",
            Cause::Cancelled => "cancelled",
            Cause::Gone => "gone",
        }
    }
}

/// An erasure to be written.
#[derive(Debug, Clone, Copy)]
pub struct ToErase<'a> {
    /// The account's name: the scope of every erasure.
    pub account: &'a str,
    /// The person.
    pub openid: &'a str,
    /// Why.
    pub cause: Cause,
    /// Why, as an operator wrote it.
    pub note: Option<&'a str>,
    /// What happened by then is erased; what a later following brings is not.
    pub to: DateTime<Utc>,
    /// Who else has to erase.
    pub beside: Beside<'a>,
}

/// What there is beside the tables.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// JSON: the other stores that may hold something, each with null.
    pub stores: &'a str,
    /// Whether a hook may have been told of somebody, and has to hear of it.
    pub hooks: bool,
}

/// A row of `erasure`.
#[derive(Debug, Clone, PartialEq)]
pub struct Erasure {
    /// erasure.id
    pub id: i64,
    /// The account's name.
    pub account: String,
    /// The person; `None` once their remains are purged.
    pub openid: Option<String>,
    /// See [`Cause`].
    pub cause: String,
    /// Why, as an operator wrote it.
    pub note: Option<String>,
    /// What happened by then is erased.
    pub erased_to: DateTime<Utc>,
    /// When it was erased in the database.
    pub erased_at: DateTime<Utc>,
    /// JSON: each other store, and when it confirmed (null: not yet).
    pub stores: String,
    /// pending, confirmed or sealed.
    pub state: String,
    /// How often a store failed to confirm.
    pub attempts: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// The lease it is held under, where it was claimed.
    pub lease: i64,
    /// The sealed receipt.
    pub link: Option<super::Link>,
}

pub(super) const COLUMNS: &str = "id, account, openid, cause, note, erased_to, erased_at, stores, state, attempts, last_error, lease, seq, \
     receipt, hash";

pub(super) fn erasure(row: &Row) -> Result<Erasure> {
    let link = match (row.opt_int(12)?, row.opt_text(13)?, row.opt_text(14)?) {
        (Some(seq), Some(receipt), Some(hash)) => Some(super::Link { id: row.int(0)?, seq, receipt, hash }),
        _ => None,
    };
    Ok(Erasure {
        id: row.int(0)?,
        account: row.text(1)?,
        openid: row.opt_text(2)?,
        cause: row.text(3)?,
        note: row.opt_text(4)?,
        erased_to: row.time(5)?,
        erased_at: row.time(6)?,
        stores: row.text(7)?,
        state: row.text(8)?,
        attempts: row.int(9)?,
        last_error: row.opt_text(10)?,
        lease: row.opt_int(11)?.unwrap_or(0),
        link,
    })
}

/// The columns of a new row, but for the person.
const NEW: &str = "cause, note, erased_to, erased_at, stores, state, due_at";

/// Tags and messages of a person, up to then.
fn tags_and_messages(account: &str, openid: &str, to: DateTime<Utc>) -> [Statement; 2] {
    [
        stmt!("DELETE FROM user_tag WHERE account = ?1 AND openid = ?2", account, openid),
        stmt!(
            "UPDATE inbox_event SET raw = NULL, last_error = NULL WHERE account = ?1 AND openid = ?2 AND event_time <= ?3 \
             AND (raw IS NOT NULL OR last_error IS NOT NULL)",
            account,
            openid,
            to
        ),
    ]
}

/// The same for somebody of whom user/info said that they do not follow, and the row of `erasure`: only where the
/// statement before them has blanked the person at `now`. No event tells up to when; what came in before it was
/// `asked` is older.
pub(super) fn gone_elsewhere(
    dialect: Dialect,
    account: &str,
    openid: &str,
    now: DateTime<Utc>,
    asked: DateTime<Utc>,
    beside: Beside<'_>,
) -> Vec<Statement> {
    let blanked = |table: &str| {
        format!(
            "EXISTS (SELECT 1 FROM user_mapping u WHERE u.account = {table}.account AND u.openid = {table}.openid \
             AND u.erased_at = ?3)"
        )
    };
    let tags = format!("DELETE FROM user_tag WHERE account = ?1 AND openid = ?2 AND {}", blanked("user_tag"));
    let raw = format!(
        "UPDATE inbox_event SET raw = NULL, last_error = NULL WHERE account = ?1 AND openid = ?2 AND received_at <= ?4 \
         AND {}",
        blanked("inbox_event")
    );
    let row = format!(
        "INSERT INTO erasure (account, openid, {NEW}) SELECT u.account, u.openid, ?4, NULL, ?5, u.erased_at, ?6, ?7, ?8 \
         FROM user_mapping u WHERE u.account = ?1 AND u.openid = ?2 AND u.erased_at = ?3"
    );
    // Whatever is known: who does not follow reports no position.
    let forgotten = "INTO location_gone (account, openid, at, gone_at, due_at) \
         SELECT u.account, u.openid, CASE WHEN l.at > ?4 THEN l.at ELSE ?4 END, ?5, ?5 FROM user_mapping u \
         LEFT JOIN location l ON l.account = u.account AND l.openid = u.openid \
         WHERE u.account = ?1 AND u.openid = ?2 AND u.erased_at = ?3";
    let forgotten = format!("{} {forgotten}", dialect.insert_new());
    let position = format!("DELETE FROM location WHERE account = ?1 AND openid = ?2 AND {}", blanked("location"));
    let Beside { stores, hooks } = beside;
    let now_ms = now.timestamp_millis();
    let mut statements = vec![
        stmt!(forgotten, account, openid, now, asked, now_ms),
        stmt!(position, account, openid, now),
        stmt!(tags, account, openid, now),
        stmt!(raw, account, openid, now, asked),
    ];
    if hooks {
        statements.push(hook_erasure::tell_gone(account, openid, now));
    }
    statements.push(stmt!(row, account, openid, now, Cause::Gone.as_str(), asked, stores, state(stores), now_ms));
    statements
}

/// What there is of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Rows in user_mapping: 1 or 0.
    pub rows: i64,
    /// The same, of somebody who is erased and does not follow.
    pub erased: i64,
    /// Rows in user_tag.
    pub tags: i64,
    /// Callbacks.
    pub events: i64,
    /// Those that are stored with their message.
    pub messages: i64,
    /// The latest that is known to have happened.
    pub latest: Option<DateTime<Utc>>,
}

impl Known {
    /// Whether there is anything at all.
    pub fn is_known(&self) -> bool {
        self.rows + self.tags + self.events > 0
    }

    /// Whether all of it that can be erased is erased.
    pub fn is_erased(&self) -> bool {
        self.erased == 1 && self.tags + self.messages == 0
    }
}

/// A row without another store to wait for is confirmed as it is written.
fn state(stores: &str) -> &'static str {
    if stores == "{}" { "confirmed" } else { "pending" }
}

impl Store {
    /// What the other tables hold of a person, up to then: the one list of every erasure that knows up to when.
    pub(super) fn elsewhere(&self, account: &str, openid: &str, to: DateTime<Utc>, now_ms: i64) -> Vec<Statement> {
        let [noted, position] = self.left_location(account, openid, to, now_ms);
        let [tags, messages] = tags_and_messages(account, openid, to);
        vec![noted, position, tags, messages]
    }

    /// Who else has to erase: stands in the transaction behind what takes the messages away.
    pub fn erased_beside(&self, erase: &ToErase<'_>, now_ms: i64) -> Vec<Statement> {
        let told = erase.beside.hooks.then(|| self.tell_erasure(erase.account, erase.openid, now_ms));
        told.into_iter().chain([self.erasure_row(erase, now_ms)]).collect()
    }

    fn erasure_row(&self, erase: &ToErase<'_>, now_ms: i64) -> Statement {
        let sql = format!("INSERT INTO erasure (account, openid, {NEW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
        let note = cut(&erase.note.map(str::to_owned), TEXT_MAX);
        let now = super::time_of(now_ms);
        let ToErase { account, openid, beside: Beside { stores, .. }, .. } = *erase;
        stmt!(sql, account, openid, erase.cause.as_str(), note, erase.to, now, stores, state(stores), now_ms)
    }

    /// Erases a person in every table, whether they follow or not; what is known of a later following stays, and its
    /// profile, which can't be told apart, is asked for again. Kept are account, openid, and the times.
    pub fn erase(&self, erase: &ToErase<'_>, now_ms: i64) -> Vec<Statement> {
        let now = super::time_of(now_ms);
        let ToErase { account, openid, to, .. } = *erase;
        // qr_scene_time stands further left and is blanked by then unless it is later. MySQL assigns from left to right.
        let sql = format!(
            "UPDATE user_mapping SET {BLANK}, {BLANK_SCENE}, \
             info_due_at = CASE WHEN is_followed = 1 AND (follow_time > ?3 OR qr_scene_time > ?3) THEN ?4 ELSE NULL END, \
             info_attempts = 0, info_error = NULL, info_lease = 0, \
             erased_at = CASE WHEN follow_time > ?3 THEN erased_at ELSE ?5 END, \
             is_followed = CASE WHEN follow_time > ?3 OR qr_scene_time > ?3 THEN is_followed ELSE 0 END, \
             updated_at = ?5, {ERASED_TO} WHERE account = ?1 AND openid = ?2"
        );
        let mut statements = vec![self.bare_row(account, openid, now), stmt!(sql, account, openid, to, now_ms, now)];
        statements.extend(self.elsewhere(account, openid, to, now_ms));
        statements.extend(self.erased_beside(erase, now_ms));
        statements
    }

    /// What there is of a person.
    pub async fn known(&self, account: &str, openid: &str) -> Result<Known> {
        let person: Vec<Value> = vec![account.into(), openid.into()];
        let sql = "SELECT CASE WHEN erased_at IS NOT NULL AND is_followed = 0 THEN 1 ELSE 0 END, follow_time, \
                   unfollow_time, qr_scene_time, erased_to FROM user_mapping WHERE account = ? AND openid = ?";
        let row = self
            .row(sql, person.clone(), |row| {
                let times = [row.opt_time(1)?, row.opt_time(2)?, row.opt_time(3)?, row.opt_time(4)?];
                Ok((row.int(0)?, times.into_iter().flatten().max()))
            })
            .await?;
        let sql = "SELECT COUNT(*), COUNT(raw), MAX(event_time) FROM inbox_event WHERE account = ? AND openid = ?";
        let (events, messages, last) = self
            .row(sql, person.clone(), |row| Ok((row.int(0)?, row.int(1)?, row.opt_time(2)?)))
            .await?
            .unwrap_or_default();
        let sql = "SELECT COUNT(*) FROM user_tag WHERE account = ? AND openid = ?";
        let tags = self.row(sql, person, |row| row.int(0)).await?.unwrap_or_default();
        let (erased, latest) = row.unwrap_or_default();
        Ok(Known { rows: row.is_some().into(), erased, tags, events, messages, latest: latest.max(last) })
    }

    /// The last erasure of a person.
    pub async fn last_erasure(&self, account: &str, openid: &str) -> Result<Option<Erasure>> {
        let sql = format!("SELECT {COLUMNS} FROM erasure WHERE account = ? AND openid = ? ORDER BY id DESC LIMIT 1");
        self.row(&sql, vec![account.into(), openid.into()], erasure).await
    }

    /// Takes up to `limit` rows that wait for another store and are in nobody's hand.
    pub async fn claim_erasures(&self, limit: i64, now_ms: i64) -> Result<Vec<Erasure>> {
        let now = self.dialect.now_ms();
        let due = format!(
            "SELECT id FROM erasure WHERE state = 'pending' AND due_at <= ? AND lease_until <= {now} ORDER BY due_at LIMIT ?"
        );
        let ids = self.rows(&due, vec![now_ms.into(), limit.into()], |row| row.int(0)).await?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let lease = lease_id();
        let in_ids = places(ids.len());
        let sql = format!(
            "UPDATE erasure SET lease = ?, lease_until = {now} + {LEASE_MS} WHERE id IN ({in_ids}) \
             AND state = 'pending' AND lease_until <= {now}"
        );
        let ids: Vec<Value> = ids.into_iter().map(Value::Int).collect();
        let args = [vec![lease.into()], ids.clone()].concat();
        if self.commit(vec![Statement { sql: sql.into(), args }]).await?[0] == 0 {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {COLUMNS} FROM erasure WHERE id IN ({in_ids}) AND lease = ? ORDER BY id");
        self.rows(&sql, [ids, vec![lease.into()]].concat(), erasure).await
    }

    /// Writes what the stores said, for rows of one claim that ended alike: `why` tells why it is not all, `failed`
    /// whether a store could not be asked, and the rows are due again at `due_at`.
    pub async fn confirm_erasures(
        &self,
        rows: &[&Erasure],
        stores: &str,
        why: Option<&str>,
        failed: bool,
        due_at: i64,
        all: bool,
    ) -> Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        let sql = format!(
            "UPDATE erasure SET stores = ?, state = ?, attempts = attempts + ?, last_error = ?, due_at = ?, lease = NULL, \
             lease_until = 0 WHERE lease = ? AND state = 'pending' AND id IN ({})",
            places(rows.len())
        );
        let state = if all { "confirmed" } else { "pending" };
        let mut args: Vec<Value> = vec![
            stores.into(),
            state.into(),
            failed.into(),
            why.map(str::to_owned).into(),
            due_at.into(),
            first.lease.into(),
        ];
        args.extend(rows.iter().map(|row| Value::Int(row.id)));
        self.commit(vec![Statement { sql: sql.into(), args }]).await.map(drop)
    }

    /// The ids of those erasures of whose person a callback from before is still to be settled, message and all.
    pub async fn unsettled(&self, rows: &[Erasure]) -> Result<HashSet<i64>> {
        let sql = format!(
            "SELECT DISTINCT e.id FROM erasure e JOIN inbox_event i ON i.account = e.account AND i.openid = e.openid \
             AND i.event_time <= e.erased_to WHERE e.id IN ({}) AND i.state = 'new' AND i.raw IS NOT NULL",
            places(rows.len())
        );
        let args = rows.iter().map(|row| Value::Int(row.id)).collect();
        Ok(self.rows(&sql, args, |row| row.int(0)).await?.into_iter().collect())
    }

    /// How many erasures wait for another store.
    pub async fn erasures_pending(&self) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM erasure WHERE state = 'pending'";
        Ok(self.row(sql, vec![], |row| row.int(0)).await?.unwrap_or(0))
    }
}
