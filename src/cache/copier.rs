//! Brings the copies in Redis up to date, in small steps; one process of all does it. What is due is told by the state
//! of SQL alone, so that nothing is missed whatever fails: positions with `copied = 0`, people in `location_gone`, and
//! every shard that does not say it is whole (a Redis that is new, came back empty, or lost a node).

use super::keys::{self, FILLED, FILLING, GEO_LATITUDE, SHARDS, Shard, WHOLE, is_whole};
use super::{Cache, remove};
use crate::error::Result;
use crate::store::{Gone, Position};
use redis::Pipeline;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Rows of a step.
const STEP: i64 = 500;
/// How often it is asked whether the shards are whole.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often Redis is compared with SQL, person by person.
const COMPARE_EVERY: Duration = Duration::from_secs(3_600);

/// The work under way.
#[derive(Default)]
pub struct Copier {
    looked: Option<Instant>,
    refill: Option<Refill>,
    compared: Option<Instant>,
    compare: Option<Compare>,
}

/// Shards that are filled anew, account by account.
struct Refill {
    accounts: Vec<String>,
    lacking: HashSet<Shard>,
    after: String,
    copied: usize,
}

/// A walk through what Redis has.
struct Compare {
    accounts: Vec<String>,
    shard: u32,
    cursor: u64,
}

impl Copier {
    /// One step; says whether the next should follow at once.
    pub async fn step(&mut self, cache: &Cache, now_ms: i64) -> Result<bool> {
        let removed = cache.remove_gone(now_ms).await?;
        let copied = cache.copy_due(now_ms).await?;
        if self.refill.is_none() && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY) {
            self.refill = cache.look_for_losses().await?;
            self.looked = Some(Instant::now());
        }
        if let Some(refill) = &mut self.refill
            && cache.refill(refill, now_ms).await?
        {
            tracing::info!(people = refill.copied, "the positions in Redis are whole");
            self.refill = None;
        }
        self.compare(cache, now_ms).await?;
        Ok(self.refill.is_some() || removed == STEP as usize || copied == STEP as usize)
    }

    /// A page of the comparison, where its time has come.
    async fn compare(&mut self, cache: &Cache, now_ms: i64) -> Result<()> {
        if self.compare.is_none() && self.refill.is_none() {
            // A process that has just begun has nothing to doubt yet.
            let compared = *self.compared.get_or_insert_with(Instant::now);
            if compared.elapsed() < COMPARE_EVERY {
                return Ok(());
            }
            self.compared = Some(Instant::now());
            self.compare = Some(Compare { accounts: cache.store.account_names().await?, shard: 0, cursor: 0 });
        }
        if let Some(compare) = &mut self.compare
            && cache.compare(compare, now_ms).await?
        {
            self.compare = None;
        }
        Ok(())
    }
}

impl Cache {
    async fn remove_gone(&self, now_ms: i64) -> Result<usize> {
        let gone = self.store.gone_due(now_ms, STEP).await?;
        if gone.is_empty() {
            return Ok(0);
        }
        let people = |one: &Gone| (one.account.clone(), one.openid.clone());
        self.each_shard(gone.iter().map(people), |pipe, shard, (_, openid)| remove(pipe, shard, openid)).await?;
        self.store.removed(&gone, now_ms).await?;
        Ok(gone.len())
    }

    async fn copy_due(&self, now_ms: i64) -> Result<usize> {
        let due = self.store.uncopied(STEP).await?;
        if due.is_empty() {
            return Ok(0);
        }
        self.copy(&due, now_ms).await?;
        self.store.copied(&due).await?;
        Ok(due.len())
    }

    async fn copy(&self, positions: &[Position], now_ms: i64) -> Result<()> {
        let people = positions.iter().map(|one| (one.account.clone(), one.openid.clone()));
        let by_person: HashMap<(&str, &str), &Position> =
            positions.iter().map(|one| ((&*one.account, &*one.openid), one)).collect();
        self.each_shard(people, |pipe, shard, (account, openid)| {
            if let Some(position) = by_person.get(&(&**account, &**openid)) {
                put(pipe, shard, position, now_ms);
            }
        })
        .await
    }

    /// Sends what `add` makes of each person, a transaction a shard.
    async fn each_shard(
        &self,
        people: impl Iterator<Item = (String, String)>,
        add: impl Fn(&mut Pipeline, &Shard, &(String, String)),
    ) -> Result<()> {
        let keys = self.keys().await?;
        let mut pipes: HashMap<Shard, Pipeline> = HashMap::new();
        for person in people {
            let shard = keys.shard_of(&person.0, &person.1);
            let pipe = pipes.entry(shard.clone()).or_insert_with(|| {
                let mut pipe = redis::pipe();
                pipe.atomic();
                pipe
            });
            add(pipe, &shard, &person);
        }
        self.ask_all::<()>(pipes.into_values().collect()).await.map(drop)
    }

