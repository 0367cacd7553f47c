//! `wxops sandbox push`: signed events to a callback.

use super::client::Sandbox;
use crate::config::Config;
use crate::domain::account::{Access, Official};
use crate::error::{Error, Kind, Lang, Result};
use crate::sandbox::Account;
use crate::sandbox::faults::rate_of;
use crate::sandbox::push::{self, Break, Order, event_names, wecom_event_names};
use crate::say;
use clap::Args;
use reqwest::Url;
use serde::Serialize;

/// Send signed events to a callback, exactly as the platform does
///
/// 5 s limit, three tries. The running sandbox sends them: it knows the
/// callback, and who follows from now on is what its user/info answers.
/// Without a running sandbox, --to sends with the configured account's keys.
#[derive(Debug, Args)]
#[command(before_help = "Example:\n  wxops sandbox push subscribe --count 20 --duplicates 10%")]
pub struct Push {
    /// What to send: a name that `push list` shows, or mix.
    #[arg(value_name = "EVENT")]
    pub event: String,
    /// Where to; default: the callback the sandbox knows.
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// The running sandbox; default: the one the account is configured for.
    #[arg(long, value_name = "URL")]
    pub sandbox: Option<String>,
    /// Which account sends; the command line's global flag.
    #[arg(skip)]
    pub account: Option<String>,
    /// Whom it concerns; default: new people subscribe, followers do the rest.
    #[arg(long, value_name = "OPENID")]
    pub openid: Option<String>,
    /// How it is sent; default: the account's own mode.
    #[arg(long, value_name = "MODE", value_parser = ["plain", "compat", "secure"])]
    pub mode: Option<String>,
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub count: u64,
    /// At most so many a second.
    #[arg(long, value_name = "N", value_parser = positive)]
    pub rate: Option<f64>,
    /// At most so many at once.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub concurrency: usize,
    /// The share that is sent once more, such as 10%.
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = share)]
    pub duplicates: f64,
    /// Set an element, also inside another: SendLocationInfo.Label=x. May be
    /// repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Damage each push on purpose, so that the callback should refuse it:
    /// signature, msg_signature, truncate, appid or key.
    #[arg(long = "break", value_name = "WHAT", hide_possible_values = true)]
    pub damage: Option<Break>,
    /// Show what would be sent where, and send nothing.
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Needed for an address that is not of this machine, and for the keys of
    /// a real account.
    #[arg(short, long)]
    pub yes: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// `push list`.
    List {
        /// Names that can be sent.
        events: Vec<&'static str>,
    },
    /// `--dry-run`.
    Plan {
        /// The kind.
        event: String,
        /// How many.
        count: u64,
        /// Where to.
        to: String,
    },
    /// What was sent.
    Sent(Box<push::Report>),
}

impl Report {
    /// For people.
    pub fn table(&self, lang: Lang) -> String {
        match self {
            Report::List { events } => events.join("\n"),
            Report::Sent(report) => report.table(lang),
            Report::Plan { event, count, to } => {
                say!("would send {count} × {event} to {to}"; "将向 {to} 发送 {count} 条 {event}")
                    .in_lang(lang)
                    .to_owned()
            }
        }
    }

    /// What is wrong with the outcome, for the exit code after the report is printed.
    pub fn failure(&self) -> Option<Error> {
        match self {
            Report::Sent(report) => report.failure(),
            _ => None,
        }
    }
}

#[derive(serde::Deserialize)]
struct State {
    accounts: Vec<Known>,
}

#[derive(serde::Deserialize)]
struct Known {
    name: String,
    callback: Option<String>,
}

/// The configured account that sends where no sandbox runs.
pub struct Configured {
    access: Access,
    account: Account,
}

impl Configured {
    /// The one that is named; else the Official Account, or for a callback of WeCom the first application that has one.
    pub fn of(config: &Config, to: Option<&str>) -> Option<Configured> {
        let named = config.account.as_deref();
        let wecom = match named {
            Some(name) => config.wecoms.iter().find(|wecom| wecom.name == name),
            None if to.is_some_and(push::is_wecom) => config.wecoms.iter().find(|wecom| wecom.receives()),
            None => None,
        };
        if let Some(wecom) = wecom {
            return Some(Configured { access: wecom.access.clone(), account: Account::of_wecom(wecom) });
        }
        config.official(None).ok().map(Configured::from)
    }

