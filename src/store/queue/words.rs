//! What the two databases say differently about the queue's times: DATETIME(3) in UTC on MySQL, where the CRM's own
//! people read them, milliseconds on SQLite. All by the database's clock, which the trigger writes by too.

use super::super::Dialect;

/// The queue's times, in the words of a database.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(pub Dialect);

impl Words {
    /// Now, for a due time or a lease.
    pub fn now(self) -> &'static str {
        match self.0 {
            Dialect::Sqlite => self.0.now_ms(),
            Dialect::MySql => "UTC_TIMESTAMP(3)",
        }
    }

    /// So many milliseconds from now; fewer than none: ago.
    pub fn after(self, ms: i64) -> String {
        match self.0 {
            Dialect::Sqlite => format!("({} + {ms})", self.now()),
            Dialect::MySql => format!("(UTC_TIMESTAMP(3) + INTERVAL {} MICROSECOND)", ms.saturating_mul(1000)),
        }
    }

    /// Now, for a time that people read.
    pub fn stamp(self) -> &'static str {
        match self.0 {
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
            Dialect::MySql => "UTC_TIMESTAMP(3)",
        }
    }

    /// A time that people read, so many milliseconds ago.
    pub fn stamp_ago(self, ms: i64) -> String {
        match self.0 {
            Dialect::Sqlite => {
                let (seconds, rest) = (ms / 1000, ms % 1000);
                format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{seconds}.{rest:03} seconds')")
            }
            Dialect::MySql => self.after(-ms),
        }
    }

    /// A due time or a lease, milliseconds since 1970.
    pub fn ms(self, column: &str) -> String {
        match self.0 {
            Dialect::Sqlite => column.to_owned(),
            Dialect::MySql => micros(column),
        }
    }

    /// A time that people read, milliseconds since 1970.
    pub fn stamp_ms(self, column: &str) -> String {
        match self.0 {
            Dialect::Sqlite => format!("CAST(ROUND(unixepoch({column}, 'subsec') * 1000) AS INTEGER)"),
            Dialect::MySql => micros(column),
        }
    }

    /// A column of JSON as text: MySQL has a type of its own for it.
    pub fn json(self, column: &str) -> String {
        match self.0 {
            Dialect::Sqlite => column.to_owned(),
            Dialect::MySql => format!("CAST({column} AS CHAR CHARACTER SET utf8mb4)"),
        }
    }

    /// UPDATE of the rows that a query names, by their id: `set` and `still` speak of the table as `q`.
    pub fn update_those(self, these: &str, set: &str, still: &str) -> String {
        match self.0 {
            Dialect::Sqlite => {
                format!("UPDATE member_notification_queue AS q SET {set} WHERE q.id IN ({these}) AND {still}")
            }
            // By IN (SELECT …) MariaDB reads the whole table.
            Dialect::MySql => format!(
                "UPDATE member_notification_queue AS q JOIN ({these}) AS these ON these.id = q.id SET {set} WHERE {still}"
            ),
        }
    }
}

fn micros(column: &str) -> String {
    format!("CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {column}) DIV 1000 AS SIGNED)")
}
