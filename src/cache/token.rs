//! The copy of an access_token that other programs read: written from SQL, which is asked anew each time. Beside it
//! stands which generation was copied, so that whoever is late does not overwrite a newer one. Both are changed by one
//! script, which Redis runs as one step; they share a slot, so a cluster does too.

use super::Cache;
use crate::domain::account::Access;
use crate::domain::layout::{Layout, Original, TokenCopy};
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::store::StoredToken;
use redis::Pipeline;

/// How often a copy is tried anew because SQL had a newer token meanwhile.
const ROUNDS: usize = 4;
/// How long the generation stands beside the copy, milliseconds: longer than anybody is late. It begins anew with each copy.
const BESIDE_MS: i64 = 86_400_000;

/// Writes a copy and its generation, or removes the copy, unless a newer generation was there before; that is the
/// answer then. `ARGV[2]` is one that is known to be wrong: of a database that was set back.
const WRITE: &str = r"
local before = redis.call('GET', KEYS[2])
if before and before ~= ARGV[2] and (tonumber(before) or 0) > tonumber(ARGV[1]) then
    return tonumber(before)
end
if #ARGV == 3 then
    redis.call('DEL', KEYS[1])
elseif ARGV[5] == '' then
    redis.call('SET', KEYS[1], ARGV[4])
else
    redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return false";

/// How the copy stands to the token in SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the token, and ends with it.
    Agrees,
    /// There is none, and there should be one.
    Missing,
    /// An older one of ours.
    Behind,
    /// Neither this token nor one of ours: another program writes the same key.
    Foreign,
    /// There is no token to copy, and no copy.
    None,
}

impl Standing {
    /// The name, for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Agrees => "agrees",
            Standing::Missing => "missing",
            Standing::Behind => "behind",
            Standing::Foreign => "foreign",
            Standing::None => "none",
        }
    }
}

/// What Redis has: the value and how long it keeps it, milliseconds, and the generation beside it.
struct Found {
    value: Option<Vec<u8>>,
    left_ms: i64,
    generation: Option<i64>,
}

/// One account's copy as it should be.
struct Place<'a> {
    account: &'a Access,
    key: Secret,
    beside: String,
    stored: StoredToken,
    copy: Option<TokenCopy>,
}

impl Cache {
    /// How an account's copy stands; `None` where none is configured.
    pub async fn token_copy(&self, account: &Access, now_ms: i64) -> Result<Option<Standing>> {
        let Some(layout) = &account.token_layout else { return Ok(None) };
        let Some(place) = self.place(account, layout, now_ms).await? else { return Ok(None) };
        let found = self.found(&place).await?;
        Ok(Some(place.standing(&found)))
    }

    /// Brings an account's copy in line with SQL; how it stood before. `None` where none is configured.
    pub async fn copy_token(&self, account: &Access, now_ms: i64) -> Result<Option<Standing>> {
        let Some(layout) = &account.token_layout else { return Ok(None) };
        let (mut before, mut wrong) = (None, None);
        for _ in 0..ROUNDS {
            // Asked after what beat us in Redis was seen: had it come from this database, its generation were here.
            let Some(place) = self.place(account, layout, now_ms).await? else { break };
            let found = self.found(&place).await?;
            let standing = place.standing(&found);
            before = before.or(Some(standing));
            if matches!(standing, Standing::Agrees | Standing::None) {
                break;
            }
            match self.write(&place, wrong).await? {
                None => break,
                newer => wrong = newer,
            }
        }
        Ok(before)
    }

    async fn place<'a>(&self, account: &'a Access, layout: &Layout, now_ms: i64) -> Result<Option<Place<'a>>> {
        let Some(key) = layout.key(account) else { return Ok(None) };
        let beside = self.keys().await?.token(&account.name, key.reveal());
        let stored = self.store.stored_token(&account.name).await?;
        let original = |text| Original { text, expires_at: stored.expires_at, life_ms: stored.life_ms };
        let copy = stored.token.as_ref().and_then(|text| layout.copy(account, original(text), now_ms));
        Ok(Some(Place { account, key, beside, copy, stored }))
    }

    async fn found(&self, place: &Place<'_>) -> Result<Found> {
        let mut pipe = redis::pipe();
        pipe.cmd("GET").arg(place.key.reveal()).cmd("PTTL").arg(place.key.reveal()).cmd("GET").arg(&place.beside);
        let (value, left_ms, generation): (Option<Vec<u8>>, i64, Option<String>) = self.ask(&pipe).await?;
        Ok(Found { value, left_ms, generation: generation.and_then(|text| text.parse().ok()) })
    }

    /// Writes the copy, or removes it where there is no token; the newer generation that was there instead.
    async fn write(&self, place: &Place<'_>, wrong: Option<i64>) -> Result<Option<i64>> {
        let mut pipe: Pipeline = redis::pipe();
        pipe.cmd("EVAL").arg(WRITE).arg(2).arg(place.key.reveal()).arg(&place.beside);
        pipe.arg(place.stored.generation).arg(wrong.map(|wrong| wrong.to_string()).unwrap_or_default()).arg(BESIDE_MS);
        if let Some(copy) = &place.copy {
            pipe.arg(copy.value.reveal()).arg(copy.keep_ms.map(|keep| keep.to_string()).unwrap_or_default());
        }
        let (newer,): (Option<i64>,) = self.ask(&pipe).await?;
        Ok(newer)
    }
}

impl Place<'_> {
    fn standing(&self, found: &Found) -> Standing {
        let of_ours = found.generation.is_some_and(|generation| generation != self.stored.generation);
        match (&self.copy, &found.value) {
            (Some(copy), Some(value)) if copy.is(self.account, value, found.left_ms) => Standing::Agrees,
            (Some(_), None) => Standing::Missing,
            (None, None) => Standing::None,
            (Some(copy), Some(value)) if copy.holds(self.account, value) => Standing::Behind,
            // Of a generation before; or, where the present one was copied already, of whoever wrote over it.
            (_, Some(_)) if of_ours => Standing::Behind,
            (_, Some(_)) => Standing::Foreign,
        }
    }
}
