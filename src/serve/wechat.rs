//! WeChat calls: the console's URL check, and every push. Acknowledged after the commit, never before.

use super::Served;
use crate::domain::account::Official;
use crate::domain::event::Event;
use crate::error::Result;
use crate::events;
use crate::store::{Arrival, Stored};
use crate::wire::dedupe::dedupe_key;
use crate::wire::push::{self, Accepted};
use crate::wire::reason::{Reason, Refusal};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::Utc;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A push is below 10 kB, in compatible mode three times that (reference 1.6).
const BODY_MAX: usize = 256 * 1024;
/// A body that is not there by then is given up.
const BODY_TIME: Duration = Duration::from_secs(5);
/// The platform cuts at 5 s: by then it has a 503 and tries again.
const COMMIT_TIME: Duration = Duration::from_secs(4);

/// Where an accepted callback goes. The bench measures the same routes without a database.
pub trait Keep: Clone + Send + Sync + 'static {
    /// The account of that name; the default one without a name.
    fn account(&self, name: Option<&str>) -> Option<&Official>;
    /// Makes a callback durable.
    fn keep(&self, arrival: Arrival) -> impl Future<Output = Result<Stored>> + Send;
    /// The key of the dedupe hash.
    fn dedupe(&self) -> &ring::hmac::Key;
    /// The replay window, seconds.
    fn window(&self) -> Option<i64>;
    /// Now, seconds, by the clock of the process.
    fn now(&self) -> i64;
    /// Counts and logs a refusal.
    fn refused(&self, account: &str, reason: Reason, body_hash: Option<&str>);
    /// Counts what was acknowledged.
    fn acknowledged(&self, account: &str, accepted: &Event, told: &Seen, stored: Stored, took: Duration);
}

/// What is worth counting of an accepted push.
pub struct Seen {
    /// It came in clear though the account is in compatible mode.
    pub clear: bool,
    /// Our clock minus the platform's, where it is beyond 300 s.
    pub skew: Option<i64>,
}

/// The callback routes over whatever keeps.
pub fn callbacks<K: Keep>(keep: K) -> Router {
    Router::new()
        .route("/wechat/event", get(check::<K>).post(main_push::<K>).fallback(method))
        .route("/wechat/{account}/event", get(check::<K>).post(named_push::<K>).fallback(method))
        .with_state(keep)
}

/// No body on any callback route.
async fn method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn check<K: Keep>(State(keep): State<K>, name: Option<Path<String>>, RawQuery(query): RawQuery) -> Response {
    let name = name.as_ref().map(|Path(name)| name.as_str());
    let Some(account) = keep.account(name) else { return unknown(&keep, name) };
    match push::handshake(account, query.as_deref().unwrap_or_default(), keep.now(), keep.window()) {
        Ok(echostr) => {
            tracing::info!(account = account.name, "URL check answered");
            let plain =
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (plain, echostr).into_response()
        }
        Err(refusal) => refuse(&keep, &account.name, refusal, None),
    }
}

async fn main_push<K: Keep>(
    State(keep): State<K>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(keep, None, query, headers, body).await
}

async fn named_push<K: Keep>(
    State(keep): State<K>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    receive(keep, Some(name), query, headers, body).await
}

/// Guard, durable, answer.
async fn receive<K: Keep>(
    keep: K,
    name: Option<String>,
    query: Option<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let start = Instant::now();
    let Some(account) = keep.account(name.as_deref()) else { return unknown(&keep, name.as_deref()) };
    let body = match read(&headers, body).await {
        Ok(body) => body,
        Err(reason) => return refuse(&keep, &account.name, Refusal::unsigned(reason), None),
    };
    let accepted = match push::accept(account, query.as_deref().unwrap_or_default(), &body, keep.now(), keep.window()) {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(&keep, &account.name, refusal, Some(&body)),
    };
    let Accepted { event, raw, clear, skew, .. } = accepted;
    let key = dedupe_key(keep.dedupe(), &account.name, &event);
    let arrival = Arrival::new(Arc::from(account.name.as_str()), key, event, raw, Utc::now());
    let event = arrival.event.clone();
    match tokio::time::timeout(COMMIT_TIME, keep.keep(arrival)).await {
        Ok(Ok(stored)) => {
            keep.acknowledged(&account.name, &event, &Seen { clear, skew }, stored, start.elapsed());
            StatusCode::OK.into_response()
        }
        Ok(Err(error)) => {
            tracing::debug!(account = account.name, %error, "a callback could not be made durable");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn read(headers: &HeaderMap, body: Body) -> std::result::Result<Bytes, Reason> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if told.is_some_and(|length| length > BODY_MAX as u64) {
        return Err(Reason::TooLarge);
    }
    match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Reason::TooLarge),
        // The connection broke in the middle: nobody hears the answer.
        Ok(Err(_)) => Err(Reason::Slow),
        Err(_) => Err(Reason::Slow),
    }
}

