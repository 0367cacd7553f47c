//! Wrong secrets at gettoken, by the caller's address: after some of them the address waits (WeCom reference 2).

use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// So many wrong secrets within [`HOUR_MS`] block an address (choice: the documents tell no number).
const MOST: usize = 5;
/// How long a wrong secret counts, and how long an address is blocked.
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Default)]
struct Guess {
    wrong_ms: VecDeque<i64>,
    blocked_until_ms: i64,
}

/// The addresses that guessed within the hour.
#[derive(Debug, Default)]
pub struct Guesses(HashMap<IpAddr, Guess>);

/// A blocked address as GET /sandbox/state shows it.
#[derive(Debug, Serialize)]
pub struct Blocked {
    /// The address.
    pub ip: IpAddr,
    /// Until when, seconds since 1970 by the sandbox's clock.
    pub until: i64,
}

impl Guesses {
    /// Whether an address has to wait at this time.
    pub fn blocks(&self, ip: IpAddr, now_ms: i64) -> bool {
        self.0.get(&ip).is_some_and(|guess| now_ms < guess.blocked_until_ms)
    }

    /// Counts a wrong secret; the last that is allowed blocks the address for an hour.
    pub fn count(&mut self, ip: IpAddr, now_ms: i64) {
        self.0.retain(|_, guess| {
            guess.wrong_ms.retain(|at| now_ms - at < HOUR_MS);
            !guess.wrong_ms.is_empty() || now_ms < guess.blocked_until_ms
        });
        let guess = self.0.entry(ip).or_default();
        guess.wrong_ms.push_back(now_ms);
        if guess.wrong_ms.len() >= MOST {
            *guess = Guess { wrong_ms: VecDeque::new(), blocked_until_ms: now_ms + HOUR_MS };
        }
    }

    /// Who is blocked at this time.
    pub fn show(&self, now_ms: i64) -> Vec<Blocked> {
        let blocked = self.0.iter().filter(|(_, guess)| now_ms < guess.blocked_until_ms);
        blocked.map(|(ip, guess)| Blocked { ip: *ip, until: guess.blocked_until_ms.div_euclid(1000) }).collect()
    }
}
