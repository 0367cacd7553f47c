//! What is accepted: stored once, mapped at once.

use crate::http;
use crate::messages::{OPENID, event_at, subscribe, text, vectors};
use crate::signer::{self, Keys, Mode, now};
use crate::stage::{Stage, until};
use crate::stories::stories;

stories! {
    handshake,
    secure_subscribe_is_stored_and_mapped,
    a_retried_push_is_one_row,
    two_events_of_one_second_stay_two,
    openids_that_differ_in_case_are_two_people,
    every_push_of_the_reference_is_stored_by_its_kind,
    unsubscribe_blanks_the_person,
    an_answer_ends_without_a_reply,
    an_event_is_one_line_that_gives_nobody_away,
    old_and_new_keys_work_side_by_side,
}

async fn handshake(stage: Stage) {
    let serve = stage.serve().await;
    let honest = signer::handshake(&stage.keys, "4375120948345356249");
    let answer = serve.get(&honest).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "4375120948345356249"));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")), "{answer:?}");

    let forged = serve.get(&honest.set("signature", &"0".repeat(40))).await;
    assert_eq!((forged.status, forged.body.len()), (403, 0), "nothing is echoed before the check");
    assert_eq!(serve.refused("signature").await, 1.0);
}

async fn secure_subscribe_is_stored_and_mapped(stage: Stage) {
    let serve = stage.serve().await;
    let fields = "<EventKey><![CDATA[qrscene_123123]]></EventKey>\n<Ticket><![CDATA[TICKET]]></Ticket>\n";
    let created = now() - 3;
    let answer = serve.push(&event_at("subscribe", OPENID, created, fields)).await;
    assert_eq!(answer.status, 200);

    stage.settled().await;
    let rows = stage.rows("SELECT account, openid, kind, state, HEX(dedupe_key) FROM inbox_event").await;
    let row: Vec<_> = rows[0].iter().map(|value| value.as_deref().unwrap()).collect();
    assert_eq!((rows.len(), &row[..4]), (1, &["main", OPENID, "event.subscribe", "done"][..]));
    assert_eq!((row[4].len(), &row[4][..8]), (64, format!("{created:08X}").as_str()));

    // Seed 000's own statement.
    let seed = "SELECT openid, nickname, is_followed, follow_time FROM user_mapping \
                WHERE is_followed = 1 ORDER BY follow_time DESC LIMIT 10;";
    let people = stage.rows(seed).await;
    assert_eq!(people.len(), 1);
    assert_eq!((people[0][0].as_deref(), people[0][2].as_deref()), (Some(OPENID), Some("1")));
    assert!(people[0][3].is_some(), "follow_time is CreateTime");
    assert_eq!(stage.rows("SELECT qr_scene FROM user_mapping").await[0][0].as_deref(), Some("123123"));
    let counted = serve.metric("wxops_callback_received_total", &[("kind", "event.subscribe")]).await;
    assert_eq!(counted, 1.0);
}

async fn a_retried_push_is_one_row(stage: Stage) {
    let serve = stage.serve().await;
    let (event, message) = (subscribe(OPENID), text(OPENID, "你好", 7_345_678_901_234_567_890));
    for _ in 0..3 {
        assert_eq!(serve.push(&event).await.status, 200);
        assert_eq!(serve.push(&message).await.status, 200);
    }
    assert_eq!(stage.stored().await, 2);
    assert_eq!(serve.metric("wxops_callback_duplicates_total", &[]).await, 4.0);
}

async fn two_events_of_one_second_stay_two(stage: Stage) {
    let serve = stage.serve().await;
    let second = now();
    for scene in ["a", "b"] {
        let fields = format!("<EventKey><![CDATA[{scene}]]></EventKey>\n<Ticket><![CDATA[T]]></Ticket>\n");
        assert_eq!(serve.push(&event_at("SCAN", OPENID, second, &fields)).await.status, 200);
    }
    assert_eq!(stage.stored().await, 2);
}

async fn openids_that_differ_in_case_are_two_people(stage: Stage) {
    let serve = stage.serve().await;
    for openid in ["oTESTcase00000000000000000a", "oTESTcase00000000000000000A"] {
        assert_eq!(serve.push(&event_at("subscribe", openid, now(), "")).await.status, 200);
    }
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping").await, 2);
}

