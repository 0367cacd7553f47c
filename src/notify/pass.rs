//! A pass over the queue: what is due is claimed, planned, frozen, sent and settled, until nothing is due. Three work side by
//! side: `plan.rs` claims and freezes, here the messages are sent, `settle.rs` writes how they went.

use super::book::Book;
use super::channel::Channels;
use super::hand::Message;
use super::judge::{Channel, judge};
use super::plan::Planner;
use super::settle::{Settler, Went};
use super::trouble::{End, Trouble};
use crate::domain::notice::{Source, Via};
use crate::error::{Error, Result};
use crate::platform::wecom::message::Sent;
use crate::say;
use crate::store::queue::{Drain, QueueDb};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Rows in hand are held on to this often.
const HOLD: Duration = Duration::from_secs(10);
/// Batches of members that are looked for at the beginning of a pass.
const LOOKS: u32 = 20;
/// What comes back within this time is waited for.
const WORTH_WAITING: Duration = Duration::from_secs(5);

/// How a pass works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Rows claimed at once.
    pub batch: u32,
    /// Messages under way at once.
    pub concurrency: usize,
    /// Rows at the most.
    pub max: Option<u64>,
    /// No row is claimed after this.
    pub until: Option<Instant>,
    /// Rows wait until the oldest is so old, and are told of together.
    pub digest: Option<Duration>,
}

/// What a pass has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows that were taken in hand.
    pub claimed: u64,
    /// Rows that were told of.
    pub sent: u64,
    /// Messages that told of them.
    pub messages: u64,
    /// Of these, messages that told of several rows.
    pub digests: u64,
    /// Rows that reached some and not all of their recipients.
    pub partly: u64,
    /// Rows to be tried again after an answer that failed.
    pub again: u64,
    /// Rows that were given up.
    pub dead: u64,
    /// Rows whose outcome is not known: the same bytes go out again.
    pub unknown: u64,
    /// Rows that wait for the pace of their recipients.
    pub paced: u64,
    /// Messages that may have gone out before.
    pub repeated: u64,
    /// Rows that a drain which died gave back.
    pub recovered: u64,
    /// Rows made for members that a look found.
    pub captured: u64,
}

/// What came of a pass.
#[derive(Debug)]
pub struct Passed {
    /// What it has done.
    pub counts: Counts,
    /// When the next row that waits for the pace is due, milliseconds from the end.
    pub next_in_ms: Option<i64>,
    /// What ended it before its time.
    pub error: Option<Error>,
}

/// Everything that a pass needs, made once.
pub struct Notifier {
    pub(super) db: QueueDb,
    pub(super) book: Book,
    pub(super) channels: Channels,
    pub(super) drain: Drain,
    /// The members, where new ones are looked for and no trigger tells of them.
    pub(super) source: Option<Source>,
}

/// What those who work side by side share.
pub(super) struct Shared {
    pub trouble: Trouble,
    pub counts: Mutex<Counts>,
    pub next_in_ms: Mutex<Option<i64>>,
    pub stop: CancellationToken,
}

impl Shared {
    pub fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A row waits for so long.
    pub fn waits(&self, in_ms: i64) {
        let mut next = self.next_in_ms.lock().unwrap_or_else(PoisonError::into_inner);
        *next = Some(next.map_or(in_ms, |next| next.min(in_ms)));
    }
}

impl Notifier {
    /// One pass. What was done is told also where an error ended it; `stop` lets what is under way come to its end.
    pub async fn pass(self: &Arc<Self>, options: &Options, stop: CancellationToken) -> Passed {
        let shared = Arc::new(Shared {
            trouble: Trouble::default(),
            counts: Mutex::default(),
            next_in_ms: Mutex::default(),
            stop,
        });
        let done = tokio::select! {
            done = self.rounds(options, &shared) => done,
            lost = self.hold_on() => Err(lost),
        };
        let mut error = done.err();
        for (via, end) in shared.trouble.take() {
            self.remember(via, &end).await;
            error.get_or_insert(end.error);
        }
        let counts = shared.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if counts.messages > 0 && error.is_none() {
            self.channels.well_again().await;
        }
        let next_in_ms = *shared.next_in_ms.lock().unwrap_or_else(PoisonError::into_inner);
        Passed { counts, next_in_ms, error }
    }

