//! Signals, systemd's notices, the limit of open files, and the lock that one `serve` holds on a SQLite file.

use crate::error::{Error, Kind, Result};
use crate::say;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::io::IsTerminal;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// A signal that came while nobody waited for it yet.
static KEPT: Notify = Notify::const_new();

/// Keeps a signal for [`stopped`]: a server that still starts must not lose the order to stop.
pub fn keep_signal() {
    KEPT.notify_one();
}

/// Asks for as many open files as the system allows at most. The usual limit of 1,024 is there for programs that use
/// select(2), which we do not; half-open connections would use it up.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
    {
        tracing::debug!(%error, "the limit of open files stays at {:?}", limit.current);
    }
}

/// How many files may be open; `None` for any number.
pub fn open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Waits for SIGINT or SIGTERM.
pub async fn stopped() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = KEPT.notified() => {}
    }
    Ok(())
}

fn no_signals(error: std::io::Error) -> Error {
    Error::failed(say!("signals can't be received"; "无法接收信号")).source(error)
}

/// SIGHUP of this process.
pub struct Hangups {
    signal: Signal,
    terminals: Vec<Terminal>,
}

/// What a SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// Somebody asks to load the configuration again.
    Reload,
    /// The terminal that the process was started from is closed.
    TerminalGone,
}

/// Says whether a stream of the process is a terminal now.
type Terminal = fn() -> bool;

impl Hangups {
    /// From now on SIGHUP does not end the process. One that comes before [`Hangups::next`] is kept.
    pub fn watch() -> Result<Self> {
        let signal = signal(SignalKind::hangup()).map_err(no_signals)?;
        let streams: [Terminal; 2] = [|| std::io::stdin().is_terminal(), || std::io::stderr().is_terminal()];
        Ok(Hangups { signal, terminals: streams.into_iter().filter(|is_terminal| is_terminal()).collect() })
    }

    /// The next one.
    pub async fn next(&mut self) -> Hangup {
        self.signal.recv().await;
        // A terminal that is closed answers no question any more.
        match self.terminals.iter().all(|is_terminal| is_terminal()) {
            true => Hangup::Reload,
            false => Hangup::TerminalGone,
        }
    }
}

/// Tells systemd that the service is ready; nothing where it does not ask.
pub fn ready(status: &str) {
    notify(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(status)]);
}

/// Tells systemd that the service loads its configuration again; [`ready`] ends it. The time is what
/// `Type=notify-reload` wants beside it.
pub fn reloading() {
    match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[sd_notify::NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the monotonic clock can't be read"),
    }
}

/// Tells systemd that the service stops.
pub fn stopping() {
    notify(&[sd_notify::NotifyState::Stopping]);
}

/// Tells systemd that the service lives.
pub fn alive() {
    notify(&[sd_notify::NotifyState::Watchdog]);
}

fn notify(state: &[sd_notify::NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// How often systemd wants to hear that the service lives, halved so that one is never missed.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// The lock of one `serve` on a SQLite file. The kernel frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl ServeLock {
    /// Takes `<database>.lock`; exit 75 where another `serve` has it.
    pub fn take(database: &Path) -> Result<ServeLock> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let shown = path.display();
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(|e| {
            Error::config(say!("the lock file {shown} can't be opened"; "无法打开锁文件 {shown}"))
                .next(say!(
                    "give the folder to the user who runs wxops";
                    "请把该目录的写权限授予运行 wxops 的用户"
                ))
                .source(e)
        })?;
        match lock(&file) {
            true => Ok(ServeLock { _file: file }),
            false => Err(Error::new(
                Kind::Busy,
                say!("another wxops serve works on this database ({shown} is locked)"; "另一个 wxops serve 正在使用该数据库（{shown} 已锁定）"),
            )
            .next(say!(
                "stop it first; several serve processes need MySQL or MariaDB";
                "请先停止它；多进程运行需使用 MySQL 或 MariaDB"
            ))),
        }
    }

    /// Whether a `serve` has it now. Who asks holds it for a moment, see [`lock`].
    pub fn is_held(database: &Path) -> bool {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let Ok(file) = File::open(PathBuf::from(path)) else { return false };
        file.try_lock_shared().is_err()
    }
}

/// Takes a lock that nobody has for longer than [`ServeLock::is_held`] takes.
fn lock(file: &File) -> bool {
    let tries = std::iter::repeat_n(Duration::from_millis(5), 4);
    file.try_lock().is_ok()
        || tries.into_iter().any(|pause| {
            std::thread::sleep(pause);
            file.try_lock().is_ok()
        })
}

/// Waits until the process is told to stop.
pub async fn until(stop: &mut tokio::sync::watch::Receiver<bool>) {
    // The sender is gone only when everything ends.
    let _ = stop.wait_for(|stop| *stop).await;
}
