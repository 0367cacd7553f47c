//! What a person who looks after the database asks of it. Reads only.

use super::{Dialect, Store};
use crate::error::Result;

impl Store {
    /// `sandbox` or `real`; `None` where no account was ever served on this database.
    pub async fn stored_mark(&self) -> Result<Option<String>> {
        self.row("SELECT mark FROM installation WHERE id = 1", vec![], |row| row.text(0)).await
    }

    /// Name and AppID of every account that was entered.
    pub async fn entered_accounts(&self) -> Result<Vec<(String, String)>> {
        self.rows("SELECT name, appid FROM account", vec![], |row| Ok((row.text(0)?, row.text(1)?))).await
    }

    /// The name and version of what answers.
    pub async fn server(&self) -> Result<String> {
        let (product, sql) = match self.dialect {
            Dialect::Sqlite => ("SQLite", "SELECT sqlite_version()"),
            Dialect::MySql => ("MySQL", "SELECT VERSION()"),
        };
        let version = self.row(sql, vec![], |row| row.text(0)).await?.unwrap_or_default();
        Ok(match version.split_once("-MariaDB") {
            Some((number, _)) => format!("MariaDB {number}"),
            None => format!("{product} {version}"),
        })
    }
}
