//! When callbacks were last accepted, without a lock: every accepted one notes it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Places for accounts. Two that share one look busier than they are, and less is proven.
const PLACES: usize = 64;

/// Seconds since the start, 0 for never.
#[derive(Debug)]
pub(super) struct Lately {
    start: Instant,
    accepted: [AtomicU32; PLACES],
    timely: AtomicU32,
}

impl Lately {
    pub fn new() -> Self {
        Lately { start: Instant::now(), accepted: [const { AtomicU32::new(0) }; PLACES], timely: AtomicU32::new(0) }
    }

    pub fn accepted(&self, account: &str, timely: bool) {
        let now = self.now();
        self.accepted[place(account)].store(now, Ordering::Relaxed);
        if timely {
            self.timely.store(now, Ordering::Relaxed);
        }
    }

    /// Seconds since a callback of this account was accepted.
    pub fn since_accepted(&self, account: &str) -> Option<u32> {
        self.since(&self.accepted[place(account)])
    }

    /// Seconds since any callback had a right timestamp.
    pub fn since_timely(&self) -> Option<u32> {
        self.since(&self.timely)
    }

    fn since(&self, at: &AtomicU32) -> Option<u32> {
        let at = at.load(Ordering::Relaxed);
        (at > 0).then(|| self.now().saturating_sub(at))
    }

    fn now(&self) -> u32 {
        u32::try_from(self.start.elapsed().as_secs()).unwrap_or(u32::MAX - 1) + 1
    }
}

/// FNV-1a of the name.
fn place(account: &str) -> usize {
    let hash = account.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash as usize % PLACES
}
