//! A hook: who wants to hear of which events, and how they are told.

use super::account::Platform;
use super::event::Kind;
use super::secret::Secret;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// What an erasure is told as; every hook that ever got something of the person hears of it.
pub const PERSON_ERASED: &str = "person.erased";

/// One `[[hook]]`.
#[derive(Debug, Clone)]
pub struct Hook {
    /// `[a-z0-9_-]{1,32}`; in tables and labels.
    pub name: String,
    /// Where its events go.
    pub to: Target,
    /// Which events, any of them.
    pub events: Vec<Pattern>,
    /// Of which accounts; none: of all.
    pub accounts: Vec<String>,
    /// What one try may take.
    pub timeout: Duration,
    /// Tries before a delivery is given up.
    pub tries: i64,
    /// Whether a try whose outcome is not known is repeated, or waits for a person.
    pub repeats: bool,
}

/// Where the events of a hook go.
#[derive(Debug, Clone)]
pub enum Target {
    /// An HTTP endpoint, signed as Standard Webhooks specify.
    Url {
        /// The whole address; parts of it may be secret.
        url: Secret,
        /// Its scheme, host and port: what may be shown.
        host: String,
        /// The current key, and the one before it during a change.
        keys: Vec<SigningKey>,
        /// A fixed exit.
        proxy: Option<Secret>,
    },
    /// A program and its arguments; it reads the event from stdin.
    Command(Vec<String>),
}

/// The key of an endpoint, as Standard Webhooks have it: random bytes, written in base64 behind `whsec_`.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<Vec<u8>>);

impl SigningKey {
    /// How a key begins where it is written.
    pub const PREFIX: &str = "whsec_";
    /// Bytes of a key, at least and at most.
    const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

    /// Reads a key, with or without its prefix; `None` for what is no key.
    pub fn parse(written: &str) -> Option<SigningKey> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let text = written.strip_prefix(Self::PREFIX).unwrap_or(written);
        let bytes = GeneralPurpose::new(&STANDARD, config).decode(text).ok()?;
        Some(SigningKey(Zeroizing::new(bytes))).filter(|key| Self::BYTES.contains(&key.0.len()))
    }

    /// The bytes that sign.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Which kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// All.
    Any,
    /// All messages, `message.*`.
    Messages,
    /// All events, `event.*`.
    Events,
    /// All messages and events of WeCom, `wecom.*`.
    WeCom,
    /// This kind.
    Kind(Kind),
}

impl Pattern {
    /// `event.subscribe`, `text` for `message.text`, `event.*`, `message.*`, `wecom.*` or `*`; `None` for what names no kind.
    pub fn parse(text: &str) -> Option<Pattern> {
        match text {
            "*" => Some(Pattern::Any),
            "message.*" => Some(Pattern::Messages),
            "event.*" => Some(Pattern::Events),
            "wecom.*" => Some(Pattern::WeCom),
            "unknown" => Some(Pattern::Kind(Kind::UNKNOWN)),
            "wecom.unknown" => Some(Pattern::Kind(Kind::WECOM_UNKNOWN)),
            _ => Pattern::names().find(|(name, short, _)| *name == text || *short == Some(text)).map(|(.., p)| p),
        }
    }

    /// Every kind with its name and, of a message, its short name.
    pub fn names() -> impl Iterator<Item = (&'static str, Option<&'static str>, Pattern)> {
        Kind::all().map(|kind| (kind.as_str(), kind.as_str().strip_prefix("message."), Pattern::Kind(kind)))
    }

    fn takes(self, kind: Kind) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Messages => kind.as_str().starts_with("message."),
            Pattern::Events => kind.as_str().starts_with("event."),
            Pattern::WeCom => kind.platform() == Platform::WeCom,
            Pattern::Kind(wanted) => wanted == kind,
        }
    }
}

impl Target {
    fn is(&self, other: &Target) -> bool {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        match (self, other) {
            (Target::Command(one), Target::Command(other)) => one == other,
            (Target::Url { url, keys, proxy, .. }, Target::Url { url: to, keys: with, proxy: by, .. }) => {
                let same_keys = keys.iter().map(SigningKey::bytes).eq(with.iter().map(SigningKey::bytes));
                url.reveal() == to.reveal() && same_keys && text(proxy) == text(by)
            }
            _ => false,
        }
    }
}

impl Hook {
    /// Whether it wants to hear of events of this kind.
    pub fn wants(&self, account: &str, kind: Kind) -> bool {
        let account = self.accounts.is_empty() || self.accounts.iter().any(|name| name == account);
        account && self.events.iter().any(|pattern| pattern.takes(kind))
    }

    /// Whether deliveries of both leave alike: to the same place, signed with the same keys, within the same limits.
    pub fn tells_like(&self, other: &Hook) -> bool {
        let limits = |hook: &Hook| (hook.timeout, hook.tries, hook.repeats);
        self.name == other.name && limits(self) == limits(other) && self.to.is(&other.to)
    }

    /// Where it leads, as people and logs may see it.
    pub fn place(&self) -> &str {
        match &self.to {
            Target::Url { host, .. } => host,
            Target::Command(words) => words.first().map_or("", String::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_has_24_to_64_bytes() {
        let bytes = |text: &str| SigningKey::parse(text).map(|key| key.bytes().len());
        assert_eq!(bytes(&format!("whsec_{}", "A".repeat(32))), Some(24));
        assert_eq!(bytes(&format!("{}==", "A".repeat(86))), Some(64));
        for wrong in ["", &"A".repeat(28), &"A".repeat(88), "not base64! not base64! not base64!", "whsec_"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(format!("{:?}", SigningKey::parse(&"A".repeat(32)).unwrap()), "***");
    }

    #[test]
    fn patterns_take_what_they_name() {
        let takes = |pattern: &str, kind: &str| Pattern::parse(pattern).unwrap().takes(Kind::named(kind));
        for (pattern, kind, taken) in [
            ("*", "unknown", true),
            ("*", "message.text", true),
            ("event.*", "event.subscribe", true),
            ("event.*", "message.text", false),
            ("event.*", "unknown", false),
            ("message.*", "message.location", true),
            ("message.*", "event.location", false),
            ("text", "message.text", true),
            ("location", "message.location", true),
            ("location", "event.location", false),
            ("event.location", "event.location", true),
            ("unknown", "unknown", true),
            ("*", "wecom.event.subscribe", true),
            ("wecom.*", "wecom.event.subscribe", true),
            ("wecom.*", "wecom.unknown", true),
            ("wecom.*", "event.subscribe", false),
            ("event.*", "wecom.event.subscribe", false),
            ("event.subscribe", "wecom.event.subscribe", false),
            ("text", "wecom.message.text", false),
            ("wecom.unknown", "unknown", false),
        ] {
            assert_eq!(takes(pattern, kind), taken, "{pattern} {kind}");
        }
        for wrong in ["", "subscribe", "event.", "Text", "event.**"] {
            assert_eq!(Pattern::parse(wrong), None, "{wrong}");
        }
    }
}
