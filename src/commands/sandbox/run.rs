//! `wxops sandbox run`: the stand-in platform until a signal.

use super::{accounts_file, units};
use crate::error::{Error, Lang, Result};
use crate::sandbox::account::mode_name;
use crate::sandbox::faults::Fault;
use crate::sandbox::{self, Account, Options, Running};
use crate::say;
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Run a stand-in for api.weixin.qq.com on a local port until Ctrl-C
///
/// It keeps tokens and followers, enforces the documented limits and answers
/// with the documented error codes. Its own pages: /sandbox/state,
/// /sandbox/requests (NDJSON), /sandbox/accounts.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  wxops sandbox run --followers 23000 --fault busy=5%")]
pub struct Run {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub listen: SocketAddr,
    /// Followers of each account; millions cost no memory.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub followers: u64,
    /// What each answer waits.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = units::duration)]
    pub latency: Duration,
    /// What goes wrong, KIND=RATE or KIND@/path=RATE: busy, token-invalid, quota,
    /// http-500, reset, cut, html, slow, lost-answer, ip-not-listed,
    /// admin-confirm, secret-frozen, or an errcode. May be repeated.
    #[arg(long = "fault", value_name = "KIND=RATE")]
    pub faults: Vec<String>,
    /// Fixes followers, keys and faults.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// TOML with [official.NAME] for each account; default: one account,
    /// main, with keys of its own.
    #[arg(long, value_name = "FILE")]
    pub accounts_file: Option<PathBuf>,
    /// 2021: fill nickname, avatar and city, which come back empty today.
    #[arg(long, value_name = "YEAR", value_parser = ["2021"])]
    pub profile: Option<String>,
    /// Where pushes go, for accounts that name no callback themselves.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/wechat/event")]
    pub callback: String,
}

/// What ran.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Base URL.
    pub url: String,
    /// Calls answered.
    pub calls: u64,
}

impl Report {
    /// One line for people.
    pub fn table(&self, lang: Lang) -> String {
        let Report { url, calls } = self;
        say!("the sandbox at {url} stopped after {calls} calls"; "{url} 的沙箱已停止，共应答 {calls} 次调用")
            .in_lang(lang)
            .to_owned()
    }
}

impl Run {
    /// Runs until SIGINT or SIGTERM; what to type next goes to stderr.
    ///
    /// # Errors
    /// Usage for a fault that is none, configuration for the accounts, unavailable for the port.
    pub async fn run(self, lang: Lang) -> Result<Report> {
        let mut stops = (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?);
        let own_keys = self.accounts_file.is_none();
        let running = sandbox::start(self.options()?).await?;
        eprintln!("{}", greeting(&running, own_keys).in_lang(lang));
        tokio::select! {
            _signal = stops.0.recv() => {}
            _signal = stops.1.recv() => {}
        }
        let report = Report { url: running.url(), calls: running.calls() };
        running.stop().await;
        Ok(report)
    }

    fn options(self) -> Result<Options> {
        let mut accounts = match &self.accounts_file {
            Some(path) => accounts_file::read(path)?,
            None => vec![Account::made("main", self.seed)],
        };
        for account in &mut accounts {
            account.callback.get_or_insert_with(|| self.callback.clone());
        }
        Ok(Options {
            listen: self.listen,
            followers: self.followers,
            latency: self.latency,
            faults: self.faults.iter().map(|text| Fault::parse(text)).collect::<Result<_>>()?,
            seed: self.seed,
            accounts,
            profile_2021: self.profile.is_some(),
            ..Options::default()
        })
    }
}

fn watch(kind: SignalKind) -> Result<Signal> {
    signal(kind).map_err(|error| Error::failed(say!("cannot wait for signals"; "无法等待信号")).source(error))
}

/// Address, accounts, and the next commands. Keys from a file are its owner's and are not repeated.
fn greeting(running: &Running, own_keys: bool) -> crate::error::Text {
    let url = running.url();
    let webhook = running.webhook();
    let accounts: String = running.accounts().iter().map(|account| shown(account, own_keys)).collect();
    say!(
        "the sandbox is listening on {url}\n{accounts}  WECHAT_API_BASE={url}\n  WXOPS_ALERT_WEBHOOK={webhook}\n\
         next, in another shell:\n  wxops sandbox push subscribe --count 20 --sandbox {url}\n  \
         curl {url}/sandbox/state";
        "沙箱已启动：{url}\n{accounts}  WECHAT_API_BASE={url}\n  WXOPS_ALERT_WEBHOOK={webhook}\n\
         接下来，在另一个终端：\n  wxops sandbox push subscribe --count 20 --sandbox {url}\n  \
         curl {url}/sandbox/state"
    )
}

fn shown(account: &Account, own_keys: bool) -> String {
    let Account { name, app_id, original_id, .. } = account;
    let mode = mode_name(account.mode);
    let callback = account.callback.as_deref().unwrap_or("-");
    let mut text = format!("account {name} → {callback}\n  WECHAT_APP_ID={app_id}\n");
    if own_keys {
        text +=
            &format!("  WECHAT_APP_SECRET={}\n  WECHAT_TOKEN={}\n", account.secret.reveal(), account.token.reveal());
        if let Some(key) = &account.aes_key {
            text += &format!("  WECHAT_AES_KEY={}\n", key.reveal());
        }
    }
    text + &format!("  WECHAT_MODE={mode}\n  WECHAT_ORIGINAL_ID={original_id}\n")
}
