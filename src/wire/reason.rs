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

    /// What it tells the operator: the usual cause, and what to do.
    pub fn hint(self) -> Text {
        match self {
            Reason::Signature => say!(
                "signature does not match: compare WECHAT_TOKEN with the Token in the console, letter by letter; when they agree, it is a stranger";
                "signature 不符：请逐字核对 WECHAT_TOKEN 与后台的 Token；若一致，则来者不是微信"
            ),
            Reason::MsgSignature => say!(
                "msg_signature does not match the body: the body was changed on its way (a proxy?), or it is a forgery";
                "msg_signature 与正文不符：正文在途中被改动（代理？），或为伪造"
            ),
            Reason::Timestamp => say!(
                "timestamp in the query is not a number: not sent by WeChat";
                "查询串中的 timestamp 不是数字：并非微信所发"
            ),
            Reason::Stale => say!(
                "the signature is right but its time is outside WXOPS_REPLAY_WINDOW: check this machine's clock (timedatectl); if it is right, someone replays old pushes";
                "签名正确，但时间超出 WXOPS_REPLAY_WINDOW：请检查本机时钟（timedatectl）；若无误，则有人在重放旧推送"
            ),
            Reason::MissingParameter => say!(
                "the query lacks signature, timestamp, nonce, msg_signature or echostr: a stranger, or a proxy that drops the query string";
                "查询串缺少 signature、timestamp、nonce、msg_signature 或 echostr：来者不是微信，或代理丢掉了查询串"
            ),
            Reason::DuplicateParameter => say!(
                "a parameter stands twice in the query: not sent by WeChat, or a proxy appends the query again";
                "查询串中有重复参数：并非微信所发，或代理重复附加了查询串"
            ),
            Reason::EncryptType => say!(
                "encrypt_type is neither raw nor aes: not sent by WeChat";
                "encrypt_type 既非 raw 也非 aes：并非微信所发"
            ),
            Reason::NoKey => say!(
                "the push is encrypted but the account is configured as plain: the console is in secure or compatible mode; set WECHAT_AES_KEY to its EncodingAESKey";
                "推送已加密，但账号按明文配置：后台处于安全模式或兼容模式；请将 WECHAT_AES_KEY 设为后台的 EncodingAESKey"
            ),
            Reason::Downgrade => say!(
                "a clear body where encryption is expected: if the console is in plain mode, switch it to secure mode (or set WECHAT_MODE); else it is a forgery";
                "本应加密的推送却是明文：若后台为明文模式，请改为安全模式（或设置 WECHAT_MODE）；否则为伪造"
            ),
            Reason::Decrypt => say!(
                "Encrypt can't be opened: compare WECHAT_AES_KEY with the EncodingAESKey in the console; after a change keep the old one in WECHAT_AES_KEY_PREVIOUS";
                "Encrypt 无法解密：请核对 WECHAT_AES_KEY 与后台的 EncodingAESKey；更换后旧值请放入 WECHAT_AES_KEY_PREVIOUS"
            ),
            Reason::Appid => say!(
                "the appid inside is another one: compare WECHAT_APP_ID with the console, and whether two accounts share a callback URL";
                "密文中的 appid 不符：请核对 WECHAT_APP_ID，并检查是否有两个账号共用同一回调地址"
            ),
            Reason::ForeignAccount => say!(
                "ToUserName is another account's original id: compare WECHAT_ORIGINAL_ID with the console (gh_...)";
                "ToUserName 是另一账号的原始 ID：请核对 WECHAT_ORIGINAL_ID 与后台（gh_…）"
            ),
            Reason::Doctype => say!(
                "the body has a DOCTYPE: never sent by WeChat";
                "正文含 DOCTYPE：微信从不发送"
            ),
            Reason::Xml => say!(
                "the body is no well-formed XML: if the console's data format is JSON, change it to XML; else a proxy cut or changed the body";
                "正文不是合法 XML：若后台数据格式为 JSON，请改为 XML；否则代理截断或改动了正文"
            ),
            Reason::DuplicateField => say!(
                "a field stands twice in the message: not sent by WeChat";
                "消息中有重复字段：并非微信所发"
            ),
            Reason::MissingField => say!(
                "ToUserName, FromUserName, CreateTime or MsgType is missing: not a push of an Official Account";
                "缺少 ToUserName、FromUserName、CreateTime 或 MsgType：不是公众号推送"
            ),
            Reason::BadField => say!(
                "FromUserName is no openid or CreateTime no time between 2010 and 2100: not a push of an Official Account";
                "FromUserName 不是 openid，或 CreateTime 不在 2010 至 2100 年间：不是公众号推送"
            ),
            Reason::TooLarge => say!(
                "the body is longer than 256 KiB: not sent by WeChat, whose pushes are below 30 kB";
                "正文超过 256 KiB：并非微信所发（其推送小于 30 kB）"
            ),
            Reason::Slow => say!(
                "the request did not arrive in time: a slow client, or a proxy that does not buffer";
                "请求未在时限内到齐：客户端过慢，或代理未缓冲请求"
            ),
            Reason::UnknownAccount => say!(
                "no account of that name is configured: compare the callback URL in the console with wxops.toml";
                "没有该名称的账号：请核对后台的回调地址与 wxops.toml"
            ),
        }
    }
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
