//! Where a value came from: for error messages, and for a person who asks why a setting is what it is.

use crate::domain::secret::Secret;
use crate::error::{Error, Text};
use crate::say;
use std::path::PathBuf;

/// The place a value was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag,
    /// The environment variable of this name.
    Env(String),
    /// A line of `./.env`, counted from 1.
    DotEnv {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
    },
    /// A line of the TOML file.
    File {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
    },
    /// A file in `$CREDENTIALS_DIRECTORY`, made by systemd.
    Credential(PathBuf),
    /// The file that a `NAME_FILE` variable or a `name_file` key points at.
    SecretFile {
        /// The file.
        path: PathBuf,
        /// Where the pointer stands.
        named: Box<Origin>,
    },
    /// Nobody set it.
    Default,
}

impl Origin {
    /// The place in words, such as `line 3 of ./.env`.
    pub fn text(&self) -> Text {
        match self {
            Origin::Flag => say!("on the command line"; "命令行"),
            Origin::Env(name) => say!("environment variable {name}"; "环境变量 {name}"),
            Origin::DotEnv { path, line } | Origin::File { path, line } => {
                let path = path.display();
                say!("line {line} of {path}"; "{path} 第 {line} 行")
            }
            Origin::Credential(path) => {
                let path = path.display();
                say!("credential {path}"; "凭据文件 {path}")
            }
            Origin::SecretFile { path, .. } => {
                let path = path.display();
                say!("file {path}"; "文件 {path}")
            }
            Origin::Default => say!("default"; "默认值"),
        }
    }

    /// The place in the fewest letters, the same in every language: `environment NAME`, `./.env:3`, `FILE:7`.
    pub fn brief(&self) -> String {
        match self {
            Origin::Flag => "flag".into(),
            Origin::Env(name) => format!("environment {name}"),
            Origin::DotEnv { path, line } | Origin::File { path, line } => format!("{}:{line}", path.display()),
            Origin::Credential(path) => format!("credential {}", path.display()),
            Origin::SecretFile { path, named } => format!("file {} ({})", path.display(), named.brief()),
            Origin::Default => "default".into(),
        }
    }
}

/// Which source outranks which; the smaller one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Flag,
    Environment,
    DotEnv,
    File,
}

/// A value as it was found, not looked at yet; any of them may be a secret.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Its name at the place it was found: `WECHAT_AES_KEY`, `official.main.aes_key`.
    pub key: String,
    pub text: Secret,
    pub origin: Origin,
    pub layer: Layer,
}

impl Value {
    /// Exit 78 that names the key and the place; `why` must not repeat a secret.
    pub fn error(&self, why: Text) -> Error {
        let (key, place) = (&self.key, self.origin.text());
        let (en, zh, why_en, why_zh) = (place.en, place.zh, why.en, why.zh);
        Error::config(say!("{key} ({en}): {why_en}"; "{key}（{zh}）：{why_zh}"))
    }

    /// Like [`Value::error`] for the complaint of a parser below.
    pub fn wrap(&self, error: Error) -> Error {
        let mut named = self.error(error.what);
        named.next = error.next;
        named
    }
}
