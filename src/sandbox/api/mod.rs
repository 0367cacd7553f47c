//! The platform's side: which API it is, what goes wrong on purpose, who asks, and the answer.

mod address;
mod break_off;
mod call;
mod gettoken;
mod message;
mod quota;
mod rid;
mod token;
mod user;
mod webhook;

use super::account::{Account, Kind as AccountKind};
use super::errcode::{self, Refusal, refuse};
use super::faults::{self, Kind};
use super::journal::{Entry, Kept};
use super::server::Line;
use super::tokens::looks_like_wecom;
use super::world::{House, World, lock};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use call::Call;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// How long the fault `slow` takes.
const SLOW: Duration = Duration::from_secs(30);
/// What a captive portal answers.
const PORTAL: &str = "<html><head><title>Login</title></head><body>Login</body></html>";
/// What a broken gateway answers.
const GATEWAY: &str = "<html><head><title>500</title></head><body>500</body></html>";

/// An API: GET or POST, and what makes the answer.
struct Api {
    path: &'static str,
    method: &'static str,
    run: Run,
}

/// The account and the answer, or the refusal and the account it concerns.
type Outcome = Result<(Arc<House>, String), (Option<Arc<House>>, Refusal)>;

/// Calls with the secret find their account themselves, a robot has its key; the others are found by the token.
enum Run {
    Secret(fn(&World, &Call) -> Outcome),
    Token(Takes, fn(&World, &House, &Call) -> Result<String, Refusal>),
    Key(fn(&World, &Call) -> Result<String, Refusal>),
}

/// Whose tokens an API takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// Those of Official Accounts only.
    Official,
    /// Those of everything at api.weixin.qq.com.
    Wechat,
    /// Those of WeCom too.
    All,
    /// Those of WeCom only.
    Wecom,
}

const APIS: &[Api] = &[
    Api { path: "/cgi-bin/token", method: "GET", run: Run::Secret(token::legacy) },
    Api { path: "/cgi-bin/stable_token", method: "POST", run: Run::Secret(token::stable) },
    Api { path: gettoken::PATH, method: "GET", run: Run::Secret(gettoken::give) },
    Api { path: "/cgi-bin/user/get", method: "GET", run: Run::Token(Takes::Official, user::list) },
    Api { path: "/cgi-bin/user/info", method: "GET", run: Run::Token(Takes::Official, user::info) },
    Api { path: "/cgi-bin/user/info/batchget", method: "POST", run: Run::Token(Takes::Official, user::batch) },
    Api { path: address::CALLERS, method: "GET", run: Run::Token(Takes::All, address::callers) },
    Api { path: address::CALLED, method: "GET", run: Run::Token(Takes::All, address::called) },
    Api { path: "/cgi-bin/clear_quota", method: "POST", run: Run::Token(Takes::Wechat, quota::clear) },
    Api { path: "/cgi-bin/clear_quota/v2", method: "POST", run: Run::Secret(quota::clear_by_secret) },
    Api { path: "/cgi-bin/openapi/quota/get", method: "POST", run: Run::Token(Takes::Wechat, quota::get) },
    Api { path: "/cgi-bin/openapi/quota/clear", method: "POST", run: Run::Token(Takes::Wechat, quota::clear_one) },
    Api { path: "/cgi-bin/openapi/rid/get", method: "POST", run: Run::Token(Takes::Wechat, rid::get) },
    Api { path: message::SEND, method: "POST", run: Run::Token(Takes::Wecom, message::send) },
    Api { path: message::RECALL, method: "POST", run: Run::Token(Takes::Wecom, message::recall) },
    Api { path: webhook::SEND, method: "POST", run: Run::Key(webhook::send) },
];

/// An answer before it is sent, and whose it is.
struct Answer {
    house: Option<Arc<House>>,
    said: Result<String, Refusal>,
}

