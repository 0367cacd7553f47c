//! Connections: accept, time limits that fire, an orderly end. `axum::serve` can't set hyper's header
//! limit, and without a timer hyper ignores it: half-open connections would stay for ever.

use crate::lifecycle;
use axum::Router;
use axum::http::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

/// A request's head has to be there by then; also closes idle connections.
const HEAD: Duration = Duration::from_secs(5);
/// After an accept that failed (too many open files), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// After the stop: whoever keeps a connection and sends just now is answered, with the word that it is the
/// last answer on it. A connection that is cut while idle would lose a request that is on its way.
const FAREWELL: Duration = Duration::from_millis(200);

/// Serves until `stop`; then what is in flight has `grace` to end. The bench puts other routes behind it.
pub async fn serve(listener: TcpListener, routes: Router, mut stop: watch::Receiver<bool>, grace: Duration) {
    let door = Door { routes, stopped: stop.clone(), connections: GracefulShutdown::new() };
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => door.converse(stream),
                Err(error) => {
                    tracing::debug!(%error, "accept");
                    tokio::time::sleep(BREATH).await;
                }
            },
            () = lifecycle::until(&mut stop) => break,
        }
    }
    door.last(listener);
    tokio::time::sleep(FAREWELL).await;
    let _ = tokio::time::timeout(grace.saturating_sub(FAREWELL), door.connections.shutdown()).await;
}

/// What every connection needs.
struct Door {
    routes: Router,
    stopped: watch::Receiver<bool>,
    connections: GracefulShutdown,
}

impl Door {
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
        let (routes, stopped) = (self.routes.clone(), self.stopped.clone());
        let service = service_fn(move |request| {
            let (answer, stopped) = (routes.clone().oneshot(request), stopped.clone());
            async move {
                let mut answer = answer.await?;
                if *stopped.borrow() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
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
