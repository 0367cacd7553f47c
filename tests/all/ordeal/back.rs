//! When all is well again.

use crate::messages::text;
use crate::stage::{Serve, Stage};
use std::time::{Duration, Instant};

/// At the most.
const PATIENCE: Duration = Duration::from_secs(25);
/// Between two looks.
const POLL: Duration = Duration::from_millis(50);

/// Pushes an event until it is acknowledged, and looks until it is in the database; how long after `end` that was.
pub async fn until_stored(stage: &Stage, serve: &Serve, end: Instant) -> Duration {
    until_acknowledged(serve, end).await;
    let stored = "SELECT COUNT(*) FROM inbox_event WHERE openid = 'oTESTback00000000000000001_'";
    while stage.number(stored).await == 0 && end.elapsed() < PATIENCE {
        tokio::time::sleep(POLL).await;
    }
    end.elapsed()
}

/// Pushes an event until it is acknowledged; how long after `end` that was.
pub async fn until_acknowledged(serve: &Serve, end: Instant) -> Duration {
    let message = text("oTESTback00000000000000001_", "back", 1);
    while serve.push(&message).await.status != 200 && end.elapsed() < PATIENCE {
        tokio::time::sleep(POLL).await;
    }
    end.elapsed()
}

/// Looks until the database takes commits again: more rows than were on their way when it went; how long after `end`
/// that was.
pub async fn until_commits(stage: &Stage, on_their_way: usize, end: Instant) -> Duration {
    let count = async || stage.number("SELECT COUNT(*) FROM inbox_event").await;
    let before = count().await;
    while count().await <= before + on_their_way as i64 && end.elapsed() < PATIENCE {
        tokio::time::sleep(POLL).await;
    }
    end.elapsed()
}
