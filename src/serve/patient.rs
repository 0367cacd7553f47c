//! A connection whose patience ends. hyper has a limit for the head of a request and none for a caller who does not
//! read what it is answered; and a socket that is closed with bytes unread takes the last answer back.

use std::io::{ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// An answer that can't be written any further for so long is given up, and its connection.
const UNREAD: Duration = Duration::from_secs(5);
/// After a refusal that did not wait for the body: so long the rest is read and thrown away, so that the caller hears
/// the answer before the connection ends.
const LINGER: Duration = Duration::from_secs(1);

/// The stream, and the limit that runs now.
pub(super) struct Patient {
    stream: TcpStream,
    /// Runs while nothing can be written, and while it lingers; absent else, so that it costs nothing.
    limit: Option<Pin<Box<Sleep>>>,
    /// Whether the caller may still be sending a body that nobody reads.
    refused: Refused,
    half_closed: bool,
}

/// Told by the routes when a body was left unread.
#[derive(Clone, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

/// Stands in the extensions of an answer that did not wait for the request's body.
#[derive(Clone)]
pub(super) struct Unread;

impl Refused {
    /// Whether the last answer left a body unread: then the connection lingers when it ends.
    pub fn note(&self, unread: bool) {
        self.0.store(unread, Ordering::Relaxed);
    }
}

impl Patient {
    pub fn new(stream: TcpStream, refused: Refused) -> Patient {
        Patient { stream, limit: None, refused, half_closed: false }
    }

    /// An outcome of a write: one that has to wait does not wait for ever.
    fn within_limit<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<Result<T>>) -> Poll<Result<T>> {
        if outcome.is_ready() {
            self.limit = None;
            return outcome;
        }
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
        ready!(limit.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }

    /// Until the caller has closed, or the time is over.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut unheeded = [0; 4096];
        // Not for ever: the runtime's budget of a task makes it pending at times.
        loop {
            let mut buffer = ReadBuf::new(&mut unheeded);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                _ => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.within_limit(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.within_limit(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if !self.half_closed {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            (self.half_closed, self.limit) = (true, None);
        }
        if self.refused.0.load(Ordering::Relaxed) {
            ready!(self.linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
