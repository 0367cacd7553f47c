//! What the process counts. Names are an interface; labels never hold an openid, an id or free text.

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use std::sync::{Arc, OnceLock};

/// Upper bounds of `wxops_callback_ack_seconds`: the platform cuts at 5 s, the 503 goes out before.
const ACK_BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 4.5, 5.0];
/// Upper bounds of `wxops_platform_call_seconds`: the limit of a call is 10 s.
const CALL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What may come of a try of a hook delivery.
const HOOK_RESULTS: [&str; 6] = ["delivered", "retry", "failed", "unknown", "erased", "gone"];

/// What may come of a request for an access_token.
const TOKEN_RESULTS: [&str; 7] =
    ["given", "refused_same", "refused_replaced", "unauthorized", "forbidden", "bad_request", "failed"];
/// Whose callbacks are taken.
const PLATFORMS: [&str; 2] = ["official", "wecom"];
/// The account of requests that name none of ours.
pub const NO_ACCOUNT: &str = "unknown";

/// Every figure of a process.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Callbacks acknowledged, by platform and kind.
    pub received: IntCounterVec,
    /// Callbacks refused, by platform and reason.
    pub refused: IntCounterVec,
    /// Repeated deliveries, by platform.
    pub duplicates: IntCounterVec,
    /// Clear bodies taken in compatible mode: the change-over is not finished.
    pub clear: IntCounterVec,
    /// Callbacks that the Token or the AES key before the current one proved: a change of keys is not finished.
    pub previous: IntCounterVec,
    /// Callbacks whose timestamp is over 300 s off, though accepted.
    pub skewed: IntCounterVec,
    /// Callbacks answered with a configured reply, by platform.
    pub replies: IntCounterVec,
    /// From the request's head to the answer.
    pub ack: Histogram,
    /// Rows of the inbox by state.
    pub inbox: IntGaugeVec,
    /// When the oldest row came in that is not settled; 0: none.
    pub inbox_oldest: Gauge,
    /// Rows of the notification queue by state.
    pub queue: IntGaugeVec,
    /// When the oldest row of the notification queue that is due was made; 0: none.
    pub queue_oldest: Gauge,
    /// Bytes in the spool of this host.
    pub spool_bytes: IntGauge,
    /// Callbacks in and out of the spool, by what became of them.
    pub spool_events: IntCounterVec,
    /// Time in handlers: sum and count.
    pub handler_seconds: HistogramVec,
    /// Calls of the platforms by API and errcode.
    pub calls: IntCounterVec,
    /// Time of those calls.
    pub call_seconds: HistogramVec,
    /// When an account's access_token ends.
    pub token_expiry: GaugeVec,
    /// Requests of other systems for an access_token, by account and what came of them.
    pub token_requests: IntCounterVec,
    /// Tries of hook deliveries by hook and what came of them.
    pub hook_deliveries: IntCounterVec,
    /// Deliveries of a hook that wait.
    pub hook_pending: IntGaugeVec,
    /// 1; 0 while a newer configuration is refused and the one before stays in force.
    pub reload_ok: IntGauge,
    /// Whether Redis answers, and how many copies it lacks; shown where one is configured.
    redis: Arc<OnceLock<[IntGauge; 2]>>,
}

