//! A client of HTTP/1.1 that sends exactly the bytes it is given: what a test spoils must arrive spoilt.

#![allow(dead_code, reason = "benches/load.rs mounts this file too and uses a part of it")]

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header by its name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(4096) })
    }

    /// Writes raw bytes: a request, or the half of one.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads one answer: to its Content-Length, or to the end where it names none.
    pub async fn answer(&mut self) -> Result<Answer> {
        let head_end = loop {
            match self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None => self.more().await?,
            }
        };
        let head: Vec<u8> = self.buffer.drain(..head_end).collect();
        let (status, headers) = parse_head(&head)?;
        let mut answer = Answer { status, headers, body: Vec::new() };
        match answer.header("content-length").map(str::parse::<usize>) {
            Some(Ok(length)) => {
                while self.buffer.len() < length {
                    self.more().await?;
                }
                answer.body = self.buffer.drain(..length).collect();
            }
            Some(Err(_)) => return Err(malformed("Content-Length")),
            None if status == 204 || status / 100 == 1 => {}
            None => {
                while self.more().await.is_ok() {}
                answer.body = std::mem::take(&mut self.buffer);
            }
        }
        Ok(answer)
    }

    /// True when the other side has closed, waiting for it.
    pub async fn closed(&mut self) -> bool {
        self.more().await.is_err()
    }

    async fn more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// The bytes of a request with Host and Content-Length.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256 + body.len());
    bytes
        .extend(format!("{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n", body.len()).bytes());
    headers.iter().for_each(|(name, value)| bytes.extend(format!("{name}: {value}\r\n").bytes()));
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// One request on a connection of its own. The server may answer before it has read all.
pub async fn once(address: SocketAddr, bytes: &[u8]) -> Result<Answer> {
    let mut connection = Connection::open(address).await?;
    let written = connection.write(bytes).await;
    match connection.answer().await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(written.err().unwrap_or(error)),
    }
}

/// GET of a path.
pub async fn get(address: SocketAddr, target: &str) -> Result<Answer> {
    once(address, &request("GET", target, &[("Connection", "close")], b"")).await
}

fn parse_head(head: &[u8]) -> Result<(u16, Vec<(String, String)>)> {
    let head = str::from_utf8(head).map_err(|_| malformed("head"))?;
    let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    Ok((status.ok_or_else(|| malformed("status line"))?, lines.filter_map(pair).collect()))
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("a malformed {what}"))
}
