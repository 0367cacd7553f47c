//! Connections: accept, time limits that fire, an orderly end. `axum::serve` can't set hyper's header
//! limit, and without a timer hyper ignores it: half-open connections would stay for ever.

use crate::lifecycle;
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
#[cfg(target_os = "linux")]
use socket2::{SockFilter, SockRef};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tower::ServiceExt;

/// A request's head has to be there by then; also closes idle connections.
const HEAD: Duration = Duration::from_secs(5);
/// After an accept that failed (too many open files), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// After the stop: who keeps a connection and sends just now is answered, with the word that it is the last answer
/// on it, until nobody has sent for this long. A connection cut while idle would lose a request on its way.
const QUIET: Duration = Duration::from_millis(200);
/// The longest farewell: a load that thins out slowly does not hold up the stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where connections come in.
pub struct Socket {
    listener: TcpListener,
    /// Somebody else keeps it open when we have ended: who waits on it is the next process's to serve.
    stays_open: bool,
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Socket { listener, stays_open: false }
    }
}

impl Socket {
    /// One that systemd opened, and keeps.
    pub(super) fn kept(listener: TcpListener) -> Self {
        Socket { listener, stays_open: true }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Serves until `stop`; then what is in flight has `grace` to end. The bench puts other routes behind it.
pub async fn serve(socket: impl Into<Socket>, routes: Router, mut stop: watch::Receiver<bool>, grace: Duration) {
    let Socket { listener, stays_open } = socket.into();
    let door = Door { routes, stopped: stop.clone(), asked_late: Arc::default(), connections: GracefulShutdown::new() };
    tokio::select! {
        never = door.open(&listener) => match never {},
        () = lifecycle::until(&mut stop) => {}
    }
    let end = Instant::now() + grace;
    if stays_open {
        drop(listener);
        door.farewell().await;
    } else {
        let_nobody_begin(&listener);
        tokio::select! {
            never = door.open(&listener) => match never {},
            () = door.farewell() => {}
        }
        door.last(listener);
    }
    let _ = tokio::time::timeout_at(end, door.connections.shutdown()).await;
}

/// The kernel takes no new connection from here on, and those that have begun come in as ever. Without it, who
/// connects between the last accept and the close is cut, with a request on its way. A client that is not let in
/// knocks again after a second: at the door of the next process, or at none.
#[cfg(target_os = "linux")]
fn let_nobody_begin(listener: &TcpListener) {
    // Classic BPF, on the TCP header: the byte of the flags; a SYN is dropped, all else passes.
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    let drop_syn = [
        SockFilter::new(0x30, 0, 0, FLAGS),
        SockFilter::new(0x45, 0, 1, SYN),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&drop_syn) {
        tracing::debug!(%error, "connections that begin during the stop can't be held off");
    }
}

#[cfg(not(target_os = "linux"))]
fn let_nobody_begin(_listener: &TcpListener) {}

/// What every connection needs.
struct Door {
    routes: Router,
    stopped: watch::Receiver<bool>,
    /// Told of each answer after the stop.
    asked_late: Arc<Notify>,
    connections: GracefulShutdown,
}

impl Door {
    /// Lets in whoever comes.
    async fn open(&self, listener: &TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.converse(stream),
                Err(error) => {
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }

    /// Until nobody asks any more.
    async fn farewell(&self) {
        let quiet = async { while tokio::time::timeout(QUIET, self.asked_late.notified()).await.is_ok() {} };
        let _ = tokio::time::timeout(FAREWELL, quiet).await;
    }

    /// Who was let in by the kernel already is served as well. Asked of the kernel itself: tokio may not
    /// have heard of them yet.
    fn last(&self, listener: TcpListener) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, _)) = listener.accept() {
            if stream.set_nonblocking(true).is_ok()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                self.converse(stream);
            }
        }
    }

    /// One connection, in a task of its own.
    fn converse(&self, stream: TcpStream) {
        // An answer is one small write: sent at once.
        let _ = stream.set_nodelay(true);
        let (routes, stopped, asked_late) = (self.routes.clone(), self.stopped.clone(), self.asked_late.clone());
        let service = service_fn(move |request| {
            let (answer, stopped, asked_late) = (routes.clone().oneshot(request), stopped.clone(), asked_late.clone());
            async move {
                let mut answer = answer.await?;
                if *stopped.borrow() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    asked_late.notify_one();
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let watched = self.connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection");
            }
        });
    }
}
