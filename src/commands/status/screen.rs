//! The screen for people: a line a thing, none longer than 80 columns.

mod fit;

use super::Facts;
use crate::alarm::{JobState, Kind, Paused, QueueState, hook_of};
use crate::error::{Lang, Text};
use crate::report::{escape, span};
use crate::say;
use crate::store::SpoolRow;
use crate::store::StoredToken;
use fit::{bytes, cut, padded, tail};

/// Columns of a name and the blank behind it.
const NAME: usize = 11;
/// Columns of a mark and the blank behind it.
const MARK: usize = 7;

/// Letters of the database's name.
const DATABASE: usize = 14;

/// How a line stands.
#[derive(Clone, Copy)]
enum Mark {
    Ok,
    Plain,
    Warn,
    Alarm,
}

struct Line {
    name: Text,
    mark: Mark,
    text: Text,
}

pub(super) fn of(facts: &Facts, lang: Lang) -> String {
    let mut lines = callbacks(facts);
    lines.extend(refused(facts));
    lines.extend([inbox(facts), profiles(facts)]);
    lines.extend(facts.health.queue.as_ref().map(|state| queue(facts, state)));
    lines.extend(facts.tokens.iter().map(|(account, token)| token_line(facts, account, token)));
    lines.extend(
        facts.health.paused.iter().filter(|paused| facts.shows(&paused.pause.account)).map(|p| paused(facts, p)),
    );
    lines.extend(facts.health.hooks.names().iter().map(|name| hook(facts, name)));
    lines.extend(facts.health.jobs.iter().filter(|job| facts.shows(&job.account)).map(|state| job(facts, state)));
    lines.extend(serve(facts));
    lines.extend(facts.health.spools.iter().filter_map(|spool| spooled(facts, spool)));
    lines.push(database(facts));
    lines.extend(facts.elsewhere.iter().map(|(account, base)| elsewhere(facts, account, base)));
    let shown = lines.iter().map(|line| line.shown(lang));
    shown.chain(told(facts, lang)).collect::<Vec<_>>().join("\n")
}

impl Line {
    fn shown(&self, lang: Lang) -> String {
        let mark = match self.mark {
            Mark::Ok => say!("ok"; "正常"),
            Mark::Plain => say!("-"; "-"),
            Mark::Warn => say!("warn"; "注意"),
            Mark::Alarm => say!("ALARM"; "告警"),
        };
        let (name, mark) = (padded(self.name.in_lang(lang), NAME), padded(mark.in_lang(lang), MARK));
        cut(&format!("{name}{mark}{}", escape(self.text.in_lang(lang))))
    }
}

fn callbacks(facts: &Facts) -> Vec<Line> {
    let health = &facts.health;
    let shown = health.callbacks.iter().filter(|callbacks| facts.shows(&callbacks.account));
    let line = |callbacks: &crate::alarm::Callbacks| {
        let text = match (callbacks.silence(health.now_ms).map(span), callbacks.usual.map(span)) {
            (None, _) => say!("none yet"; "尚未收到"),
            (Some(Text { en, zh }), None) => {
                say!("last callback {en} ago, not enough history for what is usual"; "最后一次回调在 {zh}前，历史不足，无法判断平时间隔")
            }
            (Some(Text { en, zh }), Some(usual)) => {
                let (usual_en, usual_zh) = (usual.en, usual.zh);
                say!("last callback {en} ago, usual {usual_en}"; "最后一次回调在 {zh}前，平时 {usual_zh}")
            }
        };
        let mark = match (facts.alarm_of(Kind::Silence, &callbacks.account), callbacks.usual) {
            (true, _) => Mark::Alarm,
            (false, Some(_)) => Mark::Ok,
            (false, None) => Mark::Plain,
        };
        Line { name: say!("callbacks"; "回调"), mark, text: facts.of(&callbacks.account, text) }
    };
    shown.map(line).collect()
}

