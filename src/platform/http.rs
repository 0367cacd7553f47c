//! The client of the platforms: base URL, limits, the token in the query, and what an answer means.
//! The URL of a call carries the access_token: it stands in no error, no log and no `Debug`.

mod answer;
mod request;
mod tokens;
mod transport;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Reply, unreadable, whole};
pub use request::{Method, Request};
pub use tokens::{Pending, Refused, Tokens};
pub use transport::{may_have_arrived, never_left};

use super::errcode::{self, Move};
use super::{Platform, peer};
use crate::domain::account::Access;
use crate::domain::clock::Clock;
use crate::domain::secret::Secret;
use crate::domain::token::Token;
use crate::error::{Error, Result, Then};
use crate::say;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A setting that keeps every call of the account from leaving is no fault of an item.
const MISCONFIGURED: Then = Then::Pause { after: Duration::from_secs(60), whole_account: true };

/// What one call may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the connection stands: name, TCP and TLS.
    pub connect: Duration,
    /// From the first byte sent to the last byte read.
    pub call: Duration,
    /// Bytes of a reply.
    pub reply: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connect: Duration::from_secs(3), call: Duration::from_secs(10), reply: 8 * 1024 * 1024 }
    }
}

/// One finished call, as the metrics see it (contract 8).
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Whose API.
    pub platform: Platform,
    /// The API as the reference names it.
    pub api: &'a str,
    /// The errcode; `other` for one in no table, `transport` without an answer, `reply` for one that can't be read.
    pub errcode: &'a str,
    /// How long it took.
    pub seconds: f64,
}

/// Told of every call, each try of a repeated one included.
pub type Observer = Arc<dyn Fn(Call<'_>) + Send + Sync>;

/// Calls the platforms for every account: the account brings base URL and proxy.
pub struct Client {
    limits: Limits,
    clock: Clock,
    observer: Option<Observer>,
    /// One pool of connections an exit: a proxy belongs to the pool.
    pools: Mutex<HashMap<Exit, reqwest::Client>>,
}

/// By which way calls leave the machine.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Exit {
    /// The account's own proxy.
    Proxy(String),
    /// No proxy at all: a loopback address, where the environment's proxy could only lead astray.
    Direct,
    /// What `HTTPS_PROXY` and its kin say.
    Environment,
}

