//! A folder of its own for each test, and what the loader makes of it.

#![allow(clippy::unwrap_used)]

mod clients;
mod hooks;
mod matrix;
mod merge;
mod refusals;
mod replies;
mod secrets;
mod wecom;

use super::*;
use crate::error::Kind;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A folder of its own with the files that the loader may find.
struct Scene {
    dir: tempfile::TempDir,
    sources: Sources,
}

fn scene() -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let sources = Sources {
        flags: Default::default(),
        env: Environment::default(),
        config: None,
        dir: dir.path().to_owned(),
        etc: dir.path().join("etc/wxops.toml"),
        uid: fs::metadata(dir.path()).unwrap().uid(),
        container: false,
    };
    Scene { dir, sources }
}

impl Scene {
    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn file(self, name: &str, text: &str) -> Self {
        self.file_mode(name, text, 0o600)
    }

    fn file_mode(self, name: &str, text: &str, mode: u32) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn env(mut self, pairs: &[(&str, &str)]) -> Self {
        let dir = self.dir.path().display().to_string();
        self.sources.env = pairs.iter().map(|(name, text)| (*name, text.replace("DIR", &dir))).collect();
        self
    }

    fn flag(mut self, name: &'static str, text: &str) -> Self {
        self.sources.flags.insert(name, text.to_owned());
        self
    }

    fn load(&self) -> Config {
        Config::load(&self.sources).unwrap()
    }

    /// Loads, expects exit 78, and gives the message with the folder's path as `DIR`.
    fn refused(&self) -> (String, String) {
        let error = Config::load(&self.sources).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.what.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", error.what.zh);
        let dir = self.dir.path().display().to_string();
        let next = error.next.map(|next| next.en).unwrap_or_default();
        (error.what.en.replace(&dir, "DIR"), next.replace(&dir, "DIR"))
    }
}
