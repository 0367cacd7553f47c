//! The parsers of single values. Their messages say what is wrong, never the value where it may be a secret.

use crate::domain::account::{Mode, TokenApi};
use crate::domain::network::Network;
use crate::domain::redis;
use crate::domain::robot::Robot;
use crate::domain::secret::Secret;
use crate::error::{Error, Lang, Result};
use crate::say;
use chrono::{FixedOffset, Offset, Utc};
use reqwest::Url;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// What happens to the data of a person who unfollows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnsubscribePolicy {
    /// Profile, tags and raw callbacks are blanked.
    #[default]
    Erase,
    /// Only the state and its time change.
    Keep,
}

/// Where callbacks wait while the database is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpoolDir {
    /// Nowhere: they are refused.
    Off,
    /// In this folder.
    Folder(PathBuf),
}

/// A folder, or off.
pub(super) fn spool_dir(text: &str) -> Result<SpoolDir> {
    Ok(match text {
        "off" => SpoolDir::Off,
        folder => SpoolDir::Folder(folder.into()),
    })
}

/// Reads a size in bytes: a whole number and its unit, `64KiB`, `512MiB`, `1GiB`, or bytes without one.
pub(super) fn size(text: &str) -> Result<u64> {
    let wrong = || {
        Error::config(say!(
            "not a size; write a number and KiB, MiB or GiB, such as 512MiB";
            "不是大小；应为数字加 KiB、MiB 或 GiB，例如 512MiB"
        ))
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_start() {
        "" | "B" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        "T" | "TiB" => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).filter(|size| *size > 0).ok_or_else(wrong)
}

/// true or false.
pub(super) fn switch(text: &str) -> Result<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::config(say!("must be true or false"; "应为 true 或 false"))),
    }
}

/// Reads a length of time: a whole number and its unit, `300ms`, `50s`, `5m`, `2h`, `3d`.
pub fn duration(text: &str) -> Result<Duration> {
    let wrong = || {
        Error::config(say!(
            "not a length of time; write a number and ms, s, m, h or d, such as 5m";
            "不是时长；应为数字加 ms、s、m、h 或 d，例如 5m"
        ))
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(wrong)
}

/// The replay window; `off` is none.
pub(super) fn window(text: &str) -> Result<Option<Duration>> {
    match text {
        "off" => Ok(None),
        _ => duration(text).map(|window| Some(window).filter(|w| !w.is_zero())),
    }
}

/// How long something is kept: not nothing, and no more than ten years.
pub(super) fn keep(text: &str) -> Result<Duration> {
    let keep = duration(text)?;
    match !keep.is_zero() && keep <= Duration::from_secs(3_650 * 86_400) {
        true => Ok(keep),
        false => Err(Error::config(say!("must be more than nothing and at most 3650d"; "应大于 0，且不超过 3650d"))),
    }
}

/// A Redis: one server, or the nodes of a cluster with the same user and password.
pub(super) fn redis(text: &str) -> Result<Secret> {
    let wrong = || {
        Error::config(say!(
            "must be redis://HOST:PORT, rediss://… (TLS) or redis-cluster://HOST:PORT,HOST:PORT, with USER:PASSWORD@ where it asks for them";
            "应为 redis://主机:端口、rediss://…（TLS）或 redis-cluster://主机:端口,主机:端口；需要时加上 用户:密码@"
        ))
        .next(
            say!("write % # / ? @ in a password as %25 %23 %2F %3F %40"; "密码中的 % # / ? @ 写作 %25 %23 %2F %3F %40"),
        )
    };
    let nodes = redis_nodes(text).ok_or_else(wrong)?;
    let named =
        nodes.iter().all(|url| url.host_str().is_some_and(|host| !host.is_empty()) && !url.path().contains('@'));
    let database = |url: &Url| matches!(url.path(), "" | "/") || url.path()[1..].parse::<u8>().is_ok();
    let bare = nodes.iter().all(|url| url.query().is_none() && url.fragment().is_none() && database(url));
    if named && bare { Ok(Secret::new(text)) } else { Err(wrong()) }
}

/// The nodes of a Redis as URLs of one server each.
pub(super) fn redis_nodes(text: &str) -> Option<Vec<Url>> {
    let node = |text: &String| Url::parse(text).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss"));
    redis::nodes(text).iter().map(node).collect()
}

/// An address to listen on.
pub(super) fn listen(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Error::config(say!(
            "not an address and port, such as 127.0.0.1:8080 or [::1]:8080";
            "不是地址加端口，例如 127.0.0.1:8080 或 [::1]:8080"
        ))
    })
}

