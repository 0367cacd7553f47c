//! The messages that can be taken back, by msgid: a message's number and letters that only the sandbox makes.

use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::noise::{self, Noise};
use std::collections::VecDeque;
use std::sync::Arc;

/// A message can be taken back for so long (WeCom reference 3.1).
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Messages that are remembered; an older one is unknown.
const MOST: usize = 1_000_000;
/// What a msgid is written with, and how much of it comes before the number.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH: usize = 40;

/// The messages, numbered from 1.
#[derive(Debug)]
pub struct Sent {
    seed: u64,
    gone: u64,
    all: VecDeque<(i64, Arc<str>)>,
}

impl Sent {
    /// None yet.
    pub fn new(seed: u64) -> Self {
        Sent { seed: noise::of_text(seed, "msgid"), gone: 0, all: VecDeque::new() }
    }

    /// Numbers a message.
    pub fn add(&mut self, account: Arc<str>, now_ms: i64) -> u64 {
        if self.all.len() == MOST {
            self.all.pop_front();
            self.gone += 1;
        }
        self.all.push_back((now_ms, account));
        self.gone + self.all.len() as u64
    }

    /// The msgid of a number.
    pub fn msgid(&self, number: u64) -> String {
        format!("{}-{number}", Noise::new(self.seed ^ number).word(LETTERS, LENGTH))
    }

    /// The number of a msgid that this app may take back: 40058 for one that is unknown or another app's,
    /// 42052 after a day.
    pub fn find(&self, msgid: &str, account: &str, now_ms: i64) -> Result<u64, Refusal> {
        let number = msgid.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok());
        let Some(number) = number.filter(|number| self.msgid(*number) == msgid) else {
            return Err(unknown());
        };
        let place = number.checked_sub(self.gone + 1).and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.all.get(place)) {
            Some((at_ms, own)) if **own == *account => {
                if now_ms - at_ms < DAY_MS {
                    Ok(number)
                } else {
                    refuse(42052)
                }
            }
            _ => Err(unknown()),
        }
    }
}

fn unknown() -> Refusal {
    Refusal::said(40058, "invalid msgid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_million_can_be_taken_back() {
        let mut sent = Sent::new(1);
        let app: Arc<str> = "wecom".into();
        let first = sent.add(app.clone(), 0);
        assert_eq!(sent.find(&sent.msgid(first), "wecom", DAY_MS - 1), Ok(first));
        let last = (0..MOST).map(|_| sent.add(app.clone(), 0)).last().unwrap_or_default();
        assert_eq!((last, sent.all.len()), (MOST as u64 + 1, MOST));
        let errcode = |msgid: &str, now_ms| sent.find(msgid, "wecom", now_ms).map_err(|refusal| refusal.errcode);
        assert_eq!(errcode(&sent.msgid(first), 0), Err(40058));
        assert_eq!((errcode(&sent.msgid(last), 0), errcode(&sent.msgid(last), DAY_MS)), (Ok(last), Err(42052)));
        assert_eq!(errcode(&format!("{}x", sent.msgid(last)), 0), Err(40058));
    }
}
