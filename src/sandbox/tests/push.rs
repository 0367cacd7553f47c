//! Pushes against a receiver that checks them by its own reading of the documents.

use super::receiver::{Arrived, Receiver, counted, element, opened};
use super::{Stage, errcode, options, stage};
use crate::domain::event;
use crate::sandbox::Options;
use crate::sandbox::push::{Break, MIX, Order, Outcome, event_names};
use serde_json::Value;

fn order(event: &str, to: &Receiver) -> Order {
    Order { to: Some(to.url.clone()), concurrency: 1, ..Order::of(event) }
}

async fn info(stage: &Stage, openid: &str) -> Value {
    let token = stage.token().await;
    stage.get("/cgi-bin/user/info", &[("access_token", token.as_str()), ("openid", openid)]).await
}

#[tokio::test]
async fn every_kind_arrives_signed_and_sealed_in_every_mode() {
    let stage = stage(options()).await;
    let token = stage.account.token.reveal();
    let key = stage.account.aes_key.as_ref().unwrap().reveal();
    for mode in ["plain", "compat", "secure"] {
        for name in event_names().filter(|name| *name != MIX) {
            let receiver = Receiver::open(200, "success").await;
            let report =
                stage.sandbox.push(Order { mode: Some(mode.to_owned()), ..order(name, &receiver) }).await.unwrap();
            assert_eq!((report.sent, report.acknowledged), (1, 1), "{name}");
            let push = receiver.arrived().remove(0);
            assert!(push.is_signed("signature", token, None), "{name}");
            let names: Vec<_> = push.query.iter().map(|(name, _)| name.as_str()).collect();
            let clear = if mode == "plain" {
                assert_eq!(names, ["signature", "timestamp", "nonce", "openid"]);
                push.body.clone()
            } else {
                assert_eq!(names[4..], ["encrypt_type", "msg_signature"]);
                let sealed = push.field("Encrypt");
                assert!(push.is_signed("msg_signature", token, Some(&sealed)), "{name}");
                let (clear, app_id) = opened(key, &sealed);
                assert_eq!(app_id, stage.account.app_id);
                assert_eq!(push.body.contains("FromUserName"), mode == "compat");
                clear
            };
            check_kind(name, &clear);
            assert_eq!(element(&clear, "ToUserName").unwrap(), stage.account.original_id);
            assert_eq!(element(&clear, "FromUserName").unwrap(), push.value("openid"));
        }
    }
}

fn check_kind(name: &str, clear: &str) {
    let msg_type = element(clear, "MsgType").unwrap();
    let kind = event::Kind::of(&msg_type, element(clear, "Event").as_deref());
    assert_eq!(kind == event::Kind::UNKNOWN, name.starts_with("unknown"), "{name}");
}

#[test]
fn every_documented_kind_has_an_event() {
    for kind in event::Kind::all().filter(|kind| kind.platform() == crate::domain::account::Platform::Official) {
        let found = super::super::push::name_of(kind.as_str());
        assert!(found.is_some(), "{kind}");
    }
}

#[tokio::test]
async fn who_subscribes_follows_and_who_leaves_does_not() {
    let stage = stage(Options { followers: 2, ..options() }).await;
    let receiver = Receiver::open(200, "").await;
    let report = stage.sandbox.push(Order { count: 3, ..order("subscribe-qr", &receiver) }).await.unwrap();
    let people: Vec<_> = report.pushes.iter().map(|push| push.openid.clone()).collect();
    assert_eq!(counted(people.iter()).len(), 3, "three new people");
    let known = info(&stage, &people[0]).await;
    assert_eq!((known["subscribe"].as_i64(), known["subscribe_scene"].as_str()), (Some(1), Some("ADD_SCENE_QR_CODE")));
    let token = stage.token().await;
    assert_eq!(stage.get("/cgi-bin/user/get", &[("access_token", token.as_str())]).await["total"], 5);
    let leave = Order { openid: Some(people[0].clone()), ..order("unsubscribe", &receiver) };
    stage.sandbox.push(leave).await.unwrap();
    let gone = info(&stage, &people[0]).await;
    assert_eq!(gone, serde_json::json!({"subscribe": 0, "openid": people[0], "tagid_list": []}));
    let page = stage.get("/cgi-bin/user/get", &[("access_token", token.as_str())]).await;
    assert_eq!((page["total"].as_u64(), page["data"]["openid"].as_array().unwrap().len()), (Some(4), 4));
}