/// A base URL that people reach us under; kept without the slash at its end.
pub(super) fn public_url(text: &str) -> Result<String> {
    base(text).map(|_| text.trim_end_matches('/').to_owned())
}

/// The platform's base URL: https, or http to this machine, because secrets travel over it.
pub(super) fn api_base(text: &str) -> Result<String> {
    let url = base(text)?;
    if url.scheme() == "http" && !url.host_str().is_some_and(is_loopback) {
        return Err(Error::config(say!(
            "http is allowed to this machine only (127.0.0.1, ::1, localhost): the AppSecret travels over it";
            "http 只允许用于本机（127.0.0.1、::1、localhost）：AppSecret 会经由它传输"
        ))
        .next(say!("use https"; "请改用 https")));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// A proxy's URL; a user and password in it are fine.
pub(super) fn proxy(text: &str) -> Result<Secret> {
    let url = Url::parse(text).map_err(|_| not_a_url())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(not_a_url());
    }
    Ok(Secret::new(text))
}

/// A group robot's webhook, as WeCom shows it to be copied; or a stand-in for it on this machine.
pub(super) fn robot(text: &str) -> Result<Robot> {
    const SEND: &str = "/cgi-bin/webhook/send";
    let shape = || {
        Error::config(say!("not the webhook of a WeCom group robot"; "不是企业微信群机器人的 Webhook 地址")).next(say!(
            "copy it from the group: https://qyapi.weixin.qq.com{SEND}?key=… (http only to this machine, for a stand-in)";
            "请从群机器人处复制：https://qyapi.weixin.qq.com{SEND}?key=…（http 只可用于本机的沙箱）"
        ))
    };
    let mut url = Url::parse(text).map_err(|_| shape())?;
    let host = url.host_str().unwrap_or_default();
    let stand_in = matches!(url.scheme(), "http" | "https") && is_loopback(host);
    let wecom = url.scheme() == "https" && host == "qyapi.weixin.qq.com" && url.port().is_none();
    if !stand_in && !wecom {
        return Err(shape());
    }
    let key = url.query_pairs().find(|(name, key)| name == "key" && !key.is_empty()).map(|(_, key)| key.into_owned());
    let key = Secret::new(key.ok_or_else(shape)?);
    let path = url.path().strip_suffix(SEND).ok_or_else(shape)?.to_owned();
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    url.set_path(&path);
    url.set_query(None);
    if bare { Ok(Robot { base: url.as_str().trim_end_matches('/').to_owned(), key }) } else { Err(shape()) }
}

fn base(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| not_a_url())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(not_a_url());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(Error::config(say!(
            "a base URL has no user, password, ? or #";
            "基础 URL 不能含用户名、密码、? 或 #"
        )));
    }
    Ok(url)
}

fn not_a_url() -> Error {
    Error::config(say!("not a URL that begins with https:// or http://"; "不是以 https:// 或 http:// 开头的 URL"))
}

pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The console's Token: 3 to 32 letters and digits (reference 1). Another one can't have been typed there.
pub(super) fn token(text: &str) -> Result<()> {
    match (3..=32).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(Error::config(say!(
            "a Token is 3 to 32 letters and digits, as the console takes it";
            "Token 应为 3 至 32 个字母或数字，与公众平台后台一致"
        ))),
    }
}

/// The Token of a WeCom application's callback: up to 32 letters and digits (WeCom reference 5).
pub(super) fn wecom_token(text: &str) -> Result<()> {
    match (1..=32).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(Error::config(say!(
            "a Token is up to 32 letters and digits, as the console takes it";
            "Token 应为不超过 32 个字母或数字，与企业微信管理后台一致"
        ))),
    }
}

/// The key of a group robot: what stands behind `key=` in its webhook.
pub(super) fn webhook_key(text: &str) -> Result<()> {
    match text.len() <= 64 && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
        true => Ok(()),
        false => Err(Error::config(say!(
            "must be the key of a group robot alone, which stands behind key= in its webhook";
            "应只填群机器人的 key，即 Webhook 地址中 key= 之后的部分"
        ))),
    }
}

