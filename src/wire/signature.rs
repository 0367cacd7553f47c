//! The two signatures of a callback (reference 1.2).

use crate::domain::secret::Secret;
use sha1::{Digest, Sha1};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Lowercase hex SHA-1 of the concatenation of the byte-wise sorted token and `parts`:
/// timestamp and nonce for `signature`, also Encrypt for `msg_signature`.
pub fn sign(token: &Secret, parts: &[&str]) -> String {
    String::from_utf8_lossy(&hex(token, parts)).into_owned()
}

/// Which of the tokens (current first, then previous) made `given`. Every token is tried and compared in
/// constant time, so that the time taken tells nothing about any of them.
pub fn find(tokens: &[Secret], parts: &[&str], given: &str) -> Option<usize> {
    let mut found = Choice::from(0);
    let mut at = u64::MAX;
    for (index, token) in tokens.iter().enumerate() {
        let same = hex(token, parts).as_slice().ct_eq(given.as_bytes());
        at.conditional_assign(&(index as u64), same & !found);
        found |= same;
    }
    usize::try_from(at).ok().filter(|_| found.into())
}

fn hex(token: &Secret, parts: &[&str]) -> [u8; 40] {
    let mut sorted: Vec<&[u8]> = Vec::with_capacity(4);
    sorted.push(token.reveal().as_bytes());
    sorted.extend(parts.iter().map(|part| part.as_bytes()));
    sorted.sort_unstable();
    let mut hash = Sha1::new();
    for part in sorted {
        hash.update(part);
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 40];
    for (pair, byte) in text.chunks_exact_mut(2).zip(hash.finalize()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    text
}
