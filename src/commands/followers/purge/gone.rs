//! `wxops followers purge --gone`: who was found gone by a sync is erased, a day later at the earliest.

use super::{JOB, Purge, YOUNGEST};
use crate::app::App;
use crate::commands::pace::Pace;
use crate::commands::{Context, Since, account_filter, time_json, time_local};
use crate::erase;
use crate::error::{Error, Lang, Result};
use crate::job::{EVERYWHERE, Frame, Job, Run};
use crate::report::{Progress, Report};
use crate::say;
use crate::store::Cause;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::time::{Duration, Instant};

/// People looked for at a time.
const PAGE: i64 = 100;
/// Rows of a transaction that are about one person.
const ROWS_EACH: usize = 10;
/// How long it is waited for other stores, and the pause between two looks.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(100);

/// What was done, or would be.
struct Erased {
    account: Option<String>,
    before: DateTime<Utc>,
    dry_run: bool,
    /// Whether it came to erasing.
    began: bool,
    people: u64,
}

pub(super) async fn run(verb: &Purge, context: &mut Context) -> Result<()> {
    if verb.dry_run {
        let app = App::open(context.config()?.clone()).await?;
        let mut done = planned(&app, true)?;
        done.people = count(&app, &done).await?;
        return context.out.report(&done);
    }
    let frame = context.frame(&verb.schedule, JOB);
    frame.whole(async |frame| erase_all(verb, context, frame).await).await
}

fn planned(app: &App, dry_run: bool) -> Result<Erased> {
    let before = Since::Ago(YOUNGEST).at(app.now_ms());
    Ok(Erased { account: account_filter(&app.config)?, before, dry_run, began: false, people: 0 })
}

async fn count(app: &App, done: &Erased) -> Result<u64> {
    Ok(app.store.count_gone(done.account.as_deref(), done.before).await?.unsigned_abs())
}

async fn erase_all(verb: &Purge, context: &mut Context, frame: &Frame) -> Result<()> {
    let app = App::open(context.config()?.clone()).await?;
    let mut done = planned(&app, false)?;
    let (people, time) = (count(&app, &done).await?, time_local(done.before.timestamp_millis()));
    let deed = say!(
        "this erases {people} people whom a sync found gone before {time} for good";
        "将永久清除同步在 {time} 之前发现已离开的 {people} 个用户"
    );
    context.confirm(verb.yes, deed).await?;
    let account = done.account.clone();
    let job = Job { name: JOB, account: account.as_deref().unwrap_or(EVERYWHERE), resume: None };
    let mut progress = context.out.progress();
    let work = async |run: &mut Run| pages(&app, &mut done, people, run, &mut progress).await;
    let ended = frame.run(&app, job, work).await;
    drop(progress);
    if done.began {
        context.out.report(&done)?;
    }
    ended.map(drop)
}

/// Whoever is not erased yet is found again by the next run.
async fn pages(app: &App, done: &mut Erased, all: u64, run: &Run, progress: &mut Progress) -> Result<()> {
    done.began = true;
    let (mut pace, mut after) = (Pace::new(), 0);
    loop {
        let people = app.store.gone_people(done.account.as_deref(), done.before, after, PAGE).await?;
        let Some(last) = people.last() else { break };
        after = last.id;
        let mut rest = &people[..];
        while !rest.is_empty() {
            let (few, more) = rest.split_at((pace.rows() / ROWS_EACH).clamp(1, rest.len()));
            rest = more;
            let now_ms = app.now_ms();
            // A following that comes at this moment is later, and what it brings stays.
            let statements = few
                .iter()
                .flat_map(|one| erase::effects(app, &one.account, &one.openid, Cause::Gone, one.gone_at, now_ms))
                .collect();
            let start = Instant::now();
            app.store.commit(statements).await?;
            let pause = pace.after(start.elapsed());
            done.people += few.len() as u64;
            run.count("people", few.len() as u64);
            let erased = done.people;
            let part = erased as f64 / all.max(1) as f64;
            progress.tell(part, || say!("{erased} people erased"; "已清除 {erased} 个用户"));
            if run.stop().asked() {
                return Ok(());
            }
            tokio::time::sleep(pause).await;
        }
    }
    confirmed(app, run).await
}

/// Waits until every other store has confirmed.
async fn confirmed(app: &App, run: &Run) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        erase::settled(app, "", &[], Duration::ZERO).await?;
        let waiting = app.store.erasures_pending().await?;
        if waiting == 0 || run.stop().asked() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Error::unavailable(say!(
                "{waiting} erased in the database, not yet confirmed by every other store";
                "{waiting} 个已从数据库清除，尚有其他存储未确认"
            ))
            .next(say!("a running serve goes on with it"; "运行中的 serve 会继续处理")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Report for Erased {
    fn json(&self) -> serde_json::Value {
        json!({
            "before": time_json(self.before.timestamp_millis()),
            "account": self.account,
            "dry_run": self.dry_run,
            "people": self.people,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let (people, before) = (self.people, time_local(self.before.timestamp_millis()));
        match self.dry_run {
            true => say!(
                "would erase {people} people whom a sync found gone before {before}";
                "将清除同步在 {before} 之前发现已离开的 {people} 个用户"
            ),
            false => say!(
                "erased {people} people whom a sync found gone before {before}";
                "已清除同步在 {before} 之前发现已离开的 {people} 个用户"
            ),
        }
        .in_lang(lang)
        .to_owned()
    }
}
