//! What is known of the people of a page before anybody is asked about them.

use super::super::Store;
use super::super::value::{Value, places};
use super::Syncing;
use crate::error::Result;

/// A row of somebody in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The person.
    pub openid: String,
    /// The sync has seen them already.
    pub seen: bool,
    /// They are known as following, and the platform was asked about them before.
    pub complete: bool,
}

impl Store {
    /// How many rows the account has, and how many of them are of people who follow.
    pub async fn sync_known(&self, account: &str) -> Result<(i64, i64)> {
        let sql = "SELECT COUNT(*), COALESCE(SUM(is_followed), 0) FROM user_mapping WHERE account = ?";
        let sql = match self.dialect {
            super::super::Dialect::Sqlite => sql.to_owned(),
            super::super::Dialect::MySql => {
                sql.replace("COALESCE(SUM(is_followed), 0)", "CAST(COALESCE(SUM(is_followed), 0) AS SIGNED)")
            }
        };
        let known = self.row(&sql, vec![account.into()], |row| Ok((row.int(0)?, row.int(1)?))).await?;
        Ok(known.unwrap_or_default())
    }

    /// The rows there are of these people, who are few hundred.
    pub async fn sync_rows(&self, syncing: &Syncing, openids: &[String]) -> Result<Vec<Row>> {
        let sql = format!(
            "SELECT openid, seen_run, is_followed = 1 AND info_due_at IS NULL AND info_error IS NULL \
             AND follow_time IS NOT NULL AND (subscribe_scene IS NOT NULL OR unionid IS NOT NULL OR nickname IS NOT NULL) \
             FROM user_mapping WHERE account = ? AND openid IN ({})",
            places(openids.len())
        );
        let mut args = vec![Value::from(syncing.account.as_str())];
        args.extend(openids.iter().map(|openid| Value::from(openid.as_str())));
        let run = syncing.run;
        self.rows(&sql, args, |row| {
            Ok(Row { openid: row.text(0)?, seen: row.int(1)? == run, complete: row.int(2)? == 1 })
        })
        .await
    }
}
