//! What callbacks feel when things go wrong: with the database away, and beside the jobs that read and write all of it.

use super::callback::{AHEAD, drop_database, requests, stage, timed};
use super::kept::Kept;
use super::outcome::Outcome;
use super::plan::{self, Plan};
use super::report::faults::{AWAY, BESIDE, WELL};
use super::sealed::Requests;
use super::under::{self, Child};
use crate::rows::Db;
use crate::stage::Stage;
use rusqlite::Connection;
use rustix::process::{Pid, Signal, kill_process};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Until everything that was acknowledged has its row; until a job has ended.
const RECOVERY: Duration = Duration::from_secs(120);
/// What the jobs find: events that are old enough to be purged, and people to be exported.
const OLD_EVENTS: u32 = 200_000;
const PEOPLE: u32 = 100_000;

const COLUMNS: &[&str] = &[
    "round",
    "database",
    "case",
    "acknowledged",
    "seconds",
    "per_s",
    "p50_ms",
    "p99_ms",
    "max_ms",
    "failed",
    "recover_s",
    "without_row",
    "jobs",
];

/// One load under one condition.
struct Ran {
    case: &'static str,
    outcome: Outcome,
    /// From the database's return until everything acknowledged has its row.
    recover_s: Option<f64>,
    /// Events without exactly one row, once recovered.
    without_row: Option<u64>,
    /// Jobs that ended well beside it.
    jobs: Option<u32>,
}

pub async fn measure(plan: &Plan) -> Result<(), String> {
    let mut kept = Kept::new(plan, "faults", &plan.load(), COLUMNS)?;
    for round in 1..=plan.rounds {
        // Sealed anew each round: a timestamp that is minutes old is warned of.
        let all = requests(2 * AHEAD * plan.seconds).await;
        let half = all.len() / 2;
        let halves: [Requests; 2] = [all[..half].to_vec().into(), all[half..].to_vec().into()];
        drop(all);
        for db in plan.dbs.iter().copied() {
            for ran in well_and_away(plan, db, &halves).await {
                keep(&mut kept, round, db, &ran)?;
            }
        }
        if plan.dbs.contains(&Db::Sqlite) {
            keep(&mut kept, round, Db::Sqlite, &beside(plan, &halves[0]).await)?;
        }
    }
    Ok(())
}

fn keep(kept: &mut Kept, round: u32, db: Db, ran: &Ran) -> Result<(), String> {
    let Outcome { acknowledged, failed, seconds, p50_ms, p99_ms, max_ms, .. } = &ran.outcome;
    let two = |figure: f64| format!("{figure:.2}");
    let or_dash = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
    let cells: [&dyn Display; COLUMNS.len()] = [
        &round,
        &plan::name(db),
        &ran.case,
        acknowledged,
        &format!("{seconds:.3}"),
        &format!("{:.0}", ran.outcome.rate()),
        &two(*p50_ms),
        &two(*p99_ms),
        &two(*max_ms),
        failed,
        &or_dash(ran.recover_s.map(two)),
        &or_dash(ran.without_row.map(|count| count.to_string())),
        &or_dash(ran.jobs.map(|count| count.to_string())),
    ];
    kept.row(&cells)
}

/// One server: first all is well, then its database is away.
async fn well_and_away(plan: &Plan, db: Db, halves: &[Requests; 2]) -> [Ran; 2] {
    let time = Duration::from_secs(plan.seconds);
    let stage = stage(db, 2 * halves[0].len() as u64).await;
    let child = Child::serve(&stage, &plan.env).await;
    let (load, ..) = timed(&child, &halves[0], 1, time).await;
    let well = Ran { case: WELL, outcome: load.outcome(), recover_s: None, without_row: None, jobs: None };

    let away = Away::begin(&stage);
    // The first to come finds out: it waits for a commit until it is given up.
    let (first, ..) = timed(&child, &halves[1][..1].to_vec().into(), 1, time).await;
    assert_eq!(first.failed, 0, "not acknowledged with the database away:\n{}", child.log());
    let (load, ..) = timed(&child, &halves[1][1..].to_vec().into(), 1, time).await;
    away.end();
    let back = Instant::now();
    let outcome = load.outcome();
    let begun = well.outcome.begun + first.begun + outcome.begun;
    let without_row = missing(&stage, begun, outcome.failed + well.outcome.failed, back).await;
    let away = Ran {
        case: AWAY,
        outcome,
        recover_s: Some(back.elapsed().as_secs_f64()),
        without_row: Some(without_row),
        jobs: None,
    };
    eprint!("{}", child.complaints());
    child.end().await;
    drop_database(&stage).await;
    [well, away]
}

