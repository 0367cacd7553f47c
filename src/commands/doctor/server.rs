//! Whether `serve` runs here and could store a callback.

use super::Patient;
use super::finding::{Check, Finding};
use crate::error::Error;
use crate::say;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// It answers from what it knows already.
const ANSWER: Duration = Duration::from_secs(2);

pub(super) async fn check(patient: Arc<Patient>) -> Vec<Finding> {
    let listen = patient.config.listen;
    if listen.port() == 0 {
        return Vec::new();
    }
    vec![look(&patient, reachable(listen)).await.unwrap_or_else(|error| Finding::fail(Check::Serve, None, error))]
}

async fn look(patient: &Patient, at: SocketAddr) -> Result<Finding, Error> {
    let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build();
    let http = http.map_err(|e| Error::failed(say!("no HTTP client"; "无法创建 HTTP 客户端")).source(e))?;
    let answer = match http.get(format!("http://{at}/readyz")).send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => {
            return Err(Error::unavailable(
                say!("{at} takes connections and does not answer"; "{at} 接受连接但不应答"),
            )
            .next(say!("journalctl -u wxops, then restart it"; "查看 journalctl -u wxops，然后重启")));
        }
        Err(_) => {
            return Ok(Finding::warn(
                Check::Serve,
                None,
                say!("no serve answers on {at} of this machine"; "本机 {at} 上没有 serve 应答"),
                say!("start it: wxops serve, or systemctl start wxops"; "请启动：wxops serve 或 systemctl start wxops"),
            ));
        }
    };
    match answer.status().as_u16() {
        200 => {}
        503 => {
            return Err(Error::unavailable(
                say!("serve runs on {at}, but its database takes no commit"; "serve 在 {at} 上运行，但数据库无法提交"),
            )
            .next(say!("mend the database; callbacks are answered 503 until then"; "请修复数据库；在此之前回调会得到 503")));
        }
        status => {
            return Err(Error::config(
                say!("something else than wxops answers on {at} (HTTP {status})"; "{at} 上应答的不是 wxops（HTTP {status}）"),
            )
            .next(say!("ss -ltnp shows who; or change WXOPS_LISTEN"; "用 ss -ltnp 查看；或修改 WXOPS_LISTEN")));
        }
    }
    if let Some(token) = &patient.config.api_token {
        let told = http.get(format!("http://{at}/healthz?verbose")).bearer_auth(token.reveal()).send().await;
        if let Ok(told) = told
            && let Ok(told) = told.json::<Value>().await
            && let Some(why) = told["dependencies"]["configuration"]["error"].as_str()
        {
            return Ok(Finding::warn(
                Check::Serve,
                None,
                say!(
                    "serve goes on with an older configuration, the last reload was refused: {why}";
                    "serve 仍在使用旧配置，上次重新加载被拒绝：{why}"
                ),
                say!("mend the file, then: systemctl reload wxops"; "修正文件后运行：systemctl reload wxops"),
            ));
        }
    }
    Ok(Finding::ok(
        Check::Serve,
        None,
        say!("answers on {at}, callbacks can be stored"; "在 {at} 上应答，可以存储回调"),
    ))
}

/// Where a listener on every address is reached from here.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
