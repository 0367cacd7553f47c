//! The turn of a job: one run at a time over all hosts, by a lease that a dead holder loses within 30 s.

use super::Job;
use super::run::lost;
use crate::domain::rhythm::median;
use crate::error::{Error, Kind, Result, Text};
use crate::report::span;
use crate::say;
use crate::store::{Holder, LEASE_MS, Lease, Store, job_lock};
use crate::tokens::this_process;
use chrono::{DateTime, Utc};
use std::time::{Duration, Instant};

/// A lock ends 30 s after its last beat, so that a dead holder's is soon free.
const BEAT: Duration = Duration::from_secs(10);
/// How often one that waits looks whether the lock is free.
const LOOK: Duration = Duration::from_millis(250);
/// Runs that tell how long a job usually takes, and how many of them it needs to know.
const USUAL_OF: i64 = 20;
const USUAL_FROM: usize = 3;
/// Held over so many times its usual time is an alarm.
const TOO_LONG: i64 = 3;

/// What came of asking for the lock.
pub(super) enum Turn {
    /// It is ours.
    Ours(Lease),
    /// Another run has it.
    Theirs(Error),
}

/// Takes the lock of a job, and waits for it as long as that.
pub(super) async fn take(
    store: &Store,
    job: &Job<'_>,
    wait: Duration,
    now: impl Fn() -> DateTime<Utc>,
) -> Result<Turn> {
    let name = job_lock(job.name, job.account);
    let end = Instant::now() + wait;
    loop {
        // A run over the whole installation works this account too.
        let theirs = match job.account {
            super::EVERYWHERE => None,
            _ => store
                .holder(&job_lock(job.name, super::EVERYWHERE))
                .await?
                .filter(|holder| holder.left_ms.is_some_and(|left| left > 0)),
        };
        if theirs.is_none()
            && let Some(lease) = store.acquire(&name, &this_process()).await?
        {
            return Ok(Turn::Ours(lease));
        }
        if Instant::now() >= end {
            let holder = match theirs {
                Some(holder) => Some(holder),
                None => store.holder(&name).await?,
            };
            return Ok(Turn::Theirs(busy(store, job, holder, now()).await?));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Another run is under way: exit 75, or 1 where it has been for much longer than usual.
async fn busy(store: &Store, job: &Job<'_>, holder: Option<Holder>, now: DateTime<Utc>) -> Result<Error> {
    let who = holder.map_or_else(String::new, |holder| holder.who);
    let name = job.name;
    let held_ms = store.running_since(name, job.account).await?.map_or(0, |since| (now - since).num_milliseconds());
    let times = store.run_times(name, job.account, USUAL_OF).await?;
    if let Some(usual_ms) = usual(times).filter(|usual| too_long(held_ms, *usual)) {
        let (Text { en: held, zh: held_zh }, Text { en: usual, zh: usual_zh }) = (span(held_ms), span(usual_ms));
        let what = say!(
            "another run of {name} is under way ({who}) for {held}, usually it takes {usual}";
            "另一个 {name} 正在运行（{who}），已持续 {held_zh}，平时只需 {usual_zh}"
        );
        return Ok(Error::failed(what).next(say!(
            "look at that process; once it is ended its lock is free after 30 s at most";
            "请检查该进程；它结束后锁最多 30 秒即可释放"
        )));
    }
    let what = say!("another run of {name} is under way ({who})"; "另一个 {name} 正在运行（{who}）");
    Ok(Error::new(Kind::Busy, what).next(say!(
        "wait for its end, or give --wait 30s; the lock of a run that died is free after 30 s";
        "请等它结束，或加 --wait 30s；已中断的运行其锁在 30 秒后释放"
    )))
}

/// The median, once there is one to speak of.
fn usual(mut times: Vec<i64>) -> Option<i64> {
    median(&mut times).filter(|_| times.len() >= USUAL_FROM)
}

/// Within the length of a lease nobody knows whether its holder still lives.
fn too_long(held_ms: i64, usual_ms: i64) -> bool {
    held_ms > (usual_ms * TOO_LONG).max(LEASE_MS)
}

/// Holds the lock as long as it is polled; ends only where it can't.
pub(super) async fn beat(store: &Store, lease: &Lease) -> Error {
    loop {
        tokio::time::sleep(BEAT).await;
        match store.renew(lease).await {
            Ok(true) => {}
            Ok(false) => return lost(),
            Err(error) => return error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_too_long_by_what_is_usual() {
        assert_eq!(usual(vec![]), None);
        assert_eq!(usual(vec![9, 9]), None, "two say nothing");
        assert_eq!(usual(vec![900, 1, 5]), Some(5));
        assert!(!too_long(29_999, 10) && too_long(30_001, 10));
        assert!(!too_long(180_000, 60_000) && too_long(180_001, 60_000));
    }
}
