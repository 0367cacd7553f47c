//! Openids made from a number and turned back, so that millions of followers need no memory.

use super::noise;
use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `o`, five letters of the account, 22 letters that hold one cipher block.
const LENGTH: usize = 28;
/// Where the block begins.
const BLOCK_AT: usize = 6;

/// Makes and reads the openids of one account.
pub struct Codec {
    cipher: Aes128,
    prefix: String,
    mark: u64,
}

impl Codec {
    /// The codec of an account under a seed.
    pub fn new(seed: u64, app_id: &str) -> Self {
        let one = noise::of_text(seed, app_id);
        let two = noise::mix(one ^ 0x6f70_656e_6964);
        let key: [u8; 16] = block(one, two);
        let letters = URL_SAFE_NO_PAD.encode(noise::mix(two).to_be_bytes());
        let prefix = format!("o{}", &letters[..BLOCK_AT - 1]);
        Codec { cipher: Aes128::new(&key.into()), prefix, mark: noise::mix(one) }
    }

    /// The openid of person number `index`: 28 letters that begin with `o`.
    pub fn openid(&self, index: u64) -> String {
        let mut openid = String::with_capacity(LENGTH);
        self.write(index, &mut openid);
        openid
    }

    /// Puts the openid of person number `index` behind a text.
    pub fn write(&self, index: u64, text: &mut String) {
        let mut bytes = block(index, self.mark).into();
        self.cipher.encrypt_block(&mut bytes);
        text.push_str(&self.prefix);
        URL_SAFE_NO_PAD.encode_string(bytes, text);
    }

    /// The number behind an openid; `None` for one that this account never gave out.
    pub fn index(&self, openid: &str) -> Option<u64> {
        let letters = openid.strip_prefix(&self.prefix).filter(|_| openid.len() == LENGTH)?;
        // The decoder wants room for all that so many letters may hold.
        let mut room = [0; 18];
        let read = URL_SAFE_NO_PAD.decode_slice(letters, &mut room).ok()?;
        let bytes: [u8; 16] = room[..read].try_into().ok()?;
        let mut bytes = bytes.into();
        self.cipher.decrypt_block(&mut bytes);
        let (index, mark) = bytes.split_at(8);
        let mark = u64::from_be_bytes(mark.try_into().ok()?);
        (mark == self.mark).then_some(u64::from_be_bytes(index.try_into().ok()?))
    }
}

fn block(high: u64, low: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&low.to_be_bytes());
    bytes
}
