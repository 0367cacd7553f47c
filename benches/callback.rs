//! How fast callbacks are acknowledged. scripts/bench callback calls it and says what it measures.

#[path = "callback/figures.rs"]
mod figures;
#[path = "../tests/all/http.rs"]
mod http;
#[path = "../tests/load/mod.rs"]
mod load;
#[path = "callback/parts.rs"]
mod parts;
#[path = "../tests/all/process.rs"]
mod process;
#[path = "../tests/all/rows.rs"]
mod rows;
#[path = "callback/sealed.rs"]
mod sealed;
#[path = "../tests/all/signer.rs"]
mod signer;
#[path = "../tests/all/stage.rs"]
mod stage;
#[path = "callback/under.rs"]
mod under;

use figures::{Case, Row, Table};
use load::events::Events;
use rows::{Db, Rows};
use sealed::Outcome;
use signer::Keys;
use stage::Stage;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use under::{Child, Cpu};

const USAGE: &str = "usage: callback [--rounds 5] [--seconds 5] [--db both|sqlite|mariadb] [--check] [--bar 0.40] \
[--env NAME=VALUE …] --out FILE (scripts/bench callback prepares what it needs)";
/// Requests made ahead for each second of a run; what stores nothing gets them again, else the run ends early.
const AHEAD: u64 = 50_000;
/// A drain that takes longer has failed.
const DRAIN: Duration = Duration::from_secs(180);

struct Plan {
    rounds: u32,
    seconds: u64,
    cases: Vec<Case>,
    check: bool,
    bar: f64,
    /// For the server and the group commit: the slow disk.
    env: Vec<(String, String)>,
    out: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    // cargo bench adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["door"] => parts::door().await,
        ["ceiling"] => parts::ceiling().await,
        ["commits", url, seconds, count] => {
            let (Ok(seconds), Ok(count)) = (seconds.parse(), count.parse()) else { return usage() };
            parts::commits(url, seconds, count).await;
        }
        ref flags => {
            let Some(plan) = plan(flags) else { return usage() };
            return measure(&plan).await;
        }
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

fn plan(flags: &[&str]) -> Option<Plan> {
    use Case::{Ceiling, CommitMariaDb, CommitSqlite, Door, WholeMariaDb, WholeSqlite};
    let all = vec![WholeSqlite, WholeMariaDb, Door, CommitSqlite, CommitMariaDb];
    let mut plan =
        Plan { rounds: 5, seconds: 5, cases: all, check: false, bar: 0.4, env: Vec::new(), out: PathBuf::new() };
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        if let Some((name, value)) = flag.strip_prefix("--env=").and_then(|pair| pair.split_once('=')) {
            plan.env.push((name.into(), value.into()));
            continue;
        }
        match *flag {
            "--check" => plan.check = true,
            "--rounds" => plan.rounds = flags.next()?.parse().ok()?,
            "--seconds" => plan.seconds = flags.next()?.parse().ok()?,
            "--bar" => plan.bar = flags.next()?.parse().ok()?,
            "--out" => plan.out = flags.next()?.into(),
            "--db" => match *flags.next()? {
                "sqlite" => plan.cases.retain(|case| !matches!(case, WholeMariaDb | CommitMariaDb)),
                "mariadb" => plan.cases.retain(|case| !matches!(case, WholeSqlite | CommitSqlite)),
                "both" => {}
                _ => return None,
            },
            _ => return None,
        }
    }
    // The load's own ceiling, once.
    plan.cases.push(Ceiling);
    (!plan.out.as_os_str().is_empty()).then_some(plan)
}

async fn measure(plan: &Plan) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let slow = plan.env.iter().find(|(name, _)| name == "SLOW_FSYNC_MS");
    let slow = slow.map_or(String::new(), |(_, ms)| format!(", fsync slowed by {ms} ms"));
    let heading = format!(
        "{cores} cores, shared by server, database, stand-in platform and load; {} connections, {:.0} % duplicates, \
         secure mode, {} rounds of {} s{slow}",
        sealed::CONNECTIONS,
        sealed::DUPLICATES * 100.0,
        plan.rounds,
        plan.seconds
    );
    let mut table = Table::new(&plan.out, &heading).expect("a place for the rows");
    eprintln!("{heading}");
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let requests = requests(plan).await;
        for case in plan.cases.iter().filter(|case| **case != Case::Ceiling || round == 1) {
            let row = run(plan, *case, round, &requests).await;
            table.push(row).expect("room for the rows");
        }
    }
    println!("{heading}\n\n{table}\nevery row: {}", plan.out.display());
    let missed = [Case::WholeSqlite, Case::WholeMariaDb]
        .into_iter()
        .filter(|whole| table.ratio(*whole).is_some_and(|ratio| ratio < plan.bar))
        .inspect(|whole| eprintln!("{} is below the bar of {}", whole.name(), plan.bar))
        .count();
    if table.failed() > 0 {
        eprintln!("{} requests were not acknowledged", table.failed());
    }
    match plan.check && (missed > 0 || table.failed() > 0) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// The same people in every stage: the sandbox draws them from a seed.
