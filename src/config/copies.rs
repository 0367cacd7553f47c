//! Copies of access_tokens for other programs: each wants a Redis, and a key that no other account writes.

use super::keys;
use super::layers::{Layers, Scope};
use crate::domain::account::Access;
use crate::domain::layout::Layout;
use crate::error::{Result, Text};
use crate::say;

/// Refuses a layout that could not be written, or not without overwriting another one.
pub(super) fn check<'a>(layers: &Layers<'_>, all: impl Iterator<Item = &'a Access>, redis: bool) -> Result<()> {
    let mut before: Vec<&Access> = Vec::new();
    for account in all {
        let Some(layout) = &account.token_layout else { continue };
        if let Some(why) = fault(account, layout, &before, redis) {
            let scope = Scope { account: Some((account.platform, &account.name)), variables: false };
            if let Some(value) = layers.get(&keys::TOKEN_LAYOUT, scope)? {
                return Err(value.error(why));
            }
        }
        before.push(account);
    }
    Ok(())
}

fn fault(account: &Access, layout: &Layout, before: &[&Access], redis: bool) -> Option<Text> {
    if !redis {
        return Some(say!(
            "the copy is kept in a Redis, and REDIS_URL (redis_url) is missing";
            "副本保存在 Redis 中，但没有设置 REDIS_URL（redis_url）"
        ));
    }
    if layout.needs_secret() && account.secret.is_none() {
        return Some(say!(
            "this layout holds the account's secret, which is missing beside it";
            "该格式包含账号的 secret，但此处没有设置"
        ));
    }
    let key = layout.key(account)?;
    let same = |other: &&&Access| {
        let theirs = other.token_layout.as_ref().and_then(|layout| layout.key(other));
        theirs.is_some_and(|theirs| theirs.matches(key.reveal()))
    };
    let other = before.iter().find(same)?;
    let (platform, name) = (other.platform.as_str(), &other.name);
    Some(say!("writes the same key as {platform}.{name}"; "与 {platform}.{name} 写同一个键"))
}
