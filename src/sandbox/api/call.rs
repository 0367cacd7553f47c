//! A call as it arrived, and how its body is read.

use crate::sandbox::clock;
use crate::sandbox::errcode::{Refusal, refuse};
use crate::sandbox::server::Line;
use axum::body::Bytes;
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr};

/// The largest body that is read.
const BODY_LIMIT: usize = 2 * 1024 * 1024;

/// One call of a client.
pub struct Call {
    /// GET, POST, …
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, in order.
    pub queries: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// Who calls.
    pub peer: IpAddr,
    /// Arrival by the machine's clock, ms since 1970.
    pub at_ms: i64,
}

impl Call {
    /// Reads a request to its end.
    pub async fn read(request: Request) -> Result<Call, StatusCode> {
        let at_ms = clock::real_ms();
        let peer = request.extensions().get::<Line>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |line| line.peer.ip());
        let method = request.method().to_string();
        let path = request.uri().path().to_owned();
        let Query(queries) = Query::try_from_uri(request.uri()).map_err(|_| StatusCode::BAD_REQUEST)?;
        let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT);
        let body = body.await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        Ok(Call { method, path, queries, body, peer, at_ms })
    }

    /// The first value of a name in the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.queries.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON: 44002 when empty, 47002 with unicode escapes, 47001 when it is none or not of
    /// this shape (reference 0).
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Refusal> {
        if self.body.is_empty() {
            return refuse(44002);
        }
        if has_unicode_escape(&self.body) {
            return refuse(47002);
        }
        serde_json::from_slice(&self.body).or_else(|_| refuse(47001))
    }
}

/// `\u`, unless the backslash is itself escaped.
fn has_unicode_escape(body: &[u8]) -> bool {
    if !body.contains(&b'\\') {
        return false;
    }
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && bytes.next() == Some(&b'u') {
            return true;
        }
    }
    false
}
