//! Tokens: the vectors' sequences with the clock moved, and the refusals of the token endpoints.

use super::{Stage, errcode, options, stage};
use crate::sandbox::faults::Fault;
use serde_json::{Value, json};
use std::collections::HashMap;

const VECTORS: &str = include_str!("../../../tests/vectors/official-account-token.json");

#[tokio::test]
async fn the_sequences_of_the_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let sequences = vectors["sequences"].as_array().unwrap();
    for sequence in sequences {
        play(sequence).await;
    }
    assert_eq!(sequences.len(), 6);
}

async fn play(sequence: &Value) {
    let stage = stage(options()).await;
    let mut tokens: HashMap<String, String> = HashMap::new();
    let mut now = 0;
    for step in sequence["steps"].as_array().unwrap() {
        let at = step["at"].as_i64().unwrap();
        stage.sandbox.advance(at - now);
        now = at;
        let answer = act(&stage, sequence["endpoint"].as_str().unwrap(), step["do"].as_str().unwrap(), &tokens).await;
        let place = format!("{}: {step}: {answer}", sequence["name"]);
        assert_eq!(errcode(&answer), step.get("errcode").map_or(0, |code| code.as_i64().unwrap()), "{place}");
        if let Some(name) = step["gives"].as_str() {
            let token = answer["access_token"].as_str().unwrap().to_owned();
            assert_eq!(answer["expires_in"], step["expires_in"], "{place}");
            let clash = tokens.iter().any(|(other, known)| *known == token && other != name);
            assert!(!clash, "{place}: the token of another step");
            assert_eq!(*tokens.entry(name.to_owned()).or_insert(token.clone()), token, "{place}");
        }
    }
}

async fn act(stage: &Stage, endpoint: &str, what: &str, tokens: &HashMap<String, String>) -> Value {
    if let Some(name) = what.strip_prefix("use ") {
        return stage.get("/cgi-bin/getcallbackip", &[("access_token", tokens[name].as_str())]).await;
    }
    match (endpoint, what) {
        ("token", "get") | ("both", "token get") => stage.legacy().await,
        ("stable_token", "get") | ("both", "stable get") => stage.stable(false).await,
        ("stable_token", "force") => stage.stable(true).await,
        other => panic!("a step that this test does not know: {other:?}"),
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let stage = stage(options()).await;
    let (app_id, secret) = (stage.account.app_id.clone(), stage.account.secret.reveal().to_owned());
    let rows: &[(&[(&str, &str)], i64)] = &[
        (&[("appid", &app_id), ("secret", &secret)], 40002),
        (&[("grant_type", "code"), ("appid", &app_id), ("secret", &secret)], 40002),
        (&[("grant_type", "client_credential"), ("secret", &secret)], 41002),
        (&[("grant_type", "client_credential"), ("appid", &app_id)], 41004),
        (&[("grant_type", "client_credential"), ("appid", "wx0"), ("secret", &secret)], 40013),
        (&[("grant_type", "client_credential"), ("appid", &app_id), ("secret", "no")], 40125),
    ];
    for (query, code) in rows {
        assert_eq!(errcode(&stage.get("/cgi-bin/token", query).await), *code);
        let body: Value = query.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let body = if query.is_empty() { json!({}) } else { body };
        assert_eq!(errcode(&stage.post("/cgi-bin/stable_token", &[], &body).await), *code);
    }
}

#[tokio::test]
async fn a_token_of_nobody_is_40014_and_none_is_41001() {
    let stage = stage(options()).await;
    assert_eq!(errcode(&stage.get("/cgi-bin/user/get", &[("access_token", "damaged")]).await), 40014);
    assert_eq!(errcode(&stage.get("/cgi-bin/user/get", &[("access_token", "")]).await), 41001);
    let answer = stage.get("/cgi-bin/user/get", &[]).await;
    assert_eq!(errcode(&answer), 41001);
    let said = answer["errmsg"].as_str().unwrap();
    let rid = said.strip_prefix("access_token missing rid: ").unwrap();
    let parts: Vec<_> = rid.split('-').collect();
    assert!(parts.len() == 3 && parts.iter().all(|part| part.len() == 8), "{said}");
}

#[tokio::test]
async fn the_legacy_endpoint_gives_2000_a_day() {
    let stage = stage(options()).await;
    for _ in 0..2000 {
        assert_eq!(errcode(&stage.legacy().await), 0);
    }
    assert_eq!(errcode(&stage.legacy().await), 45009);
    assert_eq!(errcode(&stage.stable(false).await), 0);
    stage.sandbox.advance(12 * 3600);
    assert_eq!(errcode(&stage.legacy().await), 0);
}

#[tokio::test]
async fn twenty_forced_tokens_come_back_the_next_day() {
    let stage = stage(options()).await;
    for _ in 0..20 {
        assert_eq!(errcode(&stage.stable(true).await), 0);
        stage.sandbox.advance(30);
    }
    assert_eq!(errcode(&stage.stable(true).await), 45009);
    stage.sandbox.advance(12 * 3600);
    assert_eq!(errcode(&stage.stable(true).await), 0);
}

#[tokio::test]
async fn the_administrator_refuses_for_an_hour_and_then_for_a_day() {
    let faults = vec![Fault::parse("admin-confirm=1").unwrap()];
    let stage = stage(crate::sandbox::Options { faults, ..options() }).await;
    for (wait, code) in [(0, 89503), (599, 89503), (1, 89507), (3599, 89507), (1, 89506), (86399, 89506), (1, 89503)] {
        stage.sandbox.advance(wait);
        assert_eq!(errcode(&stage.stable(false).await), code);
    }
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_named() {
    let faults = vec![Fault::parse("ip-not-listed=100%").unwrap()];
    let stage = stage(crate::sandbox::Options { faults, ..options() }).await;
    let answer = stage.stable(false).await;
    assert_eq!(errcode(&answer), 40164);
    let said = answer["errmsg"].as_str().unwrap();
    assert!(said.starts_with("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: "), "{said}");
}
