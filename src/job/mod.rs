//! The frame of scheduled work: one run at a time of a job and account over all hosts, a row of `job_run` for each, an end
//! within the second after a signal, and a checkpoint that outlives every end; who watches the job hears of it.
//!
//! A verb says what it does as a whole with [`Frame::whole`], and in it each run of a job with [`Frame::run`].

mod ping;
mod run;
mod signals;
mod stop;
mod textfile;
mod told;
mod turn;

pub use run::Run;
pub use stop::Stop;

use crate::app::App;
use crate::config;
use crate::domain::secret::Secret;
use crate::error::{Error, Kind, Result};
use crate::report::{Endless, Notes, keep_log, veiled};
use crate::store::{JobOutcome, Lease, RunEnd, Store};
use crate::tokens::this_process;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use ping::Ping;
use signals::Ends;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use stop::Cause;
use told::Ended;
use turn::Turn;

/// The account of a job that works the whole installation.
pub const EVERYWHERE: &str = "*";
/// After a signal a job has so long to come to a halt, its row and lock so long to be seen to, and its verb so long to
/// tell how far it came; with the ping the end comes within a second, whatever the database does.
const HALT: Duration = Duration::from_millis(450);
const LAST_WORDS: Duration = Duration::from_millis(250);
const REPORT: Duration = Duration::from_millis(50);
const LAST_PING: Duration = Duration::from_millis(900);
/// The same of a job that came to its end.
const END: Duration = Duration::from_secs(5);
/// What a disk gets that a file is written to.
const DISK: Duration = Duration::from_secs(2);

/// The flags of a verb that a timer runs.
#[derive(Debug, Clone, clap::Args)]
pub struct Schedule {
    /// Exit 0, not 75, where another run is under way
    #[arg(long)]
    skip_if_running: bool,
    /// Wait so long for the end of another run, such as 30s
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    wait: Option<Duration>,
    /// Tell this address of the start, and of the end with exit code and log, as healthchecks.io has it
    #[arg(long, value_name = "URL", value_parser = |text: &str| Ok::<_, Infallible>(Secret::new(text)))]
    ping_url: Option<Secret>,
    /// Write how it ended into this file, for node_exporter's textfile collector
    #[arg(long, value_name = "FILE.prom")]
    metrics_file: Option<PathBuf>,
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
    /// The command as it is typed: the job's name.
    pub job: &'static str,
    /// Whose runs it will be, as far as the configuration tells.
    pub accounts: Vec<String>,
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
    held: Mutex<Vec<Held>>,
    /// A run works beside one that holds the lock.
    beside: AtomicBool,
    ended: Mutex<Vec<Ended>>,
}

/// A lock that is held, with the run under it.
#[derive(Debug)]
struct Held {
    store: Store,
    lease: Lease,
    account: String,
    start: Instant,
    run: Option<Run>,
}

impl Schedule {
    /// The frame of a command with these flags.
    pub fn frame(&self, caller: Caller) -> Frame {
        let schedule = self.clone();
        let (stop, held, beside, ended) = Default::default();
        Frame { schedule, caller, stop, held, beside, ended }
    }
}

impl Frame {
    /// Does all that a command does, from opening the database on, until it ends or SIGINT, SIGTERM or `--timeout` ends
    /// it. A run that does not heed [`Stop`] within 450 ms is dropped, at any await, and so is what is no run. Whoever
    /// watches the job hears of it.
    pub async fn whole<T>(&self, work: impl AsyncFnOnce(&Frame) -> Result<T>) -> Result<T> {
        let ping = self.schedule.ping_url.as_ref().map(Ping::to).transpose()?;
        let mut ends = Ends::watch(&self.caller)?;
        // The first word on it stands.
        let _ = self.caller.endless.set(Endless::Finishes);
        if let Some(ping) = &ping {
            keep_log();
            ping.start();
        }
        let mut limit = self.left().min(ping::LIMIT);
        let mut work = Box::pin(work(self));
        let done = tokio::select! {
            done = &mut work => done,
            cause = ends.next() => {
                let asked = Instant::now();
                self.stop.ask(cause);
                let under_way = !self.held().is_empty() || self.beside.load(Ordering::Relaxed);
                let patience = if under_way { HALT + LAST_WORDS + REPORT } else { REPORT };
                let _ = tokio::time::timeout(patience, &mut work).await;
                drop(work);
                let (held, error) = (std::mem::take(&mut *self.held()), cause.error());
                let all = held.into_iter().map(|held| self.end(held, Err(&error), cause.outcome(), LAST_WORDS));
                join_all(all).await;
                limit = LAST_PING.saturating_sub(asked.elapsed());
                Err(cause.error())
            }
        };
        self.write_metrics(done.as_ref().err()).await;
        if let Some(ping) = ping {
            let error = done.as_ref().err();
            let log = told::log(self.caller.job, &self.ended(), error, self.caller.notes.lang);
            ping.end(error.map_or(0, |error| error.kind.exit_code()), log, limit.min(self.left())).await;
        }
        done
    }

