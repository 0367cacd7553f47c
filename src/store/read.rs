//! Reads: one body for both databases. A row is read by position.

use super::value::{Value, time_text};
use super::zone::{self, Zone};
use super::{Store, lost, mysql};
use crate::error::Result;
use chrono::{DateTime, Utc};
use sqlx::mysql::{MySqlArguments, MySqlPool, MySqlRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, MySql, Row as _, Sqlite};

/// The pool that reads go through.
#[derive(Debug, Clone)]
pub enum Pool {
    /// A SQLite file.
    Sqlite(SqlitePool),
    /// MySQL or MariaDB.
    MySql(MySqlPool),
}

/// A row of either database.
pub enum Row<'r> {
    /// From SQLite.
    Sqlite(&'r SqliteRow),
    /// From MySQL or MariaDB; by which clock its times are, where it is not UTC.
    MySql(&'r MySqlRow, Option<Zone>),
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $ty:ty) => {
        $(#[$doc])*
        pub fn $name(&self, at: usize) -> Result<$ty> {
            match self {
                Row::Sqlite(row) => row.try_get(at),
                Row::MySql(row, _) => row.try_get(at),
            }
            .map_err(lost)
        }
    };
}

impl Row<'_> {
    getter!(/** A number with a fraction. */ real, f64);
    getter!(/** A number with a fraction, or NULL. */ opt_real, Option<f64>);
    getter!(/** Text. */ text, String);
    getter!(/** Text or NULL. */ opt_text, Option<String>);
    getter!(/** Bytes. */ bytes, Vec<u8>);

    /// An integer.
    pub fn int(&self, at: usize) -> Result<i64> {
        let null = || lost(sqlx::Error::ColumnDecode { index: at.to_string(), source: "NULL".into() });
        self.opt_int(at)?.ok_or_else(null)
    }

    /// An integer or NULL. A table that another program made may have it UNSIGNED, or a BIT.
    pub fn opt_int(&self, at: usize) -> Result<Option<i64>> {
        let unsigned = |value: Option<u64>| value.map(|value| i64::try_from(value).unwrap_or(i64::MAX));
        match self {
            Row::Sqlite(row) => row.try_get(at),
            Row::MySql(row, _) => row.try_get(at).or_else(|e| row.try_get(at).map(unsigned).map_err(|_| e)),
        }
        .map_err(lost)
    }

    /// A time.
    pub fn time(&self, at: usize) -> Result<DateTime<Utc>> {
        let null = || lost(sqlx::Error::ColumnDecode { index: at.to_string(), source: "NULL".into() });
        self.opt_time(at)?.ok_or_else(null)
    }

    /// A time or NULL.
    pub fn opt_time(&self, at: usize) -> Result<Option<DateTime<Utc>>> {
        match self {
            Row::Sqlite(row) => row.try_get(at).map_err(lost),
            Row::MySql(row, zone) => {
                let time: Option<DateTime<Utc>> = row.try_get(at).map_err(lost)?;
                Ok(time.map(|time| zone.map_or(time, |zone| zone.out(time))))
            }
        }
    }
}

impl Store {
    /// Every row of a query, mapped.
    pub async fn rows<T>(&self, sql: &str, mut args: Vec<Value>, map: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
        let (sql, zone) = zone::asked(self.zone, sql, &mut args);
        match &self.pool {
            Pool::Sqlite(pool) => {
                let rows = bind_sqlite(&sql, &args).fetch_all(pool).await.map_err(lost)?;
                rows.iter().map(|row| map(&Row::Sqlite(row))).collect()
            }
            Pool::MySql(pool) => {
                let mut db = pool.acquire().await.map_err(lost)?;
                let read = bind_mysql(&sql, &args).fetch_all(&mut *db);
                let rows = mysql::within(self.limit, read).await;
                if matches!(rows, Err(sqlx::Error::Io(_))) {
                    // Nobody knows what is still to come on it.
                    db.close_on_drop();
                }
                let rows = rows.map_err(lost)?;
                rows.iter().map(|row| map(&Row::MySql(row, zone))).collect()
            }
        }
    }

    /// The first row of a query, mapped.
    pub async fn row<T>(&self, sql: &str, args: Vec<Value>, map: impl Fn(&Row) -> Result<T>) -> Result<Option<T>> {
        Ok(self.rows(sql, args, map).await?.pop())
    }
}

pub(super) fn bind_sqlite<'q>(sql: &str, args: &[Value]) -> Query<'q, Sqlite, SqliteArguments> {
    args.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, arg| match arg {
        Value::Null => query.bind(None::<i64>),
        Value::Int(v) => query.bind(*v),
        Value::Text(v) => query.bind(v.clone()),
        Value::Bytes(v) => query.bind(v.clone()),
        Value::Time(v) => query.bind(time_text(v)),
    })
}

pub(super) fn bind_mysql<'q>(sql: &str, args: &[Value]) -> Query<'q, MySql, MySqlArguments> {
    args.iter().fold(sqlx::query(AssertSqlSafe(sql.to_owned())), |query, arg| match arg {
        Value::Null => query.bind(None::<i64>),
        Value::Int(v) => query.bind(*v),
        Value::Text(v) => query.bind(v.clone()),
        Value::Bytes(v) => query.bind(v.clone()),
        Value::Time(v) => query.bind(v.naive_utc()),
    })
}
