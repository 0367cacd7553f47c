//! Opening a database: which one, how its connections are set, and what is refused.

use super::migrate::{self, SchemaState};
use super::value::person;
use super::writer::{Hands, InHand, Writer};
use super::zone::{self, Zone};
use super::{Arrival, Dialect, End, Pool, Settled, Statement, Stored, lost, mysql, sqlite};
use crate::domain::beat::Beat;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use chrono::{DateTime, Offset, SubsecRound, Utc};
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Connections that read.
const READERS: u32 = 4;
/// The same of a SQLite file: each is a thread.
const FILE_READERS: u32 = 2;
/// What each of them keeps of the file in memory (negative: KiB); a commit by the writer empties it.
const READER_KIB: &str = "-1024";
/// A connection that rested this long is asked whether it still stands.
const RESTED: Duration = Duration::from_secs(1);
/// How long a reader waits for a connection, a new one included.
const ACQUIRE: Duration = Duration::from_secs(5);
/// What a query of a process that serves may take: it asks for little.
const QUERY: Duration = Duration::from_secs(10);
/// What `serve` wants and a verb does not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Apply missing migrations to SQLite; MySQL is migrated by `db migrate` alone.
    pub migrate: bool,
    /// A new SQLite file is expected; else it is made with a warning, since a verb in the wrong folder
    /// would show an empty database.
    pub create: bool,
    /// The clock of user_mapping on MySQL, where another program writes it too.
    pub zone: Option<Zone>,
}

/// An open database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: Pool,
    pub(super) dialect: Dialect,
    pub(super) zone: Option<Zone>,
    /// Whether another program writes user_mapping too; known once the schema was looked at.
    pub(super) shared: Arc<AtomicBool>,
    writer: Option<Writer>,
    /// Of the thread that writes, where it is one of ours.
    beat: Beat,
    file: Option<PathBuf>,
    /// How long a query over the network may take; a process that serves must not wait for ever on a connection whose
    /// other end is gone. `None`: as long as it needs.
    pub(super) limit: Option<Duration>,
}

impl Store {
    /// Opens the database for a verb: it reads, and writes now and then.
    pub async fn open(url: &Secret, options: Options) -> Result<Store> {
        Self::open_with(url, options, Hands::none()).await
    }

    /// Opens the database for `serve`: rows that come in are handed on through [`InHand`].
    pub async fn serve(url: &Secret, options: Options) -> Result<(Store, InHand)> {
        let (hands, in_hand) = Hands::open();
        let store = Self::open_with(url, options, hands).await?;
        Ok((Store { limit: Some(QUERY), ..store }, in_hand))
    }

    async fn open_with(url: &Secret, options: Options, hands: Hands) -> Result<Store> {
        let url = url.reveal();
        if let Some(rest) = url.strip_prefix("sqlite:") {
            return open_sqlite(rest, options, hands).await;
        }
        if url.starts_with("mysql://") || url.starts_with("mariadb://") {
            return open_mysql(url, options.zone, hands).await;
        }
        Err(Error::config(say!(
            "DATABASE_URL begins with neither sqlite:// nor mysql://";
            "DATABASE_URL 必须以 sqlite:// 或 mysql:// 开头"
        )))
    }

    /// The clock by which user_mapping is written, where it is not ours alone.
    pub(super) fn clock(&self) -> Option<Zone> {
        self.zone.or_else(|| self.is_shared().then(|| Zone::from(Utc.fix())))
    }

    /// A time as user_mapping keeps it.
    pub(super) fn kept(&self, time: DateTime<Utc>) -> DateTime<Utc> {
        if self.clock().is_some() { time.trunc_subsecs(0) } else { time }
    }

    /// Whether another program writes user_mapping too.
    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// The SQL dialect in use.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The file, where it is SQLite.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is applied of the schema.
    pub async fn schema(&self) -> Result<SchemaState> {
        migrate::state(&self.pool).await
    }

