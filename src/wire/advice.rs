//! What a refusal or an odd callback of WeCom tells the operator. Most reasons are an Official Account's; they differ in
//! the settings that are named, and in what the one signature proves.

use super::cause::Cause;
use super::reason::{Advice, Reason};
use crate::domain::account::Platform;
use crate::error::Text;
use crate::say;

/// The usual cause of a refusal on this platform, and what to do.
pub fn of_reason(platform: Platform, reason: Reason) -> Advice {
    match platform {
        Platform::WeCom => wecom(reason).unwrap_or_else(|| renamed(reason.advice())),
        _ => reason.advice(),
    }
}

/// What is the matter with callbacks of this platform, and what to do.
pub fn of_cause(platform: Platform, cause: &Cause) -> Advice {
    match platform {
        Platform::WeCom => renamed(cause.advice()),
        _ => cause.advice(),
    }
}

/// What is another thing than of an Official Account (WeCom reference 5).
#[rustfmt::skip]
fn wecom(reason: Reason) -> Option<Advice> {
    let (cause, mend) = match reason {
        Reason::MsgSignature => (
            say!("msg_signature does not match: WeCom's console has another Token, the body was changed on its way, or it is a stranger"; "msg_signature 不符：企业微信后台的 Token 不同、正文在途中被改动，或来者不是企业微信"),
            say!("compare WECOM_TOKEN with the Token of the application (接收消息), letter by letter; when they agree, it is a stranger or a proxy that rewrites bodies"; "请逐字核对 WECOM_TOKEN 与应用“接收消息”页的 Token；若一致，则来者是陌生人，或代理改写了正文"),
        ),
        Reason::MissingParameter => (
            say!("the query lacks msg_signature, timestamp, nonce or echostr: a stranger, or a proxy that drops the query string"; "查询串缺少 msg_signature、timestamp、nonce 或 echostr：来者不是企业微信，或代理丢掉了查询串"),
            say!("see that the proxy passes the query on as it came (nginx: proxy_pass without a path)"; "请确认代理原样转发查询串（nginx：proxy_pass 后不写路径）"),
        ),
        Reason::NoKey => (
            say!("a callback for an application that has no Token and EncodingAESKey here"; "收到回调，但此处没有设置该应用的 Token 与 EncodingAESKey"),
            say!("set WECOM_TOKEN and WECOM_AES_KEY (token and aes_key in the file) to what the application's console shows (接收消息)"; "请将 WECOM_TOKEN 与 WECOM_AES_KEY（文件中的 token 与 aes_key）设为应用“接收消息”页中的值"),
        ),
        Reason::Downgrade => (
            say!("a body without Encrypt: WeCom has no clear-text mode, so it is a forgery, or another program calls this URL"; "正文没有 Encrypt：企业微信没有明文模式，故为伪造，或其他程序在调用此地址"),
            say!("nothing: it is refused and counted"; "无需处理：已拒绝并计数"),
        ),
        Reason::Appid => (
            say!("the CorpID inside is another one: another corporation's application has the same callback URL and keys"; "密文中的 CorpID 不符：另一企业的应用使用了相同的回调地址与密钥"),
            say!("compare WECOM_CORP_ID with the console (我的企业)"; "请核对 WECOM_CORP_ID 与管理后台“我的企业”页"),
        ),
        Reason::ForeignAccount => (
            say!("AgentID is another application's: it has the URL and keys of this one"; "AgentID 属于另一应用：它填的是本应用的 URL 与密钥"),
            say!("compare WECOM_AGENT_ID with the console; in the other application's the URL must end in /wecom/NAME/event"; "请核对 WECOM_AGENT_ID 与后台；另一应用的 URL 须以 /wecom/账号名/event 结尾"),
        ),
        Reason::Xml => (
            say!("the body is neither well-formed XML nor JSON: a proxy cut or changed it, or it is a stranger"; "正文既不是合法 XML 也不是合法 JSON：代理截断、改动了正文，或来者不是企业微信"),
            say!("look at the proxy; a stranger needs nothing"; "请检查代理；若为陌生人则无需处理"),
        ),
        Reason::MissingField => (
            say!("ToUserName, FromUserName, CreateTime or MsgType is missing: not a push of an application"; "缺少 ToUserName、FromUserName、CreateTime 或 MsgType：不是应用的推送"),
            say!("nothing: it is refused and counted"; "无需处理：已拒绝并计数"),
        ),
        Reason::BadField => (
            say!("FromUserName is no userid or CreateTime no time between 2010 and 2100: not a push of an application"; "FromUserName 不是 userid，或 CreateTime 不在 2010 至 2100 年间：不是应用的推送"),
            say!("nothing: it is refused and counted"; "无需处理：已拒绝并计数"),
        ),
        _ => return None,
    };
    Some(Advice { cause, mend })
}

/// The same words, of WeCom and its settings.
fn renamed(advice: Advice) -> Advice {
    let of = |text: Text| {
        let en = text.en.replace("WECHAT_", "WECOM_").replace("WeChat", "WeCom");
        let zh = text.zh.replace("WECHAT_", "WECOM_").replace("微信", "企业微信");
        Text { en, zh }
    };
    Advice { cause: of(advice.cause), mend: of(advice.mend) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reason_of_wecom_names_a_setting_of_an_official_account() {
        let advice = Reason::all().map(|reason| of_reason(Platform::WeCom, reason));
        for advice in
            advice.chain([Cause::PreviousToken, Cause::PreviousKey].iter().map(|c| of_cause(Platform::WeCom, c)))
        {
            let Text { en, zh } = advice.hint();
            for text in [en, zh] {
                let foreign = ["WECHAT_", "WeChat", "Official Account", "公众", "企业企业"];
                assert!(!foreign.iter().any(|word| text.contains(word)), "{text}");
            }
        }
    }
}
