//! An errcode: from the table and the functions that the client and the retry engine go by.

use super::other::NoErrcode;
use super::shown::Explained;
use crate::error::{Text, Then};
use crate::events::TRIES;
use crate::platform::Platform;
use crate::platform::errcode::{Conduct, Move, Probing, Refusal, Step, Who, conduct, lookup};
use crate::say;
use serde_json::json;
use std::time::Duration;

/// Where a code is in no table.
const LOOK_UP: Step = Step::place(
    Who::Operator,
    "developers.weixin.qq.com: list of return codes, with the errmsg beside it",
    "developers.weixin.qq.com：返回码说明，并对照其 errmsg",
);

const LOOK_UP_WECOM: Step = Step::place(
    Who::Operator,
    "https://open.work.weixin.qq.com/devtool/query with the code, or with the hint beside it",
    "https://open.work.weixin.qq.com/devtool/query：输入该错误码，或其旁边的 hint",
);

/// Answers of WeCom after which the same message may go through (`notify/judge.rs`).
const AGAIN: [i64; 2] = [-1, 6000];
/// What a group robot answers with, which alarms go to (WeCom reference 4).
const OF_ROBOTS: [i64; 8] = [-1, 40008, 40058, 44004, 45009, 93000, 93004, 93008];

/// The codes of openapi/rid/get: the rid beside one is that of the question, not the one that was asked for.
const OF_RIDS: std::ops::RangeInclusive<i64> = 76001..=76004;

/// What was found of an errcode: the code, and what stood beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// The errcode.
    pub code: i64,
    /// The API that answered, where it is known.
    pub api: String,
    /// The platform's words, where they say more than the table's.
    pub errmsg: Option<String>,
    /// The request's id.
    pub rid: Option<String>,
    /// Whose it is, where that is known.
    pub platform: Option<Platform>,
}

impl Code {
    /// A code alone.
    pub fn bare(code: i64) -> Code {
        Code { code, api: String::new(), errmsg: None, rid: None, platform: None }
    }

    /// Explains it, as it would be met at `now_ms`; where nothing tells whose it is, as of both platforms.
    pub fn explain(&self, now_ms: i64) -> Explained {
        let platform = self.platform.or_else(|| of_api(&self.api));
        let mut explained = self.on(platform.unwrap_or_else(|| platform_of(self.code)), now_ms);
        let both = Platform::ALL.into_iter().all(|platform| lookup(platform, self.code).is_some());
        if platform.is_none() && both && self.code != 0 {
            explained.also = Some(Box::new(self.on(Platform::WeCom, now_ms)));
        }
        explained
    }

    fn on(&self, platform: Platform, now_ms: i64) -> Explained {
        let row = lookup(platform, self.code);
        let errmsg = self.errmsg.as_deref().or(row.map(|row| row.errmsg)).unwrap_or_default();
        let refusal = Refusal { platform, api: &self.api, code: self.code, errmsg, rid: None };
        let conduct = conduct(&refusal, now_ms);
        if let (None, Some(other)) = (row, NoErrcode::of(self.code)) {
            return other.explain(self.code);
        }
        let look_up_at = if platform == Platform::WeCom { LOOK_UP_WECOM } else { LOOK_UP };
        let step = row.map_or(look_up_at, |row| row.step);
        let rid = self.rid.as_ref().filter(|_| !OF_RIDS.contains(&self.code));
        let command = step.command.map(|command| match rid {
            Some(rid) => command.replace("RID", rid),
            None => command.to_owned(),
        });
        let named = |rid: &&String| command.as_ref().is_some_and(|command| command.contains(rid.as_str()));
        let rid = rid.filter(|rid| !named(rid)).cloned();
        Explained {
            kind: "errcode",
            name: self.code.to_string(),
            title: row.map_or_else(no_row, |row| Text { en: row.errmsg.to_owned(), zh: row.errmsg.to_owned() }),
            cause: row.map_or_else(unknown, |row| row.meaning.into()),
            does: match platform {
                Platform::WeChat => does(&conduct),
                Platform::WeCom => does_on_wecom(self.code, &conduct),
            },
            mend: row.map_or_else(look_up, |_| conduct.next.clone()),
            step,
            command,
            rid,
            known: row.is_some(),
            more: json!({
                "errcode": self.code,
                "platform": platform.as_str(),
                "errmsg": row.map(|row| row.errmsg),
                "class": row.map(|row| row.class.as_str()),
                "wait_seconds": row.and_then(|row| row.wait),
                "exit": conduct.exit,
                "rid": self.rid,
            }),
            also: None,
        }
    }
}

/// Whose code it is: an Official Account's, unless only WeCom has it.
pub(super) fn platform_of(code: i64) -> Platform {
    let only_wecom = lookup(Platform::WeChat, code).is_none() && lookup(Platform::WeCom, code).is_some();
    if only_wecom { Platform::WeCom } else { Platform::WeChat }
}

/// Whose API it is: WeCom's have names of their own.
fn of_api(api: &str) -> Option<Platform> {
    match api {
        "" => None,
        "message/send" | "webhook/send" | "gettoken" => Some(Platform::WeCom),
        _ => Some(Platform::WeChat),
    }
}

