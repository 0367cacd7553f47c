//! Where the token of an account is asked for: one of the platform's three APIs, or another installation.

use super::Renewal;
use crate::domain::account::{Access, TokenApi};
use crate::domain::token::Token;
use crate::error::Result;
use crate::platform::errcode::{self, Class};
use crate::platform::fresh::Fresh;
use crate::platform::http::Client;
use crate::platform::wechat::token::{self, Renewal as Stable};
use crate::platform::{Platform, peer, wechat, wecom};

/// The token of an account, new where it has to be.
pub(super) async fn renewed(client: &Client, account: &Access, renewal: Renewal<'_>) -> Result<Fresh> {
    if let Some(from) = &account.token_from {
        let refused = match renewal {
            Renewal::Refused(digest) => Some(digest),
            Renewal::Due | Renewal::Force => None,
        };
        return peer::token(client, account, from, refused).await;
    }
    match (account.token_api, renewal) {
        (TokenApi::Stable, Renewal::Force) => token::stable(client, account, Stable::Force).await,
        _ => fetch(client, account).await,
    }
}

/// Asks by the account's API as it would be asked on any day. That changes nothing while the present token lives, but
/// for /cgi-bin/token, which makes a new one.
pub async fn fetch(client: &Client, account: &Access) -> Result<Fresh> {
    match (&account.token_from, account.token_api) {
        (Some(from), _) => peer::token(client, account, from, None).await,
        (None, TokenApi::Stable) => token::stable(client, account, Stable::Normal).await,
        (None, TokenApi::Legacy) => token::legacy(client, account).await,
        (None, TokenApi::GetToken) => wecom::token::get(client, account).await,
    }
}

/// Only stable_token has a force_refresh; /cgi-bin/token makes a new token anyway.
pub fn can_be_forced(account: &Access) -> bool {
    account.token_from.is_none() && account.token_api == TokenApi::Stable
}

/// How `token_history` names where a token came from.
pub(super) fn source(account: &Access, renewal: Renewal<'_>) -> &'static str {
    match (&account.token_from, renewal) {
        (Some(_), _) => "token_from",
        (None, Renewal::Force) if can_be_forced(account) => "forced",
        (None, _) => account.token_api.as_str(),
    }
}

/// Whether the platform takes a token: one cheap call with it.
pub(super) async fn works(client: &Client, account: &Access, token: &Token) -> Result<bool> {
    match wechat::address::try_token(client, account, token).await {
        Ok(()) => Ok(true),
        Err(error) if error.errcode.is_some_and(|code| is_refusal(account, code)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_refusal(account: &Access, code: i64) -> bool {
    errcode::class(Platform::of(account), code) == Class::Token
}
