//! The access_token: one refresh for all, what follows a refusal, and a life of it with the clocks moved.

use crate::messages::subscribe;
use crate::platform::{ClockFile, Platform, STABLE_TOKEN, USER_INFO, at_once, verb_in};
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use std::collections::BTreeSet;

stories! {
    eight_processes_make_one_call,
    eight_servers_make_one_call,
    a_newer_generation_is_used_first,
    a_rivals_token_is_fetched_normally,
    the_very_token_again_is_forced_once,
    force_is_counted_for_all,
    a_late_answer_overwrites_nothing,
    a_token_set_by_hand_works_at_once,
    the_life_of_a_token,
    what_the_verbs_say,
    what_the_platform_refuses,
    not_one_call_while_the_platform_forbids_it,
    three_lives_of_a_legacy_token,
    every_platform_has_its_token,
    a_wrong_secret_of_wecom_is_not_tried_again,
    blame_tells_ours_from_others,
    a_refresh_that_died_holds_up_nobody,
    a_token_that_stays_is_asked_for_again,
}

/// A token lives this long, in seconds.
const LIFE: i64 = 7200;

async fn eight_processes_make_one_call(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    platform.advance(LIFE + 60).await;
    clock.advance(LIFE + 60);

    let ended = at_once(&stage, 8, &["--json", "token", "refresh"]).await;
    let generations: BTreeSet<String> =
        ended.into_iter().map(|outcome| text(&outcome.expect_code(0).json()[0]["generation"])).collect();
    assert_eq!(platform.asked().await, (2, 0), "one call for the first token, one for the second");
    assert_eq!(generations, ["2".to_owned()].into());
}

/// On MariaDB eight of them share the database; on SQLite there is one.
async fn eight_servers_make_one_call(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    let mut servers = Vec::new();
    for _ in 0..if stage.db == Db::MariaDb { 8 } else { 1 } {
        servers.push(stage.serve().await);
    }
    platform.advance(LIFE + 60).await;
    clock.advance(LIFE + 60);

    for number in 0..24 {
        let openid = known(&platform, number).await;
        assert_eq!(servers[number % servers.len()].push(&subscribe(&openid)).await.status, 200);
    }
    filled(&stage, 24).await;
    assert_eq!(platform.asked().await, (2, 0));
    assert!(platform.codes(USER_INFO).await.iter().all(|code| *code == 0), "no call with a dead token");
    assert_eq!(generation(&stage).await, 2);
}

async fn a_newer_generation_is_used_first(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    filled(&stage, 1).await;
    // Another process of ours brings a new one; serve still has the old one in hand.
    stage.verb(&["token", "refresh", "--force"]).await.expect_code(0);
    serve.push(&subscribe(&known(&platform, 1).await)).await;
    filled(&stage, 2).await;
    assert_eq!(platform.asked().await, (1, 1), "the database had the newer one");
    let codes = platform.codes(USER_INFO).await;
    assert!(codes == [0, 40001, 0] || codes == [0, 0], "{codes:?}");
    assert_eq!(generation(&stage).await, 2);
}

async fn a_rivals_token_is_fetched_normally(stage: Stage) {
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    let rivals = platform.rival().await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    filled(&stage, 1).await;
    assert_eq!(platform.codes(USER_INFO).await, [40001, 0]);
    assert_eq!(platform.asked().await, (2, 1), "the force was the rival's");
    assert_eq!((generation(&stage).await, token(&stage).await), (2, rivals));
}

