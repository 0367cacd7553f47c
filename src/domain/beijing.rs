//! The platform's days and months: quotas are counted by them and come back with them. They are Beijing's (reference 0),
//! whatever the host's zone.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

/// Asia/Shanghai is ahead of UTC by this much the whole year, in milliseconds.
const OFFSET_MS: i64 = 8 * 3_600_000;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// The number of the day in Shanghai at `now_ms` (milliseconds since 1970).
pub fn day(now_ms: i64) -> i64 {
    (now_ms + OFFSET_MS).div_euclid(DAY_MS)
}

/// The midnight in Shanghai with which the day of `now_ms` began (milliseconds since 1970).
pub fn this_day(now_ms: i64) -> i64 {
    day(now_ms) * DAY_MS - OFFSET_MS
}

/// The next midnight in Shanghai after `now_ms` (milliseconds since 1970).
pub fn next_day(now_ms: i64) -> i64 {
    this_day(now_ms) + DAY_MS
}

/// The midnight in Shanghai with which the month of `now_ms` began (milliseconds since 1970).
pub fn this_month(now_ms: i64) -> i64 {
    this_day(now_ms) - i64::from(in_shanghai(now_ms).day0()) * DAY_MS
}

/// The first midnight of the next month in Shanghai after `now_ms` (milliseconds since 1970).
pub fn next_month(now_ms: i64) -> i64 {
    let today = in_shanghai(now_ms).date_naive();
    let (year, month) = if today.month() == 12 { (today.year() + 1, 1) } else { (today.year(), today.month() + 1) };
    NaiveDate::from_ymd_opt(year, month, 1)
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .map_or_else(|| next_day(now_ms), |midnight| midnight.and_utc().timestamp_millis() - OFFSET_MS)
}

/// A minute in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// A time as people read it, `2026-11-22 00:00 +08:00`; a broken minute counts as the next, so that nobody is early.
pub fn shown(ms: i64) -> String {
    in_shanghai(ms.saturating_add(MINUTE_MS - 1)).format("%Y-%m-%d %H:%M +08:00").to_string()
}

/// The wall clock of Shanghai, dressed as UTC.
fn in_shanghai(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms.saturating_add(OFFSET_MS)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis()
    }

    #[test]
    fn a_day_ends_at_midnight_in_shanghai() {
        assert_eq!(next_day(ms("2026-11-21T15:59:59Z")), ms("2026-11-21T16:00:00Z"));
        assert_eq!(next_day(ms("2026-11-21T16:00:00Z")), ms("2026-11-22T16:00:00Z"));
        assert_eq!(this_day(ms("2026-11-21T15:59:59Z")), ms("2026-11-20T16:00:00Z"));
        assert_eq!(day(ms("2026-11-21T16:00:00Z")), day(ms("2026-11-21T15:59:59Z")) + 1);
        assert_eq!(shown(next_day(ms("2026-11-21T15:59:59Z"))), "2026-11-22 00:00 +08:00");
    }

    #[test]
    fn a_month_ends_at_midnight_in_shanghai() {
        assert_eq!(shown(next_month(ms("2026-11-30T15:59:59Z"))), "2026-12-01 00:00 +08:00");
        assert_eq!(shown(this_month(ms("2026-11-30T15:59:59Z"))), "2026-11-01 00:00 +08:00");
        assert_eq!(shown(this_month(ms("2026-11-30T16:00:00Z"))), "2026-12-01 00:00 +08:00");
        assert_eq!(shown(next_month(ms("2026-11-30T16:00:00Z"))), "2027-01-01 00:00 +08:00");
        assert_eq!(shown(next_month(ms("2026-12-31T15:00:00Z"))), "2027-01-01 00:00 +08:00");
    }
}
