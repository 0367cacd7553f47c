//! The figures of a run, their medians, and the file that keeps every row.

use crate::sealed::Outcome;
use std::fs::File;
use std::io::Write;
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
    pub fn rate(&self) -> f64 {
        self.outcome.acknowledged as f64 / self.outcome.seconds.max(1e-9)
    }
}

const COLUMNS: &str = "round\tcase\tacknowledged\tseconds\tper_s\tp50_ms\tp99_ms\tmax_ms\tdrain_s\tenriched_s\tevents\t\
     failed\tserver_cpu_s\tdatabase_cpu_s\tload_cpu_s\tbusy";

/// All runs, each written as it comes.
pub struct Table {
    file: File,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(path: &Path, heading: &str) -> std::io::Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "# {heading}\n{COLUMNS}")?;
        Ok(Table { file, rows: Vec::new() })
    }

    pub fn push(&mut self, row: Row) -> std::io::Result<()> {
        let Row { round, case, outcome, drain_s, enriched_s, cpu_s: [server, database, load], busy } = &row;
        let Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms } = outcome;
        let optional = |value: &Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
        let line = format!(
            "{round}\t{}\t{acknowledged}\t{seconds:.3}\t{:.0}\t{p50_ms:.2}\t{p99_ms:.2}\t{max_ms:.2}\t{}\t{}\t{begun}\t\
             {failed}\t{server:.2}\t{database:.2}\t{load:.2}\t{busy:.2}",
            case.name(),
            row.rate(),
            optional(drain_s),
            optional(enriched_s)
        );
        eprintln!("{line}");
        writeln!(self.file, "{line}")?;
        self.rows.push(row);
        Ok(())
    }

    /// Requests that were not acknowledged, over all.
    pub fn failed(&self) -> u64 {
        self.rows.iter().map(|row| row.outcome.failed).sum()
    }

    /// The median of a figure over the rounds of a case; `None` where it was not run.
    pub fn median(&self, case: Case, figure: impl Fn(&Row) -> f64) -> Option<f64> {
        let mut values: Vec<f64> = self.rows.iter().filter(|row| row.case == case).map(figure).collect();
        values.sort_unstable_by(f64::total_cmp);
        let middle = values.len() / 2;
        match values.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(values[middle]),
            _ => Some((values[middle - 1] + values[middle]) / 2.0),
        }
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

    fn line(&self, case: Case) -> Option<String> {
        let median = |figure: fn(&Row) -> f64| self.median(case, figure);
        let seconds = |figure: fn(&Row) -> Option<f64>| match median(|row| row.drain_s.unwrap_or(f64::NAN)) {
            Some(time) if time.is_finite() => {
                self.median(case, |row| figure(row).unwrap_or(f64::NAN)).map_or("-".into(), |s| format!("{s:.2}"))
            }
            _ => "-".to_owned(),
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
