//! The clock of `user_mapping` where another program writes it too: its DATETIMEs are in that program's offset, all
//! other times in UTC.
//!
//! Statements are made in UTC, as everywhere, and pass one of two doors: what is written, [`Zone::into`], what is
//! read, [`Zone::out`]. Both go by the text: whatever names `user_mapping` is about its clock. So a statement must
//! not bind times of two tables; [`one_clock`] catches that wherever debug assertions are on. A comparison of its
//! columns with those of another table is made here, see [`left`].
//!
//! The session's time_zone is the same offset. So TIMESTAMP columns come in it too, and `CURRENT_TIMESTAMP` in a
//! default, an ON UPDATE or a trigger of the other program means what it means to that program.

use super::inbox::LEFT;
use super::{Statement, Value};
use chrono::{DateTime, FixedOffset, SubsecRound, TimeDelta, Utc};
use std::borrow::Cow;

/// The table that is meant.
const TABLE: &str = "user_mapping";

/// How far the times of user_mapping are ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(FixedOffset);

impl From<FixedOffset> for Zone {
    fn from(offset: FixedOffset) -> Self {
        Zone(offset)
    }
}

impl Zone {
    /// As MySQL takes it for a time_zone: `+08:00`.
    pub fn text(self) -> String {
        self.0.to_string()
    }

    /// Minutes ahead of UTC.
    pub(super) fn minutes(self) -> i32 {
        self.0.local_minus_utc() / 60
    }

    /// How far its clock is ahead.
    fn ahead(self) -> TimeDelta {
        TimeDelta::seconds(self.0.local_minus_utc().into())
    }

    /// The times that a statement writes and compares: by the clock of the table, in whole seconds. The other
    /// program's columns may keep no more, and MySQL rounds half of a second up: what is written must be what is
    /// compared later.
    fn into(self, statement: &mut Statement) {
        if !statement.sql.contains(TABLE) {
            return;
        }
        for arg in &mut statement.args {
            if let Value::Time(time) = arg {
                *time = (*time + self.ahead()).trunc_subsecs(0);
            }
        }
    }

    /// The times that a query compares: the database compares fractions whatever a column keeps.
    fn asked(self, args: &mut [Value]) {
        for arg in args {
            if let Value::Time(time) = arg {
                *time += self.ahead();
            }
        }
    }

    /// A time that was read, in UTC.
    pub(super) fn out(self, time: DateTime<Utc>) -> DateTime<Utc> {
        time - self.ahead()
    }
}

/// Statements on their way to the database.
pub(super) fn written(zone: Option<Zone>, statements: &mut [Statement]) {
    for statement in statements {
        debug_assert!(one_clock(&statement.sql, &statement.args), "times of two clocks: {}", statement.sql);
        if let Some(zone) = zone {
            zone.into(statement);
        }
    }
}

/// A query on its way to the database; the clock that its rows are to be read by.
pub(super) fn asked(zone: Option<Zone>, sql: &str, args: &mut [Value]) -> Option<Zone> {
    debug_assert!(one_clock(sql, args), "times of two clocks: {sql}");
    let zone = zone.filter(|_| sql.contains(TABLE))?;
    zone.asked(args);
    Some(zone)
}

/// Whether the person of a row of inbox_event has left since it happened, see [`LEFT`].
pub(super) fn left(zone: Option<Zone>) -> Cow<'static, str> {
    const COMPARED: &str = "u.unfollow_time >= inbox_event.event_time";
    let Some(zone) = zone else { return Cow::Borrowed(LEFT) };
    debug_assert!(LEFT.contains(COMPARED));
    // In whole seconds, as the one side is kept: u >= floor(e) is u > e - 1.
    let seconds = zone.ahead().num_seconds() - 1;
    LEFT.replace(COMPARED, &format!("u.unfollow_time > inbox_event.event_time + INTERVAL {seconds} SECOND")).into()
}

/// Whether a statement binds times of one clock only: of user_mapping, or of other tables.
fn one_clock(sql: &str, args: &[Value]) -> bool {
    if !sql.contains(TABLE) || !args.iter().any(|arg| matches!(arg, Value::Time(_))) {
        return true;
    }
    let words: Vec<&str> = sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    let named = words.windows(2).filter(|pair| matches!(pair[0], "FROM" | "JOIN" | "INTO" | "UPDATE"));
    // Tags have no times; SET and SELECT follow an UPDATE or INTO of nothing.
    named.map(|pair| pair[1]).all(|table| matches!(table, TABLE | "user_tag" | "tag" | "SELECT"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::value::stmt;
    use super::*;
    use chrono::TimeZone;

    fn east() -> Option<Zone> {
        Some(FixedOffset::east_opt(8 * 3600).unwrap().into())
    }

    fn moment() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 21, 18, 0, 0).unwrap() + TimeDelta::milliseconds(700)
    }

    #[test]
    fn only_times_of_user_mapping_are_by_its_clock() {
        let mut two = [
            stmt!("UPDATE user_mapping SET follow_time = ? WHERE info_due_at = ?", moment(), 7),
            stmt!("UPDATE inbox_event SET raw = NULL WHERE event_time <= ?", moment()),
        ];
        let same = two.clone();
        written(None, &mut two);
        assert_eq!(two, same, "UTC is untouched");
        written(east(), &mut two);
        let there = Utc.with_ymd_and_hms(2026, 11, 22, 2, 0, 0).unwrap();
        assert_eq!(two[0].args, [Value::Time(there), Value::Int(7)], "whole seconds, never later than it was");
        assert_eq!(two[1], same[1]);

        let mut args = [Value::Time(moment())];
        let zone = asked(east(), "SELECT follow_time FROM user_mapping WHERE follow_time >= ?", &mut args).unwrap();
        let [Value::Time(bound)] = args else { panic!() };
        assert_eq!(zone.out(bound), moment(), "a bound keeps its fraction");
        assert_eq!(asked(east(), "SELECT received_at FROM inbox_event", &mut []), None);
    }

    #[test]
    fn a_statement_that_binds_times_of_two_clocks_is_found() {
        let time = [Value::Time(moment())];
        let mixed =
            "UPDATE inbox_event SET raw = NULL WHERE EXISTS (SELECT 1 FROM user_mapping u WHERE u.unfollow_time >= ?)";
        assert!(!one_clock(mixed, &time));
        assert!(one_clock(mixed, &[Value::Int(1)]), "no time is bound");
        let tags =
            "SELECT id FROM user_mapping WHERE follow_time > ? AND EXISTS (SELECT 1 FROM user_tag JOIN tag ON 1)";
        assert!(one_clock(tags, &time));
        assert!(one_clock("UPDATE user_mapping SET updated_at = ?", &time));
    }

    /// Two columns with clocks of their own are compared by [`left`] and nowhere else.
    #[test]
    fn columns_of_two_clocks_meet_in_one_place() {
        let store = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![store];
        let (mut files, mut found) = (0, Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                files += 1;
                let of_people =
                    ["u.follow_time", "u.unfollow_time", "user_mapping.follow_time", "user_mapping.unfollow_time"];
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if of_people.iter().any(|column| text.contains(column)) {
                    found.push(name);
                }
            }
        }
        found.sort();
        assert!(files > 100, "{files} files");
        // The text that left() changes, and the one of SQLite, whose clock is always UTC.
        assert_eq!(found, ["inbox.rs", "sqlite.rs", "zone.rs"]);
    }
}
