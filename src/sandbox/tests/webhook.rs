//! The group robot: its key, its limits, its words.

use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use crate::sandbox::faults::Fault;
use serde_json::{Value, json};

const SEND: &str = "/cgi-bin/webhook/send";

fn key(stage: &Stage) -> String {
    stage.sandbox.webhook().split_once("key=").unwrap().1.to_owned()
}

async fn say(stage: &Stage, message: &Value) -> Value {
    stage.post(SEND, &[("key", &key(stage))], message).await
}

fn text(content: &str) -> Value {
    json!({ "msgtype": "text", "text": { "content": content } })
}

#[tokio::test]
async fn twenty_messages_a_minute() {
    let stage = stage(options()).await;
    for _ in 0..20 {
        assert_eq!(say(&stage, &text("x")).await, json!({ "errcode": 0, "errmsg": "ok" }));
    }
    assert_eq!(errcode(&say(&stage, &text("x")).await), 45009);
    stage.sandbox.advance(59);
    assert_eq!(errcode(&say(&stage, &text("x")).await), 45009);
    stage.sandbox.advance(1);
    assert_eq!(errcode(&say(&stage, &text("x")).await), 0);
}

#[tokio::test]
async fn what_is_no_message_is_refused() {
    let stage = stage(options()).await;
    let markdown = |length: usize| json!({ "msgtype": "markdown", "markdown": { "content": "x".repeat(length) } });
    for (message, code) in [
        (text(&"x".repeat(2048)), 0),
        (text(&"x".repeat(2049)), 40058),
        (text(&"警".repeat(683)), 40058),
        (text(""), 44004),
        (markdown(4096), 0),
        (markdown(4097), 40058),
        (json!({ "msgtype": "news", "news": { "articles": [{ "title": "t", "url": "https://example.com" }] } }), 0),
        (json!({ "msgtype": "news", "news": { "articles": [] } }), 45008),
        (
            json!({ "msgtype": "template_card", "template_card": { "card_type": "button_interaction", "task_id": "1",
            "main_title": { "title": "t" } } }),
            42031,
        ),
        (json!({ "msgtype": "news" }), 44004),
        (json!({ "msgtype": "poem", "poem": { "content": "x" } }), 40008),
        (Value::Null, 40008),
    ] {
        assert_eq!(errcode(&say(&stage, &message).await), code, "{message}");
    }
    let other = stage.post(SEND, &[("key", "00000000-0000-0000-0000-000000000000")], &text("x")).await;
    let said = other["errmsg"].as_str().unwrap();
    assert_eq!(errcode(&other), 93000);
    assert!(said.starts_with("invalid webhook url, hint: [") && said.ends_with("devtool/query?e=93000"), "{said}");
    assert_eq!(errcode(&stage.post(SEND, &[], &text("x")).await), 93000);
    assert_eq!(errcode(&stage.get(SEND, &[]).await), 43002);
}

#[tokio::test]
async fn what_its_group_received_is_told() {
    let stage = stage(options()).await;
    for n in 0..21 {
        say(&stage, &text(&format!("{n}"))).await;
    }
    let state = stage.get("/sandbox/state", &[]).await;
    assert_eq!(state["wecom"]["robot"], json!({ "received": 20, "refused": 1 }));
    let rows = stage.http.get(stage.url("/sandbox/wecom/messages?after=19")).send().await.unwrap();
    let row: Value = serde_json::from_str(&rows.text().await.unwrap()).unwrap();
    assert_eq!((&row["content"], &row["userid"], &row["account"]), (&json!("19"), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_robots_lost_answer_was_said() {
    let faults = vec![Fault::parse("lost-answer@/cgi-bin/webhook/send=1").unwrap()];
    let stage = stage(Options { faults, ..options() }).await;
    let lost = stage.http.post(stage.url(SEND)).query(&[("key", &key(&stage))]).body(text("x").to_string()).send();
    assert!(lost.await.unwrap_err().is_request());
    assert_eq!(stage.get("/sandbox/state", &[]).await["wecom"]["robot"]["received"], 1);
}

#[tokio::test]
async fn faults_speak_its_language_and_the_key_is_nowhere_written() {
    let faults = ["93008@/cgi-bin/webhook/send=1", "token-invalid=1"].map(|text| Fault::parse(text).unwrap());
    let stage = stage(Options { faults: faults.to_vec(), ..options() }).await;
    let said = say(&stage, &text("a silence")).await;
    assert!(said["errmsg"].as_str().unwrap().starts_with("not in the group, hint: ["), "{said}");
    let url = stage.url(&format!("/sandbox/requests?path={SEND}"));
    let journal = stage.http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(journal.contains("a silence") && journal.contains("93008"), "{journal}");
    assert!(!journal.contains(&key(&stage)), "{journal}");
}
