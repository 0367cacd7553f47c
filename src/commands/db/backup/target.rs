//! Where a copy goes: written aside, private, synced, and only then given its name.

use crate::error::{Error, Kind, Result};
use crate::say;
use crate::store::backup::Interrupt;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What belongs to a database besides its file.
const COMPANIONS: [&str; 4] = ["-wal", "-shm", "-journal", ".lock"];

/// A place that a copy may take.
pub(super) struct Target(PathBuf);

/// The copy while it is made. Dropped before its end it ends the copying and goes away.
pub(super) struct Part {
    file: File,
    path: PathBuf,
    target: PathBuf,
    interrupt: Interrupt,
    finished: bool,
}

impl Target {
    /// Refuses a place that is no file's, and the database itself.
    pub(super) fn new(file: &Path, database: &Path) -> Result<Target> {
        let shown = file.display();
        let name = file.file_name().filter(|_| !file.is_dir()).ok_or_else(|| {
            Error::usage(say!("{shown} is a folder"; "{shown} 是目录"))
                .next(say!("name a file in it"; "请指定其中的文件名"))
        })?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Whole, so that nothing at its beginning means something to SQLite.
        let path = folder.canonicalize().map_err(|error| cannot(file, error))?.join(name);
        if path.to_str().is_none() {
            return Err(Error::usage(say!("{shown}: not UTF-8"; "{shown}：路径不是 UTF-8")));
        }
        let own = own_files(database).map_err(|error| cannot(database, error))?;
        if own.contains(&path) || same_file(&path, database) {
            return Err(Error::usage(say!("{shown} belongs to the database itself"; "{shown} 属于数据库本身"))
                .next(say!("name another file"; "请指定其他文件")));
        }
        Ok(Target(path))
    }

    /// Whether something would be replaced.
    pub(super) fn exists(&self) -> bool {
        self.0.symlink_metadata().is_ok()
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the file aside, its owner's alone; what a killed run left there is thrown away.
    pub(super) fn begin(self, interrupt: Interrupt) -> Result<Part> {
        let path = with_end(&self.0, ".part");
        remove(&path).map_err(|error| cannot(&path, error))?;
        let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| cannot(&path, error))?;
        Ok(Part { file, path, target: self.0, interrupt, finished: false })
    }
}

impl Part {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Carries to the disk what is there so far; its size.
    pub(super) async fn flush(&self) -> Result<u64> {
        let synced = self.file.try_clone().map_err(|error| cannot(&self.path, error))?;
        let synced = tokio::task::spawn_blocking(move || synced.sync_all().and_then(|()| synced.metadata()));
        match synced.await {
            Ok(Ok(metadata)) => Ok(metadata.len()),
            Ok(Err(error)) => Err(cannot(&self.path, error)),
            Err(error) => Err(super::thread_ended(error)),
        }
    }

    /// Gives the copy its name, durably.
    pub(super) fn finish(mut self) -> Result<PathBuf> {
        let (shown, name) = (self.target.display(), self.path.metadata().ok());
        let ours = self.file.metadata().map_err(|error| cannot(&self.path, error))?;
        if name.is_none_or(|name| (name.dev(), name.ino()) != (ours.dev(), ours.ino())) {
            self.finished = true;
            return Err(Error::new(
                Kind::Busy,
                say!("another backup to {shown} has begun meanwhile"; "期间另一个备份开始写入 {shown}"),
            )
            .next(say!("give each its own file"; "请为每个备份指定不同的文件")));
        }
        fs::rename(&self.path, &self.target).map_err(|error| cannot(&self.target, error))?;
        self.finished = true;
        let folder = self.target.parent().unwrap_or(Path::new("/"));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| cannot(&self.target, error))?;
        Ok(self.target.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            self.interrupt.interrupt();
            // A rest that can't be removed is thrown away by the next run.
            let _ = remove(&self.path);
        }
    }
}

/// Removes a half copy and its journal, as far as they are there.
fn remove(part: &Path) -> std::io::Result<()> {
    for path in [part, &with_end(part, "-journal")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn own_files(database: &Path) -> std::io::Result<Vec<PathBuf>> {
    let database = database.canonicalize()?;
    Ok(COMPANIONS.iter().map(|end| with_end(&database, end)).chain([database.clone()]).collect())
}

/// Under whatever name.
fn same_file(one: &Path, other: &Path) -> bool {
    let number = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    number(one).is_some_and(|one| Some(one) == number(other))
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

fn cannot(path: &Path, error: std::io::Error) -> Error {
    let (shown, why) = (path.display(), error.to_string());
    Error::failed(say!("{shown} can't be written: {why}"; "无法写入 {shown}：{why}"))
        .next(say!("name a file in a folder that is there and yours"; "请指定一个已存在且有写权限的目录中的文件"))
        .source(error)
}
