//! GET /cgi-bin/user/get, GET /cgi-bin/user/info, POST /cgi-bin/user/info/batchget (reference 4.1 to 4.3).

use super::call::Call;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::lists::Quirk;
use crate::sandbox::noise::{self, Noise};
use crate::sandbox::people::{PAGE, People, Who};
use crate::sandbox::profile::{self, Detail, Info};
use crate::sandbox::world::{House, World, lock};
use serde::Deserialize;
use std::borrow::Cow;

/// Openids of one batch.
const BATCH: usize = 100;

/// Openids that a doubled page has in common with the one before.
const DOUBLED: usize = 10;
/// What `total` is off by.
const TOTAL_OFF: u64 = 123;
/// Bytes of an openid in a list, and of what is told of a person in a batch, more or less.
const OPENID: usize = 31;
const INFO: usize = 256;

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    user_list: Vec<Wanted<'a>>,
}

#[derive(Deserialize)]
struct Wanted<'a> {
    #[serde(borrow, default)]
    openid: Cow<'a, str>,
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
/// openid that the account has never met fails all. A benchmark calls it often: nothing is copied, and
/// each person is written as it is found.
pub fn batch(world: &World, house: &House, call: &Call) -> Result<String, Refusal> {
    let Batch { user_list } = call.json()?;
    let mut wanted: Vec<&str> = user_list.iter().map(|wanted| &*wanted.openid).collect();
    let mut sorted = wanted.clone();
    sorted.sort_unstable();
    let doubled = sorted.windows(2).any(|pair| pair[0] == pair[1]);
    if !(1..=BATCH).contains(&wanted.len()) || doubled || sorted[0].is_empty() {
        return refuse(40032);
    }
    if lock(&world.lists).has(Quirk::Shuffled) {
        shuffle(&mut wanted);
    }
    let detail = if world.profile_2021 { Detail::Filled } else { Detail::Absent };
    let people = lock(&house.people);
    let mut json = Vec::with_capacity(wanted.len() * INFO);
    json.extend_from_slice(br#"{"user_info_list":["#);
    for (at, openid) in wanted.iter().enumerate() {
        if at > 0 {
            json.push(b',');
        }
        let written = serde_json::to_writer(&mut json, &person(&people, openid, detail)?);
        debug_assert!(written.is_ok(), "a vector takes all");
    }
    json.extend_from_slice(b"]}");
    Ok(String::from_utf8(json).unwrap_or_default())
}

/// Another order for each batch, the same each time.
fn shuffle(wanted: &mut [&str]) {
    let mut noise = Noise::new(noise::of_text(0, wanted[0]));
    for at in (1..wanted.len()).rev() {
        wanted.swap(at, noise.below(at as u64 + 1) as usize);
    }
}

fn person<'a>(people: &People, openid: &'a str, detail: Detail) -> Result<Info<'a>, Refusal> {
    match people.who(openid) {
        Some(who) => Ok(profile::info(people, &who, openid, detail)),
        None => refuse(40003),
    }
}
