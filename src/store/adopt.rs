//! `db migrate --adopt`: a `user_mapping` that another program made and goes on writing becomes ours too. It gets
//! columns and keys, all with defaults, in one ALTER TABLE. That it was taken over, and at which offset its times are,
//! stands in the comment of its column `account`.

mod columns;
mod plan;
mod shape;

pub use plan::{Change, Cost, Plan, Problem};

use super::{Dialect, Pool, Store, Zone, lost, migrate};
use crate::error::{Error, Kind, Result};
use crate::say;
use columns::{Holds, WANTED};
use plan::{Facts, is_native, is_usable, plan};
use shape::Shape;
use sqlx::{AssertSqlSafe, Executor};
use std::sync::atomic::Ordering;

/// How the comment of `account` begins; the offset follows.
const MARK: &str = "wxops: taken over, times are ";
/// Openids in several rows that are named.
const NAMED: usize = 20;
/// Clocks differ by so much, seconds.
const CLOCKS: i64 = 600;
/// The widest offset there is, seconds: a time further ahead is no matter of the offset.
const WIDEST: i64 = 14 * 3600;
/// How long the ALTER waits for transactions of others to end, seconds. While it waits, all who come later wait too.
const PATIENCE: u32 = 10;

impl Store {
    /// What is to be done to `user_mapping` for it to be ours too; `None` where there is none. Its rows are of
    /// `account`; `known` are all accounts of the configuration. Changes nothing.
    pub async fn adoption(&self, account: &str, known: &[&str]) -> Result<Option<Plan>> {
        if self.dialect == Dialect::Sqlite {
            return Err(Error::usage(say!(
                "--adopt is for a user_mapping in MySQL or MariaDB that another program writes; this database is a SQLite file";
                "--adopt 用于 MySQL 或 MariaDB 中由其他程序写入的 user_mapping；当前数据库是 SQLite 文件"
            ))
            .next(say!("leave --adopt out, or set DATABASE_URL"; "请去掉 --adopt，或设置 DATABASE_URL")));
        }
        let Some(shape) = self.user_mapping().await? else { return Ok(None) };
        let facts = if shape.is_table { self.facts(&shape, known).await? } else { Facts::default() };
        Ok(Some(plan(&shape, &facts, account, self.zone)))
    }

    /// Carries the plan out; under the lock of all migrations, and made anew under it. Returns it as it was then.
    pub async fn adopt(&self, account: &str, known: &[&str]) -> Result<Option<Plan>> {
        let Pool::MySql(pool) = &self.pool else { return Ok(None) };
        let lock = migrate::lock(pool).await?;
        let done = self.adopt_locked(pool, account, known).await;
        migrate::unlock(lock).await?;
        done
    }

    async fn adopt_locked(&self, pool: &sqlx::MySqlPool, account: &str, known: &[&str]) -> Result<Option<Plan>> {
        let Some(plan) = self.adoption(account, known).await? else { return Ok(None) };
        if !plan.problems.is_empty() {
            return Err(in_the_way(plan.problems.len()));
        }
        let Some(alter) = plan.sql() else { return Ok(Some(plan)) };
        // Not back into the pool: its patience is another's.
        let mut db = pool.acquire().await.map_err(lost)?.detach();
        let patience = format!("SET SESSION lock_wait_timeout = {PATIENCE}");
        db.execute(AssertSqlSafe(patience)).await.map_err(lost)?;
        match db.execute(AssertSqlSafe(alter)).await {
            Ok(_) => Ok(Some(plan)),
            Err(error) => Err(refused(error)),
        }
    }

