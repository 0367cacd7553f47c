//! Times and lengths of time for people.

use crate::error::Text;
use crate::say;
use chrono::{DateTime, Local};

/// Local time with its offset.
pub fn time_local(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S%:z").to_string()
}

/// A length of time in its two largest units: `45 s`, `22 min`, `3 h 5 min`, `2 d 4 h`.
pub fn span(ms: i64) -> Text {
    let seconds = ms.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let (minute, hour) = (minutes % 60, hours % 24);
    match () {
        () if minutes == 0 => say!("{seconds} s"; "{seconds} 秒"),
        () if hours == 0 => say!("{minutes} min"; "{minutes} 分钟"),
        () if days == 0 && minute == 0 => say!("{hours} h"; "{hours} 小时"),
        () if days == 0 => say!("{hours} h {minute} min"; "{hours} 小时 {minute} 分钟"),
        () if hour == 0 => say!("{days} d"; "{days} 天"),
        () => say!("{days} d {hour} h"; "{days} 天 {hour} 小时"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_two_units_at_most() {
        for (seconds, en, zh) in [
            (-5, "0 s", "0 秒"),
            (59, "59 s", "59 秒"),
            (60, "1 min", "1 分钟"),
            (3599, "59 min", "59 分钟"),
            (3600, "1 h", "1 小时"),
            (3_901, "1 h 5 min", "1 小时 5 分钟"),
            (86_400, "1 d", "1 天"),
            (187_300, "2 d 4 h", "2 天 4 小时"),
        ] {
            let text = span(seconds * 1000);
            assert_eq!((text.en.as_str(), text.zh.as_str()), (en, zh));
        }
    }
}