    /// Round after round until nothing is due: what comes back soon is waited for.
    async fn rounds(self: &Arc<Self>, options: &Options, shared: &Arc<Shared>) -> Result<()> {
        let recovered = self.db.recover().await?;
        self.db.keep_pace().await?;
        let captured = match &self.source {
            Some(source) => self.db.look(source, LOOKS).await?,
            None => 0,
        };
        shared.count(|counts| (counts.recovered, counts.captured) = (recovered, captured));
        loop {
            let claimed = self.round(options, shared).await?;
            let soon = shared.trouble.soon();
            let over = |at: Instant| options.until.is_some_and(|until| at >= until);
            if shared.trouble.any() || shared.stop.is_cancelled() || over(Instant::now()) {
                return Ok(());
            }
            match soon.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(wait) if wait <= WORTH_WAITING && !over(Instant::now() + wait) => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = shared.stop.cancelled() => return Ok(()),
                    }
                }
                _ if claimed == 0 => return Ok(()),
                _ => {}
            }
        }
    }

    /// Claims until nothing is due, and waits for the end of what is under way. Tells how many rows there were.
    async fn round(self: &Arc<Self>, options: &Options, shared: &Arc<Shared>) -> Result<u64> {
        let (ready, messages) = mpsc::channel(options.concurrency);
        let (went, results) = mpsc::channel(options.concurrency * 4);
        let mut settler = tokio::spawn(Settler::new(self.clone(), shared.clone()).run(results));
        let sending = self.send_all(messages, went, options.concurrency, shared);
        let planner = Planner::new(self, options, shared, ready);
        let (claimed, ()) = tokio::join!(planner.run(), sending);
        let settled = (&mut settler).await;
        let claimed = claimed?;
        settled.map_err(|_| Error::failed(say!("the outcome of messages is not written"; "消息结果未能写入")))??;
        Ok(claimed)
    }

    /// Sends what is ready, so many at once.
    async fn send_all(
        self: &Arc<Self>,
        mut messages: mpsc::Receiver<Message>,
        went: mpsc::Sender<Went>,
        most: usize,
        shared: &Arc<Shared>,
    ) {
        let mut under_way: JoinSet<()> = JoinSet::new();
        while let Some(message) = messages.recv().await {
            let most = if shared.trouble.crowded() { (most / 4).max(1) } else { most };
            while under_way.len() >= most {
                under_way.join_next().await;
            }
            if let Some(moment) = shared.trouble.moment() {
                tokio::select! {
                    () = tokio::time::sleep(moment) => {}
                    () = shared.stop.cancelled() => {}
                }
            }
            if shared.trouble.over(message.via) || shared.stop.is_cancelled() {
                // Whoever receives them is gone only where the pass has ended.
                let _ = went.send(Went::not_sent(message)).await;
                continue;
            }
            let (own, shared, went) = (self.clone(), shared.clone(), went.clone());
            under_way.spawn(async move {
                let sent = own.channels.send(message.via, &message.body).await;
                let _ = went.send(own.went(message, sent, &shared)).await;
            });
        }
        while under_way.join_next().await.is_some() {}
    }

    /// How a message went, and what it says of its channel.
    fn went(&self, message: Message, sent: Result<Sent>, shared: &Shared) -> Went {
        match sent {
            Ok(sent) => {
                shared.trouble.note(message.via, Channel::Well, None);
                Went::sent(message, sent)
            }
            Err(error) => {
                let verdict = judge(&error, message.attempts, message.max_attempts);
                tracing::debug!(row = message.lead(), %error, "not sent");
                let channel = verdict.channel;
                let went = Went::failed(message, verdict);
                shared.trouble.note(went.message.via, channel, Some(error));
                went
            }
        }
    }

    /// Comes back only where the leases can't be held.
    async fn hold_on(&self) -> Error {
        loop {
            tokio::time::sleep(HOLD).await;
            if let Err(error) = self.db.hold_on(&self.drain).await {
                tracing::warn!(%error, "rows in hand can't be held: the database is away");
            }
        }
    }

    /// A pause that the platform ordered is for every process: the next ones do not ask before its end.
    async fn remember(&self, via: Via, end: &End) {
        if let Some(pause) = end.pause {
            self.channels.pause(via, pause, &end.error).await;
        }
    }

    /// Why nothing is sent by a way just now, where that is known.
    pub(super) async fn paused(&self, via: Via) -> Result<Option<Error>> {
        self.channels.paused(via).await
    }
}
