//! Other systems of the company call: the one place that holds the access_token (contract 3; reference 3.1 asks for one).
//! They read it, and say when it was refused.

use super::accounts::Table;
use super::caller::{self, Caller};
use super::flight::{Done, Flights};
use super::problem::{Problem, not_allowed, unread};
use super::request::Id;
use super::window::Window;
use super::{Served, body};
use crate::commands::time_json;
use crate::domain::account::Access;
use crate::domain::token::{DIGEST_LETTERS, Token, digest};
use crate::error::{Error, Result};
use crate::metrics::NO_ACCOUNT;
use crate::say;
use crate::wire::reason::Reason;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::Instrument;

/// What a caller waits at the most: one call of the platform ends before, and whoever waits longer asks again.
const PATIENCE: Duration = Duration::from_secs(15);
/// Lines in a second about requests that failed.
const LINES: u32 = 10;
/// Fewest letters of a digest that tell one token from another.
const FEWEST: usize = 16;
/// The end of a token that a person brought is not known: whoever keeps a copy asks again after so many seconds.
const UNKNOWN_LIFE: i64 = 60;

/// Who answers.
pub(super) struct Desk {
    served: Served,
    flights: Flights,
    lines: Mutex<(Window, u64)>,
}

/// `GET /api/token/{account}` and `POST /api/token/{account}/refused`.
pub(super) fn routes(desk: Arc<Desk>) -> Router {
    let method = |allowed: &'static str| move |headers: HeaderMap| async move { not_allowed(allowed, &headers) };
    Router::new()
        .route("/api/token/{account}", get(give).fallback(method("GET, HEAD")))
        .route("/api/token/{account}/refused", post(refused).fallback(method("POST")))
        .with_state(desk)
}

async fn give(State(desk): State<Arc<Desk>>, parts: Parts) -> Response {
    let (table, id) = (desk.served.accounts.now(), Id::of(&parts.headers));
    let outcome = match desk.admit(&table, &parts) {
        Ok((account, _)) => desk.give(account, &id).await.map(|token| (token, None)),
        Err(no) => Err(no),
    };
    desk.answer(&table, &parts, &id, outcome)
}

async fn refused(State(desk): State<Arc<Desk>>, parts: Parts, body: Body) -> Response {
    let (table, id) = (desk.served.accounts.now(), Id::of(&parts.headers));
    let (account, caller) = match desk.admit(&table, &parts) {
        Ok(admitted) => admitted,
        // Nothing is read of whom we don't know.
        Err(no) => return unread(desk.answer(&table, &parts, &id, Err(no))),
    };
    let outcome = match beginning(&parts.headers, body).await {
        Ok(beginning) => desk.told(account, &beginning, caller.name(), &id).await.map(|token| {
            let replaced = !digest(&token.text).starts_with(&beginning);
            (token, Some(replaced))
        }),
        Err(no) => Err(no),
    };
    desk.answer(&table, &parts, &id, outcome)
}

/// The token, and whether it is another than the one that was refused, where one was.
type Outcome = Result<(Token, Option<bool>), No>;

/// Why there is none: what is answered, and how it is counted.
struct No {
    result: &'static str,
    problem: Problem,
}

impl No {
    fn new(result: &'static str, status: StatusCode, detail: &str) -> No {
        No { result, problem: Problem::new(status, detail) }
    }

    fn bad(status: StatusCode, detail: &str) -> No {
        No::new("bad_request", status, detail)
    }
}

impl Desk {
    pub fn new(served: Served) -> Desk {
        Desk { served, flights: Flights::default(), lines: Mutex::new((Window::new(LINES), 0)) }
    }

