//! POST /cgi-bin/openapi/rid/get (reference 8): the request behind the rid of an error.

use super::call::Call;
use crate::sandbox::errcode::Refusal;
use crate::sandbox::rids::{self, Request};
use crate::sandbox::world::{House, World, lock};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Ask {
    #[serde(default)]
    rid: String,
}

#[derive(Serialize)]
struct Reply<'a> {
    errcode: i64,
    errmsg: &'a str,
    request: &'a Request,
}

/// The request, its answer, when and from where.
pub fn get(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Ask { rid } = call.json()?;
    let known = lock(&world.rids);
    let request = known.find(&rid, &house.account.app_id, world.clock.now())?;
    Ok(serde_json::to_string(&Reply { errcode: 0, errmsg: "ok", request }).unwrap_or_default())
}

/// Keeps what was refused, for the account that it concerns.
pub fn keep(world: &World, house: &House, call: &Call, rid: &str, answer: &str, cost_in_ms: u64) {
    let request = Request {
        invoke_time: world.clock.now(),
        cost_in_ms,
        request_url: rids::query(&call.queries),
        request_body: rids::short(&String::from_utf8_lossy(&call.body)),
        response_body: answer.to_owned(),
        client_ip: call.peer.to_canonical().to_string(),
    };
    lock(&world.rids).keep(rid, &house.account.app_id, request);
}
