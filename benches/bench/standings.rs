//! Who was how fast, and how far ahead we are.

use super::bars::{self, Verdict, median};

/// Our own name in the race.
pub const OURS: &str = "wxops";

/// One run of somebody on a database.
pub struct Run {
    pub who: String,
    pub db: &'static str,
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// CPU microseconds for each acknowledgement: of the server, of the database.
    pub cpu_us: [f64; 2],
}

/// Their medians.
#[derive(Default)]
pub struct Standings(Vec<Run>);

impl Standings {
    pub fn push(&mut self, run: Run) {
        self.0.push(run);
    }

    fn median(&self, who: &str, db: &str, figure: impl Fn(&Run) -> f64) -> f64 {
        median(self.0.iter().filter(|run| run.who == who && run.db == db).map(figure))
    }

    /// Who ran on a database, the fastest first.
    fn ranked(&self, db: &str) -> Vec<(&str, f64)> {
        let mut ranked: Vec<(&str, f64)> = Vec::new();
        for run in self.0.iter().filter(|run| run.db == db) {
            if !ranked.iter().any(|(who, _)| *who == run.who) {
                ranked.push((&run.who, self.median(&run.who, db, |run| run.rate)));
            }
        }
        ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        ranked
    }

    /// How many times the best contestant we are; no number where one of us did not run.
    pub fn lead(&self, db: &str) -> f64 {
        let ranked = self.ranked(db);
        let rate =
            |ours: bool| ranked.iter().find(|(who, _)| (*who == OURS) == ours).map_or(f64::NAN, |(_, rate)| *rate);
        rate(true) / rate(false)
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let of = |db, bar: bars::Bar| {
            (!self.ranked(db).is_empty()).then(|| bar.judge(format!("{OURS} {db}"), self.lead(db)))
        };
        let both = [of("sqlite", bars::OF_THE_BEST_ON_SQLITE), of("mariadb", bars::OF_THE_BEST_ON_MARIADB)];
        both.into_iter().flatten().collect()
    }
}

impl std::fmt::Display for Standings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "| server, median | database | acknowledged/s | p50 ms | p99 ms | CPU µs each: server | database | wxops is |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|")?;
        for db in ["sqlite", "mariadb"] {
            let ours = self.median(OURS, db, |run| run.rate);
            for (who, rate) in self.ranked(db) {
                let median = |figure: fn(&Run) -> f64| self.median(who, db, figure);
                let times = if who == OURS { "-".to_owned() } else { format!("{:.1} times it", ours / rate) };
                let [p50, p99] = [median(|run| run.p50_ms), median(|run| run.p99_ms)];
                let [server, database] = [median(|run| run.cpu_us[0]), median(|run| run.cpu_us[1])];
                writeln!(
                    f,
                    "| {who} | {db} | {rate:.0} | {p50:.2} | {p99:.2} | {server:.0} | {database:.0} | {times} |"
                )?;
            }
        }
        Ok(())
    }
}
