//! The queue of notifications: rows that nobody sends, rows that were given up, a database that is away.

use super::finding::{Finding, Kind};
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result, Text};
use crate::report::{escape, span};
use crate::say;
use crate::store::Pause;
use crate::store::queue::Watch;
use std::time::Duration;

/// A row that is due for longer than this is sent by nobody; or for so many times as long as a daemon rests.
const LATE_MS: i64 = 15 * 60_000;
const RESTS: u32 = 3;
/// A row that nobody has answered may have been made due by a person just now, milliseconds.
const AGAIN_MS: i64 = 2 * 60_000;
/// So long its database may take to be looked at.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the queue of notifications stands.
#[derive(Debug, Clone)]
pub enum QueueState {
    /// It was looked at.
    Stands {
        /// What was seen.
        watch: Watch,
        /// After what time a row that is due is late, milliseconds.
        late_ms: i64,
        /// What of its ways is paused, and why.
        paused: Vec<Pause>,
    },
    /// Its database could not be looked at.
    Away {
        /// The setting that names it.
        setting: &'static str,
        /// Why not.
        why: Text,
    },
}

impl QueueState {
    /// Looks; `None` where no message can go out, or no queue is installed. `pauses` are all that are known.
    pub(super) async fn look(app: &App, config: &Config, pauses: &[Pause]) -> Option<QueueState> {
        if !config.sends() {
            return None;
        }
        let late = tokio::time::timeout(PATIENCE, watch(app, config)).await;
        match late.unwrap_or_else(|_| Err(silent())) {
            Ok(watch) => {
                let paused = pauses.iter().filter(|pause| is_of_queue(config, pause)).cloned().collect();
                Some(QueueState::of(watch?, config, paused))
            }
            Err(error) => {
                let own = config.queue.database_url.is_none();
                let setting = if own { "DATABASE_URL" } else { "WXOPS_QUEUE_DATABASE_URL" };
                Some(QueueState::Away { setting, why: error.what })
            }
        }
    }

    /// What was seen, and what is paused.
    pub fn of(watch: Watch, config: &Config, paused: Vec<Pause>) -> QueueState {
        QueueState::Stands { watch, late_ms: late_ms(config), paused }
    }

    /// What of it somebody should know.
    pub fn findings(&self) -> impl Iterator<Item = Finding> {
        let (late, given_up, away) = match self {
            QueueState::Stands { watch, late_ms, paused } => (late(watch, *late_ms, paused), given_up(watch), None),
            QueueState::Away { setting, why } => (None, None, Some(away(setting, why))),
        };
        late.into_iter().chain(given_up).chain(away)
    }
}

/// Whether it pauses a way of notifications.
pub(super) fn is_of_queue(config: &Config, pause: &Pause) -> bool {
    let sends = config.wecoms.iter().any(|wecom| wecom.name == pause.account);
    sends && ["message/send", "webhook/send"].contains(&pause.api.as_str())
}

/// `None` where it is not installed.
async fn watch(app: &App, config: &Config) -> Result<Option<Watch>> {
    let db = app.queue_db(config).await?;
    let seen = async {
        match db.is_installed().await? {
            true => db.watch_queue().await.map(Some),
            false => Ok(None),
        }
    };
    seen.await.map_err(|error| db.named(error))
}

fn silent() -> Error {
    let seconds = PATIENCE.as_secs();
    Error::unavailable(say!("no answer within {seconds} s"; "{seconds} 秒内没有应答"))
}

/// What is gathered for a digest waits for that long by itself.
fn late_ms(config: &Config) -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4);
    let rest = ms(config.queue.monitor_interval.saturating_mul(RESTS));
    LATE_MS.max(rest) + config.queue.digest.map_or(0, ms)
}

