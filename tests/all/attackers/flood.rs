//! Forged callbacks by the thousand beside good ones.

use super::{Good, stage};
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::signer;
use crate::stage::{Serve, Stage};
use crate::stories::tell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The log may take so many lines in a second, and one more at the turn of a second.
const LINES: usize = 10;
const FORGED: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(30);
/// The good load, of which a flood has to leave as much as as many harmless requests do.
const GOOD: Good = Good { connections: 8, pace: 200 };
/// A window of the comparison.
const WINDOW: Duration = Duration::from_millis(800);
const ROUNDS: usize = 3;
/// Requests of each kind whose cost is compared.
const COSTED: u64 = 800;
/// Of what good callbacks get beside as many harmless requests.
const LEFT: f64 = 0.9;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_forgeries_are_few_lines() {
    tell(stage("attackers::flood::ten_thousand_forgeries_are_few_lines"), LIMIT, lines).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_callbacks_are_hardly_slower() {
    tell(stage("attackers::flood::good_callbacks_are_hardly_slower"), LIMIT, slower).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgery_costs_less_than_a_good_callback() {
    tell(stage("attackers::flood::a_forgery_costs_less_than_a_good_callback"), LIMIT, cheaper).await;
}

/// What a stranger sends.
fn forged(stage: &Stage) -> Vec<u8> {
    let push = signer::push(&stage.keys, stage.mode, &text(OPENID, "x", 1)).set("signature", &"0".repeat(40));
    http::request("POST", &push.target("/wechat/event"), &[], &push.body)
}

async fn lines(stage: Stage) {
    let serve = stage.serve().await;
    let before = serve.log().lines().count();
    let start = Instant::now();
    let begun = Arc::new(AtomicUsize::new(0));
    let request = Arc::new(forged(&stage));
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (begun, request, address) = (begun.clone(), request.clone(), serve.address());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await.unwrap();
            while begun.fetch_add(1, Ordering::Relaxed) < FORGED {
                connection.write(&request).await.unwrap();
                let answer = connection.answer().await.unwrap();
                assert_eq!((answer.status, answer.body.len()), (403, 0));
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(serve.push(&text(OPENID, "after", 2)).await.status, 200);
    let seconds = start.elapsed().as_secs() as usize + 2;
    assert_eq!(serve.refused("signature").await as usize, FORGED);
    let lines = serve.log().lines().count() - before;
    assert!(lines <= LINES * seconds, "{lines} lines in {seconds} s");
    assert_eq!(stage.stored().await, 1);
}

/// Good callbacks beside a flood of forged ones and beside one of harmless requests, in turns.
async fn slower(stage: Stage) {
    let serve = stage.serve().await;
    let harmless = signer::handshake(&stage.keys, "1").target("/wechat/event");
    let body = vec![b' '; signer::push(&stage.keys, stage.mode, &text(OPENID, "x", 1)).body.len()];
    // As long, and answered by the same route: what differs is that it is good.
    let harmless = http::request("GET", &harmless, &[], &body);
    let forged = forged(&stage);
    let (mut beside_harmless, mut beside_forged) = (0.0, 0.0);
    let numbers = Arc::new(AtomicU64::new(10));
    for _ in 0..ROUNDS {
        beside_harmless += beside(&stage, &serve, &harmless, &numbers).await;
        beside_forged += beside(&stage, &serve, &forged, &numbers).await;
    }
    let left = beside_forged / beside_harmless;
    println!(
        "{:.0}/s beside forgeries, {left:.2} of what is left beside harmless requests",
        beside_forged / ROUNDS as f64
    );
    assert!(left >= LEFT, "{left:.2} of what is left beside as many harmless requests");
}

/// What the server itself spends on a forgery is less than what it spends on a genuine callback: whoever forges could
/// do no more than whoever follows. Counted in CPU time, which does not depend on what else the machine does.
async fn cheaper(stage: Stage) {
    let serve = stage.serve().await;
    let forged = forged(&stage);
    let mut connection = Connection::open(serve.address()).await.unwrap();
    let mut spend = async |requests: Vec<Vec<u8>>, status: u16| {
        let before = cpu(&serve);
        for request in &requests {
            connection.write(request).await.unwrap();
            assert_eq!(connection.answer().await.unwrap().status, status);
        }
        cpu(&serve) - before
    };
    let good = |number| {
        let push = signer::push(&stage.keys, stage.mode, &text(OPENID, "x", number));
        http::request("POST", &push.target("/wechat/event"), &[], &push.body)
    };
    spend((0..50).map(good).collect(), 200).await;
    let genuine = spend((50..50 + COSTED).map(good).collect(), 200).await;
    let refused = spend(vec![forged; COSTED as usize], 403).await;
    println!("{genuine} ticks for {COSTED} genuine callbacks, {refused} for as many forgeries");
    assert!(genuine > 20, "too few ticks to compare: {genuine}");
    assert!(refused < genuine, "{refused} ticks for forgeries, {genuine} for genuine callbacks");
}

/// Ticks of a hundredth of a second that the server has had.
fn cpu(serve: &Serve) -> u64 {
    let line = std::fs::read_to_string(format!("/proc/{}/stat", serve.pid())).unwrap();
    let behind_the_name = line.rsplit(") ").next().unwrap();
    behind_the_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// What good callbacks get while four connections send 500 others a second.
async fn beside(stage: &Stage, serve: &Serve, other: &[u8], numbers: &Arc<AtomicU64>) -> f64 {
    let over = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    for _ in 0..4 {
        let (over, other, address) = (over.clone(), other.to_owned(), serve.address());
        others.spawn(async move {
            let mut connection = Connection::open(address).await.unwrap();
            let mut beat = tokio::time::interval(Duration::from_millis(8));
            while !over.load(Ordering::Relaxed) {
                beat.tick().await;
                connection.write(&other).await.unwrap();
                connection.answer().await.unwrap();
            }
        });
    }
    let rate = GOOD.rate(stage, serve, WINDOW, numbers).await;
    over.store(true, Ordering::Relaxed);
    others.join_all().await;
    rate
}
