//! Rows in hand: handle, settle, log. What a crash, a full channel or a failed try left is swept.

use super::{handler, handles, log_done, short};
use crate::app::App;
use crate::error::Then;
use crate::lifecycle;
use crate::store::{End, InHand, Leased, Outcome, Settled, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Tries of a handler before its row is parked.
const TRIES: i64 = 8;
/// First wait after a failed try; doubled each time, drawn evenly from nothing to it.
const BACKOFF_MS: i64 = 5_000;
/// Longest wait.
const BACKOFF_MAX_MS: i64 = 3_600_000;
/// From one settlement to the next; rows that come in meanwhile are settled together, …
const GATHER: Duration = Duration::from_millis(20);
/// … up to so many. Effects are a transaction each time, and half of its cost does not grow with its rows.
const TOGETHER: usize = 128;
/// How often the sweep looks, and how much it takes: small, so that several processes share what a
/// killed one left.
const SWEEP_EVERY: Duration = Duration::from_millis(200);
const SWEEP_ROWS: i64 = 100;
/// After so many full sweeps the heap is deep: on without a pause, all of them busy by then.
const SWEEP_CALM: u32 = 10;

/// The workers of a serving process.
pub struct Worker {
    app: Arc<App>,
    /// Told when a settled event made somebody's data due.
    due: Arc<Notify>,
    held: Arc<AtomicUsize>,
}

impl Worker {
    /// Workers over the rows that come in. `due` is told when somebody's data is due.
    pub fn new(app: Arc<App>, in_hand: &InHand, due: Arc<Notify>) -> Self {
        Worker { app, due, held: in_hand.held() }
    }

    /// Works until `stop`; then what is in hand is finished.
    pub async fn run(self, mut in_hand: InHand, mut stop: watch::Receiver<bool>) {
        let worker = Arc::new(self);
        let mut settling = JoinSet::new();
        let mut next = Instant::now();
        loop {
            let rows = tokio::select! {
                rows = in_hand.next() => rows,
                () = lifecycle::until(&mut stop) => break,
            };
            let Some(mut rows) = rows else { break };
            gather(&mut in_hand, &mut rows, next).await;
            next = Instant::now() + GATHER;
            settling.spawn(worker.clone().take(rows));
            while settling.try_join_next().is_some() {}
        }
        while let Ok(Some(rows)) = tokio::time::timeout(Duration::from_millis(50), in_hand.next()).await {
            settling.spawn(worker.clone().take(rows));
        }
        while settling.join_next().await.is_some() {}
    }

    async fn take(self: Arc<Self>, rows: Vec<Leased>) {
        let count = rows.len();
        if work(&self.app, rows).await {
            self.due.notify_one();
        }
        self.held.fetch_sub(count, Ordering::Relaxed);
    }

    /// Sweeps until `stop`.
    pub async fn sweep(app: Arc<App>, due: Arc<Notify>, mut stop: watch::Receiver<bool>) {
        let mut full = 0;
        loop {
            let pause = if full > SWEEP_CALM { Duration::ZERO } else { SWEEP_EVERY };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = lifecycle::until(&mut stop) => break,
            }
            let rows = match app.store.claim_inbox(SWEEP_ROWS, app.now_ms()).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::debug!(%error, "the sweep found the database away");
                    full = 0;
                    continue;
                }
            };
            full = if rows.len() as i64 == SWEEP_ROWS { full + 1 } else { 0 };
            if !rows.is_empty() && work(&app, rows).await {
                due.notify_one();
            }
        }
    }
}

/// Adds to `rows` what comes in until the next settlement is due.
async fn gather(in_hand: &mut InHand, rows: &mut Vec<Leased>, due: Instant) {
    while rows.len() < TOGETHER {
        match tokio::time::timeout_at(due.into(), in_hand.next()).await {
            Ok(Some(more)) => rows.extend(more),
            _ => break,
        }
    }
}

