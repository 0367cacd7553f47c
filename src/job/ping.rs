//! `--ping-url`: a service that watches jobs hears of a start and of an end, as healthchecks.io has it: URL/start, then
//! URL/exit-code with the end of the log. The address is a secret: who knows it can report a success. Whatever becomes
//! of a ping, the job's result stands.

use crate::config::secret_parts;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::report::keep_secret;
use crate::say;
use reqwest::{Client, StatusCode, Url};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A command is kept waiting by its pings for no longer than this.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// How often a ping is tried.
const TRIES: u32 = 5;
/// The first pause between tries; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(100);
/// What a try gets at the least.
const SHORTEST: Duration = Duration::from_millis(300);

pub(super) struct Ping {
    client: Client,
    url: Url,
    start: Mutex<Option<JoinHandle<()>>>,
}

impl Ping {
    /// Exit 2 where it is no address; what was typed is not repeated.
    pub(super) fn to(secret: &Secret) -> Result<Ping> {
        let no_url = || {
            Error::usage(say!("--ping-url: not an address that begins with http:// or https://"; "--ping-url：不是以 http:// 或 https:// 开头的地址"))
                .next(say!("copy it from the service that watches the job"; "请从监控服务处复制"))
        };
        let url = Url::parse(secret.reveal()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.filter(Url::has_host).ok_or_else(no_url)?;
        let segments = url.path_segments().into_iter().flatten().map(Secret::new);
        let parts: Vec<Secret> = segments.chain(secret_parts(secret)).chain([Secret::new(url.as_str())]).collect();
        keep_secret(&parts);
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
        let builder = builder.user_agent(concat!("wxops/", env!("CARGO_PKG_VERSION")));
        let builder = if is_loopback(&url) { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| {
            Error::failed(say!("--ping-url: HTTP can't be spoken here"; "--ping-url：无法发起 HTTP 请求"))
                .source(error.without_url())
        })?;
        Ok(Ping { client, url, start: Mutex::default() })
    }

    /// Tells that it starts; the job does not wait for it.
    pub(super) fn start(&self) {
        let (client, url) = (self.client.clone(), self.below("start"));
        let task = tokio::spawn(async move {
            tell(&client, url, None, Instant::now() + LIMIT / 2).await;
        });
        *self.start.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    /// Tells how it ended. A start that has not arrived by then does not come behind it.
    pub(super) async fn end(&self, code: u8, log: String, limit: Duration) {
        let (half, end) = (Instant::now() + limit / 2, Instant::now() + limit);
        let start = self.start.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut start) = start
            && tokio::time::timeout_at(half, &mut start).await.is_err()
        {
            start.abort();
        }
        tell(&self.client, self.below(&code.to_string()), Some(log), end).await;
    }

    fn below(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(name);
        }
        url
    }
}

/// Tries until it has arrived or the time is over.
async fn tell(client: &Client, url: Url, log: Option<String>, end: Instant) {
    let mut why = "no time left".to_owned();
    for n in 0..TRIES {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        // The first try gets most, so that a slow service is heard out; a dead one is asked again all the same.
        let request = match &log {
            None => client.get(url.clone()),
            Some(log) => client.post(url.clone()).header("content-type", "text/plain; charset=utf-8").body(log.clone()),
        };
        why = match request.timeout((left / 2).max(SHORTEST).min(left)).send().await {
            Ok(answer) if answer.status().is_success() => return,
            Ok(answer) if is_final(answer.status()) => {
                why = format!("HTTP {}", answer.status().as_u16());
                break;
            }
            Ok(answer) => format!("HTTP {}", answer.status().as_u16()),
            Err(error) if error.is_timeout() => "no answer in time".to_owned(),
            Err(error) if error.is_connect() => "no connection".to_owned(),
            Err(_) => "the connection broke".to_owned(),
        };
        if n + 1 < TRIES {
            let left = end.saturating_duration_since(Instant::now());
            tokio::time::sleep((PAUSE * 2_u32.pow(n)).min(left)).await;
        }
    }
    tracing::warn!("a ping did not arrive: {why}");
}

/// What another try can't change.
fn is_final(status: StatusCode) -> bool {
    let later = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
    (status.is_client_error() || status.is_redirection()) && !later.contains(&status)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    fn below(url: &str) -> String {
        Ping::to(&Secret::new(url)).unwrap().below("start").to_string()
    }

    #[test]
    fn the_path_is_gone_on_with_and_a_query_stays() {
        assert_eq!(below("https://hc.example/a1b2c3d4"), "https://hc.example/a1b2c3d4/start");
        assert_eq!(
            below("https://hc.example/ping/key/slug/?create=1"),
            "https://hc.example/ping/key/slug/start?create=1"
        );
        assert_eq!(below("http://127.0.0.1:8000"), "http://127.0.0.1:8000/start");
    }

    #[test]
    fn what_is_no_address_is_not_repeated() {
        for wrong in ["CANARY-of-no-scheme", "ftp://CANARY.example/x", "https://", ""] {
            let error = Ping::to(&Secret::new(wrong)).err().unwrap();
            assert_eq!(error.kind, Kind::Usage);
            assert!(!format!("{error:?}{error}").contains("CANARY"), "{error:?}");
        }
    }
}
