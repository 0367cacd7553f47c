//! The frame of scheduled work: one run at a time of a job and account over all hosts, a row of `job_run` for each, an end
//! within the second after a signal, and a checkpoint that outlives every end.
//!
//! A verb says what it does as a whole with [`Frame::whole`], and in it each run of a job with [`Frame::run`].

mod run;
mod signals;
mod stop;
mod turn;

pub use run::Run;
pub use stop::Stop;

use crate::app::App;
use crate::config;
use crate::error::{Error, Kind, Result};
use crate::report::{Endless, Notes, veiled};
use crate::store::{JobOutcome, Lease, RunEnd, Store};
use crate::tokens::this_process;
use signals::Ends;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use turn::Turn;

/// The account of a job that works the whole installation.
pub const EVERYWHERE: &str = "*";
/// After a signal a job has so long to come to a halt, and its row and lock so long to be seen to: the end comes within
/// a second, whatever the database does.
const HALT: Duration = Duration::from_millis(500);
const LAST_WORDS: Duration = Duration::from_millis(300);
/// The same of a job that came to its end.
const END: Duration = Duration::from_secs(5);

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

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// As it is typed: `followers sync`.
    pub name: &'static str,
    /// Whose: an account's name, or [`EVERYWHERE`].
    pub account: &'a str,
    /// How old a checkpoint may be from which it goes on; `None`: it begins anew each time.
    pub resume: Option<Duration>,
}

/// Who called: what the frame needs to know of the command.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Remarks for people.
    pub notes: Notes,
    /// When the command began.
    pub start: Instant,
    /// `--timeout`, from then on.
    pub timeout: Option<Duration>,
    /// Where it is said that signals and the limit are seen to here.
    pub endless: Arc<OnceLock<Endless>>,
}

/// The frame around a command that a timer runs.
#[derive(Debug)]
pub struct Frame {
    schedule: Schedule,
    caller: Caller,
    stop: Arc<Stop>,
    held: Mutex<Option<Held>>,
}

/// A lock that is held, with the run under it.
#[derive(Debug)]
struct Held {
    store: Store,
    lease: Lease,
    start: Instant,
    run: Option<Run>,
}

impl Schedule {
    /// The frame of a command with these flags.
    pub fn frame(&self, caller: Caller) -> Frame {
        Frame { schedule: self.clone(), caller, stop: Arc::default(), held: Mutex::default() }
    }
}

impl Frame {
    /// Does all that a command does, from opening the database on, until it ends or SIGINT, SIGTERM or `--timeout` ends
    /// it. What does not heed [`Stop`] within 500 ms is dropped, at any await.
    pub async fn whole<T>(&self, work: impl AsyncFnOnce(&Frame) -> Result<T>) -> Result<T> {
        let mut ends = Ends::watch(&self.caller)?;
        // The first word on it stands.
        let _ = self.caller.endless.set(Endless::Finishes);
        let mut work = Box::pin(work(self));
        let cause = tokio::select! {
            done = &mut work => return done,
            cause = ends.next() => cause,
        };
        self.stop.ask(cause);
        let _ = tokio::time::timeout(HALT, &mut work).await;
        drop(work);
        self.end(Err(&cause.error()), cause.outcome(), LAST_WORDS).await;
        Err(cause.error())
    }

    /// One run of a job, under its lock, which is given back whatever happens. `None`: another run is under way, which
    /// is said and was asked to be no failure. Errors: those of `work`; exit 75 where another run is under way, 1 where
    /// it has been for over three times as long as usual, or where the lock was lost.
    pub async fn run<T>(
        &self,
        app: &App,
        job: Job<'_>,
        work: impl AsyncFnOnce(&mut Run) -> Result<T>,
    ) -> Result<Option<T>> {
        if let Some(cause) = self.stop.cause() {
            return Err(cause.error());
        }
        let now = || app.config.clock.now();
        let wait = self.schedule.wait.unwrap_or_default();
        let lease = match turn::take(&app.store, &job, wait, now).await? {
            Turn::Ours(lease) => lease,
            Turn::Theirs(error) if error.kind == Kind::Busy && self.schedule.skip_if_running => {
                self.caller.notes.say(&error.what);
                return Ok(None);
            }
            Turn::Theirs(error) => return Err(error),
        };
        let held = Held { store: app.store.clone(), lease: lease.clone(), start: Instant::now(), run: None };
        *self.held() = Some(held);
        let done = self.under_lock(app, job, lease, work).await;
        let done = match self.stop.cause() {
            // Whether it came to its end or to a halt, it does not tell.
            Some(cause) => Err(cause.error()),
            None => done,
        };
        let outcome = match (self.stop.cause(), &done) {
            (Some(cause), _) => cause.outcome(),
            (None, Ok(_)) => JobOutcome::Ok,
            (None, Err(error)) => JobOutcome::of(error.kind),
        };
        let limit = if self.stop.asked() { LAST_WORDS } else { END };
        self.end(done.as_ref().map(drop), outcome, limit).await;
        done.map(Some)
    }

    async fn under_lock<T>(
        &self,
        app: &App,
        job: Job<'_>,
        lease: Lease,
        work: impl AsyncFnOnce(&mut Run) -> Result<T>,
    ) -> Result<T> {
        let (store, clock) = (app.store.clone(), app.config.clock.clone());
        let begun = store.begin_run((job.name, job.account), &this_process(), clock.now(), job.resume).await?;
        let mut run = Run::new(store, lease, clock, begun, self.stop.clone());
        let shared = run.clone();
        if let Some(held) = self.held().as_mut() {
            held.run = Some(shared.clone());
        }
        tokio::select! {
            done = work(&mut run) => done,
            lost = turn::beat(&shared.store, &shared.lease) => Err(lost),
        }
    }

    /// Writes how the run ended and gives its lock back. Where that fails, the lock ends by itself, and the next run
    /// finds the row.
    async fn end(&self, done: Result<(), &Error>, outcome: JobOutcome, limit: Duration) {
        let Some(Held { store, lease, start, run }) = self.held().take() else { return };
        let ended = async {
            let Some(run) = &run else { return store.release(&lease).await };
            let error = done.err().map(|error| veiled(&error.to_string()).into_owned());
            let end = RunEnd {
                at: run.now(),
                outcome,
                exit_code: done.err().map_or(0, |error| error.kind.exit_code()),
                counts: &run.counts_json(),
                error: error.as_deref(),
            };
            store.end_run(run.id(), &end, &lease).await
        };
        match tokio::time::timeout(limit, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the end of the run is not written down"),
            Err(_) => tracing::warn!("the end of the run is not written down: the database did not answer in time"),
        }
        let _ = start;
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
