//! How fast callbacks are answered: only the running `serve` knows. Asked where it tells its metrics.

use crate::config::Config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A listener on this machine answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a `serve` has counted since its start, over all accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// Callbacks acknowledged, repeated ones too.
    pub acknowledged: u64,
    /// How many of them were repeated.
    pub duplicates: u64,
    /// Callbacks refused.
    pub refused: u64,
    /// Upper bounds in seconds, and how many were answered within; the last bound is infinite.
    buckets: Vec<(f64, u64)>,
}

/// Where the `serve` of this configuration tells its metrics; an address to listen on everywhere is asked here.
pub fn metrics_address(config: &Config) -> SocketAddr {
    let mut address = config.metrics_listen;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

impl Answers {
    /// Asks; `None` where no `serve` answers.
    pub async fn ask(address: SocketAddr) -> Option<Answers> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().ok()?;
        let page = http.get(format!("http://{address}/metrics")).send().await.ok()?.error_for_status().ok()?;
        Self::read(&page.text().await.ok()?)
    }

    fn read(page: &str) -> Option<Answers> {
        let mut buckets: Vec<(f64, u64)> = series(page, "wxops_callback_ack_seconds_bucket")
            .filter_map(|(labels, count)| {
                let bound = labels.split("le=\"").nth(1)?.split('"').next()?;
                Some((if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? }, count))
            })
            .collect();
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let sum = |name: &str| series(page, name).map(|(_, count)| count).sum();
        Some(Answers {
            acknowledged: buckets.last()?.1,
            duplicates: sum("wxops_callback_duplicates_total"),
            refused: sum("wxops_callback_refused_total"),
            buckets,
        })
    }

    /// The time, seconds, within which this part (0 to 1) was answered: estimated inside its bucket as Prometheus
    /// does. `None` before the first, infinite beyond the last bound.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        if self.acknowledged == 0 {
            return None;
        }
        let rank = part * self.acknowledged as f64;
        let mut below = (0.0, 0);
        for (bound, count) in &self.buckets {
            if *count as f64 >= rank {
                let (from, before) = below;
                let inside = (rank - before as f64) / (count - before).max(1) as f64;
                return Some(if bound.is_finite() { from + (bound - from) * inside } else { f64::INFINITY });
            }
            below = (*bound, *count);
        }
        None
    }
}

/// The labels and values of each series of a name.
fn series<'a>(page: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
    page.lines().filter_map(move |line| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        let value: f64 = value.parse().ok()?;
        (labels.is_empty() || labels.starts_with('{')).then_some((labels, value as u64))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn quantiles_are_read_from_the_page_that_serve_shows() {
        let metrics = Metrics::new(["signature", "xml"].into_iter());
        let none = Answers::read(&metrics.text()).unwrap();
        assert_eq!((none.acknowledged, none.quantile(0.5)), (0, None));
        for _ in 0..90 {
            metrics.ack.observe(0.002);
        }
        for _ in 0..9 {
            metrics.ack.observe(0.02);
        }
        metrics.ack.observe(7.0);
        metrics.refused.with_label_values(&["official", "xml"]).inc_by(3);
        metrics.duplicates.with_label_values(&["official"]).inc_by(2);
        let answers = Answers::read(&metrics.text()).unwrap();
        assert_eq!((answers.acknowledged, answers.duplicates, answers.refused), (100, 2, 3));
        let near = |part: f64, seconds: f64| (answers.quantile(part).unwrap() - seconds).abs() < 1e-9;
        // 50 of the 90 between 1 and 2.5 ms; 99 of 99 up to 25 ms.
        assert!(near(0.5, 0.001 + 0.0015 * 50.0 / 90.0) && near(0.99, 0.025), "{:?}", answers.quantile(0.5));
        assert_eq!(answers.quantile(1.0), Some(f64::INFINITY));
        assert_eq!(Answers::read("<html>somebody else</html>"), None);
    }
}
