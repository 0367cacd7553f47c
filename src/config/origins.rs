//! What every setting is and where it came from: for `doctor --origins`, and to see what a reload changed.

use super::keys;
use super::source::{Origin, Value};
use crate::domain::secret::Secret;
use reqwest::Url;
use std::collections::BTreeMap;

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is.
    Plain,
    /// As `***`.
    Masked,
    /// A URL: only its password is hidden.
    Url,
    /// A URL of which only the host is shown.
    Host,
}

/// One setting as it stands.
#[derive(Debug, Clone)]
struct Known {
    origin: Origin,
    text: Option<Secret>,
    shown: Shown,
}

/// A setting for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective<'a> {
    /// `WXOPS_LISTEN`, `official.main.app_id`, …
    pub name: &'a str,
    /// Its value with secrets masked; `None` where it has none.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: &'a Origin,
}

/// Every setting with its origin: `WXOPS_LISTEN`, `official.main.app_id`, …
#[derive(Debug, Clone, Default)]
pub struct Origins(BTreeMap<String, Known>);

impl Origins {
    /// Where the setting came from; `Default` where nobody set it.
    pub fn of(&self, setting: &str) -> &Origin {
        self.0.get(setting).map_or(&Origin::Default, |known| &known.origin)
    }

    /// All settings with their origin, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.0.iter().map(|(name, known)| (name.as_str(), &known.origin))
    }

    /// All settings as a person may see them, by name.
    pub fn settings(&self) -> impl Iterator<Item = Effective<'_>> {
        self.0.iter().map(|(name, known)| Effective { name, value: known.value(), origin: &known.origin })
    }

    /// The settings whose value is another one than in `other`, by name.
    pub fn changed(&self, other: &Origins) -> Vec<&str> {
        let text = |known: &'_ Known| known.text.as_ref().map(|text| text.reveal().to_owned());
        let same = |name: &str, known: &Known| other.0.get(name).is_some_and(|old| text(old) == text(known));
        self.0.iter().filter(|(name, known)| !same(name, known)).map(|(name, _)| name.as_str()).collect()
    }

    /// Notes what was found of a setting; its default where nothing was.
    pub(super) fn take(&mut self, name: &str, setting: &keys::Setting, found: Option<&Value>) {
        let (origin, text) = match found {
            Some(value) => (value.origin.clone(), Some(value.text.clone())),
            None => (Origin::Default, setting.default().map(Secret::new)),
        };
        self.note(name, origin, text, setting.shown());
    }

    /// Notes a setting.
    pub(super) fn note(&mut self, setting: &str, origin: Origin, text: Option<Secret>, shown: Shown) {
        self.0.insert(setting.to_owned(), Known { origin, text, shown });
    }
}

impl Known {
    fn value(&self) -> Option<String> {
        let text = self.text.as_ref()?.reveal();
        Some(match self.shown {
            Shown::Plain => text.to_owned(),
            Shown::Masked => "***".to_owned(),
            Shown::Url => without_password(text),
            Shown::Host => host(text),
        })
    }
}

/// Scheme, host and port: the path of a webhook is often its key.
pub(super) fn host(text: &str) -> String {
    let Ok(url) = Url::parse(text) else { return "***".to_owned() };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The password is all that is secret of a URL of ours; what can't be read as one is hidden whole.
fn without_password(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    match Url::parse(text) {
        Ok(url) if url.password().is_none() => text.to_owned(),
        Ok(mut url) => url.set_password(Some("***")).map_or_else(|()| "***".to_owned(), |()| url.into()),
        Err(_) => "***".to_owned(),
    }
}
