//! Scheduled jobs that failed, and those that no longer run.

use super::{ALL, Finding, Kind};
use crate::app::App;
use crate::config::Config;
use crate::domain::rhythm::{Rhythm, median};
use crate::error::{Result, Text};
use crate::report::span;
use crate::say;
use crate::store::{JobOutcome, JobRun, RunFilter};

/// Runs that are looked at of a job.
const LAST: i64 = 30;
/// So many runs in a row that were stopped by what is not reachable are an alarm; one is tried again by the timer.
const IN_A_ROW: usize = 3;
/// A failure that nobody has repeated for so long is history, milliseconds.
const OLD_MS: i64 = 14 * 86_400_000;

/// How a job stands.
#[derive(Debug, Clone)]
pub struct JobState {
    /// As it is typed: `followers sync`.
    pub job: String,
    /// The account's name; `*` for the whole installation.
    pub account: String,
    /// The last run, as it stands.
    pub last: JobRun,
    /// When the last one began that ended well, milliseconds.
    pub last_ok: Option<i64>,
    /// How long one that ends well usually takes, milliseconds.
    pub usual_ms: Option<i64>,
    /// How often it usually runs; `None`: at no even gaps, or not often enough yet.
    pub rhythm: Option<Rhythm>,
    /// How the last one ended that has.
    ended: Option<JobOutcome>,
    failures: usize,
}

impl JobState {
    pub(super) async fn look_all(app: &App, config: &Config) -> Result<Vec<JobState>> {
        let mut states = Vec::new();
        for (job, account) in app.store.jobs().await? {
            // What ran for an account that is gone is missed by nobody.
            if account == ALL || config.accesses().any(|known| known.name == account) {
                states.extend(Self::look(app, job, account).await?);
            }
        }
        Ok(states)
    }

    async fn look(app: &App, job: String, account: String) -> Result<Option<JobState>> {
        let filter = RunFilter { job: Some(job.clone()), account: Some(account.clone()), ..RunFilter::default() };
        let runs = app.store.runs(&filter, LAST).await?;
        let Some(last) = runs.first().cloned() else { return Ok(None) };
        let last = app.store.as_it_stands(last).await?;
        let ended: Vec<JobOutcome> = std::iter::once(last.outcome)
            .chain(runs.iter().skip(1).map(|run| run.outcome))
            .filter(|outcome| *outcome != JobOutcome::Running)
            .collect();
        let ok = || runs.iter().filter(|run| run.outcome == JobOutcome::Ok);
        let took = |run: &JobRun| run.finished_at.map(|end| (end - run.started_at).num_milliseconds());
        let mut times: Vec<i64> = ok().filter_map(took).collect();
        Ok(Some(JobState {
            job,
            account,
            last_ok: ok().next().map(|run| run.started_at.timestamp_millis()),
            usual_ms: median(&mut times),
            rhythm: Rhythm::of(ok().map(|run| run.started_at.timestamp_millis()).collect()),
            ended: ended.first().copied(),
            failures: ended.iter().take_while(|outcome| outcome.failed()).count(),
            last,
        }))
    }

    /// Whether its last run failed in a way that the next one does not mend by itself.
    pub fn failed(&self, now_ms: i64) -> bool {
        let person = matches!(
            self.ended,
            Some(JobOutcome::Failed | JobOutcome::Partial | JobOutcome::Unknown | JobOutcome::Refused)
        );
        let young = now_ms - self.last.started_at.timestamp_millis() < OLD_MS;
        young && (person || self.failures >= IN_A_ROW)
    }

    /// Whether it used to run regularly and has not ended well for too long.
    pub fn overdue(&self, now_ms: i64) -> bool {
        self.rhythm.zip(self.last_ok).is_some_and(|(rhythm, last)| rhythm.overdue(now_ms - last))
    }

    fn name(&self) -> Text {
        let (job, account) = (&self.job, &self.account);
        match self.account.as_str() {
            ALL => say!("{job}"; "{job}"),
            _ => say!("{job} of {account}"; "{job}（{account}）"),
        }
    }
}

/// What of it somebody should know.
pub(super) fn findings(jobs: &[JobState], now_ms: i64) -> impl Iterator<Item = Finding> {
    failed(jobs, now_ms).into_iter().chain(late(jobs, now_ms))
}

fn failed(jobs: &[JobState], now_ms: i64) -> Option<Finding> {
    let failed: Vec<&JobState> = jobs.iter().filter(|job| job.failed(now_ms)).collect();
    let first = failed.first()?;
    let word = |job: &&JobState| {
        let (name, outcome) = (job.name(), job.ended.map_or("", JobOutcome::as_str));
        let ago = span(now_ms - job.last.started_at.timestamp_millis());
        let (name_en, name_zh, en, zh) = (name.en, name.zh, ago.en, ago.zh);
        say!("{name_en} ({outcome}, {en} ago)"; "{name_zh}（{outcome}，{zh}前）")
    };
    let (en, zh) = joined(failed.iter().map(word));
    let id = first.last.id;
    Some(Finding::of_all(
        Kind::Job,
        i64::try_from(failed.len()).unwrap_or(i64::MAX),
        say!("jobs that failed: {en}"; "失败的任务：{zh}"),
        say!("wxops jobs show {id}; it is over once the job ends well"; "wxops jobs show {id}；任务成功后告警即解除"),
    ))
}

fn late(jobs: &[JobState], now_ms: i64) -> Option<Finding> {
    let late: Vec<&JobState> = jobs.iter().filter(|job| job.overdue(now_ms)).collect();
    let word = |job: &&JobState| {
        let (name, ago) = (job.name(), span(now_ms - job.last_ok.unwrap_or(now_ms)));
        let usual = span(job.rhythm.map_or(0, |rhythm| rhythm.gap_ms));
        let (name_en, name_zh, en, zh) = (name.en, name.zh, ago.en, ago.zh);
        let (usual_en, usual_zh) = (usual.en, usual.zh);
        say!("{name_en} (last {en} ago, usual every {usual_en})"; "{name_zh}（上次 {zh}前，平时每 {usual_zh}）")
    };
    let (en, zh) = joined(late.iter().map(word));
    let size = i64::try_from(late.len()).unwrap_or(i64::MAX);
    (size > 0).then(|| {
        Finding::of_all(
            Kind::JobLate,
            size,
            say!("jobs that have not ended well for longer than usual: {en}"; "超过平时间隔未成功的任务：{zh}"),
            say!("look at its timer or crontab; wxops jobs list"; "请检查其定时器或 crontab；wxops jobs list"),
        )
    })
}

fn joined(words: impl Iterator<Item = Text>) -> (String, String) {
    let words: Vec<Text> = words.collect();
    let of = |lang: fn(&Text) -> &str, comma: &str| words.iter().map(lang).collect::<Vec<_>>().join(comma);
    (of(|text| &text.en, ", "), of(|text| &text.zh, "，"))
}
