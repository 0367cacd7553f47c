//! A refusal whose reason the `serve` of this machine has counted: its cause is certain.

use super::finding::{Finding, Question};
use crate::say;
use crate::wire::reason::Reason;

/// The finding behind a reason.
pub fn counted(question: Question, reason: Reason) -> Finding {
    let name = reason.as_str();
    let (cause, what) = match reason {
        Reason::Signature => {
            ("token", say!("the server has another Token than this configuration"; "服务器的 Token 与这里的配置不同"))
        }
        Reason::MissingParameter => (
            "query_lost",
            say!("the query does not reach the server: a proxy drops it"; "查询串没有到达服务器：被代理丢掉"),
        ),
        Reason::DuplicateParameter => (
            "query_doubled",
            say!("the query reaches the server twice: a proxy appends it again"; "查询串到达服务器时重复：代理又附加了一次"),
        ),
        Reason::Stale => (
            "clock",
            say!("the signature is right, and its time too far from the server's clock"; "签名正确，但时间与服务器时钟相差太大"),
        ),
        Reason::UnknownAccount => {
            ("path", say!("the server knows no account under this path"; "服务器上没有与此路径对应的账号"))
        }
        Reason::NoKey => (
            "no_key",
            say!("the server has no EncodingAESKey, or is set to plain"; "服务器没有 EncodingAESKey，或配置为明文模式"),
        ),
        Reason::Decrypt => (
            "aes_key",
            say!("the server has another EncodingAESKey than this configuration"; "服务器的 EncodingAESKey 与这里的配置不同"),
        ),
        Reason::Appid => (
            "receive_id",
            say!("the server has another AppID than this configuration"; "服务器的 AppID 与这里的配置不同"),
        ),
        Reason::ForeignAccount => (
            "original_id",
            say!("the server has another original id (gh_…) than this configuration"; "服务器的原始 ID（gh_…）与这里的配置不同"),
        ),
        Reason::Downgrade => ("encrypts", say!("the server takes encrypted pushes only"; "服务器只接受加密的推送")),
        Reason::MsgSignature
        | Reason::Xml
        | Reason::Doctype
        | Reason::DuplicateField
        | Reason::MissingField
        | Reason::BadField => ("body_changed", say!("the body reaches the server changed"; "正文到达服务器时已被改动")),
        _ => (name, say!("the server refuses it"; "服务器拒绝了请求")),
    };
    let (en, zh) = (what.en, what.zh);
    let what = say!("{en} (wxops serve on this machine counts reason={name})"; "{zh}（本机的 wxops serve 计入 reason={name}）");
    let finding = Finding::failed(question, cause, what);
    match reason {
        Reason::Signature | Reason::Decrypt | Reason::Appid | Reason::ForeignAccount | Reason::NoKey => {
            finding.next(say!(
                "compare what serve reads with what this command reads and with the console; restart serve after a change";
                "请核对 serve 读取的配置、本命令读取的配置与后台三者；修改后重启 serve"
            ))
        }
        Reason::MissingParameter => finding.next(say!(
            "nginx: proxy_pass http://wxops; without a path behind the name";
            "nginx：proxy_pass http://wxops; 名称后面不要再写路径"
        )),
        Reason::DuplicateParameter => finding.next(say!("remove the rewrite that appends the query"; "请去掉附加查询串的 rewrite")),
        Reason::UnknownAccount => finding.next(say!(
            "the path is /wechat/event, or /wechat/NAME/event with a name of [official.NAME]; no slash behind it";
            "路径应为 /wechat/event，或 /wechat/NAME/event（NAME 取自 [official.NAME]），末尾没有斜杠"
        )),
        Reason::Downgrade => finding.next(say!(
            "choose 安全模式 in the console, and check with --mode secure; or set WECHAT_MODE of the server";
            "请在后台选择安全模式，并用 --mode secure 检查；或修改服务器的 WECHAT_MODE"
        )),
        _ => finding.next(reason.hint()),
    }
}
