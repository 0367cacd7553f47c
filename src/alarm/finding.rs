//! What of a look somebody should know, in words.

use super::{ALL, Health};
use crate::error::Text;
use crate::report::{escape, span, time_local};
use crate::say;
use crate::store::{SpoolRow, Standing};

/// An account that rests shorter than this may come back by itself.
pub(super) const REST_MS: i64 = 10 * 60_000;
/// A callback that has been due for longer than this is handled by nobody: a healthy one waits milliseconds.
pub(super) const WAITING_MS: i64 = 10 * 60_000;
/// An account's probes are a minute apart; where the last is older than this nobody probes, and nothing is known.
pub(super) const PROBED_MS: i64 = 5 * 60_000;
/// What is spooled moves in within seconds of the database's return; what is older and still there does not.
const MOVE_MS: i64 = 2 * 60_000;
/// A serve that died gets this long to be started again.
const DEAD_MS: i64 = 2 * 60_000;

/// What is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No callbacks for longer than usual.
    Silence,
    /// No call of an account goes through: its token, its IP list, the network.
    Paused,
    /// A token ends, and no other was to be had.
    Token,
    /// Callbacks that could not be handled.
    Dead,
    /// Callbacks that nobody handles.
    Backlog,
    /// A `serve` that ended without a word.
    Serve,
    /// Callbacks that wait on a host's disk, or were set aside there.
    Spool,
    /// Deliveries to hooks that failed, or whose outcome is not known.
    Hooks,
    /// A hook whose receiver wants to hear no more.
    HookGone,
    /// A hook whose receiver takes nothing.
    HookRest,
    /// Deliveries for a hook that is not configured.
    HookOrphan,
    /// A job whose last run failed.
    Job,
    /// A job that used to run regularly, and no longer does.
    JobLate,
    /// Notifications that nobody sends.
    Queue,
    /// Notifications that were given up.
    QueueDead,
    /// The database of the notifications is away.
    QueueAway,
}

/// Something that somebody should know.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The account's name; `*` for the whole installation.
    pub account: String,
    /// The account in words: its name and AppID.
    pub of: Text,
    /// How many of it, where that grows.
    pub size: i64,
    /// How long it may stand before it is an alarm, milliseconds.
    pub patience_ms: i64,
    /// What is wrong.
    pub what: Text,
    /// What to do.
    pub next: Text,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 16] = [
        Kind::Silence,
        Kind::Paused,
        Kind::Token,
        Kind::Dead,
        Kind::Backlog,
        Kind::Serve,
        Kind::Spool,
        Kind::Hooks,
        Kind::HookGone,
        Kind::HookRest,
        Kind::HookOrphan,
        Kind::Job,
        Kind::JobLate,
        Kind::Queue,
        Kind::QueueDead,
        Kind::QueueAway,
    ];

    /// Its name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Silence => "silence",
            Kind::Paused => "paused",
            Kind::Token => "token",
            Kind::Dead => "dead",
            Kind::Backlog => "backlog",
            Kind::Serve => "serve",
            Kind::Spool => "spool",
            Kind::Hooks => "hooks",
            Kind::HookGone => "hook_gone",
            Kind::HookRest => "hook_rest",
            Kind::HookOrphan => "hook_orphan",
            Kind::Job => "job",
            Kind::JobLate => "job_late",
            Kind::Queue => "queue",
            Kind::QueueDead => "queue_dead",
            Kind::QueueAway => "queue_away",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// That it is over.
    pub fn over(self) -> Text {
        match self {
            Kind::Silence => say!("callbacks come in again"; "又收到回调了"),
            Kind::Paused => say!("calls of WeChat's API go through again"; "微信接口调用已恢复"),
            Kind::Token => say!("the access_token was renewed"; "access_token 已换新"),
            Kind::Dead => say!("no dead callbacks are left"; "已没有处理失败的回调"),
            Kind::Backlog => say!("callbacks are handled again"; "回调又在处理了"),
            Kind::Spool => say!("what was spooled is in the database"; "暂存的回调已全部入库"),
            Kind::Hooks => say!("no failed deliveries to hooks are left"; "已没有失败的 hook 投递"),
            Kind::HookGone => say!("no hook's receiver is gone any more"; "已没有失效的 hook 接收方"),
            Kind::HookRest => say!("the receivers of hooks take deliveries again"; "hook 的接收方已恢复"),
            Kind::HookOrphan => say!("nothing waits for a hook that is not configured"; "已没有等待未配置 hook 的投递"),
            Kind::Job => say!("no job's last run failed"; "各任务最近一次运行均已成功"),
            Kind::JobLate => say!("jobs run again as usual"; "任务已恢复按时运行"),
            Kind::Queue => say!("notifications of members are sent again"; "会员通知已恢复发送"),
            Kind::QueueDead => say!("no notification was given up for a day"; "一天内没有放弃的会员通知"),
            Kind::QueueAway => say!("the database of the notification queue is back"; "通知队列的数据库已恢复"),
            Kind::Serve => {
                say!("a wxops serve runs again, or was stopped by hand"; "wxops serve 已恢复运行，或已被手动停止")
            }
        }
    }
}

