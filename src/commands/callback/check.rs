//! `wxops callback check`: plays the platform against a URL and names what is wrong.
//!
//! # How causes are told apart
//!
//! What stands before HTTP names itself: name, connection, certificate, and most statuses (`status.rs`). An echo
//! that came back shows what was put around it (`echo.rs`). What is left is a refusal, and a good server refuses
//! everything alike. So the same question is put in other ways, and what differs in the answers tells. Two answers
//! are alike when status and words agree; words with digits do not count (`client.rs`).
//!
//! The signature of a GET covers nothing but the Token, so the URL check is about Token and way only:
//!
//! | good GET | wrong signature | no query | cause |
//! |---|---|---|---|
//! | echo | refused | | the Token is right |
//! | echo | echo | | a reflector: proves nothing |
//! | no echo; an echo with WECHAT_TOKEN_PREVIOUS | | | the server has the old Token |
//! | no echo; an echo with another account's Token | | | the URL is that account's |
//! | refused | alike | differs | the query arrives: the Token |
//! | refused | alike | alike | Token, or a proxy that drops or doubles the query: can't be told from outside |
//! | refused | differs | | the signature was taken, the echostr not returned |
//!
//! With the Token proven, a POST that is refused is about key, receive-id (the AppID inside) and mode:
//!
//! | good POST | sealed with a random key | further | cause |
//! |---|---|---|---|
//! | refused | | taken with WECHAT_AES_KEY_PREVIOUS | the server has the old key |
//! | clear, refused | | an encrypted one is taken | the server is in secure mode |
//! | refused | differs | | it was opened: the receive-id, or the original id |
//! | refused | alike | a clear one is taken | no key; or both are taken, and key or receive-id are others |
//! | refused | alike | a clear one is refused | key or receive-id: can't be told from outside |
//! | 500 | | a forged one: alike | the program fails on everything |
//!
//! A `serve` of wxops answers every refusal with the same empty 403, on purpose. Where its metrics listener answers
//! on this machine, the reason that is counted during a request names the cause for certain (`witness.rs`).
//!
//! No POST leaves a false follower behind: see `letter.rs` for what is sent.

mod certificate;
mod client;
mod echo;
mod finding;
mod get;
mod letter;
mod post;
mod probe;
mod reach;
mod receipt;
mod refusal;
mod refused_check;
mod refused_push;
mod report;
mod status;
mod talk;
mod target;
mod tls;
mod wecom;
mod wecom_letter;
mod witness;

use crate::commands::{Context, accounts, worse};
use crate::config::Config;
use crate::domain::account::{Mode, Official, WeCom};
use crate::error::{Error, Lang, Result};
use crate::report::{Format, spoken};
use crate::say;
use client::Deadline;
use finding::Question;
use report::Checked;
use std::io::IsTerminal;
use talk::Talk;

/// Play the platform against a URL and say what is wrong
///
/// Sends the GET of the console and a signed push, each also forged, and
/// names the cause of what fails: Token, key, AppID, proxy, TLS, time.
/// Without URL: WXOPS_PUBLIC_URL and the account's route. What is sent is a
/// VIEW event of the openid oWXOPS_callback_check_nobody: it makes no
/// follower, and is stored as one event.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops callback check https://wx.example.com/wechat/event")]
pub struct Check {
    /// The URL as it stands in the console; default: WXOPS_PUBLIC_URL and
    /// the account's route
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Play the console in this mode: plain, compat, secure; default: the
    /// account's
    #[arg(long, value_name = "MODE", value_parser = ["plain", "compat", "secure"], hide_possible_values = true)]
    mode: Option<String>,
    /// Only the GET: no push, which is stored as a VIEW event of nobody
    #[arg(short = 'n', long, visible_alias = "dry-run")]
    no_post: bool,
}

