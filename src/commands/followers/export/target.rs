//! Where an export goes: stdout, or a file that has its name only when it is whole.

use crate::commands::Context;
use crate::error::{Error, Result};
use crate::report::Out;
use crate::say;
use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(super) enum Target {
    Stdout,
    /// A pipe or a device: it stays what it is.
    Device(PathBuf, File),
    /// A file beside the one that is meant.
    Aside(Aside),
}

impl Target {
    /// Asks before a file is overwritten. Nothing is changed before [`Target::finish`].
    pub async fn open(path: Option<PathBuf>, yes: bool, context: &Context) -> Result<Self> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else { return Ok(Target::Stdout) };
        let there = fs::metadata(&path).ok();
        if let Some(there) = &there {
            let shown = path.display();
            if there.is_dir() {
                return Err(Error::usage(say!("{shown} is a folder"; "{shown} 是目录"))
                    .next(say!("name a file in it"; "请指定其中的文件")));
            }
            if !there.is_file() {
                let file = OpenOptions::new().write(true).open(&path).map_err(|error| failed(&path, error))?;
                return Ok(Target::Device(path, file));
            }
            context.confirm(yes, say!("{shown} is there and will be overwritten"; "{shown} 已存在，将被覆盖")).await?;
        }
        Aside::create(path).map(Target::Aside)
    }

    pub fn is_terminal(&self) -> bool {
        match self {
            Target::Stdout => std::io::stdout().is_terminal(),
            Target::Device(_, file) => file.is_terminal(),
            Target::Aside(_) => false,
        }
    }

    pub fn write(&mut self, bytes: &[u8], out: &mut Out) -> Result<()> {
        match self {
            Target::Stdout => out.bytes(bytes),
            Target::Device(path, file) => file.write_all(bytes).map_err(|error| failed(path, error)),
            Target::Aside(aside) => aside.file.write_all(bytes).map_err(|error| failed(&aside.path, error)),
        }
    }

    /// The file under its name, when all is on the disk; the path as it was given.
    pub fn finish(self) -> Result<Option<PathBuf>> {
        match self {
            Target::Stdout => Ok(None),
            Target::Device(path, _) => Ok(Some(path)),
            Target::Aside(aside) => aside.finish().map(Some),
        }
    }
}

/// Gone when it is dropped before its end: an error, Ctrl-C.
pub(super) struct Aside {
    file: File,
    path: PathBuf,
    real: PathBuf,
    aside: PathBuf,
    whole: bool,
}

impl Aside {
    fn create(path: PathBuf) -> Result<Self> {
        // A link stays a link: what it names is overwritten.
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let name = real.file_name().unwrap_or_default().to_string_lossy();
        let aside = real.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside);
        let file = file.map_err(|error| failed(&path, error))?;
        Ok(Aside { file, path, real, aside, whole: false })
    }

    fn finish(mut self) -> Result<PathBuf> {
        let done = self.file.sync_all().and_then(|()| fs::rename(&self.aside, &self.real));
        done.map_err(|error| failed(&self.path, error))?;
        self.whole = true;
        Ok(std::mem::take(&mut self.path))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.whole {
            // Nobody is left to tell; the name says what it is.
            let _ = fs::remove_file(&self.aside);
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let shown = path.display();
    Error::failed(say!("writing {shown} failed: {error}"; "写入 {shown} 失败：{error}")).source(error)
}
