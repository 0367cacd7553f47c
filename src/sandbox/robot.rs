//! A WeCom group robot: its key, and how often it may speak (WeCom reference 4).

use super::errcode::{Refusal, refuse};
use super::noise::{self, Noise};
use crate::domain::secret::Secret;
use std::collections::VecDeque;

/// Messages of any sixty seconds.
const A_MINUTE: usize = 20;
const MINUTE_MS: i64 = 60_000;
const HEX: &[u8] = b"0123456789abcdef";

/// The one robot of the stand-in.
#[derive(Debug)]
pub struct Robot {
    key: Secret,
    sent: VecDeque<i64>,
}

impl Robot {
    /// The robot of a seed.
    pub fn new(seed: u64) -> Self {
        Robot { key: key(seed), sent: VecDeque::new() }
    }

    /// Whether this is its key.
    pub fn has_key(&self, key: &str) -> bool {
        self.key.reveal() == key
    }

    /// Takes a message, or refuses it with 45009.
    pub fn speak(&mut self, now_ms: i64) -> Result<(), Refusal> {
        self.sent.retain(|sent| now_ms - sent < MINUTE_MS);
        if self.sent.len() >= A_MINUTE {
            return refuse(45009);
        }
        self.sent.push_back(now_ms);
        Ok(())
    }
}

/// Where the robot of a seed is spoken to, key and all.
pub fn webhook(base: &str, seed: u64) -> String {
    format!("{base}/cgi-bin/webhook/send?key={}", key(seed).reveal())
}

/// In the shape of a real one: five groups of hexadecimal digits.
fn key(seed: u64) -> Secret {
    let mut noise = Noise::new(noise::of_text(seed, "robot"));
    Secret::new([8, 4, 4, 4, 12].map(|letters| noise.word(HEX, letters)).join("-"))
}