/// The platform refuses a token and gives it out again: one force, one retry, then the account rests for a minute.
async fn the_very_token_again_is_forced_once(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    let serve = stage.serve().await;
    platform.faults(&["token-invalid@/cgi-bin/user/info=1"]).await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    paused(&stage, "40001").await;
    assert_eq!(platform.asked().await, (2, 1), "the first, the same again, one forced");
    assert_eq!(platform.codes(USER_INFO).await, [40001, 40001], "one retry");

    // Further events wait with it; nothing is asked within the minute.
    for number in 1..4 {
        assert_eq!(serve.push(&subscribe(&known(&platform, number).await)).await.status, 200);
    }
    stage.settled().await;
    assert_eq!(platform.codes(USER_INFO).await.len(), 2);

    // A minute later one of them probes, and again one token is forced.
    advance(&platform, &mut clock, 61).await;
    until("the probe", async || (platform.codes(USER_INFO).await.len() == 4).then_some(())).await;
    assert_eq!(platform.asked().await, (3, 2));
    assert_eq!(stage.number("SELECT COALESCE(SUM(info_attempts), 0) FROM user_mapping").await, 0, "nobody's fault");
    platform.faults(&[]).await;
    until("the pause to be written", async || {
        (stage.number("SELECT COUNT(*) FROM channel WHERE probe_lease = 0").await == 1).then_some(())
    })
    .await;
    advance(&platform, &mut clock, 61).await;
    filled(&stage, 4).await;
    assert_eq!(platform.asked().await, (3, 2), "what works is not replaced");
    assert_eq!(stage.number("SELECT COUNT(*) FROM channel").await, 0);
}

/// Once a minute and 10 a Beijing day, whoever asks.
async fn force_is_counted_for_all(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    // Ten minutes into a day of Beijing.
    let since = (crate::signer::now() + 8 * 3600) % 86_400;
    advance(&platform, &mut clock, 86_400 - since + 600).await;
    let force = ["token", "refresh", "--force"];
    stage.verb(&force).await.expect_code(0);
    let second = stage.verb(&force).await.expect_code(77);
    assert!(second.stderr.contains("once a minute, 10 a day"), "{}", second.stderr);
    for _ in 1..10 {
        advance(&platform, &mut clock, 61).await;
        stage.verb(&force).await.expect_code(0);
    }
    advance(&platform, &mut clock, 61).await;
    stage.verb(&force).await.expect_code(77);
    assert_eq!(platform.asked().await, (0, 10));
    advance(&platform, &mut clock, 86_400).await;
    stage.verb(&force).await.expect_code(0);
    assert_eq!((platform.asked().await, generation(&stage).await), ((0, 11), 11));
}

async fn a_late_answer_overwrites_nothing(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--latency", "1500ms"]).await;
    let config = stage.config();
    let (folder, env) = (stage.folder().to_owned(), stage.env.clone());
    let slow = tokio::spawn(async move {
        process::run(&folder, &["--config", &config, "--json", "token", "refresh"], &env, "").await
    });
    until("the lease of the refresh", async || {
        (stage.number("SELECT COUNT(*) FROM lease WHERE until > 0 AND name = 'token:main'").await == 1).then_some(())
    })
    .await;
    let arguments = ["--config", &stage.folder().join("wxops.toml").display().to_string(), "token", "set"];
    process::run(stage.folder(), &arguments, &stage.env, "by-hand\n").await.expect_code(0);
    let slow = slow.await.unwrap().expect_code(0);
    assert_eq!(platform.asked().await, (1, 0), "the answer came");
    assert_eq!(slow.json()[0]["generation"], "1", "it says what stands");
    assert_eq!((generation(&stage).await, token(&stage).await.as_str()), (1, "by-hand"));
}

/// Seed 004: the secret is lost or wrong, a person brings a token, and the running server works with it at once.
async fn a_token_set_by_hand_works_at_once(mut stage: Stage) {
    let platform = Platform::of(&stage);
    stage.keys.secret = "ffffffffffffffffffffffffffffffff".into();
    let serve = stage.serve().await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    paused(&stage, "40125").await;

    let by_hand = platform.other_token().await;
    let set = stage.verb_with(&["--json", "token", "set"], &format!("  {by_hand}\n")).await.expect_code(0);
    assert_eq!(set.json()[0]["generation"], "1");
    assert!(!set.stdout.contains(&by_hand) && !set.stderr.contains(&by_hand), "{set:?}");
    filled(&stage, 1).await;
    assert!(!serve.log().contains(&by_hand));

    // A bad one is replaced by the next, without a restart.
    stage.verb_with(&["token", "set"], "bad-one").await.expect_code(0);
    let by_hand = platform.other_token().await;
    stage.verb_with(&["token", "set"], &by_hand).await.expect_code(0);
    serve.push(&subscribe(&known(&platform, 1).await)).await;
    filled(&stage, 2).await;
    assert_eq!(generation(&stage).await, 3);
}

