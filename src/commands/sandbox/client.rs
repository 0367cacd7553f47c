//! Speaks with a running sandbox's control API.

use crate::domain::account::Official;
use crate::error::{Error, Result};
use crate::sandbox::shown::Problem;
use crate::say;
use reqwest::{Client, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Where a sandbox listens unless told otherwise.
pub const DEFAULT: &str = "http://127.0.0.1:9090";
/// A local port answers at once or not at all.
const CONNECT: Duration = Duration::from_secs(3);

/// The sandbox of a configured account: where its API is on this machine.
pub fn of(account: Option<&Official>) -> String {
    account.map_or_else(|| DEFAULT.into(), |account| at(&account.api_base))
}

/// The sandbox of an account whose API is here.
pub fn at(api_base: &str) -> String {
    if api_base.starts_with("http://") { api_base.to_owned() } else { DEFAULT.into() }
}

/// A sandbox that may be running at an address.
pub struct Sandbox {
    base: Url,
    http: Client,
}

impl Sandbox {
    /// The sandbox at a base URL; without one at the usual place.
    ///
    /// # Errors
    /// Usage, where the text is no URL.
    pub fn at(base: Option<&str>) -> Result<Self> {
        let base = base.unwrap_or(DEFAULT);
        let url = Url::parse(base).ok().filter(|url| url.has_host());
        let url = url
            .ok_or_else(|| Error::usage(say!("--sandbox: {base:?} is no URL"; "--sandbox：{base:?} 不是有效的 URL")))?;
        let http = Client::builder().no_proxy().connect_timeout(CONNECT).build();
        let http = http
            .map_err(|error| Error::failed(say!("cannot make an HTTP client"; "无法创建 HTTP 客户端")).source(error))?;
        Ok(Sandbox { base: url, http })
    }

    /// GET a path of its control API.
    ///
    /// # Errors
    /// Unavailable, where nothing listens.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.ask(self.http.get(self.url(path))).await
    }

    /// POST to a path of its control API; waits as long as it takes.
    ///
    /// # Errors
    /// Unavailable, where nothing listens; else what the sandbox says.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, order: &impl Serialize) -> Result<T> {
        self.ask(self.http.post(self.url(path)).json(order)).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let answer = request.send().await.map_err(|error| self.silent(error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| self.silent(error))?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| self.stranger().source(error));
        }
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Err(problem.into_error()),
            Err(_) => Err(self.stranger()),
        }
    }

    fn silent(&self, error: reqwest::Error) -> Error {
        let base = self.base.as_str().trim_end_matches('/');
        let listen = self.base.host_str().zip(self.base.port_or_known_default());
        let listen = listen.map_or_else(String::new, |(host, port)| format!("{host}:{port}"));
        let what = if error.is_connect() {
            say!("no sandbox is running at {base}"; "{base} 没有运行中的沙箱")
        } else {
            say!("the sandbox at {base} broke off"; "{base} 的沙箱中断了连接")
        };
        Error::unavailable(what)
            .next(
                say!("start one: wxops sandbox run --listen {listen}"; "启动一个：wxops sandbox run --listen {listen}"),
            )
            .source(error)
    }

    fn stranger(&self) -> Error {
        let base = self.base.as_str().trim_end_matches('/');
        Error::unavailable(say!("what answers at {base} is no wxops sandbox"; "{base} 上应答的不是 wxops 沙箱"))
            .next(say!("name the sandbox with --sandbox URL"; "请用 --sandbox URL 指明沙箱地址"))
    }
}
