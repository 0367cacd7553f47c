//! How the process ended: an exit code of ours, or a signal.

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who};
use crate::report::exits;
use crate::say;
use serde_json::json;

const LOG: Step = Step::shell(
    Who::Operator,
    "journalctl -u wxops -n 20",
    "the error of serve is its last line; of a command, the last line of its stderr",
    "最后一行即 serve 的错误；其他命令的错误是其 stderr 的最后一行",
);
const DONE: Step = Step::place(Who::Nobody, "nothing to run", "无需执行任何命令");
const KERNEL: Step =
    Step::shell(Who::Operator, "journalctl -k -n 50", "whether the kernel was out of memory", "查看内核是否内存不足");

/// Signals that end a process, by number.
const SIGNALS: [(i64, &str); 14] = [
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (5, "TRAP"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (11, "SEGV"),
    (13, "PIPE"),
    (15, "TERM"),
    (25, "XFSZ"),
    (31, "SYS"),
];

/// Codes that systemd itself uses where it can't set the unit up (systemd.exec).
const SYSTEMD: std::ops::RangeInclusive<i64> = 200..=243;

/// Shells and containers add it to the number of the signal that ended the process.
const KILLED: i64 = 128;

/// Whether wxops ends with it, of itself or by a signal.
pub(super) fn is_ours(code: i64) -> bool {
    exits().iter().any(|exit| i64::from(exit.code) == code) || by_signal(code).is_some()
}

/// The signal behind a code such as 137.
fn by_signal(code: i64) -> Option<i64> {
    SIGNALS.iter().map(|(number, _)| *number).find(|number| number + KILLED == code)
}

/// An exit code.
pub(super) fn code(code: i64) -> Explained {
    let ours = exits().into_iter().find(|exit| i64::from(exit.code) == code);
    if let (None, Some(number)) = (&ours, by_signal(code)) {
        return signal(number);
    }
    let known = ours.is_some() || SYSTEMD.contains(&code);
    let (title, cause, mend) = match ours {
        Some(exit) => (
            exit.meaning,
            say!(
                "an exit code of wxops, no errcode: the same for every command";
                "wxops 的退出码，不是 errcode；所有命令含义相同"
            ),
            mend(code, &exit.cron),
        ),
        None if known => (
            say!("no exit code of wxops"; "不是 wxops 的退出码"),
            say!("systemd could not set the unit up: program, user, folder or sandbox (systemd.exec)"; "systemd 无法准备该服务：程序、用户、目录或隔离设置（见 systemd.exec）"),
            say!("mend the unit, then systemctl daemon-reload"; "请改正服务文件，然后 systemctl daemon-reload"),
        ),
        None => (
            say!("no exit code of wxops"; "不是 wxops 的退出码"),
            say!("another program ended with it, or a wrapper around wxops"; "由其他程序或 wxops 的外层脚本返回"),
            say!("look at the program that ended"; "请检查退出的是哪个程序"),
        ),
    };
    let step = if is_well(code) { DONE } else { LOG };
    Explained {
        kind: "exit",
        name: format!("exit {code}"),
        title,
        cause,
        does: does(code, known),
        mend,
        step,
        command: step.command.map(str::to_owned),
        rid: None,
        known,
        more: json!({ "exit": code }),
        also: None,
    }
}

/// Whether nobody need act: done, busy, or stopped by a person.
fn is_well(code: i64) -> bool {
    matches!(code, 0 | 75 | 130 | 143)
}

fn mend(code: i64, cron: &Text) -> Text {
    let Text { en, zh } = cron;
    match code {
        130 | 143 => say!("nothing"; "无需处理"),
        code if is_well(code) => say!("nothing; cron should: {en}"; "无需处理；cron 应当：{zh}"),
        _ => say!("do what the error beside it says; cron should: {en}"; "请按随附的错误处理；cron 应当：{zh}"),
    }
}

/// What becomes of `serve` under its unit (systemd/wxops.service).
fn does(code: i64, known: bool) -> Text {
    match code {
        0 => say!("has ended well"; "已正常结束"),
        2 | 75 | 77 | 78 => {
            say!("has ended; systemd does not start serve again"; "已退出；systemd 不会再启动 serve")
        }
        1 | 69 => say!("has ended; systemd starts serve again"; "已退出；systemd 会再启动 serve"),
        _ if known => say!("has ended; what was done is kept"; "已退出；已完成的工作已保留"),
        _ => say!("never ends with it"; "不会以此退出"),
    }
}

/// A signal that ended the process.
pub(super) fn signal(number: i64) -> Explained {
    let name = SIGNALS.iter().find(|(known, _)| *known == number).map(|(_, name)| format!("SIG{name}"));
    let known = name.is_some();
    let name = name.unwrap_or_else(|| format!("signal {number}"));
    let (cause, step) = match number {
        9 => (say!("kill -9, or the kernel because memory ran out"; "kill -9，或因内存不足被内核终止"), KERNEL),
        6 => (
            say!("systemd's watchdog because the writer of callbacks hung, or a fault of wxops"; "回调写入卡住而被 systemd 看门狗终止，或 wxops 自身的缺陷"),
            LOG,
        ),
        _ => (say!("a signal from outside, or a fault of wxops"; "外部信号，或 wxops 自身的缺陷"), LOG),
    };
    Explained {
        kind: "signal",
        name: format!("signal {number}"),
        title: say!("the process was ended by {name}"; "进程被 {name} 终止"),
        cause,
        does: say!(
            "loses nothing that was acknowledged: the next start takes over what was in hand";
            "已确认的不会丢失：下次启动会接手未完成的部分"
        ),
        mend: say!("start it again (systemd does)"; "重新启动（systemd 会自动进行）"),
        step,
        command: step.command.map(str::to_owned),
        rid: None,
        known,
        more: json!({ "signal": number }),
        also: None,
    }
}
