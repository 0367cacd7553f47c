//! What WeChat says of an account: its AppSecret, this machine's address, the stored token, the clock. A normal
//! stable_token is asked for, which changes nothing while the present one lives; none is ever forced.

use super::Patient;
use super::finding::{Check, Finding};
use crate::commands::time_local;
use crate::domain::account::{Access, Platform as On, TokenApi};
use crate::domain::token::Token;
use crate::error::{Error, Kind, Result, Text};
use crate::platform::Platform;
use crate::platform::errcode::{self, Class};
use crate::platform::fresh::Fresh;
use crate::platform::wechat::address;
use crate::platform::wecom;
use crate::say;
use crate::store::StoredToken;
use crate::tokens::{self, token_of};
use std::sync::Arc;
use std::time::Instant;

/// The errcode that names an address which is not on the list.
const NOT_LISTED: i64 = 40164;
/// WeCom's, of calls with a token.
const NOT_TRUSTED: i64 = 60020;
/// Off by so many seconds is worth a warning; by more than the platform's own 300 it is a failure.
const WORTH_A_WORD: i64 = 60;
const TOO_FAR: i64 = 300;

pub(super) async fn check(patient: &Patient, account: &Access) -> Vec<Finding> {
    let name = Some(account.name.as_str());
    let mut findings: Vec<_> = own_api(account).into_iter().collect();
    if !account.has_token() {
        return findings;
    }
    let stored = stored(patient, account).await;
    let hold = stored.as_ref().and_then(|stored| stored.as_ref().ok()).and_then(|stored| stored.hold.as_ref());
    if let Err(held) = tokens::may_ask(account, hold, patient.now_ms()) {
        findings.push(Finding::fail(Check::Credentials, name, held));
        return findings;
    }
    if account.token_api == TokenApi::Legacy && account.token_from.is_none() {
        // Asking would make a new token, and let the present one die.
        findings.extend(stored_token(patient, account, stored, None).await);
        return findings;
    }
    match tokens::fetch(&patient.client, account).await {
        Ok(fresh) => {
            findings.push(Finding::ok(Check::Credentials, name, right(account)));
            if account.platform == On::Official && account.token_from.is_none() {
                let listed =
                    say!("this machine's address is on it, or none is wanted"; "本机地址在白名单内，或无此要求");
                findings.push(Finding::ok(Check::IpList, name, listed));
            }
            let (business, token) =
                tokio::join!(business(patient, account, &fresh), stored_token(patient, account, stored, Some(&fresh)));
            findings.extend(business.into_iter().chain(token));
        }
        Err(error) if error.errcode == Some(NOT_LISTED) => findings.push(Finding::fail(Check::IpList, name, error)),
        Err(error) => findings.push(Finding::fail(Check::Credentials, name, with_mend(account, error))),
    }
    findings
}

/// Whether WeCom takes a business call from this machine: gettoken is answered whatever address it comes from.
async fn business(patient: &Patient, account: &Access, fresh: &Fresh) -> Option<Finding> {
    if account.platform != On::WeCom {
        return None;
    }
    let name = Some(account.name.as_str());
    Some(match wecom::address::try_out(&patient.client, account, fresh).await {
        Ok(()) => {
            let taken = say!("a business API takes calls from this machine"; "业务接口接受本机的调用");
            Finding::ok(Check::IpList, name, taken)
        }
        Err(error) if error.errcode == Some(NOT_TRUSTED) => Finding::fail(Check::IpList, name, error),
        Err(error) => Finding::fail(Check::Api, name, with_mend(account, error)),
    })
}

fn right(account: &Access) -> Text {
    match (&account.token_from, account.platform) {
        (Some(_), _) => say!("the installation that holds the token gives it"; "持有 token 的系统可以提供 token"),
        (None, On::WeCom) => say!("CorpID and Secret are right"; "CorpID 与 Secret 正确"),
        (None, _) => say!("AppID and AppSecret are right"; "AppID 与 AppSecret 正确"),
    }
}

/// The client can't know what to do about a connection that failed; here it is clear whose it is.
fn with_mend(account: &Access, error: Error) -> Error {
    if error.kind != Kind::Unavailable || error.errcode.is_some() || error.next.is_some() {
        return error;
    }
    if account.api_base.starts_with("http://") {
        return error.next(say!(
            "see that the stand-in runs there: wxops sandbox run, or serve --sandbox";
            "请确认沙箱在该处运行：wxops sandbox run，或 serve --sandbox"
        ));
    }
    error.next(say!(
        "check what lies between this machine and WeChat: DNS, firewall, the account's proxy";
        "请检查本机与微信之间的环节：DNS、防火墙、该账号的 proxy"
    ))
}

/// Another address than the platform's is somebody's decision, and should stay one.
fn own_api(account: &Access) -> Option<Finding> {
    let (name, base) = (Some(account.name.as_str()), &account.api_base);
    if base == crate::config::PLATFORM || base == crate::config::WECOM_PLATFORM {
        return None;
    }
    if base.starts_with("http://") {
        return Some(Finding::ok(Check::Api, name, say!("{base}: a stand-in, not WeChat"; "{base}：沙箱，不是微信")));
    }
    Some(Finding::warn(
        Check::Api,
        name,
        say!("calls go to {base}, which is not the platform's own address"; "调用发往 {base}，不是平台自己的地址"),
        say!("if nobody wants that, remove WECHAT_API_BASE or api_base"; "若非有意，请去掉 WECHAT_API_BASE 或 api_base"),
    ))
}

