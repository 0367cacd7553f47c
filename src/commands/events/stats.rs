//! `wxops events stats`: what came in, in figures.

mod keys;

use crate::app::App;
use crate::commands::answers::{Answers, metrics_address};
use crate::commands::{Context, Since, account_filter, time_json, time_local};
use crate::error::{Lang, Result, Text};
use crate::report::{Report, table};
use crate::say;
use crate::store::Tally;
use keys::KeyRow;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;

const HOUR: i64 = 3600;
/// When WeChat hangs up, and the last bound of the histogram of answers.
const PATIENCE_S: f64 = 5.0;

/// Count events by kind, hour, outcome, account or menu key
///
/// Beside the counts: how long WeChat's callbacks take to arrive, and how fast
/// the running serve answers them.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops events stats --since 7d --by hour")]
pub struct Stats {
    /// Only what came since: 2h, 3d, 2026-11-01 or RFC 3339
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, default_value = "24h")]
    since: Since,
    /// What a row stands for
    #[arg(long, value_enum, default_value_t = By::Kind, value_name = "WHAT")]
    by: By,
}

/// What a row of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Kind,
    Hour,
    Outcome,
    Account,
    Key,
}

/// Events of a row by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    done: i64,
    new: i64,
    dead: i64,
}

struct Counted {
    since: i64,
    until: i64,
    account: Option<String>,
    by: By,
    total: Counts,
    /// By their name, or the hour's beginning in seconds; in the order they are shown.
    rows: Vec<(String, Counts)>,
    /// In place of them, by menu key.
    keys: Vec<KeyRow>,
    /// Seconds from CreateTime to the receipt: p50 and p99.
    delay: Option<(i64, i64)>,
    answers: Option<Answers>,
    asked: SocketAddr,
}

impl Stats {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let account = account_filter(&app.config)?;
        let (since, until) = (self.since.at(app.now_ms()), app.now_ms());
        let asked = metrics_address(&app.config);
        let (tallies, answers) = tokio::join!(app.store.inbox_tally(account.as_deref(), since), Answers::ask(asked));
        let tallies = tallies?;
        let mut total = Counts::default();
        tallies.iter().for_each(|tally| total.add(tally));
        let rows = rows(&tallies, self.by, until / 1000);
        let delay = delay(&tallies);
        let keys = match self.by {
            By::Key => keys::keys(&app.store, account.as_deref(), since).await?,
            _ => Vec::new(),
        };
        let since = since.timestamp_millis();
        context.out.show(&Counted { since, until, account, by: self.by, total, rows, keys, delay, answers, asked })
    }
}

impl Counts {
    fn add(&mut self, tally: &Tally) {
        match tally.state.as_str() {
            "done" => self.done += tally.events,
            "dead" => self.dead += tally.events,
            _ => self.new += tally.events,
        }
    }

    fn events(self) -> i64 {
        self.done + self.new + self.dead
    }
}

