//! How soon it is ready, how little it is while idle, how fast its help, how large its file.

use crate::bars::{self, Verdict, median};
use crate::callback::{drop_database, inbox_drained};
use crate::http;
use crate::kept::Kept;
use crate::load::events::Events;
use crate::plan::{self, Plan};
use crate::rows::Db;
use crate::sealed;
use crate::signer::{self, Keys};
use crate::stage::Stage;
use crate::under::{self, BINARY, Child, Memory};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

const STARTS: u32 = 20;
const HELPS: u32 = 50;
/// In the database before it is started.
const EVENTS: u64 = 2_000;
/// Between two looks at /readyz.
const LOOK: Duration = Duration::from_micros(300);
/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn measure(plan: &Plan) -> Vec<Verdict> {
    let heading = format!("{}; {STARTS} starts, {} s idle, {HELPS} times --help", plan.machine(), plan.seconds);
    let mut kept =
        Kept::new(&plan.out, &heading, &["what", "database", "value", "unit"]).expect("a place for the rows");
    let mut verdicts = Vec::new();
    let mut lines = Vec::new();
    for db in plan.dbs.iter().copied() {
        let name = plan::name(db);
        let stage = lived_in(db).await;
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let (child, time) = started(&stage).await;
            kept.row(&[&"ready", &name, &format!("{time:.2}"), &"ms"]).expect("room for the rows");
            times.push(time);
            stopped(child).await;
        }
        let (child, _) = started(&stage).await;
        tokio::time::sleep(Duration::from_secs(plan.seconds)).await;
        let Memory { rss, pss, .. } = Memory::of(child.pid());
        kept.row(&[&"rss", &name, &format!("{rss:.2}"), &"MiB"]).expect("room for the rows");
        kept.row(&[&"pss", &name, &format!("{pss:.2}"), &"MiB"]).expect("room for the rows");
        stopped(child).await;
        drop_database(&stage).await;
        let worst = times.iter().copied().fold(0.0, f64::max);
        let ready = median(times);
        lines.push(format!("| ready, {name} | {ready:.1} ms (worst {worst:.1}) |"));
        lines.push(format!("| idle memory, {name} | RSS {rss:.1} MiB, PSS {pss:.1} MiB |"));
        verdicts.push(bars::READY.judge(name, ready));
        verdicts.push(bars::IDLE_MEMORY.judge(name, rss));
    }
    let mut times = Vec::new();
    for _ in 0..HELPS {
        let time = help().await;
        kept.row(&[&"help", &"-", &format!("{time:.2}"), &"ms"]).expect("room for the rows");
        times.push(time);
    }
    let help = median(times);
    let size = std::fs::metadata(BINARY).expect("the binary").len() as f64 / f64::from(1 << 20);
    kept.row(&[&"size", &"-", &format!("{size:.2}"), &"MiB"]).expect("room for the rows");
    lines.push(format!("| --help | {help:.1} ms |"));
    lines.push(format!("| stripped binary | {size:.1} MiB |"));
    println!("{heading}\n\n| what, median | figure |\n|---|---|\n{}\n", lines.join("\n"));
    verdicts.push(bars::HELP.judge("wxops --help", help));
    verdicts.push(bars::BINARY.judge("wxops", size));
    verdicts
}

/// A database that has been used, and was left properly.
async fn lived_in(db: Db) -> Stage {
    let stage = Stage::with_followers(db, "bench", EVENTS as u32).await.expect("a database; scripts/bench starts it");
    let keys = Keys::default();
    let people = crate::load::kill9::followers(&stage, (EVENTS / 10) as usize).await;
    let requests = sealed::seal(&keys, &Events::new(&keys.original_id, signer::now() - 86_400, people), EVENTS);
    let child = Child::serve(&stage, &[]).await;
    let load = sealed::push(child.address(), requests, 1, PATIENCE).await;
    assert_eq!(load.failed, 0, "{}", child.log());
    inbox_drained(&stage).await;
    stopped(child).await;
    stage
}

/// From before the exec to the first 200 of /readyz, milliseconds.
async fn started(stage: &Stage) -> (Child, f64) {
    let log = stage.folder().join("serve.log");
    let address = free_address();
    let mut command = under::serve(stage, &log);
    command.args(["--listen", &address.to_string()]);
    let start = Instant::now();
    let child = Child::of(&mut command, address, log).expect("the binary starts");
    loop {
        if http::get(address, "/readyz").await.is_ok_and(|answer| answer.status == 200) {
            return (child, start.elapsed().as_secs_f64() * 1e3);
        }
        assert!(start.elapsed() < PATIENCE, "not ready in {PATIENCE:?}:\n{}", child.log());
        tokio::time::sleep(LOOK).await;
    }
}

async fn stopped(child: Child) {
    let log = child.log();
    assert!(child.stop().await.success(), "{log}");
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

async fn help() -> f64 {
    let start = Instant::now();
    let status = Command::new(BINARY).arg("--help").stdin(Stdio::null()).stdout(Stdio::null()).status().await;
    assert!(status.expect("the binary starts").success());
    start.elapsed().as_secs_f64() * 1e3
}
