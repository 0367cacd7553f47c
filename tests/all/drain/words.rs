//! Odd members: whatever stands in a row, the message goes out, and nobody else suffers.

use super::{Crm, stories};
use crate::stage::Stage;

stories! {
    odd_members_are_told_of,
    a_row_that_nothing_can_be_made_of_is_dead,
    a_clock_that_was_set_back_delays_nobody,
    a_template_that_is_missing_is_named,
}

async fn odd_members_are_told_of(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "message = \"markdown\"").await;
    let long = "字".repeat(255);
    let names = [
        "😀👨‍👩‍👧‍👦",
        "𠮷野家",
        "O''Brien \"x\" \\\\",
        "**bold** [a](http://x) <@all> # h",
        "{{ phone }} {% raw %}",
        &long,
        "",
    ];
    for (at, name) in names.iter().enumerate() {
        let sql = format!(
            "INSERT INTO members (member_no, nickname, created_at, updated_at) \
             VALUES ('ODD{at}', '{name}', '2026-11-28 10:00:00', '2026-11-28 10:00:00')"
        );
        crm.stage.execute(&sql).await;
    }
    crm.stage
        .execute("INSERT INTO members (member_no, nickname, created_at, updated_at) VALUES ('NULLS', NULL, '2026-11-28', '2026-11-28')")
        .await;
    let told = crm.drain(0).await;
    assert_eq!((&told["sent"], &told["dead"]), (&8.into(), &0.into()), "{told}");
    let received = crm.received().await;
    let of = |number: &str| {
        received.iter().find(|(_, text)| text.contains(number)).map(|(_, text)| text.clone()).expect("a message")
    };
    assert!(of("ODD0").contains("👨‍👩‍👧‍👦") && of("ODD1").contains("𠮷"), "{received:?}");
    assert!(!of("ODD3").contains("<@all>") && !of("ODD3").contains("[a](http://x)"), "{}", of("ODD3"));
    assert!(!of("ODD4").contains("138"), "{}", of("ODD4"));
    // The same as digests.
    crm.queue = "message = \"text\"\ndigest = \"10s\"".into();
    crm.configure();
    crm.stage.execute("UPDATE member_notification_queue SET status = 'cancelled'").await;
    let ids: Vec<String> = (1..=8).map(|id| id.to_string()).collect();
    let args: Vec<&str> = ["queue", "retry"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    crm.stage.verb(&args).await.expect_code(0);
    crm.make_old().await;
    let told = crm.drain(0).await;
    assert_eq!((&told["sent"], &told["dead"]), (&8.into(), &0.into()), "{told}");
}

async fn a_row_that_nothing_can_be_made_of_is_dead(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(3, 3).await;
    crm.stage.execute("UPDATE member_notification_queue SET notification_type = 'member_gone' WHERE id = 1").await;
    crm.stage.execute("UPDATE member_notification_queue SET payload = '[]' WHERE id = 2").await;
    let told = crm.drain(3).await;
    assert_eq!((&told["sent"], &told["dead"]), (&1.into(), &2.into()), "{told}");
    let shown = crm.stage.verb(&["queue", "show", "1"]).await.expect_code(0).stdout;
    assert!(shown.contains("notification_type"), "{shown}");
    crm.stage.verb(&["queue", "show", "99"]).await.expect_code(1);
}

/// Due times and leases of an hour that is yet to come.
async fn a_clock_that_was_set_back_delays_nobody(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(3, 3).await;
    crm.pass_time(-7200).await;
    crm.stage
        .execute("UPDATE member_notification_queue SET status = 'processing', lease_token = 'dead' WHERE id = 1")
        .await;
    crm.stage.execute("UPDATE member_notification_queue SET locked_until = available_at WHERE id = 1").await;
    assert_eq!(crm.drain(0).await["sent"], 3);
}

async fn a_template_that_is_missing_is_named(stage: Stage) {
    let mut crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(1, 1).await;
    crm.queue = "template = \"templates/none.txt\"".into();
    crm.configure();
    let refused = crm.stage.verb(&["queue", "drain"]).await.expect_code(78);
    assert!(refused.stderr.contains("templates/none.txt"), "{}", refused.stderr);
    assert_eq!(crm.count("pending").await, 1, "nothing is lost");
}
