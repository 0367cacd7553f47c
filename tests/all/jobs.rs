//! Scheduled jobs: a row of every run, an end within the second, one run at a time, and who hears of it.

mod metrics;
mod pings;

use crate::platform::Platform;
use crate::process::{Outcome, command};
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Child;

stories! {
    every_run_leaves_a_row,
    a_signal_ends_it_within_a_second,
    the_limit_of_the_command_is_kept,
    a_second_signal_ends_it_at_once,
    a_killed_run_is_seen_as_one,
    a_run_held_for_too_long_is_a_failure,
    accounts_have_runs_of_their_own,
    status_tells_of_jobs,
}

/// A second account, in the stand-in platform and in the program's configuration.
const SECOND: &str = "[official.second]\napp_id = \"wx2222222222222222\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n\
     original_id = \"gh_222222222222\"\ntoken = \"second\"\nmode = \"plain\"\n";

/// A purge, which comes to its end at once where there is little to delete.
pub async fn purge(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["events", "purge", "--older-than", "90d", "--yes"], args].concat()).await
}

/// A repair, which asks the platform.
pub async fn repair(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["events", "repair", "--since", "1d", "--yes"], args].concat()).await
}

/// A stage with a second account, on a platform that has followers.
pub async fn with_a_second_account(stage: &mut Stage, args: &[&str]) -> Platform {
    let accounts = std::fs::read_to_string(stage.folder().join("accounts.toml")).unwrap();
    stage.write("accounts.toml", &format!("{accounts}{SECOND}"));
    let platform = Platform::restart(stage, args).await;
    stage.account_settings = format!("{SECOND}api_base = \"http://{}\"\n", stage.sandbox());
    platform
}

/// The rows of a list of runs.
async fn runs(stage: &Stage, args: &[&str]) -> Vec<Value> {
    stage.verb(&[&["--json", "jobs", "list"], args].concat()).await.expect_code(0).json()
}

/// A repair that waits for the platform.
async fn waiting_repair(stage: &Stage, args: &[&str]) -> Child {
    let config = stage.config();
    let args = [&["--config", &config, "events", "repair", "--since", "1d", "--yes"], args].concat();
    let child = command(stage.folder(), &args, &[]).stdin(Stdio::null()).spawn().unwrap();
    let running = "SELECT COUNT(*) FROM job_run WHERE outcome = 'running'";
    until("a run to be under way", async || (stage.number(running).await == 1).then_some(())).await;
    child
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
}

