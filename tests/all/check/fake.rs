//! A server of a few lines, whose every answer is the story's.

use crate::http;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Behind the `?`.
    pub query: String,
    pub body: Vec<u8>,
}

impl Request {
    /// A parameter; none of ours needs decoding.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    }

    pub fn is_get(&self) -> bool {
        self.method == "GET"
    }
}

/// What goes back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, further headers, a body.
    Answer(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// These bytes.
    Raw(Vec<u8>),
    /// What a server answers to this target: the story is a proxy in front of it.
    Forward(SocketAddr, String),
    /// Nothing for so long.
    Hang(Duration),
    /// The connection is closed.
    Cut,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Reply::Answer(status, Vec::new(), Vec::new())
    }

    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply::Answer(status, vec![("Content-Type", "text/plain".into())], body.into())
    }
}

/// A running server; ends with its owner.
pub struct Fake {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Fake {
    pub async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (answer, all) = (Arc::new(answer), seen.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, all) = (answer.clone(), all.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &*answer, &all).await;
                });
            }
        });
        Fake { address, seen, task }
    }

    /// The URL of a callback on it.
    pub fn url(&self) -> String {
        format!("http://{}/wechat/event", self.address)
    }

    /// What arrived so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&Request) -> Reply + ?Sized),
    all: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let Some(request) = read(&mut stream).await? else { return Ok(()) };
    all.lock().unwrap().push(request.clone());
    let bytes = match answer(&request) {
        Reply::Answer(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
            [head.into_bytes(), body].concat()
        }
        Reply::Raw(bytes) => bytes,
        Reply::Forward(to, target) => {
            let request = http::request(&request.method, &target, &[("Connection", "close")], &request.body);
            let answer = http::once(to, &request).await?;
            let length = answer.body.len();
            let head = format!("HTTP/1.1 {} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n", answer.status);
            [head.into_bytes(), answer.body].concat()
        }
        Reply::Hang(time) => {
            tokio::time::sleep(time).await;
            b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n".to_vec()
        }
        Reply::Cut => return Ok(()),
    };
    stream.write_all(&bytes).await?;
    stream.shutdown().await
}

/// One request; `None` for a connection that only looks whether the port is open.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let head_end = loop {
        match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None if stream.read_buf(&mut bytes).await? == 0 => return Ok(None),
            None => {}
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    while bytes.len() < head_end + length.unwrap_or(0usize) {
        if stream.read_buf(&mut bytes).await? == 0 {
            break;
        }
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = bytes.split_off(head_end);
    Ok(Some(Request { method: method.into(), path: path.into(), query: query.into(), body }))
}
