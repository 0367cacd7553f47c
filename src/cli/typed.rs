//! A wrong command line is answered with what was typed. Where that is a secret, pasted as an argument, it is not
//! repeated: stderr is kept in logs and mails.

use super::flags;
use crate::config::{Sources, secret_parts, secrets};
use crate::domain::secret::Secret;
use crate::report::keep_secret;
use std::ffi::OsString;

/// The shortest argument that is taken for a secret by its looks alone; an AppSecret has 32 letters.
const FEWEST: usize = 20;

/// What is shorter than this is not hidden in messages.
const SHORTEST: usize = 8;

/// Keeps what is configured and what looks like a secret among the arguments out of the answer.
pub(super) fn keep(args: &[OsString]) {
    if let Some(mut sources) = Sources::of_process().ok().filter(|_| args.iter().skip(1).any(may_hold_one)) {
        sources.config = flags::guess_config(args);
        keep_secret(&secrets(&sources));
    }
    let typed = args.iter().skip(1).filter_map(|arg| arg.to_str());
    // `--flag=VALUE` and `NAME=VALUE` have one behind the sign; a secret may end with it.
    let words = typed.map(|arg| arg.trim_start_matches('-')).flat_map(|word| {
        let (before, behind) = word.split_once('=').unwrap_or_default();
        [word, before, behind]
    });
    let words = words.filter(|word| word.contains("://") || looks_secret(word));
    keep_secret(&words.flat_map(|word| secret_parts(&Secret::new(word))).collect::<Vec<_>>());
}

/// A slip in a verb or the name of a flag is none: for it the configuration is not opened.
fn may_hold_one(arg: &OsString) -> bool {
    let arg = arg.to_string_lossy();
    let name =
        arg.strip_prefix("--").is_some_and(|name| name.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase()));
    arg.len() >= SHORTEST && !name
}

/// Long, letters and digits mixed, and nothing but what base64, hex and access_tokens are made of.
fn looks_secret(word: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let made_of = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    word.len() >= FEWEST
        && word.bytes().all(made_of)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !word.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_its_looks() {
        for word in [
            "0123456789abcdef0123456789abcdef",
            "77_51Gi0JkebT4MJFgzGoRTZxOR_xq8",
            "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o",
        ] {
            assert!(looks_secret(word), "{word}");
        }
        for word in [
            "subscribe",
            "2026-11-01T08:00:00+08:00",
            "/var/lib/wxops2/db",
            "no-such-flag-of-any-verb",
            "event.subscribe",
            "busy@/cgi-bin/user/info=0.5",
        ] {
            assert!(!looks_secret(word), "{word}");
        }
    }
}
