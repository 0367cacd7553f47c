//! Sockets that systemd opened and keeps (LISTEN_FDS, sd_listen_fds(3)): across a restart connections wait in
//! them for the next process, and none is refused.

use super::listener::{self, Socket};
use super::problem_of_listening;
use crate::error::{Error, Result};
use crate::say;
use listenfd::ListenFd;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The name of those that /metrics is on.
const METRICS: &str = "metrics";

/// Where a server listens.
pub(super) struct Sockets {
    /// For callbacks; at least one.
    pub callbacks: Vec<Socket>,
    /// For /metrics; at least one.
    pub metrics: Vec<Socket>,
}

impl Sockets {
    /// Those that systemd handed over; for what it did not, the addresses of the configuration. Those named
    /// `metrics` (`FileDescriptorName=`) are for /metrics, all others for callbacks. Exit 78 for one that is no TCP
    /// listener, and for an address that can't be had.
    pub async fn open(listen: SocketAddr, metrics_listen: SocketAddr) -> Result<Sockets> {
        // Before listenfd takes the variables away, so that no child believes the sockets to be its own.
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = ListenFd::from_env();
        let mut names = names.split(':');
        let (mut callbacks, mut metrics) = (Vec::new(), Vec::new());
        for index in 0..handed.len() {
            let socket = take(&mut handed, index)?;
            if names.next() == Some(METRICS) { metrics.push(socket) } else { callbacks.push(socket) }
        }
        if callbacks.is_empty() {
            callbacks.push(bind(listen)?);
        }
        if metrics.is_empty() {
            metrics.push(bind(metrics_listen)?);
        }
        Ok(Sockets { callbacks, metrics })
    }
}

fn take(handed: &mut ListenFd, index: usize) -> Result<Socket> {
    let mut open = || -> std::io::Result<Option<TcpListener>> {
        let Some(listener) = handed.take_tcp_listener(index)? else { return Ok(None) };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Some)
    };
    let wrong = || {
        let number = index + 1;
        Error::config(say!("socket {number} of LISTEN_FDS is no TCP listener"; "LISTEN_FDS 的第 {number} 个套接字不是 TCP 监听端口"))
            .next(say!(
                "write ListenStream=PORT or ADDRESS:PORT into wxops.socket";
                "请在 wxops.socket 中写 ListenStream=端口 或 地址:端口"
            ))
    };
    match open() {
        Ok(Some(listener)) => Ok(Socket::kept(listener)),
        Ok(None) => Err(wrong()),
        Err(error) => Err(wrong().source(error)),
    }
}

fn bind(addr: SocketAddr) -> Result<Socket> {
    listener::open(addr).map_err(|error| problem_of_listening(addr, error))
}
