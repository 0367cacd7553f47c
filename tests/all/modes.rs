//! The table of what is accepted in which mode, as the vectors hold it: 62 requests, each against its own mode.

use crate::http;
use crate::messages::vectors;
use crate::signer::Mode;
use crate::stage::{Serve, Stage};
use crate::stories::stories;
use serde_json::Value;
use std::collections::BTreeMap;

stories! {
    plain_requests_of_the_vectors,
    compat_requests_of_the_vectors,
    secure_requests_of_the_vectors,
}

async fn plain_requests_of_the_vectors(stage: Stage) {
    play(stage, Mode::Plain, 18).await;
}

async fn compat_requests_of_the_vectors(stage: Stage) {
    play(stage, Mode::Compat, 16).await;
}

async fn secure_requests_of_the_vectors(stage: Stage) {
    play(stage, Mode::Secure, 28).await;
}

async fn play(mut stage: Stage, mode: Mode, count: usize) {
    stage.mode = mode;
    let serve = stage.serve().await;
    let vectors = vectors(include_str!("../vectors/official-account-signature.json"));
    let cases = vectors["acceptance"].as_array().unwrap();
    let cases: Vec<_> = cases.iter().filter(|case| case["mode"] == mode.word()).collect();
    assert_eq!(cases.len(), count);

    let mut refused = BTreeMap::<&str, f64>::new();
    for case in cases {
        if let Some(reason) = check(&serve, case).await {
            *refused.entry(reason).or_default() += 1.0;
        }
    }
    for (reason, count) in refused {
        assert_eq!(serve.refused(reason).await, count, "{reason}");
    }
    // Every accepted case of a mode carries one message, or its forged twin.
    assert_eq!(stage.stored().await, if mode == Mode::Plain { 2 } else { 1 });
    stage.settled().await;
}

/// Plays one request; the contract's word of its refusal.
async fn check<'case>(serve: &Serve, case: &'case Value) -> Option<&'case str> {
    let text = |name: &str| case[name].as_str().unwrap_or("");
    let (name, expect) = (text("name"), &case["expect"]);
    let target = format!("/wechat/event?{}", text("query"));
    let request = http::request(text("method"), &target, &[("Content-Type", "text/xml")], text("body").as_bytes());
    let answer = http::once(serve.address(), &request).await.unwrap();
    let shown = answer.text();
    match (expect["verdict"].as_str().unwrap(), expect["reason"].as_str()) {
        // The vectors set a window of 300 s and a clock; by default there is none, and stale is accepted.
        ("accept", _) | ("reject", Some("stale")) => assert_eq!(answer.status, 200, "{name}"),
        ("echo", _) if answer.status == 403 => assert!(name.contains("markup"), "{name}"),
        ("echo", _) => assert_eq!((answer.status, Some(shown.as_str())), (200, expect["content"].as_str()), "{name}"),
        ("reject", Some(reason)) => {
            assert_eq!((answer.status, shown.as_str()), (403, ""), "{name}");
            return Some(if reason == "missing" { "missing_parameter" } else { reason });
        }
        other => panic!("{name}: an expectation that is not known: {other:?}"),
    }
    None
}
