//! Errors of our own API, as application/problem+json. Never on a callback route: there a refusal has no body.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// An error reply with a status, a short title and a sentence.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("error");
    let body =
        serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}

pub(super) fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "no such route")
}
