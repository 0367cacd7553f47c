//! Who asks whether we live: load balancer, systemd, Prometheus.

use super::Served;
use super::problem::problem;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Duration;

/// How long a health route waits for the database.
const PATIENCE: Duration = Duration::from_millis(45);

/// `/healthz` and `/readyz`.
pub(super) fn routes(served: Served) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(served)
}

/// `/metrics`, on its own listener.
pub(super) fn metrics(served: Served) -> Router {
    let text = |State(served): State<Served>| async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], served.app.metrics.text())
    };
    Router::new().route("/metrics", get(text)).fallback(super::problem::not_found).with_state(served)
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
    let known = served.app.config.api_token.as_ref();
    if !known.zip(given).is_some_and(|(known, given)| known.matches(given)) {
        return problem(StatusCode::UNAUTHORIZED, "verbose health needs Authorization: Bearer <WXOPS_API_TOKEN>");
    }
    let database = database(&served).await;
    let ready = database.is_none();
    let body = serde_json::json!({
        "status": if ready { "ok" } else { "degraded" },
        "dependencies": { "database": { "ok": ready, "error": database } },
    });
    axum::Json(body).into_response()
}

/// A callback can be made durable.
async fn readyz(State(served): State<Served>) -> Response {
    match database(&served).await {
        None => "ready\n".into_response(),
        Some(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "the database does not take a commit"),
    }
}

/// Why the database can't be used; `None`: it can.
async fn database(served: &Served) -> Option<String> {
    match tokio::time::timeout(PATIENCE, served.app.store.ready()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("no answer in time".into()),
    }
}