/// Handles rows in hand and settles them; says whether somebody's data may have become due.
pub async fn work(app: &App, rows: Vec<Leased>) -> bool {
    let now_ms = app.now_ms();
    let settled: Vec<Settled> = rows.iter().map(|row| handle(app, row, now_ms)).collect();
    let due = rows.iter().any(|row| handles(row.kind));
    match app.store.settle(settled.clone()).await {
        Ok(ends) => {
            let mut failed = Vec::new();
            for ((row, settled), end) in rows.iter().zip(&settled).zip(ends) {
                match end {
                    End::Settled => log(row, &settled.outcome),
                    End::NotOurs => tracing::debug!(id = row.id, "another process took the event over"),
                    End::Later => {
                        tracing::warn!(id = row.id, "an event could not be settled now; it is due again in 30 s")
                    }
                    End::Failed(why) => failed.push((row, retry(app, row, why))),
                }
            }
            if !failed.is_empty() {
                settle_failed(app, failed).await;
            }
            if rows.iter().any(|row| app.hooks.want(&row.account, row.kind)) {
                app.hooks.due.notify_waiters();
            }
            due
        }
        // The rows stay leased; the sweep takes them when the lease has run out.
        Err(error) => {
            tracing::error!(%error, "{} events could not be settled now; they are due again in 30 s", rows.len());
            false
        }
    }
}

async fn settle_failed(app: &App, failed: Vec<(&Leased, Settled)>) {
    let settled = failed.iter().map(|(_, settled)| settled.clone()).collect();
    match app.store.settle(settled).await {
        Ok(_) => failed.iter().for_each(|(row, settled)| log(row, &settled.outcome)),
        Err(error) => tracing::error!(%error, "the failure of {} events could not be written", failed.len()),
    }
}

fn handle(app: &App, row: &Leased, now_ms: i64) -> Settled {
    let start = Instant::now();
    let effects = handler(row.kind).map_or_else(|| Ok(Vec::new()), |effects| effects(app, row, now_ms));
    let settled = match effects {
        Ok(mut effects) => {
            effects.extend(told(app, row, now_ms));
            Settled { id: row.id, lease: row.lease, outcome: Outcome::Done(effects) }
        }
        Err(error) if error.then == Then::Never => {
            Settled { id: row.id, lease: row.lease, outcome: Outcome::Dead { error: error.to_string() } }
        }
        Err(error) => retry(app, row, error.to_string()),
    };
    app.metrics.handler_seconds.with_label_values(&[row.kind.as_str()]).observe(start.elapsed().as_secs_f64());
    settled
}

/// Who is to be told of it. What a hook was told of an earlier try or a replay stands.
fn told(app: &App, row: &Leased, now_ms: i64) -> Vec<Statement> {
    let hooks = app.hooks.now();
    let wanting = hooks.iter().filter(|hook| hook.wants(&row.account, row.kind));
    wanting.map(|hook| app.store.hook_due(&hook.name, row.id, &row.account, now_ms)).collect()
}

fn retry(app: &App, row: &Leased, error: String) -> Settled {
    let outcome = if row.attempts + 1 >= TRIES {
        Outcome::Dead { error }
    } else {
        Outcome::Again { due_at: app.now_ms() + backoff_ms(row.attempts), error }
    };
    Settled { id: row.id, lease: row.lease, outcome }
}

/// Full jitter: evenly between nothing and the doubled wait.
pub(super) fn backoff_ms(attempts: i64) -> i64 {
    let most = BACKOFF_MS.saturating_mul(1 << attempts.clamp(0, 20)).min(BACKOFF_MAX_MS);
    rand::random_range(0..=most)
}

/// One line an event.
fn log(row: &Leased, outcome: &Outcome) {
    let (id, account, kind, openid) = (row.id, &*row.account, row.kind.as_str(), short(&row.openid));
    match outcome {
        Outcome::Done(_) => log_done(id, account, row.kind, &row.openid),
        Outcome::Again { error, .. } => {
            tracing::warn!(id, account, kind, openid, error, "event failed, will be tried again")
        }
        Outcome::Dead { error } => {
            tracing::error!(
                id,
                account,
                kind,
                openid,
                error,
                "event parked as dead; wxops events replay {id} brings it back"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_an_hour() {
        for attempts in 0..70 {
            let wait = backoff_ms(attempts);
            assert!((0..=BACKOFF_MAX_MS).contains(&wait), "{wait}");
        }
        assert!((0..200).map(|_| backoff_ms(0)).max().is_some_and(|most| most <= BACKOFF_MS && most > 2_500));
    }
}
