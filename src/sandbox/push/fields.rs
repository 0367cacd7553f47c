//! The fields of each kind of push, as the documents and the field show them (reference 2.1 to 2.3).

use super::events::Facts;
use super::xml::{Node, inside, number, text};

/// What people write: emoji of four bytes and joined ones, markup, the CDATA end mark, blanks around.
const WORDS: &[&str] = &[
    "你好",
    "hello",
    "<b>1 & 2</b> \"引号\" '单' 🎮👨‍👩‍👧\n第二行",
    "a]]>b",
    "  前后有空格  ",
    "想咨询一下 price?",
    "𠮷",
    "1",
];
const TEMPLATE: &str = "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc";
const OTHER_TEMPLATE: &str = "9nLIlbOQZC5Y89AZteFEux3WCXRRRG5Wfzkpssu4bLI";
const PICTURE: &str = "1b5f7c23b5bf75682a53e7b6d163e185";
const OTHER_PICTURE: &str = "5a75aaca956d97be686719218f275c6b";
/// Seconds of a year, for the end of a verification.
const YEAR: i64 = 31_536_000;

/// A message ends with its id.
fn message(facts: &Facts, mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.push(number("MsgId", facts.id));
    nodes
}

fn pick<'a>(facts: &Facts, from: &[&'a str]) -> &'a str {
    from[facts.serial as usize % from.len()]
}

fn media(facts: &Facts, what: &str) -> String {
    format!("sandbox_{what}_{:016x}", facts.id)
}

pub fn words(facts: &Facts) -> Vec<Node> {
    message(facts, vec![text("Content", pick(facts, WORDS))])
}

pub fn image(facts: &Facts) -> Vec<Node> {
    let nodes = vec![
        text("PicUrl", format!("http://mmbiz.qpic.cn/mmbiz_jpg/sandbox/{}", facts.id)),
        text("MediaId", media(facts, "image")),
    ];
    message(facts, nodes)
}

pub fn voice(facts: &Facts) -> Vec<Node> {
    message(facts, vec![text("MediaId", media(facts, "voice")), text("Format", pick(facts, &["amr", "speex"]))])
}

pub fn video(facts: &Facts) -> Vec<Node> {
    message(facts, vec![text("MediaId", media(facts, "video")), text("ThumbMediaId", media(facts, "thumb"))])
}

pub fn place(facts: &Facts) -> Vec<Node> {
    let nodes = vec![
        number("Location_X", "23.134521"),
        number("Location_Y", "113.358803"),
        number("Scale", 20),
        text("Label", "广州市海珠区"),
    ];
    message(facts, nodes)
}

pub fn link(facts: &Facts) -> Vec<Node> {
    let nodes = vec![
        text("Title", "公众平台官网链接"),
        text("Description", "公众平台官网链接"),
        text("Url", "https://example.com/?a=1&b=2"),
    ];
    message(facts, nodes)
}

pub fn payload(facts: &Facts) -> Vec<Node> {
    message(facts, vec![text("Payload", "x")])
}

pub fn empty_key(_: &Facts) -> Vec<Node> {
    vec![text("EventKey", "")]
}

pub fn scanned_to_follow(facts: &Facts) -> Vec<Node> {
    vec![text("EventKey", format!("qrscene_{}", scene(facts))), ticket(facts)]
}

pub fn scanned(facts: &Facts) -> Vec<Node> {
    vec![text("EventKey", scene(facts)), ticket(facts)]
}

/// Scenes are numbers or strings; one repeats the prefix, which is stripped once only.
fn scene(facts: &Facts) -> &'static str {
    pick(facts, &["123123", "门店-01", "1", "qrscene_门店-02", "campaign=autumn&from=poster"])
}

fn ticket(facts: &Facts) -> Node {
    text("Ticket", format!("gQSANDBOX{:020}", facts.serial))
}

pub fn position(facts: &Facts) -> Vec<Node> {
    vec![
        number("Latitude", format!("23.{:06}", 100_000 + facts.serial % 100_000)),
        number("Longitude", format!("113.{:06}", 300_000 + facts.serial % 100_000)),
        number("Precision", "119.385040"),
    ]
}

pub fn menu_key(facts: &Facts) -> Vec<Node> {
    vec![text("EventKey", pick(facts, &["V1001_TODAY_MUSIC", "V1001", "帮助"]))]
}

pub fn view(_: &Facts) -> Vec<Node> {
    vec![text("EventKey", "https://example.com/?a=1&b=2"), number("MenuId", 413_011_626)]
}

pub fn view_miniprogram(_: &Facts) -> Vec<Node> {
    vec![text("EventKey", "pages/index/index"), number("MenuId", 413_011_627)]
}

