//! The signs of life of a thread that writes: whether it hangs in a call that does not come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Shared by the thread and those who watch it.
#[derive(Debug, Clone)]
pub struct Beat {
    begun: Instant,
    /// Milliseconds from `begun` to the last sign of life, and one; 0 while there is nothing to do.
    last: Arc<AtomicU64>,
}

impl Default for Beat {
    fn default() -> Self {
        Beat { begun: Instant::now(), last: Arc::default() }
    }
}

impl Beat {
    /// The thread is at work and gets on.
    pub fn at_work(&self) {
        self.last.store(self.now(), Relaxed);
    }

    /// The thread waits for work.
    pub fn at_rest(&self) {
        self.last.store(0, Relaxed);
    }

    /// Whether the thread is at work and has given no sign of life for this long.
    pub fn stuck(&self, limit: Duration) -> bool {
        match self.last.load(Relaxed) {
            0 => false,
            last => u128::from(self.now().saturating_sub(last)) > limit.as_millis(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_without_a_sign_of_life_is_stuck() {
        let beat = Beat::default();
        let watched = beat.clone();
        assert!(!watched.stuck(Duration::ZERO), "at rest");
        beat.at_work();
        assert!(!watched.stuck(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(20));
        assert!(watched.stuck(Duration::from_millis(5)));
        beat.at_work();
        assert!(!watched.stuck(Duration::from_millis(15)));
        beat.at_rest();
        assert!(!watched.stuck(Duration::ZERO));
    }
}
