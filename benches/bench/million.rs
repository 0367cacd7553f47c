//! A million events in one run: whether it gets slower, grows, or is left with work.

use crate::bars::{self, Verdict};
use crate::callback::{drop_database, inbox_drained, requests, stage, timed};
use crate::kept::Kept;
use crate::load::events::Events;
use crate::plan::{self, Plan};
use crate::rows::Db;
use crate::sealed::{Load, Requests};
use crate::signer::Keys;
use crate::stage::Stage;
use crate::trend::{Sample, Trend};
use crate::under::{Child, Memory};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A run that takes longer is cut, and fails for its missing events.
const LIMIT: Duration = Duration::from_secs(1200);
/// Between two looks at the memory.
const LOOK: Duration = Duration::from_millis(100);

pub async fn measure(plan: &Plan) -> Vec<Verdict> {
    let heading = format!("{}; {} events in one run", plan.machine(), plan.events);
    let mut kept = Kept::new(&plan.out, &heading, &["database", "second", "acknowledged", "rss_mib"]).expect("a place");
    let requests = requests(plan.events).await;
    let mut verdicts = Vec::new();
    let mut lines = Vec::new();
    for db in plan.dbs.iter().copied() {
        let run = run(plan, db, &requests).await;
        let trend = Trend::new(&run.load.answers.iter().map(|(at, _)| *at).collect::<Vec<_>>(), &run.samples);
        for Sample { second, rss } in &run.samples {
            let acknowledged = run.load.answers.partition_point(|(at, _)| f64::from(*at) <= second * 1e6);
            let cells: [&dyn std::fmt::Display; 4] =
                [&plan::name(db), &format!("{second:.2}"), &acknowledged, &format!("{rss:.1}")];
            kept.quiet_row(&cells).expect("room for the rows");
        }
        lines.push(line(db, &run, &trend));
        verdicts.extend(judged(db, &run, &trend));
    }
    println!(
        "{heading}\n\n| database | acknowledged/s | first tenth | last tenth | p99 ms | RSS MiB at the start, the end, \
         most | PSS at the end | drained s | profiles still due | events, without their row |\n|{}\n{}\n",
        "---|".repeat(10),
        lines.join("\n")
    );
    verdicts
}

struct Run {
    load: Load,
    samples: Vec<Sample>,
    memory: Memory,
    drain_s: f64,
    /// People whose data was not asked for yet when the inbox was drained: that goes at the platform's pace.
    people_due: i64,
    without_row: u64,
}

fn line(db: Db, run: &Run, trend: &Trend) -> String {
    let outcome = run.load.outcome();
    format!(
        "| {} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1}, {:.1}, {:.1} | {:.1} | {:.2} | {} | {}, {} |",
        plan::name(db),
        outcome.rate(),
        trend.first,
        trend.last,
        outcome.p99_ms,
        run.samples.first().map_or(f64::NAN, |sample| sample.rss),
        run.samples.last().map_or(f64::NAN, |sample| sample.rss),
        run.memory.peak,
        run.memory.pss,
        run.drain_s,
        run.people_due,
        outcome.begun,
        run.without_row,
    )
}

fn judged(db: Db, run: &Run, trend: &Trend) -> [Verdict; 6] {
    let whose = plan::name(db);
    [
        bars::UNACKNOWLEDGED.judge(whose, run.load.failed as f64),
        bars::LAST_OF_FIRST.judge(whose, trend.last / trend.first),
        bars::PEAK_MEMORY.judge(whose, run.memory.peak),
        bars::GROWTH.judge(whose, trend.growth),
        bars::DRAIN.judge(whose, run.drain_s / run.load.elapsed.as_secs_f64()),
        bars::WITHOUT_ROW.judge(whose, run.without_row as f64),
    ]
}

async fn run(plan: &Plan, db: Db, requests: &Requests) -> Run {
    let stage = stage(db, plan.events).await;
    let child = Child::serve(&stage, &plan.env).await;
    let ended = Arc::new(AtomicBool::new(false));
    let sampler = tokio::spawn(sampled(child.pid(), ended.clone()));
    let (load, ..) = timed(&child, requests, 1, LIMIT).await;
    ended.store(true, Relaxed);
    let samples = sampler.await.expect("the sampler does not panic");
    let drain_s = inbox_drained(&stage).await;
    let people_due = stage.number("SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL").await;
    let memory = Memory::of(child.pid());
    eprint!("{}", child.complaints());
    let without_row = without_row(&stage, plan.events).await;
    child.end().await;
    drop_database(&stage).await;
    Run { load, samples, memory, drain_s, people_due, without_row }
}

async fn sampled(pid: u32, ended: Arc<AtomicBool>) -> Vec<Sample> {
    let start = Instant::now();
    let mut samples = Vec::new();
    while !ended.load(Relaxed) {
        samples.push(Sample { second: start.elapsed().as_secs_f64(), rss: Memory::rss(pid) });
        tokio::time::sleep(LOOK).await;
    }
    samples
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
