//! The database is away: callbacks are acknowledged from this host's disk, and move in when it is back.

use crate::durability::futures;
use crate::faults::{LIMIT, Stall, fault_stories};
use crate::http;
use crate::messages::{OPENID, event_at, subscribe, text};
use crate::rows::{Db, skip};
use crate::stage::{Serve, Stage, until};
use crate::stories::tell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fault_stories! {
    what_comes_while_it_hangs_moves_in_when_it_is_back,
    killed_anywhere_nothing_is_lost,
    what_is_damaged_or_refused_is_set_aside,
    a_full_spool_refuses_and_recovers,
    a_stop_leaves_what_is_spooled_for_the_next_start,
}

/// Where the spool is by default: beside the SQLite file, else in the current folder. `/tmp` may be in memory.
fn set(stage: &mut Stage) -> PathBuf {
    stage.settings += "spool_tmpfs = true\napi_token = \"admin-of-the-spool\"\n";
    match stage.db {
        Db::Sqlite => stage.folder().join("wxops.db.spool"),
        Db::MariaDb => stage.folder().join("wxops-spool"),
    }
}

/// The files of the spool.
fn files(folder: &Path) -> Vec<PathBuf> {
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
async fn moved_in(stage: &Stage, folder: &Path, count: i64) {
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

/// A push whose acknowledgement shows that the database is known to be away.
async fn first_that_is_spooled(serve: &Serve) {
    assert_eq!(serve.push(&event_at("SCAN", "oFirst", 1_700_000_000, "")).await.status, 200);
    assert_eq!(serve.metric("wxops_spool_events_total", &[("result", "spooled")]).await, 1.0);
}

/// kill -9 while callbacks are being spooled, and again while they move in: each acknowledged one is a row, none is two.
async fn killed_anywhere_nothing_is_lost(mut stage: Stage) {
    let folder = set(&mut stage);
    let stall = Stall::before(&mut stage).await;
    let mut serve = stage.serve().await;
    stall.begin();
    first_that_is_spooled(&serve).await;
    let xml: Vec<_> = (0..400).map(|n| event_at("SCAN", &format!("oKilled{n}"), 1_700_000_000, "")).collect();
    let mut acknowledged = Vec::new();
    for some in xml.chunks(8).take(40) {
        let answers = futures(some.iter().map(|xml| serve.push(xml))).await;
        acknowledged.extend(some.iter().zip(answers).filter(|(_, answer)| answer.status == 200).map(|(xml, _)| xml));
    }
    assert_eq!(acknowledged.len(), 320);
    serve.kill().await;
    assert!(!files(&folder).is_empty());

    stall.end();
    // Each is killed as soon as it has moved something in.
    for _ in 0..3 {
        let mut serve = stage.serve().await;
        until("a row", async || (stage.stored().await > 0).then_some(())).await;
        serve.kill().await;
        stage.outlive_leases().await;
    }
    let serve = stage.serve().await;
    moved_in(&stage, &folder, 321).await;
    stage.settled().await;
    let twice = "SELECT COUNT(*) FROM (SELECT openid FROM inbox_event GROUP BY openid HAVING COUNT(*) > 1) AS twice";
    assert_eq!(stage.number(twice).await, 0);
    assert_eq!(serve.push(acknowledged[0]).await.status, 200);
    assert_eq!(stage.stored().await, 321, "a copy of what was spooled is a duplicate");
}

/// The only segment of a spool.
fn segment(folder: &Path) -> PathBuf {
    let mut files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// A torn tail is cut, a damaged record set aside, one that the database refuses too; the others move in. Each is told.
async fn what_is_damaged_or_refused_is_set_aside(mut stage: Stage) {
    let folder = set(&mut stage);
    let stall = Stall::before(&mut stage).await;
    let mut serve = stage.serve().await;
    stall.begin();
    first_that_is_spooled(&serve).await;
    for name in ["oGood1", "oDamaged", "oGood2", "oRefused", "oGood3"] {
        assert_eq!(serve.push(&event_at("SCAN", name, 1_700_000_000, "")).await.status, 200);
    }
    serve.kill().await;
    stall.end();
    let mut bytes = fs::read(segment(&folder)).unwrap();
    let at = bytes.windows(8).position(|part| part == b"oDamaged").unwrap();
    bytes[at] ^= 1;
    // As a crash leaves it: the beginning of a record.
    bytes.extend_from_slice(b"WXR1\x40\x00\x00\x00\x01\x02\x03\x04half");
    fs::write(segment(&folder), &bytes).unwrap();
    stage
        .execute(match stage.db {
            Db::Sqlite => {
                "CREATE TRIGGER bad BEFORE INSERT ON inbox_event WHEN NEW.openid = 'oRefused' \
                       BEGIN SELECT RAISE(ABORT, 'not this one'); END"
            }
            Db::MariaDb => {
                "CREATE TRIGGER bad BEFORE INSERT ON inbox_event FOR EACH ROW IF NEW.openid = 'oRefused' \
                        THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF"
            }
        })
        .await;

    let serve = stage.serve().await;
    until("the good ones", async || (stage.stored().await == 4).then_some(())).await;
    let ends = until("files set aside", async || {
        let mut ends: Vec<_> =
            files(&folder).iter().map(|f| f.extension().unwrap().to_str().unwrap().to_owned()).collect();
        ends.sort();
        (!ends.contains(&"spool".to_owned())).then_some(ends)
    })
    .await;
    assert_eq!(ends, ["broken", "refused"]);
    let log = serve.log();
    assert!(log.contains("not this one") && log.contains("set aside") && log.contains("cut 16 bytes"), "{log}");
    assert!(!log.contains("oRefused"), "no openid in full: {log}");
    for (result, count) in [("moved", 4.0), ("refused", 1.0), ("broken", 1.0)] {
        until(result, async || {
            (serve.metric("wxops_spool_events_total", &[("result", result)]).await == count).then_some(())
        })
        .await;
    }
    let status = stage.verb(&["status"]).await.expect_code(1);
    assert!(
        status.stdout.contains("spool") && status.stderr.contains("set aside"),
        "{}\n{}",
        status.stdout,
        status.stderr
    );
    let doctor = stage.verb(&["doctor"]).await;
    assert!(doctor.stdout.contains("2 files are set aside"), "{}", doctor.stdout);

    // As doctor says.
    stage.execute("DROP TRIGGER bad").await;
    for file in files(&folder) {
        match file.extension().unwrap().to_str() {
            Some("refused") => fs::rename(&file, file.with_extension("spool")).unwrap(),
            _ => fs::remove_file(&file).unwrap(),
        }
    }
    moved_in(&stage, &folder, 5).await;
    stage.verb(&["status"]).await.expect_code(0);
}

/// At its cap it refuses at once, and is red; what was acknowledged moves in, and all is well again by itself.
async fn a_full_spool_refuses_and_recovers(mut stage: Stage) {
    let folder = set(&mut stage);
    stage.settings += "spool_max = \"16KiB\"\n";
    let stall = Stall::before(&mut stage).await;
    let serve = stage.serve().await;
    stall.begin();
    first_that_is_spooled(&serve).await;
    let long = "long ".repeat(100);
    let mut kept = 1;
    let refused = loop {
        let start = Instant::now();
        let answer = serve.push(&text(OPENID, &long, 100 + kept)).await;
        match answer.status {
            200 => kept += 1,
            503 => break (answer, start.elapsed()),
            other => panic!("{other}"),
        }
    };
    assert!(refused.0.body.is_empty() && refused.1 < Duration::from_millis(1500), "{refused:?}");
    assert!((10..30).contains(&kept), "{kept} in 16 KiB");
    until("red", async || (ready(&serve).await == 503).then_some(())).await;
    let shown = health(&serve).await;
    let error = shown["dependencies"]["spool"]["error"].as_str().unwrap_or_default();
    assert!(error.contains("spool_max is 16384"), "{shown}");
    let doctor = stage.verb(&["doctor"]).await;
    assert!(doctor.stdout.contains("callbacks wait for the database since"), "{}", doctor.stdout);

    stall.end();
    until("green", async || (ready(&serve).await == 200).then_some(())).await;
    moved_in(&stage, &folder, kept as i64).await;
    assert_eq!(serve.push(&text(OPENID, "after", 9)).await.status, 200);
}

/// SIGTERM while the database is away: within 5 s, exit 0; the next start moves in what was acknowledged.
async fn a_stop_leaves_what_is_spooled_for_the_next_start(mut stage: Stage) {
    let folder = set(&mut stage);
    let stall = Stall::before(&mut stage).await;
    let mut serve = stage.serve().await;
    stall.begin();
    first_that_is_spooled(&serve).await;
    let (code, time) = serve.stop().await;
    assert_eq!(code, Some(0), "{}", serve.log());
    assert!(time < Duration::from_secs(5), "it took {time:?}");
    assert!(!files(&folder).is_empty());
    stall.end();
    let _serve = stage.serve().await;
    moved_in(&stage, &folder, 1).await;
}

/// Two on one host share the folder; what a dead one left the other moves in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_living_move_in_what_the_dead_left() {
    let stage = Stage::new(Db::MariaDb, "spool::the_living_move_in_what_the_dead_left");
    tell(stage, LIMIT, async |mut stage| {
        let folder = set(&mut stage);
        let stall = Stall::before(&mut stage).await;
        let (mut one, other) = (stage.serve().await, stage.serve().await);
        stall.begin();
        first_that_is_spooled(&one).await;
        assert_eq!(other.push(&event_at("SCAN", "oOther", 1_700_000_000, "")).await.status, 200);
        let segments = files(&folder).len();
        assert!(segments >= 2, "each has its own, not {segments}");
        one.kill().await;
        stall.end();
        moved_in(&stage, &folder, 2).await;
    })
    .await;
}

/// What is in memory is gone with the host: refused where it was asked for, off and said where it is the usual place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_spool_in_memory() {
    let story = "spool::no_spool_in_memory";
    let Ok(memory) = tempfile::Builder::new().prefix("wxops-story.").tempdir_in("/dev/shm") else {
        return skip(story, "there is no /dev/shm");
    };
    tell(Stage::new(Db::MariaDb, story), LIMIT, async |mut stage| {
        let place = memory.path().join("spool").display().to_string();
        stage.env.push(("WXOPS_SPOOL_DIR".into(), place.clone()));
        let refused = stage.verb(&["serve"]).await.expect_code(78);
        assert!(
            refused.stderr.contains(&place) && refused.stderr.contains("WXOPS_SPOOL_TMPFS=true"),
            "{}",
            refused.stderr
        );

        stage.env.clear();
        stage.env.push(("STATE_DIRECTORY".into(), memory.path().display().to_string()));
        let serve = stage.serve().await;
        assert!(serve.log().contains("the spool is off: "), "{}", serve.log());
        let doctor = stage.verb(&["doctor"]).await;
        assert!(doctor.stdout.contains("is in memory"), "{}", doctor.stdout);
        drop(serve);

        stage.env.push(("WXOPS_SPOOL_TMPFS".into(), "true".into()));
        assert!(!stage.serve().await.log().contains("the spool is off"));
    })
    .await;
}
