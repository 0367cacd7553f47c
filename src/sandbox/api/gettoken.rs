//! GET /cgi-bin/gettoken (WeCom reference 2): one token of an app, the same until five minutes before its end.

use super::Outcome;
use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::world::{House, World, lock};
use serde::Serialize;
use std::sync::Arc;

/// The path: what answers there speaks WeCom's way.
pub const PATH: &str = "/cgi-bin/gettoken";

#[derive(Serialize)]
struct Reply<'a> {
    errcode: i64,
    errmsg: &'a str,
    access_token: String,
    expires_in: i64,
}

/// The token of the app that a corporation and a secret name.
pub fn give(world: &World, call: &Call) -> Outcome {
    let now_ms = world.clock.now_ms();
    let house = known(world, call, now_ms).map_err(|refusal| (None, refusal))?;
    let spent = lock(&house.quota).spend(&call.path, now_ms);
    // WeCom has one code for both kinds of limit.
    if spent.is_err() {
        return Err((Some(house), Refusal::of(45009)));
    }
    let given = lock(&house.tokens).stable(now_ms);
    let reply = Reply { errcode: 0, errmsg: "ok", access_token: given.access_token, expires_in: given.expires_in };
    Ok((house, serde_json::to_string(&reply).unwrap_or_default()))
}

/// Whether a call for a token means this app.
pub fn means(house: &House, call: &Call) -> bool {
    let secret = call.query("corpsecret").unwrap_or_default();
    call.path == PATH && house.account.is_wecom() && house.account.secret.matches(secret)
}

fn known(world: &World, call: &Call, now_ms: i64) -> Result<Arc<House>, Refusal> {
    let filled = |name| call.query(name).filter(|value| !value.is_empty());
    let Some(corp_id) = filled("corpid") else { return refuse(41002) };
    if filled("corpsecret").is_none() {
        return refuse(41004);
    }
    let ip = call.peer.to_canonical();
    if lock(&world.guesses).blocks(ip, now_ms) {
        return refuse(45009);
    }
    let apps = || world.houses.iter().filter(|house| house.account.is_wecom());
    if !apps().any(|house| house.account.app_id == corp_id) {
        return refuse(40013);
    }
    let app = apps().find(|house| means(house, call) && house.account.app_id == corp_id);
    if let Some(house) = app {
        return Ok(house.clone());
    }
    lock(&world.guesses).count(ip, now_ms);
    let of_another = apps().any(|house| means(house, call));
    refuse(if of_another { 40091 } else { 40001 })
}
