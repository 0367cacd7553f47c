//! How the process ended: an exit code of ours, or a signal.

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who};
use crate::report::exits;
use crate::say;
use serde_json::json;

const LOG: Step =
    Step::shell(Who::Operator, "journalctl -u wxops -n 20", "the error itself is its last line", "最后一行即错误本身");
const KERNEL: Step =
    Step::shell(Who::Operator, "journalctl -k -n 50", "whether the kernel was out of memory", "查看内核是否内存不足");

/// Signals that end a process, by number.
const SIGNALS: [(i64, &str); 6] = [(6, "ABRT"), (7, "BUS"), (9, "KILL"), (11, "SEGV"), (15, "TERM"), (31, "SYS")];

/// Codes that systemd itself uses where it can't set the unit up (systemd.exec).
const SYSTEMD: std::ops::RangeInclusive<i64> = 200..=243;

/// Whether it is an exit code of wxops.
pub(super) fn is_ours(code: i64) -> bool {
    exits().iter().any(|exit| i64::from(exit.code) == code)
}

/// An exit code.
pub(super) fn code(code: i64) -> Explained {
    let ours = exits().into_iter().find(|exit| i64::from(exit.code) == code);
    let known = ours.is_some() || SYSTEMD.contains(&code);
    let (title, cause, mend) = match ours {
        Some(exit) => (
            exit.meaning,
            say!(
                "an exit code of wxops, no errcode: the same for every command";
                "wxops 的退出码，不是 errcode；所有命令含义相同"
            ),
            Text { en: format!("cron should: {}", exit.cron.en), zh: format!("cron 应当：{}", exit.cron.zh) },
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
    Explained {
        kind: "exit",
        name: format!("exit {code}"),
        title,
        cause,
        does: does(code, known),
        mend,
        step: LOG,
        command: LOG.command.map(str::to_owned),
        known,
        more: json!({ "exit": code }),
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
    let name = SIGNALS.iter().find(|(known, _)| *known == number).map_or("?", |(_, name)| name);
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
        title: say!("the process was ended by SIG{name}"; "进程被 SIG{name} 终止"),
        cause,
        does: say!(
            "loses nothing that was acknowledged: the next start takes over what was in hand";
            "已确认的不会丢失：下次启动会接手未完成的部分"
        ),
        mend: say!("start it again (systemd does)"; "重新启动（systemd 会自动进行）"),
        step,
        command: step.command.map(str::to_owned),
        known: true,
        more: json!({ "signal": number }),
    }
}