    /// The SQL of what is missing, to be run by hand, behind another statement.
    pub async fn schema_by_hand(&self, first: Option<String>) -> Result<String> {
        let missing = migrate::by_hand(&self.pool, &self.schema().await?);
        // The shell of MySQL may speak another character set, and names and comments are text.
        let names = if self.dialect == Dialect::MySql { "SET NAMES utf8mb4;\n\n" } else { "" };
        Ok(match first {
            Some(first) => format!("{names}{first};\n\n{missing}"),
            None if missing.is_empty() => missing,
            None => format!("{names}{missing}"),
        })
    }

    /// What is applied of the schema, unless a later wxops did it.
    pub async fn refuse_newer(&self) -> Result<SchemaState> {
        let state = self.schema().await?;
        match state.newer.first() {
            Some(version) => Err(migrate::newer(*version)),
            None => Ok(state),
        }
    }

    /// Refuses a table of another program where ours would be.
    pub async fn refuse_another(&self) -> Result<()> {
        self.check_foreign().await
    }

    /// Applies what is missing of the schema. Refuses a table of another program where ours would be.
    pub async fn migrate(&self) -> Result<()> {
        if !self.schema().await?.begun() {
            self.check_foreign().await?;
        }
        migrate::migrate(&self.pool).await
    }

    /// Refuses a schema that is not this program's: exit 78 with the command.
    pub async fn check_schema(&self) -> Result<()> {
        let state = self.refuse_newer().await?;
        if state.pending() {
            if !state.begun() {
                self.check_foreign().await?;
            }
            return Err(Error::config(say!("the database has no or an old schema"; "数据库结构缺失或过旧"))
                .next(say!("run: wxops db migrate"; "请运行：wxops db migrate")));
        }
        self.check_user_mapping().await
    }

    /// Whether a callback could be made durable now: the writer comes back from an empty transaction.
    pub async fn ready(&self) -> Result<()> {
        match &self.writer {
            Some(writer) => writer.prove(Vec::new()).await,
            None => Ok(()),
        }
    }

    /// The same with something to write: an empty transaction comes back from a full disk too.
    pub async fn prove(&self, place: &str) -> Result<()> {
        match &self.writer {
            Some(writer) => writer.prove(self.touch_spool(place)).await,
            None => Ok(()),
        }
    }

    /// Whether the thread that writes to a SQLite file has hung in one call for this long. To wait for a lock that
    /// another process holds is not to hang. A server's answers are waited for with limits: nothing hangs there.
    pub fn stuck(&self, limit: Duration) -> bool {
        self.beat.stuck(limit)
    }

    /// The file behind a SQLite URL; `None` for another database.
    pub fn sqlite_path(url: &Secret) -> Result<Option<PathBuf>> {
        url.reveal().strip_prefix("sqlite:").map(sqlite_file).transpose()
    }

    /// Stores a callback in the next group commit; returns after it. [`Then::Never`](crate::error::Then::Never): the
    /// database refuses this one, whoever tries.
    pub async fn arrive(&self, arrival: impl Into<Arc<Arrival>>) -> Result<Stored> {
        match &self.writer {
            Some(writer) => writer.arrive(arrival.into()).await,
            None => Err(Error::failed(say!("this process does not receive callbacks"; "本进程不接收回调"))),
        }
    }

    /// Writes the outcome of rows in hand.
    pub async fn settle(&self, mut rows: Vec<Settled>) -> Result<Vec<End>> {
        rows.iter_mut().filter_map(Settled::effects_mut).for_each(|effects| zone::written(self.clock(), effects));
        match &self.writer {
            Some(writer) => writer.settle(rows).await,
            None => Err(Error::failed(say!("this process handles no callbacks"; "本进程不处理回调"))),
        }
    }