/// What is stored of the account's token; `None` without a database.
async fn stored(patient: &Patient, account: &Access) -> Option<Result<StoredToken>> {
    let store = patient.store().await?;
    Some(store.stored_token(&account.name).await)
}

/// What `serve` calls with, tried once.
async fn stored_token(
    patient: &Patient,
    account: &Access,
    stored: Option<Result<StoredToken>>,
    fresh: Option<&Fresh>,
) -> Option<Finding> {
    let found = match stored? {
        Ok(stored) => {
            let token = token_of(&stored).filter(|token| token.expires_at > patient.now_ms());
            tried(patient, account, token, fresh).await
        }
        Err(error) => Err(error),
    };
    Some(found.unwrap_or_else(|error| Finding::fail(Check::Token, Some(&account.name), error)))
}

async fn tried(patient: &Patient, account: &Access, token: Option<Token>, fresh: Option<&Fresh>) -> Result<Finding> {
    let name = Some(account.name.as_str());
    let Some(token) = token else {
        let none =
            say!("none is stored that lives; the next call asks for one"; "没有存储有效的 token；下次调用时会获取");
        return Ok(Finding::ok(Check::Token, name, none));
    };
    let generation = token.generation;
    match address::try_token(&patient.client, account, &token).await {
        Ok(()) if token.expires_at == Token::UNKNOWN_EXPIRY => Ok(Finding::ok(
            Check::Token,
            name,
            say!("generation {generation} works; set by hand, its end is unknown"; "第 {generation} 代可用；手工设置，到期时间未知"),
        )),
        Ok(()) => {
            let end = time_local(token.expires_at);
            Ok(Finding::ok(
                Check::Token,
                name,
                say!("generation {generation} works, until {end}"; "第 {generation} 代可用，至 {end}"),
            ))
        }
        Err(error)
            if is_token_refusal(account, &error)
                && fresh.is_none_or(|fresh| !token.text.matches(fresh.text.reveal())) =>
        {
            Ok(Finding::warn(
                Check::Token,
                name,
                say!(
                    "the stored one is refused: another program replaced it; the next call takes the present one";
                    "存储的 token 已被拒绝：另一个程序更换了它；下次调用会换用当前的"
                ),
                say!(
                    "if it happens again and again, find that program and let it read ours";
                    "若反复发生，请找出该程序，让它改为读取本程序的 token"
                ),
            ))
        }
        Err(error) => Err(error),
    }
}

fn is_token_refusal(account: &Access, error: &Error) -> bool {
    error.errcode.is_some_and(|code| errcode::class(Platform::of(account), code) == Class::Token)
}

/// Our clock against the platform's: a wrong one makes dead tokens look alive and good pushes stale.
pub(super) async fn clock(patient: Arc<Patient>) -> Vec<Finding> {
    let Some(account) = patient.accounts.first() else { return Vec::new() };
    let asked = Instant::now();
    let theirs = match address::clock(&patient.client, account).await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return vec![untold(say!("the answer names no time"; "应答中没有时间"))],
        Err(error) if error.kind == Kind::Config => return Vec::new(),
        Err(error) => return vec![untold(error.what)],
    };
    // The time was told somewhere on the way, and in whole seconds.
    let there_and_back = i64::try_from(asked.elapsed().as_millis()).unwrap_or(0);
    let off = (patient.now_ms() - there_and_back / 2 - theirs) / 1000;
    vec![judged(off, patient.config.replay_window.map(|window| window.as_secs()))]
}

fn judged(off: i64, window: Option<u64>) -> Finding {
    let by = off.abs();
    let what = match off {
        0 => say!("agrees with the platform's"; "与平台一致"),
        ..0 => say!("{by} s behind the platform's"; "比平台慢 {by} 秒"),
        1.. => say!("{by} s ahead of the platform's"; "比平台快 {by} 秒"),
    };
    let mend = say!("timedatectl set-ntp true"; "timedatectl set-ntp true");
    let refuses = window.is_some_and(|window| off.unsigned_abs() >= window);
    match by {
        _ if refuses || by > TOO_FAR => Finding::fail(Check::Clock, None, Error::failed(what).next(mend)),
        ..=WORTH_A_WORD => Finding::ok(Check::Clock, None, what),
        _ => Finding::warn(Check::Clock, None, what, mend),
    }
}

fn untold(why: crate::error::Text) -> Finding {
    let (en, zh) = (why.en, why.zh);
    let what = say!("can't be compared with the platform's: {en}"; "无法与平台的时钟比较：{zh}");
    Finding::warn(Check::Clock, None, what, say!("compare it by hand: timedatectl"; "请手工核对：timedatectl"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn a_clock_is_judged_by_its_distance() {
        for (off, window, state) in [
            (0, None, "ok"),
            (-60, None, "ok"),
            (61, None, "warn"),
            (-300, None, "warn"),
            (301, None, "fail"),
            (30, Some(60), "ok"),
            (-60, Some(60), "fail"),
        ] {
            let examined = super::super::finding::Examined(vec![judged(off, window)]);
            assert_eq!(examined.json()["checks"][0]["state"], state, "{off} {window:?}");
        }
    }
}
