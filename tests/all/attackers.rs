//! People who mean harm: connections that never ask, floods, storms, requests that no client makes, a stopwatch.

mod alike;
mod flood;
mod half_open;
mod memory;
mod requests;
mod storm;

use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::rows::{Db, skip};
use crate::signer;
use crate::stage::{Serve, Stage};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

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

/// Good callbacks at a pace, as the platform sends them: whoever is answered late makes up for it as well as can be.
#[derive(Clone, Copy)]
struct Good {
    connections: u32,
    /// Of all of them together, each second.
    pace: u32,
}

impl Good {
    /// So many were acknowledged in a second, each another. Any other answer fails.
    async fn rate(self, stage: &Stage, serve: &Serve, time: Duration, numbers: &Arc<AtomicU64>) -> f64 {
        let end = Instant::now() + time;
        let mut tasks = JoinSet::new();
        for _ in 0..self.connections {
            let (keys, mode, address, numbers) = (stage.keys.clone(), stage.mode, serve.address(), numbers.clone());
            let mut beat = tokio::time::interval(Duration::from_secs(1) * self.connections / self.pace);
            tasks.spawn(async move {
                let mut connection = Connection::open(address).await.expect("the door is open");
                let mut count = 0;
                while Instant::now() < end {
                    beat.tick().await;
                    let message = text(OPENID, "x", numbers.fetch_add(1, Ordering::Relaxed));
                    let push = signer::push(&keys, mode, &message);
                    let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
                    connection.write(&request).await.expect("nobody is cut who asks");
                    assert_eq!(connection.answer().await.expect("an answer").status, 200);
                    count += 1;
                }
                count
            });
        }
        let count: usize = tasks.join_all().await.into_iter().sum();
        count as f64 / time.as_secs_f64()
    }
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
