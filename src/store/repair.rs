//! What a list of followers says of `user_mapping`: who is asked for by user/info. Nothing here decides that somebody
//! follows or left for good; the answer does, under the lease of [`super::enrichment`].

use super::Store;
use super::value::{Statement, Value, places};
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A row of somebody who follows, as far as the table knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// `user_mapping.id`.
    pub id: i64,
    /// The person.
    pub openid: String,
}

/// How rows stand that were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedRow {
    /// `user_mapping.id`.
    pub id: i64,
    /// Whether the person follows.
    pub follows: bool,
    /// user/info is still due.
    pub due: bool,
    /// It failed at least once, or was given up.
    pub failed: bool,
}

impl Store {
    /// How many of an account follow, as far as the table knows.
    pub async fn following(&self, account: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM user_mapping WHERE account = ? AND is_followed = 1";
        Ok(self.row(sql, vec![account.into()], |row| row.int(0)).await?.unwrap_or_default())
    }

    /// Those of these people who are known as following.
    pub async fn known_following(&self, account: &str, openids: &[String]) -> Result<Vec<Following>> {
        let sql = format!(
            "SELECT id, openid FROM user_mapping WHERE account = ? AND is_followed = 1 AND openid IN ({})",
            places(openids.len())
        );
        let mut args = vec![Value::from(account)];
        args.extend(openids.iter().map(|openid| Value::from(openid.as_str())));
        self.rows(&sql, args, following).await
    }

    /// The next who are known as following since before `began`, behind this id.
    pub async fn following_after(
        &self,
        account: &str,
        after: i64,
        began: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Following>> {
        let sql = format!(
            "SELECT id, openid FROM {} WHERE id > ? AND account = ? AND is_followed = 1 AND updated_at < ? \
             ORDER BY id LIMIT ?",
            self.dialect.followers_by_id()
        );
        self.rows(&sql, vec![after.into(), account.into(), began.into(), limit.into()], following).await
    }

    /// These people are in the list of followers: whoever is not known so far gets a row, whoever is known as gone
    /// follows again, and user/info is due for both. A row that an event changed since `began` is left alone.
    pub async fn listed(
        &self,
        account: &str,
        openids: &[String],
        began: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let count = openids.len();
        let rows = "(?, ?, 0, ?, ?), ".repeat(count);
        let bare = format!(
            "{} INTO user_mapping (account, openid, is_followed, created_at, updated_at) VALUES {}",
            self.dialect.insert_new(),
            rows.trim_end_matches(", ")
        );
        let mut args = Vec::with_capacity(4 * count);
        for openid in openids {
            args.extend([account.into(), openid.as_str().into(), now.into(), now.into()]);
        }
        let bare = Statement { sql: bare.into(), args };
        // A row of which no event has told anything is the one made above, or as good as it.
        let sql = format!(
            "UPDATE user_mapping SET is_followed = 1, info_due_at = ?, info_attempts = 0, info_error = NULL, \
             info_lease = 0, updated_at = ? WHERE account = ? AND is_followed = 0 \
             AND (updated_at < ? OR (follow_time IS NULL AND unfollow_time IS NULL)) AND openid IN ({})",
            places(count)
        );
        let mut args = vec![now.timestamp_millis().into(), now.into(), account.into(), began.into()];
        args.extend(openids.iter().map(|openid| Value::from(openid.as_str())));
        self.commit(vec![bare, Statement { sql: sql.into(), args }]).await.map(drop)
    }

    /// These rows are of people who are not in the list: user/info is due, and tells. A row that an event changed
    /// since `began` is left alone.
    pub async fn unlisted(&self, ids: &[i64], began: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
        let sql = format!(
            "UPDATE user_mapping SET info_due_at = ?, info_attempts = 0, info_error = NULL \
             WHERE is_followed = 1 AND updated_at < ? AND id IN ({})",
            places(ids.len())
        );
        let mut args = vec![Value::from(now.timestamp_millis()), began.into()];
        args.extend(ids.iter().map(|id| Value::Int(*id)));
        self.commit(vec![Statement { sql: sql.into(), args }]).await.map(drop)
    }

    /// How these rows stand now.
    pub async fn asked_rows(&self, ids: &[i64]) -> Result<Vec<AskedRow>> {
        let sql = format!(
            "SELECT id, is_followed, info_due_at, info_error FROM user_mapping WHERE id IN ({})",
            places(ids.len())
        );
        let args = ids.iter().map(|id| Value::Int(*id)).collect();
        let asked = |row: &super::read::Row| {
            let due = row.opt_int(2)?.is_some();
            Ok(AskedRow { id: row.int(0)?, follows: row.int(1)? == 1, due, failed: row.opt_text(3)?.is_some() })
        };
        self.rows(&sql, args, asked).await
    }
}

fn following(row: &super::read::Row) -> Result<Following> {
    Ok(Following { id: row.int(0)?, openid: row.text(1)? })
}
