//! A copy of a SQLite file while others write to it.
//!
//! `VACUUM INTO`, on a connection that only reads: one snapshot of the log (WAL), in which no writer waits and
//! none begins the copy anew, as the backup API does whenever another process commits. It leaves out free pages,
//! so the copy is the smallest there is, and what was erased or purged is not in it. The price: until it ends, the
//! log can't begin anew and grows by what is written meanwhile.

use super::sqlite;
use crate::error::Result;
pub use rusqlite::InterruptHandle as Interrupt;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long the copy waits for a lock: only another process that recovers the file after a crash holds one.
const BUSY: Duration = Duration::from_secs(5);

/// A file that is to be copied.
pub struct Source(Connection);

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Rows by table, in the order of their names.
    pub rows: Vec<(String, i64)>,
    /// What `PRAGMA integrity_check` found; empty: nothing is wrong.
    pub faults: Vec<String>,
}

impl Source {
    /// Opens a file that is there; nothing of it is changed.
    pub fn open(file: &Path) -> Result<Source> {
        let open = || {
            // Not read-only: the log of a file that nobody has open may have to be recovered.
            let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            db.busy_timeout(BUSY)?;
            Ok(db)
        };
        open().map(Source).map_err(|error| sqlite::unusable(file, error))
    }

    /// Bytes that the copy will have, about.
    pub fn size(&self) -> Result<u64> {
        let sql = "SELECT (page_count - freelist_count) * page_size \
                   FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let size: i64 = self.0.query_row(sql, [], |row| row.get(0)).map_err(sqlite::failed)?;
        Ok(size.unsigned_abs())
    }

    /// Ends [`Source::copy`] from another thread.
    pub fn interrupt(&self) -> Interrupt {
        self.0.get_interrupt_handle()
    }

    /// Copies into a file that is there and empty. What was committed before is in it; it is not synced.
    pub fn copy(&self, to: &Path) -> Result<()> {
        // A path is bytes; SQLite wants text.
        let to = to.to_string_lossy();
        self.0.execute("VACUUM INTO ?", [&*to]).map(drop).map_err(sqlite::failed)
    }
}

/// Reads a copy through: whether its pages and indexes are in order, and what is in it.
pub fn examine(copy: &Path) -> Result<Copied> {
    let look = || {
        let db = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let lines: Vec<String> =
            db.prepare("PRAGMA integrity_check")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let faults = lines.into_iter().filter(|line| line != "ok").collect();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                     AND name NOT LIKE '\\_sqlx\\_%' ESCAPE '\\' ORDER BY name";
        let names: Vec<String> =
            db.prepare(names)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let count = |name: String| {
            let sql = format!("SELECT COUNT(*) FROM \"{}\"", name.replace('"', "\"\""));
            db.query_row(&sql, [], |row| row.get(0)).map(|rows| (name, rows))
        };
        Ok(Copied { rows: names.into_iter().map(count).collect::<rusqlite::Result<_>>()?, faults })
    };
    look().map_err(sqlite::failed)
}
