//! `events stats`: what came in, in figures.

use crate::messages::{event, event_at, subscribe, text};
use crate::purge::{ago, old_rows};
use crate::signer::{self, Keys};
use crate::stage::{Serve, Stage};
use crate::stories::stories;
use serde_json::{Value, json};

stories! {
    counts_by_kind_hour_outcome_and_account,
    answers_are_those_of_the_running_serve,
    only_what_came_since_is_counted,
    menu_buttons_are_counted_by_key,
}

async fn stats(stage: &Stage, args: &[&str]) -> Value {
    let args = [&["--json", "events", "stats"], args].concat();
    let mut values = stage.verb(&args).await.expect_code(0).json();
    assert_eq!(values.len(), 1, "{values:?}");
    values.remove(0)
}

/// Three subscribe and two text, all settled; one of the texts is dead.
async fn five_events(stage: &Stage) -> Serve {
    let serve = stage.serve().await;
    for number in 0..3 {
        assert_eq!(serve.push(&subscribe(&format!("oSTAT{number:023}"))).await.status, 200);
    }
    for number in 0..2 {
        assert_eq!(serve.push(&text("oSTAT00000000000000000000001", "x", number)).await.status, 200);
    }
    stage.settled().await;
    let last = stage.number("SELECT MAX(id) FROM inbox_event").await;
    stage.execute(&format!("UPDATE inbox_event SET state = 'dead' WHERE id = {last}")).await;
    serve
}

async fn counts_by_kind_hour_outcome_and_account(stage: Stage) {
    let _serve = five_events(&stage).await;
    let kinds = stats(&stage, &[]).await;
    assert_eq!((&kinds["by"], &kinds["events"]), (&json!("kind"), &json!(5)), "{kinds}");
    assert_eq!(kinds["outcome"], json!({ "done": 4, "new": 0, "dead": 1 }));
    let subscribed = json!({ "kind": "event.subscribe", "events": 3, "done": 3, "new": 0, "dead": 0 });
    let texts = json!({ "kind": "message.text", "events": 2, "done": 1, "new": 0, "dead": 1 });
    assert_eq!(kinds["rows"], json!([subscribed, texts]), "the most frequent first");
    assert!(kinds["delay_seconds"]["p99"].as_i64().unwrap() <= 5, "CreateTime is now: {kinds}");

    let outcomes = stats(&stage, &["--by", "outcome"]).await;
    let rows = json!([{ "outcome": "done", "events": 4 }, { "outcome": "dead", "events": 1 }]);
    assert_eq!(outcomes["rows"], rows);
    let accounts = stats(&stage, &["--by", "account", "--account", "main"]).await;
    assert_eq!((&accounts["rows"][0]["account"], &accounts["rows"][0]["events"]), (&json!("main"), &json!(5)));

    // Two came three hours ago: the hours between are shown, with nothing in them.
    let (first, then) = (stage.number("SELECT MIN(id) FROM inbox_event").await, ago(stage.db, "3 HOUR"));
    stage.execute(&format!("UPDATE inbox_event SET received_at = {then} WHERE id <= {first} + 1")).await;
    let hours = stats(&stage, &["--by", "hour"]).await;
    let events: Vec<_> = hours["rows"].as_array().unwrap().iter().map(|row| row["events"].as_i64().unwrap()).collect();
    assert_eq!((events[0], events[1], events[2], events.iter().sum()), (2, 0, 0, 5), "{hours}");
    assert!(hours["rows"][0]["hour"].as_str().unwrap().ends_with(":00:00.000Z"), "{hours}");

    let english = stage.verb(&["events", "stats"]).await.expect_code(0);
    assert!(english.stdout.contains("5: 4 done, 0 new, 1 dead") && english.stderr.is_empty(), "{english:?}");
    assert!(english.stdout.contains("not known: no serve tells its metrics on 127.0.0.1:"), "{}", english.stdout);
    let chinese = stage.verb(&["--lang", "zh", "events", "stats", "--by", "hour"]).await.expect_code(0);
    assert!(
        chinese.stdout.contains("5：done 4，new 0，dead 1") && chinese.stdout.contains("小时"),
        "{}",
        chinese.stdout
    );
    for wrong in [&["--by", "colour"][..], &["--since", "soon"], &["--account", "nobody"]] {
        let refused = stage.verb(&[&["events", "stats"], wrong].concat()).await.expect_code(2);
        assert!(refused.stdout.is_empty(), "{refused:?}");
    }
}

