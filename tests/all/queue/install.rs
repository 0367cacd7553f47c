//! `queue install`: what it makes, what it refuses, and that it is safe twice.

use super::{installed, objects, payloads, register, shell, standing};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::{LIMIT, stories, tell};
use std::path::Path;

stories! {
    a_member_makes_a_row,
    what_cannot_be_told_of_is_refused,
    a_queue_of_another_program_is_refused,
    what_an_older_queue_lacks_is_added,
    a_look_changes_nothing_and_the_shell_does_the_same,
    the_files_run_by_hand,
    a_change_of_the_configuration_changes_the_triggers,
    members_that_no_trigger_saw_are_told_of,
    without_a_trigger_members_are_looked_for,
    another_table_and_other_names,
}

async fn a_member_makes_a_row(mut stage: Stage) {
    let none = stage.verb(&["queue", "install", "--yes"]).await.expect_code(78);
    assert!(none.stderr.contains("there is no table members in ") && none.stderr.contains("--demo"), "{}", none.stderr);
    let place = stage.database_url().rsplit('/').next().unwrap().to_owned();
    assert!(none.stderr.contains(&place), "{}", none.stderr);
    let unsure = stage.verb(&["queue", "install", "--demo"]).await.expect_code(2);
    assert!(unsure.stderr.contains("--yes") && unsure.stdout.contains("would be made"), "{unsure:?}");
    assert_eq!(standing(&stage).await, 0);

    let made = stage.verb(&["--json", "queue", "install", "--demo", "--yes"]).await.expect_code(0);
    assert!(objects(&made).iter().all(|(_, state)| state == "made"), "{}", made.stdout);
    let again = stage.verb(&["--json", "queue", "install", "--demo", "--yes"]).await.expect_code(0);
    assert!(objects(&again).iter().all(|(_, state)| state == "there"), "{}", again.stdout);
    assert_eq!(objects(&again).len(), if stage.db == Db::Sqlite { 5 } else { 7 });
    // Nothing to do needs no yes.
    stage.verb(&["queue", "install"]).await.expect_code(0);
    stage.verb(&["queue", "validate"]).await.expect_code(0);

    register(&stage, "A1", "小明").await;
    let rows = "SELECT member_id, notification_type, dedupe_key, status, attempts, max_attempts, claims, suspect \
                FROM member_notification_queue";
    let row: Vec<_> = stage.rows(rows).await.remove(0).into_iter().map(Option::unwrap).collect();
    assert_eq!(row, ["1", "member_created", "member_created:1", "pending", "0", "3", "0", "0"]);
    let payload = payloads(&stage).await.remove(0);
    let wanted = serde_json::json!({
        "member_no": "A1", "nickname": "小明", "wechat": null, "phone": null, "type": "NORMAL", "gender": null,
        "status": "ACTIVE", "remaining_matches": 0, "created_at": "2026-11-28 10:00:00",
    });
    assert_eq!(payload, wanted);
    let late = match stage.db {
        Db::Sqlite => "SELECT abs(available_at - unixepoch('subsec') * 1000) FROM member_notification_queue",
        Db::MariaDb => {
            "SELECT ABS(TIMESTAMPDIFF(SECOND, available_at, UTC_TIMESTAMP(3))) * 1000 FROM member_notification_queue"
        }
    };
    let late = stage.rows(late).await.remove(0).remove(0).unwrap().parse::<f64>().unwrap();
    assert!(late < 5_000.0, "due {late} ms from now");
    // What is taken back is told to nobody.
    stage.execute("BEGIN; INSERT INTO members (member_no, created_at, updated_at) VALUES ('A2', '2026-11-28', '2026-11-28'); ROLLBACK").await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 1);
    // Who writes the same member anew.
    stage
        .execute(
            "REPLACE INTO members (id, member_no, created_at, updated_at) VALUES (1, 'A1', '2026-11-28', '2026-11-28')",
        )
        .await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 1, "a member is told of once");
    installed(&mut stage, "max_attempts = 5").await;
    register(&stage, "A3", "x").await;
    assert_eq!(
        stage
            .number("SELECT max_attempts FROM member_notification_queue WHERE member_id > 1 AND payload LIKE '%A3%'")
            .await,
        5
    );
}

