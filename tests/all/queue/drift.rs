//! `queue validate`: what has drifted is found, and what mends it mends it.

use super::{installed, register};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::{LIMIT, stories, tell};

stories! {
    a_dropped_column_is_found_before_all_else,
    a_missing_queue_is_found,
}

async fn found(stage: &Stage) -> Vec<String> {
    let drift = stage.verb(&["--json", "queue", "validate"]).await;
    let shown = drift.json().remove(0);
    let found: Vec<_> = shown["findings"].as_array().unwrap().iter().map(|it| it["what"]["en"].to_string()).collect();
    assert_eq!(drift.code, Some(i32::from(!found.is_empty())), "{drift:?}");
    assert_eq!(shown["ok"], found.is_empty());
    found
}

async fn a_dropped_column_is_found_before_all_else(mut stage: Stage) {
    installed(&mut stage, "").await;
    assert!(found(&stage).await.is_empty());
    if stage.db == Db::Sqlite {
        // SQLite itself lets no column go that a trigger names; renamed, the trigger goes along.
        stage.execute("ALTER TABLE members RENAME COLUMN phone TO tel").await;
        let found = found(&stage).await;
        assert!(found[0].contains("has no column phone"), "{found:?}");
    } else {
        stage.execute("ALTER TABLE members DROP COLUMN phone").await;
        let found = found(&stage).await;
        assert!(found[0].contains("names columns that are gone (phone): every registration fails"), "{found:?}");
        assert!(found[1].contains("queue.fields: members in "), "{found:?}");
    }
    stage.settings = "[queue]\nfields = ['member_no', 'nickname']\n".into();
    stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
    register(&stage, "A1", "x").await;
    assert!(found(&stage).await.is_empty());
}

async fn a_missing_queue_is_found(mut stage: Stage) {
    assert!(found(&stage).await.iter().any(|it| it.contains("there is no table members")));
    installed(&mut stage, "").await;
    stage.execute("DROP TRIGGER tr_member_insert_notification").await;
    stage.execute("DROP TABLE send_pace").await;
    if stage.db == Db::MariaDb {
        stage.execute("DROP PROCEDURE CleanupNotificationQueue").await;
        stage.execute("DROP PROCEDURE ProcessMemberNotificationQueue").await;
        stage.execute("CREATE PROCEDURE ProcessMemberNotificationQueue() SELECT 1").await;
    }
    let all = found(&stage).await.join("\n");
    let mut wanted = vec!["there is no table send_pace", "there is no trigger tr_member_insert_notification"];
    if stage.db == Db::MariaDb {
        wanted.extend(["no procedure CleanupNotificationQueue", "procedure ProcessMemberNotificationQueue is another"]);
    }
    assert!(wanted.iter().all(|word| all.contains(word)), "{all}");
    stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
    assert!(found(&stage).await.is_empty());
    // A row of another clock.
    let later = match stage.db {
        Db::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+8 hours')",
        Db::MariaDb => "UTC_TIMESTAMP(3) + INTERVAL 8 HOUR",
    };
    stage
        .execute(&format!(
            "INSERT INTO member_notification_queue (member_id, dedupe_key, payload, available_at, created_at, updated_at) \
             VALUES (7, 'x', '{{}}', {later}, {later}, {later})"
        ))
        .await;
    let found = found(&stage).await;
    assert!(found.len() == 1 && found[0].contains("made in the future"), "{found:?}");
}

/// As whom a trigger runs is chosen, and seen to be gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definer_that_is_gone_is_found() {
    tell(Stage::new(Db::MariaDb, "queue::drift::a_definer_that_is_gone_is_found"), LIMIT, async |mut stage| {
        let name = stage.database_url().rsplit('/').next().unwrap().to_owned();
        stage.execute(&format!("CREATE USER '{name}'@'localhost'")).await;
        stage.execute(&format!("GRANT ALL ON {name}.* TO '{name}'@'localhost'")).await;
        installed(&mut stage, "").await;
        let definer = format!("{name}@localhost");
        let install = ["queue", "install", "--definer", &definer, "--yes"];
        stage.verb(&install).await.expect_code(0);
        let shown =
            stage.rows("SELECT definer FROM information_schema.triggers WHERE trigger_schema = DATABASE()").await;
        assert_eq!(shown, [[Some(definer.clone())]]);
        // It stays as it is where nobody names another.
        stage.verb(&["queue", "install"]).await.expect_code(0);
        register(&stage, "A1", "x").await;
        assert!(found(&stage).await.is_empty());
        stage.execute(&format!("DROP USER '{name}'@'localhost'")).await;
        let found = found(&stage).await;
        assert!(
            found.len() == 1 && found[0].contains("is no database user any more: every registration fails"),
            "{found:?}"
        );
        stage.verb(&["queue", "install", "--definer", "root@127.0.0.1", "--yes"]).await;
    })
    .await;
}