/// plain, compat or secure.
pub(super) fn mode(text: &str) -> Result<Mode> {
    match text {
        "plain" => Ok(Mode::Plain),
        "compat" => Ok(Mode::Compat),
        "secure" => Ok(Mode::Secure),
        _ => Err(Error::config(say!("must be plain, compat or secure"; "应为 plain、compat 或 secure"))),
    }
}

/// stable_token or token.
pub(super) fn token_api(text: &str) -> Result<TokenApi> {
    match text {
        "stable_token" => Ok(TokenApi::Stable),
        "token" => Ok(TokenApi::Legacy),
        _ => Err(Error::config(say!("must be stable_token or token"; "必须是 stable_token 或 token"))),
    }
}

/// The number of a WeCom application.
pub(super) fn agent_id(text: &str) -> Result<i64> {
    let digits = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let number = text.parse().ok().filter(|number: &i64| digits && *number > 0);
    number.ok_or_else(|| Error::config(say!("must be a number, such as 1000002"; "应为数字，例如 1000002")))
}

/// Where another installation lets us read a token: https, or http to this machine, because the token travels over it.
pub(super) fn token_url(text: &str) -> Result<String> {
    let url = api_base(text)?;
    let named = Url::parse(&url).is_ok_and(|url| {
        let name = url.path().rsplit_once("/api/token/").map(|(_, name)| name);
        name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
    });
    match named {
        true => Ok(url),
        false => Err(Error::config(say!("must end in /api/token/NAME"; "应以 /api/token/账号名 结尾")).next(
            say!("such as https://prod.example.com/api/token/main"; "例如 https://prod.example.com/api/token/main"),
        )),
    }
}

/// Addresses and networks, by commas.
pub(super) fn networks(text: &str) -> Result<Vec<Network>> {
    let each = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    each.map(|one| Network::parse(one).ok_or_else(|| no_network(one))).collect()
}

/// What is neither an address nor a network.
pub(super) fn no_network(text: &str) -> Error {
    Error::config(say!(
        "{text:?} is no address and no network, such as 10.0.0.7 or 10.0.0.0/8";
        "{text:?} 不是地址或网段，例如 10.0.0.7 或 10.0.0.0/8"
    ))
}

/// erase or keep.
pub(super) fn policy(text: &str) -> Result<UnsubscribePolicy> {
    match text {
        "erase" => Ok(UnsubscribePolicy::Erase),
        "keep" => Ok(UnsubscribePolicy::Keep),
        _ => Err(Error::config(say!("must be erase or keep"; "应为 erase 或 keep"))),
    }
}

/// An offset from UTC, as MySQL takes it for a time_zone: `+08:00`, `-05:30`; `UTC` is none.
pub(super) fn offset(text: &str) -> Result<FixedOffset> {
    let wrong = || {
        Error::config(say!(
            "not an offset from UTC between -12:59 and +14:00, such as +08:00";
            "不是 -12:59 至 +14:00 之间的 UTC 偏移，例如 +08:00"
        ))
    };
    if text == "UTC" {
        return Ok(Utc.fix());
    }
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let two = |part: &str| -> Result<i32> {
        let digits = part.len() == 2 && part.bytes().all(|c| c.is_ascii_digit());
        part.parse().ok().filter(|_| digits).ok_or_else(wrong)
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let seconds = sign * (hours * 3600 + minutes * 60);
    let possible = minutes < 60 && (-46_740..=50_400).contains(&seconds);
    FixedOffset::east_opt(seconds).filter(|_| possible).ok_or_else(wrong)
}

/// zh or en.
pub(super) fn lang(text: &str) -> Result<Lang> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err(Error::config(say!("must be zh or en"; "应为 zh 或 en"))),
    }
}

/// A filter for logs, such as `info` or `info,wxops=debug`.
pub(super) fn log(text: &str) -> Result<String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Error::config(say!(
            "not a log filter, such as info or info,wxops=debug";
            "不是日志过滤器，例如 info 或 info,wxops=debug"
        ))),
    }
}

/// An AppID or original id: letters, digits, `_` and `-`.
pub(super) fn id(text: &str) -> Result<String> {
    let letter = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    match text.len() <= 64 && text.bytes().all(letter) {
        true => Ok(text.to_owned()),
        false => Err(Error::config(say!("may hold only letters, digits, _ and -"; "只能含字母、数字、_ 和 -"))),
    }
}
