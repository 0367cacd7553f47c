//! From a refusing answer to the error of the house: which exit code, what becomes of the item, what a person does.

use super::{Class, Row, lookup};
use crate::domain::beijing;
use crate::error::{Error, Kind, Text, Then};
use crate::platform::Platform;
use crate::say;
use std::net::IpAddr;
use std::time::Duration;

/// Between two probes of a channel that is ill with no wait of its own (design: one probe a minute).
const PROBE: Duration = Duration::from_secs(60);

/// Between two probes where only a person can help and asking again does harm: frozen, punished, wrong secret.
const PERSON: Duration = Duration::from_secs(3600);

/// Waits of the table that are as long as this are shown with the hour at which they end.
const WORTH_AN_HOUR: Duration = Duration::from_secs(60);

/// An answer whose errcode says no.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// Who answered.
    pub platform: Platform,
    /// The API as the reference names it: `user/info`, `stable_token`.
    pub api: &'a str,
    /// The errcode.
    pub code: i64,
    /// The platform's text without its tail, free of tokens and secrets.
    pub errmsg: &'a str,
    /// The platform's request id.
    pub rid: Option<&'a str>,
}

impl Refusal<'_> {
    /// Without a token nothing works: what these APIs refuse concerns the whole account, and no item is to blame.
    pub(super) fn of_token_endpoint(&self) -> bool {
        matches!(self.api, "token" | "stable_token" | "gettoken")
    }

    /// What is sent to these is the AppSecret: a 40001 speaks of it.
    fn by_secret(&self) -> bool {
        self.of_token_endpoint() || self.api == "clear_quota/v2"
    }
}

/// The error of a refusal at `now_ms` (milliseconds since 1970): input is exit 1, quota, backoff and
/// platform 69, config and a refused token 77; a code that the reference does not name is shown raw (reference 9).
pub fn error(refusal: &Refusal, now_ms: i64) -> Error {
    let row = lookup(refusal.platform, refusal.code);
    let kind = match row.map_or(Class::Input, |row| row.class) {
        Class::Ok | Class::Done | Class::Input => Kind::Failed,
        Class::Backoff | Class::Quota | Class::Platform => Kind::Unavailable,
        Class::Token | Class::Config => Kind::Refused,
    };
    let then = then(refusal, row, now_ms);
    let mut error = Error::new(kind, what(refusal, row)).next(next(refusal, row, then, now_ms)).then(then);
    error.errcode = Some(refusal.code);
    error.rid = refusal.rid.map(str::to_owned);
    error
}

/// The API, the platform's own words, and what they mean.
fn what(refusal: &Refusal, row: Option<&Row>) -> Text {
    let Refusal { api, code, errmsg, .. } = refusal;
    let (rid_en, rid_zh) = match refusal.rid {
        Some(rid) => (format!(" (rid {rid})"), format!("（rid {rid}）")),
        None => Default::default(),
    };
    let (en, zh) = match row {
        Some(row) => (format!(": {}", row.meaning.en), format!("：{}", row.meaning.zh)),
        None => Default::default(),
    };
    say!("{api}: errcode {code}: {errmsg}{rid_en}{en}"; "{api}：errcode {code}: {errmsg}{rid_zh}{zh}")
}

/// What becomes of the item, and of the channel (contract 4, `channel`).
fn then(refusal: &Refusal, row: Option<&Row>, now_ms: i64) -> Then {
    let then = match row {
        Some(row) if refusal.platform == Platform::WeCom && row.code == 45009 => {
            Then::Pause { after: spent(refusal, now_ms), whole_account: false }
        }
        Some(row) => then_of(row, now_ms),
        None => Then::Never,
    };
    match then {
        Then::Pause { after, .. } if refusal.of_token_endpoint() => Then::Pause { after, whole_account: true },
        _ if refusal.of_token_endpoint() => Then::Pause { after: PROBE, whole_account: true },
        then => then,
    }
}

/// How long WeCom's 45009 lasts: wrong secrets block an address for an hour (WeCom reference 2); else the platform's
/// words may tell whether a minute, an hour or a day is spent, and a minute is tried where they do not.
fn spent(refusal: &Refusal, now_ms: i64) -> Duration {
    let said = refusal.errmsg.to_ascii_lowercase();
    let day = beijing::next_day(now_ms).saturating_sub(now_ms).max(0).unsigned_abs();
    match () {
        () if refusal.of_token_endpoint() || said.contains("hour") => Duration::from_secs(3600),
        () if said.contains("day") || said.contains("daily") => Duration::from_millis(day),
        () => PROBE,
    }
}

fn then_of(row: &Row, now_ms: i64) -> Then {
    let wait = row.wait.map(|seconds| Duration::from_secs(seconds.into()));
    let until = |ms: i64| Duration::from_millis(ms.saturating_sub(now_ms).max(0).unsigned_abs());
    let this_api = |after| Then::Pause { after, whole_account: false };
    match (row.class, row.code) {
        (Class::Ok | Class::Done | Class::Input, _) => Then::Never,
        (Class::Token, _) => Then::Pause { after: PROBE, whole_account: true },
        (Class::Backoff | Class::Platform, _) => this_api(wait.unwrap_or(PROBE)),
        // One follower had his share; the others can still be written to.
        (Class::Quota, 45047) => Then::Again,
        // A full store of materials is emptied by a person, at any hour.
        (Class::Quota, 45074) => this_api(PERSON),
        (Class::Quota, 48006) => this_api(until(beijing::next_month(now_ms))),
        (Class::Quota, _) => this_api(until(beijing::next_day(now_ms))),
        (Class::Config, 40201 | 48001 | 48003 | 48008 | 48009 | 50001) => this_api(wait.unwrap_or(PROBE)),
        (Class::Config, 48004) => this_api(PERSON),
        (Class::Config, 40125 | 40243 | 50002 | 50004 | 50007) => Then::Pause { after: PERSON, whole_account: true },
        (Class::Config, _) => Then::Pause { after: wait.unwrap_or(PROBE), whole_account: true },
    }
}

