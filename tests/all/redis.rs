//! Redis for the stories: the one that `scripts/test` starts, one that may be killed, and a cluster of three.

use crate::rows;
use crate::stage::until;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The URL of the Redis that `scripts/test` starts.
const SHARED: &str = "WXOPS_TEST_REDIS_URL";

/// The Redis that stories share; `None`, loudly, without one.
pub fn shared(story: &str) -> Option<String> {
    let url = std::env::var(SHARED).ok();
    if url.is_none() {
        rows::skip(story, &format!("{SHARED} is not set; scripts/test starts a Redis"));
    }
    url
}

/// A server of a story's own.
pub struct OwnRedis {
    folder: PathBuf,
    port: u16,
    more: Vec<String>,
    child: Option<Child>,
}

impl OwnRedis {
    /// Starts one; `None`, loudly, where there is no program for it.
    pub async fn start(folder: &Path, story: &str) -> Option<OwnRedis> {
        Self::start_with(folder, story, &[]).await
    }

    async fn start_with(folder: &Path, story: &str, more: &[&str]) -> Option<OwnRedis> {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            rows::skip(story, "redis-server is not installed; scripts/test does it");
            return None;
        }
        let port = free_port();
        let folder = folder.join(format!("redis-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        let mut redis = OwnRedis { folder, port, more, child: None };
        redis.restart().await;
        Some(redis)
    }

    /// Starts it anew, empty.
    pub async fn restart(&mut self) {
        self.kill();
        let log = File::create(self.folder.join("log")).unwrap();
        let port = self.port.to_string();
        let args = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "."];
        let mut child = Command::new("redis-server");
        child.args(args).args(&self.more).current_dir(&self.folder);
        self.child = Some(child.stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn().unwrap());
        until("Redis to answer", async || (self.ask(&["ping"]).trim() == "PONG").then_some(())).await;
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What its own shell says.
    pub fn ask(&self, words: &[&str]) -> String {
        cli(&self.url(), words)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `redis-cli` says of a server.
pub fn cli(url: &str, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-u", url]).args(words).output().expect("redis-cli stands beside it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Three masters on loopback that share the slots.
pub struct Cluster(pub Vec<OwnRedis>);

impl Cluster {
    pub async fn start(folder: &Path, story: &str) -> Option<Cluster> {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            let bus = free_port().to_string();
            let more = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "2000"];
            let node = OwnRedis::start_with(folder, story, &more).await?;
            nodes.push((node, bus));
        }
        for ((node, _), slots) in nodes.iter().zip([["0", "5460"], ["5461", "10922"], ["10923", "16383"]]) {
            assert_eq!(node.ask(&["cluster", "addslotsrange", slots[0], slots[1]]).trim(), "OK");
        }
        for (at, (node, _)) in nodes.iter().enumerate() {
            assert_eq!(node.ask(&["cluster", "set-config-epoch", &(at + 1).to_string()]).trim(), "OK");
        }
        let (first, _) = &nodes[0];
        for (node, bus) in &nodes[1..] {
            let meet = ["cluster", "meet", "127.0.0.1", &node.port.to_string(), bus];
            assert_eq!(first.ask(&meet).trim(), "OK");
        }
        let well = |node: &OwnRedis| {
            let told = node.ask(&["cluster", "info"]);
            told.contains("cluster_state:ok") && told.contains("cluster_known_nodes:3")
        };
        until("the cluster", async || nodes.iter().all(|(node, _)| well(node)).then_some(())).await;
        Some(Cluster(nodes.into_iter().map(|(node, _)| node).collect()))
    }

    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.0.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis-cluster://{}", hosts.join(","))
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The keys of a server that hold this word.
pub fn keys_with(url: &str, word: &str) -> Vec<String> {
    let told = cli(url, &["--scan", "--pattern", &format!("*{word}*")]);
    told.lines().map(str::to_owned).collect()
}