/// Answers any path that is not the sandbox's own.
pub async fn answer(State(world): State<Arc<World>>, request: Request) -> Response {
    let began = Instant::now();
    let line = request.extensions().get::<Line>().cloned();
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(status) => return status.into_response(),
    };
    // From the arrival on: what reading took is part of it. Half of it is the way there and half the way back, so
    // that a caller who goes away meanwhile may have been served or not. A sleep of nothing would be a millisecond.
    if !world.latency.is_zero() {
        sleep_until((began + world.latency / 2).into()).await;
    }
    let fault = lock(&world.faults).strike(&call.path);
    let answer = work(&world, &call, fault);
    let (sent, errcode) = dress(&world, &call, &answer, fault, began);
    write_down(&world, call, &answer, fault, began, errcode, &sent);
    let answered_after = world.latency + if fault == Some(Kind::Slow) { SLOW } else { Duration::ZERO };
    if !answered_after.is_zero() {
        sleep_until((began + answered_after).into()).await;
    }
    match (sent, line) {
        (Some(mut response), _) => {
            // By its own clock, which may be moved; the server would put the machine's.
            let now = chrono::DateTime::from_timestamp_millis(world.clock.now_ms()).unwrap_or_default();
            if let Ok(date) = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
                response.headers_mut().insert(header::DATE, date);
            }
            response
        }
        (None, Some(line)) => line.break_off().await,
        (None, None) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Does what was asked, unless the fault comes before the work.
fn work(world: &World, call: &Call, fault: Option<Kind>) -> Answer {
    let before = match fault {
        Some(Kind::Code(errcode)) => Some(errcode),
        Some(Kind::TokenInvalid) => Some(if faults::is_wecoms(&call.path) { 40014 } else { 40001 }),
        Some(Kind::SecretFrozen) => Some(40243),
        Some(Kind::Reset | Kind::Http500 | Kind::Html) => Some(-1),
        _ => None,
    };
    if let Some(errcode) = before {
        return Answer { house: whose(world, call), said: refuse(errcode) };
    }
    match fault {
        Some(Kind::IpNotListed) if faults::is_wecoms(&call.path) => {
            Answer { house: whose(world, call), said: refuse(60020) }
        }
        Some(Kind::IpNotListed) => Answer { house: whose(world, call), said: Err(not_listed(call)) },
        Some(Kind::AdminConfirm) => {
            let house = whose(world, call);
            let said = house.as_ref().map_or_else(|| refuse(40013), |h| Err(h.confirmation(world.clock.now_ms())));
            Answer { house, said }
        }
        Some(Kind::BusyDone) => Answer { said: refuse(-1), ..route(world, call) },
        _ => route(world, call),
    }
}

fn route(world: &World, call: &Call) -> Answer {
    let Some(api) = APIS.iter().find(|api| api.path == call.path) else {
        return Answer { house: None, said: refuse(40066) };
    };
    if api.method != call.method {
        let said = refuse(if api.method == "GET" { 43001 } else { 43002 });
        return Answer { house: None, said };
    }
    match api.run {
        Run::Secret(run) => match run(world, call) {
            Ok((house, body)) => Answer { house: Some(house), said: Ok(body) },
            Err((house, refusal)) => Answer { house, said: Err(refusal) },
        },
        Run::Key(run) => Answer { house: None, said: run(world, call) },
        Run::Token(takes, run) => match allowed(world, call, takes) {
            Err(refusal) => Answer { house: whose(world, call), said: Err(refusal) },
            Ok(house) => {
                let spent = lock(&house.quota).spend(&call.path, world.clock.now_ms());
                // WeCom has one code for both kinds of limit.
                let spent = spent.map_err(|refusal| if takes == Takes::Wecom { Refusal::of(45009) } else { refusal });
                let said = spent.and_then(|()| run(world, house, call));
                Answer { house: Some(house.clone()), said }
            }
        },
    }
}

/// The account of a good token that this API takes. A token of WeCom is nobody's at api.weixin.qq.com.
fn allowed<'a>(world: &'a World, call: &Call, takes: Takes) -> Result<&'a Arc<House>, Refusal> {
    let Some(token) = call.query("access_token").filter(|token| !token.is_empty()) else {
        return refuse(41001);
    };
    let house = world.house_of_token(token)?;
    match (house.account.kind, takes) {
        (AccountKind::Wecom { .. }, Takes::Official | Takes::Wechat) => refuse(40014),
        (AccountKind::Official | AccountKind::Minigame, Takes::Wecom) => refuse(40014),
        (AccountKind::Minigame, Takes::Official) => refuse(48001),
        _ => Ok(house),
    }
}

