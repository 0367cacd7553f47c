//! Connections: accept, time limits that fire, an orderly end. `axum::serve` can't set hyper's header
//! limit, and without a timer hyper ignores it: half-open connections would stay for ever.

use super::crowd::{Crowd, Seat};
use super::patient::{Patient, Refused};
use crate::lifecycle;
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, StatusCode};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
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

/// After the stop: whoever keeps a connection and sends just now is answered, with the word that it is the
/// last answer on it. A connection that is cut while idle would lose a request that is on its way.
const FAREWELL: Duration = Duration::from_millis(200);

/// Listens there. The usual 1,024 places in the kernel's queue are too few: of a burst of 2,000 half-open connections
/// the rest would seem open to its sender, and be nobody's to cut; and a genuine caller among them would knock again
/// only after seconds.
pub(super) fn open(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE)
}

/// Serves until `stop`; then what is in flight has `grace` to end. The bench puts other routes behind it.
pub async fn serve(listener: TcpListener, routes: Router, mut stop: watch::Receiver<bool>, grace: Duration) {
    let door = Door { routes, stopped: stop.clone(), crowd: Crowd::new(), connections: GracefulShutdown::new() };
    tokio::select! {
        never = door.open(&listener) => match never {},
        () = lifecycle::until(&mut stop) => {}
    }
    door.last(listener);
    tokio::time::sleep(FAREWELL).await;
    let _ = tokio::time::timeout(grace.saturating_sub(FAREWELL), door.connections.shutdown()).await;
}

/// What every connection needs.
struct Door {
    routes: Router,
    stopped: watch::Receiver<bool>,
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
        let (routes, stopped) = (self.routes.clone(), self.stopped.clone());
        let refused = Refused::default();
        let stream = Patient::new(stream, refused.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let has_body = !request.body().is_end_stream();
            let (answer, stopped, refused) = (routes.clone().oneshot(request), stopped.clone(), refused.clone());
            async move {
                let mut answer = answer.await?;
                refused.note(has_body && LEAVES_THE_BODY.contains(&answer.status()));
                if *stopped.borrow() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
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
