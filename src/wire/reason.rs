//! Why a callback is refused: one list for logs, metrics and tests.

use crate::error::Text;
use crate::say;
use std::fmt;

/// Why a callback was refused. The names are an interface (metric label `reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `signature` is not the one of our token, timestamp and nonce.
    Signature,
    /// `msg_signature` is not the one of our token, timestamp, nonce and Encrypt.
    MsgSignature,
    /// `timestamp` is not a number.
    Timestamp,
    /// `timestamp` lies outside the replay window, though the signature is right.
    Stale,
    /// A parameter of the query that must be there is missing, empty or not readable.
    MissingParameter,
    /// A parameter that counts stands twice in the query.
    DuplicateParameter,
    /// `encrypt_type` is neither absent, `raw` nor `aes`.
    EncryptType,
    /// The push is encrypted, and the account has no key or is configured as plain.
    NoKey,
    /// A clear body, or half an encrypted one, where encryption is expected.
    Downgrade,
    /// Encrypt can't be opened with any key.
    Decrypt,
    /// The appid inside the envelope is another one.
    Appid,
    /// ToUserName inside is not this account's original id.
    ForeignAccount,
    /// The XML has a DOCTYPE.
    Doctype,
    /// The body is no well-formed XML within the bounds.
    Xml,
    /// A field stands twice at the top of the message.
    DuplicateField,
    /// A field that every push has is missing.
    MissingField,
    /// A field that every push has can't be what it says.
    BadField,
    /// The body is longer than 256 KiB.
    TooLarge,
    /// The request did not arrive in time.
    Slow,
    /// No account of that name.
    UnknownAccount,
}

/// Every reason with its name, in the order of the public list.
const NAMES: [(Reason, &str); 20] = [
    (Reason::Signature, "signature"),
    (Reason::MsgSignature, "msg_signature"),
    (Reason::Timestamp, "timestamp"),
    (Reason::Stale, "stale"),
    (Reason::MissingParameter, "missing_parameter"),
    (Reason::DuplicateParameter, "duplicate_parameter"),
    (Reason::EncryptType, "encrypt_type"),
    (Reason::NoKey, "no_key"),
    (Reason::Downgrade, "downgrade"),
    (Reason::Decrypt, "decrypt"),
    (Reason::Appid, "appid"),
    (Reason::ForeignAccount, "foreign_account"),
    (Reason::Doctype, "doctype"),
    (Reason::Xml, "xml"),
    (Reason::DuplicateField, "duplicate_field"),
    (Reason::MissingField, "missing_field"),
    (Reason::BadField, "bad_field"),
    (Reason::TooLarge, "too_large"),
    (Reason::Slow, "slow"),
    (Reason::UnknownAccount, "unknown_account"),
];

