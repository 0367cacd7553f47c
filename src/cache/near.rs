//! Who is near a place, by the copies in Redis; what they lack as yet is taken from SQL.

use super::keys::{self, GEO_LATITUDE, Shard, WHOLE, is_whole};
use super::{Cache, remove};
use crate::domain::geo::{FAR_M, Place};
use crate::error::Result;
use crate::store::Position;
use std::collections::{HashMap, HashSet};

/// A geo set knows a place to within so much, metres; what counts is the position beside it.
const BLUR_M: f64 = 2.0;
/// With more than so many copies outstanding the database answers.
const LATE: i64 = 1_000;
/// Hits of a shard at first; more where they are all nearer than the last one wanted.
const HITS: usize = 16;
/// Looked at first: so many times less than the radius. In a city the nearest are there, and Redis measures every one
/// that it finds.
pub const INNER: f64 = 16.0;
/// Rounds until the database is asked instead.
const ROUNDS: usize = 12;

/// An openid, and about how far away.
type Hit = (String, f64);

/// Somebody, and how far away.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// Metres along the ground.
    pub metres: f64,
    /// Who and where.
    pub position: Position,
}

/// What is asked for.
struct Circle<'a> {
    account: &'a str,
    centre: Place,
    metres: f64,
    limit: usize,
    now_ms: i64,
}

/// What is to be made of the hits.
enum Choice {
    /// These may be among the nearest.
    These(Vec<String>),
    /// A shard may have more that are as near.
    Deeper,
    /// There may be more further out.
    Wider,
}

/// What the copies lack.
struct Lacking {
    /// Not to be taken from Redis.
    skip: HashSet<String>,
    /// To be taken instead.
    instead: Vec<Position>,
}

impl Cache {
    /// The nearest within so many metres, nearest first; `None` where Redis can't know: after a loss, with much still
    /// to copy, or too far north, south or east for its geo sets.
    pub async fn near(
        &self,
        account: &str,
        centre: Place,
        metres: f64,
        limit: usize,
        now_ms: i64,
    ) -> Result<Option<Vec<Near>>> {
        let circle = Circle { account, centre, metres, limit, now_ms };
        if !circle.fits() {
            return Ok(None);
        }
        let Some(mut lacking) = self.lacking(account).await? else { return Ok(None) };
        let (mut hits, mut reach) = (HITS.max(limit / 8), metres / INNER);
        for _ in 0..ROUNDS {
            let Some(found) = self.search(&circle, reach, hits).await? else { return Ok(None) };
            let candidates = match circle.choose(&found, reach, hits, &lacking.skip) {
                Choice::These(candidates) => candidates,
                Choice::Wider => {
                    reach = metres;
                    continue;
                }
                Choice::Deeper => {
                    hits *= 4;
                    continue;
                }
            };
            let (mut live, dead) = self.positions(&circle, &candidates).await?;
            if !dead.is_empty() {
                self.bury(&circle, dead, &mut lacking).await?;
                continue;
            }
            live.extend(lacking.instead);
            return Ok(Some(circle.nearest(live)));
        }
        Ok(None)
    }

    async fn lacking(&self, account: &str) -> Result<Option<Lacking>> {
        let (late, gone) =
            tokio::try_join!(self.store.uncopied_of(account, LATE + 1), self.store.gone_uncopied(account, LATE + 1))?;
        if late.len() as i64 > LATE || gone.len() as i64 > LATE {
            return Ok(None);
        }
        let skip = late.iter().map(|one| one.openid.clone()).chain(gone).collect();
        Ok(Some(Lacking { skip, instead: late }))
    }

    /// The nearest `hits` of every shard within `reach`; `None` where one is not whole.
    async fn search(&self, circle: &Circle<'_>, reach: f64, hits: usize) -> Result<Option<Vec<Vec<Hit>>>> {
        let reach = reach * 1.000_01 + BLUR_M;
        let ask = |shard: &Shard| {
            let mut pipe = redis::pipe();
            pipe.cmd("ZSCORE").arg(shard.places()).arg(WHOLE);
            pipe.cmd("GEOSEARCH").arg(shard.places()).arg("FROMLONLAT");
            pipe.arg(circle.centre.longitude).arg(circle.centre.latitude).arg("BYRADIUS").arg(reach).arg("m");
            pipe.arg("ASC").arg("COUNT").arg(hits).arg("WITHDIST");
            pipe
        };
        let pipes = self.keys().await?.shards(circle.account).iter().map(ask).collect();
        let found: Vec<(Option<f64>, Vec<Hit>)> = self.ask_all(pipes).await?;
        Ok(found.into_iter().map(|(whole, hits)| is_whole(whole).then_some(hits)).collect())
    }