    /// What is left of `--timeout`; the last words get a moment in any case.
    fn left(&self) -> Duration {
        let left = |timeout: Duration| timeout.saturating_sub(self.caller.start.elapsed()).max(LAST_WORDS);
        self.caller.timeout.map_or(Duration::MAX, left)
    }

    /// Whatever becomes of it, the result of the job stands.
    async fn write_metrics(&self, error: Option<&Error>) {
        let Some(file) = self.schedule.metrics_file.clone() else { return };
        let (job, accounts, ended) = (self.caller.job, self.caller.accounts.clone(), self.ended().clone());
        let none = error.filter(|error| ended.is_empty() && told::counts_as_run(error));
        let none = none.map(|error| Ended::before_it_began("", error, self.caller.start.elapsed()));
        if ended.is_empty() && none.is_none() {
            return;
        }
        let written = tokio::task::spawn_blocking(move || {
            let mut page = textfile::read(&file);
            told::enter(&mut page, job, &ended, none.map(|end| (&accounts[..], end)));
            textfile::write(Path::new(&file), &page)
        });
        match tokio::time::timeout(DISK, written).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!("{}", error.what.in_lang(self.caller.notes.lang)),
            Ok(Err(_)) | Err(_) => tracing::warn!("--metrics-file: the disk did not answer in time"),
        }
    }

    /// One run of a job, under its lock, which is given back whatever happens; of several accounts side by side where it
    /// is called so. `None`: another run is under way, which is said and was asked to be no failure. Errors: those of `work`; exit 75 where another run is under way, 1 where
    /// it has been for over three times as long as usual, or where the lock was lost.
    pub async fn run<T>(
        &self,
        app: &App,
        job: Job<'_>,
        work: impl AsyncFnOnce(&mut Run) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.turn(app, &job).await? {
            Turn::Ours(lease) => self.holding(app, job, lease, work).await.map(Some),
            Turn::Theirs(error) if self.schedule.skip_if_running => {
                self.caller.notes.say(&error.what);
                Ok(None)
            }
            Turn::Theirs(error) => Err(error),
        }
    }

    /// The same of a job whose runs may work side by side, because each item of theirs is held by one of them alone:
    /// while another run holds the lock, this one works without it, and without a row of its own.
    pub async fn run_beside<T>(
        &self,
        app: &App,
        job: Job<'_>,
        work: impl AsyncFnOnce(Option<&Run>, &Arc<Stop>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.turn(app, &job).await? {
            Turn::Ours(lease) => {
                let work = async |run: &mut Run| work(Some(run), &self.stop).await;
                self.holding(app, job, lease, work).await.map(Some)
            }
            Turn::Theirs(error) if self.schedule.skip_if_running => {
                self.caller.notes.say(&error.what);
                Ok(None)
            }
            Turn::Theirs(_) => {
                self.beside.store(true, Ordering::Relaxed);
                let start = Instant::now();
                let done = tokio::select! {
                    done = work(None, &self.stop) => done,
                    error = self.out_of_patience() => Err(error),
                };
                let done = self.stop.cause().map_or(done, |cause| Err(cause.error()));
                let ended = match &done {
                    Ok(_) => Ended::good(job.account, app.config.clock.now(), start.elapsed()),
                    Err(error) => Ended::before_it_began(job.account, error, start.elapsed()),
                };
                self.ended().push(ended);
                done.map(Some)
            }
        }
    }

    /// Whose turn it is; another run's where that is under way.
    async fn turn(&self, app: &App, job: &Job<'_>) -> Result<Turn> {
        if let Some(cause) = self.stop.cause() {
            return Err(cause.error());
        }
        let now = || app.config.clock.now();
        let wait = self.schedule.wait.unwrap_or_default();
        match turn::take(&app.store, job, wait, now).await.unwrap_or_else(Turn::Theirs) {
            Turn::Theirs(error) if error.kind != Kind::Busy => {
                self.ended().push(Ended::before_it_began(job.account, &error, Duration::ZERO));
                Err(error)
            }
            turn => Ok(turn),
        }
    }

    async fn holding<T>(
        &self,
        app: &App,
        job: Job<'_>,
        lease: Lease,
        work: impl AsyncFnOnce(&mut Run) -> Result<T>,
    ) -> Result<T> {
        let held = Held {
            store: app.store.clone(),
            lease: lease.clone(),
            account: job.account.to_owned(),
            start: Instant::now(),
            run: None,
        };
        self.held().push(held);
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
        // Let go of before its end is waited for: others are under way beside it.
        let ours = {
            let mut held = self.held();
            let at = held.iter().position(|held| held.account == job.account);
            at.map(|at| held.remove(at))
        };
        if let Some(held) = ours {
            self.end(held, done.as_ref().map(drop), outcome, limit).await;
        }
        done
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
        if let Some(held) = self.held().iter_mut().find(|held| held.account == job.account) {
            held.run = Some(shared.clone());
        }
        tokio::select! {
            done = work(&mut run) => done,
            lost = turn::beat(&shared.store, &shared.lease) => Err(lost),
            error = self.out_of_patience() => Err(error),
        }
    }

    /// Says that a look of the job at an account found nothing to do: it is told to who watches as a good end, and
    /// leaves no row.
    pub fn nothing_due(&self, account: &str, now_ms: i64) {
        let at = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
        let ended = Ended::good(account, at, Duration::ZERO);
        let mut all = self.ended();
        if !all.iter().any(|one| one.account == ended.account) {
            all.push(ended);
        }
    }

    /// Comes back where the job was asked to stop, and has had its time to.
    async fn out_of_patience(&self) -> Error {
        self.stop.wait().await;
        tokio::time::sleep(HALT).await;
        self.stop.cause().map_or_else(run::lost, Cause::error)
    }

    /// Writes how the run ended and gives its lock back. Where that fails, the lock ends by itself, and the next run
    /// finds the row.
    async fn end(&self, held: Held, done: Result<(), &Error>, outcome: JobOutcome, limit: Duration) {
        let error = done.err().map(|error| veiled(&error.to_string()).into_owned());
        let exit_code = done.err().map_or(0, |error| error.kind.exit_code());
        let at = held.run.as_ref().map_or_else(Utc::now, Run::now);
        let counts = held.run.as_ref().map(Run::counted_so_far).unwrap_or_default();
        let own = held.run.as_ref().map(Run::done).unwrap_or_default();
        let ended = async {
            let Some(run) = &held.run else { return held.store.release(&held.lease).await.map(|()| None) };
            let end = RunEnd { at, outcome, exit_code, counts: &run.counts_json(), error: error.as_deref() };
            held.store.end_run(run.id(), &end, &held.lease).await?;
            match self.schedule.metrics_file {
                Some(_) => held.store.last_success(self.caller.job, &held.account).await,
                None => Ok(None),
            }
        };
        let success = match tokio::time::timeout(limit, ended).await {
            Ok(Ok(success)) => success,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the end of the run is not written down");
                None
            }
            Err(_) => {
                tracing::warn!("the end of the run is not written down: the database did not answer in time");
                None
            }
        };
        let took = held.start.elapsed();
        self.ended().push(Ended { account: held.account, at, took, exit_code, counts, done: own, success });
    }

    fn held(&self) -> MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, Vec<Ended>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
