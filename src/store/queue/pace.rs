//! `send_pace`: what was sent to whom and when, for the last hour. The platform drops silently what exceeds 30 messages in a
//! minute or 1,000 in an hour to one person (WeCom reference 3), and where its window begins is not documented: so never
//! more than that within any 60 s and any hour.
//!
//! Every process takes from this one budget. A message counts from when it may be counted last: while it is under way that
//! is the end of its time limit, once it is answered the moment of the answer.

use super::super::value::stmt;
use super::super::{Dialect, Statement, Store};
use crate::error::Result;

/// The windows of the platform, milliseconds.
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// A call that is under way is answered, or given up, within this time, milliseconds.
const UNDER_WAY_MS: i64 = 12_000;
/// Rows of the ledger that go at once.
const PURGE: u32 = 2_000;
/// What a message to a party, a tag or everybody counts for: everybody.
const EVERYBODY: &str = "@all";

/// A ledger's page: what is sent by one application, or one robot, to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Whose budget: `corpid:agentid`, or a robot.
    pub app: String,
    /// A userid in small letters; `None`: a party, a tag or everybody.
    pub person: Option<String>,
    /// The row of the queue that is sent.
    pub id: i64,
    /// At most so many within any minute.
    pub minute: i64,
    /// At most so many within any hour.
    pub hour: i64,
}

/// How a message that counted came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The platform has it, or may have it.
    Sent,
    /// It was refused, or never left.
    Not,
}

impl Store {
    /// Takes each share, or not where it would be one too many: told one by one.
    pub async fn take_shares(&self, shares: &[Share]) -> Result<Vec<bool>> {
        if shares.is_empty() {
            return Ok(Vec::new());
        }
        let mut apps: Vec<&str> = shares.iter().map(|share| share.app.as_str()).collect();
        apps.sort_unstable();
        apps.dedup();
        let mut all: Vec<Statement> = apps.iter().flat_map(|app| self.one_at_a_time(app)).collect();
        let begun = all.len();
        all.extend(shares.iter().map(|share| self.take(share)));
        let counts = self.commit(all).await?;
        Ok(counts[begun..].iter().map(|count| *count == 1).collect())
    }

    /// Nobody else takes from the budget of an application until this is committed. A SQLite file has one writer anyway.
    fn one_at_a_time(&self, app: &str) -> Vec<Statement> {
        if self.dialect == Dialect::Sqlite {
            return Vec::new();
        }
        // Two that make the row at once make two of them, and lock both.
        let bare = "INSERT INTO send_pace (app, recipient, queue_id, sent_at) SELECT ?, '', 0, 0 FROM DUAL \
                    WHERE NOT EXISTS (SELECT 1 FROM send_pace WHERE app = ? AND recipient = '')";
        let lock = "UPDATE send_pace SET queue_id = queue_id + 1 WHERE app = ? AND recipient = ''";
        vec![stmt!(bare, app, app), stmt!(lock, app)]
    }

    fn take(&self, share: &Share) -> Statement {
        let now = self.dialect.now_ms();
        let from = if self.dialect == Dialect::Sqlite { "" } else { " FROM DUAL" };
        let counted = |window: i64| match share.person {
            Some(_) => format!(
                "(SELECT COUNT(*) FROM send_pace WHERE app = ? AND recipient IN (?, '{EVERYBODY}') AND sent_at > {now} - {window})"
            ),
            // Whoever has had the most may be in it.
            None => format!(
                "(SELECT COALESCE(MAX(had), 0) FROM (SELECT COUNT(*) AS had FROM send_pace WHERE app = ? \
                 AND recipient <> '' AND recipient <> '{EVERYBODY}' AND sent_at > {now} - {window} GROUP BY recipient) AS persons) \
                 + (SELECT COUNT(*) FROM send_pace WHERE app = ? AND recipient = '{EVERYBODY}' AND sent_at > {now} - {window})"
            ),
        };
        let sql = format!(
            "INSERT INTO send_pace (app, recipient, queue_id, sent_at) SELECT ?, ?, ?, {now} + {UNDER_WAY_MS}{from} \
             WHERE {} < ? AND {} < ?",
            counted(MINUTE_MS),
            counted(HOUR_MS)
        );
        let (app, person) = (share.app.as_str(), share.person.as_deref().unwrap_or(EVERYBODY));
        let second = if share.person.is_some() { person } else { app };
        stmt!(sql, app, person, share.id, app, second, share.minute, app, second, share.hour)
    }

    /// When the next share of a budget comes free, milliseconds from now.
    pub async fn free_in_ms(&self, share: &Share) -> Result<i64> {
        let now = self.dialect.now_ms();
        let person = share.person.as_deref().unwrap_or(EVERYBODY);
        let who = if share.person.is_some() { "recipient IN (?, '@all')" } else { "recipient <> '' AND ? <> ''" };
        let sql = format!(
            "SELECT sent_at - {now} FROM send_pace WHERE app = ? AND {who} AND sent_at > {now} - {HOUR_MS} \
             ORDER BY sent_at DESC LIMIT {}",
            share.hour.clamp(1, 10_000)
        );
        let times = self.rows(&sql, vec![share.app.as_str().into(), person.into()], |row| row.int(0)).await?;
        let free = |most: i64, window: i64| {
            let last = usize::try_from(most - 1).ok().and_then(|at| times.get(at)).copied();
            last.map_or(0, |sent| (sent + window).max(0))
        };
        Ok(free(share.minute, MINUTE_MS).max(free(share.hour, HOUR_MS)).clamp(500, HOUR_MS + UNDER_WAY_MS))
    }

    /// The statement that says how a message came out that has taken shares.
    pub(super) fn counted(&self, app: &str, id: i64, how: Counted) -> Statement {
        let now = self.dialect.now_ms();
        match how {
            Counted::Sent => stmt!(
                format!("UPDATE send_pace SET sent_at = {now} WHERE app = ? AND queue_id = ? AND sent_at > {now}"),
                app,
                id
            ),
            Counted::Not => {
                stmt!(format!("DELETE FROM send_pace WHERE app = ? AND queue_id = ? AND sent_at > {now}"), app, id)
            }
        }
    }

    /// Takes out what is older than an hour, a little at a time; and what stands in a future that a clock set back has made
    /// counts as sent just now.
    pub async fn keep_pace(&self) -> Result<()> {
        let now = self.dialect.now_ms();
        let limit = match self.dialect {
            Dialect::Sqlite => format!(
                "DELETE FROM send_pace WHERE id IN (SELECT id FROM send_pace WHERE sent_at < {now} - {HOUR_MS} \
                 AND recipient <> '' LIMIT {PURGE})"
            ),
            Dialect::MySql => {
                format!("DELETE FROM send_pace WHERE sent_at < {now} - {HOUR_MS} AND recipient <> '' LIMIT {PURGE}")
            }
        };
        let back = format!("UPDATE send_pace SET sent_at = {now} WHERE sent_at > {now} + {MINUTE_MS}");
        self.commit(vec![stmt!(limit), stmt!(back)]).await.map(drop)
    }
}