/// Waits until each of so many events has its row; how many have none, or one too many. Those that failed may have one.
async fn missing(stage: &Stage, begun: u64, failed: u64, back: Instant) -> u64 {
    loop {
        let rows = stage.number("SELECT COUNT(*) FROM inbox_event").await as u64;
        if rows >= begun - failed || back.elapsed() > RECOVERY {
            return (begun - failed).saturating_sub(rows) + rows.saturating_sub(begun);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A database that is away: MariaDB's processes are stopped, SQLite's file is locked by somebody else.
enum Away {
    Stopped(Pid),
    Locked(Connection),
}

impl Away {
    fn begin(stage: &Stage) -> Away {
        match stage.db {
            Db::MariaDb => {
                let pid = std::env::var("WXOPS_BENCH_DATABASE_PID").expect("scripts/bench says it");
                let pid = pid.parse().ok().and_then(Pid::from_raw).expect("a process");
                kill_process(pid, Signal::STOP).expect("the server that scripts/bench started");
                Away::Stopped(pid)
            }
            Db::Sqlite => {
                let db = Connection::open(stage.folder().join("wxops.db")).expect("the stage's file");
                db.busy_timeout(Duration::from_secs(10)).expect("a connection");
                db.execute_batch("BEGIN IMMEDIATE").expect("the writer lets go between its commits");
                Away::Locked(db)
            }
        }
    }

    fn end(self) {
        match self {
            Away::Stopped(pid) => kill_process(pid, Signal::CONT).expect("it is only stopped"),
            Away::Locked(db) => db.execute_batch("ROLLBACK").expect("it was begun"),
        }
    }
}

/// On SQLite, while a purge, an export and a backup run again and again.
async fn beside(plan: &Plan, requests: &Requests) -> Ran {
    let stage = Arc::new(stage(Db::Sqlite, requests.len() as u64).await);
    filled(&stage).await;
    let child = Child::serve(&stage, &plan.env).await;
    let ended = Arc::new(AtomicBool::new(false));
    let mut jobs = JoinSet::new();
    for job in ["purge", "export", "backup"] {
        jobs.spawn(again(stage.clone(), job, ended.clone()));
    }
    let (load, ..) = timed(&child, requests, 1, Duration::from_secs(plan.seconds)).await;
    ended.store(true, Relaxed);
    let ran = jobs.join_all().await;
    assert!(ran.iter().all(|times| *times > 0), "a purge, an export and a backup: {ran:?}");
    eprint!("{}", child.complaints());
    child.end().await;
    Ran { case: BESIDE, outcome: load.outcome(), recover_s: None, without_row: None, jobs: Some(ran.iter().sum()) }
}

/// Runs a job until the load has ended, and to its end; how often.
async fn again(stage: Arc<Stage>, job: &str, ended: Arc<AtomicBool>) -> u32 {
    let file = stage.folder().join(job);
    let file = file.to_str().expect("an ASCII path");
    let args: &[&str] = match job {
        "purge" => &["events", "purge", "--older-than", "90d", "--yes"],
        "export" => &["followers", "export", "--as", "csv", "--yes", "--output-file", file],
        _ => &["db", "backup", "--yes", file],
    };
    let mut times = 0;
    while !ended.load(Relaxed) {
        let done = tokio::time::timeout(RECOVERY, under::verb(&stage, args).output()).await;
        let done = done.expect("a job ends").expect("the binary starts");
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        times += 1;
    }
    times
}

/// Old events and people, written past the program.
async fn filled(stage: &Stage) {
    let path = stage.folder().join("wxops.db");
    tokio::task::spawn_blocking(move || fill(&path)).await.expect("filling does not panic");
}

fn fill(path: &Path) {
    let db = Connection::open(path).expect("the stage's file");
    let fill = format!(
        "BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {OLD_EVENTS})
         INSERT INTO inbox_event (account, platform, dedupe_key, openid, kind, raw, state, due_at, event_time, received_at)
         SELECT 'main', 'official', randomblob(32), 'old' || (i % {PEOPLE}), 'text', printf('%.*c', 400, 'x'), 'done', 0,
         '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {PEOPLE})
         INSERT INTO user_mapping (openid, nickname, is_followed, follow_time, created_at, updated_at, account)
         SELECT 'old' || i, 'nickname ' || i, 1, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z',
         '2026-01-01T00:00:00.000Z', 'main' FROM n;
         COMMIT"
    );
    db.execute_batch(&fill).expect("the columns are there");
}
