//! The fixed vectors of the Official Account and of WeCom. Each test asserts how many cases it ran and fails on a
//! word it does not know.
#![allow(clippy::unwrap_used)]

mod acceptance;
mod crypto;
mod events;
mod wecom;

use super::reason::Reason;
use super::signature;
use crate::domain::account::{Access, AesKey, Mode, Official, Platform};
use crate::domain::secret::Secret;
use serde_json::Value;

fn load(name: &str) -> Value {
    load_file(&format!("official-account-{name}"))
}

fn load_file(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A string of the vector, which must be there.
fn s<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} of {}", case["name"]))
}

fn list<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    vectors[name].as_array().unwrap()
}

/// The account of the vectors in one of the modes, with the keys that go with it.
fn account(mode: &str) -> Official {
    let crypto = load("crypto");
    let mode = match mode {
        "plain" => Mode::Plain,
        "compat" => Mode::Compat,
        "secure" => Mode::Secure,
        other => panic!("unknown mode {other}"),
    };
    let keys = ["encoding_aes_key", "previous_encoding_aes_key"].map(|name| AesKey::parse(s(&crypto, name)).unwrap());
    Official {
        access: Access::new(Platform::Official, "main", s(&crypto, "appid"), "http://127.0.0.1:9"),
        tokens: vec![Secret::new(s(&crypto, "token"))],
        aes_keys: if mode == Mode::Plain { vec![] } else { keys.into() },
        mode,
        original_id: Some(s(&crypto, "original_id").into()),
        replies: Default::default(),
    }
}

/// The vectors' words for refusals, as the public list has them.
fn reasons(word: &str) -> &'static [Reason] {
    match word {
        "missing" => &[Reason::MissingParameter],
        "duplicate_parameter" => &[Reason::DuplicateParameter],
        "timestamp" => &[Reason::Timestamp],
        "stale" => &[Reason::Stale],
        "signature" => &[Reason::Signature],
        "msg_signature" | "signature_error" => &[Reason::MsgSignature],
        "encrypt_type" => &[Reason::EncryptType],
        "no_key" => &[Reason::NoKey],
        "downgrade" => &[Reason::Downgrade],
        "decrypt_error" | "format_error" => &[Reason::Decrypt],
        "appid" | "appid_mismatch" | "receiveid_mismatch" => &[Reason::Appid],
        "decrypt_or_appid_error" => &[Reason::Decrypt, Reason::Appid],
        "foreign_account" => &[Reason::ForeignAccount],
        "doctype" => &[Reason::Doctype],
        "not_well_formed" | "bad_root" | "too_deep" => &[Reason::Xml],
        "duplicate_field" => &[Reason::DuplicateField],
        "missing_field" => &[Reason::MissingField],
        "bad_field" => &[Reason::BadField],
        other => panic!("unknown reason {other}"),
    }
}

/// A query as the platform sends it, of an encrypted push when `msg_signature` is given.
fn query(token: &str, timestamp: &str, nonce: &str, msg_signature: Option<&str>) -> String {
    let signature = signature::sign(&Secret::new(token), &[timestamp, nonce]);
    let query = format!("signature={signature}&timestamp={timestamp}&nonce={nonce}&openid=o");
    msg_signature.map_or(query.clone(), |given| format!("{query}&encrypt_type=aes&msg_signature={given}"))
}
