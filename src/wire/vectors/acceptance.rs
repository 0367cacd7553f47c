//! Signatures, the table of what is accepted, and a sequence of replays.

use super::{account, list, load, reasons, s};
use crate::domain::account::{Mode, Official};
use crate::domain::secret::Secret;
use crate::wire::reason::{Reason, Refusal};
use crate::wire::{dedupe, push, signature};
use ring::hmac;
use serde_json::Value;

#[test]
fn signatures() {
    let vectors = load("signature");
    let cases = list(&vectors, "cases");
    for case in cases {
        let tokens = [Secret::new("another"), Secret::new(s(case, "token"))];
        let found = signature::find(&tokens, &[s(case, "timestamp"), s(case, "nonce")], s(case, "signature"));
        match s(case, "expect") {
            "ok" => assert_eq!(found, Some(1), "{case}"),
            "mismatch" => assert_eq!(found, None, "{case}"),
            other => panic!("unknown expect {other}"),
        }
    }
    assert_eq!(cases.len(), 16);
}

#[test]
fn acceptance_table() {
    let vectors = load("signature");
    let window = vectors["window_seconds"].as_i64();
    let cases = list(&vectors, "acceptance");
    for case in cases {
        let name = s(case, "name");
        let account = account(s(case, "mode"));
        let now = case["now"].as_i64().unwrap();
        let expect = &case["expect"];
        let verdict = s(expect, "verdict");
        let refused = match s(case, "method") {
            "GET" => {
                let echo = push::handshake(&account, s(case, "query"), now, window);
                assert_eq!(echo.is_ok(), verdict == "echo", "{name}");
                echo.map(|echo| assert_eq!(echo, s(expect, "content"), "{name}")).err()
            }
            "POST" => {
                let accepted = push::accept(&account, s(case, "query"), s(case, "body").as_bytes(), now, window);
                assert_eq!(accepted.is_ok(), verdict == "accept", "{name}: {accepted:?}");
                accepted.map(|accepted| check_accepted(&account, expect, &accepted)).err()
            }
            other => panic!("unknown method {other}"),
        };
        match (verdict, refused) {
            ("echo" | "accept", None) => {}
            ("reject", Some(refusal)) => {
                assert!(reasons(s(expect, "reason")).contains(&refusal.reason), "{name}: {refusal:?}");
                let signed = ["stale", "appid"].contains(&refusal.reason.as_str());
                assert_eq!(refusal.signed, signed, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(cases.len(), 62);
}

fn check_accepted(account: &Official, expect: &Value, accepted: &push::Accepted) {
    let decrypted = match s(expect, "source") {
        "plain" => false,
        "decrypted" => true,
        other => panic!("unknown source {other}"),
    };
    assert_eq!(accepted.key_index.is_some(), decrypted);
    assert_eq!(accepted.clear, account.mode == Mode::Compat && !decrypted);
    assert_eq!(accepted.event.root.text_of("Content"), Some(s(expect, "content")));
    assert_eq!(push::read(&accepted.raw).as_ref(), Ok(&accepted.event));
    assert_eq!((accepted.previous_token, accepted.skew), (false, None));
}

#[test]
fn replay_sequence() {
    let vectors = load("signature");
    let steps = list(&vectors, "replay_sequence_secure");
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"installation");
    let account = account("secure");
    let mut seen = Vec::new();
    for step in steps {
        let (now, window) = (step["now"].as_i64().unwrap(), vectors["window_seconds"].as_i64());
        let (query, body) = (s(step, "query"), s(step, "body").as_bytes());
        let accepted = push::accept(&account, query, body, now, window);
        let found = accepted.as_ref().map(|push| dedupe::dedupe_key(&key, "main", &push.event));
        match s(step, "expect") {
            "processed" => {
                assert!(!seen.contains(&found.unwrap()));
                seen.push(found.unwrap());
            }
            "duplicate" => assert!(seen.contains(&found.unwrap())),
            "stale" => {
                assert_eq!(found, Err(&Refusal::signed(Reason::Stale)));
                let late = push::accept(&account, query, body, now, None).unwrap();
                assert_eq!(late.skew, Some(400), "without a window it is accepted and told");
                assert!(seen.contains(&dedupe::dedupe_key(&key, "main", &late.event)));
            }
            other => panic!("unknown expect {other}"),
        }
    }
    assert_eq!((steps.len(), seen.len()), (4, 1));
}
