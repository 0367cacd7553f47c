//! A program that is told on its stdin. It gets no shell, a clean environment, none of our files, and a process group of
//! its own, which ends with its time.

use super::super::short;
use super::Answer;
use super::payload::Payload;
use crate::domain::hook::Hook;
use crate::store::Delivery;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Where its own programs are found.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// So much of what it says is kept for the log.
const SAID: usize = 2048;
/// How long it is listened to after its end: what it has started may hold on to its output.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// EX_TEMPFAIL of sysexits.h: it asks to be told again.
const TEMPFAIL: i32 = 75;

/// One try.
pub(super) async fn run(hook: &Hook, words: &[String], delivery: &Delivery, payload: &Payload) -> Answer {
    let mut child = match start(hook, words, delivery, payload) {
        Ok(child) => child,
        Err(error) => return Answer::Away { why: format!("it does not start: {error}"), after: None },
    };
    let group = Group(child.id());
    let said = Arc::new(Mutex::new(VecDeque::with_capacity(SAID)));
    let listeners = [
        child.stdout.take().map(|stream| tokio::spawn(listen(stream, said.clone()))),
        child.stderr.take().map(|stream| tokio::spawn(listen(stream, said.clone()))),
    ];
    let mut stdin = child.stdin.take();
    let whole = async {
        if let Some(mut stdin) = stdin.take() {
            // A program may not care for its stdin.
            let _ = stdin.write_all(format!("{}\n", payload.body).as_bytes()).await;
        }
        child.wait().await
    };
    let ended = tokio::time::timeout(hook.timeout, whole).await;
    let answer = match ended {
        Ok(Ok(status)) => {
            // What it leaves running in the background is its own.
            group.leave();
            judge(status)
        }
        Ok(Err(error)) => Answer::Unknown(format!("its end was not seen: {error}")),
        Err(_) => {
            drop(group);
            Answer::Unknown(format!("it took longer than {} s and was ended", hook.timeout.as_secs_f64()))
        }
    };
    for listener in listeners.into_iter().flatten() {
        let stop = listener.abort_handle();
        let _ = tokio::time::timeout(LAST_WORDS, listener).await;
        stop.abort();
    }
    log(hook, delivery, &said.lock().unwrap_or_else(PoisonError::into_inner));
    answer
}

fn start(hook: &Hook, words: &[String], delivery: &Delivery, payload: &Payload) -> std::io::Result<Child> {
    let (program, args) = words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", PATH)
        .env("LANG", "C.UTF-8")
        .env("WXOPS_HOOK", &hook.name)
        .env("WXOPS_HOOK_EVENT", payload.kind)
        .env("WXOPS_HOOK_ID", &payload.id)
        .env("WXOPS_HOOK_ATTEMPT", delivery.attempt.to_string())
        .env("WXOPS_HOOK_ACCOUNT", &delivery.account)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

fn judge(status: ExitStatus) -> Answer {
    match (status.code(), status.signal()) {
        (Some(0), _) => Answer::Taken,
        (Some(TEMPFAIL), _) => Answer::Refused("exit 75: it asks to be told again".to_owned()),
        (Some(code), _) => Answer::Refused(format!("exit {code}")),
        // How far it came, nobody knows.
        (None, signal) => Answer::Unknown(format!("ended by signal {}", signal.unwrap_or_default())),
    }
}

/// The process group of a child: ended when it is dropped.
struct Group(Option<u32>);

impl Group {
    fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended by itself just now.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Keeps the last of what a stream says.
async fn listen(mut stream: impl AsyncRead + Unpin, said: Arc<Mutex<VecDeque<u8>>>) {
    let mut piece = [0; 1024];
    while let Ok(count) = stream.read(&mut piece).await {
        if count == 0 {
            return;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(&piece[..count]);
        let over = said.len().saturating_sub(SAID);
        said.drain(..over);
    }
}

/// What it said, a line each, for whoever looks for it: not in the usual log, and without the person's openid.
fn log(hook: &Hook, delivery: &Delivery, said: &VecDeque<u8>) {
    let said: Vec<u8> = said.iter().copied().collect();
    let said = String::from_utf8_lossy(&said).replace(&delivery.openid, &short(&delivery.openid));
    for line in said.lines().filter(|line| !line.trim().is_empty()) {
        tracing::debug!(hook = hook.name, delivery = delivery.id, "it said: {line}");
    }
}
