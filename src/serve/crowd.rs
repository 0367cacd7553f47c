//! How many connections there may be at once. There is no limit by address: behind a reverse proxy all callers have
//! the same, and WeChat's own addresses are many.

use crate::lifecycle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// More wait in the kernel's queue. One that has sent half a request costs about 20 KiB.
const MOST: usize = 10_000;
/// Open files that connections leave to the database, the log and calls to the platform.
const LEFT: usize = 256;
/// A request's head has to be there by then; also closes idle connections.
const HEAD: Duration = Duration::from_secs(5);
/// The same while more than half of the seats are taken: those who never ask have to make room for those who do.
const HEAD_IN_A_CROWD: Duration = Duration::from_secs(1);

/// The seats of a listener.
pub(super) struct Crowd {
    seats: Arc<Semaphore>,
    all: usize,
}

/// One connection's place, given back when it is dropped.
pub(super) type Seat = OwnedSemaphorePermit;

impl Crowd {
    /// As many as the limit of open files allows.
    pub fn new() -> Crowd {
        let all = seats(lifecycle::open_files());
        Crowd { seats: Arc::new(Semaphore::new(all)), all }
    }

    /// Waits for a free seat. A connection is accepted only for one: it would wait for an answer in vain.
    pub async fn seat(&self) -> Option<Seat> {
        self.seats.clone().acquire_owned().await.ok()
    }

    /// How long a connection that begins now may take for the head of a request.
    pub fn head(&self) -> Duration {
        if self.seats.available_permits() < self.all / 2 { HEAD_IN_A_CROWD } else { HEAD }
    }
}

fn seats(files: Option<u64>) -> usize {
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    files.saturating_sub(LEFT.min(files / 2)).clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_are_left_to_others() {
        assert_eq!([seats(None), seats(Some(1_048_576))], [MOST; 2]);
        assert_eq!((seats(Some(1024)), seats(Some(64)), seats(Some(0))), (768, 32, 1));
    }

    #[tokio::test]
    async fn in_a_crowd_there_is_less_time() {
        let crowd = Crowd { seats: Arc::new(Semaphore::new(4)), all: 4 };
        let two = (crowd.seat().await, crowd.seat().await);
        assert_eq!(crowd.head(), HEAD);
        let third = crowd.seat().await;
        assert_eq!(crowd.head(), HEAD_IN_A_CROWD);
        drop((two, third));
        assert_eq!(crowd.head(), HEAD);
    }
}
