//! The group commit. Callbacks that wait at the same moment share one transaction and one fsync; so do
//! the effects of those handled before. Rows go in leased to this process and are handed to the
//! handlers in memory, so that nothing is read back on the way.

use super::inbox::{Arrival, Leased, Settled, Stored};
use super::{Error, Statement};
use crate::error::{Kind, Result};
use crate::say;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Work items that one transaction takes at the most: what a slow disk leaves waiting, in one fsync.
pub(super) const BATCH: usize = 512;
/// Callers that may wait for a commit; beyond it a callback is refused and the platform tries again.
const WAITING: usize = 16_384;
/// Rows in hand, in memory, at the most; what comes in beyond it is left for the sweep.
const IN_HAND: usize = 8_192;

/// One thing to write, and who waits for it.
pub(super) enum Work {
    /// A callback.
    Arrive(Arc<Arrival>, oneshot::Sender<Result<Stored>>),
    /// The outcome of rows in hand; tells how each ended.
    Settle(Vec<Settled>, oneshot::Sender<Result<Vec<End>>>),
    /// Statements in one transaction; tells how many rows each touched.
    Commit(Vec<Statement>, oneshot::Sender<Result<Vec<u64>>>),
}

/// How the settlement of a row ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Written, with its effects.
    Settled,
    /// The lease had run out and another process took the row: nothing was written.
    NotOurs,
    /// The effects could not be written, and why.
    Failed(String),
    /// The database was away, or somebody else had locked what the effects change: nothing was written,
    /// the row keeps its lease and is due again when that ends.
    Later,
}

/// What is told to the one who waits.
#[derive(Debug)]
pub(super) enum Answer {
    /// To [`Work::Arrive`].
    Stored(Stored),
    /// To [`Work::Settle`].
    Ends(Vec<End>),
    /// To [`Work::Commit`].
    Counts(Vec<u64>),
}

/// What is done, with what is told of it.
pub(super) type Told = Vec<(Work, Result<Answer>)>;

impl Work {
    /// Tells the one who waits; whoever has gone away does not mind.
    pub(super) fn tell(self, answer: Result<Answer>) {
        match (self, answer) {
            (Work::Arrive(_, tx), Ok(Answer::Stored(stored))) => drop(tx.send(Ok(stored))),
            (Work::Settle(_, tx), Ok(Answer::Ends(ends))) => drop(tx.send(Ok(ends))),
            (Work::Commit(_, tx), Ok(Answer::Counts(counts))) => drop(tx.send(Ok(counts))),
            (Work::Arrive(_, tx), Err(e)) => drop(tx.send(Err(e))),
            (Work::Settle(_, tx), Err(e)) => drop(tx.send(Err(e))),
            (Work::Commit(_, tx), Err(e)) => drop(tx.send(Err(e))),
            (_, Ok(other)) => unreachable!("a writer answers each work with its own kind, not {other:?}"),
        }
    }

    /// Whether somebody still waits for the answer.
    pub(super) fn awaited(&self) -> bool {
        match self {
            Work::Arrive(_, tx) => !tx.is_closed(),
            Work::Settle(_, tx) => !tx.is_closed(),
            Work::Commit(_, tx) => !tx.is_closed(),
        }
    }

    /// Whether it may be left out: nobody waits for it, and who did has made sure otherwise or was refused.
    pub(super) fn given_up(&self) -> bool {
        match self {
            Work::Arrive(..) | Work::Commit(..) => !self.awaited(),
            Work::Settle(..) => false,
        }
    }

    /// The rows that it settles.
    pub(super) fn settled(&self) -> &[Settled] {
        match self {
            Work::Settle(rows, _) => rows,
            _ => &[],
        }
    }

    /// How many rows it brings, for the size of a batch.
    pub(super) fn weight(&self) -> usize {
        match self {
            Work::Arrive(..) => 1,
            Work::Settle(rows, _) => rows.len(),
            Work::Commit(statements, _) => statements.len(),
        }
    }
}

/// The way to the writers, shared by all who write. Callbacks have a lane of their own where the database
/// writes in parallel: nobody's acknowledgement waits for the effects of what came before it.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    arrivals: mpsc::Sender<Work>,
    effects: mpsc::Sender<Work>,
}

