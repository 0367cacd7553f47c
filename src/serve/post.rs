//! What one process of all does: the lock says in which, and that it lives.

use crate::app::App;
use crate::error::Result;
use crate::store::Lease;
use std::time::{Duration, Instant};

/// How often the lock is renewed, or asked for.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// The lock, and when it was last asked for.
pub(super) struct Post {
    name: &'static str,
    lease: Option<Lease>,
    asked: Option<Instant>,
}

impl Post {
    /// Nobody's as yet.
    pub fn new(name: &'static str) -> Post {
        Post { name, lease: None, asked: None }
    }

    /// Whether this process holds it.
    pub async fn hold(&mut self, app: &App) -> Result<bool> {
        if self.asked.is_some_and(|asked| asked.elapsed() < HEARTBEAT) {
            return Ok(self.lease.is_some());
        }
        self.asked = Some(Instant::now());
        if let Some(lease) = self.lease.take()
            && app.store.renew(&lease).await?
        {
            self.lease = Some(lease);
        } else {
            self.lease = app.store.acquire(self.name, app.tokens.who()).await?;
        }
        Ok(self.lease.is_some())
    }

    /// Gives it back: who comes next need not wait, and knows that this end was wanted.
    pub async fn leave(self, app: &App) {
        if let Some(lease) = self.lease
            && let Err(error) = app.store.release(&lease).await
        {
            tracing::debug!(%error, name = self.name, "a lock could not be given back");
        }
    }
}
