//! The processes under measurement: how they are started, where they listen, what CPU they take.

use super::outcome::Outcome;
use crate::http;
use crate::stage::{Stage, until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// USER_HZ, in which /proc counts CPU time: 100 on every Linux.
const TICKS: f64 = 100.0;
/// The process id of the database's server, from scripts/bench.
const DATABASE: &str = "WXOPS_BENCH_DATABASE_PID";

/// The release binary: a bench is built with the release profile.
pub const BINARY: &str = env!("CARGO_BIN_EXE_wxops");

/// What it says of itself.
pub fn version() -> String {
    let output = std::process::Command::new(BINARY).arg("--version").output().expect("the binary starts");
    String::from_utf8_lossy(&output.stdout).trim().trim_start_matches("wxops ").to_owned()
}

/// The machine's kind.
pub fn machine() -> String {
    let of = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let value = text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        value.map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let memory = of("/proc/meminfo", "MemTotal");
    let gib = memory.trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / f64::from(1 << 20);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{}, {gib:.0} GiB, Linux {}", of("/proc/cpuinfo", "model name"), kernel.trim())
}

/// A process that listens, with what it starts itself: a group of its own, killed with its owner.
pub struct Child {
    child: tokio::process::Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Child {
    /// `wxops serve` on a stage, ready. Its log goes to a file, as a service's goes to the journal.
    pub async fn serve(stage: &Stage, env: &[(String, String)]) -> Child {
        let path = stage.folder().join("serve.log");
        let mut command = serve(stage, &path);
        let child = command.envs(env.iter().cloned()).spawn().expect("the binary starts");
        let address = until("serve to listen", async || address(&fs::read_to_string(&path).ok()?)).await;
        until("serve to be ready", async || {
            let answer = http::get(address, "/readyz").await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        Child { child, address, log: path }
    }

    /// Any program that was told to listen there and to log to this file; whether it does is for others to see.
    pub fn of(command: &mut Command, address: SocketAddr, log: PathBuf) -> std::io::Result<Child> {
        let file = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0).kill_on_drop(true);
        Ok(Child { child: command.spawn()?, address, log })
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

    /// All it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("our own child")
    }

    /// Kills it with its group and waits for its end.
    pub async fn end(mut self) {
        self.kill_group();
        self.child.wait().await.expect("our own child");
    }

    /// Ends it as systemd does.
    pub async fn stop(mut self) -> std::process::ExitStatus {
        let pid = Pid::from_raw(self.pid() as i32).expect("not 0");
        kill_process(pid, Signal::TERM).expect("our own child");
        self.child.wait().await.expect("our own child")
    }

    fn kill_group(&self) {
        let group = self.child.id().and_then(|pid| Pid::from_raw(pid as i32));
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// `wxops serve` on a stage, its log in this file.
pub fn serve(stage: &Stage, log: &Path) -> Command {
    let file = File::create(log).expect("the folder is ours");
    let mut command = Command::new(BINARY);
    command.args(["--config", &stage.config(), "serve"]).current_dir(stage.folder());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
    command.kill_on_drop(true).process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
    command
}

/// A verb on a stage, however long it takes.
pub fn verb(stage: &Stage, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["--config", &stage.config()]).args(args).current_dir(stage.folder());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LANG", "C.UTF-8");
    command.kill_on_drop(true).process_group(0).stdin(Stdio::null());
    command
}

fn ourselves(args: &[&str], env: &[(String, String)]) -> tokio::process::Child {
    let mut command = Command::new(std::env::current_exe().expect("our own path"));
    command.args(args).envs(env.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
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

/// CPU time so far, seconds: of a process and its group, the database's server, ourselves, and the machine's busy and whole.
pub struct Cpu {
    processes: [f64; 3],
    machine: [f64; 2],
}

impl Cpu {
    pub fn now(pid: u32) -> Cpu {
        let database = std::env::var(DATABASE).ok().and_then(|pid| pid.parse().ok());
        let processes = [of_group(pid), database.map_or(0.0, of_process), of_process(std::process::id())];
        Cpu { processes, machine: of_machine() }
    }

    /// What was used since then; which part of the cores was busy.
    pub fn since(&self, before: &Cpu) -> ([f64; 3], f64) {
        let used = [0, 1, 2].map(|at| self.processes[at] - before.processes[at]);
        let [busy, whole] = [0, 1].map(|at| self.machine[at] - before.machine[at]);
        (used, busy / whole.max(1e-9))
    }
}

fn of_group(group: u32) -> f64 {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid, 2) == f64::from(group)).map(of_process).sum()
}

fn of_process(pid: u32) -> f64 {
    (stat(pid, 11) + stat(pid, 12)) / TICKS
}

/// A number of /proc/PID/stat, counted from behind the name: which, in brackets, may hold anything.
fn stat(pid: u32, field: usize) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(field).and_then(|field| field.parse().ok()).unwrap_or(0.0)
}

/// Memory of a process, MiB.
#[derive(Clone, Copy)]
pub struct Memory {
    pub rss: f64,
    /// Its share of what it shares.
    pub pss: f64,
    /// The highest RSS so far.
    pub peak: f64,
}

impl Memory {
    pub fn of(pid: u32) -> Memory {
        let [rss, peak] = ["VmRSS:", "VmHWM:"].map(|name| mib(pid, "status", name));
        Memory { rss, peak, pss: mib(pid, "smaps_rollup", "Pss:") }
    }

    /// RSS alone, which is cheap to ask.
    pub fn rss(pid: u32) -> f64 {
        mib(pid, "status", "VmRSS:")
    }
}

fn mib(pid: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
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
