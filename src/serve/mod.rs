//! The door for machines: one file a caller. Here: the verb, its listeners and its loops.

mod accounts;
mod alarm;
mod body;
mod callback;
mod caller;
mod crowd;
mod fetchers;
mod flight;
mod health;
mod hooks;
mod keep;
mod listener;
mod patient;
mod positions;
mod post;
mod problem;
mod pulse;
mod queue;
mod refill;
mod refusals;
mod reload;
mod request;
mod sockets;
mod token;
mod verb;
mod wechat;
mod wecom;
mod window;
#[cfg(feature = "sandbox")]
mod with_sandbox;

use crate::app::{App, spool_place, spool_settings};
use crate::config::{Config, Sources};
use crate::erase;
use crate::error::{Error, Result};
use crate::events::Worker;
use crate::lifecycle::{self, Hangups, ServeLock};
use crate::say;
use crate::spool::Spool;
use crate::store::Store;
use accounts::Accounts;
use axum::Router;
use axum::http::{HeaderMap, Uri};
use fetchers::Fetchers;
use hooks::Tellers;
use keep::Keeping;
use positions::RedisPulse;
use pulse::Pulse;
use refusals::Refusals;
use reload::Reload;
use ring::hmac;
use sockets::Sockets;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use token::Desk;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use callback::{Keep, Seen};
pub use listener::serve as listen;
pub use refusals::Refused;
pub use verb::Serve;

/// How long what is in flight may take after the stop.
const GRACE: Duration = Duration::from_secs(4);
/// How long the loops may take after that.
const LAST_WORK: Duration = Duration::from_millis(500);
/// How often the figures of the inbox are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);

/// What the routes share.
#[derive(Clone)]
pub struct Served {
    app: Arc<App>,
    accounts: Arc<Accounts>,
    dedupe: Arc<hmac::Key>,
    refusals: Arc<Refusals>,
    keeping: Keeping,
    redis: RedisPulse,
}

/// A server that listens and is not yet stopped.
pub struct Server {
    /// Where callbacks arrive.
    pub addr: SocketAddr,
    /// Where /metrics is.
    pub metrics_addr: SocketAddr,
    doors: Stage,
    /// Tells the hooks to stop; closed when they have.
    hooks: Arc<watch::Sender<bool>>,
    loops: Stage,
    keeping: Keeping,
    accounts: Arc<Accounts>,
    /// Told when there is nobody to serve for any more.
    leave: Arc<Notify>,
    _lock: Option<ServeLock>,
}

/// Tasks that are stopped together.
struct Stage {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Stage {
    fn new() -> (Stage, watch::Receiver<bool>) {
        let (stop, stopped) = watch::channel(false);
        (Stage { stop, tasks: JoinSet::new() }, stopped)
    }

    /// Tells them to stop; false where one did not end within `patience`.
    async fn end(mut self, patience: Duration) -> bool {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(patience, all).await.is_ok()
    }
}

/// Where the configuration came from, and who asks for it again.
pub(crate) struct Again {
    pub sources: Sources,
    pub hangups: Hangups,
}

impl Server {
    /// Takes the lock, listens, opens the database. Callbacks are taken from here on.
    pub(crate) async fn start(config: Config, again: Again) -> Result<Server> {
        // Before the ports, which the first serve has too: the second should hear that it is the second.
        let lock = sqlite_lock(&config)?;
        let sockets = Sockets::open(config.listen, config.metrics_listen).await?;
        Self::start_on(config, again, lock, sockets).await
    }

