//! How a long run goes on: its end against its beginning.

use super::bars::{self, Verdict};
use super::raw::Raw;

/// What a run left in the file: `what` at a `second`, or at its end.
struct Run<'a> {
    raw: &'a Raw,
    db: &'a str,
}

impl Run<'_> {
    /// (second, value) of each row of this kind.
    fn curve(&self, what: &str) -> Vec<(f64, f64)> {
        let rows = self.raw.rows().filter(|row| row.is("database", self.db) && row.is("what", what));
        rows.map(|row| (row.number("second"), row.number("value"))).collect()
    }

    /// The last row of a kind.
    fn end(&self, what: &str) -> f64 {
        self.curve(what).last().map_or(f64::NAN, |(_, value)| *value)
    }

    /// Acknowledged in a second between two parts of all answers.
    fn rate(&self, from: f64, to: f64) -> f64 {
        let curve = self.curve("acknowledged");
        let all = curve.last().map_or(f64::NAN, |(_, count)| *count);
        // What came by then: the first point at or behind that part.
        let at = |part: f64| curve.iter().find(|(_, count)| *count >= part * all).copied();
        let start = if from == 0.0 { Some((0.0, 0.0)) } else { at(from) };
        let (Some((start, before)), Some((end, count))) = (start, at(to)) else { return f64::NAN };
        (count - before) / (end - start)
    }

    /// The highest memory of the second half of the time against that of the first half.
    fn growth(&self) -> f64 {
        let curve = self.curve("rss_mib");
        let middle = curve.last().map_or(f64::NAN, |(second, _)| second / 2.0);
        let most = |late: bool| {
            let half = curve.iter().filter(|(second, _)| (*second > middle) == late);
            half.map(|(_, mib)| *mib).fold(f64::NAN, f64::max)
        };
        most(true) / most(false)
    }
}

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    super::databases(raw).flat_map(|db| judged(&Run { raw, db })).collect()
}

fn judged(run: &Run) -> [Verdict; 6] {
    [
        bars::UNACKNOWLEDGED.judge(run.db, run.end("failed")),
        bars::LAST_OF_FIRST.judge(run.db, run.rate(0.9, 1.0) / run.rate(0.0, 0.1)),
        bars::PEAK_MEMORY.judge(run.db, run.end("peak_mib")),
        bars::GROWTH.judge(run.db, run.growth()),
        bars::DRAIN.judge(run.db, run.end("drain_s") / run.end("seconds")),
        bars::WITHOUT_ROW.judge(run.db, run.end("without_row")),
    ]
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec![
        "| database | acknowledged/s | first tenth | last tenth | p99 ms | RSS MiB at the start, the end, most | PSS at \
         the end | drained s | profiles still due | events, without their row |"
            .to_owned(),
        format!("|{}", "---|".repeat(10)),
    ];
    lines.extend(super::databases(raw).map(|db| line(&Run { raw, db })));
    lines.join("\n") + "\n"
}

fn line(run: &Run) -> String {
    let memory = run.curve("rss_mib");
    let [start, end] = [memory.first(), memory.last()].map(|at| at.map_or(f64::NAN, |(_, mib)| *mib));
    format!(
        "| {} | {:.0} | {:.0} | {:.0} | {:.1} | {start:.1}, {end:.1}, {:.1} | {:.1} | {:.2} | {:.0} | {:.0}, {:.0} |",
        run.db,
        run.end("acknowledged") / run.end("seconds"),
        run.rate(0.0, 0.1),
        run.rate(0.9, 1.0),
        run.end("p99_ms"),
        run.end("peak_mib"),
        run.end("pss_mib"),
        run.end("drain_s"),
        run.end("people_due"),
        run.end("events"),
        run.end("without_row"),
    )
}