fn scancode(kind: &str, result: &str) -> Vec<Node> {
    let info = inside("ScanCodeInfo", vec![text("ScanType", kind), text("ScanResult", result)]);
    vec![text("EventKey", "6"), info]
}

pub fn scancode_push(_: &Facts) -> Vec<Node> {
    scancode("qrcode", "1")
}

pub fn scancode_waitmsg(_: &Facts) -> Vec<Node> {
    scancode("barcode", "EAN_13,6901481811083")
}

fn pictures(sums: &[&str]) -> Vec<Node> {
    let items = sums.iter().map(|sum| inside("item", vec![text("PicMd5Sum", *sum)])).collect();
    let info = inside("SendPicsInfo", vec![number("Count", sums.len()), inside("PicList", items)]);
    vec![text("EventKey", "6"), info]
}

pub fn one_picture(_: &Facts) -> Vec<Node> {
    pictures(&[PICTURE])
}

pub fn two_pictures(_: &Facts) -> Vec<Node> {
    pictures(&[OTHER_PICTURE, PICTURE])
}

pub fn location_select(_: &Facts) -> Vec<Node> {
    let info = vec![
        text("Location_X", "23"),
        text("Location_Y", "113"),
        text("Scale", "15"),
        text("Label", " 广州市海珠区客村艺苑路 106号"),
        text("Poiname", ""),
    ];
    vec![text("EventKey", "6"), inside("SendLocationInfo", info)]
}

pub fn template_finished(facts: &Facts) -> Vec<Node> {
    let status = pick(facts, &["success", "success", "failed:user block", "failed: system failed"]);
    vec![number("MsgID", facts.id), text("Status", status)]
}

pub fn popup(_: &Facts) -> Vec<Node> {
    let one = |template, status| {
        let nodes = vec![text("TemplateId", template), text("SubscribeStatusString", status), number("PopupScene", 2)];
        inside("List", nodes)
    };
    vec![inside("SubscribeMsgPopupEvent", vec![one(TEMPLATE, "accept"), one(OTHER_TEMPLATE, "reject")])]
}

pub fn change(_: &Facts) -> Vec<Node> {
    let list = inside("List", vec![text("TemplateId", TEMPLATE), text("SubscribeStatusString", "reject")]);
    vec![inside("SubscribeMsgChangeEvent", vec![list])]
}

pub fn sent(facts: &Facts) -> Vec<Node> {
    let list = vec![
        text("TemplateId", TEMPLATE),
        number("MsgID", facts.id),
        number("ErrorCode", 0),
        text("ErrorStatus", "success"),
    ];
    vec![inside("SubscribeMsgSentEvent", vec![inside("List", list)])]
}

pub fn kf_account(_: &Facts) -> Vec<Node> {
    vec![text("KfAccount", "test1@test")]
}

pub fn kf_switch(_: &Facts) -> Vec<Node> {
    vec![text("FromKfAccount", "test1@test"), text("ToKfAccount", "test2@test")]
}

pub fn mass_finished(facts: &Facts) -> Vec<Node> {
    let copyright = vec![number("Count", 0), inside("ResultList", Vec::new()), number("CheckState", 0)];
    vec![
        number("MsgID", 1_000_000_000 + facts.serial),
        text("Status", "send success"),
        number("TotalCount", 1000),
        number("FilterCount", 998),
        number("SentCount", 995),
        number("ErrorCount", 3),
        inside("CopyrightCheckResult", copyright),
    ]
}

fn about_person(facts: &Facts, revoked: &str) -> Vec<Node> {
    vec![text("OpenID", facts.openid), text("AppID", facts.app_id), text("RevokeInfo", revoked)]
}

pub fn profile_cleaned(facts: &Facts) -> Vec<Node> {
    about_person(facts, "")
}

pub fn revoked(facts: &Facts) -> Vec<Node> {
    about_person(facts, pick(facts, &["205", "206", "201", "202", "203", "204", "207"]))
}

pub fn published(facts: &Facts) -> Vec<Node> {
    let article = vec![number("idx", 1), text("article_url", "https://mp.weixin.qq.com/s/cccccccccccccccccccccc")];
    let info = vec![
        number("publish_id", 2_247_500_000 + facts.serial),
        number("publish_status", 0),
        text("article_id", "b5O2OUs25HBxRceL7hfReg-U9QGeq9zQjiDvyWP4Hq4"),
        inside("article_detail", vec![number("count", 1), inside("item", article)]),
    ];
    vec![inside("PublishEventInfo", info)]
}

pub fn verified(facts: &Facts) -> Vec<Node> {
    vec![number("ExpiredTime", facts.now + YEAR)]
}

pub fn not_verified(facts: &Facts) -> Vec<Node> {
    vec![number("FailTime", facts.now), text("FailReason", "by time")]
}

pub fn some_field(_: &Facts) -> Vec<Node> {
    vec![text("SomeField", "x")]
}
