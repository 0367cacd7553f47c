//! A platform under load: many connections that push signed callbacks as fast as they are answered.

#![allow(dead_code, reason = "the suite and benches/load.rs each use a part of it")]

pub mod events;
pub mod kill9;
pub mod ledger;

use crate::http::{self, Connection};
use crate::signer::{self, Keys, Mode};
use events::{Event, Events};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Where the server listens now; `None` while there is none.
pub type Target = watch::Receiver<Option<SocketAddr>>;

/// What is pushed, and for how long.
#[derive(Clone)]
pub struct Options {
    /// Connections that push at the same time, each its next when it has the answer to its last.
    pub connections: usize,
    /// When no new event is begun any more.
    pub end: End,
    /// Which part of the requests repeats an event that was pushed before, 0 to 1.
    pub duplicates: f64,
    /// How the account is set.
    pub mode: Mode,
    /// The account.
    pub keys: Keys,
    /// The path of the callback.
    pub path: String,
    /// Repeat an event until it is acknowledged, whatever breaks; else a failure is counted and let go.
    pub insist: bool,
}

/// When the load ends.
#[derive(Clone, Copy)]
pub enum End {
    /// After so many events.
    Count(u64),
    /// After this time.
    After(Duration),
    /// When [`Progress::stop`] is called.
    Told,
}

/// Told of every event that was acknowledged, duplicates too.
pub type Acknowledged = Arc<dyn Fn(u64, &Event) + Send + Sync>;

/// What can be seen while it runs.
#[derive(Default)]
pub struct Progress {
    next: AtomicU64,
    limit: AtomicU64,
    /// Requests that are written and not answered.
    pub in_flight: AtomicUsize,
    /// Requests that were answered with 200.
    pub acknowledged: AtomicU64,
    /// Requests that were written and whose answer never came.
    pub broken: AtomicU64,
}

impl Progress {
    /// No new event is begun; what is under way is ended.
    pub fn stop(&self) {
        self.limit.store(0, Relaxed);
    }

    /// How many events were begun.
    pub fn begun(&self) -> u64 {
        self.next.load(Relaxed)
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// How many answers of each status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests whose answer never came.
    pub broken: u64,
    /// Of each answer of 200, from the request's first byte, in ascending order.
    pub latencies: Vec<Duration>,
}

impl Report {
    /// Answers of 200 in a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that this part (0 to 1) of the answers did not pass.
    pub fn quantile(&self, part: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((part * last as f64).round() as usize).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |part| self.quantile(part).as_secs_f64() * 1e3;
        let statuses: Vec<_> = self.statuses.iter().map(|(status, count)| format!("{status}={count}")).collect();
        write!(
            f,
            "{:.0} acknowledged/s, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms, {:.2} s, answers {}, broken {}",
            self.rate(),
            ms(0.5),
            ms(0.99),
            ms(1.0),
            self.elapsed.as_secs_f64(),
            statuses.join(" "),
            self.broken
        )
    }
}

/// Pushes until the end that the options name.
pub async fn run(
    options: Options,
    events: Arc<Events>,
    target: Target,
    progress: Arc<Progress>,
    acknowledged: Acknowledged,
) -> Report {
    let limit = if let End::Count(count) = options.end { count } else { u64::MAX };
    progress.limit.store(limit, Relaxed);
    if let End::After(time) = options.end {
        let progress = progress.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            progress.stop();
        });
    }
    let start = Instant::now();
    let pushers: Vec<_> = (0..options.connections)
        .map(|_| {
            let pusher = Pusher {
                options: options.clone(),
                events: events.clone(),
                target: target.clone(),
                progress: progress.clone(),
                acknowledged: acknowledged.clone(),
                connection: None,
                report: Report::default(),
            };
            tokio::spawn(pusher.work())
        })
        .collect();
    let mut whole = Report::default();
    for pusher in pushers {
        let part = pusher.await.expect("a pusher does not panic");
        part.statuses.into_iter().for_each(|(status, count)| *whole.statuses.entry(status).or_default() += count);
        whole.broken += part.broken;
        whole.latencies.extend(part.latencies);
    }
    whole.elapsed = start.elapsed();
    whole.latencies.sort_unstable();
    whole
}

/// One connection of the load.
struct Pusher {
    options: Options,
    events: Arc<Events>,
    target: Target,
    progress: Arc<Progress>,
    acknowledged: Acknowledged,
    connection: Option<(SocketAddr, Connection)>,
    report: Report,
}

impl Pusher {
    async fn work(mut self) -> Report {
        while let Some(number) = self.choose() {
            let event = self.events.at(number);
            while !self.push(number, &event).await && self.options.insist {}
        }
        self.report
    }

    /// The next event, or one that another connection began just now: its original is often still in flight.
    fn choose(&self) -> Option<u64> {
        let begun = self.progress.next.load(Relaxed);
        let limit = self.progress.limit.load(Relaxed);
        if begun > 0 && begun < limit && rand::random_bool(self.options.duplicates) {
            return Some(begun - 1 - rand::random_range(0..begun.min(self.options.connections as u64)));
        }
        let take = |next| (next < limit).then_some(next + 1);
        self.progress.next.fetch_update(Relaxed, Relaxed, take).ok()
    }

    /// One request; true when it was acknowledged.
    async fn push(&mut self, number: u64, event: &Event) -> bool {
        let Some(mut connection) = self.connect().await else { return false };
        let push = signer::push(&self.options.keys, self.options.mode, &event.xml);
        let headers = [("Content-Type", "text/xml"), ("User-Agent", "Mozilla/4.0")];
        let request = http::request("POST", &push.target(&self.options.path), &headers, &push.body);
        let start = Instant::now();
        self.progress.in_flight.fetch_add(1, Relaxed);
        let written = connection.1.write(&request).await.is_ok();
        let answer = connection.1.answer().await;
        self.progress.in_flight.fetch_sub(1, Relaxed);
        let Ok(answer) = answer else {
            self.report.broken += u64::from(written);
            self.progress.broken.fetch_add(u64::from(written), Relaxed);
            return false;
        };
        if answer.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
            self.connection = Some(connection);
        }
        *self.report.statuses.entry(answer.status).or_default() += 1;
        if answer.status != 200 {
            return false;
        }
        self.report.latencies.push(start.elapsed());
        self.progress.acknowledged.fetch_add(1, Relaxed);
        (self.acknowledged)(number, event);
        true
    }

    /// The kept connection, or a new one to where the server listens now.
    async fn connect(&mut self) -> Option<(SocketAddr, Connection)> {
        let address = (*self.target.wait_for(Option::is_some).await.ok()?)?;
        if let Some(kept) = self.connection.take().filter(|(to, _)| *to == address) {
            return Some(kept);
        }
        match Connection::open(address).await {
            Ok(connection) => Some((address, connection)),
            Err(_) => {
                // Nobody is there: between a kill and its restart. Not a spin.
                tokio::time::sleep(Duration::from_millis(5)).await;
                None
            }
        }
    }
}
