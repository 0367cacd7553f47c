//! Killed anywhere: nobody is lost, what may have gone out twice is marked, and the member's staff sees it once.

use super::pass::words;
use super::{BY_COLUMN, Crm, stories};
use crate::process;
use crate::stage::Stage;
use std::collections::BTreeMap;
use std::time::Duration;

stories! {
    killed_anywhere_nobody_is_lost,
    a_lost_answer_is_repeated_by_the_same_bytes,
    a_lost_database_loses_nothing,
}

/// Kills in the suite; more by hand, with WXOPS_TEST_KILLS.
const KILLS: u64 = 10;

async fn killed_anywhere_nobody_is_lost(stage: Stage) {
    let kills = std::env::var("WXOPS_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let crm = Crm::new(stage, &["--latency", "20ms"], "zhang", BY_COLUMN).await;
    let members = 60 * usize::try_from(kills).unwrap().clamp(5, 10) / 2;
    crm.register(members, 60).await;
    let config = crm.stage.config();
    let mut killed = 0;
    for turn in 0..kills {
        let mut child =
            process::command(crm.stage.folder(), &["--config", &config, "queue", "drain", "--concurrency", "4"], &[])
                .spawn()
                .unwrap();
        tokio::time::sleep(Duration::from_millis(60 + (turn * 37) % 240)).await;
        killed += i32::from(child.try_wait().unwrap().is_none());
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        crm.outlive_leases().await;
    }
    assert!(killed > 0, "no drain was killed in the middle");
    for _ in 0..3 {
        crm.drain(0).await;
        crm.pass_time(62).await;
        crm.platform.advance(62).await;
    }
    assert_eq!(crm.count("sent").await, members as i64);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (_, text) in crm.received().await {
        for word in words(&text).filter(|word| word.len() > 1 && word.starts_with('M')) {
            *seen.entry(word.to_owned()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), members, "lost");
    assert!(seen.values().all(|times| *times == 1), "seen twice: {seen:?}");
    let told = crm.told().await;
    assert_eq!(told["dropped"], 0, "{told}");
    let repeats = told["suppressed"].as_i64().unwrap();
    let suspect = crm.stage.number("SELECT COUNT(*) FROM member_notification_queue WHERE suspect = 1").await;
    assert!(suspect >= repeats, "{repeats} repeats, {suspect} marked");
}

async fn a_lost_answer_is_repeated_by_the_same_bytes(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "reset@/cgi-bin/message/send=1"], "zhang", "").await;
    crm.register(3, 3).await;
    crm.stage.verb(&["queue", "drain", "--concurrency", "1"]).await.expect_code(69);
    let attempts = crm.stage.number("SELECT MAX(attempts) FROM member_notification_queue").await;
    assert_eq!((attempts, crm.count("pending").await), (0, 3), "only answers cost attempts");
    let frozen =
        crm.stage.rows("SELECT id, body FROM member_notification_queue WHERE body IS NOT NULL ORDER BY id").await;
    let suspect = crm.stage.verb(&["--json", "queue", "list", "--suspect"]).await.expect_code(0).json();
    assert!(!suspect.is_empty() && suspect.len() <= frozen.len(), "{suspect:?}");
    crm.platform.faults(&[]).await;
    crm.pass_time(5).await;
    let told = crm.drain(0).await;
    assert_eq!(told["sent"], 3, "{told}");
    for row in frozen {
        let id = row[0].as_deref().unwrap();
        let now = crm.stage.rows(&format!("SELECT body FROM member_notification_queue WHERE id = {id}")).await;
        assert_eq!(now[0][0], row[1], "the bytes of {id}");
    }
    assert_eq!(crm.told().await["people"]["zhang"]["received"], 3);
}

/// The outcome can't be written: the rows come back by the end of their leases, marked.
async fn a_lost_database_loses_nothing(stage: Stage) {
    let crm = Crm::new(stage, &["--latency", "400ms"], "zhang", "").await;
    crm.register(4, 4).await;
    let config = crm.stage.config();
    let child = process::command(crm.stage.folder(), &["--config", &config, "queue", "drain"], &[]).spawn().unwrap();
    crate::stage::until("the first call", async || {
        (crm.count("processing").await > 0 && crm.told().await["accepted"].as_i64() > Some(0)).then_some(())
    })
    .await;
    crm.stage.execute("ALTER TABLE member_notification_queue RENAME TO away").await;
    let done = child.wait_with_output().await.unwrap();
    crm.stage.execute("ALTER TABLE away RENAME TO member_notification_queue").await;
    assert_ne!(done.status.code(), Some(0), "{done:?}");
    assert!(!String::from_utf8_lossy(&done.stderr).contains("panic"), "{done:?}");
    crm.outlive_leases().await;
    crm.pass_time(5).await;
    crm.drain(0).await;
    assert_eq!(crm.count("sent").await, 4);
    let told = crm.told().await;
    assert_eq!((&told["received"], &told["dropped"]), (&4.into(), &0.into()), "{told}");
    assert_eq!(crm.stage.number("SELECT MIN(suspect) FROM member_notification_queue").await, 1);
}
