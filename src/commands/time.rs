//! Times on the command line: how they are read and how they are shown.

use crate::config::{self, Config};
use crate::error::{Error, Result};
pub use crate::report::time_local;
use crate::say;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, TimeZone, Utc};
use std::str::FromStr;

/// Asia/Shanghai: a day on the command line is the platform's.
const SHANGHAI_S: i32 = 8 * 3600;

/// `--since`: an age (`2h`, `3d`), a day of the platform (`2026-11-01`) or a moment (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// This long ago.
    Ago(std::time::Duration),
    /// This moment.
    At(DateTime<Utc>),
}

impl Since {
    /// The moment.
    pub fn at(self, now_ms: i64) -> DateTime<Utc> {
        match self {
            Since::At(time) => time,
            Since::Ago(age) => {
                let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                DateTime::from_timestamp_millis(now_ms.saturating_sub(age)).unwrap_or(DateTime::UNIX_EPOCH)
            }
        }
    }
}

impl FromStr for Since {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Since::At(time.to_utc()));
        }
        if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            let zone = FixedOffset::east_opt(SHANGHAI_S).ok_or_else(no_time)?;
            let start = zone.from_local_datetime(&day.and_time(NaiveTime::MIN)).single();
            return start.map(|time| Since::At(time.to_utc())).ok_or_else(no_time);
        }
        config::duration(text.trim_start_matches('-')).map(Since::Ago).map_err(|_| no_time())
    }
}

fn no_time() -> Error {
    Error::usage(say!("not a time"; "不是时间")).next(say!(
        "write 2h, 3d, 2026-11-01 or 2026-11-01T08:00:00+08:00";
        "请写 2h、3d、2026-11-01 或 2026-11-01T08:00:00+08:00"
    ))
}

/// RFC 3339 in UTC, for programs.
pub fn time_json(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Which account a list shows: the one named, else all of them.
pub fn account_filter(config: &Config) -> Result<Option<String>> {
    match config.account.as_deref() {
        None | Some("all") => Ok(None),
        Some(_) => Ok(Some(config.access(None)?.name.clone())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_time_is_an_age_a_day_of_the_platform_or_a_moment() {
        let at = |text: &str| text.parse::<Since>().unwrap().at(10_000_000).timestamp_millis();
        assert_eq!(at("2h"), 10_000_000 - 7_200_000);
        assert_eq!(at("-2h"), at("2h"));
        assert_eq!(at("2025-01-01"), 1_735_660_800_000);
        assert_eq!(at("2025-01-01T08:00:00+08:00"), 1_735_689_600_000);
        assert!("soon".parse::<Since>().unwrap_err().next.is_some_and(|next| next.zh.contains("2h")));
    }
}
