//! What a client asks of the keeper of tokens. The keeper needs a client itself: this trait cuts the knot.

use crate::domain::account::Official;
use crate::domain::token::Token;
use crate::error::Result;
use std::future::Future;
use std::pin::Pin;

/// A future in a box, so that `Tokens` works behind `dyn`.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// The keeper of access_tokens, as a client sees it (reference 3.3).
pub trait Tokens: Send + Sync {
    /// The token to call with.
    fn current<'a>(&'a self, account: &'a Official) -> Pending<'a, Token>;

    /// Another token than `used`, which the platform just refused: the stored one where it is newer, else a fresh one.
    fn refused<'a>(&'a self, account: &'a Official, used: &'a Token) -> Pending<'a, Token>;
}
