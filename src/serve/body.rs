//! The body of a push within its limits: of size, of time, and of what a stranger can make us keep.

use crate::wire::reason::Reason;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use std::time::Duration;
use tokio::sync::Semaphore;

/// A push is below 10 kB, in compatible mode three times that (reference 1.6).
const MAX: usize = 256 * 1024;
/// A body that is not there by then is given up.
const TIME: Duration = Duration::from_secs(5);
/// Of a request that nobody signed no more is kept: enough for every genuine push, so that the log can say which key
/// is wrong.
const UNSIGNED: usize = 32 * 1024;
/// And of so many such requests at once.
static STRANGERS: Semaphore = Semaphore::const_new(256);

/// Reads it. Where the query is not `signed`, and there are many such or it is long, it comes back empty.
pub(super) async fn read(headers: &HeaderMap, body: Body, signed: bool) -> Result<Bytes, Reason> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if told.is_some_and(|length| length > MAX as u64) {
        return Err(Reason::TooLarge);
    }
    let stranger = if signed { None } else { STRANGERS.try_acquire().ok() };
    let keep = match (signed, &stranger) {
        (true, _) => MAX,
        (false, Some(_)) => UNSIGNED,
        (false, None) => 0,
    };
    tokio::time::timeout(TIME, gather(body, keep)).await.unwrap_or(Err(Reason::Slow))
}

/// All of a body of up to [`MAX`] bytes; nothing of one that is longer than `keep`.
async fn gather(mut body: Body, keep: usize) -> Result<Bytes, Reason> {
    let (mut whole, mut length) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        // The connection broke in the middle: nobody hears the answer.
        let Ok(data) = frame.map_err(|_| Reason::Slow)?.into_data() else { continue };
        length += data.len();
        if length > MAX {
            return Err(Reason::TooLarge);
        }
        if length > keep {
            whole = Vec::new();
            continue;
        }
        if length == data.len() && body.is_end_stream() {
            return Ok(data);
        }
        // Copied, because a piece of one byte holds on to the 8 KiB that it was read into: a body that comes
        // byte by byte would take gigabytes.
        whole.extend_from_slice(&data);
    }
    Ok(whole.into())
}
