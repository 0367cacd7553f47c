//! Telling people, each thing once: when it begins, and when it is over. The row in `alarm` is taken before the robot is
//! called, for [`AGAIN_MS`] at least, so that of several processes one calls. It is settled when the robot has answered.
//! Where no answer came the message may have arrived, and so it may where the process died meanwhile: one possible
//! duplicate is better than a loss (WeCom reference 7.5), so it is told once more, and then counts as told.

use super::{ALL, Finding, Health, Kind};
use crate::app::App;
use crate::config::Config;
use crate::domain::robot::Robot;
use crate::error::{Error, Kind as ErrorKind, Lang, Result, Text};
use crate::platform::wecom::webhook;
use crate::report::time_local;
use crate::say;
use crate::store::Standing;
use chrono::{DateTime, Utc};

/// What has grown is told again after this time.
const GROWN_MS: i64 = 3_600_000;
/// How long a process has the right to tell, and the wait after a failed send; doubled each time.
const AGAIN_MS: i64 = 60_000;
/// The longest of those waits, and the wait where only a person can help.
const AGAIN_MAX_MS: i64 = 3_600_000;
/// When what was told is due again.
const NEVER: i64 = i64::MAX;
/// Between two words of one message.
const BETWEEN: &str = "\n\n";

/// What was told.
#[derive(Debug, Default)]
pub struct Told {
    /// What there was to tell and no other process has told.
    pub words: Vec<Word>,
    /// Why the group robot did not take it; [`ErrorKind::Unknown`]: it may have.
    pub failed: Option<Error>,
}

/// Something to tell: an alarm, or that one is over.
#[derive(Debug, Clone)]
pub struct Word {
    /// What is wrong; `None`: it is over.
    pub finding: Option<Finding>,
    /// What it is.
    pub kind: Kind,
    /// The row as it was read; once taken, as it was written.
    row: Standing,
}

/// What follows from a look.
#[derive(Default)]
struct Plan {
    /// Seen for the first time.
    new: Vec<Standing>,
    /// Over before anybody was told.
    passed: Vec<Standing>,
    /// To be told now.
    words: Vec<Word>,
}

/// What [`tell`] would tell; nothing is written or sent.
pub fn to_tell(health: &Health) -> Vec<Word> {
    plan(health).words
}

/// Tells what a look has shown and nobody has told yet, through the group robot where there is one.
pub async fn tell(app: &App, config: &Config, health: &Health) -> Result<Told> {
    let plan = plan(health);
    for row in &plan.new {
        app.store.raise_alarm(row).await?;
    }
    for row in &plan.passed {
        app.store.end_alarm(row).await?;
    }
    let lang = config.lang.unwrap_or_default();
    let mut words = Vec::new();
    for word in fitting(plan.words, lang) {
        if let Some(word) = word.take(app, health.now_ms).await? {
            words.push(word);
        }
    }
    let failed = match &config.alert_webhook {
        Some(robot) if !words.is_empty() => send(app, robot, &words, lang).await.err(),
        _ => None,
    };
    for word in &words {
        word.settle(app, health.now_ms, failed.as_ref().map(|error| error.kind)).await?;
    }
    Ok(Told { words, failed })
}

/// What of it one message holds; the rest is due at the next look.
fn fitting(mut words: Vec<Word>, lang: Lang) -> Vec<Word> {
    let mut bytes = sandbox(lang).len();
    let fit = words.iter().take_while(|word| {
        bytes += word.text().in_lang(lang).len() + BETWEEN.len();
        bytes <= webhook::MOST
    });
    let fit = fit.count().max(1);
    words.truncate(fit);
    words
}

fn plan(health: &Health) -> Plan {
    let findings = health.findings();
    let same = |row: &Standing, finding: &Finding| row.account == finding.account && row.kind == finding.kind.as_str();
    let unseen = findings.iter().filter(|finding| !health.standing.iter().any(|row| same(row, finding)));
    let mut plan = Plan { new: unseen.map(|finding| first_seen(finding, health.now_ms)).collect(), ..Plan::default() };
    for row in health.standing.iter().chain(&plan.new) {
        // A later wxops may have raised what this one does not know.
        let Some(kind) = Kind::named(&row.kind) else { continue };
        let finding = findings.iter().find(|finding| same(row, finding)).cloned();
        match &finding {
            None if !health.knows(kind, &row.account) => {}
            None if row.told_at.is_none() => plan.passed.push(row.clone()),
            _ => plan.words.push(Word { finding, kind, row: row.clone() }),
        }
    }
    plan.words.retain(|word| word.is_due(health.now_ms));
    plan
}

