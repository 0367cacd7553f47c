//! The sandbox's own side, `/sandbox/…`: look at it, and make it do things. No web page may: a request
//! that a browser sends for a foreign page is refused.

mod guard;
pub mod shown;

use super::account::{Account, Kind as AccountKind, kind_name, mode_name};
use super::faults::{Fault, Shown};
use super::lists::Lists;
use super::office::directory::{Change, Directory};
use super::push::{self, Order};
use super::world::{House, World, lock};
use crate::error::{Error, Kind};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use shown::{AccountKeys, AccountState, Clock, FaultOrder, Keys, Problem, RevokeOrder, Revoked, State as Sum};
use std::sync::Arc;

/// The clock moves so many seconds at most, 50 years.
const FARTHEST: i64 = 50 * 365 * 24 * 3600;

type TheWorld = State<Arc<World>>;

/// The routes.
pub fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/requests", get(requests))
        .route("/sandbox/state", get(state))
        .route("/sandbox/faults", get(faults).post(set_faults))
        .route("/sandbox/lists", get(lists).post(set_lists))
        .route("/sandbox/clock", get(clock).post(move_clock))
        .route("/sandbox/push", post(push_events))
        .route("/sandbox/revoke", post(revoke))
        .route("/sandbox/wecom", get(directory).post(change_directory))
        .route("/sandbox/wecom/messages", get(messages))
        .route("/sandbox/accounts", get(accounts))
        .route("/sandbox/{*other}", get(nothing).post(nothing))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    after: u64,
    path: Option<String>,
}

/// NDJSON; `?after=N` for what came later, `?path=/cgi-bin/token` for one API.
async fn requests(State(world): TheWorld, _: guard::Local, Query(wanted): Query<Wanted>) -> Response {
    let text = lock(&world.journal).ndjson(wanted.after, wanted.path.as_deref());
    ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
}

async fn state(State(world): TheWorld, _: guard::Local) -> Json<Sum> {
    let accounts = world.houses.iter().map(|house| {
        // Once: a second lock in the same expression would wait for the first.
        let people = lock(&house.people);
        AccountState {
            name: house.account.name.clone(),
            kind: kind_name(house.account.kind),
            appid: house.account.app_id.clone(),
            followers: people.following(),
            churned: people.churned(),
            tokens_issued: lock(&house.tokens).issued(),
            quota: lock(&house.quota).show(world.clock.now_ms()),
            pushes: house.pushes(),
            callback: lock(&house.callback).clone(),
        }
    });
    Json(Sum {
        accounts: accounts.collect(),
        requests: lock(&world.journal).counts(),
        faults: lock(&world.faults).show(),
        wecom: lock(&world.office).show(apps(&world), world.clock.now_ms()),
        blocked: lock(&world.guesses).show(world.clock.now_ms()),
        clock: shown_clock(&world),
    })
}

fn apps(world: &World) -> impl Iterator<Item = &str> {
    world.houses.iter().filter(|house| house.account.is_wecom()).map(|house| house.account.name.as_str())
}

/// Who there is in the corporation.
async fn directory(State(world): TheWorld, _: guard::Local) -> Json<Directory> {
    Json(lock(&world.office).directory())
}

async fn change_directory(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<Change>, JsonRejection>,
) -> Result<Json<Directory>, Response> {
    let Json(change) = order.map_err(unreadable)?;
    let mut office = lock(&world.office);
    office.change(change);
    Ok(Json(office.directory()))
}

#[derive(Deserialize)]
struct Whose {
    #[serde(default)]
    after: u64,
    userid: Option<String>,
}

/// NDJSON, a row for each person; `?userid=zhang` for those of one, `?after=N` for what came later.
async fn messages(State(world): TheWorld, _: guard::Local, Query(whose): Query<Whose>) -> Response {
    let text = lock(&world.office).ndjson(whose.after, whose.userid.as_deref());
    ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response()
}

async fn faults(State(world): TheWorld, _: guard::Local) -> Json<Vec<Shown>> {
    Json(lock(&world.faults).show())
}

async fn set_faults(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<FaultOrder>, JsonRejection>,
) -> Result<Json<Vec<Shown>>, Response> {
    let Json(order) = order.map_err(unreadable)?;
    let faults = order.set.iter().map(|text| Fault::parse(text)).collect::<Result<Vec<_>, _>>();
    let faults = faults.map_err(refused)?;
    let mut book = lock(&world.faults);
    if order.clear {
        book.clear();
    }
    faults.into_iter().for_each(|fault| book.set(fault));
    Ok(Json(book.show()))
}

async fn lists(State(world): TheWorld, _: guard::Local) -> Json<Lists> {
    Json(lock(&world.lists).clone())
}

/// What the order does not name is off afterwards.
async fn set_lists(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<Lists>, JsonRejection>,
) -> Result<Json<Lists>, Response> {
    let Json(order) = order.map_err(unreadable)?;
    *lock(&world.lists) = order.clone();
    Ok(Json(order))
}

