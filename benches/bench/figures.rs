//! The figures of a run, their medians, and the file that keeps every row.

use super::bars::{self, Verdict, median};
use super::kept::Kept;
use super::outcome::Outcome;
use std::path::Path;

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

/// One run.
#[derive(Clone, Debug)]
pub struct Row {
    pub round: u32,
    pub case: Case,
    pub outcome: Outcome,
    /// From the last answer until no event is due; `None` where nothing is handled.
    pub drain_s: Option<f64>,
    /// From the last answer until nobody's user/info is due either.
    pub enriched_s: Option<f64>,
    /// CPU seconds while the load ran: of the server measured, of the database's server, of the load.
    pub cpu_s: [f64; 3],
    /// Which part of all cores was busy, with whatever else runs on this machine.
    pub busy: f64,
}

impl Row {
    fn cells(&self) -> [String; COLUMNS.len()] {
        let Row { round, case, outcome, drain_s, enriched_s, cpu_s: [server, database, load], busy } = self;
        let Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms } = outcome;
        let optional = |value: &Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        [
            round.to_string(),
            case.name().to_owned(),
            acknowledged.to_string(),
            format!("{seconds:.3}"),
            format!("{:.0}", self.rate()),
            format!("{p50_ms:.2}"),
            format!("{p99_ms:.2}"),
            format!("{max_ms:.2}"),
            optional(drain_s),
            optional(enriched_s),
            begun.to_string(),
            failed.to_string(),
            format!("{server:.2}"),
            format!("{database:.2}"),
            format!("{load:.2}"),
            format!("{busy:.2}"),
        ]
    }

    pub fn rate(&self) -> f64 {
        self.outcome.rate()
    }
}

const COLUMNS: &[&str] = &[
    "round",
    "case",
    "acknowledged",
    "seconds",
    "per_s",
    "p50_ms",
    "p99_ms",
    "max_ms",
    "drain_s",
    "enriched_s",
    "events",
    "failed",
    "server_cpu_s",
    "database_cpu_s",
    "load_cpu_s",
    "busy",
];

/// Under what it was measured: each has bars of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    AsItIs,
    SlowDisk,
    OneCpu,
}

/// All runs, each kept as it comes.
pub struct Table {
    kept: Option<Kept>,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(path: &Path, heading: &str) -> std::io::Result<Self> {
        Ok(Table { kept: Some(Kept::new(path, heading, COLUMNS)?), rows: Vec::new() })
    }

    pub fn push(&mut self, row: Row) -> std::io::Result<()> {
        if let Some(kept) = &mut self.kept {
            kept.row(&row.cells().iter().map(|cell| cell as &dyn std::fmt::Display).collect::<Vec<_>>())?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Requests that were not acknowledged, over all.
    pub fn failed(&self) -> u64 {
        self.rows.iter().map(|row| row.outcome.failed).sum()
    }

    /// The median of a figure over the rounds of a case; `None` where it was not run.
    pub fn median(&self, case: Case, figure: impl Fn(&Row) -> f64) -> Option<f64> {
        let middle = median(self.rows.iter().filter(|row| row.case == case).map(figure));
        (!middle.is_nan()).then_some(middle)
    }

    fn rate(&self, case: Case) -> Option<f64> {
        self.median(case, Row::rate)
    }

    /// The whole against its parts one after the other: a / (1 / (1/c + 1/d)).
    pub fn ratio(&self, whole: Case) -> Option<f64> {
        let commit = self.commit(whole)?;
        Some(self.rate(whole)? * (1.0 / self.rate(Case::Door)? + 1.0 / commit))
    }

    /// The whole against the group commit alone.
    pub fn of_commit(&self, whole: Case) -> Option<f64> {
        Some(self.rate(whole)? / self.commit(whole)?)
    }

    fn commit(&self, whole: Case) -> Option<f64> {
        self.rate(if whole == Case::WholeSqlite { Case::CommitSqlite } else { Case::CommitMariaDb })
    }

    /// The bars of each database that was measured.
    pub fn verdicts(&self, conditions: Conditions) -> Vec<Verdict> {
        let mut verdicts = vec![bars::UNACKNOWLEDGED.judge("all cases", self.failed() as f64)];
        for whole in [Case::WholeSqlite, Case::WholeMariaDb] {
            let (Some(ratio), Some(of_commit)) = (self.ratio(whole), self.of_commit(whole)) else { continue };
            let p99 = self.median(whole, |row| row.outcome.p99_ms).unwrap_or(f64::NAN);
            match conditions {
                Conditions::AsItIs => {
                    verdicts.push(bars::OF_PARTS.judge(whole.name(), ratio));
                    verdicts.push(bars::P99.judge(whole.name(), p99));
                }
                Conditions::SlowDisk => verdicts.push(bars::OF_COMMIT_ON_A_SLOW_DISK.judge(whole.name(), of_commit)),
                Conditions::OneCpu => verdicts.push(bars::OF_PARTS_ON_ONE_CPU.judge(whole.name(), ratio)),
            }
        }
        verdicts
    }

    fn line(&self, case: Case) -> Option<String> {
        let median = |figure: fn(&Row) -> f64| self.median(case, figure);
        let seconds = |figure: fn(&Row) -> Option<f64>| {
            let middle = self.median(case, |row| figure(row).unwrap_or(f64::NAN));
            middle.map_or("-".to_owned(), |s| format!("{s:.2}"))
        };
        let per = |part: fn(&Row) -> f64| median(part).map_or("-".into(), |us| format!("{us:.0}"));
        Some(format!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.1} | {} | {} | {} | {} | {} |",
            case.name(),
            self.rate(case)?,
            median(|row| row.outcome.p50_ms)?,
            median(|row| row.outcome.p99_ms)?,
            median(|row| row.outcome.max_ms)?,
            seconds(|row| row.drain_s),
            seconds(|row| row.enriched_s),
            per(|row| each_us(row, row.cpu_s[0])),
            per(|row| each_us(row, row.cpu_s[1])),
            per(|row| each_us(row, row.cpu_s[2])),
        ))
    }
}

/// CPU microseconds for each acknowledgement.
fn each_us(row: &Row, cpu_s: f64) -> f64 {
    cpu_s * 1e6 / (row.outcome.acknowledged as f64).max(1.0)
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "| case, median | acknowledged/s | p50 ms | p99 ms | max ms | drained s | enriched s | CPU µs each: server | database | load |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|")?;
        use Case::{Ceiling, CommitMariaDb, CommitSqlite, Door, WholeMariaDb, WholeSqlite};
        let cases = [WholeSqlite, WholeMariaDb, Door, CommitSqlite, CommitMariaDb, Ceiling];
        for line in cases.into_iter().filter_map(|case| self.line(case)) {
            writeln!(f, "{line}")?;
        }
        for whole in [WholeSqlite, WholeMariaDb] {
            if let (Some(ratio), Some(of_commit)) = (self.ratio(whole), self.of_commit(whole)) {
                writeln!(f, "{}: {ratio:.2} of 1/(1/c + 1/d), {of_commit:.2} of d", whole.name())?;
            }
        }
        Ok(())
    }
}
