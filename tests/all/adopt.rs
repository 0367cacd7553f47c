//! Taking over a `user_mapping` that a Java program made and goes on writing at +08:00, and the schema when others are
//! at it too.

use crate::messages::event_at;
use crate::process;
use crate::rows::{Db, skip};
use crate::stage::Stage;
use crate::stories::{LIMIT, stories, tell};
use serde_json::Value;
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::process::Stdio;

stories! {
    a_later_schema_is_refused,
    eight_migrations_at_once,
}

/// The table as the Java program of many a company has it.
const JAVA: &str = "CREATE TABLE user_mapping (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  user_id BIGINT NOT NULL COMMENT '用户',
  openid VARCHAR(128) NOT NULL COMMENT '微信openid',
  nickname VARCHAR(64) NOT NULL DEFAULT '',
  avatar_url VARCHAR(500) DEFAULT NULL,
  sex TINYINT(1) DEFAULT NULL,
  city VARCHAR(50) DEFAULT NULL,
  is_followed BIT(1) DEFAULT b'0',
  follow_time DATETIME DEFAULT NULL,
  unfollow_time DATETIME DEFAULT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
  PRIMARY KEY (id),
  UNIQUE KEY uk_openid (openid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci";
/// 2026-11-20 18:30:00 UTC is 02:30 on the next day there.
const NIGHT: i64 = 1_795_199_400;

/// Plays on MariaDB: the program's own tables are gone, and Java's is there.
async fn beside_java(name: &str, play: impl AsyncFnOnce(Stage, MySqlConnection)) {
    let stage = async {
        let mut stage = Stage::new(Db::MariaDb, name).await?;
        empty(&stage).await;
        stage.execute(JAVA).await;
        stage.settings = "user_mapping_timezone = \"+08:00\"\n".into();
        Some(stage)
    };
    tell(stage, LIMIT * 2, async |stage| {
        let java = java(&stage).await;
        play(stage, java).await;
    })
    .await;
}

/// A session as the driver of Java opens it.
async fn java(stage: &Stage) -> MySqlConnection {
    let mut java = MySqlConnection::connect(stage.database_url()).await.unwrap();
    java.execute("SET time_zone = '+08:00', NAMES utf8mb4").await.unwrap();
    java
}

async fn empty(stage: &Stage) {
    for table in stage.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()").await {
        stage.execute(&format!("DROP TABLE {}", table[0].as_deref().unwrap())).await;
    }
}

async fn run(java: &mut MySqlConnection, sql: &str) -> u64 {
    let done = java.execute(AssertSqlSafe(sql.to_owned())).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
}

async fn text(java: &mut MySqlConnection, sql: &str) -> Option<String> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_one(java).await.unwrap().try_get_unchecked(0).unwrap()
}

/// What the tables are, letter by letter.
async fn shape(stage: &Stage) -> String {
    let row = stage.rows("SHOW CREATE TABLE user_mapping").await.remove(0);
    row[1].clone().unwrap()
}

async fn take_over(stage: &Stage) {
    stage.verb(&["db", "migrate", "--adopt", "--yes"]).await.expect_code(0);
}

async fn person(stage: &Stage, openid: &str) -> Option<Value> {
    let shown = stage.verb(&["--json", "followers", "show", openid]).await;
    (shown.code == Some(0)).then(|| shown.json().remove(0))
}

