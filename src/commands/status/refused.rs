//! What a running `serve` on this machine has refused, by its own metrics.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// It answers at once or does not run.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes that are read.
const MOST: u64 = 1024 * 1024;
const SERIES: &str = "wxops_callback_refused_total{";

/// How many were refused since it started, by reason; `None` where nobody answers.
pub async fn ask(listen: SocketAddr) -> Option<BTreeMap<String, u64>> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let page = tokio::time::timeout(PATIENCE, page(SocketAddr::new(ip, listen.port()))).await.ok()?.ok()?;
    page.contains(SERIES).then(|| counts(&page))
}

async fn page(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = Vec::new();
    stream.take(MOST).read_to_end(&mut page).await?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// The counts above 0.
fn counts(page: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (labels, value) in page.lines().filter_map(|line| line.strip_prefix(SERIES)?.split_once("} ")) {
        let reason = labels.split(',').find_map(|label| label.strip_prefix("reason=\"")?.strip_suffix('"'));
        if let (Some(reason), Ok(count)) = (reason, value.trim().parse::<u64>())
            && count > 0
        {
            *counts.entry(reason.to_owned()).or_insert(0) += count;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_a_page() {
        let page = "HTTP/1.1 200 OK\r\n\r\n# HELP wxops_callback_refused_total x\n\
                    wxops_callback_refused_total{platform=\"official\",reason=\"signature\"} 10\n\
                    wxops_callback_refused_total{platform=\"official\",reason=\"slow\"} 0\n\
                    wxops_callback_received_total{kind=\"x\"} 7\n";
        assert_eq!(counts(page), BTreeMap::from([("signature".to_owned(), 10)]));
    }
}