    /// Runs statements in one transaction; tells how many rows each touched.
    pub async fn commit(&self, mut statements: Vec<Statement>) -> Result<Vec<u64>> {
        zone::written(self.clock(), &mut statements);
        match (&self.pool, &self.writer) {
            (Pool::MySql(pool), _) => mysql::commit(pool, &statements, mysql::Run::Each, self.limit).await,
            (Pool::Sqlite(_), Some(writer)) => writer.commit(statements).await,
            (Pool::Sqlite(_), None) => Err(Error::failed(say!("this process only reads"; "本进程只读"))),
        }
    }

    /// Runs statements about a different person each in one transaction, those of one text together.
    pub async fn write_people(&self, mut statements: Vec<Statement>) -> Result<()> {
        match &self.pool {
            Pool::MySql(pool) => {
                zone::written(self.clock(), &mut statements);
                // In one order, so that this and the effects of events do not lock each other out.
                statements.sort_by(|one, other| person(&one.args).cmp(&person(&other.args)));
                mysql::commit(pool, &statements, mysql::Run::Alike, self.limit).await.map(drop)
            }
            Pool::Sqlite(_) => self.commit(statements).await.map(drop),
        }
    }

    /// What an operator should know of the database's settings: lines of warning.
    pub async fn warnings(&self) -> Result<Vec<crate::error::Text>> {
        if self.dialect == Dialect::Sqlite {
            return Ok(Vec::new());
        }
        let sql = "SELECT CAST(@@innodb_flush_log_at_trx_commit AS SIGNED)";
        let flush = self.row(sql, vec![], |row| row.int(0)).await?.unwrap_or(1);
        if flush == 1 {
            return Ok(Vec::new());
        }
        Ok(vec![say!(
            "innodb_flush_log_at_trx_commit is {flush}: a crash of the database host loses acknowledged callbacks; set it to 1";
            "innodb_flush_log_at_trx_commit 为 {flush}：数据库主机崩溃会丢失已确认的回调，请设为 1"
        )])
    }

    /// Closes the pools; the writers end with the last sender.
    pub async fn close(self) {
        drop(self.writer);
        match self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }
}

/// `sqlite://wxops.db`, `sqlite:///var/lib/wxops/wxops.db`, `sqlite:wxops.db`.
fn sqlite_file(rest: &str) -> Result<PathBuf> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split('?').next().unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(Error::config(say!(
            "DATABASE_URL names no file: callbacks must outlive the process";
            "DATABASE_URL 未指定文件：回调必须在进程退出后仍保留"
        )));
    }
    Ok(PathBuf::from(path))
}

async fn open_sqlite(rest: &str, options: Options, hands: Hands) -> Result<Store> {
    if options.zone.is_some_and(|zone| zone.minutes() != 0) {
        return Err(utc_only());
    }
    let file = sqlite_file(rest)?;
    if make_private(&file)? && !options.create {
        tracing::warn!("there was no database at {}, a new one is made", file.display());
    }
    let db = sqlite::connect(&file)?;
    let connect = SqliteConnectOptions::new().filename(&file).busy_timeout(ACQUIRE);
    let connect = connect.pragma("cache_size", READER_KIB).disable_statement_logging();
    let open = || async {
        SqlitePoolOptions::new()
            .max_connections(FILE_READERS)
            .acquire_timeout(ACQUIRE)
            // A file does not hang up.
            .test_before_acquire(false)
            .connect_with(connect.clone())
            .await
            .map_err(lost)
    };
    let pool = migrate::patiently(open).await?;
    let (writer, work) = Writer::channel();
    let pool = Pool::Sqlite(pool);
    if options.migrate {
        migrate::migrate_old(&pool).await?;
    }
    let beat = sqlite::start(db, work, hands)
        .map_err(|e| Error::failed(say!("no thread for the database"; "无法创建数据库线程")).source(e))?;
    Ok(Store {
        pool,
        dialect: Dialect::Sqlite,
        zone: None,
        shared: Arc::default(),
        writer: Some(writer),
        beat,
        file: Some(file),
        limit: None,
    })
}