/// Nothing touches another program's table before somebody has seen the plan and said yes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_another_program_is_left_alone() {
    beside_java("adopt::a_table_of_another_program_is_left_alone", async |stage, mut java| {
        run(&mut java, "INSERT INTO user_mapping (user_id, openid, nickname) VALUES (1, 'oJava', '张三')").await;
        let before = shape(&stage).await;
        for verb in [&["db", "migrate"][..], &["serve"], &["followers", "list"], &["db", "migrate", "--print-sql"]] {
            let refused = stage.verb(verb).await.expect_code(78);
            assert!(refused.stderr.contains("wxops db migrate --adopt"), "{verb:?}: {}", refused.stderr);
            assert_eq!(refused.stdout, "");
        }
        let shown =
            stage.verb(&["--json", "db", "migrate", "--adopt", "--dry-run"]).await.expect_code(0).json().remove(0);
        let plan = &shown["adopt"];
        assert_eq!((&plan["rows"], &plan["timezone"], &plan["done"]), (&1.into(), &"+08:00".into(), &false.into()));
        assert_eq!(plan["problems"], Value::Array(vec![]));
        let changes = plan["changes"].as_array().unwrap();
        assert!(changes.iter().all(|change| change["why"].as_str().is_some_and(|why| !why.is_empty())), "{plan}");
        assert!(changes.iter().any(|change| change["cost"] == "copy"), "{plan}");
        for change in changes {
            let sql = change["sql"].as_str().unwrap();
            assert!(!["DROP", "RENAME", "CHANGE"].iter().any(|word| sql.contains(word)), "{sql}");
        }
        assert!(plan["notes"].to_string().contains("user_id"), "{plan}");
        let unsure = stage.verb(&["db", "migrate", "--adopt"]).await.expect_code(2);
        assert!(unsure.stderr.contains("--yes") && unsure.stdout.contains("ADD COLUMN account"), "{unsure:?}");
        assert_eq!(shape(&stage).await, before);
        assert_eq!(
            stage.number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()").await,
            1
        );

        take_over(&stage).await;
        let again = stage.verb(&["db", "migrate", "--adopt", "--yes"]).await.expect_code(0);
        assert!(again.stdout.contains("nothing to do"), "{}", again.stdout);
        let status = stage.verb(&["--json", "db", "status"]).await.expect_code(0).json().remove(0);
        assert_eq!(status["taken_over"], "+08:00");
        let told = stage.verb(&["doctor"]).await;
        assert!(told.stdout.contains("user_mapping was taken over, its times are at +08:00"), "{}", told.stdout);
    })
    .await;
}

/// SQLite has no Java beside it: its files are ours alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_nobody_elses() {
    tell(Stage::new(Db::Sqlite, "adopt::a_file_is_nobody_elses"), LIMIT, async |mut stage| {
        let refused = stage.verb(&["db", "migrate", "--adopt", "--yes"]).await.expect_code(2);
        assert!(refused.stderr.contains("--adopt is for a user_mapping in MySQL"), "{}", refused.stderr);
        stage.settings = "user_mapping_timezone = \"+08:00\"\n".into();
        let refused = stage.verb(&["followers", "list"]).await.expect_code(78);
        assert!(refused.stderr.contains("user_mapping_timezone"), "{}", refused.stderr);
        stage.settings.clear();
        for table in
            stage.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").await
        {
            stage.execute(&format!("DROP TABLE {}", table[0].as_deref().unwrap())).await;
        }
        stage.execute("CREATE TABLE user_mapping (openid TEXT)").await;
        for verb in [&["db", "migrate"][..], &["serve"], &["followers", "list"]] {
            let refused = stage.verb(verb).await.expect_code(78);
            assert!(refused.stderr.contains("made by another program"), "{verb:?}: {}", refused.stderr);
        }
        assert_eq!(stage.number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'inbox_event'").await, 0);
    })
    .await;
}

