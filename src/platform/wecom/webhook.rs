//! POST /cgi-bin/webhook/send: a message to a group, by its robot (WeCom reference 4). The key in the query is the only
//! credential: it stands in no error and no log.

use crate::domain::robot::Robot;
use crate::domain::secret::Secret;
use crate::error::{Kind, Result};
use crate::platform::Platform;
use crate::platform::http::{Client, Request, may_have_arrived};
use serde::Serialize;

/// Bytes of a text message; a longer one is refused with 40058.
pub const MOST: usize = 2048;

#[derive(Serialize)]
struct Message<'a> {
    msgtype: &'a str,
    text: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    content: &'a str,
}

/// Sends a text, cut to what the platform takes. Text and not markdown: who reads the group in WeChat sees no markdown.
/// Where the message may have arrived though no answer came, the error is [`Kind::Unknown`].
pub async fn send(client: &Client, robot: &Robot, text: &str) -> Result<()> {
    let message = Message { msgtype: "text", text: Text { content: cut(text) } };
    let sent = post(client, &robot.base, &robot.key, Request::post("webhook/send", &message)?).await;
    sent.map_err(|mut error| {
        if may_have_arrived(&error) {
            error.kind = Kind::Unknown;
        }
        error
    })
}

/// Sends what was made ready; what an error leaves open is for the caller to say.
pub(super) async fn post(client: &Client, base: &str, key: &Secret, request: Request) -> Result<()> {
    let request = request.with("key", key.reveal()).hiding(key);
    client.call_at(Platform::WeCom, base, &request).await.map(drop)
}

fn cut(text: &str) -> &str {
    let end = (0..=MOST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::platform::testing::{Server, Step, client, impatient, ok};
    use std::time::Duration;

    const KEY: &str = "CANARY-693a91f6";

    fn robot(base: &str) -> Robot {
        Robot { base: base.to_owned(), key: Secret::new(KEY) }
    }

    #[tokio::test]
    async fn a_text_goes_out_cut_between_letters() {
        let server = Server::start([ok(r#"{"errcode":0,"errmsg":"ok"}"#)]).await;
        send(&client(), &robot(&server.base), &"警".repeat(1000)).await.unwrap();
        let seen = &server.seen()[0];
        assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/cgi-bin/webhook/send"));
        assert_eq!(seen.query, [("key".to_owned(), KEY.to_owned())]);
        let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!((body["msgtype"].as_str(), body["text"]["content"].as_str().unwrap().len()), (Some("text"), 2046));
        assert_eq!((cut("short"), cut("")), ("short", ""));
    }

    #[tokio::test]
    async fn what_the_robot_refuses_is_told_without_its_key() {
        let hint = "hint: [1700000000000000000], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=93000";
        for (body, kind, says) in [
            (
                format!(r#"{{"errcode":93000,"errmsg":"invalid webhook url, {hint}"}}"#),
                Kind::Refused,
                "WXOPS_ALERT_WEBHOOK",
            ),
            (format!(r#"{{"errcode":93000,"errmsg":"invalid key {KEY}"}}"#), Kind::Refused, "WXOPS_ALERT_WEBHOOK"),
            (r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#.to_owned(), Kind::Unavailable, "wait a minute"),
            (r#"{"errcode":12345,"errmsg":"?"}"#.to_owned(), Kind::Failed, "in no table"),
            ("<html>".to_owned(), Kind::Unavailable, ""),
        ] {
            let server = Server::start([ok(&body)]).await;
            let error = send(&client(), &robot(&server.base), "x").await.unwrap_err();
            assert_eq!(error.kind, kind, "{body}");
            assert!(error.next.as_ref().is_none_or(|next| next.en.contains(says)), "{error:?}");
            assert!(!format!("{error:?} {error} {:?}", error.causes()).contains("CANARY"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn whether_it_may_have_arrived_is_told_apart() {
        let impatient = impatient(Duration::from_millis(300), Duration::from_millis(300));
        for step in [Step::Reset, Step::Cut, Step::Hang] {
            let server = Server::start([step]).await;
            let error = send(&impatient, &robot(&server.base), "x").await.unwrap_err();
            assert_eq!(error.kind, Kind::Unknown, "{error:?}");
            assert!(!format!("{error:?} {:?}", error.causes()).contains("CANARY"), "{error:?}");
        }
        for base in ["http://127.0.0.1:9", "http://wxops.invalid"] {
            let error = send(&impatient, &robot(base), "x").await.unwrap_err();
            assert_eq!(error.kind, Kind::Unavailable, "{error:?}");
            assert!(!format!("{error:?} {:?}", error.causes()).contains("CANARY"), "{error:?}");
        }
    }
}
