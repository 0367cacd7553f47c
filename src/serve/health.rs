//! Who asks whether we live: load balancer, systemd, Prometheus.

use super::Served;
use super::caller::Caller;
use super::keep::Keeping;
use super::problem::problem;
use crate::commands::time_json;
use crate::report::veiled;
use crate::spool::Survey;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// `/healthz` and `/readyz`.
pub(super) fn routes(served: Served) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz)).with_state(served)
}

/// `/metrics`, on its own listener.
pub(super) fn metrics(served: Served) -> Router {
    let text = |State(served): State<Served>| async move {
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], served.app.metrics.text())
    };
    Router::new()
        .route("/metrics", get(text))
        .fallback(async || super::problem::problem(StatusCode::NOT_FOUND, "no such route"))
        .with_state(served)
}

/// Alive; with `?verbose` and the admin's token, every dependency.
async fn healthz(State(served): State<Served>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let verbose =
        query.is_some_and(|query| query.split('&').any(|part| part == "verbose" || part.starts_with("verbose=")));
    if !verbose {
        return "ok\n".into_response();
    }
    if !matches!(Caller::known(&served.accounts.now(), &headers), Some(Caller::Admin)) {
        return problem(StatusCode::UNAUTHORIZED, "verbose health needs Authorization: Bearer <WXOPS_API_TOKEN>");
    }
    let Keeping { pulse, spool, .. } = &served.keeping;
    let (database, configuration) = (pulse.ill(), served.accounts.refusal());
    let full = spool.as_ref().and_then(|spool| pulse.full().or_else(|| spool.ill()));
    let survey = match spool {
        Some(spool) => spool.survey().await.unwrap_or_default(),
        None => Survey::default(),
    };
    let redis = served.app.cache.as_ref().map(|_| served.redis.ill());
    let well = [&database, &configuration, &full].into_iter().all(Option::is_none)
        && survey.set_aside == 0
        && redis.iter().flatten().next().is_none();
    let mut body = serde_json::json!({
        "status": if well { "ok" } else { "degraded" },
        "dependencies": {
            "database": { "ok": database.is_none(), "error": database },
            "spool": {
                "ok": full.is_none() && survey.set_aside == 0,
                "on": spool.is_some(),
                "writable": spool.is_some() && full.is_none(),
                "error": full,
                "folder": spool.as_ref().map(|spool| spool.folder().display().to_string()),
                "bytes": survey.bytes,
                "events": survey.events,
                "oldest": survey.oldest_ms.map(time_json),
                "set_aside": survey.set_aside,
            },
            "configuration": { "ok": configuration.is_none(), "error": configuration },
        },
    });
    if let Some(ill) = redis {
        let error = ill.map(|why| veiled(&why).into_owned());
        body["dependencies"]["redis"] = serde_json::json!({ "ok": error.is_none(), "error": error });
    }
    axum::Json(body).into_response()
}

/// A callback can be made durable, in the database or the spool.
async fn readyz(State(served): State<Served>) -> Response {
    match served.keeping.pulse.red(served.keeping.spool.as_ref()) {
        None => "ready\n".into_response(),
        Some(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "neither the database nor the spool takes a callback"),
    }
}
