//! A run under way: what it has done, and where the next one would go on.

use super::Stop;
use crate::domain::clock::Clock;
use crate::error::{Error, Result};
use crate::say;
use crate::store::{Begun, Lease, Statement, Store};
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a job has done: `seen`, `new`, `deleted`.
pub(super) type Counts = BTreeMap<String, u64>;

/// A run under way: its lock is held, its row says running. Shared by whatever works at once within the job.
#[derive(Debug, Clone)]
pub struct Run {
    pub(super) store: Store,
    pub(super) lease: Lease,
    clock: Clock,
    pub(super) began: Begun,
    pub(super) before: Option<Arc<Value>>,
    pub(super) counts: Arc<Mutex<Counts>>,
    pub(super) stop: Arc<Stop>,
}

impl Run {
    pub(super) fn new(store: Store, lease: Lease, clock: Clock, began: Begun, stop: Arc<Stop>) -> Self {
        let before = began.run.checkpoint.as_deref().and_then(|text| serde_json::from_str(text).ok()).map(Arc::new);
        let counts = serde_json::from_str(&began.run.counts).unwrap_or_default();
        Run { store, lease, clock, began, before, counts: Arc::new(Mutex::new(counts)), stop }
    }

    /// Its number: `job_run.id`.
    pub fn id(&self) -> i64 {
        self.began.run.id
    }

    /// The number of the run that began what this one goes on with; its own where it began anew.
    pub fn origin(&self) -> i64 {
        self.began.run.origin
    }

    /// When that one began.
    pub fn began(&self) -> DateTime<Utc> {
        self.began.began
    }

    /// Where the last run was when it ended; `None`: begin anew.
    pub fn checkpoint(&self) -> Option<&Value> {
        self.before.as_deref()
    }

    /// Whether it was asked to come to a halt: look at it between two steps, at least every 500 ms.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Adds to a count. Counts are those of the whole chain; a name is a label of the metrics, so it is a word.
    pub fn count(&self, name: &'static str, more: u64) {
        *self.counts().entry(name.to_owned()).or_default() += more;
    }

    /// Sets a count.
    pub fn set_count(&self, name: &'static str, count: u64) {
        self.counts().insert(name.to_owned(), count);
    }

    /// A count so far.
    pub fn counted(&self, name: &str) -> u64 {
        self.counts().get(name).copied().unwrap_or(0)
    }

    /// Writes down where the next run is to go on, should this one not come to its end, and the counts up to here.
    /// `null`: it is to begin anew. Fails where another run has taken this one for dead.
    pub async fn save(&self, checkpoint: &Value) -> Result<()> {
        let touched = self.store.commit(vec![self.save_statement(checkpoint)]).await?;
        if touched.first() != Some(&1) {
            return Err(lost());
        }
        Ok(())
    }

    /// The same as a statement, to ride in the transaction of the rows that it is about.
    pub fn save_statement(&self, checkpoint: &Value) -> Statement {
        let text = Some(checkpoint).filter(|value| !value.is_null()).map(Value::to_string);
        self.store.checkpoint_run(self.id(), text.as_deref(), &self.counts_json(), self.now())
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn counts_json(&self) -> String {
        serde_json::to_string(&self.counted_so_far()).unwrap_or_else(|_| "{}".to_owned())
    }

    pub(super) fn counted_so_far(&self) -> Counts {
        self.counts().clone()
    }

    /// What this run has added to the counts of those before it.
    pub(super) fn done(&self) -> Counts {
        let before: Counts = serde_json::from_str(&self.began.run.counts).unwrap_or_default();
        let more = |(name, count): (&String, &u64)| {
            (name.clone(), count.saturating_sub(before.get(name).copied().unwrap_or(0)))
        };
        self.counted_so_far().iter().map(more).collect()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Another run may be under way.
pub(super) fn lost() -> Error {
    Error::failed(say!("the lock was lost: this process stood still for over 30 s"; "锁已失效：本进程停顿超过 30 秒"))
        .next(say!("run it again; work done is kept"; "请重新运行；已完成的工作已保留"))
}
