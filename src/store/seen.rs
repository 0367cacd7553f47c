//! Who was seen in a list of any length, without holding the list: a private database that SQLite keeps in a few
//! megabytes of memory and, where it grows, in a temporary file that nobody else can open and that ends with it.

use super::sqlite;
use crate::error::Result;
use rusqlite::Connection;
use std::hash::{BuildHasher, RandomState};

/// Memory for pages, as SQLite wants it: negative, KiB.
const CACHE_KIB: i64 = -8_192;

/// Openids that were seen, and rows that are asked for. Of a person only a keyed hash of 64 bits stands in it: of a
/// million people two share one once in thirty million runs, and then one of them is overlooked until the next run.
#[derive(Debug)]
pub struct Seen {
    db: Connection,
    hash: RandomState,
}

/// Why a row is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// In the list, and not known as following before.
    Listed,
    /// Known as following, and not in the list.
    Unlisted,
}

impl Seen {
    /// Nobody yet.
    pub fn new() -> Result<Self> {
        let open = || {
            let db = Connection::open("")?;
            db.pragma_update(None, "journal_mode", "MEMORY")?;
            db.pragma_update(None, "cache_size", CACHE_KIB)?;
            db.execute_batch(
                "CREATE TABLE seen (person INTEGER PRIMARY KEY); \
                 CREATE TABLE asked (id INTEGER PRIMARY KEY, listed INTEGER NOT NULL)",
            )?;
            Ok(db)
        };
        Ok(Seen { db: open().map_err(sqlite::failed)?, hash: RandomState::new() })
    }

    /// Adds people; says how many of them are new.
    pub fn add(&mut self, openids: &[String]) -> Result<usize> {
        let mut people: Vec<i64> = openids.iter().map(|openid| self.person(openid)).collect();
        // In the order of the tree, so that a page of it is touched once.
        people.sort_unstable();
        self.each("INSERT OR IGNORE INTO seen (person) VALUES (?1)", people.into_iter().map(|person| [person]))
    }

    /// Whether a person was seen.
    pub fn has(&self, openid: &str) -> Result<bool> {
        let found = self.db.prepare_cached("SELECT 1 FROM seen WHERE person = ?1");
        found.and_then(|mut found| found.exists([self.person(openid)])).map_err(sqlite::failed)
    }

    /// Notes rows of `user_mapping` that are asked for.
    pub fn ask(&mut self, ids: &[i64], why: Asked) -> Result<()> {
        let listed = i64::from(why == Asked::Listed);
        let rows = ids.iter().map(|id| [*id, listed]);
        self.each("INSERT OR IGNORE INTO asked (id, listed) VALUES (?1, ?2)", rows).map(drop)
    }

    /// The next rows behind this id that are asked for, and why.
    pub fn asked(&self, after: i64, limit: usize) -> Result<Vec<(i64, Asked)>> {
        let why = |listed: bool| if listed { Asked::Listed } else { Asked::Unlisted };
        let read = || {
            let sql = "SELECT id, listed FROM asked WHERE id > ?1 ORDER BY id LIMIT ?2";
            let mut rows = self.db.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            rows.query_map([after, limit], |row| Ok((row.get(0)?, why(row.get(1)?))))?.collect::<rusqlite::Result<_>>()
        };
        read().map_err(sqlite::failed)
    }

    fn each<const N: usize>(&mut self, sql: &str, rows: impl Iterator<Item = [i64; N]>) -> Result<usize> {
        let write = |db: &mut Connection| {
            let tx = db.transaction()?;
            let mut count = 0;
            {
                let mut insert = tx.prepare_cached(sql)?;
                for row in rows {
                    count += insert.execute(rusqlite::params_from_iter(row))?;
                }
            }
            tx.commit().map(|()| count)
        };
        write(&mut self.db).map_err(sqlite::failed)
    }

    fn person(&self, openid: &str) -> i64 {
        self.hash.hash_one(openid).cast_signed()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn who_was_seen_is_known() {
        let mut seen = Seen::new().unwrap();
        let openids: Vec<String> = (0..20_000).map(|n| format!("oTEST{n:023}")).collect();
        assert_eq!(seen.add(&openids[..10_000]).unwrap(), 10_000);
        assert_eq!(seen.add(&openids[9_999..]).unwrap(), 10_000);
        assert_eq!(seen.add(&openids[..10]).unwrap(), 0);
        assert!(seen.has(&openids[0]).unwrap() && seen.has(&openids[19_999]).unwrap());
        assert!(!seen.has("oSTRANGER").unwrap());
    }

    #[test]
    fn rows_are_asked_for_once_and_read_in_pages() {
        let mut seen = Seen::new().unwrap();
        seen.ask(&[7, 3], Asked::Listed).unwrap();
        seen.ask(&[5, 3], Asked::Unlisted).unwrap();
        assert_eq!(seen.asked(0, 2).unwrap(), [(3, Asked::Listed), (5, Asked::Unlisted)]);
        assert_eq!(seen.asked(5, 2).unwrap(), [(7, Asked::Listed)]);
        assert!(seen.asked(7, 2).unwrap().is_empty());
    }
}
