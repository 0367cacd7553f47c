//! The token service of another installation (`GET /api/token/NAME`, `POST …/refused`), for one that may not refresh
//! the token itself: a staging host beside production.

use super::fresh::{Fresh, of_account, read};
use super::http::Client;
use crate::domain::account::{Access, TokenFrom};
use crate::error::{Error, Kind, Result, Then};
use crate::say;
use std::time::Duration;

/// What the calls are called in errors and metrics.
pub const API: &str = "api/token";
/// Between two tries where a person must act.
const PERSON: Duration = Duration::from_secs(60);

/// The token as the other installation has it. With the digest of one that was refused, it makes sure first that it
/// does not hand out that one.
pub async fn token(client: &Client, account: &Access, from: &TokenFrom, refused: Option<&str>) -> Result<Fresh> {
    let (status, answer) = client.call_peer(account, &from.url, &from.key, refused).await.map_err(of_account)?;
    match status {
        200 => read(API, &answer).map_err(of_account),
        _ => Err(no(&account.name, status, answer.text("detail").unwrap_or_default())),
    }
}

fn no(name: &str, status: u16, detail: &str) -> Error {
    let what = say!(
        "account {name}: the installation that holds its token answered HTTP {status}: {detail}";
        "账号 {name}：持有其 token 的系统返回 HTTP {status}：{detail}"
    );
    let error = match status {
        401 | 403 | 404 => Error::new(Kind::Refused, what).next(say!(
            "check token_from and token_from_key here, and the [[client]] with the scope token:NAME there";
            "请检查本机的 token_from、token_from_key，以及对方 [[client]] 的作用域 token:账号名"
        )),
        _ => Error::unavailable(what).next(say!(
            "see there what its wxops says: wxops token show --account NAME";
            "请在对方系统查看：wxops token show --account 账号名"
        )),
    };
    error.then(Then::Pause { after: PERSON, whole_account: true })
}
