//! Who was how fast, and how far ahead we are.

use super::bars::{self, Bar, Verdict};
use super::raw::{Raw, Row, median};

/// Our own name in the race.
pub const OURS: &str = "wxops";

pub fn verdicts(raw: &Raw) -> Vec<Verdict> {
    let failed = raw.rows().map(|row| row.number("failed")).sum();
    let bar =
        |db: &str| -> Bar { if db == "sqlite" { bars::OF_THE_BEST_ON_SQLITE } else { bars::OF_THE_BEST_ON_MARIADB } };
    let leads = super::databases(raw).map(|db| bar(db).judge(format!("{OURS} {db}"), lead(raw, db)));
    [bars::UNACKNOWLEDGED.judge("all servers", failed)].into_iter().chain(leads).collect()
}

/// How many times the best contestant we are; no number where nobody raced us.
fn lead(raw: &Raw, db: &str) -> f64 {
    let ranked = ranked(raw, db);
    let rate = |ours: bool| ranked.iter().find(|(who, _)| (*who == OURS) == ours).map_or(f64::NAN, |(_, rate)| *rate);
    rate(true) / rate(false)
}

/// Who ran on a database, the fastest first.
fn ranked<'a>(raw: &'a Raw, db: &str) -> Vec<(&'a str, f64)> {
    let mut ranked: Vec<(&str, f64)> = Vec::new();
    for row in raw.rows().filter(|row| row.is("database", db)) {
        let who = row.text("server");
        if !ranked.iter().any(|(known, _)| *known == who) {
            ranked.push((who, figure(raw, who, db, |row| row.number("per_s"))));
        }
    }
    ranked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    ranked
}

/// The median over the rounds.
fn figure(raw: &Raw, who: &str, db: &str, figure: impl Fn(&Row) -> f64) -> f64 {
    median(raw.rows().filter(|row| row.is("server", who) && row.is("database", db)).map(|row| figure(&row)))
}

pub fn table(raw: &Raw) -> String {
    let mut lines = vec![
        "| server, median | database | acknowledged/s | p50 ms | p99 ms | CPU µs each: server | database | wxops is |"
            .to_owned(),
        format!("|{}", "---|".repeat(8)),
    ];
    for db in super::databases(raw) {
        let ours = figure(raw, OURS, db, |row| row.number("per_s"));
        for (who, rate) in ranked(raw, db) {
            let [p50, p99] = ["p50_ms", "p99_ms"].map(|name| figure(raw, who, db, |row| row.number(name)));
            let each = |name| figure(raw, who, db, |row| row.number(name) * 1e6 / row.number("acknowledged").max(1.0));
            let [server, database] = ["server_cpu_s", "database_cpu_s"].map(each);
            let times = if who == OURS { "-".to_owned() } else { format!("{:.1} times it", ours / rate) };
            let cells = format!("{rate:.0} | {p50:.2} | {p99:.2} | {server:.0} | {database:.0}");
            lines.push(format!("| {who} | {db} | {cells} | {times} |"));
        }
    }
    lines.join("\n") + "\n"
}