impl Finding {
    /// Whether it concerns the whole installation.
    pub fn is_of_all(&self) -> bool {
        self.account == ALL
    }

    /// Whether it is an alarm by now.
    pub fn alarm(&self, health: &Health) -> bool {
        let same = |row: &&Standing| row.account == self.account && row.kind == self.kind.as_str();
        let began = health.standing.iter().find(same).map(|row| row.began_at.timestamp_millis());
        self.patience_ms == 0 || began.is_some_and(|began| health.now_ms - began >= self.patience_ms)
    }

    pub(super) fn of_all(kind: Kind, size: i64, what: Text, next: Text) -> Finding {
        let of = say!("wxops"; "wxops");
        Finding { kind, account: ALL.to_owned(), of, size, patience_ms: 0, what, next }
    }
}

impl Health {
    /// What somebody should know; each once.
    pub fn findings(&self) -> Vec<Finding> {
        let silent = self.callbacks.iter().filter(|callbacks| callbacks.alarm(self.now_ms)).map(|c| self.silent(c));
        let resting = self.paused.iter().filter_map(|paused| self.resting(paused));
        silent
            .chain(resting)
            .chain(super::tokens::findings(&self.tokens, self.now_ms))
            .chain(self.dead())
            .chain(self.backlog())
            .chain(self.serve_gone())
            .chain(self.spooled())
            .chain(self.hooks.findings(self.now_ms))
            .chain(super::jobs::findings(&self.jobs, self.now_ms))
            .chain(self.queue.iter().flat_map(super::QueueState::findings))
            .collect()
    }

    fn silent(&self, callbacks: &super::Callbacks) -> Finding {
        let silence = span(callbacks.silence(self.now_ms).unwrap_or_default());
        let last = callbacks.last.map(time_local).unwrap_or_default();
        let (en, zh) = (&silence.en, &silence.zh);
        let what = match callbacks.usual.map(span) {
            Some(usual) => {
                let (usual_en, usual_zh) = (usual.en, usual.zh);
                say!("last callback {en} ago ({last}), usual {usual_en}"; "最后一次回调在 {zh}前（{last}），平时 {usual_zh}")
            }
            None => say!("last callback {en} ago ({last})"; "最后一次回调在 {zh}前（{last}）"),
        };
        let url = &callbacks.url;
        Finding {
            kind: Kind::Silence,
            account: callbacks.account.clone(),
            of: of(&callbacks.account, &callbacks.app_id),
            size: 0,
            patience_ms: 0,
            what,
            next: say!("wxops callback check {url}; wxops status"; "wxops callback check {url}；wxops status"),
        }
    }

    fn resting(&self, paused: &super::Paused) -> Option<Finding> {
        let pause = &paused.pause;
        if pause.api != ALL || pause.paused_until < self.now_ms - PROBED_MS {
            return None;
        }
        let account = self.callbacks.iter().find(|callbacks| callbacks.account == pause.account)?;
        let (name, reason) = (&pause.account, escape(&pause.reason));
        let what = match paused.since.map(|since| span(self.now_ms - since)) {
            Some(span) => {
                let (en, zh) = (span.en, span.zh);
                say!("no call of WeChat's API has gone through for {en}: {reason}"; "已有 {zh}无法调用微信接口：{reason}")
            }
            None => say!("no call of WeChat's API goes through: {reason}"; "无法调用微信接口：{reason}"),
        };
        Some(Finding {
            kind: Kind::Paused,
            account: name.clone(),
            of: of(name, &account.app_id),
            size: 0,
            patience_ms: REST_MS,
            what,
            next: say!(
                "wxops token refresh --account {name} (it says what to mend)";
                "wxops token refresh --account {name}（会说明如何修复）"
            ),
        })
    }

