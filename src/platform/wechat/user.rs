//! What the platform tells of followers (reference 4.1 to 4.3).

mod batch;

pub use batch::{BATCH, Batch, batchget};

use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::error::{Error, Result};
use crate::platform::http::{Answer, Client, Request, Tokens, unreadable};
use crate::say;
use serde_json::Value;

/// A person as user/info shows them. What the platform leaves out or sends empty is `None`, so that it never
/// overwrites what is known: since 2021-12-27 nickname, avatar, sex and region come empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserInfo {
    /// Whether the person follows; if not, nothing else is told.
    pub subscribe: bool,
    /// The openid that was asked for.
    pub openid: String,
    /// Only where the account is bound to an Open Platform account.
    pub unionid: Option<String>,
    /// Nickname.
    pub nickname: Option<String>,
    /// 1 male, 2 female; the platform's 0 is unknown.
    pub sex: Option<u8>,
    /// Language of the person's WeChat, `zh_CN`.
    pub language: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Province.
    pub province: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// URL of the avatar.
    pub headimgurl: Option<String>,
    /// The latest following, seconds since 1970.
    pub subscribe_time: Option<i64>,
    /// The account's own note on the person.
    pub remark: Option<String>,
    /// The tags of the person; empty when there are none, `None` when the reply does not tell.
    pub tagid_list: Option<Vec<i64>>,
    /// How the person came: `ADD_SCENE_…`; the list grows.
    pub subscribe_scene: Option<String>,
    /// The number of the QR code; the platform's 0 is none.
    pub qr_scene: Option<i64>,
    /// The text of the QR code.
    pub qr_scene_str: Option<String>,
}

impl UserInfo {
    /// The scene of the QR code as one text, whichever of the two forms it has.
    pub fn scene(&self) -> Option<String> {
        self.qr_scene_str.clone().or_else(|| self.qr_scene.map(|number| number.to_string()))
    }
}

/// A page of the list of followers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// How many follow altogether, as the platform counts them.
    pub total: i64,
    /// The people of this page; none behind the last one.
    pub openids: Vec<String>,
    /// What the next page is asked for with; `None` where this was the last.
    pub next: Option<String>,
}

/// GET /cgi-bin/user/get: the page behind `after`, the first without (reference 4.1). The end is where the list is
/// missing or empty, or no next openid is told; never where a count says so.
pub async fn list(client: &Client, tokens: &dyn Tokens, account: &Access, after: Option<&str>) -> Result<Page> {
    let mut request = Request::get("user/get");
    if let Some(after) = after {
        request = request.with("next_openid", after).hiding(&Secret::new(after));
    }
    let answer = client.call(account, tokens, &request).await?;
    let total = answer.number("total").ok_or_else(|| unreadable("user/get", "total"))?;
    let Some(list) = answer.body.get("data").and_then(|data| data.get("openid")) else {
        return Ok(Page { total, ..Page::default() });
    };
    let list = list.as_array().ok_or_else(|| unreadable("user/get", "data"))?;
    let openid = |one: &Value| one.as_str().filter(|openid| is_openid(openid)).map(str::to_owned);
    let openids =
        list.iter().map(openid).collect::<Option<Vec<_>>>().ok_or_else(|| unreadable("user/get", "openid"))?;
    let next = answer.text("next_openid").filter(|_| !openids.is_empty()).map(str::to_owned);
    if next.is_some() && next.as_deref() == after {
        return Err(Error::failed(say!(
            "user/get: a page ends with the openid it was asked for with: the list goes in a circle";
            "user/get：某一页的 next_openid 与所发送的相同：列表在循环"
        )));
    }
    Ok(Page { total, openids, next })
}

/// `[A-Za-z0-9_-]{1,64}`, as at the door of callbacks.
fn is_openid(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// GET /cgi-bin/user/info of one openid.
pub async fn info(client: &Client, tokens: &dyn Tokens, account: &Access, openid: &str) -> Result<UserInfo> {
    let request = Request::get("user/info").with("openid", openid).with("lang", "zh_CN");
    // An error that quotes the call would carry the person into the log.
    let request = request.hiding(&Secret::new(openid));
    let answer = client.call(account, tokens, &request).await?;
    read(&answer, openid)
}

fn read(answer: &Answer, openid: &str) -> Result<UserInfo> {
    let told = answer.text("openid").filter(|told| *told == openid);
    let openid = told.ok_or_else(|| unreadable("user/info", "openid"))?.to_owned();
    let subscribe = match answer.number("subscribe") {
        Some(0) => return Ok(UserInfo { openid, tagid_list: tags(answer), ..UserInfo::default() }),
        Some(_) => true,
        None => return Err(unreadable("user/info", "subscribe")),
    };
    let text = |key| answer.text(key).map(str::to_owned);
    let positive = |key| answer.number(key).filter(|number| *number > 0);
    Ok(UserInfo {
        subscribe,
        openid,
        unionid: text("unionid"),
        nickname: text("nickname"),
        sex: positive("sex").and_then(|sex| u8::try_from(sex).ok()).filter(|sex| *sex <= 2),
        language: text("language"),
        city: text("city"),
        province: text("province"),
        country: text("country"),
        headimgurl: text("headimgurl"),
        subscribe_time: positive("subscribe_time"),
        remark: text("remark"),
        tagid_list: tags(answer),
        subscribe_scene: text("subscribe_scene"),
        qr_scene: positive("qr_scene"),
        qr_scene_str: text("qr_scene_str"),
    })
}

fn tags(answer: &Answer) -> Option<Vec<i64>> {
    let list = answer.body.get("tagid_list")?.as_array()?;
    Some(list.iter().filter_map(Value::as_i64).collect())
}
