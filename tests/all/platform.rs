//! The stand-in platform as a story plays with it: over HTTP, as a person with curl would.

use crate::http;
use crate::process::{self, Outcome, Server};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// The two that a story counts most.
pub const STABLE_TOKEN: &str = "/cgi-bin/stable_token";
pub const USER_INFO: &str = "/cgi-bin/user/info";

/// Where the sandbox listens, and its account.
#[derive(Clone)]
pub struct Platform {
    address: SocketAddr,
    app_id: String,
    secret: String,
}

impl Platform {
    /// The sandbox of a stage.
    pub fn of(stage: &Stage) -> Self {
        let keys = crate::signer::Keys::default();
        Platform { address: stage.sandbox(), app_id: keys.app_id, secret: keys.secret }
    }

    /// Starts a sandbox with further arguments in place of the stage's own.
    pub async fn restart(stage: &mut Stage, args: &[&str]) -> Self {
        let accounts = stage.folder().join("accounts.toml").display().to_string();
        let always = ["sandbox", "run", "--listen", "127.0.0.1:0", "--accounts-file", &accounts];
        let sandbox = Server::start(stage.folder(), &[&always[..], args].concat(), &[], "listening on http://").await;
        stage.take_sandbox(sandbox);
        Self::of(stage)
    }

    /// Turns all faults off and these on.
    pub async fn faults(&self, set: &[&str]) {
        self.post("/sandbox/faults", &json!({ "set": set, "clear": true })).await;
    }

    /// Moves its clock.
    pub async fn advance(&self, seconds: i64) {
        self.post("/sandbox/clock", &json!({ "advance_seconds": seconds })).await;
    }

    /// The calls of an API so far, oldest first.
    pub async fn calls(&self, path: &str) -> Vec<Value> {
        let answer = http::get(self.address, &format!("/sandbox/requests?path={path}")).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().lines().map(|line| serde_json::from_str(line).expect("NDJSON")).collect()
    }

    /// The errcodes it answered on an API so far; -2 where the answer was none of the platform's.
    pub async fn codes(&self, path: &str) -> Vec<i64> {
        self.calls(path).await.iter().map(|call| call["errcode"].as_i64().unwrap_or(-2)).collect()
    }

    /// How often stable_token was asked normally, and by force.
    pub async fn asked(&self) -> (usize, usize) {
        let calls = self.calls(STABLE_TOKEN).await;
        let forced = calls.iter().filter(|call| call["body"]["force_refresh"] == true).count();
        (calls.len() - forced, forced)
    }

    /// Somebody follows or leaves, and the program is not told: the push goes to an ear that forgets it.
    pub async fn happens(&self, event: &str, openid: &str) {
        let ear = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let to = format!("http://{}", ear.local_addr().expect("bound"));
        let heard = tokio::spawn(async move {
            let mut connection = ear.accept().await.expect("the push").0;
            let mut heard = Vec::new();
            while !heard.trim_ascii_end().ends_with(b"</xml>") {
                assert!(connection.read_buf(&mut heard).await.expect("the push") > 0, "the push ends early");
            }
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        });
        self.push(&json!({ "event": event, "openid": openid, "to": to })).await;
        heard.await.expect("one push");
    }

    /// Sends pushes; what came of them.
    pub async fn push(&self, order: &Value) -> Value {
        self.post("/sandbox/push", order).await
    }

    /// A token of /cgi-bin/token, which has nothing to do with that of stable_token (reference 3.2).
    pub async fn other_token(&self) -> String {
        let (id, secret) = (&self.app_id, &self.secret);
        let path = format!("/cgi-bin/token?grant_type=client_credential&appid={id}&secret={secret}");
        self.get(&path).await["access_token"].as_str().expect("a token").to_owned()
    }

    /// Another program of the company forces a new stable token: the one before dies.
    pub async fn rival(&self) -> String {
        let body = json!({ "grant_type": "client_credential", "appid": self.app_id, "secret": self.secret, "force_refresh": true });
        self.post(STABLE_TOKEN, &body).await["access_token"].as_str().expect("a token").to_owned()
    }

    /// Somebody clears the account's quota past the program, as in the console; the errcode.
    pub async fn clears(&self) -> i64 {
        let token = self.other_token().await;
        let body = json!({ "appid": self.app_id });
        self.post(&format!("/cgi-bin/clear_quota?access_token={token}"), &body).await["errcode"].as_i64().unwrap_or(0)
    }

    /// What it says of one person, asked past the program.
    pub async fn person(&self, openid: &str) -> Value {
        let token = self.other_token().await;
        self.get(&format!("{USER_INFO}?access_token={token}&openid={openid}")).await
    }

    async fn get(&self, path: &str) -> Value {
        let answer = http::get(self.address, path).await.expect("an answer");
        serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let headers = [("Content-Type", "application/json"), ("Connection", "close")];
        let request = http::request("POST", path, &headers, body.to_string().as_bytes());
        let answer = http::once(self.address, &request).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        serde_json::from_slice(&answer.body).expect("JSON")
    }
}

/// The program's clock, in whole seconds ahead of the machine's.
pub struct ClockFile {
    path: std::path::PathBuf,
    shift: i64,
}

impl ClockFile {
    /// From now on whatever the stage starts reads this clock.
    pub fn of(stage: &mut Stage) -> Self {
        let path = stage.write("clock", "0\n");
        stage.env.push(("WXOPS_CLOCK_FILE".into(), path.display().to_string()));
        ClockFile { path, shift: 0 }
    }

    /// Moves it. The file is replaced, so that nobody reads half of it.
    pub fn advance(&mut self, seconds: i64) {
        self.shift += seconds;
        let fresh = self.path.with_extension("new");
        std::fs::write(&fresh, format!("{}\n", self.shift)).expect("the folder is ours");
        std::fs::rename(&fresh, &self.path).expect("the folder is ours");
    }
}

/// Runs the same verb so many times at once, each a process of its own.
pub async fn at_once(stage: &Stage, times: usize, args: &[&str]) -> Vec<Outcome> {
    let config = stage.config();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..times {
        let (folder, env, config) = (stage.folder().to_owned(), stage.env.clone(), config.clone());
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        running.spawn(async move {
            let args: Vec<&str> = ["--config", &config].into_iter().chain(args.iter().map(String::as_str)).collect();
            process::run(&folder, &args, &env, "").await
        });
    }
    running.join_all().await
}

/// Runs a verb with another configuration, made from the stage's own by this change.
pub async fn verb_in(stage: &Stage, change: impl Fn(&str) -> String, args: &[&str], stdin: &str) -> Outcome {
    let text = std::fs::read_to_string(stage.config()).expect("the stage wrote it");
    let config = stage.write("other.toml", &change(&text)).display().to_string();
    process::run(stage.folder(), &[&["--config", &config], args].concat(), &stage.env, stdin).await
}
