//! What is alike in the callbacks of all platforms: durable, then answered; refused without a word.

use super::Served;
use super::refusals::{Odd, Refused};
use crate::domain::account::{Official, Platform, WeCom};
use crate::domain::event::Event;
use crate::error::Result;
use crate::events;
use crate::report::veiled;
use crate::store::{Arrival, Stored};
use crate::wire::dedupe::dedupe_key;
use crate::wire::push::Accepted;
use crate::wire::reason::{Reason, Refusal};
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
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
    /// The WeCom application of that name; the only one without a name.
    fn wecom(&self, _name: Option<&str>) -> Option<Arc<WeCom>> {
        None
    }
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

impl Seen {
    /// What an accepted push is worth.
    fn of(accepted: &Accepted) -> Seen {
        let Accepted { clear, skew, key_index, previous_token, .. } = *accepted;
        Seen { clear, skew, old_token: previous_token, old_key: key_index.is_some_and(|index| index > 0) }
    }
}

/// Makes an accepted push durable, within the time that the platform waits since `start`. Gives the event to answer; the
/// response where there is no more to say.
pub(super) async fn keep_it<K: Keep>(
    keep: &K,
    account: &str,
    accepted: Accepted,
    start: Instant,
) -> Result<Arc<Event>, Response> {
    let seen = Seen::of(&accepted);
    let Accepted { event, raw, .. } = accepted;
    let key = dedupe_key(keep.dedupe(), account, &event);
    let arrival = Arrival::new(Arc::from(account), key, event, raw, keep.now());
    let event = arrival.event.clone();
    let end = (start + COMMIT_TIME).max(Instant::now() + LEAST_COMMIT_TIME);
    match tokio::time::timeout_at(end.into(), keep.keep(arrival)).await {
        Ok(Ok(stored)) => {
            keep.acknowledged(account, &event, &seen, stored, start.elapsed());
            Ok(event)
        }
        Ok(Err(error)) => {
            tracing::debug!(account, %error, "a callback could not be made durable");
            Err(StatusCode::SERVICE_UNAVAILABLE.into_response())
        }
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE.into_response()),
    }
}

/// The answer to a URL check: these letters and no others.
pub(super) fn echo(account: &str, echostr: String) -> Response {
    tracing::info!(account, "URL check answered");
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (plain, echostr).into_response()
}

/// No body on any callback route.
pub(super) async fn method() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// A path that is nearly a callback's, such as /wechat/event with a slash behind it: refused as its platform's,
/// so that the log says why the console is not content. `None` for any other.
pub(super) fn lost<K: Keep>(keep: &K, path: &str) -> Option<Response> {
    let platform = if path.starts_with("/wecom") { Platform::WeCom } else { Platform::Official };
    let ours = platform == Platform::WeCom || path.starts_with("/wechat");
    ours.then(|| unknown(keep, (platform, path)))
}

/// Nobody of ours: what was asked for is told, as far as it is fit to be.
pub(super) fn unknown<K: Keep>(keep: &K, (platform, name): (Platform, &str)) -> Response {
    // Whole, before it is cut: somebody may have put the Token into the path.
    let shown: String = veiled(name).chars().filter(char::is_ascii_graphic).take(32).collect();
    let refusal = Refusal::unsigned(Reason::UnknownAccount);
    refuse(keep, (platform, &shown), refusal, String::new(), Bytes::new())
}

/// Counted, left to be logged, answered without a body.
pub(super) fn refuse<K: Keep>(
    keep: &K,
    (platform, account): (Platform, &str),
    refusal: Refusal,
    query: String,
    body: Bytes,
) -> Response {
    keep.refused(Refused { platform, account: account.to_owned(), refusal, query, body });
    StatusCode::from_u16(refusal.reason.status()).unwrap_or(StatusCode::FORBIDDEN).into_response()
}

impl Keep for Served {
    fn account(&self, name: Option<&str>) -> Option<Arc<Official>> {
        self.accounts.now().account(name).cloned()
    }

    fn wecom(&self, name: Option<&str>) -> Option<Arc<WeCom>> {
        self.accounts.now().wecom(name).cloned()
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
        let labels = [refused.platform.as_str(), refused.refusal.reason.as_str()];
        self.app.metrics.refused.with_label_values(&labels).inc();
        self.refusals.refused(refused);
    }

    fn acknowledged(&self, account: &str, event: &Event, seen: &Seen, stored: Stored, took: Duration) {
        let (metrics, platform) = (&self.app.metrics, event.kind.platform().as_str());
        metrics.ack.observe(took.as_secs_f64());
        if stored == Stored::Duplicate {
            metrics.duplicates.with_label_values(&[platform]).inc();
            tracing::debug!(account, kind = event.kind.as_str(), "a repeated delivery");
        } else {
            metrics.received.with_label_values(&[platform, event.kind.as_str()]).inc();
        }
        if let Stored::Done { id } = stored {
            events::log_done(id, account, event.kind, event.openid());
        }
        self.refusals.accepted(account, seen.skew.is_none());
        if seen.clear {
            metrics.clear.with_label_values(&[platform]).inc();
            self.refusals.odd(event.kind.platform(), account, Odd::Clear);
        }
        if seen.old_token || seen.old_key {
            metrics.previous.with_label_values(&[platform]).inc();
        }
        if let Some(skew) = seen.skew {
            metrics.skewed.with_label_values(&[platform]).inc();
            // The same push again proves nothing more.
            if stored != Stored::Duplicate {
                self.refusals.odd(event.kind.platform(), account, Odd::Skew(skew));
            }
        }
        if seen.old_token {
            self.refusals.odd(event.kind.platform(), account, Odd::OldToken);
        }
        if seen.old_key {
            self.refusals.odd(event.kind.platform(), account, Odd::OldKey);
        }
    }

    fn replied(&self, account: &str) {
        self.app.metrics.replies.with_label_values(&["official"]).inc();
        tracing::debug!(account, "answered with a configured reply");
    }
}