impl Metrics {
    /// All at 0, for what is known in advance.
    pub fn new(reasons: impl Iterator<Item = &'static str>) -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let made = IntCounterVec::new(Opts::new(name, help), labels).expect("name and labels are constants");
            registry.register(Box::new(made.clone())).expect("each name is registered once");
            made
        };
        let histogram = |name: &str, help: &str, labels: &[&str], buckets: &[f64]| {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            let made = HistogramVec::new(options, labels).expect("name and labels are constants");
            registry.register(Box::new(made.clone())).expect("each name is registered once");
            made
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| {
            let made = GaugeVec::new(Opts::new(name, help), labels).expect("name and labels are constants");
            registry.register(Box::new(made.clone())).expect("each name is registered once");
            made
        };
        let inbox =
            IntGaugeVec::new(Opts::new("wxops_inbox_events", "Rows of the inbox that are not done."), &["state"])
                .expect("name and labels are constants");
        registry.register(Box::new(inbox.clone())).expect("each name is registered once");
        let oldest = Gauge::new(
            "wxops_inbox_oldest_timestamp_seconds",
            "When the oldest callback came in that is not settled; 0: none.",
        )
        .expect("the name is constant");
        registry.register(Box::new(oldest.clone())).expect("each name is registered once");
        let queue = Opts::new("wxops_queue_notices", "Notifications of the queue by state.");
        let queue = IntGaugeVec::new(queue, &["state"]).expect("name and labels are constants");
        registry.register(Box::new(queue.clone())).expect("each name is registered once");
        for state in ["pending", "processing", "dead"] {
            queue.with_label_values(&[state]).set(0);
        }
        let queue_oldest = Gauge::new(
            "wxops_queue_oldest_timestamp_seconds",
            "When the oldest notification that is due was made; 0: none.",
        )
        .expect("the name is constant");
        registry.register(Box::new(queue_oldest.clone())).expect("each name is registered once");
        let pending = Opts::new("wxops_hook_pending", "Deliveries of a hook that are not done.");
        let pending = IntGaugeVec::new(pending, &["hook"]).expect("name and labels are constants");
        registry.register(Box::new(pending.clone())).expect("each name is registered once");
        let reload_ok =
            IntGauge::new("wxops_config_last_reload_successful", "0: the last reload was refused.").expect("constants");
        reload_ok.set(1);
        registry.register(Box::new(reload_ok.clone())).expect("each name is registered once");
        let spool_bytes = IntGauge::new("wxops_spool_bytes", "Bytes in the spool of this host.").expect("constants");
        registry.register(Box::new(spool_bytes.clone())).expect("each name is registered once");
        let ack = HistogramOpts::new("wxops_callback_ack_seconds", "From the head of a callback to its answer.");
        let ack = Histogram::with_opts(ack.buckets(ACK_BUCKETS.to_vec())).expect("the name is constant");
        registry.register(Box::new(ack.clone())).expect("each name is registered once");
        let made = Metrics {
            received: counter("wxops_callback_received_total", "Callbacks acknowledged.", &["platform", "kind"]),
            refused: counter("wxops_callback_refused_total", "Callbacks refused.", &["platform", "reason"]),
            duplicates: counter("wxops_callback_duplicates_total", "Repeated deliveries.", &["platform"]),
            clear: counter("wxops_callback_clear_total", "Clear bodies taken in compatible mode.", &["platform"]),
            previous: counter(
                "wxops_callback_previous_keys_total",
                "Accepted by the previous Token or AES key.",
                &["platform"],
            ),
            skewed: counter("wxops_callback_skewed_total", "Accepted with a timestamp over 300 s off.", &["platform"]),
            replies: counter("wxops_callback_replied_total", "Answered with a configured reply.", &["platform"]),
            ack,
            inbox,
            inbox_oldest: oldest,
            queue,
            queue_oldest,
            spool_bytes,
            spool_events: counter(
                "wxops_spool_events_total",
                "Callbacks spooled; moved into the database, repeated there, refused by it; damaged parts.",
                &["result"],
            ),
            handler_seconds: histogram("wxops_handler_seconds", "Time in handlers.", &["kind"], &[f64::INFINITY]),
            calls: counter("wxops_platform_calls_total", "Calls of the platforms.", &["platform", "api", "errcode"]),
            call_seconds: histogram(
                "wxops_platform_call_seconds",
                "Time of those calls.",
                &["platform", "api"],
                CALL_BUCKETS,
            ),
            token_requests: counter(
                "wxops_token_requests_total",
                "Requests of other systems for an access_token.",
                &["account", "result"],
            ),
            hook_deliveries: counter("wxops_hook_deliveries_total", "Tries of hook deliveries.", &["hook", "result"]),
            hook_pending: pending,
            reload_ok,
            redis: Arc::default(),
            token_expiry: gauge("wxops_token_expiry_timestamp_seconds", "When the access_token ends.", &["account"]),
            registry,
        };
        let reasons: Vec<_> = reasons.collect();
        for platform in PLATFORMS {
            for reason in &reasons {
                made.refused.with_label_values(&[platform, reason]);
            }
            for each in [&made.duplicates, &made.previous, &made.skewed] {
                each.with_label_values(&[platform]);
            }
        }
        for each in [&made.clear, &made.replies] {
            each.with_label_values(&["official"]);
        }
        for result in ["spooled", "moved", "duplicate", "refused", "broken"] {
            made.spool_events.with_label_values(&[result]);
        }
        for result in ["unauthorized", "forbidden", "bad_request"] {
            made.token_requests.with_label_values(&[NO_ACCOUNT, result]);
        }
        for state in ["new", "dead"] {
            made.inbox.with_label_values(&[state]);
        }
        made
    }

