//! How often the APIs of one account were called: a Beijing day, a minute, and the month's clears (reference 8).

use super::clock::{beijing_day, beijing_month};
use super::errcode::{Refusal, refuse};
use super::limits::{Limit, Limits};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;
/// Clears of all APIs together, in a calendar month, by token and by secret together.
const CLEARS: u32 = 10;
/// Clears of single APIs in a calendar month.
const SINGLE_CLEARS: u32 = 50;

/// The number of a day or minute, and its calls.
type Counts = (i64, HashMap<&'static str, u64>);

/// The calls that one account made.
#[derive(Debug)]
pub struct Quota {
    limits: Arc<Limits>,
    day: Counts,
    minute: Counts,
    clears: (i64, u32),
    single_clears: (i64, u32),
}

/// What of an API is used.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    /// Its limits.
    pub limit: Limit,
    /// Calls today.
    pub today: u64,
}

/// The counts as GET /sandbox/state shows them.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Calls of the Beijing day, by path.
    pub used: BTreeMap<&'static str, u64>,
    /// Clears of all APIs in the month, of ten.
    pub clears: u32,
    /// Clears of single APIs in the month, of fifty.
    pub single_clears: u32,
}

impl Quota {
    /// No call yet.
    pub fn new(limits: Arc<Limits>) -> Self {
        let none = || (0, HashMap::new());
        Quota { limits, day: none(), minute: none(), clears: (0, 0), single_clears: (0, 0) }
    }

    /// Counts a call, or refuses it: 45009 for the day, 45011 for the minute. A path that is not listed is
    /// neither.
    pub fn spend(&mut self, path: &str, now_ms: i64) -> Result<(), Refusal> {
        let Some((path, limit)) = self.limits.of(path) else {
            return Ok(());
        };
        let minute = window(&mut self.minute, now_ms.div_euclid(MINUTE_MS)).entry(path).or_insert(0);
        let day = window(&mut self.day, beijing_day(now_ms)).entry(path).or_insert(0);
        if limit.a_day.is_some_and(|most| *day >= most) {
            return refuse(45009);
        }
        if limit.a_minute.is_some_and(|most| *minute >= most) {
            return refuse(45011);
        }
        *day += 1;
        *minute += 1;
        Ok(())
    }

    /// What of an API is used; `None` for a path that is in no list.
    pub fn used(&mut self, path: &str, now_ms: i64) -> Option<Used> {
        let (path, limit) = self.limits.of(path)?;
        let today = window(&mut self.day, beijing_day(now_ms)).get(path).copied().unwrap_or(0);
        Some(Used { limit, today })
    }

    /// Takes one of the month's ten clears: no API has been called today. The minute's counts stay.
    pub fn clear(&mut self, now_ms: i64) -> Result<(), Refusal> {
        take(&mut self.clears, beijing_month(now_ms), CLEARS)?;
        self.day.1.clear();
        Ok(())
    }

    /// The same of one API; the month has fifty of these.
    pub fn clear_one(&mut self, path: &str, now_ms: i64) -> Result<(), Refusal> {
        take(&mut self.single_clears, beijing_month(now_ms), SINGLE_CLEARS)?;
        self.day.1.remove(path);
        Ok(())
    }

    /// The counts of this day and month.
    pub fn show(&mut self, now_ms: i64) -> Shown {
        let month = beijing_month(now_ms);
        let of_month = |(number, count): (i64, u32)| if number == month { count } else { 0 };
        let (clears, single_clears) = (of_month(self.clears), of_month(self.single_clears));
        let today = window(&mut self.day, beijing_day(now_ms));
        let used = today.iter().filter(|(_, calls)| **calls > 0).map(|(path, calls)| (*path, *calls)).collect();
        Shown { used, clears, single_clears }
    }
}

fn window(counts: &mut Counts, number: i64) -> &mut HashMap<&'static str, u64> {
    if counts.0 != number {
        *counts = (number, HashMap::new());
    }
    &mut counts.1
}

fn take(count: &mut (i64, u32), month: i64, most: u32) -> Result<(), Refusal> {
    if count.0 != month {
        *count = (month, 0);
    }
    if count.1 >= most {
        return refuse(48006);
    }
    count.1 += 1;
    Ok(())
}
