//! The real binary as a child: a verb that ends, or a server that says where it listens. Ends with its owner.

#![allow(dead_code, reason = "benches/load.rs mounts this file too and uses a part of it")]

use crate::stage::{PATIENCE, until};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// A variable of a story's environment: a program and its arguments that the binary is started under.
pub const WRAPPER: &str = "WXOPS_TEST_WRAPPER";

/// How a verb ended.
#[derive(Debug)]
pub struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Fails with all that the verb said, unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Each line of stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().filter(|line| !line.is_empty()).map(parse).collect()
    }
}

/// Runs the binary to its end in a folder, with nothing of our own environment.
pub async fn run(folder: &Path, args: &[&str], env: &[(String, String)], stdin: &str) -> Outcome {
    let mut child = command(folder, args, env).stdin(Stdio::piped()).spawn().expect("the binary starts");
    // A verb that reads no stdin may be gone before we write.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes()).await;
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("wxops {args:?} took over {PATIENCE:?}")).expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A child that listens.
pub struct Server {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Where it said that it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the binary and waits until it says where it listens: an address behind these words.
    pub async fn start(folder: &Path, args: &[&str], env: &[(String, String)], words: &str) -> Self {
        let mut child = command(folder, args, env).stdin(Stdio::null()).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        gather(child.stdout.take().expect("piped"), log.clone());
        gather(child.stderr.take().expect("piped"), log.clone());
        let mut server = Server { child, log, address: SocketAddr::from(([0, 0, 0, 0], 0)) };
        server.address = server.address_after(words).await;
        server
    }

    /// Starts a process that says nothing of where it listens.
    pub async fn start_silent(folder: &Path, args: &[&str]) -> Self {
        Self::start_silent_in(folder, args, &[])
    }

    /// The same with an environment.
    pub fn start_silent_in(folder: &Path, args: &[&str], env: &[(String, String)]) -> Self {
        let mut child = command(folder, args, env).stdin(Stdio::null()).spawn().expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        gather(child.stdout.take().expect("piped"), log.clone());
        gather(child.stderr.take().expect("piped"), log.clone());
        Server { child, log, address: SocketAddr::from(([0, 0, 0, 0], 0)) }
    }

    /// Waits for a line that holds these words and an address behind them.
    pub async fn address_after(&mut self, words: &str) -> SocketAddr {
        until(&format!("`{words}`"), async || {
            let log = self.log();
            if let Some((_, rest)) = log.split_once(words) {
                let address = rest.split(|c: char| c.is_whitespace() || c == '/' || c == '"').next().unwrap_or("");
                return address.parse().ok();
            }
            let ended = self.child.try_wait().expect("our own child");
            assert!(ended.is_none(), "ended with {ended:?} before it listened:\n{log}");
            None
        })
        .await
    }

    /// All it has said so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no writer panics").clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("not waited for yet")
    }

    /// `kill -9`, and waits for the end.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("our own child");
    }

    /// `kill -9`, without waiting.
    pub fn kill_now(&mut self) {
        self.child.start_kill().expect("our own child");
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for its end; the exit code.
    pub async fn wait(&mut self) -> Option<i32> {
        self.status().await.code()
    }

    /// Waits for its end, and how it came.
    pub async fn status(&mut self) -> ExitStatus {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("it did not end:\n{}", self.log())).expect("our own child")
    }
}

/// The binary in a folder, with nothing of our own environment; it ends with its owner.
pub fn command(folder: &Path, args: &[&str], env: &[(String, String)]) -> Command {
    let binary = env!("CARGO_BIN_EXE_wxops");
    let wrapper = env.iter().find(|(name, _)| name == WRAPPER).map_or("", |(_, words)| words.as_str());
    let mut words = wrapper.split_whitespace().chain([binary]);
    let mut command = Command::new(words.next().unwrap_or(binary));
    command.args(words).args(args).current_dir(folder).kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("LANG", "C.UTF-8").env("TERM", "dumb").env("NO_COLOR", "1");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command
}

fn gather(stream: impl tokio::io::AsyncRead + Unpin + Send + 'static, log: Arc<Mutex<String>>) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut log = log.lock().expect("no writer panics");
            log.push_str(&line);
            log.push('\n');
        }
    });
}
