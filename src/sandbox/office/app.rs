//! What one app of WeCom has used: the day's person-times, each person's pace, what it said already.

use super::pace::Pace;
use crate::sandbox::clock::beijing_day;
use crate::sandbox::errcode::{Refusal, refuse};
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Person-times a day for each account of the corporation (WeCom reference 3).
const A_DAY: u64 = 200;
/// Requests that the duplicate check remembers at most; then the oldest is forgotten.
const REQUESTS: usize = 1_000_000;
/// The longest that the check looks back.
pub const LONGEST_CHECK_MS: i64 = 14_400_000;
/// Task ids of cards that are remembered.
const TASKS: usize = 100_000;

/// One app.
#[derive(Debug, Default)]
pub struct App {
    /// Messages taken.
    pub accepted: u64,
    /// Requests that the duplicate check held back.
    pub repeats: u64,
    day: (i64, u64),
    paces: HashMap<usize, Pace>,
    said: HashMap<u64, (i64, u64)>,
    order: VecDeque<(i64, u64)>,
    tasks: HashSet<String>,
}

impl App {
    /// Counts so many person-times, or refuses all of them with 45009.
    pub fn spend(&mut self, persons: u64, heads: u64, now_ms: i64) -> Result<(), Refusal> {
        let used = self.used(now_ms);
        if used + persons > limit(heads) {
            return refuse(45009);
        }
        self.day = (beijing_day(now_ms), used + persons);
        Ok(())
    }

    /// Person-times of the Beijing day so far.
    pub fn used(&self, now_ms: i64) -> u64 {
        if self.day.0 == beijing_day(now_ms) { self.day.1 } else { 0 }
    }

    /// Whether a message reaches this person.
    pub fn reaches(&mut self, person: usize, now_ms: i64) -> bool {
        self.paces.entry(person).or_default().take(now_ms)
    }

    /// The number of the message that these very bytes were, if that was within this time.
    pub fn said(&self, body: &[u8], within_ms: i64, now_ms: i64) -> Option<u64> {
        let (at_ms, number) = self.said.get(&hash(body))?;
        (now_ms - at_ms < within_ms).then_some(*number)
    }

    /// Remembers a request; a repeat does not make it last longer (choice).
    pub fn remember(&mut self, body: &[u8], number: u64, now_ms: i64) {
        let old = |(at_ms, _): &(i64, u64)| now_ms - at_ms >= LONGEST_CHECK_MS;
        while self.order.front().is_some_and(|first| old(first) || self.order.len() >= REQUESTS) {
            let Some((at_ms, key)) = self.order.pop_front() else { break };
            // The same bytes may have been said again since.
            if self.said.get(&key).is_some_and(|(last_ms, _)| *last_ms == at_ms) {
                self.said.remove(&key);
            }
        }
        let key = hash(body);
        self.said.insert(key, (now_ms, number));
        self.order.push_back((now_ms, key));
    }

    /// Whether a card may have this task id: each only once.
    pub fn is_new_task(&self, task_id: &str) -> bool {
        !self.tasks.contains(task_id)
    }

    /// Takes a card's task id.
    pub fn take_task(&mut self, task_id: String) {
        if self.tasks.len() < TASKS {
            self.tasks.insert(task_id);
        }
    }
}

/// Person-times that a day has.
pub fn limit(heads: u64) -> u64 {
    heads.saturating_mul(A_DAY)
}

fn hash(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_duplicate_check_forgets_what_is_old_and_the_oldest_of_too_many() {
        let mut app = App::default();
        app.remember(b"first", 1, 0);
        app.remember(b"second", 2, 1);
        assert_eq!((app.said(b"first", 1000, 999), app.said(b"first", 1000, 1000)), (Some(1), None));
        app.remember(b"first", 3, 2000);
        app.remember(b"third", 4, LONGEST_CHECK_MS + 1);
        let far = i64::MAX;
        assert_eq!((app.said(b"second", far, 0), app.said(b"first", far, 0)), (None, Some(3)));
        assert_eq!((app.said.len(), app.order.len()), (2, 2));
        (0..REQUESTS as u64).for_each(|n| app.remember(&n.to_le_bytes(), n, LONGEST_CHECK_MS + 2));
        assert_eq!((app.said.len(), app.order.len(), app.said(b"third", far, 0)), (REQUESTS, REQUESTS, None));
    }
}
