//! The followers of an account: a computed crowd of any size, and over it what pushes changed.

use super::crowd::Crowd;
use super::errcode::{Refusal, refuse};
use super::noise::{self, Noise};
use super::openid::Codec;
use serde::Serialize;
use std::collections::HashMap;

/// Openids of one page of user/get.
pub const PAGE: usize = 10_000;
/// The openids of another account begin at this number.
const FOREIGN: u64 = 1 << 63;
/// Of those who join unnoticed, each so-and-so-many-th followed before.
const COME_BACK: u64 = 4;
/// The crowd followed between 2019 and 2024: first second and span.
const FOLLOWED_FROM: i64 = 1_546_300_800;
const FOLLOWED_SPAN: u64 = 6 * 365 * 24 * 3600;

/// Who someone is: a number that an openid is computed from, or an openid that was pushed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// Person number so and so.
    Numbered(u64),
    /// Stranger number so and so: the list holds the openid, no other API knows it.
    Foreign(u64),
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
    crowd: Crowd,
    next: u64,
    changed: HashMap<Who, Person>,
    joined: Vec<Who>,
    places: HashMap<Who, u64>,
    following: u64,
    chance: Noise,
    left: Vec<Who>,
    churned: Churned,
    ends: bool,
}

/// Who came and went unnoticed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Churned {
    /// Left.
    pub left: u64,
    /// Joined, and had never followed.
    pub joined: u64,
    /// Joined again.
    pub returned: u64,
}

/// One page of the list.
pub struct Page {
    /// Who stands on it.
    pub people: Vec<Who>,
    /// Somebody of the crowd is among them, so that the end of the list is not reached by those who join.
    pub of_crowd: bool,
}

impl People {
    /// A crowd of followers, none of them in memory.
    pub fn new(seed: u64, app_id: &str, crowd: Crowd) -> Self {
        People {
            codec: Codec::new(seed, app_id),
            seed: noise::of_text(seed, "people"),
            crowd,
            next: crowd.followers(),
            changed: HashMap::new(),
            joined: Vec::new(),
            places: HashMap::new(),
            following: crowd.followers(),
            chance: Noise::new(noise::of_text(noise::of_text(seed, "churn"), app_id)),
            left: Vec::new(),
            churned: Churned::default(),
            ends: true,
        }
    }

    /// How many follow.
    pub fn following(&self) -> u64 {
        self.following
    }

    /// How many the list holds: those who follow, and the strangers.
    pub fn listed(&self) -> u64 {
        self.following + self.crowd.foreign()
    }

    /// Turns over at each end of the list that is told.
    pub fn ends(&mut self) -> bool {
        self.ends = !self.ends;
        self.ends
    }

    /// Who came and went unnoticed.
    pub fn churned(&self) -> Churned {
        self.churned.clone()
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
        let Who::Numbered(number) = who else {
            return Person { follows: false, since: 0, scene: None, touched: false };
        };
        let noise = self.noise_of(who);
        let since = FOLLOWED_FROM + (noise % FOLLOWED_SPAN) as i64;
        Person { follows: *number < self.crowd.followers(), since, scene: None, touched: false }
    }

    /// The number that every attribute of a person is drawn from.
    pub fn noise_of(&self, who: &Who) -> u64 {
        match who {
            Who::Numbered(number) | Who::Foreign(number) => noise::mix(self.seed ^ noise::mix(*number)),
            Who::Named(openid) => noise::of_text(self.seed, openid),
        }
    }

    /// The openid of a person.
    pub fn openid(&self, who: &Who) -> String {
        match who {
            Who::Numbered(number) => self.codec.openid(*number),
            Who::Foreign(number) => self.codec.openid(FOREIGN + number),
            Who::Named(openid) => openid.to_string(),
        }
    }

    /// Puts the openid of a person behind a text, as JSON.
    pub fn write_openid(&self, who: &Who, json: &mut String) {
        if let Who::Named(openid) = who {
            json.push_str(&serde_json::Value::from(&**openid).to_string());
            return;
        }
        json.push('"');
        match who {
            Who::Numbered(number) => self.codec.write(*number, json),
            Who::Foreign(number) => self.codec.write(FOREIGN + number, json),
            Who::Named(_) => {}
        }
        json.push('"');
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
        matches!(who, Who::Numbered(number) if number < self.crowd.followers()) || self.changed.contains_key(&who)
    }

    /// The platform's own account, which account events come from; nobody's openid.
    pub fn system(&self) -> String {
        self.codec.openid(u64::MAX)
    }