async fn ended(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn every_run_leaves_a_row(mut stage: Stage) {
    crate::purge::old_rows(&stage, 3, 100, "done").await;
    purge(&stage, &[]).await.expect_code(0);
    purge(&stage, &["--account", "main"]).await.expect_code(0);
    let platform = Platform::restart(&mut stage, &["--followers", "2"]).await;
    platform.faults(&["quota=1"]).await;
    let failed = repair(&stage, &[]).await.expect_code(69);
    assert!(failed.stderr.contains("45009"), "{}", failed.stderr);

    let all = runs(&stage, &[]).await;
    let of = |name: &str| all.iter().map(|run| run[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("job"), ["events repair", "events purge", "events purge"], "the latest first");
    assert_eq!(of("account"), ["main", "main", "*"]);
    assert_eq!(of("outcome"), ["unavailable", "ok", "ok"]);
    assert_eq!(of("exit_code"), [69, 0, 0]);
    assert_eq!(all[2]["counts"], json!({ "deleted": 3 }));
    assert!(all.iter().all(|run| run["id"].is_string() && run["id"] == run["origin"] && run["seconds"].is_f64()));
    assert!(all[0]["error"].as_str().unwrap().contains("45009") && all[1]["error"].is_null(), "{all:?}");
    assert!(all[0]["who"].as_str().unwrap().contains(':'), "{all:?}");

    assert_eq!(runs(&stage, &["--failed"]).await.len(), 1);
    assert_eq!(runs(&stage, &["--job", "events purge", "--limit", "1"]).await, [all[1].clone()]);
    assert_eq!(runs(&stage, &["--account", "main"]).await.len(), 2);
    let table = stage.verb(&["--lang", "zh", "jobs", "list"]).await.expect_code(0).stdout;
    assert!(table.contains("任务") && table.contains("events purge") && table.contains("deleted 3"), "{table}");

    let id = all[0]["id"].as_str().unwrap();
    let shown = stage.verb(&["--json", "jobs", "show", id]).await.expect_code(0).json().remove(0);
    assert_eq!((&shown["outcome"], &shown["checkpoint"]), (&json!("unavailable"), &Value::Null));
    let shown = stage.verb(&["jobs", "show", id]).await.expect_code(0).stdout;
    assert!(shown.contains("unavailable 69") && shown.contains("45009"), "{shown}");
    let none = stage.verb(&["jobs", "show", "4711"]).await.expect_code(1);
    assert!(none.stderr.contains("no run 4711") && none.stderr.contains("jobs list"), "{}", none.stderr);
    let dry = stage.verb(&["events", "purge", "--older-than", "90d", "--dry-run"]).await.expect_code(0);
    assert!(dry.stdout.contains("would delete"), "{dry:?}");
    assert_eq!(stage.number("SELECT COUNT(*) FROM job_run").await, 3, "a dry run is none");
}

async fn a_signal_ends_it_within_a_second(mut stage: Stage) {
    let _platform = Platform::restart(&mut stage, &["--followers", "9", "--latency", "8s"]).await;
    for (name, code, outcome) in [("INT", 130, "interrupted"), ("TERM", 143, "interrupted")] {
        let child = waiting_repair(&stage, &[]).await;
        let start = Instant::now();
        signal(&child, name);
        let (ended, stdout, stderr) = ended(child).await;
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
        assert_eq!((ended, stdout.as_str()), (Some(code), ""), "{stderr}");
        assert!(stderr.contains("work done is kept") && stderr.contains("run it again"), "{stderr}");
        let last = runs(&stage, &["--limit", "1"]).await.remove(0);
        assert_eq!((&last["outcome"], &last["exit_code"]), (&json!(outcome), &json!(code)), "{last}");
    }
    assert_eq!(stage.number("SELECT COUNT(*) FROM lease WHERE name LIKE 'job:%' AND until > 0").await, 0, "given back");
}

async fn the_limit_of_the_command_is_kept(mut stage: Stage) {
    let _platform = Platform::restart(&mut stage, &["--followers", "9", "--latency", "8s"]).await;
    let start = Instant::now();
    let timed = repair(&stage, &["--timeout", "1s"]).await.expect_code(69);
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert!(timed.stderr.contains("--timeout is over") && timed.stderr.contains("run it again"), "{}", timed.stderr);
    let last = runs(&stage, &[]).await.remove(0);
    assert_eq!((&last["outcome"], &last["exit_code"]), (&json!("timeout"), &json!(69)), "{last}");
    assert_eq!(stage.number("SELECT COUNT(*) FROM lease WHERE name LIKE 'job:%' AND until > 0").await, 0, "given back");
}

async fn a_second_signal_ends_it_at_once(mut stage: Stage) {
    let _platform = Platform::restart(&mut stage, &["--followers", "9", "--latency", "8s"]).await;
    let child = waiting_repair(&stage, &[]).await;
    signal(&child, "TERM");
    // Long before a job that heeds no request is dropped.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    signal(&child, "INT");
    let (code, _, stderr) = ended(child).await;
    assert_eq!(code, Some(143), "{stderr}");
    assert!(start.elapsed() < Duration::from_millis(350), "{:?}", start.elapsed());
}

async fn a_killed_run_is_seen_as_one(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "2", "--latency", "8s"]).await;
    let mut child = waiting_repair(&stage, &[]).await;
    child.kill().await.unwrap();
    let busy = repair(&stage, &[]).await.expect_code(75);
    assert!(busy.stderr.contains("another run"), "{}", busy.stderr);
    let left = "SELECT until FROM lease WHERE name = 'job:events repair:main'";
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    assert!(stage.number(left).await - now_ms <= 30_000, "free after 30 s");
    assert_eq!(runs(&stage, &[]).await[0]["outcome"], json!("running"), "nobody knows yet");

    // What 30 s would do.
    stage.execute("UPDATE lease SET until = 1").await;
    let dead = runs(&stage, &["--failed"]).await.remove(0);
    assert_eq!((&dead["outcome"], &dead["finished_at"]), (&json!("killed"), &Value::Null), "{dead}");
    let _platform = Platform::restart(&mut stage, &["--followers", "2"]).await;
    drop(platform);
    repair(&stage, &[]).await.expect_code(0);
    let outcomes = stage.rows("SELECT outcome FROM job_run ORDER BY id").await;
    assert_eq!(outcomes, [[Some("killed".to_owned())], [Some("ok".to_owned())]]);
}

