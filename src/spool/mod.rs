//! The spool: where callbacks wait on this host's disk while the database is away. Append-only files; what is in one
//! is on disk before anybody is told so. It moves into the database through the same dedupe as everything else, so that
//! a record that is moved in twice, by whomever, is one row.
//!
//! `disk.rs` appends and syncs, `segment.rs` is a file, `record.rs` what stands in it, `survey.rs` what lies there.

mod disk;
mod place;
mod recent;
mod record;
mod segment;
mod survey;

pub use disk::Kept;
pub use place::Settings;
pub use record::Record;
pub use segment::Taken;
pub use survey::{Survey, Surveyor};

use crate::domain::beat::Beat;
use crate::store::Arrival;
use disk::Disk;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Callbacks that may wait for the disk; beyond it they are refused and the platform tries again.
const WAITING: usize = 16_384;
/// What one write takes at the most: what a slow disk leaves waiting, in one sync.
const BATCH: usize = 1024;

/// Why nothing can be spooled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full(pub String);

/// A callback that waits for the disk.
#[derive(Debug)]
struct Waiting {
    key: [u8; 32],
    body: Vec<u8>,
    tell: oneshot::Sender<Result<Kept, Full>>,
}

/// The spool of this process. Nothing is made, opened or started before the first callback needs it.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    queue: Mutex<Queue>,
    disk: Mutex<Disk>,
    surveyor: Mutex<Surveyor>,
    /// Of the thread that writes.
    beat: Beat,
    /// Whether this process has spooled something since the last [`Spool::seal`].
    used: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    /// Somebody writes; who comes meanwhile is in the next batch.
    busy: bool,
}

impl Spool {
    /// The spool in that folder.
    pub fn new(settings: &Settings) -> Spool {
        let folder = settings.folder().to_owned();
        let disk = Mutex::new(Disk::new(folder.clone(), settings.max));
        let used = AtomicBool::new(false);
        Spool(Arc::new(Shared {
            folder,
            queue: Mutex::default(),
            disk,
            surveyor: Mutex::default(),
            beat: Beat::default(),
            used,
        }))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Makes a callback durable on this host; returns after the sync that it shares with those who wait beside it.
    pub async fn keep(&self, arrival: &Arrival) -> Result<Kept, Full> {
        let whose = (arrival.event.kind.platform(), &*arrival.account);
        let body = record::body(whose, &arrival.key, arrival.received.timestamp_millis(), &arrival.raw);
        let (tell, told) = oneshot::channel();
        let leads = {
            let mut queue = locked(&self.0.queue);
            if queue.waiting.len() >= WAITING {
                return Err(Full("the disk does not keep up".to_owned()));
            }
            queue.waiting.push(Waiting { key: arrival.key, body, tell });
            !std::mem::replace(&mut queue.busy, true)
        };
        if leads {
            // A task of its own: who waits may go away, the others stay.
            tokio::spawn(self.clone().write());
        }
        told.await.unwrap_or_else(|_| Err(Full("the process stops".to_owned())))
    }

    /// Writes until nobody waits.
    async fn write(self) {
        loop {
            let batch: Vec<Waiting> = {
                let mut queue = locked(&self.0.queue);
                let count = queue.waiting.len().min(BATCH);
                if count == 0 {
                    queue.busy = false;
                    queue.waiting = Vec::new();
                    return;
                }
                queue.waiting.drain(..count).collect()
            };
            let shared = self.0.clone();
            let written = spawn_blocking(move || {
                shared.beat.at_work();
                let mut disk = locked(&shared.disk);
                shared.used.store(true, Ordering::Relaxed);
                let answers = disk.write(&batch);
                drop(disk);
                shared.beat.at_rest();
                (batch, answers)
            });
            // Gone with the runtime, and with it all who wait.
            let Ok((batch, answers)) = written.await else { return };
            for (waiting, answer) in batch.into_iter().zip(answers) {
                let _ = waiting.tell.send(answer);
            }
        }
    }

    /// Whether a callback could be made durable here now; tries the disk.
    pub async fn ready(&self) -> Result<(), Full> {
        let shared = self.0.clone();
        let probed = self.on_disk(move |disk| {
            shared.used.store(true, Ordering::Relaxed);
            disk.probe()
        });
        probed.await.unwrap_or_else(|| Err(Full("the process stops".to_owned())))
    }

    /// Whether a write has hung in the disk for this long.
    pub fn stuck(&self, limit: Duration) -> bool {
        self.0.beat.stuck(limit)
    }

    /// Whether something may wait here that this process has written.
    pub fn is_used(&self) -> bool {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Closes the open segment, so that it can be moved in.
    pub async fn seal(&self) {
        let shared = self.0.clone();
        self.on_disk(move |disk| {
            // Under the lock: what is written later sets it again.
            disk.seal();
            shared.used.store(false, Ordering::Relaxed);
        })
        .await;
    }

    /// Takes the oldest segment that nobody writes to, of this process or of one that is gone.
    /// `passed_over` keeps those that a newer program wrote.
    pub async fn take(&self, passed_over: &mut Vec<PathBuf>) -> std::io::Result<Option<Taken>> {
        let (shared, mut passed) = (self.0.clone(), std::mem::take(passed_over));
        let taken = spawn_blocking(move || (Taken::next(&shared.folder, &mut passed), passed)).await;
        let (taken, passed) = taken.map_err(std::io::Error::other)?;
        *passed_over = passed;
        taken
    }

    /// Whether no segment lies there, of whomever.
    pub fn is_empty(&self) -> bool {
        segment::segments(&self.0.folder).is_ok_and(|segments| segments.is_empty())
    }

    /// What lies there, of this process and of others.
    pub async fn survey(&self) -> std::io::Result<Survey> {
        if !self.0.folder.exists() {
            return Ok(Survey::default());
        }
        let shared = self.0.clone();
        let looked = spawn_blocking(move || locked(&shared.surveyor).look(&shared.folder));
        looked.await.map_err(std::io::Error::other)?
    }

    /// Why nothing could be written at the last try; `None`: it could, or nobody tried.
    pub fn ill(&self) -> Option<String> {
        // Held during a sync: who asks meanwhile learns it the next time.
        self.0.disk.try_lock().ok().and_then(|disk| disk.ill().map(str::to_owned))
    }

    async fn on_disk<T: Send + 'static>(&self, act: impl FnOnce(&mut Disk) -> T + Send + 'static) -> Option<T> {
        let shared = self.0.clone();
        spawn_blocking(move || act(&mut locked(&shared.disk))).await.ok()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
