//! A receiver of hooks that does what a story wants, and remembers what it was told.

use crate::stage::{Serve, Stage, until};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A key of a hook.
pub const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub enum Does {
    /// Answers with this status and these header lines.
    Answers(u16, &'static str),
    /// Answers 200 after a while.
    Waits(Duration),
    /// Says nothing.
    Hangs,
    /// Reads all and closes.
    Closes,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Told {
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver that listens until it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    does: Arc<Mutex<Does>>,
    told: Arc<Mutex<Vec<Told>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (does, told) = (Arc::new(Mutex::new(does)), Arc::new(Mutex::new(Vec::new())));
        let (doing, telling) = (does.clone(), told.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, doing.clone(), telling.clone()));
            }
        });
        Receiver { address, does, told, task }
    }

    pub fn now_does(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits until it was told so often.
    pub async fn has(&self, count: usize) -> Vec<Told> {
        until(&format!("{count} deliveries"), async || Some(self.told()).filter(|told| told.len() >= count)).await
    }

    /// A `[[hook]]` that leads here.
    pub fn hook(&self, name: &str, more: &str) -> String {
        let address = self.address;
        format!("[[hook]]\nname = \"{name}\"\nurl = \"http://{address}/hook\"\nsecret = \"{KEY}\"\n{more}\n")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, does: Arc<Mutex<Does>>, told: Arc<Mutex<Vec<Told>>>) {
    loop {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let headers: Vec<(String, String)> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
        while bytes.len() < end + length {
            if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
        let body = String::from_utf8(bytes[end..end + length].to_vec()).unwrap();
        let target = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
        told.lock().unwrap().push(Told { target, headers, body });
        let does = does.lock().unwrap().clone();
        let (status, more) = match does {
            Does::Answers(status, more) => (status, more),
            Does::Waits(time) => {
                tokio::time::sleep(time).await;
                (200, "")
            }
            Does::Hangs => std::future::pending().await,
            Does::Closes => return,
        };
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n{more}\r\nok");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The one number of deliveries in this state.
pub async fn deliveries(stage: &Stage, state: &str) -> i64 {
    stage.number(&format!("SELECT COUNT(*) FROM hook_delivery WHERE state = '{state}'")).await
}

/// Waits until so many deliveries are in this state.
pub async fn reach(stage: &Stage, state: &str, count: i64) {
    until(&format!("{count} {state}"), async || (deliveries(stage, state).await == count).then_some(())).await;
}

/// Makes whatever waits due now: what hours would do.
pub async fn hurry(stage: &Stage) {
    stage.execute("UPDATE hook_delivery SET due_at = 0 WHERE state = 'pending'").await;
    stage.execute("UPDATE channel SET paused_until = 0, probe_lease = 0 WHERE paused_until < 9000000000000").await;
}

/// Pushes a text message, which is acknowledged.
pub async fn say(serve: &Serve, openid: &str, words: &str, id: u64) {
    assert_eq!(serve.push(&crate::messages::text(openid, words, id)).await.status, 200);
}