/// Three lives in steps of 13 minutes: it is renewed in its last five minutes and never used dead.
async fn the_life_of_a_token(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    let serve = stage.serve().await;
    let step = 13 * 60;
    let steps = 3 * LIFE / step;
    for number in 0..steps {
        serve.push(&subscribe(&known(&platform, number as usize).await)).await;
        filled(&stage, number + 1).await;
        advance(&platform, &mut clock, step).await;
    }
    let codes = platform.codes(USER_INFO).await;
    assert_eq!(codes.len() as i64, steps);
    assert!(codes.iter().all(|code| *code == 0), "no call with a dead token: {codes:?}");
    let (normal, forced) = platform.asked().await;
    assert!((3..=4).contains(&normal) && forced == 0, "asked {normal} times");
    assert_eq!(generation(&stage).await, normal as i64, "each call brought a new one");
}

async fn what_the_verbs_say(stage: Stage) {
    let platform = Platform::of(&stage);
    let shown = stage.verb(&["--json", "token", "show"]).await.expect_code(0).json();
    assert_eq!((&shown[0]["token"], &shown[0]["generation"]), (&Value::Null, &"0".into()));
    let plan = stage.verb(&["--json", "token", "refresh", "-n", "--force"]).await.expect_code(0).json();
    assert_eq!((&plan[0]["dry_run"], &plan[0]["changed"]), (&true.into(), &false.into()));
    assert!(platform.calls(STABLE_TOKEN).await.is_empty(), "a dry run asks nothing");

    let first = stage.verb(&["--json", "token", "refresh"]).await.expect_code(0).json();
    assert_eq!((&first[0]["changed"], &first[0]["generation"]), (&true.into(), &"1".into()));
    let second = stage.verb(&["--json", "token", "refresh"]).await.expect_code(0).json();
    assert_eq!((&second[0]["changed"], &second[0]["generation"]), (&false.into(), &"1".into()));
    assert_eq!(platform.asked().await, (1, 0), "it lives longer than five minutes");

    let whole = token(&stage).await;
    assert!(whole.len() > 100);
    for args in [&["token", "show"][..], &["--json", "token", "show"], &["-vv", "token", "refresh", "--force"]] {
        let outcome = stage.verb(args).await.expect_code(0);
        let masked = !outcome.stdout.contains(&whole) && !outcome.stderr.contains(&whole);
        assert!(masked, "{args:?} {outcome:?}");
    }
    let shown = stage.verb(&["--json", "token", "show"]).await.json();
    assert!(shown[0]["token"].as_str().unwrap().len() < 20 && shown[0]["seconds_left"].as_i64().unwrap() > 7100);

    let cleared = stage.verb(&["--json", "token", "clear"]).await.expect_code(0).json();
    assert_eq!(cleared[0]["cleared"], true);
    assert_eq!(stage.verb(&["--json", "token", "clear"]).await.expect_code(0).json()[0]["cleared"], false);
    assert_eq!(generation(&stage).await, 3);

    for (stdin, why) in
        [("", "empty"), (" \n\n", "blank"), ("two words", "a blank"), ("a\u{1b}[2Jb", "control"), ("标记", "letters")]
    {
        let outcome = stage.verb_with(&["token", "set"], stdin).await.expect_code(2);
        assert!(outcome.stderr.contains("access_token") && !outcome.stderr.contains("panick"), "{why}: {outcome:?}");
    }
    let binary = run_with_bytes(&stage, &["token", "set"], &[0xff, 0xfe, 0x00, 0x80]).await;
    assert_eq!(binary.code, Some(2), "{binary:?}");
    let long = "a".repeat(5000);
    stage.verb_with(&["token", "set"], &long).await.expect_code(2);
    assert_eq!(generation(&stage).await, 3, "nothing of it was stored");

    for verb in ["show", "refresh", "clear"] {
        let unknown = stage.verb(&["--account", "nobody", "token", verb]).await.expect_code(2);
        assert!(unknown.stderr.contains("nobody") && unknown.stderr.contains("main"), "{}", unknown.stderr);
    }
    let no_secret =
        |text: &str| text.lines().filter(|line| !line.starts_with("secret")).map(|l| format!("{l}\n")).collect();
    let missing = verb_in(&stage, no_secret, &["token", "refresh"], "").await.expect_code(78);
    assert!(missing.stderr.contains("secret"), "{}", missing.stderr);
}