async fn a_run_held_for_too_long_is_a_failure(stage: Stage) {
    let columns = "job, account, origin, started_at, finished_at, outcome, exit_code, counts, who";
    let ago = |time: &str| crate::purge::ago(stage.db, time);
    for (begin, end) in [("50 MINUTE", "49 MINUTE"), ("40 MINUTE", "39 MINUTE"), ("30 MINUTE", "29 MINUTE")] {
        let (begin, end) = (ago(begin), ago(end));
        stage
            .execute(&format!(
                "INSERT INTO job_run ({columns}) VALUES ('events purge', '*', 0, {begin}, {end}, 'ok', 0, '{{}}', 'h:1')"
            ))
            .await;
    }
    stage.execute("UPDATE job_run SET origin = id").await;
    let hold = "INSERT INTO lease (name, holder, who, until) VALUES ('job:events purge', 7, 'other-host:42', 9e12)";
    stage.execute(hold).await;
    let running = |since: String| {
        format!(
            "INSERT INTO job_run ({columns}) VALUES ('events purge', '*', 9, {since}, NULL, 'running', NULL, '{{}}', 'h:2')"
        )
    };
    stage.execute(&running(ago("2 MINUTE"))).await;
    purge(&stage, &[]).await.expect_code(75);
    purge(&stage, &["--skip-if-running"]).await.expect_code(0);
    stage.execute("DELETE FROM job_run WHERE outcome = 'running'").await;
    stage.execute(&running(ago("4 MINUTE"))).await;
    for args in [&[][..], &["--skip-if-running"]] {
        let held = purge(&stage, args).await.expect_code(1);
        assert!(
            held.stderr.contains("other-host:42") && held.stderr.contains("usually it takes 1 min"),
            "{}",
            held.stderr
        );
    }
}

async fn accounts_have_runs_of_their_own(mut stage: Stage) {
    let _platform = with_a_second_account(&mut stage, &["--followers", "3"]).await;
    let hold =
        "INSERT INTO lease (name, holder, who, until) VALUES ('job:events repair:main', 7, 'other-host:42', 9e12)";
    stage.execute(hold).await;
    repair(&stage, &["--account", "main"]).await.expect_code(75);
    repair(&stage, &["--account", "second"]).await.expect_code(0);
    let one_of_two = repair(&stage, &["--account", "all"]).await.expect_code(75);
    assert!(one_of_two.stdout.contains("second"), "the other one is worked: {one_of_two:?}");
    repair(&stage, &["--account", "all", "--skip-if-running"]).await.expect_code(0);
    stage.execute("DELETE FROM lease").await;
    repair(&stage, &["--account", "all"]).await.expect_code(0);
    let accounts: Vec<Value> = runs(&stage, &[]).await.iter().map(|run| run["account"].clone()).collect();
    assert_eq!(accounts, ["second", "main", "second", "second", "second"]);
    // A binary of before holds the lock of all accounts.
    let hold = "INSERT INTO lease (name, holder, who, until) VALUES ('job:events repair', 7, 'older:42', 9e12)";
    stage.execute(hold).await;
    assert!(repair(&stage, &["--account", "main"]).await.expect_code(75).stderr.contains("older:42"));
}

