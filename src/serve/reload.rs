//! SIGHUP: the configuration is loaded again and takes the place of the one before, whole or not at all.

use super::accounts::{Accounts, Table, servable};
use super::fetchers::Fetchers;
use super::hooks::Tellers;
use crate::app::App;
use crate::config::{Config, Sources};
use crate::domain::account::Access;
use crate::error::{Error, Result, Text};
use crate::lifecycle::{self, Hangup, Hangups};
use crate::report::keep_secret;
use crate::say;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How long the database may take to hear of new accounts.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a running server takes from a new configuration beside its accounts. All else waits for a restart; some of
/// it concerns verbs alone.
const LIVE: &[&str] =
    &["WXOPS_REPLAY_WINDOW", "WXOPS_API_TOKEN", "WXOPS_TRUSTED_PROXIES", "WXOPS_ALERT_WEBHOOK", "reply"];
const NOT_OURS: &[&str] =
    &["WXOPS_PUBLIC_URL", "WXOPS_ACCOUNT", "WXOPS_CONFIG", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME"];

/// Waits for hangups and loads again.
pub(super) struct Reload {
    pub app: Arc<App>,
    pub accounts: Arc<Accounts>,
    pub fetchers: Fetchers,
    pub tellers: Tellers,
    pub sources: Sources,
    /// Told when the terminal is gone that the server was started from.
    pub leave: Arc<Notify>,
    /// What systemd shows of a server that is well.
    pub status: String,
}

impl Reload {
    /// Until `stop`.
    pub async fn run(mut self, mut hangups: Hangups, mut stop: watch::Receiver<bool>) {
        let mut warned = self.app.config.warnings.clone();
        loop {
            tokio::select! {
                hangup = hangups.next() => match hangup {
                    Hangup::Reload => {
                        tokio::select! {
                            () = self.once(&mut warned) => {}
                            () = lifecycle::until(&mut stop) => break,
                        }
                    }
                    Hangup::TerminalGone => self.leave.notify_one(),
                },
                () = lifecycle::until(&mut stop) => break,
            }
        }
        self.fetchers.end().await;
    }

    async fn once(&mut self, warned: &mut Vec<Text>) {
        lifecycle::reloading();
        let loaded = self.load().await;
        self.app.metrics.reload_ok.set(loaded.is_ok().into());
        match loaded {
            Ok(table) => {
                for warning in table.config.warnings.iter().filter(|warning| !warned.contains(warning)) {
                    tracing::warn!("{}", warning.en);
                }
                warned.clone_from(&table.config.warnings);
                self.accounts.refused(None);
                lifecycle::ready(&self.status);
            }
            Err(error) => {
                let next = error.next.as_ref().map(|next| next.en.as_str());
                tracing::error!(next, "the new configuration is refused, the one before stays in force: {error}");
                self.accounts.refused(Some(error.to_string()));
                lifecycle::ready(&format!("the new configuration is refused, the one before stays in force: {error}"));
            }
        }
    }

    /// Everything that may be wrong is looked at before anything is changed.
    async fn load(&mut self) -> Result<Arc<Table>> {
        let mut config = Config::load(&self.sources)?;
        keep_secret(&config.secrets);
        // Alarms stay in the language of whoever started it.
        config.lang = self.app.config.lang;
        servable(&config)?;
        let before = self.accounts.now();
        let added: Vec<_> = config.accesses().filter(|new| !is_known(&before, new)).collect();
        match tokio::time::timeout(PATIENCE, self.app.enter(&config, &added)).await {
            Ok(entered) => entered?,
            Err(_) => return Err(no_database()),
        }
        let table = Arc::new(Table::new(config));
        self.accounts.swap(table.clone());
        self.fetchers.follow(&table);
        self.tellers.follow(&table);
        self.tell(&before, &table).await;
        Ok(table)
    }

    /// Says what became of it, and lets who has new credentials try at once.
    async fn tell(&self, before: &Table, table: &Table) {
        let changed = table.config.origins.changed(&before.config.origins);
        let (mut added, mut altered, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for account in table.config.accesses() {
            let name = account.name.as_str();
            if before.access(name).is_none() {
                added.push(name.to_owned());
                continue;
            }
            let prefix = format!("{}.{name}.", account.platform.as_str());
            let keys: Vec<_> = changed.iter().filter_map(|setting| setting.strip_prefix(&prefix)).collect();
            if keys.iter().any(|key| {
                matches!(*key, "app_secret" | "secret" | "api_base" | "proxy" | "token_from" | "token_from_key")
            }) {
                // A pause that the old ones earned. Where the database is away, the next probe comes by itself.
                if let Err(error) = self.app.store.probe_at_once(name).await {
                    tracing::debug!(%error, account = name, "the pause of the account stays");
                }
            }
            if !keys.is_empty() {
                altered.push(format!("{name} ({})", keys.join(", ")));
            }
        }
        for hook in table.config.hooks.iter().filter(|hook| {
            ["url", "command", "proxy"]
                .iter()
                .any(|key| changed.contains(&format!("hook.{}.{key}", hook.name).as_str()))
        }) {
            // Another place may be well, or there again.
            if let Err(error) = self.app.store.wake_hook(&hook.name).await {
                tracing::debug!(%error, hook = hook.name, "the rest of the hook stays");
            }
        }
        for gone in before.config.accesses().filter(|old| table.access(&old.name).is_none()) {
            dropped.push(gone.name.clone());
            // A series that nobody feeds any more would look alive.
            let _ = self.app.metrics.token_expiry.remove_label_values(&[&gone.name]);
        }
        self.app.metrics.follow_accounts(names(before), names(table));
        let list = |names: Vec<String>| (!names.is_empty()).then(|| names.join(", "));
        let (added, changed, dropped) = (list(added), list(altered), list(dropped));
        let hooks = list(table.config.hooks.iter().map(|hook| format!("{} ({})", hook.name, hook.place())).collect());
        let clients = list(table.config.clients.iter().map(|client| client.name.clone()).collect());
        tracing::info!(accounts = table.names(), hooks, clients, added, changed, dropped, "configuration loaded again");
        let fixed = fixed(&table.config, &self.app.config);
        if !fixed.is_empty() {
            tracing::warn!(settings = fixed.join(", "), "changed, but in force only after a restart");
        }
    }
}

/// The names of all accounts of a table.
fn names(table: &Table) -> impl Iterator<Item = &str> {
    table.config.accesses().map(|account| account.name.as_str())
}

/// Settings that differ from what the server was started with and that it can't take up.
fn fixed<'a>(new: &'a Config, started: &Config) -> Vec<&'a str> {
    let changed = new.origins.changed(&started.origins).into_iter();
    let tables = ["official.", "wecom.", "minigame.", "hook.", "client."];
    let live = |name: &str| tables.iter().any(|table| name.starts_with(table));
    changed.filter(|name| !live(name) && !LIVE.contains(name) && !NOT_OURS.contains(name)).collect()
}

fn is_known(table: &Table, new: &Access) -> bool {
    table.access(&new.name).is_some_and(|old| old.identity() == new.identity())
}

fn no_database() -> Error {
    Error::unavailable(say!(
        "the database did not take the new accounts within 5 s";
        "数据库在 5 秒内没有接受新的账号"
    ))
    .next(say!("reload again when it is well"; "数据库恢复后请再次重新加载"))
}