fn refused(facts: &Facts) -> Option<Line> {
    let refused = facts.refused.as_ref()?;
    let count: u64 = refused.values().sum();
    let reasons = refused.iter().map(|(reason, count)| format!("{reason} {count}")).collect::<Vec<_>>().join(", ");
    let text = match count {
        0 => say!("none since serve started"; "serve 启动以来没有"),
        _ => say!("{count} since serve started: {reasons}"; "serve 启动以来 {count} 次：{reasons}"),
    };
    Some(Line { name: say!("refused"; "拒绝"), mark: Mark::Plain, text })
}

fn inbox(facts: &Facts) -> Line {
    let (inbox, now_ms) = (&facts.health.inbox, facts.health.now_ms);
    let (new, dead) = (inbox.new, inbox.dead);
    let text = match inbox.oldest.map(|oldest| span(now_ms - oldest)) {
        Some(Text { en, zh }) => {
            say!("new {new}, oldest {en} ago; dead {dead}"; "待处理 {new}，最早的在 {zh}前；处理失败 {dead}")
        }
        None => say!("new {new}; dead {dead}"; "待处理 {new}；处理失败 {dead}"),
    };
    let alarm = facts.alarm_of(Kind::Dead, "") || facts.alarm_of(Kind::Backlog, "");
    Line { name: say!("inbox"; "收件箱"), mark: if alarm { Mark::Alarm } else { Mark::Ok }, text }
}

fn profiles(facts: &Facts) -> Line {
    let (profiles, now_ms) = (&facts.profiles, facts.health.now_ms);
    let (due, given_up, of) = (profiles.due, profiles.given_up, profiles.given_up_of);
    let late = profiles.first_due_at.map(|due| now_ms - due).filter(|late| *late > 0).map(span);
    let due = match late {
        Some(Text { en, zh }) => say!("due {due}, oldest for {en}"; "待查询 {due}，最早的已等 {zh}"),
        None => say!("due {due}"; "待查询 {due}"),
    };
    let (en, zh) = (due.en, due.zh);
    let text = match given_up {
        0 => say!("{en}; given up 0"; "{zh}；已放弃 0"),
        _ => say!("{en}; given up {given_up} of the newest {of} people"; "{zh}；最近 {of} 人中已放弃 {given_up} 人"),
    };
    Line { name: say!("profiles"; "用户资料"), mark: Mark::Ok, text }
}

/// The ways that are paused have lines of their own.
fn queue(facts: &Facts, state: &QueueState) -> Line {
    let alarm = [Kind::Queue, Kind::QueueDead, Kind::QueueAway].iter().any(|kind| facts.alarm_of(*kind, ""));
    let (warns, text) = match state {
        QueueState::Away { why, .. } => {
            let (en, zh) = (&why.en, &why.zh);
            (true, say!("its database: {en}"; "其数据库：{zh}"))
        }
        QueueState::Stands { watch, late_ms, .. } => {
            let (pending, due, given_up) = (watch.pending, watch.due, watch.given_up);
            let oldest = match watch.oldest_ms.map(span) {
                Some(Text { en, zh }) => say!(", oldest {en}"; "，最早的已等 {zh}"),
                None => say!(""; ""),
            };
            let (en, zh) = (oldest.en, oldest.zh);
            let late = watch.unanswered_ms.is_some_and(|ms| ms > *late_ms);
            (
                late,
                say!("pending {pending}, due {due}{en}; given up in a day {given_up}"; "待发送 {pending}，到期 {due}{zh}；一天内放弃 {given_up}"),
            )
        }
    };
    let mark = match (alarm, warns) {
        (true, _) => Mark::Alarm,
        (false, true) => Mark::Warn,
        (false, false) => Mark::Ok,
    };
    Line { name: say!("queue"; "通知队列"), mark, text }
}

