//! Every bar of scripts/bench, and the verdict on a figure. Nothing else knows a bar.

use std::fmt::{self, Display};

/// What a figure has to reach, or not to pass.
#[derive(Clone, Copy)]
pub struct Bar {
    what: &'static str,
    bound: Bound,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

const fn at_least(bound: f64, what: &'static str) -> Bar {
    Bar { what, bound: Bound::AtLeast(bound) }
}

const fn at_most(bound: f64, what: &'static str) -> Bar {
    Bar { what, bound: Bound::AtMost(bound) }
}

const fn below(bound: f64, what: &'static str) -> Bar {
    Bar { what, bound: Bound::Below(bound) }
}

/// callback: c and d are the door that stores nothing and the group commit alone.
pub const OF_PARTS: Bar = at_least(0.75, "of 1/(1/c + 1/d)");
pub const P99: Bar = at_most(25.0, "ms p99");
/// callback --fsync: an ordinary disk.
pub const OF_COMMIT_ON_A_SLOW_DISK: Bar = at_least(0.5, "of d on a slow disk");
/// callback --one-cpu.
pub const OF_PARTS_ON_ONE_CPU: Bar = at_least(0.5, "of 1/(1/c + 1/d) on one CPU");
pub const UNACKNOWLEDGED: Bar = at_most(0.0, "requests not acknowledged");

/// callback --faults: with the database away against the same server when all is well, and beside the jobs.
pub const RATE_AWAY: Bar = at_least(0.5, "of the usual rate with the database away");
pub const P99_AWAY: Bar = at_most(2.0, "times the usual p99 with the database away");
pub const P99_BESIDE: Bar = at_most(100.0, "ms p99 beside a purge, an export and a backup");
pub const WITHOUT_ROW_AFTER: Bar = at_most(0.0, "events without exactly one row once the database is back");

/// race.
pub const OF_THE_BEST_ON_SQLITE: Bar = at_least(4.0, "times the best contestant");
pub const OF_THE_BEST_ON_MARIADB: Bar = at_least(2.0, "times the best contestant");

/// million.
pub const LAST_OF_FIRST: Bar = at_least(0.4, "the rate of the last tenth against the first");
pub const PEAK_MEMORY: Bar = below(64.0, "MiB of memory at the most");
pub const GROWTH: Bar = at_most(1.25, "the second half's memory against the first half's");
pub const DRAIN: Bar = at_most(0.1, "of the run's time until the inbox is drained");
pub const WITHOUT_ROW: Bar = at_most(0.0, "events without exactly one row that is done, people without theirs");

/// start.
pub const READY: Bar = at_most(50.0, "ms until ready");
pub const IDLE_MEMORY: Bar = below(15.0, "MiB of memory, idle");
pub const HELP: Bar = at_most(10.0, "ms for --help");
pub const BINARY: Bar = at_most(25.0, "MiB of binary");

/// sync: the floor is the larger of calls x latency / concurrency, and rows / the database's bulk rate.
pub const OF_FLOOR: Bar = at_most(1.25, "times the floor");
pub const CALLS_OFF: Bar = at_most(0.0, "calls that are not needed, or were not made");
pub const ROWS_OFF: Bar = at_most(0.0, "people or events without exactly one row");
pub const SYNC_MEMORY: Bar = at_most(64.0, "MiB of memory at the most");
pub const SYNC_GROWTH: Bar = at_most(1.25, "the memory at the most followers against the fewest");
pub const P99_BESIDE_SYNC: Bar = at_most(100.0, "ms p99 of callbacks beside a sync");

impl Bar {
    /// Holds a figure to it.
    pub fn judge(self, whose: impl Into<String>, figure: f64) -> Verdict {
        Verdict { whose: whose.into(), figure, bar: self }
    }
}

/// A figure and its bar.
pub struct Verdict {
    whose: String,
    figure: f64,
    bar: Bar,
}

impl Verdict {
    /// What could not be measured has missed.
    pub fn met(&self) -> bool {
        match self.bar.bound {
            Bound::AtLeast(bound) => self.figure >= bound,
            Bound::AtMost(bound) => self.figure <= bound,
            Bound::Below(bound) => self.figure < bound,
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.bar.bound {
            Bound::AtLeast(bound) => format!("at least {bound}"),
            Bound::AtMost(bound) => format!("at most {bound}"),
            Bound::Below(bound) => format!("below {bound}"),
        };
        let word = if self.met() { "met" } else { "MISSED" };
        write!(f, "{word}: {}: {:.2} {} (bar: {bound})", self.whose, self.figure, self.bar.what)
    }
}
