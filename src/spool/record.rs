//! What stands in a segment: a head with the version of the format, then records, each with its length and checksum.
//!
//! ```text
//! head:   "WXSPOOL" version(1) nonce(4) crc(4)
//! record: "WXR1" length(4) crc(4) body       crc over nonce, length and body
//! body:   received, ms (8) key(32) length of the account(1) account message
//! ```
//! Before the name of a WeCom application stands `wecom/`: no name has a slash.
//! Numbers are little-endian. The nonce is drawn for each file: nobody can write a message that would be taken for a
//! record where a broken file is searched for what comes behind.

use crate::domain::account::Platform;
use crate::store::Arrival;
use crate::wire::message;
use crate::wire::reason::Reason;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Bytes before the first record.
pub(super) const HEAD: usize = 16;
/// What is written today.
pub(super) const VERSION: u8 = 1;

const NAME: &[u8; 7] = b"WXSPOOL";
const MARK: &[u8; 4] = b"WXR1";
/// Mark, length and checksum.
const FRAME: usize = 12;
/// Time, key and the account's length.
const FIXED: usize = 41;
/// Before the name of a WeCom application.
const WECOM: &str = "wecom/";
/// A message is at most 256 KiB (reference 1.6): a greater length is none.
const BODY_MAX: usize = 512 * 1024;

/// A callback as it lies in the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose callback it is: another platform's has other fields.
    pub platform: Platform,
    /// The account's name.
    pub account: Arc<str>,
    /// The key that tells it from every other, made at the receipt.
    pub key: [u8; 32],
    /// When it came in, milliseconds.
    pub received_ms: i64,
    /// The message as it was decrypted.
    pub raw: String,
}

impl Record {
    /// The callback that it was.
    pub fn arrival(&self) -> Result<Arrival, Reason> {
        let event = message::read(self.platform, &self.raw)?;
        let received = DateTime::<Utc>::from_timestamp_millis(self.received_ms).unwrap_or_default();
        Ok(Arrival::new(self.account.clone(), self.key, event, self.raw.clone(), received))
    }

    fn read(body: &[u8]) -> Option<Record> {
        let (fixed, rest) = body.split_at_checked(FIXED)?;
        let (account, raw) = rest.split_at_checked(usize::from(fixed[40]))?;
        let account = std::str::from_utf8(account).ok()?;
        let (platform, account) = match account.strip_prefix(WECOM) {
            Some(name) => (Platform::WeCom, name),
            None => (Platform::Official, account),
        };
        Some(Record {
            platform,
            account: account.into(),
            key: fixed[8..40].try_into().ok()?,
            received_ms: i64::from_le_bytes(fixed[..8].try_into().ok()?),
            raw: std::str::from_utf8(raw).ok()?.to_owned(),
        })
    }
}

/// The body of a record.
pub(super) fn body((platform, name): (Platform, &str), key: &[u8; 32], received_ms: i64, raw: &str) -> Vec<u8> {
    let prefix = if platform == Platform::WeCom { WECOM } else { "" };
    // A name is at most 32 letters.
    let account = format!("{prefix}{name}");
    let account = &account.as_bytes()[..account.len().min(255)];
    let mut body = Vec::with_capacity(FIXED + account.len() + raw.len());
    body.extend_from_slice(&received_ms.to_le_bytes());
    body.extend_from_slice(key);
    body.push(account.len() as u8);
    body.extend_from_slice(account);
    body.extend_from_slice(raw.as_bytes());
    body
}

/// Adds a record to what is to be written into a file.
pub(super) fn frame(out: &mut Vec<u8>, nonce: u32, body: &[u8]) {
    let length = (body.len() as u32).to_le_bytes();
    out.extend_from_slice(MARK);
    out.extend_from_slice(&length);
    out.extend_from_slice(&checksum(nonce, length, body).to_le_bytes());
    out.extend_from_slice(body);
}

/// The bytes that a body takes in a file.
pub(super) fn framed(body: &[u8]) -> u64 {
    (FRAME + body.len()) as u64
}

/// The head of a new file.
pub(super) fn head(nonce: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..7].copy_from_slice(NAME);
    head[7] = VERSION;
    head[8..12].copy_from_slice(&nonce.to_le_bytes());
    let crc = crc32fast::hash(&head[..12]);
    head[12..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// Ours.
    Ours { nonce: u32 },
    /// Of a newer program: not ours to touch.
    Newer(u8),
    /// It ended before its head did: nothing was ever acknowledged from it.
    Unfinished,
    /// Damaged.
    Broken,
}

/// Reads the head of a file.
pub(super) fn read_head(file: &[u8]) -> Head {
    let Some((head, _)) = file.split_at_checked(HEAD) else { return Head::Unfinished };
    if crc32fast::hash(&head[..12]).to_le_bytes() != head[12..] || &head[..7] != NAME {
        // Zeros are what a crash leaves of a file whose first block was not written yet.
        return if file.iter().all(|byte| *byte == 0) { Head::Unfinished } else { Head::Broken };
    }
    match head[7] {
        VERSION => Head::Ours { nonce: number(&head[8..12]) },
        other => Head::Newer(other),
    }
}

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A whole record.
    Record(Record),
    /// Bytes that are none, with the place where they begin.
    Broken(usize, &'a [u8]),
    /// The end of a write that a crash cut off. It was never acknowledged.
    Torn(usize),
}

