//! The WeCom applications and the mini-games of a configuration: what they are read by, and that no two are the same.

use super::access::{Reader, at_table};
use super::keys::{self, Setting};
use super::layers::Layers;
use super::origins::Origins;
use crate::domain::account::{Access, Platform, WeCom};
use crate::error::{Error, Result};
use crate::say;

/// The WeCom applications.
pub(super) fn wecoms(layers: &Layers<'_>, origins: &mut Origins) -> Result<Vec<WeCom>> {
    each(layers, (Platform::WeCom, &keys::CORP_ID), |reader| reader.wecom(origins))
}

/// The mini-games.
pub(super) fn games(layers: &Layers<'_>, origins: &mut Origins) -> Result<Vec<Access>> {
    each(layers, (Platform::MiniGame, &keys::GAME_ID), |reader| {
        let Some(game) = reader.access(origins)? else { return Ok(None) };
        // Without a secret nothing can be called.
        match game.has_token() {
            true => Ok(Some(game)),
            false => reader.missing(&keys::GAME_ID, &keys::GAME_SECRET).map(|()| Some(game)),
        }
    })
}

/// Reads the accounts of a platform. Without a table the variables describe one that is called as the platform is; with
/// one table they speak of it too.
fn each<T>(
    layers: &Layers<'_>,
    (platform, id): (Platform, &Setting),
    mut read: impl FnMut(&Reader<'_>) -> Result<Option<T>>,
) -> Result<Vec<T>> {
    let tables: Vec<&str> = layers.file.iter().flat_map(|file| file.accounts_on(platform)).map(|(n, _)| &**n).collect();
    if tables.is_empty() {
        let reader = Reader { layers, platform, name: platform.as_str(), variables: true };
        return read(&reader).map(|app| app.into_iter().collect());
    }
    let one = |name: &&str| {
        let reader = Reader { layers, platform, name, variables: tables.len() == 1 };
        let key = reader.names(id);
        let missing = || at_table(layers, (platform, name), say!("{key} is missing"; "缺少 {key}"));
        read(&reader)?.ok_or_else(missing)
    };
    tables.iter().map(one).collect()
}

/// One name is one account, whatever its platform; and two names for one account would fight for its access_token.
pub(super) fn unlike(layers: &Layers<'_>, all: &[&Access]) -> Result<()> {
    let fault = |at: &Access, why| -> Result<(), Error> { Err(at_table(layers, (at.platform, &at.name), why)) };
    for (position, new) in all.iter().enumerate() {
        for old in &all[..position] {
            let (platform, name) = (old.platform.as_str(), &old.name);
            if old.name == new.name {
                let why = say!("has the same name as {platform}.{name}"; "与 {platform}.{name} 同名");
                return fault(new, why);
            }
            if old.identity() == new.identity() {
                let why = match new.platform {
                    Platform::WeCom => {
                        say!("has the same corp_id and agent_id as {platform}.{name}"; "与 {platform}.{name} 的 corp_id 和 agent_id 相同")
                    }
                    _ => say!("has the same app_id as {platform}.{name}"; "与 {platform}.{name} 的 app_id 相同"),
                };
                return fault(new, why);
            }
        }
    }
    Ok(())
}
