//! Whether the database takes commits, as far as this process knows: a failed one is believed at once, that it is well
//! again only what it has really written.

use crate::app::App;
use crate::lifecycle;
use crate::report::veiled;
use crate::spool::Spool;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// A commit that takes longer is none for the platform, which cuts at 5 s.
const PATIENCE: Duration = Duration::from_secs(2);
/// While the database is away: one that is back answers sooner, and the next try should not wait for this one.
const SHORT: Duration = Duration::from_secs(1);
/// How often a commit is tried; the routes answer from the last try, at once.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// How the database stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It takes callbacks.
    Well,
    /// It has written something since it failed. What waits in the spool is tried first.
    Answers,
    /// A commit failed or did not come.
    Away,
}

const WELL: u8 = 0;
const ANSWERS: u8 = 1;
const AWAY: u8 = 2;

/// What is known of the database, and of the spool while that is needed.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse(Arc<State>);

#[derive(Debug, Default)]
struct State {
    standing: AtomicU8,
    /// Why the last commit failed.
    why: Mutex<Option<String>>,
    /// Why nothing can be spooled, as of the last try.
    full: Mutex<Option<String>>,
    /// Told when the database answers again.
    back: Notify,
}

impl Pulse {
    /// How the database stands.
    pub fn standing(&self) -> Standing {
        match self.0.standing.load(Ordering::Relaxed) {
            WELL => Standing::Well,
            ANSWERS => Standing::Answers,
            _ => Standing::Away,
        }
    }

    /// A commit failed, or nobody knows whether it did.
    pub fn away(&self, why: &str) {
        let why = veiled(why).into_owned();
        if self.0.standing.swap(AWAY, Ordering::Relaxed) == WELL {
            tracing::error!("the database does not take callbacks: {why}");
        }
        *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// A callback was committed, or there is none that could be tried.
    pub fn well(&self) {
        let answers = self.0.standing.compare_exchange(ANSWERS, WELL, Ordering::Relaxed, Ordering::Relaxed);
        if answers.is_ok() {
            *self.0.why.lock().unwrap_or_else(PoisonError::into_inner) = None;
            tracing::info!("the database takes callbacks again");
        }
    }

    /// Waits until the database answers again.
    pub async fn back(&self) {
        self.0.back.notified().await;
    }

    /// Why the last commit failed; `None`: it came.
    pub fn ill(&self) -> Option<String> {
        self.0.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why nothing can be spooled; `None` where it can, or where it is not needed.
    pub fn full(&self) -> Option<String> {
        self.0.full.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why no callback can be made durable now; `None`: it can, in the one or the other.
    pub fn red(&self, spool: Option<&Spool>) -> Option<String> {
        let ill = (self.standing() != Standing::Well).then(|| self.ill()).flatten()?;
        match spool {
            Some(_) => self.full().map(|full| format!("database: {ill}; spool: {full}")),
            None => Some(ill),
        }
    }

    /// Tries commits until `stop`. `place`: the row of this host.
    pub async fn run(self, app: Arc<App>, spool: Option<Spool>, place: String, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = self.beat(&app, spool.as_ref(), &place) => {}
                () = lifecycle::until(&mut stop) => break,
            }
            tokio::select! {
                () = tokio::time::sleep(TRY_EVERY) => {}
                () = lifecycle::until(&mut stop) => break,
            }
        }
    }

    async fn beat(&self, app: &App, spool: Option<&Spool>, place: &str) {
        let patience = if self.standing() == Standing::Away { SHORT } else { PATIENCE };
        let tried = async {
            match self.standing() {
                // An empty transaction comes back from a full disk too: what has failed must write to be believed.
                Standing::Away => app.store.prove(place).await,
                _ => app.store.ready().await,
            }
        };
        match tokio::time::timeout(patience, tried).await {
            Ok(Ok(())) => self.answers(spool.is_some()),
            Ok(Err(error)) => self.away(&error.to_string()),
            Err(_) => self.away(&format!("no commit within {} s", patience.as_secs())),
        }
        let full = match spool {
            Some(spool) if self.standing() == Standing::Away => spool.ready().await.err().map(|full| full.0),
            _ => None,
        };
        *self.0.full.lock().unwrap_or_else(PoisonError::into_inner) = full;
    }

    fn answers(&self, spools: bool) {
        if self.standing() == Standing::Away {
            self.0.standing.store(ANSWERS, Ordering::Relaxed);
            if !spools {
                self.well();
            }
        }
        self.0.back.notify_one();
    }
}
