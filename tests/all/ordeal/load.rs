//! A platform that pushes at a steady rate, cuts at 5 s and tries three times, and notes what was acknowledged in
//! a file of its own.

use super::verdict::Verdict;
use crate::http::{self, Connection};
use crate::load::events::Events;
use crate::load::ledger::Ledger;
use crate::signer::{self, Keys, Mode};
use crate::stage::Stage;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The platform cuts a connection after this time.
const CUT: Duration = Duration::from_secs(5);
/// It tries so often.
const TRIES: usize = 3;

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// This status.
    Answer(u16),
    /// Nothing within 5 s.
    Cut,
    /// No connection: no request was sent.
    Refused,
    /// The request was sent whole, and the connection ended without an answer.
    Broken,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub begun: Instant,
    pub took: Duration,
    pub came: Came,
}

/// How it pushes.
#[derive(Clone, Copy)]
pub struct Pace {
    pub connections: usize,
    /// From one request of a connection to its next, at the least.
    pub every: Duration,
    /// So many of them are new for each request.
    pub fresh: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { connections: 16, every: Duration::from_millis(100), fresh: 8 }
    }
}

/// A load that runs.
pub struct Load {
    shared: Arc<Shared>,
    pushers: JoinSet<()>,
}

struct Shared {
    target: SocketAddr,
    pace: Pace,
    keys: Keys,
    mode: Mode,
    events: Events,
    ledger: Ledger,
    next: AtomicU64,
    stopped: AtomicBool,
    samples: Mutex<Vec<Sample>>,
}

impl Load {
    /// Begins to push, and notes in the folder of the story.
    pub fn start(stage: &Stage, target: SocketAddr, pace: Pace) -> Self {
        Self::start_noting_in(stage, target, pace, stage.folder())
    }

    /// The same with the notes in another folder: that of the story has no room.
    pub fn start_noting_in(stage: &Stage, target: SocketAddr, pace: Pace, folder: &Path) -> Self {
        let name = format!("acknowledged.{}.tsv", rand::random::<u32>());
        let shared = Arc::new(Shared {
            target,
            pace,
            keys: stage.keys.clone(),
            mode: stage.mode,
            events: Events::new(&stage.keys.original_id, signer::now() - 3600, Vec::new()),
            ledger: Ledger::new(&folder.join(name)),
            next: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            samples: Mutex::default(),
        });
        let mut pushers = JoinSet::new();
        for number in 0..pace.connections {
            pushers.spawn(push(shared.clone(), number < pace.fresh));
        }
        Load { shared, pushers }
    }

    /// Every request that has ended.
    pub fn samples(&self) -> Vec<Sample> {
        self.shared.samples.lock().unwrap().clone()
    }

    /// Begins no request any more, waits for those that are under way, and judges: the rows that are there now
    /// are held against the file of what was acknowledged.
    pub async fn judge(mut self, fault: &'static str, stage: &Stage) -> Verdict {
        self.shared.stopped.store(true, Relaxed);
        while self.pushers.join_next().await.is_some() {}
        let (numbers, _) = self.shared.ledger.close_interval();
        Verdict::of(fault, stage, self.samples(), &numbers, &self.shared.events).await
    }
}

async fn push(shared: Arc<Shared>, fresh: bool) {
    let mut kept = None;
    while !shared.stopped.load(Relaxed) {
        let number = shared.next.fetch_add(1, Relaxed);
        let event = shared.events.at(number);
        for _ in 0..TRIES {
            let begun = Instant::now();
            let push = signer::push(&shared.keys, shared.mode, &event.xml);
            let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
            let came = tokio::time::timeout(CUT, once(shared.target, &mut kept, &request)).await.unwrap_or(Came::Cut);
            if fresh || !matches!(came, Came::Answer(_)) {
                kept = None;
            }
            if came == Came::Answer(200) {
                shared.ledger.note(number, &event);
            }
            shared.samples.lock().unwrap().push(Sample { begun, took: begun.elapsed(), came });
            tokio::time::sleep(shared.pace.every.saturating_sub(begun.elapsed())).await;
            if came == Came::Answer(200) || shared.stopped.load(Relaxed) {
                break;
            }
        }
    }
}

/// One request; the connection is kept where the server keeps it.
async fn once(target: SocketAddr, kept: &mut Option<Connection>, request: &[u8]) -> Came {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => match Connection::open(target).await {
            Ok(connection) => connection,
            Err(_) => return Came::Refused,
        },
    };
    let written = connection.write(request).await;
    match connection.answer().await {
        Ok(answer) => {
            if answer.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("close")) {
                *kept = Some(connection);
            }
            Came::Answer(answer.status)
        }
        Err(_) if written.is_err() => Came::Refused,
        Err(_) => Came::Broken,
    }
}