fn late(watch: &Watch, late_ms: i64, paused: &[Pause]) -> Option<Finding> {
    let is_late = |since: Option<i64>| since.filter(|ms| *ms > late_ms);
    let (untouched, unanswered) = (is_late(watch.untouched_ms), is_late(watch.unanswered_ms));
    let (due, waits) = (watch.due, span(untouched.or(unanswered)?));
    let (en, zh) = (waits.en, waits.zh);
    let why = paused.first().map_or_else(
        || say!(""; ""),
        |pause| {
            let (api, reason) = (&pause.api, escape(&pause.reason));
            say!("; {api} is paused: {reason}"; "；{api} 已暂停：{reason}")
        },
    );
    let (why_en, why_zh) = (why.en, why.zh);
    let what = say!(
        "notifications of members that are not sent: {due} due, one for {en}{why_en}";
        "未发送的会员通知：{due} 条到期，其中一条已等待 {zh}{why_zh}"
    );
    let next = say!(
        "run wxops queue drain, it says what is in the way; look whether its timer, its daemon or serve runs";
        "请运行 wxops queue drain，它会说明原因；并确认其定时器、守护进程或 serve 在运行"
    );
    let patience_ms = if untouched.is_some() { 0 } else { AGAIN_MS };
    Some(Finding { patience_ms, ..Finding::of_all(Kind::Queue, 0, what, next) })
}

fn given_up(watch: &Watch) -> Option<Finding> {
    let (count, (row, reason)) = (watch.given_up, watch.newest.as_ref()?);
    let reason = escape(reason);
    let what = say!(
        "notifications of members that were given up within a day: {count}, the newest is {row}: {reason}";
        "一天内放弃的会员通知：{count} 条，最近一条为 {row}：{reason}"
    );
    let next = say!(
        "wxops queue list --state dead; when the cause is mended: wxops queue retry --dead";
        "wxops queue list --state dead；修复原因后：wxops queue retry --dead"
    );
    (count > 0).then(|| Finding::of_all(Kind::QueueDead, count, what, next))
}

fn away(setting: &str, why: &Text) -> Finding {
    let (en, zh) = (escape(&why.en), escape(&why.zh));
    let what = say!(
        "the database of the notification queue can't be looked at: {en}";
        "无法查看通知队列的数据库：{zh}"
    );
    let next =
        say!("see that it runs, and {setting}; then wxops doctor"; "请确认其在运行并检查 {setting}；然后 wxops doctor");
    Finding::of_all(Kind::QueueAway, 0, what, next)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MINUTE: i64 = 60_000;

    fn kinds(watch: Watch) -> Vec<(Kind, i64)> {
        let state = QueueState::Stands { watch, late_ms: LATE_MS, paused: vec![] };
        state.findings().map(|finding| (finding.kind, finding.patience_ms)).collect()
    }

    #[test]
    fn what_is_due_is_late_after_a_quarter_of_an_hour() {
        let of = |untouched: i64, unanswered: i64| {
            let (untouched, unanswered) = (Some(untouched * MINUTE), Some(unanswered * MINUTE));
            kinds(Watch { due: 1, untouched_ms: untouched, unanswered_ms: unanswered, ..Watch::default() })
        };
        assert_eq!(of(15, 15), []);
        assert_eq!(of(16, 16), [(Kind::Queue, 0)]);
        assert_eq!(of(0, 16), [(Kind::Queue, AGAIN_MS)], "given back again and again, or sent again by a person");
        assert_eq!(kinds(Watch { due: 1, oldest_ms: Some(60 * MINUTE), ..Watch::default() }), [], "it was answered");
    }

    #[test]
    fn what_was_given_up_grows() {
        let watch = Watch { given_up: 3, newest: Some((17, "errcode 81013".into())), ..Watch::default() };
        let finding = given_up(&watch).unwrap();
        assert_eq!((finding.size, finding.kind), (3, Kind::QueueDead));
        assert!(finding.what.en.ends_with("3, the newest is 17: errcode 81013"), "{}", finding.what.en);
        assert!(given_up(&Watch::default()).is_none());
    }
}
