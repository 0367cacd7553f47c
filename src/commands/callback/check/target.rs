//! The URL that is checked, and whether the platform would call such a one at all.

use super::finding::{Finding, Question};
use crate::config::Config;
use crate::domain::account::Official;
use crate::error::{Error, Result};
use crate::say;
use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads the URL of the command line.
///
/// # Errors
/// Usage, where it is none that a console takes.
pub fn given(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = url else {
        return Err(Error::usage(say!("not a URL that begins with http:// or https://"; "不是以 http:// 或 https:// 开头的 URL"))
            .next(say!("write it as it stands in the console: https://wx.example.com/wechat/event"; "请照后台填写：https://wx.example.com/wechat/event")));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::usage(say!(
            "a callback URL has no user and no password";
            "回调 URL 不能含用户名与密码"
        ))
        .next(say!("leave out what stands before the @"; "请去掉 @ 之前的部分")));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The URL of the account by the configuration: WXOPS_PUBLIC_URL and its route.
///
/// # Errors
/// Configuration, where WXOPS_PUBLIC_URL is not set.
pub fn configured(config: &Config, account: &Official) -> Result<Url> {
    // The route without a name belongs to whom `serve` takes when nobody is named.
    let route = match config.is_default(account) {
        true => "/wechat/event".to_owned(),
        false => format!("/wechat/{}/event", account.name),
    };
    below(config, &route)
}

/// The URL of a route by the configuration.
///
/// # Errors
/// Configuration, where WXOPS_PUBLIC_URL is not set.
pub fn below(config: &Config, route: &str) -> Result<Url> {
    let Some(base) = &config.public_url else {
        return Err(Error::config(say!("WXOPS_PUBLIC_URL is not set, and no URL is given"; "没有设置 WXOPS_PUBLIC_URL，也没有给出 URL"))
            .next(say!("set it, or name the URL: wxops callback check https://…"; "请设置它，或写明 URL：wxops callback check https://…")));
    };
    given(&format!("{base}{route}"))
}

/// The URL without what may be secret or long.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.into()
}

/// What is odd about the address; nothing is said of a good one.
pub fn address(url: &Url, addresses: &[SocketAddr]) -> Option<Finding> {
    // Behind a private address another port is no wonder: the web server stands elsewhere.
    if !addresses.is_empty() && addresses.iter().all(|address| !is_public(address.ip())) {
        let ip = addresses[0].ip();
        let what =
            say!("{ip} is not reachable from the internet: WeChat cannot call it"; "{ip} 无法从公网访问：微信访问不到");
        return Some(Finding::warning(Question::Address, "private_address", what).next(say!(
            "good for a first try; then check the public URL too, from outside";
            "先这样试没有问题；之后请再从外网检查公网 URL"
        )));
    }
    let port = url.port_or_known_default().unwrap_or_default();
    let usual = if url.scheme() == "https" { 443 } else { 80 };
    if port == usual {
        return None;
    }
    let scheme = url.scheme();
    let what = say!("port {port}: WeChat calls {scheme} on port {usual} only"; "端口 {port}：微信只在端口 {usual} 上访问 {scheme}");
    Some(Finding::warning(Question::Address, "port", what).next(say!(
        "for a real account put a web server on port {usual} in front (examples/nginx.conf)";
        "真实账号请在前面放一个监听端口 {usual} 的 Web 服务器（examples/nginx.conf）"
    )))
}

/// Whether an address may be one of the internet's (RFC 6890 lists those that are not).
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    // Shared by a provider's customers, and for tests of networks: local proxies hand these out as false answers.
    let shared = a == 100 && (64..128).contains(&b);
    let bench = a == 198 && (18..20).contains(&b);
    let other = ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation() || ip.is_multicast();
    !(shared || bench || other || a == 0 || a >= 240)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let documentation = ip.segments()[..2] == [0x2001, 0xdb8];
    let other = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
    !(documentation || other || ip.is_unique_local() || ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_the_internet_does_not_reach() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "198.18.0.5",
            "0.0.0.0",
            "203.0.113.7",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["1.1.1.1", "100.128.0.1", "198.20.0.1", "172.32.0.1", "2400:3200::1"] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn only_what_a_console_takes() {
        assert_eq!(shown(&given("https://wx.example.com/cb?key=secret#x").unwrap()), "https://wx.example.com/cb");
        for wrong in ["wx.example.com", "ftp://wx.example.com/", "https://user:pw@wx.example.com/", "http://"] {
            let error = given(wrong).unwrap_err();
            assert_eq!(error.kind, crate::error::Kind::Usage, "{wrong}");
            assert!(!error.what.en.contains("pw"));
        }
    }

    #[test]
    fn another_port_is_told() {
        let open = ["1.1.1.1:443".parse().unwrap()];
        let cause = |url: &str| address(&given(url).unwrap(), &open).and_then(|finding| finding.cause);
        assert_eq!(cause("https://wx.example.com/x"), None);
        assert_eq!(cause("http://wx.example.com/x"), None);
        assert_eq!(cause("https://wx.example.com:8443/x"), Some("port"));
        assert_eq!(cause("http://wx.example.com:443/x"), Some("port"));
        let here = ["127.0.0.1:8080".parse().unwrap()];
        let finding = address(&given("http://127.0.0.1:8080/x").unwrap(), &here);
        assert_eq!(finding.and_then(|finding| finding.cause), Some("private_address"));
    }
}
