//! What is known of the people of a page before anybody is asked about them.

use super::super::Store;
use super::super::value::{Value, places};
use super::compare::{columns, judged};
use super::{Listed, Synced, Syncing};
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

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

    /// What would become of these people, who are few hundred; nothing is written.
    pub async fn sync_compare(&self, syncing: &Syncing, people: &[Listed]) -> Result<Synced> {
        let mut tally = Synced::default();
        if people.is_empty() {
            return Ok(tally);
        }
        let told: HashMap<&str, &Listed> = people.iter().map(|person| (person.openid.as_str(), person)).collect();
        let columns = columns();
        let sql =
            format!("SELECT {columns} FROM user_mapping WHERE account = ? AND openid IN ({})", places(people.len()));
        let mut args = vec![Value::from(syncing.account.as_str())];
        args.extend(people.iter().map(|person| Value::from(person.openid.as_str())));
        let verdicts = self.rows(&sql, args, |row| judged(row, &told, syncing)).await?;
        tally.new = people.len().saturating_sub(verdicts.len()) as u64;
        tally.seen = tally.new;
        verdicts.into_iter().for_each(|(_, _, verdict)| tally.count(verdict, true));
        Ok(tally)
    }

    /// A few people who are known as following, from this id on.
    pub async fn following_from(&self, account: &str, id: i64, limit: usize) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT openid FROM {} WHERE id >= ? AND account = ? AND is_followed = 1 ORDER BY id LIMIT ?",
            self.dialect.followers_by_id()
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.rows(&sql, vec![id.into(), account.into(), limit.into()], |row| row.text(0)).await
    }

    /// How many of these people are known as following, not by what happened since the sync began.
    pub async fn sync_following(&self, syncing: &Syncing, openids: &[String]) -> Result<i64> {
        if openids.is_empty() {
            return Ok(0);
        }
        let sql = format!(
            "SELECT COUNT(*) FROM user_mapping WHERE account = ? AND is_followed = 1 AND updated_at < ? AND openid IN ({})",
            places(openids.len())
        );
        let mut args: Vec<Value> = vec![syncing.account.as_str().into(), syncing.began.into()];
        args.extend(openids.iter().map(|openid| Value::from(openid.as_str())));
        Ok(self.row(&sql, args, |row| row.int(0)).await?.unwrap_or(0))
    }

    /// How many rows of an account changed since then.
    pub async fn sync_changed(&self, account: &str, since: DateTime<Utc>) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM user_mapping WHERE account = ? AND updated_at >= ?";
        Ok(self.row(sql, vec![account.into(), since.into()], |row| row.int(0)).await?.unwrap_or(0))
    }
}
