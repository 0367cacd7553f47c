//! On a slow disk: nobody is acknowledged before the disk has the row, and those who wait together share its time.

use crate::messages::{OPENID, text};
use crate::rows::{Db, skip};
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What each fsync and fdatasync takes, at the least.
const FSYNC: Duration = Duration::from_millis(200);
const PUSHES: u64 = 64;
/// One after the other they would take 64 times as long as one.
const SHARED: Duration = Duration::from_millis(1200);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_after_the_disk_and_together() {
    let name = "slow_disk::acknowledged_after_the_disk_and_together";
    let stage = async {
        let mut stage = Stage::new(Db::Sqlite, name).await?;
        let Some(shim) = shim(stage.folder()) else {
            skip(name, "cc is not installed");
            return None;
        };
        stage.env.push(("LD_PRELOAD".into(), shim.to_str().unwrap().into()));
        stage.env.push(("SLOW_FSYNC_MS".into(), FSYNC.as_millis().to_string()));
        Some(stage)
    };
    tell(stage, LIMIT, play).await;
}

async fn play(stage: Stage) {
    let serve = stage.serve().await;
    let start = Instant::now();
    assert_eq!(serve.push(&text(OPENID, "alone", 0)).await.status, 200);
    let alone = start.elapsed();
    assert!(alone >= FSYNC, "acknowledged after {alone:?}, before the disk had it");

    let serve = Arc::new(serve);
    let start = Instant::now();
    let mut pushes = JoinSet::new();
    for number in 1..=PUSHES {
        let serve = serve.clone();
        pushes.spawn(async move {
            assert_eq!(serve.push(&text(OPENID, "together", number)).await.status, 200);
            start.elapsed()
        });
    }
    let times = pushes.join_all().await;
    let (first, last) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*first >= FSYNC, "the first was acknowledged after {first:?}, before the disk had it");
    assert!(*last < SHARED, "the last of {PUSHES} was acknowledged after {last:?}");
    assert_eq!(stage.stored().await, PUSHES as i64 + 1);
}

/// The slow disk, compiled; `None` without a compiler.
pub fn shim(folder: &Path) -> Option<PathBuf> {
    compiled("slow_fsync", folder)
}

/// A library of scripts/ for LD_PRELOAD, compiled into this folder; `None` without a compiler.
pub fn compiled(name: &str, folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("scripts/{name}.c"));
    let library = folder.join(format!("{name}.so"));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source);
    let compiled = compiler.output().ok()?;
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(library)
}
