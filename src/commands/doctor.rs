//! `wxops doctor`: what an on-call engineer would look at, side by side, each with its own limit.

mod callback;
mod configuration;
mod database;
mod finding;
mod hooks;
mod inbox;
mod origins;
mod platform;
mod queue;
mod redis;
mod server;
mod spool;

use super::Context;
use crate::config::Config;
use crate::domain::account::{Access, Official, WeCom};
use crate::error::{Error, Kind, Result};
use crate::platform::http::{Client, Limits};
use crate::say;
use crate::store::Store;
use callback::Door;
use finding::{Check, Examined, Finding};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A check that has not ended by then has failed; all together end within 10 s.
const LIMIT: Duration = Duration::from_secs(8);
/// So long the others wait for the database; its own check says what is wrong with it.
const DATABASE: Duration = Duration::from_secs(4);
/// What one call of the platform may take: a check makes two, one after the other.
const CALL: Duration = Duration::from_millis(3500);
const CONNECT: Duration = Duration::from_secs(3);
/// Answers are small.
const REPLY: usize = 64 * 1024;

/// Of several failures this decides how the command ends.
const GRAVEST: [Kind; 4] = [Kind::Config, Kind::Refused, Kind::Failed, Kind::Unavailable];

/// Check everything an on-call engineer would, and name the mend
///
/// Changes nothing, forces no token, ends within 10 s. Exit 0 where nothing
/// failed (a warning is no failure), else the code of the gravest failure.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops doctor --json")]
pub struct Doctor {
    /// Show every setting, its value (no secrets) and where it came from
    #[arg(long)]
    origins: bool,
}

/// What the checks work with.
struct Patient {
    config: Config,
    /// The accounts that are looked at.
    accounts: Vec<Official>,
    client: Client,
    began: Instant,
    /// `None` until it is known whether the database can be opened.
    store: watch::Receiver<Option<Option<Store>>>,
}

impl Patient {
    fn now_ms(&self) -> i64 {
        self.config.clock.now_ms()
    }

    /// The database, once it is known whether there is one.
    async fn store(&self) -> Option<Store> {
        let mut store = self.store.clone();
        let opened = tokio::time::timeout_at(self.began + DATABASE, store.wait_for(Option::is_some)).await;
        opened.ok()?.ok().and_then(|store| store.clone().flatten())
    }
}

impl Doctor {
    /// The verb.
    pub async fn run(self, context: &mut Context) -> Result<()> {
        if self.origins {
            let config = context.config()?.clone();
            return origins::show(context, &config);
        }
        context.out.note(&say!("checking, 10 s at the most"; "正在检查，最多 10 秒"));
        let examined = Examined(match context.config().and_then(|config| Ok((config.clone(), accounts(config)?))) {
            Ok((config, accounts)) => {
                let mut findings = configuration::check(&config, &context.sources);
                findings.extend(examine(config, accounts).await);
                findings
            }
            Err(error) if error.kind == Kind::Usage => return Err(error),
            Err(error) => vec![Finding::fail(Check::Configuration, None, error)],
        });
        match examined.gravest() {
            None => context.out.report(&examined),
            Some(kind) => {
                context.out.show(&examined)?;
                Err(failed(&examined, kind))
            }
        }
    }
}

/// The account that was named, else all.
fn accounts(config: &Config) -> Result<(Vec<Official>, Vec<Access>)> {
    match config.account.as_deref() {
        None | Some("all") => Ok((config.officials.clone(), config.apps().cloned().collect())),
        Some(name) => match config.apps().find(|app| app.name == name) {
            Some(app) => Ok((Vec::new(), vec![app.clone()])),
            None => Ok((vec![config.official(None)?.clone()], Vec::new())),
        },
    }
}

/// Where the callbacks of these accounts should arrive.
fn doors(config: &Config, accounts: &[Official], apps: &[Access]) -> Vec<Door> {
    let official = |account: &Official| Door::official(account, config.is_default(account));
    let ours = |wecom: &&WeCom| wecom.receives() && apps.iter().any(|app| app.name == wecom.name);
    let wecoms = config.wecoms.iter().filter(ours).map(|wecom| Door::wecom(wecom, config.wecom_path(wecom)));
    accounts.iter().map(official).chain(wecoms).collect()
}

fn failed(examined: &Examined, kind: Kind) -> Error {
    let (failed, all) = (examined.failures(), examined.0.len());
    Error::new(kind, say!("{failed} of {all} checks failed"; "{all} 项检查中有 {failed} 项失败"))
        .next(say!("mend them, then run wxops doctor again"; "处理之后再次运行 wxops doctor"))
}

/// Every check at once; what they found, in the order of the list.
async fn examine(config: Config, (accounts, apps): (Vec<Official>, Vec<Access>)) -> Vec<Finding> {
    let (opened, store) = watch::channel(None);
    let limits = Limits { connect: CONNECT, call: CALL, reply: REPLY };
    let client = Client::new(limits, config.clock.clone());
    let doors = doors(&config, &accounts, &apps);
    let patient = Arc::new(Patient { config, accounts, client, began: Instant::now(), store });
    let mut checks = vec![
        (Check::Serve, None, tokio::spawn(server::check(patient.clone()))),
        (Check::Database, None, tokio::spawn(database::check(patient.clone(), opened))),
        (Check::Inbox, None, tokio::spawn(inbox::check(patient.clone()))),
        (Check::Spool, None, tokio::spawn(spool::check(patient.clone()))),
        (Check::Redis, None, tokio::spawn(redis::check(patient.clone()))),
        (Check::Hooks, None, tokio::spawn(hooks::check(patient.clone()))),
        (Check::Queue, None, tokio::spawn(queue::check(patient.clone()))),
    ];
    for app in apps {
        let (name, one) = (Some(app.name.clone()), patient.clone());
        checks.push((Check::Credentials, name, tokio::spawn(async move { platform::check(&one, &app).await })));
    }
    for account in &patient.accounts {
        let name = Some(account.name.clone());
        let (ours, one) = (account.clone(), patient.clone());
        checks.push((Check::Credentials, name, tokio::spawn(async move { platform::check(&one, &ours).await })));
    }
    for door in doors {
        let (name, one) = (Some(door.account.clone()), patient.clone());
        checks.push((Check::Callback, name, tokio::spawn(async move { callback::check(&one, &door).await })));
    }
    let began = patient.began;
    checks.push((Check::Clock, None, tokio::spawn(platform::clock(patient))));

    let mut findings = Vec::new();
    for (check, account, task) in checks {
        match tokio::time::timeout_at(began + LIMIT, task).await {
            Ok(Ok(found)) => findings.extend(found),
            _ => findings.push(Finding::fail(check, account.as_deref(), late())),
        }
    }
    findings
}

fn late() -> Error {
    let seconds = LIMIT.as_secs();
    Error::unavailable(say!("no result within {seconds} s"; "{seconds} 秒内没有结果"))
}
