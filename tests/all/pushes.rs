//! What the sandbox pushes, taken by the real server: every kind in every mode, retries and damage.

use crate::platform::Platform;
use crate::signer::Mode;
use crate::stage::{Stage, until};
use crate::stories::stories;
use serde_json::{Value, json};
use std::collections::BTreeSet;

stories! {
    every_push_in_plain_mode,
    every_push_in_compat_mode,
    every_push_in_secure_mode,
    duplicates_of_a_mix_are_one_row,
    what_is_damaged_is_refused,
    three_tries_and_what_came_of_them,
}

async fn every_push_in_plain_mode(stage: Stage) {
    every_push(stage, Mode::Plain).await;
}

async fn every_push_in_compat_mode(stage: Stage) {
    every_push(stage, Mode::Compat).await;
}

async fn every_push_in_secure_mode(stage: Stage) {
    every_push(stage, Mode::Secure).await;
}

async fn every_push(mut stage: Stage, mode: Mode) {
    stage.mode = mode;
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    let to = format!("http://{}/wechat/event", serve.address());
    let list = stage.verb(&["--json", "sandbox", "push", "list"]).await.expect_code(0).json();
    let names = list[0]["events"].as_array().unwrap().iter().filter(|name| **name != "mix");
    let mut count = 0;
    for name in names {
        let report = platform.push(&json!({ "event": name, "mode": mode.word(), "to": to })).await;
        assert_eq!((&report["acknowledged"], &report["tries"]), (&1.into(), &1.into()), "{name}: {report}");
        count += 1;
    }
    stage.settled().await;
    assert_eq!(stage.stored().await, count);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'done'").await, count, "none is dead");
    let kinds = stage.rows("SELECT DISTINCT kind FROM inbox_event").await;
    let kinds: BTreeSet<String> = kinds.into_iter().filter_map(|row| row[0].clone()).collect();
    assert!(kinds.len() >= 36 && kinds.contains("unknown"), "{kinds:?}");
    let unknown = stage.verb(&["--json", "events", "list", "--kind", "unknown"]).await.expect_code(0).json();
    assert_eq!(unknown.len(), 2, "an event and a message that no document names");
    let shown = stage.verb(&["events", "show", unknown[0]["id"].as_str().unwrap()]).await.expect_code(0);
    assert!(shown.stdout.contains("hologram") || shown.stdout.contains("wx_verify_pay_succ"), "{}", shown.stdout);
    assert_eq!(serve.metric("wxops_callback_received_total", &[]).await, count as f64);
    let log = serve.log();
    assert!(!log.contains("<xml>") && !log.contains(&stage.keys.token), "{log}");
}

async fn duplicates_of_a_mix_are_one_row(mut stage: Stage) {
    // Who leaves keeps the rows, so that they can be counted by what they say.
    stage.settings = "unsubscribe_policy = \"keep\"\n".into();
    let platform = Platform::of(&stage);
    let serve = stage.serve().await;
    let to = format!("http://{}/wechat/event", serve.address());
    let order = json!({ "event": "mix", "count": 300, "duplicates": 0.2, "concurrency": 16, "to": to });
    let report = platform.push(&order).await;
    let number = |name: &str| report[name].as_i64().unwrap();
    assert_eq!((number("sent"), number("acknowledged")), (300 + number("duplicates"), number("sent")), "{report}");
    assert!(number("duplicates") > 30, "{report}");
    stage.settled().await;
    assert_eq!(stage.stored().await, 300);
    let duplicates = serve.metric("wxops_callback_duplicates_total", &[]).await;
    assert_eq!(duplicates as i64, number("duplicates"));
    // Of somebody whose account was cancelled nothing is kept but the rows, and of who left no position.
    let kept = stage.number("SELECT COUNT(raw) FROM inbox_event").await;
    assert_eq!(stage.number("SELECT COUNT(DISTINCT raw) FROM inbox_event").await, kept);
    assert!(kept > 250, "{kept}");
    until("enrichment", async || {
        (stage.number("SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL").await == 0).then_some(())
    })
    .await;
    // Who the platform says follows, follows here, of those who subscribed.
    let people = "SELECT openid, is_followed FROM user_mapping WHERE follow_time IS NOT NULL LIMIT 20";
    for row in stage.rows(people).await {
        let told = platform.person(row[0].as_deref().unwrap()).await;
        assert_eq!(row[1].as_deref(), Some(told["subscribe"].to_string().as_str()), "{row:?}");
    }
}

async fn what_is_damaged_is_refused(stage: Stage) {
    let serve = stage.serve().await;
    let to = format!("http://{}/wechat/event", serve.address());
    for (damage, reason) in [
        ("signature", "signature"),
        ("msg_signature", "msg_signature"),
        ("appid", "appid"),
        ("key", "decrypt"),
        ("truncate", "xml"),
    ] {
        let before = serve.refused(reason).await;
        let args = ["--json", "sandbox", "push", "text", "--break", damage, "--to", &to];
        let report = stage.verb(&args).await.expect_code(0).json();
        assert_eq!((&report[0]["refused"], &report[0]["tries"]), (&1.into(), &3.into()), "{damage}: {report:?}");
        assert_eq!(serve.refused(reason).await, before + 3.0, "{damage}");
    }
    assert_eq!(stage.stored().await, 0);
    stage.verb(&["sandbox", "push", "text", "--to", &to]).await.expect_code(0);
    assert_eq!(stage.stored().await, 1, "the next good push is stored");
}

async fn three_tries_and_what_came_of_them(stage: Stage) {
    let serve = stage.serve().await;
    let to = format!("http://{}/wechat/event", serve.address());
    let away = ["--json", "sandbox", "push", "text", "--count", "2", "--to", "http://127.0.0.1:1/wechat/event"];
    let report = stage.verb(&away).await.expect_code(1);
    assert_eq!((&report.json()[0]["unanswered"], &report.json()[0]["tries"]), (&2.into(), &6.into()));
    let foreign = stage.verb(&["sandbox", "push", "text", "--to", "http://192.0.2.1/x"]).await.expect_code(2);
    assert!(foreign.stderr.contains("--yes"), "{}", foreign.stderr);
    let plan = stage.verb(&["--json", "sandbox", "push", "text", "-n", "--to", &to]).await.expect_code(0).json();
    assert_eq!(plan[0]["to"], Value::from(to.as_str()));

    let set = ["--set", "Content=你好 ]]> <b>", "--openid", "oSET000000000000000000000001", "--to", &to];
    stage.verb(&[&["sandbox", "push", "text"][..], &set].concat()).await.expect_code(0);
    let events = stage.verb(&["--json", "events", "list"]).await.expect_code(0).json();
    assert_eq!((events.len(), &events[0]["openid"]), (1, &"oSET000000000000000000000001".into()));
    let shown =
        stage.verb(&["--json", "events", "show", events[0]["id"].as_str().unwrap()]).await.expect_code(0).json();
    assert!(shown[0]["raw"].as_str().unwrap().contains("你好"), "{shown:?}");

    let rate = ["--json", "sandbox", "push", "click", "--count", "5", "--rate", "10", "--to", &to];
    let report = stage.verb(&rate).await.expect_code(0).json();
    assert!(report[0]["seconds"].as_f64().unwrap() >= 0.4, "{report:?}");
}
