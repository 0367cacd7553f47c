//! `events purge`: what goes and what stays, one run at a time, and callbacks that do not feel it.

use crate::faults::fault_stories;
use crate::load::{self, End, Options, Progress, Report, events::Events};
use crate::process::Outcome;
use crate::rows::Db;
use crate::signer;
use crate::stage::{Serve, Stage, until};
use serde_json::{Value, json};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::watch;

fault_stories! {
    old_settled_events_go_and_others_stay,
    a_purge_asks_first,
    one_run_at_a_time,
    an_ended_purge_goes_on_where_it_was,
    callbacks_stay_quick,
}

/// What 99 of 100 callbacks may wait while old rows go.
const P99: Duration = Duration::from_millis(100);
/// What a transaction may take, for which SQLite lets everybody else wait.
const HELD_S: f64 = 0.050;
/// The lock, as another host would hold it.
const LOCK: &str = "job:events purge";

/// A moment, in SQL: `ago(db, "3 HOUR")`.
pub fn ago(db: Db, time: &str) -> String {
    match db {
        Db::Sqlite => format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{time}')"),
        Db::MariaDb => format!("UTC_TIMESTAMP(3) - INTERVAL {time}"),
    }
}

/// Rows that came in so many days ago, in this state. Their keys lie anywhere, which is the dearest to delete.
pub async fn old_rows(stage: &Stage, count: u32, days: u32, state: &str) {
    let columns = "account, platform, dedupe_key, openid, kind, raw, state, due_at, event_time, received_at";
    let then = ago(stage.db, &format!("{days} DAY"));
    let rows = match stage.db {
        Db::Sqlite => format!(
            "WITH RECURSIVE seq(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < {count}) \
             SELECT 'main', 'official', randomblob(32), printf('oOLD%024d', n % 999), 'message.text', \
             printf('%0400d', n), '{state}', 9e12, {then}, {then} FROM seq"
        ),
        Db::MariaDb => format!(
            "SELECT 'main', 'official', UNHEX(SHA2(CONCAT(UUID(), RAND()), 256)), \
             CONCAT('oOLD', LPAD(seq % 999, 24, '0')), 'message.text', LPAD(seq, 400, '0'), '{state}', 9e12, {then}, {then} FROM seq_1_to_{count}"
        ),
    };
    stage.execute(&format!("INSERT INTO inbox_event ({columns}) {rows}")).await;
}

async fn purge(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["--json", "events", "purge", "--older-than", "90d"], args].concat()).await
}

/// A purge that may take longer than other verbs.
fn child(stage: &Stage) -> Child {
    Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &stage.config(), "--json", "events", "purge", "--older-than", "90d", "--yes"])
        .current_dir(stage.folder())
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn told(outcome: &Outcome) -> Value {
    let mut values = outcome.json();
    assert_eq!(values.len(), 1, "{outcome:?}");
    values.remove(0)
}

