//! `job_run`: every run of a scheduled job. Written only while the job's lock is held, so that the last row of a job and
//! account is the last run, and one that still says running when the lock is taken was killed.

use super::read::Row;
use super::value::{Statement, Value, stmt};
use super::{Lease, Store};
use crate::error::{Kind, Result};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// Runs of a job and account that are kept: 1,000 are three days of one that runs every five minutes.
const KEPT: i64 = 1_000;
/// Letters of an error that are kept.
const ERROR_MAX: usize = 2_000;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// It is under way.
    Running,
    /// Done, or nothing to do.
    Ok,
    /// Done to the end, and some items failed.
    Partial,
    /// The outcome of a send is unknown.
    Unknown,
    /// It failed.
    Failed,
    /// Something was not reachable, or the quota was spent.
    Unavailable,
    /// The platform says no.
    Refused,
    /// A signal ended it.
    Interrupted,
    /// `--timeout` was over.
    Timeout,
    /// Its process died without a word.
    Killed,
}

impl JobOutcome {
    /// Every one.
    pub const ALL: [JobOutcome; 10] = [
        JobOutcome::Running,
        JobOutcome::Ok,
        JobOutcome::Partial,
        JobOutcome::Unknown,
        JobOutcome::Failed,
        JobOutcome::Unavailable,
        JobOutcome::Refused,
        JobOutcome::Interrupted,
        JobOutcome::Timeout,
        JobOutcome::Killed,
    ];

    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            JobOutcome::Running => "running",
            JobOutcome::Ok => "ok",
            JobOutcome::Partial => "partial",
            JobOutcome::Unknown => "unknown",
            JobOutcome::Failed => "failed",
            JobOutcome::Unavailable => "unavailable",
            JobOutcome::Refused => "refused",
            JobOutcome::Interrupted => "interrupted",
            JobOutcome::Timeout => "timeout",
            JobOutcome::Killed => "killed",
        }
    }

    /// Of a run that ended with this error.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Partial => JobOutcome::Partial,
            Kind::Unknown => JobOutcome::Unknown,
            Kind::Unavailable => JobOutcome::Unavailable,
            Kind::Refused => JobOutcome::Refused,
            Kind::Interrupted | Kind::Terminated => JobOutcome::Interrupted,
            Kind::Failed | Kind::Usage | Kind::Busy | Kind::Config => JobOutcome::Failed,
        }
    }

    /// What a later program wrote is a failure to this one.
    fn read(text: &str) -> Self {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).unwrap_or(JobOutcome::Failed)
    }

    /// Whether it came to its end: the next run begins anew.
    pub fn complete(self) -> bool {
        matches!(self, JobOutcome::Ok | JobOutcome::Partial)
    }

    /// Whether somebody should look: neither done nor under way nor ended by a person or a restart.
    pub fn failed(self) -> bool {
        !matches!(self, JobOutcome::Running | JobOutcome::Ok | JobOutcome::Interrupted)
    }
}

