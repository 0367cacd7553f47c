//! Forged callbacks by the thousand beside good ones.

use super::stage;
use crate::http::{self, Connection};
use crate::messages::{OPENID, text};
use crate::signer;
use crate::stage::{Serve, Stage};
use crate::stories::tell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The log may take so many lines in a second, and one more at the turn of a second.
const LINES: usize = 10;
const FORGED: usize = 10_000;
const LIMIT: Duration = Duration::from_secs(30);
/// A window of the comparison.
const WINDOW: Duration = Duration::from_millis(800);
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
    let (mut beside_harmless, mut beside_forged) = (0, 0);
    let numbers = AtomicUsize::new(0);
    for round in 0..6 {
        beside_harmless += good(&stage, &serve, &harmless, &numbers).await;
        beside_forged += good(&stage, &serve, &forged, &numbers).await;
        let left = beside_forged as f64 / beside_harmless as f64;
        println!("{beside_forged} good ones beside forgeries, {beside_harmless} beside harmless requests: {left:.2}");
        if round >= 2 && left >= LEFT {
            return;
        }
    }
    panic!("{beside_forged} good callbacks beside forgeries, {beside_harmless} beside as many harmless requests");
}

/// How many good callbacks four connections get through while another four send 500 others a second.
async fn good(stage: &Stage, serve: &Serve, other: &[u8], numbers: &AtomicUsize) -> usize {
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
    let end = Instant::now() + WINDOW;
    let pusher = async || {
        let mut connection = Connection::open(serve.address()).await.unwrap();
        let mut count = 0;
        while Instant::now() < end {
            let number = numbers.fetch_add(1, Ordering::Relaxed) as u64 + 10;
            let push = signer::push(&stage.keys, stage.mode, &text(OPENID, "x", number));
            connection.write(&http::request("POST", &push.target("/wechat/event"), &[], &push.body)).await.unwrap();
            assert_eq!(connection.answer().await.unwrap().status, 200);
            count += 1;
        }
        count
    };
    let (a, b, c, d) = tokio::join!(pusher(), pusher(), pusher(), pusher());
    over.store(true, Ordering::Relaxed);
    others.join_all().await;
    a + b + c + d
}
