//! Telling people, each thing once. The row in `alarm` is changed before the robot is called: of two processes one
//! calls, and one that dies in between is not repeated. Only an answer that says no, or a connection that never stood,
//! takes the change back. Where the message may have arrived it counts as told: it comes again with the next repetition.

use super::{ALL, Finding, Health, Kind};
use crate::app::App;
use crate::domain::robot::Robot;
use crate::error::{Error, Kind as ErrorKind, Lang, Result, Text};
use crate::platform::wecom::webhook;
use crate::report::time_local;
use crate::say;
use crate::store::Standing;
use chrono::{DateTime, Utc};

/// What stands is told again so often.
const REPEAT_MS: i64 = 12 * 3_600_000;
/// What has grown is told again after this time.
const GROWN_MS: i64 = 3_600_000;
/// After a failed send; doubled each time.
const AGAIN_MS: i64 = 60_000;
/// The longest of those waits, and the wait where only a person can help.
const AGAIN_MAX_MS: i64 = 3_600_000;

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
    /// The row as it was read.
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
pub async fn tell(app: &App, health: &Health) -> Result<Told> {
    let plan = plan(health);
    for row in &plan.new {
        app.store.raise_alarm(row).await?;
    }
    for row in &plan.passed {
        app.store.end_alarm(row).await?;
    }
    let mut words = Vec::new();
    for word in plan.words {
        if word.take(app, health.now_ms).await? {
            words.push(word);
        }
    }
    let Some(robot) = app.config.alert_webhook.as_ref().filter(|_| !words.is_empty()) else {
        return Ok(Told { words, failed: None });
    };
    let failed = send(app, robot, &words).await.err();
    if let Some(error) = failed.as_ref().filter(|error| error.kind != ErrorKind::Unknown) {
        for word in &words {
            word.take_back(app, health.now_ms, error).await?;
        }
    }
    Ok(Told { words, failed })
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
            None if row.told_at.is_none() => plan.passed.push(row.clone()),
            _ => plan.words.push(Word { finding, kind, row: row.clone() }),
        }
    }
    plan.words.retain(|word| word.is_due(health.now_ms));
    plan
}

/// One message for all of one look: the robot takes 20 a minute.
async fn send(app: &App, robot: &Robot, words: &[Word]) -> Result<()> {
    let lang = app.config.lang.unwrap_or_default();
    let lines: Vec<String> = words.iter().map(|word| word.text().in_lang(lang).to_owned()).collect();
    let mark = match (app.mark(), lang) {
        ("sandbox", Lang::En) => "(sandbox)\n",
        ("sandbox", Lang::Zh) => "（沙箱）\n",
        _ => "",
    };
    webhook::send(&app.client, robot, &format!("{mark}{}", lines.join("\n\n"))).await
}

impl Word {
    /// The account's name; `*` for the whole installation.
    pub fn account(&self) -> &str {
        &self.row.account
    }

    /// Whether it was tried before, and the robot did not take it.
    pub fn is_retry(&self) -> bool {
        self.row.tries > 0
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
        match &self.finding {
            Some(finding) => {
                let told = self.row.told_at.map(|time| time.timestamp_millis());
                let grown = finding.size > self.row.size && told.is_some_and(|told| told <= now_ms - GROWN_MS);
                self.row.due_at <= now_ms || grown
            }
            None => self.row.tries == 0 || self.row.due_at <= now_ms,
        }
    }

    /// The right to tell it: one process of all gets it.
    async fn take(&self, app: &App, now_ms: i64) -> Result<bool> {
        match &self.finding {
            Some(finding) => app.store.change_alarm(&self.row, &self.taken(finding, now_ms)).await,
            None => app.store.end_alarm(&self.row).await,
        }
    }

    fn taken(&self, finding: &Finding, now_ms: i64) -> Standing {
        let told_at = Some(time(now_ms));
        Standing { told_at, due_at: now_ms + REPEAT_MS, size: finding.size, tries: 0, ..self.row.clone() }
    }

    /// The send failed: as if nobody had been told, and again after a while.
    async fn take_back(&self, app: &App, now_ms: i64, error: &Error) -> Result<()> {
        let wait = match error.kind {
            ErrorKind::Refused | ErrorKind::Config => AGAIN_MAX_MS,
            _ => (AGAIN_MS << self.row.tries.clamp(0, 10)).min(AGAIN_MAX_MS),
        };
        let again = Standing { due_at: now_ms + wait, tries: self.row.tries + 1, ..self.row.clone() };
        match &self.finding {
            Some(finding) => app.store.change_alarm(&self.taken(finding, now_ms), &again).await.map(drop),
            None => app.store.raise_alarm(&again).await,
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
