//! The key that finds a repeated push (reference 1.5): equal for the platform's retries, different for
//! everything else.

use crate::domain::event::{Element, Event};
use ring::hmac;

/// Bytes that say which push it is: account and MsgId for a message that has one, account and the whole
/// tree for everything else. Lengths and counts stand before what they measure, so that no two pushes
/// give the same bytes.
pub fn dedupe_message(account: &str, event: &Event) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    match &event.msg_id {
        Some(msg_id) => {
            bytes.push(1);
            put(&mut bytes, account);
            put(&mut bytes, msg_id);
        }
        None => {
            bytes.push(2);
            put(&mut bytes, account);
            put_element(&mut bytes, &event.root);
        }
    }
    bytes
}

/// CreateTime in 4 bytes big-endian (a retry carries the same; keys in order of time are cheap to
/// index), then 28 bytes of the keyed hash of [`dedupe_message`].
pub fn dedupe_key(key: &hmac::Key, account: &str, event: &Event) -> [u8; 32] {
    let tag = hmac::sign(key, &dedupe_message(account, event));
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&(event.created as u32).to_be_bytes());
    bytes[4..].copy_from_slice(&tag.as_ref()[..28]);
    bytes
}

/// Name, text, number of children, children: every leaf with its path, in document order.
fn put_element(bytes: &mut Vec<u8>, element: &Element) {
    put(bytes, &element.name);
    put(bytes, &element.text);
    put_count(bytes, element.children.len());
    for child in &element.children {
        put_element(bytes, child);
    }
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// A document has at most 256 KiB, so 4 bytes are plenty.
fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&(count as u32).to_be_bytes());
}
