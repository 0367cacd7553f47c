//! POST /cgi-bin/user/info/batchget (reference 4.3): up to 100 people in a call, read without a tree of JSON.

use super::UserInfo;
use crate::domain::account::Access;
use crate::domain::secret::Secret;
use crate::error::Result;
use crate::platform::http::{Client, Reply, Request, Tokens, unreadable, whole};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// People of one call, as the platform allows them.
pub const BATCH: usize = 100;
/// The language in which regions are told.
const LANG: &str = "zh_CN";

/// What a call told, person by person.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Whom it told of, in the order of the answer.
    pub told: Vec<UserInfo>,
    /// Who was asked for and is not in the answer, or of whom it makes no sense.
    pub missing: Vec<String>,
}

#[derive(Serialize)]
struct Wanted<'a> {
    openid: &'a str,
    lang: &'static str,
}

#[derive(Serialize)]
struct Asked<'a> {
    user_list: Vec<Wanted<'a>>,
}

/// The answer; what a person is not told to have stays out of it.
#[derive(Deserialize)]
struct Told {
    errcode: Option<Value>,
    errmsg: Option<String>,
    user_info_list: Option<Vec<Person>>,
}

impl Reply for Told {
    fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    fn errcode(&self) -> Option<&Value> {
        self.errcode.as_ref()
    }

    fn errmsg(&self) -> &str {
        self.errmsg.as_deref().unwrap_or_default()
    }
}

/// A person as the answer has them. One field of an odd kind must not hide the other 99, so any kind is read.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Person {
    openid: Text,
    subscribe: Number,
    unionid: Text,
    nickname: Text,
    sex: Number,
    language: Text,
    city: Text,
    province: Text,
    country: Text,
    headimgurl: Text,
    subscribe_time: Number,
    remark: Text,
    subscribe_scene: Text,
}

/// A text that is there and not empty; the platform sends empty ones for what it does not tell.
#[derive(Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> serde::de::Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        while all.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut all: A) -> Result<Self::Value, A::Error> {
        while all.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A whole number, also where it comes as text.
#[derive(Default)]
struct Number(Option<i64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Number(whole(&Value::deserialize(from)?)))
    }
}

/// Asks about up to [`BATCH`] people. The answer is matched by openid; whoever is not in it is told as missing.
pub async fn batchget(client: &Client, tokens: &dyn Tokens, account: &Access, openids: &[String]) -> Result<Batch> {
    let user_list = openids.iter().map(|openid| Wanted { openid, lang: LANG }).collect();
    let request = Request::post("user/info/batchget", &Asked { user_list })?;
    // An error that quotes an openid would carry it into the log.
    let request = openids.iter().fold(request, |request, openid| request.hiding(&Secret::new(openid.as_str())));
    let answer = client.call_as::<Told>(account, tokens, &request).await?;
    let list = answer.body.user_info_list.ok_or_else(|| unreadable("user/info/batchget", "user_info_list"))?;
    Ok(matched(openids, list))
}

fn matched(openids: &[String], list: Vec<Person>) -> Batch {
    // As a rule the answer has the order of the question.
    let in_order = list.len() == openids.len()
        && list.iter().zip(openids).all(|(person, openid)| person.openid.0.as_deref() == Some(openid));
    if in_order && list.iter().all(|person| person.subscribe.0.is_some()) {
        return Batch { told: list.into_iter().filter_map(info).collect(), missing: Vec::new() };
    }
    let mut asked: HashMap<&str, bool> = openids.iter().map(|openid| (openid.as_str(), false)).collect();
    let mut told = Vec::with_capacity(list.len());
    for person in list.into_iter().filter_map(info) {
        if let Some(known @ false) = asked.get_mut(person.openid.as_str()) {
            *known = true;
            told.push(person);
        }
    }
    let missing = openids.iter().filter(|openid| asked.get(openid.as_str()) == Some(&false)).cloned().collect();
    Batch { told, missing }
}

/// `None` for one without openid, or of whom it is not told whether they follow.
fn info(person: Person) -> Option<UserInfo> {
    let openid = person.openid.0?;
    let subscribe = person.subscribe.0? != 0;
    if !subscribe {
        return Some(UserInfo { openid, ..UserInfo::default() });
    }
    let positive = |number: Number| number.0.filter(|number| *number > 0);
    Some(UserInfo {
        subscribe,
        openid,
        unionid: person.unionid.0,
        nickname: person.nickname.0,
        sex: positive(person.sex).and_then(|sex| u8::try_from(sex).ok()).filter(|sex| *sex <= 2),
        language: person.language.0,
        city: person.city.0,
        province: person.province.0,
        country: person.country.0,
        headimgurl: person.headimgurl.0,
        subscribe_time: positive(person.subscribe_time),
        remark: person.remark.0,
        subscribe_scene: person.subscribe_scene.0,
        ..UserInfo::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::clock::Clock;
    use crate::platform::http::Limits;
    use crate::platform::testing::{Keeper, Server, ok};

    fn openids(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("oTEST{n}")).collect()
    }

    async fn asked(count: usize, answer: &str) -> (Result<Batch>, Vec<u8>) {
        let server = Server::start([ok(answer)]).await;
        let client = Client::new(Limits::default(), Clock::System);
        let told = batchget(&client, &Keeper::default(), &server.account(), &openids(count)).await;
        (told, server.seen()[0].body.clone())
    }

    #[tokio::test]
    async fn people_are_matched_by_openid_and_who_is_not_told_of_is_missing() {
        let answer = r#"{"user_info_list":[
            {"subscribe":0,"openid":"oTEST2","tagid_list":[]},
            {"subscribe":1,"openid":"oSTRANGER"},
            {"subscribe":1,"openid":"oTEST0","nickname":"","sex":0,"city":7,"remark":"老客\u0001户","unionid":"u0",
             "subscribe_time":"1641364601","tagid_list":[1],"subscribe_scene":"ADD_SCENE_QR_CODE"},
            {"openid":"oTEST3"},
            {"subscribe":1,"openid":"oTEST0"}]}"#;
        let (told, sent) = asked(4, answer).await;
        let batch = told.unwrap();
        assert_eq!(batch.missing, ["oTEST1", "oTEST3"]);
        let first = UserInfo {
            subscribe: true,
            openid: "oTEST0".into(),
            unionid: Some("u0".into()),
            remark: Some("老客\u{1}户".into()),
            subscribe_time: Some(1_641_364_601),
            subscribe_scene: Some("ADD_SCENE_QR_CODE".into()),
            ..UserInfo::default()
        };
        assert_eq!(batch.told, [UserInfo { openid: "oTEST2".into(), ..UserInfo::default() }, first]);
        let sent: Value = serde_json::from_slice(&sent).unwrap();
        assert_eq!(sent["user_list"][3], serde_json::json!({ "openid": "oTEST3", "lang": "zh_CN" }));
    }

    #[tokio::test]
    async fn a_refusal_quotes_nobody() {
        let (told, _) = asked(1, r#"{"errcode":40003,"errmsg":"invalid openid oTEST0 rid: 1-2-3"}"#).await;
        let error = told.unwrap_err();
        assert_eq!((error.errcode, error.rid.as_deref()), (Some(40003), Some("1-2-3")));
        assert!(!error.what.en.contains("oTEST0"), "{}", error.what.en);
        let (told, _) = asked(1, "{}").await;
        assert!(told.unwrap_err().what.en.contains("no usable user_info_list"));
    }
}
