//! Where the spool is, and whether what is written there outlives the host's next start.

use crate::error::{Error, Result};
use crate::say;
use rustix::fs::statfs;
use std::path::{Path, PathBuf};

/// What `statfs` says of memory (linux/magic.h).
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58f6;

/// How the spool is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder that was asked for; `None`: the usual one.
    pub folder: Option<PathBuf>,
    /// Where that is.
    pub usual: PathBuf,
    /// Bytes that it may take.
    pub max: u64,
    /// Whether it may lie in memory.
    pub tmpfs: bool,
}

impl Settings {
    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or(&self.usual)
    }

    /// Whether the folder is in memory, though nobody allowed that: exit 78 where it was asked for, else true.
    pub fn is_off_for_memory(&self) -> Result<bool> {
        if self.tmpfs || !is_memory(self.folder()) {
            return Ok(false);
        }
        let Some(folder) = &self.folder else { return Ok(true) };
        let folder = folder.display();
        Err(Error::config(say!(
            "WXOPS_SPOOL_DIR: {folder} is in memory (tmpfs): what is spooled there is lost when the host stops";
            "WXOPS_SPOOL_DIR：{folder} 位于内存（tmpfs）：主机停止后其中的回调会丢失"
        ))
        .next(say!(
            "name a folder on a disk, or off; WXOPS_SPOOL_TMPFS=true allows it all the same";
            "请指定磁盘上的目录，或 off；WXOPS_SPOOL_TMPFS=true 可强制允许"
        )))
    }
}

/// Whether a folder, or the one it will be made in, is in memory.
fn is_memory(folder: &Path) -> bool {
    let there = folder.ancestors().find(|path| path.exists());
    let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[allow(clippy::unnecessary_cast, reason = "the width of f_type differs between architectures")]
    statfs(there).is_ok_and(|disk| matches!(disk.f_type as i64 & 0xffff_ffff, TMPFS | RAMFS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    #[test]
    fn memory_is_refused_where_it_was_asked_for_and_off_where_it_is_the_usual_place() {
        let shm = PathBuf::from("/dev/shm/wxops-no-such-folder");
        if !is_memory(&shm) {
            return;
        }
        let usual = Settings { folder: None, usual: shm.clone(), max: 1, tmpfs: false };
        assert!(usual.is_off_for_memory().unwrap());
        let asked = Settings { folder: Some(shm), ..usual.clone() };
        assert_eq!(asked.is_off_for_memory().unwrap_err().kind, Kind::Config);
        assert!(!Settings { tmpfs: true, ..asked }.is_off_for_memory().unwrap());
        assert!(!Settings { usual: std::env::current_dir().unwrap(), ..usual }.is_off_for_memory().unwrap());
    }
}
