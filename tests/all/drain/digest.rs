//! Messages that tell of many rows.

use super::{Crm, stories};
use crate::stage::Stage;

stories! {
    what_is_young_waits_to_be_told_of_together,
    a_digest_that_is_refused_is_told_one_by_one,
    a_digest_is_repeated_as_a_whole,
}

async fn what_is_young_waits_to_be_told_of_together(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "digest = \"10m\"").await;
    crm.register(5, 5).await;
    let told = crm.drain(0).await;
    assert_eq!(told["sent"], 0, "{told}");
    assert!(told["next_in_ms"].as_i64().is_some_and(|ms| (590_000..=600_000).contains(&ms)), "{told}");
    crm.make_old().await;
    let told = crm.drain(0).await;
    assert_eq!((&told["sent"], &told["messages"], &told["digests"]), (&5.into(), &1.into(), &1.into()), "{told}");
    let received = crm.received().await;
    assert!(received.len() == 1 && (0..5).all(|at| received[0].1.contains(&format!("M{at}"))), "{received:?}");
    let lead = crm.stage.number("SELECT COUNT(*) FROM member_notification_queue WHERE digest_id = 1").await;
    assert_eq!(lead, 5);
}

/// One of them can't be said: the others must not suffer.
async fn a_digest_that_is_refused_is_told_one_by_one(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "digest = \"10s\"").await;
    crm.register(4, 4).await;
    crm.platform.faults(&["85002@/cgi-bin/message/send=1"]).await;
    crm.make_old().await;
    // Refused together, and then each alone: dead, with their reason.
    crm.drain(3).await;
    assert_eq!(crm.count("dead").await, 4);
    assert_eq!(crm.platform.codes("/cgi-bin/message/send").await, [85002; 5]);
    assert_eq!(crm.stage.number("SELECT MAX(attempts) FROM member_notification_queue").await, 1);
}

/// Killed after it has gone out: the same bytes once more, and no second message of others.
async fn a_digest_is_repeated_as_a_whole(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "digest = \"10s\"").await;
    crm.register(15, 15).await;
    crm.make_old().await;
    crm.drain(0).await;
    let back = "UPDATE member_notification_queue SET status = 'processing', lease_token = 'dead', processed_at = NULL";
    crm.stage.execute(back).await;
    crm.outlive_leases().await;
    let told = crm.drain(0).await;
    assert_eq!((&told["recovered"], &told["sent"], &told["messages"]), (&15.into(), &15.into(), &1.into()), "{told}");
    let told = crm.told().await;
    assert_eq!((&told["received"], &told["suppressed"]), (&1.into(), &1.into()), "{told}");
    assert_eq!(crm.stage.number("SELECT COUNT(*) FROM member_notification_queue WHERE suspect = 1").await, 15);
}
