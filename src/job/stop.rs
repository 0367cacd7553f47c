//! Asks a job to end at its next step, so that it knows what it has done.

use crate::error::{Error, Kind};
use crate::say;
use crate::store::JobOutcome;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

/// What ends a job from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Interrupt = 1,
    Terminate = 2,
    Timeout = 3,
}

/// Asked of a job by a signal or the end of `--timeout`.
#[derive(Debug, Default)]
pub struct Stop {
    cause: AtomicU8,
    asked: Notify,
}

impl Stop {
    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        self.cause().is_some()
    }

    /// Comes back once it is asked, for a job that waits for something long.
    pub async fn wait(&self) {
        let asked = self.asked.notified();
        if !self.asked() {
            asked.await;
        }
    }

    /// The first one stands.
    pub(super) fn ask(&self, cause: Cause) {
        let _ = self.cause.compare_exchange(0, cause as u8, Ordering::Relaxed, Ordering::Relaxed);
        self.asked.notify_waiters();
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        [Cause::Interrupt, Cause::Terminate, Cause::Timeout]
            .into_iter()
            .find(|cause| *cause as u8 == self.cause.load(Ordering::Relaxed))
    }
}

impl Cause {
    pub(super) fn outcome(self) -> JobOutcome {
        match self {
            Cause::Interrupt | Cause::Terminate => JobOutcome::Interrupted,
            Cause::Timeout => JobOutcome::Timeout,
        }
    }

    pub(super) fn error(self) -> Error {
        let (kind, what) = match self {
            Cause::Interrupt => {
                (Kind::Interrupted, say!("interrupted; work done is kept"; "已中断；已完成的工作已保留"))
            }
            Cause::Terminate => {
                (Kind::Terminated, say!("ended by SIGTERM; work done is kept"; "被 SIGTERM 终止；已完成的工作已保留"))
            }
            Cause::Timeout => (
                Kind::Unavailable,
                say!("--timeout is over; work done is kept"; "已到 --timeout 的时限；已完成的工作已保留"),
            ),
        };
        Error::new(kind, what).next(say!("run it again to go on"; "再次运行即可继续"))
    }
}
