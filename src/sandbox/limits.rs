//! Which APIs there are, whose they are, and how often each may be called (reference 3.2 and 8), with what
//! `--limit` put in their place.

use crate::error::{Error, Result};
use crate::say;
use std::collections::HashMap;

/// Whose an API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Official Accounts only.
    Official,
    /// Everything at api.weixin.qq.com.
    Wechat,
    /// Apps of WeCom.
    Wecom,
}

/// How often, in a Beijing day and in a minute; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Whose API it is.
    pub of: Of,
    /// Calls a day.
    pub a_day: Option<u64>,
    /// Calls a minute.
    pub a_minute: Option<u64>,
}

/// What the documents list for new accounts. user/info/batchget stands in no list: it has the number of
/// user/info (choice). gettoken has the base frequency of a corporation (WeCom reference 3).
const LISTED: &[(&str, Limit)] = &[
    ("/cgi-bin/token", day(Of::Wechat, 2_000)),
    ("/cgi-bin/stable_token", both(Of::Wechat, 500_000, 10_000)),
    ("/cgi-bin/gettoken", Limit { of: Of::Wecom, a_day: None, a_minute: Some(10_000) }),
    // Not counted in the base frequency (WeCom reference 3).
    ("/cgi-bin/message/send", free(Of::Wecom)),
    ("/cgi-bin/message/recall", free(Of::Wecom)),
    ("/cgi-bin/getcallbackip", free(Of::Wechat)),
    ("/cgi-bin/get_api_domain_ip", free(Of::Wechat)),
    ("/cgi-bin/clear_quota", free(Of::Wechat)),
    ("/cgi-bin/clear_quota/v2", free(Of::Wechat)),
    ("/cgi-bin/openapi/quota/get", free(Of::Wechat)),
    ("/cgi-bin/openapi/quota/clear", free(Of::Wechat)),
    ("/cgi-bin/openapi/rid/get", free(Of::Wechat)),
    ("/cgi-bin/user/get", day(Of::Official, 500)),
    ("/cgi-bin/user/info", day(Of::Official, 5_000_000)),
    ("/cgi-bin/user/info/batchget", day(Of::Official, 5_000_000)),
    ("/cgi-bin/user/info/updateremark", day(Of::Official, 10_000)),
    ("/cgi-bin/media/upload", day(Of::Official, 100_000)),
    ("/cgi-bin/media/get", day(Of::Official, 200_000)),
    ("/cgi-bin/media/uploadnews", day(Of::Official, 10)),
    ("/cgi-bin/message/mass/sendall", both(Of::Official, 100, 60)),
    ("/cgi-bin/message/mass/send", both(Of::Official, 100, 60)),
    ("/cgi-bin/message/mass/delete", day(Of::Official, 10)),
    ("/cgi-bin/message/custom/send", day(Of::Official, 500_000)),
    ("/cgi-bin/qrcode/create", day(Of::Official, 100_000)),
    ("/cgi-bin/menu/create", day(Of::Official, 1_000)),
    ("/cgi-bin/menu/get", day(Of::Official, 10_000)),
    ("/cgi-bin/groups/members/update", day(Of::Official, 100_000)),
    ("/cgi-bin/draft/add", day(Of::Official, 1_000)),
    ("/cgi-bin/freepublish/submit", day(Of::Official, 100)),
];

const fn free(of: Of) -> Limit {
    Limit { of, a_day: None, a_minute: None }
}

const fn day(of: Of, calls: u64) -> Limit {
    Limit { of, a_day: Some(calls), a_minute: None }
}

const fn both(of: Of, a_day: u64, a_minute: u64) -> Limit {
    Limit { of, a_day: Some(a_day), a_minute: Some(a_minute) }
}

/// `--limit PATH=N/day` or `PATH=N/minute`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Override {
    path: &'static str,
    calls: u64,
    daily: bool,
}

impl Override {
    /// Reads `/cgi-bin/user/get=20/day`.
    ///
    /// # Errors
    /// Usage: another form, or a path that is in no list.
    pub fn parse(text: &str) -> Result<Self> {
        let (path, often) = text.split_once('=').ok_or_else(|| unreadable(text))?;
        let (calls, window) = often.split_once('/').ok_or_else(|| unreadable(text))?;
        let calls = calls.parse().map_err(|_| unreadable(text))?;
        let daily = match window {
            "day" => true,
            "minute" => false,
            _ => return Err(unreadable(text)),
        };
        let listed = LISTED.iter().find(|(known, _)| *known == path).ok_or_else(|| unknown(path))?;
        Ok(Override { path: listed.0, calls, daily })
    }
}

/// The limits in force.
#[derive(Debug)]
pub struct Limits(HashMap<&'static str, Limit>);

impl Limits {
    /// The listed ones with these in their place.
    pub fn new(overrides: &[Override]) -> Self {
        let mut limits: HashMap<_, _> = LISTED.iter().copied().collect();
        for Override { path, calls, daily } in overrides {
            if let Some(limit) = limits.get_mut(path) {
                let place = if *daily { &mut limit.a_day } else { &mut limit.a_minute };
                *place = Some(*calls);
            }
        }
        Limits(limits)
    }

    /// The limit of a path, and the path as it is listed.
    pub fn of(&self, path: &str) -> Option<(&'static str, Limit)> {
        self.0.get_key_value(path).map(|(path, limit)| (*path, *limit))
    }
}

fn unreadable(text: &str) -> Error {
    Error::usage(say!("cannot read the limit {text:?}"; "无法识别限额 {text:?}"))
        .next(say!("write /cgi-bin/user/get=20/day or =20/minute"; "请写 /cgi-bin/user/get=20/day 或 =20/minute"))
}

fn unknown(path: &str) -> Error {
    let known = LISTED.iter().map(|(path, _)| *path).collect::<Vec<_>>().join(", ");
    Error::usage(say!("no API has the path {path:?}"; "没有路径为 {path:?} 的接口"))
        .next(say!("use one of {known}"; "可用：{known}"))
}
