//! Keeps last positions: what has expired is deleted, and where there is a Redis one process of all keeps its copies true.

use super::post::Post;
use crate::app::App;
use crate::cache::{COPIES, Cache, Copier};
use crate::error::Result;
use crate::lifecycle;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Between two looks for what has expired, milliseconds by the clock of the process; and for what is known of those who
/// are gone.
const TIDY_EVERY_MS: i64 = 60_000;
const GONE_EVERY_MS: i64 = 3_600_000;
/// People of a transaction.
const TIDY_ROWS: i64 = 50;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Between two steps of copying that have nothing to do, and after one that failed.
const COPY_EVERY: Duration = Duration::from_millis(250);
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often outstanding copies are counted for the metric, and how many at the most.
const COUNT_EVERY: Duration = Duration::from_secs(1);
const COUNTED: i64 = 1_000_000;

/// Why Redis could not be asked at the last try; `None`: it could.
#[derive(Debug, Clone, Default)]
pub(super) struct RedisPulse(Arc<Mutex<Option<String>>>);

impl RedisPulse {
    /// What was wrong at the last try.
    pub fn ill(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how a try ended; says whether that is news.
    fn note(&self, ill: Option<String>) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let news = known.is_some() != ill.is_some();
        *known = ill;
        news
    }
}

/// Deletes what has expired, until `stop`. Several processes may do it at once.
pub(super) async fn tidy(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let (mut tidied, mut gone) = (i64::MIN, i64::MIN);
    loop {
        let now_ms = app.now_ms();
        if is_due(now_ms, &mut tidied, TIDY_EVERY_MS)
            && let Err(error) = expired(&app, is_due(now_ms, &mut gone, GONE_EVERY_MS)).await
        {
            tracing::debug!(%error, "positions that have expired could not be deleted now");
        }
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            () = lifecycle::until(&mut stop) => break,
        }
    }
}

async fn expired(app: &App, gone: bool) -> Result<()> {
    let keep_ms = i64::try_from(app.config.location_keep.as_millis()).unwrap_or(i64::MAX / 2);
    while app.store.tidy_locations(app.now_ms(), keep_ms, TIDY_ROWS).await? == TIDY_ROWS as usize {
        // A callback may write in between.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if gone { app.store.tidy_gone(app.now_ms(), keep_ms).await } else { Ok(()) }
}

/// Whether so much time has passed; a clock that was set back does not stop it.
fn is_due(now_ms: i64, last: &mut i64, every_ms: i64) -> bool {
    *last = (*last).min(now_ms);
    let due = now_ms.saturating_sub(*last) >= every_ms;
    if due {
        *last = now_ms;
    }
    due
}

/// Copies until `stop`, while this process is the one that does; every process looks whether Redis is well.
pub(super) async fn copy(app: Arc<App>, cache: Arc<Cache>, pulse: RedisPulse, mut stop: watch::Receiver<bool>) {
    let mut post = Post::new(COPIES);
    let mut copier = Copier::default();
    let mut counted = None;
    let working = async {
        loop {
            let wait = match step(&app, &cache, &mut post, &mut copier, &mut counted).await {
                Ok(wait) => {
                    if pulse.note(None) {
                        tracing::info!("Redis is well again");
                    }
                    app.metrics.redis_is(true);
                    wait
                }
                Err(error) => {
                    if pulse.note(Some(error.to_string())) {
                        let next = error.next.as_ref().map_or("", |next| next.en.as_str());
                        tracing::warn!(%error, next, "positions can't be copied to Redis now; callbacks do not wait for it");
                    }
                    app.metrics.redis_is(false);
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(wait).await;
        }
    };
    tokio::select! {
        () = working => {}
        () = lifecycle::until(&mut stop) => {}
    }
    post.leave(&app).await;
}

/// One step; how long to wait before the next.
async fn step(
    app: &App,
    cache: &Cache,
    post: &mut Post,
    copier: &mut Copier,
    counted: &mut Option<Instant>,
) -> Result<Duration> {
    if !post.hold(app).await? {
        cache.ping().await?;
        return Ok(AFTER_FAILURE);
    }
    let on = copier.step(cache, app.now_ms()).await?;
    // Not at each step: there may be a million of them.
    if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
        let (late, gone) = app.store.copies_due(COUNTED).await?;
        app.metrics.copies_are_due(late + gone);
        *counted = Some(Instant::now());
    }
    Ok(if on { Duration::ZERO } else { COPY_EVERY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_at_once_and_then_once_a_minute() {
        let mut last = i64::MIN;
        let looks = [5, 6, 60_004, 60_005, 10, 60_009, 60_010];
        let due: Vec<bool> = looks.iter().map(|now| is_due(*now, &mut last, TIDY_EVERY_MS)).collect();
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
