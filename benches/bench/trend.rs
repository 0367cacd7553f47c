//! How a long run goes on: its end against its beginning.

/// The memory at one moment of the run.
#[derive(Clone, Copy)]
pub struct Sample {
    pub second: f64,
    /// MiB.
    pub rss: f64,
}

pub struct Trend {
    /// Acknowledged in a second, over the first tenth of the answers.
    pub first: f64,
    /// The same over the last tenth.
    pub last: f64,
    /// The highest memory of the second half of the time against that of the first half.
    pub growth: f64,
}

impl Trend {
    /// From when each answer came (microseconds, in order), and the memory.
    pub fn new(answers: &[u32], samples: &[Sample]) -> Self {
        let tenth = answers.len() / 10;
        let at = |number: usize| answers.get(number).map_or(f64::NAN, |us| f64::from(*us) / 1e6);
        let last = answers.len().saturating_sub(1);
        let end = samples.last().map_or(f64::NAN, |sample| sample.second);
        let most = |half: fn(f64, f64) -> bool| {
            let half = samples.iter().filter(|sample| half(sample.second, end / 2.0));
            half.map(|sample| sample.rss).fold(f64::NAN, f64::max)
        };
        Trend {
            first: tenth as f64 / at(tenth.saturating_sub(1)),
            last: tenth as f64 / (at(last) - at(last.saturating_sub(tenth))),
            growth: most(|second, middle| second > middle) / most(|second, middle| second <= middle),
        }
    }
}
