//! Signing and sealing as the platform does (reference 1.2). Written apart from the receiver's code on
//! purpose: a mistake there must not be answered by the same mistake here.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// The 62 signs and two marks of base64, in order of value.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Messages are padded to blocks of this size, twice the block of the cipher.
const PAD: usize = 32;

/// `signature` and `msg_signature`: lower-case hex SHA-1 over the sorted parts.
pub fn sign(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    let digest = Sha1::digest(sorted.concat().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes of an EncodingAESKey of 43 letters; the two spare bits of the last letter are dropped.
pub fn key_bytes(letters: &str) -> Option<[u8; 32]> {
    let mut key = [0u8; 32];
    let mut held = 0u32;
    let mut bits = 0;
    let mut at = 0;
    for letter in letters.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        held = (held << 6) | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            *key.get_mut(at)? = (held >> bits) as u8;
            at += 1;
        }
    }
    (letters.len() == 43).then_some(key)
}

/// Spells 32 bytes as an EncodingAESKey; `spare` (0 to 3) fills the two bits that carry nothing.
pub fn key_letters(key: &[u8; 32], spare: u8) -> String {
    let mut text = STANDARD.encode(key);
    text.truncate(42);
    let last = ((key[31] & 0x0f) << 2) | (spare & 3);
    text.push(char::from(LETTERS[usize::from(last)]));
    text
}

/// `Encrypt`: 16 random bytes, the length, the message and the appid, padded, sealed, in base64.
pub fn seal(key: &[u8; 32], salt: &[u8; 16], message: &str, app_id: &str) -> Option<String> {
    let length = u32::try_from(message.len()).ok()?;
    let mut plain = [&salt[..], &length.to_be_bytes(), message.as_bytes(), app_id.as_bytes()].concat();
    let pad = PAD - plain.len() % PAD;
    plain.resize(plain.len() + pad, pad as u8);
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(key, &key[..16]).ok()?;
    let size = plain.len();
    cipher.encrypt_padded::<NoPadding>(&mut plain, size).ok()?;
    Some(STANDARD.encode(plain))
}

/// Opens what [`seal`] or an encrypted reply made: the message and the appid behind it.
pub fn open(key: &[u8; 32], sealed: &str) -> Option<(String, String)> {
    let mut bytes = STANDARD.decode(sealed).ok()?;
    let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(key, &key[..16]).ok()?;
    let plain = cipher.decrypt_padded::<NoPadding>(&mut bytes).ok()?;
    let pad = usize::from(*plain.last()?);
    let plain = plain.get(..plain.len().checked_sub(pad).filter(|_| (1..=PAD).contains(&pad))?)?;
    let length = u32::from_be_bytes(plain.get(16..20)?.try_into().ok()?) as usize;
    let message = plain.get(20..20usize.checked_add(length)?)?;
    let app_id = plain.get(20 + length..)?;
    Some((String::from_utf8(message.to_vec()).ok()?, String::from_utf8(app_id.to_vec()).ok()?))
}
