//! The pace of a job that writes beside a running `serve`: callbacks wait for each of its transactions.

use std::time::Duration;

/// Rows of a transaction at the most.
const MOST: usize = 500;
/// Rows of the first one, before anything is known of the disk.
const FIRST: usize = 50;
/// Rows of a transaction at the least.
const LEAST: usize = 10;
/// A transaction that took longer is halved the next time. A serve that waits looks for the lock after
/// 1, 3, 8, 18, 33, 53 and 78 ms, so that its callbacks see twice of this.
const LONG: Duration = Duration::from_millis(25);
/// One that took less may grow again.
const SHORT: Duration = Duration::from_millis(8);
/// The pause after a transaction, in its own lengths: who waited writes in it.
const REST: u32 = 2;
/// The pause at the least.
const BREATH: Duration = Duration::from_millis(5);

/// How many rows a transaction takes, by how long those before it took.
#[derive(Debug)]
pub(super) struct Pace {
    rows: usize,
}

impl Pace {
    /// At the beginning.
    pub(super) fn new() -> Self {
        Pace { rows: FIRST }
    }

    /// Rows of the next transaction.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Learns from one that others had to wait for; the pause after it.
    pub(super) fn after(&mut self, held: Duration) -> Duration {
        if held > LONG {
            self.rows = (self.rows / 2).max(LEAST);
        } else if held < SHORT {
            self.rows = (self.rows + self.rows / 4).min(MOST);
        }
        (held * REST).max(BREATH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_transaction_is_halved_and_short_ones_grow() {
        let mut pace = Pace::new();
        assert_eq!(pace.after(Duration::from_millis(60)), Duration::from_millis(120));
        assert_eq!(pace.rows(), FIRST / 2);
        (0..20).for_each(|_| _ = pace.after(Duration::from_secs(1)));
        assert_eq!(pace.rows(), LEAST, "never none");
        assert_eq!(pace.after(Duration::from_millis(10)), Duration::from_millis(20));
        assert_eq!(pace.rows(), LEAST, "neither long nor short");
        (0..30).for_each(|_| assert_eq!(pace.after(Duration::from_millis(1)), BREATH));
        assert_eq!(pace.rows(), MOST);
    }
}
