//! Whether a hook's receiver is well. One that is not rests, in `channel`, and is probed once a minute by one process
//! of all; what waits for it meanwhile costs nothing.

use super::{AT_ONCE, Answer, channel};
use crate::app::App;
use crate::error::Result;
use crate::store::Pause;
use std::time::Duration;

/// A receiver that fails so often in a row rests.
const PATIENCE: u32 = 5;
/// The first rest; doubled each time, …
const REST: Duration = Duration::from_secs(5);
/// … up to this.
const REST_MOST: Duration = Duration::from_secs(60);
/// The end of a rest that only a person ends, milliseconds: the year 9999.
const NEVER: i64 = 253_402_214_400_000;

/// What this process knows of the receiver.
pub(super) struct Pulse {
    hook: String,
    /// The rest that stands, as it was last read.
    pause: Option<Pause>,
    /// Failures in a row.
    ill: u32,
    /// Rests in a row.
    rests: u32,
    /// Counts the rests: who was under way when one began says nothing new.
    turn: u64,
}

impl Pulse {
    pub fn new(hook: &str) -> Self {
        Pulse { hook: hook.to_owned(), pause: None, ill: 0, rests: 0, turn: 0 }
    }

    /// Which turn a try belongs to that is made now.
    pub fn turn(&self) -> u64 {
        self.turn
    }

    /// How many may be sent now, where there is room for so many: one, as a probe, where the hook rests.
    pub async fn room(&mut self, app: &App, room: usize) -> Result<usize> {
        self.pause = app.store.paused("*", &channel(&self.hook)).await?;
        match &self.pause {
            None => Ok(room),
            Some(_) if room < AT_ONCE => Ok(0),
            Some(pause) => Ok(usize::from(app.store.may_probe(pause, app.now_ms()).await?)),
        }
    }

    /// There was nothing to send: the right to probe goes back.
    pub async fn unused(&self, app: &App) -> Result<()> {
        match &self.pause {
            Some(pause) => app.store.pause(&pause.account, &pause.api, &pause.reason, pause.paused_until).await,
            None => Ok(()),
        }
    }

    /// Takes in what a receiver made of a try of that turn.
    pub async fn note(&mut self, app: &App, turn: u64, answer: &Answer) -> Result<()> {
        let (why, wait) = match answer {
            Answer::Taken => {
                self.ill = 0;
                self.rests = 0;
                if self.pause.take().is_some() {
                    app.store.resume("*", &channel(&self.hook)).await?;
                    tracing::info!(hook = self.hook, "the hook's receiver is well again");
                }
                return Ok(());
            }
            _ if turn != self.turn => return Ok(()),
            Answer::Unasked => return self.unused(app).await,
            Answer::Gone(why) => {
                tracing::error!(
                    hook = self.hook,
                    "the hook's receiver is gone: {why}; nothing is sent to it until wxops events replay --dead --hook {}",
                    self.hook
                );
                return self.rest(app, why, NEVER).await;
            }
            Answer::Away { why, after } => (why, *after),
            Answer::Refused(why) | Answer::Unknown(why) => {
                self.ill += 1;
                if self.ill < PATIENCE && self.pause.is_none() {
                    return Ok(());
                }
                (why, None)
            }
        };
        let wait = wait.unwrap_or_else(|| REST.saturating_mul(1 << self.rests.min(8)).min(REST_MOST));
        tracing::warn!(hook = self.hook, "the hook rests for {} s: {why}", wait.as_secs());
        self.rest(app, why, app.now_ms() + i64::try_from(wait.as_millis()).unwrap_or(NEVER)).await
    }

    async fn rest(&mut self, app: &App, why: &str, until: i64) -> Result<()> {
        self.turn += 1;
        self.rests += 1;
        app.store.pause("*", &channel(&self.hook), why, until).await
    }
}
