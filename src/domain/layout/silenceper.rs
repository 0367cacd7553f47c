//! `github.com/silenceper/wechat/v2`: the bare token, since v2.1.3; stable_token has a key of its own since v2.1.5, an
//! application of WeCom one a number since v2.1.8. What stands there is used until Redis ends it.

use crate::domain::account::{Access, Platform, TokenApi};

/// `credential.DefaultAccessToken`, `StableAccessToken` (`UseStableAK` of the program, which has to be as the account's
/// `token_api` is here) and `WorkAccessToken`, each with its module's prefix: the two underscores are theirs.
pub(super) fn key(account: &Access) -> String {
    let id = &account.app_id;
    let which = if account.token_api == TokenApi::Stable { "stable_access_token" } else { "access_token" };
    match account.platform {
        Platform::Official => format!("gowechat_officialaccount__{which}_{id}"),
        Platform::MiniGame => format!("gowechat_miniprogram__{which}_{id}"),
        Platform::WeCom => {
            let agent = account.agent_id.map(|agent| format!("_{agent}")).unwrap_or_default();
            format!("gowechat_work__access_token_{id}{agent}")
        }
    }
}
