//! Copies in Redis, where `REDIS_URL` names one. SQL is the truth: losing Redis costs time, never data, and no callback
//! waits for it. A connection is made when it is first needed, and again after it failed.

mod copier;
mod keys;
mod link;
mod near;
mod token;

pub use copier::Copier;
pub use near::{INNER, Near, Nearest};
pub use token::Standing;

use crate::domain::secret::Secret;
use crate::error::Result;
use crate::store::Store;
use keys::{Keys, Shard};
use link::Link;
use redis::Pipeline;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinSet;

/// The lock of the process that copies.
pub const COPIES: &str = "locations";

/// The way to Redis.
pub struct Cache {
    url: Secret,
    store: Store,
    link: Mutex<Option<Link>>,
    keys: OnceCell<Keys>,
}

impl Cache {
    /// Opens nothing yet. What is copied comes from `store`.
    pub fn new(url: Secret, store: Store) -> Cache {
        Cache { url, store, link: Mutex::new(None), keys: OnceCell::new() }
    }

    /// Whether it answers now; else exit 69 that says why.
    pub async fn ping(&self) -> Result<()> {
        let mut pipe = redis::pipe();
        // The name of a key, so that a cluster knows which node is asked.
        pipe.cmd("EXISTS").arg("wxops");
        self.ask::<(i64,)>(&pipe).await.map(drop)
    }

    /// Removes every copy about people who are erased in SQL; `Ok` says that Redis has confirmed it. Tells whom the
    /// process that copies may have in hand still: it removes them itself, and then says so in SQL. Where
    /// nobody copies, `alone` does, this process. Who has returned is copied anew.
    pub async fn forget(
        &self,
        account: &str,
        openids: &[&str],
        now_ms: i64,
        alone: Option<&str>,
    ) -> Result<Vec<String>> {
        self.remove_people(account, openids).await?;
        let back =
            self.store.locations_of(account, &openids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()).await?;
        if !back.is_empty() {
            let back: Vec<String> = back.into_iter().map(|one| one.openid).collect();
            self.store.copy_anew(account, &back).await?;
        }
        let due = self.store.removals_due(account, openids).await?;
        let Some(who) = alone.filter(|_| !due.is_empty()) else { return Ok(due) };
        let Some(lease) = self.store.acquire(COPIES, who).await? else { return Ok(due) };
        let removed = self.remove_gone(now_ms).await;
        self.store.release(&lease).await?;
        removed?;
        self.store.removals_due(account, openids).await
    }

    async fn keys(&self) -> Result<&Keys> {
        self.keys.get_or_try_init(async || self.store.installation_name().await.map(Keys::new)).await
    }

    /// The connection, made where there is none.
    async fn link(&self) -> Result<Link> {
        let mut link = self.link.lock().await;
        match &*link {
            Some(link) => Ok(link.clone()),
            None => Ok(link.insert(Link::open(&self.url).await?).clone()),
        }
    }

    /// Asks on the connection there is. One that failed is not used again.
    async fn ask<T: redis::FromRedisValue>(&self, pipe: &Pipeline) -> Result<T> {
        let mut link = self.link().await?;
        let answer = link.ask(pipe).await;
        if answer.is_err() {
            *self.link.lock().await = None;
        }
        answer
    }

    /// Asks the shards side by side; the answers in their order.
    async fn ask_all<T: redis::FromRedisValue + Send + 'static>(&self, pipes: Vec<Pipeline>) -> Result<Vec<T>> {
        let link = self.link().await?;
        let count = pipes.len();
        let mut asking = JoinSet::new();
        for (at, pipe) in pipes.into_iter().enumerate() {
            let mut link = link.clone();
            asking.spawn(async move { (at, link.ask::<T>(&pipe).await) });
        }
        let mut answers: Vec<Option<T>> = (0..count).map(|_| None).collect();
        while let Some(Ok((at, answer))) = asking.join_next().await {
            match answer {
                Ok(answer) => answers[at] = Some(answer),
                Err(error) => {
                    *self.link.lock().await = None;
                    return Err(error);
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }
}

/// Adds the removal of a person's copies.
fn remove(pipe: &mut Pipeline, shard: &Shard, openid: &str) {
    pipe.cmd("DEL").arg(shard.person(openid)).ignore();
    pipe.cmd("ZREM").arg(shard.places()).arg(openid).ignore();
}
