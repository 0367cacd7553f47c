//! The client of the platforms: base URL, limits, the token in the query, and what an answer means.
//! The URL of a call carries the access_token: it stands in no error, no log and no `Debug`.

mod answer;
mod request;
mod tokens;
mod transport;

#[cfg(test)]
mod tests;

pub use answer::{Answer, unreadable};
pub use request::{Method, Request};
pub use tokens::{Pending, Tokens};

use super::Platform;
use super::errcode::{self, Move};
use crate::domain::account::Official;
use crate::domain::clock::Clock;
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
    pub async fn call(&self, account: &Official, tokens: &dyn Tokens, request: &Request) -> Result<Answer> {
        let token = tokens.current(account).await?;
        let first = self.send(account, request, Some(&token)).await?;
        if errcode::first(Platform::WeChat, first.errcode) != Move::Renew {
            return self.settle(request, first);
        }
        let token = tokens.refused(account, &token).await?;
        let second = self.send(account, request, Some(&token)).await?;
        self.settle(request, second)
    }

    /// A call without an access_token: the token endpoints.
    pub async fn call_bare(&self, account: &Official, request: &Request) -> Result<Answer> {
        let answer = self.send(account, request, None).await?;
        self.settle(request, answer)
    }

    /// An answer that says no becomes an error; `done` is success in disguise (reference 9).
    fn settle(&self, request: &Request, answer: Answer) -> Result<Answer> {
        match errcode::first(Platform::WeChat, answer.errcode) {
            Move::Take => Ok(answer),
            Move::Renew | Move::Fail => {
                Err(errcode::error(&answer.refusal(Platform::WeChat, request.api()), self.now_ms()))
            }
        }
    }

    /// One try. What keeps a call from being made at all, a wrong base URL or proxy, is no call.
    async fn send(&self, account: &Official, request: &Request, token: Option<&Token>) -> Result<Answer> {
        let base = base_url(account)?;
        let host = base.host_str().unwrap_or_default().to_owned();
        let pool = self.pool(account, &host)?;
        let call = request.onto(pool, request.url(base, token.map(|token| &token.text)));

        let began = Instant::now();
        // The platform knows them all, whichever it was sent.
        let own = account.secrets();
        let hidden = request.hidden().chain(token.map(|token| &token.text)).chain(&own);
        let outcome = match self.exchange(request.api(), &host, call).await {
            Ok((status, body)) => answer::read(request.api(), status, &body, hidden).map_err(|e| ("reply", e)),
            Err(failed) => Err(failed),
        };
        self.observe(request.api(), began.elapsed(), outcome.as_ref().map_err(|(label, _)| *label));
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
    fn observe(&self, api: &str, took: Duration, outcome: Result<&Answer, &str>) {
        let Some(observer) = &self.observer else { return };
        let errcode = match outcome {
            Ok(answer) if errcode::lookup(Platform::WeChat, answer.errcode).is_some() => answer.errcode.to_string(),
            Ok(_) => "other".to_owned(),
            Err(label) => label.to_owned(),
        };
        observer(Call { platform: Platform::WeChat, api, errcode: &errcode, seconds: took.as_secs_f64() });
    }

    /// The pool of connections for the account's exit; made at the first call.
    fn pool(&self, account: &Official, host: &str) -> Result<reqwest::Client> {
        let exit = match &account.proxy {
            Some(proxy) => Exit::Proxy(proxy.clone()),
            None if is_loopback(host) => Exit::Direct,
            None => Exit::Environment,
        };
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&exit) {
            return Ok(pool.clone());
        }
        let pool = build(&exit, &self.limits).map_err(|e| bad_proxy(account, e))?;
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

fn base_url(account: &Official) -> Result<reqwest::Url> {
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
fn bad_proxy(account: &Official, e: reqwest::Error) -> Error {
    let name = &account.name;
    Error::config(say!(
        "no connections can be made for account {name}: its `proxy` is no usable URL, or the machine's certificates can't be read";
        "无法为账号 {name} 建立连接：`proxy` 不是可用的 URL，或本机证书无法读取"
    ))
    .then(MISCONFIGURED)
    .source(e.without_url())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}
