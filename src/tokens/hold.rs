//! When the platform forbids every call for a token: an administrator must confirm this machine's address (8950x,
//! reference 3.4), or WeCom has met wrong secrets and would block the address for an hour (WeCom reference 2). Kept in
//! SQL, so that a restart or another process does not ask either. Another secret may be tried at once.

use crate::domain::account::{Access, TokenApi};
use crate::domain::token::digest;
use crate::error::{Error, Kind, Result, Then};
use crate::platform::errcode;
use crate::say;
use crate::store::Hold;
use std::time::Duration;

/// WeCom blocks an address for so long after repeated wrong secrets.
const BLOCKED: Duration = Duration::from_secs(3600);

/// What an error forbids; `None`: nothing.
pub(super) fn of(account: &Access, error: &Error, now_ms: i64) -> Option<Hold> {
    let code = error.errcode?;
    let wait = match (account.token_api, code) {
        _ if account.token_from.is_some() => return None,
        (_, 89_503..=89_507) => match error.then {
            Then::Pause { after, .. } => after,
            Then::Again | Then::Never => return None,
        },
        (TokenApi::GetToken, 40_001 | 40_091 | 45_009) => BLOCKED,
        _ => return None,
    };
    let until = now_ms + i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2);
    Some(Hold { until, code, reason: error.what.en.clone(), secret: secret_of(account) })
}

/// Refuses a call for a token that is forbidden now; exit 77 that says until when.
pub fn check(account: &Access, hold: Option<&Hold>, now_ms: i64) -> Result<()> {
    let Some(hold) = hold.filter(|hold| hold.until > now_ms && hold.secret == secret_of(account)) else {
        return Ok(());
    };
    let (name, reason, until) = (&account.name, &hold.reason, errcode::hour(hold.until));
    let after = Duration::from_millis((hold.until - now_ms).unsigned_abs());
    let mut error = Error::new(
        Kind::Refused,
        say!(
            "account {name}: no token is asked for before {until}: {reason}";
            "账号 {name}：{until} 之前不再获取 token：{reason}"
        ),
    )
    .next(say!(
        "mend what it names; then wxops token refresh --account {name} --now ends the wait";
        "请先处理所述问题；之后执行 wxops token refresh --account {name} --now 可结束等待"
    ))
    .then(Then::Pause { after, whole_account: true });
    error.errcode = Some(hold.code);
    Err(error)
}

fn secret_of(account: &Access) -> String {
    account.secret.as_ref().map(digest).unwrap_or_default()
}
