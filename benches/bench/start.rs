//! How soon it is ready, how little it is while idle, how fast its help, how large its file.

use super::callback::{drop_database, inbox_drained};
use super::kept::Kept;
use super::plan::{self, Plan};
use super::sealed;
use super::under::{self, BINARY, Child, Memory};
use crate::http;
use crate::load::events::Events;
use crate::rows::Db;
use crate::signer::{self, Keys};
use crate::stage::Stage;
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

pub async fn measure(plan: &Plan) -> Result<(), String> {
    let load = format!("{STARTS} starts, {} s idle, {HELPS} times --help", plan.seconds);
    let mut kept = Kept::new(plan, "start", &load, &["what", "database", "value", "unit"])?;
    for db in plan.dbs.iter().copied() {
        let name = plan::name(db);
        let stage = lived_in(db).await;
        for _ in 0..STARTS {
            let (child, time) = started(&stage).await;
            kept.row(&[&"ready", &name, &format!("{time:.2}"), &"ms"])?;
            stopped(child).await;
        }
        let (child, _) = started(&stage).await;
        tokio::time::sleep(Duration::from_secs(plan.seconds)).await;
        let Memory { rss, pss, .. } = Memory::of(child.pid());
        kept.row(&[&"rss", &name, &format!("{rss:.2}"), &"MiB"])?;
        kept.row(&[&"pss", &name, &format!("{pss:.2}"), &"MiB"])?;
        stopped(child).await;
        drop_database(&stage).await;
    }
    for _ in 0..HELPS {
        kept.row(&[&"help", &"-", &format!("{:.2}", help().await), &"ms"])?;
    }
    let size = std::fs::metadata(BINARY).expect("the binary").len() as f64 / f64::from(1 << 20);
    kept.row(&[&"size", &"-", &format!("{size:.2}"), &"MiB"])
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
