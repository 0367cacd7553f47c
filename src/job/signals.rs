//! What ends a job from outside: SIGINT, SIGTERM, and `--timeout` a little before its time, so that the last words come
//! within it.

use super::Caller;
use super::stop::Cause;
use crate::error::{Error, Result};
use crate::say;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

/// Of `--timeout` this part is for the last words, and no more than that.
const PART: u32 = 10;
const MOST: Duration = Duration::from_secs(1);

pub(super) struct Ends {
    interrupt: Signal,
    terminate: Signal,
    over: Option<Instant>,
}

impl Ends {
    pub(super) fn watch(caller: &Caller) -> Result<Self> {
        let no_signals = |error| Error::failed(say!("signals can't be received"; "无法接收信号")).source(error);
        Ok(Ends {
            interrupt: signal(SignalKind::interrupt()).map_err(no_signals)?,
            terminate: signal(SignalKind::terminate()).map_err(no_signals)?,
            over: caller.timeout.map(|timeout| Instant::from_std(caller.start) + for_work(timeout)),
        })
    }

    pub(super) async fn next(&mut self) -> Cause {
        let over = self.over;
        let over = async {
            match over {
                Some(over) => tokio::time::sleep_until(over).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Cause::Interrupt,
            _ = self.terminate.recv() => Cause::Terminate,
            () = over => Cause::Timeout,
        }
    }
}

fn for_work(timeout: Duration) -> Duration {
    timeout - (timeout / PART).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_come_within_the_limit() {
        assert_eq!(for_work(Duration::from_millis(200)), Duration::from_millis(180));
        assert_eq!(for_work(Duration::from_secs(50)), Duration::from_secs(49));
        assert_eq!(for_work(Duration::ZERO), Duration::ZERO);
    }
}
