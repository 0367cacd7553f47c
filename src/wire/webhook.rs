//! The signature of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body, in base64, one for each key.

use crate::domain::hook::SigningKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// The header `webhook-signature` for these keys, the current one first.
pub fn signatures(keys: &[SigningKey], id: &str, seconds: i64, body: &[u8]) -> String {
    let one = |key: &SigningKey| {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.bytes()));
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    };
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn the_vector_of_the_specification() {
        let key = |text: &str| SigningKey::parse(text).unwrap();
        let sign = |keys: &[SigningKey]| {
            signatures(keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#)
        };
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        for written in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(sign(&[key(written)]), signature);
        }
        let both = sign(&[key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), key(&"A".repeat(32))]);
        let (first, second) = both.split_once(' ').unwrap();
        assert!(first == signature && second.starts_with("v1,") && second.len() == signature.len(), "{both}");
    }
}