/// The 58 full pushes of the vectors, each an account's only push: kinds as the vectors name them.
async fn every_push_of_the_reference_is_stored_by_its_kind(stage: Stage) {
    let serve = stage.serve().await;
    let vectors = vectors(include_str!("../vectors/official-account-events.json"));
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 58);
    let mut wanted = Vec::new();
    for case in cases {
        let (name, xml) = (case["name"].as_str().unwrap(), case["xml"].as_str().unwrap());
        let before = stage.stored().await;
        assert_eq!(serve.push(xml).await.status, 200, "{name}");
        // A case that repeats another one's message is a duplicate and stays one row.
        if stage.stored().await > before {
            wanted.push(case["kind"].as_str().unwrap().to_owned());
        }
    }
    assert!(wanted.len() >= 50, "only {} of the cases were new", wanted.len());
    let rows = stage.rows("SELECT kind FROM inbox_event ORDER BY id").await;
    let kinds: Vec<_> = rows.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(kinds, wanted);
    stage.settled().await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE state = 'dead'").await, 0);
}

async fn unsubscribe_blanks_the_person(stage: Stage) {
    let serve = stage.serve().await;
    let (first, last) = (event_at("subscribe", OPENID, now() - 60, ""), event_at("unsubscribe", OPENID, now(), ""));
    assert_eq!(serve.push(&first).await.status, 200);
    assert_eq!(serve.push(&text(OPENID, "我的电话是 13800000000", 1)).await.status, 200);
    assert_eq!(serve.push(&last).await.status, 200);
    until("the person to be blanked", async || {
        let kept = "SELECT COUNT(*) FROM inbox_event WHERE raw LIKE '%13800000000%'";
        (stage.number(kept).await == 0).then_some(())
    })
    .await;
    stage.settled().await;
    let person = &stage.rows("SELECT is_followed, nickname, qr_scene FROM user_mapping").await[0];
    assert_eq!((person[0].as_deref(), &person[1], &person[2]), (Some("0"), &None, &None));

    // The rows and their keys stay: a late duplicate is dropped and brings nobody back.
    assert_eq!(serve.push(&first).await.status, 200);
    assert_eq!(stage.stored().await, 3);
    stage.settled().await;
    assert_eq!(stage.number("SELECT is_followed FROM user_mapping").await, 0);
}

async fn an_answer_ends_without_a_reply(stage: Stage) {
    let serve = stage.serve().await;
    let answer = serve.push(&text(OPENID, "hello", 2)).await;
    assert!(["", "success"].contains(&answer.text().as_str()), "anything else is shown to the follower: {answer:?}");
    let method = http::once(serve.address(), &http::request("PUT", "/wechat/event", &[], b"")).await.unwrap();
    assert_eq!((method.status, method.body.len()), (405, 0));
    let log = serve.log();
    assert!(!log.contains("hello"), "a body is never logged");
    assert!(!log.contains(OPENID), "openids are shortened");
}

async fn an_event_is_one_line_that_gives_nobody_away(stage: Stage) {
    let serve = stage.serve().await;
    assert_eq!(serve.push(&text(OPENID, "nobody's business", 1)).await.status, 200);
    until("the line", async || serve.log().contains("kind=message.text").then_some(())).await;
    let log = serve.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("kind=message.text")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    let Keys { token, aes_key, secret, .. } = &stage.keys;
    let hidden = [OPENID, "nobody's business", token, aes_key, secret];
    assert!(hidden.iter().all(|word| !log.contains(word)), "{log}");
}

/// While the console changes, pushes of both come in.
async fn old_and_new_keys_work_side_by_side(mut stage: Stage) {
    let old = stage.keys.clone();
    stage.keys.token = "theNewToken9".into();
    stage.keys.aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into();
    let (token, aes_key) = (&old.token, &old.aes_key);
    stage.account_settings = format!("token_previous = \"{token}\"\naes_key_previous = \"{aes_key}\"\n");
    let serve = stage.serve().await;
    for (turn, keys) in [&old, &stage.keys].into_iter().enumerate() {
        let push = signer::push(keys, Mode::Secure, &text(OPENID, "hello", turn as u64 + 1));
        assert_eq!(serve.send(&push).await.status, 200);
        assert_eq!(serve.get(&signer::handshake(keys, "1")).await.status, 200);
    }
    assert_eq!(stage.stored().await, 2);
}
