//! How fast callbacks are acknowledged: the whole against its parts.

use super::bars::{self, Verdict};
use super::raw::{Raw, Row, median};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// (a) on SQLite.
    WholeSqlite,
    /// (b): (a) on MariaDB.
    WholeMariaDb,
    /// (c).
    Door,
    /// (d) on SQLite.
    CommitSqlite,
    /// (d) on MariaDB.
    CommitMariaDb,
    /// The least a server can do: what the load itself reaches.
    Ceiling,
}

const CASES: [Case; 6] =
    [Case::WholeSqlite, Case::WholeMariaDb, Case::Door, Case::CommitSqlite, Case::CommitMariaDb, Case::Ceiling];

impl Case {
    pub fn name(self) -> &'static str {
        match self {
            Case::WholeSqlite => "a serve sqlite",
            Case::WholeMariaDb => "b serve mariadb",
            Case::Door => "c stores nothing",
            Case::CommitSqlite => "d commit sqlite",
            Case::CommitMariaDb => "d commit mariadb",
            Case::Ceiling => "load ceiling",
        }
    }
}

/// A whole and the group commit beneath it.
const WHOLES: [(Case, Case); 2] = [(Case::WholeSqlite, Case::CommitSqlite), (Case::WholeMariaDb, Case::CommitMariaDb)];

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    let failed = raw.rows().map(|row| row.number("failed")).sum();
    let mut verdicts = vec![bars::UNACKNOWLEDGED.judge("all cases", failed)];
    for (whole, commit) in WHOLES.into_iter().filter(|(whole, _)| ran(raw, *whole)) {
        let of_parts = of_parts(raw, whole, commit);
        if !raw.said("slow_fsync_ms").is_empty() {
            verdicts.push(bars::OF_COMMIT_ON_A_SLOW_DISK.judge(whole.name(), of_commit(raw, whole, commit)));
        } else if raw.said("cores") == "1" {
            verdicts.push(bars::OF_PARTS_ON_ONE_CPU.judge(whole.name(), of_parts));
        } else {
            verdicts.push(bars::OF_PARTS.judge(whole.name(), of_parts));
            verdicts.push(bars::P99.judge(whole.name(), figure(raw, whole, |row| row.number("p99_ms"))));
        }
    }
    verdicts
}

fn ran(raw: &Raw, case: Case) -> bool {
    raw.rows().any(|row| row.is("case", case.name()))
}

/// The median over the rounds.
fn figure(raw: &Raw, case: Case, figure: impl Fn(&Row) -> f64) -> f64 {
    median(raw.rows().filter(|row| row.is("case", case.name())).map(|row| figure(&row)))
}

fn rate(raw: &Raw, case: Case) -> f64 {
    figure(raw, case, |row| row.number("per_s"))
}

/// The whole against its parts one after the other: a / (1 / (1/c + 1/d)).
fn of_parts(raw: &Raw, whole: Case, commit: Case) -> f64 {
    rate(raw, whole) * (1.0 / rate(raw, Case::Door) + 1.0 / rate(raw, commit))
}

/// The whole against the group commit alone.
fn of_commit(raw: &Raw, whole: Case, commit: Case) -> f64 {
    rate(raw, whole) / rate(raw, commit)
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec![
        "| case, median | acknowledged/s | p50 ms | p99 ms | max ms | drained s | enriched s | CPU µs each: server | \
         database | load |"
            .to_owned(),
        format!("|{}", "---|".repeat(10)),
    ];
    lines.extend(CASES.into_iter().filter(|case| ran(raw, *case)).map(|case| line(raw, case)));
    lines.push(String::new());
    for (whole, commit) in WHOLES.into_iter().filter(|(whole, _)| ran(raw, *whole)) {
        let [of_parts, of_commit] = [of_parts(raw, whole, commit), of_commit(raw, whole, commit)];
        lines.push(format!("- {}: {of_parts:.2} of 1/(1/c + 1/d), {of_commit:.2} of d", whole.name()));
    }
    lines.join("\n") + "\n"
}

fn line(raw: &Raw, case: Case) -> String {
    let median = |name: &str| figure(raw, case, |row| row.number(name));
    let each_us = |name: &str| figure(raw, case, |row| row.number(name) * 1e6 / row.number("acknowledged").max(1.0));
    let cells = [
        shown(median("per_s"), 0),
        shown(median("p50_ms"), 2),
        shown(median("p99_ms"), 2),
        shown(median("max_ms"), 1),
        shown(median("drain_s"), 2),
        shown(median("enriched_s"), 2),
        shown(each_us("server_cpu_s"), 0),
        shown(each_us("database_cpu_s"), 0),
        shown(each_us("load_cpu_s"), 0),
    ];
    format!("| {} | {} |", case.name(), cells.join(" | "))
}

/// A figure that was not taken is a dash.
fn shown(figure: f64, places: usize) -> String {
    if figure.is_nan() { "-".to_owned() } else { format!("{figure:.places$}") }
}
