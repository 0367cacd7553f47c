//! The queue in figures: its depth by state, and how it went by day (seed 002's statistics). The days are Beijing's.

use super::super::{Dialect, Store};
use super::words::Words;
use crate::error::Result;

/// The queue now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Depth {
    /// Rows by state.
    pub states: Vec<(String, i64)>,
    /// Rows that are due.
    pub due: i64,
    /// For how long the oldest row that is due or in hand has waited since it was made, milliseconds.
    pub oldest_ms: Option<i64>,
    /// When the next row is due that is not yet, milliseconds from now.
    pub next_in_ms: Option<i64>,
    /// Rows that may have gone out twice.
    pub suspect: i64,
}

/// A day.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// `2026-11-28`.
    pub day: String,
    /// Rows that were sent.
    pub sent: i64,
    /// Of these, within a minute after they were made.
    pub within_a_minute: i64,
    /// Rows that were given up.
    pub dead: i64,
    /// From being made to being sent, milliseconds: on average, and the longest.
    pub latency_ms: Option<(f64, i64)>,
}

impl Store {
    /// The queue now.
    pub async fn queue_depth(&self) -> Result<Depth> {
        let words = Words(self.dialect);
        let (now, now_ms) = (words.now(), self.dialect.now_ms());
        let states = self
            .rows(
                "SELECT status, COUNT(*) FROM member_notification_queue GROUP BY status ORDER BY status",
                vec![],
                |row| Ok((row.text(0)?, row.int(1)?)),
            )
            .await?;
        let due = format!(
            "SELECT COUNT(*) FROM member_notification_queue WHERE status = 'pending' AND available_at <= {now}"
        );
        let oldest = format!(
            "SELECT MAX({now_ms} - {}) FROM member_notification_queue WHERE status = 'processing' \
             OR (status = 'pending' AND available_at <= {now})",
            words.stamp_ms("created_at")
        );
        let next = format!(
            "SELECT MIN({}) - {now_ms} FROM member_notification_queue WHERE status = 'pending' AND available_at > {now}",
            words.ms("available_at")
        );
        let suspect = "SELECT COUNT(*) FROM member_notification_queue WHERE suspect = 1";
        Ok(Depth {
            states,
            due: self.row(&due, vec![], |row| row.int(0)).await?.unwrap_or(0),
            oldest_ms: self.row(&oldest, vec![], |row| row.opt_int(0)).await?.flatten(),
            next_in_ms: self.row(&next, vec![], |row| row.opt_int(0)).await?.flatten(),
            suspect: self.row(suspect, vec![], |row| row.int(0)).await?.unwrap_or(0),
        })
    }

    /// Pending, in hand and given up, and for how long the oldest that is due has waited (milliseconds): by the index.
    pub async fn queue_gauges(&self) -> Result<(i64, i64, i64, Option<i64>)> {
        let count = async |state: &str| {
            let sql = "SELECT COUNT(*) FROM member_notification_queue WHERE status = ?";
            Ok::<_, crate::error::Error>(self.row(sql, vec![state.into()], |row| row.int(0)).await?.unwrap_or(0))
        };
        let oldest = self.oldest_due_ms().await?;
        Ok((count("pending").await?, count("processing").await?, count("dead").await?, oldest))
    }

    /// The last so many days, the oldest first; days without a row are left out.
    pub async fn queue_days(&self, days: u32) -> Result<Vec<Day>> {
        let words = Words(self.dialect);
        let day = match self.dialect {
            Dialect::Sqlite => "date(processed_at, '+8 hours')",
            Dialect::MySql => "DATE_FORMAT(processed_at + INTERVAL 8 HOUR, '%Y-%m-%d')",
        };
        let latency = format!("({} - {})", words.stamp_ms("processed_at"), words.stamp_ms("created_at"));
        let sent = format!("CASE WHEN status = 'sent' THEN {latency} END");
        let ago = i64::from(days) * 86_400_000;
        let sql = format!(
            "SELECT {day} AS day, CAST(COUNT({sent}) AS SIGNED), \
             CAST(COUNT(CASE WHEN status = 'sent' AND {latency} <= 60000 THEN 1 END) AS SIGNED), \
             CAST(COUNT(CASE WHEN status = 'dead' THEN 1 END) AS SIGNED), CAST(COALESCE(SUM({sent}), 0) AS SIGNED), \
             CAST(COALESCE(MAX({sent}), 0) AS SIGNED) \
             FROM member_notification_queue WHERE status IN ('sent', 'dead') AND processed_at >= {} GROUP BY day ORDER BY day",
            words.stamp_ago(ago)
        );
        let sql = if self.dialect == Dialect::Sqlite { sql.replace("AS SIGNED", "AS INTEGER") } else { sql };
        self.rows(&sql, vec![], |row| {
            let count = row.int(1)?;
            let latency_ms = (count > 0).then(|| Ok((row.int(4)? as f64 / count as f64, row.int(5)?))).transpose()?;
            Ok(Day { day: row.text(0)?, sent: count, within_a_minute: row.int(2)?, dead: row.int(3)?, latency_ms })
        })
        .await
    }
}