async fn what_cannot_be_told_of_is_refused(mut stage: Stage) {
    let text = if stage.db == Db::Sqlite { "TEXT" } else { "VARCHAR(20)" };
    stage.execute(&format!("CREATE TABLE people (no {text}, id INTEGER NOT NULL PRIMARY KEY, nickname {text})")).await;
    stage.execute("CREATE VIEW seen AS SELECT * FROM people").await;
    let install = ["queue", "install", "--yes"];
    for (settings, words) in [
        (
            "members_table = 'people'",
            ["queue.fields: people in ", "has no column member_no", "name columns that are there"],
        ),
        (
            "members_table = 'people'\nfields = ['nicknam']",
            ["has no column nicknam", "did you mean nickname?", "queue.fields"],
        ),
        (
            "members_table = 'people'\nfields = 'no'\nid_column = 'no'",
            ["queue.id_column: no of people", "no whole number", "primary key"],
        ),
        ("members_table = 'people'\nfields = 'no'\nid_column = 'ix'", ["queue.id_column: ", "has no column ix", ""]),
        ("members_table = 'seen'\nfields = 'no'", ["seen in ", "is a view", "queue.members_table"]),
        (
            "members_table = 'people'\nfields = 'no'\nkinds = 'changed'\nchanged = 'phone'",
            ["queue.changed: ", "has no column phone", ""],
        ),
        (
            "members_table = 'people'\nfields = 'no'\nkinds = 'status'",
            ["queue.status_column: ", "has no column status", ""],
        ),
        ("members_table = 'peple'", ["there is no table peple", "DATABASE_URL", "queue.members_table"]),
    ] {
        stage.settings = format!("[queue]\n{settings}\n");
        let refused = stage.verb(&install).await.expect_code(78);
        assert!(words.iter().all(|word| refused.stderr.contains(word)), "{settings}: {}", refused.stderr);
    }
    stage.settings =
        "[queue]\nmembers_table = 'people'\nfields = 'no'\nkinds = 'new, status'\nstatus_column = 'no'\n".into();
    let refused = stage.verb(&["queue", "install", "--capture", "poll", "--yes"]).await.expect_code(78);
    assert!(refused.stderr.contains("polling sees new members alone"), "{}", refused.stderr);
    let refused = stage.verb(&["queue", "install", "--definer", "a@b;c", "--yes"]).await.expect_code(2);
    assert!(refused.stderr.contains("is no USER@HOST"), "{}", refused.stderr);
    assert_eq!(standing(&stage).await, 0, "nothing was made");
    if stage.db == Db::MariaDb {
        stage.execute("ALTER TABLE people ADD photo LONGBLOB").await;
        stage.settings = "[queue]\nmembers_table = 'people'\nfields = ['no', 'photo']\n".into();
        let refused = stage.verb(&install).await.expect_code(78);
        assert!(
            refused.stderr.contains("photo of people in ") && refused.stderr.contains("leave it out"),
            "{}",
            refused.stderr
        );
    }
    // Another database than ours, by its own name.
    stage.settings = "[queue]\ndatabase_url = 'mysql://root@127.0.0.1:1/crm'\n".into();
    let away = stage.verb(&install).await.expect_code(69);
    assert!(away.stderr.contains("WXOPS_QUEUE_DATABASE_URL") && away.stderr.contains("127.0.0.1:1"), "{}", away.stderr);
    stage.settings = "[queue]\ndatabase_url = 'sqlite://no-such.db'\n".into();
    let missing = stage.verb(&install).await.expect_code(78);
    assert!(
        missing.stderr.contains("no-such.db") && missing.stderr.contains("WXOPS_QUEUE_DATABASE_URL"),
        "{}",
        missing.stderr
    );
    assert!(!stage.folder().join("no-such.db").exists());
}

