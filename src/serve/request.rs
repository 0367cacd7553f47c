//! The id of a request of our own API: it stands in the answer and in the log, so that one finds the other.

use crate::report::veiled;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest that is taken from a caller.
const LONGEST: usize = 64;

/// So many letters of a secret are one.
const FEWEST: usize = 8;

/// Letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone)]
pub(super) struct Id(String);

impl Id {
    /// The caller's own where it is sane, else a new one.
    pub fn of(headers: &HeaderMap) -> Id {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // Nor what the caller proves itself with: only its hash is known here.
        let proof = text(header::AUTHORIZATION).unwrap_or_default();
        let given = text(HEADER).filter(|id| is_sane(id) && !(id.len() >= FEWEST && proof.contains(id)));
        Id(given.map_or_else(|| format!("{:016x}", rand::random::<u64>()), str::to_owned))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is logged in it has the id, too, whoever logs.
    pub fn span(&self) -> tracing::Span {
        tracing::error_span!("request", request_id = %self.0)
    }

    /// Puts it into the head of an answer.
    pub fn on(&self, answer: &mut Response) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            answer.headers_mut().insert(HEADER, value);
        }
    }
}

/// What a log can hold; and no secret that somebody put there.
fn is_sane(text: &str) -> bool {
    let letter = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(letter) && veiled(text) == text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sane_one_is_kept_and_another_made_anew() {
        let of = |text: &str| Id::of(&HeaderMap::from_iter([(HEADER, HeaderValue::from_str(text).unwrap())])).0;
        assert_eq!(of("req-1.a_B"), "req-1.a_B");
        for bad in ["", "a b", "a\tb", "a=b", &"x".repeat(65)] {
            let made = of(bad);
            assert!(made.len() == 16 && made.bytes().all(|c| c.is_ascii_hexdigit()), "{bad}: {made}");
        }
        let mut both = HeaderMap::from_iter([(HEADER, HeaderValue::from_static("the-secret-itself"))]);
        both.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer the-secret-itself"));
        assert_eq!(Id::of(&both).0.len(), 16);
        assert_ne!(Id::of(&HeaderMap::new()).0, Id::of(&HeaderMap::new()).0);
    }
}
