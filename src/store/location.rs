//! `location`: where each person was last. `location_gone`: whose copies in Redis are to be removed.
//!
//! The later position stands, in whatever order they come; of two in one second the greater. `copied` and `location_gone.due_at` say what Redis lacks:
//! they are set whether or not this process has a Redis, as another one may.

use super::read::Row;
use super::value::{Value, places, stmt};
use super::{Dialect, Statement, Store};
use crate::domain::geo::Place;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// After a removal from Redis it is removed once more: whoever read the row before may write it late.
const AGAIN_MS: i64 = 60_000;
/// How long it is known that somebody's position is forgotten: an event that is late does not bring it back.
const KNOWN_MS: i64 = 86_400_000;
/// A person whose position does not expire yet is looked at again so much later: their old callbacks have positions too.
const TIDY_MS: i64 = 86_400_000;
/// North to south, and a little less than it is.
const METRES_OF_A_DEGREE: f64 = 111_000.0;
/// Runs of cells in one query.
const RUNS: usize = 32;

const COLUMNS: &str = "account, openid, latitude, longitude, `precision`, at, expires_at";

/// The parts of the statements that write a position: ?1 account, ?2 openid, ?3 when, ?4 latitude, ?5 longitude,
/// ?6 precision, ?7 its expiry, ?8 its cell.
const INTO: &str = "INTO location (account, openid, latitude, longitude, `precision`, at, expires_at, cell, copied, \
     tidy_at) SELECT ?1, ?2, ?4, ?5, ?6, ?3, ?7, ?8, 0, ?7 FROM (SELECT 1 AS one) AS v";
/// Whether they left or were erased, or their position was forgotten, since then.
const NOT_SINCE: &str = "LEFT JOIN user_mapping AS u ON u.account = ?1 AND u.openid = ?2 AND (u.unfollow_time >= ?3 OR u.erased_to >= ?3) \
     LEFT JOIN location_gone AS g ON g.account = ?1 AND g.openid = ?2 AND g.at >= ?3";
const MOVE: &str =
    "SET latitude = ?4, longitude = ?5, `precision` = ?6, at = ?3, expires_at = ?7, cell = ?8, copied = 0";
const LATER: &str = "location.at < ?3 OR (location.at = ?3 AND (location.latitude < ?4 OR \
     (location.latitude = ?4 AND location.longitude < ?5)))";

/// Where a person was last.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The account's name.
    pub account: String,
    /// The person.
    pub openid: String,
    /// Where.
    pub place: Place,
    /// How exact that is, metres.
    pub precision: Option<f64>,
    /// When they were there.
    pub at: DateTime<Utc>,
    /// When it is forgotten, milliseconds.
    pub expires_at: i64,
}

/// A person whose copy is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The account's name.
    pub account: String,
    /// The person.
    pub openid: String,
    at: DateTime<Utc>,
    tries: i64,
}

/// As the column keeps it: the platform sends six digits, a tenth of a metre. Text, because a batch of statements
/// goes to MySQL as JSON.
fn degrees(value: f64) -> String {
    format!("{value:.6}")
}

impl Store {
    /// A person was there. Nothing is written about somebody who has left since, or whose position is forgotten.
    pub fn locate(&self, position: &Position) -> Vec<Statement> {
        let args = vec![
            position.account.as_str().into(),
            position.openid.as_str().into(),
            position.at.into(),
            degrees(position.place.latitude).into(),
            degrees(position.place.longitude).into(),
            position.precision.map(|metres| metres.to_string()).into(),
            position.expires_at.into(),
            position.place.cell().into(),
        ];
        let written = |sql: String| Statement { sql: sql.into(), args: args.clone() };
        match self.dialect {
            // One statement: each costs SQLite as much as the row.
            Dialect::Sqlite => vec![written(format!(
                "INSERT {INTO} {NOT_SINCE} WHERE u.openid IS NULL AND g.openid IS NULL \
                 ON CONFLICT (account, openid) DO UPDATE {MOVE} WHERE {LATER}"
            ))],
            // Two, of which many are written at once; a row that is inserted in vain costs most.
            Dialect::MySql => vec![
                written(format!(
                    "INSERT IGNORE {INTO} {NOT_SINCE} LEFT JOIN location AS l ON l.account = ?1 AND l.openid = ?2 \
                     WHERE u.openid IS NULL AND g.openid IS NULL AND l.openid IS NULL LOCK IN SHARE MODE"
                )),
                written(format!("UPDATE location {MOVE} WHERE account = ?1 AND openid = ?2 AND ({LATER})")),
            ],
        }
    }

