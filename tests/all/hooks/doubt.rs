//! Tries of which nobody knows whether they arrived: repeated where the receiver can tell, else a person's.

use super::receiver::{Does, Receiver, deliveries, hurry, reach, say};
use crate::messages::OPENID;
use crate::stage::{Stage, until};
use crate::stories::stories;

stories! {
    a_killed_serve_repeats_under_the_same_id,
    a_killed_serve_leaves_the_doubt_to_a_person,
    an_answer_that_is_lost,
}

/// What 15 s would do to the leases of a killed process; on SQLite the next one knows that it is dead.
async fn outlive(stage: &Stage) {
    stage.outlive_leases().await;
    if stage.db == crate::rows::Db::MariaDb {
        stage.execute("UPDATE hook_delivery SET lease_until = 0 WHERE state = 'sending'").await;
    }
}

async fn a_killed_serve_repeats_under_the_same_id(mut stage: Stage) {
    let receiver = Receiver::start(Does::Hangs).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]");
    let mut serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    receiver.has(1).await;
    serve.kill().await;
    assert_eq!(deliveries(&stage, "sending").await, 1, "written before it is sent");
    receiver.now_does(Does::Answers(200, ""));
    outlive(&stage).await;
    let _serve = stage.serve().await;
    reach(&stage, "delivered", 1).await;
    let told = receiver.told();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].header("webhook-id"), told[1].header("webhook-id"));
    assert_eq!(told[0].body, told[1].body);
    stage.verb(&["sends", "unknown"]).await.expect_code(0);
}

async fn a_killed_serve_leaves_the_doubt_to_a_person(mut stage: Stage) {
    let receiver = Receiver::start(Does::Hangs).await;
    stage.account_settings = receiver.hook("sms", "events = [\"*\"]\nwhen_unknown = \"ask\"");
    let mut serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    receiver.has(1).await;
    serve.kill().await;
    receiver.now_does(Does::Answers(200, ""));
    outlive(&stage).await;
    let serve = stage.serve().await;
    reach(&stage, "unknown", 1).await;
    say(&serve, OPENID, "y", 2).await;
    reach(&stage, "delivered", 1).await;
    assert_eq!(receiver.told().len(), 2, "the one in doubt is not repeated");
    let listed = stage.verb(&["--json", "sends", "unknown"]).await.expect_code(4);
    let event = listed.json()[0]["event"].as_str().unwrap().to_owned();
    stage.verb(&["events", "purge", "--older-than", "1d", "--yes"]).await.expect_code(0);
    stage.verb(&["events", "replay", &event, "--hook", "sms"]).await.expect_code(0);
    reach(&stage, "delivered", 2).await;
    stage.verb(&["sends", "unknown"]).await.expect_code(0);
}

/// Closed without an answer, or none in time: again, or a person's.
async fn an_answer_that_is_lost(mut stage: Stage) {
    let (deaf, mute) = (Receiver::start(Does::Closes).await, Receiver::start(Does::Hangs).await);
    stage.account_settings = deaf.hook("deaf", "events = [\"*\"]\nwhen_unknown = \"ask\"")
        + &mute.hook("mute", "events = [\"*\"]\ntimeout = \"300ms\"\ntries = 2");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    reach(&stage, "unknown", 1).await;
    until("the end of its tries", async || {
        hurry(&stage).await;
        (deliveries(&stage, "failed").await == 1).then_some(())
    })
    .await;
    assert_eq!((deaf.told().len(), mute.told().len()), (1, 2));
    let errors = stage.rows("SELECT last_error FROM hook_delivery ORDER BY hook").await;
    assert!(
        errors.iter().all(|row| row[0].as_deref().unwrap().ends_with("whether it arrived is not known")),
        "{errors:?}"
    );
    assert!(!format!("{errors:?}").contains(&deaf.address.to_string()), "{errors:?}");
}