    /// A person begins to follow, or follows again.
    pub fn follow(&mut self, openid: &str, since: i64, scene: Option<String>) {
        let who = self.who(openid).unwrap_or_else(|| Who::Named(openid.into()));
        self.begin(who, since, scene);
    }

    /// A person stops following.
    pub fn unfollow(&mut self, openid: &str) {
        let who = self.who(openid).unwrap_or_else(|| Who::Named(openid.into()));
        self.end(who);
    }

    /// So many leave and so many join, chosen by the seed; among them some who left this way before.
    pub fn churn(&mut self, count: u64, now: i64) {
        let back = self.left.len();
        for _ in 0..count {
            let chance = self.chance.draw();
            let Some(who) = self.someone(chance) else { break };
            self.end(who.clone());
            self.left.push(who);
            self.churned.left += 1;
        }
        let mut back = self.left.drain(..back).collect::<Vec<_>>();
        for _ in 0..count {
            let returns = self.chance.below(COME_BACK) == 0 && !back.is_empty();
            let who = if returns {
                self.churned.returned += 1;
                let at = self.chance.below(back.len() as u64) as usize;
                back.swap_remove(at)
            } else {
                self.churned.joined += 1;
                self.next += 1;
                Who::Numbered(self.next - 1)
            };
            self.begin(who, now, None);
        }
        self.left.append(&mut back);
    }

    fn begin(&mut self, who: Who, since: i64, scene: Option<String>) {
        self.following += u64::from(!self.follows(&who));
        if self.place(&who).is_none() {
            self.places.insert(who.clone(), self.places_end());
            self.joined.push(who.clone());
        }
        self.changed.insert(who, Person { follows: true, since, scene, touched: true });
    }

    fn end(&mut self, who: Who) {
        let before = self.person(&who);
        self.following -= u64::from(before.follows);
        self.changed.insert(who, Person { follows: false, touched: true, ..before });
    }

    fn follows(&self, who: &Who) -> bool {
        match (self.changed.get(who), who) {
            (Some(person), _) => person.follows,
            (None, Who::Numbered(number)) => *number < self.crowd.followers(),
            (None, _) => false,
        }
    }

    fn is_listed(&self, who: &Who) -> bool {
        matches!(who, Who::Foreign(_)) || self.follows(who)
    }

    /// One page of user/get after an openid (reference 4.1), in the seed's order. It begins with so many of
    /// the page before, unless nobody comes after.
    pub fn page(&self, after: Option<&str>, again: usize) -> Result<Page, Refusal> {
        let start = match after.map(|openid| self.cursor(openid)) {
            None => 0,
            Some(Some(place)) => place + 1,
            Some(None) => return refuse(40003),
        };
        let listed = |place| self.at(place).filter(|who| self.is_listed(who));
        let mut people: Vec<Who> = (0..start).rev().filter_map(listed).take(again).collect();
        people.reverse();
        let doubled = people.len();
        people.extend((start..self.places_end()).filter_map(listed).take(PAGE - doubled));
        if people.len() == doubled {
            people.clear();
        }
        let of_crowd = people[people.len().min(doubled)..].iter().any(|who| self.crowd.place(who).is_some());
        Ok(Page { people, of_crowd })
    }

    /// Some follower, chosen by a number; `None` where nobody follows.
    pub fn pick(&self, number: u64) -> Option<String> {
        self.someone(number).map(|who| self.openid(&who))
    }

    fn someone(&self, number: u64) -> Option<Who> {
        let end = self.places_end();
        if self.following == 0 {
            return None;
        }
        let start = number.checked_rem(end)?;
        (start..end).chain(0..start).filter_map(|place| self.at(place)).find(|who| self.follows(who))
    }

    fn places_end(&self) -> u64 {
        self.crowd.places() + self.joined.len() as u64
    }

    fn at(&self, place: u64) -> Option<Who> {
        match place.checked_sub(self.crowd.places()) {
            None => Some(self.crowd.at(place)),
            Some(later) => self.joined.get(usize::try_from(later).ok()?).cloned(),
        }
    }

    /// The place that a next_openid means, also of one who left meanwhile.
    fn cursor(&self, openid: &str) -> Option<u64> {
        let stranger = self.codec.index(openid).and_then(|number| number.checked_sub(FOREIGN)).map(Who::Foreign);
        let who = stranger.or_else(|| self.who(openid))?;
        self.place(&who)
    }

    fn place(&self, who: &Who) -> Option<u64> {
        self.crowd.place(who).or_else(|| self.places.get(who).copied())
    }
}
