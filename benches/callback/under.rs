//! The processes under measurement: how they are started, where they listen, what CPU they take.

use crate::http;
use crate::sealed::Outcome;
use crate::stage::{Stage, until};
use serde_json::json;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// USER_HZ, in which /proc counts CPU time: 100 on every Linux.
const TICKS: f64 = 100.0;
/// The process id of the database's server, from scripts/bench.
const DATABASE: &str = "WXOPS_BENCH_DATABASE_PID";

/// A process that listens; killed with its owner.
pub struct Child {
    child: tokio::process::Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Child {
    /// `wxops serve` on a stage, ready. Its log goes to a file, as a service's goes to the journal.
    pub async fn serve(stage: &Stage, env: &[(String, String)]) -> Child {
        let path = stage.folder().join("serve.log");
        let log = File::create(&path).expect("the folder is ours");
        let mut command = Command::new(env!("CARGO_BIN_EXE_wxops"));
        command.args(["--config", &stage.config(), "serve"]).current_dir(stage.folder());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
        command.envs(env.iter().cloned()).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("the binary starts");
        let address = until("serve to listen", async || address(&fs::read_to_string(&path).ok()?)).await;
        until("serve to be ready", async || {
            let answer = http::get(address, "/readyz").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        Child { child, address, log: path }
    }

    /// A part in a process of its own, once it listens.
    pub async fn of_ours(args: &[&str], env: &[(String, String)]) -> Child {
        let mut child = ourselves(args, env);
        let stdout = child.stdout.take().expect("piped");
        let line = BufReader::new(stdout).lines().next_line().await.expect("a line").expect("a line");
        Child { child, address: address(&line).expect("an address"), log: PathBuf::new() }
    }

    /// A part that ends by itself, and what it told.
    pub async fn told(args: &[&str], env: &[(String, String)]) -> Told {
        let output = ourselves(args, env).wait_with_output().await.expect("our own child");
        assert!(output.status.success(), "{args:?} ended with {:?}", output.status);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        Told::read(&text).unwrap_or_else(|| panic!("{args:?} told {text:?}"))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn pid(&self) -> u32 {
        self.child.id().expect("not waited for yet")
    }

    /// What it logged of warnings and errors, the first of it.
    pub fn complaints(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| !line.contains(" INFO ")).take(20).map(|line| format!("{line}\n")).collect()
    }

    /// Kills it and waits for its end.
    pub async fn end(mut self) {
        self.child.kill().await.expect("our own child");
    }
}

fn ourselves(args: &[&str], env: &[(String, String)]) -> tokio::process::Child {
    let mut command = Command::new(std::env::current_exe().expect("our own path"));
    command.args(args).envs(env.iter().cloned()).kill_on_drop(true).stdin(Stdio::null()).stdout(Stdio::piped());
    command.spawn().expect("we start again")
}

fn address(text: &str) -> Option<SocketAddr> {
    let (_, rest) = text.split_once("listening on http://")?;
    rest.split(|c: char| c.is_whitespace() || c == '/').next()?.parse().ok()
}

/// What a part says of itself, on stdout.
pub struct Told {
    pub outcome: Outcome,
    pub cpu_s: [f64; 3],
    pub busy: f64,
}

impl Told {
    /// One line of JSON.
    pub fn tell(&self) {
        let Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms } = &self.outcome;
        let told = json!([acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms, self.cpu_s, self.busy]);
        println!("{told}");
    }

    fn read(text: &str) -> Option<Told> {
        let (acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms, cpu_s, busy) =
            serde_json::from_str(text).ok()?;
        let outcome = Outcome { acknowledged, begun, failed, seconds, p50_ms, p99_ms, max_ms };
        Some(Told { outcome, cpu_s, busy })
    }
}

/// CPU time so far, seconds: of a process, the database's server, ourselves, and the machine's busy and whole.
pub struct Cpu {
    processes: [f64; 3],
    machine: [f64; 2],
}

impl Cpu {
    pub fn now(pid: u32) -> Cpu {
        let database = std::env::var(DATABASE).ok().and_then(|pid| pid.parse().ok());
        let processes = [of_process(pid), database.map_or(0.0, of_process), of_process(std::process::id())];
        Cpu { processes, machine: of_machine() }
    }

    /// What was used since then; which part of the cores was busy.
    pub fn since(&self, before: &Cpu) -> ([f64; 3], f64) {
        let used = [0, 1, 2].map(|at| self.processes[at] - before.processes[at]);
        let [busy, whole] = [0, 1].map(|at| self.machine[at] - before.machine[at]);
        (used, busy / whole.max(1e-9))
    }
}

fn of_process(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS
}

fn of_machine() -> [f64; 2] {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let whole: f64 = ticks.iter().sum();
    // Idle, and waiting for the disk.
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    [(whole - idle) / TICKS, whole / TICKS]
}
