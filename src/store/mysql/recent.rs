//! Keys of callbacks that this process has committed lately. A repetition comes soon after, as most do (reference 2.1:
//! after 5 s, three times), so that what is likely to be one is looked for and not inserted in vain. A guess only: what
//! is a repetition the database says.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Keys of a generation; two are kept, some 5 MB together.
const KEYS: usize = 65_536;

/// The last keys that were committed.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl Recent {
    /// Whether a callback with this key is committed, as far as is remembered.
    pub fn has(&self, key: &[u8; 32]) -> bool {
        let key = short(key);
        let generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.contains(&key) || generations.old.contains(&key)
    }

    /// Remembers a key whose row is committed.
    pub fn add(&self, key: &[u8; 32]) {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= KEYS {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(short(key));
    }
}

/// Its last 16 bytes: of a keyed hash, so that nobody finds two alike.
fn short(key: &[u8; 32]) -> u128 {
    let mut last = [0; 16];
    last.copy_from_slice(&key[16..]);
    u128::from_ne_bytes(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 32] {
        let mut key = [7; 32];
        key[24..].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn the_last_keys_are_known_and_the_first_forgotten() {
        let recent = Recent::default();
        let count = 3 * KEYS as u64;
        (0..count).for_each(|number| recent.add(&key(number)));
        assert!((count - KEYS as u64..count).all(|number| recent.has(&key(number))));
        assert!(!recent.has(&key(0)) && !recent.has(&key(count)));
    }
}
