//! The door: accepts connections, and can break one off as a bad network does.

use super::world::World;
use super::{api, control};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// What a stop waits for calls in flight.
const STOP: Duration = Duration::from_secs(3);
/// What a client may take for its headers; also how long an idle connection is kept.
const HEADERS: Duration = Duration::from_secs(30);
/// The pause after an accept that failed (no file handles left).
const BREATH: Duration = Duration::from_millis(50);

/// What a handler knows of its connection.
#[derive(Debug, Clone)]
pub struct Line {
    /// Who calls.
    pub peer: SocketAddr,
    broken: Arc<Notify>,
}

impl Line {
    /// Breaks the connection off; the caller sees a reset. Never returns.
    pub async fn break_off(&self) -> ! {
        self.broken.notify_one();
        match std::future::pending::<std::convert::Infallible>().await {}
    }
}

/// Serves until `stop`; then finishes the calls in flight.
pub async fn serve(listener: TcpListener, world: Arc<World>, stop: CancellationToken) {
    let router = Router::new().merge(control::routes()).fallback(api::answer).with_state(world);
    let mut lines = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                lines.spawn(serve_line(stream, peer, router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "the sandbox could not accept a connection");
                sleep(BREATH).await;
            }
        }
        while lines.try_join_next().is_some() {}
    }
    let _ended = timeout(STOP, async { while lines.join_next().await.is_some() {} }).await;
}

async fn serve_line(stream: TcpStream, peer: SocketAddr, router: Router, stop: CancellationToken) {
    let _best_effort = stream.set_nodelay(true);
    let line = Line { peer, broken: Arc::new(Notify::new()) };
    let broken = line.broken.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(line.clone());
        router.clone().oneshot(request)
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ended = Pin::new(&mut connection) => return,
        () = broken.notified() => {
            let stream = connection.into_parts().io.into_inner();
            let _reset_on_drop = stream.set_zero_linger();
            return;
        }
        () = stop.cancelled() => {}
    }
    Pin::new(&mut connection).graceful_shutdown();
    let _ended = connection.await;
}
