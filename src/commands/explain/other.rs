//! Numbers that people take for an errcode and that are none.

use super::shown::Explained;
use crate::error::Text;
use crate::platform::errcode::{Step, Who};
use crate::say;
use serde_json::json;

const KEYS: Step = Step::place(
    Who::Operator,
    "console: 设置与开发 > 基本配置 > 服务器配置 (callback), beside the keys of that program",
    "微信后台：设置与开发 > 基本配置 > 服务器配置，与该程序所用的密钥对照",
);
const LOG: Step = Step::shell(
    Who::Operator,
    "journalctl -u wxops -n 100 | wxops explain",
    "what the log of serve says of it",
    "查看 serve 的日志怎么说",
);

/// What it is in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoErrcode {
    /// A return value of WeChat's sample programs for decryption (reference 9).
    Sample,
    /// The status of an HTTP answer.
    Http,
}

impl NoErrcode {
    /// What a code is that is in no table, where that is known.
    pub fn of(code: i64) -> Option<NoErrcode> {
        match code {
            -40011..=-40001 => Some(NoErrcode::Sample),
            400..=599 => Some(NoErrcode::Http),
            _ => None,
        }
    }

    /// Explains it.
    pub fn explain(self, code: i64) -> Explained {
        let step = match self {
            NoErrcode::Sample => KEYS,
            NoErrcode::Http => LOG,
        };
        Explained {
            kind: "errcode",
            name: code.to_string(),
            title: say!("no errcode of the platform"; "不是平台的 errcode"),
            cause: self.cause(),
            does: self.does(),
            mend: self.mend(),
            step,
            command: step.command.map(str::to_owned),
            rid: None,
            known: false,
            more: json!({ "errcode": code }),
            also: None,
        }
    }

    fn cause(self) -> Text {
        match self {
            NoErrcode::Sample => say!(
                "a return value of WeChat's sample programs for decryption (-40001 to -40011: signature, XML, SHA, key, appid, AES, buffer, base64)";
                "微信加解密示例程序的返回值（-40001 至 -40011：签名、XML、SHA、密钥、appid、AES、缓冲区、base64）"
            ),
            NoErrcode::Http => say!(
                "most likely the HTTP status of a callback or of a proxy";
                "很可能是回调应答或代理的 HTTP 状态码"
            ),
        }
    }

    fn does(self) -> Text {
        match self {
            NoErrcode::Sample => say!(
                "never says it: what it refuses has a reason, such as signature, decrypt or appid";
                "不会给出此值：wxops 的拒绝都写明 reason，例如 signature、decrypt、appid"
            ),
            NoErrcode::Http => say!(
                "answers callbacks with 403 where it refuses them (404: no such account, 408: too slow, 413: too long), with 503 while the database is away";
                "拒绝的回调以 403 应答（404：无此账号，408：过慢，413：过长），数据库不可用时以 503 应答"
            ),
        }
    }

    fn mend(self) -> Text {
        match self {
            NoErrcode::Sample => say!(
                "compare Token, EncodingAESKey and AppID of the program that said it with the console";
                "请核对给出此值的程序的 Token、EncodingAESKey、AppID 与后台是否一致"
            ),
            NoErrcode::Http => say!(
                "the log of serve names the reason; where it has no line, the proxy before it answered";
                "serve 的日志写明了原因；日志中没有，则是前面的代理所答"
            ),
        }
    }
}
