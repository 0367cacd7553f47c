//! A database that falls ill in the middle of a sync: exit 69, the place is kept, and the next run goes on from there.

use super::{BATCHGET, FOLLOWING, begun, counts, sync, told};
use crate::faults::{LIMIT, Order, OwnMariaDb};
use crate::ordeal::disk::SmallDisk;
use crate::platform::Platform;
use crate::stage::{Stage, until};
use crate::stories::tell;
use serde_json::json;
use std::time::Duration;

const FOLLOWERS: u64 = 11_500;
/// With this a sync takes some seconds.
const SLOWLY: [&str; 4] = ["--followers", "11500", "--latency", "100ms"];
/// The first page is done by then.
const MIDDLE: i64 = 10_100;

/// In the middle of a sync the database falls ill, and later is mended.
async fn play(mut stage: Stage, ill: impl FnOnce(), mended: impl FnOnce()) {
    let platform = Platform::restart(&mut stage, &SLOWLY).await;
    let child = begun(&stage);
    until("the middle", async || (stage.number(FOLLOWING).await >= MIDDLE).then_some(())).await;
    tokio::task::block_in_place(ill);
    let output = tokio::time::timeout(Duration::from_secs(12), child.wait_with_output()).await.expect("its end");
    let output = output.expect("our own child");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("database") && !said.contains("panick"), "{said}");

    tokio::task::block_in_place(mended);
    // What could not be given back ends by itself after 30 s.
    stage.execute("UPDATE lease SET until = 0").await;
    let before = platform.calls(BATCHGET).await.len();
    let done = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!((counts(&done, &["seen", "failed"]), &done["resumed"]), (vec![FOLLOWERS, 0], &json!(true)), "{done}");
    let again = platform.calls(BATCHGET).await.len() - before;
    assert!(again <= 15, "only the rest of the second page is asked about: {again}");
    assert_eq!(stage.number(FOLLOWING).await.unsigned_abs(), FOLLOWERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_keeps_the_place() {
    let disk = SmallDisk::new(64);
    tell(Stage::below(disk.path(), "sync on a disk that is full"), LIMIT, async |mut stage| {
        if disk.put_under(&mut stage, "sync on a disk that is full") {
            play(stage, || disk.fill(), || disk.free()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_lost_keeps_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = OwnMariaDb::start_in(folder.path(), "sync on a server that is lost") else { return };
    let url = server.url.clone();
    let server = std::sync::Mutex::new(server);
    let order = |order| server.lock().expect("nobody else").order(order);
    tell(async { Some(Stage::on_server(&url).await) }, LIMIT, async |stage| {
        play(stage, || order(Order::Kill), || order(Order::Again)).await;
    })
    .await;
}
