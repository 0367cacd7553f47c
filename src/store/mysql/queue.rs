//! Who takes the next batch. Callbacks have one writer: what comes in while it waits for its fsync is the next batch,
//! and half as many batches cost the database half as much. Where one batch takes long, behind a row that somebody else
//! has locked or on a slow disk, a second writer takes what waits behind it.

use super::super::writer::{BATCH, Work};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};

/// So long may a batch take before the second writer helps.
const PATIENCE: Duration = Duration::from_millis(20);

/// A writer's end of the queue.
pub(super) struct Queue {
    work: Arc<Mutex<mpsc::Receiver<Work>>>,
    place: Place,
}

/// The number of the batch that the first writer is busy with; `None` while it waits for one.
type Busy = Option<u64>;

enum Place {
    First { busy: watch::Sender<Busy>, batches: u64 },
    Second { busy: watch::Receiver<Busy> },
}

impl Queue {
    /// For one writer alone.
    pub fn alone(work: mpsc::Receiver<Work>) -> Queue {
        let (busy, _) = watch::channel(None);
        Queue { work: Arc::new(Mutex::new(work)), place: Place::First { busy, batches: 0 } }
    }

    /// For a writer and the one who helps it.
    pub fn pair(work: mpsc::Receiver<Work>) -> [Queue; 2] {
        let work = Arc::new(Mutex::new(work));
        let (busy, seen) = watch::channel(None);
        let first = Queue { work: work.clone(), place: Place::First { busy, batches: 0 } };
        [first, Queue { work, place: Place::Second { busy: seen } }]
    }

    /// What waits, up to a batch; waits for it. Empty once every sender is gone.
    pub async fn next(&mut self) -> Vec<Work> {
        match &mut self.place {
            Place::First { busy, batches } => {
                busy.send_replace(None);
                let batch = next_batch(&mut *self.work.lock().await).await;
                *batches += 1;
                busy.send_replace((!batch.is_empty()).then_some(*batches));
                batch
            }
            Place::Second { busy } => loop {
                // The first is gone, and with it all who send.
                let Ok(batch) = busy.wait_for(Option::is_some).await.map(|batch| *batch) else { return Vec::new() };
                tokio::time::sleep(PATIENCE).await;
                if busy.has_changed().is_err() {
                    return Vec::new();
                }
                if *busy.borrow() == batch {
                    let batch = at_hand(&self.work);
                    if !batch.is_empty() {
                        return batch;
                    }
                }
            },
        }
    }

    /// The same without waiting.
    pub fn at_hand(&mut self) -> Vec<Work> {
        if let Place::First { busy, batches } = &mut self.place {
            *batches += 1;
            busy.send_replace(Some(*batches));
        }
        at_hand(&self.work)
    }
}

/// A writer that waits for work holds the lock: it takes what comes.
fn at_hand(work: &Mutex<mpsc::Receiver<Work>>) -> Vec<Work> {
    work.try_lock().map_or_else(|_| Vec::new(), |mut work| batch_at_hand(&mut work, Vec::new()))
}

async fn next_batch(work: &mut mpsc::Receiver<Work>) -> Vec<Work> {
    match work.recv().await {
        Some(first) => batch_at_hand(work, vec![first]),
        None => Vec::new(),
    }
}

fn batch_at_hand(work: &mut mpsc::Receiver<Work>, mut batch: Vec<Work>) -> Vec<Work> {
    let mut weight: usize = batch.iter().map(Work::weight).sum();
    while weight < BATCH {
        let Ok(next) = work.try_recv() else { break };
        weight += next.weight();
        batch.push(next);
    }
    batch
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::sync::oneshot;

    fn work() -> Work {
        Work::Commit(Vec::new(), oneshot::channel().0)
    }

    #[tokio::test]
    async fn the_second_helps_behind_a_batch_that_takes_long_and_ends_with_the_first() {
        let (tx, rx) = mpsc::channel(8);
        let [mut first, mut second] = Queue::pair(rx);
        tx.send(work()).await.unwrap();
        assert_eq!(first.next().await.len(), 1);
        let began = std::time::Instant::now();
        tx.send(work()).await.unwrap();
        assert_eq!(second.next().await.len(), 1);
        assert!(began.elapsed() >= PATIENCE, "it did not wait");

        // The first waits for work: what comes is its own.
        let helper = tokio::spawn(async move { second.next().await.len() });
        let waiting = tokio::spawn(async move { (first.next().await.len(), first) });
        tokio::time::sleep(PATIENCE * 2).await;
        tx.send(work()).await.unwrap();
        let (taken, mut first) = waiting.await.unwrap();
        assert_eq!((taken, helper.is_finished()), (1, false));

        drop(tx);
        assert!(first.next().await.is_empty());
        drop(first);
        assert_eq!(helper.await.unwrap(), 0);
    }
}
