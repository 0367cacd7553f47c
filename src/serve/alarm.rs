//! Watches once a minute, in one process of all: the lock says in which, and that it lives.

use super::accounts::Accounts;
use super::post::Post;
use crate::alarm::{Health, WATCH, Word, tell};
use crate::app::App;
use crate::config::Config;
use crate::lifecycle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks, milliseconds by the clock of the process. The first comes so long after the start: what came to
/// the door while nobody was there to take it is retried by the platform meanwhile.
const LOOK_EVERY_MS: i64 = 60_000;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(250);

/// Watches until `stop`, and gives the lock back: who comes next need not wait, and knows that this end was wanted.
pub(super) async fn watch(app: Arc<App>, accounts: Arc<Accounts>, mut stop: watch::Receiver<bool>) {
    let mut post = Post::new(WATCH);
    let mut looked = app.now_ms();
    let watching = async {
        loop {
            tokio::time::sleep(TICK).await;
            match post.hold(&app).await.map(|held| held && due(app.now_ms(), &mut looked)) {
                Ok(true) => look(&app, &accounts.now().config).await,
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "the watch found the database away"),
            }
        }
    };
    tokio::select! {
        () = watching => {}
        () = lifecycle::until(&mut stop) => {}
    }
    post.leave(&app).await;
}

async fn look(app: &App, config: &Config) {
    let told = async { tell(app, config, &Health::look(app, config, false).await?).await };
    match told.await {
        Ok(told) => {
            told.words.iter().filter(|word| !word.is_retry()).for_each(log);
            if let Some(error) = told.failed {
                let next = error.next.as_ref().map_or("", |next| next.en.as_str());
                tracing::warn!(%error, next, "the group robot was not told");
            }
        }
        Err(error) => tracing::warn!(%error, "this minute's look for alarms failed"),
    }
}

fn log(word: &Word) {
    let (account, alarm) = (word.account(), word.kind.as_str());
    match &word.finding {
        Some(finding) => tracing::error!(account, alarm, next = finding.next.en, "{}", finding.what.en),
        None => tracing::warn!(account, alarm, "over: {}", word.kind.over().en),
    }
}

/// Whether it is time; a clock that was set back does not stop the watch.
fn due(now_ms: i64, looked: &mut i64) -> bool {
    *looked = (*looked).min(now_ms);
    let due = now_ms - *looked >= LOOK_EVERY_MS;
    if due {
        *looked = now_ms;
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_a_minute_whatever_the_clock_does() {
        let mut looked = 1_000_000;
        let looks = [1_059_999, 1_060_000, 1_060_001, 9_000_000, 9_000_001, 500_000, 559_999, 560_000];
        let due: Vec<bool> = looks.iter().map(|now| due(*now, &mut looked)).collect();
        assert_eq!(due, [false, true, false, true, false, false, false, true]);
    }
}
