//! The load of the bench: requests sealed ahead, so that it takes little of the cores that it shares with what it measures.

use super::outcome::Outcome;
use crate::http;
use crate::load::events::Events;
use crate::signer::{self, Keys, Mode};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests in flight.
pub const CONNECTIONS: usize = 64;
/// Which part of the requests repeats one that began just now.
pub const DUPLICATES: f64 = 0.1;

/// Whole requests, in the order of their events.
pub type Requests = Arc<[Box<[u8]>]>;

/// A load that has ended.
pub struct Load {
    /// Of each answer of 200 in the order they came: when, and how long its request waited; microseconds.
    pub answers: Vec<(u32, u32)>,
    pub begun: u64,
    pub failed: u64,
    pub elapsed: Duration,
}

impl Load {
    pub fn outcome(&self) -> Outcome {
        let latencies = self.answers.iter().map(|(_, latency)| *latency).collect();
        Outcome::new(latencies, self.begun, self.failed, self.elapsed)
    }
}

/// Requests in secure mode, byte for byte as they are sent.
pub fn seal(keys: &Keys, events: &Events, count: u64) -> Requests {
    let sealed = |number| -> Box<[u8]> {
        let push = signer::push(keys, Mode::Secure, &events.at(number).xml);
        let headers = [("Content-Type", "text/xml"), ("User-Agent", "Mozilla/4.0")];
        http::request("POST", &push.target("/wechat/event"), &headers, &push.body).into()
    };
    let half = count / 2;
    let (first, second) = std::thread::scope(|scope| {
        let first = scope.spawn(|| (0..half).map(sealed).collect::<Vec<_>>());
        let second: Vec<_> = (half..count).map(sealed).collect();
        (first.join().expect("sealing does not panic"), second)
    });
    first.into_iter().chain(second).collect()
}

/// Which request comes next: a new one, or one that began just now, whose original is often still in flight.
pub struct Choice {
    begun: Cell<usize>,
    end: Instant,
    count: usize,
}

impl Choice {
    /// Of so many, for so long.
    pub fn new(count: usize, time: Duration) -> Self {
        Choice { begun: Cell::new(0), end: Instant::now() + time, count }
    }

    pub fn next(&self) -> Option<usize> {
        let begun = self.begun.get();
        if begun >= self.count || Instant::now() >= self.end {
            return None;
        }
        if begun > 0 && rand::random_bool(DUPLICATES) {
            return Some(begun - 1 - rand::random_range(0..begun.min(CONNECTIONS)));
        }
        self.begun.set(begun + 1);
        Some(begun)
    }

    pub fn begun(&self) -> u64 {
        self.begun.get() as u64
    }
}

/// Pushes for so long, or until every request was sent so many times, from one thread of its own.
pub async fn push(address: SocketAddr, requests: Requests, times: usize, time: Duration) -> Load {
    let whole = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, push_here(address, requests, times, time))
    };
    tokio::task::spawn_blocking(whole).await.expect("the load does not panic")
}

async fn push_here(address: SocketAddr, requests: Requests, times: usize, time: Duration) -> Load {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        streams.push(stream);
    }
    let choice = Rc::new(Choice::new(requests.len() * times, time));
    let answers = Rc::new(RefCell::new(Vec::with_capacity(requests.len() + requests.len() / 8)));
    let start = Instant::now();
    let pushers: Vec<_> = streams
        .into_iter()
        .map(|stream| {
            tokio::task::spawn_local(pusher(stream, requests.clone(), choice.clone(), answers.clone(), start))
        })
        .collect();
    let mut failed = 0;
    for pusher in pushers {
        failed += pusher.await.expect("no pusher panics");
    }
    Load { answers: answers.take(), begun: choice.begun(), failed, elapsed: start.elapsed() }
}

/// One connection; how many of its requests were not acknowledged.
async fn pusher(
    mut stream: TcpStream,
    requests: Requests,
    choice: Rc<Choice>,
    answers: Rc<RefCell<Vec<(u32, u32)>>>,
    origin: Instant,
) -> u64 {
    let mut failed = 0;
    let mut buffer = [0; 2048];
    while let Some(number) = choice.next() {
        let start = Instant::now();
        if stream.write_all(&requests[number % requests.len()]).await.is_err() {
            return failed + 1;
        }
        match answer(&mut stream, &mut buffer).await {
            Some(true) => {
                let (now, latency) = (origin.elapsed(), start.elapsed());
                answers.borrow_mut().push((now.as_micros() as u32, latency.as_micros() as u32));
            }
            Some(false) => failed += 1,
            None => return failed + 1,
        }
    }
    failed
}

/// Whether it was a 200; `None` where none came. A callback is answered without a body.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Option<bool> {
    let mut filled = 0;
    while !buffer[..filled].ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer[filled..]).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => filled += read,
        }
    }
    Some(buffer.starts_with(b"HTTP/1.1 200 "))
}
