//! `wxops followers purge`: what is kept of erased people goes too; with `--gone` those are erased whom a sync found gone.

mod gone;

use crate::app::App;
use crate::commands::pace::Pace;
use crate::commands::{Context, Since, account_filter, time_json, time_local};
use crate::config;
use crate::error::{Error, Lang, Result};
use crate::job::{EVERYWHERE, Frame, Job, Run, Schedule};
use crate::report::{Progress, Report};
use crate::say;
use crate::store::{Remains, Store};
use serde_json::json;
use std::time::Duration;

/// How often it is tried to empty the log of a SQLite file, and the pause between.
const EMPTIED: u32 = 10;
const SOON: Duration = Duration::from_millis(200);
/// The job's name.
const JOB: &str = "followers purge";
/// A push that comes late is known as erased by the person's row, so it stays longer than any repetition.
const YOUNGEST: Duration = Duration::from_secs(86_400);
/// People looked for at a time.
const PAGE: usize = 100;

/// Delete what is kept of people who are erased
///
/// Their row of user_mapping, the rows of their callbacks, the openid of their
/// erasures; receipts stay. Not of people who returned or whose erasure a store
/// has not confirmed. In small transactions beside a running serve; ended in the
/// middle, the next run goes on. --gone erases instead, with a receipt each, whom
/// followers sync marked as gone a day ago or earlier.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops followers purge --older-than 30d --dry-run")]
#[command(group(clap::ArgGroup::new("whom").required(true)))]
pub struct Purge {
    /// Only people who were erased longer ago: 30d, at least 1d
    #[arg(long, value_name = "TIME", value_parser = config::duration, group = "whom")]
    older_than: Option<Duration>,
    /// Erase whom a sync marked as gone more than a day ago
    #[arg(long, group = "whom")]
    gone: bool,
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
    remains: Remains,
    dry_run: bool,
    /// Whether it came to deleting.
    began: bool,
    people: u64,
    events: u64,
    longest: Duration,
}

impl Purge {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let Some(older_than) = self.older_than else { return gone::run(&self, context).await };
        if older_than < YOUNGEST {
            return Err(Error::usage(say!(
                "--older-than: for a day it stays known that a person was erased, because an old push may still come";
                "--older-than：一天之内仍需保留清除记录，因为旧的推送可能还会到来"
            ))
            .next(say!("give 1d or more"; "请给出 1d 或更长的时间")));
        }
        if self.dry_run {
            let app = App::open(context.config()?.clone()).await?;
            let mut done = self.planned(&app, older_than)?;
            done.people = app.store.count_remains(&done.remains).await?.unsigned_abs();
            return context.out.report(&done);
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.purge(context, frame, older_than).await).await
    }

    fn planned(&self, app: &App, older_than: Duration) -> Result<Purged> {
        let before = Since::Ago(older_than).at(app.now_ms());
        let remains = Remains { account: account_filter(&app.config)?, before };
        let dry_run = self.dry_run;
        Ok(Purged { remains, dry_run, began: false, people: 0, events: 0, longest: Duration::ZERO })
    }

    async fn purge(&self, context: &mut Context, frame: &Frame, older_than: Duration) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let mut done = self.planned(&app, older_than)?;
        if !self.yes {
            done.people = app.store.count_remains(&done.remains).await?.unsigned_abs();
        }
        let (people, time) = (done.people, time_local(done.remains.before.timestamp_millis()));
        let deed = say!(
            "this deletes what is kept of {people} people erased before {time} for good";
            "将永久删除 {time} 之前清除的 {people} 个用户的剩余记录"
        );
        context.confirm(self.yes, deed).await?;
        done.people = 0;
        let account = done.remains.account.clone();
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

/// The callbacks of a person first: whoever is still there is found again by the next run.
async fn purge(store: &Store, done: &mut Purged, progress: &mut Progress, run: &Run) -> Result<()> {
    done.began = true;
    let mut pace = Pace::new();
    let mut after = 0;
    let all = store.count_remains(&done.remains).await?.max(1) as f64;
    loop {
        let people = store.remains(&done.remains, after, PAGE).await?;
        let Some(last) = people.last() else { break };
        after = last.id;
        for person in &people {
            while let Some(step) = store.purge_events_of(person, pace.rows()).await? {
                done.events += step.deleted;
                run.count("events", step.deleted);
                done.longest = done.longest.max(step.held);
                if run.stop().asked() {
                    return Ok(());
                }
                tokio::time::sleep(pace.after(step.held)).await;
            }
            let step = store.purge_person(person, &done.remains).await?;
            done.people += step.deleted;
            run.count("people", step.deleted);
            done.longest = done.longest.max(step.held);
            let deleted = done.people;
            progress.tell(deleted as f64 / all, || say!("{deleted} people deleted"; "已删除 {deleted} 个用户"));
            if run.stop().asked() {
                return Ok(());
            }
            tokio::time::sleep(pace.after(step.held)).await;
        }
    }
    // A log that is in use now is emptied with the next erasure.
    for _ in 0..EMPTIED {
        if store.empty_log().await? {
            break;
        }
        tokio::time::sleep(SOON).await;
    }
    Ok(())
}

impl Report for Purged {
    fn json(&self) -> serde_json::Value {
        json!({
            "before": time_json(self.remains.before.timestamp_millis()),
            "account": self.remains.account,
            "dry_run": self.dry_run,
            "people": self.people,
            "events": self.events,
            "longest_seconds": self.longest.as_secs_f64(),
        })
    }

    fn text(&self, lang: Lang) -> String {
        let (people, events) = (self.people, self.events);
        let before = time_local(self.remains.before.timestamp_millis());
        match self.dry_run {
            true => say!(
                "would delete what is kept of {people} people erased before {before}";
                "将删除 {before} 之前清除的 {people} 个用户的剩余记录"
            ),
            false => say!(
                "deleted what was kept of {people} people erased before {before}, with {events} events";
                "已删除 {before} 之前清除的 {people} 个用户的剩余记录，以及 {events} 条事件"
            ),
        }
        .in_lang(lang)
        .to_owned()
    }
}
