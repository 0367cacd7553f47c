//! `followers sync` against its floor: the larger of what the calls take and what the database takes for the rows.

use super::bars::{self, Verdict};
use super::race::OURS;
use super::raw::{Raw, Row, median};

/// All are new, then all are known.
const CASES: [&str; 2] = ["first", "again"];
/// Beside a `serve` that takes callbacks.
const BESIDE: &str = "beside";
/// The bulk rate of the database.
const UPSERT: &str = "upsert";
/// The load of callbacks.
const CALLBACKS: &str = "callbacks";

/// One size on one database.
struct Of<'a> {
    raw: &'a Raw,
    followers: &'a str,
    db: &'a str,
}

impl<'a> Of<'a> {
    fn rows(&self, case: &'a str, who: &'a str) -> impl Iterator<Item = Row<'a>> {
        let Of { raw, followers, db } = *self;
        let here = move |row: &Row| row.is("followers", followers) && row.is("database", db);
        raw.rows().filter(move |row| here(row) && row.is("case", case) && row.is("who", who))
    }

    /// The median over the rounds.
    fn figure(&self, case: &'a str, who: &'a str, name: &str) -> f64 {
        median(self.rows(case, who).map(|row| row.number(name)))
    }

    /// Seconds of the calls alone, as many at once as may be.
    fn calls(&self, case: &'a str) -> f64 {
        let said = |name| self.raw.said(name).parse().unwrap_or(f64::NAN);
        self.figure(case, UPSERT, "calls") * said("latency_ms") / 1000.0 / said("concurrency")
    }

    fn floor(&self, case: &'a str) -> f64 {
        let (calls, rows) = (self.calls(case), self.figure(case, UPSERT, "seconds"));
        if calls.is_nan() || rows.is_nan() { f64::NAN } else { calls.max(rows) }
    }

    fn of_floor(&self, case: &'a str, who: &'a str) -> f64 {
        self.figure(case, who, "seconds") / self.floor(case)
    }

    /// The most memory that any of our runs took.
    fn peak(&self) -> f64 {
        let (raw, followers, db) = (self.raw, self.followers, self.db);
        let ours = raw.rows().filter(|row| row.is("who", OURS) && row.is("database", db));
        ours.filter(|row| row.is("followers", followers)).map(|row| row.number("peak_mib")).fold(f64::NAN, f64::max)
    }

    fn name(&self) -> String {
        format!("{} {}", self.db, self.followers)
    }
}

/// The sizes in the order they were measured in, on each database.
fn parts<'a>(raw: &'a Raw) -> Vec<Of<'a>> {
    let mut parts: Vec<Of> = Vec::new();
    for row in raw.rows() {
        let (followers, db) = (row.text("followers"), row.text("database"));
        if !parts.iter().any(|of| of.followers == followers && of.db == db) {
            parts.push(Of { raw, followers, db });
        }
    }
    parts
}

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    let sum = |who: Option<&str>, name: &str| -> f64 {
        let rows = raw.rows().filter(|row| who.is_none_or(|who| row.is("who", who)) && !row.is(name, "-"));
        rows.map(|row| row.number(name)).sum()
    };
    let parts = parts(raw);
    let mut verdicts = vec![
        bars::CALLS_OFF.judge(OURS, sum(Some(OURS), "calls_off")),
        bars::ROWS_OFF.judge("all", sum(None, "rows_off")),
    ];
    for of in &parts {
        for case in CASES {
            verdicts.push(bars::OF_FLOOR.judge(format!("{}, {case}", of.name()), of.of_floor(case, OURS)));
        }
        verdicts.push(bars::SYNC_MEMORY.judge(of.name(), of.peak()));
        // Against the fewest followers on the same database.
        if let Some(least) = parts.iter().find(|least| least.db == of.db && least.followers != of.followers)
            && parts.iter().rfind(|most| most.db == of.db).is_some_and(|most| most.followers == of.followers)
        {
            verdicts.push(bars::SYNC_GROWTH.judge(of.name(), of.peak() / least.peak()));
        }
        if of.rows(BESIDE, OURS).next().is_some() {
            let p99 = of.figure(BESIDE, CALLBACKS, "p99_ms");
            verdicts.push(bars::P99_BESIDE_SYNC.judge(of.name(), p99));
        }
    }
    verdicts.push(bars::UNACKNOWLEDGED.judge("callbacks", sum(Some(CALLBACKS), "failed")));
    verdicts
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec![
        "| followers | database | who, median | seconds | people/s | times the floor | calls | CPU s | peak MiB |"
            .to_owned(),
        format!("|{}", "---|".repeat(9)),
    ];
    let parts = parts(raw);
    for of in &parts {
        for case in CASES {
            lines.extend(floor_line(of, case));
            lines.extend(["wxops", "asyncio", "sequential"].iter().filter_map(|who| line(of, case, who)));
        }
    }
    let beside: Vec<String> = parts.iter().filter_map(beside_line).collect();
    if !beside.is_empty() {
        lines.push("\n| beside callbacks | sync, seconds | callbacks/s | p50 ms | p99 ms | max ms |".to_owned());
        lines.push(format!("|{}", "---|".repeat(6)));
        lines.extend(beside);
    }
    lines.join("\n") + "\n"
}

fn floor_line<'a>(of: &Of<'a>, case: &'a str) -> Option<String> {
    of.rows(case, UPSERT).next()?;
    let (floor, calls) = (of.floor(case), of.figure(case, UPSERT, "calls"));
    let because = if of.calls(case) >= floor { "of its calls" } else { "of its rows" };
    let rate = of.figure(case, UPSERT, "rows") / of.figure(case, UPSERT, "seconds");
    let Of { followers, db, .. } = of;
    let rows = format!("rows alone {rate:.0}");
    Some(format!("| {followers} | {db} | floor, {case}: {because} | {floor:.2} | {rows} | 1 | {calls:.0} | - | - |"))
}

fn line<'a>(of: &Of<'a>, case: &'a str, who: &'a str) -> Option<String> {
    of.rows(case, who).next()?;
    let [seconds, calls, rows, cpu, peak] =
        ["seconds", "calls", "rows", "cpu_s", "peak_mib"].map(|name| of.figure(case, who, name));
    let (Of { followers, db, .. }, times, rate) = (of, of.of_floor(case, who), rows / seconds);
    let cells = format!("{seconds:.2} | {rate:.0} | {times:.2} | {calls:.0} | {cpu:.2} | {peak:.1}");
    Some(format!("| {followers} | {db} | {who}, {case} | {cells} |"))
}

fn beside_line(of: &Of) -> Option<String> {
    of.rows(BESIDE, CALLBACKS).next()?;
    let [p50, p99, max] = ["p50_ms", "p99_ms", "max_ms"].map(|name| of.figure(BESIDE, CALLBACKS, name));
    let rate = of.figure(BESIDE, CALLBACKS, "rows") / of.figure(BESIDE, CALLBACKS, "seconds");
    let seconds = of.figure(BESIDE, OURS, "seconds");
    Some(format!("| {}, {} | {seconds:.2} | {rate:.0} | {p50:.2} | {p99:.2} | {max:.1} |", of.db, of.followers))
}
