//! The file of notifications that were not sent: a line of JSON each, its owner's alone, never over another file.

use crate::error::{Error, Result};
use crate::say;
use chrono::Utc;
use serde_json::Value;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file, under way.
pub(super) struct Dump {
    path: PathBuf,
    file: BufWriter<File>,
    rows: u64,
}

impl Dump {
    /// Makes the file; without a name one of this moment in the current folder.
    pub fn begin(path: Option<&Path>) -> Result<Dump> {
        let usual = || format!("member_notification_queue-{}.ndjson", Utc::now().format("%Y%m%dT%H%M%S%3fZ")).into();
        let path: PathBuf = path.map_or_else(usual, Path::to_owned);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match file {
            Ok(file) => Ok(Dump { file: BufWriter::new(file), path, rows: 0 }),
            Err(error) => {
                let (shown, why) = (path.display(), error.to_string());
                let failed = match error.kind() {
                    ErrorKind::AlreadyExists => Error::usage(
                        say!("{shown} is there already; nothing was changed"; "{shown} 已存在；未做任何改动"),
                    ),
                    _ => Error::failed(say!(
                        "{shown} can't be made: {why}; nothing was changed";
                        "无法创建 {shown}：{why}；未做任何改动"
                    )),
                };
                Err(failed
                    .next(say!("name another file: --dump FILE.ndjson"; "请指定另一个文件：--dump 文件.ndjson"))
                    .source(error))
            }
        }
    }

    /// Adds a row.
    pub fn add(&mut self, row: &Value) -> Result<()> {
        self.rows += 1;
        writeln!(self.file, "{row}").map_err(|error| self.failed(error))
    }

    /// Carries it to the disk; the file and its rows.
    pub fn finish(mut self) -> Result<(PathBuf, u64)> {
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        done.map_err(|error| self.failed(error))?;
        Ok((self.path, self.rows))
    }

    fn failed(&self, error: std::io::Error) -> Error {
        let (shown, why) = (self.path.display(), error.to_string());
        Error::failed(say!(
            "{shown} can't be written: {why}; the triggers are dropped, all rows still stand";
            "无法写入 {shown}：{why}；触发器已删除，所有行仍在"
        ))
        .next(say!(
            "make room, then run this again; to go on as before: queue install";
            "请腾出空间后重试；要恢复原状请运行 queue install"
        ))
        .source(error)
    }
}