async fn requests(plan: &Plan) -> Arc<[Box<[u8]>]> {
    let count = AHEAD * plan.seconds;
    let stage = stage(plan, Db::Sqlite).await;
    let people = load::kill9::followers(&stage, (count / 10) as usize).await;
    let keys = Keys::default();
    let events = Events::new(&keys.original_id, signer::now() - 86_400, people);
    tokio::task::spawn_blocking(move || sealed::seal(&keys, &events, count)).await.expect("sealing does not panic")
}

async fn stage(plan: &Plan, db: Db) -> Stage {
    let followers = u32::try_from(AHEAD * plan.seconds / 10).unwrap_or(u32::MAX);
    Stage::with_followers(db, "bench", followers).await.expect("a database; scripts/bench starts it")
}

async fn run(plan: &Plan, case: Case, round: u32, requests: &Arc<[Box<[u8]>]>) -> Row {
    match case {
        Case::WholeSqlite => whole(plan, case, Db::Sqlite, round, requests).await,
        Case::WholeMariaDb => whole(plan, case, Db::MariaDb, round, requests).await,
        Case::Door => part(plan, case, "door", round, requests).await,
        Case::Ceiling => part(plan, case, "ceiling", round, requests).await,
        Case::CommitSqlite => commits(plan, case, Db::Sqlite, round).await,
        Case::CommitMariaDb => commits(plan, case, Db::MariaDb, round).await,
    }
}

/// (a) and (b): the binary as a user runs it, its log in a file.
async fn whole(plan: &Plan, case: Case, db: Db, round: u32, requests: &Arc<[Box<[u8]>]>) -> Row {
    let stage = stage(plan, db).await;
    let child = Child::serve(&stage, &plan.env).await;
    let (outcome, cpu_s, busy) = pushed(plan, &child, requests, 1).await;
    let (drain_s, enriched_s) = drained(&stage).await;
    eprint!("{}", child.complaints());
    if outcome.failed == 0 {
        let rows = stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done'").await;
        assert_eq!(rows as u64, outcome.begun, "one row an event, each of them done");
    }
    child.end().await;
    drop_database(&stage).await;
    Row { round, case, outcome, drain_s: Some(drain_s), enriched_s: Some(enriched_s), cpu_s, busy }
}

async fn part(plan: &Plan, case: Case, name: &str, round: u32, requests: &Arc<[Box<[u8]>]>) -> Row {
    let child = Child::of_ours(&[name], &[]).await;
    let (outcome, cpu_s, busy) = pushed(plan, &child, requests, usize::MAX / requests.len()).await;
    child.end().await;
    Row { round, case, outcome, drain_s: None, enriched_s: None, cpu_s, busy }
}

async fn pushed(plan: &Plan, child: &Child, requests: &Arc<[Box<[u8]>]>, times: usize) -> (Outcome, [f64; 3], f64) {
    let before = Cpu::now(child.pid());
    let time = Duration::from_secs(plan.seconds);
    let outcome = sealed::push(child.address(), requests.clone(), times, time).await;
    let (cpu_s, busy) = Cpu::now(child.pid()).since(&before);
    (outcome, cpu_s, busy)
}

/// Seconds until nothing is due in the inbox, and until nobody's data is due.
async fn drained(stage: &Stage) -> (f64, f64) {
    let start = Instant::now();
    let mut times = [0.0; 2];
    let waits = [
        "SELECT COUNT(*) FROM inbox_event WHERE state = 'new'",
        "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL",
    ];
    for (time, wait) in times.iter_mut().zip(waits) {
        while stage.number(wait).await > 0 {
            assert!(start.elapsed() < DRAIN, "not drained in {DRAIN:?}: {wait}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        *time = start.elapsed().as_secs_f64();
    }
    (times[0], times[1])
}

/// A server's databases would pile up and fill its memory.
async fn drop_database(stage: &Stage) {
    if stage.db == Db::MariaDb {
        let name = stage.rows("SELECT DATABASE()").await[0][0].clone().expect("a database is chosen");
        stage.execute(&format!("DROP DATABASE {name}")).await;
    }
}

/// (d): a process that commits and tells what came of it.
async fn commits(plan: &Plan, case: Case, db: Db, round: u32) -> Row {
    let folder = tempfile::Builder::new().prefix("commits.").tempdir().expect("a temporary folder");
    let rows = Rows::open(db, "bench", folder.path()).await.expect("a database; scripts/bench starts it");
    let (seconds, count) = (plan.seconds.to_string(), (AHEAD * plan.seconds).to_string());
    let told = Child::told(&["commits", &rows.url, &seconds, &count], &plan.env).await;
    let stored = rows.all("SELECT COUNT(*) FROM inbox_event").await[0][0].clone();
    if told.outcome.failed == 0 {
        assert_eq!(stored, Some(told.outcome.begun.to_string()), "one row an event");
    }
    if db == Db::MariaDb {
        let name = rows.all("SELECT DATABASE()").await[0][0].clone().expect("a database is chosen");
        rows.execute(&format!("DROP DATABASE {name}")).await;
    }
    Row { round, case, outcome: told.outcome, drain_s: None, enriched_s: None, cpu_s: told.cpu_s, busy: told.busy }
}
