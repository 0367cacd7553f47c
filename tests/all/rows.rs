//! The database of a story, looked at past the program: what a person with the database's own shell would see.

#![allow(dead_code, reason = "benches/load.rs mounts this file too and uses a part of it")]

use sqlx::mysql::MySqlPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, MySqlPool, Row, SqlitePool};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The URL of the server that `scripts/test` starts: root, may create databases.
const MARIADB: &str = "WXOPS_TEST_DATABASE_URL_MARIADB";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Db {
    Sqlite,
    MariaDb,
}

/// A database that no other story uses.
pub struct Rows {
    /// For the program's configuration.
    pub url: String,
    pool: Pool,
}

enum Pool {
    Sqlite(SqlitePool),
    MySql(MySqlPool),
}

impl Rows {
    /// A fresh database; `None` where the server is missing, which is said, and fails when CI is set.
    pub async fn open(db: Db, story: &str, folder: &Path) -> Option<Self> {
        match db {
            Db::Sqlite => {
                let file = folder.join("wxops.db");
                let options = SqliteConnectOptions::new().filename(&file);
                let pool = SqlitePoolOptions::new().max_connections(1).connect_lazy_with(options);
                Some(Rows { url: format!("sqlite://{}", file.display()), pool: Pool::Sqlite(pool) })
            }
            Db::MariaDb => match std::env::var(MARIADB) {
                Ok(server) => Some(Self::on_server(&server).await),
                Err(_) => {
                    skip(story, &format!("{MARIADB} is not set; scripts/test starts a MariaDB"));
                    None
                }
            },
        }
    }

    /// A fresh database on this server.
    pub async fn on_server(server: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("story_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = format!("{}/{name}", server.trim_end_matches('/'));
        let root = MySqlPoolOptions::new().max_connections(1).connect(server).await.expect("the server answers");
        // With the server's own charset and collation: the tables must not rely on a kind administrator.
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&root).await.expect("root may create");
        root.close().await;
        let pool = MySqlPoolOptions::new().max_connections(2).connect_lazy(&url).expect("a URL");
        Rows { url, pool: Pool::MySql(pool) }
    }

    /// Every row, every value as text.
    pub async fn all(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        // The text protocol: values come as the database's own shell shows them.
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        match &self.pool {
            Pool::Sqlite(pool) => query.fetch_all(pool).await.map(|rows| rows.iter().map(texts).collect()),
            Pool::MySql(pool) => query.fetch_all(pool).await.map(|rows| rows.iter().map(texts).collect()),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Runs a statement; where the program and this have locked each other out, once more, as a person would.
    pub async fn execute(&self, sql: &str) {
        for patience in (0..5).rev() {
            let query = sqlx::raw_sql(AssertSqlSafe(sql));
            let done = match &self.pool {
                Pool::Sqlite(pool) => query.execute(pool).await.map(drop),
                Pool::MySql(pool) => query.execute(pool).await.map(drop),
            };
            match done {
                Ok(()) => return,
                Err(error) if patience > 0 && error.to_string().contains("1213") => {}
                Err(error) => panic!("{sql}: {error}"),
            }
        }
    }
}

fn texts<'r, R: Row>(row: &'r R) -> Vec<Option<String>>
where
    usize: sqlx::ColumnIndex<R>,
    Option<String>: sqlx::Decode<'r, R::Database>,
{
    (0..row.len()).map(|column| row.try_get_unchecked::<Option<String>, usize>(column).expect("text")).collect()
}

/// A test that can't run here says so where `scripts/test` counts it; with CI set that is a failure.
pub fn skip(story: &str, why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{story} may not be skipped with CI set: {why}");
    eprintln!("SKIPPED: {story}: {why}");
    if let Some(list) = std::env::var_os("WXOPS_TEST_SKIPS") {
        let mut list = std::fs::OpenOptions::new().append(true).create(true).open(list).expect("the list of skips");
        writeln!(list, "{story}: {why}").expect("the list of skips");
    }
}