async fn what_the_platform_refuses(stage: Stage) {
    let platform = Platform::of(&stage);
    let refresh = ["token", "refresh"];
    let wrong = |text: &str| text.replace(&stage.keys.secret, &"f".repeat(32));
    let outcome = verb_in(&stage, wrong, &refresh, "").await.expect_code(77);
    assert!(outcome.stderr.contains("errcode 40125") && outcome.stderr.contains("secret"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("fffffffff"), "{}", outcome.stderr);

    // What forbids every call is waited for; here each is a story of its own.
    let refresh = ["token", "refresh", "--now"];
    for (fault, code, words) in [
        ("40001", 77, &["errcode 40001", "WECHAT_APP_SECRET"][..]),
        ("ip-not-listed", 77, &["errcode 40164", "127.0.0.1", "IP"]),
        ("secret-frozen", 77, &["errcode 40243", "frozen"]),
        ("admin-confirm", 77, &["errcode 89503"]),
        ("quota", 69, &["errcode 45009", "+08:00"]),
        ("busy", 69, &["errcode -1"]),
        ("http-500", 69, &["500"]),
        ("html", 69, &["stable_token"]),
        ("cut", 69, &["stable_token"]),
        ("reset", 69, &["stable_token"]),
    ] {
        platform.faults(&[&format!("{fault}@{STABLE_TOKEN}=1")]).await;
        let outcome = stage.verb(&refresh).await.expect_code(code);
        assert!(words.iter().all(|word| outcome.stderr.contains(word)), "{fault}: {}", outcome.stderr);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.contains(&stage.keys.secret), "{fault}: {outcome:?}");
        let json = stage.verb(&["--json", "token", "refresh", "--now"]).await.expect_code(code);
        let last: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
        assert!(last.is_object(), "{fault}: {last}");
    }
    platform.faults(&[]).await;
    let address = stage.sandbox().to_string();
    let away = |text: &str| text.replace(&address, "127.0.0.1:1");
    let outcome = verb_in(&stage, away, &refresh, "").await.expect_code(69);
    assert!(outcome.stderr.contains("127.0.0.1"), "{}", outcome.stderr);
    stage.verb(&refresh).await.expect_code(0);
}

/// An administrator must confirm this address: nobody asks for 600 s, then for an hour, over restarts; a person may.
async fn not_one_call_while_the_platform_forbids_it(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    let fault = format!("admin-confirm@{STABLE_TOKEN}=1");
    platform.faults(&[&fault]).await;
    let calls = async || platform.calls(STABLE_TOKEN).await.len();
    let refresh = ["token", "refresh"];
    stage.verb(&refresh).await.expect_code(77);
    assert_eq!(calls().await, 1);
    let held = stage.verb(&refresh).await.expect_code(77);
    assert!(held.stderr.contains("89503") && held.stderr.contains("+08:00"), "{}", held.stderr);
    assert!(held.stderr.contains("--now"), "{}", held.stderr);
    let mut serve = stage.serve().await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    paused(&stage, "89503").await;
    serve.stop().await;
    advance(&platform, &mut clock, 590).await;
    stage.verb(&refresh).await.expect_code(77);
    let shown = stage.verb(&["--json", "token", "show"]).await.expect_code(0).json();
    assert_eq!(shown[0]["held_errcode"], 89503);
    assert_eq!(calls().await, 1, "not one call for 600 s, whoever wanted a token");

    advance(&platform, &mut clock, 20).await;
    let refused = stage.verb(&refresh).await.expect_code(77);
    assert!(refused.stderr.contains("89507"), "{}", refused.stderr);
    advance(&platform, &mut clock, 3_500).await;
    stage.verb(&refresh).await.expect_code(77);
    assert_eq!(calls().await, 2, "an hour after a refusal");
    let wrong = |text: &str| text.replace(&stage.keys.secret, &"f".repeat(32));
    verb_in(&stage, wrong, &refresh, "").await.expect_code(77);
    assert_eq!(calls().await, 3, "another secret is another matter");

    platform.faults(&[]).await;
    stage.verb(&["token", "refresh", "--now"]).await.expect_code(0);
    assert_eq!(calls().await, 4);
    let shown = stage.verb(&["--json", "token", "show"]).await.expect_code(0).json();
    assert_eq!(shown[0]["held_until"], Value::Null);
}