async fn a_queue_of_another_program_is_refused(stage: Stage) {
    let key = if stage.db == Db::Sqlite { "INTEGER PRIMARY KEY" } else { "INT AUTO_INCREMENT PRIMARY KEY" };
    let status = if stage.db == Db::Sqlite { "TEXT" } else { "ENUM('pending', 'done')" };
    stage
        .execute(&format!(
            "CREATE TABLE member_notification_queue (id {key}, member_id INT NOT NULL, notification_type VARCHAR(50), \
             status {status}, attempts INT, error_message TEXT)"
        ))
        .await;
    for verb in [&["queue", "install", "--demo", "--yes"][..], &["queue", "rollback", "--yes", "--drop-pending"]] {
        let refused = stage.verb(verb).await.expect_code(78);
        assert!(refused.stderr.contains("was made by another program"), "{}", refused.stderr);
        assert!(refused.stderr.contains("dedupe_key") && refused.stderr.contains("payload"), "{}", refused.stderr);
    }
    if stage.db == Db::MariaDb {
        let refused = stage.verb(&["queue", "install", "--demo", "--yes"]).await.expect_code(78);
        assert!(refused.stderr.contains("status is enum, not VARCHAR(16)"), "{}", refused.stderr);
        assert!(refused.stderr.contains("RENAME TO member_notification_queue_old"), "{}", refused.stderr);
    }
    assert_eq!(standing(&stage).await, 1, "only the other program's table");
}