    /// Somebody left: their position up to then is forgotten, and its copy, where there is one.
    pub(super) fn left_location(&self, account: &str, openid: &str, at: DateTime<Utc>, now_ms: i64) -> [Statement; 2] {
        let note = format!(
            "{} INTO location_gone (account, openid, at, gone_at, due_at) \
             SELECT ?1, ?2, ?3, ?4, ?4 FROM (SELECT 1 AS one) AS v \
             JOIN location AS l ON l.account = ?1 AND l.openid = ?2 AND l.at <= ?3",
            self.dialect.insert_new()
        );
        [stmt!(note, account, openid, at, now_ms), delete_location(account, openid, at)]
    }

    /// Blanks the callbacks that told a person's positions up to `at`.
    pub fn blank_locations(account: &str, openid: &str, at: DateTime<Utc>) -> Statement {
        stmt!(
            "UPDATE inbox_event SET raw = NULL WHERE account = ?1 AND openid = ?2 AND kind = 'event.location' \
             AND event_time <= ?3 AND raw IS NOT NULL",
            account,
            openid,
            at
        )
    }

    /// Forgets a person's positions up to `at`, wherever they stand: to be written in the transaction that forgets the
    /// rest. Also where none is known: an event that is late does not bring one back.
    pub fn forget_location(&self, account: &str, openid: &str, at: DateTime<Utc>, now_ms: i64) -> Vec<Statement> {
        let note = format!(
            "{} INTO location_gone (account, openid, at, gone_at, due_at) VALUES (?, ?, ?, ?, ?)",
            self.dialect.insert_new()
        );
        vec![
            stmt!(note, account, openid, at, now_ms, now_ms),
            delete_location(account, openid, at),
            Store::blank_locations(account, openid, at),
        ]
    }

    /// Everybody of an account within so many metres of a place who has not expired, in no order.
    pub async fn locations_near(
        &self,
        account: &str,
        centre: Place,
        metres: f64,
        now_ms: i64,
        mut take: impl FnMut(Position),
    ) -> Result<()> {
        for runs in centre.cells_within(metres).chunks(RUNS) {
            let places = vec!["(account = ? AND cell BETWEEN ? AND ?)"; runs.len()].join(" OR ");
            let sql = format!(
                "SELECT {COLUMNS} FROM location WHERE ({places}) AND expires_at > ? AND latitude BETWEEN ? AND ?"
            );
            let mut args: Vec<Value> = Vec::with_capacity(runs.len() * 3 + 1);
            for run in runs {
                args.extend([account.into(), (*run.start()).into(), (*run.end()).into()]);
            }
            // A band around the place: in a city a cell has many people.
            let high = metres / METRES_OF_A_DEGREE + 1e-6;
            args.extend([
                now_ms.into(),
                degrees(centre.latitude - high).into(),
                degrees(centre.latitude + high).into(),
            ]);
            let found = self.rows(&sql, args, position).await?;
            found.into_iter().filter(|one| centre.metres_to(&one.place) <= metres).for_each(&mut take);
        }
        Ok(())
    }