/// What can't be mended by adding and widening is named, with the mend, before anything is changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_in_the_way_is_named() {
    beside_java("adopt::what_stands_in_the_way_is_named", async |stage, mut java| {
        run(
            &mut java,
            "ALTER TABLE user_mapping DROP KEY uk_openid, ADD account VARCHAR(50), ADD phone CHAR(11) NOT NULL, \
             ADD UNIQUE KEY (phone), MODIFY sex VARCHAR(4)",
        )
        .await;
        run(
            &mut java,
            "INSERT INTO user_mapping (user_id, openid, account, phone) VALUES (1, 'oTwice', 'tom', '1'), \
             (2, 'oTwice', 'tom', '2'), (3, 'oOnce', 'ann', '3'), (4, 'oONCE', 'eve', '4')",
        )
        .await;
        let before = shape(&stage).await;
        let refused = stage.verb(&["--json", "db", "migrate", "--adopt", "--yes"]).await.expect_code(78);
        let problems = refused.json().remove(0)["problems"].to_string();
        for named in
            ["oTwice", "DELETE old FROM user_mapping", "the column account", "phone must be given", "sex is varchar(4)"]
        {
            assert!(problems.contains(named), "{named}: {problems}");
        }
        assert!(!problems.contains("oOnce"), "two people: {problems}");
        assert_eq!(shape(&stage).await, before);
        let refused = stage.verb(&["db", "migrate", "--adopt", "--dry-run"]).await.expect_code(78);
        assert!(refused.stdout.contains("oTwice") && refused.stderr.contains("Nothing was changed"), "{refused:?}");

        run(&mut java, "ALTER TABLE user_mapping DROP account, MODIFY phone CHAR(11) NULL, MODIFY sex TINYINT").await;
        run(
            &mut java,
            "DELETE old FROM user_mapping old JOIN user_mapping new ON old.openid = new.openid AND old.id < new.id \
             AND old.user_id <> 3",
        )
        .await;
        take_over(&stage).await;
        for openid in ["oTwice", "oOnce", "oONCE"] {
            assert_eq!(person(&stage, openid).await.unwrap()["openid"], openid);
        }
    })
    .await;
}

/// Times are not read at another offset than the one that was said when the table was taken over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offset_is_held_to_what_was_said() {
    beside_java("adopt::an_offset_is_held_to_what_was_said", async |mut stage, mut java| {
        take_over(&stage).await;
        for (settings, said) in [("", "+00:00"), ("user_mapping_timezone = \"+09:00\"\n", "+09:00")] {
            stage.settings = settings.into();
            for verb in [&["followers", "list"][..], &["serve"], &["db", "status"]] {
                let refused = stage.verb(verb).await.expect_code(78);
                assert!(
                    refused.stderr.contains("times at +08:00") && refused.stderr.contains(said),
                    "{}",
                    refused.stderr
                );
            }
        }
        // It was wrong from the beginning: the times that Java writes are ahead of the clock.
        stage.settings = "user_mapping_timezone = \"+00:00\"\n".into();
        run(
            &mut java,
            "INSERT INTO user_mapping (user_id, openid, is_followed, follow_time) VALUES (1, 'oJava', 1, NOW())",
        )
        .await;
        let plan = stage.verb(&["db", "migrate", "--adopt", "--yes"]).await.expect_code(0);
        assert!(plan.stdout.contains("in the future"), "{}", plan.stdout);
        let told = stage.verb(&["doctor"]).await;
        assert!(told.stdout.contains("lies 4") && told.stdout.contains("min in the future"), "{}", told.stdout);
        stage.settings = "user_mapping_timezone = \"+08:00\"\n".into();
        take_over(&stage).await;
        let told = stage.verb(&["doctor"]).await;
        assert!(!told.stdout.contains("in the future"), "{}", told.stdout);
    })
    .await;
}

