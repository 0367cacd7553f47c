//! The vectors of requests and events: the sandbox answers in the same shape, and writes the same fields.

use super::receiver::{Receiver, element};
use super::{Stage, errcode, options, stage};
use crate::sandbox::Options;
use crate::sandbox::push::{Order, name_of};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const REQUESTS: &str = include_str!("../../../tests/vectors/official-account-requests.json");
const EVENTS: &str = include_str!("../../../tests/vectors/official-account-events.json");
/// What the sandbox answers so far.
const PATHS: &[&str] = &[
    "/cgi-bin/token",
    "/cgi-bin/stable_token",
    "/cgi-bin/get_api_domain_ip",
    "/cgi-bin/getcallbackip",
    "/cgi-bin/user/get",
    "/cgi-bin/user/info",
    "/cgi-bin/user/info/batchget",
    "/cgi-bin/clear_quota",
    "/cgi-bin/clear_quota/v2",
    "/cgi-bin/openapi/quota/get",
];

#[tokio::test]
async fn requests_are_answered_in_the_vectors_shape() {
    let vectors: Value = serde_json::from_str(REQUESTS).unwrap();
    let stage = stage(Options { followers: 1, ..options() }).await;
    let follower = "oTEST0000000000000000000001_";
    let left = "oTEST0000000000000000000002-";
    let receiver = Receiver::open(200, "").await;
    for (event, openid) in [("subscribe", follower), ("subscribe", left), ("unsubscribe", left)] {
        let order = Order { to: Some(receiver.url.clone()), openid: Some(openid.to_owned()), ..Order::of(event) };
        assert_eq!(stage.sandbox.push(order).await.unwrap().acknowledged, 1);
    }
    let mut ran = 0;
    for case in vectors["cases"].as_array().unwrap() {
        if !PATHS.contains(&case["path"].as_str().unwrap()) {
            continue;
        }
        match case["name"].as_str().unwrap() {
            "clear quota, 11th time" => {
                for _ in 1..10 {
                    assert_eq!(errcode(&ask(&stage, case).await), 0);
                }
            }
            "clear quota by secret" => stage.sandbox.advance(31 * 24 * 3600),
            _ => {}
        }
        let answer = ask(&stage, case).await;
        let expected = &case["reply"];
        assert_eq!(errcode(&answer), errcode(expected), "{case}: {answer}");
        if errcode(expected) == 0 {
            assert_eq!(shape(&answer), shape(expected), "{}", case["name"]);
        }
        ran += 1;
    }
    assert_eq!(ran, 15);
}

/// Asks as the case does, with this sandbox's appid, secret and token.
async fn ask(stage: &Stage, case: &Value) -> Value {
    let token = stage.token().await;
    let own = |text: &str| match text {
        "wx0123456789abcdef" => stage.account.app_id.clone(),
        "SECRET" => stage.account.secret.reveal().to_owned(),
        "ACCESS_TOKEN_0001" => token.clone(),
        other => other.to_owned(),
    };
    let query = case["query"].as_object().unwrap().iter();
    let query: Vec<(String, String)> =
        query.map(|(name, value)| (name.clone(), own(value.as_str().unwrap()))).collect();
    let mut query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if case["name"] == "followers, after the last" {
        // The vector's last follower has left here; the end comes after the one who has not.
        query.retain(|(name, _)| *name != "next_openid");
        query.push(("next_openid", "oTEST0000000000000000000001_"));
    }
    let mut body = case.get("body").cloned().unwrap_or(json!({}));
    for name in ["appid", "secret"] {
        if let Some(text) = body[name].as_str().map(own) {
            body[name] = json!(text);
        }
    }
    let path = case["path"].as_str().unwrap();
    match case["method"].as_str().unwrap() {
        "GET" => stage.get(path, &query).await,
        _ => stage.post(path, &query, &body).await,
    }
}

/// Names and types, the first of each list for all.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.first().map_or(json!([]), |first| match shape(first) {
            Value::Object(fields) => json!([fields]),
            _ => json!([]),
        }),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}

#[tokio::test]
async fn pushes_hold_the_elements_of_the_vectors() {
    let vectors: Value = serde_json::from_str(EVENTS).unwrap();
    let stage = stage(options()).await;
    let mut kinds = BTreeSet::new();
    for case in vectors["cases"].as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap();
        let expected = case["xml"].as_str().unwrap();
        let kind = if kind == "unknown" && element(expected, "Event").is_none() { "unknown-message" } else { kind };
        let Some(name) = name_of(kind).filter(|_| kinds.insert(kind)) else { continue };
        let receiver = Receiver::open(200, "").await;
        let mode = Some("plain".to_owned());
        let order = Order { to: Some(receiver.url.clone()), mode, ..Order::of(name) };
        stage.sandbox.push(order).await.unwrap();
        let body = receiver.arrived().remove(0).body;
        assert_eq!(tags(&body), tags(expected), "{kind}");
        let event = |xml| element(xml, "Event").or_else(|| element(xml, "MsgType"));
        assert_eq!(event(&body), event(expected));
    }
    assert!(kinds.len() >= 36, "{kinds:?}");
}

fn tags(xml: &str) -> Vec<&str> {
    let names = xml.split('<').filter(|part| part.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    names.filter_map(|part| part.split('>').next()).collect()
}
