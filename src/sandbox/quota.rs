//! How often an API may be called: a Beijing day and a minute (reference 3.2 and 8).

use super::clock::beijing_day;
use super::errcode::{Refusal, refuse};
use std::collections::HashMap;

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// Path, calls a day, calls a minute. A path that is not listed has no limit.
const LIMITS: &[(&str, u64, u64)] = &[
    ("/cgi-bin/token", 2_000, u64::MAX),
    ("/cgi-bin/stable_token", 500_000, 10_000),
    ("/cgi-bin/user/get", 500, u64::MAX),
    ("/cgi-bin/user/info", 5_000_000, u64::MAX),
];

/// The calls that one account made.
#[derive(Debug, Default)]
pub struct Quota {
    day: (i64, HashMap<&'static str, u64>),
    minute: (i64, HashMap<&'static str, u64>),
}

impl Quota {
    /// Counts a call, or refuses it: 45009 for the day, 45011 for the minute.
    pub fn spend(&mut self, path: &str, now_ms: i64) -> Result<(), Refusal> {
        let Some(&(path, a_day, a_minute)) = LIMITS.iter().find(|(known, ..)| *known == path) else {
            return Ok(());
        };
        let day = window(&mut self.day, beijing_day(now_ms), path);
        let minute = window(&mut self.minute, now_ms.div_euclid(MINUTE_MS), path);
        if *day >= a_day {
            return refuse(45009);
        }
        if *minute >= a_minute {
            return refuse(45011);
        }
        *day += 1;
        *minute += 1;
        Ok(())
    }
}

fn window<'a>(counts: &'a mut (i64, HashMap<&'static str, u64>), number: i64, path: &'static str) -> &'a mut u64 {
    if counts.0 != number {
        *counts = (number, HashMap::new());
    }
    counts.1.entry(path).or_insert(0)
}