/// Java's statements go on as they were while callbacks come in; both see the same people at the same moments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_go_on_writing() {
    beside_java("adopt::both_go_on_writing", async |stage, mut java| {
        run(&mut java, "INSERT INTO user_mapping (user_id, openid, nickname, is_followed, follow_time) \
             VALUES (7, 'oJava', '张三', 1, '2026-11-01 00:10:00')").await;
        take_over(&stage).await;
        let serve = stage.serve().await;
        // Java's own: the instant is eight hours before what it wrote.
        let shown = person(&stage, "oJava").await.unwrap();
        assert_eq!((&shown["follow_time"], &shown["account"]), (&"2026-10-31T16:10:00.000Z".into(), &"main".into()));

        let writing = async {
            for n in 0..60 {
                let insert = format!(
                    "INSERT INTO user_mapping (user_id, openid, nickname, is_followed, follow_time) VALUES ({n}, 'oBoth{n}', 'J{n}', 1, \
                     '2026-11-20 08:00:00') ON DUPLICATE KEY UPDATE nickname = VALUES(nickname), user_id = VALUES(user_id)"
                );
                run(&mut java, &insert).await;
                run(&mut java, &format!("UPDATE user_mapping SET city = 'C{n}' WHERE openid = 'oBoth{n}'")).await;
                let count = text(&mut java, &format!("SELECT COUNT(*) FROM user_mapping WHERE openid = 'oBoth{n}'")).await;
                assert_eq!(count.as_deref(), Some("1"));
            }
        };
        let pushing = async {
            for n in 0..60 {
                let xml = event_at("subscribe", &format!("oBoth{n}"), NIGHT + n, "<EventKey><![CDATA[]]></EventKey>\n");
                assert_eq!(serve.push(&xml).await.status, 200);
            }
        };
        tokio::join!(writing, pushing);
        stage.settled().await;
        assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE openid LIKE 'oBoth%'").await, 60);
        for n in [0, 30, 59] {
            let seen = format!("SELECT CONCAT(nickname, ' ', city, ' ', is_followed + 0, ' ', follow_time) FROM user_mapping WHERE openid = 'oBoth{n}'");
            let wall = format!("J{n} C{n} 1 2026-11-21 02:30:{n:02}");
            assert_eq!(text(&mut java, &seen).await.as_deref(), Some(wall.as_str()));
            let shown = person(&stage, &format!("oBoth{n}")).await.unwrap();
            assert_eq!(shown["follow_time"], format!("2026-11-20T18:30:{n:02}.000Z"));
        }
        // When the row was made is the present to both, whether the column is a TIMESTAMP or a DATETIME.
        let fresh = "SELECT COUNT(*) FROM user_mapping WHERE ABS(TIMESTAMPDIFF(SECOND, created_at, NOW())) < 60 \
                     AND ABS(TIMESTAMPDIFF(SECOND, updated_at, NOW())) < 60";
        assert_eq!(text(&mut java, fresh).await.as_deref(), Some("61"));
        let filter = "follow_time >= '2026-11-20T18:30:30Z' and follow_time < '2026-11-20T18:30:40Z'";
        let found = stage.verb(&["--json", "followers", "list", "--where", filter]).await.expect_code(0).json();
        assert_eq!(found.len(), 10, "{found:?}");
        // The statement that people type.
        let last = "SELECT openid, nickname, is_followed, follow_time FROM user_mapping WHERE is_followed = 1 ORDER BY follow_time DESC LIMIT 10";
        assert_eq!(text(&mut java, last).await.as_deref(), Some("oBoth59"));
        stage.verb(&["status"]).await;
    })
    .await;
}