    /// Refuses a `user_mapping` that another program made and that was not taken over, or was at another offset.
    pub(super) async fn check_user_mapping(&self) -> Result<()> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let before = self.taken_over().await?;
        self.shared.store(before.is_some(), Ordering::Relaxed);
        let now = self.zone.map_or_else(|| "+00:00".to_owned(), Zone::text);
        match &before {
            Some(before) if *before != now => Err(Error::config(say!(
                "user_mapping was taken over with times at {before}, but user_mapping_timezone says {now}";
                "user_mapping 接管时的时间偏移为 {before}，而 user_mapping_timezone 为 {now}"
            ))
            .next(say!(
                "set user_mapping_timezone = \"{before}\"; if {before} was wrong: wxops db migrate --adopt";
                "请设置 user_mapping_timezone = \"{before}\"；如果 {before} 本身有误：wxops db migrate --adopt"
            ))),
            None if now != "+00:00" => Err(Error::config(say!(
                "user_mapping_timezone says {now}, but user_mapping was not taken over: its times are in UTC";
                "user_mapping_timezone 为 {now}，但 user_mapping 未经接管：其时间为 UTC"
            ))
            .next(say!(
                "remove the setting, or run: wxops db migrate --adopt";
                "请删除该项，或运行：wxops db migrate --adopt"
            ))),
            _ => Ok(()),
        }
    }

    /// At which offset `user_mapping` was taken over; `None` where it is wxops's own.
    pub async fn taken_over(&self) -> Result<Option<String>> {
        if self.dialect == Dialect::Sqlite {
            return Ok(None);
        }
        // Every verb asks: not the catalogue, which makes a table on the disk for its answer.
        let created = self.row("SHOW CREATE TABLE user_mapping", vec![], |row| row.text(1)).await?.unwrap_or_default();
        let mark = created.split_once(&format!("COMMENT '{MARK}")).and_then(|(_, rest)| rest.split_once('\''));
        Ok(mark.map(|(offset, _)| offset.to_owned()))
    }

    /// How far the newest time in `user_mapping` lies in the future, seconds, where its offset may be why.
    pub async fn times_ahead(&self) -> Result<Option<i64>> {
        match self.dialect {
            Dialect::Sqlite => Ok(None),
            Dialect::MySql => match self.user_mapping().await? {
                Some(shape) => self.ahead(&shape).await,
                None => Ok(None),
            },
        }
    }

    /// Refuses a `user_mapping` that stands where the first migration would make one.
    pub(super) async fn check_foreign(&self) -> Result<()> {
        let foreign = match &self.pool {
            Pool::MySql(_) => self.user_mapping().await?.is_some_and(|shape| !is_usable(&shape)),
            Pool::Sqlite(_) => migrate::is_anothers(&self.pool).await?,
        };
        if foreign { Err(migrate::anothers(self.dialect)) } else { Ok(()) }
    }

    async fn facts(&self, shape: &Shape, known: &[&str]) -> Result<Facts> {
        let count =
            |sql: String| async move { Ok::<_, Error>(self.row(&sql, vec![], |row| row.int(0)).await?.unwrap_or(0)) };
        let rows = count("SELECT COUNT(*) FROM user_mapping".into()).await?;
        let mut facts = Facts { rows, ..Facts::default() };
        if let Some(openid) = shape.column("openid")
            && !is_native(shape)
        {
            let exact = openid.charset.as_ref().map_or_else(String::new, |set| format!(" COLLATE {set}_bin"));
            let account = if shape.column("account").is_some() { "account, " } else { "" };
            let sql = format!(
                "SELECT MIN(openid) FROM user_mapping WHERE openid IS NOT NULL GROUP BY {account}openid{exact} \
                 HAVING COUNT(*) > 1 ORDER BY 1 LIMIT {NAMED}"
            );
            facts.twice = self.rows(&sql, vec![], |row| row.text(0)).await?;
        }
        if shape.column("account").is_some() {
            let names = known.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "''" } else { &names };
            let strange = if shape.mark().is_some() {
                "0".to_owned()
            } else {
                format!("account IS NULL OR account NOT IN ({names})")
            };
            facts.strange_accounts = count(format!("SELECT COUNT(*) FROM user_mapping WHERE {strange}")).await?;
        }
        for wanted in WANTED.iter().filter(|wanted| wanted.holds == Holds::Time) {
            let Some(column) = shape.column(wanted.name) else { continue };
            if matches!(column.kind.as_str(), "datetime" | "timestamp") {
                let name = &column.name;
                let sql =
                    format!("SELECT COUNT(*) FROM (SELECT 1 FROM user_mapping WHERE `{name}` = 0 LIMIT 1) AS zero");
                if count(sql).await? > 0 {
                    facts.zero_dates.push(name.clone());
                }
            }
        }
        facts.ahead = self.ahead(shape).await?;
        Ok(facts)
    }

    /// The session's clock is the table's, see `zone.rs`.
    async fn ahead(&self, shape: &Shape) -> Result<Option<i64>> {
        let mut ahead = None;
        for name in ["follow_time", "unfollow_time", "created_at", "updated_at"] {
            let is_time = |kind: &str| matches!(kind, "datetime" | "timestamp");
            if shape.column(name).is_none_or(|column| !is_time(&column.kind)) {
                continue;
            }
            let sql = format!(
                "SELECT CAST(TIMESTAMPDIFF(SECOND, NOW(), MAX({name})) AS SIGNED) FROM user_mapping \
                 WHERE {name} <= NOW() + INTERVAL {} SECOND",
                WIDEST + CLOCKS
            );
            ahead = ahead.max(self.row(&sql, vec![], |row| row.opt_int(0)).await?.flatten());
        }
        Ok(ahead.filter(|seconds| *seconds > CLOCKS))
    }
}

/// The refusal where there are problems; they are in the plan.
pub fn in_the_way(count: usize) -> Error {
    Error::config(say!(
        "user_mapping can't be taken over as it is; in the way: {count}. Nothing was changed";
        "user_mapping 目前无法接管，存在 {count} 个问题。未做任何改动"
    ))
    .next(say!(
        "mend what the plan names, then run this again: wxops db migrate --adopt";
        "请先解决计划中列出的问题，再运行：wxops db migrate --adopt"
    ))
}

/// An ALTER that was not done; it is done whole or not at all.
fn refused(error: sqlx::Error) -> Error {
    let number = match &error {
        sqlx::Error::Database(e) => e.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|e| e.number()),
        _ => None,
    };
    match number {
        // Of the table's own lock; rows are not waited for.
        Some(1205) => Error::new(
            Kind::Unavailable,
            say!(
                "somebody has user_mapping open in a transaction for over {PATIENCE} s; nothing was changed";
                "有会话的事务占用 user_mapping 超过 {PATIENCE} 秒；未做任何改动"
            ),
        )
        .next(say!("look with SHOW PROCESSLIST, then run this again"; "请用 SHOW PROCESSLIST 查看，然后重试"))
        .source(error),
        Some(_) => {
            let why = error.to_string();
            Error::failed(say!("user_mapping was not changed: {why}"; "user_mapping 未改动：{why}"))
                .next(say!("look at the statement: wxops db migrate --adopt --print-sql"; "查看语句：wxops db migrate --adopt --print-sql"))
                .source(error)
        }
        None => lost(error),
    }
}
