//! The configuration and every open thing; the only place that opens them.

use crate::config::{Config, UnsubscribePolicy};
use crate::domain::account::Official;
use crate::error::Result;
use crate::metrics::Metrics;
use crate::platform::http::{Call, Client, Limits};
use crate::store::{InHand, Options, Store, Zone};
use crate::tokens::Keeper;
use crate::wire::reason::Reason;
use std::sync::Arc;

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
    /// What is counted.
    pub metrics: Metrics,
}

impl App {
    /// Opens everything for a verb. The schema must stand; SQLite gets it here.
    pub async fn open(config: Config) -> Result<App> {
        let store = Store::open(&config.database_url, options(&config, false)).await?;
        let app = App::over(config, store);
        app.begin().await?;
        Ok(app)
    }

    /// Opens everything for `serve`, with the rows that come in.
    pub async fn serve(config: Config) -> Result<(App, InHand)> {
        let (store, in_hand) = Store::serve(&config.database_url, options(&config, true)).await?;
        let app = App::over(config, store);
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
        let tokens = Arc::new(Keeper::new(store.clone(), client.clone(), config.clock.clone()));
        App { config, store, client, tokens, metrics }
    }

    /// Refuses a schema, a mark or an account that are not ours, before anything is written.
    async fn begin(&self) -> Result<()> {
        self.store.check_schema().await?;
        if !self.config.officials.is_empty() {
            self.store.installation(self.mark()).await?;
        }
        self.enter(&self.config, &self.config.officials.iter().collect::<Vec<_>>()).await
    }

    /// Enters accounts of a configuration, this one's or one that is to take its place. Refuses what does not
    /// belong into this database.
    pub async fn enter(&self, config: &Config, accounts: &[&Official]) -> Result<()> {
        if config.mark() != self.mark() {
            self.store.installation(config.mark()).await?;
        }
        for account in accounts {
            self.store.enter_account(&account.name, "official", &account.app_id).await?;
        }
        Ok(())
    }

    /// `sandbox` where an account's API is on this machine, else `real`.
    pub fn mark(&self) -> &'static str {
        self.config.mark()
    }

    /// Whether a person's data is erased when they leave.
    pub fn erases(&self) -> bool {
        self.config.unsubscribe_policy == UnsubscribePolicy::Erase
    }

    /// Now, milliseconds, by the clock of the process.
    pub fn now_ms(&self) -> i64 {
        self.config.clock.now_ms()
    }
}

fn options(config: &Config, create: bool) -> Options {
    Options {
        erase: config.unsubscribe_policy == UnsubscribePolicy::Erase,
        migrate: true,
        create,
        zone: config.user_mapping_timezone.map(Zone::from),
    }
}
