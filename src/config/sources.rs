//! What a configuration is made from. All of it is a value, so that tests run side by side.

use super::source::Origin;
use crate::error::{Error, Result};
use crate::say;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The variable that names the TOML file; in the environment only.
pub(super) const CONFIG: &str = "WXOPS_CONFIG";

/// The outside, as the loader sees it.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Values given as flags, by the name of their variable (`WXOPS_LISTEN`).
    pub flags: BTreeMap<&'static str, String>,
    /// The environment.
    pub env: Environment,
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// The current folder: where `./.env` and `./wxops.toml` are.
    pub dir: PathBuf,
    /// The file of the service, `/etc/wxops/wxops.toml`.
    pub etc: PathBuf,
    /// The effective user, who may own files with secrets beside root.
    pub uid: u32,
    /// Whether this runs in a container, whose mounts have modes nobody chose.
    pub container: bool,
}

/// Environment variables. `Debug` shows names only, because values may be secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variable, unless it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Environment {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        Environment(pairs.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Sources {
    /// The sources of this process. A variable of ours that is no UTF-8 is exit 78.
    pub fn of_process() -> Result<Self> {
        let mut env = BTreeMap::new();
        let ours = super::keys::variables();
        for (name, text) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match text.into_string() {
                Ok(text) => _ = env.insert(name, text),
                Err(_) if !ours.contains(&name) => {}
                Err(_) => {
                    return Err(Error::config(
                        say!("{name} (environment) is not UTF-8"; "{name}（环境变量）不是 UTF-8"),
                    ));
                }
            }
        }
        let container = env.contains_key("KUBERNETES_SERVICE_HOST")
            || ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists());
        Ok(Sources {
            flags: BTreeMap::new(),
            env: Environment(env),
            config: None,
            dir: PathBuf::from("."),
            etc: PathBuf::from("/etc/wxops/wxops.toml"),
            uid: rustix::process::geteuid().as_raw(),
            container,
        })
    }

    /// The first folder that systemd lets this service keep what must last in.
    pub(super) fn state_directory(&self) -> Option<PathBuf> {
        self.env.get("STATE_DIRECTORY")?.split(':').next().map(PathBuf::from)
    }

    /// The TOML file to read, and whether `./.env` counts too.
    pub(super) fn files(&self) -> Files {
        if let Some(path) = &self.config {
            return Files { toml: Some(self.dir.join(path)), dotenv: None, named: Origin::Flag };
        }
        if let Some(path) = self.env.get(CONFIG) {
            return Files { toml: Some(self.dir.join(path)), dotenv: None, named: Origin::Env(CONFIG.into()) };
        }
        let etc = present(&self.etc);
        let user = self.user_file().filter(|path| present(path));
        if etc {
            let toml = Some(user.unwrap_or_else(|| self.etc.clone()));
            return Files { toml, dotenv: None, named: Origin::Default };
        }
        let here = Some(self.dir.join("wxops.toml")).filter(|path| present(path));
        let dotenv = Some(self.dir.join(".env")).filter(|path| present(path));
        Files { toml: here.or(user), dotenv, named: Origin::Default }
    }

    /// `$XDG_CONFIG_HOME/wxops/wxops.toml`, by default under `~/.config`; a relative one doesn't count (XDG).
    fn user_file(&self) -> Option<PathBuf> {
        let home = match self.env.get("XDG_CONFIG_HOME").map(Path::new).filter(|path| path.is_absolute()) {
            Some(path) => path.to_owned(),
            None => Path::new(self.env.get("HOME")?).join(".config"),
        };
        Some(home.join("wxops/wxops.toml"))
    }
}

/// The files of one run.
pub(super) struct Files {
    pub toml: Option<PathBuf>,
    pub dotenv: Option<PathBuf>,
    /// What named the TOML file.
    pub named: Origin,
}

/// Whether there is something of this name. What can't be looked at counts as there: guessing otherwise
/// would silently take another file for it.
fn present(path: &Path) -> bool {
    path.try_exists().unwrap_or(true)
}
