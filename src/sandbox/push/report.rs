//! What came of the pushes.

use super::deliver::Delivered;
use super::letter::Letter;
use crate::error::{Error, Kind, Lang};
use crate::say;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Pushes listed one by one; the sums hold all.
const LISTED: usize = 1_000;
/// Rows of the table for people.
const ROWS: usize = 40;

/// How a push ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// HTTP 200, empty or `success`.
    Acknowledged,
    /// HTTP 200 with a reply for the person.
    Replied,
    /// HTTP 200 with something else: the person reads that the account is out of service.
    BadReply,
    /// Another status, three times.
    Refused,
    /// No answer within 5 s, three times.
    TimedOut,
    /// No connection, or broken off, three times.
    Unreachable,
}

/// One push.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pushed {
    /// Its kind.
    pub event: String,
    /// Whom it concerns.
    pub openid: String,
    /// It repeats one sent before.
    pub duplicate: bool,
    /// Tries made.
    pub tries: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status of the last try.
    pub status: Option<u16>,
    /// Milliseconds the last try took.
    pub ms: f64,
    /// What the person reads in answer: the text, or what else was sent in square brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

/// All pushes of an order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// Where they went, without query.
    pub to: String,
    /// Pushes sent, duplicates among them.
    pub sent: u64,
    /// Of these, repeated ones.
    pub duplicates: u64,
    /// Deliveries tried.
    pub tries: u64,
    /// Ended with HTTP 200 and an acknowledgement or a sound reply.
    pub acknowledged: u64,
    /// Ended with another status.
    pub refused: u64,
    /// Ended without an answer.
    pub unanswered: u64,
    /// Ended with an answer that people read as "out of service".
    pub bad_replies: u64,
    /// Last tries by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
    /// Half of the acknowledged took no longer (ms).
    pub p50_ms: f64,
    /// 99 of 100 took no longer (ms).
    pub p99_ms: f64,
    /// How long it all took.
    pub seconds: f64,
    /// They were damaged on purpose.
    pub damaged: bool,
    /// The first thousand, one by one.
    pub pushes: Vec<Pushed>,
}

/// Collects results while they come in.
#[derive(Debug, Default)]
pub struct Tally {
    report: Report,
    times: Vec<f64>,
}

impl Tally {
    /// Adds one.
    pub fn add(&mut self, letter: &Letter, duplicate: bool, delivered: &Delivered) {
        let report = &mut self.report;
        let ms = (delivered.took.as_secs_f64() * 10_000.0).round() / 10.0;
        report.sent += 1;
        report.duplicates += u64::from(duplicate);
        report.tries += u64::from(delivered.tries);
        *match delivered.outcome {
            Outcome::Acknowledged | Outcome::Replied => &mut report.acknowledged,
            Outcome::Refused => &mut report.refused,
            Outcome::BadReply => &mut report.bad_replies,
            Outcome::TimedOut | Outcome::Unreachable => &mut report.unanswered,
        } += 1;
        if let Some(status) = delivered.status {
            *report.by_status.entry(status).or_insert(0) += 1;
        }
        if matches!(delivered.outcome, Outcome::Acknowledged | Outcome::Replied) {
            self.times.push(ms);
        }
        if report.pushes.len() < LISTED {
            report.pushes.push(Pushed {
                event: letter.event.to_owned(),
                openid: letter.openid.clone(),
                duplicate,
                tries: delivered.tries,
                outcome: delivered.outcome,
                status: delivered.status,
                ms,
                reply: delivered.reply.clone(),
            });
        }
    }

    /// The sums, for pushes to this address.
    pub fn finish(mut self, to: String, damaged: bool, took: Duration) -> Report {
        self.times.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (self.times.len() as f64 * share).ceil() as usize;
            self.times.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        let (p50_ms, p99_ms) = (at(0.5), at(0.99));
        let seconds = (took.as_secs_f64() * 1000.0).round() / 1000.0;
        Report { to, p50_ms, p99_ms, seconds, damaged, ..self.report }
    }
}

impl Report {
    /// What is wrong with the outcome, for the exit code: sound pushes are acknowledged, damaged ones are not.
    pub fn failure(&self) -> Option<Error> {
        let Report { sent, acknowledged, damaged, .. } = self;
        if *damaged {
            let accepted = *acknowledged > 0;
            return accepted.then(|| {
                Error::failed(say!(
                    "{acknowledged} of {sent} damaged pushes were accepted";
                    "{sent} 条损坏的推送中有 {acknowledged} 条被接受"
                ))
            });
        }
        let missing = sent - acknowledged;
        let kind = if *acknowledged == 0 { Kind::Failed } else { Kind::Partial };
        (missing > 0).then(|| {
            Error::new(
                kind,
                say!("{missing} of {sent} pushes were not acknowledged"; "{sent} 条推送中有 {missing} 条未被确认"),
            )
            .next(say!("the log of serve says why; unreachable: is it running?"; "原因见 serve 的日志；若无法连接，请确认它在运行"))
        })
    }

    /// The outcome as text for people.
    pub fn table(&self, lang: Lang) -> String {
        let Report { to, sent, duplicates, tries, acknowledged, refused, unanswered, bad_replies, .. } = self;
        let Report { p50_ms, p99_ms, seconds, .. } = self;
        let mut lines: Vec<String> = self.pushes.iter().take(ROWS).map(row).collect();
        if self.pushes.len() > ROWS {
            lines.push("…".to_owned());
        }
        let sum = say!(
            "to {to}: {sent} sent ({duplicates} of them duplicates, {tries} deliveries) in {seconds} s: \
             {acknowledged} acknowledged, {refused} refused, {unanswered} unanswered, {bad_replies} bad replies; \
             p50 {p50_ms} ms, p99 {p99_ms} ms";
            "{to}：{seconds} 秒内发送 {sent} 条（重复 {duplicates} 条，共投递 {tries} 次），确认 {acknowledged}，\
             拒绝 {refused}，无应答 {unanswered}，回复无效 {bad_replies}；p50 {p50_ms} 毫秒，p99 {p99_ms} 毫秒"
        );
        lines.push(sum.in_lang(lang).to_owned());
        lines.join("\n")
    }
}

fn row(push: &Pushed) -> String {
    let Pushed { event, openid, duplicate, tries, outcome, status, ms, reply } = push;
    let status = status.map_or("-".to_owned(), |status| status.to_string());
    let outcome = serde_json::to_value(outcome).unwrap_or_default();
    let outcome = outcome.as_str().unwrap_or_default();
    let mark = if *duplicate { " (duplicate)" } else { "" };
    let reply = reply.iter().flat_map(|reply| reply.lines());
    let reply: String = reply.map(|line| format!("\n    {}", harmless(line))).collect();
    format!("{event:<24} {openid:<28} {status:>4} {tries} {ms:>8} ms  {outcome}{mark}{reply}")
}

/// A receiver's words must not move the cursor.
fn harmless(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