impl Client {
    /// A client with these limits; `clock` tells the hour at which a spent quota comes back.
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Client { limits, clock, observer: None, pools: Mutex::default() }
    }

    /// Tells `observer` of every call.
    #[must_use]
    pub fn observed(mut self, observer: Observer) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Milliseconds since 1970 by the client's clock.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A call that needs the account's access_token. A token that is refused is replaced once and the call
    /// repeated once: it was refused before it ran (reference 3.3). The second refusal is exit 77.
    pub async fn call(&self, account: &Access, tokens: &dyn Tokens, request: &Request) -> Result<Answer> {
        self.call_as(account, tokens, request).await
    }

    /// [`Client::call`] with a body that is read into its own type: for a large answer.
    pub async fn call_as<T: Reply>(
        &self,
        account: &Access,
        tokens: &dyn Tokens,
        request: &Request,
    ) -> Result<Answer<T>> {
        let token = tokens.current(account).await?;
        let first = self.send(account, request, Some(&token)).await?;
        let platform = Platform::of(account);
        if errcode::first(platform, first.errcode) != Move::Renew {
            return self.settle(platform, request, first);
        }
        let token = tokens.refused(account, &token, Refused::by(request, &first)).await?;
        let second = self.send(account, request, Some(&token)).await?;
        if errcode::first(platform, second.errcode) == Move::Renew {
            tokens.refused_again(account, &token, Refused::by(request, &second)).await;
        }
        self.settle(platform, request, second)
    }

    /// One try with this very token: where it is refused, nobody is asked for another.
    pub async fn call_once(&self, account: &Access, token: &Token, request: &Request) -> Result<Answer> {
        let answer = self.send(account, request, Some(token)).await?;
        self.settle(Platform::of(account), request, answer)
    }

    /// The time (milliseconds) in the head of whatever answers a request without a token; `None` where it tells none.
    pub async fn date(&self, account: &Access, request: &Request) -> Result<Option<i64>> {
        let base = base_url(account)?;
        let host = base.host_str().unwrap_or_default().to_owned();
        let pool = self.pool(account.proxy.as_ref().map(Secret::reveal), &host).map_err(|e| bad_proxy(account, e))?;
        let call = request.onto(pool, request.url(base, None));
        let reply = call.send().await.map_err(|e| transport::error(request.api(), &host, &self.limits, e))?;
        let date = reply.headers().get(reqwest::header::DATE).and_then(|date| date.to_str().ok());
        Ok(date.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok()).map(|date| date.timestamp_millis()))
    }

    /// A call without an access_token: the token endpoints.
    pub async fn call_bare(&self, account: &Access, request: &Request) -> Result<Answer> {
        let answer = self.send(account, request, None).await?;
        self.settle(Platform::of(account), request, answer)
    }

    /// A call to the token service of another installation: its HTTP status, and its answer. The key goes in the head
    /// and stands in no URL.
    pub async fn call_peer(
        &self,
        account: &Access,
        url: &str,
        key: &Secret,
        refused: Option<&str>,
    ) -> Result<(u16, Answer)> {
        let bad = || Error::config(say!("token_from is no URL"; "token_from 不是 URL")).then(MISCONFIGURED);
        let url = reqwest::Url::parse(url).ok().filter(reqwest::Url::has_host).ok_or_else(bad)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let pool = self.pool(account.proxy.as_ref().map(Secret::reveal), &host).map_err(|e| bad_proxy(account, e))?;
        let call = match refused {
            None => pool.get(url),
            Some(digest) => {
                let url = format!("{}/refused", url.as_str().trim_end_matches('/'));
                pool.post(url).json(&serde_json::json!({ "sha256": digest }))
            }
        };
        let call = call.bearer_auth(key.reveal());
        let outcome = self.exchange(peer::API, &host, call).await;
        let (status, body) = outcome.map_err(|(_, error)| error)?;
        // A refusal of theirs is told with its status and its words; it is not the platform's. A gateway before them
        // has other words.
        let theirs = || serde_json::from_slice(&body).is_ok_and(|body: serde_json::Value| body["detail"].is_string());
        let read_as = if (400..500).contains(&status) || (status >= 500 && theirs()) { 200 } else { status };
        let answer = answer::read(peer::API, read_as, &body, account.secrets().iter())?;
        Ok((status, answer))
    }

    /// A call that no account makes, such as a group robot's: it goes to `base`, and its key stands in the request.
    pub async fn call_at(&self, platform: Platform, base: &str, request: &Request) -> Result<Answer> {
        let bad = || Error::config(say!("the base URL of a call is none"; "调用的基础 URL 无效")).then(MISCONFIGURED);
        let base = reqwest::Url::parse(base).ok().filter(reqwest::Url::has_host).ok_or_else(bad)?;
        let host = base.host_str().unwrap_or_default().to_owned();
        let pool = self.pool(None, &host).map_err(|e| no_connections().source(e.without_url()))?;
        let answer = self.carry(platform, pool, base, request, None, &[]).await?;
        self.settle(platform, request, answer)
    }

    /// An answer that says no becomes an error; `done` is success in disguise (reference 9).
    fn settle<T>(&self, platform: Platform, request: &Request, answer: Answer<T>) -> Result<Answer<T>> {
        match errcode::first(platform, answer.errcode) {
            Move::Take => Ok(answer),
            Move::Renew | Move::Fail => Err(errcode::error(&answer.refusal(platform, request.api()), self.now_ms())),
        }
    }

    /// One try. What keeps a call from being made at all, a wrong base URL or proxy, is no call.
    async fn send<T: Reply>(&self, account: &Access, request: &Request, token: Option<&Token>) -> Result<Answer<T>> {
        let base = base_url(account)?;
        let host = base.host_str().unwrap_or_default().to_owned();
        let pool = self.pool(account.proxy.as_ref().map(Secret::reveal), &host).map_err(|e| bad_proxy(account, e))?;
        // The platform knows them all, whichever it was sent.
        self.carry(Platform::of(account), pool, base, request, token, &account.secrets()).await
    }

    /// Out and back, observed; beside what the request carries, `own` is not shown.
    async fn carry<T: Reply>(
        &self,
        platform: Platform,
        pool: reqwest::Client,
        base: reqwest::Url,
        request: &Request,
        token: Option<&Token>,
        own: &[Secret],
    ) -> Result<Answer<T>> {
        let host = base.host_str().unwrap_or_default().to_owned();
        let call = request.onto(pool, request.url(base, token.map(|token| &token.text)));
        let began = Instant::now();
        let hidden = request.hidden().chain(token.map(|token| &token.text)).chain(own);
        let outcome = match self.exchange(request.api(), &host, call).await {
            Ok((status, body)) => answer::read(request.api(), status, &body, hidden).map_err(|e| ("reply", e)),
            Err(failed) => Err(failed),
        };
        self.observe(
            platform,
            request.api(),
            began.elapsed(),
            outcome.as_ref().map(|answer| answer.errcode).map_err(|(label, _)| *label),
        );
        outcome.map_err(|(_, e)| e)
    }

    /// The request out, the whole reply in: HTTP status and body, or the metrics label of the failure and the failure.
    async fn exchange(
        &self,
        api: &str,
        host: &str,
        call: reqwest::RequestBuilder,
    ) -> Result<(u16, Vec<u8>), (&'static str, Error)> {
        let broken = |e| ("transport", transport::error(api, host, &self.limits, e));
        let mut reply = call.send().await.map_err(broken)?;
        let mut body = Vec::new();
        while let Some(piece) = reply.chunk().await.map_err(broken)? {
            if body.len() + piece.len() > self.limits.reply {
                return Err(("reply", answer::too_large(api, self.limits.reply)));
            }
            body.extend_from_slice(&piece);
        }
        Ok((reply.status().as_u16(), body))
    }

    /// Codes in no table share one label: what the other side may invent must not make a series each.
    fn observe(&self, platform: Platform, api: &str, took: Duration, outcome: Result<i64, &str>) {
        let Some(observer) = &self.observer else { return };
        let errcode = match outcome {
            Ok(errcode) if errcode::lookup(platform, errcode).is_some() => errcode.to_string(),
            Ok(_) => "other".to_owned(),
            Err(label) => label.to_owned(),
        };
        observer(Call { platform, api, errcode: &errcode, seconds: took.as_secs_f64() });
    }

    /// The pool of connections for an exit; made at the first call.
    fn pool(&self, proxy: Option<&str>, host: &str) -> reqwest::Result<reqwest::Client> {
        let exit = match proxy {
            Some(proxy) => Exit::Proxy(proxy.to_owned()),
            None if is_loopback(host) => Exit::Direct,
            None => Exit::Environment,
        };
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&exit) {
            return Ok(pool.clone());
        }
        let pool = build(&exit, &self.limits)?;
        pools.insert(exit, pool.clone());
        Ok(pool)
    }
}

