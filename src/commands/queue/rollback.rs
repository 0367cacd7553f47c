//! `wxops queue rollback`.

use super::cron::{self, Cron};
use super::dump::Dump;
use crate::app::open_queue;
use crate::commands::Context;
use crate::error::{Error, Lang, Result};
use crate::report::{Format, Report};
use crate::say;
use crate::store::queue::{QueueDb, Remnant};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The units of the queue.
const UNITS: &str = "wxops-drain.timer wxops-queue.service";

/// Take the queue out: triggers, tables, procedures, our lines of the crontab
///
/// Refuses while notifications are pending or in hand, unless --drop-pending
/// says so; then those that were not sent are written to a file of lines of
/// JSON first, which is never overwritten. The members are not touched.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue rollback --dry-run")]
pub struct Rollback {
    /// Also with notifications that were not sent
    #[arg(long)]
    drop_pending: bool,
    /// The file that they are written to
    #[arg(long, value_name = "FILE.ndjson")]
    dump: Option<PathBuf>,
    /// Show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do it without asking
    #[arg(short = 'y', long)]
    yes: bool,
}

struct RolledBack {
    place: String,
    remnant: Remnant,
    dry_run: bool,
    /// The file, and how many rows are in it.
    dumped: Option<(PathBuf, u64)>,
    cron: Cron,
}

impl Rollback {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let db = open_queue(context.config()?, false).await?;
        let remnant = db.remnant().await.map_err(|error| db.named(error))?;
        let cron = cron::look().await;
        let mut done = RolledBack { place: db.place().to_owned(), remnant, dry_run: true, dumped: None, cron };
        if self.dry_run {
            return context.out.report(&done);
        }
        if done.remnant.open > 0 && !self.drop_pending {
            return Err(pending(done.remnant.open));
        }
        if !done.is_idle() {
            self.agree(context, &done).await?;
        }
        done.dumped = self.take_out(&db, &done.remnant).await.map_err(|error| db.named(error))?;
        done.cron = cron::take_out(done.cron).await?;
        done.dry_run = false;
        context.out.report(&done)
    }

    async fn agree(&self, context: &mut Context, done: &RolledBack) -> Result<()> {
        if !self.yes && context.out.format == Format::Table && !context.out.quiet {
            context.out.show(done)?;
        }
        let place = &done.place;
        let deed = say!(
            "this takes the notification queue out of {place}";
            "将从 {place} 移除通知队列"
        );
        context.confirm(self.yes, deed).await
    }

    /// The triggers first: no registration meets one without its table, and no row comes in that is not in the file.
    async fn take_out(&self, db: &QueueDb, remnant: &Remnant) -> Result<Option<(PathBuf, u64)>> {
        let mut dump = if remnant.untold > 0 || self.dump.is_some() { Some(self.begin()?) } else { None };
        db.take_out(remnant, "trigger").await?;
        if dump.is_none() && remnant.has("member_notification_queue") && db.untold().await? > 0 {
            // Somebody has registered since.
            dump = Some(self.begin()?);
        }
        if let Some(dump) = &mut dump {
            let mut last = 0;
            loop {
                let rows = db.untold_after(last).await?;
                let Some((id, _)) = rows.last() else { break };
                last = *id;
                rows.iter().try_for_each(|(_, row)| dump.add(row))?;
            }
        }
        let dumped = dump.map(Dump::finish).transpose()?;
        for kind in ["table", "procedure"] {
            db.take_out(remnant, kind).await?;
        }
        Ok(dumped)
    }

    fn begin(&self) -> Result<Dump> {
        Dump::begin(self.dump.as_deref())
    }
}

fn pending(count: i64) -> Error {
    Error::failed(say!(
        "{count} notifications are pending or in hand; nothing was changed";
        "有 {count} 条通知待发送或正在处理；未做任何改动"
    ))
    .next(say!(
        "let queue drain send them, or add --drop-pending: they are written to a file first";
        "请先用 queue drain 发完，或加 --drop-pending：会先把它们写入文件"
    ))
}

impl RolledBack {
    fn is_idle(&self) -> bool {
        self.remnant.objects.is_empty() && self.cron.lines().is_empty()
    }
}

impl Report for RolledBack {
    fn json(&self) -> Value {
        let objects: Vec<_> =
            self.remnant.objects.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
        json!({
            "place": self.place,
            "dry_run": self.dry_run,
            "objects": objects,
            "pending": self.remnant.open,
            "dump": self.dumped.as_ref().map(|(file, rows)| json!({ "file": file.display().to_string(), "rows": rows })),
            "crontab_lines": self.cron.lines(),
            "units": UNITS.split(' ').collect::<Vec<_>>(),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut say = |text: crate::error::Text| lines.push(text.in_lang(lang).to_owned());
        let (place, open) = (&self.place, self.remnant.open);
        if self.dry_run && open > 0 {
            say(say!(
                "{open} notifications are pending or in hand: it takes --drop-pending";
                "有 {open} 条通知待发送或正在处理：需加 --drop-pending"
            ));
        }
        if let Some((file, rows)) = &self.dumped {
            let file = file.display();
            say(say!("{rows} notifications that were not sent are in {file}"; "{rows} 条未发送的通知已写入 {file}"));
        }
        for (kind, name) in &self.remnant.objects {
            say(match (*kind, self.dry_run) {
                ("table", true) => say!("table {name}: would be dropped"; "表 {name}：将删除"),
                ("table", false) => say!("table {name}: dropped"; "表 {name}：已删除"),
                ("trigger", true) => say!("trigger {name}: would be dropped"; "触发器 {name}：将删除"),
                ("trigger", false) => say!("trigger {name}: dropped"; "触发器 {name}：已删除"),
                (_, true) => say!("procedure {name}: would be dropped"; "存储过程 {name}：将删除"),
                (_, false) => say!("procedure {name}: dropped"; "存储过程 {name}：已删除"),
            });
        }
        for line in self.cron.lines() {
            say(match self.dry_run {
                true => say!("crontab, would be taken out: {line}"; "crontab，将移除：{line}"),
                false => say!("crontab, taken out: {line}"; "crontab，已移除：{line}"),
            });
        }
        if let Some(note) = self.cron.note() {
            say(note);
        }
        if self.is_idle() {
            say(say!("nothing to do: there is no queue in {place}"; "无需改动：{place} 中没有队列"));
        }
        say(say!(
            "where units of systemd run it: systemctl disable --now {UNITS}";
            "若由 systemd 运行：systemctl disable --now {UNITS}"
        ));
        lines.join("\n")
    }
}
