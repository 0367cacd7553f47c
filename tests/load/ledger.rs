//! The driver's own memory of what was acknowledged: a file, synced, that no crash of the server touches.

use super::events::Event;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;

/// Acknowledged events, each with the interval between two kills in which it was.
pub struct Ledger {
    inner: Mutex<Inner>,
}

struct Inner {
    file: BufWriter<File>,
    interval: u32,
    acknowledged: BTreeMap<u64, u32>,
    answers: u64,
}

impl Ledger {
    /// A new one, in this file.
    pub fn new(path: &Path) -> Self {
        let file = BufWriter::with_capacity(1 << 16, File::create(path).expect("the ledger's file"));
        Ledger { inner: Mutex::new(Inner { file, interval: 0, acknowledged: BTreeMap::new(), answers: 0 }) }
    }

    /// An event was acknowledged; a repeated one counts once, where it was first.
    pub fn note(&self, number: u64, event: &Event) {
        let mut inner = self.inner.lock().expect("no writer panics");
        let interval = inner.interval;
        inner.answers += 1;
        inner.acknowledged.entry(number).or_insert(interval);
        writeln!(inner.file, "{interval}\t{number}\t{}\t{}\t{}", event.kind, event.openid, event.created)
            .expect("room for the ledger");
    }

    /// Ends the interval: syncs the file; the events first acknowledged in it, and how many answers there were.
    pub fn close_interval(&self) -> (Vec<u64>, u64) {
        let mut inner = self.inner.lock().expect("no writer panics");
        inner.file.flush().and_then(|()| inner.file.get_ref().sync_data()).expect("the ledger on disk");
        let now = inner.interval;
        inner.interval += 1;
        let numbers = inner.acknowledged.iter().filter(|(_, interval)| **interval == now).map(|(n, _)| *n).collect();
        (numbers, std::mem::take(&mut inner.answers))
    }

    /// Everything, by its number.
    pub fn all(&self) -> BTreeMap<u64, u32> {
        self.inner.lock().expect("no writer panics").acknowledged.clone()
    }
}
