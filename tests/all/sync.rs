//! `followers sync`: the whole list against the table, whatever happens on the way.

mod ill;

use crate::faults::fault_stories;
use crate::messages::{event_at, subscribe};
use crate::platform::{ClockFile, Platform};
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::signer;
use crate::stage::{Stage, until};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;

fault_stories! {
    the_whole_list_comes_in_with_exactly_the_calls_it_needs,
    killed_anywhere_the_next_run_goes_on,
    an_event_in_the_middle_is_left_alone,
    who_left_unnoticed_is_marked_and_erased_a_day_later,
    more_than_a_tenth_is_marked_only_on_request,
    the_list_of_another_account_changes_nothing,
    one_bad_openid_costs_nobody_else,
    odd_lists_are_read_or_refused,
    a_spent_quota_is_gone_on_with_the_next_day,
    a_platform_that_falters_is_asked_again,
    two_at_once_are_one,
    a_look_changes_nothing,
}

const USER_GET: &str = "/cgi-bin/user/get";
const BATCHGET: &str = "/cgi-bin/user/info/batchget";
/// What a sync knows of people.
const PEOPLE: &str = "SELECT openid, unionid, nickname, avatar_url, sex, city, province, country, language, subscribe_scene, \
     remark, is_followed, follow_time, info_due_at, erased_at, gone_at FROM user_mapping ORDER BY openid";
const FOLLOWING: &str = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1";

async fn sync(stage: &Stage, args: &[&str]) -> Outcome {
    stage.verb(&[&["--json", "followers", "sync"], args].concat()).await
}

fn told(outcome: &Outcome) -> Value {
    let mut values = outcome.json();
    assert_eq!(values.len(), 1, "{outcome:?}");
    values.remove(0)
}

/// These counts of a report.
fn counts(told: &Value, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| told[name].as_u64().unwrap_or_else(|| panic!("no {name}: {told}"))).collect()
}

async fn calls(platform: &Platform) -> (usize, usize) {
    (platform.calls(USER_GET).await.len(), platform.calls(BATCHGET).await.len())
}

/// A time before any run, as the database writes it.
fn long_ago(stage: &Stage) -> &'static str {
    match stage.db {
        Db::Sqlite => "2020-01-01T00:00:00.000Z",
        Db::MariaDb => "2020-01-01",
    }
}

/// A sync that is still running.
fn begun(stage: &Stage) -> tokio::process::Child {
    let config = stage.config();
    let args = ["--config", &config, "followers", "sync", "--concurrency", "4"];
    process::command(stage.folder(), &args, &stage.env).stdin(Stdio::null()).spawn().expect("the binary starts")
}

