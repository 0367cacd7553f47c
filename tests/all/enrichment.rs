//! What the platform knows of a person comes when due, and what an ill channel, an empty answer or a person who
//! leaves in the middle make of it.

use crate::messages::{event_at, subscribe};
use crate::platform::{ClockFile, Platform, USER_INFO};
use crate::signer;
use crate::stage::{Stage, until};
use crate::stories::stories;
use std::time::Duration;

stories! {
    the_row_at_once_then_the_profile,
    an_empty_field_erases_nothing,
    refusals_of_the_channel_cost_no_attempt,
    broken_answers_cost_no_attempt,
    an_ill_channel_is_probed_by_one_alone,
    a_stranger_is_parked_and_replayed,
    who_leaves_in_the_middle_leaves_nothing,
    the_policy_keep,
}

const PERSON: &str = "oTEST0000000000000000000007_";
/// The columns that user/info fills, and the platform's name of each.
const FILLED: [(&str, &str); 10] = [
    ("nickname", "nickname"),
    ("avatar_url", "headimgurl"),
    ("sex", "sex"),
    ("city", "city"),
    ("province", "province"),
    ("country", "country"),
    ("language", "language"),
    ("unionid", "unionid"),
    ("subscribe_scene", "subscribe_scene"),
    ("remark", "remark"),
];

async fn the_row_at_once_then_the_profile(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--latency", "700ms"]).await;
    platform.happens("subscribe", PERSON).await;
    let serve = stage.serve().await;
    assert_eq!(serve.push(&subscribe(PERSON)).await.status, 200);
    let at_once = "SELECT COUNT(*) FROM user_mapping WHERE is_followed = 1 AND follow_time IS NOT NULL \
                   AND nickname IS NULL AND info_due_at IS NOT NULL AND info_attempts = 0";
    until("the bare row", async || (stage.number(at_once).await == 1).then_some(())).await;
    filled(&stage, 1).await;

    let told = platform.person(PERSON).await;
    for (column, name) in FILLED {
        let row = stage.rows(&format!("SELECT {column} FROM user_mapping")).await;
        let expected = match &told[name] {
            serde_json::Value::Number(number) if number.as_i64() != Some(0) => Some(number.to_string()),
            serde_json::Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        assert_eq!(row[0][0], expected, "{column}");
    }
    assert!(told["nickname"].as_str().is_some_and(|name| !name.is_empty()));
}

async fn an_empty_field_erases_nothing(stage: Stage) {
    let platform = Platform::of(&stage);
    platform.happens("subscribe", PERSON).await;
    let serve = stage.serve().await;
    serve.push(&subscribe(PERSON)).await;
    filled(&stage, 1).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE nickname IS NULL AND city IS NULL").await, 1);
    // As it was known before 2021-12-27; the platform says nothing of it any more.
    stage
        .execute("UPDATE user_mapping SET nickname = '老友🌸', city = '广州', sex = 1, avatar_url = 'http://a/0', unionid = NULL")
        .await;
    serve.push(&event_at("subscribe", PERSON, signer::now() + 5, "<EventKey><![CDATA[]]></EventKey>")).await;
    filled(&stage, 1).await;
    let row = stage.rows("SELECT nickname, city, sex, avatar_url FROM user_mapping").await;
    let row: Vec<_> = row[0].iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    assert_eq!(row, ["老友🌸", "广州", "1", "http://a/0"]);
}

async fn refusals_of_the_channel_cost_no_attempt(stage: Stage) {
    ill_and_well_again(stage, &["busy", "quota", "48001", "45011"]).await;
}

async fn broken_answers_cost_no_attempt(stage: Stage) {
    ill_and_well_again(stage, &["http-500", "html", "reset", "cut", "lost-answer"]).await;
}

async fn ill_and_well_again(mut stage: Stage, faults: &[&str]) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    let serve = stage.serve().await;
    for (number, fault) in faults.iter().enumerate() {
        let openid = format!("oILL{number:024}");
        platform.happens("subscribe", &openid).await;
        platform.faults(&[&format!("{fault}@{USER_INFO}=1")]).await;
        serve.push(&subscribe(&openid)).await;
        until("the channel to be paused", async || (paused(&stage).await == 1).then_some(())).await;
        let untouched = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL AND info_attempts = 0 \
                         AND info_error IS NULL";
        assert_eq!(stage.number(untouched).await, 1, "{fault}");
        platform.faults(&[]).await;
        clock.advance(61);
        filled(&stage, number as i64 + 1).await;
        until("the pause to be lifted", async || (paused(&stage).await == 0).then_some(())).await;
    }
    let attempts = "SELECT COUNT(*) FROM user_mapping WHERE info_attempts > 0 OR info_error IS NOT NULL";
    assert_eq!(stage.number(attempts).await, 0);
}

