//! `queue drain --daemon`: as soon as a row is due, until it is told to stop.

use super::{Crm, stories};
use crate::process::Server;
use crate::stage::{Stage, until};
use std::time::{Duration, Instant};

stories! {
    a_row_goes_out_as_soon_as_it_is_due,
    a_stop_finishes_what_is_under_way,
    new_members_are_found_without_a_trigger,
}

async fn daemon(crm: &Crm) -> Server {
    let config = crm.stage.config();
    let args = ["--config", &config, "queue", "drain", "--daemon", "--poll", "100ms"];
    Server::start_silent(crm.stage.folder(), &args).await
}

async fn a_row_goes_out_as_soon_as_it_is_due(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    let mut daemon = daemon(&crm).await;
    crm.register(1, 1).await;
    until("the first message", async || (!crm.received().await.is_empty()).then_some(())).await;
    let start = Instant::now();
    crm.register(1, 1).await;
    until("the second message", async || (crm.received().await.len() == 2).then_some(())).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // What the dead left is due again after its lease, and the daemon looks for it too.
    let back = "UPDATE member_notification_queue SET status = 'processing', lease_token = 'dead', processed_at = NULL WHERE id = 1";
    crm.stage.execute(back).await;
    crm.outlive_leases().await;
    until("the row of the dead", async || (crm.count("sent").await == 2).then_some(())).await;
    daemon.signal("TERM");
    assert_eq!(daemon.wait().await, Some(0), "{}", daemon.log());
}

async fn a_stop_finishes_what_is_under_way(stage: Stage) {
    let crm = Crm::new(stage, &["--latency", "700ms"], "zhang", "").await;
    crm.register(1, 1).await;
    let mut daemon = daemon(&crm).await;
    until("a message under way", async || (crm.count("processing").await == 1).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    daemon.signal("TERM");
    assert_eq!(daemon.wait().await, Some(0), "{}", daemon.log());
    assert_eq!((crm.count("sent").await, crm.count("processing").await), (1, 0));
    assert_eq!(crm.stage.number("SELECT MAX(suspect) FROM member_notification_queue").await, 0);
}

async fn new_members_are_found_without_a_trigger(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    crm.stage.execute("DROP TRIGGER tr_member_insert_notification").await;
    crm.queue = "capture = \"poll\"".into();
    crm.configure();
    let mut daemon = daemon(&crm).await;
    until("the first look", async || (crm.stage.number("SELECT COUNT(*) FROM queue_capture").await == 1).then_some(()))
        .await;
    crm.register(3, 3).await;
    until("three messages", async || (crm.received().await.len() == 3).then_some(())).await;
    daemon.signal("TERM");
    assert_eq!(daemon.wait().await, Some(0), "{}", daemon.log());
    assert_eq!(crm.drain(0).await["captured"], 0);
}
