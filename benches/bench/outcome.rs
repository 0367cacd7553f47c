//! What came of a load.

use std::time::Duration;

#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// Answers of 200, duplicates too.
    pub acknowledged: u64,
    /// Events that were begun.
    pub begun: u64,
    /// Any other answer, or none.
    pub failed: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Outcome {
    /// From the latencies of what was acknowledged, microseconds.
    pub fn new(mut latencies: Vec<u32>, begun: u64, failed: u64, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        let last = latencies.len().saturating_sub(1);
        let at =
            |part: f64| latencies.get((part * last as f64).round() as usize).map_or(0.0, |us| f64::from(*us) / 1e3);
        Outcome {
            acknowledged: latencies.len() as u64,
            begun,
            failed,
            seconds: elapsed.as_secs_f64(),
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }

    /// Acknowledged in a second.
    pub fn rate(&self) -> f64 {
        self.acknowledged as f64 / self.seconds.max(1e-9)
    }
}