    /// The positions of these people.
    pub async fn locations_of(&self, account: &str, openids: &[String]) -> Result<Vec<Position>> {
        let mut found = Vec::new();
        for some in openids.chunks(500) {
            let sql =
                format!("SELECT {COLUMNS} FROM location WHERE account = ? AND openid IN ({})", places(some.len()));
            let args = std::iter::once(account.into()).chain(some.iter().map(|openid| openid.as_str().into()));
            found.extend(self.rows(&sql, args.collect(), position).await?);
        }
        Ok(found)
    }

    /// The next people of an account behind `after`, by openid.
    pub async fn locations_page(&self, account: &str, after: &str, limit: i64) -> Result<Vec<Position>> {
        let sql = format!("SELECT {COLUMNS} FROM location WHERE account = ? AND openid > ? ORDER BY openid LIMIT ?");
        self.rows(&sql, vec![account.into(), after.into(), limit.into()], position).await
    }

    /// The accounts that this database knows.
    pub async fn account_names(&self) -> Result<Vec<String>> {
        self.rows("SELECT name FROM account ORDER BY name", vec![], |row| row.text(0)).await
    }

    /// Positions that Redis does not have as they are now, some of them.
    pub async fn uncopied(&self, limit: i64) -> Result<Vec<Position>> {
        let sql = format!("SELECT {COLUMNS} FROM location WHERE copied = 0 LIMIT ?");
        self.rows(&sql, vec![limit.into()], position).await
    }

    /// The same of one account.
    pub async fn uncopied_of(&self, account: &str, limit: i64) -> Result<Vec<Position>> {
        let sql = format!("SELECT {COLUMNS} FROM location WHERE copied = 0 AND account = ? LIMIT ?");
        self.rows(&sql, vec![account.into(), limit.into()], position).await
    }

    /// How many positions wait for their copy, and how many copies for their removal; counted up to `most`.
    pub async fn copies_due(&self, most: i64) -> Result<(i64, i64)> {
        let sql = "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM location WHERE copied = 0 LIMIT ?) AS l), \
                   (SELECT COUNT(*) FROM (SELECT 1 FROM location_gone WHERE due_at IS NOT NULL AND tries = 0 LIMIT ?) AS g)";
        let counts = self.row(sql, vec![most.into(), most.into()], |row| Ok((row.int(0)?, row.int(1)?))).await?;
        Ok(counts.unwrap_or_default())
    }

    /// Redis has these positions now; one that changed meanwhile stays due.
    pub async fn copied(&self, positions: &[Position]) -> Result<()> {
        let copied = |one: &Position| {
            stmt!(
                "UPDATE location SET copied = 1 WHERE account = ?1 AND openid = ?2 AND at = ?3 AND latitude = ?4 \
                 AND longitude = ?5 AND copied = 0",
                one.account.as_str(),
                one.openid.as_str(),
                one.at,
                degrees(one.place.latitude),
                degrees(one.place.longitude)
            )
        };
        self.write_people(positions.iter().map(copied).collect()).await
    }

    /// What Redis has of these people is not what it should be: they are copied anew.
    pub async fn copy_anew(&self, account: &str, openids: &[String]) -> Result<()> {
        let anew = |openid: &String| {
            stmt!("UPDATE location SET copied = 0 WHERE account = ?1 AND openid = ?2", account, openid.as_str())
        };
        self.write_people(openids.iter().map(anew).collect()).await
    }

    /// Copies that are to be removed, some of them.
    pub async fn gone_due(&self, now_ms: i64, limit: i64) -> Result<Vec<Gone>> {
        let sql = "SELECT account, openid, at, tries FROM location_gone WHERE due_at <= ? ORDER BY due_at LIMIT ?";
        self.rows(sql, vec![now_ms.into(), limit.into()], |row| {
            Ok(Gone { account: row.text(0)?, openid: row.text(1)?, at: row.time(2)?, tries: row.int(3)? })
        })
        .await
    }

