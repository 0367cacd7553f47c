//! What verbs of a timer have in common: one run at a time over all hosts, and an end that gives the lock back.

use super::Context;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::say;
use crate::store::{Lease, Store};
use crate::tokens::this_process;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A lock ends 30 s after its last beat, so that a dead holder's is soon free.
const BEAT: Duration = Duration::from_secs(10);
/// How often one that waits looks whether the lock is free.
const LOOK: Duration = Duration::from_millis(250);
/// After a signal a job has so long to come to a halt, and so long its lock to be given back: the end comes
/// within a second, whatever the database does.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The flags of a verb that a timer runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Schedule {
    /// Exit 0, not 75, where another run is under way
    #[arg(long)]
    skip_if_running: bool,
    /// Wait so long for the end of another run, such as 30s
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    wait: Option<Duration>,
}

/// The turn of a job: no other run of it is under way.
pub struct Turn {
    store: Store,
    lease: Lease,
    interrupt: Signal,
    terminate: Signal,
    released: bool,
}

impl Schedule {
    /// Takes the lock of a job. `None`: another run has it, which is said and was asked to be no failure.
    pub async fn turn(&self, context: &Context, store: &Store, job: &str) -> Result<Option<Turn>> {
        let name = format!("job:{job}");
        let end = Instant::now() + self.wait.unwrap_or_default();
        let lease = loop {
            if let Some(lease) = store.acquire(&name, &this_process()).await? {
                break lease;
            }
            if Instant::now() >= end {
                let who = store.holder(&name).await?.map_or_else(String::new, |holder| holder.who);
                let busy = say!("another run of {job} is under way ({who})"; "另一个 {job} 正在运行（{who}）");
                if self.skip_if_running {
                    context.out.note(&busy);
                    return Ok(None);
                }
                return Err(Error::new(Kind::Busy, busy).next(say!(
                    "wait for its end, or give --wait 30s; the lock of a run that died is free after 30 s";
                    "请等它结束，或加 --wait 30s；已中断的运行其锁在 30 秒后释放"
                )));
            }
            tokio::time::sleep(LOOK).await;
        };
        let no_signals = |error| Error::failed(say!("signals can't be received"; "无法接收信号")).source(error);
        let turn = Turn {
            store: store.clone(),
            lease,
            interrupt: signal(SignalKind::interrupt()).map_err(no_signals)?,
            terminate: signal(SignalKind::terminate()).map_err(no_signals)?,
            released: false,
        };
        context.take_signals();
        Ok(Some(turn))
    }
}

/// Asks a job to end at its next step, so that it knows what it has done.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Turn {
    /// Runs the job until it ends or a signal ends it, then gives the lock back. A job that does not heed [`Stop`]
    /// in time is dropped, at any await.
    pub async fn run<T>(mut self, job: impl AsyncFnOnce(&Stop) -> Result<T>) -> Result<T> {
        let stop = Stop::default();
        let mut job = pin!(job(&stop));
        let ended = tokio::select! {
            done = &mut job => Ok(done),
            lost = beat(&self.store, &self.lease) => Ok(Err(lost)),
            _ = self.interrupt.recv() => Err(Kind::Interrupted),
            _ = self.terminate.recv() => Err(Kind::Terminated),
        };
        let done = match ended {
            Ok(done) => done,
            Err(kind) => {
                stop.0.store(true, Ordering::Relaxed);
                let _ = tokio::time::timeout(LAST_WORDS, job).await;
                Err(ended_by(kind))
            }
        };
        self.release().await;
        done
    }

    async fn release(&mut self) {
        // What is not given back now ends by itself.
        let _ = tokio::time::timeout(LAST_WORDS, self.store.release(&self.lease)).await;
        self.released = true;
    }
}

/// `--timeout` drops the job where it stands; the next run should not find it locked.
impl Drop for Turn {
    fn drop(&mut self) {
        if !self.released {
            tokio::task::block_in_place(|| Handle::current().block_on(self.release()));
        }
    }
}

/// Holds the lock as long as it is polled; ends only where it can't.
async fn beat(store: &Store, lease: &Lease) -> Error {
    loop {
        tokio::time::sleep(BEAT).await;
        match store.renew(lease).await {
            Ok(true) => {}
            Ok(false) => {
                return Error::failed(
                    say!("the lock was lost: this process stood still for over 30 s"; "锁已失效：本进程停顿超过 30 秒"),
                )
                .next(say!("run it again; work done is kept"; "请重新运行；已完成的工作已保留"));
            }
            Err(error) => return error,
        }
    }
}

fn ended_by(kind: Kind) -> Error {
    let what = match kind {
        Kind::Terminated => say!("ended by SIGTERM; work done is kept"; "被 SIGTERM 终止；已完成的工作已保留"),
        _ => say!("interrupted; work done is kept"; "已中断；已完成的工作已保留"),
    };
    Error::new(kind, what).next(say!("run it again to go on"; "再次运行即可继续"))
}
