//! Copies in Redis, where `REDIS_URL` names one. SQL is the truth: losing Redis costs time, never data, and no callback
//! waits for it. A connection is made when it is first needed, and again after it failed.

mod copier;
mod keys;
mod link;
mod near;

pub use copier::Copier;
pub use near::{INNER, Near, Nearest};

use crate::domain::secret::Secret;
use crate::error::Result;
use crate::store::Store;
use keys::{Keys, Shard};
use link::Link;
use redis::Pipeline;
use tokio::sync::{Mutex, OnceCell};
use tokio::task::JoinSet;

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

    /// Removes every copy about a person; `Ok` says that Redis has confirmed it. Whoever forgets a person writes
    /// [`Store::forget_location`] first: from then on nothing is copied again.
    pub async fn forget(&self, account: &str, openid: &str) -> Result<()> {
        let keys = self.keys().await?;
        let mut pipe = redis::pipe();
        remove(&mut pipe, &keys.shard_of(account, openid), openid);
        self.ask::<()>(&pipe).await
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