    /// The shards that do not say they are whole.
    async fn look_for_losses(&self) -> Result<Option<Refill>> {
        let (keys, accounts) = (self.keys().await?, self.store.account_names().await?);
        let shards: Vec<Shard> = accounts.iter().flat_map(|account| keys.shards(account)).collect();
        let ask = |shard: &Shard| {
            let mut pipe = redis::pipe();
            pipe.cmd("ZSCORE").arg(shard.places()).arg(WHOLE);
            pipe
        };
        let whole: Vec<(Option<f64>,)> = self.ask_all(shards.iter().map(ask).collect()).await?;
        let lacking: HashSet<Shard> =
            shards.into_iter().zip(whole).filter(|(_, (whole,))| !is_whole(*whole)).map(|(shard, _)| shard).collect();
        if lacking.is_empty() {
            return Ok(None);
        }
        let begin = |shard: &Shard| {
            let mut pipe = redis::pipe();
            pipe.cmd("ZADD").arg(shard.places()).arg(FILLING).arg(WHOLE).ignore();
            pipe
        };
        self.ask_all::<()>(lacking.iter().map(begin).collect()).await?;
        tracing::info!(shards = lacking.len(), "Redis lacks positions, they are copied anew");
        Ok(Some(Refill { accounts, lacking, after: String::new(), copied: 0 }))
    }

    /// A page of people into the shards that lack them; true at the end, where the shards are said to be whole.
    async fn refill(&self, refill: &mut Refill, now_ms: i64) -> Result<bool> {
        let keys = self.keys().await?;
        let Some(account) = refill.accounts.last() else {
            let say = |shard: &Shard| {
                let mut pipe = redis::pipe();
                pipe.cmd("ZADD").arg(shard.places()).arg("XX").arg(FILLED).arg(WHOLE).ignore();
                pipe
            };
            self.ask_all::<()>(refill.lacking.iter().map(say).collect()).await?;
            return Ok(true);
        };
        let page = self.store.locations_page(account, &refill.after, STEP).await?;
        let Some(last) = page.last().map(|one| one.openid.clone()) else {
            refill.accounts.pop();
            refill.after = String::new();
            return Ok(false);
        };
        let lacks = |one: &Position| refill.lacking.contains(&keys.shard_of(&one.account, &one.openid));
        let wanted: Vec<Position> = page.into_iter().filter(lacks).collect();
        self.copy(&wanted, now_ms).await?;
        refill.copied += wanted.len();
        refill.after = last;
        Ok(false)
    }

    /// A page of what a shard has; who has no position in SQL any more is removed. True at the end.
    async fn compare(&self, compare: &mut Compare, now_ms: i64) -> Result<bool> {
        let Some(account) = compare.accounts.last().cloned() else { return Ok(true) };
        let keys = self.keys().await?;
        let shard = &keys.shards(&account)[compare.shard as usize];
        let mut pipe = redis::pipe();
        pipe.cmd("ZSCAN").arg(shard.places()).arg(compare.cursor).arg("COUNT").arg(STEP);
        let ((cursor, members),): ((u64, Vec<(String, f64)>),) = self.ask(&pipe).await?;
        let openids: Vec<String> = members.into_iter().map(|(openid, _)| openid).filter(|id| id != WHOLE).collect();
        let known = self.store.locations_of(&account, &openids).await?;
        let live: HashSet<&str> =
            known.iter().filter(|one| one.expires_at > now_ms).map(|one| one.openid.as_str()).collect();
        let strangers = openids.iter().filter(|openid| !live.contains(openid.as_str()));
        let people = strangers.map(|openid| (account.clone(), openid.clone()));
        self.each_shard(people, |pipe, shard, (_, openid)| remove(pipe, shard, openid)).await?;
        compare.cursor = cursor;
        if cursor == 0 {
            compare.shard += 1;
        }
        if compare.shard == SHARDS {
            (compare.shard, compare.cursor) = (0, 0);
            compare.accounts.pop();
        }
        Ok(false)
    }
}

/// Adds the copy of a position, or the removal of one that has expired.
fn put(pipe: &mut Pipeline, shard: &Shard, position: &Position, now_ms: i64) {
    let left = position.expires_at - now_ms;
    if left <= 0 {
        return remove(pipe, shard, &position.openid);
    }
    pipe.cmd("SET").arg(shard.person(&position.openid)).arg(keys::write(position)).arg("PX").arg(left).ignore();
    let place = &position.place;
    if place.latitude.abs() <= GEO_LATITUDE {
        let geo = pipe.cmd("GEOADD").arg(shard.places());
        geo.arg(place.longitude).arg(place.latitude).arg(&position.openid).ignore();
    } else {
        pipe.cmd("ZREM").arg(shard.places()).arg(&position.openid).ignore();
    }
}
