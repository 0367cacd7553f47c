//! What ends a command from outside: SIGINT, SIGTERM, `--timeout`; and what a panic says.

use super::ended;
use crate::error::{Error, Kind, Result};
use crate::lifecycle;
use crate::report::Endless;
use crate::say;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// A command that does not let go by then (it waits in a read) is ended hard.
const GRACE: Duration = Duration::from_secs(1);

/// Watches on a thread of its own, so that a command that blocks can be ended too. The answer is the error
/// the command ends with. `endless` says where the command sees to signals itself; `last_words` shows the error
/// where only a hard end helps.
pub(super) fn watch(
    timeout: Option<Duration>,
    endless: Arc<OnceLock<Endless>>,
    last_words: impl FnOnce(&Error) + Send + 'static,
) -> Result<oneshot::Receiver<Error>> {
    let no_signals = |error: std::io::Error| {
        Error::failed(say!("cannot listen to signals: {error}"; "无法监听信号：{error}")).source(error)
    };
    let mut signals = Signals {
        interrupt: signal(SignalKind::interrupt()).map_err(no_signals)?,
        terminate: signal(SignalKind::terminate()).map_err(no_signals)?,
    };
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let over = over(timeout);
        tokio::pin!(over);
        let kind = loop {
            tokio::select! {
                kind = signals.next() => match endless.get() {
                    Some(Endless::Serves) => lifecycle::keep_signal(),
                    _ => break kind,
                },
                () = &mut over => break Kind::Unavailable,
            }
        };
        let _ = stop.send(ended(kind));
        tokio::select! {
            _ = signals.next() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
        let error = ended(kind);
        last_words(&error);
        std::process::exit(error.kind.exit_code().into());
    });
    Ok(stopped)
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn next(&mut self) -> Kind {
        tokio::select! {
            _ = self.interrupt.recv() => Kind::Interrupted,
            _ = self.terminate.recv() => Kind::Terminated,
        }
    }
}

async fn over(timeout: Option<Duration>) {
    match timeout {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// A panic says one line: where, not what, because the message may quote a value. `RUST_BACKTRACE` shows all.
pub(super) fn quiet_panics() {
    let full = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        use std::io::Write;
        let place = info.location().map(|at| format!("{}:{}", short(at.file()), at.line())).unwrap_or_default();
        let _ = writeln!(
            std::io::stderr(),
            "internal error at {place} (wxops {}), please report it",
            env!("CARGO_PKG_VERSION")
        );
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| !value.is_empty() && value != "0") {
            full(info);
        }
    }));
}

/// A dependency's file without the place of the registry.
fn short(file: &str) -> &str {
    match file.split_once("/registry/src/") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, file)| file),
        None => file,
    }
}
