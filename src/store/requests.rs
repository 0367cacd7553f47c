//! `user_delete_request`: requests to be forgotten. The company's own system writes it, so it may have more columns
//! and other types, and it has no key: a row is known by user_id and openid together.

use super::value::{Statement, Value};
use super::{Dialect, Store};
use crate::error::Result;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The company's number of the person, as text.
    pub user_id: String,
    /// Their telephone.
    pub phone: Option<String>,
    /// The person.
    pub openid: String,
    /// 1 once it is done.
    pub status: i64,
    /// 1: by the system, 2: by the person.
    pub kind: i64,
}

impl Store {
    /// The requests, open ones first.
    pub async fn requests(&self, only_open: bool, limit: i64) -> Result<Vec<Request>> {
        let narrowed = if only_open { "WHERE status = 0 " } else { "" };
        let type_column = self.type_column();
        let sql = format!(
            "SELECT CAST(user_id AS CHAR), CAST(phone AS CHAR), CAST(openid AS CHAR), CAST(status AS CHAR), \
             CAST({type_column} AS CHAR) FROM user_delete_request {narrowed}ORDER BY status, user_id, openid LIMIT ?"
        );
        self.rows(&sql, vec![limit.into()], |row| {
            let number = |at: usize| Ok(row.opt_text(at)?.and_then(|text| text.parse().ok()).unwrap_or_default());
            Ok(Request {
                user_id: row.opt_text(0)?.unwrap_or_default(),
                phone: row.opt_text(1)?,
                openid: row.opt_text(2)?.unwrap_or_default(),
                status: number(3)?,
                kind: number(4)?,
            })
        })
        .await
    }

    /// Marks a request as done, in the transaction that does it.
    pub fn request_done(&self, request: &Request) -> Statement {
        let user_id = match request.user_id.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => request.user_id.as_str().into(),
        };
        // Whatever the collation of the company's column: openids differ in case.
        let sql = format!(
            "UPDATE user_delete_request SET status = 1 WHERE user_id = ? AND {} = ? AND status = 0",
            self.dialect.exact_text("openid")
        );
        Statement { sql: sql.into(), args: vec![user_id, request.openid.as_str().into()] }
    }

    fn type_column(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "\"type\"",
            Dialect::MySql => "`type`",
        }
    }
}
