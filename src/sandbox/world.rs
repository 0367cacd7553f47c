//! Everything the sandbox holds while it runs.

use super::Options;
use super::account::{Account, Kind};
use super::clock::Clock;
use super::crowd::Crowd;
use super::errcode::{Refusal, refuse};
use super::faults::Book;
use super::guesses::Guesses;
use super::journal::Journal;
use super::limits::Limits;
use super::lists::Lists;
use super::noise;
use super::office::Office;
use super::office::directory::Directory;
use super::people::People;
use super::quota::Quota;
use super::rids::Rids;
use super::robot::Robot;
use super::tokens::Tokens;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long each answer about a new address lasts: asked, refused for an hour, refused for a day
/// (reference 3.4).
const CONFIRM: &[(i64, i64)] = &[(89503, 600_000), (89507, 3_600_000), (89506, 86_400_000)];
/// Events remembered so that no two alike carry the same second.
const REMEMBERED_EVENTS: usize = 500_000;

/// The stand-in platform.
pub struct World {
    /// Its clock.
    pub clock: Arc<Clock>,
    /// The accounts it serves.
    pub houses: Vec<Arc<House>>,
    /// What goes wrong.
    pub faults: Mutex<Book>,
    /// How the list of followers behaves.
    pub lists: Mutex<Lists>,
    /// Wrong secrets at gettoken.
    pub guesses: Mutex<Guesses>,
    /// The corporation behind the apps of WeCom.
    pub office: Mutex<Office>,
    /// The group robot.
    pub robot: Mutex<Robot>,
    /// What was called.
    pub journal: Mutex<Journal>,
    /// What was refused, by its rid.
    pub rids: Mutex<Rids>,
    /// How long each answer waits.
    pub latency: Duration,
    /// Nicknames and places are filled in, as before 2021-12-27.
    pub profile_2021: bool,
    /// It listens on this machine only.
    pub loopback: bool,
    /// Sends pushes.
    pub http: reqwest::Client,
    serial: AtomicU64,
}

/// One account and its state.
pub struct House {
    /// The account.
    pub account: Account,
    /// Its tokens.
    pub tokens: Mutex<Tokens>,
    /// Its followers.
    pub people: Mutex<People>,
    /// Its calls.
    pub quota: Mutex<Quota>,
    /// Where its pushes go.
    pub callback: Mutex<Option<String>>,
    confirm: Mutex<Option<(usize, i64)>>,
    pushes: AtomicU64,
    moments: Mutex<HashMap<u64, i64>>,
}

/// Locks; a panic elsewhere does not make the state useless.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world of these options. `loopback`: whether only this machine reaches it.
    pub fn new(options: Options, loopback: bool, http: reqwest::Client) -> Self {
        let Options { followers, foreign, lists, latency, faults, seed, accounts, profile_2021, clock, limits, .. } =
            options;
        let directory = Directory::new(options.wecom_heads, &options.wecom_invalid);
        let crowd = Crowd::new(followers, foreign);
        let limits = Arc::new(Limits::new(&limits));
        let houses = accounts.into_iter().map(|account| Arc::new(House::new(account, seed, crowd, limits.clone())));
        World {
            clock: Arc::new(Clock::new(clock)),
            houses: houses.collect(),
            faults: Mutex::new(Book::new(seed, faults)),
            lists: Mutex::new(lists),
            guesses: Mutex::default(),
            office: Mutex::new(Office::new(seed, directory)),
            robot: Mutex::new(Robot::new(seed)),
            journal: Mutex::default(),
            rids: Mutex::default(),
            latency,
            profile_2021,
            loopback,
            http,
            serial: AtomicU64::new(0),
        }
    }

    /// A number that no other answer has.
    pub fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed)
    }

    /// The account of that name; without a name, the only one or the first.
    pub fn house(&self, name: Option<&str>) -> Option<&Arc<House>> {
        self.houses.iter().find(|house| name.is_none_or(|name| house.account.name == name))
    }

    /// The account whose token this is, if the token is good. WeCom calls a token that ended before its
    /// time unknown (WeCom reference 2).
    pub fn house_of_token(&self, token: &str) -> Result<&Arc<House>, Refusal> {
        let now_ms = self.clock.now_ms();
        for house in &self.houses {
            match lock(&house.tokens).check(token, now_ms) {
                None => {}
                Some(Ok(())) => return Ok(house),
                Some(Err(Refusal { errcode: 40001, .. })) if house.account.is_wecom() => return refuse(40014),
                Some(Err(refusal)) => return Err(refusal),
            }
        }
        refuse(40014)
    }
}

impl House {
    /// An account; an Official Account with a crowd of followers.
    pub fn new(account: Account, seed: u64, crowd: Crowd, limits: Arc<Limits>) -> Self {
        // Tokens differ from run to run: see `Tokens::new`.
        let token_seed = noise::of_text(rand::random(), &account.name);
        let tokens = if account.is_wecom() { Tokens::wecom(token_seed) } else { Tokens::new(token_seed) };
        let crowd = if account.kind == Kind::Official { crowd } else { Crowd::new(0, 0) };
        House {
            tokens: Mutex::new(tokens),
            people: Mutex::new(People::new(seed, &account.app_id, crowd)),
            quota: Mutex::new(Quota::new(limits)),
            callback: Mutex::new(account.callback.clone()),
            confirm: Mutex::default(),
            pushes: AtomicU64::new(0),
            moments: Mutex::default(),
            account,
        }
    }

    /// What the administrator's silence answers at this moment.
    pub fn confirmation(&self, now_ms: i64) -> Refusal {
        let mut confirm = lock(&self.confirm);
        let (mut stage, mut since) = confirm.unwrap_or((0, now_ms));
        if now_ms - since >= CONFIRM[stage].1 {
            (stage, since) = ((stage + 1) % CONFIRM.len(), now_ms);
        }
        *confirm = Some((stage, since));
        Refusal::of(CONFIRM[stage].0)
    }

    /// The number of the next push.
    pub fn next_push(&self) -> u64 {
        self.pushes.fetch_add(1, Relaxed)
    }

    /// How many pushes were made.
    pub fn pushes(&self) -> u64 {
        self.pushes.load(Relaxed)
    }

    /// The CreateTime of an event: now, or the second after the last alike, since a receiver tells events
    /// of one person apart by their second (reference 1.5).
    pub fn moment(&self, event: &str, openid: &str, now: i64) -> i64 {
        let mut moments = lock(&self.moments);
        if moments.len() >= REMEMBERED_EVENTS {
            moments.retain(|_, at| *at >= now);
        }
        let last = moments.entry(noise::of_text(noise::of_text(0, event), openid)).or_insert(i64::MIN);
        *last = now.max(last.saturating_add(1));
        *last
    }
}