/// /cgi-bin/token is renewed at five sixths of its life, and the one before works on for five minutes.
async fn three_lives_of_a_legacy_token(mut stage: Stage) {
    stage.account_settings = "token_api = \"token\"".into();
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    for _ in 0..11 {
        stage.verb(&["-q", "token", "refresh"]).await.expect_code(0);
        stage.verb(&["token", "show", "--check"]).await.expect_code(0);
        advance(&platform, &mut clock, 2_000).await;
    }
    assert_eq!(platform.calls(LEGACY_TOKEN).await.len(), 4, "at 0, 6000, 12000 and 18000 s");
    assert_eq!((platform.asked().await, generation(&stage).await), ((0, 0), 4));
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    let (old, until) = ("SELECT LENGTH(previous) FROM access_token", "SELECT previous_until FROM access_token");
    assert!(stage.number(old).await > 100 && stage.number(until).await > 0, "the one before is known");
    // Nothing forces a token of this API: it makes a new one at every call anyway.
    stage.verb(&["token", "refresh", "--force"]).await.expect_code(0);
    assert_eq!(platform.asked().await, (0, 0));
}

async fn every_platform_has_its_token(mut stage: Stage) {
    let platform = three_platforms(&mut stage).await;
    let mut clock = ClockFile::of(&mut stage);
    let all = ["--json", "--account", "all", "token", "refresh"];
    let done = stage.verb(&all).await.expect_code(0).json();
    let names: Vec<String> = done.iter().map(|one| text(&one["account"])).collect();
    assert_eq!(names, ["main", "staff", "game"]);
    assert!(done.iter().all(|one| one["generation"] == "1"), "{done:?}");
    stage.verb(&all).await.expect_code(0);
    assert_eq!(platform.codes(GETTOKEN).await, [0], "it lives");
    for name in names.iter().map(String::as_str) {
        let shown = stage.verb(&["--json", "--account", name, "token", "show", "--check"]).await.expect_code(0).json();
        assert_eq!((&shown[0]["accepted"], &shown[0]["age_seconds"].is_i64()), (&true.into(), &true), "{shown:?}");
    }
    // In its last five minutes WeCom gives another; before, nobody asks.
    advance(&platform, &mut clock, LIFE - 400).await;
    stage.verb(&all).await.expect_code(0);
    assert_eq!(platform.codes(GETTOKEN).await.len(), 1);
    advance(&platform, &mut clock, 200).await;
    let done = stage.verb(&all).await.expect_code(0).json();
    assert!(done.iter().all(|one| one["generation"] == "2"), "{done:?}");
    assert_eq!(platform.codes(GETTOKEN).await, [0, 0]);

    let elsewhere = stage.verb(&["--account", "staff", "followers", "list"]).await;
    assert!(elsewhere.code == Some(0) && elsewhere.stdout.is_empty(), "{elsewhere:?}");
    let wrong = stage.verb(&["--account", "staff", "events", "repair", "--since", "2h", "--yes"]).await.expect_code(2);
    assert!(wrong.stderr.contains("staff") && wrong.stderr.contains("wecom"), "{}", wrong.stderr);
}

