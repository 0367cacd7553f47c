//! Every secret that the sources hold, even where they don't make a configuration: so that no message shows one.

use super::keys::{self, Setting};
use super::layers::Layers;
use super::sources::Sources;
use super::values;
use crate::domain::redis::is_cluster;
use crate::domain::secret::Secret;
use reqwest::Url;

/// What begins so is a URL, and not a password that looks like one.
const SCHEMES: [&str; 7] = ["http", "https", "mysql", "mariadb", "sqlite", "redis", "rediss"];

/// The secrets that are set. Files of a single secret are not opened for it: one may be a pipe, which is read once.
pub fn secrets(sources: &Sources) -> Vec<Secret> {
    let files = sources.files();
    let regular = [files.toml, files.dotenv].into_iter().flatten().all(|path| path.is_file());
    match Some(sources).filter(|_| regular).and_then(|sources| Layers::open(sources).ok()) {
        Some(layers) => layers.into_warnings_and_secrets().1,
        None => all(|setting| in_environment(sources, setting).into_iter().collect()),
    }
}

/// What is secret in the values that `of` finds for each secret setting.
pub(super) fn all(of: impl Fn(&Setting) -> Vec<Secret>) -> Vec<Secret> {
    let hidden = keys::GLOBAL.iter().chain(keys::accounts()).filter(|setting| is_secret(setting));
    hidden.flat_map(of).flat_map(|value| parts(&value)).collect()
}

/// The value of its variable.
pub(super) fn in_environment(sources: &Sources, setting: &Setting) -> Option<Secret> {
    setting.env.and_then(|name| sources.env.get(name)).map(Secret::new)
}

/// Whether a value must not be shown; a proxy's may have a password in it.
pub(super) fn is_secret(setting: &Setting) -> bool {
    setting.secret || *setting == keys::PROXY
}

/// Of a URL what is secret in it, password and parameters; anything else is secret as a whole.
pub fn parts(value: &Secret) -> Vec<Secret> {
    let url = match is_cluster(value.reveal()) {
        true => values::redis_nodes(value.reveal()).and_then(|nodes| nodes.into_iter().next()),
        false => Url::parse(value.reveal()).ok(),
    };
    let url = url.filter(|url| SCHEMES.contains(&url.scheme()));
    let Some(url) = url else { return vec![value.clone()] };
    let mut parts: Vec<Secret> = url.query_pairs().map(|(_, text)| Secret::new(text)).collect();
    if let Some(password) = url.password() {
        parts.extend([Secret::new(password), Secret::new(decoded(password))]);
    }
    parts
}

/// Percent-decoding, as far as it goes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let byte = pair.filter(|_| *first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_url_its_password_and_parameters() {
        let found =
            |text: &str| parts(&Secret::new(text)).iter().map(|part| part.reveal().to_owned()).collect::<Vec<_>>();
        assert_eq!(found("mysql://u:p%40%2fss%@h/d?ssl-mode=DISABLED"), ["DISABLED", "p%40%2fss%", "p@/ss%"]);
        assert_eq!(found("https://h/cgi-bin/webhook/send?key=hu%73h"), ["hush"]);
        assert_eq!(found("sqlite://wxops.db"), [""; 0]);
        assert_eq!(found("hush:"), ["hush:"]);
        assert_eq!(found("rediss://:p%40ss@h:1/2"), ["p%40ss", "p@ss"]);
        assert_eq!(found("redis-cluster://u:hush@h:1,i:2"), ["hush", "hush"]);
    }
}