/// Who leaves is erased, whoever of the two writes it first; what happened before they left stays blank, what happened
/// after does not; and they may come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_leaves_is_erased_whoever_writes_it_first() {
    beside_java("adopt::who_leaves_is_erased_whoever_writes_it_first", async |stage, mut java| {
        for (openid, extra) in [("oWeFirst", ""), ("oJavaFirst", ""), ("oReturns", "")] {
            run(&mut java, &format!(
                "INSERT INTO user_mapping (user_id, openid, nickname, city, is_followed, follow_time) \
                 VALUES (1, '{openid}', '李四', '深圳{extra}', 1, '2026-11-21 02:00:00')"
            ))
            .await;
        }
        take_over(&stage).await;
        let serve = stage.serve().await;
        // Java is quicker by two seconds of its clock, as it dates what it has handled.
        for openid in ["oJavaFirst", "oReturns"] {
            let left = format!("UPDATE user_mapping SET is_followed = 0, unfollow_time = '2026-11-21 02:30:02' WHERE openid = '{openid}'");
            assert_eq!(run(&mut java, &left).await, 1);
        }
        for openid in ["oWeFirst", "oJavaFirst", "oReturns"] {
            serve.push(&event_at("unsubscribe", openid, NIGHT, "<EventKey><![CDATA[]]></EventKey>\n")).await;
        }
        stage.settled().await;
        for openid in ["oWeFirst", "oJavaFirst", "oReturns"] {
            let shown = person(&stage, openid).await.unwrap();
            let blank = ["nickname", "city"].iter().all(|column| shown[column].is_null());
            assert!(blank && shown["erased_at"].is_string() && shown["is_followed"] == false, "{shown}");
        }
        assert_eq!(
            text(&mut java, "SELECT unfollow_time FROM user_mapping WHERE openid = 'oWeFirst'").await.as_deref(),
            Some("2026-11-21 02:30:00")
        );
        // What nobody acts on is blanked where its person has left since: not by eight hours too many or too few.
        for (at, blank) in [(NIGHT - 3600, true), (NIGHT, true), (NIGHT + 1, false), (NIGHT + 3600, false)] {
            let view = event_at("VIEW", "oWeFirst", at, "<EventKey><![CDATA[https://a]]></EventKey>\n");
            assert_eq!(serve.push(&view).await.status, 200);
            let raw = format!(
                "SELECT raw IS NULL FROM inbox_event WHERE kind = 'event.view' \
                 AND TIMESTAMPDIFF(SECOND, '1970-01-01', event_time) = {at}"
            );
            assert_eq!(stage.number(&raw).await, i64::from(blank), "at {at}");
        }
        // Java has written the return first.
        run(&mut java, "UPDATE user_mapping SET is_followed = 1, follow_time = '2026-11-21 03:30:02', nickname = '李四' WHERE openid = 'oReturns'").await;
        serve.push(&event_at("subscribe", "oReturns", NIGHT + 3600, "<EventKey><![CDATA[]]></EventKey>\n")).await;
        stage.settled().await;
        let back = person(&stage, "oReturns").await.unwrap();
        assert!(back["erased_at"].is_null() && back["is_followed"] == true && back["nickname"] == "李四", "{back}");
    })
    .await;
}

/// The SQL for a DBA does all that the verb does, books included; run by the database's own shell.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn printed_sql_is_all_there_is_to_do() {
    beside_java("adopt::printed_sql_is_all_there_is_to_do", async |mut stage, mut java| {
        run(&mut java, "INSERT INTO user_mapping (user_id, openid, nickname) VALUES (1, 'oJava', '张三')").await;
        for (adopt, applied) in [(&["--adopt"][..], &["--adopt", "--yes"][..]), (&[], &[])] {
            let sql = stage.verb(&[&["db", "migrate", "--print-sql"], adopt].concat()).await.expect_code(0).stdout;
            if !by_shell(&stage, &sql).await {
                return skip("adopt::printed_sql_is_all_there_is_to_do", "there is no mariadb client");
            }
            stage.verb(&["db", "status"]).await.expect_code(0);
            let idle =
                stage.verb(&[&["--json", "db", "migrate"], applied].concat()).await.expect_code(0).json().remove(0);
            assert_eq!(idle["applied"], Value::Array(vec![]), "{idle}");
            let nothing = stage.verb(&["db", "migrate", "--print-sql"]).await.expect_code(0).stdout;
            assert!(nothing.lines().all(|line| line.starts_with("--")), "{nothing}");
            if !adopt.is_empty() {
                assert_eq!(idle["adopt"]["changes"], Value::Array(vec![]), "{idle}");
                assert_eq!(person(&stage, "oJava").await.unwrap()["nickname"], "张三");
            }
            // Once more, on an empty database.
            empty(&stage).await;
            stage.settings.clear();
        }
    })
    .await;
}

