//! A run, as it is shown.

use crate::commands::{time_json, time_local};
use crate::report::{Column, Row};
use crate::store::JobRun;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

pub(super) const COLUMNS: &[Column] = &[
    Column("ID", "编号"),
    Column("STARTED", "开始"),
    Column("JOB", "任务"),
    Column("ACCOUNT", "账号"),
    Column("OUTCOME", "结果"),
    Column("SECONDS", "秒"),
    Column("COUNTS", "计数"),
    Column("ERROR", "错误"),
];

pub(super) fn json(run: &JobRun) -> Value {
    let time = |time: DateTime<Utc>| time_json(time.timestamp_millis());
    json!({
        "id": run.id.to_string(),
        "job": run.job,
        "account": run.account,
        "origin": run.origin.to_string(),
        "started_at": time(run.started_at),
        "finished_at": run.finished_at.map(time),
        "seconds": seconds(run),
        "outcome": run.outcome.as_str(),
        "exit_code": run.exit_code,
        "counts": counts(run),
        "checkpoint_at": run.checkpoint_at.map(time),
        "error": run.error,
        "who": run.who,
    })
}

/// How long it took; `None` where nobody saw its end.
pub(super) fn seconds(run: &JobRun) -> Option<f64> {
    run.finished_at.map(|end| (end - run.started_at).num_milliseconds() as f64 / 1000.0)
}

fn counts(run: &JobRun) -> Value {
    serde_json::from_str(&run.counts).unwrap_or_default()
}

/// `seen 100, new 3`.
pub(super) fn counted(run: &JobRun) -> String {
    let counts = counts(run);
    let counts = counts.as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

impl Row for JobRun {
    fn json(&self) -> Value {
        json(self)
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            time_local(self.started_at.timestamp_millis()),
            self.job.clone(),
            self.account.clone(),
            self.outcome.as_str().to_owned(),
            seconds(self).map(|seconds| format!("{seconds:.1}")).unwrap_or_default(),
            counted(self),
            self.error.clone().unwrap_or_default(),
        ]
    }
}
