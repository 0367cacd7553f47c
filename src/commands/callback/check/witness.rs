//! The counters of a `serve` on this machine: which reason of refusal grew while one request was made.
//!
//! To the outside every refusal of wxops looks alike, on purpose. Whoever may read its metrics is inside.

use crate::config::Config;
use crate::wire::reason::Reason;
use reqwest::Client;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A page of counters on loopback is there at once or not at all.
const LIMIT: Duration = Duration::from_millis(500);
/// What is read of it.
const SERIES: &str = "wxops_callback_refused_total{";

/// A `serve` that tells its counters.
pub struct Witness {
    client: Client,
    url: String,
}

/// Refusals so far.
pub type Counts = HashMap<Reason, u64>;

impl Witness {
    /// The `serve` whose metrics listener the configuration names, where it answers.
    pub async fn find(config: &Config) -> Option<Self> {
        let address = reachable(config.metrics_listen).filter(|address| address.port() != 0)?;
        let client = Client::builder().no_proxy().timeout(LIMIT).build().ok()?;
        let witness = Witness { client, url: format!("http://{address}/metrics") };
        witness.counts().await?;
        Some(witness)
    }

    /// The counters now; `None` where nothing answers, or something else than wxops.
    pub async fn counts(&self) -> Option<Counts> {
        let page = self.client.get(&self.url).send().await.ok()?.text().await.ok()?;
        let counts = sums(&page);
        (!counts.is_empty()).then_some(counts)
    }
}

/// The reason that grew; `None` where none did or several did, because others were refused at the same time.
pub fn grown(before: &Counts, after: &Counts) -> Option<Reason> {
    let mut grown = Reason::all().filter(|reason| after.get(reason) > before.get(reason));
    grown.next().filter(|_| grown.next().is_none())
}

/// Of each reason all platforms together.
fn sums(page: &str) -> Counts {
    let mut counts = Counts::new();
    for (reason, count) in page.lines().filter_map(count) {
        *counts.entry(reason).or_default() += count;
    }
    counts
}

fn count(line: &str) -> Option<(Reason, u64)> {
    let (labels, value) = line.strip_prefix(SERIES)?.split_once("} ")?;
    let name = labels.split(',').find_map(|label| label.strip_prefix("reason=\"")?.strip_suffix('"'))?;
    let reason = Reason::all().find(|reason| reason.as_str() == name)?;
    Some((reason, value.parse().ok()?))
}

/// This machine's side of an address to listen on.
fn reachable(listen: SocketAddr) -> Option<SocketAddr> {
    let ip = match listen.ip() {
        ip if ip.is_loopback() => ip,
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, listen.port()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn counts(pairs: &[(Reason, u64)]) -> Counts {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_page_is_read() {
        let line = "wxops_callback_refused_total{platform=\"official\",reason=\"decrypt\"} 3";
        assert_eq!(count(line), Some((Reason::Decrypt, 3)));
        assert_eq!(count("wxops_callback_refused_total{platform=\"official\",reason=\"moon\"} 3"), None);
        assert_eq!(count("# HELP wxops_callback_refused_total Callbacks refused."), None);
        let both = format!("{line}\n{}\n", line.replace("official", "wecom").replace("} 3", "} 4"));
        assert_eq!(sums(&both), counts(&[(Reason::Decrypt, 7)]), "platforms are not told apart");
    }

    #[test]
    fn only_one_that_grew_says_anything() {
        let before = counts(&[(Reason::Signature, 1), (Reason::Xml, 4)]);
        let one = counts(&[(Reason::Signature, 2), (Reason::Xml, 4)]);
        assert_eq!(grown(&before, &one), Some(Reason::Signature));
        assert_eq!(grown(&before, &before), None);
        assert_eq!(grown(&before, &counts(&[(Reason::Signature, 2), (Reason::Xml, 5)])), None);
    }

    #[test]
    fn only_this_machine_is_asked() {
        let of = |text: &str| reachable(text.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(of("127.0.0.1:9464").unwrap(), "127.0.0.1:9464");
        assert_eq!(of("0.0.0.0:9464").unwrap(), "127.0.0.1:9464");
        assert_eq!(of("[::]:9464").unwrap(), "[::1]:9464");
        assert_eq!(of("192.0.2.1:9464"), None);
    }
}
