//! What arrived: the last messages, one row a person, and when each message was sent, for those who take it back.

use serde::Serialize;
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows that are kept.
const ROWS: usize = 50_000;
/// Bytes of content that are kept.
const BYTES: usize = 32 * 1024 * 1024;

/// A message as it arrives.
#[derive(Debug)]
pub struct Message {
    /// Its number, from 1; `None` for a robot's, which has none.
    pub number: Option<u64>,
    /// Its msgid.
    pub msgid: Option<String>,
    /// The app that sent it; `None` for a robot.
    pub account: Option<String>,
    /// Its msgtype.
    pub msgtype: String,
    /// Its text, or the JSON of what has no text.
    pub content: String,
    /// The platform cut it.
    pub cut: bool,
    /// When the request arrived, by the machine's clock, ms since 1970.
    pub at_ms: i64,
    /// When it was taken, by the sandbox's clock, seconds since 1970.
    pub clock: i64,
}

#[derive(Debug)]
struct Row {
    message: Arc<Message>,
    userid: Option<Arc<str>>,
    recalled: bool,
    /// Of the first row of a message, what its content takes.
    bytes: usize,
}

/// One row as GET /sandbox/wecom/messages shows it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    n: u64,
    at: String,
    at_ms: i64,
    clock: i64,
    account: Option<&'a str>,
    userid: Option<&'a str>,
    msgid: Option<&'a str>,
    msgtype: &'a str,
    content: &'a str,
    cut: bool,
    recalled: bool,
}

/// The rows, numbered from 1.
#[derive(Debug, Default)]
pub struct Inbox {
    rows: VecDeque<Row>,
    gone: u64,
    bytes: usize,
}

impl Inbox {
    /// Puts a message before these people; before nobody in particular, where there are none (a robot's group).
    pub fn put(&mut self, message: Message, people: Vec<Arc<str>>) {
        let message = Arc::new(message);
        let row = |userid| Row { message: message.clone(), userid, recalled: false, bytes: 0 };
        let before = self.rows.len();
        match message.account {
            None => self.rows.push_back(row(None)),
            Some(_) => self.rows.extend(people.into_iter().map(|userid| row(Some(userid)))),
        }
        if let Some(first) = self.rows.get_mut(before) {
            first.bytes = message.content.len();
            self.bytes += first.bytes;
        }
        while self.rows.len() > ROWS || self.bytes > BYTES {
            let Some(oldest) = self.rows.pop_front() else { break };
            self.bytes -= oldest.bytes;
            self.gone += 1;
        }
    }

    /// Marks the rows of a message.
    pub fn recall(&mut self, number: u64) {
        let of_it = self.rows.iter_mut().filter(|row| row.message.number == Some(number));
        of_it.for_each(|row| row.recalled = true);
    }

    /// The rows after number `after`, of one person where given, one JSON object a line.
    pub fn ndjson(&self, after: u64, userid: Option<&str>) -> String {
        let userid = userid.map(str::to_ascii_lowercase);
        let numbered = (self.gone + 1..).zip(&self.rows);
        numbered
            .filter(|(n, row)| *n > after && userid.as_deref().is_none_or(|only| row.userid.as_deref() == Some(only)))
            .filter_map(|(n, row)| serde_json::to_string(&row.shown(n)).ok())
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

impl Row {
    fn shown(&self, n: u64) -> Shown<'_> {
        let Message { msgid, account, msgtype, content, cut, at_ms, clock, .. } = &*self.message;
        let at = chrono::DateTime::from_timestamp_millis(*at_ms).unwrap_or_default();
        Shown {
            n,
            at: at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            at_ms: *at_ms,
            clock: *clock,
            account: account.as_deref(),
            userid: self.userid.as_deref(),
            msgid: msgid.as_deref(),
            msgtype,
            content,
            cut: *cut,
            recalled: self.recalled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, content: &str) -> Message {
        let (account, msgtype) = (Some("wecom".to_owned()), "text".to_owned());
        let (msgid, cut, at_ms, clock, content) = (None, false, 0, 0, content.to_owned());
        Message { number: Some(number), msgid, account, msgtype, content, cut, at_ms, clock }
    }

    /// The number of the first row, and how many there are.
    fn numbers(inbox: &Inbox) -> (u64, usize) {
        (inbox.gone + 1, inbox.rows.len())
    }

    #[test]
    fn rows_and_bytes_are_bounded_and_the_numbers_go_on() {
        let mut inbox = Inbox::default();
        let people: Vec<Arc<str>> = (0..1000).map(|n| Arc::from(format!("u{n}"))).collect();
        (0..51).for_each(|number| inbox.put(message(number, "x"), people.clone()));
        assert_eq!(numbers(&inbox), (1001, ROWS));
        let mut inbox = Inbox::default();
        let long = "x".repeat(BYTES / 10);
        (0..15).for_each(|number| inbox.put(message(number, &long), people[..2].to_vec()));
        assert_eq!(numbers(&inbox), (10, 21), "the last ten, and of the one before the row that shares its text");
        assert!(inbox.bytes <= BYTES);
        let last = inbox.ndjson(29, None);
        assert!(last.starts_with("{\"n\":30,") && last.lines().count() == 1);
    }
}