fn build(exit: &Exit, limits: &Limits) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .connect_timeout(limits.connect)
        .timeout(limits.call)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("wxops/", env!("CARGO_PKG_VERSION")));
    match exit {
        Exit::Proxy(proxy) => builder.proxy(reqwest::Proxy::all(proxy.as_str())?),
        Exit::Direct => builder.no_proxy(),
        Exit::Environment => builder,
    }
    .build()
}

fn base_url(account: &Access) -> Result<reqwest::Url> {
    let name = &account.name;
    reqwest::Url::parse(&account.api_base)
        .ok()
        .filter(|url| url.has_host() && url.scheme().starts_with("http"))
        .ok_or_else(|| {
            Error::config(say!(
                "the API base of account {name} is no URL that begins with https:// or http://";
                "账号 {name} 的 API 地址不是以 https:// 或 http:// 开头的 URL"
            ))
            .then(MISCONFIGURED)
        })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Without the URL: it may hold the proxy's password.
fn bad_proxy(account: &Access, e: reqwest::Error) -> Error {
    let name = &account.name;
    Error::config(say!(
        "no connections can be made for account {name}: its `proxy` is no usable URL, or the machine's certificates can't be read";
        "无法为账号 {name} 建立连接：`proxy` 不是可用的 URL，或本机证书无法读取"
    ))
    .then(MISCONFIGURED)
    .source(e.without_url())
}

fn no_connections() -> Error {
    Error::config(say!(
        "no connections can be made: HTTPS_PROXY is no usable URL, or the machine's certificates can't be read";
        "无法建立连接：HTTPS_PROXY 不是可用的 URL，或本机证书无法读取"
    ))
    .then(MISCONFIGURED)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}
