//! `status` and the alarms: what the screen, its exit code and the group robot say, and how often.

use crate::messages::{OPENID, text};
use crate::platform::{ClockFile, Platform, at_once};
use crate::process::{self, Outcome};
use crate::rows::Db;
use crate::signer::now;
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

stories! {
    a_silence_is_on_the_screen,
    a_silence_is_told_once_and_when_it_is_over,
    one_of_many_tells,
    an_answer_that_is_lost_is_told_once_more,
    what_the_robot_refuses,
    whatever_else_is_out_of_the_ordinary,
    no_history_is_no_alarm,
}

const SEND: &str = "/cgi-bin/webhook/send";
const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// For ten days somebody wrote every five minutes at this time of day; today the last one came so many minutes ago.
async fn usually_five_minutes(stage: &Stage, last: i64) {
    let days = (1..=10).rev().map(|day| -day * DAY);
    let usual = days.flat_map(|day| (-12..=12).map(move |step| day + step * 5 * MINUTE));
    received(stage, usual.chain([-last * MINUTE])).await;
}

/// Callbacks that came so many seconds from now.
async fn received(stage: &Stage, seconds: impl Iterator<Item = i64>) {
    let row = |ahead: i64| {
        let time = chrono::DateTime::from_timestamp(now() + ahead, 0).expect("a time");
        let time = match stage.db {
            Db::Sqlite => time.format("%Y-%m-%dT%H:%M:%S.000Z"),
            Db::MariaDb => time.format("%Y-%m-%d %H:%M:%S.000"),
        };
        let key = ahead as u64;
        format!("('main', 'official', x'{key:064x}', '{OPENID}', 'message.text', 'done', 0, '{time}', '{time}')")
    };
    let rows: Vec<String> = seconds.map(row).collect();
    let columns = "account, platform, dedupe_key, openid, kind, state, due_at, event_time, received_at";
    stage.execute(&format!("INSERT INTO inbox_event ({columns}) VALUES {}", rows.join(", "))).await;
}

/// The stand-in's robot gets the alarms.
fn with_robot(stage: &mut Stage) -> Platform {
    let webhook = wxops::sandbox::webhook(&format!("http://{}", stage.sandbox()), 1);
    stage.settings = format!("alert_webhook = \"{webhook}\"\n");
    Platform::of(stage)
}

/// What the group has read so far.
async fn told(platform: &Platform) -> Vec<String> {
    let content = |call: &Value| call["body"]["text"]["content"].as_str().unwrap_or_default().to_owned();
    platform.calls(SEND).await.iter().filter(|call| call["errcode"] == 0).map(content).collect()
}

/// Every line fits the screen, and that of the database without being cut.
fn fits(outcome: &Outcome) {
    let long: Vec<_> = outcome.stdout.lines().filter(|line| line.width() > 80).collect();
    assert!(long.is_empty() && !outcome.stdout.lines().any(|line| line.contains("sqlite") && line.ends_with('…')));
}

async fn a_silence_is_on_the_screen(stage: Stage) {
    usually_five_minutes(&stage, 22).await;
    let english = stage.verb(&["status"]).await.expect_code(1);
    let line = "callbacks  ALARM  last callback 22 min ago, usual 5 min\n";
    assert!(english.stdout.contains(line), "{}", english.stdout);
    assert!(
        english.stderr.contains("ALARM main (wx") && english.stderr.contains("callback check"),
        "{}",
        english.stderr
    );
    fits(&english);
    let chinese = stage.verb(&["status", "--lang", "zh"]).await.expect_code(1);
    assert!(chinese.stdout.contains("回调       告警   最后一次回调在 22 分钟前，平时 5 分钟\n"), "{}", chinese.stdout);
    assert!(chinese.stderr.contains("告警 main（wx"), "{}", chinese.stderr);
    fits(&chinese);

    let json = stage.verb(&["status", "--json"]).await.expect_code(1);
    let shown = &json.json()[0];
    let callbacks = &shown["callbacks"][0];
    assert_eq!((&shown["ok"], &shown["alarms"][0]["alarm"]), (&Value::Bool(false), &"silence".into()), "{shown}");
    assert_eq!(
        (callbacks["usual_seconds"].as_i64(), callbacks["alarm_after_seconds"].as_i64()),
        (Some(300), Some(900))
    );
    assert!((1320..1360).contains(&callbacks["silence_seconds"].as_i64().unwrap()), "{callbacks}");
    let last: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(last["code"], 1, "{last}");

    let serve = stage.serve().await;
    serve.push(&text(OPENID, "here again", 1)).await;
    let well = stage.verb(&["status"]).await.expect_code(0);
    assert!(well.stdout.contains("callbacks  ok     last callback 0 s ago, usual 5 min\n"), "{}", well.stdout);
    assert_eq!(well.stderr, "");
}

