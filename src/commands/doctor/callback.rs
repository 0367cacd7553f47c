//! The public URL, asked once as the console asks it: a GET signed with our Token, which must come back bare. No
//! forged one is sent, as `callback check` does: a doctor that comes every hour should not look like an attack.

use super::Patient;
use super::finding::{Check, Finding};
use crate::domain::account::{Access, AesKey, Official, WeCom};
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::say;
use crate::wire::envelope;
use crate::wire::signature::sign;
use reqwest::redirect::Policy;
use std::time::Duration;

/// The platform hangs up after 5 s.
const LIMIT: Duration = Duration::from_secs(5);

/// Where an account's callbacks should arrive, and what its console would ask there.
pub(super) struct Door {
    /// The account's name.
    pub account: String,
    path: String,
    /// Only a stand-in calls.
    stand_in: bool,
    keys: Keys,
}

/// What the question is signed with, and sealed where the platform seals it.
enum Keys {
    Official(Secret),
    WeCom {
        token: Secret,
        key: AesKey,
        corp_id: String,
    },
    /// Nothing: whoever looks at the configuration says so.
    None,
}

impl Door {
    pub fn official(account: &Official, default: bool) -> Door {
        let path = match default {
            true => "/wechat/event".to_owned(),
            false => format!("/wechat/{}/event", account.name),
        };
        let keys = account.tokens.first().cloned().map_or(Keys::None, Keys::Official);
        Door::of(account, path, keys)
    }

    pub fn wecom(account: &WeCom, path: String) -> Door {
        let keys = match (account.tokens.first(), account.aes_keys.first()) {
            (Some(token), Some(key)) => {
                Keys::WeCom { token: token.clone(), key: key.clone(), corp_id: account.app_id.clone() }
            }
            _ => Keys::None,
        };
        Door::of(account, path, keys)
    }

    fn of(account: &Access, path: String, keys: Keys) -> Door {
        Door { account: account.name.clone(), path, stand_in: account.api_base.starts_with("http://"), keys }
    }

    /// The console's question, whose answer is `echo`.
    fn query(&self, now: i64, echo: &str) -> Option<Vec<(&'static str, String)>> {
        let (time, nonce) = (now.to_string(), number());
        let (signed, signature, echostr) = match &self.keys {
            Keys::Official(token) => ("signature", sign(token, &[&time, &nonce]), echo.to_owned()),
            Keys::WeCom { token, key, corp_id } => {
                let sealed = envelope::seal(key, corp_id, &rand::random(), echo);
                ("msg_signature", sign(token, &[&time, &nonce, &sealed]), sealed)
            }
            Keys::None => return None,
        };
        Some(vec![(signed, signature), ("timestamp", time), ("nonce", nonce), ("echostr", echostr)])
    }
}

pub(super) async fn check(patient: &Patient, door: &Door) -> Vec<Finding> {
    let name = Some(door.account.as_str());
    let Some(public) = &patient.config.public_url else {
        if door.stand_in {
            return Vec::new();
        }
        return vec![Finding::warn(
            Check::Callback,
            name,
            say!("not looked at: WXOPS_PUBLIC_URL is not set"; "未检查：没有设置 WXOPS_PUBLIC_URL"),
            say!(
                "set WXOPS_PUBLIC_URL to what WeChat reaches, such as https://wx.example.com";
                "请把 WXOPS_PUBLIC_URL 设为微信访问的地址，例如 https://wx.example.com"
            ),
        )];
    };
    let echo = number();
    let Some(query) = door.query(patient.now_ms() / 1000, &echo) else { return Vec::new() };
    let url = format!("{public}{}", door.path);
    let named = door.account.as_str();
    vec![match ask(&url, &query, &echo).await {
        Ok(()) => Finding::ok(Check::Callback, name, say!("{url} echoes as it should"; "{url} 应答正确")),
        Err(error) => {
            let cause = say!(
                "wxops callback check --account {named} --no-post finds the cause";
                "wxops callback check --account {named} --no-post 可找出原因"
            );
            Finding::fail(Check::Callback, name, error.next(cause))
        }
    }]
}

async fn ask(url: &str, query: &[(&'static str, String)], echo: &str) -> Result<()> {
    let broken = |e: reqwest::Error| unreachable(url, &e.without_url());
    let mut builder = reqwest::Client::builder().timeout(LIMIT).redirect(Policy::none());
    if url.starts_with("http://127.0.0.1") || url.starts_with("http://localhost") {
        builder = builder.no_proxy();
    }
    let http = builder.build().map_err(broken)?;
    let answer = http.get(url).query(query).send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(broken)?;
    match status {
        200 if *body == *echo.as_bytes() => Ok(()),
        200 if holds(&body, echo.as_bytes()) => {
            let more = body.len() - echo.len();
            Err(Error::failed(say!(
                "{url}: bytes added to the answer on its way: {more}";
                "{url}：应答在途中多了 {more} 字节"
            )))
        }
        200 => Err(Error::failed(say!(
            "{url} answers with something else: is it another program?";
            "{url} 的应答是别的内容：是否为其他程序？"
        ))),
        403 => Err(Error::failed(say!(
            "{url} refuses our own signature (HTTP 403): another Token there, or the query is lost on its way";
            "{url} 拒绝了我们自己的签名（HTTP 403）：那里是另一个 Token，或查询串在途中丢失"
        ))),
        300..400 => Err(Error::failed(say!(
            "{url} redirects (HTTP {status}), which WeChat does not follow";
            "{url} 发生跳转（HTTP {status}），微信不会跟随"
        ))),
        _ => Err(Error::failed(say!("{url} answers HTTP {status}"; "{url} 返回 HTTP {status}"))),
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = match error.is_timeout() {
        true => say!("{url} does not answer within 5 s, as WeChat wants it"; "{url} 没有在微信要求的 5 秒内应答"),
        false => say!("{url} can't be reached: {cause}"; "无法访问 {url}：{cause}"),
    };
    Error::unavailable(what)
}

fn holds(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn number() -> String {
    rand::random_range(1_000_000_000_000_u64..10_000_000_000_000).to_string()
}
