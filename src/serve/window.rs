//! So much in a second, for what strangers can make us do.

use std::time::{Duration, Instant};

/// Counts what is taken in a second.
#[derive(Debug)]
pub(super) struct Window {
    since: Instant,
    taken: u32,
    most: u32,
}

impl Window {
    pub fn new(most: u32) -> Window {
        Window { since: Instant::now(), taken: 0, most }
    }

    /// One of this second, if one is left.
    pub fn take(&mut self) -> bool {
        if self.since.elapsed() >= Duration::from_secs(1) {
            self.since = Instant::now();
            self.taken = 0;
        }
        self.taken = self.taken.saturating_add(1);
        self.taken <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_of_a_second_is_one_too_many() {
        let mut window = Window::new(10);
        assert!((0..10).all(|_| window.take()));
        assert!(!window.take() && !window.take());
        window.since -= Duration::from_secs(2);
        assert!(window.take());
    }
}
