//! Who is in the corporation: every userid of sane letters but those that are named invalid, and ten parties
//! and ten tags of known members.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts of the corporation unless told otherwise: 200,000 person-times a day.
pub const HEADS: u64 = 1000;
/// Parties and tags, numbered from 1.
const GROUPS: u32 = 10;
/// Members of a party, and of a tag.
const MEMBERS: u32 = 5;
/// Letters of a userid at most.
const LONGEST: usize = 64;

/// What the corporation looks like. Userids are in lower case.
#[derive(Debug, Clone, Serialize)]
pub struct Directory {
    /// Its accounts: a day has 200 times as many person-times.
    pub heads: u64,
    /// Userids that do not exist, or that the app does not see.
    pub invalid: BTreeSet<String>,
    /// Userids without a basic licence.
    pub unlicensed: BTreeSet<String>,
    /// Who is in each party.
    pub parties: BTreeMap<u32, Vec<String>>,
    /// Who has each tag.
    pub tags: BTreeMap<u32, Vec<String>>,
}

/// POST /sandbox/wecom: what it does not name stays as it is; of parties and tags those that it names are replaced.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Accounts of the corporation.
    pub heads: Option<u64>,
    /// All userids that do not exist.
    pub invalid: Option<Vec<String>>,
    /// All userids without a licence.
    pub unlicensed: Option<Vec<String>>,
    /// Members of parties.
    #[serde(default)]
    pub parties: BTreeMap<u32, Vec<String>>,
    /// Members of tags.
    #[serde(default)]
    pub tags: BTreeMap<u32, Vec<String>>,
}

/// What a userid is to an app that writes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is told.
    Member,
    /// In sight, and without a licence.
    Unlicensed,
    /// Nobody.
    Invalid,
}

impl Directory {
    /// Party N holds staff 5N-4 to 5N; tag N those of the fifty whose number ends as N does.
    pub fn new(heads: u64, invalid: &[String]) -> Self {
        let staff = |number: u32| format!("staff{number}");
        let party = |n: u32| (n, (MEMBERS * (n - 1) + 1..=MEMBERS * n).map(staff).collect());
        let tag = |n: u32| (n, (0..MEMBERS).map(|row| staff(row * GROUPS + n)).collect());
        Directory {
            heads,
            invalid: lowered(invalid),
            unlicensed: BTreeSet::new(),
            parties: (1..=GROUPS).map(party).collect(),
            tags: (1..=GROUPS).map(tag).collect(),
        }
    }

    /// Takes a change.
    pub fn change(&mut self, change: Change) {
        let Change { heads, invalid, unlicensed, parties, tags } = change;
        let members = |(id, names): (u32, Vec<String>)| (id, lowered(&names).into_iter().collect());
        self.heads = heads.unwrap_or(self.heads);
        self.invalid = invalid.map_or_else(|| std::mem::take(&mut self.invalid), |names| lowered(&names));
        self.unlicensed = unlicensed.map_or_else(|| std::mem::take(&mut self.unlicensed), |names| lowered(&names));
        self.parties.extend(parties.into_iter().map(members));
        self.tags.extend(tags.into_iter().map(members));
    }

    /// What a userid in lower case is: 1 to 64 of letters, digits and `_-@.`, the first a letter or digit.
    pub fn standing(&self, userid: &str) -> Standing {
        let sane = |letter: u8| letter.is_ascii_alphanumeric() || b"_-@.".contains(&letter);
        let first = userid.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if !first || userid.len() > LONGEST || !userid.bytes().all(sane) || self.invalid.contains(userid) {
            return Standing::Invalid;
        }
        if self.unlicensed.contains(userid) { Standing::Unlicensed } else { Standing::Member }
    }

    /// The members of all parties and tags.
    pub fn known(&self) -> impl Iterator<Item = &String> {
        self.parties.values().chain(self.tags.values()).flatten()
    }
}

fn lowered(names: &[String]) -> BTreeSet<String> {
    names.iter().map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty()).collect()
}
