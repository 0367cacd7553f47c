//! Welcome text and keyword replies: what a person reads, in every mode, and what they cost nobody.

use crate::http::{self, Connection};
use crate::messages::{OPENID, event, subscribe, text};
use crate::signer::{self, Mode, open_reply};
use crate::stage::{Serve, Stage, until};
use crate::stories::stories;
use serde_json::Value;
use std::time::Duration;

stories! {
    replies_in_plain_mode,
    replies_in_compat_mode,
    replies_in_secure_mode,
    a_retry_gets_the_same_reply,
    the_previous_keys_seal_what_they_opened,
    a_reload_brings_other_replies,
    a_late_reply_is_given_up,
}

const REPLIES: &str = r#"
[[reply]]
on = "subscribe"
text = "欢迎！\n回复“价格”查看 ]]> <价格表>"

[[reply]]
exact = "价格"
news = { title = "价格表", url = "https://example.org/p?a=1&b=2" }

[[reply]]
prefix = "order "
text = "will be looked up"

[[reply]]
pattern = '(?i)^\s*(map|地图)\s*$'
image = "MEDIA_1"

[[reply]]
click = "V1001_TODAY"
text = "today's song"
"#;

/// What the person reads; `None` where the push was only acknowledged.
async fn pushed(stage: &Stage, serve: &Serve, args: &[&str]) -> Option<String> {
    let to = format!("http://{}/wechat/event", serve.address());
    let args = [&["--json", "sandbox", "push"], args, &["--mode", stage.mode.word(), "--to", &to]].concat();
    let push = stage.verb(&args).await.expect_code(0).json().remove(0)["pushes"][0].clone();
    let reply = push["reply"].as_str().map(str::to_owned);
    assert_eq!(push["outcome"], if reply.is_some() { "replied" } else { "acknowledged" }, "{push}");
    reply
}

async fn replies_in_plain_mode(stage: Stage) {
    replies_in(Mode::Plain, stage).await;
}

async fn replies_in_compat_mode(stage: Stage) {
    replies_in(Mode::Compat, stage).await;
}

async fn replies_in_secure_mode(stage: Stage) {
    replies_in(Mode::Secure, stage).await;
}

async fn replies_in(mode: Mode, mut stage: Stage) {
    stage.account_settings = REPLIES.into();
    stage.mode = mode;
    let serve = stage.serve().await;
    let read = async |args: &[&str]| pushed(&stage, &serve, args).await;
    let welcome = "欢迎！\n回复“价格”查看 ]]> <价格表>";
    assert_eq!(read(&["subscribe"]).await.as_deref(), Some(welcome), "{mode:?}");
    let news = "[news 价格表 https://example.org/p?a=1&b=2]";
    assert_eq!(read(&["text", "--set", "Content= 价格 "]).await.as_deref(), Some(news));
    assert_eq!(read(&["text", "--set", "Content=order 12"]).await.as_deref(), Some("will be looked up"));
    assert_eq!(read(&["text", "--set", "Content=MAP"]).await.as_deref(), Some("[image MEDIA_1]"));
    assert_eq!(read(&["click", "--set", "EventKey=V1001_TODAY"]).await.as_deref(), Some("today's song"));
    for silent in [&["text", "--set", "Content=价格表"][..], &["unsubscribe"], &["view"], &["image"], &["location"]]
    {
        assert_eq!(read(silent).await, None, "{silent:?}");
    }
    assert_eq!(serve.metric("wxops_callback_replied_total", &[]).await, 5.0);
    // A person who pushes by hand reads it too.
    let to = format!("http://{}/wechat/event", serve.address());
    let shown = stage.verb(&["sandbox", "push", "subscribe", "--mode", mode.word(), "--to", &to]).await;
    let shown = shown.expect_code(0).stdout;
    assert!(shown.contains("\n    欢迎！\n    回复“价格”查看 ]]> <价格表>\n"), "{shown}");
    assert!(!serve.log().contains("欢迎"), "{}", serve.log());
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state <> 'done'").await, 0);
}

async fn a_retry_gets_the_same_reply(mut stage: Stage) {
    stage.account_settings = REPLIES.into();
    let serve = stage.serve().await;
    let push = signer::push(&stage.keys, Mode::Secure, &text(OPENID, "order 7", 7));
    for _ in 0..3 {
        let answer = serve.send(&push).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/xml; charset=utf-8")));
        let clear = open_reply(&stage.keys, &answer.text()).unwrap();
        assert!(clear.contains("<Content><![CDATA[will be looked up]]></Content>"), "{clear}");
        assert!(clear.contains(&format!("<ToUserName><![CDATA[{OPENID}]]></ToUserName>")), "{clear}");
        assert!(clear.contains("<FromUserName><![CDATA[gh_0123456789ab]]></FromUserName>"), "{clear}");
    }
    assert_eq!(stage.stored().await, 1);
    assert_eq!(serve.metric("wxops_callback_duplicates_total", &[]).await, 2.0);
    assert_eq!(serve.metric("wxops_callback_replied_total", &[]).await, 3.0);

    // What is refused is answered with nothing at all.
    let forged = serve.send(&push.clone().set("msg_signature", &"0".repeat(40))).await;
    assert_eq!((forged.status, forged.text().as_str()), (403, ""));
}

