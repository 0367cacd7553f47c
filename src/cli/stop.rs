//! What ends a command from outside: SIGINT, SIGTERM, `--timeout`; and what a panic says.

use super::ended;
use crate::error::{Error, Kind, Result};
use crate::lifecycle;
use crate::report::Endless;
use crate::say;
use std::backtrace::{Backtrace, BacktraceStatus};
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
        // What finishes by itself is not dropped, but has no longer than that either.
        let _keep = match endless.get() {
            Some(Endless::Finishes) => Some(stop),
            _ => stop.send(ended(kind)).err().and(None),
        };
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

/// A panic says one line: where, not what, because the message may quote a value. `RUST_BACKTRACE` shows how it came
/// there, and no value either.
pub(super) fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        use std::io::Write;
        let place = info.location().map(|at| format!("{}:{}", short(at.file()), at.line())).unwrap_or_default();
        let mut text = format!("internal error at {place} (wxops {}), please report it\n", env!("CARGO_PKG_VERSION"));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.push_str(&backtrace.to_string());
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
}

/// A dependency's file without the place of the registry.
fn short(file: &str) -> &str {
    match file.split_once("/registry/src/") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, file)| file),
        None => file,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::cores;
    use super::*;
    use std::process::Command;

    /// Tells the test's own binary to be the process that panics.
    const ROLE: &str = "WXOPS_TEST_PANICS";

    /// In a process of its own: the hook and the limit on cores are the process's.
    #[test]
    fn a_panic_tells_no_value_and_leaves_no_core() {
        if std::env::var_os(ROLE).is_some() {
            cores::none();
            let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
            assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
            quiet_panics();
            let secret = "CANARY".repeat(3).parse::<i32>().map_err(|_| "CANARY");
            std::thread::spawn(move || secret.expect("CANARY")).join().unwrap_err();
            std::process::exit(7);
        }
        for backtrace in ["0", "1", "full"] {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "--nocapture", "cli::stop::tests::a_panic_tells_no_value_and_leaves_no_core"]);
            let done = command.env(ROLE, "1").env("RUST_BACKTRACE", backtrace).output().unwrap();
            let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert_eq!(done.status.code(), Some(7), "{said}");
            assert!(said.contains("internal error at src/cli/stop.rs:") && !said.contains("CANARY"), "{said}");
            assert_eq!(said.contains("tests::a_panic_tells"), backtrace != "0", "{said}");
        }
    }
}
