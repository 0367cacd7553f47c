//! Why a callback was refused: the reason, or the cause that the pattern proved; the same advice as in the log.

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who};
use crate::say;
use crate::wire::cause::Cause;
use crate::wire::reason::Reason;
use serde_json::json;

const STRANGER: Step = Step::place(Who::Nobody, "nothing to run", "无需执行任何命令");
const PROXY: Step = Step::shell(
    Who::Operator,
    "wxops callback check",
    "names what a proxy changes; examples/nginx.conf is one that works",
    "指出代理改动了什么；examples/nginx.conf 是可用的范例",
);
const CONSOLE: Step = Step::shell(
    Who::Operator,
    "wxops callback check",
    "whether the URL works with our keys; where it does, the console differs: 设置与开发 > 基本配置 > 服务器配置",
    "检查 URL 与我们的密钥是否可用；若可用，则是后台不同：设置与开发 > 基本配置 > 服务器配置",
);
const CLOCK: Step =
    Step::shell(Who::Operator, "timedatectl", "whether this machine's clock is kept", "查看本机时钟是否同步");

/// A reason of refusal.
pub(super) fn reason(reason: Reason) -> Explained {
    let step = match reason {
        Reason::Signature
        | Reason::NoKey
        | Reason::Downgrade
        | Reason::Decrypt
        | Reason::Appid
        | Reason::ForeignAccount
        | Reason::UnknownAccount => CONSOLE,
        Reason::Stale => CLOCK,
        Reason::MissingParameter | Reason::DuplicateParameter | Reason::MsgSignature | Reason::Xml | Reason::Slow => {
            PROXY
        }
        Reason::Timestamp
        | Reason::EncryptType
        | Reason::Doctype
        | Reason::DuplicateField
        | Reason::MissingField
        | Reason::BadField
        | Reason::TooLarge => STRANGER,
    };
    let (name, status, advice) = (reason.as_str(), reason.status(), reason.advice());
    Explained {
        kind: "reason",
        name: name.to_owned(),
        title: say!("a callback was refused"; "回调被拒绝"),
        cause: advice.cause,
        does: say!(
            "answers {status} with an empty body, stores nothing, counts it in wxops_callback_refused_total; WeChat sends a push three or four times in all";
            "以 {status} 和空正文应答，不存储，计入 wxops_callback_refused_total；微信共推送三四次"
        ),
        mend: advice.mend,
        step,
        command: step.command.map(str::to_owned),
        rid: None,
        known: true,
        more: json!({ "reason": name, "status": status }),
        also: None,
    }
}

/// What the pattern of callbacks proved.
pub(super) fn cause(cause: &Cause) -> Explained {
    let step = if matches!(cause, Cause::Clock(_)) { CLOCK } else { CONSOLE };
    let advice = cause.advice();
    Explained {
        kind: "cause",
        name: cause.as_str().to_owned(),
        title: say!("what the callbacks prove"; "由回调推断出的原因"),
        cause: advice.cause,
        does: does(cause),
        mend: advice.mend,
        step,
        command: step.command.map(str::to_owned),
        rid: None,
        known: true,
        more: json!({}),
        also: None,
    }
}

fn does(cause: &Cause) -> Text {
    match cause {
        cause if cause.accepted() => {
            say!("accepts these callbacks all the same, and says this once a minute"; "照常接受这些回调，每分钟提示一次")
        }
        Cause::Clock(_) => say!(
            "accepts and counts these callbacks; where WXOPS_REPLAY_WINDOW is set it refuses them";
            "接受并计数；若设置了 WXOPS_REPLAY_WINDOW 则拒绝"
        ),
        _ => say!(
            "refuses these callbacks with an empty body, stores nothing, and says this once a minute; WeChat sends a push three or four times in all";
            "以空正文拒绝这些回调，不存储，每分钟提示一次；微信共推送三四次"
        ),
    }
}
