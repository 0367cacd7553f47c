//! The database the queue is in: the CRM's, which is neither migrated nor marked, or our own.

use super::super::{Dialect, Options, Pool, Statement, Store, lost};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Text};
use crate::say;
use reqwest::Url;
use sqlx::AssertSqlSafe;
use std::ops::Deref;

/// What names the CRM's database, and what our own.
const CRMS: &str = "WXOPS_QUEUE_DATABASE_URL";
const OURS: &str = "DATABASE_URL";
/// How long a statement of DDL waits for transactions of others to end, seconds. While it waits, all who come later
/// wait too.
const PATIENCE: u32 = 10;

/// An open database of the queue.
#[derive(Debug, Clone)]
pub struct QueueDb {
    store: Store,
    place: String,
    name: &'static str,
}

impl QueueDb {
    /// Opens the CRM's database, which must be there; `create`: a SQLite file is made where there is none.
    pub async fn open(url: &Secret, create: bool) -> Result<QueueDb> {
        let opened = Self::reach(url, CRMS, create).await;
        opened.map_err(|error| renamed(error, CRMS))
    }

    /// Opens our own database for the queue, as it stands.
    pub async fn open_own(url: &Secret, create: bool) -> Result<QueueDb> {
        Self::reach(url, OURS, create).await
    }

    /// The queue in our own database, which is open already.
    pub fn over(store: Store, url: &Secret) -> QueueDb {
        QueueDb { store, place: place(url), name: OURS }
    }

    async fn reach(url: &Secret, name: &'static str, create: bool) -> Result<QueueDb> {
        let missing = Store::sqlite_path(url)?.filter(|file| !create && !file.exists());
        if let Some(file) = missing {
            let file = file.display();
            return Err(Error::config(say!("there is no database at {file}"; "{file} 处没有数据库"))
                .next(say!("set DATABASE_URL to the CRM's database"; "请把 DATABASE_URL 设为 CRM 的数据库")));
        }
        let store = Store::open(url, Options { create, ..Options::default() }).await?;
        Ok(QueueDb { store, place: place(url), name })
    }

    /// Host and schema, or the file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The setting that names it.
    pub fn setting(&self) -> &'static str {
        self.name
    }

    /// An error of this database, with the setting named that it is configured by.
    pub fn named(&self, error: Error) -> Error {
        renamed(error, self.name)
    }

    /// Whether the queue stands here.
    pub async fn is_installed(&self) -> Result<bool> {
        let sql = match self.dialect() {
            Dialect::Sqlite => "SELECT 1 FROM sqlite_master WHERE name = 'member_notification_queue'",
            Dialect::MySql => {
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() \
                 AND table_name = 'member_notification_queue'"
            }
        };
        Ok(self.row(sql, vec![], |row| row.int(0)).await?.is_some())
    }

    /// Runs DDL, one statement after the other: in one transaction on SQLite; on MySQL each commits by itself, and goes
    /// by the text protocol, for triggers and procedures can't be prepared there.
    pub(super) async fn ddl(&self, statements: &[String]) -> Result<(), (usize, Error)> {
        match &self.store.pool {
            Pool::Sqlite(_) => {
                let all = statements.iter().map(|sql| Statement { sql: sql.clone().into(), args: vec![] });
                self.store.commit(all.collect()).await.map(drop).map_err(|error| (0, error))
            }
            Pool::MySql(pool) => {
                // Not back into the pool: its patience is another's.
                let mut db = pool.acquire().await.map_err(|error| (0, lost(error)))?.detach();
                let patience = format!("SET SESSION lock_wait_timeout = {PATIENCE}");
                for (at, sql) in std::iter::once(&patience).chain(statements).enumerate() {
                    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut db).await;
                    done.map_err(|error| (at.saturating_sub(1), super::refused::ddl(error)))?;
                }
                Ok(())
            }
        }
    }

    /// Whether it calls itself MariaDB.
    pub(super) async fn is_mariadb(&self) -> Result<bool> {
        if self.dialect() == Dialect::Sqlite {
            return Ok(false);
        }
        let version = self.row("SELECT VERSION()", vec![], |row| row.text(0)).await?.unwrap_or_default();
        Ok(version.to_ascii_lowercase().contains("mariadb"))
    }
}

impl Deref for QueueDb {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

fn place(url: &Secret) -> String {
    if let Ok(Some(file)) = Store::sqlite_path(url) {
        return file.display().to_string();
    }
    let Ok(url) = Url::parse(url.reveal()) else { return String::new() };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

fn renamed(mut error: Error, name: &str) -> Error {
    if name == OURS {
        return error;
    }
    let rename = |text: &mut Text| {
        for text in [&mut text.en, &mut text.zh] {
            if !text.contains(name) {
                *text = text.replace(OURS, name);
            }
        }
    };
    rename(&mut error.what);
    error.next.iter_mut().for_each(rename);
    error
}
