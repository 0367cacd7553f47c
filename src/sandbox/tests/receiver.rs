//! A small callback of its own: keeps what arrives, answers as told. It checks signatures by its own
//! reading of the documents, with another SHA-1 and an opener of its own.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A push as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    pub query: Vec<(String, String)>,
    pub body: String,
}

/// Status and body to answer, and what arrived.
type Shared = Arc<Mutex<(u16, String, Vec<Arrived>)>>;

/// The receiver.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    state: Shared,
}

impl Receiver {
    pub async fn open(status: u16, answer: &str) -> Self {
        let state = Arc::new(Mutex::new((status, answer.to_owned(), Vec::new())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wechat/event", listener.local_addr().unwrap());
        let handler = async |State(state): State<Shared>, RawQuery(query), body: String| {
            let query = reqwest::Url::parse(&format!("http://x/?{}", query.unwrap_or_default())).unwrap();
            let query = query.query_pairs().into_owned().collect();
            let mut state = state.lock().unwrap();
            state.2.push(Arrived { query, body });
            (StatusCode::from_u16(state.0).unwrap(), state.1.clone())
        };
        let router = Router::new().fallback(handler).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, state }
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.state.lock().unwrap().2.clone()
    }
}

impl Arrived {
    pub fn value(&self, name: &str) -> &str {
        self.query.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The text of the first element of that name.
    pub fn field(&self, name: &str) -> String {
        element(&self.body, name).unwrap_or_default()
    }

    /// Whether the signature over the token and these parts is right, by ring's SHA-1.
    pub fn is_signed(&self, name: &str, token: &str, sealed: Option<&str>) -> bool {
        let mut parts = vec![token, self.value("timestamp"), self.value("nonce")];
        parts.extend(sealed);
        parts.sort();
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, parts.concat().as_bytes());
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        self.value(name) == hex
    }
}

/// The text of an element, CDATA joined.
pub fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.replace("]]]]><![CDATA[>", "]]>").replace("<![CDATA[", "").trim_end_matches("]]>").to_owned())
}

/// Opens `Encrypt` block by block with the bare cipher: message and appid.
pub fn opened(letters: &str, sealed: &str) -> (String, String) {
    use aes::cipher::{BlockCipherDecrypt, KeyInit};
    use base64::Engine;
    use base64::alphabet::STANDARD;
    use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let decoder = GeneralPurpose::new(&STANDARD, lenient);
    let key: [u8; 32] = decoder.decode(format!("{letters}=")).unwrap().try_into().unwrap();
    let cipher = aes::Aes256::new(&key.into());
    let bytes = decoder.decode(sealed).unwrap();
    let mut before: [u8; 16] = key[..16].try_into().unwrap();
    let mut plain = Vec::new();
    for chunk in bytes.chunks(16) {
        let sealed: [u8; 16] = chunk.try_into().unwrap();
        let mut block = sealed.into();
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(a, b)| a ^ b));
        before = sealed;
    }
    assert_eq!(plain.len() % 32, 0);
    let pad = usize::from(*plain.last().unwrap());
    assert!((1..=32).contains(&pad) && plain[plain.len() - pad..].iter().all(|byte| usize::from(*byte) == pad));
    plain.truncate(plain.len() - pad);
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&plain[20..20 + length]), text(&plain[20 + length..]))
}

/// How often each value occurs.
pub fn counted<T: std::hash::Hash + Eq>(values: impl Iterator<Item = T>) -> HashMap<T, usize> {
    values.fold(HashMap::new(), |mut counts, value| {
        *counts.entry(value).or_insert(0) += 1;
        counts
    })
}
