//! Messages as the platform writes them, for stories that care what is inside.

use crate::signer;
use serde_json::Value;

/// The follower of most stories.
pub const OPENID: &str = "oTEST0000000000000000000001_";

/// An event of a follower now; `fields` is further XML.
pub fn event(name: &str, openid: &str, fields: &str) -> String {
    event_at(name, openid, signer::now(), fields)
}

/// An event of a follower with this CreateTime.
pub fn event_at(name: &str, openid: &str, created: i64, fields: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[{openid}]]></FromUserName>\n\
         <CreateTime>{created}</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[{name}]]></Event>\n\
         {fields}</xml>"
    )
}

/// A text message now.
pub fn text(openid: &str, content: &str, msg_id: u64) -> String {
    let created = signer::now();
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\n<FromUserName><![CDATA[{openid}]]></FromUserName>\n\
         <CreateTime>{created}</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n\
         <Content><![CDATA[{content}]]></Content>\n<MsgId>{msg_id}</MsgId>\n</xml>"
    )
}

/// A subscribe now.
pub fn subscribe(openid: &str) -> String {
    event("subscribe", openid, "<EventKey><![CDATA[]]></EventKey>\n")
}

/// A file of the vectors.
pub fn vectors(text: &str) -> Value {
    serde_json::from_str(text).expect("the vectors are JSON")
}