    fn dead(&self) -> Option<Finding> {
        let dead = &self.inbox.replayable;
        let count: i64 = dead.iter().map(|(_, count)| count).sum();
        let accounts = dead.iter().map(|(account, count)| format!("{account} {count}")).collect::<Vec<_>>().join(", ");
        let what = say!(
            "callbacks that could not be handled: {count} ({accounts})";
            "处理失败的回调：{count} 条（{accounts}）"
        );
        let next = say!(
            "wxops events list --state dead; when the cause is mended: wxops events replay --dead";
            "wxops events list --state dead；修复原因后：wxops events replay --dead"
        );
        (count > 0).then(|| Finding::of_all(Kind::Dead, count, what, next))
    }

    fn backlog(&self) -> Option<Finding> {
        let waiting = self.now_ms - self.inbox.due_since?;
        let (count, waits) = (self.inbox.new, span(waiting));
        let (en, zh) = (waits.en, waits.zh);
        let what = say!(
            "callbacks that nobody handles: {count}, due for {en}";
            "无人处理的回调：{count} 条，已等待 {zh}"
        );
        let next = say!(
            "look whether wxops serve runs, and at its log";
            "请确认 wxops serve 是否在运行，并查看其日志"
        );
        (waiting > WAITING_MS).then(|| Finding::of_all(Kind::Backlog, 0, what, next))
    }

    fn spooled(&self) -> Option<Finding> {
        let late = |spool: &&SpoolRow| spool.oldest_at.is_some_and(|at| self.now_ms - at.timestamp_millis() > MOVE_MS);
        if let Some(aside) = self.spools.iter().find(|spool| spool.set_aside > 0) {
            let (files, place) = (aside.set_aside, escape(&aside.place));
            let what = say!(
                "set aside in the spool {place}: {files} files with callbacks that the database refused or that can't be read";
                "暂存目录 {place} 中有 {files} 个搁置的文件：回调被数据库拒绝，或无法读取"
            );
            let next = say!(
                "its log says why; mend that, rename FILE.refused to FILE.spool to try again; delete what is of no use";
                "原因见其日志；修复后将 FILE.refused 改名为 FILE.spool 即可重试；无用的请删除"
            );
            return Some(Finding::of_all(Kind::Spool, 0, what, next));
        }
        let spool = self.spools.iter().filter(|spool| spool.events > 0).find(late)?;
        let (count, place) = (spool.events, escape(&spool.place));
        let what =
            say!("callbacks that wait in the spool {place}: {count}"; "暂存目录 {place} 中等待入库的回调：{count} 条");
        let next = say!("see that wxops serve runs on that host, and its log"; "请确认该主机上的 wxops serve 在运行，并查看其日志");
        Some(Finding::of_all(Kind::Spool, 0, what, next))
    }

    fn serve_gone(&self) -> Option<Finding> {
        let serve = self.serve.as_ref()?;
        let gone = -serve.left_ms?;
        let (who, ago) = (escape(&serve.who), span(gone));
        let (en, zh) = (ago.en, ago.zh);
        let what = say!(
            "wxops serve ({who}) ended without a word {en} ago, and no other runs";
            "wxops serve（{who}）在 {zh}前意外终止，且没有其他实例在运行"
        );
        let next = say!("start it: systemctl restart wxops; its log says why it ended"; "请启动它：systemctl restart wxops；终止原因见其日志");
        (gone > DEAD_MS).then(|| Finding::of_all(Kind::Serve, 0, what, next))
    }
}

fn of(account: &str, app_id: &str) -> Text {
    say!("{account} ({app_id})"; "{account}（{app_id}）")
}
