//! Telling people, each thing once: in the log, and through the group robot where there is one.
//!
//! The row in `alarm` is changed before the robot is called: of two processes one calls, and one that dies in between is
//! not repeated. Only an answer that says no, or a connection that never stood, takes the change back. Where the message
//! may have arrived it counts as told: it comes again with the next repetition.

use super::{Finding, Health, Kind};
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
    /// The lines, or with a dry run those that would be.
    pub lines: Vec<Text>,
    /// Why the robot did not take them.
    pub failed: Option<Error>,
}

/// Something to tell: the row as it was read, and what of it; `None`: that it is over.
struct Word<'a> {
    row: Standing,
    kind: Kind,
    finding: Option<&'a Finding>,
}

/// Tells what a look has shown and nobody has told yet. With `dry_run` nothing is written or sent.
pub async fn tell(app: &App, health: &Health, dry_run: bool) -> Result<Told> {
    let findings = health.findings();
    let mut rows = health.standing.clone();
    for finding in &findings {
        if row_of(&rows, finding).is_none() {
            let row = first_seen(finding, health.now_ms);
            if !dry_run {
                app.store.raise_alarm(&row).await?;
            }
            rows.push(row);
        }
    }
    let mut words = Vec::new();
    for row in rows {
        let Some(kind) = Kind::named(&row.kind) else { continue };
        let finding = findings.iter().find(|finding| finding.account == row.account && finding.kind == kind);
        match finding {
            None if row.told_at.is_none() => {
                if !dry_run {
                    app.store.end_alarm(&row).await?;
                }
            }
            _ => words.push(Word { row, kind, finding }),
        }
    }
    words.retain(|word| word.is_due(health.now_ms));
    if dry_run {
        return Ok(Told { lines: words.iter().map(Word::line).collect(), failed: None });
    }
    let mut ours = Vec::new();
    for word in words {
        if word.take(app, health.now_ms).await? {
            word.log();
            ours.push(word);
        }
    }
    let lines: Vec<Text> = ours.iter().map(Word::line).collect();
    let Some(robot) = app.config.alert_webhook.as_ref().filter(|_| !lines.is_empty()) else {
        return Ok(Told { lines, failed: None });
    };
    let failed = send(app, robot, &lines).await.err();
    if let Some(error) = &failed {
        let next = error.next.as_ref().map_or("", |next| next.en.as_str());
        tracing::warn!(%error, next, "the group robot was not told of {} alarms", ours.len());
        if error.kind != ErrorKind::Unknown {
            for word in &ours {
                word.take_back(app, health.now_ms, error).await?;
            }
        }
    }
    Ok(Told { lines, failed })
}

/// One message for all of one look: the robot takes 20 a minute.
async fn send(app: &App, robot: &Robot, lines: &[Text]) -> Result<()> {
    let lang = app.config.lang.unwrap_or_default();
    let lines: Vec<&str> = lines.iter().map(|line| line.in_lang(lang)).collect();
    let mark = match (app.mark(), lang) {
        ("sandbox", Lang::En) => "(sandbox)\n",
        ("sandbox", Lang::Zh) => "（沙箱）\n",
        _ => "",
    };
    webhook::send(&app.client, robot, &format!("{mark}{}", lines.join("\n\n"))).await
}

impl Word<'_> {
    fn is_due(&self, now_ms: i64) -> bool {
        match self.finding {
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
        match self.finding {
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
        match self.finding {
            Some(finding) => app.store.change_alarm(&self.taken(finding, now_ms), &again).await.map(drop),
            None => app.store.raise_alarm(&again).await,
        }
    }

    /// A repeated send is no news for the log.
    fn log(&self) {
        let account = self.row.account.as_str();
        match self.finding {
            _ if self.row.tries > 0 => {}
            Some(Finding { what, next, .. }) => {
                tracing::error!(account, alarm = self.kind.as_str(), next = next.en, "{}", what.en);
            }
            None => tracing::warn!(account, over = self.kind.as_str(), "{}", self.kind.over().en),
        }
    }

    fn line(&self) -> Text {
        match self.finding {
            Some(Finding { of, what, next, .. }) => {
                let (of_en, of_zh, en, zh, next_en, next_zh) = (&of.en, &of.zh, &what.en, &what.zh, &next.en, &next.zh);
                say!("ALARM {of_en}: {en}\n> {next_en}"; "告警 {of_zh}：{zh}\n> {next_zh}")
            }
            None => {
                let (account, over, since) =
                    (&self.row.account, self.kind.over(), time_local(self.row.began_at.timestamp_millis()));
                let (en, zh) = (over.en, over.zh);
                match account.as_str() {
                    super::ALL => say!("OVER wxops: {en} (since {since})"; "恢复 wxops：{zh}（告警始于 {since}）"),
                    _ => say!("OVER {account}: {en} (since {since})"; "恢复 {account}：{zh}（告警始于 {since}）"),
                }
            }
        }
    }
}

fn row_of<'a>(rows: &'a [Standing], finding: &Finding) -> Option<&'a Standing> {
    rows.iter().find(|row| row.account == finding.account && row.kind == finding.kind.as_str())
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
