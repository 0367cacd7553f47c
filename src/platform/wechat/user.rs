//! What the platform tells of one follower (reference 4.2).

use crate::domain::account::Official;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::platform::http::{Answer, Client, Request, Tokens, unreadable};
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

/// GET /cgi-bin/user/info of one openid.
pub async fn info(client: &Client, tokens: &dyn Tokens, account: &Official, openid: &str) -> Result<UserInfo> {
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
