//! Before any request: the name's addresses, and a connection to each.

use super::client::Deadline;
use super::finding::{Finding, Question};
use super::target;
use crate::error::Text;
use crate::say;
use reqwest::Url;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

/// More addresses of a name are not tried.
const ADDRESSES: usize = 8;

/// What was found on the way, and the addresses that are open; none of them: it ends here.
pub struct Reached {
    /// In the order of asking.
    pub findings: Vec<Finding>,
    /// Where requests go.
    pub open: Vec<SocketAddr>,
}

/// How one connection ended.
type Tried = (SocketAddr, Result<Duration, Error>);

/// Resolves and connects.
pub async fn reach(url: &Url, deadline: Deadline) -> Reached {
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let mut findings = Vec::new();
    let addresses = match resolve(host, port, deadline).await {
        Ok(addresses) => addresses,
        Err(finding) => return Reached { findings: vec![finding], open: Vec::new() },
    };
    if url.domain().is_some() {
        let list = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
        findings.push(Finding::ok(Question::Dns, say!("{host} is {list}"; "{host} 的地址是 {list}")));
    }
    findings.extend(target::address(url, &addresses));
    let mut trying = JoinSet::new();
    for address in addresses {
        let limit = deadline.limit();
        trying.spawn(async move { (address, connect(address, limit).await) });
    }
    let mut tried = trying.join_all().await;
    tried.sort_by_key(|(address, _)| *address);
    findings.push(judge(&tried));
    let open = tried.iter().filter(|(_, end)| end.is_ok()).map(|(address, _)| *address).collect();
    Reached { findings, open }
}

async fn resolve(host: &str, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, Finding> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let limit = deadline.limit();
    let why = match tokio::time::timeout(limit, lookup_host((bare, port))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<_> = found.take(ADDRESSES).collect();
            addresses.dedup();
            if !addresses.is_empty() {
                return Ok(addresses);
            }
            say!("it has no address"; "没有地址")
        }
        Ok(Err(error)) => {
            let why = error.to_string();
            let why = why.strip_prefix("failed to lookup address information: ").unwrap_or(&why);
            say!("{why}"; "{why}")
        }
        Err(_) => seconds(limit),
    };
    let (en, zh) = (why.en, why.zh);
    let what = say!("the name {host} cannot be resolved: {en}"; "域名 {host} 无法解析：{zh}");
    Err(Finding::unreachable(Question::Dns, "dns", what).next(say!(
        "is it spelt right, and does it have an A record? dig {host}";
        "请检查拼写，以及是否有 A 记录：dig {host}"
    )))
}

async fn connect(address: SocketAddr, limit: Duration) -> Result<Duration, Error> {
    let began = Instant::now();
    match tokio::time::timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(began.elapsed()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ErrorKind::TimedOut.into()),
    }
}

/// One finding about all addresses of the name.
fn judge(tried: &[Tried]) -> Finding {
    let dead: Vec<_> = tried.iter().filter(|(address, end)| end.is_err() && target::is_public(address.ip())).collect();
    match tried.iter().find(|(_, end)| end.is_ok()) {
        // A machine without IPv6 reaches no address of that kind: that says nothing about the server.
        Some((address, Ok(took))) if dead.iter().all(|(_, end)| matches!(end, Err(e) if is_ours(e))) => {
            let ms = took.as_millis();
            Finding::ok(Question::Connection, say!("{address} is open ({ms} ms)"; "{address} 已开放（{ms} 毫秒）"))
        }
        Some(_) => {
            let list = dead.iter().map(|(address, _)| address.to_string()).collect::<Vec<_>>().join(", ");
            let what = say!(
                "of the name's addresses {list} does not answer: pushes to it are lost";
                "该域名的地址中 {list} 没有应答：发往它的推送会丢失"
            );
            Finding::warning(Question::Connection, "dead_address", what).next(say!(
                "take its A or AAAA record out, or bring the server back";
                "请删除其 A 或 AAAA 记录，或恢复该服务器"
            ))
        }
        None => closed(tried),
    }
}

/// No way from here, whatever the other side does.
fn is_ours(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable)
}

fn closed(tried: &[Tried]) -> Finding {
    let refused = tried.iter().find(|(_, end)| matches!(end, Err(e) if e.kind() == ErrorKind::ConnectionRefused));
    if let Some((address, _)) = refused {
        let what =
            say!("{address} refuses the connection: nothing listens there"; "{address} 拒绝连接：没有程序在监听");
        return Finding::unreachable(Question::Connection, "refused", what).next(say!(
            "is the web server running, and on this port? ss -ltn on that machine";
            "Web 服务器是否在运行、端口是否正确？请在该机器上执行 ss -ltn"
        ));
    }
    let list = tried.iter().map(|(address, _)| address.to_string()).collect::<Vec<_>>().join(", ");
    let silent = tried.iter().any(|(_, end)| matches!(end, Err(e) if e.kind() == ErrorKind::TimedOut));
    let what = match silent {
        true => say!("no connection to {list}: nobody answers"; "无法连接 {list}：没有应答"),
        false => say!("no way to {list} from this machine"; "本机没有通往 {list} 的网络"),
    };
    Finding::unreachable(Question::Connection, if silent { "silent" } else { "no_route" }, what).next(say!(
        "look at the firewall and the provider's security group: ports 80 and 443 must be open to all";
        "请检查防火墙与云服务商的安全组：80 与 443 端口须对所有来源开放"
    ))
}

fn seconds(limit: Duration) -> Text {
    let seconds = limit.as_secs_f64();
    say!("no answer within {seconds:.1} s"; "{seconds:.1} 秒内没有应答")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tried(address: &str, end: Result<(), ErrorKind>) -> Tried {
        (address.parse().unwrap(), end.map(|()| Duration::from_millis(3)).map_err(Error::from))
    }

    #[test]
    fn a_dead_one_among_several_is_named() {
        let good = tried("1.1.1.1:443", Ok(()));
        let dead = tried("1.0.0.1:443", Err(ErrorKind::TimedOut));
        let no_v6 = tried("[2400:3200::1]:443", Err(ErrorKind::NetworkUnreachable));
        let finding = judge(&[good, dead, no_v6]);
        assert_eq!(finding.cause, Some("dead_address"));
        assert!(finding.what.en.contains("1.0.0.1:443"), "{}", finding.what.en);
    }

    #[test]
    fn a_machine_without_ipv6_warns_of_nothing() {
        let good = tried("1.1.1.1:443", Ok(()));
        let no_v6 = tried("[2400:3200::1]:443", Err(ErrorKind::NetworkUnreachable));
        assert_eq!(judge(&[no_v6, good]).cause, None);
    }

    #[test]
    fn silence_and_refusal_are_told_apart() {
        let cause = |kind| judge(&[tried("1.1.1.1:443", Err(kind))]).cause;
        assert_eq!(cause(ErrorKind::ConnectionRefused), Some("refused"));
        assert_eq!(cause(ErrorKind::TimedOut), Some("silent"));
        assert_eq!(cause(ErrorKind::NetworkUnreachable), Some("no_route"));
    }
}