impl Reason {
    /// The name, for logs and as a label.
    pub fn as_str(self) -> &'static str {
        NAMES.iter().find(|(reason, _)| *reason == self).map_or("", |(_, name)| name)
    }

    /// Every reason, in the order of the public list.
    pub fn all() -> impl Iterator<Item = Reason> {
        NAMES.iter().map(|(reason, _)| *reason)
    }

    /// The HTTP status of the answer; its body is empty whatever the reason (contract of the callback routes).
    pub fn status(self) -> u16 {
        match self {
            Reason::UnknownAccount => 404,
            Reason::Slow => 408,
            Reason::TooLarge => 413,
            _ => 403,
        }
    }

    /// What it tells the operator, as the log has it.
    pub fn hint(self) -> Text {
        self.advice().hint()
    }

    /// The usual cause, and what to do. Where the pattern proves more, there is a [`Cause`](super::cause::Cause).
    #[rustfmt::skip]
    pub fn advice(self) -> Advice {
        let (cause, mend) = match self {
            Reason::Signature => (
                say!("signature does not match: the console has another Token, or it is a stranger"; "signature 不符：后台的 Token 不同，或来者不是微信"),
                say!("compare WECHAT_TOKEN with the Token in the console, letter by letter; when they agree, it is a stranger"; "请逐字核对 WECHAT_TOKEN 与后台的 Token；若一致，则来者不是微信"),
            ),
            Reason::MsgSignature => (
                say!("msg_signature does not match the body: it was changed on its way, or it is a forgery"; "msg_signature 与正文不符：正文在途中被改动，或为伪造"),
                say!("see whether a proxy rewrites bodies; a forgery needs nothing, it is refused"; "请检查代理是否改写正文；若为伪造则无需处理，已拒绝"),
            ),
            Reason::Timestamp => (
                say!("timestamp in the query is not a number: not sent by WeChat"; "查询串中的 timestamp 不是数字：并非微信所发"),
                nothing(),
            ),
            Reason::Stale => (
                say!("the signature is right but its time is outside WXOPS_REPLAY_WINDOW: this machine's clock is wrong, or someone replays old pushes"; "签名正确，但时间超出 WXOPS_REPLAY_WINDOW：本机时钟不准，或有人在重放旧推送"),
                say!("check this machine's clock (timedatectl); if it is right, nothing"; "请检查本机时钟（timedatectl）；若无误则无需处理"),
            ),
            Reason::MissingParameter => (
                say!("the query lacks signature, timestamp, nonce, msg_signature or echostr: a stranger, or a proxy that drops the query string"; "查询串缺少 signature、timestamp、nonce、msg_signature 或 echostr：来者不是微信，或代理丢掉了查询串"),
                say!("see that the proxy passes the query on as it came (nginx: proxy_pass without a path)"; "请确认代理原样转发查询串（nginx：proxy_pass 后不写路径）"),
            ),
            Reason::DuplicateParameter => (
                say!("a parameter stands twice in the query: not sent by WeChat, or a proxy appends the query again"; "查询串中有重复参数：并非微信所发，或代理重复附加了查询串"),
                say!("take the rewrite out of the proxy's configuration"; "请去掉代理配置中的 rewrite"),
            ),
            Reason::EncryptType => (
                say!("encrypt_type is neither raw nor aes: not sent by WeChat"; "encrypt_type 既非 raw 也非 aes：并非微信所发"),
                nothing(),
            ),
            Reason::NoKey => (
                say!("the push is encrypted but the account is configured as plain: the console is in secure or compatible mode"; "推送已加密，但账号按明文配置：后台处于安全模式或兼容模式"),
                say!("set WECHAT_AES_KEY to the EncodingAESKey of the console, and WECHAT_MODE to its mode or to nothing"; "请将 WECHAT_AES_KEY 设为后台的 EncodingAESKey，WECHAT_MODE 与后台一致或留空"),
            ),
            Reason::Downgrade => (
                say!("a clear body where encryption is expected: the console is in plain mode, or it is a forgery"; "本应加密的推送却是明文：后台为明文模式，或为伪造"),
                say!("if the console is in plain mode, switch it to secure mode (or set WECHAT_MODE); else nothing"; "若后台为明文模式，请改为安全模式（或设置 WECHAT_MODE）；否则无需处理"),
            ),
            Reason::Decrypt => (
                say!("Encrypt can't be opened: the console has another EncodingAESKey"; "Encrypt 无法解密：后台的 EncodingAESKey 不同"),
                say!("compare WECHAT_AES_KEY with the EncodingAESKey in the console; after a change keep the old one in WECHAT_AES_KEY_PREVIOUS"; "请核对 WECHAT_AES_KEY 与后台的 EncodingAESKey；更换后旧值请放入 WECHAT_AES_KEY_PREVIOUS"),
            ),
            Reason::Appid => (
                say!("the appid inside is another one: another account has the same callback URL and keys"; "密文中的 appid 不符：另有账号使用了相同的回调地址与密钥"),
                say!("compare WECHAT_APP_ID with the console, and the callback URLs of your accounts"; "请核对 WECHAT_APP_ID 与后台，以及各账号的回调地址"),
            ),
            Reason::ForeignAccount => (
                say!("ToUserName is another account's original id"; "ToUserName 是另一账号的原始 ID"),
                say!("compare WECHAT_ORIGINAL_ID with the console (gh_...)"; "请核对 WECHAT_ORIGINAL_ID 与后台（gh_…）"),
            ),
            Reason::Doctype => (
                say!("the body has a DOCTYPE: never sent by WeChat"; "正文含 DOCTYPE：微信从不发送"),
                nothing(),
            ),
            Reason::Xml => (
                say!("the body is no well-formed XML: the console's data format is JSON, or a proxy cut or changed the body"; "正文不是合法 XML：后台数据格式为 JSON，或代理截断、改动了正文"),
                say!("choose XML as 数据格式 in the console; else look at the proxy"; "请在后台把数据格式改为 XML；否则检查代理"),
            ),
            Reason::DuplicateField => (
                say!("a field stands twice in the message: not sent by WeChat"; "消息中有重复字段：并非微信所发"),
                nothing(),
            ),
            Reason::MissingField => (
                say!("ToUserName, FromUserName, CreateTime or MsgType is missing: not a push of an Official Account"; "缺少 ToUserName、FromUserName、CreateTime 或 MsgType：不是公众号推送"),
                nothing(),
            ),
            Reason::BadField => (
                say!("FromUserName is no openid or CreateTime no time between 2010 and 2100: not a push of an Official Account"; "FromUserName 不是 openid，或 CreateTime 不在 2010 至 2100 年间：不是公众号推送"),
                nothing(),
            ),
            Reason::TooLarge => (
                say!("the body is longer than 256 KiB: not sent by WeChat, whose pushes are below 30 kB"; "正文超过 256 KiB：并非微信所发（其推送小于 30 kB）"),
                nothing(),
            ),
            Reason::Slow => (
                say!("the request did not arrive in time: a slow client, or a proxy that does not buffer"; "请求未在时限内到齐：客户端过慢，或代理未缓冲请求"),
                say!("let the proxy buffer requests (nginx: proxy_request_buffering on)"; "请让代理缓冲请求（nginx：proxy_request_buffering on）"),
            ),
            Reason::UnknownAccount => (
                say!("no account of that name is configured, or the path is another"; "没有该名称的账号，或路径不对"),
                say!("compare the callback URL in the console with the accounts in wxops.toml"; "请核对后台的回调地址与 wxops.toml 中的账号"),
            ),
        };
        Advice { cause, mend }
    }

    /// The reason with this name.
    pub fn named(name: &str) -> Option<Reason> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(reason, _)| *reason)
    }
}

/// What is the matter, and what a person does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What is the matter.
    pub cause: Text,
    /// What a person does.
    pub mend: Text,
}

impl Advice {
    /// Both on one line.
    pub fn hint(&self) -> Text {
        let Advice { cause, mend } = self;
        Text { en: format!("{}; {}", cause.en, mend.en), zh: format!("{}；{}", cause.zh, mend.zh) }
    }
}

/// Of strangers.
fn nothing() -> Text {
    say!("nothing: it is refused and counted"; "无需处理：已拒绝并计数")
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A callback that is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Whether a right signature covers what was refused: `msg_signature` for a body, `signature` for a
    /// stale timestamp. A clear body is never signed (reference 1.2).
    pub signed: bool,
}

impl Refusal {
    /// A refusal of something that no signature vouches for.
    pub fn unsigned(reason: Reason) -> Self {
        Refusal { reason, signed: false }
    }

    /// A refusal of something that the holder of the token has signed.
    pub fn signed(reason: Reason) -> Self {
        Refusal { reason, signed: true }
    }
}
