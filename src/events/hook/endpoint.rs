//! An HTTP endpoint: POST, signed as Standard Webhooks specify. Its address stands in no error and no log; of its answer
//! only the status and Retry-After count.

use super::Answer;
use super::payload::Payload;
use crate::domain::hook::{Hook, SigningKey};
use crate::domain::secret::Secret;
use crate::wire::webhook::signatures;
use chrono::{DateTime, Utc};
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode, Url};
use std::net::IpAddr;
use std::time::Duration;

/// Until the connection stands.
const CONNECT: Duration = Duration::from_secs(3);
/// A connection that rested longer may be closed by the other side just as it is used.
const REST: Duration = Duration::from_secs(3);
/// So much of an answer is read, so that the connection can be used again, and for no longer.
const DRAIN: usize = 16 * 1024;
const DRAIN_TIME: Duration = Duration::from_millis(200);
/// The longest rest that Retry-After can ask for.
const RETRY_AFTER_MOST: Duration = Duration::from_secs(3600);

/// An endpoint, ready to be called.
pub(super) struct Endpoint {
    client: reqwest::Client,
    url: Secret,
    keys: Vec<SigningKey>,
}

impl Endpoint {
    /// `None` where no client can be made: the machine's certificates, or a proxy.
    pub fn new(hook: &Hook, url: &Secret, keys: &[SigningKey], proxy: Option<&Secret>) -> reqwest::Result<Self> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT.min(hook.timeout))
            .timeout(hook.timeout)
            .pool_idle_timeout(REST)
            // Where nothing is repeated, no connection is used twice: one that breaks would leave a doubt.
            .pool_max_idle_per_host(if hook.repeats { super::AT_ONCE } else { 0 })
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("wxops/", env!("CARGO_PKG_VERSION")));
        let builder = match proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.reveal())?),
            None if is_loopback(url) => builder.no_proxy(),
            None => builder,
        };
        Ok(Endpoint { client: builder.build()?, url: url.clone(), keys: keys.to_vec() })
    }

    /// One try, at this time, seconds.
    pub async fn send(&self, payload: &Payload, seconds: i64) -> Answer {
        let signature = signatures(&self.keys, &payload.id, seconds, payload.body.as_bytes());
        let request = self.client.post(self.url.reveal()).header("content-type", "application/json");
        let request = request.header("webhook-id", &payload.id).header("webhook-timestamp", seconds);
        match request.header("webhook-signature", signature).body(payload.body.clone()).send().await {
            Ok(response) => {
                let answer = read(&response);
                drain(response).await;
                answer
            }
            Err(error) => broken(error.without_url()),
        }
    }
}

fn read(response: &Response) -> Answer {
    let status = response.status();
    let why = match status.canonical_reason() {
        _ if status.is_redirection() => format!("HTTP {}; redirects are not followed", status.as_u16()),
        Some(reason) => format!("HTTP {} {reason}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    };
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(retry_after);
    match status {
        _ if status.is_success() => Answer::Taken,
        StatusCode::GONE => Answer::Gone(why),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Answer::Away { why, after },
        _ => Answer::Refused(why),
    }
}

/// Seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    let seconds = match text.trim().parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(text.trim()).ok()?;
            u64::try_from((date.with_timezone(&Utc) - Utc::now()).num_seconds()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds.max(1)).min(RETRY_AFTER_MOST))
}

fn broken(error: reqwest::Error) -> Answer {
    let why = if error.is_timeout() { "no answer in time".to_owned() } else { cause(&error) };
    match error.is_connect() || error.is_builder() {
        true if error.is_timeout() => Answer::Away { why: "no connection in time".to_owned(), after: None },
        true => Answer::Away { why: format!("no connection: {why}"), after: None },
        false => Answer::Unknown(format!("{why}; whether it arrived is not known")),
    }
}

/// The innermost error: it says most in the fewest words.
fn cause(error: &reqwest::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(inner) = at.source() {
        at = inner;
    }
    at.to_string()
}

async fn drain(mut response: Response) {
    let mut bytes = 0;
    let all = async {
        while let Ok(Some(piece)) = response.chunk().await {
            bytes += piece.len();
            if bytes > DRAIN {
                break;
            }
        }
    };
    // What the receiver says is its own; it has answered.
    let _ = tokio::time::timeout(DRAIN_TIME, all).await;
}

fn is_loopback(url: &Secret) -> bool {
    let Ok(url) = Url::parse(url.reveal()) else { return false };
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_says_when_to_come_again() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("0"), Some(Duration::from_secs(1)));
        assert_eq!(retry_after("99999"), Some(RETRY_AFTER_MOST));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::from_secs(1)));
        assert_eq!(retry_after("soon"), None);
    }
}