async fn a_silence_is_told_once_and_when_it_is_over(mut stage: Stage) {
    let platform = with_robot(&mut stage);
    let mut clock = ClockFile::of(&mut stage);
    usually_five_minutes(&stage, 22).await;
    let mut serve = stage.serve().await;
    // A second one looks on; SQLite has none.
    let _second = if stage.db == Db::MariaDb { Some(stage.serve().await) } else { None };
    clock.advance(MINUTE);
    until("the group to be told", async || (told(&platform).await.len() == 1).then_some(())).await;
    let first = told(&platform).await.remove(0);
    assert!(first.starts_with("(sandbox)\nALARM main (wx") && first.contains("last callback 23 min ago"), "{first}");
    assert!(first.contains("usual 5 min\n> wxops callback check "), "{first}");
    until("the log to say it", async || serve.log().contains("last callback 23 min ago").then_some(())).await;

    // Whoever looks afterwards has nothing to tell; neither has a new process, after a stop or a death.
    for outcome in at_once(&stage, 3, &["status", "--notify"]).await {
        assert!(outcome.expect_code(1).stdout.contains("nothing to tell the group robot"));
    }
    serve.kill().await;
    stage.execute("UPDATE lease SET until = until - 40000 WHERE name = 'alarm'").await;
    let serve = stage.serve().await;
    clock.advance(13 * 60 * MINUTE);
    stage.verb(&["status", "--notify"]).await.expect_code(1);
    assert_eq!(told(&platform).await.len(), 1);

    // The clock of a story does not move the time at which a callback comes in.
    received(&stage, [MINUTE + 13 * 60 * MINUTE].into_iter()).await;
    clock.advance(MINUTE);
    until("the group to be told", async || (told(&platform).await.len() == 2).then_some(())).await;
    let last = told(&platform).await.remove(1);
    assert!(last.starts_with("(sandbox)\nOVER main: callbacks come in again (alarm since 2"), "{last}");
    stage.verb(&["status", "--notify"]).await.expect_code(0);
    assert_eq!(told(&platform).await.len(), 2);
    let key = stage.settings.split_once("key=").unwrap().1[..36].to_owned();
    assert!(!serve.log().contains(&key), "the key is a secret");
}

async fn one_of_many_tells(mut stage: Stage) {
    let platform = with_robot(&mut stage);
    usually_five_minutes(&stage, 22).await;
    let plan = stage.verb(&["status", "--notify", "--dry-run", "--lang", "zh"]).await.expect_code(1);
    assert!(plan.stdout.contains("将告知群机器人：\n  告警 main（wx"), "{}", plan.stdout);
    assert_eq!(told(&platform).await.len(), 0);
    for outcome in at_once(&stage, 6, &["status", "-q", "--notify", "--lang", "zh"]).await {
        assert_eq!(outcome.expect_code(1).stdout, "");
    }
    let told = told(&platform).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("（沙箱）\n告警 main（wx") && told[0].contains("平时 5 分钟"), "{told:?}");
}

async fn an_answer_that_is_lost_is_told_once_more(mut stage: Stage) {
    let platform = with_robot(&mut stage);
    let mut clock = ClockFile::of(&mut stage);
    usually_five_minutes(&stage, 22).await;
    platform.faults(&["lost-answer@/cgi-bin/webhook/send=1"]).await;
    for calls in [1, 1, 2, 2, 2] {
        stage.verb(&["status", "--notify"]).await.expect_code(1);
        assert_eq!(told(&platform).await.len(), calls);
        if calls == 1 {
            clock.advance(MINUTE / 2);
        } else {
            clock.advance(60 * MINUTE);
        }
    }
}

async fn what_the_robot_refuses(mut stage: Stage) {
    let platform = with_robot(&mut stage);
    let mut clock = ClockFile::of(&mut stage);
    usually_five_minutes(&stage, 22).await;
    platform.faults(&["quota@/cgi-bin/webhook/send=1"]).await;
    let spent = stage.verb(&["status", "--notify", "-v"]).await.expect_code(1);
    assert!(spent.stderr.contains("45009") && spent.stderr.contains("ALARM main"), "{}", spent.stderr);
    clock.advance(MINUTE);
    platform.faults(&["93000@/cgi-bin/webhook/send=1"]).await;
    let gone = stage.verb(&["status", "--notify", "-v"]).await.expect_code(77);
    assert!(gone.stderr.contains("errcode 93000: invalid webhook url"), "{}", gone.stderr);
    assert!(gone.stderr.contains("WXOPS_ALERT_WEBHOOK"), "{}", gone.stderr);
    platform.faults(&[]).await;
    stage.verb(&["status", "--notify"]).await.expect_code(1);
    assert_eq!(told(&platform).await.len(), 0, "a person must mend it first: once an hour is enough");
    clock.advance(61 * MINUTE);
    stage.verb(&["status", "--notify"]).await.expect_code(1);
    assert_eq!(told(&platform).await.len(), 1);

    // Nobody there: the key is in nothing that is said of it.
    stage.execute("UPDATE alarm SET told_at = NULL, due_at = 0").await;
    stage.settings = "alert_webhook = \"http://127.0.0.1:1/cgi-bin/webhook/send?key=CANARY-693a91f6\"\n".into();
    for args in [&["status", "--notify", "-vv", "--json"][..], &["status", "--notify", "-vv"], &["status", "-vv"]] {
        let outcome = stage.verb(args).await.expect_code(1);
        assert!(!format!("{outcome:?}").contains("CANARY"), "{outcome:?}");
    }
}

