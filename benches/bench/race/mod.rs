//! The race: the same load against the release binary and against plain good servers in other languages.

mod contestant;
mod proof;

use crate::bars::{self, Verdict};
use crate::callback::{requests, timed, whole};
use crate::figures::Case;
use crate::kept::Kept;
use crate::outcome::Outcome;
use crate::plan::{self, Plan};
use crate::rows::Db;
use crate::sealed::{self, Requests};
use crate::standings::{OURS, Run, Standings};
use contestant::Contestant;
use std::fmt::Display;
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

pub async fn measure(plan: &Plan) -> Vec<Verdict> {
    let heading = format!(
        "{}; {} connections, {:.0} % duplicates, secure mode, {} rounds of {} s",
        plan.machine(),
        sealed::CONNECTIONS,
        sealed::DUPLICATES * 100.0,
        plan.rounds,
        plan.seconds
    );
    eprintln!("{heading}");
    let contestants = contestant::ready(&plan.only).await;
    let mut proofs = Vec::new();
    for contestant in &contestants {
        for db in plan.dbs.iter().copied() {
            let running = contestant.start(db, &plan.env).await;
            let faults = proof::faults(&running).await;
            let whose = format!("{} {}", contestant.name, running.place());
            match &faults {
                Ok(()) => eprintln!("proved: {whose}"),
                Err(fault) => eprintln!("WRONG: {whose}: {fault}\n{}", running.child.log()),
            }
            proofs.push(faults.is_ok());
            running.end().await;
        }
    }
    let mut verdicts = vec![bars::WRONG.judge("race", proofs.iter().filter(|proved| !**proved).count() as f64)];
    if !verdicts[0].met() {
        return verdicts;
    }

    let mut kept = Kept::new(&plan.out, &heading, COLUMNS).expect("a place for the rows");
    let mut standings = Standings::default();
    let mut failed = 0;
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let requests = requests(AHEAD * plan.seconds).await;
        for db in plan.dbs.iter().copied() {
            let mut keep = |who: &str, outcome: &Outcome, cpu_s, busy| {
                failed += outcome.failed;
                row(&mut kept, round, who, db, outcome, cpu_s, busy);
                standings.push(run(who, db, outcome, cpu_s));
            };
            let case = if db == Db::Sqlite { Case::WholeSqlite } else { Case::WholeMariaDb };
            let ours = whole(plan, case, db, round, &requests).await;
            keep(OURS, &ours.outcome, ours.cpu_s, ours.busy);
            for contestant in &contestants {
                let (outcome, cpu_s, busy) = theirs(plan, contestant, db, &requests).await;
                keep(&contestant.name, &outcome, cpu_s, busy);
            }
        }
    }
    println!("{heading}\n\n{standings}");
    verdicts.push(bars::UNACKNOWLEDGED.judge("all servers", failed as f64));
    verdicts.extend(standings.verdicts());
    verdicts
}

async fn theirs(plan: &Plan, contestant: &Contestant, db: Db, requests: &Requests) -> (Outcome, [f64; 3], f64) {
    let running = contestant.start(db, &plan.env).await;
    let (load, cpu_s, busy) = timed(&running.child, requests, 1, Duration::from_secs(plan.seconds)).await;
    let outcome = load.outcome();
    let rows = running.number("SELECT COUNT(*) FROM inbox_event").await;
    if outcome.failed == 0 {
        assert_eq!(rows, outcome.begun, "{}: one row an event", contestant.name);
    } else {
        eprintln!("{}", running.child.log());
    }
    running.end().await;
    (outcome, cpu_s, busy)
}

fn run(who: &str, db: Db, outcome: &Outcome, cpu_s: [f64; 3]) -> Run {
    let each = |seconds: f64| seconds * 1e6 / (outcome.acknowledged as f64).max(1.0);
    Run {
        who: who.to_owned(),
        db: plan::name(db),
        rate: outcome.rate(),
        p50_ms: outcome.p50_ms,
        p99_ms: outcome.p99_ms,
        cpu_us: [each(cpu_s[0]), each(cpu_s[1])],
    }
}

fn row(kept: &mut Kept, round: u32, who: &str, db: Db, outcome: &Outcome, cpu_s: [f64; 3], busy: f64) {
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
    kept.row(&cells).expect("room for the rows");
}
