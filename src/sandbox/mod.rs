//! A stand-in for api.weixin.qq.com on a local port. It keeps state and enforces the documented limits
//! (reference, section 10), and it shares no structs, no codes and no signing with the client, so that
//! the client's mistakes are not answered by the same mistakes.
//!
//! `account clock crowd crypto errcode faults guesses journal limits lists noise office openid people profile quota rids robot tokens` are its parts,
//! `world` holds them, `server` is the door, `api` the platform's side, `control` its own (`/sandbox/…`),
//! `push` sends events.

pub mod account;
mod api;
pub mod clock;
mod control;
mod crowd;
mod crypto;
mod errcode;
pub mod faults;
mod guesses;
mod journal;
pub mod limits;
pub mod lists;
mod noise;
pub mod office;
mod openid;
mod people;
mod profile;
pub mod push;
mod quota;
mod rids;
mod robot;
mod server;
#[cfg(test)]
mod tests;
mod tokens;
mod world;

pub use account::Account;
pub use control::shown;
pub use robot::webhook;

use crate::error::{Error, Result};
use crate::say;
use faults::Fault;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use world::{World, lock};

/// The port that `sandbox run` takes and `sandbox push` asks.
pub const PORT: u16 = 9090;

/// How the sandbox is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; not used by [`start_on`].
    pub listen: SocketAddr,
    /// Followers of each account.
    pub followers: u64,
    /// Openids of another account in the list, at most as many as followers.
    pub foreign: u64,
    /// Who comes and goes while the list is read, and how it is answered.
    pub lists: lists::Lists,
    /// What each answer of the platform's side waits.
    pub latency: Duration,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Fixes followers, faults and the order of things; not the tokens.
    pub seed: u64,
    /// The accounts; without one, those of [`Account::made_all`] are made from the seed.
    pub accounts: Vec<Account>,
    /// Accounts of the corporation behind the apps of WeCom.
    pub wecom_heads: u64,
    /// Userids that nobody has there.
    pub wecom_invalid: Vec<String>,
    /// What stands in the place of the platform's limits.
    pub limits: Vec<limits::Override>,
    /// Fill nickname, avatar and place, as before 2021-12-27.
    pub profile_2021: bool,
    /// Where its time starts.
    pub clock: clock::Start,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            followers: 1000,
            foreign: 0,
            lists: lists::Lists::default(),
            latency: Duration::ZERO,
            faults: Vec::new(),
            seed: 1,
            accounts: Vec::new(),
            wecom_heads: office::directory::HEADS,
            wecom_invalid: Vec::new(),
            limits: Vec::new(),
            profile_2021: false,
            clock: clock::Start::default(),
        }
    }
}

/// A running sandbox. Dropping it stops it at once; [`Running::stop`] lets calls in flight end.
pub struct Running {
    addr: SocketAddr,
    seed: u64,
    world: Arc<World>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Listens and serves.
///
/// # Errors
/// [`Kind::Unavailable`](crate::error::Kind::Unavailable) where the address can't be taken; a configuration
/// error for accounts that contradict each other.
pub async fn start(options: Options) -> Result<Running> {
    let listen = options.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Error::unavailable(say!("the sandbox cannot listen on {listen}: {error}"; "沙箱无法监听 {listen}：{error}"))
            .next(say!("choose another address with --listen"; "请用 --listen 换一个地址"))
            .source(error)
    })?;
    start_on(listener, options).await
}

/// Serves on a listener that is open already.
///
/// # Errors
/// As [`start`].
pub async fn start_on(listener: TcpListener, mut options: Options) -> Result<Running> {
    let failed = |error: std::io::Error| {
        Error::failed(say!("the sandbox's listener has no address"; "沙箱的监听端口没有地址")).source(error)
    };
    let addr = listener.local_addr().map_err(failed)?;
    if options.accounts.is_empty() {
        options.accounts = Account::made_all(options.seed);
    }
    check(&options.accounts)?;
    let http = push::client()
        .map_err(|error| Error::failed(say!("cannot make an HTTP client"; "无法创建 HTTP 客户端")).source(error))?;
    let seed = options.seed;
    let world = Arc::new(World::new(options, addr.ip().is_loopback(), http));
    let stop = CancellationToken::new();
    let task = tokio::spawn(server::serve(listener, world.clone(), stop.clone()));
    Ok(Running { addr, seed, world, stop, task })
}

/// Each name and appid once (of a corporation, each app and each secret once), keys that open.
fn check(accounts: &[Account]) -> Result<()> {
    for (at, account) in accounts.iter().enumerate() {
        let Account { name, app_id, .. } = account;
        let same = |other: &Account| {
            let apps_differ =
                account.is_wecom() && account.kind != other.kind && !account.secret.matches(other.secret.reveal());
            other.name == *name || (other.app_id == *app_id && !apps_differ)
        };
        if accounts[..at].iter().any(same) {
            return Err(Error::config(say!(
                "two accounts of the sandbox are called {name}, or have the AppID or app {app_id}";
                "沙箱有两个账号同名 {name}，或同为 AppID 或应用 {app_id}"
            )));
        }
        if account.aes_key.is_some() && account.key().is_none() {
            return Err(Error::config(say!(
                "the aes_key of account {name} is not 43 letters of base64";
                "账号 {name} 的 aes_key 不是 43 个 base64 字符"
            )));
        }
    }
    Ok(())
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where its group robot is spoken to, with the key.
    pub fn webhook(&self) -> String {
        webhook(&self.url(), self.seed)
    }

    /// Its accounts with their keys.
    pub fn accounts(&self) -> Vec<Account> {
        self.world.houses.iter().map(|house| house.account.clone()).collect()
    }

    /// Tells it where pushes of an account go; `false` for an account it does not have.
    pub fn set_callback(&self, account: &str, url: &str) -> bool {
        let house = self.world.house(Some(account));
        if let Some(house) = house {
            *lock(&house.callback) = Some(url.to_owned());
        }
        house.is_some()
    }

    /// Moves its clock.
    pub fn advance(&self, seconds: i64) {
        self.world.clock.advance(seconds);
    }

    /// Calls of the platform's side so far.
    pub fn calls(&self) -> u64 {
        lock(&self.world.journal).counts().calls
    }

    /// Sends pushes, as POST /sandbox/push does.
    ///
    /// # Errors
    /// Usage, where the order can't be carried out. Pushes that fail are in the report.
    pub async fn push(&self, order: push::Order) -> Result<push::Report> {
        let name = order.account.clone().unwrap_or_default();
        let house = self.world.house(order.account.as_deref()).cloned();
        let house =
            house.ok_or_else(|| Error::usage(say!("the sandbox has no account {name:?}"; "沙箱没有账号 {name:?}")))?;
        push::run(house, self.world.clock.clone(), self.world.http.clone(), order).await
    }

    /// Stops accepting, lets calls in flight end (3 s at most).
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ended = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
