//! How fast callbacks are acknowledged: the whole, its parts, and the load's own ceiling.

use super::kept::Kept;
use super::outcome::Outcome;
use super::plan::Plan;
use super::report::Case;
use super::sealed::{self, Load, Requests};
use super::under::{Child, Cpu};
use crate::load::{self, events::Events};
use crate::rows::{Db, Rows};
use crate::signer::{self, Keys};
use crate::stage::Stage;
use std::fmt::Display;
use std::time::{Duration, Instant};

/// Requests made ahead for each second of a run; what stores nothing gets them again, else the run ends early.
pub const AHEAD: u64 = 50_000;
/// A drain that takes longer has failed.
const DRAIN: Duration = Duration::from_secs(180);

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

/// One run.
pub struct Ran {
    pub outcome: Outcome,
    /// From the last answer until no event is due; `None` where nothing is handled.
    drain_s: Option<f64>,
    /// From the last answer until nobody's user/info is due either.
    enriched_s: Option<f64>,
    /// CPU seconds while the load ran: of the server measured, of the database's server, of the load.
    pub cpu_s: [f64; 3],
    /// Which part of all cores was busy, with whatever else runs on this machine.
    pub busy: f64,
}

pub async fn measure(plan: &Plan) -> Result<(), String> {
    let mut kept = Kept::new(plan, "callback", &plan.load(), COLUMNS)?;
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let requests = requests(AHEAD * plan.seconds).await;
        for case in cases(plan).into_iter().filter(|case| *case != Case::Ceiling || round == 1) {
            let ran = run(plan, case, &requests).await;
            keep(&mut kept, round, case, &ran)?;
        }
    }
    Ok(())
}

fn keep(kept: &mut Kept, round: u32, case: Case, ran: &Ran) -> Result<(), String> {
    let Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms } = &ran.outcome;
    let two = |figure: f64| format!("{figure:.2}");
    let optional = |figure: Option<f64>| figure.map_or("-".to_owned(), two);
    let [server, database, load] = ran.cpu_s.map(two);
    let cells: [&dyn Display; COLUMNS.len()] = [
        &round,
        &case.name(),
        acknowledged,
        &format!("{seconds:.3}"),
        &format!("{:.0}", ran.outcome.rate()),
        &two(*p50_ms),
        &two(*p99_ms),
        &two(*max_ms),
        &optional(ran.drain_s),
        &optional(ran.enriched_s),
        begun,
        failed,
        &server,
        &database,
        &load,
        &two(ran.busy),
    ];
    kept.row(&cells)
}

/// The load's own ceiling comes last, and once.
fn cases(plan: &Plan) -> Vec<Case> {
    let wholes = plan.dbs.iter().map(|db| if *db == Db::Sqlite { Case::WholeSqlite } else { Case::WholeMariaDb });
    let commits = plan.dbs.iter().map(|db| if *db == Db::Sqlite { Case::CommitSqlite } else { Case::CommitMariaDb });
    wholes.chain([Case::Door]).chain(commits).chain([Case::Ceiling]).collect()
}

/// The same people in every stage: the sandbox draws them from a seed.
pub async fn requests(count: u64) -> Requests {
    let stage = stage(Db::Sqlite, count).await;
    let people = load::kill9::followers(&stage, (count / 10) as usize).await;
    let keys = Keys::default();
    let events = Events::new(&keys.original_id, signer::now() - 86_400, people);
    tokio::task::spawn_blocking(move || sealed::seal(&keys, &events, count)).await.expect("sealing does not panic")
}

/// A stage whose sandbox knows the people of so many requests.
pub async fn stage(db: Db, count: u64) -> Stage {
    let followers = u32::try_from(count / 10).unwrap_or(u32::MAX);
    Stage::with_followers(db, "bench", followers).await.expect("a database; scripts/bench starts it")
}

async fn run(plan: &Plan, case: Case, requests: &Requests) -> Ran {
    match case {
        Case::WholeSqlite => whole(plan, Db::Sqlite, requests).await,
        Case::WholeMariaDb => whole(plan, Db::MariaDb, requests).await,
        Case::Door => part(plan, "door", requests).await,
        Case::Ceiling => part(plan, "ceiling", requests).await,
        Case::CommitSqlite => commits(plan, Db::Sqlite).await,
        Case::CommitMariaDb => commits(plan, Db::MariaDb).await,
    }
}

/// (a) and (b): the binary as a user runs it, its log in a file.
pub async fn whole(plan: &Plan, db: Db, requests: &Requests) -> Ran {
    let stage = stage(db, requests.len() as u64).await;
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
    Ran { outcome, drain_s: Some(drain_s), enriched_s: Some(enriched_s), cpu_s, busy }
}

async fn part(plan: &Plan, name: &str, requests: &Requests) -> Ran {
    let child = Child::of_ours(&[name], &[]).await;
    let (outcome, cpu_s, busy) = pushed(plan, &child, requests, usize::MAX / requests.len()).await;
    child.end().await;
    Ran { outcome, drain_s: None, enriched_s: None, cpu_s, busy }
}

async fn pushed(plan: &Plan, child: &Child, requests: &Requests, times: usize) -> (Outcome, [f64; 3], f64) {
    let (load, cpu_s, busy) = timed(child, requests, times, Duration::from_secs(plan.seconds)).await;
    (load.outcome(), cpu_s, busy)
}

/// A load, what CPU it took of whom, and how busy the machine was.
pub async fn timed(child: &Child, requests: &Requests, times: usize, time: Duration) -> (Load, [f64; 3], f64) {
    let before = Cpu::now(child.pid());
    let load = sealed::push(child.address(), requests.clone(), times, time).await;
    let (cpu_s, busy) = Cpu::now(child.pid()).since(&before);
    (load, cpu_s, busy)
}

/// Events that no handler has settled; one is enough to go on waiting, and a count of all would slow what it waits for.
const EVENTS_DUE: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM inbox_event WHERE state = 'new' LIMIT 1) AS due";
/// People whose data has not been asked for.
const PEOPLE_DUE: &str =
    "SELECT COUNT(*) FROM (SELECT 1 FROM user_mapping WHERE info_due_at IS NOT NULL LIMIT 1) AS due";

/// Seconds until nothing is due in the inbox, and until nobody's data is due.
async fn drained(stage: &Stage) -> (f64, f64) {
    let inbox = inbox_drained(stage).await;
    (inbox, inbox + none_due(stage, PEOPLE_DUE).await)
}

/// Seconds until nothing is due in the inbox.
pub async fn inbox_drained(stage: &Stage) -> f64 {
    none_due(stage, EVENTS_DUE).await
}

async fn none_due(stage: &Stage, due: &str) -> f64 {
    let start = Instant::now();
    while stage.number(due).await > 0 {
        assert!(start.elapsed() < DRAIN, "not drained in {DRAIN:?}: {due}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed().as_secs_f64()
}

/// A server's databases would pile up and fill its memory.
pub async fn drop_database(stage: &Stage) {
    if stage.db == Db::MariaDb {
        let name = stage.rows("SELECT DATABASE()").await[0][0].clone().expect("a database is chosen");
        stage.execute(&format!("DROP DATABASE {name}")).await;
    }
}

/// (d): a process that commits and tells what came of it.
async fn commits(plan: &Plan, db: Db) -> Ran {
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
    Ran { outcome: told.outcome, drain_s: None, enriched_s: None, cpu_s: told.cpu_s, busy: told.busy }
}
