//! `[queue]`: which members are told of, and what of them.

use super::Read;
use super::database;
use super::keys;
use super::layers::GLOBAL;
use crate::domain::notice::{Kind, Source};
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;

/// Times that a message is sent at the most.
const ATTEMPTS: std::ops::RangeInclusive<u32> = 1..=20;
/// Longest identifier of MySQL, in letters.
const NAME_MAX: usize = 64;
/// What is not told of as a change: it changes with every other column, or has a kind of its own.
const NO_CHANGE: [&str; 1] = ["updated_at"];

/// How new members come into the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Capture {
    /// By a trigger on their table.
    #[default]
    Trigger,
    /// By looking for new ids: for a database that allows no trigger.
    Poll,
}

impl Capture {
    /// As it is configured.
    pub fn as_str(self) -> &'static str {
        match self {
            Capture::Trigger => "trigger",
            Capture::Poll => "poll",
        }
    }

    /// The capture of that name.
    pub fn parse(text: &str) -> Option<Capture> {
        [Capture::Trigger, Capture::Poll].into_iter().find(|capture| capture.as_str() == text)
    }
}

/// What was configured of the queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The CRM's database; `None`: it is our own.
    pub database_url: Option<Secret>,
    /// The table of the members.
    pub members_table: String,
    /// The column of it that holds a member's number.
    pub id_column: String,
    /// The columns that go into a notification.
    pub fields: Vec<String>,
    /// What is told of.
    pub kinds: Vec<Kind>,
    /// The columns whose change is told of (kind changed).
    pub changed: Vec<String>,
    /// The column whose change is told of as the kind status.
    pub status_column: String,
    /// How new members come into the queue.
    pub capture: Capture,
    /// Times that a message is sent before it is given up.
    pub max_attempts: u32,
}

pub(super) fn queue(read: &mut Read<'_>) -> Result<Queue> {
    let database_url = read.parsed(&keys::QUEUE_DATABASE_URL, url)?;
    let fields = read.or_default(&keys::QUEUE_FIELDS, names)?;
    let status_column = read.or_default(&keys::QUEUE_STATUS, name)?;
    let told = |field: &&String| !NO_CHANGE.contains(&field.as_str()) && **field != status_column;
    let changed = read.parsed(&keys::QUEUE_CHANGED, names)?;
    let queue = Queue {
        database_url,
        members_table: read.or_default(&keys::QUEUE_MEMBERS, name)?,
        id_column: read.or_default(&keys::QUEUE_ID, name)?,
        changed: changed.unwrap_or_else(|| fields.iter().filter(told).cloned().collect()),
        fields,
        kinds: read.or_default(&keys::QUEUE_KINDS, kinds)?,
        status_column,
        capture: read.or_default(&keys::QUEUE_CAPTURE, capture)?,
        max_attempts: read.or_default(&keys::QUEUE_ATTEMPTS, attempts)?,
    };
    match (queue.check_capture(queue.capture), read.layers.get(&keys::QUEUE_KINDS, GLOBAL)?) {
        (Err(error), Some(kinds)) => Err(kinds.wrap(error)),
        (done, _) => done.map(|()| queue),
    }
}

impl Queue {
    /// The members, and what is told of them.
    pub fn source(&self) -> Source {
        Source {
            table: self.members_table.clone(),
            id: self.id_column.clone(),
            fields: self.fields.clone(),
            kinds: self.kinds.clone(),
            changed: self.changed.clone(),
            status: self.status_column.clone(),
            max_attempts: self.max_attempts,
        }
    }

    /// Refuses kinds that a capture can't see.
    pub fn check_capture(&self, capture: Capture) -> Result<()> {
        match capture == Capture::Poll && self.kinds != [Kind::New] {
            false => Ok(()),
            true => Err(Error::config(say!(
                "polling sees new members alone, not changes: with capture = \"poll\" only new is possible";
                "轮询只能发现新会员，看不到变更：capture = \"poll\" 时只能用 new"
            ))),
        }
    }
}

fn url(text: &str) -> Result<Secret> {
    database::check(text).map(|()| Secret::new(text))
}

/// The name of a table or column. It stands quoted in SQL; a quote in it would end it.
fn name(text: &str) -> Result<String> {
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let count = text.chars().count();
    match (1..=NAME_MAX).contains(&count) && text.chars().all(letter) {
        true => Ok(text.to_owned()),
        false => Err(Error::config(say!(
            "not the name of a table or column: 1 to 64 letters, digits, _ or $";
            "不是表名或列名：应为 1 至 64 个字母、数字、_ 或 $"
        ))),
    }
}

/// Names by commas, each once.
fn names(text: &str) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for one in listed(text) {
        let one = name(one)?;
        if all.iter().any(|known| known.eq_ignore_ascii_case(&one)) {
            return Err(Error::config(say!("{one} is in it twice"; "{one} 出现了两次")));
        }
        all.push(one);
    }
    match all.is_empty() {
        true => Err(Error::config(say!("names no column"; "没有列名"))),
        false => Ok(all),
    }
}

fn kinds(text: &str) -> Result<Vec<Kind>> {
    let wrong = || Error::config(say!("may hold only new, changed and status"; "只能含 new、changed 和 status"));
    let mut all = listed(text).map(|one| Kind::parse(one).ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
    all.sort();
    all.dedup();
    if all.is_empty() { Err(wrong()) } else { Ok(all) }
}

fn capture(text: &str) -> Result<Capture> {
    Capture::parse(text).ok_or_else(|| Error::config(say!("must be trigger or poll"; "应为 trigger 或 poll")))
}

fn attempts(text: &str) -> Result<u32> {
    let number = text.parse().ok().filter(|number| ATTEMPTS.contains(number));
    number.ok_or_else(|| Error::config(say!("must be a whole number from 1 to 20"; "应为 1 至 20 的整数")))
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_quoted_words_and_each_once() {
        assert_eq!(names("member_no, 昵称,a$1").unwrap(), ["member_no", "昵称", "a$1"]);
        for wrong in ["", ",", "a b", "a`b", "a,A", "crm.members", &"x".repeat(65)] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_stand_in_one_order() {
        assert_eq!(kinds("status, new, new").unwrap(), [Kind::New, Kind::Status]);
        assert!(kinds("").is_err() && kinds("new, gone").is_err());
    }
}