#[tokio::test]
async fn a_foreign_openid_becomes_known_by_its_push() {
    let stage = stage(options()).await;
    let receiver = Receiver::open(200, "").await;
    let openid = "oTEST0000000000000000000001_";
    assert_eq!(errcode(&info(&stage, openid).await), 40003);
    let set = vec![("EventKey".to_owned(), "qrscene_门店".to_owned())];
    let follow = Order { openid: Some(openid.to_owned()), set, ..order("subscribe", &receiver) };
    stage.sandbox.push(follow).await.unwrap();
    let known = info(&stage, openid).await;
    assert_eq!((known["subscribe"].as_i64(), known["qr_scene_str"].as_str()), (Some(1), Some("门店")));
    assert_eq!(known["subscribe_time"].as_i64(), Some(super::NOON_MS / 1000));
}

#[tokio::test]
async fn a_refusal_is_tried_three_times_with_the_same_push() {
    let stage = stage(options()).await;
    for (status, answer, tries, outcome) in [
        (500, "", 3, Outcome::Refused),
        (503, "success", 3, Outcome::Refused),
        (200, "ok", 1, Outcome::BadReply),
        (200, "<xml></xml>", 1, Outcome::BadReply),
        (200, "success", 1, Outcome::Acknowledged),
    ] {
        let receiver = Receiver::open(status, answer).await;
        let report = stage.sandbox.push(order("text", &receiver)).await.unwrap();
        let arrived = receiver.arrived();
        assert_eq!((arrived.len(), report.tries, report.pushes[0].outcome), (tries as usize, tries, outcome));
        assert!(arrived.iter().all(|push| *push == arrived[0]));
        assert_eq!(report.failure().is_none(), outcome == Outcome::Acknowledged);
    }
    let nobody = Order { to: Some("http://127.0.0.1:1/".to_owned()), ..Order::of("text") };
    let report = stage.sandbox.push(nobody).await.unwrap();
    assert_eq!((report.pushes[0].outcome, report.unanswered, report.tries), (Outcome::Unreachable, 1, 3));
}

#[tokio::test]
async fn a_clear_reply_counts_in_plain_mode_only() {
    let stage = stage(options()).await;
    let reply = "<xml><ToUserName>o</ToUserName><FromUserName>gh</FromUserName><CreateTime>1</CreateTime>\
                 <MsgType><![CDATA[text]]></MsgType><Content>hi &amp; 你好</Content></xml>";
    let receiver = Receiver::open(200, reply).await;
    for (mode, outcome) in [("plain", Outcome::Replied), ("secure", Outcome::BadReply)] {
        let order = Order { mode: Some(mode.to_owned()), ..order("text", &receiver) };
        assert_eq!(stage.sandbox.push(order).await.unwrap().pushes[0].outcome, outcome);
    }
}

#[tokio::test]
async fn duplicates_say_the_same_in_a_new_envelope_and_others_never_do() {
    let stage = stage(options()).await;
    let receiver = Receiver::open(200, "").await;
    let order = Order { count: 200, duplicates: 0.5, mode: Some("plain".to_owned()), ..order("click", &receiver) };
    let report = stage.sandbox.push(order).await.unwrap();
    assert!((60..140).contains(&report.duplicates), "{}", report.duplicates);
    let arrived = receiver.arrived();
    assert_eq!(arrived.len() as u64, 200 + report.duplicates);
    let bodies = counted(arrived.iter().map(|push| push.body.clone()));
    assert_eq!((bodies.len(), bodies.values().filter(|times| **times == 2).count() as u64), (200, report.duplicates));
    assert_eq!(counted(arrived.iter().map(|push| push.value("nonce").to_owned())).len(), arrived.len());
}

