//! What callbacks feel with the database away, and beside the jobs.

use super::bars::{self, Verdict};
use super::raw::{Raw, Row, median};

/// All is well.
pub const WELL: &str = "well";
/// The database is away: into the spool.
pub const AWAY: &str = "away";
/// Beside a purge, an export and a backup.
pub const BESIDE: &str = "beside jobs";

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    let failed = raw.rows().map(|row| row.number("failed")).sum();
    let without_row = raw.rows().filter(|row| row.is("case", AWAY)).map(|row| row.number("without_row")).sum();
    let mut verdicts =
        vec![bars::UNACKNOWLEDGED.judge("all cases", failed), bars::WITHOUT_ROW_AFTER.judge("all cases", without_row)];
    for db in super::databases(raw) {
        let of = |name: &str| figure(raw, db, AWAY, name) / figure(raw, db, WELL, name);
        verdicts.push(bars::RATE_AWAY.judge(db, of("per_s")));
        verdicts.push(bars::P99_AWAY.judge(db, of("p99_ms")));
    }
    if raw.rows().any(|row| row.is("case", BESIDE)) {
        verdicts.push(bars::P99_BESIDE.judge("sqlite", figure(raw, "sqlite", BESIDE, "p99_ms")));
    }
    verdicts
}

/// The median over the rounds.
fn figure(raw: &Raw, db: &str, case: &str, name: &str) -> f64 {
    median(rows(raw, db, case).map(|row| row.number(name)))
}

fn rows<'a>(raw: &'a Raw, db: &'a str, case: &'a str) -> impl Iterator<Item = Row<'a>> {
    raw.rows().filter(move |row| row.is("database", db) && row.is("case", case))
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec![
        "| case, median | acknowledged/s | p50 ms | p99 ms | max ms | until all has its row, s |".to_owned(),
        format!("|{}", "---|".repeat(6)),
    ];
    for db in super::databases(raw) {
        for case in [WELL, AWAY, BESIDE].into_iter().filter(|case| rows(raw, db, case).next().is_some()) {
            let [rate, p50, p99, max, recovered] =
                ["per_s", "p50_ms", "p99_ms", "max_ms", "recover_s"].map(|name| figure(raw, db, case, name));
            let recovered = if recovered.is_nan() { "-".to_owned() } else { format!("{recovered:.2}") };
            lines.push(format!("| {db}, {case} | {rate:.0} | {p50:.2} | {p99:.2} | {max:.1} | {recovered} |"));
        }
    }
    lines.join("\n") + "\n"
}
