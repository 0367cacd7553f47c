//! The WeCom applications and the mini-games of a configuration: accounts that are called for.

use super::access::{Reader, at_table};
use super::keys::{self, Setting};
use super::layers::Layers;
use super::origins::Origins;
use crate::domain::account::{Access, Platform};
use crate::error::{Error, Result};
use crate::say;

/// Reads the accounts of a platform. Without a table the variables describe one that is called as the platform is; with
/// one table they speak of it too.
pub(super) fn apps(layers: &Layers<'_>, platform: Platform, origins: &mut Origins) -> Result<Vec<Access>> {
    let tables: Vec<&str> = layers.file.iter().flat_map(|file| file.accounts_on(platform)).map(|(n, _)| &**n).collect();
    if tables.is_empty() {
        let reader = Reader { layers, platform, name: platform.as_str(), variables: true };
        let app = reader.access(origins)?;
        return app.map(|app| complete(app, &reader)).transpose().map(|app| app.into_iter().collect());
    }
    let one = |name: &&str| {
        let reader = Reader { layers, platform, name, variables: tables.len() == 1 };
        let key = reader.names(id(platform));
        let missing = || at_table(layers, (platform, name), say!("{key} is missing"; "缺少 {key}"));
        reader.access(origins)?.ok_or_else(missing).and_then(|app| complete(app, &reader))
    };
    tables.iter().map(one).collect()
}

fn id(platform: Platform) -> &'static Setting {
    match platform {
        Platform::Official => &keys::APP_ID,
        Platform::WeCom => &keys::CORP_ID,
        Platform::MiniGame => &keys::GAME_ID,
    }
}

/// Without a secret nothing can be called; a WeCom application is told from its neighbours by its AgentId.
fn complete(app: Access, reader: &Reader<'_>) -> Result<Access> {
    let secret = if app.platform == Platform::WeCom { &keys::CORP_SECRET } else { &keys::GAME_SECRET };
    let missing = match (app.platform, app.agent_id) {
        (Platform::WeCom, None) => &keys::AGENT_ID,
        _ if !app.has_token() => secret,
        _ => return Ok(app),
    };
    let missing = reader.names(missing);
    let Some(value) = reader.layers.get(id(app.platform), reader.scope())? else { return Ok(app) };
    Err(value.error(say!("{missing} is missing beside it"; "还缺少 {missing}")))
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
