//! An access_token as a platform gives it: what is believed of a reply, on whichever platform.

use super::http::{Answer, Client, Request, unreadable};
use crate::domain::account::{Access, Platform};
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Then};
use crate::say;
use std::time::Duration;

/// The longest life of a token that is believed, in seconds; the platforms' is 7200.
const LONGEST_LIFE: i64 = 86_400;

/// The longest token that is believed, in characters; the platforms ask for room for 512 at least.
const LONGEST_TEXT: usize = 2048;

/// Until the next try after a reply that is no token.
const PROBE: Duration = Duration::from_secs(60);

/// A token as it was given.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The access_token.
    pub text: Secret,
    /// Seconds that are left of its life, 1 to 86,400; 7200 for a new one.
    pub expires_in: u32,
}

/// Asks a token endpoint. Without a token no call of the account works: whatever fails here pauses the account and
/// blames no item.
pub(super) async fn fetch(client: &Client, account: &Access, request: &Request) -> Result<Fresh> {
    let outcome = client.call_bare(account, request).await.and_then(|answer| read(request.api(), &answer));
    outcome.map_err(of_account)
}

/// The error as one of the whole account.
pub(super) fn of_account(error: Error) -> Error {
    match error.then {
        Then::Pause { .. } => error,
        Then::Again | Then::Never => error.then(Then::Pause { after: PROBE, whole_account: true }),
    }
}

/// The secret that tokens are asked for with; exit 78 that says what to set.
pub(super) fn secret(account: &Access) -> Result<&Secret> {
    let name = &account.name;
    let (what, variable, key) = match account.platform {
        Platform::Official => ("AppSecret", "WECHAT_APP_SECRET", "app_secret"),
        Platform::WeCom => ("Secret", "WECOM_SECRET", "secret"),
        Platform::MiniGame => ("AppSecret", "MINIGAME_APP_SECRET", "app_secret"),
    };
    account.secret.as_ref().ok_or_else(|| {
        Error::config(say!(
            "account {name} has no {what}: without it there is no access_token";
            "账号 {name} 没有配置 {what}，无法获取 access_token"
        ))
        .then(Then::Pause { after: PROBE, whole_account: true })
        .next(say!("set {variable}, or {key} in the file"; "请设置 {variable}，或配置文件中的 {key}"))
    })
}

/// A reply is a token only when both fields make sense: an empty token or one without an end would be called with for ever.
pub(super) fn read(api: &str, answer: &Answer) -> Result<Fresh> {
    let fits = |text: &&str| text.len() <= LONGEST_TEXT && text.bytes().all(|b| b.is_ascii_graphic());
    let text = answer.text("access_token").filter(fits).ok_or_else(|| unreadable(api, "access_token"))?;
    let left = answer.number("expires_in").filter(|left| (1..=LONGEST_LIFE).contains(left));
    let expires_in = left.and_then(|left| u32::try_from(left).ok()).ok_or_else(|| unreadable(api, "expires_in"))?;
    Ok(Fresh { text: Secret::new(text), expires_in })
}
