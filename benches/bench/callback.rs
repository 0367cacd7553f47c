//! How fast callbacks are acknowledged: the whole, its parts, and the load's own ceiling.

use crate::bars::Verdict;
use crate::figures::{Case, Conditions, Row, Table};
use crate::load::{self, events::Events};
use crate::outcome::Outcome;
use crate::plan::{self, Plan};
use crate::rows::{Db, Rows};
use crate::sealed::{self, Load, Requests};
use crate::signer::{self, Keys};
use crate::stage::Stage;
use crate::under::{Child, Cpu};
use std::time::{Duration, Instant};

/// Requests made ahead for each second of a run; what stores nothing gets them again, else the run ends early.
const AHEAD: u64 = 50_000;
/// A drain that takes longer has failed.
const DRAIN: Duration = Duration::from_secs(180);

pub async fn measure(plan: &Plan) -> Vec<Verdict> {
    let heading = format!(
        "{}; {} connections, {:.0} % duplicates, secure mode, {} rounds of {} s",
        plan.machine(),
        sealed::CONNECTIONS,
        sealed::DUPLICATES * 100.0,
        plan.rounds,
        plan.seconds
    );
    let mut table = Table::new(&plan.out, &heading).expect("a place for the rows");
    eprintln!("{heading}");
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let requests = requests(AHEAD * plan.seconds).await;
        for case in cases(plan).into_iter().filter(|case| *case != Case::Ceiling || round == 1) {
            let row = run(plan, case, round, &requests).await;
            table.push(row).expect("room for the rows");
        }
    }
    println!("{heading}\n\n{table}");
    let conditions = match (plan.slow_disk(), plan::cores()) {
        (Some(_), _) => Conditions::SlowDisk,
        (None, 1) => Conditions::OneCpu,
        _ => Conditions::AsItIs,
    };
    table.verdicts(conditions)
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

async fn run(plan: &Plan, case: Case, round: u32, requests: &Requests) -> Row {
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
pub async fn whole(plan: &Plan, case: Case, db: Db, round: u32, requests: &Requests) -> Row {
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
    Row { round, case, outcome, drain_s: Some(drain_s), enriched_s: Some(enriched_s), cpu_s, busy }
}

async fn part(plan: &Plan, case: Case, name: &str, round: u32, requests: &Requests) -> Row {
    let child = Child::of_ours(&[name], &[]).await;
    let (outcome, cpu_s, busy) = pushed(plan, &child, requests, usize::MAX / requests.len()).await;
    child.end().await;
    Row { round, case, outcome, drain_s: None, enriched_s: None, cpu_s, busy }
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