    /// Where its sandbox would be.
    pub fn sandbox(&self) -> String {
        super::client::at(&self.access.api_base)
    }
}

impl From<&Official> for Configured {
    fn from(official: &Official) -> Self {
        Configured { access: official.access.clone(), account: Account::of(official) }
    }
}

impl Push {
    /// Asks the running sandbox; where none runs and `--to` is given, sends with `configured`'s keys.
    ///
    /// # Errors
    /// Usage for an order that can't be carried out or lacks `--yes`; unavailable where no sandbox runs.
    pub async fn run(self, configured: Option<&Configured>) -> Result<Report> {
        if self.event == "list" {
            let wecom = configured.is_some_and(|configured| configured.account.is_wecom());
            let events = if wecom { wecom_event_names().collect() } else { event_names().collect() };
            return Ok(Report::List { events });
        }
        push::check_name(&self.event)?;
        let sandbox = Sandbox::at(self.sandbox.as_deref())?;
        if self.dry_run {
            return self.plan(&sandbox).await;
        }
        match sandbox.post::<push::Report>("/sandbox/push", &self.order()).await {
            Ok(report) => Ok(Report::Sent(Box::new(report))),
            Err(error) if error.kind == Kind::Unavailable && self.to.is_some() => match configured {
                Some(configured) => self.with_keys_of(configured).await,
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    async fn with_keys_of(&self, Configured { access, account }: &Configured) -> Result<Report> {
        let real = !Url::parse(&access.api_base).is_ok_and(|url| push::is_loopback(&url));
        if real && !self.yes {
            let name = &access.name;
            return Err(Error::usage(say!(
                "no sandbox is running, and {name} is a real account";
                "没有运行中的沙箱，而 {name} 是真实账号"
            ))
            .next(say!("add --yes to sign with its keys, or start wxops sandbox run"; "加 --yes 用它的密钥签名，或启动 wxops sandbox run")));
        }
        let report = push::in_process(account.clone(), self.order()).await?;
        Ok(Report::Sent(Box::new(report)))
    }

    async fn plan(self, sandbox: &Sandbox) -> Result<Report> {
        let to = match self.to {
            Some(to) => to,
            None => {
                let state: State = sandbox.get("/sandbox/state").await?;
                let wanted = |known: &Known| self.account.as_ref().is_none_or(|name| known.name == *name);
                let known = state.accounts.into_iter().find(wanted);
                known.and_then(|known| known.callback).unwrap_or_else(|| "-".to_owned())
            }
        };
        Ok(Report::Plan { event: self.event, count: self.count, to })
    }

    fn order(&self) -> Order {
        Order {
            event: self.event.clone(),
            to: self.to.clone(),
            account: self.account.clone(),
            openid: self.openid.clone(),
            mode: self.mode.clone(),
            count: self.count,
            rate: self.rate,
            concurrency: self.concurrency,
            duplicates: self.duplicates,
            set: self.set.clone(),
            damage: self.damage,
            yes: self.yes,
        }
    }
}

fn share(text: &str) -> Result<f64> {
    rate_of(text)
        .ok_or_else(|| Error::usage(say!("not a share"; "不是比例")).next(say!("write 10% or 0.1"; "请写 10% 或 0.1")))
}

fn positive(text: &str) -> Result<f64> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && number.is_finite());
    number.ok_or_else(|| Error::usage(say!("it must be a number above 0"; "应为大于 0 的数")))
}

fn pair(text: &str) -> Result<(String, String)> {
    let (key, value) =
        text.split_once('=').ok_or_else(|| Error::usage(say!("it must be KEY=VALUE"; "应为 KEY=VALUE")))?;
    Ok((key.to_owned(), value.to_owned()))
}
