//! Times as people write them: `20ms`, `30s`, `5m`, `1h`, `3d`.

use crate::error::{Error, Result};
use crate::say;
use std::time::Duration;

/// Milliseconds of each unit, the longer spelling first.
const UNITS: &[(&str, f64)] = &[("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];
/// The longest time that is taken, ten years.
const LONGEST_MS: f64 = 3650.0 * 86_400_000.0;

/// A time that is waited.
pub fn duration(text: &str) -> Result<Duration> {
    let ms = milliseconds(text).ok_or_else(|| {
        Error::usage(say!("not a time"; "不是时间"))
            .next(say!("write 20ms, 30s, 5m, 1h or 3d"; "请写 20ms、30s、5m、1h 或 3d"))
    })?;
    Ok(Duration::from_secs_f64(ms / 1000.0))
}

/// A step of a clock in seconds, forward or back: `+3d`, `-1h`.
pub fn step(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    milliseconds(rest).map(|ms| (sign * ms / 1000.0) as i64)
}

fn milliseconds(text: &str) -> Option<f64> {
    let unit = |(name, ms): &(&str, f64)| Some((text.strip_suffix(name)?, *ms));
    let (number, ms) = UNITS.iter().find_map(unit)?;
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = number.parse::<f64>().ok().filter(|_| plain)? * ms;
    (value <= LONGEST_MS).then_some(value)
}
