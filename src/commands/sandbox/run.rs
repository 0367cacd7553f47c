//! `wxops sandbox run`: the stand-in platform until a signal.

use super::{accounts_file, units};
use crate::error::{Error, Lang, Result};
use crate::sandbox::account::{Kind, mode_name};
use crate::sandbox::faults::Fault;
use crate::sandbox::limits::Override;
use crate::sandbox::lists::{Lists, Quirk};
use crate::sandbox::office::directory::HEADS;
use crate::sandbox::{self, Account, Options, Running};
use crate::say;
use clap::Args;
use serde::Serialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Run a stand-in for WeChat's and WeCom's API on a local port until Ctrl-C
///
/// It plays api.weixin.qq.com and qyapi.weixin.qq.com, told apart by path,
/// keeps tokens and followers, enforces the documented limits and answers
/// with the documented error codes. Its own pages: /sandbox/state,
/// /sandbox/requests and /sandbox/wecom/messages (NDJSON), /sandbox/accounts.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  wxops sandbox run --followers 23000 --fault busy=5%")]
pub struct Run {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub listen: SocketAddr,
    /// Followers of each account; millions cost no memory.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub followers: u64,
    /// After each page of user/get so many leave and so many join, some of
    /// them again, and no push tells of it.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub churn: u64,
    /// Openids of another account in the list, which user/info and batchget
    /// refuse with 40003; at most as many as followers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub foreign: u64,
    /// What is odd about the list: stuck, a full page gives back the
    /// next_openid that was sent; doubled, pages overlap; total-off, `total` is
    /// not what the pages hold; null-data, the end has an empty or null `data`;
    /// shuffled, batchget answers in another order. May be repeated.
    #[arg(long = "list-quirk", value_name = "QUIRK")]
    pub quirks: Vec<String>,
    /// What each answer waits.
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = units::duration)]
    pub latency: Duration,
    /// What goes wrong, KIND=RATE, KIND@/path=RATE or KIND@wecom=RATE: busy,
    /// busy-done, token-invalid, quota, http-500, reset, cut, html, slow,
    /// lost-answer, ip-not-listed, admin-confirm, secret-frozen, or an errcode.
    /// May be repeated.
    #[arg(long = "fault", value_name = "KIND=RATE")]
    pub faults: Vec<String>,
    /// What stands in the place of the platform's limit, PATH=N/day or
    /// PATH=N/minute: /cgi-bin/user/get=20/day. May be repeated.
    #[arg(long = "limit", value_name = "PATH=N/day")]
    pub limits: Vec<String>,
    /// Accounts of the corporation behind the apps of WeCom: a day has 200
    /// times as many person-times of messages.
    #[arg(long, value_name = "N", default_value_t = HEADS, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub wecom_heads: u64,
    /// Userids that nobody has in WeCom, separated by commas; every other one
    /// of sane letters exists. May be repeated.
    #[arg(long = "wecom-invalid", value_name = "USERID", value_delimiter = ',')]
    pub wecom_invalid: Vec<String>,
    /// Fixes followers, keys and faults.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// TOML with [official.NAME], [wecom.NAME] or [minigame.NAME] for each
    /// account; default: main, wecom and minigame with keys of their own.
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
        if self.foreign > self.followers {
            return Err(Error::usage(say!(
                "--foreign is more than --followers";
                "--foreign 多于 --followers"
            )));
        }
        let mut accounts = match &self.accounts_file {
            Some(path) => accounts_file::read(path)?,
            None => Account::made_all(self.seed),
        };
        for account in accounts.iter_mut().filter(|account| account.kind == Kind::Official) {
            account.callback.get_or_insert_with(|| self.callback.clone());
        }
        Ok(Options {
            listen: self.listen,
            followers: self.followers,
            foreign: self.foreign,
            lists: Lists {
                churn: self.churn,
                quirks: self.quirks.iter().map(|name| Quirk::named(name)).collect::<Result<_>>()?,
            },
            latency: self.latency,
            faults: self.faults.iter().map(|text| Fault::parse(text)).collect::<Result<_>>()?,
            wecom_heads: self.wecom_heads,
            wecom_invalid: self.wecom_invalid,
            limits: self.limits.iter().map(|text| Override::parse(text)).collect::<Result<_>>()?,
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
    let accounts: String = running.accounts().iter().map(|account| shown(account, &url, own_keys)).collect();
    say!(
        "the sandbox is listening on {url}\n{accounts}  WECHAT_API_BASE={url}\n  WXOPS_ALERT_WEBHOOK={webhook}\n\
         next, in another shell:\n  wxops sandbox push subscribe --count 20 --sandbox {url}\n  \
         curl {url}/sandbox/state";
        "沙箱已启动：{url}\n{accounts}  WECHAT_API_BASE={url}\n  WXOPS_ALERT_WEBHOOK={webhook}\n\
         接下来，在另一个终端：\n  wxops sandbox push subscribe --count 20 --sandbox {url}\n  \
         curl {url}/sandbox/state"
    )
}

/// As it is written into `.env`, or, where that has no place for it, into `wxops.toml`.
fn shown(account: &Account, url: &str, own_keys: bool) -> String {
    let Account { name, app_id, .. } = account;
    let mut table = match account.kind {
        Kind::Official => return shown_official(account, own_keys),
        Kind::Minigame => format!("account {name}\n  [minigame.{name}]\n  app_id = {app_id:?}\n"),
        Kind::Wecom { agent_id } => {
            format!("account {name}\n  [wecom.{name}]\n  corp_id = {app_id:?}\n  agent_id = {agent_id}\n")
        }
    };
    if own_keys {
        table += &format!("  secret = {:?}\n", account.secret.reveal());
        if let Some(key) = account.aes_key.as_ref().filter(|_| account.is_wecom()) {
            table += &format!("  token = {:?}\n  aes_key = {:?}\n", account.token.reveal(), key.reveal());
        }
    }
    table + &format!("  api_base = {url:?}\n")
}

fn shown_official(account: &Account, own_keys: bool) -> String {
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