fn token_line(facts: &Facts, account: &str, token: &StoredToken) -> Line {
    let (now_ms, generation) = (facts.health.now_ms, token.generation);
    let age = token.refreshed_at.map_or(0, |at| now_ms - at.timestamp_millis());
    let Text { en: age_en, zh: age_zh } = span(age);
    let text = match (&token.token, token.expires_at) {
        (None, _) => say!("none stored"; "未存储"),
        (_, None) => say!(
            "set by hand {age_en} ago, generation {generation}";
            "{age_zh}前手工设置，第 {generation} 代"
        ),
        (_, Some(end)) if end > now_ms => {
            let Text { en, zh } = span(end - now_ms);
            say!("valid for {en}, {age_en} old, generation {generation}"; "剩余 {zh}，已用 {age_zh}，第 {generation} 代")
        }
        (_, Some(end)) => {
            let Text { en, zh } = span(now_ms - end);
            say!("ended {en} ago; the next call asks for one, generation {generation}"; "{zh}前已到期，下次调用时获取；第 {generation} 代")
        }
    };
    let mark = if facts.alarm_of(Kind::Token, account) { Mark::Alarm } else { Mark::Plain };
    Line { name: say!("token"; "token"), mark, text: facts.of(account, text) }
}

fn paused(facts: &Facts, Paused { pause, .. }: &Paused) -> Line {
    let (api, reason) = (&pause.api, &pause.reason);
    let Text { en, zh } = span(pause.paused_until - facts.health.now_ms);
    let alarm = api == "*" && facts.alarm_of(Kind::Paused, &pause.account);
    let text = match api.as_str() {
        "*" => say!("every API, next try in {en}: {reason}"; "全部接口，{zh}后重试：{reason}"),
        _ => say!("{api}, next try in {en}: {reason}"; "{api}，{zh}后重试：{reason}"),
    };
    let mark = if alarm { Mark::Alarm } else { Mark::Warn };
    Line { name: say!("paused"; "暂停"), mark, text: facts.of(&pause.account, text) }
}

fn hook(facts: &Facts, name: &str) -> Line {
    let hooks = &facts.health.hooks;
    let count = |states: &[&str]| hooks.count(Some(name), states);
    let (waiting, failed, unknown) = (count(&["pending", "sending"]), count(&["failed", "gone"]), count(&["unknown"]));
    let rest = hooks.resting.iter().find(|pause| hook_of(pause) == Some(name));
    let Text { en, zh } = match rest {
        Some(pause) => {
            let reason = &pause.reason;
            say!("; rests: {reason}"; "；暂停：{reason}")
        }
        None if !hooks.configured.iter().any(|known| known == name) => say!("; not configured"; "；未配置"),
        None => say!(""; ""),
    };
    let text = say!(
        "{name}: waiting {waiting}, failed {failed}, unknown {unknown}{en}";
        "{name}：待投递 {waiting}，失败 {failed}，结果未知 {unknown}{zh}"
    );
    let alarm = failed + unknown > 0;
    let mark = if alarm {
        Mark::Alarm
    } else if en.is_empty() {
        Mark::Ok
    } else {
        Mark::Warn
    };
    Line { name: say!("hook"; "hook"), mark, text }
}

fn job(facts: &Facts, state: &JobState) -> Line {
    let now_ms = facts.health.now_ms;
    let JobState { job, account, last, .. } = state;
    let ago = span(now_ms - last.started_at.timestamp_millis());
    let (en, zh, outcome) = (ago.en, ago.zh, last.outcome.as_str());
    let usual = match state.rhythm.map(|rhythm| span(rhythm.gap_ms)) {
        Some(Text { en, zh }) => say!(", usual every {en}"; "，平时每 {zh}"),
        None => say!(""; ""),
    };
    let (usual, usual_zh) = (usual.en, usual.zh);
    let of = if account == "*" { String::new() } else { format!(" {account}") };
    let text = say!("{job}{of}: {outcome} {en} ago{usual}"; "{job}{of}：{zh}前 {outcome}{usual_zh}");
    let mark = match () {
        () if state.failed(now_ms) || state.overdue(now_ms) => Mark::Alarm,
        () if last.outcome.failed() => Mark::Warn,
        () => Mark::Ok,
    };
    Line { name: say!("job"; "任务"), mark, text }
}

