//! GET /cgi-bin/user/get, GET /cgi-bin/user/info, POST /cgi-bin/user/info/batchget (reference 4.1 to 4.3).

use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::lists::Quirk;
use crate::sandbox::noise::{self, Noise};
use crate::sandbox::people::{PAGE, People, Who};
use crate::sandbox::profile::{self, Detail, Info};
use crate::sandbox::world::{House, World, lock};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Openids of one batch.
const BATCH: usize = 100;

/// Openids that a doubled page has in common with the one before.
const DOUBLED: usize = 10;
/// What `total` is off by.
const TOTAL_OFF: u64 = 123;
/// Bytes of an openid in a list.
const OPENID: usize = 31;

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

/// A page of followers; after the last there is no `data`. Then those leave and join who are to do so
/// unnoticed, as long as the page shows somebody of the crowd: the list comes to an end.
pub fn list(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let lists = lock(&world.lists).clone();
    let mut people = lock(&house.people);
    let sent = call.query("next_openid").filter(|openid| !openid.is_empty());
    let page = people.page(sent, if lists.has(Quirk::Doubled) { DOUBLED } else { 0 })?;
    let total = people.listed() + if lists.has(Quirk::TotalOff) { TOTAL_OFF } else { 0 };
    let mut json = format!(r#"{{"total":{total},"count":{},"#, page.people.len());
    if !page.people.is_empty() {
        write_openids(&people, &page.people, &mut json);
    } else if lists.has(Quirk::NullData) {
        json.push_str(if people.ends() { r#""data":null,"# } else { r#""data":{"openid":[]},"# });
    }
    json.push_str(r#""next_openid":"#);
    let stuck = lists.has(Quirk::Stuck) && page.people.len() == PAGE;
    match (sent.filter(|_| stuck), page.people.last()) {
        (Some(sent), _) => json.push_str(&serde_json::Value::from(sent).to_string()),
        (None, Some(last)) => people.write_openid(last, &mut json),
        (None, None) => json.push_str(r#""""#),
    }
    json.push('}');
    if page.of_crowd {
        people.churn(lists.churn, world.clock.now());
    }
    Ok(json)
}

fn write_openids(people: &People, listed: &[Who], json: &mut String) {
    json.reserve(listed.len() * OPENID + 64);
    json.push_str(r#""data":{"openid":["#);
    for (at, who) in listed.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        people.write_openid(who, json);
    }
    json.push_str("]},");
}

/// One person.
pub fn info(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Some(openid) = call.query("openid").filter(|openid| !openid.is_empty()) else {
        return refuse(41009);
    };
    let detail = if world.profile_2021 { Detail::Filled } else { Detail::Empty };
    Ok(serde_json::to_string(&person(&lock(&house.people), openid, detail)?).unwrap_or_default())
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
    let people = lock(&house.people);
    let infos = user_list.iter().map(|wanted| person(&people, &wanted.openid, detail));
    let mut infos = Infos { user_info_list: infos.collect::<Result<_, _>>()? };
    drop(people);
    if lock(&world.lists).has(Quirk::Shuffled) {
        shuffle(&mut infos.user_info_list, &user_list[0].openid);
    }
    Ok(serde_json::to_string(&infos).unwrap_or_default())
}

/// Another order for each batch, the same each time.
fn shuffle(infos: &mut [Info], first: &str) {
    let mut noise = Noise::new(noise::of_text(0, first));
    for at in (1..infos.len()).rev() {
        infos.swap(at, noise.below(at as u64 + 1) as usize);
    }
}

fn person(people: &People, openid: &str, detail: Detail) -> Result<Info, Refusal> {
    match people.who(openid) {
        Some(who) => Ok(profile::info(people, &who, detail)),
        None => refuse(40003),
    }
}
