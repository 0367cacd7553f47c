//! A million events in one run: whether it gets slower, grows, or is left with work.

use super::callback::{drop_database, inbox_drained, requests, stage, timed};
use super::kept::Kept;
use super::plan::{self, Plan};
use super::sealed::{Load, Requests};
use super::under::{Child, Memory};
use crate::load::events::Events;
use crate::rows::Db;
use crate::signer::Keys;
use crate::stage::Stage;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A run that takes longer is cut, and fails for its missing events.
const LIMIT: Duration = Duration::from_secs(300);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(250);
/// Of the answers so many moments are kept.
const MOMENTS: usize = 100;

pub async fn measure(plan: &Plan) -> Result<(), String> {
    let load = format!("{} events in one run, {}", plan.events, plan::load());
    let mut kept = Kept::new(plan, "million", &load, &["database", "what", "second", "value"])?;
    let requests = requests(plan.events).await;
    for db in plan.dbs.iter().copied() {
        let run = run(plan, db, &requests).await;
        keep(&mut kept, db, &run)?;
    }
    Ok(())
}

struct Run {
    load: Load,
    /// (second, MiB).
    memory: Vec<(f64, f64)>,
    end: Memory,
    drain_s: f64,
    /// People whose data was not asked for yet when the inbox was drained: that goes at the platform's pace.
    people_due: i64,
    without_row: u64,
}

fn keep(kept: &mut Kept, db: Db, run: &Run) -> Result<(), String> {
    let name = plan::name(db);
    for (second, mib) in &run.memory {
        kept.quiet_row(&[&name, &"rss_mib", &format!("{second:.2}"), &format!("{mib:.1}")])?;
    }
    let all = run.load.answers.len();
    for count in (1..=MOMENTS).map(|part| all * part / MOMENTS).filter(|count| *count > 0) {
        let second = f64::from(run.load.answers[count - 1].0) / 1e6;
        kept.quiet_row(&[&name, &"acknowledged", &format!("{second:.3}"), &count])?;
    }
    let outcome = run.load.outcome();
    let end = [
        ("events", outcome.begun as f64),
        ("failed", outcome.failed as f64),
        ("seconds", outcome.seconds),
        ("p99_ms", outcome.p99_ms),
        ("max_ms", outcome.max_ms),
        ("peak_mib", run.end.peak),
        ("pss_mib", run.end.pss),
        ("drain_s", run.drain_s),
        ("people_due", run.people_due as f64),
        ("without_row", run.without_row as f64),
    ];
    let second = format!("{:.3}", outcome.seconds);
    end.into_iter().try_for_each(|(what, value)| kept.row(&[&name, &what, &second, &format!("{value:.3}")]))
}

async fn run(plan: &Plan, db: Db, requests: &Requests) -> Run {
    let stage = stage(db, plan.events).await;
    let child = Child::serve(&stage, &plan.env).await;
    let ended = Arc::new(AtomicBool::new(false));
    let sampler = tokio::spawn(sampled(child.pid(), ended.clone()));
    let (load, ..) = timed(&child, requests, 1, LIMIT).await;
    ended.store(true, Relaxed);
    let memory = sampler.await.expect("the sampler does not panic");
    let drain_s = inbox_drained(&stage).await;
    let people_due = stage.number("SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL").await;
    let end = Memory::of(child.pid());
    eprint!("{}", child.complaints());
    let without_row = without_row(&stage, plan.events).await;
    child.end().await;
    drop_database(&stage).await;
    Run { load, memory, end, drain_s, people_due, without_row }
}

async fn sampled(pid: u32, ended: Arc<AtomicBool>) -> Vec<(f64, f64)> {
    let start = Instant::now();
    let mut memory = Vec::new();
    while !ended.load(Relaxed) {
        memory.push((start.elapsed().as_secs_f64(), Memory::rss(pid)));
        tokio::time::sleep(LOOK).await;
    }
    memory
}

/// Every event is one row that is done, everybody who came has a row, everybody who left is marked so; else how many not.
async fn without_row(stage: &Stage, count: u64) -> u64 {
    let events = Events::new(&Keys::default().original_id, 0, Vec::new());
    let of = |wanted: fn(&Events, u64) -> bool| (0..count).filter(|number| wanted(&events, *number)).count() as u64;
    let expected = [
        ("SELECT COUNT(*) FROM inbox_event", count),
        ("SELECT COUNT(DISTINCT dedupe_key) FROM inbox_event WHERE state = 'done'", count),
        ("SELECT COUNT(*) FROM user_mapping", of(|events, number| events.follows(number))),
        ("SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0", of(|events, number| events.leaves(number))),
    ];
    let mut off = 0;
    for (query, expected) in expected {
        let found = stage.number(query).await as u64;
        if found != expected {
            eprintln!("{query}: {found}, not {expected}");
        }
        off += found.abs_diff(expected);
    }
    off
}