/// One message for all of one look: the robot takes 20 a minute.
async fn send(app: &App, robot: &Robot, words: &[Word], lang: Lang) -> Result<()> {
    let lines: Vec<String> = words.iter().map(|word| word.text().in_lang(lang).to_owned()).collect();
    let mark = if app.mark() == "sandbox" { sandbox(lang) } else { "" };
    webhook::send(&app.client, robot, &format!("{mark}{}", lines.join(BETWEEN))).await
}

/// Nobody shall run for an alarm of invented people.
fn sandbox(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "(sandbox)\n",
        Lang::Zh => "（沙箱）\n",
    }
}

impl Word {
    /// The account's name; `*` for the whole installation.
    pub fn account(&self) -> &str {
        &self.row.account
    }

    /// Whether it was tried before, and nobody knows that it was told.
    pub fn is_retry(&self) -> bool {
        self.row.tries > 1
    }

    /// For people: what, and what to do.
    pub fn text(&self) -> Text {
        match &self.finding {
            Some(Finding { of, what, next, .. }) => {
                let (of_en, of_zh, en, zh, next_en, next_zh) = (&of.en, &of.zh, &what.en, &what.zh, &next.en, &next.zh);
                say!("ALARM {of_en}: {en}\n> {next_en}"; "告警 {of_zh}：{zh}\n> {next_zh}")
            }
            None => {
                let account = if self.row.account == ALL { "wxops" } else { &self.row.account };
                let (over, since) = (self.kind.over(), time_local(self.row.began_at.timestamp_millis()));
                let (en, zh) = (over.en, over.zh);
                say!("OVER {account}: {en} (alarm since {since})"; "恢复 {account}：{zh}（告警始于 {since}）")
            }
        }
    }

    fn is_due(&self, now_ms: i64) -> bool {
        let untried = self.row.tries == 0;
        let news = match &self.finding {
            Some(finding) => {
                let told = self.row.told_at.map(|time| time.timestamp_millis());
                finding.size > self.row.size && told.is_some_and(|told| told <= now_ms - GROWN_MS)
            }
            None => true,
        };
        self.row.due_at <= now_ms || (untried && news)
    }

    /// The right to tell it, for a while: one process of all gets it.
    async fn take(self, app: &App, now_ms: i64) -> Result<Option<Word>> {
        let wait = (AGAIN_MS << self.row.tries.clamp(0, 10)).min(AGAIN_MAX_MS);
        let row = Standing { due_at: now_ms + wait, tries: self.row.tries + 1, ..self.row.clone() };
        let taken = app.store.change_alarm(&self.row, &row).await?;
        Ok(taken.then_some(Word { row, ..self }))
    }

    /// After the send. A row that another process has changed meanwhile stays as that one left it.
    async fn settle(&self, app: &App, now_ms: i64, failed: Option<ErrorKind>) -> Result<()> {
        let (told_at, size) = (Some(time(now_ms)), self.finding.as_ref().map_or(0, |finding| finding.size));
        let after = match failed {
            Some(ErrorKind::Unknown) if !self.is_retry() => Standing { told_at, ..self.row.clone() },
            None | Some(ErrorKind::Unknown) => Standing { told_at, size, due_at: NEVER, tries: 0, ..self.row.clone() },
            Some(ErrorKind::Refused | ErrorKind::Config) => {
                Standing { due_at: now_ms + AGAIN_MAX_MS, ..self.row.clone() }
            }
            Some(_) => return Ok(()),
        };
        match &self.finding {
            None if after.due_at == NEVER => app.store.end_alarm(&self.row).await.map(drop),
            _ => app.store.change_alarm(&self.row, &after).await.map(drop),
        }
    }
}

fn first_seen(finding: &Finding, now_ms: i64) -> Standing {
    Standing {
        account: finding.account.clone(),
        kind: finding.kind.as_str().to_owned(),
        began_at: time(now_ms),
        told_at: None,
        due_at: now_ms + finding.patience_ms,
        size: 0,
        tries: 0,
    }
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
