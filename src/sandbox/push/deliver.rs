//! Delivers an envelope as the platform does: 5 s, three tries, and only `success`, nothing, or a sound
//! reply ends it (reference 1.4).

use super::envelope::Envelope;
use super::reply;
use super::report::Outcome;
use crate::domain::account::Mode;
use crate::sandbox::account::Account;
use reqwest::{Client, Url, header, redirect};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// An answer must be there within this time.
const LIMIT: Duration = Duration::from_secs(5);
/// Deliveries altogether.
pub const TRIES: u32 = 3;
/// The pause before the next try; the documents name none.
const PAUSE: Duration = Duration::from_millis(200);
/// Idle connections are given up before a receiver closes them under a push.
const IDLE: Duration = Duration::from_secs(2);

/// How a delivery ended.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Tries made.
    pub tries: u32,
    /// How the last one ended.
    pub outcome: Outcome,
    /// Its HTTP status.
    pub status: Option<u16>,
    /// How long the last one took.
    pub took: Duration,
    /// What the person reads in answer.
    pub reply: Option<String>,
}

/// The client that pushes: no proxy, no redirect, 5 s.
pub fn client() -> reqwest::Result<Client> {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    client.timeout(LIMIT).pool_idle_timeout(IDLE).build()
}

/// Delivers; a try that fails is repeated with the same query and body.
pub async fn deliver(http: &Client, to: &Url, account: &Account, mode: Mode, envelope: &Envelope) -> Delivered {
    let mut url = to.clone();
    url.query_pairs_mut().extend_pairs(&envelope.query);
    for tries in 1.. {
        let began = Instant::now();
        let Answer { outcome, status, reply } = attempt(http, url.clone(), account, mode, &envelope.body).await;
        let took = began.elapsed();
        let again = matches!(outcome, Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable);
        if !again || tries == TRIES {
            return Delivered { tries, outcome, status, took, reply };
        }
        sleep(PAUSE).await;
    }
    Delivered { tries: 0, outcome: Outcome::Unreachable, status: None, took: Duration::ZERO, reply: None }
}

/// What came of one try.
struct Answer {
    outcome: Outcome,
    status: Option<u16>,
    reply: Option<String>,
}

async fn attempt(http: &Client, url: Url, account: &Account, mode: Mode, body: &str) -> Answer {
    let without = |outcome, status| Answer { outcome, status, reply: None };
    let sent = http.post(url).header(header::CONTENT_TYPE, "text/xml").body(body.to_owned()).send().await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return without(silence(&error), None),
    };
    let status = Some(answer.status().as_u16());
    if status != Some(200) {
        return without(Outcome::Refused, status);
    }
    match answer.text().await {
        Err(error) => without(silence(&error), status),
        Ok(text) if text.is_empty() || text == "success" => without(Outcome::Acknowledged, status),
        Ok(text) => match reply::shown(&text, account, mode) {
            Some(reply) => Answer { outcome: Outcome::Replied, status, reply: Some(reply) },
            None => without(Outcome::BadReply, status),
        },
    }
}

fn silence(error: &reqwest::Error) -> Outcome {
    if error.is_timeout() { Outcome::TimedOut } else { Outcome::Unreachable }
}
