//! Keys and envelopes.

use super::{account, list, load, query, reasons, s};
use crate::domain::account::{AesKey, Official};
use crate::domain::secret::Secret;
use crate::wire::reason::{Reason, Refusal};
use crate::wire::reply::Seal;
use crate::wire::{envelope, push, signature, write};
use serde_json::Value;

#[test]
fn key_spellings() {
    let vectors = load("crypto");
    let cases = list(&vectors, "key_spellings");
    for case in cases {
        let key = AesKey::parse(s(case, "encoding_aes_key"));
        match s(case, "expect") {
            "ok" => {
                let hex: String = key.unwrap().bytes().iter().map(|b| format!("{b:02x}")).collect();
                assert_eq!(hex, s(case, "key_hex"));
            }
            "refused" => assert!(key.is_err(), "{case}"),
            other => panic!("unknown expect {other}"),
        }
    }
    assert_eq!(cases.len(), 9);
}

#[test]
fn crypto_official_sample() {
    let sample = &load("crypto")["official_sample"];
    let token = [Secret::new(s(sample, "token"))];
    let key = AesKey::parse(s(sample, "encoding_aes_key")).unwrap();
    let appid = s(sample, "appid");
    let (time, nonce) = (s(sample, "timestamp"), s(sample, "nonce"));
    assert_eq!(signature::find(&token, &[time, nonce], s(sample, "signature")), Some(0));
    let mut ran = 1;
    for message in [sample, &sample["reply"]] {
        let (time, nonce, encrypt) = (s(message, "timestamp"), s(message, "nonce"), s(message, "encrypt"));
        assert_eq!(signature::sign(&token[0], &[time, nonce, encrypt]), s(message, "msg_signature"));
        assert_eq!(envelope::open(&key, appid, encrypt).as_deref(), Ok(s(message, "plain")));
        let random: &[u8; 16] = s(message, "random").as_bytes().try_into().unwrap();
        assert_eq!(envelope::seal(&key, appid, random, s(message, "plain")), encrypt);
        ran += 1;
    }
    assert_eq!(ran, 3);
}

#[test]
fn crypto_passive_reply() {
    let reply = &load("crypto")["passive_reply"];
    let account = account("secure");
    let random: &[u8; 16] = s(reply, "random").as_bytes().try_into().unwrap();
    let encrypt = envelope::seal(&account.aes_keys[0], &account.app_id, random, s(reply, "plain"));
    assert_eq!(encrypt, s(reply, "encrypt"));
    let (time, nonce) = (s(reply, "timestamp"), s(reply, "nonce"));
    let msg_signature = signature::sign(&account.tokens[0], &[time, nonce, &encrypt]);
    assert_eq!(msg_signature, s(reply, "msg_signature"));
    assert_eq!(write::sealed_reply(&encrypt, &msg_signature, time.parse().unwrap(), nonce), s(reply, "body"));
    let seal = Seal::of(&account, Some(0), false).unwrap();
    assert_eq!(seal.seal(s(reply, "plain"), time.parse().unwrap(), nonce, random), s(reply, "body"));
    assert!(Seal::of(&account, None, false).is_none(), "what came in clear is answered in clear");
}

#[test]
fn crypto_cases() {
    let vectors = load("crypto");
    let account = account("secure");
    let cases = list(&vectors, "cases");
    for case in cases {
        let name = s(case, "name");
        let (time, nonce, given) = (s(case, "timestamp"), s(case, "nonce"), s(case, "msg_signature"));
        let query = query(s(&vectors, "token"), time, nonce, Some(given));
        let now = time.parse().unwrap();
        // The longest case leaves its body to the reader.
        let made = write::sealed_push("gh_0123456789ab", s(case, "encrypt"));
        let body = case.get("body").and_then(Value::as_str).unwrap_or(&made);
        let accepted = push::accept(&account, &query, body.as_bytes(), now, Some(300));
        match s(case, "expect") {
            "ok" => check_opened(&account, case, 0, accepted),
            "ok_previous_key" => check_opened(&account, case, 1, accepted),
            word => {
                let refusal = accepted.unwrap_err();
                assert!(reasons(word).contains(&refusal.reason), "{name}: {refusal:?}");
                assert_eq!(refusal.signed, refusal.reason != Reason::MsgSignature, "{name}");
            }
        }
    }
    assert_eq!(cases.len(), 38);
}

fn check_opened(account: &Official, case: &Value, key: usize, accepted: Result<push::Accepted, Refusal>) {
    let name = s(case, "name");
    let plain = envelope::open(&account.aes_keys[key], &account.app_id, s(case, "encrypt")).unwrap();
    match case.get("plain_sha1").and_then(Value::as_str) {
        Some(expected) => {
            use sha1::Digest;
            let hash: String = sha1::Sha1::digest(&plain).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!((hash.as_str(), plain.len() as u64), (expected, case["plain_length"].as_u64().unwrap()));
        }
        None => assert_eq!(plain, s(case, "plain"), "{name}"),
    }
    // What was opened may still be no push: the XML layer says so, of the empty one and of the longest.
    let expected = push::read(&plain).map_err(Refusal::signed);
    assert_eq!(accepted.as_ref().map(|push| &push.event), expected.as_ref(), "{name}");
    match accepted {
        Ok(accepted) => assert_eq!((accepted.key_index, accepted.raw), (Some(key), plain), "{name}"),
        Err(_) => assert!(["empty message", "message of 70 kB"].contains(&name), "{name}"),
    }
}
