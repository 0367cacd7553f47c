//! The configuration and every open thing; the only place that opens them.

mod hooks;

pub use hooks::Hooks;

use crate::cache::Cache;
use crate::config::{Config, SpoolDir, UnsubscribePolicy};
use crate::domain::account::Access;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::platform::http::{Call, Client, Limits};
use crate::spool::{self, Surveyor};
use crate::store::queue::QueueDb;
use crate::store::{InHand, Options, Store, Zone};
use crate::tokens::{Keeper, host_name};
use crate::wire::reason::Reason;
use chrono::{DateTime, Utc};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Letters of a spool's name in the table.
const PLACE_MAX: usize = 255;
/// A row says what lay there a moment before it was written, milliseconds.
const MARGIN_MS: i64 = 10_000;

/// What every verb and route works with.
pub struct App {
    /// What was configured.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// Calls of the platforms.
    pub client: Arc<Client>,
    /// The access_tokens.
    pub tokens: Arc<Keeper>,
    /// The copies in Redis, where one is configured.
    pub cache: Option<Arc<Cache>>,
    /// What is counted.
    pub metrics: Metrics,
    /// Who is told of events.
    pub hooks: Hooks,
    /// Whether callbacks may lie in a spool: this host's, or one that is known of.
    pub spools: bool,
}

impl App {
    /// Opens everything for a verb. The schema must stand; SQLite gets it here.
    pub async fn open(config: Config) -> Result<App> {
        let store = Store::open(&config.database_url, options(&config)).await?;
        let mut app = App::over(config, store);
        app.begin().await?;
        Ok(app)
    }

    /// Opens everything for `serve`, with the rows that come in.
    pub async fn serve(config: Config) -> Result<(App, InHand)> {
        let (store, in_hand) = Store::serve(&config.database_url, Options { create: true, ..options(&config) }).await?;
        let mut app = App::over(config, store);
        app.begin().await?;
        Ok((app, in_hand))
    }