async fn the_whole_list_comes_in_with_exactly_the_calls_it_needs(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--followers", "1234"]).await;
    let first = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&first, &["seen", "new", "updated", "unchanged", "gone", "failed"]), [1234, 1234, 0, 0, 0, 0]);
    assert_eq!((first["total"].as_u64(), first["resumed"].as_bool()), (Some(1234), Some(false)), "{first}");
    assert_eq!(calls(&platform).await, (2, 13), "a page and the one behind it, and 12 batches of 100 and one of 34");
    assert_eq!(first["calls"], 15);
    let row =
        stage.rows("SELECT openid, nickname, subscribe_scene FROM user_mapping ORDER BY id LIMIT 1").await.remove(0);
    let person = platform.person(row[0].as_deref().unwrap()).await;
    assert_eq!(
        (row[1].as_deref(), row[2].as_deref()),
        (person["nickname"].as_str(), person["subscribe_scene"].as_str())
    );
    assert!(row[1].is_some());

    // A second run finds nothing to change, and changes nothing that a reader sees.
    let before = stage.rows(&PEOPLE.replace("SELECT ", "SELECT updated_at, ")).await;
    let again = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&again, &["seen", "new", "updated", "unchanged"]), [1234, 0, 0, 1234]);
    assert_eq!(stage.rows(&PEOPLE.replace("SELECT ", "SELECT updated_at, ")).await, before);
    assert_eq!(calls(&platform).await, (4, 26));

    // What was lost of a few comes back, and of nobody else.
    let old = long_ago(&stage);
    stage.execute(&format!("UPDATE user_mapping SET nickname = NULL, updated_at = '{old}' WHERE sex = 2")).await;
    let women = stage.number("SELECT COUNT(*) FROM user_mapping WHERE sex = 2").await.unsigned_abs();
    let mended = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&mended, &["seen", "updated", "unchanged"]), [1234, women, 1234 - women]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE nickname IS NULL").await, 0);
    let asked = calls(&platform).await;
    let none = told(&sync(&stage, &["--only-missing"]).await.expect_code(0));
    assert_eq!(counts(&none, &["seen", "unchanged", "calls"]), [1234, 1234, 2]);
    assert_eq!(calls(&platform).await, (asked.0 + 2, asked.1), "everybody is known well enough");
    let quiet = stage.verb(&["-q", "followers", "sync"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let shown = stage.verb(&["followers", "sync"]).await.expect_code(0).stdout;
    assert!(shown.contains("1234 people seen, 0 new"), "{shown}");
    assert_eq!(stage.number("SELECT COUNT(*) FROM job_run WHERE outcome = 'ok' AND checkpoint IS NULL").await, 6);
}

async fn killed_anywhere_the_next_run_goes_on(mut stage: Stage) {
    let followers = ["--profile", "2021", "--followers", "20350"];
    let platform = Platform::restart(&mut stage, &followers).await;
    let whole = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&whole, &["seen", "new", "calls"]), [20_350, 20_350, 208]);
    let undisturbed = stage.rows(PEOPLE).await;
    stage.execute("DELETE FROM user_mapping").await;
    let before = calls(&platform).await;

    let mut last = 0;
    let running = "SELECT COUNT(*) FROM job_run WHERE outcome = 'running'";
    for part in [0, 1_500, 10_010] {
        let mut child = begun(&stage);
        until("the run", async || (stage.number(running).await == 1).then_some(())).await;
        until("some people", async || (stage.number(FOLLOWING).await >= last.max(part)).then_some(())).await;
        child.kill().await.expect("our own child");
        last = stage.number(FOLLOWING).await;
        stage.execute("UPDATE lease SET until = 0").await;
    }
    let end = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(end["resumed"], true, "{end}");
    assert_eq!(
        counts(&end, &["seen", "new", "failed", "gone"]),
        [20_350, 20_350, 0, 0],
        "counts are those of the whole"
    );
    assert_eq!(stage.rows(PEOPLE).await, undisturbed);
    let after = calls(&platform).await;
    assert!(after.0 - before.0 <= 4 + 2 * 3, "a page a kill, and one in flight: {before:?} {after:?}");
    assert!(after.1 - before.1 <= 204 + 3 * (100 + 16), "a page and what was in flight: {before:?} {after:?}");
    assert_eq!(stage.number("SELECT COUNT(*) FROM job_run WHERE outcome = 'killed'").await, 3);

    // One that is ended by a signal tells how far it came, and gives the lock back.
    stage.execute("DELETE FROM user_mapping").await;
    let child = begun(&stage);
    until("some people", async || (stage.number(FOLLOWING).await > 0).then_some(())).await;
    let pid = child.id().expect("running").to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let output = child.wait_with_output().await.expect("its output");
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let end = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!((counts(&end, &["seen", "new"]), &end["resumed"]), (vec![20_350, 20_350], &json!(true)));
    assert_eq!(stage.rows(PEOPLE).await, undisturbed);
}

async fn an_event_in_the_middle_is_left_alone(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--followers", "500"]).await;
    sync(&stage, &[]).await.expect_code(0);
    let pick = |at| format!("SELECT openid FROM user_mapping ORDER BY id LIMIT 1 OFFSET {at}");
    let openid = async |at: u32| stage.rows(&pick(at)).await[0][0].clone().expect("a person");
    let (left, forgotten, stayed) = (openid(3).await, openid(250).await, openid(499).await);
    let old = long_ago(&stage);
    stage.execute(&format!("UPDATE user_mapping SET nickname = 'before', updated_at = '{old}'")).await;
    platform.faults(&[&format!("slow@{BATCHGET}=100%")]).await;

    let serve = stage.serve().await;
    let child = begun(&stage);
    until("the list", async || (!platform.calls(USER_GET).await.is_empty()).then_some(())).await;
    let running = "SELECT COUNT(*) FROM job_run WHERE outcome = 'running' AND checkpoint IS NOT NULL";
    until("the run", async || (stage.number(running).await == 1).then_some(())).await;
    // The platform's answers still say that both follow.
    let unsubscribe = event_at("unsubscribe", &left, signer::now(), "<EventKey></EventKey>\n");
    assert_eq!(serve.push(&unsubscribe).await.status, 200);
    stage.settled().await;
    stage.verb(&["followers", "forget", &forgotten, "--yes"]).await.expect_code(0);
    platform.faults(&[]).await;
    let output = child.wait_with_output().await.expect("its output");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));

    let row = async |openid: &str| {
        let sql = format!(
            "SELECT CAST(is_followed AS CHAR), nickname, CAST(erased_at IS NOT NULL AS CHAR) FROM user_mapping \
             WHERE openid = '{openid}'"
        );
        stage.rows(&sql).await.remove(0)
    };
    for gone in [&left, &forgotten] {
        assert_eq!(row(gone).await, [Some("0".into()), None, Some("1".into())], "nobody is brought back");
    }
    assert_ne!(row(&stayed).await[1].as_deref(), Some("before"), "the others are synced");
    // Nor does the next run, though the platform's list still has them: they have not followed again.
    let next = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&next, &["seen", "kept", "returned", "gone"]), [500, 2, 0, 0]);
    assert_eq!(row(&forgotten).await[1], None);
    drop(serve);
}