    /// The same with the lock held and on sockets that are open already.
    async fn start_on(config: Config, again: Again, lock: Option<ServeLock>, sockets: Sockets) -> Result<Server> {
        let (spool, place) = (spool(&config)?, spool_place(spool_settings(&config).as_ref()));
        lifecycle::raise_open_files();
        let (app, in_hand) = App::serve(config).await?;
        let app = Arc::new(app);
        if lock.is_some() {
            let freed = app.store.free_inbox().await?;
            if freed > 0 {
                tracing::info!(freed, "took over what the last process had in hand");
            }
            app.store.free_hooks().await?;
        }
        for warning in app.store.warnings().await? {
            tracing::warn!("{}", warning.en);
        }
        let (mut loops, stopped) = Stage::new();
        let due = Arc::new(Notify::new());
        let worker = Worker::new(app.clone(), &in_hand, due.clone());
        loops.tasks.spawn(worker.run(in_hand, stopped.clone()));
        loops.tasks.spawn(Worker::sweep(app.clone(), due.clone(), stopped.clone()));
        let accounts = Arc::new(Accounts::new(app.config.clone()));
        let mut fetchers = Fetchers::new(app.clone(), due);
        fetchers.follow(&accounts.now());
        let hooks = Arc::new(watch::channel(false).0);
        let mut tellers = Tellers::new(app.clone(), hooks.clone());
        tellers.follow(&accounts.now());
        let (addr, metrics_addr) = (local(sockets.callbacks[0].address())?, local(sockets.metrics[0].address())?);
        let leave = Arc::new(Notify::new());
        let reload = Reload {
            app: app.clone(),
            accounts: accounts.clone(),
            fetchers,
            tellers,
            sources: again.sources,
            leave: leave.clone(),
            status: status(addr),
        };
        loops.tasks.spawn(reload.run(again.hangups, stopped.clone()));
        loops.tasks.spawn(hooks::watch(app.clone(), accounts.clone(), stopped.clone()));
        loops.tasks.spawn(count(app.clone(), accounts.clone(), stopped.clone()));
        loops.tasks.spawn(alarm::watch(app.clone(), accounts.clone(), stopped.clone()));
        let keeping = Keeping { app: app.clone(), pulse: Pulse::default(), spool };
        let (beat, spooled) = (keeping.clone(), stopped.clone());
        loops.tasks.spawn(beat.pulse.run(app.clone(), beat.spool, place.clone(), stopped.clone()));
        loops.tasks.spawn(refill::run(keeping.clone(), place, spooled));
        loops.tasks.spawn(positions::tidy(app.clone(), stopped.clone()));
        let redis = RedisPulse::default();
        if let Some(cache) = &app.cache {
            loops.tasks.spawn(positions::copy(app.clone(), cache.clone(), redis.clone(), stopped.clone()));
        }
        loops.tasks.spawn(erase::work(app.clone(), stopped.clone()));

        let dedupe = hmac::Key::new(hmac::HMAC_SHA256, &app.store.installation(app.mark()).await?);
        let known = accounts.clone();
        let (refusals, desk) = Refusals::new(Box::new(move || known.now().officials.clone()), app.config.clock.clone());
        loops.tasks.spawn(desk.run(stopped.clone()));
        let (dedupe, refusals) = (Arc::new(dedupe), Arc::new(refusals));
        let served =
            Served { app: app.clone(), accounts: accounts.clone(), dedupe, refusals, keeping: keeping.clone(), redis };
        app.metrics.follow_accounts([].into_iter(), app.config.accesses().map(|account| account.name.as_str()));
        let desk = Arc::new(Desk::new(served.clone()));
        let queue = Arc::new(queue::Desk::new(&served));
        loops.tasks.spawn(queue.clone().work(stopped.clone()));
        let (mut doors, stopped) = Stage::new();
        let callbacks =
            sockets.callbacks.into_iter().map(|socket| (socket, routes(served.clone(), desk.clone(), queue.clone())));
        let metrics = sockets.metrics.into_iter().map(|socket| (socket, health::metrics(served.clone())));
        for (socket, routes) in callbacks.chain(metrics) {
            doors.tasks.spawn(listener::serve(socket, routes, stopped.clone(), GRACE));
        }
        Ok(Server { addr, metrics_addr, doors, hooks, loops, keeping, accounts, leave, _lock: lock })
    }

    /// Stops accepting, finishes what is in flight, commits; then the loops end.
    pub async fn stop(self) {
        let patience = GRACE + Duration::from_millis(200);
        // What hooks have in flight gets the same time as what is at the doors.
        self.hooks.send_replace(true);
        let (answered, told) =
            tokio::join!(self.doors.end(patience), tokio::time::timeout(patience, self.hooks.closed()));
        let settled = self.loops.end(LAST_WORK).await;
        if !(answered && told.is_ok() && settled) {
            tracing::warn!("something in flight did not end in time; it is durable or was not acknowledged");
        }
    }

