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
            self.begin_to_look(&format!("SELECT CAST(COALESCE(MAX({id}), 0) AS SIGNED) FROM {table}")).await?;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{QueueDb, Wish};
    use crate::domain::notice::{Kind, Source};
    use crate::domain::secret::Secret;
    use crate::store::tests::{Scene, mariadb, sqlite};

    fn source() -> Source {
        Source {
            table: "members".into(),
            id: "id".into(),
            fields: vec!["member_no".into()],
            kinds: vec![Kind::New],
            changed: vec![],
            status: "status".into(),
            max_attempts: 3,
        }
    }

    async fn register(db: &QueueDb, ids: impl Iterator<Item = i64>) {
        let rows: Vec<_> = ids.map(|id| format!("({id}, 'M{id}', '2026-11-28', '2026-11-28')")).collect();
        let sql = format!("INSERT INTO members (id, member_no, created_at, updated_at) VALUES {}", rows.join(", "));
        db.ddl(&[sql]).await.unwrap();
    }

    async fn number(db: &QueueDb, sql: &str) -> i64 {
        db.row(sql, vec![], |row| row.int(0)).await.unwrap().unwrap()
    }

    async fn story(scene: Option<Scene>) {
        let Some(scene) = scene else { return };
        let db = QueueDb::over(scene.open().await, &Secret::new("sqlite://t.db"));
        let source = source();
        let wish = Wish { source: &source, by_trigger: false, definer: None, demo: true };
        let plan = db.plan(&wish).await.unwrap();
        // Those from before are nobody's news.
        db.ddl(&[super::super::schema::demo(db.dialect(), "members").unwrap().sql]).await.unwrap();
        register(&db, [1, 2].into_iter()).await;
        db.carry_out(&plan).await.unwrap();
        assert_eq!(db.look(&source, 10).await.unwrap(), 0);

        register(&db, 3..=1_200).await;
        assert_eq!(db.look(&source, 1).await.unwrap(), 500, "a batch");
        assert_eq!(db.look(&source, 10).await.unwrap(), 698, "the rest");
        assert_eq!(db.look(&source, 10).await.unwrap(), 0);
        let row = "SELECT COUNT(*) FROM member_notification_queue WHERE dedupe_key = 'member_created:7' AND payload LIKE '%M7%'";
        assert_eq!(number(&db, row).await, 1);

        // 1300 commits before 1250: seen when the last minute is looked at again.
        register(&db, [1_300].into_iter()).await;
        assert_eq!(db.look(&source, 10).await.unwrap(), 1);
        register(&db, [1_250].into_iter()).await;
        assert_eq!(db.look(&source, 10).await.unwrap(), 0, "not at every look");
        let earlier = |column: &str, ms: i64| vec![format!("UPDATE queue_capture SET {column} = {column} - {ms}")];
        db.ddl(&earlier("looked_at", 5_000)).await.unwrap();
        assert_eq!(db.look(&source, 10).await.unwrap(), 1);
        // A minute later, and one more: who is later than that was no transaction of a registration.
        register(&db, [1_260].into_iter()).await;
        db.ddl(&earlier("mark_at", 60_000)).await.unwrap();
        assert_eq!(db.look(&source, 10).await.unwrap(), 1);
        assert_eq!(number(&db, "SELECT done_id FROM queue_capture").await, 2, "what was seen when the mark was set");
        db.ddl(&earlier("mark_at", 60_000)).await.unwrap();
        assert_eq!(db.look(&source, 10).await.unwrap(), 0);
        assert_eq!(number(&db, "SELECT done_id FROM queue_capture").await, 1_300);

        // Eight at once find each once; a clock that was set back does no harm.
        register(&db, 1_301..=1_400).await;
        let looks = (0..8).map(|_| {
            let (db, source) = (db.clone(), source.clone());
            tokio::spawn(async move { db.look(&source, 10).await.unwrap() })
        });
        let mut found = 0;
        for look in looks.collect::<Vec<_>>() {
            found += look.await.unwrap();
        }
        assert_eq!(found, 100);
        db.ddl(&earlier("mark_at", -3_600_000)).await.unwrap();
        assert_eq!(db.look(&source, 10).await.unwrap(), 0);
        assert_eq!(number(&db, "SELECT COUNT(*) FROM member_notification_queue").await, 1_301);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn new_members_are_found_once_also_those_that_commit_late_on_sqlite() {
        story(sqlite().await).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn new_members_are_found_once_also_those_that_commit_late_on_mariadb() {
        story(mariadb().await).await;
    }
}
