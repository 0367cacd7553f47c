//! The loops that fetch profiles, one an account: begun and ended as accounts come and go.

use super::accounts::Table;
use crate::app::App;
use crate::domain::account::Official;
use crate::domain::secret::Secret;
use crate::events::enrich;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The loops that run.
pub(super) struct Fetchers {
    app: Arc<App>,
    due: Arc<Notify>,
    running: HashMap<String, Running>,
    tasks: JoinSet<()>,
}

struct Running {
    account: Arc<Official>,
    stop: watch::Sender<bool>,
}

impl Fetchers {
    /// None yet. `due` wakes them.
    pub fn new(app: Arc<App>, due: Arc<Notify>) -> Self {
        Fetchers { app, due, running: HashMap::new(), tasks: JoinSet::new() }
    }

    /// One for each account that has an AppSecret, with what its calls need now. What is in flight for an account
    /// that is gone or called otherwise comes to its end.
    pub fn follow(&mut self, table: &Table) {
        while self.tasks.try_join_next().is_some() {}
        self.running.retain(|name, running| {
            let stays = table.account(Some(name)).is_some_and(|account| same_calls(account, &running.account));
            if !stays {
                running.stop.send_replace(true);
            }
            stays
        });
        for account in &table.officials {
            if account.secret.is_none() {
                tracing::warn!(account = account.name, "no AppSecret: user/info is not asked, rows stay without data");
            } else if !self.running.contains_key(&account.name) {
                let (stop, stopped) = watch::channel(false);
                self.tasks.spawn(enrich(self.app.clone(), Official::clone(account), self.due.clone(), stopped));
                self.running.insert(account.name.clone(), Running { account: account.clone(), stop });
            }
        }
    }

    /// Ends them all.
    pub async fn end(mut self) {
        for running in self.running.values() {
            running.stop.send_replace(true);
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Whether calls for both leave alike: with the same secret, to the same place, by the same way.
fn same_calls(one: &Official, other: &Official) -> bool {
    let same = |one: &Option<Secret>, other: &Option<Secret>| {
        one.as_ref().map(Secret::reveal) == other.as_ref().map(Secret::reveal)
    };
    same(&one.secret, &other.secret) && one.api_base == other.api_base && same(&one.proxy, &other.proxy)
}