async fn old_settled_events_go_and_others_stay(stage: Stage) {
    old_rows(&stage, 1200, 100, "done").await;
    old_rows(&stage, 7, 100, "dead").await;
    old_rows(&stage, 5, 100, "new").await;
    old_rows(&stage, 3, 95, "done").await;
    stage.execute("UPDATE inbox_event SET account = 'other' WHERE id % 400 = 0").await;
    old_rows(&stage, 30, 89, "done").await;
    old_rows(&stage, 2, 89, "dead").await;

    let plan = told(&purge(&stage, &["--dry-run"]).await.expect_code(0));
    assert_eq!((&plan["dry_run"], &plan["deleted"], &plan["transactions"]), (&json!(true), &json!(1203), &json!(0)));
    assert_eq!(stage.stored().await, 1247, "a dry run deletes nothing");

    let of_one = told(&purge(&stage, &["--account", "main", "--yes"]).await.expect_code(0));
    assert_eq!((&of_one["account"], &of_one["deleted"]), (&json!("main"), &json!(1200)));
    assert_eq!(of_one["kept"], json!({ "new": 5, "dead": 7 }));
    let rest = told(&purge(&stage, &["--yes"]).await.expect_code(0));
    assert_eq!((&rest["deleted"], &rest["kept"]), (&json!(3), &json!({ "new": 5, "dead": 7 })));
    assert_eq!(stage.stored().await, 44);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done'").await, 30, "younger ones");

    let again = stage.verb(&["events", "purge", "--older-than", "90d", "--yes"]).await.expect_code(0);
    assert!(again.stdout.contains("deleted 0 events") && again.stdout.contains("kept 7 dead"), "{again:?}");
    let chinese = ["--lang", "zh", "events", "purge", "--older-than", "90d", "--yes", "--include-dead"];
    let chinese = stage.verb(&chinese).await.expect_code(0);
    assert!(chinese.stdout.contains("7 条事件") && chinese.stdout.contains("保留 5 条未处理的"), "{chinese:?}");
    assert_eq!(stage.stored().await, 37);
    let quiet = stage.verb(&["-q", "events", "purge", "--older-than", "89d", "--yes"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(stage.stored().await, 7, "5 new and 2 dead");
}

async fn a_purge_asks_first(stage: Stage) {
    old_rows(&stage, 4, 100, "done").await;
    let refused = stage.verb(&["events", "purge", "--older-than", "90d"]).await.expect_code(2);
    assert!(refused.stderr.contains("deletes 4 events") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let chinese = stage.verb(&["--lang", "zh", "events", "purge", "--older-than", "90d"]).await.expect_code(2);
    assert!(chinese.stderr.contains("永久删除") && chinese.stderr.contains("--yes"), "{}", chinese.stderr);
    // By its row a repeated push is known.
    let young = stage.verb(&["events", "purge", "--older-than", "23h", "--yes"]).await.expect_code(2);
    assert!(young.stderr.contains("1d"), "{}", young.stderr);
    for wrong in [&["events", "purge", "--yes"][..], &["events", "purge", "--older-than", "old", "--yes"]] {
        assert!(stage.verb(wrong).await.expect_code(2).stderr.contains("older-than"));
    }
    assert_eq!(stage.stored().await, 4);
}

async fn one_run_at_a_time(stage: Stage) {
    old_rows(&stage, 4, 100, "done").await;
    let hold = format!("INSERT INTO lease (name, holder, who, until) VALUES ('{LOCK}', 7, 'other-host:42', 9e12)");
    stage.execute(&hold).await;
    let busy = purge(&stage, &["--yes"]).await.expect_code(75);
    let last: Value = serde_json::from_str(busy.stderr.lines().last().unwrap()).unwrap();
    assert!(last["message"].as_str().unwrap().contains("other-host:42"), "{last}");
    purge(&stage, &["--yes", "--wait", "0s"]).await.expect_code(75);
    let skipped = stage.verb(&["events", "purge", "--older-than", "90d", "--yes", "--skip-if-running"]).await;
    assert!(skipped.expect_code(0).stderr.contains("another run"));
    let quiet = stage.verb(&["-q", "events", "purge", "--older-than", "90d", "--yes", "--skip-if-running"]).await;
    assert_eq!(quiet.expect_code(0).stderr, "");
    assert_eq!(stage.stored().await, 4);

    let free = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.execute("UPDATE lease SET until = 0").await;
    };
    let (waited, ()) = tokio::join!(purge(&stage, &["--yes", "--wait", "20s"]), free);
    assert_eq!(told(&waited.expect_code(0))["deleted"], json!(4));
    assert_eq!(stage.number(&format!("SELECT until FROM lease WHERE name = '{LOCK}'")).await, 0, "given back");
}

async fn an_ended_purge_goes_on_where_it_was(stage: Stage) {
    const ROWS: u32 = 8_000;
    old_rows(&stage, ROWS, 100, "done").await;
    let purging = child(&stage);
    until("the first rows to go", async || (stage.stored().await < ROWS.into()).then_some(())).await;
    let pid = purging.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let ended = purging.wait_with_output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8(ended.stdout).unwrap(), String::from_utf8(ended.stderr).unwrap());
    assert_eq!(ended.status.code(), Some(143), "{stdout}{stderr}");
    assert!(stderr.contains("work done is kept"), "{stderr}");
    let left = stage.stored().await;
    assert!(0 < left && left < ROWS.into(), "{left}");
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(told["deleted"], json!(i64::from(ROWS) - left));
    let timed = purge(&stage, &["--yes", "--timeout", "200ms"]).await.expect_code(69);
    assert!(timed.stderr.contains("run it again"), "{timed:?}");
    let done = timed.json().iter().map(|told| told["deleted"].as_i64().unwrap()).sum::<i64>();
    assert!(done == 0 || stage.stored().await == left - done, "what it tells is what it did");
    let left = stage.stored().await;
    let rest = self::told(&purge(&stage, &["--yes"]).await.expect_code(0));
    assert_eq!((&rest["deleted"], stage.stored().await), (&json!(left), 0), "its lock is free at once");
}

/// Callbacks as fast as they are answered, alone and while old rows go beside them.
async fn callbacks_stay_quick(stage: Stage) {
    const ROWS: u32 = 8_000;
    old_rows(&stage, ROWS, 100, "done").await;
    let serve = stage.serve().await;
    let alone = push(&stage, &serve, End::After(Duration::from_secs(1)), 7200, Arc::default()).await;
    let progress = Arc::new(Progress::default());
    let purge = async {
        let purged = child(&stage).wait_with_output().await.unwrap();
        progress.stop();
        assert!(purged.status.success(), "{purged:?}");
        serde_json::from_slice::<Value>(&purged.stdout).unwrap()
    };
    let (beside, purged) = tokio::join!(push(&stage, &serve, End::Told, 3600, progress.clone()), purge);
    println!("alone:  {alone}\nbeside: {beside}\npurge:  {purged}");
    assert_eq!(purged["deleted"], json!(ROWS));
    assert!(purged["transactions"].as_u64().unwrap() >= u64::from(ROWS / 500), "{purged}");
    assert!(beside.latencies.len() > 200 && beside.statuses.keys().all(|status| *status == 200), "{beside}");
    // A machine that is busy with something else is slow without a purge too.
    let slow = alone.quantile(0.99);
    assert!(beside.quantile(0.99) <= P99.max(slow * 2), "alone: {alone}, beside the purge: {beside}");
    let longest = purged["longest_seconds"].as_f64().unwrap();
    // One that took too long is followed by one of half as many rows.
    assert!(longest <= (2.0 * HELD_S).max(slow.as_secs_f64() * 2.0), "others waited {longest} s; alone: {alone}");
}

async fn push(stage: &Stage, serve: &Serve, end: End, age: i64, progress: Arc<Progress>) -> Report {
    let events = Events::new(&stage.keys.original_id, signer::now() - age, Vec::new());
    let options = Options {
        connections: 16,
        end,
        duplicates: 0.0,
        mode: stage.mode,
        keys: stage.keys.clone(),
        path: "/wechat/event".into(),
        insist: false,
    };
    let (_keep, target) = watch::channel(Some(serve.address()));
    load::run(options, Arc::new(events), target, progress, Arc::new(|_, _| {})).await
}
