//! WeChat calls: the console's URL check, and every push of an Official Account. Acknowledged after the commit, never
//! before.

use super::body;
use super::callback::{Keep, echo, keep_it, method, refuse, unknown};
use crate::domain::event::Event;
use crate::domain::{
    self,
    account::{Official, Platform},
};
use crate::wire::push::{self, Asked};
use crate::wire::reason::{Reason, Refusal};
use crate::wire::reply::{self, Seal};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::{Duration, Instant};

/// Whose callbacks arrive here.
const OURS: Platform = Platform::Official;

/// The routes of Official Accounts over whatever keeps.
pub(super) fn routes<K: Keep>(keep: K) -> Router {
    Router::new()
        .route("/wechat/event", get(check::<K>).post(receive::<K>).fallback(method))
        .route("/wechat/{account}/event", get(check::<K>).post(receive::<K>).fallback(method))
        .with_state(keep)
}

/// The account that a path names, as it stands there: no name of ours has a letter that a URL would encode, and a
/// decoder of the router's would answer for us where there is no text.
fn named(uri: &Uri) -> Option<&str> {
    uri.path().strip_prefix("/wechat/")?.strip_suffix("/event")
}

fn nobody<K: Keep>(keep: &K, name: Option<&str>) -> Response {
    unknown(keep, (OURS, name.unwrap_or("main")))
}

async fn check<K: Keep>(State(keep): State<K>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let name = named(&uri);
    let Some(account) = keep.account(name) else { return nobody(&keep, name) };
    let query = query.unwrap_or_default();
    match push::handshake(&account, &query, keep.now().timestamp(), keep.window()) {
        Ok(echostr) => echo(&account.name, echostr),
        Err(refusal) => refuse(&keep, (OURS, &account.name), refusal, query, Bytes::new()),
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
    let Some(account) = keep.account(named(&uri)) else { return nobody(&keep, named(&uri)) };
    // Before the body, of which a stranger's is not kept whatever its length.
    let now = keep.now();
    let asked = push::ask(&account, &query, now.timestamp(), keep.window());
    let signed = asked.as_ref().is_ok_and(Asked::is_signed);
    let body = match body::read(&headers, body, signed).await {
        Ok(body) => body,
        Err(reason) => return refuse(&keep, (OURS, &account.name), Refusal::unsigned(reason), query, Bytes::new()),
    };
    let accepted = match asked.and_then(|asked| asked.accept(&body)) {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(&keep, (OURS, &account.name), refusal, query, body),
    };
    if keep.is_anothers(&account, &accepted.event.to_user) {
        let refusal = Refusal { reason: Reason::ForeignAccount, signed: accepted.key_index.is_some() };
        return refuse(&keep, (OURS, &account.name), refusal, query, body);
    }
    let seal = Seal::of(&account, accepted.key_index, accepted.previous_token);
    let event = match keep_it(&keep, &account.name, accepted, start).await {
        Ok(event) => event,
        Err(answer) => return answer,
    };
    match reply(&account, &event, seal.as_ref(), keep.now().timestamp()) {
        Some(reply) if start.elapsed() < REPLY_TIME => {
            keep.replied(&account.name);
            (REPLY_HEADERS, reply).into_response()
        }
        _ => StatusCode::OK.into_response(),
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
