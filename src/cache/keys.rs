//! What stands where in Redis.
//!
//! The people of an account are spread over [`SHARDS`] shards by a hash of the openid, so that whoever is to be removed
//! is found without a search, wherever they were. A shard has one hash tag: a cluster keeps it on one node.
//!
//! | key | holds |
//! |---|---|
//! | `wxops:{INSTALLATION:ACCOUNT:SHARD}:at:OPENID` | the position as it is in SQL; ends by itself when it expires |
//! | `wxops:{INSTALLATION:ACCOUNT:SHARD}:places` | a geo set of openids, and [`WHOLE`], which says whether everybody of the shard is in it |
//! | `wxops:{NUMBER}:INSTALLATION:ACCOUNT:token` | which generation of the account's token was copied for other programs; the number puts it on the same node as that copy, whose key is theirs to choose |

use crate::domain::geo::Place;
use crate::store::Position;
use chrono::DateTime;
use redis::cluster_routing::Slot;

/// Shards of an account.
pub(super) const SHARDS: u32 = 64;
/// The member of a shard's set that says whether somebody may be missing: it is lost with the set, and is no openid.
pub(super) const WHOLE: &str = ".";
/// Its scores: while the shard is filled, and once it is whole. The second is only put in the place of the first, so
/// that a loss in the middle leaves neither.
pub(super) const FILLING: i64 = 0;
pub(super) const FILLED: i64 = 1;
/// Redis' geo sets end here, north and south.
pub(super) const GEO_LATITUDE: f64 = 85.0;

/// Names the keys of an installation.
pub(super) struct Keys {
    installation: String,
}

/// One shard of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Shard(String);

impl Keys {
    pub fn new(installation: String) -> Keys {
        Keys { installation }
    }

    /// The shard that a person is in.
    pub fn shard_of(&self, account: &str, openid: &str) -> Shard {
        self.shard(account, number_of(openid))
    }

    /// Every shard of an account.
    pub fn shards(&self, account: &str) -> Vec<Shard> {
        (0..SHARDS).map(|number| self.shard(account, number)).collect()
    }

    /// The key beside the copy of a token: in a cluster both are changed together, so it lies in the slot of that one.
    pub fn token(&self, account: &str, copy: &str) -> String {
        let slot = Slot::for_key(copy);
        // Every slot has its number among some tens of thousands.
        let number = (0u32..).find(|number| Slot::for_key(number.to_string()) == slot).unwrap_or_default();
        format!("wxops:{{{number}}}:{}:{account}:token", self.installation)
    }

    fn shard(&self, account: &str, number: u32) -> Shard {
        Shard(format!("wxops:{{{}:{account}:{number}}}", self.installation))
    }
}

/// Whether the score of [`WHOLE`] says that nobody is missing.
pub(super) fn is_whole(score: Option<f64>) -> bool {
    score.is_some_and(|score| score >= FILLED as f64)
}

/// Which shard a person is in.
fn number_of(openid: &str) -> u32 {
    crc32fast::hash(openid.as_bytes()) % SHARDS
}

impl Shard {
    /// The key of a person.
    pub fn person(&self, openid: &str) -> String {
        format!("{}:at:{openid}", self.0)
    }

    /// The key of the geo set.
    pub fn places(&self) -> String {
        format!("{}:places", self.0)
    }
}

/// A position as Redis keeps it.
pub(super) fn write(position: &Position) -> String {
    let Position { place, precision, at, expires_at, .. } = position;
    let precision = precision.map(|metres| metres.to_string()).unwrap_or_default();
    format!("{} {} {} {expires_at} {precision}", place.latitude, place.longitude, at.timestamp_millis())
}

/// Reads what [`write`] wrote; `None` for anything else.
pub(super) fn read(account: &str, openid: &str, text: &str) -> Option<Position> {
    let mut words = text.split(' ');
    let place = Place::new(words.next()?.parse().ok()?, words.next()?.parse().ok()?)?;
    let at = DateTime::from_timestamp_millis(words.next()?.parse().ok()?)?;
    let expires_at = words.next()?.parse().ok()?;
    let precision = words.next().and_then(|metres| metres.parse().ok());
    Some(Position { account: account.to_owned(), openid: openid.to_owned(), place, precision, at, expires_at })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let place = Place::new(-23.100001, 113.3).unwrap();
        let at = DateTime::from_timestamp_millis(1_735_660_800_123).unwrap();
        for precision in [None, Some(119.38504)] {
            let (account, openid) = ("main".to_owned(), "oA".to_owned());
            let position = Position { account, openid, place, precision, at, expires_at: 1_740_000_000_000 };
            assert_eq!(read("main", "oA", &write(&position)), Some(position));
        }
        assert_eq!(read("main", "oA", "91 0 1 2 "), None);
        assert_eq!(read("main", "oA", ""), None);
    }

    #[test]
    fn a_copy_and_the_key_beside_it_share_a_slot() {
        let keys = Keys::new("3fa9".into());
        for copy in ["wx:access_token:wx01", "a{b}c", "{}", "a}b{", "gowechat_work__access_token_ww01_1000002"] {
            let beside = keys.token("main", copy);
            assert_eq!(Slot::for_key(&beside), Slot::for_key(copy), "{copy} {beside}");
            assert!(beside.ends_with("}:3fa9:main:token"), "{beside}");
        }
    }

    #[test]
    fn a_person_has_one_shard_and_a_shard_one_hash_tag() {
        let keys = Keys::new("3fa9".into());
        let shard = keys.shard_of("main", "oA");
        assert!(keys.shards("main").contains(&shard) && !keys.shards("other").contains(&shard));
        let tag = |key: String| key.split(['{', '}']).nth(1).unwrap().to_owned();
        assert_eq!(tag(shard.person("oA")), tag(shard.places()));
    }
}
