//! `hook_delivery` for people: what it shows, and what they decide.

use super::Store;
use super::read::Row;
use super::value::stmt;
use crate::error::Result;
use chrono::{DateTime, Utc};

/// A delivery as people see it.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// hook_delivery.id
    pub id: i64,
    /// The hook's name.
    pub hook: String,
    /// inbox_event.id; `None`: that a person was erased.
    pub event_id: Option<i64>,
    /// The account's name.
    pub account: String,
    /// The kind of the event; `None` where it is gone, or never was one.
    pub kind: Option<String>,
    /// pending, sending, delivered, failed, unknown, erased or gone.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is next tried, milliseconds.
    pub due_at: i64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// When it became due first.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// How many deliveries of a hook are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookCount {
    /// The hook's name.
    pub hook: String,
    /// pending, sending, failed, unknown or gone.
    pub state: String,
    /// How many.
    pub count: i64,
    /// When the first of them was or is due, milliseconds.
    pub first_due: i64,
}

const COLUMNS: &str = "d.id, d.hook, d.event_id, d.account, e.kind, d.state, d.attempts, d.due_at, d.last_error, \
     d.created_at, d.ended_at FROM hook_delivery d LEFT JOIN inbox_event e ON e.id = d.event_id";

fn delivery_row(row: &Row) -> Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: row.int(0)?,
        hook: row.text(1)?,
        event_id: row.opt_int(2)?,
        account: row.text(3)?,
        kind: row.opt_text(4)?,
        state: row.text(5)?,
        attempts: row.int(6)?,
        due_at: row.int(7)?,
        last_error: row.opt_text(8)?,
        created_at: row.time(9)?,
        ended_at: row.opt_time(10)?,
    })
}

impl Store {
    /// What became of an event at each hook.
    pub async fn deliveries_of(&self, event: i64) -> Result<Vec<DeliveryRow>> {
        let sql = format!("SELECT {COLUMNS} WHERE d.event_id = ? ORDER BY d.hook");
        self.rows(&sql, vec![event.into()], delivery_row).await
    }

    /// Deliveries whose outcome is not known, oldest first; the next page is asked with `after` = the last id.
    pub async fn unknown_deliveries(&self, account: Option<&str>, after: i64, limit: i64) -> Result<Vec<DeliveryRow>> {
        let sql = format!(
            "SELECT {COLUMNS} WHERE d.state = 'unknown' AND d.id > ? AND (? IS NULL OR d.account = ?) ORDER BY d.id LIMIT ?"
        );
        let args = vec![after.into(), account.into(), account.into(), limit.into()];
        self.rows(&sql, args, delivery_row).await
    }

    /// How many deliveries of each hook wait, failed, or ended in doubt. What went well is not counted: it is many.
    pub async fn hook_counts(&self) -> Result<Vec<HookCount>> {
        let sql = "SELECT hook, state, COUNT(*), MIN(due_at) FROM hook_delivery \
                   WHERE state IN ('pending', 'sending', 'failed', 'unknown', 'gone') GROUP BY hook, state ORDER BY hook, state";
        self.rows(sql, vec![], |row| {
            Ok(HookCount { hook: row.text(0)?, state: row.text(1)?, count: row.int(2)?, first_due: row.int(3)? })
        })
        .await
    }

    /// Events whose delivery to a hook failed or found nobody, oldest first; the next page with `after` = the last id.
    pub async fn failed_deliveries(&self, hook: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
        let sql = "SELECT event_id FROM hook_delivery WHERE state IN ('failed', 'gone') AND hook = ? AND event_id > ? \
                   ORDER BY event_id LIMIT ?";
        self.rows(sql, vec![hook.into(), after.into(), limit.into()], |row| row.int(0)).await
    }

    /// Whether [`Store::replay_hook`] would find something to tell.
    pub async fn can_replay_hook(&self, event: i64, hook: &str) -> Result<bool> {
        let sql = format!(
            "SELECT e.id FROM inbox_event e WHERE e.id = ? AND {TELLS} AND NOT EXISTS (SELECT 1 FROM hook_delivery d \
             WHERE d.event_id = e.id AND d.hook = ? AND d.state = 'sending' AND d.lease_until > {})",
            self.dialect.now_ms()
        );
        Ok(self.row(&sql, vec![event.into(), hook.into()], |row| row.int(0)).await?.is_some())
    }

    /// Makes one delivery due, with a clean slate, also one that there never was; a hook that rests is tried at once.
    /// False where there is nothing to tell: no such event, its person is erased, or it is being sent just now.
    pub async fn replay_hook(&self, event: i64, hook: &str, now_ms: i64) -> Result<bool> {
        let bare = format!(
            "{} INTO hook_delivery (event_id, hook, account, state, due_at, created_at) \
             SELECT e.id, ?, e.account, 'pending', ?, ? FROM inbox_event e WHERE e.id = ? AND {TELLS}",
            self.dialect.insert_new()
        );
        let again = format!(
            "UPDATE hook_delivery SET state = 'pending', attempts = 0, due_at = ?, lease = NULL, lease_until = 0, \
             last_error = NULL, ended_at = NULL WHERE event_id = ? AND hook = ? AND (state <> 'sending' OR lease_until <= {}) \
             AND EXISTS (SELECT 1 FROM inbox_event e WHERE e.id = event_id AND {TELLS})",
            self.dialect.now_ms()
        );
        let statements =
            vec![stmt!(bare, hook, now_ms, super::time_of(now_ms), event), stmt!(again, now_ms, event, hook)];
        let done = self.commit(statements).await?[1] == 1;
        if done {
            self.wake_hook(hook).await?;
        }
        Ok(done)
    }

    /// A person mended a hook, or changed where it leads: it may be tried at once.
    pub async fn wake_hook(&self, hook: &str) -> Result<()> {
        let sql = "UPDATE channel SET paused_until = 0, probe_lease = 0 WHERE account = '*' AND api = ?";
        self.commit(vec![stmt!(sql, format!("hook:{hook}"))]).await.map(drop)
    }

    /// A person found out that a delivery of unknown outcome had arrived; false where there is no such one.
    pub async fn resolve_delivery(&self, id: i64, now_ms: i64) -> Result<bool> {
        let sql = "UPDATE hook_delivery SET state = 'delivered', ended_at = ? WHERE id = ? AND state = 'unknown'";
        Ok(self.commit(vec![stmt!(sql, super::time_of(now_ms), id)]).await?[0] == 1)
    }
}

/// An event of which a hook can be told: its message is there, or it is the news that its person left.
const TELLS: &str = "(e.raw IS NOT NULL OR e.kind = 'event.unsubscribe')";