    /// Whether Redis answered at the last try.
    pub fn redis_is(&self, well: bool) {
        self.of_redis()[0].set(well.into());
    }

    /// How many copies Redis lacks, or has in excess.
    pub fn copies_are_due(&self, rows: i64) {
        self.of_redis()[1].set(rows);
    }

    fn of_redis(&self) -> &[IntGauge; 2] {
        self.redis.get_or_init(|| {
            let gauge = |name: &str, help: &str| {
                let made = IntGauge::new(name, help).expect("the name is constant");
                self.registry.register(Box::new(made.clone())).expect("each name is registered once");
                made
            };
            [
                gauge("wxops_redis_up", "1: Redis answered at the last try."),
                gauge("wxops_location_copies_due", "Positions that Redis lacks, or has still to forget."),
            ]
        })
    }

    /// The series of these accounts at 0, and none of others.
    pub fn follow_accounts<'a>(&self, before: impl Iterator<Item = &'a str>, now: impl Iterator<Item = &'a str>) {
        let now: Vec<&str> = now.collect();
        for gone in before.filter(|name| !now.contains(name)) {
            for result in TOKEN_RESULTS {
                let _ = self.token_requests.remove_label_values(&[gone, result]);
            }
        }
        for (name, result) in now.iter().flat_map(|name| TOKEN_RESULTS.map(|result| (name, result))) {
            self.token_requests.with_label_values(&[name, result]);
        }
    }

    /// The series of these hooks at 0, and none of others: a series that nobody feeds any more would look alive.
    pub fn follow_hooks<'a>(&self, before: impl Iterator<Item = &'a str>, now: impl Iterator<Item = &'a str>) {
        let now: Vec<&str> = now.collect();
        for gone in before.filter(|name| !now.contains(name)) {
            let _ = self.hook_pending.remove_label_values(&[gone]);
            for result in HOOK_RESULTS {
                let _ = self.hook_deliveries.remove_label_values(&[gone, result]);
            }
        }
        for name in now {
            self.hook_pending.with_label_values(&[name]);
            for result in HOOK_RESULTS {
                self.hook_deliveries.with_label_values(&[name, result]);
            }
        }
    }

    /// All figures in Prometheus' text format. The time in handlers is a summary without quantiles, which
    /// this library can't make: its histogram of one bucket is shown as one.
    pub fn text(&self) -> String {
        let mut text = Vec::new();
        if TextEncoder::new().encode(&self.registry.gather(), &mut text).is_err() {
            return String::new();
        }
        let text = String::from_utf8(text).unwrap_or_default();
        text.lines()
            .filter(|line| !line.starts_with("wxops_handler_seconds_bucket"))
            .map(|line| match line {
                "# TYPE wxops_handler_seconds histogram" => "# TYPE wxops_handler_seconds summary\n".to_owned(),
                line => format!("{line}\n"),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_show_sum_and_count_only() {
        let metrics = Metrics::new(["signature"].into_iter());
        metrics.handler_seconds.with_label_values(&["event.scan"]).observe(0.5);
        let text = metrics.text();
        assert!(text.contains("# TYPE wxops_handler_seconds summary\nwxops_handler_seconds_sum"), "{text}");
        assert!(!text.contains("handler_seconds_bucket"));
        assert!(text.contains(r#"wxops_callback_refused_total{platform="official",reason="signature"} 0"#));
    }
}
