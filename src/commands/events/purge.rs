//! `wxops events purge`: old events go, a few at a time.

use crate::app::App;
use crate::commands::pace::Pace;
use crate::commands::{Context, account_filter, bytes, time_json, time_local};
use crate::config;
use crate::error::{Error, Lang, Result, Text};
use crate::job::{EVERYWHERE, Frame, Job, Run, Schedule};
use crate::report::{Progress, Report};
use crate::say;
use crate::store::{Old, OldRows, Store};
use serde_json::json;
use std::time::Duration;

/// The job's name.
const JOB: &str = "events purge";
/// What a repeated push is known by goes with its row, so rows stay longer than any repetition: the platform's
/// come within seconds, a proxy's or a person's within hours.
const YOUNGEST: Duration = Duration::from_secs(86_400);

/// Delete old events that are settled
///
/// Deletes in small transactions beside a running serve; ended in the middle,
/// the next run goes on. Events that are not settled are never deleted.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events purge --older-than 90d --dry-run")]
pub struct Purge {
    /// Only what was received longer ago: 90d, at least 1d
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    older_than: Duration,
    /// Dead events too, not only those that are done
    #[arg(long)]
    include_dead: bool,
    /// Say how many, delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
    #[command(flatten)]
    schedule: Schedule,
}

/// What was done, or would be.
struct Purged {
    old: Old,
    dry_run: bool,
    /// Whether it came to deleting.
    began: bool,
    deleted: u64,
    transactions: u64,
    longest: Duration,
    /// new and dead; not known where it was ended.
    kept: Option<(i64, i64)>,
    free: Option<i64>,
}

impl Purge {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.older_than < YOUNGEST {
            return Err(Error::usage(say!(
                "--older-than: events younger than a day stay, because a push that comes again is known by its row";
                "--older-than：一天以内的事件不能清理，因为重复的推送要靠原有的行识别"
            ))
            .next(say!("give 1d or more"; "请给出 1d 或更长的时间")));
        }
        if self.dry_run {
            let app = App::open(context.config()?.clone()).await?;
            let mut done = self.planned(&app)?;
            done.count(&app.store.inbox_old(&done.old).await?);
            return context.out.report(&done);
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.purge(context, frame).await).await
    }

    fn planned(&self, app: &App) -> Result<Purged> {
        let before = crate::commands::Since::Ago(self.older_than).at(app.now_ms());
        let old = Old { account: account_filter(&app.config)?, before, dead: self.include_dead };
        Ok(Purged::new(old, self.dry_run))
    }

    async fn purge(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut done = self.planned(&app)?;
        if !self.yes {
            done.count(&app.store.inbox_old(&done.old).await?);
            context.confirm(false, done.deed()).await?;
            done.deleted = 0;
        }
        let account = done.old.account.clone();
        let job = Job { name: JOB, account: account.as_deref().unwrap_or(EVERYWHERE), resume: None };
        let mut progress = context.out.progress();
        let ended = frame.run(&app, job, async |run| purge(&app.store, &mut done, &mut progress, run).await).await;
        drop(progress);
        if done.began {
            context.out.report(&done)?;
        }
        ended.map(drop)
    }
}

async fn purge(store: &Store, done: &mut Purged, progress: &mut Progress, run: &Run) -> Result<()> {
    (done.began, done.kept) = (true, None);
    let mut purge = store.purge(done.old.clone()).await?;
    let mut pace = Pace::new();
    while let Some(step) = purge.step(pace.rows()).await? {
        done.deleted += step.deleted;
        done.transactions += 1;
        run.count("deleted", step.deleted);
        done.longest = done.longest.max(step.held);
        let deleted = done.deleted;
        progress.tell(purge.part(), || say!("{deleted} events deleted"; "已删除 {deleted} 条事件"));
        if run.stop().asked() {
            return Ok(());
        }
        purge.rest(pace.after(step.held)).await?;
    }
    let left = store.inbox_old(&done.old).await?;
    done.kept = Some(kept(&done.old, &left));
    done.free = store.free_bytes().await?;
    Ok(())
}

/// How many of these rows are new and dead, and stay.
fn kept(old: &Old, rows: &[OldRows]) -> (i64, i64) {
    let sum =
        |state: &str| rows.iter().filter(|row| row.state == state && !old.takes(state)).map(|row| row.events).sum();
    (sum("new"), sum("dead"))
}

impl Purged {
    fn new(old: Old, dry_run: bool) -> Self {
        Purged {
            old,
            dry_run,
            began: false,
            deleted: 0,
            transactions: 0,
            longest: Duration::ZERO,
            kept: None,
            free: None,
        }
    }

    /// Takes in what stands there before anything is deleted.
    fn count(&mut self, rows: &[OldRows]) {
        let gone: i64 = rows.iter().filter(|row| self.old.takes(&row.state)).map(|row| row.events).sum();
        self.deleted = gone.unsigned_abs();
        self.kept = Some(kept(&self.old, rows));
    }

    fn deed(&self) -> Text {
        let (deleted, of) = (self.deleted, self.which());
        let (en, zh) = (of.en, of.zh);
        say!("this deletes {deleted} events {en} for good"; "将永久删除{zh}的 {deleted} 条事件")
    }

    /// Whose events, and how old.
    fn which(&self) -> Text {
        let before = time_local(self.old.before.timestamp_millis());
        match &self.old.account {
            Some(account) => {
                say!("of account {account}, received before {before},"; "账号 {account} 在 {before} 之前收到")
            }
            None => say!("of all accounts, received before {before},"; "所有账号在 {before} 之前收到"),
        }
    }
}

impl Report for Purged {
    fn json(&self) -> serde_json::Value {
        json!({
            "before": time_json(self.old.before.timestamp_millis()),
            "account": self.old.account,
            "include_dead": self.old.dead,
            "dry_run": self.dry_run,
            "deleted": self.deleted,
            "kept": self.kept.map(|(new, dead)| json!({ "new": new, "dead": dead })),
            "transactions": self.transactions,
            "longest_seconds": self.longest.as_secs_f64(),
            "free_bytes": self.free,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let (deleted, of) = (self.deleted, self.which());
        let (en, zh) = (of.en.trim_end_matches(','), of.zh);
        let mut lines = vec![match self.dry_run {
            true => say!("would delete {deleted} events {en}"; "将删除{zh}的 {deleted} 条事件"),
            false => say!("deleted {deleted} events {en}"; "已删除{zh}的 {deleted} 条事件"),
        }];
        if let Some((new, _)) = self.kept.filter(|(new, _)| *new > 0) {
            lines.push(say!(
                "kept {new} that are not settled: is a serve running?";
                "保留 {new} 条未处理的：serve 是否在运行？"
            ));
        }
        if let Some((_, dead)) = self.kept.filter(|(_, dead)| *dead > 0) {
            lines.push(say!(
                "kept {dead} dead; --include-dead deletes them too";
                "保留 {dead} 条 dead；加 --include-dead 可一并删除"
            ));
        }
        if let Some(free) = self.free.filter(|free| *free > 0) {
            let free = bytes(free.unsigned_abs());
            lines.push(say!(
                "the file keeps its size; {free} in it are free and used again";
                "文件大小不变；其中 {free} 已空闲，会被重新使用"
            ));
        }
        lines.iter().map(|line| line.in_lang(lang).to_owned()).collect::<Vec<_>>().join("\n")
    }
}
