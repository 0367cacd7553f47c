//! The schema: numbered files under `sql/`, the same numbers for both databases, applied by sqlx.

use super::Pool;
use super::lost;
use crate::error::{Error, Kind, Result};
use crate::say;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use std::time::Duration;

static SQLITE: Migrator = sqlx::migrate!("sql/sqlite");
static MYSQL: Migrator = sqlx::migrate!("sql/mysql");

/// One numbered file of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Whether the database has it.
    pub applied: bool,
}

/// How the database stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// Every file this program knows.
    pub files: Vec<Applied>,
    /// Versions in the database that this program does not know: it is older than the database.
    pub newer: Vec<i64>,
}

impl SchemaState {
    /// Whether something is still to be applied.
    pub fn pending(&self) -> bool {
        self.files.iter().any(|file| !file.applied)
    }
}

fn migrator(pool: &Pool) -> &'static Migrator {
    match pool {
        Pool::Sqlite(_) => &SQLITE,
        Pool::MySql(_) => &MYSQL,
    }
}

/// Applies what is missing; safe twice and by two at once (sqlx takes a lock). Refuses a newer schema.
pub(super) async fn migrate(pool: &Pool) -> Result<()> {
    match pool {
        Pool::Sqlite(pool) => {
            // sqlx takes no lock here: of two at once one fails, and finds the work done when it looks again.
            let mut tries = 0;
            loop {
                tries += 1;
                match SQLITE.run(pool).await {
                    Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) if tries < 5 => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                    done => return done.map_err(refused),
                }
            }
        }
        Pool::MySql(pool) => {
            // sqlx waits for its lock with a negative limit, which MariaDB answers at once with NULL.
            let mut lock = pool.acquire().await.map_err(lost)?;
            let held: Option<i64> = sqlx::query_scalar("SELECT GET_LOCK('wxops db migrate', 60)")
                .fetch_one(&mut *lock)
                .await
                .map_err(lost)?;
            if held != Some(1) {
                return Err(Error::new(
                    Kind::Busy,
                    say!("another process migrates this database"; "另一个进程正在迁移该数据库"),
                ));
            }
            let done = migrate_mysql(pool).await;
            sqlx::query("DO RELEASE_LOCK('wxops db migrate')").execute(&mut *lock).await.map_err(lost)?;
            done
        }
    }
}

async fn migrate_mysql(pool: &sqlx::MySqlPool) -> Result<()> {
    match MYSQL.run(pool).await {
        // Killed in the middle. MySQL commits each statement of DDL; the files can be run again.
        Err(MigrateError::Dirty(version)) => {
            let forget = "DELETE FROM _sqlx_migrations WHERE version = ? AND success = FALSE";
            sqlx::query(forget).bind(version).execute(pool).await.map_err(lost)?;
            MYSQL.run(pool).await.map_err(refused)
        }
        done => done.map_err(refused),
    }
}

/// The same, where the schema is not this program's: one that is takes no lock.
pub(super) async fn migrate_old(pool: &Pool) -> Result<()> {
    let state = state(pool).await?;
    if state.pending() || !state.newer.is_empty() { migrate(pool).await } else { Ok(()) }
}

/// What is applied and what is not; changes nothing.
pub(super) async fn state(pool: &Pool) -> Result<SchemaState> {
    let applied = applied(pool).await?;
    let files: Vec<Applied> = migrator(pool)
        .iter()
        .map(|file| Applied {
            version: file.version,
            name: file.description.to_string(),
            applied: applied.contains(&file.version),
        })
        .collect();
    let newer = applied.into_iter().filter(|v| files.iter().all(|file| file.version != *v)).collect();
    Ok(SchemaState { files, newer })
}

async fn applied(pool: &Pool) -> Result<Vec<i64>> {
    let table = "_sqlx_migrations";
    let listed = match pool {
        Pool::Sqlite(pool) => {
            let mut db = pool.acquire().await.map_err(lost)?;
            db.list_applied_migrations(table).await
        }
        Pool::MySql(pool) => {
            let mut db = pool.acquire().await.map_err(lost)?;
            db.list_applied_migrations(table).await
        }
    };
    match listed {
        Ok(list) => Ok(list.into_iter().map(|m| m.version).collect()),
        // A database without the table has no migration at all.
        Err(MigrateError::Execute(sqlx::Error::Database(e))) if e.message().contains(table) => Ok(Vec::new()),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => newer(version),
        MigrateError::Execute(error) => lost(error),
        error => {
            let why = error.to_string();
            Error::config(say!("the schema can't be migrated: {why}"; "无法迁移数据库结构：{why}")).source(error)
        }
    }
}

/// The refusal of a database that a later wxops has migrated.
pub(super) fn newer(version: i64) -> Error {
    Error::config(say!(
        "the database has schema {version}, which this wxops does not know: it was migrated by a later one";
        "数据库结构版本为 {version}，本程序不认识：它已由更新版本的 wxops 迁移"
    ))
    .next(say!("install the later wxops, or restore a backup from before"; "请安装更新的 wxops，或恢复迁移前的备份"))
}
