//! GET /cgi-bin/token and POST /cgi-bin/stable_token (reference 3.1, 3.2, 3.4).

use super::Outcome;
use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::tokens::Given;
use crate::sandbox::world::{House, World, lock};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Deserialize)]
struct Ask {
    grant_type: Option<String>,
    appid: Option<String>,
    secret: Option<String>,
    force_refresh: Option<bool>,
}

#[derive(Serialize)]
struct Reply {
    access_token: String,
    expires_in: i64,
}

/// GET /cgi-bin/token.
pub fn legacy(world: &World, call: &Call) -> Outcome {
    let own = |name| call.query(name).map(str::to_owned);
    let ask = Ask { grant_type: own("grant_type"), appid: own("appid"), secret: own("secret"), force_refresh: None };
    give(world, call, &ask, |house, now_ms| Ok(lock(&house.tokens).legacy(now_ms)))
}

/// POST /cgi-bin/stable_token.
pub fn stable(world: &World, call: &Call) -> Outcome {
    let ask: Ask = call.json().map_err(|refusal| (None, refusal))?;
    let force = ask.force_refresh == Some(true);
    give(world, call, &ask, |house, now_ms| {
        let mut tokens = lock(&house.tokens);
        if force { tokens.forced(now_ms) } else { Ok(tokens.stable(now_ms)) }
    })
}

/// The appid that a call with a secret names.
pub fn app_id(call: &Call) -> Option<String> {
    let in_query = call.query("appid").map(str::to_owned);
    in_query.or_else(|| serde_json::from_slice::<Ask>(&call.body).ok()?.appid)
}

fn give(world: &World, call: &Call, ask: &Ask, make: impl Fn(&House, i64) -> Result<Given, Refusal>) -> Outcome {
    let house = known(world, ask).map_err(|refusal| (None, refusal))?;
    let now_ms = world.clock.now_ms();
    let given = genuine(&house, ask.secret.as_deref())
        .and_then(|()| lock(&house.quota).spend(&call.path, now_ms))
        .and_then(|()| make(&house, now_ms));
    match given {
        Ok(Given { access_token, expires_in }) => {
            let body = serde_json::to_string(&Reply { access_token, expires_in }).unwrap_or_default();
            Ok((house, body))
        }
        Err(refusal) => Err((Some(house), refusal)),
    }
}

fn known(world: &World, ask: &Ask) -> Result<Arc<House>, Refusal> {
    if ask.grant_type.as_deref() != Some("client_credential") {
        return refuse(40002);
    }
    named(world, ask.appid.as_deref(), ask.secret.as_deref())
}

/// The account of an appid, where a secret is given with it.
pub fn named(world: &World, app_id: Option<&str>, secret: Option<&str>) -> Result<Arc<House>, Refusal> {
    let Some(app_id) = app_id.filter(|text| !text.is_empty()) else { return refuse(41002) };
    if secret.is_none_or(str::is_empty) {
        return refuse(41004);
    }
    let means = |house: &&Arc<House>| !house.account.is_wecom() && house.account.app_id == app_id;
    let house = world.houses.iter().find(means);
    house.cloned().map_or_else(|| refuse(40013), Ok)
}

/// Whether a secret is the account's.
pub fn genuine(house: &House, secret: Option<&str>) -> Result<(), Refusal> {
    if house.account.secret.matches(secret.unwrap_or_default()) { Ok(()) } else { refuse(40125) }
}
