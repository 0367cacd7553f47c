//! People who leave: what is not sent any more, what receivers hear of it, and what a purge takes along.

use super::receiver::{Does, Receiver, deliveries, hurry, reach, say};
use crate::messages::{OPENID, event, text};
use crate::rows::Db;
use crate::stage::{Stage, until};
use crate::stories::stories;

stories! {
    what_was_erased_is_not_sent,
    an_erasure_is_told_until_it_is_heard,
    a_purge_takes_deliveries_along,
}

/// A message that waits while its person leaves is not sent; that they left is.
async fn what_was_erased_is_not_sent(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(503, "Retry-After: 600\r\n")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]");
    let serve = stage.serve().await;
    let xml = text(OPENID, "my secret plan", 1);
    assert_eq!(serve.push(&xml).await.status, 200);
    receiver.has(1).await;
    reach(&stage, "pending", 1).await;
    assert_eq!(serve.push(&event("unsubscribe", OPENID, "<EventKey></EventKey>")).await.status, 200);
    stage.settled().await;
    receiver.now_does(Does::Answers(200, ""));
    hurry(&stage).await;
    reach(&stage, "erased", 1).await;
    hurry(&stage).await;
    reach(&stage, "delivered", 1).await;
    let told = receiver.told();
    let left = told.last().unwrap().json();
    assert_eq!((&left["type"], &left["data"]["openid"]), (&"event.unsubscribe".into(), &OPENID.into()));
    assert!(left["data"].get("message").is_none() && told.len() == 2, "{told:?}");
    // The first try may have brought it something: it has to hear of the erasure.
    assert_eq!(stage.number("SELECT COUNT(*) FROM hook_person WHERE hook = 'crm'").await, 1);
    let id = "SELECT e.id FROM inbox_event e WHERE e.kind = 'message.text'";
    let id = stage.number(id).await.to_string();
    let refused = stage.verb(&["events", "replay", &id, "--hook", "crm"]).await.expect_code(1);
    assert!(refused.stderr.contains("erased"), "{}", refused.stderr);
}

/// `person.erased` goes to who got something of the person, has no number of tries, and ends what is kept of it.
async fn an_erasure_is_told_until_it_is_heard(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"message.*\"]\ntries = 1");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    reach(&stage, "delivered", 1).await;
    receiver.now_does(Does::Answers(500, ""));
    let now = match stage.db {
        Db::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+1 seconds')",
        Db::MariaDb => "UTC_TIMESTAMP(3) + INTERVAL 1 SECOND",
    };
    stage
        .execute(&format!(
            "INSERT INTO hook_delivery (hook, account, openid, state, due_at, created_at) \
             SELECT hook, account, openid, 'pending', 0, {now} FROM hook_person WHERE openid = '{OPENID}'"
        ))
        .await;
    until("tries beyond its number", async || {
        hurry(&stage).await;
        (receiver.told().len() >= 4).then_some(())
    })
    .await;
    receiver.now_does(Does::Answers(200, ""));
    until("the erasure to be heard", async || {
        hurry(&stage).await;
        (deliveries(&stage, "delivered").await == 2).then_some(())
    })
    .await;
    let told = receiver.told();
    let erased = told.last().unwrap();
    assert_eq!((&erased.json()["type"], &erased.json()["data"]["openid"]), (&"person.erased".into(), &OPENID.into()));
    assert_eq!(erased.header("webhook-id"), told[1].header("webhook-id"));
    assert_eq!(stage.number("SELECT COUNT(*) FROM hook_person").await, 0);
}

/// What is still to be told keeps its event; what was told goes with it.
async fn a_purge_takes_deliveries_along(mut stage: Stage) {
    let receiver = Receiver::start(Does::Answers(200, "")).await;
    stage.account_settings = receiver.hook("crm", "events = [\"*\"]");
    let serve = stage.serve().await;
    say(&serve, OPENID, "x", 1).await;
    reach(&stage, "delivered", 1).await;
    receiver.now_does(Does::Answers(503, "Retry-After: 600\r\n"));
    say(&serve, OPENID, "y", 2).await;
    receiver.has(2).await;
    reach(&stage, "pending", 1).await;
    let old = if stage.db == Db::Sqlite { "2020-01-01T00:00:00.000Z" } else { "2020-01-01 00:00:00.000" };
    stage.execute(&format!("UPDATE inbox_event SET received_at = '{old}'")).await;
    let purge = ["--json", "events", "purge", "--older-than", "90d", "--yes"];
    let purged = stage.verb(&purge).await.expect_code(0).json();
    assert_eq!(purged[0]["deleted"], 1);
    assert_eq!((stage.stored().await, stage.number("SELECT COUNT(*) FROM hook_delivery").await), (1, 1));
    receiver.now_does(Does::Answers(200, ""));
    hurry(&stage).await;
    reach(&stage, "delivered", 1).await;
    stage.verb(&purge).await.expect_code(0);
    assert_eq!((stage.stored().await, deliveries(&stage, "delivered").await), (0, 0));
}
