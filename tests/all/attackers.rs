//! People who mean harm: connections that never ask, floods, storms, requests that no client makes, a stopwatch.

mod alike;
mod flood;
mod half_open;
mod memory;
mod requests;
mod storm;

use crate::rows::{Db, skip};
use crate::stage::{Serve, Stage};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// How long an attack lasts: 10 s, and with `WXOPS_TEST_FULL=1` a minute.
fn length() -> Duration {
    let full = std::env::var("WXOPS_TEST_FULL").is_ok_and(|value| value == "1");
    Duration::from_secs(if full { 60 } else { 10 })
}

/// A stage on SQLite, for what has nothing to do with the database.
async fn stage(story: &str) -> Option<Stage> {
    Stage::new(Db::Sqlite, story).await
}

/// The same for a story that holds so many connections open itself; `None`, loudly, where the system does not allow it.
async fn stage_with_files(story: &str, files: u64) -> Option<Stage> {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < files) {
        skip(story, &format!("the hard limit of open files is below {files}"));
        return None;
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("the soft limit may be raised");
    stage(story).await
}

/// What the server holds in memory now, and the most it ever held, KiB.
fn memory(serve: &Serve) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serve.pid())).expect("it runs");
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of the kernel's");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (figure("VmRSS"), figure("VmHWM"))
}
