//! A platform for tests: a real socket that answers each connection with the next step of a script.

#![allow(clippy::unwrap_used)]

use super::http::{Client, Limits, Pending, Refused, Tokens};
use crate::domain::account::{Access, Platform};
use crate::domain::clock::Clock;
use crate::domain::secret::Secret;
use crate::domain::token::Token;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The app secret and the first token of the tests: they must never be seen.
pub const SECRET: &str = "CANARY-secret-8f1d";
/// Every token begins like this; the generation follows.
pub const TOKEN: &str = "CANARY-token-77ac-";

/// What the server does with one connection once it has read the request.
pub enum Step {
    /// A whole answer.
    Reply(u16, String),
    /// A head that promises more bytes than come, then a reset.
    Cut,
    /// A reset before any byte.
    Reset,
    /// Nothing, until the client goes away.
    Hang,
}

/// JSON with HTTP 200.
pub fn ok(body: &str) -> Step {
    Step::Reply(200, body.to_owned())
}

/// A request as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub method: String,
    /// Path without query.
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    /// The head without the request line, names in lower case.
    pub headers: String,
    pub body: Vec<u8>,
}

/// The server; it ends with the value.
pub struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut steps, log): (VecDeque<_>, _) = (steps.into_iter().collect(), seen.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                log.lock().unwrap().push(request);
                let step = steps.pop_front().unwrap_or_else(|| Step::Reply(599, "off the script".to_owned()));
                play(stream, step).await;
            }
        });
        Server { base, seen, task }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The account of the vectors, with this server as its platform.
    pub fn account(&self) -> Access {
        at(&self.base)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn read_request(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return Seen::default();
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let headers = headers.to_ascii_lowercase();
    let length = headers.lines().find_map(|h| h.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = bytes.split_off(end + 4);
    while body.len() < length && stream.read_buf(&mut body).await.unwrap_or(0) > 0 {}
    let mut words = line.split(' ');
    let method = words.next().unwrap().to_owned();
    let url = reqwest::Url::parse("http://x").unwrap().join(words.next().unwrap()).unwrap();
    let query = url.query_pairs().into_owned().collect();
    Seen { method, path: url.path().to_owned(), query, headers, body }
}

async fn play(mut stream: TcpStream, step: Step) {
    match step {
        Step::Reply(status, body) => {
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await.ok();
        }
        Step::Cut => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{\"errcode\"").await.ok();
            stream.flush().await.ok();
            // The half answer has to arrive before the reset throws it away.
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.set_zero_linger().unwrap();
        }
        Step::Reset => stream.set_zero_linger().unwrap(),
        Step::Hang => drop(tokio::spawn(async move { stream.read_u8().await })),
    }
}

/// The account of the vectors; no platform behind it.
pub fn account() -> Access {
    at("http://127.0.0.1:9")
}

fn at(base: &str) -> Access {
    let access = Access::new(Platform::Official, "main", "wx0123456789abcdef", base);
    Access { secret: Some(Secret::new(SECRET)), ..access }
}

/// A client that accepts replies of 1024 bytes.
pub fn client() -> Client {
    impatient(Duration::from_secs(2), Duration::from_secs(5))
}

/// The same with these limits.
pub fn impatient(connect: Duration, call: Duration) -> Client {
    Client::new(Limits { connect, call, reply: 1024 }, Clock::System)
}

/// A keeper that gives the next generation whenever one is refused.
#[derive(Default)]
pub struct Keeper {
    pub generation: AtomicI64,
    /// Instead of the canary.
    pub text: Option<&'static str>,
}

impl Keeper {
    fn token(&self, generation: i64) -> Token {
        let text = self.text.map_or_else(|| format!("{TOKEN}{generation}"), str::to_owned);
        Token { text: Secret::new(text), generation, expires_at: Token::UNKNOWN_EXPIRY, life_ms: None }
    }
}

impl Tokens for Keeper {
    fn current<'a>(&'a self, _: &'a Access) -> Pending<'a> {
        Box::pin(async { Ok(self.token(self.generation.load(Ordering::SeqCst))) })
    }

    fn refused<'a>(&'a self, _: &'a Access, used: &'a Token, _: Refused) -> Pending<'a> {
        Box::pin(async {
            self.generation.store(used.generation + 1, Ordering::SeqCst);
            Ok(self.token(used.generation + 1))
        })
    }

    fn refused_again<'a>(&'a self, _: &'a Access, _: &'a Token, _: Refused) -> Pending<'a, ()> {
        Box::pin(async {})
    }
}