/// What a writer does with rows it has committed: hand them on, while there is room.
#[derive(Debug, Clone)]
pub(super) struct Hands {
    rows: Option<mpsc::UnboundedSender<Vec<Leased>>>,
    held: Arc<AtomicUsize>,
}

/// The rows that come in while this process serves.
#[derive(Debug)]
pub struct InHand {
    rows: mpsc::UnboundedReceiver<Vec<Leased>>,
    held: Arc<AtomicUsize>,
}

impl InHand {
    /// The next rows; `None` once every writer is gone.
    pub async fn next(&mut self) -> Option<Vec<Leased>> {
        self.rows.recv().await
    }

    /// The counter of rows in hand, to be lowered as they are settled.
    pub fn held(&self) -> Arc<AtomicUsize> {
        self.held.clone()
    }
}

impl Hands {
    /// For a process that serves: rows are handed on.
    pub(super) fn open() -> (Self, InHand) {
        let (tx, rows) = mpsc::unbounded_channel();
        let held = Arc::new(AtomicUsize::new(0));
        (Hands { rows: Some(tx), held: held.clone() }, InHand { rows, held })
    }

    /// For a process that only writes now and then.
    pub(super) fn none() -> Self {
        Hands { rows: None, held: Arc::default() }
    }

    /// Whether `n` more rows may be taken in hand.
    pub(super) fn room(&self, n: usize) -> bool {
        self.rows.is_some() && self.held.load(Ordering::Relaxed) + n <= IN_HAND
    }

    /// Hands committed rows on.
    pub(super) fn give(&self, rows: Vec<Leased>) {
        let Some(tx) = self.rows.as_ref().filter(|_| !rows.is_empty()) else { return };
        self.held.fetch_add(rows.len(), Ordering::Relaxed);
        // The receiver is gone only while the process stops; the sweep of the next one takes the rows.
        let _ = tx.send(rows);
    }
}

impl Writer {
    /// One lane: for a database with one writer.
    pub(super) fn channel() -> (Self, mpsc::Receiver<Work>) {
        let (work, rx) = mpsc::channel(WAITING);
        (Writer { arrivals: work.clone(), effects: work }, rx)
    }

    /// Two lanes: callbacks, and all the rest.
    pub(super) fn lanes() -> (Self, mpsc::Receiver<Work>, mpsc::Receiver<Work>) {
        let (arrivals, arriving) = mpsc::channel(WAITING);
        let (effects, settling) = mpsc::channel(WAITING);
        (Writer { arrivals, effects }, arriving, settling)
    }

    /// Stores a callback; returns after its commit.
    pub(super) async fn arrive(&self, arrival: Arc<Arrival>) -> Result<Stored> {
        let (tx, rx) = oneshot::channel();
        self.arrivals.try_send(Work::Arrive(arrival, tx)).map_err(|_| full())?;
        rx.await.map_err(|_| stopped())?
    }

    pub(super) async fn settle(&self, rows: Vec<Settled>) -> Result<Vec<End>> {
        let (tx, rx) = oneshot::channel();
        self.effects.send(Work::Settle(rows, tx)).await.map_err(|_| stopped())?;
        rx.await.map_err(|_| stopped())?
    }

    pub(super) async fn commit(&self, statements: Vec<Statement>) -> Result<Vec<u64>> {
        let (tx, rx) = oneshot::channel();
        self.effects.send(Work::Commit(statements, tx)).await.map_err(|_| stopped())?;
        rx.await.map_err(|_| stopped())?
    }

    /// Writes on the way that callbacks take: whether one could be made durable.
    pub(super) async fn prove(&self, statements: Vec<Statement>) -> Result<()> {
        let (tx, rx) = oneshot::channel();
        self.arrivals.send(Work::Commit(statements, tx)).await.map_err(|_| stopped())?;
        rx.await.map_err(|_| stopped())?.map(drop)
    }
}

fn full() -> Error {
    Error::new(Kind::Unavailable, say!("the database does not keep up"; "数据库写入跟不上"))
}

fn stopped() -> Error {
    Error::new(Kind::Unavailable, say!("the database writer has stopped"; "数据库写入线程已停止"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_bound_are_left_for_the_sweep() {
        let (hands, in_hand) = Hands::open();
        assert!(hands.room(IN_HAND));
        in_hand.held().store(IN_HAND, Ordering::Relaxed);
        assert!(!hands.room(1));
        assert!(!Hands::none().room(1));
    }
}