/// WeCom blocks an address for an hour after repeated wrong secrets.
async fn a_wrong_secret_of_wecom_is_not_tried_again(mut stage: Stage) {
    let platform = three_platforms(&mut stage).await;
    let mut clock = ClockFile::of(&mut stage);
    let right = stage.account_settings.clone();
    stage.account_settings = right.replace(CORP_SECRET, &"x".repeat(43));
    let refresh = ["--account", "staff", "token", "refresh"];
    for _ in 0..3 {
        let refused = stage.verb(&refresh).await.expect_code(77);
        assert!(refused.stderr.contains("40001") && !refused.stderr.contains("xxxxxxxxx"), "{}", refused.stderr);
    }
    assert_eq!(platform.codes(GETTOKEN).await, [40001], "one call, no retry");
    advance(&platform, &mut clock, 3_500).await;
    stage.verb(&refresh).await.expect_code(77);
    assert_eq!(platform.codes(GETTOKEN).await.len(), 1, "not within the hour");
    advance(&platform, &mut clock, 200).await;
    stage.verb(&refresh).await.expect_code(77);
    assert_eq!(platform.codes(GETTOKEN).await.len(), 2);
    // Who mends the file need not wait.
    stage.account_settings = right;
    stage.verb(&refresh).await.expect_code(0);
    assert_eq!(platform.codes(GETTOKEN).await, [40001, 40001, 0]);
}

async fn blame_tells_ours_from_others(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    stage.verb(&["--json", "token", "blame"]).await.expect_code(0);
    let mut serve = stage.serve().await;
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    platform.rival().await;
    serve.push(&subscribe(&known(&platform, 0).await)).await;
    filled(&stage, 1).await;
    // Refused, and given out again.
    advance(&platform, &mut clock, 61).await;
    platform.faults(&["token-invalid@/cgi-bin/user/info=1"]).await;
    serve.push(&subscribe(&known(&platform, 1).await)).await;
    paused(&stage, "40001").await;
    serve.stop().await;
    let blamed = stage.verb(&["--json", "token", "blame"]).await.expect_code(0).json();
    let verdicts: Vec<_> = blamed.iter().map(|one| (text(&one["generation"]), text(&one["verdict"]))).collect();
    let expected = [("3", "open"), ("2", "platform"), ("1", "third_party")];
    assert_eq!(verdicts, expected.map(|(generation, verdict)| (generation.to_owned(), verdict.to_owned())));
    assert_eq!((&blamed[2]["errcode"], &blamed[2]["refused_by"]), (&40001.into(), &"user/info".into()));
    assert!(blamed[2]["replaced_by"]["who"].as_str().unwrap().contains(':'), "{blamed:?}");
    let table = stage.verb(&["token", "blame"]).await.expect_code(0);
    assert!(table.stdout.contains("a third party"), "{}", table.stdout);
    assert!(!table.stdout.contains(&token(&stage).await), "no token stands in it");
}

/// Killed with both locks in hand: they end by themselves, and the next refresh makes one call.
async fn a_refresh_that_died_holds_up_nobody(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--latency", "1500ms"]).await;
    let config = stage.config();
    let mut dying = tokio::process::Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &config, "token", "refresh"])
        .current_dir(stage.folder())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("the call of the one that dies", async || {
        (stage.number("SELECT COUNT(*) FROM access_token WHERE asked_at > 0").await == 1).then_some(())
    })
    .await;
    dying.kill().await.unwrap();
    assert_eq!(stage.number("SELECT COUNT(*) FROM lease WHERE until > 0").await, 2, "the job's and the token's");
    let soon = match stage.db {
        Db::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER) + 500",
        Db::MariaDb => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) + 500",
    };
    stage.execute(&format!("UPDATE lease SET until = {soon} WHERE until > 0")).await;
    let ended = at_once(&stage, 3, &["--json", "token", "refresh"]).await;
    for outcome in ended {
        assert_eq!(outcome.expect_code(0).json()[0]["generation"], "1");
    }
    let (normal, forced) = platform.asked().await;
    assert!(
        (1..=2).contains(&normal) && forced == 0,
        "the one that died may have asked; of the three one did: {normal}"
    );
}

