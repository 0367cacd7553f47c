//! `wxops db backup`: a copy of the SQLite file while serve writes to it.

mod target;

use crate::commands::{Context, bytes};
use crate::error::{Error, Lang, Result};
use crate::report::{Progress, Report};
use crate::say;
use crate::store::backup::{Copied, Source, examine};
use crate::store::{Store, dump_command};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use target::Target;

/// How often the copy is looked at and carried to the disk: in one piece at the end it would hold up the
/// commits of serve, which wait for the same disk.
const LOOK: Duration = Duration::from_millis(100);
/// Of the time, what the copying takes, about; the rest is the check.
const COPYING: f64 = 0.4;

/// Copy the SQLite database to a file, also while serve runs
///
/// What was acknowledged before is in the copy. It is checked before it gets
/// its name, has mode 0600 and holds access_tokens: keep it as private as the
/// database. For MySQL and MariaDB it names the mysqldump line.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops db backup wxops-backup.db")]
pub struct Backup {
    /// The copy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the file if it is there
    #[arg(short = 'y', long)]
    yes: bool,
}

struct Made {
    file: PathBuf,
    bytes: u64,
    copied: Copied,
}

impl Backup {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let url = &context.config()?.database_url;
        let Some(database) = Store::sqlite_path(url)? else {
            return Err(not_sqlite(dump_command(url, &self.file)));
        };
        if !database.exists() {
            let shown = database.display();
            return Err(Error::config(say!("there is no database at {shown}"; "{shown} 处没有数据库"))
                .next(say!("name it with --config or DATABASE_URL"; "请用 --config 或 DATABASE_URL 指定")));
        }
        let target = Target::new(&self.file, &database)?;
        if target.exists() {
            let shown = target.path().display();
            context.confirm(self.yes, say!("this replaces {shown}"; "将替换 {shown}")).await?;
        }
        let mut progress = context.out.progress();
        let made = copy(&database, target, &mut progress).await;
        drop(progress);
        context.out.report(&made?)
    }
}

/// The server's own tool does it: exit 2, and the line to run.
fn not_sqlite(line: Option<String>) -> Error {
    let error = Error::usage(say!(
        "db backup copies a SQLite file, and this database is a MySQL or MariaDB";
        "db backup 只复制 SQLite 文件，而当前数据库是 MySQL 或 MariaDB"
    ));
    let Some(line) = line else { return error };
    error.next(say!(
        "run {line}, which asks for the password; in cron leave --password out and put it into ~/.my.cnf, mode 0600";
        "请运行 {line}，它会询问密码；在 cron 中去掉 --password，把密码写进权限 0600 的 ~/.my.cnf"
    ))
}

async fn copy(database: &Path, target: Target, progress: &mut Progress) -> Result<Made> {
    let source = Source::open(database)?;
    let size = source.size()?.max(1);
    let part = target.begin(source.interrupt())?;
    let to = part.path().to_owned();
    let mut copying = tokio::task::spawn_blocking(move || source.copy(&to));
    let copied = loop {
        tokio::select! {
            copied = &mut copying => break copied,
            () = tokio::time::sleep(LOOK) => {
                let done = part.flush().await?;
                let (part, of, done) = (done as f64 / size as f64, bytes(size), bytes(done));
                progress.tell(COPYING * part, || say!("{done} of {of} copied"; "已复制 {done}/{of}"));
            }
        }
    };
    copied.map_err(thread_ended)??;
    let bytes = part.flush().await?;
    let path = part.path().to_owned();
    let mut checking = tokio::task::spawn_blocking(move || examine(&path));
    let copied = loop {
        tokio::select! {
            copied = &mut checking => break copied.map_err(thread_ended)??,
            () = tokio::time::sleep(LOOK) => progress.tell(COPYING, || say!("checking the copy"; "正在校验副本")),
        }
    };
    if let Some(fault) = copied.faults.first() {
        return Err(Error::failed(say!("the copy is damaged: {fault}"; "副本已损坏：{fault}")).next(say!(
            "the database is damaged too or the disk is: keep the last good backup, and check both";
            "数据库本身或磁盘可能已损坏：请保留上一个完好的备份，并检查两者"
        )));
    }
    let file = part.finish()?;
    Ok(Made { file, bytes, copied })
}

fn thread_ended(error: tokio::task::JoinError) -> Error {
    Error::failed(say!("the copying thread ended"; "复制线程意外结束")).source(error)
}

impl Report for Made {
    fn json(&self) -> serde_json::Value {
        let rows: serde_json::Map<_, _> =
            self.copied.rows.iter().map(|(name, rows)| (name.clone(), json!(rows))).collect();
        json!({ "file": self.file.display().to_string(), "bytes": self.bytes, "integrity": "ok", "rows": rows })
    }

    fn text(&self, lang: Lang) -> String {
        let (file, size) = (self.file.display(), bytes(self.bytes));
        let of = |table: &str| self.copied.rows.iter().find(|(name, _)| name == table).map_or(0, |(_, rows)| *rows);
        let (events, people) = (of("inbox_event"), of("user_mapping"));
        say!(
            "{file}: {size}, checked; {events} events, {people} people. It holds access_tokens: keep it private";
            "{file}：{size}，已校验；{events} 条事件，{people} 个用户。其中含 access_token，请妥善保管"
        )
        .in_lang(lang)
        .to_owned()
    }
}