/// A row of `job_run`.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// job_run.id
    pub id: i64,
    /// As it is typed: `followers sync`.
    pub job: String,
    /// The account's name; `*` for the whole installation.
    pub account: String,
    /// The first run of the chain that this one goes on with; its own id otherwise.
    pub origin: i64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None`: it is under way, or nobody saw its end.
    pub finished_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: JobOutcome,
    /// What the process would have ended with for this account alone.
    pub exit_code: Option<i64>,
    /// What was done, JSON.
    pub counts: String,
    /// Where the next run goes on, JSON.
    pub checkpoint: Option<String>,
    /// When that was written.
    pub checkpoint_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// Host and process id.
    pub who: String,
}

const COLUMNS: &str = "id, job, account, origin, started_at, finished_at, outcome, exit_code, counts, checkpoint, \
     checkpoint_at, error, who";

fn job_run(row: &Row) -> Result<JobRun> {
    Ok(JobRun {
        id: row.int(0)?,
        job: row.text(1)?,
        account: row.text(2)?,
        origin: row.int(3)?,
        started_at: row.time(4)?,
        finished_at: row.opt_time(5)?,
        outcome: JobOutcome::read(&row.text(6)?),
        exit_code: row.opt_int(7)?,
        counts: row.text(8)?,
        checkpoint: row.opt_text(9)?,
        checkpoint_at: row.opt_time(10)?,
        error: row.opt_text(11)?,
        who: row.text(12)?,
    })
}

/// How a run ended, to be written.
#[derive(Debug, Clone)]
pub struct RunEnd<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub outcome: JobOutcome,
    /// The exit code.
    pub exit_code: u8,
    /// What was done, JSON.
    pub counts: &'a str,
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// Which runs are listed.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// Only this job.
    pub job: Option<String>,
    /// Only this account.
    pub account: Option<String>,
    /// Only those of [`JobOutcome::failed`], and those that say running: their process may be dead.
    pub failed: bool,
    /// Only those with a lower id.
    pub before: Option<i64>,
}

/// A run that has begun, and the one at the head of its chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// Its row. A checkpoint in it is that of the run that it goes on with, and so are the counts.
    pub run: JobRun,
    /// When the first run of the chain began.
    pub began: DateTime<Utc>,
}

/// The name of a job's lock: that of the whole installation is the job's alone.
pub fn job_lock(job: &str, account: &str) -> String {
    match account {
        "*" => format!("job:{job}"),
        account => format!("job:{job}:{account}"),
    }
}

impl Store {
    /// A row that says running and whose lock nobody holds is of a process that was killed.
    pub async fn as_it_stands(&self, run: JobRun) -> Result<JobRun> {
        if run.outcome != JobOutcome::Running {
            return Ok(run);
        }
        let holder = self.holder(&job_lock(&run.job, &run.account)).await?;
        let held = holder.is_some_and(|holder| holder.left_ms.is_some_and(|left| left > 0));
        Ok(JobRun { outcome: if held { JobOutcome::Running } else { JobOutcome::Killed }, ..run })
    }

    /// Every job and account that ever ran.
    pub async fn jobs(&self) -> Result<Vec<(String, String)>> {
        let sql = "SELECT DISTINCT job, account FROM job_run ORDER BY job, account";
        self.rows(sql, vec![], |row| Ok((row.text(0)?, row.text(1)?))).await
    }

    /// Writes down that a run begins; its lock is held. A row that still says running is closed as killed. Where the
    /// last run did not come to its end and has left a checkpoint younger than `resume`, this one goes on with it.
    pub async fn begin_run(
        &self,
        (job, account): (&str, &str),
        who: &str,
        now: DateTime<Utc>,
        resume: Option<Duration>,
    ) -> Result<Begun> {
        let killed = "UPDATE job_run SET outcome = 'killed' WHERE job = ? AND account = ? AND outcome = 'running'";
        self.commit(vec![stmt!(killed, job, account)]).await?;
        self.forget_runs(job, account).await?;
        let before = self.last_run(job, account).await?.filter(|run| goes_on(run, now, resume));
        let (origin, counts, checkpoint, at) = match &before {
            Some(run) => (run.origin, run.counts.as_str(), run.checkpoint.as_deref(), run.checkpoint_at),
            None => (0, "{}", None, None),
        };
        let insert = "INSERT INTO job_run (job, account, origin, started_at, outcome, counts, checkpoint, checkpoint_at, who) \
                      VALUES (?, ?, ?, ?, 'running', ?, ?, ?, ?)";
        let own = "UPDATE job_run SET origin = id WHERE job = ? AND account = ? AND origin = 0";
        let insert = stmt!(insert, job, account, origin, now, counts, checkpoint, at, who);
        self.commit(vec![insert, stmt!(own, job, account)]).await?;
        let gone = || super::lost(sqlx::Error::RowNotFound);
        let run = self.last_run(job, account).await?.ok_or_else(gone)?;
        let began = self.run(run.origin).await?.map_or(run.started_at, |first| first.started_at);
        Ok(Begun { run, began })
    }

    async fn last_run(&self, job: &str, account: &str) -> Result<Option<JobRun>> {
        let sql = format!("SELECT {COLUMNS} FROM job_run WHERE job = ? AND account = ? ORDER BY id DESC LIMIT 1");
        self.row(&sql, vec![job.into(), account.into()], job_run).await
    }

    /// The oldest go, so that a job of every minute does not fill the disk.
    async fn forget_runs(&self, job: &str, account: &str) -> Result<()> {
        let sql =
            format!("SELECT id FROM job_run WHERE job = ? AND account = ? ORDER BY id DESC LIMIT 1 OFFSET {KEPT}");
        let Some(last) = self.row(&sql, vec![job.into(), account.into()], |row| row.int(0)).await? else {
            return Ok(());
        };
        let sql = "DELETE FROM job_run WHERE job = ? AND account = ? AND id <= ?";
        self.commit(vec![stmt!(sql, job, account, last)]).await.map(drop)
    }

    /// The statement that writes a checkpoint (`None`: there is none any more) and the counts up to it; touches no row
    /// where another run has taken this one for dead.
    pub fn checkpoint_run(&self, id: i64, checkpoint: Option<&str>, counts: &str, now: DateTime<Utc>) -> Statement {
        let sql =
            "UPDATE job_run SET checkpoint = ?, counts = ?, checkpoint_at = ? WHERE id = ? AND outcome = 'running'";
        stmt!(sql, checkpoint, counts, checkpoint.map(|_| now), id)
    }

    /// Writes how a run ended, and gives its lock back. What came to its end leaves no checkpoint.
    pub async fn end_run(&self, id: i64, end: &RunEnd<'_>, lease: &Lease) -> Result<()> {
        let kept = if end.outcome.complete() { "checkpoint = NULL, checkpoint_at = NULL, " } else { "" };
        let sql = format!(
            "UPDATE job_run SET {kept}finished_at = ?, outcome = ?, exit_code = ?, counts = ?, error = ? \
             WHERE id = ? AND outcome = 'running'"
        );
        let error = end.error.map(|error| error.chars().take(ERROR_MAX).collect::<String>());
        let outcome = end.outcome.as_str();
        let row = stmt!(sql, end.at, outcome, i64::from(end.exit_code), end.counts, error, id);
        self.commit(vec![row, Store::release_of(lease)]).await.map(drop)
    }

    /// A run by its number.
    pub async fn run(&self, id: i64) -> Result<Option<JobRun>> {
        self.row(&format!("SELECT {COLUMNS} FROM job_run WHERE id = ?"), vec![id.into()], job_run).await
    }

    /// The last runs, the latest first.
    pub async fn runs(&self, filter: &RunFilter, limit: i64) -> Result<Vec<JobRun>> {
        let (mut sql, mut args) = (format!("SELECT {COLUMNS} FROM job_run WHERE 1 = 1"), Vec::<Value>::new());
        for (column, value) in [("job", &filter.job), ("account", &filter.account)] {
            if let Some(value) = value {
                sql.push_str(&format!(" AND {column} = ?"));
                args.push(value.as_str().into());
            }
        }
        if filter.failed {
            let failed: Vec<_> =
                JobOutcome::ALL.into_iter().filter(|it| it.failed() || *it == JobOutcome::Running).collect();
            sql.push_str(&format!(" AND outcome IN ({})", super::value::places(failed.len())));
            args.extend(failed.into_iter().map(|outcome| outcome.as_str().into()));
        }
        if let Some(before) = filter.before {
            sql.push_str(" AND id < ?");
            args.push(before.into());
        }
        sql.push_str(" ORDER BY id DESC LIMIT ?");
        args.push(limit.into());
        self.rows(&sql, args, job_run).await
    }

    /// How long the last runs took that began anew and ended well, milliseconds.
    pub async fn run_times(&self, job: &str, account: &str, count: i64) -> Result<Vec<i64>> {
        let sql = "SELECT started_at, finished_at FROM job_run WHERE job = ? AND account = ? AND outcome = 'ok' \
                   AND origin = id AND finished_at IS NOT NULL ORDER BY id DESC LIMIT ?";
        let took = |row: &Row| Ok((row.time(1)? - row.time(0)?).num_milliseconds());
        self.rows(sql, vec![job.into(), account.into(), count.into()], took).await
    }

    /// When a run ended well last.
    pub async fn last_success(&self, job: &str, account: &str) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT MAX(finished_at) FROM job_run WHERE job = ? AND account = ? AND outcome = 'ok'";
        Ok(self.row(sql, vec![job.into(), account.into()], |row| row.opt_time(0)).await?.flatten())
    }

    /// When the run that is under way began, where one is.
    pub async fn running_since(&self, job: &str, account: &str) -> Result<Option<DateTime<Utc>>> {
        let sql = "SELECT MAX(started_at) FROM job_run WHERE job = ? AND account = ? AND outcome = 'running'";
        Ok(self.row(sql, vec![job.into(), account.into()], |row| row.opt_time(0)).await?.flatten())
    }
}

/// Whether a new run takes over where this one ended.
fn goes_on(run: &JobRun, now: DateTime<Utc>, resume: Option<Duration>) -> bool {
    let Some((longest, at)) = resume.zip(run.checkpoint_at) else { return false };
    let young = (now - at).to_std().map_or(true, |age| age <= longest);
    !run.outcome.complete() && run.checkpoint.is_some() && young
}
