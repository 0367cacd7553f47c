//! `wxops queue drain`: sends what is due.

use crate::app::App;
use crate::commands::Context;
use crate::config;
use crate::error::{Error, Kind, Lang, Result};
use crate::job::{Frame, Job, Run, Schedule, Stop};
use crate::lifecycle;
use crate::notify::{Counts, Notifier, Options, Passed, Rhythm, wecom};
use crate::report::{Report, span};
use crate::say;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The job's name.
pub(super) const JOB: &str = "queue drain";

/// Send the notifications that are due
///
/// A pass goes on until nothing is due. Each row is claimed by one drain, however
/// many run; what a drain that was killed had in hand is due again after 30 s.
/// What is due beyond the platform's pace for a recipient is told of in one
/// message.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue drain --max-time 50s")]
pub(crate) struct Drain {
    /// One pass, then end; the default
    #[arg(long, conflicts_with = "daemon")]
    once: bool,
    /// Go on until SIGTERM: a full pass each QUEUE_MONITOR_INTERVAL minutes, and whenever a row is due
    #[arg(long, conflicts_with_all = ["max", "max_time", "skip_if_running", "wait", "ping_url", "metrics_file"])]
    daemon: bool,
    /// Between two full passes, a look for due rows each so long
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = config::duration, requires = "daemon")]
    poll: Duration,
    /// Rows claimed at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batch: u32,
    /// Messages under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: u32,
    /// Rows at the most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,
    /// Claim no more rows after this time
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    max_time: Option<Duration>,
    /// Wait until the oldest row is so old, and tell each recipient of all in one message
    #[arg(long, value_name = "TIME", value_parser = config::duration)]
    digest: Option<Duration>,
    #[command(flatten)]
    schedule: Schedule,
}

impl Drain {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        if self.daemon {
            return self.go_on(context).await;
        }
        let frame = context.frame(&self.schedule, JOB);
        frame.whole(async |frame| self.once(context, frame).await).await
    }

    fn options(&self, app: &App) -> Options {
        Options {
            batch: self.batch,
            concurrency: self.concurrency as usize,
            max: self.max,
            until: self.max_time.map(|time| Instant::now() + time),
            digest: self.digest.or(app.config.queue.digest),
        }
    }

    async fn once(&self, context: &mut Context, frame: &Frame) -> Result<()> {
        let app = Arc::new(App::open(context.config()?.clone()).await?);
        let options = self.options(&app);
        let account = wecom(&app.config)?.name.clone();
        let notifier = Notifier::open(app.clone(), &app.config).await?;
        let mut told = None;
        let work = async |run: Option<&Run>, stop: &Arc<Stop>| {
            let Passed { counts, next_in_ms, error } = notifier.pass(&options, ends_with(stop)).await;
            if let Some(run) = run {
                count(run, &counts);
            }
            let error = error.or_else(|| failed_in_part(&counts));
            told = Some(Told { account: account.clone(), counts, next_in_ms });
            error.map_or(Ok(()), Err)
        };
        let job = Job { name: JOB, account: &account, resume: None };
        let ended = frame.run_beside(&app, job, work).await.map(drop);
        match &told {
            // Of a pass that came to nothing the error tells.
            Some(told) if ended.is_ok() || told.counts != Counts::default() => context.out.report(told)?,
            _ => {}
        }
        ended
    }

    /// The daemon: stops gracefully, and then its exit code is 0.
    async fn go_on(&self, context: &mut Context) -> Result<()> {
        context.take_signals();
        let app = Arc::new(App::open(context.config()?.clone()).await?);
        let options = self.options(&app);
        let notifier = Notifier::open(app.clone(), &app.config).await?;
        let rhythm = Rhythm { full: app.config.queue.monitor_interval, poll: self.poll };
        let stop = CancellationToken::new();
        lifecycle::ready("waiting for notifications");
        let alive = tokio::spawn(watchdog());
        let going = notifier.keep_going(&options, &rhythm, stop.clone());
        tokio::pin!(going);
        let stopped = tokio::select! {
            () = &mut going => Ok(()),
            stopped = lifecycle::stopped() => stopped,
        };
        lifecycle::stopping();
        tracing::info!("stopping: what is under way is finished");
        stop.cancel();
        going.await;
        alive.abort();
        stopped
    }
}

/// Tells systemd that the daemon lives.
async fn watchdog() {
    let Some(every) = lifecycle::watchdog() else { return };
    loop {
        lifecycle::alive();
        tokio::time::sleep(every / 2).await;
    }
}

/// Cancelled once the job is asked to stop.
fn ends_with(stop: &Arc<Stop>) -> CancellationToken {
    let (token, stop) = (CancellationToken::new(), stop.clone());
    let asked = token.clone();
    tokio::spawn(async move {
        stop.wait().await;
        asked.cancel();
    });
    token
}

fn count(run: &Run, counts: &Counts) {
    let Counts { claimed, sent, messages, digests, partly, again, dead, unknown, paced, repeated, .. } = *counts;
    for (name, count) in [
        ("claimed", claimed),
        ("sent", sent),
        ("messages", messages),
        ("digests", digests),
        ("partly", partly),
        ("again", again),
        ("dead", dead),
        ("unknown", unknown),
        ("paced", paced),
        ("repeated", repeated),
    ] {
        run.set_count(name, count);
    }
}

/// Some rows failed.
fn failed_in_part(counts: &Counts) -> Option<Error> {
    let Counts { dead, again, partly, .. } = *counts;
    if dead + again + partly == 0 {
        return None;
    }
    let what = say!(
        "some notifications failed: {dead} given up, {again} to be tried again, {partly} not to everybody";
        "部分通知失败：放弃 {dead} 条，待重试 {again} 条，未送达全部接收人 {partly} 条"
    );
    Some(Error::new(Kind::Partial, what).next(say!(
        "wxops queue list --failed shows them and why; wxops queue retry ID sends one again";
        "wxops queue list --failed 会列出这些通知及原因；wxops queue retry ID 可重发"
    )))
}

/// What a pass tells.
struct Told {
    account: String,
    counts: Counts,
    next_in_ms: Option<i64>,
}

impl Report for Told {
    fn json(&self) -> Value {
        let mut all = json!({ "account": self.account, "next_in_ms": self.next_in_ms });
        if let (Some(all), Ok(Value::Object(counts))) = (all.as_object_mut(), serde_json::to_value(&self.counts)) {
            all.extend(counts);
        }
        all
    }

    fn text(&self, lang: Lang) -> String {
        let Counts { claimed, sent, messages, again, dead, unknown, paced, .. } = self.counts;
        let account = &self.account;
        if claimed == 0 && self.next_in_ms.is_none() {
            return say!("{account}: nothing is due"; "{account}：没有到期的通知").in_lang(lang).to_owned();
        }
        let mut text = say!(
            "{account}: {sent} notifications sent in {messages} messages, {again} to be tried again, {dead} given up, \
             {unknown} of unknown outcome, {paced} waiting for the pace";
            "{account}：已发送 {sent} 条通知（{messages} 条消息），待重试 {again}，放弃 {dead}，结果未知 {unknown}，因限频等待 {paced}"
        );
        if let Some(in_ms) = self.next_in_ms {
            let wait = span(in_ms);
            let (en, zh) = (wait.en, wait.zh);
            text.en.push_str(&format!("; the next is due in {en}"));
            text.zh.push_str(&format!("；下一条 {zh}后到期"));
        }
        text.in_lang(lang).to_owned()
    }
}
