//! `wxops queue cleanup`: old rows go, a few at a time.

use crate::app::App;
use crate::commands::Context;
use crate::commands::pace::Pace;
use crate::config;
use crate::domain::notice::State;
use crate::error::{Error, Lang, Result};
use crate::job::{EVERYWHERE, Frame, Job, Run, Schedule};
use crate::notify;
use crate::report::Report;
use crate::say;
use crate::store::queue::QueueDb;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The job's name.
const JOB: &str = "queue cleanup";
/// What is younger stays: a notification is looked for when somebody asks where it is.
const YOUNGEST: Duration = Duration::from_secs(86_400);

/// Delete old notifications that came to their end
///
/// Those that were sent or taken back, in small transactions beside running
/// drains and registrations. What was given up stays without --include-dead.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue cleanup --older-than 30d")]
pub(crate) struct Cleanup {
    /// Only what came to its end longer ago: 30d, at least 1d
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    older_than: Duration,
    /// Also what was given up
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

struct Told {
    deleted: u64,
    dry_run: bool,
}

impl Cleanup {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.older_than < YOUNGEST {
            return Err(Error::usage(
                say!("--older-than: a day's notifications stay"; "--older-than：一天以内的通知不能清理"),
            )
            .next(say!("give 1d or more"; "请给出 1d 或更长的时间")));
        }
        if self.dry_run {
            let app = App::open(context.config()?.clone()).await?;
            let db = notify::database(&app, &app.config).await?;
            let mut deleted = 0;
            for state in self.states() {
                deleted += db.count_old_notices(state, self.age_ms()).await?;
            }
            return context.out.report(&Told { deleted, dry_run: true });
        }
        let deed = say!("old notifications are deleted"; "将删除过期的通知");
        context.confirm(self.yes, deed).await?;
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.clean(context, frame).await).await
    }

    async fn clean(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let db = notify::database(&app, &app.config).await?;
        let mut told = Told { deleted: 0, dry_run: false };
        let job = Job { name: JOB, account: EVERYWHERE, resume: None };
        let ended = frame.run(&app, job, async |run| self.delete(&db, run, &mut told).await).await.map(drop);
        context.out.report(&told)?;
        ended
    }

    async fn delete(&self, db: &QueueDb, run: &Run, told: &mut Told) -> Result<()> {
        for state in self.states() {
            let mut pace = Pace::new();
            loop {
                let rows = u32::try_from(pace.rows()).unwrap_or(u32::MAX);
                let ids = db.old_notices(state, self.age_ms(), rows).await?;
                if ids.is_empty() || run.stop().asked() {
                    break;
                }
                let start = Instant::now();
                let deleted = db.delete_notices(state, &ids).await?;
                told.deleted += deleted;
                run.count("deleted", deleted);
                tokio::time::sleep(pace.after(start.elapsed())).await;
            }
        }
        Ok(())
    }

    fn states(&self) -> impl Iterator<Item = State> {
        let dead = self.include_dead;
        [State::Sent, State::Cancelled, State::Dead].into_iter().filter(move |state| *state != State::Dead || dead)
    }

    fn age_ms(&self) -> i64 {
        i64::try_from(self.older_than.as_millis()).unwrap_or(i64::MAX / 2_000)
    }
}

impl Report for Told {
    fn json(&self) -> Value {
        json!({ "deleted": self.deleted, "dry_run": self.dry_run })
    }

    fn text(&self, lang: Lang) -> String {
        let deleted = self.deleted;
        match self.dry_run {
            true => say!("{deleted} notifications would be deleted"; "将删除 {deleted} 条通知"),
            false => say!("{deleted} notifications deleted"; "已删除 {deleted} 条通知"),
        }
        .in_lang(lang)
        .to_owned()
    }
}
