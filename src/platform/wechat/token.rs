//! A new access_token from the platform (reference 3.1, 3.2). Keeping it is the keeper's.

use crate::domain::account::Official;
use crate::domain::secret::Secret;
use crate::error::{Error, Result, Then};
use crate::platform::http::{Answer, Client, Request, unreadable};
use crate::say;
use serde::Serialize;
use std::time::Duration;

/// The longest life of a token that is believed, in seconds; the platform's is 7200.
const LONGEST_LIFE: i64 = 86_400;

/// The longest token that is believed, in characters; the platform asks for room for 512 at least.
const LONGEST_TEXT: usize = 2048;

/// Until the next try after a reply that is no token.
const PROBE: Duration = Duration::from_secs(60);

/// A token as the platform gave it.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The access_token.
    pub text: Secret,
    /// Seconds that are left of its life, 1 to 86,400; 7200 for a new one.
    pub expires_in: u32,
}

/// What stable_token gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The present token while it lives; asking is harmless.
    Normal,
    /// A new one; the present one dies at once. 20 a day, 30 s apart.
    Force,
}

#[derive(Serialize)]
struct Body<'a> {
    grant_type: &'a str,
    appid: &'a str,
    secret: &'a str,
    force_refresh: bool,
}

/// POST /cgi-bin/stable_token: a token that other programs' calls of /cgi-bin/token do not touch (reference 3.2).
pub async fn stable(client: &Client, account: &Official, renewal: Renewal) -> Result<Fresh> {
    let secret = secret(account)?;
    let body = Body {
        grant_type: "client_credential",
        appid: &account.app_id,
        secret: secret.reveal(),
        force_refresh: renewal == Renewal::Force,
    };
    let request = Request::post("stable_token", &body)?.hiding(secret);
    fetch(client, account, &request).await
}

/// GET /cgi-bin/token: every call makes a new token and lets the old one die in 5 minutes (reference 3.1).
/// Only for an account whose other programs still read this token from us.
pub async fn legacy(client: &Client, account: &Official) -> Result<Fresh> {
    let secret = secret(account)?;
    let request = Request::get("token")
        .with("grant_type", "client_credential")
        .with("appid", &account.app_id)
        .with("secret", secret.reveal())
        .hiding(secret);
    fetch(client, account, &request).await
}

/// Without a token no call of the account works: whatever fails here pauses the account and blames no item.
async fn fetch(client: &Client, account: &Official, request: &Request) -> Result<Fresh> {
    let outcome = client.call_bare(account, request).await.and_then(|answer| fresh(request.api(), &answer));
    outcome.map_err(|e| match e.then {
        Then::Pause { .. } => e,
        Then::Again | Then::Never => e.then(Then::Pause { after: PROBE, whole_account: true }),
    })
}

/// The AppSecret; exit 78 without one.
pub(super) fn secret(account: &Official) -> Result<&Secret> {
    let name = &account.name;
    account.secret.as_ref().ok_or_else(|| {
        Error::config(say!(
            "account {name} has no AppSecret: without it there is no access_token";
            "账号 {name} 没有配置 AppSecret，无法获取 access_token"
        ))
        .then(Then::Pause { after: PROBE, whole_account: true })
        .next(say!("set WECHAT_APP_SECRET, or app_secret in the file"; "请设置 WECHAT_APP_SECRET，或配置文件中的 app_secret"))
    })
}

/// A reply is a token only when both fields make sense: an empty token or one without an end would be called with for ever.
fn fresh(api: &str, answer: &Answer) -> Result<Fresh> {
    let fits = |text: &&str| text.len() <= LONGEST_TEXT && text.bytes().all(|b| b.is_ascii_graphic());
    let text = answer.text("access_token").filter(fits).ok_or_else(|| unreadable(api, "access_token"))?;
    let left = answer.number("expires_in").filter(|left| (1..=LONGEST_LIFE).contains(left));
    let expires_in = left.and_then(|left| u32::try_from(left).ok()).ok_or_else(|| unreadable(api, "expires_in"))?;
    Ok(Fresh { text: Secret::new(text), expires_in })
}