    /// Runs until SIGINT, SIGTERM or the end of its terminal, telling systemd.
    pub async fn run(self) -> Result<()> {
        let accounts = self.accounts.now().names();
        let (addr, metrics_addr) = (self.addr, self.metrics_addr);
        tracing::info!(accounts, "listening on http://{addr}");
        tracing::info!("metrics on http://{metrics_addr}");
        lifecycle::ready(&status(addr));
        let watchdog = tokio::spawn(watch_writers(self.keeping.clone()));
        tokio::select! {
            stopped = lifecycle::stopped() => stopped?,
            () = self.leave.notified() => {}
        }
        tracing::info!("stopping: what is in flight is finished");
        lifecycle::stopping();
        watchdog.abort();
        self.stop().await;
        Ok(())
    }
}

/// What systemd shows of a server that is well.
fn status(addr: SocketAddr) -> String {
    format!("listening on {addr}")
}

/// The callback routes over whatever keeps.
pub fn callbacks<K: Keep>(keep: K) -> Router {
    wechat::routes(keep.clone()).merge(wecom::routes(keep))
}

fn routes(served: Served, desk: Arc<Desk>, queue: Arc<queue::Desk>) -> Router {
    let lost = served.clone();
    let fallback = move |uri: Uri, headers: HeaderMap| async move {
        let ours = || problem::no_route().told(&request::Id::of(&headers));
        callback::lost(&lost, uri.path()).unwrap_or_else(ours)
    };
    callbacks(served.clone())
        .merge(health::routes(served))
        .merge(token::routes(desk))
        .merge(queue::routes(queue))
        .fallback(fallback)
}

/// On SQLite one `serve` a file; on MySQL any number.
fn sqlite_lock(config: &Config) -> Result<Option<ServeLock>> {
    Store::sqlite_path(&config.database_url)?.map(|path| ServeLock::take(&path)).transpose()
}

fn problem_of_listening(addr: SocketAddr, error: std::io::Error) -> Error {
    let why = error.to_string();
    Error::config(say!("can't listen on {addr}: {why}"; "无法监听 {addr}：{why}"))
        .next(say!(
            "stop what listens there (ss -ltnp), or set WXOPS_LISTEN and WXOPS_METRICS_LISTEN";
            "请停止占用该端口的程序（ss -ltnp），或修改 WXOPS_LISTEN 与 WXOPS_METRICS_LISTEN"
        ))
        .source(error)
}

fn local(address: std::io::Result<SocketAddr>) -> Result<SocketAddr> {
    address.map_err(|e| Error::failed(say!("the listener has no address"; "监听端口没有地址")).source(e))
}

/// Counts what waits, for /metrics.
async fn count(app: Arc<App>, accounts: Arc<Accounts>, mut stop: watch::Receiver<bool>) {
    let mut queue = None;
    loop {
        queue::count(&app, &mut queue).await;
        if let Ok((new, dead, oldest)) = app.store.inbox_counts().await {
            app.metrics.inbox.with_label_values(&["new"]).set(new);
            app.metrics.inbox.with_label_values(&["dead"]).set(dead);
            app.metrics.inbox_oldest.set(oldest.map_or(0.0, |time| time.timestamp_millis() as f64 / 1000.0));
        }
        for account in accounts.now().config.accesses() {
            if let Ok(Some(end)) = app.store.stored_token(&account.name).await.map(|token| token.expires_at) {
                app.metrics.token_expiry.with_label_values(&[&account.name]).set(end as f64 / 1000.0);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(COUNT_EVERY) => {}
            () = lifecycle::until(&mut stop) => break,
        }
    }
}

/// The spool of this host; exit 78 where it was asked for in a place that does not last.
fn spool(config: &Config) -> Result<Option<Spool>> {
    let Some(settings) = spool_settings(config) else { return Ok(None) };
    if settings.is_off_for_memory()? {
        let folder = settings.folder().display();
        tracing::warn!("the spool is off: {folder} is in memory; set WXOPS_SPOOL_DIR to a folder on a disk");
        return Ok(None);
    }
    Ok(Some(Spool::new(&settings)))
}

/// Tells systemd's watchdog that we live: that the runtime runs this, and that no writer hangs in the disk. A
/// database that is away, or locked by somebody else, is no reason to be killed: a restart would not mend it.
async fn watch_writers(keeping: Keeping) {
    let Some(every) = lifecycle::watchdog() else { return };
    loop {
        let spool_hangs = keeping.spool.as_ref().is_some_and(|spool| spool.stuck(every));
        match spool_hangs || keeping.app.store.stuck(every) {
            false => lifecycle::alive(),
            true => tracing::error!("a write hangs in the disk; without a sign of life systemd restarts us"),
        }
        tokio::time::sleep(every / 2).await;
    }
}