async fn status_tells_of_jobs(stage: Stage) {
    let ran = async |job: &str, outcome: &str, days: &[i32]| {
        for day in days {
            let (begin, end) = (
                crate::purge::ago(stage.db, &format!("{} HOUR", day * 24)),
                crate::purge::ago(stage.db, &format!("{} HOUR", day * 24 - 1)),
            );
            let columns = "job, account, origin, started_at, finished_at, outcome, exit_code, counts, who";
            let values = format!("'{job}', 'main', 0, {begin}, {end}, '{outcome}', 0, '{{}}', 'h:1'");
            stage.execute(&format!("INSERT INTO job_run ({columns}) VALUES ({values})")).await;
        }
    };
    let status = async |code: i32| stage.verb(&["--json", "status"]).await.expect_code(code).json().remove(0);
    let alarms =
        |status: &Value| status["alarms"].as_array().unwrap().iter().map(|it| it["alarm"].clone()).collect::<Vec<_>>();
    assert_eq!(status(0).await["jobs"], json!([]));
    // By hand, one after the other: at no rhythm that somebody would miss.
    for _ in 0..6 {
        purge(&stage, &["--account", "main"]).await.expect_code(0);
    }
    ran("followers sync", "ok", &[6, 5, 4, 3, 2, 1]).await;
    let good = status(0).await;
    assert_eq!(good["jobs"][0]["usual_gap_seconds"], Value::Null, "{good}");
    let sync = &good["jobs"][1];
    assert_eq!(
        json!([sync["job"], sync["account"], sync["last_outcome"], sync["alarm"]]),
        json!(["followers sync", "main", "ok", false])
    );
    let near = |value: &Value, seconds: f64| (value.as_f64().unwrap() - seconds).abs() < 60.0;
    assert!(near(&sync["usual_gap_seconds"], 86_400.0) && near(&sync["usual_seconds"], 3_600.0), "{sync}");
    let screen = stage.verb(&["status"]).await.expect_code(0).stdout;
    assert!(screen.contains("followers sync main: ok 1 d ago, usual every 1 d"), "{screen}");

    // A timer tries again what was not reachable; what a person must mend is an alarm at once.
    ran("followers sync", "unavailable", &[0]).await;
    let warned = stage.verb(&["status"]).await.expect_code(0).stdout;
    assert!(warned.lines().any(|line| line.contains("warn") && line.contains("unavailable")), "{warned}");
    ran("followers sync", "refused", &[0]).await;
    let refused = status(1).await;
    assert_eq!(alarms(&refused), ["job"], "{refused}");
    let shown = stage.verb(&["--lang", "zh", "status"]).await.expect_code(1);
    assert!(
        shown.stderr.contains("失败的任务：followers sync（main）") && shown.stderr.contains("jobs show"),
        "{shown:?}"
    );

    stage.execute("DELETE FROM job_run").await;
    ran("followers sync", "ok", &[10, 9, 8, 7, 6, 5]).await;
    ran("followers sync", "unavailable", &[2, 1]).await;
    let late = status(1).await;
    assert_eq!(alarms(&late), ["job_late"], "{late}");
    assert!(
        late["alarms"][0]["what"].as_str().unwrap().contains("followers sync of main (last 5 d ago, usual every 1 d)"),
        "{late}"
    );
    stage.execute("UPDATE job_run SET account = 'gone'").await;
    assert_eq!(status(0).await["jobs"], json!([]), "missed by nobody");
}
