//! `capture = "poll"`: new members are found by their ids, for a database that allows no trigger. It reads the members
//! and nothing more.
//!
//! Ids commit out of order: while a transaction with a lower one is open, a higher one can be seen. So ids of the last
//! minute and longer are looked at again; the dedupe_key makes a row once.

use super::super::value::stmt;
use super::QueueDb;
use super::schema::quoted;
use super::trigger::catch_up;
use crate::domain::notice::Source;
use crate::error::Result;

/// Ids in one statement.
const BATCH: i64 = 500;
/// A transaction that makes a member ends within this time, milliseconds.
const LATE_MS: i64 = 60_000;
/// Ids that may still come late are looked at this often, milliseconds.
const AGAIN_MS: i64 = 5_000;

/// How far the members were looked through.
struct Cursor {
    seen: i64,
    mark: i64,
    done: i64,
    /// How long ago the mark was set, and late ones were looked for, milliseconds.
    mark_age: i64,
    looked_age: i64,
}

impl QueueDb {
    /// Brings new members into the queue; tells how many. The first look marks where they begin. At the end of
    /// `batches` it returns with more to be found.
    pub async fn look(&self, source: &Source, batches: u32) -> Result<u64> {
        let Some(members) = self.members(&source.table).await? else { return Err(self.no_members(&source.table)) };
        members.check(source, self.place())?;
        let (id, table) = (quoted(self.dialect(), &source.id), quoted(self.dialect(), &source.table));
        let Some(mut cursor) = self.cursor().await? else {
            self.begin_to_look(&format!("SELECT COALESCE(MAX({id}), 0) FROM {table}")).await?;
            return Ok(0);
        };
        let sql = catch_up(self.dialect(), source, &members);
        let mut found = 0;
        if cursor.mark_age >= LATE_MS || cursor.mark_age < 0 {
            // First those that came late, then nobody can below the mark.
            found += self.bring_in(&sql, cursor.done, cursor.seen).await?;
            self.set_mark(&cursor).await?;
            cursor.done = cursor.mark;
        } else if cursor.looked_age >= AGAIN_MS || cursor.looked_age < 0 {
            found += self.bring_in(&sql, cursor.done, cursor.seen).await?;
            let now = self.dialect().now_ms();
            self.commit(vec![stmt!(format!("UPDATE queue_capture SET looked_at = {now} WHERE id = 1"))]).await?;
        }
        let next =
            format!("SELECT MAX({id}) FROM (SELECT {id} FROM {table} WHERE {id} > ? ORDER BY {id} LIMIT {BATCH}) some");
        for _ in 0..batches {
            let last = self.row(&next, vec![cursor.seen.into()], |row| row.opt_int(0)).await?.flatten();
            let Some(last) = last else { break };
            found += self.bring_in(&sql, cursor.seen, last).await?;
            // Another drain may be ahead.
            let seen = "UPDATE queue_capture SET seen_id = ? WHERE id = 1 AND seen_id < ?";
            self.commit(vec![stmt!(seen, last, last)]).await?;
            cursor.seen = last;
        }
        Ok(found)
    }

    /// Up to where nobody can come late any more; `None` where members were not looked for.
    pub(super) async fn looked_up_to(&self) -> Result<Option<i64>> {
        if self.standing("queue_capture").await?.is_none() {
            return Ok(None);
        }
        self.row("SELECT done_id FROM queue_capture WHERE id = 1", vec![], |row| row.int(0)).await
    }

    /// From now on members are looked for: those beyond the highest there is. Who looks already goes on.
    pub(super) async fn begin_to_look(&self, highest: &str) -> Result<()> {
        let now = self.dialect().now_ms();
        let insert = self.dialect().insert_new();
        let sql = format!(
            "{insert} INTO queue_capture (id, seen_id, mark_id, mark_at, done_id, looked_at) \
             SELECT 1, m.id, m.id, {now}, m.id, {now} FROM (SELECT ({highest}) AS id) m"
        );
        self.commit(vec![stmt!(sql)]).await.map(drop)
    }

    /// A trigger does it from now on.
    pub(super) async fn end_to_look(&self) -> Result<()> {
        self.commit(vec![stmt!("DELETE FROM queue_capture WHERE id = 1")]).await.map(drop)
    }

    async fn cursor(&self) -> Result<Option<Cursor>> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "SELECT seen_id, mark_id, done_id, {now} - mark_at, {now} - looked_at FROM queue_capture WHERE id = 1"
        );
        self.row(&sql, vec![], |row| {
            Ok(Cursor {
                seen: row.int(0)?,
                mark: row.int(1)?,
                done: row.int(2)?,
                mark_age: row.int(3)?,
                looked_age: row.int(4)?,
            })
        })
        .await
    }

    /// Everything up to the mark is done; the next mark is what was seen. By whoever comes first.
    async fn set_mark(&self, cursor: &Cursor) -> Result<()> {
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE queue_capture SET done_id = ?, mark_id = ?, mark_at = {now}, looked_at = {now} \
             WHERE id = 1 AND mark_id = ? AND done_id = ?"
        );
        self.commit(vec![stmt!(sql, cursor.mark, cursor.seen, cursor.mark, cursor.done)]).await.map(drop)
    }
}
