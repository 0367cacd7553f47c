//! How long an account may be silent before somebody should look.
//!
//! People write at some hours and sleep at others, so "usual" is a matter of the hour, and of whether it is a working
//! day. For each day of the last eight weeks we look at five moments around this time of day, and ask how long the gap
//! between two callbacks was that the moment fell into. The day's longest of the five is that day's figure.
//!
//! - Only days like today count: Monday to Friday, or Saturday and Sunday (Asia/Shanghai). Where there are fewer than
//!   [`ENOUGH_ALIKE`] of them yet, all days count.
//! - One day in six is left out, the longest first: a holiday week or an outage does not become usual. What is longest
//!   among the rest is usual.
//! - An alarm is a silence longer than [`FACTOR`] times that, and never one under [`FLOOR_MS`].
//! - Under [`ENOUGH_DAYS`] days of history nothing is usual yet: there is no alarm.
//!
//! Why these numbers: the gap that a moment falls into is longer than the average one (a moment more likely hits a long
//! gap), and the longest of five on the worst of six days is longer again. For callbacks that come by pure chance, from
//! one in 10 s to three a day, three times that is exceeded less than about once a year; real ones come in bursts, which
//! makes what is usual longer and never shorter. What it costs: somebody who writes every five minutes is missed after a
//! quarter of an hour, and a quiet account after a few days. Mornings begin at different times, so a silence that began
//! at night is noticed about an hour after the latest usual beginning of the day.
//!
//! Moments and not all gaps, because five moments on 56 days are 280 look-ups by key in a table of any size.

/// Days that are looked back on.
const DAYS: i64 = 56;
/// The moments of a day, around this time of day: minutes.
const AROUND_MIN: [i64; 5] = [-30, -15, 0, 15, 30];
/// Days without which nothing is usual: a whole week, so that its weekend was seen.
const ENOUGH_DAYS: usize = 7;
/// Days of today's sort without which all days count.
const ENOUGH_ALIKE: usize = 5;
/// One of so many days is left out.
const LEFT_OUT: usize = 6;
/// A silence so many times longer than usual is an alarm.
const FACTOR: i64 = 3;
/// No silence under five minutes is an alarm.
pub const FLOOR_MS: i64 = 5 * MINUTE_MS;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Asia/Shanghai, milliseconds ahead of UTC.
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// The callbacks on both sides of a moment, milliseconds; `None` where none was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Around {
    /// The last one at or before it.
    pub before: Option<i64>,
    /// The first one after it.
    pub after: Option<i64>,
}

/// The moments whose gaps tell what is usual now, oldest first.
pub fn moments(now_ms: i64) -> Vec<i64> {
    let days = (1..=DAYS).rev().map(|day| now_ms - day * DAY_MS);
    days.flat_map(|day| AROUND_MIN.map(|minutes| day + minutes * MINUTE_MS)).collect()
}

/// What gap is usual now, milliseconds, by what was found around the [`moments`]; `last` is the last callback of all.
/// `None` where there is not enough history, or where silences too long to be measured are common.
pub fn usual(now_ms: i64, last: i64, around: &[Around]) -> Option<i64> {
    // What lies before the first callback is no silence.
    let begun = around.iter().position(|gap| gap.before.is_some())?;
    let whole = around.chunks_exact(AROUND_MIN.len()).enumerate().skip(begun.div_ceil(AROUND_MIN.len()));
    let days: Vec<(bool, i64)> = whole
        .filter_map(|(at, day)| {
            let date = now_ms - (DAYS - i64::try_from(at).ok()?) * DAY_MS;
            Some((is_weekend(date), day.iter().map(|gap| length(gap, now_ms, last)).max()?))
        })
        .collect();
    if days.len() < ENOUGH_DAYS {
        return None;
    }
    let today = is_weekend(now_ms);
    let alike: Vec<i64> = days.iter().filter(|day| day.0 == today).map(|day| day.1).collect();
    let mut longest = if alike.len() < ENOUGH_ALIKE { days.iter().map(|day| day.1).collect() } else { alike };
    longest.sort_unstable();
    longest.truncate(longest.len() - longest.len() / LEFT_OUT);
    longest.pop().filter(|longest| *longest < i64::MAX)
}

/// From which silence on somebody should look.
pub fn alarm_after(usual_ms: i64) -> i64 {
    usual_ms.saturating_mul(FACTOR).max(FLOOR_MS)
}

/// The gap; without end where one side is too far away to be found. The last one of all goes on until now.
fn length(gap: &Around, now_ms: i64, last: i64) -> i64 {
    match (gap.before, gap.after) {
        (Some(before), Some(after)) => after.saturating_sub(before).max(0),
        (Some(before), None) if before >= last => now_ms.saturating_sub(before).max(0),
        _ => i64::MAX,
    }
}

/// Saturday or Sunday in Asia/Shanghai. 1970-01-01 was a Thursday.
fn is_weekend(ms: i64) -> bool {
    matches!((ms + SHANGHAI_MS).div_euclid(DAY_MS).rem_euclid(7), 2 | 3)
}

#[cfg(test)]
mod tests;
