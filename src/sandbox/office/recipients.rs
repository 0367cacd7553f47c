//! Whom a message is for, and who of them can be told.

use super::directory::{Directory, Standing};
use super::people::People;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whom a message is for.
#[derive(Debug, PartialEq, Eq)]
pub enum To {
    /// `@all`: the members of all parties and tags, and everybody whom a message has named so far.
    Everybody,
    /// Userids, parties and tags as they were written.
    Some {
        /// Userids.
        users: Vec<String>,
        /// Ids of parties.
        parties: Vec<String>,
        /// Ids of tags.
        tags: Vec<String>,
    },
}

/// Recipients that could not be told. They are named in lower case.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Userids that are nobody's.
    pub users: Vec<String>,
    /// Parties that there are not.
    pub parties: Vec<String>,
    /// Tags that there are not.
    pub tags: Vec<String>,
    /// Userids without a licence.
    pub unlicensed: Vec<String>,
}

/// The people a message is for, each once, and who is left out.
pub fn resolve(to: &To, directory: &Directory, everybody: &mut People) -> (Vec<usize>, LeftOut) {
    let is_member = |name: &str| directory.standing(name) == Standing::Member;
    let mut left_out = LeftOut::default();
    let mut names = BTreeSet::new();
    let (users, parties, tags) = match to {
        To::Some { users, parties, tags } => (users, parties, tags),
        To::Everybody => {
            let known = directory.known().map(|name| Arc::from(name.as_str()));
            names.extend(known.chain(everybody.names()).filter(|name| is_member(name)));
            let people = names.iter().filter_map(|name| everybody.number(name));
            return (people.collect(), left_out);
        }
    };
    for user in users {
        let name = user.to_ascii_lowercase();
        match directory.standing(&name) {
            Standing::Invalid => left_out.users.push(name),
            Standing::Unlicensed => left_out.unlicensed.push(name),
            Standing::Member => _ = names.insert(Arc::from(name)),
        }
    }
    for (ids, groups, missing) in
        [(parties, &directory.parties, &mut left_out.parties), (tags, &directory.tags, &mut left_out.tags)]
    {
        for id in ids {
            match id.parse().ok().and_then(|id: u32| groups.get(&id)) {
                Some(members) => {
                    let members = members.iter().filter(|name| is_member(name));
                    names.extend(members.map(|name| Arc::from(name.as_str())));
                }
                None => missing.push(id.clone()),
            }
        }
    }
    let mut people = Vec::with_capacity(names.len());
    for name in names {
        match everybody.number(&name) {
            Some(number) => people.push(number),
            None => left_out.users.push(name.to_string()),
        }
    }
    (people, left_out)
}

impl LeftOut {
    /// As an answer names them.
    pub fn named(&self) -> Vec<(&'static str, String)> {
        let LeftOut { users, parties, tags, unlicensed } = self;
        let lists =
            [("invaliduser", users), ("invalidparty", parties), ("invalidtag", tags), ("unlicenseduser", unlicensed)];
        lists.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(name, ids)| (name, ids.join("|"))).collect()
    }
}