/// Kinds by their number, hours and accounts in their order.
fn rows(tallies: &[Tally], by: By, until: i64) -> Vec<(String, Counts)> {
    let mut rows: BTreeMap<String, Counts> = BTreeMap::new();
    if by == By::Hour {
        // An hour in which nothing came is what one looks for.
        let first = tallies.iter().map(|tally| tally.hour).min().unwrap_or(until + 1);
        rows.extend((first..=until).step_by(HOUR as usize).map(|hour| (hour_key(hour), Counts::default())));
    }
    let tallies = tallies.iter().filter(|_| by != By::Key);
    for tally in tallies {
        let key = match by {
            By::Kind => tally.kind.clone(),
            By::Hour => hour_key(tally.hour),
            By::Outcome => tally.state.clone(),
            By::Account | By::Key => tally.account.clone(),
        };
        rows.entry(key).or_default().add(tally);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    if matches!(by, By::Kind | By::Outcome) {
        rows.sort_by_key(|(_, counts)| -counts.events());
    }
    rows
}

/// Text whose order is that of time.
fn hour_key(hour: i64) -> String {
    time_json(hour * 1000)
}

/// The delays that half and 99 of 100 events did not pass.
fn delay(tallies: &[Tally]) -> Option<(i64, i64)> {
    let mut delays: BTreeMap<i64, i64> = BTreeMap::new();
    tallies.iter().for_each(|tally| *delays.entry(tally.delay).or_default() += tally.events);
    let all: i64 = delays.values().sum();
    let quantile = |part: f64| {
        let mut seen = 0;
        let rank = (part * all as f64).ceil() as i64;
        delays.iter().find(|(_, events)| {
            seen += **events;
            seen >= rank
        })
    };
    Some((*quantile(0.5)?.0, *quantile(0.99)?.0))
}

impl Counted {
    fn row_json(&self, name: &str, counts: Counts) -> Value {
        let events = counts.events();
        let Counts { done, new, dead } = counts;
        match self.by {
            By::Kind => json!({ "kind": name, "events": events, "done": done, "new": new, "dead": dead }),
            By::Hour => json!({ "hour": name, "events": events, "done": done, "new": new, "dead": dead }),
            By::Account | By::Key => {
                json!({ "account": name, "events": events, "done": done, "new": new, "dead": dead })
            }
            By::Outcome => json!({ "outcome": name, "events": events }),
        }
    }

    fn table(&self, lang: Lang) -> String {
        let [events, done, new, dead] = match lang {
            Lang::En => ["EVENTS", "DONE", "NEW", "DEAD"],
            Lang::Zh => ["事件数", "DONE", "NEW", "DEAD"],
        };
        let first = match self.by {
            By::Kind => say!("KIND"; "类型"),
            By::Hour => say!("HOUR"; "小时"),
            By::Outcome => say!("OUTCOME"; "结果"),
            By::Account | By::Key => say!("ACCOUNT"; "账号"),
        };
        let first = first.in_lang(lang);
        let short = self.by == By::Outcome;
        let rows = self.rows.iter().map(|(name, counts)| {
            let name = if self.by == By::Hour { local_hour(name) } else { name.clone() };
            let figures = [counts.events(), counts.done, counts.new, counts.dead];
            let shown = if short { &figures[..1] } else { &figures[..] };
            [name].into_iter().chain(shown.iter().map(i64::to_string)).collect()
        });
        let head = if short { &[first, events][..] } else { &[first, events, done, new, dead][..] };
        table(head, &rows.collect::<Vec<_>>())
    }

    fn answers_text(&self) -> Text {
        let Some(answers) = &self.answers else {
            let asked = self.asked;
            return say!(
                "not known: no serve tells its metrics on {asked}";
                "未知：{asked} 上没有 serve 提供指标"
            );
        };
        let Answers { acknowledged, duplicates, refused, .. } = answers;
        let counts = say!(
            "{acknowledged} since the start of serve, {duplicates} of them repeated; {refused} refused";
            "serve 启动以来 {acknowledged} 次，其中重复 {duplicates} 次；另拒绝 {refused} 次"
        );
        let Some([p50, p95, p99]) = quantiles(answers) else { return counts };
        let (p50, p95, p99) = (seconds_text(p50), seconds_text(p95), seconds_text(p99));
        let (en, zh) = (counts.en, counts.zh);
        let (of, whose) = if self.account.is_some() { (", all accounts", "（所有账号）") } else { ("", "") };
        say!("p50 {p50}, p95 {p95}, p99 {p99}{of}\n         {en}"; "p50 {p50}，p95 {p95}，p99 {p99}{whose}\n      {zh}")
    }

    fn delay_text(&self) -> Text {
        match self.delay {
            Some((p50, p99)) => {
                let ((p50, half), (p99, most)) = (delay_of(p50), delay_of(p99));
                say!(
                    "p50 {p50} {half}, p99 {p99} {most} from CreateTime (whole seconds) to the receipt";
                    "p50 {p50} {half}，p99 {p99} {most}，从 CreateTime（精确到秒）到收到"
                )
            }
            None => say!("-"; "-"),
        }
    }
}

/// p50, p95 and p99 of the answers, seconds.
fn quantiles(answers: &Answers) -> Option<[f64; 3]> {
    Some([answers.quantile(0.5)?, answers.quantile(0.95)?, answers.quantile(0.99)?])
}

/// A delay in the unit it was counted in.
fn delay_of(seconds: i64) -> (i64, &'static str) {
    match seconds {
        s if s < 60 => (s, "s"),
        s if s < HOUR => (s / 60, "min"),
        s => (s / HOUR, "h"),
    }
}

fn seconds_text(seconds: f64) -> String {
    match seconds {
        s if s > PATIENCE_S => format!("> {PATIENCE_S} s"),
        s if s < 1.0 => format!("{:.1} ms", s * 1000.0),
        s => format!("{s:.1} s"),
    }
}

/// The hour in local time, with its offset.
fn local_hour(key: &str) -> String {
    let ms = chrono::DateTime::parse_from_rfc3339(key).map_or(0, |time| time.timestamp_millis());
    let shown = time_local(ms);
    // The seconds are all 0.
    shown.replacen(":00+", "+", 1).replacen(":00-", "-", 1)
}

impl Report for Counted {
    fn json(&self) -> Value {
        let Counts { done, new, dead } = self.total;
        let by = match self.by {
            By::Kind => "kind",
            By::Hour => "hour",
            By::Outcome => "outcome",
            By::Account => "account",
            By::Key => "key",
        };
        let ack = self.answers.as_ref().map(|answers| {
            // JSON has no infinity: what lies beyond the last bound is that bound, as with Prometheus.
            let shown = |seconds: f64| Some((seconds.min(PATIENCE_S) * 1e6).round() / 1e6);
            let quantiles = quantiles(answers).map(|all| all.map(shown));
            let [p50, p95, p99] = quantiles.unwrap_or_default();
            json!({
                "acknowledged": answers.acknowledged,
                "duplicates": answers.duplicates,
                "refused": answers.refused,
                "p50_seconds": p50,
                "p95_seconds": p95,
                "p99_seconds": p99,
            })
        });
        json!({
            "since": time_json(self.since),
            "until": time_json(self.until),
            "account": self.account,
            "events": self.total.events(),
            "outcome": { "done": done, "new": new, "dead": dead },
            "delay_seconds": self.delay.map(|(p50, p99)| json!({ "p50": p50, "p99": p99 })),
            "serve": ack,
            "by": by,
            "rows": match self.by {
                By::Key => keys::json_of(&self.keys),
                _ => self.rows.iter().map(|(name, counts)| self.row_json(name, *counts)).collect::<Vec<_>>(),
            },
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Counts { done, new, dead } = self.total;
        let events = self.total.events();
        let account = self.account.as_ref().map_or(String::new(), |account| format!(", {account}"));
        let since = format!("{}{account}", time_local(self.since));
        let (delay, answers) = (self.delay_text(), self.answers_text());
        let (delay_en, delay_zh, answers_en, answers_zh) = (delay.en, delay.zh, answers.en, answers.zh);
        let head = say!(
            "since    {since}\nevents   {events}: {done} done, {new} new, {dead} dead\ndelay    {delay_en}\n\
             answers  {answers_en}";
            "起始  {since}\n事件  {events}：done {done}，new {new}，dead {dead}\n延迟  {delay_zh}\n应答  {answers_zh}"
        );
        let table = match self.by {
            _ if self.rows.is_empty() && self.keys.is_empty() => return head.in_lang(lang).to_owned(),
            By::Key => keys::table_of(&self.keys, lang),
            _ => self.table(lang),
        };
        format!("{}\n\n{table}", head.in_lang(lang))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tally(hour: i64, kind: &str, state: &str, delay: i64, events: i64) -> Tally {
        Tally { hour: hour * HOUR, account: "main".into(), kind: kind.into(), state: state.into(), delay, events }
    }

    #[test]
    fn an_hour_without_events_is_a_row() {
        let tallies = [tally(10, "event.scan", "done", 0, 3), tally(12, "event.scan", "dead", 0, 1)];
        let rows = rows(&tallies, By::Hour, 14 * HOUR + 100);
        let events: Vec<i64> = rows.iter().map(|(_, counts)| counts.events()).collect();
        assert_eq!(events, [3, 0, 1, 0, 0], "up to now: that nothing comes any more is to be seen");
        assert_eq!(rows[0].0, "1970-01-01T10:00:00.000Z");
    }

    #[test]
    fn the_most_frequent_kind_is_first() {
        let tallies = [tally(1, "a", "done", 0, 1), tally(1, "b", "new", 0, 2), tally(2, "a", "dead", 0, 4)];
        let rows = rows(&tallies, By::Kind, 0);
        assert_eq!(rows[0], ("a".into(), Counts { done: 1, new: 0, dead: 4 }));
        assert_eq!(rows[1], ("b".into(), Counts { done: 0, new: 2, dead: 0 }));
    }

    #[test]
    fn delays_are_of_events_not_of_rows() {
        assert_eq!(delay(&[]), None);
        let tallies = [tally(1, "a", "done", 0, 97), tally(1, "b", "done", 1, 2), tally(1, "c", "done", 3600, 1)];
        assert_eq!(delay(&tallies), Some((0, 1)));
        assert_eq!(delay(&tallies[2..]), Some((3600, 3600)));
    }
}
