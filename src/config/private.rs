//! Reading files that may hold secrets: only from an owner we trust, and only when others can't read them.

use super::sources::Sources;
use crate::error::{Error, Result, Text};
use crate::say;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// No mode bit of these may be set: execution, writing by the group, anything for others.
const FORBIDDEN: u32 = 0o137;

/// More than any configuration needs; a wrong path (a device, a log) ends here.
const MOST_BYTES: u64 = 1 << 20;

/// What was read, and a warning where a container's mount was let pass.
pub(super) struct Private {
    pub text: Zeroizing<String>,
    pub warning: Option<Text>,
}

/// Reads a file after looking at the owner and mode of the very handle that is read.
pub(super) fn read(path: &Path, sources: &Sources) -> Result<Private> {
    let file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let meta = file.metadata().map_err(|e| unreadable(path, &e))?;
    let warning = trusted(path, &meta, sources)?;
    Ok(Private { text: text(path, file)?, warning })
}

/// Reads a file as it is, such as those that systemd made.
pub(super) fn read_as_is(path: &Path) -> Result<Zeroizing<String>> {
    text(path, File::open(path).map_err(|e| unreadable(path, &e))?)
}

fn text(path: &Path, file: File) -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    let shown = path.display();
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::config(say!("{shown} is larger than 1 MiB"; "{shown} 超过 1 MiB")));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Error::config(say!("{shown} is not UTF-8 text"; "{shown} 不是 UTF-8 文本")))?;
    Ok(Zeroizing::new(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()))
}

fn trusted(path: &Path, meta: &Metadata, sources: &Sources) -> Result<Option<Text>> {
    let (shown, uid, owner) = (path.display(), sources.uid, meta.uid());
    if meta.is_dir() {
        return Err(Error::config(say!("{shown} is a folder, not a file"; "{shown} 是目录而不是文件")));
    }
    if owner != 0 && owner != uid {
        return Err(Error::config(say!(
            "{shown} belongs to user {owner}, not to user {uid} or root";
            "{shown} 的属主是用户 {owner}，应为用户 {uid} 或 root"
        ))
        .next(say!("chown {uid} {shown}"; "chown {uid} {shown}")));
    }
    let mode = meta.mode() & 0o7777;
    if mode & FORBIDDEN == 0 {
        return Ok(None);
    }
    if sources.container && mounted_readable(meta) {
        return Ok(Some(say!(
            "{shown} has mode {mode:04o} from the container's mount: everybody in it can read it";
            "{shown} 的权限 {mode:04o} 来自容器挂载：容器内任何人可读"
        )));
    }
    // Where root owns it for a service, the group is how the service reads it.
    let mend = if owner == uid { "600" } else { "640" };
    Err(Error::config(say!(
        "{shown} has mode {mode:04o}: it may hold secrets, so nobody else may have access";
        "{shown} 的权限是 {mode:04o}：其中可能有密钥，不应让他人访问"
    ))
    .next(say!("chmod {mend} {shown}"; "chmod {mend} {shown}")))
}

/// A read-only style mode of root's on another file system than `/`: Kubernetes and Docker set it, not a person.
fn mounted_readable(meta: &Metadata) -> bool {
    let other_mount = std::fs::metadata("/").is_ok_and(|root| root.dev() != meta.dev());
    meta.uid() == 0 && meta.mode() & FORBIDDEN & !0o004 == 0 && other_mount
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let shown = path.display();
    Error::config(say!("cannot read {shown}: {error}"; "无法读取 {shown}：{error}"))
}
