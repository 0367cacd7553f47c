//! The exit codes, as crontabs and units rely on them.

use crate::error::Text;
use crate::say;

/// An exit code of every verb.
#[derive(Debug, Clone)]
pub struct Exit {
    /// The code.
    pub code: u8,
    /// What it means.
    pub meaning: Text,
    /// What a scheduler should do about it.
    pub cron: Text,
}

/// All of them, in order.
#[rustfmt::skip]
pub fn exits() -> Vec<Exit> {
    let exit = |code, meaning, cron| Exit { code, meaning, cron };
    vec![
        exit(0, say!("done, or nothing to do"; "完成，或无事可做"), say!("stay silent"; "保持安静")),
        exit(1, say!("failed"; "失败"), say!("alert"; "告警")),
        exit(2, say!("wrong command line, or --yes is missing"; "命令行有误，或缺少 --yes"), say!("mend the line"; "改命令")),
        exit(3, say!("done in part; what is missing is named"; "部分完成，会列出未完成的"), say!("alert; run again"; "告警并重跑")),
        exit(4, say!("the outcome of a send is unknown: a person decides"; "发送结果未知，须由人判断"), say!("alert; do not run again"; "告警，不要重跑")),
        exit(69, say!("database or WeChat not reachable, or the quota is spent"; "数据库或微信不可达，或当日配额用尽"), say!("try later"; "稍后重试")),
        exit(75, say!("another one runs already"; "已有另一个在运行"), say!("ignore"; "忽略")),
        exit(77, say!("WeChat says no: secret, IP list, permission"; "微信拒绝：AppSecret、IP白名单、权限"), say!("mend the account"; "处理账号")),
        exit(78, say!("the configuration is wrong"; "配置有误"), say!("mend the file"; "改文件")),
        exit(130, say!("ended by Ctrl-C; what was done is kept"; "被 Ctrl-C 结束，已完成的工作保留"), say!("nothing"; "无需处理")),
        exit(143, say!("ended by SIGTERM; what was done is kept"; "被 SIGTERM 结束，已完成的工作保留"), say!("nothing"; "无需处理")),
    ]
}
