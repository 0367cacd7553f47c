//! How a unit or a crontab calls this installation: the full paths of the binary and of its configuration.

use crate::config::{Config, Origin, Sources};
use crate::error::{Error, Result, Text};
use crate::say;
use std::path::{Path, PathBuf};

/// The variable that names the configuration; the paths take its place.
const CONFIG: &str = "WXOPS_CONFIG";

/// The binary's full path: the one in PATH where that is this very file, because it outlives an upgrade; else the
/// file itself.
pub(super) fn binary(sources: &Sources) -> Result<PathBuf> {
    let me = std::env::current_exe().map_err(|error| {
        Error::failed(say!("the binary's own path is not known: {error}"; "无法得知程序自身的路径：{error}"))
            .source(error)
    })?;
    let folders = sources.env.get("PATH").map(std::env::split_paths).into_iter().flatten();
    let names = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join("wxops"));
    let same = |path: &PathBuf| path.canonicalize().is_ok_and(|real| real == me);
    Ok(names.into_iter().find(same).unwrap_or(me))
}

/// The full path of the TOML file that is read wherever the program is called; `None` where `./.env` or `./wxops.toml`
/// are read, which are those of the current folder alone, or nothing is.
pub(super) fn file(config: &Config, sources: &Sources) -> Option<PathBuf> {
    let file = config.file.as_ref().filter(|_| config.dotenv.is_none())?;
    let here = *config.origins.of(CONFIG) == Origin::Default && *file == sources.dir.join("wxops.toml");
    std::path::absolute(file).ok().filter(|_| !here)
}

/// Whether the configuration is read, or the database lies, where the program is called.
pub(super) fn needs_folder(config: &Config, sources: &Sources) -> bool {
    let here = config.file.is_some() || config.dotenv.is_some();
    let url = config.database_url.reveal();
    let relative = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    (here && file(config, sources).is_none()) || (here && relative.is_some_and(|path| !path.starts_with('/')))
}

/// The path as text; exit 1 where it is none.
pub(super) fn text(path: &Path) -> Result<&str> {
    path.to_str().filter(|text| !text.contains(char::is_control)).ok_or_else(|| {
        let path = path.display();
        Error::failed(
            say!("{path:?} can't be written into a file: its name is no text"; "{path:?} 无法写入文件：其名称不是文本"),
        )
        .next(say!("give it another name"; "请改名"))
    })
}

/// What this shell sets and neither cron nor systemd would.
pub(super) fn only_here(config: &Config) -> Option<Text> {
    let variable = |origin: &Origin| match origin {
        Origin::Env(name) if name != CONFIG => Some(name.clone()),
        Origin::SecretFile { named, .. } => match &**named {
            Origin::Env(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    };
    let mut names: Vec<_> = config.origins.iter().filter_map(|(_, origin)| variable(origin)).collect();
    names.sort();
    names.dedup();
    let names = names.join(", ");
    (!names.is_empty()).then(|| {
        say!(
            "beware: {names} is set in this shell, and a job will not have it: write it into the configuration";
            "注意：{names} 只在当前 shell 中设置，定时任务读不到：请写入配置文件"
        )
    })
}
