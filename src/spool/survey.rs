//! What lies in the folder, whoever wrote it.

use super::record::{self, Head, Piece};
use super::segment::{BROKEN, REFUSED, files, holds_records, segments};
use crate::store::{SpoolRow, spool_time};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The folder at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Bytes of every file in it.
    pub bytes: u64,
    /// Callbacks that wait to be moved into the database.
    pub events: u64,
    /// When the oldest of them came in, milliseconds.
    pub oldest_ms: Option<i64>,
    /// Files with what the database refused, or what is damaged: they wait for a person.
    pub set_aside: u64,
    /// When the oldest of those was written, milliseconds.
    pub set_aside_ms: Option<i64>,
}

impl Survey {
    /// The row that says so.
    pub fn row(&self, place: &str) -> SpoolRow {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        SpoolRow {
            place: place.to_owned(),
            bytes: whole(self.bytes),
            events: whole(self.events),
            oldest_at: self.oldest_ms.map(spool_time),
            set_aside: whole(self.set_aside),
            set_aside_since: self.set_aside_ms.map(spool_time),
        }
    }
}

/// Looks, and remembers what is in files that have not grown since.
#[derive(Debug, Default)]
pub struct Surveyor {
    seen: HashMap<PathBuf, (u64, u64, Option<i64>)>,
}

impl Surveyor {
    /// Looks at every file of the folder; nothing where there is none.
    pub fn look(&mut self, folder: &Path) -> std::io::Result<Survey> {
        let mut survey = Survey::default();
        let mut seen = HashMap::new();
        let segments = segments(folder)?;
        for (path, length) in files(folder)? {
            survey.bytes += length;
            let end = path.extension().and_then(|end| end.to_str());
            if matches!(end, Some(BROKEN | REFUSED)) {
                survey.set_aside += 1;
                let written = path.file_name().and_then(|name| name.to_str()?.split('-').next()?.parse().ok());
                survey.set_aside_ms = earlier(survey.set_aside_ms, written);
            } else if segments.contains(&path) && holds_records(length) {
                let known = self.seen.remove(&path).filter(|(at, ..)| *at == length);
                let (_, events, oldest) = known.unwrap_or_else(|| count(&path, length));
                survey.events += events;
                survey.oldest_ms = earlier(survey.oldest_ms, oldest);
                seen.insert(path, (length, events, oldest));
            }
        }
        self.seen = seen;
        Ok(survey)
    }
}

fn count(path: &Path, length: u64) -> (u64, u64, Option<i64>) {
    let bytes = std::fs::read(path).unwrap_or_default();
    let Head::Ours { nonce } = record::read_head(&bytes) else { return (length, 0, None) };
    let (mut events, mut oldest) = (0, None);
    for piece in record::pieces(&bytes, nonce) {
        if let Piece::Record(record) = piece {
            events += 1;
            oldest = earlier(oldest, Some(record.received_ms));
        }
    }
    (length, events, oldest)
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}
