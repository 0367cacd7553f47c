//! GET /cgi-bin/user/get, GET /cgi-bin/user/info, POST /cgi-bin/user/info/batchget (reference 4.1 to 4.3).

use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::profile::{self, Detail, Info};
use crate::sandbox::world::{House, World, lock};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Openids of one batch.
const BATCH: usize = 100;

#[derive(Serialize)]
struct Page {
    total: u64,
    count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Openids>,
    next_openid: String,
}

#[derive(Serialize)]
struct Openids {
    openid: Vec<String>,
}

#[derive(Deserialize)]
struct Batch {
    user_list: Vec<Wanted>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    openid: String,
}

#[derive(Serialize)]
struct Infos {
    user_info_list: Vec<Info>,
}

/// A page of followers; after the last there is no `data`.
pub fn list(_: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let people = lock(&house.people);
    let openids = people.page(call.query("next_openid").filter(|openid| !openid.is_empty()))?;
    let next_openid = openids.last().cloned().unwrap_or_default();
    let page = Page {
        total: people.following(),
        count: openids.len(),
        data: (!openids.is_empty()).then_some(Openids { openid: openids }),
        next_openid,
    };
    Ok(serde_json::to_string(&page).unwrap_or_default())
}

/// One person.
pub fn info(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Some(openid) = call.query("openid").filter(|openid| !openid.is_empty()) else {
        return refuse(41009);
    };
    let detail = if world.profile_2021 { Detail::Filled } else { Detail::Empty };
    Ok(serde_json::to_string(&person(house, openid, detail)?).unwrap_or_default())
}

/// Up to 100 people. Empty and doubled openids are refused as too many are (seen in the field); one
/// openid that the account has never met fails all.
pub fn batch(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Batch { user_list } = call.json()?;
    let distinct: HashSet<&str> = user_list.iter().map(|wanted| wanted.openid.as_str()).collect();
    let sound = (1..=BATCH).contains(&user_list.len()) && distinct.len() == user_list.len();
    if !sound || distinct.contains("") {
        return refuse(40032);
    }
    let detail = if world.profile_2021 { Detail::Filled } else { Detail::Absent };
    let infos = user_list.iter().map(|wanted| person(house, &wanted.openid, detail));
    let infos = Infos { user_info_list: infos.collect::<Result<_, _>>()? };
    Ok(serde_json::to_string(&infos).unwrap_or_default())
}

fn person(house: &House, openid: &str, detail: Detail) -> Result<Info, Refusal> {
    let people = lock(&house.people);
    match people.who(openid) {
        Some(who) => Ok(profile::info(&people, &who, detail)),
        None => refuse(40003),
    }
}
