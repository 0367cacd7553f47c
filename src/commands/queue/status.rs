//! `wxops queue status`: how deep the queue is, and how it went by day.

use crate::app::App;
use crate::commands::{Context, time_json, time_local};
use crate::error::{Lang, Result, Text};
use crate::notify::{self, wecom};
use crate::report::{Report, escape, span, table};
use crate::say;
use crate::store::Pause;
use crate::store::queue::{Day, Depth};
use serde_json::{Value, json};

/// Eighths of a line.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Show how deep the queue is, and how it went by day
///
/// The days are Beijing's. The latency is the time from the member's row to the
/// platform's answer.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example:\n  wxops queue status --days 30")]
pub(crate) struct Status {
    /// So many days
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
}

struct Told {
    depth: Depth,
    days: Vec<Day>,
    paused: Vec<Pause>,
}

impl Status {
    pub(super) async fn run(self, context: &mut Context) -> Result<()> {
        let app = App::open(context.config()?.clone()).await?;
        let db = notify::database(&app, &app.config).await?;
        let mut paused = Vec::new();
        if let Ok(wecom) = wecom(&app.config) {
            for api in ["message/send", "webhook/send"] {
                let pause = app.store.paused(&wecom.name, api).await?;
                paused.extend(pause.filter(|pause| pause.paused_until > app.now_ms()));
            }
        }
        let told = Told { depth: db.queue_depth().await?, days: db.queue_days(self.days).await?, paused };
        context.out.show(&told)
    }
}

/// Of those that came to their end, the part that was sent, in percent.
fn rate(day: &Day) -> f64 {
    let all = day.sent + day.dead;
    if all == 0 { 0.0 } else { day.sent as f64 * 100.0 / all as f64 }
}

/// One letter a day, as high as its count beside the largest.
fn sparkline(counts: impl Iterator<Item = i64> + Clone) -> String {
    let most = counts.clone().max().unwrap_or(0).max(1);
    counts.map(|count| BARS[usize::try_from(count * 7 / most).unwrap_or(0).min(7)]).collect()
}

impl Report for Told {
    fn json(&self) -> Value {
        let Depth { states, due, oldest_ms, next_in_ms, suspect } = &self.depth;
        let states: serde_json::Map<String, Value> =
            states.iter().map(|(state, count)| (state.clone(), (*count).into())).collect();
        let days: Vec<Value> = self
            .days
            .iter()
            .map(|day| {
                json!({
                    "day": day.day,
                    "sent": day.sent,
                    "dead": day.dead,
                    "success_percent": (rate(day) * 100.0).round() / 100.0,
                    "within_a_minute": day.within_a_minute,
                    "latency_ms": day.latency_ms.map(|(average, _)| average.round()),
                    "latency_ms_longest": day.latency_ms.map(|(_, longest)| longest),
                })
            })
            .collect();
        let paused: Vec<Value> = self
            .paused
            .iter()
            .map(|pause| json!({ "api": pause.api, "until": time_json(pause.paused_until), "reason": pause.reason }))
            .collect();
        json!({
            "states": states,
            "due": due,
            "oldest_ms": oldest_ms,
            "next_in_ms": next_in_ms,
            "suspect": suspect,
            "paused": paused,
            "days": days,
        })
    }

    fn text(&self, lang: Lang) -> String {
        let Depth { states, due, oldest_ms, next_in_ms, suspect } = &self.depth;
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{} {count}", escape(state))).collect();
        let states = if states.is_empty() { "-".to_owned() } else { states.join(", ") };
        let wait = |ms: &Option<i64>| ms.map_or_else(|| Text { en: "-".into(), zh: "-".into() }, span);
        let (oldest, next) = (wait(oldest_ms), wait(next_in_ms));
        let (oldest_en, oldest_zh, next_en, next_zh) = (oldest.en, oldest.zh, next.en, next.zh);
        let mut lines = vec![say!(
            "queue    {states}\ndue      {due}, the oldest for {oldest_en}; the next in {next_en}";
            "队列    {states}\n到期    {due} 条，最早的已等待 {oldest_zh}；下一条 {next_zh}后到期"
        )];
        if *suspect > 0 {
            lines.push(say!(
                "suspect  {suspect} may have gone out twice: wxops queue list --suspect";
                "可疑    {suspect} 条可能发送过两次：wxops queue list --suspect"
            ));
        }
        for pause in &self.paused {
            let (api, until, reason) = (&pause.api, time_local(pause.paused_until), escape(&pause.reason));
            lines.push(say!("paused   {api} until {until}: {reason}"; "暂停    {api} 至 {until}：{reason}"));
        }
        let mut text: Vec<String> = lines.iter().map(|line| line.in_lang(lang).to_owned()).collect();
        if !self.days.is_empty() {
            text.push(String::new());
            text.push(self.table(lang));
        }
        text.join("\n")
    }
}

impl Told {
    fn table(&self, lang: Lang) -> String {
        let heads = match lang {
            Lang::En => ["DAY", "SENT", "GIVEN UP", "SUCCESS", "IN A MINUTE", "LATENCY", "LONGEST"],
            Lang::Zh => ["日期", "已发送", "放弃", "成功率", "一分钟内", "平均耗时", "最长耗时"],
        };
        let seconds = |ms: f64| format!("{:.1} s", ms / 1000.0);
        let rows = self.days.iter().map(|day| {
            vec![
                day.day.clone(),
                day.sent.to_string(),
                day.dead.to_string(),
                format!("{:.2} %", rate(day)),
                day.within_a_minute.to_string(),
                day.latency_ms.map(|(average, _)| seconds(average)).unwrap_or_default(),
                day.latency_ms.map(|(_, longest)| seconds(longest as f64)).unwrap_or_default(),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let sent = sparkline(self.days.iter().map(|day| day.sent));
        format!("{}\n\n{}  {sent}", table(&heads, &rows), heads[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_high_as_its_count_beside_the_largest() {
        assert_eq!(sparkline([0, 1, 7, 14].into_iter()), "▁▁▄█");
        assert_eq!(sparkline([0, 0].into_iter()), "▁▁");
        assert_eq!(sparkline([].into_iter()), "");
    }
}
