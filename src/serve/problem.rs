//! Errors of our own API, as application/problem+json. Never on a callback route: there a refusal has no body.

use super::patient::Unread;
use super::request::Id;
use crate::error::{Error, Kind, Then};
use crate::report::veiled;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// After which a caller may ask again where the error does not say it.
const AGAIN: Duration = Duration::from_secs(5);

/// What is answered instead of what was asked for.
#[derive(Debug)]
pub(super) struct Problem {
    pub status: StatusCode,
    /// One sentence on what is wrong.
    pub detail: String,
    /// What to do about it.
    next: Option<String>,
    /// The platform's code, and its request id.
    errcode: Option<i64>,
    rid: Option<String>,
    retry_after: Option<Duration>,
}

/// The answer to a method that a route does not take.
pub(super) fn not_allowed(allowed: &'static str, headers: &HeaderMap) -> Response {
    let no = Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("this route takes {allowed}"));
    let mut answer = no.told(&Id::of(headers));
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), next: None, errcode: None, rid: None, retry_after: None }
    }

    /// An error of the house as whoever called reads it: its kind says which status.
    pub fn of(error: &Error) -> Problem {
        let status = match error.kind {
            Kind::Refused => StatusCode::BAD_GATEWAY,
            Kind::Unavailable | Kind::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let after = match error.then {
            Then::Pause { after, .. } => after,
            Then::Again | Then::Never => AGAIN,
        };
        Problem {
            next: error.next.as_ref().map(|next| veiled(&next.en).into_owned()),
            errcode: error.errcode,
            rid: error.rid.clone(),
            retry_after: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(after),
            ..Problem::new(status, veiled(&error.what.en))
        }
    }

    /// The answer, with the id of its request.
    pub fn told(self, id: &Id) -> Response {
        let mut answer = self.answer(Some(id));
        id.on(&mut answer);
        answer
    }

    fn answer(self, id: Option<&Id>) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let mut body = serde_json::json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail,
        });
        let more = [
            ("next", self.next.map(Into::into)),
            ("errcode", self.errcode.map(Into::into)),
            ("rid", self.rid.map(Into::into)),
            ("request_id", id.map(|id| id.as_str().into())),
        ];
        for (key, value) in
            more.into_iter().filter_map(|(key, value): (_, Option<serde_json::Value>)| Some((key, value?)))
        {
            body[key] = value;
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut answer = (self.status, kind, body.to_string()).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        answer
    }
}

/// An answer that did not wait for the body of the request.
pub(super) fn unread(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Unread);
    answer
}

/// An error reply with a status and a sentence.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    Problem::new(status, detail).answer(None)
}

/// There is nothing of this path.
pub(super) fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such route")
}