/// Pipes SQL into the database's own shell; false where there is none.
async fn by_shell(stage: &Stage, sql: &str) -> bool {
    let url = reqwest::Url::parse(stage.database_url()).unwrap();
    let (host, port, user) = (url.host_str().unwrap(), url.port().unwrap_or(3306).to_string(), url.username());
    let mut shell = tokio::process::Command::new("mariadb");
    shell.args(["-h", host, "-P", &port, "-u", user, url.path().trim_start_matches('/')]);
    let Ok(mut child) = shell.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn() else { return false };
    tokio::io::AsyncWriteExt::write_all(&mut child.stdin.take().unwrap(), sql.as_bytes()).await.unwrap();
    let ended = child.wait_with_output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    true
}

/// A schema that a later version made is refused by every verb that opens the database.
async fn a_later_schema_is_refused(stage: Stage) {
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, 'x', 0)";
    stage.execute(later).await;
    let verbs: &[&[&str]] = &[
        &["serve"],
        &["db", "migrate"],
        &["db", "migrate", "--dry-run"],
        &["db", "migrate", "--print-sql"],
        &["db", "status"],
        &["followers", "list"],
        &["followers", "show", "oA"],
        &["followers", "export"],
        &["events", "list"],
        &["events", "stats"],
        &["events", "purge", "--older-than", "90d", "--yes"],
        &["token", "show"],
        &["token", "refresh"],
        &["status"],
    ];
    for verb in verbs {
        let refused = stage.verb(verb).await.expect_code(78);
        assert!(
            refused.stderr.contains("9999") && refused.stderr.contains("install the later wxops"),
            "{verb:?}: {}",
            refused.stderr
        );
    }
    let told = stage.verb(&["doctor"]).await.expect_code(78);
    assert!(told.stdout.contains("9999"), "{}", told.stdout);
}

/// Eight at once, two of them killed: the others make the schema, once.
async fn eight_migrations_at_once(stage: Stage) {
    match stage.db {
        Db::MariaDb => empty(&stage).await,
        Db::Sqlite => {
            for end in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(stage.folder().join(format!("wxops.db{end}")));
            }
        }
    }
    at_once(&stage, &["db", "migrate"]).await;
    stage.verb(&["db", "status"]).await.expect_code(0);
}

/// The same with a table to be taken over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_take_over_at_once() {
    beside_java("adopt::eight_take_over_at_once", async |stage, mut java| {
        for from in (0..3_000).step_by(1000) {
            let rows: Vec<_> = (from..from + 1000).map(|n| format!("({n}, 'oMany{n}')")).collect();
            run(&mut java, &format!("INSERT INTO user_mapping (user_id, openid) VALUES {}", rows.join(", "))).await;
        }
        at_once(&stage, &["db", "migrate", "--adopt", "--yes"]).await;
        stage.verb(&["db", "status"]).await.expect_code(0);
        assert_eq!(stage.number("SELECT COUNT(*) FROM user_mapping WHERE account = 'main'").await, 3_000);
    })
    .await;
}

async fn at_once(stage: &Stage, verb: &[&str]) {
    let config = stage.config();
    let args = [&["--config", config.as_str()], verb].concat();
    let mut killed: Vec<_> = (0..2).map(|_| process::command(stage.folder(), &args, &[]).spawn().unwrap()).collect();
    let others = crate::durability::futures((0..6).map(|_| process::run(stage.folder(), &args, &[], "")));
    let kill = async {
        for (turn, child) in killed.iter_mut().enumerate() {
            tokio::time::sleep(std::time::Duration::from_millis(15 + 40 * turn as u64)).await;
            child.kill().await.unwrap();
        }
    };
    let (ended, ()) = tokio::join!(others, kill);
    for outcome in ended {
        outcome.expect_code(0);
    }
}