/// A path that is nearly a callback's, such as /wechat/event with a slash behind it: refused as WeChat's,
/// so that the log says why the console is not content. `None` for any other.
pub(super) fn lost<K: Keep>(keep: &K, path: &str) -> Option<Response> {
    path.starts_with("/wechat").then(|| unknown(keep, Some(path)))
}

fn unknown<K: Keep>(keep: &K, name: Option<&str>) -> Response {
    let shown: String = name.unwrap_or("main").chars().filter(char::is_ascii_graphic).take(32).collect();
    refuse(keep, &shown, Refusal::unsigned(Reason::UnknownAccount), None)
}

/// Counted, logged at most ten times a second, answered without a body. Of a message whose sender is
/// proven the hash is told, so that it can be looked for; an unproven body is told by nothing.
fn refuse<K: Keep>(keep: &K, account: &str, refusal: Refusal, body: Option<&Bytes>) -> Response {
    let hash = body.filter(|_| refusal.signed).map(|body| {
        let digest = ring::digest::digest(&ring::digest::SHA256, body);
        digest.as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    keep.refused(account, refusal.reason, hash.as_deref());
    match refusal.reason {
        Reason::UnknownAccount => StatusCode::NOT_FOUND,
        Reason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Reason::Slow => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::FORBIDDEN,
    }
    .into_response()
}

impl Keep for Served {
    fn account(&self, name: Option<&str>) -> Option<&Official> {
        match name {
            Some(name) => self.app.config.officials.iter().find(|account| account.name == name),
            None => self.app.config.official(None).ok(),
        }
    }

    async fn keep(&self, arrival: Arrival) -> Result<Stored> {
        let acts = events::acts(arrival.event.kind);
        self.app.store.arrive(arrival.acting(acts)).await
    }

    fn dedupe(&self) -> &ring::hmac::Key {
        &self.dedupe
    }

    fn window(&self) -> Option<i64> {
        self.app.config.replay_window.and_then(|window| i64::try_from(window.as_secs()).ok())
    }

    fn now(&self) -> i64 {
        self.app.now_ms() / 1000
    }

    fn refused(&self, account: &str, reason: Reason, body_hash: Option<&str>) {
        self.app.metrics.refused.with_label_values(&["official", reason.as_str()]).inc();
        self.refusals.log(account, reason, body_hash);
    }

    fn acknowledged(&self, account: &str, event: &Event, seen: &Seen, stored: Stored, took: Duration) {
        let metrics = &self.app.metrics;
        metrics.ack.observe(took.as_secs_f64());
        if stored == Stored::Duplicate {
            metrics.duplicates.with_label_values(&["official"]).inc();
            tracing::debug!(account, kind = event.kind.as_str(), "a repeated delivery");
        } else {
            metrics.received.with_label_values(&["official", event.kind.as_str()]).inc();
        }
        if let Stored::Done { id } = stored {
            events::log_done(id, account, event.kind, event.openid());
        }
        if seen.clear {
            metrics.clear.with_label_values(&["official"]).inc();
            self.refusals.note(account, "a clear push in compatible mode; set the console to secure mode");
        }
        if let Some(skew) = seen.skew {
            metrics.skewed.with_label_values(&["official"]).inc();
            let (off, side) = (skew.abs(), if skew > 0 { "behind" } else { "ahead of" });
            let what = format!("a stale timestamp, {off} s {side} our clock; is this machine's clock right?");
            self.refusals.note(account, &what);
        }
    }
}