fn no_row() -> Text {
    say!("in no table of wxops"; "不在 wxops 的列表中")
}

/// What the reference says of a code that it does not name.
fn unknown() -> Text {
    say!(
        "unknown to wxops; when every call meets it, look for a setting of the account, else at what was sent";
        "wxops 不认识；若每次调用都出现，请检查账号设置，否则检查所发送的内容"
    )
}

fn look_up() -> Text {
    say!(
        "look it up in the platform's list of return codes, with the errmsg beside it";
        "请对照其 errmsg 查阅平台的返回码说明"
    )
}

/// What the program does, in words made of its own decisions.
fn does(conduct: &Conduct) -> Text {
    let Conduct { first, then, probing, exit, .. } = conduct;
    let after = match (then, probing) {
        (Then::Pause { whole_account, .. }, Some(probing)) => pauses(*whole_account, *probing),
        (Then::Again, _) => say!(
            "tries the item again later, {TRIES} times in all, then gives it up";
            "稍后重试该条，共 {TRIES} 次，之后放弃"
        ),
        _ => say!("never repeats it: this item is given up, the others go on"; "不重试：放弃该条，其余继续"),
    };
    let Text { en, zh } = after;
    match first {
        Move::Take => say!("takes it as success; exit {exit}"; "视为成功；退出码 {exit}"),
        Move::Renew => say!(
            "fetches a fresh token and repeats the call, once; refused again, it {en}; a command ends with {exit}";
            "换取新 token 并重试一次；再次被拒则{zh}；命令的退出码为 {exit}"
        ),
        Move::Fail => say!("{en}; a command ends with {exit}"; "{zh}；命令的退出码为 {exit}"),
    }
}

/// What the notification queue makes of it, and where the group robot says it, the alarms (`alarm/tell.rs`).
fn does_on_wecom(code: i64, conduct: &Conduct) -> Text {
    let exit = conduct.exit;
    if conduct.first == Move::Take {
        return say!("takes it as success; exit {exit}"; "视为成功；退出码 {exit}");
    }
    let Text { en, zh } = match (conduct.then, exit) {
        (Then::Never, _) => say!(
            "gives the notification up at once and goes on with the others";
            "立即放弃该通知，其余继续"
        ),
        _ if AGAIN.contains(&code) => say!(
            "sends the notification again later, queue.max_attempts times in all";
            "稍后重新发送该通知，共 queue.max_attempts 次"
        ),
        (_, 77) => say!(
            "stops sending at no notification's cost, and tries again with the next pass";
            "停止发送，不计入尝试次数，下一轮再试"
        ),
        _ => say!(
            "pauses sending at no notification's cost, and goes on by itself";
            "暂停发送，不计入尝试次数，恢复后自动继续"
        ),
    };
    let Text { en, zh } = match conduct.first {
        Move::Renew => say!(
            "fetches a fresh token and repeats the call, once; refused again, it {en}";
            "换取新 token 并重试一次；再次被拒则{zh}"
        ),
        _ => say!("{en}"; "{zh}"),
    };
    if !OF_ROBOTS.contains(&code) {
        return say!("{en}; a command ends with {exit}"; "{zh}；命令的退出码为 {exit}");
    }
    match exit {
        77 => say!(
            "{en}; an alarm is kept and told again every hour; a command ends with {exit}";
            "{zh}；告警则保留，每小时再通知一次；命令的退出码为 {exit}"
        ),
        _ => say!(
            "{en}; an alarm is kept and told again after 1 min, then less often down to every hour; a command ends with {exit}";
            "{zh}；告警则保留，1 分钟后再次通知，此后间隔渐长至 1 小时；命令的退出码为 {exit}"
        ),
    }
}

fn pauses(whole_account: bool, probing: Probing) -> Text {
    let (what_en, what_zh) = if whole_account {
        ("all calls of the account", "该账号的全部调用")
    } else {
        ("this API", "该接口")
    };
    let (first, longest) = (probing.wait(1), probing.wait(u32::MAX));
    let ((first_en, first_zh), (longest_en, longest_zh)) = (length(first), length(longest));
    if first == longest {
        return say!(
            "pauses {what_en} at no item's cost, probes every {first_en} and goes on by itself";
            "暂停{what_zh}，不计入重试次数，每 {first_zh}探测一次，恢复后自动继续"
        );
    }
    say!(
        "pauses {what_en} at no item's cost, probes after {first_en}, then less often down to every {longest_en}, and goes on by itself";
        "暂停{what_zh}，不计入重试次数，{first_zh}后探测，此后间隔渐长至 {longest_zh}，恢复后自动继续"
    )
}

/// A length of time as people say it.
fn length(time: Duration) -> (String, String) {
    match time.as_secs() {
        seconds if seconds >= 3600 => (format!("{} h", seconds / 3600), format!("{} 小时", seconds / 3600)),
        seconds if seconds >= 120 => (format!("{} min", seconds / 60), format!("{} 分钟", seconds / 60)),
        seconds => (format!("{seconds} s"), format!("{seconds} 秒")),
    }
}
