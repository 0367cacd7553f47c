//! Sockets that stay open across a restart.

use super::load::{Came, Load, Pace};
use super::ordeals;
use crate::http;
use crate::process::command;
use crate::rows::{Db, skip};
use crate::stage::{Stage, until};
use crate::stories::{LIMIT, tell};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Child;

ordeals! {
    a_restart_refuses_nobody,
}

/// Three restarts under load: every request is answered with 200.
async fn a_restart_refuses_nobody(stage: Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut serve = handed_over(&stage, &listener);
    until("the first to answer", async || ready(address).await.then_some(())).await;
    let load = Load::start(&stage, address, Pace::default());
    let mut longest = Duration::ZERO;
    let mut endings = Vec::new();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let start = Instant::now();
        let pid = serve.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        endings.push(serve.wait().await.unwrap().code());
        stage.outlive_leases().await;
        serve = handed_over(&stage, &listener);
        until("the next to answer", async || ready(address).await.then_some(())).await;
        longest = longest.max(start.elapsed());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut verdict = load.judge("restart with socket activation", &stage).await;
    let failed = verdict.count(|sample| sample.came != Came::Answer(200));
    verdict.bar(failed == 0, format!("{failed} requests failed"));
    verdict.bar(endings == [Some(0); 3], format!("{endings:?}"));
    verdict.recovered(longest, Duration::from_secs(3));
    verdict.close_without_log();
}

/// Starts `serve` as systemd would: the socket is its file descriptor 3.
fn handed_over(stage: &Stage, listener: &TcpListener) -> Child {
    let script = stage
        .write("handed-over", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=callback exec \"$@\"");
    let mut env = stage.env.clone();
    env.push((crate::process::WRAPPER.into(), format!("sh {}", script.display())));
    let mut serve = command(stage.folder(), &["--config", &stage.config(), "serve"], &env);
    serve.stdin(OwnedFd::from(listener.try_clone().unwrap())).stdout(Stdio::null()).stderr(Stdio::null());
    serve.spawn().unwrap()
}

async fn ready(address: SocketAddr) -> bool {
    let answer = tokio::time::timeout(Duration::from_secs(1), http::get(address, "/readyz")).await;
    answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status == 200))
}

/// Two sockets from systemd's own program, told apart by their names; the addresses of the configuration are not used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_are_told_apart_by_their_names() {
    let story = "ordeal::activation::sockets_are_told_apart_by_their_names";
    if std::process::Command::new("systemd-socket-activate").arg("--version").output().is_err() {
        return skip(story, "systemd-socket-activate is not installed");
    }
    tell(Stage::new(Db::Sqlite, story), LIMIT, async |stage| {
        let [metrics, callbacks] = [free(), free()];
        let mut activate = tokio::process::Command::new("systemd-socket-activate");
        for address in [metrics, callbacks] {
            activate.args(["-l", &address.to_string()]);
        }
        activate.args(["--fdname=metrics:callback", env!("CARGO_BIN_EXE_wxops"), "--config", &stage.config(), "serve"]);
        activate.kill_on_drop(true).current_dir(stage.folder());
        let _serve = activate.spawn().unwrap();
        until("it to be activated", async || ready(callbacks).await.then_some(())).await;
        let page = http::get(metrics, "/metrics").await.unwrap();
        assert!(page.status == 200 && page.text().contains("wxops_inbox_events"), "{}", page.text());
        assert_eq!(http::get(callbacks, "/metrics").await.unwrap().status, 404);
        assert_eq!(http::get(metrics, "/readyz").await.unwrap().status, 404);
    })
    .await;
}

/// An address that nobody listens at.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// What is no TCP listener is wrong by configuration: exit 78, with what to write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_of_another_kind_is_refused() {
    tell(Stage::new(Db::Sqlite, "activation"), LIMIT, async |stage| {
        let script = stage.write("handed-over", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\" 3</dev/null");
        let env = [(crate::process::WRAPPER.to_owned(), format!("sh {}", script.display()))];
        let refused = command(stage.folder(), &["--config", &stage.config(), "serve"], &env).output().await.unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(78), "{said}");
        assert!(said.contains("socket 1 of LISTEN_FDS is no TCP listener") && said.contains("ListenStream="), "{said}");
    })
    .await;
}