async fn whatever_else_is_out_of_the_ordinary(mut stage: Stage) {
    let platform = with_robot(&mut stage);
    let mut clock = ClockFile::of(&mut stage);
    usually_five_minutes(&stage, 1).await;
    let mut serve = stage.serve().await;
    until("the watch to begin", async || {
        let shown = stage.verb(&["status", "--json"]).await.expect_code(0).json().remove(0);
        (shown["serve"]["state"] == "running").then_some(())
    })
    .await;
    serve.kill().await;
    stage.execute("UPDATE lease SET until = until - 180000 WHERE name = 'alarm'").await;
    stage.execute("UPDATE inbox_event SET state = 'dead', raw = 'x' WHERE id <= 3").await;
    stage.execute("UPDATE inbox_event SET state = 'new', raw = 'x' WHERE id = 4").await;
    let until = (now() + 120) * 1000;
    let pause = "INSERT INTO channel (account, api, reason, paused_until) VALUES";
    stage.execute(&format!("{pause} ('main', '*', 'errcode 40164: invalid ip', {until})")).await;
    for (lang, mark, words) in [
        ("en", "ALARM", ["dead 3", "every API, next try in 1 min: errcode", "ended without a word"]),
        ("zh", "告警", ["处理失败 3", "分钟后重试", "意外终止"]),
    ] {
        let shown = stage.verb(&["status", "--lang", lang]).await.expect_code(1);
        assert!(shown.stdout.lines().filter(|line| line.contains(mark)).count() == 2, "{}", shown.stdout);
        assert!(words.iter().all(|words| shown.stdout.contains(words)), "{}", shown.stdout);
        fits(&shown);
    }
    // An account that rests is an alarm after ten minutes; what else there is, is one at once, in one message.
    stage.verb(&["status", "--notify"]).await.expect_code(1);
    clock.advance(11 * MINUTE);
    stage.execute(&format!("UPDATE channel SET paused_until = {}", until + 660_000)).await;
    stage.verb(&["status", "--notify"]).await.expect_code(1);
    let calls = platform.calls(SEND).await;
    assert_eq!(calls.len(), 2, "{calls:?}");
    let paused = told(&platform).await.remove(1);
    assert!(paused.contains("ALARM main (wx") && paused.contains("for 11 min: errcode 40164"), "{paused}");

    stage.execute("DELETE FROM channel").await;
    stage.execute("UPDATE inbox_event SET state = 'done' WHERE id <= 4").await;
    let _serve = stage.serve().await;
    crate::stage::until("the watch to go on", async || (stage.verb(&["status"]).await.code == Some(0)).then_some(()))
        .await;
    stage.verb(&["status", "--notify"]).await.expect_code(0);
    let over = told(&platform).await.pop().unwrap();
    for words in ["OVER main: calls of", "OVER wxops: no dead", "OVER wxops: callbacks are handled", "serve runs again"]
    {
        assert!(over.contains(words), "{over}");
    }
}

async fn no_history_is_no_alarm(mut stage: Stage) {
    let bare = stage.verb(&["status"]).await.expect_code(0);
    assert!(bare.stdout.contains("none yet") && bare.stdout.contains("token "), "{}", bare.stdout);
    fits(&bare);
    let wrong = stage.verb(&["status", "--notify"]).await.expect_code(78);
    assert!(wrong.stderr.contains("WXOPS_ALERT_WEBHOOK is not set"), "{}", wrong.stderr);
    stage.verb(&["status", "--dry-run"]).await.expect_code(2);
    stage.verb(&["status", "--account", "nobody"]).await.expect_code(2);
    stage.settings = "alert_webhook = \"https://evil.example/send?key=CANARY\"\n".into();
    let wrong = stage.verb(&["status"]).await.expect_code(78);
    assert!(wrong.stderr.contains("alert_webhook") && !wrong.stderr.contains("CANARY"), "{}", wrong.stderr);

    stage.settings.clear();
    stage.write(
        "gone.toml",
        &std::fs::read_to_string(stage.config())
            .unwrap()
            .replace("_url = \"", "_url = \"mysql://u:p@127.0.0.1:1/x\"\n#"),
    );
    let gone = process::run(stage.folder(), &["--config", "gone.toml", "status"], &[], "").await.expect_code(69);
    assert_eq!(gone.stdout, "");
}