async fn what_an_older_queue_lacks_is_added(mut stage: Stage) {
    installed(&mut stage, "").await;
    register(&stage, "A1", "x").await;
    stage.execute("ALTER TABLE member_notification_queue DROP COLUMN digest").await;
    stage.execute("ALTER TABLE member_notification_queue DROP COLUMN claims").await;
    let on = if stage.db == Db::Sqlite { "" } else { " ON member_notification_queue" };
    stage.execute(&format!("DROP INDEX ix_member_notification_queue_due{on}")).await;
    let drift = stage.verb(&["--json", "queue", "validate"]).await.expect_code(1).json().remove(0);
    let found: Vec<_> = drift["findings"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    let lost =
        ["member_notification_queue.claims", "member_notification_queue.digest", "ix_member_notification_queue_due"];
    assert_eq!(found, lost);
    let added = stage.verb(&["--json", "queue", "install", "--yes"]).await.expect_code(0);
    assert_eq!(objects(&added)[0], ("member_notification_queue".to_owned(), "added".to_owned()));
    stage.verb(&["queue", "validate"]).await.expect_code(0);
    assert_eq!(stage.number("SELECT claims FROM member_notification_queue").await, 0);
}

async fn a_look_changes_nothing_and_the_shell_does_the_same(mut stage: Stage) {
    stage.settings = "[queue]\nkinds = ['new', 'changed', 'status']\n".into();
    let dry = stage.verb(&["queue", "install", "--demo", "--dry-run"]).await.expect_code(0);
    assert!(dry.stdout.contains("trigger tr_member_insert_notification: would be made"), "{}", dry.stdout);
    let sql = stage.verb(&["queue", "install", "--demo", "--print-sql"]).await.expect_code(0).stdout;
    assert_eq!(standing(&stage).await, 0);
    shell(&stage, &sql).await.unwrap();
    let there = stage.verb(&["--json", "queue", "install", "--demo", "--dry-run"]).await.expect_code(0);
    assert!(objects(&there).iter().all(|(_, state)| state == "there"), "{}", there.stdout);
    stage.verb(&["queue", "validate"]).await.expect_code(0);
    let idle = stage.verb(&["queue", "install", "--print-sql"]).await.expect_code(0);
    assert_eq!(idle.stdout, "-- nothing to do: the queue stands\n");
    register(&stage, "A1", "微信😀").await;
    assert_eq!(payloads(&stage).await[0]["nickname"], "微信😀");
}

async fn the_files_run_by_hand(mut stage: Stage) {
    let folder = if stage.db == Db::Sqlite { "sql/sqlite/queue" } else { "sql/mysql/queue" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let names = ["demo", "1_tables", "2_procedures", "3_trigger", "4_changes"];
    for name in names.iter().filter(|name| stage.db == Db::MariaDb || **name != "2_procedures") {
        shell(&stage, &std::fs::read_to_string(folder.join(format!("{name}.sql"))).unwrap()).await.unwrap();
    }
    stage.settings = "[queue]\nkinds = ['new', 'changed', 'status']\n".into();
    let there = stage.verb(&["--json", "queue", "install", "--dry-run"]).await.expect_code(0);
    assert!(objects(&there).iter().all(|(_, state)| state == "there"), "{}", there.stdout);
    stage.verb(&["queue", "validate"]).await.expect_code(0);
    shell(&stage, &std::fs::read_to_string(folder.join("rollback.sql")).unwrap()).await.unwrap();
    assert_eq!(standing(&stage).await, 0);
}

async fn a_change_of_the_configuration_changes_the_triggers(mut stage: Stage) {
    installed(&mut stage, "kinds = ['new', 'changed', 'status']").await;
    register(&stage, "A1", "ming").await;
    for set in [
        "nickname = 'ming'",
        "nickname = 'Ming'",
        "phone = NULL",
        "status = 'GONE'",
        "updated_at = '2026-11-29 00:00:00'",
        "status = 'BACK', phone = '1'",
    ] {
        stage.execute(&format!("UPDATE members SET {set}")).await;
    }
    let kinds = "SELECT notification_type, COUNT(*), COUNT(DISTINCT dedupe_key) FROM member_notification_queue \
                 GROUP BY notification_type ORDER BY notification_type";
    let told = |rows: Vec<Vec<Option<String>>>| {
        rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let all = told(stage.rows(kinds).await);
    assert_eq!(all, ["member_changed 2 2", "member_created 1 1", "member_status 2 2"]);
    let last = payloads(&stage).await.pop().unwrap();
    assert_eq!((last["status"].as_str(), last["phone"].as_str()), (Some("BACK"), Some("1")));

    stage.settings = "[queue]\nfields = ['phone', 'nickname']\n".into();
    let drift = stage.verb(&["queue", "validate"]).await.expect_code(1);
    assert!(drift.stdout.contains("tr_member_insert_notification is another one"), "{}", drift.stdout);
    assert!(drift.stdout.contains("and the configuration asks for none"), "{}", drift.stdout);
    let changed = stage.verb(&["--json", "queue", "install", "--yes"]).await.expect_code(0);
    let states: Vec<_> = objects(&changed).into_iter().filter(|(name, _)| name.starts_with("tr_")).collect();
    let wanted = [("tr_member_insert_notification", "replaced"), ("tr_member_update_notification", "dropped")];
    assert_eq!(states, wanted.map(|(name, state)| (name.to_owned(), state.to_owned())));
    register(&stage, "A2", "x").await;
    assert_eq!(payloads(&stage).await.pop().unwrap(), serde_json::json!({ "phone": null, "nickname": "x" }));
    stage.execute("UPDATE members SET phone = '2'").await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 6);
}

async fn members_that_no_trigger_saw_are_told_of(mut stage: Stage) {
    installed(&mut stage, "").await;
    register(&stage, "A1", "x").await;
    stage.execute("DROP TRIGGER tr_member_insert_notification").await;
    register(&stage, "A2", "y").await;
    register(&stage, "A3", "z").await;
    let drift = stage.verb(&["queue", "validate"]).await.expect_code(1);
    assert!(drift.stdout.contains("new rows of members make no notification"), "{}", drift.stdout);
    let dry = stage.verb(&["queue", "install", "--dry-run"]).await.expect_code(0);
    assert!(dry.stdout.contains("that would be told of: 2"), "{}", dry.stdout);
    let mended = stage.verb(&["--json", "queue", "install", "--yes"]).await.expect_code(0).json().remove(0);
    assert_eq!(mended["members_brought_in"], 2);
    let told: Vec<_> = payloads(&stage).await.iter().map(|it| it["member_no"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["A1", "A2", "A3"]);
    // Those from before the queue are not.
    stage.verb(&["queue", "rollback", "--yes", "--drop-pending"]).await.expect_code(0);
    stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
    assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 0);
}

async fn without_a_trigger_members_are_looked_for(mut stage: Stage) {
    installed(&mut stage, "capture = 'poll'").await;
    register(&stage, "A1", "x").await;
    assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 0);
    assert_eq!(stage.number("SELECT seen_id FROM queue_capture").await, 0, "the one who is new is beyond it");
    stage.verb(&["queue", "validate"]).await.expect_code(0);
    stage.execute("DELETE FROM queue_capture").await;
    let drift = stage.verb(&["queue", "validate"]).await.expect_code(1);
    assert!(drift.stdout.contains("--capture poll"), "{}", drift.stdout);
    stage.verb(&["queue", "install"]).await.expect_code(0);
    assert_eq!(stage.number("SELECT seen_id FROM queue_capture").await, 1);
    register(&stage, "A2", "y").await;
    // From looking to a trigger: nobody falls between.
    let back = stage.verb(&["--json", "queue", "install", "--capture", "trigger", "--yes"]).await.expect_code(0);
    assert_eq!(back.json()[0]["members_brought_in"], 1);
    register(&stage, "A3", "z").await;
    let told: Vec<_> = payloads(&stage).await.iter().map(|it| it["member_no"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, ["A2", "A3"]);
    assert_eq!(stage.number("SELECT COUNT(*) FROM queue_capture").await, 0);
}

async fn another_table_and_other_names(mut stage: Stage) {
    let (key, text) = match stage.db {
        Db::Sqlite => ("INTEGER PRIMARY KEY", "TEXT"),
        Db::MariaDb => ("INT UNSIGNED AUTO_INCREMENT PRIMARY KEY", "VARCHAR(40)"),
    };
    let quote = if stage.db == Db::Sqlite { '"' } else { '`' };
    stage.execute(&format!("CREATE TABLE {quote}会员{quote} ({quote}编号{quote} {key}, {quote}昵称{quote} {text}, {quote}order{quote} {text})")).await;
    stage.settings =
        "[queue]\nmembers_table = '会员'\nid_column = '编号'\nfields = ['昵称', 'order']\nkinds = ['new', 'changed']\n"
            .into();
    stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
    stage.verb(&["queue", "validate"]).await.expect_code(0);
    stage.execute(&format!("INSERT INTO {quote}会员{quote} ({quote}昵称{quote}) VALUES ('小明')")).await;
    stage.execute(&format!("UPDATE {quote}会员{quote} SET {quote}order{quote} = 'a'")).await;
    let wanted =
        [serde_json::json!({ "昵称": "小明", "order": null }), serde_json::json!({ "昵称": "小明", "order": "a" })];
    assert_eq!(payloads(&stage).await, wanted);
}

/// A database user that may not do it is told what it lacks, and the DBA what to run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_is_named() {
    tell(Stage::new(Db::MariaDb, "queue::install::a_missing_right_is_named"), LIMIT, async |mut stage| {
        let url = stage.database_url().to_owned();
        let (server, name) = url.rsplit_once('/').unwrap();
        let address = server.rsplit_once('@').unwrap().1;
        installed(&mut stage, "").await;
        stage.verb(&["queue", "rollback", "--yes"]).await.expect_code(0);
        for sql in [
            format!("CREATE USER '{name}'@'%' IDENTIFIED BY 'pw'"),
            format!("GRANT SELECT ON {name}.members TO '{name}'@'%'"),
        ] {
            stage.execute(&sql).await;
        }
        stage.settings = format!("[queue]\ndatabase_url = 'mysql://{name}:pw@{address}/{name}'\n");
        let refused = stage.verb(&["queue", "install", "--yes"]).await.expect_code(78);
        for word in ["lacks a right", "CREATE command denied", "GRANT ", "TRIGGER", "--print-sql"] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
        // All that `--capture poll` needs: the queue's own tables, and to read the members.
        for table in ["member_notification_queue", "send_pace", "queue_capture"] {
            let rights = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP";
            stage.execute(&format!("GRANT {rights} ON {name}.{table} TO '{name}'@'%'")).await;
        }
        stage.execute(&format!("GRANT CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON {name}.* TO '{name}'@'%'")).await;
        let refused = stage.verb(&["queue", "install", "--yes"]).await.expect_code(78);
        for word in ["lacks a right", "TRIGGER command denied", "--capture poll"] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
        stage.verb(&["queue", "install", "--capture", "poll", "--yes"]).await.expect_code(0);
        // The tables stand before the trigger, and without it nobody fails.
        register(&stage, "A1", "x").await;
        stage.execute(&format!("GRANT TRIGGER ON {name}.members TO '{name}'@'%'")).await;
        let refused = stage.verb(&["queue", "install", "--definer", "root@localhost", "--yes"]).await.expect_code(78);
        assert!(refused.stderr.contains("SET USER"), "{}", refused.stderr);
        stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
        let checked = stage.verb(&["queue", "validate"]).await.expect_code(0);
        assert!(!checked.stdout.contains("wrong:"), "{}", checked.stdout);
        stage.execute(&format!("DROP USER '{name}'@'%'")).await;
    })
    .await;
}
