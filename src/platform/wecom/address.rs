//! GET /cgi-bin/get_api_domain_ip: the addresses of WeCom's API (WeCom reference 3.4). Asked for its answer to the
//! question whether a business API takes a call from this machine: gettoken is exempt from the list of trusted addresses,
//! and proves nothing about it (WeCom reference 2).

use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::domain::token::Token;
use crate::error::Result;
use crate::platform::fresh::Fresh;
use crate::platform::http::{Client, Request};

/// One call with the token that was just given, which is stored nowhere. 60020 where this machine's address is not listed.
pub async fn try_out(client: &Client, app: &Access, fresh: &Fresh) -> Result<()> {
    let text = Secret::new(fresh.text.reveal());
    let token = Token { text, generation: 0, expires_at: Token::UNKNOWN_EXPIRY, life_ms: None };
    client.call_once(app, &token, &Request::get("get_api_domain_ip")).await.map(drop)
}
