//! The writer of a sync: puts together what has come in, and notes with it how far the sync is.

use super::place::Place;
use crate::app::App;
use crate::commands::pace::Pace;
use crate::error::Result;
use crate::job::Run;
use crate::lifecycle::ServeLock;
use crate::store::{Listed, SyncWriter, Synced};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Messages on their way to the writer; each holds a batch of 100 people at the most.
pub(super) const WAITING: usize = 64;
/// People of a transaction where nobody else waits for it.
const MOST: usize = 5_000;
/// The same on a server, where others write beside it.
const MOST_ON_SERVER: usize = 1_000;
/// How often it is looked whether a `serve` works on the same SQLite file.
const LOOK: Duration = Duration::from_millis(500);

/// What is told to the writer.
pub(super) enum ToWrite {
    /// A page, before its batches: how many there are, and where the sync is once they are written.
    Page { number: u64, batches: usize, after: Place },
    /// A batch of a page.
    Batch { number: u64, people: Vec<Listed>, failed: u64 },
}

/// A page that is not done yet.
struct Open {
    number: u64,
    batches: usize,
    failed: u64,
    after: Place,
}

/// Counts that others look at.
pub(super) type Shared = Arc<Mutex<Synced>>;

pub(super) fn locked(shared: &Shared) -> MutexGuard<'_, Synced> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes what becomes of people, a transaction at a time, with the place of the sync in each.
pub(super) struct Writing {
    pub app: Arc<App>,
    pub run: Run,
    pub writer: SyncWriter,
    pub place: Place,
    pub counts: Shared,
    pace: Pace,
    serves: Option<(Instant, bool)>,
    pages: VecDeque<Open>,
}

impl Writing {
    pub fn new(app: &Arc<App>, run: &Run, writer: SyncWriter, place: Place, counts: &Shared) -> Self {
        Writing {
            app: app.clone(),
            run: run.clone(),
            writer,
            place,
            counts: counts.clone(),
            pace: Pace::new(),
            serves: None,
            pages: VecDeque::new(),
        }
    }

    /// Writes until every sender is gone; where the sync is then.
    pub async fn run(mut self, mut from: mpsc::Receiver<ToWrite>) -> Result<Place> {
        while let Some(first) = from.recv().await {
            let most = self.most();
            let mut people = Vec::new();
            let mut next = Some(first);
            while let Some(message) = next.take() {
                people.extend(self.take(message));
                if people.len() < most {
                    next = from.try_recv().ok();
                }
            }
            let before = self.place.json();
            let closed = self.close();
            if people.is_empty() && closed {
                self.run.save(&self.place.json()).await?;
            }
            while !people.is_empty() {
                let rest = people.split_off(self.most().min(people.len()));
                let place = if rest.is_empty() { self.place.json() } else { before.clone() };
                self.write(people, place).await?;
                people = rest;
            }
        }
        Ok(self.place)
    }

    fn take(&mut self, message: ToWrite) -> Vec<Listed> {
        match message {
            ToWrite::Page { number, batches, after } => {
                self.pages.push_back(Open { number, batches, failed: 0, after });
                Vec::new()
            }
            ToWrite::Batch { number, people, failed } => {
                if let Some(page) = self.pages.iter_mut().find(|page| page.number == number) {
                    page.batches -= 1;
                    page.failed += failed;
                }
                people
            }
        }
    }

    /// Moves on over the pages that are done with what is to be written now.
    fn close(&mut self) -> bool {
        let mut closed = false;
        while self.pages.front().is_some_and(|page| page.batches == 0) {
            let Some(page) = self.pages.pop_front() else { break };
            let failed = self.place.failed + page.failed;
            self.place = Place { failed, ..page.after };
            closed = true;
        }
        closed
    }

    async fn write(&mut self, people: Vec<Listed>, place: Value) -> Result<()> {
        let before = *locked(&self.counts);
        let (run, failed) = (self.run.clone(), self.place.failed);
        let note = move |more: &Synced| {
            let mut counts = before;
            counts.add(*more);
            tell(&run, &counts, failed);
            run.save_statement(&place)
        };
        match self.writer.write(people, self.app.config.clock.now(), Box::new(note)).await {
            Ok(written) => {
                locked(&self.counts).add(written.tally);
                if self.beside_serve() {
                    tokio::time::sleep(self.pace.after(written.held)).await;
                }
                Ok(())
            }
            Err(error) => {
                tell(&self.run, &before, failed);
                Err(error)
            }
        }
    }

    /// People of the next transaction.
    fn most(&mut self) -> usize {
        match (self.app.store.file().is_some(), self.beside_serve()) {
            (false, _) => MOST_ON_SERVER,
            (true, false) => MOST,
            (true, true) => self.pace.rows(),
        }
    }

    /// Whether callbacks wait for each transaction.
    fn beside_serve(&mut self) -> bool {
        let Some(file) = self.app.store.file() else { return false };
        match self.serves {
            Some((at, serves)) if at.elapsed() < LOOK => serves,
            _ => {
                let serves = ServeLock::is_held(file);
                self.serves = Some((Instant::now(), serves));
                serves
            }
        }
    }
}

/// The counts of the run.
pub(super) fn tell(run: &Run, counts: &Synced, failed: u64) {
    let Synced { seen, new, updated, unchanged, returned, kept } = *counts;
    for (name, count) in [
        ("seen", seen),
        ("new", new),
        ("updated", updated),
        ("unchanged", unchanged),
        ("returned", returned),
        ("kept", kept),
        ("failed", failed),
    ] {
        run.set_count(name, count);
    }
}

/// The counts of the runs that this one goes on with.
pub(super) fn told(run: &Run) -> Synced {
    Synced {
        seen: run.counted("seen"),
        new: run.counted("new"),
        updated: run.counted("updated"),
        unchanged: run.counted("unchanged"),
        returned: run.counted("returned"),
        kept: run.counted("kept"),
    }
}
