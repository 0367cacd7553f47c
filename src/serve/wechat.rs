//! WeChat calls: the console's URL check, and every push. Acknowledged after the commit, never before.

use super::Served;
use super::refusals::{Odd, Refused};
use crate::domain::account::Official;
use crate::domain::event::Event;
use crate::error::Result;
use crate::events;
use crate::report::veiled;
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
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A push is below 10 kB, in compatible mode three times that (reference 1.6).
const BODY_MAX: usize = 256 * 1024;
/// A body that is not there by then is given up.
const BODY_TIME: Duration = Duration::from_secs(5);
/// The platform cuts at 5 s: by then it has a 503 and tries again.
const COMMIT_TIME: Duration = Duration::from_millis(4500);

/// Where an accepted callback goes. The bench measures the same routes without a database.
pub trait Keep: Clone + Send + Sync + 'static {
    /// The account of that name; the default one without a name.
    fn account(&self, name: Option<&str>) -> Option<Arc<Official>>;
    /// Whether a push to this account names another of ours.
    fn is_anothers(&self, _account: &Official, _to_user: &str) -> bool {
        false
    }
    /// Makes a callback durable.
    fn keep(&self, arrival: Arrival) -> impl Future<Output = Result<Stored>> + Send;
    /// The key of the dedupe hash.
    fn dedupe(&self) -> &ring::hmac::Key;
    /// The replay window, seconds.
    fn window(&self) -> Option<i64>;
    /// Now, by the clock of the process.
    fn now(&self) -> DateTime<Utc>;
    /// Counts and logs a refusal. The answer waits for it: what it does must not tell one cause from another.
    fn refused(&self, refused: Refused);
    /// Counts what was acknowledged.
    fn acknowledged(&self, account: &str, accepted: &Event, told: &Seen, stored: Stored, took: Duration);
}

/// What is worth counting of an accepted push.
pub struct Seen {
    /// It came in clear though the account is in compatible mode.
    pub clear: bool,
    /// Our clock minus the platform's, where it is beyond 300 s.
    pub skew: Option<i64>,
    /// Signed with the Token before the current one.
    pub old_token: bool,
    /// Sealed with the key before the current one.
    pub old_key: bool,
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
    let query = query.unwrap_or_default();
    match push::handshake(&account, &query, keep.now().timestamp(), keep.window()) {
        Ok(echostr) => {
            tracing::info!(account = account.name, "URL check answered");
            let plain =
                [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (plain, echostr).into_response()
        }
        Err(refusal) => refuse(&keep, &account.name, refusal, query, Bytes::new()),
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
    let query = query.unwrap_or_default();
    let Some(account) = keep.account(name.as_deref()) else { return unknown(&keep, name.as_deref()) };
    let body = match read(&headers, body).await {
        Ok(body) => body,
        Err(reason) => return refuse(&keep, &account.name, Refusal::unsigned(reason), query, Bytes::new()),
    };
    let now = keep.now();
    let accepted = match push::accept(&account, &query, &body, now.timestamp(), keep.window()) {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(&keep, &account.name, refusal, query, body),
    };
    let Accepted { event, raw, clear, skew, key_index, previous_token: old_token } = accepted;
    if keep.is_anothers(&account, &event.to_user) {
        let refusal = Refusal { reason: Reason::ForeignAccount, signed: key_index.is_some() };
        return refuse(&keep, &account.name, refusal, query, body);
    }
    let seen = Seen { clear, skew, old_token, old_key: key_index.is_some_and(|index| index > 0) };
    let key = dedupe_key(keep.dedupe(), &account.name, &event);
    let arrival = Arrival::new(Arc::from(account.name.as_str()), key, event, raw, now);
    let event = arrival.event.clone();
    match tokio::time::timeout(COMMIT_TIME, keep.keep(arrival)).await {
        Ok(Ok(stored)) => {
            keep.acknowledged(&account.name, &event, &seen, stored, start.elapsed());
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
    // Whole, before it is cut: somebody may have put the Token into the path.
    let shown: String = veiled(name.unwrap_or("main")).chars().filter(char::is_ascii_graphic).take(32).collect();
    refuse(keep, &shown, Refusal::unsigned(Reason::UnknownAccount), String::new(), Bytes::new())
}

/// Counted, left to be logged, answered without a body.
fn refuse<K: Keep>(keep: &K, account: &str, refusal: Refusal, query: String, body: Bytes) -> Response {
    keep.refused(Refused { account: account.to_owned(), refusal, query, body });
    StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::FORBIDDEN).into_response()
}

impl Keep for Served {
    fn account(&self, name: Option<&str>) -> Option<Arc<Official>> {
        self.accounts.now().account(name).cloned()
    }

    fn is_anothers(&self, account: &Official, to_user: &str) -> bool {
        self.accounts.now().is_anothers(account, to_user)
    }

    async fn keep(&self, arrival: Arrival) -> Result<Stored> {
        let acts = events::acts(arrival.event.kind);
        self.keeping.keep(arrival.acting(acts)).await
    }

    fn dedupe(&self) -> &ring::hmac::Key {
        &self.dedupe
    }

    fn window(&self) -> Option<i64> {
        self.accounts.now().window()
    }

    fn now(&self) -> DateTime<Utc> {
        self.app.config.clock.now()
    }

    fn refused(&self, refused: Refused) {
        self.app.metrics.refused.with_label_values(&["official", refused.refusal.reason.as_str()]).inc();
        self.refusals.refused(refused);
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
        self.refusals.accepted(account, seen.skew.is_none());
        if seen.clear {
            metrics.clear.with_label_values(&["official"]).inc();
            self.refusals.odd(account, Odd::Clear);
        }
        if seen.old_token || seen.old_key {
            metrics.previous.with_label_values(&["official"]).inc();
        }
        if let Some(skew) = seen.skew {
            metrics.skewed.with_label_values(&["official"]).inc();
            // The same push again proves nothing more.
            if stored != Stored::Duplicate {
                self.refusals.odd(account, Odd::Skew(skew));
            }
        }
        if seen.old_token {
            self.refusals.odd(account, Odd::OldToken);
        }
        if seen.old_key {
            self.refusals.odd(account, Odd::OldKey);
        }
    }
}
