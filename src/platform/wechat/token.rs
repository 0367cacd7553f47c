//! A new access_token from the platform (reference 3.1, 3.2). Keeping it is the keeper's.

use crate::domain::account::Access;
use crate::error::Result;
use crate::platform::fresh::{Fresh, fetch, secret};
use crate::platform::http::{Client, Request};
use serde::Serialize;

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
pub async fn stable(client: &Client, account: &Access, renewal: Renewal) -> Result<Fresh> {
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
/// For an account whose other programs call it too and can't be changed.
pub async fn legacy(client: &Client, account: &Access) -> Result<Fresh> {
    let secret = secret(account)?;
    let request = Request::get("token")
        .with("grant_type", "client_credential")
        .with("appid", &account.app_id)
        .with("secret", secret.reveal())
        .hiding(secret);
    fetch(client, account, &request).await
}
