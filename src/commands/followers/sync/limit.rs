//! How many calls may be in flight: fewer when the platform says that it is busy, more again while it does not.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Calls that were in flight together hear of one cause: it counts once.
const ONCE_IN: Duration = Duration::from_millis(500);

/// The limit, shared by all calls of a sync.
#[derive(Debug)]
pub(super) struct Limit {
    most: f64,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    used: usize,
    slowed: Option<Instant>,
}

/// The right to one call.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Limit);

impl Limit {
    /// Up to `most` calls.
    pub fn new(most: u32) -> Self {
        let limit = f64::from(most);
        Limit { most: limit, state: Mutex::new(State { limit, used: 0, slowed: None }), freed: Notify::new() }
    }

    /// Waits for the right to a call.
    pub async fn turn(&self) -> Turn<'_> {
        loop {
            let freed = self.freed.notified();
            {
                let mut state = self.state();
                if state.used < state.limit as usize {
                    state.used += 1;
                    return Turn(self);
                }
            }
            freed.await;
        }
    }

    /// A call came back well: after as many of them as are allowed now, one more is.
    pub fn grow(&self) {
        let mut state = self.state();
        if state.limit < self.most {
            state.limit = (state.limit + 1.0 / state.limit).min(self.most);
        }
    }

    /// The platform is busy: half of it, at least one.
    pub fn halve(&self) {
        let mut state = self.state();
        if state.slowed.is_none_or(|at| at.elapsed() > ONCE_IN) {
            state.limit = (state.limit / 2.0).max(1.0);
            state.slowed = Some(Instant::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().used -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_platform_is_asked_half_as_much_and_slowly_more() {
        let limit = Limit::new(8);
        let turns = [limit.turn().await, limit.turn().await, limit.turn().await, limit.turn().await];
        limit.halve();
        limit.halve();
        assert_eq!(limit.state().limit, 4.0, "two words at once are one cause");
        assert!(tokio::time::timeout(Duration::from_millis(20), limit.turn()).await.is_err());
        drop(turns);
        let _turn = limit.turn().await;
        (0..5).for_each(|_| limit.grow());
        assert_eq!(limit.state().limit as usize, 5);
        (0..100).for_each(|_| limit.grow());
        assert_eq!(limit.state().limit, 8.0);
    }
}
