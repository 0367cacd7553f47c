//! The sandbox from outside, over a real socket.
#![allow(clippy::unwrap_used)]

mod control;
mod crypto;
mod faults;
mod lists;
mod push;
mod quota;
mod receiver;
mod rids;
mod tokens;
mod users;
mod vectors;
mod webhook;
mod wecom;
mod wecom_message;

use super::clock::Start;
use super::{Account, Options, Running, start};
use serde_json::Value;
use std::net::SocketAddr;

/// Noon in Beijing on 2025-01-02, so that no test runs over midnight.
pub const NOON_MS: i64 = 1_735_790_400_000;

/// A sandbox and a client of its own.
pub struct Stage {
    pub sandbox: Running,
    pub http: reqwest::Client,
    pub account: Account,
}

/// Options on a free port with a clock that stands.
pub fn options() -> Options {
    Options { listen: SocketAddr::from(([127, 0, 0, 1], 0)), clock: Start::Frozen(NOON_MS), ..Options::default() }
}

pub async fn stage(options: Options) -> Stage {
    let sandbox = start(options).await.unwrap();
    let account = sandbox.accounts().remove(0);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Stage { sandbox, http, account }
}

impl Stage {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let answer = self.http.get(self.url(path)).query(query).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub async fn post(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Value {
        let answer = self.http.post(self.url(path)).query(query).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub async fn legacy(&self) -> Value {
        let secret = self.account.secret.reveal();
        let query = [("grant_type", "client_credential"), ("appid", self.account.app_id.as_str()), ("secret", secret)];
        self.get("/cgi-bin/token", &query).await
    }

    pub async fn stable(&self, force: bool) -> Value {
        let body = serde_json::json!({
            "grant_type": "client_credential", "appid": self.account.app_id,
            "secret": self.account.secret.reveal(), "force_refresh": force,
        });
        self.post("/cgi-bin/stable_token", &[], &body).await
    }

    pub async fn token(&self) -> String {
        self.stable(false).await["access_token"].as_str().unwrap().to_owned()
    }
}

/// The errcode of an answer; absent is 0.
pub fn errcode(answer: &Value) -> i64 {
    answer.get("errcode").map_or(0, |code| code.as_i64().unwrap())
}
