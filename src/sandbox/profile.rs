//! What user/info says of a person (reference 4.2): empty since 2021-12-27, filled with `--profile 2021`.

use super::people::{People, Who};
use serde::Serialize;

/// Ways to an account, as the platform names them.
const SCENES: &[&str] = &[
    "ADD_SCENE_SEARCH",
    "ADD_SCENE_QR_CODE",
    "ADD_SCENE_PROFILE_CARD",
    "ADD_SCENE_PROFILE_LINK",
    "ADD_SCENE_PROFILE_ITEM",
    "ADD_SCENE_PAID",
    "ADD_SCENE_WECHAT_ADVERTISEMENT",
    "ADD_SCENE_CHANNELS",
    "ADD_SCENE_WXA",
    "ADD_SCENE_OTHERS",
];
/// Nicknames as people have them: emoji of four bytes, quotes, markup, blanks, one letter.
const NAMES: &[&str] =
    &["小明", "Anna 🌸", "老王👨‍👩‍👧", "O'Neil", "<b>粗体</b>", "𠮷野家", "阿", " 前后空格 ", "A&B \"咖啡\"", "𝓛𝓾𝓬𝔂"];
/// City, province, country.
const PLACES: &[(&str, &str, &str)] = &[
    ("广州", "广东", "中国"),
    ("深圳", "广东", "中国"),
    ("杭州", "浙江", "中国"),
    ("", "北京", "中国"),
    ("", "", "安道尔"),
];
/// Letters of a unionid.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The answer for one person.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Info<'a> {
    /// A follower.
    Follower(Follower<'a>),
    /// Somebody who does not follow: everything else is absent.
    Stranger {
        /// 0.
        subscribe: u8,
        /// The openid asked for.
        openid: &'a str,
        /// Empty.
        tagid_list: [u32; 0],
    },
}

/// A follower's fields, in the platform's order.
#[derive(Debug, Serialize)]
pub struct Follower<'a> {
    subscribe: u8,
    openid: &'a str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    face: Option<Face>,
    subscribe_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
    remark: &'static str,
    groupid: u32,
    tagid_list: &'static [u32],
    subscribe_scene: &'static str,
    qr_scene: u64,
    qr_scene_str: String,
}

#[derive(Debug, Serialize)]
struct Face {
    nickname: &'static str,
    sex: u8,
    language: &'static str,
    city: &'static str,
    province: &'static str,
    country: &'static str,
    headimgurl: String,
}

/// How much is told of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// All, as before 2021-12-27.
    Filled,
    /// The keys with empty values, as user/info answers.
    Empty,
    /// Neither keys nor unionid, as user/info/batchget is seen to answer.
    Absent,
}

/// What is told of a person, who has this openid.
pub fn info<'a>(people: &People, who: &Who, openid: &'a str, detail: Detail) -> Info<'a> {
    let person = people.person(who);
    if !person.follows {
        return Info::Stranger { subscribe: 0, openid, tagid_list: [] };
    }
    let noise = people.noise_of(who);
    let (qr_scene, qr_scene_str) = scene(person.scene.as_deref());
    let scanned = person.scene.is_some();
    Info::Follower(Follower {
        subscribe: 1,
        openid,
        face: face(noise, detail),
        subscribe_time: person.since,
        unionid: (detail != Detail::Absent).then(|| unionid(noise)),
        remark: "",
        groupid: 0,
        tagid_list: if noise.is_multiple_of(10) && !person.touched { &[2] } else { &[] },
        subscribe_scene: if scanned { "ADD_SCENE_QR_CODE" } else { pick(SCENES, noise >> 8) },
        qr_scene,
        qr_scene_str,
    })
}

fn face(noise: u64, detail: Detail) -> Option<Face> {
    if detail == Detail::Absent {
        return None;
    }
    let empty = Face {
        nickname: "",
        sex: 0,
        language: "zh_CN",
        city: "",
        province: "",
        country: "",
        headimgurl: String::new(),
    };
    if detail == Detail::Empty {
        return Some(empty);
    }
    let (city, province, country) = PLACES[(noise >> 16) as usize % PLACES.len()];
    let headimgurl = format!("http://thirdwx.qlogo.cn/mmopen/{noise:016x}/132");
    Some(Face {
        nickname: pick(NAMES, noise >> 24),
        sex: (noise >> 32) as u8 % 3,
        city,
        province,
        country,
        headimgurl,
        ..empty
    })
}

/// A scene is a number or a string; the other key then holds 0 or nothing.
fn scene(scene: Option<&str>) -> (u64, String) {
    match scene {
        None => (0, String::new()),
        Some(text) => match text.parse::<u32>() {
            Ok(number) => (u64::from(number), String::new()),
            Err(_) => (0, text.to_owned()),
        },
    }
}

fn unionid(noise: u64) -> String {
    format!("u{}", super::noise::Noise::new(noise).word(LETTERS, 27))
}

fn pick(from: &[&'static str], noise: u64) -> &'static str {
    from[noise as usize % from.len()]
}
