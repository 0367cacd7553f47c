//! One request and what came of it, within the platform's limit: no proxy, no redirect, nothing unpacked.

use super::letter::Letter;
use crate::error::{Error, Result};
use crate::say;
use reqwest::{Client, Url, header, redirect};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The platform hangs up after this time (reference 1.4).
pub const PATIENCE: Duration = Duration::from_secs(5);
/// All requests together.
const WHOLE: Duration = Duration::from_secs(30);
/// More of an answer is not read.
const ENOUGH: usize = 64 * 1024;
/// So much of an answer is shown.
const SHOWN: usize = 80;
/// What rustls says when it, and not the connection, is the reason.
const TLS: [&str; 6] =
    ["peer certificate", "corrupt message", "fatal alert", "tls handshake", "peer is incompatible", "peer misbehaved"];

/// Until when everything must be done.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Ends before `--timeout` does, so that what was found is still told.
    pub fn new(timeout: Option<Duration>) -> Self {
        let whole = timeout
            .map_or(WHOLE, |timeout| WHOLE.min(timeout.saturating_sub((timeout / 5).min(Duration::from_secs(1)))));
        Deadline(Instant::now() + whole)
    }

    /// How long the next request may take.
    pub fn limit(&self) -> Duration {
        PATIENCE.min(self.0.saturating_duration_since(Instant::now()))
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// Content-Encoding, where it has one.
    pub encoding: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The beginning of the body on one line, without our signatures.
    pub shown: String,
    /// From the first byte out to the last byte in.
    pub took: Duration,
    /// The certificate behind https, DER.
    pub certificate: Option<Vec<u8>>,
}

impl Answer {
    /// Whether it is a page for people.
    pub fn is_page(&self) -> bool {
        let head: String = String::from_utf8_lossy(&self.body[..self.body.len().min(512)]).to_ascii_lowercase();
        ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| head.contains(tag))
    }

    /// Whether a server that knows no difference between two requests would answer both so: the same status
    /// and the same words. Words with digits (times, ids of requests) do not count, and pages have too many
    /// that change.
    pub fn alike(&self, other: &Answer) -> bool {
        let pages = self.is_page() && other.is_page();
        self.status == other.status && (pages || words(&self.body).eq(words(&other.body)))
    }
}

fn words(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && byte.is_ascii();
    body.split(ends).filter(|word| !word.is_empty() && !word.iter().any(u8::is_ascii_digit))
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silence {
    /// Not within this time.
    TimedOut(Duration),
    /// TLS did not come about; rustls's words.
    Tls(String),
    /// The connection broke, or what came is no HTTP.
    Broken(String),
}

/// The way to one URL.
pub struct Line {
    client: Client,
    url: Url,
    deadline: Deadline,
}

impl Line {
    /// A line to `url` over addresses that are known to be open.
    pub fn to(url: &Url, open: &[SocketAddr], deadline: Deadline) -> Result<Self> {
        Ok(Line { client: client(url, open, true)?, url: url.clone(), deadline })
    }

    /// Sends a letter and reads the answer.
    pub async fn send(&self, letter: &Letter) -> Result<Answer, Silence> {
        let mut url = self.url.clone();
        if !letter.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&letter.query);
        }
        let request = match &letter.body {
            None => self.client.get(url),
            Some(body) => self.client.post(url).header(header::CONTENT_TYPE, "text/xml").body(body.clone()),
        };
        let (began, limit) = (Instant::now(), self.deadline.limit());
        match tokio::time::timeout(limit, read(request)).await {
            Err(_) => Err(Silence::TimedOut(limit)),
            Ok(Err(error)) => Err(silence(&error)),
            Ok(Ok(mut answer)) => {
                answer.took = began.elapsed();
                answer.shown = shown(&letter.mask(&String::from_utf8_lossy(&answer.body)));
                Ok(answer)
            }
        }
    }

    /// The leaf certificate, whether it is to be trusted or not. Nothing secret is sent: a GET without a query.
    pub async fn certificate(&self, open: &[SocketAddr]) -> Option<Vec<u8>> {
        let client = client(&self.url, open, false).ok()?;
        let mut url = self.url.clone();
        url.set_query(None);
        let reply = tokio::time::timeout(self.deadline.limit(), client.get(url).send()).await.ok()?.ok()?;
        certificate(&reply)
    }
}

fn client(url: &Url, open: &[SocketAddr], verify: bool) -> Result<Client> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .http1_only()
        .tls_info(true)
        .danger_accept_invalid_certs(!verify)
        .user_agent(concat!("wxops/", env!("CARGO_PKG_VERSION"), " callback check"));
    let builder = match url.domain() {
        Some(domain) => builder.resolve_to_addrs(domain, open),
        None => builder,
    };
    builder.build().map_err(|error| {
        Error::failed(say!("cannot make an HTTP client: are this machine's certificates readable?"; "无法创建 HTTP 客户端：本机证书是否可读？"))
            .source(error.without_url())
    })
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let mut reply = request.send().await?;
    let head = |name| reply.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut answer = Answer {
        status: reply.status().as_u16(),
        location: head(header::LOCATION),
        encoding: head(header::CONTENT_ENCODING),
        body: Vec::new(),
        shown: String::new(),
        took: Duration::ZERO,
        certificate: certificate(&reply),
    };
    while let Some(piece) = reply.chunk().await? {
        answer.body.extend_from_slice(&piece);
        if answer.body.len() > ENOUGH {
            break;
        }
    }
    Ok(answer)
}

fn certificate(reply: &reqwest::Response) -> Option<Vec<u8>> {
    reply.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate().map(<[u8]>::to_vec)
}

/// Sorted by the words of the libraries below: their types are not reqwest's to give. The stories hold them.
fn silence(error: &reqwest::Error) -> Silence {
    let mut words = Vec::new();
    let mut at = std::error::Error::source(error);
    while let Some(cause) = at {
        words.push(cause.to_string());
        at = cause.source();
    }
    let is_tls = |text: &&String| TLS.iter().any(|word| text.contains(word));
    match words.iter().rev().find(is_tls) {
        Some(text) => Silence::Tls(text.clone()),
        None => Silence::Broken(words.pop().unwrap_or_else(|| "no answer".to_owned())),
    }
}

fn shown(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(at);
        line.push('…');
    }
    line
}