/// The account a call means, by its token (good or not) or its appid.
fn whose(world: &World, call: &Call) -> Option<Arc<House>> {
    let now_ms = world.clock.now_ms();
    let token = call.query("access_token").unwrap_or_default();
    let app_id = token::app_id(call);
    let means = |house: &&Arc<House>| {
        let Account { app_id: own, .. } = &house.account;
        app_id.as_deref() == Some(own.as_str())
            || lock(&house.tokens).check(token, now_ms).is_some()
            || gettoken::means(house, call)
    };
    world.houses.iter().find(means).cloned()
}

/// Whether an answer is WeCom's: by its path, or by the token where both platforms have the path.
fn speaks_wecom(call: &Call, answer: &Answer) -> bool {
    let shared = is_shared(&call.path);
    let token = call.query("access_token").unwrap_or_default();
    match &answer.house {
        _ if faults::is_wecoms(&call.path) => true,
        Some(house) => shared && house.account.is_wecom(),
        None => shared && looks_like_wecom(token),
    }
}

fn is_shared(path: &str) -> bool {
    [address::CALLERS, address::CALLED].contains(&path)
}

/// 40164 names the caller's address (reference 3.4).
fn not_listed(call: &Call) -> Refusal {
    let ip = call.peer.to_canonical();
    let six = match ip {
        std::net::IpAddr::V4(four) => four.to_ipv6_mapped(),
        std::net::IpAddr::V6(six) => six,
    };
    Refusal::said(40164, format!("invalid ip {ip} ipv6 {six}, not in whitelist"))
}

/// The answer as it goes out; `None` where the connection is broken off instead.
fn dress(
    world: &World,
    call: &Call,
    answer: &Answer,
    fault: Option<Kind>,
    began: Instant,
) -> (Option<Response>, Option<i64>) {
    let body = match &answer.said {
        Ok(body) => body.clone(),
        Err(refusal) if speaks_wecom(call, answer) => {
            let body = refusal.wecom_body(world.clock.now_ms(), call.peer, is_shared(&call.path));
            serde_json::to_string(&body).unwrap_or_default()
        }
        Err(refusal) => {
            let rid = errcode::rid(world.clock.now(), world.serial());
            let body = serde_json::to_string(&refusal.body(&rid)).unwrap_or_default();
            if let Some(house) = &answer.house {
                rid::keep(world, house, call, &rid, &body, began.elapsed().as_millis() as u64);
            }
            body
        }
    };
    let errcode = answer.said.as_ref().map_or_else(|refusal| refusal.errcode, |_| 0);
    let page = |status: StatusCode, text: &'static str| {
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
    };
    match fault {
        Some(Kind::Reset) => (None, None),
        Some(Kind::LostAnswer) => (None, Some(errcode)),
        Some(Kind::Http500) => (Some(page(StatusCode::INTERNAL_SERVER_ERROR, GATEWAY)), None),
        Some(Kind::Html) => (Some(page(StatusCode::OK, PORTAL)), None),
        Some(Kind::Cut) => (Some(break_off::half(&body)), Some(errcode)),
        _ => (Some(json(body)), Some(errcode)),
    }
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; encoding=utf-8")], Body::from(body)).into_response()
}

fn write_down(
    world: &World,
    call: Call,
    answer: &Answer,
    fault: Option<Kind>,
    began: Instant,
    errcode: Option<i64>,
    sent: &Option<Response>,
) {
    let account = answer.house.as_ref().map(|house| &house.account);
    let entry = Entry {
        at_ms: call.at_ms,
        clock: world.clock.now(),
        account: account.map(|account| (account.name.clone(), account.app_id.clone())),
        body: Kept::of(&call.body),
        method: call.method,
        path: call.path,
        queries: call.queries,
        status: sent.as_ref().map_or(0, |response| response.status().as_u16()),
        errcode,
        fault: fault.map(faults::kind_name),
        ms: began.elapsed().max(world.latency).as_millis() as u64,
    };
    lock(&world.journal).write(entry);
}