    /// Who of these has not been removed yet by the process that copies: it may be about to write what it has read before.
    pub async fn removals_due(&self, account: &str, openids: &[&str]) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT DISTINCT openid FROM location_gone WHERE account = ? AND openid IN ({}) AND due_at IS NOT NULL AND tries = 0",
            places(openids.len())
        );
        let args = std::iter::once(account.into()).chain(openids.iter().map(|openid| (*openid).into()));
        self.rows(&sql, args.collect(), |row| row.text(0)).await
    }

    /// Who of an account is gone while Redis may still have them, some of them.
    pub async fn gone_uncopied(&self, account: &str, limit: i64) -> Result<Vec<String>> {
        let sql = "SELECT openid FROM location_gone WHERE due_at IS NOT NULL AND tries = 0 AND account = ? LIMIT ?";
        self.rows(sql, vec![account.into(), limit.into()], |row| row.text(0)).await
    }

    /// Redis has removed these. Who is back meanwhile is copied anew.
    pub async fn removed(&self, gone: &[Gone], now_ms: i64) -> Result<()> {
        let mut statements = Vec::with_capacity(gone.len() * 2);
        for one in gone {
            let next = (one.tries == 0).then_some(now_ms + AGAIN_MS);
            let (account, openid) = (one.account.as_str(), one.openid.as_str());
            statements.push(stmt!(
                "UPDATE location_gone SET tries = ?4, due_at = ?5 WHERE account = ?1 AND openid = ?2 AND at = ?3",
                account,
                openid,
                one.at,
                one.tries + 1,
                next
            ));
            let back = "UPDATE location SET copied = 0 WHERE account = ?1 AND openid = ?2";
            statements.push(stmt!(back, account, openid));
        }
        self.write_people(statements).await
    }

    /// Deletes what has expired, and blanks the callbacks that told positions before `now_ms - keep_ms`; says how many
    /// people it has looked at.
    pub async fn tidy_locations(&self, now_ms: i64, keep_ms: i64, limit: i64) -> Result<usize> {
        let sql = "SELECT account, openid FROM location WHERE tidy_at <= ? ORDER BY tidy_at LIMIT ?";
        let people = self.rows(sql, vec![now_ms.into(), limit.into()], |row| Ok((row.text(0)?, row.text(1)?))).await?;
        let before = DateTime::from_timestamp_millis(now_ms - keep_ms).unwrap_or_default();
        let mut statements = Vec::with_capacity(people.len() * 3);
        for (account, openid) in &people {
            statements.push(Store::blank_locations(account, openid, before));
            let expired = "DELETE FROM location WHERE account = ?1 AND openid = ?2 AND expires_at <= ?3";
            statements.push(stmt!(expired, account.as_str(), openid.as_str(), now_ms));
            let next = "UPDATE location SET tidy_at = ?3 WHERE account = ?1 AND openid = ?2";
            statements.push(stmt!(next, account.as_str(), openid.as_str(), now_ms + TIDY_MS));
        }
        if !statements.is_empty() {
            self.write_people(statements).await?;
        }
        Ok(people.len())
    }

    /// Deletes what is known of forgotten positions: a day after the copy is gone; without a Redis, once the copy that
    /// another process may have made has expired by itself.
    pub async fn tidy_gone(&self, now_ms: i64, keep_ms: i64) -> Result<()> {
        let sql = "DELETE FROM location_gone WHERE (due_at IS NULL AND gone_at < ?) OR gone_at < ?";
        self.commit(vec![stmt!(sql, now_ms - KNOWN_MS, now_ms - keep_ms.max(KNOWN_MS))]).await.map(drop)
    }
}

fn delete_location(account: &str, openid: &str, at: DateTime<Utc>) -> Statement {
    stmt!("DELETE FROM location WHERE account = ?1 AND openid = ?2 AND at <= ?3", account, openid, at)
}

fn position(row: &Row) -> Result<Position> {
    Ok(Position {
        account: row.text(0)?,
        openid: row.text(1)?,
        place: Place { latitude: row.real(2)?, longitude: row.real(3)? },
        precision: row.opt_real(4)?,
        at: row.time(5)?,
        expires_at: row.int(6)?,
    })
}
