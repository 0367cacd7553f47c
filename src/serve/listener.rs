//! Connections: accept, time limits that fire, an orderly end. `axum::serve` can't set hyper's header
//! limit, and without a timer hyper ignores it: half-open connections would stay for ever.

use crate::lifecycle;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A request's head has to be there by then; also closes idle connections.
const HEAD: Duration = Duration::from_secs(5);
/// After an accept that failed (too many open files), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Serves until `stop`; then what is in flight has `grace` to end. The bench puts other routes behind it.
pub async fn serve(listener: TcpListener, routes: Router, mut stop: watch::Receiver<bool>, grace: Duration) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
            () = lifecycle::until(&mut stop) => break,
        };
        converse(stream, &routes, &connections);
    }
    // Who was let in by the kernel already is served as well.
    while let Ok(Ok((stream, _))) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
        converse(stream, &routes, &connections);
    }
    drop(listener);
    let _ = tokio::time::timeout(grace, connections.shutdown()).await;
}

/// One connection, in a task of its own.
fn converse(stream: TcpStream, routes: &Router, connections: &GracefulShutdown) {
    // An answer is one small write: sent at once.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(routes.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    let watched = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "connection");
        }
    });
}