    /// What stands beside the hits: the positions, and who has none any more.
    async fn positions(&self, circle: &Circle<'_>, openids: &[String]) -> Result<(Vec<Position>, Vec<String>)> {
        let keys = self.keys().await?;
        let mut shards: HashMap<Shard, Vec<&String>> = HashMap::new();
        for openid in openids {
            shards.entry(keys.shard_of(circle.account, openid)).or_default().push(openid);
        }
        let ask = |(shard, openids): (&Shard, &Vec<&String>)| {
            let mut pipe = redis::pipe();
            pipe.cmd("MGET").arg(openids.iter().map(|openid| shard.person(openid)).collect::<Vec<_>>());
            pipe
        };
        let told: Vec<(Vec<Option<String>>,)> = self.ask_all(shards.iter().map(ask).collect()).await?;
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        let texts = told.into_iter().flat_map(|(texts,)| texts);
        for (openid, text) in shards.values().flatten().zip(texts) {
            let position = text.and_then(|text| keys::read(circle.account, openid, &text));
            match position.filter(|position| position.expires_at > circle.now_ms) {
                Some(position) => live.push(position),
                None => dead.push((*openid).clone()),
            }
        }
        Ok((live, dead))
    }

    /// Hits without a position: expired, or thrown out by Redis for want of memory. SQL knows.
    async fn bury(&self, circle: &Circle<'_>, dead: Vec<String>, lacking: &mut Lacking) -> Result<()> {
        let keys = self.keys().await?;
        let known = self.store.locations_of(circle.account, &dead).await?;
        let (live, _): (Vec<_>, Vec<_>) = known.into_iter().partition(|one| one.expires_at > circle.now_ms);
        let lost: Vec<String> = live.iter().map(|one| one.openid.clone()).collect();
        if !lost.is_empty() {
            self.store.copy_anew(circle.account, &lost).await?;
        }
        let expired = dead.iter().filter(|openid| !lost.contains(openid));
        let bury = |openid: &String| {
            let mut pipe = redis::pipe();
            remove(&mut pipe, &keys.shard_of(circle.account, openid), openid);
            pipe
        };
        self.ask_all::<()>(expired.map(bury).collect()).await?;
        lacking.instead.extend(live);
        lacking.skip.extend(dead);
        Ok(())
    }
}

impl Circle<'_> {
    /// Whether it lies where geo sets know their way: not near a pole, nor across the date line.
    fn fits(&self) -> bool {
        let Place { latitude, longitude } = self.centre;
        // A degree has at least 111 km north to south, and at 85 degrees 9.6 km east to west.
        let high = self.metres / 111_000.0 + 0.1;
        let (north, south) = (latitude + high, latitude - high);
        let flat = north.abs().max(south.abs()).min(GEO_LATITUDE).to_radians().cos();
        let wide = self.metres / (111_000.0 * flat) * 1.1 + 0.1;
        debug_assert!(self.metres <= FAR_M);
        north < GEO_LATITUDE && south > -GEO_LATITUDE && longitude + wide < 180.0 && longitude - wide > -180.0
    }

    /// Who may be among the nearest, by hits of every shard within `reach`.
    fn choose(&self, shards: &[Vec<Hit>], reach: f64, hits: usize, skip: &HashSet<String>) -> Choice {
        let wanted = |(openid, _): &&Hit| openid != WHOLE && !skip.contains(openid);
        let mut all: Vec<&Hit> = shards.iter().flatten().filter(wanted).collect();
        all.sort_by(|one, other| one.1.total_cmp(&other.1));
        let last = all.get(self.limit.saturating_sub(1)).map_or(f64::INFINITY, |(_, metres)| metres + 2.0 * BLUR_M);
        let cut_off = |shard: &Vec<Hit>| shard.len() >= hits && shard.last().is_some_and(|(_, far)| *far <= last);
        if last > reach && reach < self.metres {
            return Choice::Wider;
        }
        if shards.iter().any(cut_off) {
            return Choice::Deeper;
        }
        Choice::These(all.into_iter().take_while(|(_, far)| *far <= last).map(|(openid, _)| openid.clone()).collect())
    }

    /// The nearest of these, by their exact positions.
    fn nearest(&self, positions: Vec<Position>) -> Vec<Near> {
        let mut nearest = Nearest::new(self.centre, self.limit);
        for position in positions {
            if position.expires_at > self.now_ms && self.centre.metres_to(&position.place) <= self.metres {
                nearest.take(position);
            }
        }
        nearest.into_sorted()
    }
}

/// Keeps the nearest of many, the openid deciding where two are equally far.
pub struct Nearest {
    centre: Place,
    limit: usize,
    kept: Vec<Near>,
}

impl Nearest {
    /// At most `limit` of them.
    pub fn new(centre: Place, limit: usize) -> Nearest {
        Nearest { centre, limit, kept: Vec::new() }
    }

    /// Looks at one more.
    pub fn take(&mut self, position: Position) {
        self.kept.push(Near { metres: self.centre.metres_to(&position.place), position });
        // Sorted now and then: the memory is that of two lists.
        if self.kept.len() >= self.limit.saturating_mul(2).max(1_024) {
            self.cut();
        }
    }

    /// Nearest first.
    pub fn into_sorted(mut self) -> Vec<Near> {
        self.cut();
        self.kept
    }

    fn cut(&mut self) {
        let order = |one: &Near, other: &Near| {
            one.metres.total_cmp(&other.metres).then_with(|| one.position.openid.cmp(&other.position.openid))
        };
        self.kept.sort_by(order);
        self.kept.truncate(self.limit);
    }
}
