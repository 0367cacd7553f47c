//! Reading the queue, and a person's word on its rows: send again.

use super::super::read::Row;
use super::super::value::{places, stmt};
use super::super::{Store, Value};
use super::words::Words;
use crate::domain::notice::{Kind, State};
use crate::error::Result;

/// Which rows.
#[derive(Debug, Clone, Default)]
pub struct NoticeFilter {
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this member.
    pub member: Option<i64>,
    /// Only with an error: given up, to be tried again, or not sent to everybody.
    pub failed: bool,
    /// Only what may have gone out twice.
    pub suspect: bool,
    /// Only those below this number.
    pub before: Option<i64>,
}

/// A row of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRow {
    /// Its number.
    pub id: i64,
    /// Whom it tells of.
    pub member_id: i64,
    /// `member_created` and the others.
    pub kind: String,
    /// `pending` and the others.
    pub state: String,
    /// Answered sends, and so many there are at the most.
    pub attempts: (i64, i64),
    /// Claims.
    pub claims: i64,
    /// `app` or `robot`.
    pub channel: Option<String>,
    /// Who is told, JSON.
    pub recipients: Option<String>,
    /// The row whose message tells of it too.
    pub digest_id: Option<i64>,
    /// Whether it may have gone out twice.
    pub suspect: bool,
    /// When it is due, milliseconds.
    pub available_ms: i64,
    /// Who holds it, and until when, milliseconds.
    pub held: Option<(String, i64)>,
    /// The errcode of its last error.
    pub error_code: Option<i64>,
    /// Its last error.
    pub error: Option<String>,
    /// The platform's number of its message.
    pub msgid: Option<String>,
    /// When it was made, milliseconds.
    pub created_ms: i64,
    /// When it came to its end, milliseconds.
    pub processed_ms: Option<i64>,
}

/// All of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeNotice {
    /// The row.
    pub row: NoticeRow,
    /// The member as it was, JSON.
    pub payload: String,
    /// The message, once it is frozen.
    pub body: Option<String>,
    /// The rows that its message tells of, JSON.
    pub digest: Option<String>,
    /// What tells it from others.
    pub dedupe_key: String,
}

