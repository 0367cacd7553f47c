//! Signing and sealing against the vectors.

use crate::sandbox::crypto::{key_bytes, key_letters, open, seal, sign};
use serde_json::Value;

const VECTORS: &str = include_str!("../../../tests/vectors/official-account-crypto.json");

#[test]
fn keys_with_spare_bits_are_read() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let mut ran = 0;
    for case in vectors["key_spellings"].as_array().unwrap() {
        let read = key_bytes(case["encoding_aes_key"].as_str().unwrap());
        let hex = read.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        assert_eq!(hex.as_deref(), case["key_hex"].as_str(), "{case}");
        ran += 1;
    }
    assert_eq!(ran, 9);
}

#[test]
fn what_is_sealed_opens_again_in_every_length() {
    let key = key_bytes("BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o").unwrap();
    assert_eq!(key_letters(&key, 0), "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o");
    for length in 0..70 {
        let message = "微".repeat(length);
        let sealed = seal(&key, b"0123456789abcdef", &message, "wx0123456789abcdef").unwrap();
        assert_eq!(open(&key, &sealed).unwrap(), (message, "wx0123456789abcdef".to_owned()));
    }
}

#[test]
fn the_official_sample_comes_out_the_same() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let sample = &vectors["official_sample"];
    let of = |name: &str| sample[name].as_str().unwrap();
    assert_eq!(sign(&[of("token"), of("timestamp"), of("nonce")]), of("signature"));
    assert_eq!(sign(&[of("token"), of("timestamp"), of("nonce"), of("encrypt")]), of("msg_signature"));
    let (_, app_id) = open(&key_bytes(of("encoding_aes_key")).unwrap(), of("encrypt")).unwrap();
    assert_eq!(app_id, of("appid"));
}

#[test]
fn the_reply_of_the_vectors_is_sealed_to_the_same_letters() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let reply = &vectors["passive_reply"];
    let key = key_bytes(vectors["encoding_aes_key"].as_str().unwrap()).unwrap();
    let salt: [u8; 16] = reply["random"].as_str().unwrap().as_bytes().try_into().unwrap();
    let sealed = seal(&key, &salt, reply["plain"].as_str().unwrap(), vectors["appid"].as_str().unwrap());
    assert_eq!(sealed.as_deref(), reply["encrypt"].as_str());
}
