//! Pass after pass: a full one at its interval, and between them one look at an index each moment, so that a row goes out
//! as soon as it is due.

use super::pass::{Counts, Notifier, Options, Passed};
use crate::error::{Kind, Result};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// After a pass that came to nothing because a service is away, and because a person has to act.
const AWAY: Duration = Duration::from_secs(5);
const ILL: Duration = Duration::from_secs(60);

/// How the loop goes.
#[derive(Debug, Clone)]
pub struct Rhythm {
    /// Between two full passes.
    pub full: Duration,
    /// Between two looks whether something is due.
    pub poll: Duration,
}

/// After a pass: the platform, or a person, needs a while; what waits to be told of together, or what others have in
/// hand, is due and can't be claimed.
fn rest(passed: &Passed, rhythm: &Rhythm) -> Duration {
    match passed.error.as_ref().map(|error| error.kind) {
        Some(Kind::Config | Kind::Refused) => ILL,
        Some(_) => AWAY,
        None if passed.counts.claimed > 0 => Duration::ZERO,
        None => {
            let next =
                passed.next_in_ms.and_then(|ms| u64::try_from(ms).ok()).map_or(rhythm.poll, Duration::from_millis);
            next.clamp(rhythm.poll, rhythm.full.max(rhythm.poll))
        }
    }
}

/// What a pass did, where it did anything.
fn log(passed: &Passed) {
    let Counts { claimed, sent, messages, again, dead, unknown, recovered, .. } = passed.counts;
    if let Some(error) = &passed.error {
        tracing::error!(%error, "a pass over the queue ended early");
    }
    if claimed > 0 {
        tracing::info!(sent, messages, again, dead, unknown, recovered, "a pass over the queue");
    }
}

impl Notifier {
    /// Until `stop`: what is under way comes to its end first.
    pub async fn keep_going(self: Arc<Self>, options: &Options, rhythm: &Rhythm, stop: CancellationToken) {
        let mut said = None;
        while !stop.is_cancelled() {
            let passed = self.pass(options, stop.clone()).await;
            let error = passed.error.as_ref().map(ToString::to_string);
            // The same trouble is told once.
            if passed.counts.claimed > 0 || error != said {
                log(&passed);
            }
            said = error;
            let rest = rest(&passed, rhythm);
            tokio::select! {
                () = self.until_due(rest, rhythm) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Whether a pass has something to do; where new members are looked for, that is a pass's work too.
    async fn is_due(&self) -> Result<bool> {
        if let Some(source) = &self.source
            && self.db.look(source, 1).await? > 0
        {
            return Ok(true);
        }
        self.db.is_due().await
    }

    /// After a rest: until a row is due, or a full pass.
    async fn until_due(&self, rest: Duration, rhythm: &Rhythm) {
        tokio::time::sleep(rest).await;
        let full = Instant::now() + rhythm.full;
        while Instant::now() < full {
            match self.is_due().await {
                Ok(true) => return,
                Ok(false) => tokio::time::sleep(rhythm.poll).await,
                Err(error) => {
                    tracing::debug!(%error, "the queue's database is away");
                    tokio::time::sleep(AWAY).await;
                }
            }
        }
    }
}
