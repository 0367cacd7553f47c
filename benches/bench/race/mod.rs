//! The race: the same load against the release binary and against plain good servers in other languages.

mod contestant;
mod proof;

use super::callback::{requests, timed, whole};
use super::kept::Kept;
use super::outcome::Outcome;
use super::plan::{self, Plan};
use super::report::OURS;
use super::sealed::Requests;
use crate::rows::Db;
pub use contestant::Contestant;
pub use proof::faults;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

/// Requests made ahead for each second of a run.
const AHEAD: u64 = 50_000;
const COLUMNS: &[&str] = &[
    "round",
    "server",
    "database",
    "acknowledged",
    "seconds",
    "per_s",
    "p50_ms",
    "p99_ms",
    "max_ms",
    "events",
    "failed",
    "server_cpu_s",
    "database_cpu_s",
    "load_cpu_s",
    "busy",
];

pub async fn measure(plan: &Plan) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench/race");
    let contestants = contestant::ready(&folder, &plan.only).await;
    if contestants.is_empty() {
        return Err("nobody races: no contestant could be made ready".into());
    }
    proved(plan, &contestants).await?;
    let mut kept = Kept::new(plan, "race", &plan.load(), COLUMNS)?;
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let requests = requests(AHEAD * plan.seconds).await;
        for db in plan.dbs.iter().copied() {
            let ours = whole(plan, db, &requests).await;
            row(&mut kept, round, OURS, db, &ours.outcome, ours.cpu_s, ours.busy)?;
            for contestant in &contestants {
                let (outcome, cpu_s, busy) = theirs(plan, contestant, db, &requests).await?;
                row(&mut kept, round, &contestant.name, db, &outcome, cpu_s, busy)?;
            }
        }
    }
    Ok(())
}

/// Nobody is raced who does not do the work.
async fn proved(plan: &Plan, contestants: &[Contestant]) -> Result<(), String> {
    for contestant in contestants {
        for db in plan.dbs.iter().copied() {
            let running = contestant.start(db, &plan.env).await;
            let whose = format!("{} {}", contestant.name, plan::name(db));
            let faults = faults(&running).await.map_err(|fault| format!("{whose}: {fault}\n{}", running.child.log()));
            running.end().await;
            faults?;
            eprintln!("proved: {whose}");
        }
    }
    Ok(())
}

/// The load against a contestant on fresh tables, where each event that was begun is one row after it.
pub async fn theirs(
    plan: &Plan,
    contestant: &Contestant,
    db: Db,
    requests: &Requests,
) -> Result<(Outcome, [f64; 3], f64), String> {
    let running = contestant.start(db, &plan.env).await;
    let (load, cpu_s, busy) = timed(&running.child, requests, 1, Duration::from_secs(plan.seconds)).await;
    let outcome = load.outcome();
    let rows = running.number("SELECT COUNT(*) FROM inbox_event").await;
    let log = running.child.log();
    running.end().await;
    if outcome.failed > 0 {
        eprintln!("{log}");
    } else if rows != outcome.begun {
        return Err(format!("{}: {rows} rows of {} events\n{log}", contestant.name, outcome.begun));
    }
    Ok((outcome, cpu_s, busy))
}

fn row(
    kept: &mut Kept,
    round: u32,
    who: &str,
    db: Db,
    outcome: &Outcome,
    cpu_s: [f64; 3],
    busy: f64,
) -> Result<(), String> {
    let Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms } = outcome;
    let two = |figure: f64| format!("{figure:.2}");
    let [server, database, load] = cpu_s.map(two);
    let cells: [&dyn Display; COLUMNS.len()] = [
        &round,
        &who,
        &plan::name(db),
        acknowledged,
        &format!("{seconds:.3}"),
        &format!("{:.0}", outcome.rate()),
        &two(*p50_ms),
        &two(*p99_ms),
        &two(*max_ms),
        begun,
        failed,
        &server,
        &database,
        &load,
        &two(busy),
    ];
    kept.row(&cells)
}