/// What a person does, and from which hour on it may go on.
fn next(refusal: &Refusal, row: Option<&Row>, then: Then, now_ms: i64) -> Text {
    let mut text = advice(refusal, row, then, now_ms);
    let (Some(row), Then::Pause { after, .. }) = (row, then) else { return text };
    if !has_hour(row) && row.wait.is_some() && after >= WORTH_AN_HOUR {
        let hour = hour(after, now_ms);
        text.en.push_str(&format!("; try again after {hour}"));
        text.zh.push_str(&format!("；请在 {hour} 之后再试"));
    }
    text
}

/// What a person does, and when a spent quota comes back: what can also be said of a refusal of long ago.
pub(super) fn advice(refusal: &Refusal, row: Option<&Row>, then: Then, now_ms: i64) -> Text {
    let Some(row) = row else {
        return say!(
            "this errcode is in no table: it is not repeated; look it up in the platform's list of return codes";
            "该 errcode 不在已知列表中，不会自动重试；请查阅平台的返回码说明"
        );
    };
    let mut text = match (row.class, address(refusal.errmsg)) {
        (Class::Token, _) if refusal.by_secret() => wrong_secret(refusal.platform),
        // Of a token that was refused somewhere, nobody knows whether it was the first time.
        (Class::Token, _) if !refusal.api.is_empty() && refusal.platform == Platform::WeChat => rival(),
        (Class::Config, Some(ip)) if row.code == 40164 => add_address(ip),
        (Class::Config, Some(ip)) if row.code == 60020 => trust_address(ip),
        _ => row.action.into(),
    };
    let Then::Pause { after, .. } = then else { return text };
    if has_hour(row) {
        let hour = hour(after, now_ms);
        text.en.push_str(&format!("; it can go on at {hour}"));
        text.zh.push_str(&format!("；{hour} 起可继续"));
    }
    text
}

/// Quotas that come back at a certain hour.
fn has_hour(row: &Row) -> bool {
    matches!(row.code, 45009 | 48006)
}

fn hour(after: Duration, now_ms: i64) -> String {
    beijing::shown(now_ms.saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX)))
}

/// 40001 of a token endpoint is no word about a token (reference 3.4).
fn wrong_secret(platform: Platform) -> Text {
    if platform == Platform::WeCom {
        return say!(
            "the application's Secret is wrong or was reset, or the application is disabled: put the present one into \
             WECOM_SECRET or the file; repeated wrong secrets block this machine's address for an hour";
            "应用的 Secret 有误、已被重置，或应用已停用：请把当前的 Secret 写入 WECOM_SECRET 或配置文件；\
             多次使用错误的 Secret 会使本机地址被封禁一小时"
        );
    }
    say!(
        "the AppSecret is wrong or was reset: put the present one into WECHAT_APP_SECRET or the file";
        "AppSecret 有误或已被重置：请把当前的 AppSecret 写入 WECHAT_APP_SECRET 或配置文件"
    )
}

/// A token that is refused twice in a row has a rival (reference 3.3).
fn rival() -> Text {
    say!(
        "a fresh token was refused too: most likely another program refreshes the token of the same account \
         (stable_token with force_refresh, or /cgi-bin/token where a token was set by hand); find and stop it, \
         or let it call stable_token without force_refresh";
        "换新 token 后仍被拒绝：很可能有另一个程序在刷新同一账号的 token（带 force_refresh 的 stable_token，\
         或在手工设置 token 时调用 /cgi-bin/token）；请找到并停掉它，或让它改用不带 force_refresh 的 stable_token"
    )
}

fn add_address(ip: IpAddr) -> Text {
    say!(
        "add {ip} to the account's IP list (IP白名单) in the console; it works a few minutes later. \
         If every call names another address, set `proxy` to a fixed exit";
        "请在后台把 {ip} 加入该账号的 IP 白名单，几分钟后生效。若每次报出的地址不同，请用 `proxy` 设置固定出口"
    )
}

fn trust_address(ip: IpAddr) -> Text {
    say!(
        "add {ip} to the application's trusted IPs (企业可信IP) in WeCom's console; it works a minute later. \
         If every call names another address, set `proxy` to a fixed exit";
        "请在企业微信管理后台把 {ip} 加入应用的企业可信 IP，一分钟后生效。若每次报出的地址不同，请用 `proxy` 设置固定出口"
    )
}

/// The address in `invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist`, and in WeCom's `…, from ip:
/// 203.0.113.7`.
fn address(errmsg: &str) -> Option<IpAddr> {
    let rest = errmsg.split_once("invalid ip ").or_else(|| errmsg.split_once("from ip: "))?.1;
    rest.split([' ', ',']).next()?.parse().ok()
}
