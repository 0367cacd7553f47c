//! `wxops status`: one screen, and an exit status that monitoring can use.

mod json;
mod refused;
mod screen;

use crate::alarm::{Finding, Health, Told, Word, tell, to_tell};
use crate::app::App;
use crate::commands::{Context, account_filter};
use crate::config::Config;
use crate::error::{Error, Kind, Lang, Result, Text};
use crate::report::Report;
use crate::say;
use crate::store::{Dialect, Profiles, Store, StoredToken};
use std::collections::BTreeMap;

/// A database larger than this is warned of, bytes.
const LARGE: i64 = 10_000_000_000;
/// A callback kept for longer than this is warned of, milliseconds.
const OLD_MS: i64 = 90 * 86_400_000;

/// One screen: callbacks, inbox, tokens, what is paused, jobs, the database
///
/// Exit 1 where there is an alarm: an account is silent for longer than usual
/// at this hour, callbacks could not be handled, no call of WeChat's API goes
/// through, a job failed or no longer runs, notifications of members are not
/// sent or were given up, serve died. Exit 69 where the database is away.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops status\n  wxops -q status --notify")]
pub struct Status {
    /// Tell the group robot (WXOPS_ALERT_WEBHOOK) of what serve has not told;
    /// for cron, where serve itself may be dead
    #[arg(long)]
    notify: bool,
    /// With --notify: say what the robot would be told, send nothing
    #[arg(short = 'n', long, requires = "notify")]
    dry_run: bool,
}

/// Everything on the screen.
struct Facts {
    health: Health,
    alarms: Vec<Finding>,
    refused: Option<BTreeMap<String, u64>>,
    profiles: Profiles,
    tokens: Vec<(String, StoredToken)>,
    database: Database,
    /// Accounts whose API is not the platform's own, and where it is.
    elsewhere: Vec<(String, String)>,
    sandbox: bool,
    /// With `--notify`: what the robot was told, or would be.
    told: Option<Vec<Text>>,
    dry_run: bool,
    /// Which account is shown; `None`: all.
    account: Option<String>,
}

struct Database {
    kind: &'static str,
    name: String,
    bytes: i64,
    oldest: Option<i64>,
    warnings: Vec<Text>,
}

impl Status {
    pub(crate) async fn run(self, context: &mut Context) -> Result<()> {
        let mut config = context.config()?.clone();
        config.lang = Some(context.out.lang);
        config.check_use()?;
        if self.notify && config.alert_webhook.is_none() {
            return Err(Error::config(say!(
                "--notify: WXOPS_ALERT_WEBHOOK is not set";
                "--notify：没有设置 WXOPS_ALERT_WEBHOOK"
            ))
            .next(say!(
                "set it, or alert_webhook in the file, to the webhook of a WeCom group robot";
                "请将其（或文件中的 alert_webhook）设为企业微信群机器人的 Webhook 地址"
            )));
        }
        let app = App::open(config).await?;
        let mut facts = Facts::gather(&app, account_filter(&app.config)?).await?;
        let mut told = Told::default();
        if self.notify {
            told = match self.dry_run {
                true => Told { words: to_tell(&facts.health), failed: None },
                false => tell(&app, &app.config, &facts.health).await?,
            };
            facts.told = Some(told.words.iter().map(Word::text).collect());
            facts.dry_run = self.dry_run;
            context.out.report(&facts)?;
        } else {
            context.out.show(&facts)?;
        }
        end(&facts, told.failed)
    }
}

/// The exit code: the first present of 77, 1 and 69. A message that may have arrived is no failure.
fn end(facts: &Facts, robot: Option<Error>) -> Result<()> {
    let alarm = facts.alarms.first().map(|first| alarm(first, &facts.alarms));
    let robot = robot.filter(|error| error.kind != Kind::Unknown);
    match (alarm, robot) {
        (Some(alarm), Some(robot)) if robot.kind == Kind::Unavailable => {
            tracing::error!(error = %robot, "the group robot was not told");
            Err(alarm)
        }
        (_, Some(robot)) => Err(robot),
        (Some(alarm), None) => Err(alarm),
        (None, None) => Ok(()),
    }
}

fn alarm(first: &Finding, all: &[Finding]) -> Error {
    let lines = |lang: Lang, colon: &str| {
        let line = |finding: &Finding| format!("{}{colon}{}", finding.of.in_lang(lang), finding.what.in_lang(lang));
        all.iter().map(line).collect::<Vec<_>>()
    };
    let (en, zh) = (lines(Lang::En, ": ").join("; "), lines(Lang::Zh, "：").join("；"));
    Error::failed(say!("ALARM {en}"; "告警 {zh}")).next(first.next.clone())
}

impl Facts {
    async fn gather(app: &App, account: Option<String>) -> Result<Facts> {
        let shown = |name: &str| account.as_deref().is_none_or(|only| only == name);
        let health = Health::look(app, &app.config, true).await?;
        let findings = health.findings().into_iter();
        let alarms = findings.filter(|finding| finding.is_of_all() || shown(&finding.account));
        let alarms = alarms.filter(|finding| finding.alarm(&health)).collect();
        let tokens = health.tokens.iter().filter(|token| shown(&token.account));
        let tokens = tokens.map(|token| (token.account.clone(), token.stored.clone())).collect();
        let elsewhere = app.config.accesses().filter(|account| shown(&account.name) && !account.at_the_platform());
        Ok(Facts {
            alarms,
            refused: refused::ask(app.config.metrics_listen).await,
            profiles: app.store.profiles(account.as_deref()).await?,
            tokens,
            database: Database::look(&app.config, &app.store, health.now_ms).await?,
            elsewhere: elsewhere.map(|account| (account.name.clone(), account.api_base.clone())).collect(),
            sandbox: app.mark() == "sandbox",
            health,
            told: None,
            dry_run: false,
            account,
        })
    }

    fn alarm_of(&self, kind: crate::alarm::Kind, account: &str) -> bool {
        self.alarms.iter().any(|finding| finding.kind == kind && (finding.is_of_all() || finding.account == account))
    }

    fn shows(&self, account: &str) -> bool {
        self.account.as_deref().is_none_or(|only| only == account)
    }
}

impl Database {
    async fn look(config: &Config, store: &Store, now_ms: i64) -> Result<Database> {
        let (kind, name) = match store.dialect() {
            Dialect::Sqlite => ("sqlite", store.file().map(|file| file.display().to_string()).unwrap_or_default()),
            Dialect::MySql => ("mysql", server(config.database_url.reveal())),
        };
        let bytes = store.size().await?;
        let oldest = store.oldest_callback().await?.map(|time| time.timestamp_millis());
        let mut warnings = Vec::new();
        if bytes > LARGE {
            warnings.push(say!("the database has over 10 GB"; "数据库已超过 10 GB"));
        }
        if oldest.is_some_and(|oldest| now_ms - oldest > OLD_MS) {
            warnings.push(say!("callbacks are kept for over 90 days"; "回调已保留超过 90 天"));
        }
        Ok(Database { kind, name, bytes, oldest, warnings })
    }
}

/// Host, port and database of a `mysql://` URL, without user and password.
fn server(url: &str) -> String {
    let Ok(url) = reqwest::Url::parse(url) else { return String::new() };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

impl Report for Facts {
    fn json(&self) -> serde_json::Value {
        json::of(self)
    }

    fn text(&self, lang: Lang) -> String {
        screen::of(self, lang)
    }
}