async fn the_previous_keys_seal_what_they_opened(mut stage: Stage) {
    let old = stage.keys.clone();
    stage.keys.token = "theNewToken".into();
    stage.keys.aes_key = "n".repeat(43);
    stage.account_settings =
        format!("token_previous = \"{}\"\naes_key_previous = \"{}\"\n{REPLIES}", old.token, old.aes_key);
    let serve = stage.serve().await;
    // The console changes one after the other: each of the four pairs is one that it may have.
    let mixed = signer::Keys { token: old.token.clone(), ..stage.keys.clone() };
    let other = signer::Keys { aes_key: old.aes_key.clone(), ..stage.keys.clone() };
    let all = [stage.keys.clone(), old, mixed, other];
    for (at, keys) in all.iter().enumerate() {
        let answer = serve.send(&signer::push(keys, Mode::Secure, &text(OPENID, "order", at as u64 + 1))).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, ""), "no blank behind it");
        let answer = serve.send(&signer::push(keys, Mode::Secure, &text(OPENID, "order 1", at as u64 + 11))).await;
        for (other, console) in all.iter().enumerate() {
            let opened = open_reply(console, &answer.text());
            assert_eq!(opened.is_ok(), other == at, "{at} {other}: {opened:?}");
        }
    }
    assert_eq!(stage.stored().await, 8);
}

async fn a_reload_brings_other_replies(mut stage: Stage) {
    stage.mode = Mode::Plain;
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(OPENID)).await.text(), "");
    let reload = async |stage: &Stage, words: &str| {
        let before = serve.log().matches(words).count();
        stage.config();
        serve.hangup();
        until(words, async || (serve.log().matches(words).count() > before).then_some(())).await;
    };
    stage.account_settings = "[[reply]]\non = \"message\"\ntext = \"first\"\n".into();
    reload(&stage, "configuration loaded again").await;
    let answer = serve.push(&text(OPENID, "hello", 1)).await.text();
    assert!(answer.contains("<![CDATA[first]]>"), "{answer}");

    stage.account_settings = "[[reply]]\npattern = \"(\"\ntext = \"second\"\n".into();
    reload(&stage, "the new configuration is refused").await;
    assert!(serve.log().contains("reply.pattern (line "), "{}", serve.log());
    let answer = serve.push(&text(OPENID, "hello", 2)).await.text();
    assert!(answer.contains("<![CDATA[first]]>"), "{answer}");

    stage.account_settings = "[[reply]]\nclick = \"K\"\ntext = \"third\"\n".into();
    reload(&stage, "configuration loaded again").await;
    assert_eq!(serve.push(&text(OPENID, "hello", 3)).await.text(), "");
    let click = event("CLICK", OPENID, "<EventKey><![CDATA[K]]></EventKey>\n");
    assert!(serve.push(&click).await.text().contains("<![CDATA[third]]>"));
    assert!(!serve.log().contains("only after a restart"), "{}", serve.log());

    let origins = stage.verb(&["--json", "doctor", "--origins"]).await.expect_code(0).json();
    let told: Vec<&Value> = origins.iter().filter(|row| row["setting"] == "reply").collect();
    assert!(told.len() == 1 && told[0]["value"] == "1", "{origins:?}");
}

async fn a_late_reply_is_given_up(mut stage: Stage) {
    stage.account_settings = REPLIES.into();
    let serve = stage.serve().await;
    let push = signer::push(&stage.keys, Mode::Secure, &subscribe(OPENID));
    let bytes = http::request("POST", &push.target("/wechat/event"), &[], &push.body);
    let (first, rest) = bytes.split_at(bytes.len() - 10);
    let mut slow = Connection::open(serve.address()).await.unwrap();
    slow.write(first).await.unwrap();
    // The act itself: a body whose end comes 4.6 s late.
    tokio::time::sleep(Duration::from_millis(4_600)).await;
    slow.write(rest).await.unwrap();
    let answer = slow.answer().await.unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, ""), "stored, and too late to say more");
    assert_eq!(stage.stored().await, 1);
    assert!(serve.push(&subscribe(OPENID)).await.text().contains("<Encrypt>"), "in time it is answered");
}