async fn answers_are_those_of_the_running_serve(mut stage: Stage) {
    let serve = five_events(&stage).await;
    let twice = signer::push(&stage.keys, stage.mode, &text("oSTAT00000000000000000000001", "again", 9));
    assert_eq!((serve.send(&twice).await.status, serve.send(&twice).await.status), (200, 200));
    let stranger = Keys { token: "another".into(), ..stage.keys.clone() };
    let forged = signer::push(&stranger, stage.mode, &subscribe("oSTAT00000000000000000000009"));
    assert_eq!(serve.send(&forged).await.status, 403);
    stage.env.push(("WXOPS_METRICS_LISTEN".into(), serve.metrics.to_string()));
    let shown = stats(&stage, &[]).await;
    let told = &shown["serve"];
    assert_eq!((&told["acknowledged"], &told["duplicates"], &told["refused"]), (&json!(7), &json!(1), &json!(1)));
    let [p50, p95, p99] = ["p50_seconds", "p95_seconds", "p99_seconds"].map(|name| told[name].as_f64().unwrap());
    assert!(0.0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= 5.0, "{told}");
    let table = stage.verb(&["events", "stats"]).await.expect_code(0).stdout;
    assert!(table.contains("answers  p50 ") && table.contains("7 since the start of serve, 1 of them"), "{table}");
    // Told for all accounts, because the histogram knows none.
    let one = stage.verb(&["--account", "main", "events", "stats"]).await.expect_code(0).stdout;
    assert!(one.contains("all accounts"), "{one}");
}

/// Ids lead to the time: rows before it are neither counted nor missed.
async fn only_what_came_since_is_counted(stage: Stage) {
    old_rows(&stage, 700, 30, "done").await;
    old_rows(&stage, 500, 3, "done").await;
    old_rows(&stage, 5, 0, "new").await;
    for (since, events) in [("9d", 505), ("2d", 5), ("1h", 5), ("90d", 1205), ("2000-01-01", 1205), ("2100-01-01", 0)] {
        let shown = stats(&stage, &["--since", since]).await;
        assert_eq!(shown["events"], json!(events), "{since}: {shown}");
    }
    let none = stage.verb(&["events", "stats", "--since", "2100-01-01"]).await.expect_code(0);
    assert!(none.stdout.contains("0: 0 done, 0 new, 0 dead"), "{}", none.stdout);
}

async fn menu_buttons_are_counted_by_key(stage: Stage) {
    let serve = stage.serve().await;
    let now = signer::now();
    let key = |key: &str| format!("<EventKey><![CDATA[{key}]]></EventKey>\n");
    let address = "https://example.org/shop?from=menu&a=1";
    for number in 0..3 {
        let person = format!("oKEY{number:024}");
        assert_eq!(serve.push(&event_at("CLICK", &person, now, &key("V1001_TODAY"))).await.status, 200);
        assert_eq!(serve.push(&event_at("VIEW", &person, now, &key(address))).await.status, 200);
    }
    let person = "oKEY000000000000000000000000";
    // The same twice is a retry; a second later it is another press.
    assert_eq!(serve.push(&event_at("CLICK", person, now, &key("V1001_TODAY"))).await.status, 200);
    assert_eq!(serve.push(&event_at("CLICK", person, now + 1, &key("V1001_TODAY"))).await.status, 200);
    assert_eq!(serve.push(&event_at("CLICK", person, now, &key("别的 \u{200b}"))).await.status, 200);
    // A scan has a key too, but no menu.
    assert_eq!(serve.push(&event("SCAN", person, &key("42"))).await.status, 200);
    stage.settled().await;

    let row = |key: &str, kind: &str, events: i64| json!({ "key": key, "kind": kind, "events": events });
    let told = stats(&stage, &["--by", "key"]).await;
    let rows =
        [row("V1001_TODAY", "event.click", 4), row(address, "event.view", 3), row("别的 \u{200b}", "event.click", 1)];
    assert_eq!((&told["by"], &told["rows"]), (&json!("key"), &json!(rows)), "{told}");
    let shown = stage.verb(&["events", "stats", "--by", "key"]).await.expect_code(0).stdout;
    assert!(shown.contains("KEY") && shown.contains("V1001_TODAY") && shown.contains(address), "{shown}");

    // What is erased is still a press, but nobody knows of what.
    let gone = event_at("unsubscribe", person, now + 2, &key(""));
    assert_eq!(serve.push(&gone).await.status, 200);
    stage.settled().await;
    let told = stats(&stage, &["--by", "key"]).await;
    let erased = json!({ "key": null, "kind": "event.click", "events": 3 });
    let events: i64 = told["rows"].as_array().unwrap().iter().map(|row| row["events"].as_i64().unwrap()).sum();
    assert!(told["rows"].as_array().unwrap().contains(&erased) && events == 8, "{told}");
    let old = ago(stage.db, "3 DAY");
    stage.execute(&format!("UPDATE inbox_event SET received_at = {old} WHERE kind = 'event.click'")).await;
    let told = stats(&stage, &["--by", "key", "--since", "2h"]).await;
    assert!(!told["rows"].to_string().contains("event.click"), "{told}");
}
