//! A pass: what is due goes out once, whoever else drains.

use super::{BY_COLUMN, Crm, stories};
use crate::stage::Stage;

stories! {
    a_new_member_reaches_the_staff,
    eight_at_once_send_each_row_once,
    a_pass_has_its_limits,
    nobody_is_lost_who_left,
}

async fn a_new_member_reaches_the_staff(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang|li", "").await;
    crm.register(3, 3).await;
    let told = crm.drain(0).await;
    assert_eq!(
        (told["sent"].as_u64(), told["messages"].as_u64(), told["dead"].as_u64()),
        (Some(3), Some(3), Some(0)),
        "{told}"
    );
    let received = crm.received().await;
    assert_eq!(received.len(), 6, "{received:?}");
    let to_li: Vec<&String> = received.iter().filter(|(who, _)| who == "li").map(|(_, text)| text).collect();
    assert!(to_li.iter().all(|text| text.contains("138****8000") && !text.contains("13800138000")), "{to_li:?}");
    for at in 0..3 {
        assert!(to_li.iter().any(|text| text.contains(&format!("M{at}"))), "{to_li:?}");
    }
    let rows = crm.stage.rows(
        "SELECT status, attempts, claims, channel, suspect, lease_token, wecom_msgid IS NULL, processed_at IS NULL, last_error \
         FROM member_notification_queue ORDER BY id",
    );
    for row in rows.await {
        let row: Vec<&str> = row.iter().map(|value| value.as_deref().unwrap_or("-")).collect();
        assert_eq!(row, ["sent", "1", "1", "app", "0", "-", "0", "0", "-"]);
    }
    // Nothing is due: nothing is said, and nothing sent.
    let quiet = crm.stage.verb(&["-q", "queue", "drain"]).await.expect_code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    assert_eq!(crm.received().await.len(), 6);
    let runs = crm.stage.verb(&["--json", "jobs", "list", "--job", "queue drain"]).await.expect_code(0).json();
    assert_eq!((runs.len(), &runs[1]["counts"]["sent"]), (2, &3.into()), "{runs:?}");
}

async fn eight_at_once_send_each_row_once(stage: Stage) {
    let crm = Crm::new(stage, &["--latency", "10ms"], "zhang", BY_COLUMN).await;
    crm.register(320, 40).await;
    crm.drains(8, &["--batch", "7"]).await;
    assert_eq!((crm.count("sent").await, crm.count("pending").await), (320, 0));
    assert_eq!(crm.stage.number("SELECT MAX(claims) FROM member_notification_queue").await, 1);
    let received = crm.received().await;
    for at in 0..320 {
        let word = format!("M{at}");
        let times = received.iter().filter(|(_, text)| words(text).any(|one| one == word)).count();
        assert_eq!(times, 1, "{word}");
    }
    assert_eq!(crm.told().await["dropped"], 0);
}

async fn a_pass_has_its_limits(stage: Stage) {
    let crm = Crm::new(stage, &["--latency", "60ms"], "zhang", "").await;
    crm.register(12, 12).await;
    crm.stage.verb(&["queue", "drain", "--max", "5"]).await.expect_code(0);
    assert_eq!((crm.count("sent").await, crm.count("pending").await), (5, 7));
    crm.stage.verb(&["queue", "drain", "--max-time", "1ms"]).await.expect_code(0);
    assert_eq!(crm.count("pending").await, 7, "no row is claimed after its time");
    for (args, says) in [
        (&["queue", "drain", "--batch", "0"][..], "1..=1000"),
        (&["queue", "drain", "--concurrency", "65"], "1..=64"),
        (&["queue", "drain", "--poll", "1s"], "--daemon"),
        (&["queue", "drain", "--daemon", "--max", "3"], "--max"),
        (&["queue", "drain", "--once", "--daemon"], "--once"),
        (&["queue", "drain", "--max-time", "soon"], "soon"),
    ] {
        let refused = crm.stage.verb(args).await.expect_code(2);
        assert!(refused.stderr.contains(says), "{args:?}: {}", refused.stderr);
    }
    let mut lost = Crm { app: "to_user = \"li\"\n".into(), queue: "account = \"other\"".into(), ..crm };
    lost.configure();
    let refused = lost.stage.verb(&["queue", "drain"]).await.expect_code(78);
    assert!(refused.stderr.contains("other"), "{}", refused.stderr);
}

/// The member is deleted before the message goes out: it tells of them as they were.
async fn nobody_is_lost_who_left(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(1, 1).await;
    crm.stage.execute("DELETE FROM members").await;
    crm.drain(0).await;
    let received = crm.received().await;
    assert!(received.len() == 1 && received[0].1.contains("M0"), "{received:?}");
}

/// The words of a message.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
}
