//! The encrypted form of a message (reference 1.2): base64 of AES-256-CBC over
//! 16 random bytes, the length in 4 bytes big-endian, the message, the appid, and PKCS#7 to 32.
//!
//! CBC has no integrity: open an envelope only after its msg_signature was found right.

use super::reason::Reason;
use crate::domain::account::AesKey;
use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::hint::black_box;
use std::sync::LazyLock;
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};

/// The block that PKCS#7 fills up, in bytes: twice AES's own.
const BLOCK: usize = 32;
/// Random bytes before the length.
const RANDOM: usize = 16;
/// Random bytes and length.
const HEAD: usize = RANDOM + 4;

/// Opens `encrypt` and gives the message. Padding, length, appid and text are all looked at before any of
/// them decides, so that no refusal ends much sooner than another. This is a second line: only the holder
/// of the token gets here, because msg_signature is checked first.
pub fn open(key: &AesKey, app_id: &str, encrypt: &str) -> Result<String, Reason> {
    let mut bytes = STANDARD.decode(encrypt).map_err(|_| Reason::Decrypt)?;
    if bytes.is_empty() || bytes.len() % BLOCK != 0 {
        return Err(Reason::Decrypt);
    }
    let plain = decrypt(key, &mut bytes).ok_or(Reason::Decrypt)?;
    let (padding_good, padding) = padding(plain);
    let end = plain.len() - padding;
    let (message, tail) = split(&plain[..end.max(HEAD)]);
    let fits = end >= HEAD && tail.is_some();
    let appid_good = tail.unwrap_or_default().ct_eq(app_id.as_bytes());
    let text = std::str::from_utf8(message);
    match (padding_good.into(), fits, appid_good.into(), text) {
        (true, true, true, Ok(text)) => Ok(text.to_owned()),
        (true, true, false, _) => Err(Reason::Appid),
        _ => Err(Reason::Decrypt),
    }
}

/// Does the work of [`open`] and tells nothing: with a key that is nobody's, so that a stranger's bytes never meet ours,
/// whose answer could be read from the time it takes.
pub fn feign(encrypt: &str) {
    static NOBODYS: LazyLock<Option<AesKey>> = LazyLock::new(|| AesKey::parse(&"A".repeat(43)).ok());
    if let Some(key) = NOBODYS.as_ref() {
        // The compiler must not find out that nobody wants it.
        let _ = black_box(open(black_box(key), "", black_box(encrypt)));
    }
}

/// The AppID inside, whosever it is. Only for a message whose signature was found right: what it says is no secret of
/// the holder of the token, and no forger learns anything.
pub fn app_id(key: &AesKey, encrypt: &str) -> Option<String> {
    let mut bytes = STANDARD.decode(encrypt).ok().filter(|bytes| !bytes.is_empty() && bytes.len() % BLOCK == 0)?;
    let plain = decrypt(key, &mut bytes)?;
    let (good, padding) = padding(plain);
    let end = plain.len().checked_sub(padding).filter(|end| *end >= HEAD && good.into())?;
    let app_id = std::str::from_utf8(split(&plain[..end]).1?).ok()?;
    let sane = (1..=64).contains(&app_id.len()) && app_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sane.then(|| app_id.to_owned())
}

/// Seals `message` for `app_id` with 16 fresh random bytes; the text of an Encrypt element.
pub fn seal(key: &AesKey, app_id: &str, random: &[u8; RANDOM], message: &str) -> String {
    let length = HEAD + message.len() + app_id.len();
    let padding = BLOCK - length % BLOCK;
    let mut bytes = Vec::with_capacity(length + padding);
    bytes.extend_from_slice(random);
    bytes.extend_from_slice(&(message.len() as u32).to_be_bytes());
    bytes.extend_from_slice(message.as_bytes());
    bytes.extend_from_slice(app_id.as_bytes());
    bytes.resize(length + padding, padding as u8);
    let sealed = cbc::Encryptor::<Aes256>::new(&(*key.bytes()).into(), &iv(key).into())
        .encrypt_padded::<NoPadding>(&mut bytes, length + padding)
        .expect("a whole number of blocks needs no padding");
    STANDARD.encode(sealed)
}

fn decrypt<'a>(key: &AesKey, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
    cbc::Decryptor::<Aes256>::new(&(*key.bytes()).into(), &iv(key).into()).decrypt_padded::<NoPadding>(bytes).ok()
}

/// The first half of the key.
fn iv(key: &AesKey) -> [u8; 16] {
    let mut iv = [0; 16];
    iv.copy_from_slice(&key.bytes()[..16]);
    iv
}

/// Whether the padding is right in every byte, and its length (0 when it is not). `plain` is at least one
/// [`BLOCK`] long.
fn padding(plain: &[u8]) -> (Choice, usize) {
    let last = plain[plain.len() - 1];
    let mut good = !last.ct_eq(&0) & !last.ct_gt(&(BLOCK as u8));
    for (distance, byte) in plain.iter().rev().take(BLOCK).enumerate() {
        let outside = !last.ct_gt(&(distance as u8));
        good &= outside | byte.ct_eq(&last);
    }
    (good, usize::from(last) * usize::from(good.unwrap_u8()))
}

/// The message and what follows it; nothing follows where the length does not fit. `plain` is at least
/// [`HEAD`] long.
fn split(plain: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (head, rest) = plain.split_at(HEAD);
    let length = head[RANDOM..].iter().fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
    match rest.split_at_checked(length) {
        Some((message, tail)) => (message, Some(tail)),
        None => (rest, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, padding};

    #[test]
    fn every_padding_byte_counts() {
        for length in 0..=255_u8 {
            let mut plain = vec![b'm'; 2 * BLOCK];
            let from = plain.len().saturating_sub(usize::from(length));
            plain[from..].fill(length);
            *plain.last_mut().unwrap_or(&mut 0) = length;
            let good = (1..=32).contains(&length);
            assert_eq!(bool::from(padding(&plain).0), good, "{length}");
            assert_eq!(padding(&plain).1, if good { usize::from(length) } else { 0 });
            for at in (from..plain.len()).filter(|_| good) {
                plain[at] ^= 0x80;
                assert!(!bool::from(padding(&plain).0), "{length}, byte {at}");
                plain[at] ^= 0x80;
            }
        }
    }
}
