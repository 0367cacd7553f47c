//! A letter as it goes out: query and body of one mode, sound or damaged on purpose.

use super::letter::Letter;
use super::order::Break;
use super::xml;
use crate::domain::account::Mode;
use crate::error::{Error, Result};
use crate::sandbox::account::Account;
use crate::sandbox::crypto;
use crate::say;

/// A nonce has about ten digits.
const NONCES: std::ops::Range<u64> = 100_000_000..2_147_483_648;

/// What is posted.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The query, in the platform's order.
    pub query: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Seals a letter at a time (seconds since 1970), with a nonce and salt of its own.
pub fn seal(account: &Account, mode: Mode, letter: &Letter, now: i64, damage: Option<Break>) -> Result<Envelope> {
    let token = account.token.reveal();
    let timestamp = now.to_string();
    let nonce = nonce();
    let mut signature = crypto::sign(&[token, &timestamp, &nonce]);
    if damage == Some(Break::Signature) {
        turn(&mut signature);
    }
    let mut query = vec![
        ("signature", signature),
        ("timestamp", timestamp.clone()),
        ("nonce", nonce.clone()),
        ("openid", letter.from.clone()),
    ];
    let clear = xml::document(&letter.nodes);
    let mut body = clear.clone();
    if mode != Mode::Plain {
        let sealed = encrypt(account, &clear, damage)?;
        let mut msg_signature = crypto::sign(&[token, &timestamp, &nonce, &sealed]);
        if damage == Some(Break::MsgSignature) {
            turn(&mut msg_signature);
        }
        query.push(("encrypt_type", "aes".to_owned()));
        query.push(("msg_signature", msg_signature));
        body = enclose(account, mode, &clear, &sealed);
    }
    if damage == Some(Break::Truncate) {
        body = half(body);
    }
    Ok(Envelope { query, body })
}

/// A nonce as the platform draws them.
pub fn nonce() -> String {
    rand::random_range(NONCES).to_string()
}

/// The first half.
pub fn half(mut body: String) -> String {
    let half = (0..=body.len() / 2).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
    body.truncate(half);
    body
}

/// The text of `Encrypt`.
pub fn encrypt(account: &Account, clear: &str, damage: Option<Break>) -> Result<String> {
    let mut key = account.key().ok_or_else(|| no_key(&account.name))?;
    if damage == Some(Break::Key) {
        key.iter_mut().for_each(|byte| *byte ^= 0x5a);
    }
    let app_id = match damage {
        Some(Break::Appid) => "wxffffffffffffffff",
        _ => &account.app_id,
    };
    crypto::seal(&key, &rand::random(), clear, app_id).ok_or_else(|| no_key(&account.name))
}

/// Secure mode shows the receiver only; compatible mode repeats all in clear.
fn enclose(account: &Account, mode: Mode, clear: &str, sealed: &str) -> String {
    let sealed = xml::cdata(sealed);
    if mode == Mode::Compat {
        let fields = clear.strip_suffix("</xml>").unwrap_or(clear);
        return format!("{fields}<Encrypt>{sealed}</Encrypt>\n</xml>");
    }
    let to = xml::cdata(&account.original_id);
    format!("<xml>\n    <ToUserName>{to}</ToUserName>\n    <Encrypt>{sealed}</Encrypt>\n</xml>\n")
}

/// Makes a signature wrong and leaves it well formed.
pub fn turn(signature: &mut String) {
    let last = signature.pop();
    signature.push(if last == Some('0') { '1' } else { '0' });
}

fn no_key(name: &str) -> Error {
    Error::config(say!(
        "account {name} has no AES key, which compat and secure mode need";
        "账号 {name} 没有 AES 密钥，兼容模式与安全模式需要它"
    ))
}
