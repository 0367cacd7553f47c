//! How the channels of a pass are: silent ones are given a moment, and after some silence in a row the pass ends; one that
//! is paused or stopped ends it at once. What ends a pass is its error.

use super::judge::Channel;
use crate::domain::notice::Via;
use crate::error::{Error, Kind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many calls in a row without an answer, and the pass ends.
const SILENCE: u32 = 4;
/// After the first of them nothing is sent for so long, then twice as long.
const MOMENT: Duration = Duration::from_millis(500);
/// Calls that were under way together fail together: they are one silence.
const TOGETHER: Duration = Duration::from_millis(400);

/// Shared by all that send.
#[derive(Debug, Default)]
pub struct Trouble {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    silences: u32,
    last: Option<Instant>,
    wait_until: Option<Instant>,
    soon: Option<Instant>,
    crowded: bool,
    ended: Vec<(Via, End)>,
}

/// Why nothing more is sent by a way.
#[derive(Debug)]
pub struct End {
    /// What it was.
    pub error: Error,
    /// For how long, where the platform said so.
    pub pause: Option<Duration>,
}

impl Trouble {
    /// Takes in how a call went.
    pub fn note(&self, via: Via, channel: Channel, error: Option<Error>) {
        let mut state = self.state();
        let pause = match channel {
            Channel::Well => {
                state.silences = 0;
                state.wait_until = None;
                return;
            }
            Channel::Crowded => {
                state.crowded = true;
                return;
            }
            Channel::Silent => {
                if state.last.is_some_and(|last| last.elapsed() < TOGETHER) {
                    return;
                }
                state.silences += 1;
                state.last = Some(Instant::now());
                state.wait_until = Some(Instant::now() + MOMENT * 2_u32.pow(state.silences.min(6) - 1));
                if state.silences < SILENCE {
                    return;
                }
                None
            }
            Channel::Paused(after) => Some(after),
            Channel::Stopped => None,
        };
        let Some(mut error) = error else { return };
        if channel == Channel::Silent {
            // That one call is repeated by the same bytes: the outcome of the pass is that the platform is away.
            error.kind = Kind::Unavailable;
        }
        if !state.ended.iter().any(|(ended, _)| *ended == via) {
            state.ended.push((via, End { error, pause }));
        }
    }

    /// Until when nothing is sent: a silent channel is given a moment.
    pub fn moment(&self) -> Option<Duration> {
        let until = self.state().wait_until?;
        until.checked_duration_since(Instant::now())
    }

    /// Whether nothing more can be sent by a way.
    pub fn over(&self, via: Via) -> bool {
        self.state().ended.iter().any(|(ended, _)| *ended == via)
    }

    /// Whether anything ended.
    pub fn any(&self) -> bool {
        !self.state().ended.is_empty()
    }

    /// Whether fewer calls at once were asked for.
    pub fn crowded(&self) -> bool {
        self.state().crowded
    }

    /// Something comes back in so long, and is worth waiting for.
    pub fn comes_back(&self, in_ms: i64) {
        let at = Instant::now() + Duration::from_millis(u64::try_from(in_ms).unwrap_or(0));
        let mut state = self.state();
        state.soon = Some(state.soon.map_or(at, |soon| soon.min(at)));
    }

    /// When the next of that is due; asked for once.
    pub fn soon(&self) -> Option<Instant> {
        self.state().soon.take()
    }

    /// Why it ended.
    pub fn take(&self) -> Vec<(Via, End)> {
        std::mem::take(&mut self.state().ended)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
