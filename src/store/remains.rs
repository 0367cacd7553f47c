//! What is kept of people who are erased, until it goes too: their row, the rows of their callbacks, the openid of
//! their erasures. In small transactions, beside a running `serve`.

use super::value::{Statement, Value, places};
use super::{Step, Store};
use crate::error::Result;
use chrono::{DateTime, Utc};
use std::time::Instant;

/// Whose remains are to go.
#[derive(Debug, Clone)]
pub struct Remains {
    /// Only this account's.
    pub account: Option<String>,
    /// Only of people who were erased before.
    pub before: DateTime<Utc>,
}

impl Remains {
    /// Erased before, did not return, no store is waited for, no callback of theirs is under way, here or to a hook.
    fn condition(&self) -> (String, Vec<Value>) {
        let mut sql = "user_mapping.erased_at < ? AND is_followed = 0 AND info_due_at IS NULL \
             AND NOT EXISTS (SELECT 1 FROM erasure e WHERE e.account = user_mapping.account \
             AND e.openid = user_mapping.openid AND e.state <> 'sealed') \
             AND NOT EXISTS (SELECT 1 FROM inbox_event i WHERE i.account = user_mapping.account \
             AND i.openid = user_mapping.openid AND (i.state = 'new' OR i.raw IS NOT NULL \
             OR EXISTS (SELECT 1 FROM hook_delivery d WHERE d.event_id = i.id AND d.state IN ('pending', 'sending', 'unknown'))))"
            .to_owned();
        let mut args: Vec<Value> = vec![self.before.into()];
        if let Some(account) = &self.account {
            sql.push_str(" AND account = ?");
            args.push(account.as_str().into());
        }
        (sql, args)
    }
}

/// Somebody whose remains go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// user_mapping.id
    pub id: i64,
    account: String,
    openid: String,
}

impl Store {
    /// How many people that are.
    pub async fn count_remains(&self, remains: &Remains) -> Result<i64> {
        let (condition, args) = remains.condition();
        let sql = format!("SELECT COUNT(*) FROM user_mapping WHERE {condition}");
        Ok(self.row(&sql, args, |row| row.int(0)).await?.unwrap_or(0))
    }

    /// Up to `limit` of them behind an id.
    pub async fn remains(&self, remains: &Remains, after: i64, limit: usize) -> Result<Vec<Remembered>> {
        let (condition, mut args) = remains.condition();
        args.extend([after.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()]);
        let from = self.dialect.followers_by_id();
        let sql = format!("SELECT id, account, openid FROM {from} WHERE {condition} AND id > ? ORDER BY id LIMIT ?");
        self.rows(&sql, args, |row| Ok(Remembered { id: row.int(0)?, account: row.text(1)?, openid: row.text(2)? }))
            .await
    }

    /// Deletes up to `limit` rows of a person's callbacks, and what hooks were told of them; `None` when there are no more.
    pub async fn purge_events_of(&self, person: &Remembered, limit: usize) -> Result<Option<Step>> {
        let of: Vec<Value> = vec![person.account.as_str().into(), person.openid.as_str().into()];
        let sql =
            "SELECT id FROM inbox_event WHERE account = ? AND openid = ? AND raw IS NULL AND state <> 'new' LIMIT ?";
        let args = [of, vec![i64::try_from(limit).unwrap_or(i64::MAX).into()]].concat();
        let ids = self.rows(sql, args, |row| row.int(0)).await?;
        if ids.is_empty() {
            return Ok(None);
        }
        let (of_ids, args) = (places(ids.len()), ids.into_iter().map(Value::Int).collect::<Vec<_>>());
        let events = format!("DELETE FROM inbox_event WHERE id IN ({of_ids}) AND raw IS NULL AND state <> 'new'");
        let told = format!(
            "DELETE FROM hook_delivery WHERE event_id IN ({of_ids}) \
             AND NOT EXISTS (SELECT 1 FROM inbox_event i WHERE i.id = hook_delivery.event_id)"
        );
        let delete = [events, told].map(|sql| Statement { sql: sql.into(), args: args.clone() });
        let start = Instant::now();
        let deleted = self.commit(delete.into()).await?[0];
        Ok(Some(Step { deleted, held: start.elapsed() }))
    }

    /// Deletes the row of a person and the openid of their erasures, unless they have returned meanwhile.
    pub async fn purge_person(&self, person: &Remembered, remains: &Remains) -> Result<Step> {
        let (condition, args) = remains.condition();
        let of: Vec<Value> = vec![person.account.as_str().into(), person.openid.as_str().into()];
        let delete = format!("DELETE FROM user_mapping WHERE id = ? AND {condition}");
        let statements = vec![
            Statement { sql: delete.into(), args: [vec![Value::Int(person.id)], args].concat() },
            // The receipt tells the person by a keyed hash: the chain stays whole.
            Statement {
                sql: "UPDATE erasure SET openid = NULL WHERE account = ? AND openid = ? AND state = 'sealed' \
                      AND NOT EXISTS (SELECT 1 FROM user_mapping u WHERE u.account = erasure.account \
                      AND u.openid = erasure.openid)"
                    .into(),
                args: of.clone(),
            },
        ];
        // What is known of them beside it, under the same condition: they did not return.
        let statements =
            ["hook_person", "hook_delivery", "location_gone"].into_iter().fold(statements, |mut all, table| {
                let sql = format!(
                    "DELETE FROM {table} WHERE account = ? AND openid = ? AND NOT EXISTS (SELECT 1 FROM user_mapping u \
                 WHERE u.account = {table}.account AND u.openid = {table}.openid)"
                );
                all.push(Statement { sql: sql.into(), args: of.clone() });
                all
            });
        let start = Instant::now();
        let deleted = self.commit(statements).await?[0];
        Ok(Step { deleted, held: start.elapsed() })
    }
}