    /// The account, for who may have its token. Whoever may not learns nothing of which accounts there are.
    fn admit<'t>(&self, table: &'t Table, parts: &Parts) -> Result<(&'t Access, Caller<'t>), No> {
        let name = named(parts);
        let caller = Caller::admitted(table, parts).map_err(|(status, what)| {
            let result = if status == StatusCode::UNAUTHORIZED { "unauthorized" } else { "forbidden" };
            No::new(result, status, what)
        })?;
        if !caller.may_token(name) {
            let what = "this client may not have the token of this account";
            return Err(No::new("forbidden", StatusCode::FORBIDDEN, what));
        }
        let account = table.access(name).ok_or_else(|| No::bad(StatusCode::NOT_FOUND, "there is no such account"));
        account.map(|account| (account, caller))
    }

    async fn give(&self, account: &Access, id: &Id) -> Result<Token, No> {
        let (app, access) = (self.served.app.clone(), account.clone());
        let errand = async move { app.tokens.give(&access).await }.instrument(id.span());
        self.wait(self.flights.join(format!("give {}", account.name), errand)).await
    }

    async fn told(&self, account: &Access, beginning: &str, client: &str, id: &Id) -> Result<Token, No> {
        let (app, access) = (self.served.app.clone(), account.clone());
        let (told, who) = (beginning.to_owned(), format!("client {client}"));
        let errand = async move { app.tokens.told(&access, &told, &who).await }.instrument(id.span());
        self.wait(self.flights.join(format!("told {} {beginning}", account.name), errand)).await
    }

    async fn wait(&self, flight: impl Future<Output = Done>) -> Result<Token, No> {
        let done = tokio::time::timeout(PATIENCE, flight).await;
        let late = || Arc::new(Error::unavailable(say!("the token is still being fetched"; "仍在获取 token")));
        let token = done.unwrap_or_else(|_| Err(late()));
        token.map_err(|error| No { result: "failed", problem: Problem::of(&error) })
    }

    /// Answers, counts, and writes the line of a request.
    fn answer(&self, table: &Table, parts: &Parts, id: &Id, outcome: Outcome) -> Response {
        let name = named(parts);
        let account = table.access(name).map_or(NO_ACCOUNT, |account| &account.name);
        let client = Caller::known(table, &parts.headers).map(Caller::name);
        let request_id = id.as_str();
        let (result, mut answer) = match outcome {
            Ok((token, replaced)) => {
                let result = match replaced {
                    None => "given",
                    Some(true) => "refused_replaced",
                    Some(false) => "refused_same",
                };
                let generation = token.generation;
                tracing::info!(request_id, client, account, result, generation, status = 200, "access_token");
                (result, self.shown(account, &token, replaced))
            }
            Err(No { result, problem }) => {
                if let Some(not_shown) = self.line() {
                    let (status, why) = (problem.status.as_u16(), problem.detail.as_str());
                    let from = source(table, parts).map(tracing::field::display);
                    tracing::warn!(
                        request_id,
                        client,
                        from,
                        account,
                        result,
                        status,
                        not_shown,
                        "no access_token: {why}"
                    );
                }
                (result, problem.told(id))
            }
        };
        self.served.app.metrics.token_requests.with_label_values(&[account, result]).inc();
        id.on(&mut answer);
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    fn shown(&self, account: &str, token: &Token, replaced: Option<bool>) -> Response {
        let known = token.expires_at != Token::UNKNOWN_EXPIRY;
        let left = token.expires_at.saturating_sub(self.served.app.now_ms()) / 1000;
        let mut body = json!({
            "account": account,
            "access_token": token.text.reveal(),
            "expires_in": if known { left.max(1) } else { UNKNOWN_LIFE },
            "expires_at": known.then(|| time_json(token.expires_at)),
            "generation": token.generation.to_string(),
        });
        if let Some(replaced) = replaced {
            body["replaced"] = replaced.into();
        }
        axum::Json(body).into_response()
    }

    /// Whether a line may be written about a failure now, and how many were not since the last.
    fn line(&self) -> Option<Option<u64>> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (window, swallowed) = &mut *lines;
        if !window.take() {
            *swallowed += 1;
            return None;
        }
        let swallowed = std::mem::take(swallowed);
        Some((swallowed > 0).then_some(swallowed))
    }
}

/// The account that a path names, as it stands there: no name of ours has a letter that a URL would encode.
fn named(parts: &Parts) -> &str {
    let rest = parts.uri.path().strip_prefix("/api/token/").unwrap_or_default();
    match parts.method {
        Method::POST => rest.strip_suffix("/refused").unwrap_or(rest),
        _ => rest,
    }
}

fn source(table: &Table, parts: &Parts) -> Option<std::net::IpAddr> {
    caller::source(&parts.extensions, &parts.headers, &table.config.trusted_proxies)
}

/// The beginning of the refused token's SHA-256: `{"sha256":"…"}`, whatever kind of content it is called.
async fn beginning(headers: &HeaderMap, body: Body) -> Result<String, No> {
    let body: Bytes = body::read(headers, body, true).await.map_err(|reason| match reason {
        Reason::TooLarge => No::bad(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        _ => No::bad(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    })?;
    let wanted =
        "the body must be {\"sha256\": \"…\"}: 16 to 64 hex letters, the beginning of the SHA-256 of the refused token";
    let bad = || No::bad(StatusCode::BAD_REQUEST, wanted);
    let told: serde_json::Value = serde_json::from_slice(&body).map_err(|_| bad())?;
    let text = told["sha256"].as_str().ok_or_else(bad)?;
    if !(FEWEST..=64).contains(&text.len()) || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mut beginning = text.to_ascii_lowercase();
    beginning.truncate(DIGEST_LETTERS);
    Ok(beginning)
}
