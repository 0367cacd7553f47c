//! Half of an answer: the header promises all of it, the connection ends in the middle.

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Long enough for the first half to leave before the connection ends.
const PAUSE: Duration = Duration::from_millis(20);

struct Half {
    first: Option<Bytes>,
    whole: u64,
    pause: Pin<Box<Sleep>>,
}

/// An answer that ends in the middle of this body.
pub fn half(body: &str) -> Response {
    let first = Bytes::copy_from_slice(&body.as_bytes()[..body.len() / 2]);
    let half = Half { first: Some(first), whole: body.len() as u64, pause: Box::pin(sleep(PAUSE)) };
    ([(header::CONTENT_TYPE, "application/json; encoding=utf-8")], Body::new(half)).into_response()
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let paused = self.pause.as_mut().poll(context);
        paused.map(|()| Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.whole)
    }
}