/// In its last minutes the platform may give the same token again: it is asked for each 20 s and no oftener, and under a
/// minute before the end that is a failure.
async fn a_token_that_stays_is_asked_for_again(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    // Our clock alone: for the platform it is young.
    clock.advance(LIFE - 200);
    stage.execute("UPDATE access_token SET asked_at = 0").await;
    for _ in 0..3 {
        stage.verb(&["token", "refresh"]).await.expect_code(0);
    }
    assert_eq!(platform.asked().await.0, 2, "the first, and one of three within 20 s");
    let sql = "UPDATE access_token SET asked_at = 0, expires_at = expires_at - 7200000 + 150000";
    stage.execute(sql).await;
    platform.faults(&[&format!("busy@{STABLE_TOKEN}=1")]).await;
    stage.verb(&["token", "refresh"]).await.expect_code(69);
    stage.verb(&["status"]).await.expect_code(0);
    clock.advance(100);
    stage.execute("UPDATE access_token SET asked_at = 0").await;
    stage.verb(&["token", "refresh"]).await.expect_code(69);
    let status = stage.verb(&["status"]).await.expect_code(1);
    assert!(status.stderr.contains("could not be renewed") && status.stdout.contains("ALARM"), "{status:?}");
}

/// The secret of the WeCom application.
const CORP_SECRET: &str = "corpSecret0123456789corpSecret0123456789abc";
/// WeCom's and the old API for tokens.
const GETTOKEN: &str = "/cgi-bin/gettoken";
const LEGACY_TOKEN: &str = "/cgi-bin/token";

/// A WeCom application and a mini-game beside the account.
async fn three_platforms(stage: &mut Stage) -> Platform {
    let accounts = format!(
        "[wecom.staff]\ncorp_id = \"ww0123456789abcdef\"\nagent_id = 1000002\nsecret = \"{CORP_SECRET}\"\n\
         [minigame.game]\napp_id = \"wx00000000000000aa\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n"
    );
    let file = stage.folder().join("accounts.toml");
    let known = std::fs::read_to_string(&file).unwrap();
    stage.write("accounts.toml", &format!("{known}{accounts}"));
    let platform = Platform::restart(stage, &[]).await;
    let base = format!("api_base = \"http://{}\"\n", stage.sandbox());
    stage.account_settings = accounts.replace("[minigame", &format!("{base}[minigame")) + &base;
    platform
}

/// The openid of a follower of the sandbox who is known there since a push.
async fn known(platform: &Platform, number: usize) -> String {
    let openid = format!("oKNOWN{number:022}");
    platform.happens("subscribe", &openid).await;
    openid
}

/// Waits until user/info was answered for so many people.
async fn filled(stage: &Stage, count: i64) {
    let sql = "SELECT COUNT(*) FROM user_mapping WHERE unionid IS NOT NULL AND info_due_at IS NULL";
    until(&format!("{count} to be filled"), async || (stage.number(sql).await == count).then_some(())).await;
}

/// Waits until the account is paused for this reason.
async fn paused(stage: &Stage, reason: &str) {
    let sql = format!("SELECT COUNT(*) FROM channel WHERE reason LIKE '%{reason}%' AND api = '*'");
    until("the account to be paused", async || (stage.number(&sql).await == 1).then_some(())).await;
}

async fn advance(platform: &Platform, clock: &mut ClockFile, seconds: i64) {
    platform.advance(seconds).await;
    clock.advance(seconds);
}

async fn generation(stage: &Stage) -> i64 {
    stage.number("SELECT generation FROM access_token WHERE account = 'main'").await
}

async fn token(stage: &Stage) -> String {
    text(&stage.verb(&["--json", "token", "show", "--reveal"]).await.expect_code(0).json()[0]["token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// stdin that is no text.
async fn run_with_bytes(stage: &Stage, args: &[&str], stdin: &[u8]) -> Outcome {
    let file = stage.folder().join("stdin");
    std::fs::write(&file, stdin).unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_wxops"))
        .args(["--config", &stage.config()])
        .args(args)
        .current_dir(stage.folder())
        .stdin(std::fs::File::open(file).unwrap())
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
