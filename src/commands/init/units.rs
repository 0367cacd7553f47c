//! `wxops init --systemd DIR`: the shipped units, with the paths of this installation.

use super::{call, cannot_write};
use crate::commands::Context;
use crate::config::{Config, Sources};
use crate::error::{Error, Lang, Result, Text};
use crate::report::{Report, escape};
use crate::say;
use serde_json::json;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

macro_rules! shipped {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!("../../../systemd/", $name)))),+]
    };
}

/// Every unit that is shipped.
const UNITS: [(&str, &str); 12] = shipped![
    "wxops.service",
    "wxops.socket",
    "wxops-token.service",
    "wxops-token.timer",
    "wxops-sync.service",
    "wxops-sync.timer",
    "wxops-drain.service",
    "wxops-drain.timer",
    "wxops-queue.service",
    "wxops-job@.service",
    "wxops-job@.timer",
    "wxops-failed@.service"
];
/// The paths in them.
const BINARY: &str = "/usr/local/bin/wxops";
const FOLDER: &str = "/etc/wxops";
const CONFIG: &str = "/etc/wxops/wxops.toml";
/// Where serve reads its copy.
const COPY: &str = "/run/wxops/wxops.toml";
/// How serve's copy is made: all files of a folder that has nothing else in it.
const COPIES: &str = "find /etc/wxops -maxdepth 1 -xtype f -exec cp -t /run/wxops {} +";
/// Which credential of a job the configuration is.
const CREDENTIAL: &str = "LoadCredential=wxops.toml:/etc/wxops/wxops.toml\n";
/// What a unit calls that reads the templates of notifications.
const DRAIN: &str = " queue drain ";
/// What no service sees: its own /tmp is another, and homes are closed to it.
const UNSEEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// Writes the units into a folder. Where one is there with another text, nothing is written until that is confirmed:
/// exit 2, which names `--yes`.
pub(super) async fn write(context: &mut Context, dir: &Path, yes: bool) -> Result<()> {
    let dir: PathBuf = context.sources.dir.join(dir).components().collect();
    if !dir.is_dir() {
        let dir = dir.display();
        return Err(Error::usage(say!("--systemd: {dir} is no folder"; "--systemd：{dir} 不是目录")).next(
            say!("units of the host belong into /etc/systemd/system"; "主机的 unit 应放入 /etc/systemd/system"),
        ));
    }
    let config = context.config()?;
    let paths = Paths::of(config, &context.sources)?;
    let mut units = Units { config: paths.config.clone(), binary: paths.binary.clone(), ..Units::default() };
    let mut texts = Vec::new();
    for (name, shipped) in UNITS {
        let (path, text) = (dir.join(name), paths.fill(shipped)?);
        let list = match fs::read_to_string(&path) {
            Ok(there) if there == text => {
                units.kept.push(path);
                continue;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => &mut units.written,
            _ => &mut units.replaced,
        };
        list.push(path.clone());
        texts.push((path, text));
    }
    units.tells = config.queue.tells() && !config.queue.in_serve;
    units.notes.extend(paths.unseen());
    units.notes.extend(paths.unread());
    units.notes.extend(call::only_here(config));
    if !units.replaced.is_empty() {
        let names = names(&units.replaced);
        let deed =
            say!("{names}: there with another text, which would be overwritten"; "{names}：已存在且内容不同，将被覆盖");
        context.confirm(yes, deed).await?;
    }
    for (path, text) in texts {
        write_whole(&path, &text).map_err(|error| cannot_write(&path, error))?;
    }
    context.out.report(&units)
}

/// What stands in place of the shipped paths.
struct Paths {
    binary: PathBuf,
    config: PathBuf,
    /// Files of secrets that stand beside the configuration, by name.
    beside: Vec<String>,
    /// Templates of the queue there, by name.
    templates: Vec<String>,
    /// Files of secrets, and templates, that are elsewhere.
    elsewhere: Vec<String>,
    /// What is read now is read in this folder alone, or nothing is.
    here: bool,
}

impl Paths {
    fn of(config: &Config, sources: &Sources) -> Result<Paths> {
        let file = call::file(config, sources);
        let named = if file.is_some() { config.secret_files.clone() } else { Vec::new() };
        let (beside, mut elsewhere): (Vec<_>, Vec<_>) = named.into_iter().partition(|name| !name.contains('/'));
        let templates = if file.is_some() { templates(config) } else { Vec::new() };
        let (templates, far): (Vec<_>, Vec<_>) = templates.into_iter().partition(|name| !name.contains('/'));
        let here = file.is_none();
        let config = file.unwrap_or_else(|| sources.etc.clone());
        // One that has a place of its own is read there, unless that is closed to services.
        let closed = |name: &String| {
            let path = Path::new(name);
            path.is_relative()
                || UNSEEN.iter().any(|folder| path.starts_with(folder))
                || path.starts_with(folder_of(&config))
        };
        elsewhere.extend(far.into_iter().filter(closed));
        Ok(Paths { binary: call::binary(sources)?, config, beside, templates, elsewhere, here })
    }

    /// A shipped unit with these paths.
    fn fill(&self, shipped: &str) -> Result<String> {
        let folder = folder_of(&self.config);
        let name = Path::new(self.config.file_name().unwrap_or_default());
        let (binary, config) = (plain(&self.binary)?, plain(&self.config)?);
        let (folder, name) = (plain(folder)?, plain(name)?);
        let mut credentials = CREDENTIAL.to_owned();
        let mut copies = format!("cp -t /run/wxops {CONFIG}");
        let secrets = self.beside.iter().map(|name| (name, true));
        // A template that is missing must not keep a token from being refreshed.
        let templates = self.templates.iter().map(|name| (name, shipped.contains(DRAIN)));
        for (file, is_wanted) in secrets.chain(templates) {
            let file = plain(Path::new(file))?;
            if is_wanted {
                credentials += &format!("LoadCredential={file}:{FOLDER}/{file}\n");
            }
            copies += &format!(" {FOLDER}/{file}");
        }
        let mut unit = shipped.replace(CREDENTIAL, &credentials);
        if folder != FOLDER {
            // Another folder may hold anything, such as the database.
            unit = unit.replace(COPIES, &copies);
        }
        // What was put in is not looked at again, whatever it is called.
        let marks = [(CONFIG, "\0config", config), (FOLDER, "\0folder", folder), (BINARY, "\0binary", binary)];
        for (path, mark, _) in marks {
            unit = unit.replace(path, mark);
        }
        unit = unit.replace(COPY, &format!("/run/wxops/{name}"));
        for (_, mark, path) in marks {
            unit = unit.replace(mark, path);
        }
        Ok(unit)
    }

    /// A service can't start a binary that it can't see.
    fn unseen(&self) -> Option<Text> {
        let binary = self.binary.display();
        UNSEEN.iter().any(|folder| self.binary.starts_with(folder)).then(|| {
            say!(
                "beware: services can't see {binary}; put it into /usr/local/bin and run that one";
                "注意：服务看不到 {binary}；请放入 /usr/local/bin 并改用那里的程序"
            )
        })
    }

    /// What of the configuration the services would not read.
    fn unread(&self) -> Vec<Text> {
        let file = self.config.display();
        let mut notes = Vec::new();
        if self.here {
            notes.push(say!(
                "beware: the units read {file} alone, not ./.env or ./wxops.toml";
                "注意：这些 unit 只读取 {file}，不读取 ./.env 与 ./wxops.toml"
            ));
        }
        for name in &self.elsewhere {
            notes.push(say!(
                "beware: services can't read {name}; put it beside {file} and name it without a folder";
                "注意：服务读不到 {name}；请放到 {file} 旁边，并只写文件名"
            ));
        }
        notes
    }
}

fn folder_of(config: &Path) -> &Path {
    config.parent().unwrap_or(Path::new("/"))
}

/// The queue's templates as they are named, each once.
fn templates(config: &Config) -> Vec<String> {
    let mut names: Vec<_> = config.queue.templates().map(|template| template.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// The path as a unit may have it anywhere, also between the quotes of a shell; exit 1 for one that wants escapes.
fn plain(path: &Path) -> Result<&str> {
    let text = call::text(path)?;
    match text.chars().all(|c| c.is_alphanumeric() || "/._+@,=-".contains(c)) {
        true => Ok(text),
        false => Err(Error::failed(say!(
            "a unit can't name {text:?}: there is more in it than letters, digits and / . _ + @ , = -";
            "unit 中不能写 {text:?}：其中含有字母、数字与 / . _ + @ , = - 以外的字符"
        ))
        .next(say!("move it to a simpler path"; "请移到更简单的路径"))),
    }
}

/// The file has its name only when it is whole: systemd may read the folder at any time.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let aside = path.with_file_name(format!(".wxops.{}.new", std::process::id()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(&aside)?;
        // Whatever the umask: there is no secret in it, and people look at it.
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    write().inspect_err(|_| _ = fs::remove_file(&aside))
}

fn names(paths: &[PathBuf]) -> String {
    let names = paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
    names.collect::<Vec<_>>().join(", ")
}

/// What was written and what was there before.
#[derive(Default)]
struct Units {
    binary: PathBuf,
    config: PathBuf,
    written: Vec<PathBuf>,
    replaced: Vec<PathBuf>,
    kept: Vec<PathBuf>,
    notes: Vec<Text>,
    /// Whether somebody is to be told of members, and `serve` does not do it.
    tells: bool,
}

impl Report for Units {
    fn json(&self) -> serde_json::Value {
        json!({
            "binary": self.binary,
            "config": self.config,
            "written": self.written,
            "replaced": self.replaced,
            "kept": self.kept,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines = Vec::new();
        for path in self.written.iter().chain(&self.replaced) {
            let path = path.display();
            lines.push(say!("wrote {path}"; "已写入 {path}"));
        }
        for path in &self.kept {
            let path = path.display();
            lines.push(say!("{path} is there already, unchanged"; "{path} 已存在，未作改动"));
        }
        if self.written.is_empty() && self.replaced.is_empty() {
            lines.push(say!("nothing was changed"; "未作任何改动"));
        }
        lines.extend(self.notes.iter().cloned());
        if !(self.written.is_empty() && self.replaced.is_empty()) {
            lines.push(say!(
                "next: systemctl daemon-reload, then systemctl enable --now wxops.service wxops-token.timer wxops-sync.timer";
                "下一步：systemctl daemon-reload，然后 systemctl enable --now wxops.service wxops-token.timer wxops-sync.timer"
            ));
            if self.tells {
                lines.push(say!(
                    "notifications: wxops queue install, then systemctl enable --now wxops-queue.service";
                    "通知：wxops queue install，然后 systemctl enable --now wxops-queue.service"
                ));
            }
        }
        lines.iter().map(|line| escape(line.in_lang(lang)).into_owned()).collect::<Vec<_>>().join("\n")
    }
}