#[tokio::test]
async fn damage_is_what_it_says() {
    let stage = stage(options()).await;
    let token = stage.account.token.reveal().to_owned();
    let receiver = Receiver::open(403, "").await;
    let sent = async |damage| {
        let report = stage.sandbox.push(Order { damage: Some(damage), ..order("text", &receiver) }).await.unwrap();
        assert!(report.failure().is_none(), "a refusal is what is wanted");
        receiver.arrived().pop().unwrap()
    };
    let sealed = |push: &Arrived| push.field("Encrypt");
    assert!(!sent(Break::Signature).await.is_signed("signature", &token, None));
    let push = sent(Break::MsgSignature).await;
    assert!(
        push.is_signed("signature", &token, None) && !push.is_signed("msg_signature", &token, Some(&sealed(&push)))
    );
    let push = sent(Break::Appid).await;
    let key = stage.account.aes_key.as_ref().unwrap().reveal();
    assert!(push.is_signed("msg_signature", &token, Some(&sealed(&push))));
    assert_ne!(opened(key, &sealed(&push)).1, stage.account.app_id);
    assert!(!sent(Break::Truncate).await.body.contains("</xml>"));
    let plain = Order { damage: Some(Break::Key), mode: Some("plain".to_owned()), ..order("text", &receiver) };
    assert!(stage.sandbox.push(plain).await.is_err());
}

#[tokio::test]
async fn a_mix_of_many_is_sent_at_its_rate() {
    let stage = stage(options()).await;
    let receiver = Receiver::open(200, "success").await;
    let order = Order { count: 100, rate: Some(400.0), concurrency: 8, ..order(MIX, &receiver) };
    let report = stage.sandbox.push(order).await.unwrap();
    assert_eq!(report.acknowledged, 100);
    assert!((0.24..2.0).contains(&report.seconds), "{}", report.seconds);
    assert!(counted(report.pushes.iter().map(|push| push.event.clone())).len() > 10);
}

#[tokio::test]
async fn an_order_that_cannot_be_is_refused_before_anything_is_sent() {
    let stage = stage(options()).await;
    let receiver = Receiver::open(200, "").await;
    let wrong = [
        order("nothing", &receiver),
        Order { mode: Some("open".to_owned()), ..order("text", &receiver) },
        Order { set: vec![("a b".to_owned(), "x".to_owned())], ..order("text", &receiver) },
        Order { to: None, ..order("text", &receiver) },
        Order { to: Some("https://example.com/".to_owned()), ..order("text", &receiver) },
        Order { account: Some("nobody".to_owned()), ..order("text", &receiver) },
    ];
    for order in wrong {
        let error = stage.sandbox.push(order).await.unwrap_err();
        assert_eq!(error.kind.exit_code(), 2, "{error}");
    }
    assert!(receiver.arrived().is_empty());
    assert!(stage.sandbox.set_callback("main", &receiver.url));
    let to_callback = Order { to: None, ..order("text", &receiver) };
    assert_eq!(stage.sandbox.push(to_callback).await.unwrap().acknowledged, 1);
}

#[tokio::test]
async fn an_order_that_never_ends_and_a_clock_too_far_do_no_harm() {
    let stage = stage(options()).await;
    let receiver = Receiver::open(200, "").await;
    let order = Order { count: u64::MAX, rate: Some(1e-300), ..order("text", &receiver) };
    assert_eq!(stage.sandbox.push(order).await.unwrap().sent, 1);
    for seconds in [i64::MAX, i64::MIN, 1_600_000_000] {
        let body = serde_json::json!({"advance_seconds": seconds});
        let answer = stage.http.post(stage.url("/sandbox/clock")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 400);
    }
}

#[tokio::test]
async fn silence_ends_after_five_seconds_three_times() {
    let stage = stage(options()).await;
    // Accepts and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("http://{}/", listener.local_addr().unwrap());
    let report = stage.sandbox.push(Order { to: Some(to), ..Order::of("text") }).await.unwrap();
    assert_eq!((report.tries, report.pushes[0].outcome), (3, Outcome::TimedOut));
    assert!((15.0..20.0).contains(&report.seconds), "{}", report.seconds);
}
