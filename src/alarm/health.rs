//! One look at everything that can be out of the ordinary.

use super::hooks::hook_of;
use super::queue::is_of_queue;
use super::{ALL, Hooks, JobState, Kind, QueueState, TokenState, WATCH};
use crate::app::{App, spool_place};
use crate::config::Config;
use crate::domain::account::{Access, Official};
use crate::domain::silence::{self, FLOOR_MS};
use crate::error::Result;
use crate::spool::Surveyor;
use crate::store::{Holder, Pause, SpoolRow, Standing};

/// What a look has shown.
#[derive(Debug, Clone)]
pub struct Health {
    /// When it was taken, milliseconds.
    pub now_ms: i64,
    /// The callbacks of each account.
    pub callbacks: Vec<Callbacks>,
    /// What came in and is not done.
    pub inbox: Inbox,
    /// What is paused.
    pub paused: Vec<Paused>,
    /// How hooks stand.
    pub hooks: Hooks,
    /// How scheduled jobs stand.
    pub jobs: Vec<JobState>,
    /// How the tokens stand.
    pub tokens: Vec<TokenState>,
    /// How the queue of notifications stands, where messages can go out and there is one.
    pub queue: Option<QueueState>,
    /// The process that watches, or did so last; `None` where none ever did.
    pub serve: Option<Holder>,
    /// What lies in the spools of the hosts, as their `serve` has seen it last; of this host, where it was looked at.
    pub spools: Vec<SpoolRow>,
    /// What stood at the last look.
    pub standing: Vec<Standing>,
}

/// When an account was called, and when it usually is.
#[derive(Debug, Clone)]
pub struct Callbacks {
    /// The account's name.
    pub account: String,
    /// Its AppID.
    pub app_id: String,
    /// Where its callbacks arrive, as the configuration has it.
    pub url: String,
    /// When the last one came in, milliseconds.
    pub last: Option<i64>,
    /// The gap between two that is usual at this hour, milliseconds; `None`: not enough history.
    pub usual: Option<i64>,
    /// Since when an alarm of silence has stood that no callback has ended yet.
    pub alarm_since: Option<i64>,
}

/// The inbox at a glance.
#[derive(Debug, Clone, Default)]
pub struct Inbox {
    /// How many are not handled yet.
    pub new: i64,
    /// When the oldest of them came in, milliseconds.
    pub oldest: Option<i64>,
    /// Since when one has been due, milliseconds.
    pub due_since: Option<i64>,
    /// How many are parked.
    pub dead: i64,
    /// How many of them could be handled again, by account.
    pub replayable: Vec<(String, i64)>,
}

/// A channel that rests.
#[derive(Debug, Clone)]
pub struct Paused {
    /// What, until when and why.
    pub pause: Pause,
    /// Since when the whole account rests, as far as somebody watched, milliseconds.
    pub since: Option<i64>,
}

impl Health {
    /// Looks. What is usual costs some hundred look-ups an account: a watcher that is not `thorough` asks for it only
    /// where the silence is long enough to be an alarm at all.
    pub async fn look(app: &App, config: &Config, thorough: bool) -> Result<Health> {
        let now_ms = app.now_ms();
        let standing = app.store.alarms().await?;
        let mut callbacks = Vec::new();
        for (account, url) in receivers(config) {
            callbacks.push(Callbacks::look(app, account, url, &standing, now_ms, thorough).await?);
        }
        let (hooks, pauses): (Vec<_>, Vec<_>) =
            app.store.pauses().await?.into_iter().partition(|pause| hook_of(pause).is_some());
        // Nobody probes the ways of notifications: their pauses are over by themselves.
        let over = |pause: &Pause| is_of_queue(config, pause) && pause.paused_until <= now_ms;
        let pauses: Vec<Pause> = pauses.into_iter().filter(|pause| !over(pause)).collect();
        let queue = QueueState::look(app, config, &pauses).await;
        let hooks = Hooks::look(app, config, hooks).await?;
        let jobs = JobState::look_all(app, config).await?;
        let tokens = TokenState::look_all(app, config).await?;
        let paused = pauses.into_iter().map(|pause| {
            let whole = pause.api == ALL;
            let since = began(&standing, &pause.account, Kind::Paused).filter(|_| whole);
            Paused { pause, since }
        });
        let paused = paused.collect();
        let serve = app.store.holder(WATCH).await?;
        let mut spools: Vec<SpoolRow> = app.store.spools().await?.into_iter().map(|(spool, _)| spool).collect();
        if thorough && let Some(here) = here(app) {
            spools.retain(|spool| spool.place != here.place);
            spools.push(here);
        }
        let inbox = Inbox::look(app).await?;
        Ok(Health { now_ms, callbacks, inbox, paused, hooks, jobs, tokens, queue, serve, spools, standing })
    }

