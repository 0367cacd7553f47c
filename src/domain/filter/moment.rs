//! Times in a filter: a day of the platform, a moment, or an age.

use crate::error::Text;
use crate::say;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime};

/// Asia/Shanghai: a day is the platform's, whatever the host's zone.
pub(super) const SHANGHAI_S: i32 = 8 * 3600;
const DAY_MS: i64 = 86_400_000;
/// What DATETIME of MySQL can hold.
const YEARS: std::ops::RangeInclusive<i32> = 1000..=9999;

/// A time as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// From its first millisecond to the one behind its last.
    Span { from: i64, until: i64 },
    /// So long ago: a moment, of which nobody means the very millisecond.
    Ago(i64),
}

impl Moment {
    /// Reads `2026-11-01`, RFC 3339, or `-30d`; `now` in milliseconds.
    pub fn parse(text: &str, now: i64) -> Result<Self, Text> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return span(time.timestamp_millis(), 1);
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            let start = FixedOffset::east_opt(SHANGHAI_S)
                .and_then(|zone| day.and_time(NaiveTime::MIN).and_local_timezone(zone).single());
            return span(start.ok_or_else(out_of_range)?.timestamp_millis(), DAY_MS);
        }
        match text.strip_prefix('-').map(age) {
            Some(Some(age)) => Ok(Moment::Ago(now.saturating_sub(age).max(0))),
            _ => Err(say!("it is no time"; "不是时间")),
        }
    }

    /// Where the moment begins.
    pub fn start(&self) -> i64 {
        match self {
            Moment::Span { from, .. } => *from,
            Moment::Ago(at) => *at,
        }
    }

    /// The first moment behind it.
    pub fn end(&self) -> i64 {
        match self {
            Moment::Span { until, .. } => *until,
            Moment::Ago(at) => at.saturating_add(1),
        }
    }
}

fn span(from: i64, length: i64) -> Result<Moment, Text> {
    let until = from.saturating_add(length);
    let year = |ms| DateTime::from_timestamp_millis(ms).map(|time| time.year());
    match [from, until].into_iter().all(|ms| year(ms).is_some_and(|year| YEARS.contains(&year))) {
        true => Ok(Moment::Span { from, until }),
        false => Err(out_of_range()),
    }
}

fn out_of_range() -> Text {
    say!("its year is not one of 1000 to 9999"; "年份须在 1000 到 9999 之间")
}

/// `30d`, `2h`, `5m`, `50s`, `300ms`, in milliseconds.
fn age(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return None,
    };
    number.parse::<i64>().ok().map(|number| number.saturating_mul(unit_ms))
}
