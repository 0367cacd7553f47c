//! 2,000 connections that never ask for anything: each is cut within 10 s, and who asks hardly notices.

use super::{Good, length, memory, stage_with_files};
use crate::http::{self, Connection};
use crate::messages::{OPENID, subscribe};
use crate::signer::{self, Mode};
use crate::stage::Stage;
use crate::stories::tell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const CONNECTIONS: usize = 2_000;
/// Nobody stays longer without a whole request.
const CUT: Duration = Duration::from_secs(10);
/// Of the goodput before and after.
const LEFT: f64 = 0.9;
/// The good load.
const GOOD: Good = Good { connections: 16, pace: 300 };
/// Before anything is measured.
const WARM: Duration = Duration::from_millis(500);
/// The load alone, before and after.
const ALONE: Duration = Duration::from_secs(2);
/// What they may cost beside the server's own memory, KiB.
const MEMORY: u64 = 96 * 1024;
/// The rest of the story: start, load alone, the last cuts.
const REST: Duration = Duration::from_secs(35);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_leave_the_goodput() {
    let stage = stage_with_files("attackers::half_open::two_thousand_leave_the_goodput", 5_000);
    tell(stage, length() + REST, play).await;
}

async fn play(stage: Stage) {
    let serve = stage.serve().await;
    let numbers = Arc::new(AtomicU64::new(1));
    let rate = async |time: Duration| GOOD.rate(&stage, &serve, time, &numbers).await;
    rate(WARM).await;
    let before = rate(ALONE).await;
    let (idle, _) = memory(&serve);

    let end = Instant::now() + length();
    let crowd = Arc::new(Crowd { address: serve.address(), halves: halves(&stage), end, open: AtomicUsize::new(0) });
    let mut tasks = JoinSet::new();
    (0..CONNECTIONS).for_each(|number| _ = tasks.spawn(crowd.clone().stay(number)));
    while crowd.open.load(Ordering::Relaxed) < CONNECTIONS {
        assert!(Instant::now() < end, "{} of {CONNECTIONS} came in", crowd.open.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let during = rate(end.saturating_duration_since(Instant::now())).await;
    let (_, most) = memory(&serve);
    let cuts = tasks.join_all().await;
    let after = rate(ALONE).await;

    let longest = cuts.iter().flatten().max().unwrap();
    let count = cuts.iter().map(Vec::len).sum::<usize>();
    let left = during / ((before + after) / 2.0);
    println!(
        "goodput {before:.0}/s before, {during:.0}/s during ({left:.2}), {after:.0}/s after; {count} cut, the last \
         after {longest:.1?}; {} KiB more",
        most.saturating_sub(idle)
    );
    assert!(count >= CONNECTIONS && *longest < CUT, "{count} cut, the last after {longest:?}");
    assert!(left >= LEFT, "{left:.2} of the goodput is left");
    assert!(most.saturating_sub(idle) < MEMORY, "{idle} KiB before, {most} KiB at most");
    assert!(!serve.log().contains("panicked"));
}

/// The ways of not asking: a head that stops, a body that stops, not a word, and a whole request with silence behind.
fn halves(stage: &Stage) -> [Vec<u8>; 4] {
    let push = signer::push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let request = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let idle = http::request("GET", "/healthz", &[], b"");
    [request[..60].to_vec(), request[..request.len() - 7].to_vec(), Vec::new(), idle]
}

/// Who attacks.
struct Crowd {
    address: std::net::SocketAddr,
    halves: [Vec<u8>; 4],
    end: Instant,
    open: AtomicUsize,
}

impl Crowd {
    /// One of them: comes back whenever it is cut. How long it was let stay each time.
    async fn stay(self: Arc<Self>, number: usize) -> Vec<Duration> {
        let mut stays = Vec::new();
        // Not all in one instant, which the queue of another kernel may not hold.
        tokio::time::sleep(Duration::from_millis(number as u64 / 2)).await;
        while Instant::now() < self.end {
            let Ok(mut connection) = Connection::open(self.address).await else { continue };
            let start = Instant::now();
            if stays.is_empty() {
                self.open.fetch_add(1, Ordering::Relaxed);
            }
            let _ = connection.write(&self.halves[number % self.halves.len()]).await;
            while !connection.closed().await {}
            stays.push(start.elapsed());
        }
        stays
    }
}