fn serve(facts: &Facts) -> Option<Line> {
    let serve = facts.health.serve.as_ref()?;
    let who = &serve.who;
    let (mark, text) = match serve.left_ms {
        Some(left) if left > 0 => (Mark::Ok, say!("runs ({who})"; "运行中（{who}）")),
        Some(left) => {
            let Text { en, zh } = span(-left);
            let mark = if facts.alarm_of(Kind::Serve, "") { Mark::Alarm } else { Mark::Warn };
            (mark, say!("ended without a word {en} ago ({who})"; "{zh}前意外终止（{who}）"))
        }
        None => (Mark::Plain, say!("stopped ({who})"; "已停止（{who}）")),
    };
    Some(Line { name: say!("serve"; "serve"), mark, text })
}

/// Only where something lies there.
fn spooled(facts: &Facts, spool: &SpoolRow) -> Option<Line> {
    let (events, files, place) = (spool.events, spool.set_aside, escape(&spool.place));
    if events == 0 && files == 0 {
        return None;
    }
    let text = match files {
        0 => say!("{events} wait for the database, {place}"; "{events} 条等待入库，{place}"),
        _ => say!("{events} wait, {files} files set aside, {place}"; "{events} 条等待，{files} 个文件搁置，{place}"),
    };
    let mark = if facts.alarm_of(Kind::Spool, "") { Mark::Alarm } else { Mark::Warn };
    Some(Line { name: say!("spool"; "暂存"), mark, text })
}

fn database(facts: &Facts) -> Line {
    let database = &facts.database;
    let (kind, size) = (database.kind, bytes(database.bytes));
    let name = tail(&database.name, DATABASE);
    let text = match database.oldest.map(|oldest| span(facts.health.now_ms - oldest)) {
        Some(Text { en, zh }) => {
            say!("{size}, oldest callback {en} ago, {kind} {name}"; "{size}，最早的回调在 {zh}前，{kind} {name}")
        }
        None => say!("{size}, {kind} {name}"; "{size}，{kind} {name}"),
    };
    let mark = if database.warnings.is_empty() { Mark::Ok } else { Mark::Warn };
    Line { name: say!("database"; "数据库"), mark, text }
}

fn elsewhere(facts: &Facts, account: &str, base: &str) -> Line {
    let text = match facts.sandbox {
        true => say!("{base} (sandbox: invented people)"; "{base}（沙箱：虚构的用户）"),
        false => say!("{base}, not WeChat's own"; "{base}，不是微信官方地址"),
    };
    Line { name: say!("platform"; "平台"), mark: Mark::Plain, text: facts.of(account, text) }
}

/// What the robot was told, in full.
fn told(facts: &Facts, lang: Lang) -> Vec<String> {
    let Some(words) = &facts.told else { return Vec::new() };
    let head = match (words.len(), facts.dry_run) {
        (0, _) => say!("nothing to tell the group robot"; "没有需要告知群机器人的内容"),
        (_, true) => say!("the group robot would be told:"; "将告知群机器人："),
        (_, false) => say!("for the group robot:"; "告知群机器人："),
    };
    let text = |text: &Text| text.in_lang(lang).lines().map(|line| format!("  {}", escape(line))).collect::<Vec<_>>();
    [vec![String::new(), head.in_lang(lang).to_owned()], words.iter().flat_map(text).collect()].concat()
}

impl Facts {
    /// The account before the text, where several are shown.
    fn of(&self, account: &str, text: Text) -> Text {
        match self.tokens.len() {
            1 => text,
            _ => Text { en: format!("{account}: {}", text.en), zh: format!("{account}：{}", text.zh) },
        }
    }
}
