//! The followers of an account: a computed crowd of any size, and over it what pushes changed.

use super::errcode::{Refusal, refuse};
use super::noise;
use super::openid::Codec;
use std::collections::HashMap;

/// Openids of one page of user/get.
const PAGE: usize = 10_000;
/// The crowd followed between 2019 and 2024: first second and span.
const FOLLOWED_FROM: i64 = 1_546_300_800;
const FOLLOWED_SPAN: u64 = 6 * 365 * 24 * 3600;

/// Who someone is: a number that an openid is computed from, or a foreign openid that was pushed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Person number so and so.
    Numbered(u64),
    /// An openid as given.
    Named(Box<str>),
}

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Follows the account.
    pub follows: bool,
    /// Since when, seconds since 1970.
    pub since: i64,
    /// Scene of the QR code that was scanned.
    pub scene: Option<String>,
    /// A push made or changed this person.
    pub touched: bool,
}

/// The people of one account.
pub struct People {
    codec: Codec,
    seed: u64,
    crowd: u64,
    next: u64,
    changed: HashMap<Who, Person>,
    joined: Vec<Who>,
    places: HashMap<Who, u64>,
    following: u64,
}

impl People {
    /// A crowd of followers, none of them in memory.
    pub fn new(seed: u64, app_id: &str, crowd: u64) -> Self {
        People {
            codec: Codec::new(seed, app_id),
            seed: noise::of_text(seed, "people"),
            crowd,
            next: crowd,
            changed: HashMap::new(),
            joined: Vec::new(),
            places: HashMap::new(),
            following: crowd,
        }
    }

    /// How many follow.
    pub fn following(&self) -> u64 {
        self.following
    }

    /// Who has this openid; `None` for one that this account has never met.
    pub fn who(&self, openid: &str) -> Option<Who> {
        if let Some(index) = self.codec.index(openid).filter(|index| *index < self.next) {
            return Some(Who::Numbered(index));
        }
        let named = Who::Named(openid.into());
        self.changed.contains_key(&named).then_some(named)
    }

    /// What is known of a person.
    pub fn person(&self, who: &Who) -> Person {
        if let Some(person) = self.changed.get(who) {
            return person.clone();
        }
        let Who::Numbered(index) = who else {
            return Person { follows: false, since: 0, scene: None, touched: false };
        };
        let noise = self.noise_of(who);
        let since = FOLLOWED_FROM + (noise % FOLLOWED_SPAN) as i64;
        Person { follows: *index < self.crowd, since, scene: None, touched: false }
    }

    /// The number that every attribute of a person is drawn from.
    pub fn noise_of(&self, who: &Who) -> u64 {
        match who {
            Who::Numbered(index) => noise::mix(self.seed ^ noise::mix(*index)),
            Who::Named(openid) => noise::of_text(self.seed, openid),
        }
    }

    /// The openid of a person.
    pub fn openid(&self, who: &Who) -> String {
        match who {
            Who::Numbered(index) => self.codec.openid(*index),
            Who::Named(openid) => openid.to_string(),
        }
    }

    /// The openid of somebody new, who does not follow yet.
    pub fn newcomer(&mut self) -> String {
        let openid = self.codec.openid(self.next);
        self.next += 1;
        openid
    }

    /// Whether this person followed, or was pushed about, before.
    pub fn has_met(&self, openid: &str) -> bool {
        let Some(who) = self.who(openid) else { return false };
        matches!(who, Who::Numbered(index) if index < self.crowd) || self.changed.contains_key(&who)
    }

    /// The platform's own account, which account events come from; nobody's openid.
    pub fn system(&self) -> String {
        self.codec.openid(u64::MAX)
    }

    /// A person begins to follow, or follows again.
    pub fn follow(&mut self, openid: &str, since: i64, scene: Option<String>) {
        let who = self.who(openid).unwrap_or_else(|| Who::Named(openid.into()));
        let before = self.person(&who);
        self.following += u64::from(!before.follows);
        if self.place(&who).is_none() {
            self.places.insert(who.clone(), self.crowd + self.joined.len() as u64);
            self.joined.push(who.clone());
        }
        self.changed.insert(who, Person { follows: true, since, scene, touched: true });
    }

    /// A person stops following.
    pub fn unfollow(&mut self, openid: &str) {
        let who = self.who(openid).unwrap_or_else(|| Who::Named(openid.into()));
        let before = self.person(&who);
        self.following -= u64::from(before.follows);
        self.changed.insert(who, Person { follows: false, touched: true, ..before });
    }

    /// One page of user/get after an openid (reference 4.1), in the seed's order.
    pub fn page(&self, after: Option<&str>) -> Result<Vec<String>, Refusal> {
        let start = match after {
            None => 0,
            Some(openid) => match self.who(openid).and_then(|who| self.place(&who)) {
                Some(place) => place + 1,
                None => return refuse(40003),
            },
        };
        Ok((start..self.places_end())
            .filter_map(|place| self.at(place))
            .filter(|who| self.person(who).follows)
            .take(PAGE)
            .map(|who| self.openid(&who))
            .collect())
    }

    /// Some follower, chosen by a number; `None` where nobody follows.
    pub fn pick(&self, number: u64) -> Option<String> {
        let end = self.places_end();
        if self.following == 0 {
            return None;
        }
        let start = number.checked_rem(end)?;
        let who =
            (start..end).chain(0..start).filter_map(|place| self.at(place)).find(|who| self.person(who).follows)?;
        Some(self.openid(&who))
    }

    fn places_end(&self) -> u64 {
        self.crowd + self.joined.len() as u64
    }

    fn at(&self, place: u64) -> Option<Who> {
        match place.checked_sub(self.crowd) {
            None => Some(Who::Numbered(place)),
            Some(later) => self.joined.get(usize::try_from(later).ok()?).cloned(),
        }
    }

    fn place(&self, who: &Who) -> Option<u64> {
        match who {
            Who::Numbered(index) if *index < self.crowd => Some(*index),
            _ => self.places.get(who).copied(),
        }
    }
}
