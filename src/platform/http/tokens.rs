//! What a client asks of the keeper of tokens. The keeper needs a client itself: this trait cuts the knot.

use super::{Answer, Request};
use crate::domain::account::Access;
use crate::domain::token::Token;
use crate::error::Result;
use std::future::Future;
use std::pin::Pin;

/// A future in a box, so that `Tokens` works behind `dyn`.
pub type Pending<'a, T = Result<Token>> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The keeper of access_tokens, as a client sees it (reference 3.3).
pub trait Tokens: Send + Sync {
    /// The token to call with.
    fn current<'a>(&'a self, account: &'a Access) -> Pending<'a>;

    /// Another token than `used`, which the platform just refused: the stored one where it is newer, else a fresh one.
    fn refused<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a>;

    /// The token that took the place of a refused one was refused too: it is noted, and not replaced.
    fn refused_again<'a>(&'a self, account: &'a Access, used: &'a Token, why: Refused) -> Pending<'a, ()>;
}

/// In which words a token was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The API that was called.
    pub api: String,
    /// 40001, 40014 or 42001.
    pub errcode: i64,
    /// The platform's request id.
    pub rid: Option<String>,
}

impl Refused {
    pub(super) fn by<T>(request: &Request, answer: &Answer<T>) -> Self {
        Refused { api: request.api().to_owned(), errcode: answer.errcode, rid: answer.rid.clone() }
    }
}
