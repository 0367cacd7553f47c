//! The loops that tell hooks, one a hook: begun and ended as hooks come and go.

use super::accounts::{Accounts, Table};
use crate::app::App;
use crate::domain::hook::Hook;
use crate::events::tell;
use crate::lifecycle;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How often what waits for nobody is looked for, in counts.
const TIDY_EVERY: u32 = 12;
/// What waits for a hook that is not configured any more ends after a day: another serve may still have it, and a
/// person who took it out by mistake puts it back.
const ABANDONED_MS: i64 = 86_400_000;

/// The loops that run.
pub(super) struct Tellers {
    app: Arc<App>,
    /// Tells them all to stop; closed when the last one has.
    all: Arc<watch::Sender<bool>>,
    running: HashMap<String, Running>,
    tasks: JoinSet<()>,
}

struct Running {
    hook: Hook,
    stop: watch::Sender<bool>,
}

impl Tellers {
    /// None yet. `all` ends them, before everything else ends.
    pub fn new(app: Arc<App>, all: Arc<watch::Sender<bool>>) -> Self {
        Tellers { app, all, running: HashMap::new(), tasks: JoinSet::new() }
    }

    /// One for each hook of the table. What is in flight for one that is gone or told otherwise comes to its end.
    pub fn follow(&mut self, table: &Table) {
        while self.tasks.try_join_next().is_some() {}
        let hooks = &table.config.hooks;
        let names = |hooks: &mut dyn Iterator<Item = &Hook>| hooks.map(|hook| hook.name.clone()).collect::<Vec<_>>();
        let (before, now) = (names(&mut self.running.values().map(|running| &running.hook)), names(&mut hooks.iter()));
        self.app.metrics.follow_hooks(before.iter().map(String::as_str), now.iter().map(String::as_str));
        self.app.hooks.swap(hooks);
        self.running.retain(|name, running| {
            let stays = hooks.iter().any(|hook| hook.name == *name && hook.tells_like(&running.hook));
            if !stays {
                running.stop.send_replace(true);
            }
            stays
        });
        for hook in hooks {
            if !self.running.contains_key(&hook.name) {
                let (stop, stopped) = watch::channel(false);
                self.tasks.spawn(until_all_stop(
                    tell(self.app.clone(), hook.clone(), stopped),
                    stop.clone(),
                    self.all.subscribe(),
                ));
                self.running.insert(hook.name.clone(), Running { hook: hook.clone(), stop });
            }
        }
    }
}

/// The loop of a hook, told to stop where all are; `all` is let go at its end.
async fn until_all_stop(told: impl Future<Output = ()>, stop: watch::Sender<bool>, mut all: watch::Receiver<bool>) {
    tokio::pin!(told);
    tokio::select! {
        () = &mut told => return,
        () = lifecycle::until(&mut all) => stop.send_replace(true),
    };
    told.await;
}

/// Counts what waits, and ends what waits for hooks that nobody has any more.
pub(super) async fn watch(app: Arc<App>, accounts: Arc<Accounts>, mut stop: watch::Receiver<bool>) {
    let mut turn = 0;
    loop {
        let table = accounts.now();
        let hooks: Vec<&str> = table.config.hooks.iter().map(|hook| hook.name.as_str()).collect();
        if !hooks.is_empty() {
            count(&app, &hooks).await;
        }
        if turn % TIDY_EVERY == 0 {
            let now_ms = app.now_ms();
            match app.store.abandon_hooks(&hooks, now_ms - ABANDONED_MS, now_ms).await {
                Ok(0) => {}
                Ok(ended) => {
                    tracing::warn!(ended, "deliveries waited a day for hooks that are not configured any more")
                }
                Err(error) => tracing::debug!(%error, "deliveries of former hooks could not be looked for"),
            }
        }
        turn += 1;
        tokio::select! {
            () = tokio::time::sleep(COUNT_EVERY) => {}
            () = lifecycle::until(&mut stop) => break,
        }
    }
}

async fn count(app: &App, hooks: &[&str]) {
    let Ok(counts) = app.store.hook_counts().await else { return };
    for hook in hooks {
        let waits = |state: &str| state == "pending" || state == "sending";
        let waiting = counts.iter().filter(|count| count.hook == *hook && waits(&count.state));
        app.metrics.hook_pending.with_label_values(&[hook]).set(waiting.map(|count| count.count).sum());
    }
}
