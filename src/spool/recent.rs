//! Keys of what was spooled lately: a storm of copies of one event must not fill the disk.

use std::collections::HashSet;

/// Keys of a generation; two are kept, some 2 MB together.
const KEYS: usize = 32_768;

/// The last keys that are on disk.
#[derive(Debug, Default)]
pub(super) struct Recent {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl Recent {
    /// Whether a record with this key is on disk, or was and is moved in.
    pub fn has(&self, key: &[u8; 32]) -> bool {
        self.young.contains(key) || self.old.contains(key)
    }

    /// Remembers a key whose record is on disk.
    pub fn add(&mut self, key: [u8; 32]) {
        if self.young.len() >= KEYS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_known_and_memory_is_bounded() {
        let mut recent = Recent::default();
        let key = |n: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&n.to_le_bytes());
            key
        };
        (0..3 * KEYS).for_each(|n| recent.add(key(n)));
        assert!((2 * KEYS..3 * KEYS).all(|n| recent.has(&key(n))));
        assert!(!recent.has(&key(0)) && recent.young.len() + recent.old.len() <= 2 * KEYS);
    }
}
