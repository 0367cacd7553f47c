//! An access_token of a platform, as the keeper of tokens holds it.

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
}

impl Token {
    /// The expiry of a token whose end nobody knows: it is trusted until the platform refuses it (reference 3.3).
    pub const UNKNOWN_EXPIRY: i64 = i64::MAX;
}
