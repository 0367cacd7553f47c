//! EasyWeChat 6 (`w7corp/easywechat`), 6.15.1 and later, read up to 6.19.1, over the `RedisAdapter` of symfony/cache (5.4 to 7.2) as
//! its documentation sets it up. Both it and the key's end in Redis are all that a reader looks at. The account's
//! secret is part of the key.

use crate::domain::account::{Access, Platform, TokenApi};
use crate::domain::secret::Secret;

/// The namespace of the documentation's example.
const NAMESPACE: &str = "easywechat";

/// `AccessToken::getKey` of the platform's module. `use_stable_access_token` of the program, which is its last part,
/// has to be as the account's `token_api` is here.
pub(super) fn key(namespace: Option<&str>, account: &Access, secret: &Secret) -> String {
    let namespace = namespace.unwrap_or(NAMESPACE);
    let colon = if namespace.is_empty() { "" } else { ":" };
    let (id, secret) = (&account.app_id, secret.reveal());
    let stable = if account.token_api == TokenApi::Stable { 1 } else { 0 };
    let key = match account.platform {
        Platform::Official => format!("official_account.access_token.{id}.{secret}.{stable}"),
        Platform::MiniGame => format!("mini_app.access_token.{id}.{secret}.{stable}"),
        Platform::WeCom => format!("work.access_token.{id}.{secret}"),
    };
    format!("{namespace}{colon}{key}")
}

/// A string as PHP's `serialize` writes it. Readers that prefer igbinary take it too.
pub(super) fn value(token: &str) -> String {
    format!("s:{}:\"{token}\";", token.len())
}
