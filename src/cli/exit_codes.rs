//! `wxops help exit-codes`: the table that crontabs and units rely on.

use crate::error::{Lang, Result, Text};
use crate::report::{Column, Out, Row};
use crate::say;

const COLUMNS: &[Column] = &[Column("CODE", "退出码"), Column("MEANING", "含义"), Column("CRON SHOULD", "cron 应当")];

struct Code {
    code: u8,
    meaning: Text,
    cron: Text,
    lang: Lang,
}

/// Lists them.
pub(super) fn show(out: &mut Out) -> Result<()> {
    let lang = out.lang;
    let mut list = out.list(COLUMNS);
    for (code, meaning, cron) in table() {
        list.row(&Code { code, meaning, cron, lang })?;
    }
    list.end().map(drop)
}

/// Code, what it means, what a scheduler should do about it.
pub(super) fn table() -> Vec<(u8, Text, Text)> {
    vec![
        (0, say!("done, or nothing to do"; "完成，或无事可做"), say!("stay silent"; "保持安静")),
        (1, say!("failed"; "失败"), say!("alert"; "告警")),
        (
            2,
            say!("wrong command line, or --yes is missing"; "命令行有误，或缺少 --yes"),
            say!("mend the line"; "改命令"),
        ),
        (
            3,
            say!("done in part; what is missing is named"; "部分完成，会列出未完成的"),
            say!("alert; run again"; "告警并重跑"),
        ),
        (
            4,
            say!("the outcome of a send is unknown: a person decides"; "发送结果未知，须由人判断"),
            say!("alert; do not run again"; "告警，不要重跑"),
        ),
        (
            69,
            say!("database or WeChat not reachable, or the quota is spent"; "数据库或微信不可达，或当日配额用尽"),
            say!("try later"; "稍后重试"),
        ),
        (75, say!("another one runs already"; "已有另一个在运行"), say!("ignore"; "忽略")),
        (
            77,
            say!("WeChat says no: secret, IP list, permission"; "微信拒绝：AppSecret、IP白名单、权限"),
            say!("mend the account"; "处理账号"),
        ),
        (78, say!("the configuration is wrong"; "配置有误"), say!("mend the file"; "改文件")),
        (130, say!("ended by Ctrl-C; what was done is kept"; "被 Ctrl-C 结束，已完成的工作保留"), say!("–"; "–")),
        (143, say!("ended by SIGTERM; what was done is kept"; "被 SIGTERM 结束，已完成的工作保留"), say!("–"; "–")),
    ]
}

impl Row for Code {
    fn json(&self) -> serde_json::Value {
        serde_json::json!({ "code": self.code, "meaning": self.meaning.en, "cron": self.cron.en })
    }

    fn cells(&self) -> Vec<String> {
        vec![self.code.to_string(), self.meaning.in_lang(self.lang).to_owned(), self.cron.in_lang(self.lang).to_owned()]
    }
}
