//! The codes this stand-in answers with, in the platform's words (reference 9). Its own small table:
//! the client's is another, so that one mistake is not made on both sides.

use super::noise;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A code and its text.
const TEXTS: &[(i64, &str)] = &[
    (-1, "system error"),
    (40001, "invalid credential, access_token is invalid or not latest"),
    (40002, "invalid grant_type"),
    (40003, "invalid openid"),
    (40013, "invalid appid"),
    (40014, "invalid access_token"),
    (40032, "invalid openid list size"),
    (40035, "invalid args size"),
    (40066, "invalid url"),
    (40097, "invalid args"),
    (40125, "invalid appsecret, view more at http://t.cn/RAEkdVq"),
    (40164, "invalid ip, not in whitelist"),
    (40243, "appsecret is frozen"),
    (41001, "access_token missing"),
    (41002, "appid missing"),
    (41004, "appsecret missing"),
    (41009, "missing openid"),
    (42001, "access_token expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43004, "require subscribe"),
    (44002, "empty post data"),
    (45009, "reach max api daily quota limit"),
    (45011, "api minute-quota reach limit, must slower, retry next minute"),
    (45102, "this api have been blocked temporarily."),
    (47001, "data format error"),
    (47002, "data format error, do NOT use json unicode encode (\\uxxxx\\uxxxx), please use utf8 encoded text!"),
    (48001, "api unauthorized"),
    (48004, "api forbidden for irregularities, view detail on mp.weixin.qq.com"),
    (48006, "forbid to clear quota because of reaching the limit"),
    (49003, "not match openid with appid"),
    (50002, "user limited"),
    (50004, "user not allow to use accesstoken, maybe for punishment"),
    (50007, "account frozen"),
    (61004, "access clientip is not registered"),
    (76001, "rid not found"),
    (76002, "rid is error"),
    (76003, "could not query this rid,no permission"),
    (76004, "rid time is error"),
    (76021, "cgi_path not found, please check"),
    (76022, "could not use this cgi_path,no permission"),
    (89503, "the call need administrator confirm"),
    (89506, "rejected by administrator, retry after 24 hours"),
    (89507, "rejected by administrator, retry after 1 hour"),
];

/// The same of WeCom (WeCom reference 2, 4 and 6).
const WECOM: &[(i64, &str)] = &[
    (-1, "system error"),
    (40001, "invalid credential"),
    (6000, "data version conflict"),
    (40003, "invalid userid"),
    (40007, "invalid media_id"),
    (40008, "invalid message type"),
    (40013, "invalid corpid"),
    (40014, "invalid access_token"),
    (40031, "invalid userid list"),
    (40032, "invalid userid list size"),
    (40035, "invalid parameter"),
    (40056, "invalid agentid"),
    (40058, "invalid Request Parameter"),
    (40063, "some parameters are empty"),
    (40066, "invalid url"),
    (40091, "invalid secret"),
    (41001, "access_token missing"),
    (41002, "corpid missing"),
    (41004, "corpsecret missing"),
    (41006, "media_id missing"),
    (41010, "url missing"),
    (41011, "agentid missing"),
    (41016, "title missing"),
    (41033, "description missing"),
    (42001, "access_token expired"),
    (42014, "invalid task_id"),
    (42027, "Template_Card.horizontal_content_list.keyname missing"),
    (42028, "Template_Card url missing"),
    (42030, "Template_Card appid missing"),
    (42031, "invalid Template_Card.card_type"),
    (42033, "Template_Card title missing"),
    (42035, "invalid Template_Card.horizontal_content_list size"),
    (42042, "invalid Template_Card.jump_list size"),
    (42045, "invalid Template_Card.card_action"),
    (42052, "msgid expired"),
    (43001, "require GET method"),
    (43002, "require POST method"),
    (43012, "callback url not set"),
    (44004, "empty content"),
    (45002, "content size out of limit"),
    (45008, "article size out of limit"),
    (45009, "api freq out of limit"),
    (45033, "api concurrent out of limit"),
    (45034, "url must have a protocol header"),
    (48002, "api forbidden"),
    (50002, "user out of privilege"),
    (50003, "app disabled"),
    (60011, "no privilege to access/modify contact/party/agent"),
    (60020, "not allow to access from your ip"),
    (81013, "user & party & tag all invalid"),
    (82001, "All touser & toparty & totag invalid"),
    (82002, "invalid party list size"),
    (82003, "invalid tag list size"),
    (85002, "contains forbidden words"),
    (93000, "invalid webhook url"),
    (93004, "robot disabled"),
    (93008, "not in the group"),
    (301002, "not allow operate another agent with this accesstoken"),
];

/// A refusal of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub errcode: i64,
    /// The text, where the table's is not enough.
    pub text: Option<String>,
    /// What the answer names beside it.
    pub lists: Vec<(&'static str, String)>,
}

/// Refuses with the table's text.
pub fn refuse<T>(errcode: i64) -> Result<T, Refusal> {
    Err(Refusal::of(errcode))
}

/// Whether the sandbox can answer with this code.
pub fn is_known(errcode: i64) -> bool {
    text(TEXTS, errcode).or_else(|| text(WECOM, errcode)).is_some()
}

fn text(table: &[(i64, &'static str)], errcode: i64) -> Option<&'static str> {
    table.iter().find(|(code, _)| *code == errcode).map(|(_, text)| *text)
}

/// The body of a refusal.
#[derive(Debug, Serialize)]
pub struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_list: Option<[&'static str; 0]>,
    errcode: i64,
    errmsg: String,
    #[serde(flatten)]
    lists: BTreeMap<&'static str, String>,
}

impl Refusal {
    /// With the table's text.
    pub fn of(errcode: i64) -> Self {
        Refusal { errcode, text: None, lists: Vec::new() }
    }

    /// With a text of its own.
    pub fn said(errcode: i64, text: impl Into<String>) -> Self {
        Refusal { text: Some(text.into()), ..Refusal::of(errcode) }
    }

    /// The body, with the request id behind the text.
    pub fn body(&self, rid: &str) -> Body {
        let said = self.text.as_deref().or_else(|| text(TEXTS, self.errcode)).unwrap_or("system error");
        let errmsg = format!("{said} rid: {rid}");
        Body { ip_list: None, errcode: self.errcode, errmsg, lists: BTreeMap::new() }
    }

    /// The body as WeCom writes it: with a hint for its support, the caller's address and a page. `lists`:
    /// the API answers with a list of addresses, which is then there and empty (WeCom reference 3.4).
    pub fn wecom_body(&self, now_ms: i64, peer: IpAddr, lists: bool) -> Body {
        let errcode = self.errcode;
        let said = self.text.as_deref().or_else(|| text(WECOM, errcode)).unwrap_or("system error");
        let (hint, ip) = (now_ms.saturating_mul(1_000_000), peer.to_canonical());
        let page = format!("https://open.work.weixin.qq.com/devtool/query?e={errcode}");
        let errmsg = format!("{said}, hint: [{hint}], from ip: {ip}, more info at {page}");
        Body { ip_list: lists.then_some([]), errcode, errmsg, lists: self.lists.iter().cloned().collect() }
    }
}

/// A request id: three numbers of eight hexadecimal digits, the first the time, the others of a serial number.
pub fn rid(now: i64, serial: u64) -> String {
    let noise = noise::mix(serial ^ (now as u64).rotate_left(32));
    format!("{:08x}-{:08x}-{:08x}", now as u32, (noise >> 32) as u32, noise as u32)
}
