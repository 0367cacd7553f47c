//! An access_token of a platform, as the keeper of tokens holds it.

use super::hex::hex;
use super::secret::Secret;

/// An access_token with its place in the line of tokens (reference 3.3).
#[derive(Debug, Clone)]
pub struct Token {
    /// The access_token itself; 512 characters and more.
    pub text: Secret,
    /// Counts the tokens of an account: a higher generation replaced a lower one.
    pub generation: i64,
    /// When it ends, in milliseconds since 1970; [`Token::UNKNOWN_EXPIRY`] for one that a person put in by hand.
    pub expires_at: i64,
    /// How long it had to live as it came, in milliseconds; `None`: not known.
    pub life_ms: Option<i64>,
}

impl Token {
    /// The expiry of a token whose end nobody knows: it is trusted until the platform refuses it (reference 3.3).
    pub const UNKNOWN_EXPIRY: i64 = i64::MAX;
}

/// Letters of a digest that are kept and compared: 128 bits.
pub const DIGEST_LETTERS: usize = 32;

/// The beginning of a secret's SHA-256 in hex: tells it from others, and does not tell it.
pub fn digest(secret: &Secret) -> String {
    let whole = ring::digest::digest(&ring::digest::SHA256, secret.reveal().as_bytes());
    let mut text = hex(whole.as_ref());
    text.truncate(DIGEST_LETTERS);
    text
}
