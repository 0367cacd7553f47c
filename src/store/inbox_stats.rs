//! `inbox_event` in figures, for people who ask what came in, and for those who delete what is old.

use super::Store;
use super::value::Value;
use crate::domain::event::Kind;
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};

/// How far a row may stand from where its time would put it: ids are drawn before they are committed,
/// and the clocks of several hosts differ.
const BLUR: TimeDelta = TimeDelta::seconds(60);

/// Rows of a time that are counted by their kind, at the most.
const COUNTED: i64 = 1_000_000;

/// How many rows share an hour, an account, a kind, a state and a delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// When the hour began in which they came in, seconds since 1970.
    pub hour: i64,
    /// The account's name.
    pub account: String,
    /// What they are.
    pub kind: String,
    /// new, done or dead.
    pub state: String,
    /// Seconds from CreateTime to the receipt; from a minute on in whole minutes, from an hour on in whole hours.
    pub delay: i64,
    /// How many.
    pub events: i64,
}

/// A press of a menu button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuEvent {
    /// inbox_event.id
    pub id: i64,
    /// Which kind of button.
    pub kind: Kind,
    /// The message; `None` once its person is erased.
    pub raw: Option<String>,
}

/// The kinds of menu buttons (reference 2.2).
const MENU: &str = "'event.click', 'event.view', 'event.view_miniprogram', 'event.scancode_push', \
     'event.scancode_waitmsg', 'event.pic_sysphoto', 'event.pic_photo_or_album', 'event.pic_weixin', \
     'event.location_select'";

impl Store {
    /// Where to begin reading what came in since a moment.
    pub async fn inbox_id_since(&self, since: DateTime<Utc>) -> Result<i64> {
        self.inbox_id_at(since - BLUR).await
    }

    /// The next presses of menu buttons that came in since a moment, behind this id.
    pub async fn menu_events(
        &self,
        account: Option<&str>,
        since: DateTime<Utc>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<MenuEvent>> {
        let mut args = vec![Value::Int(after), since.into()];
        let only = account.map_or("", |account| {
            args.push(account.into());
            " AND account = ?"
        });
        args.push(limit.into());
        let sql = format!(
            "SELECT id, kind, raw FROM {} WHERE id > ? AND received_at >= ?{only} AND kind IN ({MENU}) ORDER BY id LIMIT ?",
            self.dialect.inbox_by_id()
        );
        let event = |row: &super::read::Row| {
            Ok(MenuEvent { id: row.int(0)?, kind: Kind::named(&row.text(1)?), raw: row.opt_text(2)? })
        };
        self.rows(&sql, args, event).await
    }

    /// What came in since a moment, counted. One statement: a consistent look, in which nobody is locked.
    pub async fn inbox_tally(&self, account: Option<&str>, since: DateTime<Utc>) -> Result<Vec<Tally>> {
        let from = self.inbox_id_at(since - BLUR).await?;
        let (received, happened) = (self.dialect.seconds("received_at"), self.dialect.seconds("event_time"));
        let mut args = vec![Value::Int(from), since.into()];
        let only = account.map_or("", |account| {
            args.push(account.into());
            " AND account = ?"
        });
        // A delay of years (a clock that was wrong, a test) must not make a group a row.
        let sql = format!(
            "SELECT r - r % 3600 AS hour, account, kind, state, CASE WHEN r - h < 60 THEN r - h \
             WHEN r - h < 3600 THEN r - h - (r - h) % 60 ELSE r - h - (r - h) % 3600 END AS delay, COUNT(*) \
             FROM (SELECT account, kind, state, {received} AS r, {happened} AS h FROM inbox_event \
             WHERE id >= ? AND received_at >= ?{only}) AS e GROUP BY hour, account, kind, state, delay"
        );
        let tally = |row: &super::read::Row| {
            Ok(Tally {
                hour: row.int(0)?,
                account: row.text(1)?,
                kind: row.text(2)?,
                state: row.text(3)?,
                delay: row.int(4)?,
                events: row.int(5)?,
            })
        };
        self.rows(&sql, args, tally).await
    }

    /// How many callbacks of each kind an account got from one moment to another; `None` where so many rows came in
    /// that counting them would be felt.
    pub async fn inbox_kinds(
        &self,
        account: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Option<Vec<(String, i64)>>> {
        let (first, last) = (self.inbox_id_at(from - BLUR).await?, self.inbox_id_past(to).await?);
        if last - first > COUNTED {
            return Ok(None);
        }
        let sql = "SELECT kind, COUNT(*) FROM inbox_event WHERE id >= ? AND id < ? AND account = ? \
                   AND received_at >= ? AND received_at < ? GROUP BY kind ORDER BY kind";
        let args = vec![first.into(), last.into(), account.into(), from.into(), to.into()];
        self.rows(sql, args, |row| Ok((row.text(0)?, row.int(1)?))).await.map(Some)
    }

    /// When the oldest callback came in that is still there.
    pub async fn inbox_begins(&self) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT received_at FROM inbox_event WHERE id = (SELECT MIN(id) FROM inbox_event)";
        self.row(sql, vec![], |row| row.time(0)).await
    }

    /// The bound of a search for what is older: from here on nothing is, but for a clock that was set back.
    pub(super) async fn inbox_id_past(&self, time: DateTime<Utc>) -> Result<i64> {
        self.inbox_id_at(time + BLUR).await
    }

    /// The first id that came in at this time or later; one past the last where none did.
    ///
    /// No index leads to `received_at`: every callback would pay for one, and ids grow with the receipt.
    /// So it is found by halving the ids, some twenty looks at the primary key. The blur of ids that
    /// commit out of order, or of a clock that was set, is the caller's: each asks a minute further and
    /// repeats the time as a condition.
    async fn inbox_id_at(&self, time: DateTime<Utc>) -> Result<i64> {
        let ends = "SELECT (SELECT MIN(id) FROM inbox_event), (SELECT MAX(id) FROM inbox_event)";
        let ends = self.row(ends, vec![], |row| Ok((row.opt_int(0)?, row.opt_int(1)?))).await?;
        let Some((Some(mut low), Some(last))) = ends else { return Ok(0) };
        let mut high = last + 1;
        let next = "SELECT id, received_at FROM inbox_event WHERE id >= ? AND id < ? ORDER BY id LIMIT 1";
        while low < high {
            let middle = low + (high - low) / 2;
            let row = self.row(next, vec![middle.into(), high.into()], |row| Ok((row.int(0)?, row.time(1)?))).await?;
            match row {
                Some((id, received)) if received < time => low = id + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}