/// A SQLite file is nobody's but ours.
fn utc_only() -> Error {
    Error::config(say!(
        "user_mapping_timezone is for a user_mapping in MySQL that another program writes too; a SQLite file is in UTC";
        "user_mapping_timezone 用于 MySQL 中另有程序写入的 user_mapping；SQLite 文件一律为 UTC"
    ))
    .next(say!("remove it, or mend DATABASE_URL"; "请删除该项，或修改 DATABASE_URL"))
}

/// Makes the file where there is none, and says so. It is its owner's alone: it holds access_tokens and
/// personal data. SQLite gives its journal the same mode.
fn make_private(file: &Path) -> Result<bool> {
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => {
            let (shown, why) = (file.display(), e.to_string());
            Err(Error::config(say!("the database {shown} can't be made: {why}"; "无法创建数据库 {shown}：{why}"))
                .next(say!(
                    "make its folder and give it to the user who runs wxops, or set DATABASE_URL";
                    "请创建其目录并授权给运行 wxops 的用户，或修改 DATABASE_URL"
                ))
                .source(e))
        }
    }
}

/// Says why the server can't be had; the pool would wait and say only that it waited.
async fn reach(connect: &MySqlConnectOptions) -> Result<()> {
    let server = format!("{}:{}", connect.get_host(), connect.get_port());
    let why = match tokio::time::timeout(ACQUIRE, connect.connect()).await {
        Ok(Ok(db)) => return db.close().await.map_err(lost),
        Ok(Err(sqlx::Error::Io(error))) => error.to_string(),
        Ok(Err(error)) => return Err(lost(error)),
        Err(_) => "no answer in time".to_owned(),
    };
    Err(Error::unavailable(say!("the database {server} can't be reached: {why}"; "无法连接数据库 {server}：{why}"))
        .next(say!("start it, or mend DATABASE_URL"; "请启动数据库，或修改 DATABASE_URL")))
}

async fn open_mysql(url: &str, zone: Option<Zone>, hands: Hands) -> Result<Store> {
    let bad = |_| {
        Error::config(say!("DATABASE_URL is not a valid mysql:// URL"; "DATABASE_URL 不是有效的 mysql:// 地址"))
            .next(say!("write mysql://user:password@host:3306/database"; "格式：mysql://用户:密码@主机:3306/库名"))
    };
    let url = url.replacen("mariadb://", "mysql://", 1);
    let connect = MySqlConnectOptions::from_str(&url)
        .map_err(bad)?
        .charset("utf8mb4")
        .collation("utf8mb4_bin")
        .set_names(true)
        .no_engine_substitution(false)
        .pipes_as_concat(false)
        .timezone(None)
        .statement_cache_capacity(mysql::STATEMENTS)
        .disable_statement_logging();
    reach(&connect).await?;
    let pool = MySqlPoolOptions::new()
        .max_connections(READERS + 4)
        .acquire_timeout(ACQUIRE)
        // A server may have hung up on a connection that rested; one just used needs no question.
        .test_before_acquire(false)
        .before_acquire(|db, rest| {
            Box::pin(async move {
                match rest.idle_for > RESTED {
                    true => mysql::answers(db).await.map(|()| true),
                    false => Ok(true),
                }
            })
        })
        .after_connect(move |db, _| Box::pin(mysql::session(db, mysql::Isolation::ReadCommitted, zone)))
        .connect_lazy_with(connect.clone());
    let (writer, arriving, settling) = Writer::lanes();
    mysql::start(&connect, (arriving, settling), &hands, zone);
    Ok(Store {
        pool: Pool::MySql(pool),
        dialect: Dialect::MySql,
        zone,
        shared: Arc::default(),
        writer: Some(writer),
        beat: Beat::default(),
        file: None,
        limit: None,
    })
}
