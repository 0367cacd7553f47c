//! GET /cgi-bin/getcallbackip: the addresses that pushes come from (reference 3.5). Cheap, and it needs a good
//! access_token: the way to find out whether one is good.

use crate::domain::account::Access;
use crate::domain::token::Token;
use crate::error::Result;
use crate::platform::http::{Client, Request};

const API: &str = "getcallbackip";

/// One try with this very token, which is not replaced where it is refused.
pub async fn try_token(client: &Client, account: &Access, token: &Token) -> Result<()> {
    client.call_once(account, token, &Request::get(API)).await.map(drop)
}

/// The platform's clock, milliseconds; it is told without a token, too.
pub async fn clock(client: &Client, account: &Access) -> Result<Option<i64>> {
    client.date(account, &Request::get(API)).await
}