async fn who_left_unnoticed_is_marked_and_erased_a_day_later(mut stage: Stage) {
    let mut clock = ClockFile::of(&mut stage);
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--followers", "200"]).await;
    sync(&stage, &[]).await.expect_code(0);
    let openids = stage.rows("SELECT openid FROM user_mapping ORDER BY id LIMIT 3").await;
    let openids: Vec<String> = openids.into_iter().map(|row| row[0].clone().expect("an openid")).collect();
    for openid in &openids {
        platform.happens("unsubscribe", openid).await;
    }
    let found = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&found, &["seen", "gone", "unchanged"]), [197, 3, 197]);
    let marked =
        "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 0 AND gone_at IS NOT NULL AND nickname IS NOT NULL";
    assert_eq!(stage.number(marked).await, 3, "their data is kept");
    let again = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&again, &["seen", "gone"]), [197, 0]);

    // One of them follows again, as a sync finds out.
    platform.happens("subscribe", &openids[0]).await;
    let back = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&back, &["seen", "returned", "gone"]), [198, 1, 0]);

    let purge = async |args: &[&str]| stage.verb(&[&["--json", "followers", "purge", "--gone"], args].concat()).await;
    let refused = purge(&[]).await.expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    let none = told(&purge(&["--yes"]).await.expect_code(0));
    assert_eq!(none["people"], 0, "not before a day has gone by: {none}");
    clock.advance(86_400 + 60);
    // Another is heard of again.
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(&openids[1])).await.status, 200);
    stage.settled().await;
    drop(serve);
    let plan = told(&purge(&["--dry-run"]).await.expect_code(0));
    assert_eq!((&plan["people"], stage.number(marked).await), (&json!(1), 1), "{plan}");
    let done = told(&purge(&["--yes"]).await.expect_code(0));
    assert_eq!(done["people"], 1, "{done}");
    let erased = format!(
        "SELECT COUNT(*) FROM user_mapping WHERE openid = '{}' AND nickname IS NULL AND erased_at IS NOT NULL",
        openids[2]
    );
    assert_eq!(stage.number(&erased).await, 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE erased_at IS NOT NULL").await, 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM erasure WHERE cause = 'gone' AND state = 'sealed'").await, 1);
    let missing = stage.verb(&["followers", "purge", "--yes"]).await.expect_code(2);
    assert!(missing.stderr.contains("--gone") && missing.stderr.contains("--older-than"), "{}", missing.stderr);
}

async fn more_than_a_tenth_is_marked_only_on_request(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "40"]).await;
    sync(&stage, &[]).await.expect_code(0);
    for row in stage.rows("SELECT openid FROM user_mapping ORDER BY id LIMIT 5").await {
        platform.happens("unsubscribe", row[0].as_deref().expect("an openid")).await;
    }
    let refused = sync(&stage, &[]).await.expect_code(1);
    assert!(refused.stderr.contains("5 of 40") && refused.stderr.contains("--accept-loss"), "{}", refused.stderr);
    assert_eq!(stage.number(FOLLOWING).await, 40);
    // The next run looks anew, and a wider limit lets it pass.
    let asked = calls(&platform).await;
    sync(&stage, &["--max-loss", "12%"]).await.expect_code(1);
    assert_eq!(calls(&platform).await, (asked.0 + 2, asked.1 + 2));
    let accepted = told(&sync(&stage, &["--accept-loss"]).await.expect_code(0));
    assert_eq!((counts(&accepted, &["gone"]), &accepted["resumed"]), (vec![5], &json!(true)));
    assert_eq!(calls(&platform).await, (asked.0 + 2, asked.1 + 2), "what was found stands");
    assert_eq!(stage.number(FOLLOWING).await, 35);
    let wrong = stage.verb(&["followers", "sync", "--max-loss", "101"]).await.expect_code(2);
    assert!(wrong.stderr.contains("a part of 100"), "{}", wrong.stderr);
}

