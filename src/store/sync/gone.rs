//! Who is gone: not seen by the sync, not changed since it began, and not following when asked.

use super::super::Store;
use super::super::value::{Statement, Value, places, stmt};
use super::Syncing;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// Somebody who follows, as far as the table knows, and was not seen in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `user_mapping.id`.
    pub id: i64,
    /// The person.
    pub openid: String,
    /// They were asked about already, and do not follow.
    pub verdict: bool,
}

/// Somebody whom a sync marked as gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GonePerson {
    /// `user_mapping.id`.
    pub id: i64,
    /// The account's name.
    pub account: String,
    /// The person.
    pub openid: String,
    /// When they were marked.
    pub gone_at: DateTime<Utc>,
}

/// Marked as gone before, and nothing was heard of them since: neither a following nor a leaving that an event tells.
const STILL_GONE: &str = "gone_at < ? AND updated_at < ? AND is_followed = 0 AND erased_at IS NULL \
     AND (follow_time IS NULL OR follow_time < gone_at) AND (unfollow_time IS NULL OR unfollow_time < gone_at)";

impl Store {
    /// How many people are marked as gone since before `before`.
    pub async fn count_gone(&self, account: Option<&str>, before: DateTime<Utc>) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM user_mapping WHERE {STILL_GONE} AND account = COALESCE(?, account)");
        Ok(self
            .row(&sql, vec![before.into(), before.into(), account.map(str::to_owned).into()], |row| row.int(0))
            .await?
            .unwrap_or(0))
    }

    /// The next of them behind an id.
    pub async fn gone_people(
        &self,
        account: Option<&str>,
        before: DateTime<Utc>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<GonePerson>> {
        let sql = format!(
            "SELECT id, account, openid, gone_at FROM {} WHERE {STILL_GONE} AND account = COALESCE(?, account) \
             AND id > ? ORDER BY id LIMIT ?",
            self.dialect.followers_by_id()
        );
        let args: Vec<Value> =
            vec![before.into(), before.into(), account.map(str::to_owned).into(), after.into(), limit.into()];
        self.rows(&sql, args, |row| {
            Ok(GonePerson { id: row.int(0)?, account: row.text(1)?, openid: row.text(2)?, gone_at: row.time(3)? })
        })
        .await
    }

    /// The highest id of the table: who comes later was not there when the sync began.
    pub async fn sync_last_id(&self) -> Result<i64> {
        Ok(self.row("SELECT MAX(id) FROM user_mapping", vec![], |row| row.opt_int(0)).await?.flatten().unwrap_or(0))
    }

    /// The next candidates behind this id and up to that one.
    pub async fn sync_candidates(
        &self,
        syncing: &Syncing,
        (after, last): (i64, i64),
        limit: i64,
    ) -> Result<Vec<Candidate>> {
        let sql = format!(
            "SELECT id, openid, seen_run FROM {} WHERE id > ? AND id <= ? AND account = ? AND is_followed = 1 \
             AND seen_run <> ? AND updated_at < ? ORDER BY id LIMIT ?",
            self.dialect.followers_by_id()
        );
        let args: Vec<Value> = vec![
            after.into(),
            last.into(),
            syncing.account.as_str().into(),
            syncing.run.into(),
            syncing.began.into(),
            limit.into(),
        ];
        let run = syncing.run;
        let candidate = |row: &super::super::read::Row| {
            Ok(Candidate { id: row.int(0)?, openid: row.text(1)?, verdict: row.int(2)? == -run })
        };
        self.rows(&sql, args, candidate).await
    }

    /// Notes what the answer was for these rows: they do not follow, or they do and were overlooked by the list.
    pub fn sync_verdict(syncing: &Syncing, ids: &[i64], follows: bool) -> Statement {
        let sql = format!("{} IN ({})", super::SEEN, places(ids.len()));
        let run = if follows { syncing.run } else { -syncing.run };
        Statement { sql: sql.into(), args: std::iter::once(run).chain(ids.iter().copied()).map(Value::Int).collect() }
    }

    /// Marks those of these rows as gone whose verdict stands and that nothing changed since the run began.
    pub fn sync_gone(syncing: &Syncing, ids: &[i64], now: DateTime<Utc>) -> Statement {
        let sql = format!(
            "UPDATE user_mapping SET is_followed = 0, gone_at = ?, updated_at = ?, info_due_at = NULL, info_attempts = 0, \
             info_error = NULL, info_lease = 0 \
             WHERE is_followed = 1 AND seen_run = ? AND updated_at < ? AND id IN ({})",
            places(ids.len())
        );
        let mut statement = stmt!(sql, now, now, -syncing.run, syncing.began);
        statement.args.extend(ids.iter().map(|id| Value::Int(*id)));
        statement
    }
}
