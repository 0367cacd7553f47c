//! Connections: accept, time limits that fire, an orderly end. `axum::serve` can't set hyper's header
//! limit, and without a timer hyper ignores it: half-open connections would stay for ever.

use super::caller::Peer;
use super::crowd::{Crowd, Seat};
use super::patient::{Patient, Refused, Unread};
use crate::lifecycle;
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, StatusCode};
use hyper::body::{Body, Incoming};
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
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tower::ServiceExt;

/// Connections that wait to be accepted; the kernel has a limit of its own, 4,096 as a rule.
const QUEUE: u32 = 4_096;
/// After an accept that failed (too many open files), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// The longest head, and the most of a body that is read at once. The platform's heads are below 1 kB.
const HEAD_LENGTH: usize = 32 * 1024;
/// Answers that do not wait for the request's body.
const LEAVES_THE_BODY: [StatusCode; 3] =
    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::PAYLOAD_TOO_LARGE];

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

/// Listens there. The usual 1,024 places in the kernel's queue are too few: of a burst of 2,000 half-open connections
/// the rest would seem open to its sender, and be nobody's to cut; and a genuine caller among them would knock again
/// only after seconds.
pub(super) fn open(addr: SocketAddr) -> std::io::Result<Socket> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE).map(Socket::from)
}

/// Serves until `stop`; then what is in flight has `grace` to end. The bench puts other routes behind it.
pub async fn serve(socket: impl Into<Socket>, routes: Router, mut stop: watch::Receiver<bool>, grace: Duration) {
    let Socket { listener, stays_open } = socket.into();
    let door = Door {
        routes,
        stopped: stop.clone(),
        asked_late: Arc::default(),
        crowd: Crowd::new(),
        connections: GracefulShutdown::new(),
    };
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
    crowd: Crowd,
    connections: GracefulShutdown,
}

impl Door {
    /// Lets in whoever comes.
    async fn open(&self, listener: &TcpListener) -> Infallible {
        loop {
            let seat = self.crowd.seat().await;
            match listener.accept().await {
                Ok((stream, _)) => self.converse(stream, seat),
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
                self.converse(stream, None);
            }
        }
    }

    /// One connection, in a task of its own.
    fn converse(&self, stream: TcpStream, seat: Option<Seat>) {
        // An answer is one small write: sent at once.
        let _ = stream.set_nodelay(true);
        let (routes, stopped, asked_late) = (self.routes.clone(), self.stopped.clone(), self.asked_late.clone());
        let refused = Refused::default();
        let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
        let stream = Patient::new(stream, refused.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            let has_body = !request.body().is_end_stream();
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            let (stopped, asked_late, refused) = (stopped.clone(), asked_late.clone(), refused.clone());
            let answer = routes.clone().oneshot(request);
            async move {
                let mut answer = answer.await?;
                let unread = answer.extensions().get::<Unread>().is_some();
                refused.note(has_body && (unread || LEAVES_THE_BODY.contains(&answer.status())));
                if *stopped.borrow() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    asked_late.notify_one();
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.crowd.head())
            .max_buf_size(HEAD_LENGTH)
            .serve_connection(TokioIo::new(stream), service);
        let watched = self.connections.watch(connection);
        tokio::spawn(async move {
            let _seat = seat;
            if let Err(error) = watched.await {
                tracing::debug!(%error, "connection");
            }
        });
    }
}
