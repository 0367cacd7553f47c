//! How often one person may be told by one app: thirty times in any minute and a thousand times in any hour,
//! wherever they begin. What is beyond is dropped without a word (WeCom reference 3).

use std::collections::VecDeque;

/// Messages of any minute.
const A_MINUTE: usize = 30;
const MINUTE_MS: i64 = 60_000;
/// Messages of any hour.
const AN_HOUR: usize = 1000;
const HOUR_MS: i64 = 3_600_000;

/// When one person was told, the last thousand times.
#[derive(Debug, Default)]
pub struct Pace(VecDeque<i64>);

impl Pace {
    /// Counts a message, unless it is one too many.
    pub fn take(&mut self, now_ms: i64) -> bool {
        if self.full(A_MINUTE, MINUTE_MS, now_ms) || self.full(AN_HOUR, HOUR_MS, now_ms) {
            return false;
        }
        if self.0.len() == AN_HOUR {
            self.0.pop_front();
        }
        self.0.push_back(now_ms);
        true
    }

    /// Whether the `most`th message from the end is still within the window.
    fn full(&self, most: usize, window_ms: i64, now_ms: i64) -> bool {
        let at = self.0.len().checked_sub(most).and_then(|at| self.0.get(at));
        at.is_some_and(|at| now_ms - at < window_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_minute_has_thirty_and_any_hour_a_thousand() {
        let mut pace = Pace::default();
        // Fifteen at the end of one minute of the clock and fifteen in the next fill any minute that holds both.
        assert!((0..15).all(|n| pace.take(59_000 + n)) && (0..15).all(|n| pace.take(60_000 + n)));
        assert!(!pace.take(60_020) && !pace.take(118_999));
        assert!(pace.take(119_000) && !pace.take(119_000));

        let mut pace = Pace::default();
        let taken = (0..1800).filter(|second| pace.take(second * 2000)).count();
        assert_eq!(taken, 1000, "thirty a minute for an hour would be 1800");
        assert!(!pace.take(3_599_999) && pace.take(3_600_000) && !pace.take(3_601_999) && pace.take(3_602_000));
    }
}
