//! Looking at the queue, sending again, cleaning up.

use super::{Crm, stories};
use crate::rows::Db;
use crate::stage::Stage;

stories! {
    the_queue_is_told_of,
    a_person_sends_again,
    old_rows_go,
}

async fn the_queue_is_told_of(stage: Stage) {
    let crm = Crm::new(
        stage,
        &["--wecom-invalid", "gone"],
        "zhang",
        "[[queue.rule]]\nwhen = 'wechat = \"w1\"'\nto = [\"gone\"]\n",
    )
    .await;
    crm.register(4, 2).await;
    let status = crm.stage.verb(&["--json", "queue", "status"]).await.expect_code(0).json().remove(0);
    assert_eq!((&status["states"]["pending"], &status["due"]), (&4.into(), &4.into()), "{status}");
    crm.drain(3).await;
    let status = crm.stage.verb(&["--json", "queue", "status"]).await.expect_code(0).json().remove(0);
    assert_eq!((&status["states"]["sent"], &status["states"]["dead"]), (&2.into(), &2.into()), "{status}");
    let day = &status["days"][0];
    assert_eq!((&day["sent"], &day["dead"], &day["success_percent"]), (&2.into(), &2.into(), &50.0.into()), "{status}");
    assert!(day["latency_ms"].as_f64().is_some_and(|ms| (0.0..60_000.0).contains(&ms)), "{status}");
    let shown = crm.stage.verb(&["queue", "status"]).await.expect_code(0).stdout;
    assert!(shown.contains("50.00 %") && shown.contains('█'), "{shown}");
    let all = crm.stage.verb(&["--json", "queue", "list"]).await.expect_code(0).json();
    assert_eq!(all.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), ["4", "3", "2", "1"]);
    let failed = crm.stage.verb(&["--json", "queue", "list", "--failed"]).await.expect_code(0).json();
    assert_eq!(failed.len(), 2, "{failed:?}");
    for (args, rows) in [
        (&["--state", "sent"][..], 2),
        (&["--kind", "new"], 4),
        (&["--kind", "status"], 0),
        (&["--member", "2"], 1),
        (&["--limit", "3"], 3),
        (&["--suspect"], 0),
    ] {
        let list = crm.stage.verb(&[&["--json", "queue", "list"], args].concat()).await.expect_code(0).json();
        assert_eq!(list.len(), rows, "{args:?}");
    }
    crm.stage.verb(&["queue", "list", "--state", "gone"]).await.expect_code(2);
    let shown = crm.stage.verb(&["--json", "queue", "show", "1"]).await.expect_code(0).json().remove(0);
    assert_eq!(
        (&shown["payload"]["member_no"], &shown["recipients"][0]),
        (&"M0".into(), &"user:zhang".into()),
        "{shown}"
    );
    assert_eq!(shown["body"]["enable_duplicate_check"], 1, "{shown}");
}

async fn a_person_sends_again(stage: Stage) {
    let crm = Crm::new(stage, &["--fault", "85002@/cgi-bin/message/send=1"], "zhang", "").await;
    crm.register(3, 3).await;
    crm.drain(3).await;
    crm.platform.faults(&[]).await;
    let plan =
        crm.stage.verb(&["--json", "queue", "retry", "--dead", "--dry-run"]).await.expect_code(0).json().remove(0);
    assert_eq!((&plan["due"], crm.count("dead").await), (&3.into(), 3));
    crm.stage.verb(&["queue", "retry", "1"]).await.expect_code(0);
    assert_eq!(crm.drain(0).await["sent"], 1);
    let refused = crm.stage.verb(&["queue", "retry", "1", "2"]).await.expect_code(3);
    assert!(refused.stdout.contains("1 stays: it is sent"), "{}", refused.stdout);
    crm.stage.verb(&["queue", "retry", "--dead"]).await.expect_code(0);
    assert_eq!(crm.drain(0).await["sent"], 2);
    crm.stage.verb(&["queue", "retry", "77"]).await.expect_code(1);
    crm.stage.verb(&["queue", "retry"]).await.expect_code(2);
}

async fn old_rows_go(stage: Stage) {
    let crm = Crm::new(stage, &[], "zhang", "").await;
    crm.register(5, 5).await;
    crm.drain(0).await;
    crm.register(1, 1).await;
    let old = match crm.stage.db {
        Db::Sqlite => "processed_at = '2026-01-01T00:00:00.000Z', available_at = 1767225600000",
        Db::MariaDb => "processed_at = '2026-01-01', available_at = '2026-01-01'",
    };
    crm.stage.execute(&format!("UPDATE member_notification_queue SET {old} WHERE id <= 4")).await;
    crm.stage.execute("UPDATE member_notification_queue SET status = 'dead' WHERE id = 4").await;
    let cleanup = ["queue", "cleanup", "--older-than", "30d"];
    let refused = crm.stage.verb(&cleanup).await.expect_code(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    crm.stage.verb(&["queue", "cleanup", "--older-than", "1h", "--yes"]).await.expect_code(2);
    let plan =
        crm.stage.verb(&[&["--json"], &cleanup[..], &["--dry-run"]].concat()).await.expect_code(0).json().remove(0);
    assert_eq!(plan["deleted"], 3, "{plan}");
    crm.stage.verb(&[&cleanup[..], &["--yes"]].concat()).await.expect_code(0);
    assert_eq!((crm.count("sent").await, crm.count("dead").await, crm.count("pending").await), (1, 1, 1));
    crm.stage.verb(&[&cleanup[..], &["--yes", "--include-dead"]].concat()).await.expect_code(0);
    assert_eq!(crm.count("dead").await, 0);
}