    /// Whether this look would have shown it: not an account of another configuration, nor one that rests while nobody
    /// has anything to ask for it.
    pub(super) fn knows(&self, kind: Kind, account: &str) -> bool {
        let rests = |paused: &Paused| paused.pause.api == ALL && paused.pause.account == account;
        let ours = account == ALL || self.tokens.iter().any(|token| token.account == account);
        ours && !(kind == Kind::Paused && self.paused.iter().any(rests))
    }
}

impl Callbacks {
    async fn look(
        app: &App,
        access: &Access,
        url: String,
        standing: &[Standing],
        now_ms: i64,
        thorough: bool,
    ) -> Result<Self> {
        let account = access.name.as_str();
        let last = app.store.last_callback(account).await?;
        let alarm_since =
            began(standing, account, Kind::Silence).filter(|began| last.is_none_or(|last| last <= *began));
        let mut usual = None;
        if let Some(last) = last.filter(|last| thorough || now_ms - last > FLOOR_MS) {
            let around = app.store.callbacks_around(account, &silence::moments(now_ms)).await?;
            usual = silence::usual(now_ms, last, &around);
        }
        let (account, app_id) = (account.to_owned(), access.app_id.clone());
        Ok(Callbacks { url, account, app_id, last, usual, alarm_since })
    }

    /// How long nothing has come in; a callback from the future, by a clock that was wrong, came now.
    pub fn silence(&self, now_ms: i64) -> Option<i64> {
        self.last.map(|last| now_ms.saturating_sub(last).max(0))
    }

    /// Whether that is an alarm: longer than usual allows, or begun as one and not ended by a callback. What is usual
    /// may change with the hour while the silence goes on.
    pub fn alarm(&self, now_ms: i64) -> bool {
        let too_long = |silence: i64| self.usual.is_some_and(|usual| silence > silence::alarm_after(usual));
        self.alarm_since.is_some() || self.silence(now_ms).is_some_and(too_long)
    }
}

impl Inbox {
    async fn look(app: &App) -> Result<Inbox> {
        let (new, dead, oldest) = app.store.inbox_counts().await?;
        Ok(Inbox {
            new,
            dead,
            oldest: oldest.map(|time| time.timestamp_millis()),
            due_since: app.store.inbox_due_since().await?,
            replayable: app.store.dead().await?,
        })
    }
}

/// What lies on this host's disk now.
fn here(app: &App) -> Option<SpoolRow> {
    let settings = app.spool_settings()?;
    let survey = Surveyor::default().look(settings.folder()).ok()?;
    Some(survey.row(&spool_place(Some(&settings))))
}

fn began(standing: &[Standing], account: &str, kind: Kind) -> Option<i64> {
    let row = standing.iter().find(|row| row.account == account && row.kind == kind.as_str())?;
    Some(row.began_at.timestamp_millis())
}

/// Every account whose callbacks come in, and where.
fn receivers(config: &Config) -> Vec<(&Access, String)> {
    let base = config.public_url.as_deref().unwrap_or("https://YOUR.DOMAIN");
    let officials = config.officials.iter().map(|official| (&official.access, url(config, official)));
    let wecoms = config.wecoms.iter().filter(|wecom| wecom.receives());
    let wecoms = wecoms.map(|wecom| (&wecom.access, format!("{base}{}", config.wecom_path(wecom))));
    officials.chain(wecoms).collect()
}

/// The only account, or the one that is default, is also `/wechat/event`; every one is to be had by its name.
fn url(config: &Config, official: &Official) -> String {
    let base = config.public_url.as_deref().unwrap_or("https://YOUR.DOMAIN");
    let default = config.official(None).is_ok_and(|default| default.name == official.name);
    match default && config.account.is_none() {
        true => format!("{base}/wechat/event"),
        false => format!("{base}/wechat/{}/event", official.name),
    }
}
