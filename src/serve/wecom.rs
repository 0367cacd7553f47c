//! WeCom calls: the console's URL check, and every push of an application. Acknowledged after the commit with an empty
//! body, never before; it waits 5 s, for the URL check 1 s (WeCom reference 5).

use super::body;
use super::callback::{Keep, echo, keep_it, method, refuse, unknown};
use crate::domain::account::Platform;
use crate::wire::reason::Refusal;
use crate::wire::wecom;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Instant;

/// Whose callbacks arrive here.
const OURS: Platform = Platform::WeCom;

/// The routes of WeCom applications over whatever keeps.
pub(super) fn routes<K: Keep>(keep: K) -> Router {
    Router::new()
        .route("/wecom/event", get(check::<K>).post(receive::<K>).fallback(method))
        .route("/wecom/{account}/event", get(check::<K>).post(receive::<K>).fallback(method))
        .with_state(keep)
}

/// The account that a path names, as it stands there.
fn named(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/wecom/")?.strip_suffix("/event")
}

fn nobody<K: Keep>(keep: &K, name: Option<&str>) -> Response {
    unknown(keep, (OURS, name.unwrap_or("wecom")))
}

async fn check<K: Keep>(State(keep): State<K>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let name = named(&uri);
    let Some(account) = keep.wecom(name) else { return nobody(&keep, name) };
    let query = query.unwrap_or_default();
    match wecom::handshake(&account, &query, keep.now().timestamp(), keep.window()) {
        Ok(echostr) => echo(&account.name, echostr),
        Err(refusal) => refuse(&keep, (OURS, &account.name), refusal, query, Bytes::new()),
    }
}

/// Guard, durable, answer. Only the body proves who sends it: until then everybody is a stranger.
async fn receive<K: Keep>(
    State(keep): State<K>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let start = Instant::now();
    let query = query.unwrap_or_default();
    let Some(account) = keep.wecom(named(&uri)) else { return nobody(&keep, named(&uri)) };
    let body = match body::read(&headers, body, false).await {
        Ok(body) => body,
        Err(reason) => {
            return refuse(&keep, (OURS, &account.name), Refusal::unsigned(reason), query, Bytes::new());
        }
    };
    match wecom::accept(&account, &query, &body, keep.now().timestamp(), keep.window()) {
        Ok(accepted) => match keep_it(&keep, &account.name, accepted, start).await {
            Ok(_) => StatusCode::OK.into_response(),
            Err(answer) => answer,
        },
        Err(refusal) => refuse(&keep, (OURS, &account.name), refusal, query, body),
    }
}
