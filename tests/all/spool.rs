//! The database is away: callbacks are acknowledged from this host's disk, and move in when it is back.

use crate::faults::{Stall, fault_stories};
use crate::http;
use crate::messages::{OPENID, event_at, subscribe, text};
use crate::stage::{Serve, Stage, until};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fault_stories! {
    what_comes_while_it_hangs_moves_in_when_it_is_back,
}

/// The database is known to be away after this time: from here on nobody waits for it.
const KNOWN: Duration = Duration::from_millis(2600);

/// Where the spool is by default: beside the SQLite file, else in the current folder. `/tmp` may be in memory.
fn set(stage: &mut Stage) -> PathBuf {
    stage.settings += "spool_tmpfs = true\napi_token = \"admin-of-the-spool\"\n";
    match stage.db {
        crate::rows::Db::Sqlite => stage.folder().join("wxops.db.spool"),
        crate::rows::Db::MariaDb => stage.folder().join("wxops-spool"),
    }
}

/// The files of the spool.
fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    fs::read_dir(folder).map_or_else(|_| Vec::new(), |all| all.map(|entry| entry.unwrap().path()).collect())
}

async fn ready(serve: &Serve) -> u16 {
    http::get(serve.address(), "/readyz").await.unwrap().status
}

async fn health(serve: &Serve) -> serde_json::Value {
    let head = [("Authorization", "Bearer admin-of-the-spool")];
    let answer = http::once(serve.address(), &http::request("GET", "/healthz?verbose", &head, b"")).await.unwrap();
    assert_eq!(answer.status, 200);
    serde_json::from_slice(&answer.body).unwrap()
}

/// All that was spooled is in the table, and nothing lies there any more.
async fn moved_in(stage: &Stage, folder: &std::path::Path, count: i64) {
    until("all to be stored", async || (stage.stored().await == count).then_some(())).await;
    until("an empty spool", async || files(folder).is_empty().then_some(())).await;
}

/// The first waits 2 s, the others no longer; ready all the while; each is one row in the end, and handled once.
async fn what_comes_while_it_hangs_moves_in_when_it_is_back(mut stage: Stage) {
    let folder = set(&mut stage);
    let stall = Stall::before(&mut stage).await;
    let mut serve = stage.serve().await;
    assert_eq!(serve.push(&text(OPENID, "before", 1)).await.status, 200);
    stage.settled().await;
    assert!(!folder.exists(), "nothing is made before it is needed");

    stall.begin();
    let start = Instant::now();
    let first = serve.push(&subscribe(OPENID)).await;
    assert_eq!((first.status, first.body.len()), (200, 0), "{}", serve.log());
    assert!((1900..3000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    for id in 10..40 {
        let start = Instant::now();
        assert_eq!(serve.push(&text(OPENID, "while it hangs", id)).await.status, 200);
        assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    }
    // A storm of copies is one record.
    let copy = text(OPENID, "while it hangs", 40);
    for _ in 0..20 {
        assert_eq!(serve.push(&copy).await.status, 200);
    }
    assert_eq!(ready(&serve).await, 200);
    let shown = health(&serve).await;
    let spool = &shown["dependencies"]["spool"];
    assert_eq!((shown["status"].as_str(), spool["events"].as_u64()), (Some("degraded"), Some(32)), "{shown}");
    assert_eq!(
        (spool["writable"].as_bool(), shown["dependencies"]["database"]["ok"].as_bool()),
        (Some(true), Some(false))
    );
    assert_eq!(serve.metric("wxops_spool_events_total", &[("result", "spooled")]).await, 32.0);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(files(&folder).iter().all(|file| fs::metadata(file).unwrap().permissions().mode() & 0o777 == 0o600));

    stall.end();
    let back = Instant::now();
    until("a commit", async || {
        let asked = Instant::now();
        let answer = serve.push(&event_at("SCAN", "o_after", 1_700_000_000, "")).await;
        assert_eq!(answer.status, 200);
        (health(&serve).await["dependencies"]["database"]["ok"] == true && asked.elapsed() < Duration::from_secs(1))
            .then_some(())
    })
    .await;
    assert!(back.elapsed() < Duration::from_secs(2), "it took {:?}", back.elapsed());
    moved_in(&stage, &folder, 34).await;
    stage.settled().await;
    assert_eq!(
        stage.number("SELECT is_followed FROM user_mapping WHERE openid = 'oTEST0000000000000000000001_'").await,
        1
    );
    let log = serve.log();
    assert!(log.contains("the database does not take callbacks") && log.contains("takes callbacks again"), "{log}");
    assert_eq!(serve.stop().await.0, Some(0));
}
