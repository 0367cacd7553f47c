//! A write is a value: statements with bound arguments, the same for both databases, run in one transaction.

use chrono::{DateTime, SecondsFormat, Utc};
use std::borrow::Cow;

/// A bound argument.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// An integer; also booleans, due times and leases.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A time people read: DATETIME(3) on MySQL, RFC 3339 text on SQLite, UTC.
    Time(DateTime<Utc>),
}

/// How a time stands in SQLite: fixed width, so that text order is time order.
pub fn time_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Value::Int(v)
    }
}
impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Value::Int(v.into())
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Value::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Value::Text(v)
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Value::Bytes(v.to_vec())
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(v: DateTime<Utc>) -> Self {
        Value::Time(v)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Value::Null, Into::into)
    }
}

/// One statement with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// SQL with `?` for each argument.
    pub sql: Cow<'static, str>,
    /// The arguments, in order.
    pub args: Vec<Value>,
}

/// `stmt!("UPDATE t SET a = ? WHERE id = ?", a, id)`.
macro_rules! stmt {
    ($sql:expr $(, $arg:expr)* $(,)?) => {
        $crate::store::value::Statement { sql: ($sql).into(), args: vec![$($crate::store::value::Value::from($arg)),*] }
    };
}
pub(crate) use stmt;

/// Account and openid, with which the arguments of every statement about a person begin.
pub fn person(args: &[Value]) -> Option<(&str, &str)> {
    match args {
        [Value::Text(account), Value::Text(openid), ..] => Some((account, openid)),
        _ => None,
    }
}

/// `?, ?, ?` for `n` arguments.
pub fn places(n: usize) -> String {
    let mut text = "?, ".repeat(n);
    text.truncate(text.len().saturating_sub(2));
    text
}
