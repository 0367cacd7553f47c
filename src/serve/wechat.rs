//! WeChat calls: the console's URL check, and every push. Acknowledged after the commit, never before.

use super::refusals::{Odd, Refused};
use super::{Served, body};
use crate::domain::event::Event;
use crate::domain::{self, account::Official};
use crate::error::Result;
use crate::events;
use crate::report::veiled;
use crate::store::{Arrival, Stored};
use crate::wire::dedupe::dedupe_key;
use crate::wire::push::{self, Accepted, Asked};
use crate::wire::reason::{Reason, Refusal};
use crate::wire::reply::{self, Seal};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// From the head of the request on. The platform cuts at 5 s: by then it has a 503 and tries again.
const COMMIT_TIME: Duration = Duration::from_millis(4500);
/// What a body that came late leaves to the commit at the least.
const LEAST_COMMIT_TIME: Duration = Duration::from_millis(300);

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
    /// Counts a passive reply.
    fn replied(&self, _account: &str) {}
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
        .route("/wechat/event", get(check::<K>).post(receive::<K>).fallback(method))
        .route("/wechat/{account}/event", get(check::<K>).post(receive::<K>).fallback(method))
        .with_state(keep)
}

/// No body on any callback route.
async fn method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// The account that a path names, as it stands there: no name of ours has a letter that a URL would encode, and a
/// decoder of the router's would answer for us where there is no text.
fn named(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/wechat/")?.strip_suffix("/event")
}

async fn check<K: Keep>(State(keep): State<K>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let name = named(&uri);
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

/// Guard, durable, answer.
async fn receive<K: Keep>(
    State(keep): State<K>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let start = Instant::now();
    let query = query.unwrap_or_default();
    let Some(account) = keep.account(named(&uri)) else { return unknown(&keep, named(&uri)) };
    // Before the body, of which a stranger's is not kept whatever its length.
    let now = keep.now();
    let asked = push::ask(&account, &query, now.timestamp(), keep.window());
    let signed = asked.as_ref().is_ok_and(Asked::is_signed);
    let body = match body::read(&headers, body, signed).await {
        Ok(body) => body,
        Err(reason) => return refuse(&keep, &account.name, Refusal::unsigned(reason), query, Bytes::new()),
    };
    let accepted = match asked.and_then(|asked| asked.accept(&body)) {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(&keep, &account.name, refusal, query, body),
    };
    let Accepted { event, raw, clear, skew, key_index, previous_token: old_token } = accepted;
    if keep.is_anothers(&account, &event.to_user) {
        let refusal = Refusal { reason: Reason::ForeignAccount, signed: key_index.is_some() };
        return refuse(&keep, &account.name, refusal, query, body);
    }
    let seen = Seen { clear, skew, old_token, old_key: key_index.is_some_and(|index| index > 0) };
    let seal = Seal::of(&account, key_index, old_token);
    let key = dedupe_key(keep.dedupe(), &account.name, &event);
    let arrival = Arrival::new(Arc::from(account.name.as_str()), key, event, raw, now);
    let event = arrival.event.clone();
    let end = (start + COMMIT_TIME).max(Instant::now() + LEAST_COMMIT_TIME);
    match tokio::time::timeout_at(end.into(), keep.keep(arrival)).await {
        Ok(Ok(stored)) => {
            keep.acknowledged(&account.name, &event, &seen, stored, start.elapsed());
            match reply(&account, &event, seal.as_ref(), keep.now().timestamp()) {
                Some(reply) if start.elapsed() < REPLY_TIME => {
                    keep.replied(&account.name);
                    (REPLY_HEADERS, reply).into_response()
                }
                _ => StatusCode::OK.into_response(),
            }
        }
        Ok(Err(error)) => {
            tracing::debug!(account = account.name, %error, "a callback could not be made durable");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Nobody would hear a reply that goes out later: an empty 200 is all that is left to say.
const REPLY_TIME: Duration = Duration::from_millis(4_500);
/// Of a passive reply.
const REPLY_HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "text/xml; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];

/// The configured answer to what was made durable, a retry's the same again; `None` where there is none.
fn reply(account: &Official, event: &Event, seal: Option<&Seal<'_>>, now: i64) -> Option<String> {
    let content = domain::reply::answer(&account.replies, event)?;
    let clear = reply::clear(event, content, now);
    let sealed = |seal: &Seal<'_>| seal.seal(&clear, now, &rand::random::<u32>().to_string(), &rand::random());
    Some(seal.map(sealed).unwrap_or(clear))
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
        let acts = events::acts(&self.app, &arrival.account, arrival.event.kind);
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

    fn replied(&self, account: &str) {
        self.app.metrics.replies.with_label_values(&["official"]).inc();
        tracing::debug!(account, "answered with a configured reply");
    }
}