impl Store {
    /// Rows, newest first.
    pub async fn notices(&self, filter: &NoticeFilter, most: i64) -> Result<Vec<NoticeRow>> {
        let mut sql = format!("SELECT {} FROM member_notification_queue WHERE 1 = 1", columns(Words(self.dialect)));
        let mut args: Vec<Value> = Vec::new();
        let mut also = |test: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(" AND ");
                sql.push_str(test);
                args.push(value);
            }
        };
        also("status = ?", filter.state.map(|state| state.as_str().into()));
        also("notification_type = ?", filter.kind.map(|kind| kind.as_str().into()));
        also("member_id = ?", filter.member.map(Value::Int));
        also("suspect = ?", filter.suspect.then_some(Value::Int(1)));
        also("id < ?", filter.before.map(Value::Int));
        if filter.failed {
            sql.push_str(" AND (status IN ('dead', 'failed') OR last_error IS NOT NULL)");
        }
        sql.push_str(&format!(" ORDER BY id DESC LIMIT {most}"));
        self.rows(&sql, args, notice).await
    }

    /// One row.
    pub async fn notice(&self, id: i64) -> Result<Option<WholeNotice>> {
        let words = Words(self.dialect);
        let sql = format!(
            "SELECT {}, {}, body, digest, dedupe_key FROM member_notification_queue WHERE id = ?",
            columns(words),
            words.json("payload")
        );
        let whole = |row: &Row<'_>| {
            Ok(WholeNotice {
                row: notice(row)?,
                payload: row.text(COLUMNS)?,
                body: row.opt_text(COLUMNS + 1)?,
                digest: row.opt_text(COLUMNS + 2)?,
                dedupe_key: row.text(COLUMNS + 3)?,
            })
        };
        self.row(&sql, vec![id.into()], whole).await
    }

    /// Makes these rows due at once, with all their attempts before them. What was given up or taken back is made anew;
    /// what is pending goes out as it is; what was sent or is in hand stays. Tells how many there were.
    pub async fn retry_notices(&self, ids: &[i64]) -> Result<u64> {
        let words = Words(self.dialect);
        let (now, stamp) = (words.now(), words.stamp());
        let these = places(ids.len());
        let anew = format!(
            "UPDATE member_notification_queue SET status = 'pending', attempts = 0, available_at = {now}, body = NULL, \
             channel = NULL, recipients = NULL, digest = NULL, digest_id = NULL, processed_at = NULL, updated_at = {stamp} \
             WHERE status IN ('dead', 'failed', 'cancelled') AND id IN ({these})"
        );
        let at_once = format!(
            "UPDATE member_notification_queue SET attempts = 0, available_at = {now}, updated_at = {stamp} \
             WHERE status = 'pending' AND id IN ({these})"
        );
        let args: Vec<Value> = ids.iter().map(|id| Value::Int(*id)).collect();
        let with = |sql: String| {
            let mut statement = stmt!(sql);
            statement.args = args.clone();
            statement
        };
        // What is made anew is pending by then: it is due, and counted once.
        let counts = self.commit(vec![with(at_once), with(anew)]).await?;
        Ok(counts.iter().sum())
    }

    /// Rows in a state with this errcode, the oldest first.
    pub async fn notices_in(&self, state: State, code: Option<i64>, above: i64, most: i64) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT id FROM member_notification_queue WHERE status = ? AND id > ? AND (? IS NULL OR last_error_code = ?) \
             ORDER BY id LIMIT {most}"
        );
        let args = vec![state.as_str().into(), above.into(), code.into(), code.into()];
        self.rows(&sql, args, |row| row.int(0)).await
    }

    /// Rows that came to their end so many milliseconds ago or longer, the oldest first.
    pub async fn old_notices(&self, state: State, ago_ms: i64, most: u32) -> Result<Vec<i64>> {
        let sql = format!("SELECT id {} ORDER BY available_at LIMIT {most}", self.old(ago_ms));
        self.rows(&sql, vec![state.as_str().into()], |row| row.int(0)).await
    }

    /// How many of them there are.
    pub async fn count_old_notices(&self, state: State, ago_ms: i64) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) {}", self.old(ago_ms));
        let count = self.row(&sql, vec![state.as_str().into()], |row| row.int(0)).await?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Which rows are old; the state is the argument.
    fn old(&self, ago_ms: i64) -> String {
        let words = Words(self.dialect);
        format!(
            "FROM member_notification_queue WHERE status = ? AND available_at < {} \
             AND COALESCE(processed_at, updated_at) < {}",
            words.after(-ago_ms),
            words.stamp_ago(ago_ms)
        )
    }

    /// Deletes rows that are still in that state.
    pub async fn delete_notices(&self, state: State, ids: &[i64]) -> Result<u64> {
        let sql = format!("DELETE FROM member_notification_queue WHERE id IN ({}) AND status = ?", places(ids.len()));
        let mut statement = stmt!(sql);
        statement.args = ids.iter().map(|id| Value::Int(*id)).chain([state.as_str().into()]).collect();
        Ok(self.commit(vec![statement]).await?[0])
    }
}

/// So many columns has [`columns`].
const COLUMNS: usize = 19;

fn columns(words: Words) -> String {
    let (available, held) = (words.ms("available_at"), words.ms("locked_until"));
    let (created, processed) = (words.stamp_ms("created_at"), words.stamp_ms("processed_at"));
    format!(
        "id, member_id, notification_type, status, attempts, max_attempts, claims, channel, recipients, digest_id, suspect, \
         {available}, locked_by, {held}, last_error_code, last_error, wecom_msgid, {created}, {processed}"
    )
}

fn notice(row: &Row<'_>) -> Result<NoticeRow> {
    let held = row.opt_text(12)?.zip(row.opt_int(13)?);
    Ok(NoticeRow {
        id: row.int(0)?,
        member_id: row.int(1)?,
        kind: row.text(2)?,
        state: row.text(3)?,
        attempts: (row.int(4)?, row.int(5)?),
        claims: row.int(6)?,
        channel: row.opt_text(7)?,
        recipients: row.opt_text(8)?,
        digest_id: row.opt_int(9)?.filter(|id| *id != 0),
        suspect: row.int(10)? != 0,
        available_ms: row.int(11)?,
        held,
        error_code: row.opt_int(14)?,
        error: row.opt_text(15)?,
        msgid: row.opt_text(16)?,
        created_ms: row.int(17)?,
        processed_ms: row.opt_int(18)?,
    })
}