/// A long illness: however many wait, one asks, once a minute.
async fn an_ill_channel_is_probed_by_one_alone(mut stage: Stage) {
    let (platform, mut clock) = (Platform::of(&stage), ClockFile::of(&mut stage));
    let serve = stage.serve().await;
    // The day's quota is spent: the longest wait of all, and yet one probe a minute.
    platform.faults(&[&format!("quota@{USER_INFO}=1")]).await;
    platform.happens("subscribe", PERSON).await;
    serve.push(&subscribe(PERSON)).await;
    until("the channel to be paused", async || (paused(&stage).await == 1).then_some(())).await;
    for number in 0..20 {
        serve.push(&subscribe(&format!("oWAIT{number:023}"))).await;
    }
    stage.settled().await;
    let calls = platform.calls(USER_INFO).await.len();
    for minute in 1..=3 {
        clock.advance(61);
        let asked = async || (platform.calls(USER_INFO).await.len() == calls + minute).then_some(());
        until(&format!("probe {minute}"), asked).await;
        until("its outcome", async || {
            (stage.number("SELECT COUNT(*) FROM channel WHERE probe_lease = 0").await == 1).then_some(())
        })
        .await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(platform.calls(USER_INFO).await.len(), calls + 3, "nobody asks within the minute");
    assert_eq!(stage.number("SELECT COALESCE(SUM(info_attempts), 0) FROM user_mapping").await, 0);
    let shown = stage.rows("SELECT api, reason FROM channel").await;
    assert_eq!(shown[0][0].as_deref(), Some("user/info"), "the other APIs have a quota of their own");
    assert!(shown[0][1].as_deref().is_some_and(|reason| reason.contains("45009")), "{shown:?}");
}

async fn a_stranger_is_parked_and_replayed(stage: Stage) {
    let platform = Platform::of(&stage);
    platform.happens("subscribe", "oFRIEND000000000000000000001").await;
    let serve = stage.serve().await;
    serve.push(&subscribe(PERSON)).await;
    serve.push(&subscribe("oFRIEND000000000000000000001")).await;
    filled(&stage, 1).await;
    let parked = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NULL AND info_error LIKE '%40003%'";
    until("the stranger to be parked", async || (stage.number(parked).await == 1).then_some(())).await;
    assert_eq!(platform.codes(USER_INFO).await.iter().filter(|code| **code == 40003).count(), 1, "never asked again");
    assert_eq!(paused(&stage).await, 0, "the others are not held up");

    let shown = stage.verb(&["followers", "show", PERSON]).await.expect_code(0);
    assert!(shown.stdout.contains("40003") && shown.stdout.contains("events replay"), "{}", shown.stdout);
    let shown = stage.verb(&["--json", "followers", "show", PERSON]).await.expect_code(0).json();
    assert!(shown[0]["info_error"].as_str().is_some_and(|why| why.contains("40003")), "{shown:?}");

    platform.happens("subscribe", PERSON).await;
    let events = stage.verb(&["--json", "events", "list", "--openid", PERSON]).await.expect_code(0).json();
    stage.verb(&["events", "replay", events[0]["id"].as_str().unwrap()]).await.expect_code(0);
    filled(&stage, 2).await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE info_error IS NULL").await, 2);
}

/// Each leaves at another moment of their enrichment: before, during and after the call. The platform still shows
/// them as followers, as a lagging replica of it would.
async fn who_leaves_in_the_middle_leaves_nothing(mut stage: Stage) {
    let platform = Platform::restart(&mut stage, &["--profile", "2021", "--latency", "400ms"]).await;
    let serve = stage.serve().await;
    // The token is there, so that the first too is asked about without delay.
    stage.verb(&["token", "refresh"]).await.expect_code(0);
    for step in 0..12_u64 {
        let openid = format!("oLEAVES{step:021}");
        platform.happens("subscribe", &openid).await;
    }
    let start = signer::now();
    let leave = async |step: u64| {
        let openid = format!("oLEAVES{step:021}");
        serve.push(&event_at("subscribe", &openid, start, "<EventKey><![CDATA[qrscene_7]]></EventKey>")).await;
        tokio::time::sleep(Duration::from_millis(70 * step)).await;
        serve.push(&event_at("unsubscribe", &openid, start + 1, "<EventKey><![CDATA[]]></EventKey>")).await;
    };
    tokio::join!(leave(0), leave(1), leave(2), leave(3), leave(4), leave(5));
    tokio::join!(leave(6), leave(7), leave(8), leave(9), leave(10), leave(11));
    stage.settled().await;
    until("calls under way to end", async || {
        let waiting = "SELECT COUNT(*) FROM user_mapping WHERE info_due_at IS NOT NULL";
        (stage.number(waiting).await == 0).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(platform.calls(USER_INFO).await.len() >= 6, "most were asked about before they left");
    let left = "SELECT openid, nickname, unionid, city, avatar_url, qr_scene FROM user_mapping WHERE nickname IS NOT NULL \
                OR unionid IS NOT NULL OR country IS NOT NULL OR avatar_url IS NOT NULL OR qr_scene IS NOT NULL \
                OR is_followed = 1 OR erased_at IS NULL";
    assert_eq!(stage.rows(left).await, Vec::<Vec<Option<String>>>::new());
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE raw IS NOT NULL").await, 0);

    // Who comes back is told anew.
    let openid = format!("oLEAVES{:021}", 3);
    serve.push(&event_at("subscribe", &openid, start + 2, "<EventKey><![CDATA[]]></EventKey>")).await;
    filled(&stage, 1).await;
    let back = "SELECT COUNT(*) FROM user_mapping WHERE nickname IS NOT NULL AND is_followed = 1 AND erased_at IS NULL";
    assert_eq!(stage.number(back).await, 1);
}

async fn the_policy_keep(mut stage: Stage) {
    stage.settings = "unsubscribe_policy = \"keep\"\n".into();
    let platform = Platform::restart(&mut stage, &["--profile", "2021"]).await;
    platform.happens("subscribe", PERSON).await;
    let serve = stage.serve().await;
    serve.push(&event_at("subscribe", PERSON, signer::now() - 5, "<EventKey><![CDATA[qrscene_7]]></EventKey>")).await;
    filled(&stage, 1).await;
    stage
        .execute("INSERT INTO user_tag (account, openid, tag_id) VALUES ('main', 'oTEST0000000000000000000007_', 2)")
        .await;
    let before = stage.verb(&["--json", "followers", "show", PERSON]).await.expect_code(0).json();

    serve.push(&event_at("unsubscribe", PERSON, signer::now(), "<EventKey><![CDATA[]]></EventKey>")).await;
    stage.settled().await;
    let after = stage.verb(&["--json", "followers", "show", PERSON]).await.expect_code(0).json();
    let (before, after) = (before[0].as_object().unwrap(), after[0].as_object().unwrap());
    let changed: Vec<_> = before.keys().filter(|name| before[*name] != after[*name]).collect();
    assert_eq!(changed, ["is_followed", "unfollow_time", "updated_at"]);
    assert_eq!(after["qr_scene"], "7");
    assert_eq!(stage.number("SELECT COUNT(*) FROM user_tag").await, 1);
    assert_eq!(stage.number("SELECT COUNT(*) FROM inbox_event WHERE raw IS NULL").await, 0);
}

/// Waits until so many people are filled and nobody is due.
async fn filled(stage: &Stage, count: i64) {
    let done = format!(
        "SELECT COUNT(*) FROM user_mapping WHERE unionid IS NOT NULL AND info_due_at IS NULL AND info_attempts = 0 \
         AND {count} = (SELECT COUNT(*) FROM user_mapping WHERE unionid IS NOT NULL)"
    );
    until(&format!("{count} to be filled"), async || (stage.number(&done).await == count).then_some(())).await;
}

async fn paused(stage: &Stage) -> i64 {
    stage.number("SELECT COUNT(*) FROM channel").await
}
