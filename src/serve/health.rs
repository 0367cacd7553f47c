//! Who asks whether we live: load balancer, systemd, Prometheus.

use super::Served;
use super::problem::problem;
use crate::app::App;
use crate::lifecycle;
use crate::report::veiled;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A commit that takes longer is none for the platform, which cuts at 5 s.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a commit is tried; the routes answer from the last try, at once.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Why no commit was possible at the last try; `None`: it was.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse(Arc<Mutex<Option<String>>>);

impl Pulse {
    /// Tries commits until `stop`.
    pub(super) async fn run(self, app: Arc<App>, mut stop: watch::Receiver<bool>) {
        loop {
            let ill = match tokio::time::timeout(PATIENCE, app.store.ready()).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(veiled(&error.to_string()).into_owned()),
                Err(_) => Some("no commit within 2 s".to_owned()),
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ill;
            tokio::select! {
                () = tokio::time::sleep(TRY_EVERY) => {}
                () = lifecycle::until(&mut stop) => break,
            }
        }
    }

    fn ill(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `/healthz` and `/readyz`.
pub(super) fn routes(served: Served) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(served)
}

/// `/metrics`, on its own listener.
pub(super) fn metrics(served: Served) -> Router {
    let text = |State(served): State<Served>| async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], served.app.metrics.text())
    };
    Router::new().route("/metrics", get(text)).fallback(async || super::problem::not_found()).with_state(served)
}

/// Alive; with `?verbose` and the admin's token, every dependency.
async fn healthz(State(served): State<Served>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let verbose =
        query.is_some_and(|query| query.split('&').any(|part| part == "verbose" || part.starts_with("verbose=")));
    if !verbose {
        return "ok\n".into_response();
    }
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    let table = served.accounts.now();
    if !table.api_token().zip(given).is_some_and(|(known, given)| known.matches(given)) {
        return problem(StatusCode::UNAUTHORIZED, "verbose health needs Authorization: Bearer <WXOPS_API_TOKEN>");
    }
    let (database, configuration) = (served.pulse.ill(), served.accounts.refusal());
    let redis = served.app.cache.as_ref().map(|_| served.redis.ill());
    let well = database.is_none() && configuration.is_none() && redis.iter().flatten().next().is_none();
    let mut body = serde_json::json!({
        "status": if well { "ok" } else { "degraded" },
        "dependencies": {
            "database": { "ok": database.is_none(), "error": database },
            "configuration": { "ok": configuration.is_none(), "error": configuration },
        },
    });
    if let Some(ill) = redis {
        let error = ill.map(|why| veiled(&why).into_owned());
        body["dependencies"]["redis"] = serde_json::json!({ "ok": error.is_none(), "error": error });
    }
    axum::Json(body).into_response()
}

/// A callback can be made durable.
async fn readyz(State(served): State<Served>) -> Response {
    match served.pulse.ill() {
        None => "ready\n".into_response(),
        Some(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "the database does not take a commit"),
    }
}
