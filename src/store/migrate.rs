//! The schema: numbered files under `sql/`, the same numbers for both databases, applied by sqlx.

use super::lost;
use super::{Dialect, Pool};
use crate::error::{Error, Kind, Result};
use crate::say;
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, MySql, MySqlPool};
use std::time::{Duration, Instant};

/// The name of the lock: a server has one list of names for all its databases, up to 64 letters each.
const LOCK: &str = "CONCAT('wxops db migrate ', MD5(DATABASE()))";
/// How often a migration of a SQLite file is tried that another process may have done meanwhile.
const TRIES: u32 = 5;
/// The same while others have locked the file.
const PATIENCE: Duration = Duration::from_secs(30);

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

    /// Whether the first file is applied, which makes our tables.
    pub fn begun(&self) -> bool {
        self.files.first().is_some_and(|file| file.applied)
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
        Pool::Sqlite(file) => {
            if patiently(|| is_anothers(pool)).await? {
                return Err(anothers(Dialect::Sqlite));
            }
            // sqlx takes no lock here: of two at once one fails, and finds the work done when it looks again.
            // A transaction that read before it writes is told at once that the file is locked, whatever its patience.
            let (start, mut tries) = (Instant::now(), 0);
            loop {
                tries += 1;
                match SQLITE.run(file).await {
                    Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _))
                        if tries < TRIES || (is_locked(&error) && start.elapsed() < PATIENCE) =>
                    {
                        // Drawn, so that many do not meet again.
                        tokio::time::sleep(Duration::from_millis(rand::random_range(20..200))).await;
                    }
                    done => return done.map_err(refused),
                }
            }
        }
        Pool::MySql(pool) => {
            let lock = lock(pool).await?;
            let done = migrate_mysql(pool).await;
            unlock(lock).await?;
            done
        }
    }
}

fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.message().contains("locked"))
}

/// Again while others have locked a SQLite file: as they make it, a reader is refused whatever its patience.
pub(super) async fn patiently<T, W: Future<Output = Result<T>>>(work: impl Fn() -> W) -> Result<T> {
    let start = Instant::now();
    loop {
        match work().await {
            Err(error) if start.elapsed() < PATIENCE && by_lock(&error) => {
                tokio::time::sleep(Duration::from_millis(rand::random_range(20..200))).await;
            }
            done => return done,
        }
    }
}

fn by_lock(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<sqlx::Error>());
    source.is_some_and(is_locked)
}

/// The lock of all who change the schema of a MySQL; the server frees it where its holder dies. sqlx waits for its
/// own with a negative limit, which MariaDB answers at once with NULL.
pub(super) async fn lock(pool: &MySqlPool) -> Result<PoolConnection<MySql>> {
    let mut lock = pool.acquire().await.map_err(lost)?;
    let held: Option<i64> = sqlx::query_scalar(AssertSqlSafe(format!("SELECT GET_LOCK({LOCK}, 60)")))
        .fetch_one(&mut *lock)
        .await
        .map_err(lost)?;
    if held != Some(1) {
        return Err(Error::new(
            Kind::Busy,
            say!("another process migrates this database"; "另一个进程正在迁移该数据库"),
        ));
    }
    Ok(lock)
}

/// Gives it back.
pub(super) async fn unlock(mut lock: PoolConnection<MySql>) -> Result<()> {
    sqlx::query(AssertSqlSafe(format!("DO RELEASE_LOCK({LOCK})"))).execute(&mut *lock).await.map(drop).map_err(lost)
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
    let applied = patiently(|| applied(pool)).await?;
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

/// The versions that are applied to their end: one that was killed in the middle, or that another process is at, is not.
async fn applied(pool: &Pool) -> Result<Vec<i64>> {
    let table = "_sqlx_migrations";
    let listed = match pool {
        Pool::Sqlite(pool) => listed(&mut *pool.acquire().await.map_err(lost)?, table).await,
        Pool::MySql(pool) => listed(&mut *pool.acquire().await.map_err(lost)?, table).await,
    };
    match listed {
        Ok(list) => Ok(list),
        // A database without the table has no migration at all.
        Err(MigrateError::Execute(sqlx::Error::Database(e))) if e.message().contains(table) => Ok(Vec::new()),
        Err(error) => Err(refused(error)),
    }
}

async fn listed(db: &mut impl Migrate, table: &str) -> std::result::Result<Vec<i64>, MigrateError> {
    let half = db.dirty_version(table).await?;
    let list = db.list_applied_migrations(table).await?;
    Ok(list.into_iter().map(|file| file.version).filter(|version| Some(*version) != half).collect())
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

/// Whether a SQLite file has a `user_mapping` that we did not make. Looked for first: ours comes together with its
/// line in the books.
pub(super) async fn is_anothers(pool: &Pool) -> Result<bool> {
    let Pool::Sqlite(file) = pool else { return Ok(false) };
    let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'user_mapping' AND NOT EXISTS \
         (SELECT 1 FROM pragma_table_info('user_mapping') WHERE name = 'info_due_at')";
    let stands: i64 = sqlx::query_scalar(sql).fetch_one(file).await.map_err(lost)?;
    Ok(stands > 0 && !state(pool).await?.begun())
}

/// The refusal of a `user_mapping` that stands where the first file would make one.
pub(super) fn anothers(dialect: Dialect) -> Error {
    let error = Error::config(say!(
        "there is a user_mapping already, made by another program";
        "已存在由其他程序创建的 user_mapping"
    ));
    match dialect {
        Dialect::MySql => error.next(say!(
            "look at what taking it over would change: wxops db migrate --adopt --dry-run";
            "查看接管它需要做哪些改动：wxops db migrate --adopt --dry-run"
        )),
        Dialect::Sqlite => error.next(say!(
            "give wxops a file of its own with DATABASE_URL";
            "请用 DATABASE_URL 给 wxops 单独的文件"
        )),
    }
}

/// The SQL of what is missing, to be run by hand with the database's own shell: each file as it is, and the line in
/// the books that sqlx would write, so that a later `db migrate` finds it done.
pub(super) fn by_hand(pool: &Pool, state: &SchemaState) -> String {
    let missing = |version: i64| state.files.iter().any(|file| file.version == version && !file.applied);
    let mut sql = String::new();
    for file in migrator(pool).iter().filter(|file| missing(file.version)) {
        if sql.is_empty() {
            sql.push_str(BOOKS);
        }
        // What a migration killed in the middle wrote.
        let (version, name, text) = (file.version, &file.description, file.sql.as_str().trim_end());
        let checksum = crate::domain::hex::hex(&file.checksum);
        sql.push_str(&format!(
            "\n-- {version:04} {name}\n{text}\n\nDELETE FROM _sqlx_migrations WHERE version = {version} AND NOT success;\nINSERT INTO _sqlx_migrations (version, description, success, checksum, \
             execution_time) VALUES ({version}, '{name}', TRUE, X'{checksum}', -1);\n"
        ));
    }
    sql
}

/// The books, as sqlx makes them.
const BOOKS: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
";

/// The refusal of a database that a later wxops has migrated.
pub(super) fn newer(version: i64) -> Error {
    Error::config(say!(
        "the database has schema {version}, which this wxops does not know: it was migrated by a later one";
        "数据库结构版本为 {version}，本程序不认识：它已由更新版本的 wxops 迁移"
    ))
    .next(say!("install the later wxops, or restore a backup from before"; "请安装更新的 wxops，或恢复迁移前的备份"))
}
