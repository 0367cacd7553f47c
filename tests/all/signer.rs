//! The platform's side of the crypto, written from its documents and not from ours: signs and encrypts pushes.

#![allow(dead_code, reason = "benches/load.rs mounts this file too and uses a part of it")]

use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose};
use sha1::{Digest, Sha1};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the console of an account shows.
#[derive(Clone)]
pub struct Keys {
    pub app_id: String,
    pub secret: String,
    pub original_id: String,
    pub token: String,
    /// The console's 43 letters.
    pub aes_key: String,
}

impl Default for Keys {
    /// The account of the vectors.
    fn default() -> Self {
        Keys {
            app_id: "wx0123456789abcdef".into(),
            secret: "0123456789abcdef0123456789abcdef".into(),
            original_id: "gh_0123456789ab".into(),
            token: "wxopsToken123".into(),
            aes_key: "BRAbJjE8R1JdaHN+iZSfqrXAy9bh7PcCDRgjLjlET1o".into(),
        }
    }
}

/// How the account's console is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Plain,
    Compat,
    Secure,
}

impl Mode {
    /// Its word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Plain => "plain",
            Mode::Compat => "compat",
            Mode::Secure => "secure",
        }
    }
}

/// One request as the platform makes it; a test spoils it before it is sent.
#[derive(Clone)]
pub struct Push {
    pub query: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Push {
    /// Replaces a parameter, or adds it.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        match self.query.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => pair.1 = value.into(),
            None => self.query.push((name.into(), value.into())),
        }
        self
    }

    /// Leaves a parameter out.
    pub fn without(mut self, name: &str) -> Self {
        self.query.retain(|(known, _)| known != name);
        self
    }

    /// Sends a parameter twice.
    pub fn doubled(mut self, name: &str) -> Self {
        let again: Vec<_> = self.query.iter().filter(|(known, _)| known == name).cloned().collect();
        self.query.extend(again);
        self
    }

    /// Another body under the same signatures.
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// `path?query`, every value percent-encoded.
    pub fn target(&self, path: &str) -> String {
        let pairs: Vec<_> = self.query.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        format!("{path}?{}", pairs.join("&"))
    }
}

/// Lowercase hex of the SHA-1 of the sorted parts.
pub fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let mut hash = Sha1::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().fold(String::with_capacity(40), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The `Encrypt` of a message: 16 random bytes, its length, itself, the appid, padded to 32.
pub fn encrypt(keys: &Keys, random: [u8; 16], message: &[u8]) -> String {
    let mut plain = Vec::with_capacity(message.len() + 80);
    plain.extend(random);
    plain.extend((message.len() as u32).to_be_bytes());
    plain.extend(message);
    plain.extend(keys.app_id.as_bytes());
    let pad = 32 - plain.len() % 32;
    plain.extend(std::iter::repeat_n(pad as u8, pad));
    encrypt_padded(keys, plain)
}

/// AES-256-CBC over whole blocks as they are: for messages that no honest sender makes.
pub fn encrypt_padded(keys: &Keys, mut plain: Vec<u8>) -> String {
    let key = key_bytes(&keys.aes_key);
    let mut cbc = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).expect("32 and 16 bytes");
    for block in plain.chunks_exact_mut(16) {
        cbc.encrypt_block(block.try_into().expect("16 bytes"));
    }
    general_purpose::STANDARD.encode(plain)
}

/// Opens a sealed passive reply as the platform does: its signature, then what is inside.
pub fn open_reply(keys: &Keys, body: &str) -> Result<String, &'static str> {
    let field = |name: &str| {
        let rest = body.split_once(&format!("<{name}>")).map_or("", |(_, rest)| rest);
        let text = rest.split_once(&format!("</{name}>")).map_or("", |(text, _)| text);
        text.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")).unwrap_or(text).to_owned()
    };
    let encrypt = field("Encrypt");
    if signature(&[&keys.token, &field("TimeStamp"), &field("Nonce"), &encrypt]) != field("MsgSignature") {
        return Err("another Token signed it");
    }
    let mut bytes = general_purpose::STANDARD.decode(encrypt).map_err(|_| "no base64")?;
    let key = key_bytes(&keys.aes_key);
    let mut cbc = cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).expect("32 and 16 bytes");
    for block in bytes.chunks_exact_mut(16) {
        cbc.decrypt_block(block.try_into().expect("16 bytes"));
    }
    let pad = usize::from(*bytes.last().ok_or("empty")?);
    let inside = bytes.get(16..bytes.len().saturating_sub(pad)).ok_or("another key sealed it")?;
    let (length, rest) = inside.split_first_chunk().ok_or("too short")?;
    let (message, app_id) =
        rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or("another key sealed it")?;
    if app_id != keys.app_id.as_bytes() {
        return Err("for another AppID");
    }
    String::from_utf8(message.to_vec()).map_err(|_| "no text")
}

/// A push of the message as the platform sends it now.
pub fn push(keys: &Keys, mode: Mode, xml: &str) -> Push {
    push_at(keys, mode, xml, now())
}

/// A push whose query says this time (seconds).
pub fn push_at(keys: &Keys, mode: Mode, xml: &str, timestamp: i64) -> Push {
    match mode {
        Mode::Plain => Push { query: signed(keys, timestamp, &nonce()), body: xml.into() },
        Mode::Compat | Mode::Secure => {
            sealed(keys, mode, &encrypt(keys, rand::random(), xml.as_bytes()), xml, timestamp)
        }
    }
}

/// A push around this `Encrypt`, whatever is inside, with right signatures.
pub fn sealed(keys: &Keys, mode: Mode, encrypt: &str, clear: &str, timestamp: i64) -> Push {
    let nonce = nonce();
    let mut query = signed(keys, timestamp, &nonce);
    let msg_signature = signature(&[&keys.token, &timestamp.to_string(), &nonce, encrypt]);
    query.push(("encrypt_type".into(), "aes".into()));
    query.push(("msg_signature".into(), msg_signature));
    let body = match mode {
        Mode::Compat => clear.replacen("</xml>", &format!("<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>"), 1),
        _ => format!(
            "<xml>\n<ToUserName><![CDATA[{}]]></ToUserName>\n<Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>",
            keys.original_id
        ),
    };
    Push { query, body: body.into() }
}

/// The GET of the console's URL check.
pub fn handshake(keys: &Keys, echostr: &str) -> Push {
    Push { query: signed(keys, now(), &nonce()), body: Vec::new() }.set("echostr", echostr)
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs() as i64
}

fn signed(keys: &Keys, timestamp: i64, nonce: &str) -> Vec<(String, String)> {
    let timestamp = timestamp.to_string();
    let signature = signature(&[&keys.token, &timestamp, nonce]);
    [("signature", signature), ("timestamp", timestamp), ("nonce", nonce.to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn nonce() -> String {
    rand::random_range(100_000_000..2_000_000_000u32).to_string()
}

/// The console makes keys whose last letter carries any spare bits.
fn key_bytes(letters: &str) -> Vec<u8> {
    let lenient = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&STANDARD, lenient).decode(format!("{letters}=")).expect("43 letters of base64")
}

fn percent(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    value.bytes().fold(String::new(), |mut text, byte| {
        match plain(byte) {
            true => text.push(char::from(byte)),
            false => write!(text, "%{byte:02X}").expect("a String takes all"),
        }
        text
    })
}
