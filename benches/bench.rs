//! How fast the release binary is, and whether it is above its bars. scripts/bench calls it and says what it measures.

#[path = "bench/bars.rs"]
mod bars;
#[path = "bench/callback.rs"]
mod callback;
#[path = "bench/figures.rs"]
mod figures;
#[path = "../tests/all/http.rs"]
mod http;
#[path = "bench/kept.rs"]
mod kept;
#[path = "../tests/load/mod.rs"]
mod load;
#[path = "bench/million.rs"]
mod million;
#[path = "bench/outcome.rs"]
mod outcome;
#[path = "bench/parts.rs"]
mod parts;
#[path = "bench/plan.rs"]
mod plan;
#[path = "../tests/all/process.rs"]
mod process;
#[path = "bench/race/mod.rs"]
mod race;
#[path = "../tests/all/rows.rs"]
mod rows;
#[path = "bench/sealed.rs"]
mod sealed;
#[path = "../tests/all/signer.rs"]
mod signer;
#[path = "../tests/all/stage.rs"]
mod stage;
#[path = "bench/standings.rs"]
mod standings;
#[path = "bench/start.rs"]
mod start;
#[path = "bench/trend.rs"]
mod trend;
#[path = "bench/under.rs"]
mod under;

use bars::Verdict;
use plan::Plan;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    // cargo bench adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let Some((verb, rest)) = args.split_first() else { return usage() };
    // The parts of a measurement that run in processes of their own.
    match (*verb, rest) {
        ("door", []) => return parts::door().await,
        ("ceiling", []) => return parts::ceiling().await,
        ("commits", [url, seconds, count]) => {
            let (Ok(seconds), Ok(count)) = (seconds.parse(), count.parse()) else { return usage() };
            return parts::commits(url, seconds, count).await;
        }
        _ => {}
    }
    let Some(plan) = Plan::read(rest) else { return usage() };
    // What we started is killed as the measurement is dropped: it stands in groups that a Ctrl-C does not reach.
    let verdicts = tokio::select! {
        verdicts = measure(verb, &plan) => verdicts,
        code = interrupted() => return ExitCode::from(code),
    };
    let Some(verdicts) = verdicts else { return usage() };
    verdicts.iter().for_each(|verdict| println!("{verdict}"));
    println!("every row: {}", plan.out.display());
    let missed = !verdicts.iter().all(Verdict::met);
    if plan.check && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn measure(verb: &str, plan: &Plan) -> Option<Vec<Verdict>> {
    match verb {
        "callback" => Some(callback::measure(plan).await),
        "race" => Some(race::measure(plan).await),
        "million" => Some(million::measure(plan).await),
        "start" => Some(start::measure(plan).await),
        _ => None,
    }
}

async fn interrupted() -> u8 {
    let mut term = signal(SignalKind::terminate()).expect("a handler of SIGTERM");
    tokio::select! {
        _ = tokio::signal::ctrl_c() => 130,
        _ = term.recv() => 143,
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: bench callback|race|million|start {} (scripts/bench prepares what it needs)", plan::FLAGS);
    ExitCode::from(2)
}