async fn the_list_of_another_account_changes_nothing(mut stage: Stage) {
    Platform::restart(&mut stage, &["--followers", "120"]).await;
    sync(&stage, &[]).await.expect_code(0);
    let platform = Platform::restart(&mut stage, &["--followers", "120", "--seed", "7"]).await;
    stage.execute("DELETE FROM access_token").await;
    let rows = stage.rows("SELECT openid, updated_at, seen_run FROM user_mapping ORDER BY id").await;
    let wrong = sync(&stage, &[]).await.expect_code(78);
    assert!(wrong.stderr.contains("another account") && wrong.stderr.contains("app_id"), "{}", wrong.stderr);
    assert_eq!(stage.rows("SELECT openid, updated_at, seen_run FROM user_mapping ORDER BY id").await, rows);
    assert_eq!(calls(&platform).await, (2, 0));
    // Of a hundred and fewer that can't be said: they may all have left.
    stage.execute("DELETE FROM user_mapping WHERE id > 20").await;
    let other = sync(&stage, &[]).await.expect_code(3);
    assert!(other.stderr.contains("20 people"), "WeChat does not know the old openids: {}", other.stderr);
    assert_eq!(stage.number(FOLLOWING).await, 140);
}

async fn one_bad_openid_costs_nobody_else(mut stage: Stage) {
    let platform =
        Platform::restart(&mut stage, &["--followers", "450", "--foreign", "3", "--list-quirk", "shuffled"]).await;
    let done = sync(&stage, &[]).await.expect_code(3);
    let report = told(&done);
    assert_eq!(counts(&report, &["seen", "new", "failed"]), [450, 450, 3]);
    assert!(done.stderr.contains("3 people of the list") && done.stderr.contains("another account"), "{}", done.stderr);
    assert_eq!(stage.number(FOLLOWING).await, 450);
    let codes = platform.codes(BATCHGET).await;
    assert!(codes.iter().filter(|code| **code == 40003).count() <= 3 * 8, "halved: {codes:?}");
    assert_eq!(stage.number("SELECT COUNT(*) FROM job_run WHERE outcome = 'partial'").await, 1);
    for row in stage.rows("SELECT openid FROM user_mapping").await {
        assert!(!done.stderr.contains(row[0].as_deref().expect("an openid")));
    }
}

async fn odd_lists_are_read_or_refused(mut stage: Stage) {
    for (quirk, followers, code, seen) in [
        ("doubled", "10100", 0, 10_100),
        ("null-data", "30", 0, 30),
        ("total-off", "30", 0, 30),
        ("stuck", "20100", 1, 0),
    ] {
        Platform::restart(&mut stage, &["--followers", followers, "--list-quirk", quirk]).await;
        for table in ["user_mapping", "access_token", "job_run"] {
            stage.execute(&format!("DELETE FROM {table}")).await;
        }
        let done = sync(&stage, &[]).await.expect_code(code);
        match quirk {
            "stuck" => assert!(done.stderr.contains("goes in a circle"), "{}", done.stderr),
            _ => assert_eq!((quirk, counts(&told(&done), &["seen", "new"])), (quirk, vec![seen, seen])),
        }
        assert_eq!((quirk, done.stderr.contains("its list holds")), (quirk, quirk == "total-off"), "{}", done.stderr);
    }
}

async fn a_spent_quota_is_gone_on_with_the_next_day(mut stage: Stage) {
    let limit = format!("{BATCHGET}=6/day");
    let platform = Platform::restart(&mut stage, &["--followers", "950", "--limit", &limit]).await;
    let refused = sync(&stage, &[]).await.expect_code(69);
    assert!(refused.stderr.contains("needs 10 calls, 6 are left"), "{}", refused.stderr);
    assert_eq!(platform.calls(BATCHGET).await.len(), 0, "it does not begin");
    let spent = sync(&stage, &["--spread"]).await.expect_code(69);
    assert!(spent.stderr.contains("45009") && spent.stderr.contains("00:00 +08:00"), "{}", spent.stderr);
    let refusals = "SELECT COUNT(*) FROM quota_ledger WHERE kind = 'refusal' AND errcode = 45009";
    assert_eq!(stage.number(refusals).await, 1, "it stands in the ledger");
    let kept = stage.number(FOLLOWING).await;
    assert!(kept == 600 || kept == 550, "six calls were answered, and what they told is kept: {kept}");
    platform.advance(86_400).await;
    stage.execute("DELETE FROM access_token").await;
    let done = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&done, &["seen", "new"]), [950, 950]);
    let answered = platform.codes(BATCHGET).await.iter().filter(|code| **code == 0).count();
    assert_eq!((answered, &done["resumed"]), (10, &json!(true)), "nobody is asked about twice");
}

