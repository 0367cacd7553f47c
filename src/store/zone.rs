//! The clock of `user_mapping` where another program writes it too: its DATETIMEs are in that program's offset, all
//! other times in UTC.
//!
//! Statements are made in UTC, as everywhere, and pass one of two doors: what is written, [`written`], what is read,
//! [`asked`]. Both go by the text. A statement about `user_mapping` alone gets its times in that clock. One that names
//! another table too keeps them, and the columns are brought to UTC: they must be written `u.erased_to` or
//! `user_mapping.erased_to`, see [`in_utc`]; [`is_plain`] catches what is not wherever debug assertions are on.
//!
//! The session's time_zone is the same offset. So TIMESTAMP columns come in it too, and `CURRENT_TIMESTAMP` in a
//! default, an ON UPDATE or a trigger of the other program means what it means to that program.

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
        match Names::of(&statement.sql) {
            Names::Others => {}
            Names::Both => statement.sql = in_utc(Some(self), &statement.sql).into_owned().into(),
            Names::Table => {
                for arg in &mut statement.args {
                    if let Value::Time(time) = arg {
                        *time = self.kept(*time);
                    }
                }
            }
        }
    }

    /// A time as the table keeps it: what [`Zone::into`] does to an argument.
    pub(super) fn kept(self, time: DateTime<Utc>) -> DateTime<Utc> {
        (time + self.ahead()).trunc_subsecs(0)
    }

    /// A time that was read, in UTC.
    pub(super) fn out(self, time: DateTime<Utc>) -> DateTime<Utc> {
        time - self.ahead()
    }
}

/// Statements on their way to the database.
pub(super) fn written(zone: Option<Zone>, statements: &mut [Statement]) {
    for statement in statements {
        debug_assert!(is_plain(&statement.sql), "columns of two clocks: {}", statement.sql);
        if let Some(zone) = zone {
            zone.into(statement);
        }
    }
}

/// A query on its way to the database, and the clock that its rows are to be read by. A bound keeps its fraction: the
/// database compares it, whatever a column keeps.
pub(super) fn asked<'a>(zone: Option<Zone>, sql: &'a str, args: &mut [Value]) -> (Cow<'a, str>, Option<Zone>) {
    debug_assert!(is_plain(sql), "columns of two clocks: {sql}");
    let Some(zone) = zone else { return (Cow::Borrowed(sql), None) };
    match Names::of(sql) {
        Names::Others => (Cow::Borrowed(sql), None),
        Names::Both => (in_utc(Some(zone), sql), None),
        Names::Table => {
            for arg in args {
                if let Value::Time(time) = arg {
                    *time += zone.ahead();
                }
            }
            (Cow::Borrowed(sql), Some(zone))
        }
    }
}

/// SQL with the time columns of user_mapping, where they are written with their table, brought to UTC.
pub(super) fn in_utc(zone: Option<Zone>, sql: &str) -> Cow<'_, str> {
    let Some(zone) = zone.filter(|zone| zone.minutes() != 0) else { return Cow::Borrowed(sql) };
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    while let Some((at, column)) = next_time(rest) {
        let begin = if rest[..at].ends_with("user_mapping.") { at - "user_mapping.".len() } else { at - "u.".len() };
        out.push_str(&rest[..begin]);
        let minutes = zone.minutes();
        out.push_str(&format!("({} - INTERVAL {minutes} MINUTE)", &rest[begin..at + column]));
        rest = &rest[at + column..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The time columns of user_mapping.
const TIMES: &[&str] =
    &["follow_time", "unfollow_time", "created_at", "updated_at", "erased_at", "erased_to", "qr_scene_time", "gone_at"];
/// Those that no other table has.
const ITS_OWN: &[&str] = &["follow_time", "unfollow_time", "updated_at", "qr_scene_time"];

/// Where the next one stands that is written with its table, and how long it is.
fn next_time(sql: &str) -> Option<(usize, usize)> {
    words(sql).find(|(at, word)| TIMES.contains(word) && is_qualified(sql, *at)).map(|(at, word)| (at, word.len()))
}

fn is_qualified(sql: &str, at: usize) -> bool {
    let before = &sql[..at];
    let alone = |name: &str| {
        before.strip_suffix(name).is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    alone("u.") || alone("user_mapping.")
}

/// Words, and where they stand.
fn words(sql: &str) -> impl Iterator<Item = (usize, &str)> {
    let parts = sql.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    parts.map(|word| (word.as_ptr() as usize - sql.as_ptr() as usize, word)).filter(|(_, word)| !word.is_empty())
}

/// Which tables a statement names.
#[derive(Debug, PartialEq, Eq)]
enum Names {
    /// Others alone.
    Others,
    /// user_mapping alone, or with the tables of tags, which have no times.
    Table,
    /// user_mapping and others.
    Both,
}

impl Names {
    fn of(sql: &str) -> Names {
        if !sql.contains(TABLE) {
            return Names::Others;
        }
        let mut before = "";
        for (_, word) in words(sql) {
            let names = matches!(before, "FROM" | "JOIN" | "INTO") || (before == "UPDATE" && word != "SET");
            if names && !matches!(word, TABLE | "user_tag" | "tag" | "SELECT") {
                return Names::Both;
            }
            before = word;
        }
        Names::Table
    }
}

/// Whether a statement that names user_mapping and another table writes its time columns with their table.
fn is_plain(sql: &str) -> bool {
    Names::of(sql) != Names::Both || words(sql).all(|(at, word)| !ITS_OWN.contains(&word) || is_qualified(sql, at))
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
        let query = "SELECT follow_time FROM user_mapping WHERE follow_time >= ? AND EXISTS (SELECT 1 FROM user_tag)";
        let (sql, zone) = asked(east(), query, &mut args);
        let [Value::Time(bound)] = args else { panic!() };
        assert_eq!((&*sql, zone.unwrap().out(bound)), (query, moment()), "a bound keeps its fraction");
        assert_eq!(asked(east(), "SELECT received_at FROM inbox_event", &mut []).1, None);
    }

    #[test]
    fn beside_another_table_its_columns_are_brought_to_utc() {
        let sql = "UPDATE inbox_event SET raw = NULL WHERE event_time <= ?1 AND EXISTS (SELECT 1 FROM user_mapping u \
                   WHERE u.erased_to >= inbox_event.event_time AND user_mapping.erased_at = ?1 AND menu.erased_at = 1)";
        let mut one = [stmt!(sql, moment())];
        written(east(), &mut one);
        assert_eq!(one[0].args, [Value::Time(moment())]);
        let [(was, is), (was_too, is_too)] = [
            ("u.erased_to >=", "(u.erased_to - INTERVAL 480 MINUTE) >="),
            ("user_mapping.erased_at =", "(user_mapping.erased_at - INTERVAL 480 MINUTE) ="),
        ];
        assert_eq!(one[0].sql, sql.replace(was, is).replace(was_too, is_too));
        assert_eq!(in_utc(None, sql), sql);
    }

    #[test]
    fn a_column_of_two_clocks_is_found() {
        let mixed =
            "UPDATE inbox_event SET raw = NULL WHERE EXISTS (SELECT 1 FROM user_mapping WHERE unfollow_time >= ?)";
        assert!(!is_plain(mixed));
        assert!(is_plain(&mixed.replace("WHERE unfollow", "u WHERE u.unfollow")));
        assert!(is_plain("UPDATE user_mapping SET updated_at = ?"));
        assert!(is_plain("INSERT IGNORE INTO user_mapping (account, updated_at) VALUES (?, ?)"));
    }
}
