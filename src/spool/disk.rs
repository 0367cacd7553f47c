//! What is done with the disk, by one thread at a time: batches are appended and synced.

use super::recent::Recent;
use super::record;
use super::segment::{LONG, Segment, files};
use super::{Full, Waiting};
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After an error the disk is tried again so often.
const PROBE: Duration = Duration::from_secs(1);
/// How often the room that the folder takes is measured; other processes of the host write there too.
const MEASURE: Duration = Duration::from_secs(1);

/// The folder, and the segment that is open.
#[derive(Debug)]
pub(super) struct Disk {
    pub folder: PathBuf,
    pub max: u64,
    segment: Option<Segment>,
    recent: Recent,
    /// Why nothing could be written at the last try, and when that was.
    ill: Option<(String, Instant)>,
    measured: Option<(u64, Instant)>,
    /// The smallest record that found no room: until it would, the spool is full.
    unfit: u64,
}

/// How a callback ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is on disk.
    New,
    /// A copy of it is on disk already.
    Again,
}

impl Disk {
    pub fn new(folder: PathBuf, max: u64) -> Disk {
        Disk { folder, max, segment: None, recent: Recent::default(), ill: None, measured: None, unfit: 0 }
    }

    /// Why nothing could be written at the last try.
    pub fn ill(&self) -> Option<&str> {
        self.ill.as_ref().map(|(why, _)| why.as_str())
    }

    /// Makes a batch durable; one answer for each.
    pub fn write(&mut self, batch: &[Waiting]) -> Vec<Result<Kept, Full>> {
        let mut fresh = HashSet::with_capacity(batch.len());
        let is_new: Vec<bool> =
            batch.iter().map(|waiting| !self.recent.has(&waiting.key) && fresh.insert(waiting.key)).collect();
        let bodies: Vec<&[u8]> =
            batch.iter().zip(&is_new).filter(|(_, new)| **new).map(|(waiting, _)| &waiting.body[..]).collect();
        if bodies.is_empty() {
            return vec![Ok(Kept::Again); batch.len()];
        }
        let sizes = bodies.iter().map(|body| record::framed(body));
        let (smallest, all) = (sizes.clone().min().unwrap_or_default(), sizes.sum());
        let written = self.may_write(all).inspect_err(|_| self.unfit = smallest);
        match written.and_then(|()| self.append(&bodies).map_err(|error| self.failed(&error))) {
            Ok(()) => {
                self.well();
                fresh.into_iter().for_each(|key| self.recent.add(key));
                is_new.into_iter().map(|new| Ok(if new { Kept::New } else { Kept::Again })).collect()
            }
            // What stood on disk before this batch stays acknowledged.
            Err(full) => {
                let again = |waiting: &Waiting| self.recent.has(&waiting.key);
                batch.iter().map(|one| if again(one) { Ok(Kept::Again) } else { Err(full.clone()) }).collect()
            }
        }
    }

    /// Whether a callback could be made durable now: a segment stands open, on disk.
    pub fn probe(&mut self) -> Result<(), Full> {
        self.may_write(self.unfit)?;
        if self.segment.is_none() {
            self.segment = Some(Segment::create(&self.folder).map_err(|error| self.failed(&error))?);
        }
        self.well();
        Ok(())
    }

    /// Closes the open segment: it is moved in like those of dead processes.
    pub fn seal(&mut self) {
        self.segment = None;
        self.measured = None;
    }

    fn append(&mut self, bodies: &[&[u8]]) -> std::io::Result<()> {
        if self.segment.as_ref().is_some_and(|segment| segment.length >= LONG) {
            self.segment = None;
        }
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => Segment::create(&self.folder)?,
        };
        let mut bytes = Vec::new();
        bodies.iter().for_each(|body| segment.frame(&mut bytes, body));
        match segment.append(&bytes, bodies.len() as u64) {
            Ok(()) => {
                if let Some((measured, _)) = &mut self.measured {
                    *measured += bytes.len() as u64;
                }
                self.segment = Some(segment);
                Ok(())
            }
            // After a failed sync nobody knows what of the file is on disk: it is never appended to again.
            Err(error) => {
                segment.abandon();
                Err(error)
            }
        }
    }

    /// Refuses at once while the disk is ill, but for a probe a second, and where the folder is full.
    fn may_write(&mut self, more: u64) -> Result<(), Full> {
        if let Some((why, tried)) = &mut self.ill {
            if tried.elapsed() < PROBE {
                return Err(Full(why.clone()));
            }
            *tried = Instant::now();
        }
        let bytes = match self.measured {
            Some((bytes, at)) if at.elapsed() < MEASURE => bytes,
            _ => match files(&self.folder) {
                Ok(files) => files.into_iter().map(|(_, length)| length).sum(),
                Err(error) => return Err(self.failed(&error)),
            },
        };
        if !matches!(self.measured, Some((_, at)) if at.elapsed() < MEASURE) {
            self.measured = Some((bytes, Instant::now()));
        }
        if bytes + more > self.max {
            let (max, folder) = (self.max, self.folder.display());
            return Err(self.is_ill(format!("{folder} holds {bytes} bytes, spool_max is {max}")));
        }
        Ok(())
    }

    fn failed(&mut self, error: &std::io::Error) -> Full {
        let folder = self.folder.display();
        self.is_ill(format!("{folder}: {error}"))
    }

    fn is_ill(&mut self, why: String) -> Full {
        if self.ill.is_none() {
            tracing::error!("the spool can't be written, callbacks are refused while the database is away: {why}");
        }
        self.ill = Some((why.clone(), Instant::now()));
        Full(why)
    }

    fn well(&mut self) {
        self.unfit = 0;
        if self.ill.take().is_some() {
            tracing::info!("the spool can be written again");
        }
    }
}
