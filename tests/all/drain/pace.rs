//! The pace: what the platform would drop without a word is never sent.

use super::pass::words;
use super::{Crm, stories};
use crate::stage::Stage;

stories! {
    five_hundred_to_one_person_by_eight,
    what_waits_for_the_pace_goes_out_a_minute_later,
    everybody_counts_against_everybody,
    an_hour_has_a_thousand,
    a_robot_is_never_asked_too_often,
}

/// Others are not delayed by it.
async fn five_hundred_to_one_person_by_eight(stage: Stage) {
    let rule = "[[queue.rule]]\nwhen = 'wechat = \"w1\"'\nto = [\"li\"]\n";
    let crm = Crm::new(stage, &[], "zhang", rule).await;
    crm.register(500, 1).await;
    crm.stage.execute("UPDATE members SET wechat = 'w0'").await;
    crm.stage
        .execute(
            "INSERT INTO members (member_no, nickname, wechat, created_at, updated_at) \
             VALUES ('OTHER1', 'x', 'w1', '2026-11-28 10:00:00', '2026-11-28 10:00:00')",
        )
        .await;
    crm.drains(8, &[]).await;
    let told = crm.told().await;
    assert_eq!((&told["dropped"], &told["suppressed"]), (&0.into(), &0.into()), "{told}");
    assert!(told["people"]["zhang"]["received"].as_i64().is_some_and(|count| (12..=30).contains(&count)), "{told}");
    assert_eq!(told["people"]["li"]["received"], 1, "the other was not delayed");
    // A minute later, and another: all of them, each once.
    for _ in 0..3 {
        crm.pass_time(62).await;
        crm.platform.advance(62).await;
        crm.drain(0).await;
    }
    assert_eq!((crm.count("sent").await, crm.count("pending").await), (501, 0));
    let received = crm.received().await;
    let mut seen: Vec<&str> = received
        .iter()
        .flat_map(|(_, text)| words(text))
        .filter(|word| word.starts_with('M') && word.len() > 1)
        .collect();
    seen.sort_unstable();
    let all = seen.len();
    seen.dedup();
    assert_eq!((all, seen.len()), (500, 500));
    assert_eq!(crm.told().await["dropped"], 0);
}

async fn what_waits_for_the_pace_goes_out_a_minute_later(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(30, 30).await;
    let told = crm.drain(0).await;
    assert_eq!(
        (told["sent"].as_u64(), told["messages"].as_u64()),
        (Some(30), Some(30)),
        "what fits goes out one by one: {told}"
    );
    crm.register(2, 2).await;
    let told = crm.drain(0).await;
    assert_eq!((told["sent"].as_u64(), told["paced"].as_u64()), (Some(0), Some(2)), "{told}");
    assert!(told["next_in_ms"].as_i64().is_some_and(|ms| (40_000..=61_000).contains(&ms)), "{told}");
    assert_eq!(
        crm.stage.number("SELECT MAX(attempts) FROM member_notification_queue WHERE status = 'pending'").await,
        0
    );
    crm.pass_time(61).await;
    crm.platform.advance(61).await;
    assert_eq!(crm.drain(0).await["sent"], 2);
    assert_eq!(crm.told().await["dropped"], 0);
}

/// A message to a department counts for everybody, who may be in it.
async fn everybody_counts_against_everybody(stage: Stage) {
    let rule = "[[queue.rule]]\nwhen = 'wechat = \"w1\"'\nto = [\"party:1\"]\n";
    let crm = Crm::new(stage, &[], "staff1", rule).await;
    // By turns to staff1, and to the department that staff1 is in.
    crm.register(50, 2).await;
    crm.drain(0).await;
    let told = crm.told().await;
    assert_eq!(told["dropped"], 0, "{told}");
    assert!(told["people"]["staff1"]["received"].as_i64().is_some_and(|count| count <= 30), "{told}");
}

async fn an_hour_has_a_thousand(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(1, 1).await;
    crm.drain(0).await;
    let app = crm.stage.rows("SELECT app FROM send_pace WHERE recipient = 'zhang'").await[0][0].clone().unwrap();
    let now = crm.stage.number("SELECT MAX(sent_at) FROM send_pace").await;
    let rows: Vec<String> = (1..1000).map(|at| format!("('{app}', 'zhang', 0, {})", now - 1_800_000 - at)).collect();
    crm.stage
        .execute(&format!("INSERT INTO send_pace (app, recipient, queue_id, sent_at) VALUES {}", rows.join(", ")))
        .await;
    crm.register(1, 1).await;
    let told = crm.drain(0).await;
    assert_eq!((told["sent"].as_u64(), told["paced"].as_u64()), (Some(0), Some(1)), "{told}");
    assert!(told["next_in_ms"].as_i64().is_some_and(|ms| (1_700_000..=1_801_000).contains(&ms)), "{told}");
}

/// 45009 would be the answer to the 21st in a minute.
async fn a_robot_is_never_asked_too_often(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "via = \"robot\"").await;
    crm.with_robot();
    crm.register(120, 120).await;
    crm.drains(4, &[]).await;
    let told = crm.told().await;
    assert!(told["robot"]["received"].as_i64().is_some_and(|count| (1..=18).contains(&count)), "{told}");
    assert_eq!(told["robot"]["refused"], 0, "{told}");
    crm.pass_time(62).await;
    crm.platform.advance(62).await;
    crm.drain(0).await;
    assert_eq!((crm.count("sent").await, crm.count("pending").await), (120, 0));
    assert_eq!(crm.told().await["robot"]["refused"], 0);
}
