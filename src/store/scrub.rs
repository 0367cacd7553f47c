//! What was deleted from a SQLite file, and still stands in its log.

use super::{Store, sqlite};
use crate::error::{Error, Result};
use crate::say;
use std::time::Duration;

/// How long the log may make others wait: as long as a reader takes.
const PATIENCE: Duration = Duration::from_millis(50);

impl Store {
    /// Carries the log of a SQLite file into it and empties the log: what was overwritten before is in neither then.
    /// False where somebody reads or writes and it has to be tried again; another database has no such log.
    pub async fn empty_log(&self) -> Result<bool> {
        let Some(file) = self.file().map(std::path::Path::to_owned) else { return Ok(true) };
        let emptied = tokio::task::spawn_blocking(move || {
            let db = sqlite::connect(&file)?;
            let checkpoint = || {
                db.busy_timeout(PATIENCE)?;
                // Most of it while others write on; the second holds them up.
                db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
                db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
            };
            checkpoint().map_err(sqlite::failed)
        });
        emptied
            .await
            .map_err(|error| Error::failed(say!("the database's thread ended"; "数据库线程意外结束")).source(error))?
    }
}
