//! A file of the spool. Who appends to it holds its lock, which the kernel frees with the process: a segment that nobody
//! holds is to be moved in, by whoever finds it first.

use super::record::{self, HEAD, Head, Piece, Record};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A segment that is longer is closed: the next one is written, and this one moved in as a whole.
pub(super) const LONG: u64 = 4 << 20;

const END: &str = "spool";

/// A segment that this process appends to.
#[derive(Debug)]
pub(super) struct Segment {
    file: File,
    pub path: PathBuf,
    nonce: u32,
    /// Bytes that are on disk.
    pub length: u64,
    /// Records that are on disk.
    pub events: u64,
}

impl Segment {
    /// A new file, on disk with its name.
    pub fn create(folder: &Path) -> io::Result<Segment> {
        if !folder.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            sync_folder(folder.parent().filter(|up| !up.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        let (path, file) = loop {
            let name = format!("{:013}-{:08x}.{END}", chrono::Utc::now().timestamp_millis(), rand::random::<u32>());
            let path = folder.join(name);
            let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
            // Another process may have found it before it was locked, taken it for a dead one's, and removed it.
            if file.try_lock().is_ok() && file.metadata()?.nlink() > 0 {
                break (path, file);
            }
        };
        let nonce = rand::random();
        let mut segment = Segment { file, path, nonce, length: 0, events: 0 };
        let begun = segment.append(&record::head(nonce), 0).and_then(|()| sync_folder(folder));
        match begun {
            Ok(()) => Ok(segment),
            Err(error) => {
                segment.abandon();
                Err(error)
            }
        }
    }

    /// Adds a record to what is to be appended.
    pub fn frame(&self, out: &mut Vec<u8>, body: &[u8]) {
        record::frame(out, self.nonce, body);
    }

    /// Appends and waits for the disk. After an error nothing may be appended any more.
    pub fn append(&mut self, bytes: &[u8], events: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.file.sync_data()?;
        self.length += bytes.len() as u64;
        self.events += events;
        Ok(())
    }

    /// Gives up a file after an error: what was on disk before is kept, an empty one is removed.
    pub fn abandon(self) {
        // What was not acknowledged may stay or go: its copy will be a duplicate.
        let _ = self.file.set_len(self.length);
        if self.events == 0 {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A segment that nobody appends to, held for being moved in.
#[derive(Debug)]
pub struct Taken {
    /// Keeps others away until it is dropped.
    _file: File,
    path: PathBuf,
    /// What came in, in the order of receipt.
    pub records: Vec<Record>,
    /// Damaged parts, with the place where each begins.
    broken: Vec<(usize, Vec<u8>)>,
    /// Bytes at its end that a crash cut off.
    torn: usize,
}

impl Taken {
    /// Takes the oldest segment that nobody holds and reads it. Those that hold nothing are removed on the way.
    pub(super) fn next(folder: &Path, passed_over: &mut Vec<PathBuf>) -> io::Result<Option<Taken>> {
        for path in segments(folder)? {
            if passed_over.contains(&path) {
                continue;
            }
            let Some(mut file) = take(&path)? else { continue };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let mut taken = Taken { _file: file, path, records: Vec::new(), broken: Vec::new(), torn: 0 };
            match record::read_head(&bytes) {
                Head::Ours { nonce } => taken.sort(record::pieces(&bytes, nonce)),
                Head::Unfinished => taken.torn = bytes.len(),
                Head::Broken => taken.broken.push((0, bytes)),
                Head::Newer(version) => {
                    let (file, known) = (taken.path.display(), record::VERSION);
                    tracing::error!("{file} has format {version}, this program knows {known}: start the newer one");
                    passed_over.push(taken.path);
                    continue;
                }
            }
            taken.tell();
            if taken.records.is_empty() {
                taken.done(&[])?;
                continue;
            }
            return Ok(Some(taken));
        }
        Ok(None)
    }

    fn sort(&mut self, pieces: Vec<Piece<'_>>) {
        for piece in pieces {
            match piece {
                Piece::Record(record) => self.records.push(record),
                Piece::Broken(at, bytes) => self.broken.push((at, bytes.to_vec())),
                Piece::Torn(length) => self.torn = length,
            }
        }
    }

    fn tell(&self) {
        let file = self.path.display();
        if self.torn > 0 {
            tracing::warn!("{file}: cut {} bytes of a write that a crash ended; it was not acknowledged", self.torn);
        }
        for (at, bytes) in &self.broken {
            let (length, aside) = (bytes.len(), aside(&self.path, BROKEN));
            let aside = aside.display();
            tracing::error!("{file}: {length} bytes from {at} on are damaged, set aside as {aside}");
        }
    }

    /// How many damaged parts it has.
    pub fn broken(&self) -> usize {
        self.broken.len()
    }

    /// Every record is committed, but for those that the database refuses: they and what is damaged are set aside, then
    /// the segment goes.
    pub fn done(self, refused: &[Record]) -> io::Result<()> {
        if !self.broken.is_empty() {
            let bytes: Vec<u8> = self.broken.iter().flat_map(|(_, bytes)| bytes).copied().collect();
            set_aside(&aside(&self.path, BROKEN), &bytes)?;
        }
        if !refused.is_empty() {
            let nonce = rand::random();
            let mut bytes = record::head(nonce).to_vec();
            for Record { platform, account, key, received_ms, raw } in refused {
                record::frame(&mut bytes, nonce, &record::body((*platform, account), key, *received_ms, raw));
            }
            set_aside(&aside(&self.path, REFUSED), &bytes)?;
        }
        fs::remove_file(&self.path)?;
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))
    }
}

/// What can't be read.
pub(super) const BROKEN: &str = "broken";
/// What the database refuses; a segment by its form, to be tried again under its old name.
pub(super) const REFUSED: &str = "refused";

/// `123.spool` to `123.refused`.
fn aside(path: &Path, end: &str) -> PathBuf {
    path.with_extension(end)
}

fn set_aside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Opens and locks a segment; `None` where somebody holds it, or it is gone.
fn take(path: &Path) -> io::Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok((file.metadata()?.nlink() > 0).then_some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Every segment of the folder, oldest first; none where there is no folder.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = files(folder)?.into_iter().map(|(path, _)| path).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == END));
    paths.sort();
    Ok(paths)
}

/// Every file of the folder and its length.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        // One that was removed meanwhile takes no room.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_file() {
            files.push((entry.path(), about.len()));
        }
    }
    Ok(files)
}

/// Whether a file holds records or the head alone.
pub(super) fn holds_records(length: u64) -> bool {
    length > HEAD as u64
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