async fn a_platform_that_falters_is_asked_again(mut stage: Stage) {
    let faults = ["busy=10%", "reset=3%", "html=3%", "cut=3%", "http-500=3%", "45011=5%", "token-invalid=2%"];
    let args = faults.iter().flat_map(|fault| ["--fault", fault]);
    let args: Vec<&str> = ["--followers", "3000"].into_iter().chain(args).collect();
    let platform = Platform::restart(&mut stage, &args).await;
    let mut tries = 0;
    // Three broken answers to one call are rare, and end a run.
    let done = loop {
        let done = sync(&stage, &["--concurrency", "8"]).await;
        tries += 1;
        if done.code == Some(0) || tries == 3 {
            break done.expect_code(0);
        }
        assert_eq!(done.code, Some(69), "{done:?}");
    };
    assert_eq!(counts(&told(&done), &["seen", "new"]), [3000, 3000]);

    platform.faults(&["html=100%"]).await;
    stage.execute("DELETE FROM user_mapping").await;
    let down = sync(&stage, &[]).await.expect_code(69);
    assert!(down.stderr.contains("HTML"), "{}", down.stderr);
    platform.faults(&["-1@/cgi-bin/user/get=0%", "cut@/cgi-bin/user/info/batchget=100%"]).await;
    let half = sync(&stage, &[]).await.expect_code(69);
    assert!(half.stderr.contains("batchget"), "{}", half.stderr);
    platform.faults(&[]).await;
    let done = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!((counts(&done, &["seen", "new"]), &done["resumed"]), (vec![3000, 3000], &json!(true)));
}

async fn two_at_once_are_one(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--followers", "900", "--latency", "300ms"]).await;
    let mut child = begun(&stage);
    until("the list", async || (!platform.calls(USER_GET).await.is_empty()).then_some(())).await;
    let busy = sync(&stage, &[]).await.expect_code(75);
    assert!(busy.stderr.contains("followers sync"), "{}", busy.stderr);
    sync(&stage, &["--skip-if-running"]).await.expect_code(0);
    let ended = tokio::time::timeout(Duration::from_secs(8), child.wait()).await.expect("its end").expect("our child");
    assert_eq!(ended.code(), Some(0));
    assert_eq!(calls(&platform).await, (2, 9));
}

async fn a_look_changes_nothing(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--followers", "320"]).await;
    let plan = told(&sync(&stage, &["--dry-run"]).await.expect_code(0));
    assert_eq!(counts(&plan, &["seen", "new", "calls"]), [320, 320, 6]);
    let nothing = "SELECT (SELECT COUNT(*) FROM user_mapping) + (SELECT COUNT(*) FROM job_run)";
    assert_eq!((stage.number(nothing).await, &plan["dry_run"]), (0, &json!(true)));
    let empty = sync(&stage, &["--verify"]).await.expect_code(1);
    assert!(empty.stderr.contains("counts 320 followers, the table 0"), "{}", empty.stderr);

    sync(&stage, &[]).await.expect_code(0);
    let same = told(&sync(&stage, &["--verify"]).await.expect_code(0));
    assert_eq!(counts(&same, &["total", "following", "missing", "differing", "gone"]), [320, 320, 0, 0, 0]);
    assert!(same["sampled"].as_u64() > Some(250), "{same}");
    // What drifts is found, whichever way; and what a sync would do about it is told.
    let openids = stage.rows("SELECT openid FROM user_mapping ORDER BY id LIMIT 7").await;
    for row in &openids {
        platform.happens("unsubscribe", row[0].as_deref().expect("an openid")).await;
    }
    stage.execute(&format!("UPDATE user_mapping SET nickname = 'X', updated_at = '{}'", long_ago(&stage))).await;
    let drift = sync(&stage, &["--verify"]).await.expect_code(1);
    assert!(drift.stderr.contains("counts 313 followers, the table 320"), "{}", drift.stderr);
    assert!(told(&drift)["differing"].as_u64() > Some(250), "{}", drift.stdout);
    let before = stage.rows("SELECT * FROM user_mapping ORDER BY id").await;
    let plan = told(&sync(&stage, &["--dry-run"]).await.expect_code(0));
    assert_eq!(counts(&plan, &["seen", "new", "updated", "gone"]), [313, 0, 313, 7]);
    assert_eq!(stage.rows("SELECT * FROM user_mapping ORDER BY id").await, before);
    let done = told(&sync(&stage, &[]).await.expect_code(0));
    assert_eq!(counts(&done, &["seen", "new", "updated", "gone"]), [313, 0, 313, 7]);
}