impl Check {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let config = context.config()?.clone();
        let wecoms = wecom::chosen(&config, self.url.as_deref());
        let all = config.account.as_deref() == Some("all");
        let accounts = if wecoms.is_empty() || all { accounts(&config)? } else { Vec::new() };
        if accounts.len() + wecoms.len() > 1 && self.url.is_some() {
            return Err(Error::usage(say!("a URL belongs to one account"; "一个 URL 只属于一个账号"))
                .next(say!("name it with --account, or leave the URL out"; "请用 --account 指定，或不写 URL")));
        }
        let deadline = Deadline::new(context.timeout);
        let sign = Progress::of(context);
        let mut worst = None;
        for account in accounts {
            let error = match self.one(&config, account, deadline, &sign).await {
                Ok(checked) => {
                    context.out.report(&checked)?;
                    checked.error()
                }
                Err(error) => Some(error),
            };
            worst = error.map(|error| worse(worst.take(), error)).or(worst);
        }
        for account in wecoms {
            let error = match self.application(&config, account, deadline, &sign).await {
                Ok(checked) => {
                    context.out.report(&checked)?;
                    checked.error()
                }
                Err(error) => Some(error),
            };
            worst = error.map(|error| worse(worst.take(), error)).or(worst);
        }
        worst.map_or(Ok(()), Err)
    }

    async fn one(&self, config: &Config, account: &Official, deadline: Deadline, sign: &Progress) -> Result<Checked> {
        let mode = self.mode_of(account)?;
        config.tokens_of(account)?;
        let url = match &self.url {
            Some(text) => target::given(text)?,
            None => target::configured(config, account)?,
        };
        sign.of_life(Question::Connection);
        let reached = reach::reach(&url, deadline).await;
        let mut findings = reached.findings;
        if !reached.open.is_empty() {
            let talk = Talk { config, account, mode, url: &url, open: &reached.open, deadline, sign };
            findings.extend(talk.all(self.no_post).await?);
        }
        Ok(Checked { url: target::shown(&url), account: account.name.clone(), mode, findings })
    }

    /// The same of a WeCom application; it knows one mode only.
    async fn application(
        &self,
        config: &Config,
        account: &WeCom,
        deadline: Deadline,
        sign: &Progress,
    ) -> Result<Checked> {
        if self.mode.as_deref().is_some_and(|mode| mode != Mode::Secure.as_str()) {
            return Err(Error::usage(
                say!("WeCom encrypts every push: leave --mode out"; "企业微信的推送都是加密的：请去掉 --mode"),
            ));
        }
        wecom::signable(account)?;
        let url = match &self.url {
            Some(text) => target::given(text)?,
            None => wecom::configured(config, account)?,
        };
        sign.of_life(Question::Connection);
        let reached = reach::reach(&url, deadline).await;
        let mut findings = reached.findings;
        if !reached.open.is_empty() {
            let talk = wecom::Talk { config, account, url: &url, open: &reached.open, deadline, sign };
            findings.extend(talk.all(self.no_post).await?);
        }
        Ok(Checked { url: target::shown(&url), account: account.name.clone(), mode: Mode::Secure, findings })
    }

    /// The mode to play; exit 78 where it needs a key that is not there.
    fn mode_of(&self, account: &Official) -> Result<Mode> {
        let mode = match self.mode.as_deref() {
            Some("plain") => Mode::Plain,
            Some("compat") => Mode::Compat,
            Some(_) => Mode::Secure,
            None => account.mode,
        };
        if mode == Mode::Plain || !account.aes_keys.is_empty() {
            return Ok(mode);
        }
        let (name, word) = (&account.name, mode.as_str());
        Err(Error::config(say!(
            "account {name} has no EncodingAESKey, which {word} mode needs";
            "账号 {name} 没有 EncodingAESKey，而 {word} 模式需要它"
        ))
        .next(say!(
            "set WECHAT_AES_KEY, or aes_key in [official.{name}]; or check with --mode plain";
            "请设置 WECHAT_AES_KEY，或 [official.{name}] 中的 aes_key；或用 --mode plain 检查"
        )))
    }
}

/// Signs of life on a terminal.
struct Progress {
    lang: Lang,
    on: bool,
}

impl Progress {
    fn of(context: &Context) -> Self {
        let out = &context.out;
        Progress { lang: out.lang, on: out.format == Format::Table && !out.quiet && std::io::stderr().is_terminal() }
    }

    fn of_life(&self, question: Question) {
        if self.on {
            let label = question.label();
            spoken();
            eprintln!("{} …", label.in_lang(self.lang));
        }
    }
}