    fn over(config: Config, store: Store) -> App {
        let metrics = Metrics::new(Reason::all().map(Reason::as_str));
        let seen = metrics.clone();
        let observer = move |call: Call<'_>| {
            let platform = if call.platform.as_str() == "wechat" { "official" } else { call.platform.as_str() };
            seen.calls.with_label_values(&[platform, call.api, call.errcode]).inc();
            seen.call_seconds.with_label_values(&[platform, call.api]).observe(call.seconds);
        };
        let client = Arc::new(Client::new(Limits::default(), config.clock.clone()).observed(Arc::new(observer)));
        let cache = config.redis_url.clone().map(|url| Arc::new(Cache::new(url, store.clone())));
        let keeper = Keeper::new(store.clone(), client.clone(), config.clock.clone());
        let tokens = Arc::new(keeper.copying(cache.clone()));
        let hooks = Hooks::new(&config.hooks);
        let spools = !matches!(config.spool_dir, Some(SpoolDir::Off));
        App { config, store, client, tokens, cache, metrics, hooks, spools }
    }

    /// Refuses a schema, a mark or an account that are not ours, before anything is written.
    async fn begin(&mut self) -> Result<()> {
        self.store.check_schema().await?;
        // What was told or kept under another configuration is still there.
        if self.hooks.now().is_empty() && self.store.was_told().await? {
            self.hooks.were_told();
        }
        self.spools = self.spools || !self.store.spools().await?.is_empty();
        if self.config.accesses().next().is_some() {
            self.store.installation(self.mark()).await?;
        }
        self.enter(&self.config, &self.config.accesses().collect::<Vec<_>>()).await
    }

    /// Enters accounts of a configuration, this one's or one that is to take its place. Refuses what does not
    /// belong into this database.
    pub async fn enter(&self, config: &Config, accounts: &[&Access]) -> Result<()> {
        if config.mark() != self.mark() {
            self.store.installation(config.mark()).await?;
        }
        for account in accounts {
            self.store.enter_account(&account.name, account.platform.as_str(), &account.identity()).await?;
        }
        Ok(())
    }

    /// `sandbox` where an account's API is on this machine, else `real`.
    pub fn mark(&self) -> &'static str {
        self.config.mark()
    }

    /// The database of the queue of a configuration, whether it is installed there or not: our own, which is open
    /// already, or the CRM's.
    pub async fn queue_db(&self, config: &Config) -> Result<QueueDb> {
        match &config.queue.database_url {
            Some(url) if url.reveal() != config.database_url.reveal() => QueueDb::open(url, false).await,
            _ => Ok(QueueDb::over(self.store.clone(), &self.config.database_url)),
        }
    }

    /// How the spool is set; `None` where it is switched off.
    pub fn spool_settings(&self) -> Option<spool::Settings> {
        spool_settings(&self.config)
    }

    /// The spools that may still hold a callback received before this time (milliseconds, and how long that is ago by
    /// the database's clock): what is to be forgotten has left every host when there is none. This host's folder is
    /// looked at; of others counts what their `serve` has written since. What is set aside counts as long as it lies there.
    pub async fn spools_from_before(&self, time_ms: i64) -> Result<Vec<String>> {
        let (settings, ago_ms) = (self.spool_settings(), self.now_ms() - time_ms);
        let here = spool_place(settings.as_ref());
        let mut places = Vec::new();
        let older = |at: Option<i64>| at.is_some_and(|at| at <= time_ms);
        if let Some(settings) = settings {
            // Whatever lies there is read.
            let survey = tokio::task::spawn_blocking(move || Surveyor::default().look(settings.folder()));
            match survey.await {
                Ok(Ok(survey)) if !older(survey.oldest_ms) && !older(survey.set_aside_ms) => {}
                _ => places.push(here.clone()),
            }
        }
        for (row, seen_ago_ms) in self.store.spools().await?.into_iter().filter(|(row, _)| row.place != here) {
            let ms = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp_millis());
            let seen_since = seen_ago_ms + MARGIN_MS < ago_ms;
            if !seen_since || older(ms(row.oldest_at)) || older(ms(row.set_aside_since)) {
                places.push(row.place);
            }
        }
        Ok(places)
    }

    /// Whether a person's data is erased when they leave.
    pub fn erases(&self) -> bool {
        self.config.unsubscribe_policy == UnsubscribePolicy::Erase
    }

    /// Notes in the ledger that the platform refused an API for want of quota (45009, 48006); other errors are none of
    /// its business. A database that fails has worse to tell, and tells it elsewhere.
    pub async fn note_refusal(&self, account: &str, api: &str, error: &Error) {
        let Some(errcode) = error.errcode.filter(|code| matches!(code, 45009 | 48006)) else { return };
        let (rid, now) = (error.rid.as_deref(), self.now_ms());
        if let Err(error) = self.store.note_refusal(account, api, errcode, rid, now, self.tokens.who()).await {
            tracing::debug!(account, api, %error, "a refusal is not in the ledger");
        }
    }

    /// Now, milliseconds, by the clock of the process.
    pub fn now_ms(&self) -> i64 {
        self.config.clock.now_ms()
    }
}

/// Opens the database of the queue as it stands: the CRM's, or our own where no other is configured. `create`: a SQLite
/// file is made where there is none.
pub async fn open_queue(config: &Config, create: bool) -> Result<QueueDb> {
    let own = &config.database_url;
    match &config.queue.database_url {
        Some(url) if url.reveal() != own.reveal() => QueueDb::open(url, create).await,
        _ => QueueDb::open_own(own, create).await,
    }
}

/// How a verb opens the database.
fn options(config: &Config) -> Options {
    Options { migrate: true, create: false, zone: config.user_mapping_timezone.map(Zone::from) }
}

/// What the row of this host's spool is called: the host and the folder.
pub fn spool_place(settings: Option<&spool::Settings>) -> String {
    let folder = settings.map_or(Path::new(""), spool::Settings::folder);
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("{}:{}", host_name(), folder.display()).chars().take(PLACE_MAX).collect()
}

/// How a configuration sets the spool; `None` where it is switched off. Its usual place is beside a SQLite file, else
/// where systemd lets a service keep what must last, else the current folder.
pub fn spool_settings(config: &Config) -> Option<spool::Settings> {
    let folder = match &config.spool_dir {
        Some(SpoolDir::Off) => return None,
        Some(SpoolDir::Folder(folder)) => Some(folder.clone()),
        None => None,
    };
    // What is no address of a database fails where it is opened.
    let usual = match (Store::sqlite_path(&config.database_url).ok().flatten(), &config.state_directory) {
        (Some(file), _) => {
            let mut folder = file.into_os_string();
            folder.push(".spool");
            folder.into()
        }
        (None, Some(state)) => state.join("spool"),
        (None, None) => PathBuf::from("wxops-spool"),
    };
    Some(spool::Settings { folder, usual, max: config.spool_max, tmpfs: config.spool_tmpfs })
}
