//! POST /cgi-bin/openapi/quota/get and clear, POST /cgi-bin/clear_quota and its v2 (reference 8).

use super::Outcome;
use super::call::Call;
use super::token;
use crate::sandbox::account::Kind;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::limits::Of;
use crate::sandbox::quota::Used;
use crate::sandbox::world::{House, World, lock};
use serde::{Deserialize, Serialize};

/// What is answered where nothing is to be told.
const DONE: &str = r#"{"errcode":0,"errmsg":"ok"}"#;
/// Seconds of the window in which a minute's calls are counted.
const REFRESH_SECOND: u64 = 60;

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    cgi_path: String,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(default)]
    appid: String,
}

#[derive(Deserialize, Default)]
struct Keys {
    appid: Option<String>,
    appsecret: Option<String>,
}

#[derive(Serialize)]
struct Reply {
    errcode: i64,
    errmsg: &'static str,
    quota: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limit: Option<Rate>,
}

#[derive(Serialize)]
struct Day {
    daily_limit: u64,
    used: u64,
    remain: u64,
}

#[derive(Serialize)]
struct Rate {
    call_count: u64,
    refresh_second: u64,
}

/// What of one API is used and left today. 0 is no limit.
pub fn get(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Which { cgi_path } = call.json()?;
    let Used { limit, today } = listed(house, &cgi_path, world.clock.now_ms())?;
    let daily_limit = limit.a_day.unwrap_or(0);
    let reply = Reply {
        errcode: 0,
        errmsg: "ok",
        quota: Day { daily_limit, used: today, remain: daily_limit.saturating_sub(today) },
        rate_limit: limit.a_minute.map(|call_count| Rate { call_count, refresh_second: REFRESH_SECOND }),
    };
    Ok(serde_json::to_string(&reply).unwrap_or_default())
}

/// Clears one API; fifty a month.
pub fn clear_one(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Which { cgi_path } = call.json()?;
    let now_ms = world.clock.now_ms();
    listed(house, &cgi_path, now_ms)?;
    lock(&house.quota).clear_one(&cgi_path, now_ms)?;
    Ok(DONE.to_owned())
}

/// Clears all APIs by token; ten a month.
pub fn clear(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Whole { appid } = call.json()?;
    if appid != house.account.app_id {
        return refuse(40013);
    }
    lock(&house.quota).clear(world.clock.now_ms())?;
    Ok(DONE.to_owned())
}

/// Clears all APIs by secret, for whom no token can be had. The documents list the two values as body and
/// show them in the query: both are taken (choice).
pub fn clear_by_secret(world: &World, call: &Call) -> Outcome {
    let body: Keys = serde_json::from_slice(&call.body).unwrap_or_default();
    let app_id = call.query("appid").map(str::to_owned).or(body.appid);
    let secret = call.query("appsecret").map(str::to_owned).or(body.appsecret);
    let house = token::named(world, app_id.as_deref(), secret.as_deref()).map_err(|refusal| (None, refusal))?;
    let now_ms = world.clock.now_ms();
    let done = token::genuine(&house, secret.as_deref())
        .and_then(|()| lock(&house.quota).spend(&call.path, now_ms))
        .and_then(|()| lock(&house.quota).clear(now_ms));
    match done {
        Ok(()) => Ok((house, DONE.to_owned())),
        Err(refusal) => Err((Some(house), refusal)),
    }
}

/// The counts of a path that this account may ask about: 76003 for what is no path, 76021 for one that is
/// in no list, 76022 for one of another kind of account.
fn listed(house: &House, path: &str, now_ms: i64) -> Result<Used, Refusal> {
    if ["/sns/", "/wxa/", "/wxaapi/"].iter().any(|start| path.starts_with(start)) {
        return refuse(76022);
    }
    let used = lock(&house.quota).used(path, now_ms).filter(|used| used.limit.of != Of::Wecom);
    let Some(used) = used else {
        return refuse(if is_malformed(house, path, now_ms) { 76003 } else { 76021 });
    };
    let others = used.limit.of == Of::Official && house.account.kind != Kind::Official;
    if others { refuse(76022) } else { Ok(used) }
}

/// With its host, or a known one without its leading slash: the documents name both mistakes.
fn is_malformed(house: &House, path: &str, now_ms: i64) -> bool {
    let with_slash = format!("/{path}");
    path.is_empty() || path.contains("://") || lock(&house.quota).used(&with_slash, now_ms).is_some()
}