async fn clock(State(world): TheWorld, _: guard::Local) -> Json<Clock> {
    Json(shown_clock(&world))
}

#[derive(Deserialize)]
struct Move {
    advance_seconds: i64,
}

async fn move_clock(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<Move>, JsonRejection>,
) -> Result<Json<Clock>, Response> {
    let Json(order) = order.map_err(unreadable)?;
    let moved = world.clock.added_seconds().saturating_add(order.advance_seconds);
    if moved.checked_abs().is_none_or(|seconds| seconds > FARTHEST) {
        return Err(refused(Error::usage(crate::say!(
            "the sandbox's clock moves 50 years at most";
            "沙箱的时钟最多拨动 50 年"
        ))));
    }
    world.clock.advance(order.advance_seconds);
    Ok(Json(shown_clock(&world)))
}

/// Answers when the last push has ended; a caller that goes away stops it.
async fn push_events(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<Json<push::Report>, Response> {
    let Json(order) = order.map_err(unreadable)?;
    // The address tells whose callbacks it takes, where nobody says which account is meant.
    let wecom = order.account.is_none() && order.to.as_deref().is_some_and(push::is_wecom);
    let house = match wecom {
        true => world.houses.iter().find(|house| house.account.is_wecom() && house.account.aes_key.is_some()),
        false => world.house(order.account.as_deref()),
    };
    let Some(house) = house.cloned() else {
        return Err(no_account(&order.account.unwrap_or_default()));
    };
    push::run(house, world.clock.clone(), world.http.clone(), order).await.map(Json).map_err(refused)
}

/// Ends the tokens of an account, or of all, before their time.
async fn revoke(
    State(world): TheWorld,
    _: guard::Local,
    order: Result<Json<RevokeOrder>, JsonRejection>,
) -> Result<Json<Vec<Revoked>>, Response> {
    let Json(RevokeOrder { account }) = order.map_err(unreadable)?;
    let meant = |house: &&Arc<House>| account.as_ref().is_none_or(|name| house.account.name == *name);
    let now_ms = world.clock.now_ms();
    let end = |house: &Arc<House>| Revoked {
        account: house.account.name.clone(),
        tokens: lock(&house.tokens).revoke(now_ms),
    };
    let revoked: Vec<_> = world.houses.iter().filter(meant).map(end).collect();
    match (account, revoked.is_empty()) {
        (Some(name), true) => Err(no_account(&name)),
        _ => Ok(Json(revoked)),
    }
}

fn no_account(name: &str) -> Response {
    refused(Error::usage(crate::say!("the sandbox has no account {name:?}"; "沙箱没有账号 {name:?}")))
}

/// The keys; only where nobody but this machine can ask.
async fn accounts(
    State(world): TheWorld,
    _: guard::Local,
    headers: HeaderMap,
) -> Result<Json<Vec<AccountKeys>>, StatusCode> {
    if !world.loopback {
        return Err(StatusCode::FORBIDDEN);
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let keys = world.houses.iter().map(|house| AccountKeys {
        name: house.account.name.clone(),
        kind: kind_name(house.account.kind).to_owned(),
        api_base: format!("http://{host}"),
        keys: keys(&house.account, lock(&house.callback).clone()),
    });
    Ok(Json(keys.collect()))
}

fn keys(account: &Account, callback: Option<String>) -> Keys {
    let secret = account.secret.reveal().to_owned();
    match account.kind {
        AccountKind::Official => Keys::Official {
            app_id: account.app_id.clone(),
            secret,
            token: account.token.reveal().to_owned(),
            aes_key: account.aes_key.as_ref().map(|key| key.reveal().to_owned()),
            original_id: account.original_id.clone(),
            mode: mode_name(account.mode).to_owned(),
            callback,
        },
        AccountKind::Minigame => Keys::Minigame { app_id: account.app_id.clone(), secret },
        AccountKind::Wecom { agent_id } => Keys::Wecom {
            corp_id: account.app_id.clone(),
            agent_id,
            secret,
            token: account.token.reveal().to_owned(),
            aes_key: account.aes_key.as_ref().map(|key| key.reveal().to_owned()),
        },
    }
}

async fn nothing() -> StatusCode {
    StatusCode::NOT_FOUND
}

fn shown_clock(world: &World) -> Clock {
    Clock { now: world.clock.now(), advanced_seconds: world.clock.added_seconds() }
}

fn unreadable(rejection: JsonRejection) -> Response {
    let text = rejection.body_text();
    let problem = Problem { en: text.clone(), zh: text, next: None, usage: true };
    (rejection.status(), Json(problem)).into_response()
}

fn refused(error: Error) -> Response {
    let status = match error.kind {
        Kind::Usage | Kind::Config => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, Json(Problem::of(error))).into_response()
}