/// Everything behind the head. What is damaged is passed over: records behind it are found by their mark.
pub(super) fn pieces(file: &[u8], nonce: u32) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut at = HEAD;
    while at < file.len() {
        if let Some((record, length)) = record_at(&file[at..], nonce) {
            found.push(Piece::Record(record));
            at += length;
            continue;
        }
        let next = (at + 1..file.len()).find(|next| record_at(&file[*next..], nonce).is_some());
        match next {
            Some(next) => found.push(Piece::Broken(at, &file[at..next])),
            None if is_torn(&file[at..]) => found.push(Piece::Torn(file.len() - at)),
            None => found.push(Piece::Broken(at, &file[at..])),
        }
        at = next.unwrap_or(file.len());
    }
    found
}

/// A whole record at the beginning of these bytes, and how long it is.
fn record_at(bytes: &[u8], nonce: u32) -> Option<(Record, usize)> {
    let (frame, rest) = bytes.split_at_checked(FRAME)?;
    let length = number(&frame[4..8]) as usize;
    if &frame[..4] != MARK || length > BODY_MAX {
        return None;
    }
    let body = rest.get(..length)?;
    if checksum(nonce, (length as u32).to_le_bytes(), body) != number(&frame[8..12]) {
        return None;
    }
    Some((Record::read(body)?, FRAME + length))
}

/// Whether a write was cut off here: it is shorter than it says, or zeros from some place on. What has its whole length
/// and a wrong checksum may have been acknowledged: that is damage.
fn is_torn(bytes: &[u8]) -> bool {
    let Some((frame, rest)) = bytes.split_at_checked(FRAME) else { return true };
    let length = number(&frame[4..8]) as usize;
    let cut = &frame[..4] == MARK && length > rest.len();
    cut || frame[..4] == [0; 4] || bytes.last() == Some(&0)
}

fn checksum(nonce: u32, length: [u8; 4], body: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new_with_initial(nonce);
    sum.update(&length);
    sum.update(body);
    sum.finalize()
}

fn number(four: &[u8]) -> u32 {
    four.try_into().map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const NONCE: u32 = 7;

    fn record(n: u8) -> Record {
        let raw = format!("<xml>{}</xml>", "测".repeat(usize::from(n)));
        let platform = if n % 2 == 1 { Platform::WeCom } else { Platform::Official };
        Record { platform, account: "main".into(), key: [n; 32], received_ms: 1_700_000_000_000 + i64::from(n), raw }
    }

    fn file(count: u8) -> Vec<u8> {
        let mut file = head(NONCE).to_vec();
        for Record { platform, account, key, received_ms, raw } in (0..count).map(record) {
            frame(&mut file, NONCE, &body((platform, &account), &key, received_ms, &raw));
        }
        file
    }

    fn records(file: &[u8]) -> Vec<Record> {
        let records = pieces(file, NONCE).into_iter();
        records.filter_map(|piece| if let Piece::Record(record) = piece { Some(record) } else { None }).collect()
    }

    #[test]
    fn a_tail_torn_at_any_byte_costs_only_itself() {
        let (whole, without) = (file(4), file(3));
        for end in without.len()..whole.len() {
            let found = pieces(&whole[..end], NONCE);
            assert_eq!(records(&whole[..end]), (0..3).map(record).collect::<Vec<_>>(), "cut at {end}");
            let torn = (end > without.len()).then_some(Piece::Torn(end - without.len()));
            assert_eq!(found.into_iter().nth(3), torn, "cut at {end}");
            // The same place, where the file has its length already and the block was never written.
            let mut zeros = whole[..end].to_vec();
            zeros.resize(whole.len(), 0);
            assert_eq!(records(&zeros).len(), 3);
            let tail = pieces(&zeros, NONCE).pop();
            assert!(matches!(tail, Some(Piece::Torn(_))), "zeros from {end}: {tail:?}");
        }
    }

    #[test]
    fn a_head_tells_whose_it_is() {
        assert_eq!(read_head(&file(1)), Head::Ours { nonce: NONCE });
        for end in 0..HEAD {
            assert_eq!(read_head(&file(1)[..end]), Head::Unfinished);
        }
        assert_eq!(read_head(&[0; 64]), Head::Unfinished);
        for at in 0..HEAD {
            let mut spoilt = file(1);
            spoilt[at] ^= 1;
            assert_eq!(read_head(&spoilt), Head::Broken, "byte {at}");
        }
        let mut newer = head(NONCE);
        newer[7] = 9;
        let crc = crc32fast::hash(&newer[..12]).to_le_bytes();
        newer[12..].copy_from_slice(&crc);
        assert_eq!(read_head(&newer), Head::Newer(9));
    }

    #[test]
    fn a_message_can_not_play_a_record() {
        let mut forged = Vec::new();
        frame(&mut forged, NONCE + 1, &body((Platform::Official, "main"), &[9; 32], 1, "<xml>forged</xml>"));
        let mut spoilt = head(NONCE).to_vec();
        frame(&mut spoilt, NONCE, &body((Platform::Official, "main"), &[1; 32], 1, &String::from_utf8_lossy(&forged)));
        spoilt[HEAD + 4] ^= 1;
        assert_eq!(records(&spoilt), []);
    }

    proptest! {
        #[test]
        fn whatever_is_spoilt_the_others_are_found(at in HEAD..400_usize, bit in 0..8_u8) {
            let mut spoilt = file(6);
            let at = at.min(spoilt.len() - 1);
            spoilt[at] ^= 1 << bit;
            let found = records(&spoilt);
            prop_assert_eq!(found.len(), 5);
            prop_assert!(found.iter().all(|one| (0..6).any(|n| record(n) == *one)));
        }

        #[test]
        fn noise_is_no_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut whole = file(1);
            whole.extend_from_slice(&noise);
            prop_assert_eq!(records(&whole).len(), 1);
            let _ = read_head(&noise);
        }
    }
}
