//! GET /cgi-bin/gettoken: the access_token of a WeCom application (WeCom reference 2). Repeated calls return the same
//! token until 5 minutes before its end, so asking is harmless; wrong secrets are not: after some the platform blocks the
//! caller's address for an hour.

use crate::domain::account::Access;
use crate::error::Result;
use crate::platform::fresh::{Fresh, fetch, secret};
use crate::platform::http::{Client, Request};

/// The present token of the application, or a new one.
pub async fn get(client: &Client, account: &Access) -> Result<Fresh> {
    let secret = secret(account)?;
    let request =
        Request::get("gettoken").with("corpid", &account.app_id).with("corpsecret", secret.reveal()).hiding(secret);
    fetch(client, account, &request).await
}
