//! What the platform says no to: rows that can't get better, and channels that are ill.

use super::{Crm, stories};
use crate::stage::Stage;

const SEND: &str = "/cgi-bin/message/send";

stories! {
    what_cannot_get_better_is_dead_at_once,
    a_busy_platform_costs_attempts,
    a_spent_frequency_pauses_and_costs_none,
    an_address_that_is_not_listed_stops_it,
    a_wrong_secret_stops_it,
    an_absent_platform_costs_no_attempt,
    who_is_unknown_is_a_failure_in_part,
    what_the_application_refuses_the_robot_says,
}

async fn attempts(crm: &Crm) -> i64 {
    crm.stage.number("SELECT MAX(attempts) FROM member_notification_queue").await
}

async fn what_cannot_get_better_is_dead_at_once(stage: Stage) {
    let crm = Crm::new(stage, &["--wecom-invalid", "gone"], "gone", "").await;
    crm.register(1, 1).await;
    let done = crm.stage.verb(&["queue", "drain"]).await.expect_code(3);
    assert!(done.stderr.contains("1 given up") && done.stderr.contains("wxops queue list --failed"), "{}", done.stderr);
    let rows =
        crm.stage.rows("SELECT status, attempts, last_error_code, last_error FROM member_notification_queue").await;
    let row: Vec<&str> = rows[0].iter().map(|value| value.as_deref().unwrap_or("-")).collect();
    assert_eq!(row[..3], ["dead", "1", "81013"]);
    assert!(row[3].contains("errcode 81013"), "{row:?}");
    assert_eq!(crm.drain(0).await["claimed"], 0, "it is not tried again");
    // A person mends it, and sends it again.
    let mut crm = Crm { app: "to_user = \"zhang\"\n".into(), ..crm };
    crm.configure();
    crm.stage.verb(&["queue", "retry", "--dead", "--code", "81013"]).await.expect_code(0);
    assert_eq!(crm.drain(0).await["sent"], 1);
    assert_eq!(crm.received().await[0].0, "zhang");
}

async fn a_busy_platform_costs_attempts(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "busy@/cgi-bin/message/send=1"], "zhang", "").await;
    crm.register(1, 1).await;
    for made in 1..=2 {
        assert_eq!(crm.drain(3).await["again"], 1);
        assert_eq!((attempts(&crm).await, crm.count("pending").await), (made, 1));
        assert_eq!(crm.drain(0).await["claimed"], 0, "it waits");
        crm.pass_time(200).await;
    }
    assert_eq!(crm.drain(3).await["dead"], 1);
    assert_eq!((attempts(&crm).await, crm.count("dead").await), (3, 1));
    assert_eq!(crm.platform.codes(SEND).await, [-1, -1, -1]);
}

async fn a_spent_frequency_pauses_and_costs_none(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "quota@/cgi-bin/message/send=1"], "zhang", "").await;
    crm.register(20, 20).await;
    let done = crm.stage.verb(&["queue", "drain", "--concurrency", "1"]).await.expect_code(69);
    assert!(done.stderr.contains("45009"), "{}", done.stderr);
    assert_eq!((attempts(&crm).await, crm.count("pending").await), (0, 20));
    let asked = crm.platform.codes(SEND).await.len();
    let done = crm.stage.verb(&["queue", "drain"]).await.expect_code(69);
    assert!(done.stderr.contains("paused until") && done.stderr.contains("45009"), "{}", done.stderr);
    assert_eq!(crm.platform.codes(SEND).await.len(), asked, "nobody asks before its time");
    let status = crm.stage.verb(&["queue", "status"]).await.expect_code(0).stdout;
    assert!(status.contains("paused") && status.contains("message/send"), "{status}");
    // Its time has come.
    crm.platform.faults(&[]).await;
    crm.stage.execute("UPDATE channel SET paused_until = 0").await;
    crm.pass_time(1).await;
    assert_eq!(crm.drain(0).await["sent"], 20);
}

async fn an_address_that_is_not_listed_stops_it(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "ip-not-listed@wecom=1"], "zhang", "").await;
    crm.register(3, 3).await;
    let done = crm.stage.verb(&["queue", "drain"]).await.expect_code(77);
    assert!(done.stderr.contains("60020") && done.stderr.contains("trusted IP"), "{}", done.stderr);
    assert_eq!((attempts(&crm).await, crm.count("pending").await), (0, 3));
    crm.platform.faults(&[]).await;
    assert_eq!(crm.drain(0).await["sent"], 3, "nothing is in the way of the next pass");
}

async fn a_wrong_secret_stops_it(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "token-invalid@wecom=1"], "zhang", "").await;
    crm.register(3, 3).await;
    let done = crm.stage.verb(&["queue", "drain", "--concurrency", "1"]).await.expect_code(77);
    assert!(done.stderr.contains("4001") || done.stderr.contains("40001"), "{}", done.stderr);
    assert_eq!((attempts(&crm).await, crm.count("pending").await), (0, 3));
}

async fn an_absent_platform_costs_no_attempt(mut stage: Stage) {
    stage.way = None;
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(2, 2).await;
    crm.stage.settings = crm.stage.settings.replace(&crm.stage.sandbox().to_string(), "127.0.0.1:1");
    let done = crm.stage.verb(&["queue", "drain"]).await.expect_code(69);
    assert!(done.stderr.contains("127.0.0.1"), "{}", done.stderr);
    assert_eq!((attempts(&crm).await, crm.count("pending").await), (0, 2));
    assert_eq!(crm.stage.number("SELECT MAX(suspect) FROM member_notification_queue").await, 0, "nothing has left");
    crm.configure();
    assert_eq!(crm.drain(0).await["sent"], 2);
}

/// `invaliduser` in an answer with errcode 0.
async fn who_is_unknown_is_a_failure_in_part(stage: Stage) {
    let crm = Crm::new(stage, &["--wecom-invalid", "gone"], "zhang|Gone", "").await;
    crm.register(1, 1).await;
    let told = crm.drain(3).await;
    assert_eq!((&told["sent"], &told["partly"]), (&1.into(), &1.into()), "{told}");
    let error = crm.stage.rows("SELECT status, last_error FROM member_notification_queue").await;
    assert_eq!(error[0][0].as_deref(), Some("sent"));
    assert!(error[0][1].as_deref().is_some_and(|text| text.contains("invaliduser: gone")), "{error:?}");
    assert_eq!(crm.received().await.len(), 1);
}

/// After a known failure only.
async fn what_the_application_refuses_the_robot_says(stage: Stage) {
    let mut crm = Crm::new(stage, &["--wecom-invalid", "gone"], "gone", "fallback = \"robot\"").await;
    crm.with_robot();
    crm.register(2, 2).await;
    let told = crm.drain(0).await;
    assert_eq!((&told["sent"], &told["dead"]), (&2.into(), &0.into()), "{told}");
    assert_eq!(crm.told().await["robot"]["received"], 2);
    let rows = crm.stage.rows("SELECT DISTINCT channel, status, last_error FROM member_notification_queue").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0][0].as_deref(), rows[0][1].as_deref()), (Some("robot"), Some("sent")));
    // Whether this one arrived is not known: it is repeated on its way, and not said by another.
    crm.platform.faults(&["lost-answer@/cgi-bin/message/send=1"]).await;
    crm.app = crm.app.replace("gone", "zhang");
    crm.configure();
    crm.register(1, 1).await;
    crm.stage.verb(&["--timeout", "6s", "queue", "drain"]).await.expect_code(69);
    assert_eq!(crm.told().await["robot"]["received"], 2);
}
