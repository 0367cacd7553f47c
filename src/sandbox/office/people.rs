//! Everybody whom a message could reach so far, numbered, and what became of the messages to each.

use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Userids that are told apart; further ones do not exist. A corporation is not endless, and neither is memory.
const MOST: usize = 100_000;

/// Messages to one person, or to all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Those that arrived.
    pub received: u64,
    /// Those that the frequency limit dropped, of which the sender is not told.
    pub dropped: u64,
    /// Those that the duplicate check held back.
    pub suppressed: u64,
}

/// The people by number.
#[derive(Debug, Default)]
pub struct People {
    numbers: HashMap<Arc<str>, usize>,
    all: Vec<(Arc<str>, Counts)>,
}

impl People {
    /// The number of a userid, which is new from now on where it is unknown; `None` when there are too many.
    pub fn number(&mut self, userid: &str) -> Option<usize> {
        if let Some(number) = self.numbers.get(userid) {
            return Some(*number);
        }
        if self.all.len() >= MOST {
            return None;
        }
        let name: Arc<str> = userid.into();
        self.numbers.insert(name.clone(), self.all.len());
        self.all.push((name, Counts::default()));
        Some(self.all.len() - 1)
    }

    /// The userid of a number, and its counts to be added to.
    pub fn person(&mut self, number: usize) -> Option<&mut (Arc<str>, Counts)> {
        self.all.get_mut(number)
    }

    /// The userids so far.
    pub fn names(&self) -> impl Iterator<Item = Arc<str>> {
        self.all.iter().map(|(name, _)| name.clone())
    }

    /// The counts of those who were ever written to, and of all together.
    pub fn show(&self) -> (BTreeMap<Arc<str>, Counts>, Counts) {
        let written_to = self.all.iter().filter(|(_, counts)| *counts != Counts::default());
        let people: BTreeMap<_, _> = written_to.cloned().collect();
        let sum = people.values().fold(Counts::default(), |sum, one| Counts {
            received: sum.received + one.received,
            dropped: sum.dropped + one.dropped,
            suppressed: sum.suppressed + one.suppressed,
        });
        (people, sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corporation_is_not_endless() {
        let mut people = People::default();
        assert!((0..MOST).all(|n| people.number(&format!("u{n}")) == Some(n)));
        assert_eq!((people.number("one more"), people.number("u7")), (None, Some(7)));
    }
}
