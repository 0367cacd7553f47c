//! Whatever a member's columns hold comes into the notification as it is, and never makes a registration fail.

use super::{installed, payloads};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::{LIMIT, stories, tell};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};

stories! {
    every_nickname_comes_as_it_is,
}

async fn every_nickname_comes_as_it_is(mut stage: Stage) {
    installed(&mut stage, "fields = ['nickname', 'phone']").await;
    if stage.db == Db::MariaDb {
        stage.execute("ALTER TABLE members MODIFY nickname MEDIUMTEXT CHARACTER SET utf8mb4").await;
        stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
    }
    let long = "很".repeat(10_000);
    let endless = "x".repeat(50_000);
    let texts =
        ["😀👨‍👩‍👧𠮷", "it's \"quoted\" \\ {{ 7 * 7 }} <@all> # x\r\n\t\u{8}\u{1b}\u{7f}", "", " a ", &long, &endless];
    for (at, text) in texts.iter().enumerate() {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let value = match stage.db {
            Db::Sqlite => format!("CAST(x'{hex}' AS TEXT)"),
            Db::MariaDb => format!("CONVERT(x'{hex}' USING utf8mb4)"),
        };
        let sql = format!(
            "INSERT INTO members (member_no, nickname, created_at, updated_at) \
             VALUES ('N{at}', {value}, '2026-11-28 10:00:00', '2026-11-28 10:00:00')"
        );
        stage.execute(&sql).await;
    }
    let told = payloads(&stage).await;
    assert_eq!(told.len(), texts.len());
    for (payload, text) in told.iter().zip(texts) {
        let cut: String = text.chars().take(20_000).collect();
        assert_eq!(payload["nickname"].as_str(), Some(cut.as_str()));
        assert!(payload["phone"].is_null());
    }
    if stage.db == Db::Sqlite {
        // Bytes in a column of text.
        stage
            .execute("INSERT OR REPLACE INTO members (member_no, nickname, phone, created_at, updated_at) VALUES ('B', x'ff00', 7, 1, 2)")
            .await;
        let last = payloads(&stage).await.pop().unwrap();
        assert_eq!(last, serde_json::json!({ "nickname": "ff00", "phone": "7" }));
    }
}

/// A table of types and character sets that nobody would choose today, written by a session that speaks another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_and_character_set() {
    tell(Stage::new(Db::MariaDb, "queue::texts::every_type_and_character_set"), LIMIT, async |mut stage| {
        stage
            .execute(
                "CREATE TABLE members (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20) CHARACTER SET gbk, \
                 b VARCHAR(20) CHARACTER SET latin1, c VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, \
                 d DECIMAL(12,2), e ENUM('x', '男') CHARACTER SET utf8mb3, f DATETIME(3), g TIMESTAMP NULL, h DATE, i TIME, \
                 j BIT(3), k YEAR, l JSON, n DOUBLE, o BINARY(4), p TINYINT(1), q LONGTEXT CHARACTER SET utf8mb4, \
                 r SET('a', 'b'), u BIGINT UNSIGNED, v VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci \
                 GENERATED ALWAYS AS (CONCAT('v', d)) VIRTUAL) CHARACTER SET latin1",
            )
            .await;
        let fields = "a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q, r, u, v";
        stage.settings = format!("[queue]\nfields = '{fields}'\nkinds = 'new, changed'\n");
        stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
        let mut writer = MySqlConnection::connect(stage.database_url()).await.unwrap();
        for sql in [
            "SET NAMES latin1, time_zone = '+08:00', sql_mode = ''",
            "INSERT INTO members () VALUES ()",
            "INSERT INTO members (a, b, c, d, e, f, g, h, i, j, k, l, n, o, p, q, r, u) VALUES (_gbk x'D5C5C8FD', _latin1 x'E9', \
             _utf8mb4 x'F09F9880', 12.50, 2, '2026-11-28 10:00:00.123', '2026-11-28 10:00:00', '0000-00-00', '-01:02:03', b'101', 2026, \
             '{\"a\": [1]}', 1e300, x'ff00', 1, REPEAT('y', 30000), 'a,b', 18446744073709551615)",
            "UPDATE members SET b = 'E' WHERE id = 2",
        ] {
            writer.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        let told = payloads(&stage).await;
        assert_eq!(told.len(), 3);
        assert!(told[0].as_object().unwrap().values().all(serde_json::Value::is_null), "{}", told[0]);
        let long = "y".repeat(20_000);
        let wanted = serde_json::json!({
            "a": "张三", "b": "é", "c": "😀", "d": "12.50", "e": "男", "f": "2026-11-28 10:00:00.123", "g": "2026-11-28 10:00:00",
            "h": "0000-00-00", "i": "-01:02:03", "j": 5, "k": 2026, "l": "{\"a\": [1]}", "n": 1e300, "o": "ff000000", "p": 1,
            "q": long, "r": "a,b", "u": 18_446_744_073_709_551_615_u64, "v": "v12.50",
        });
        assert_eq!(told[1], wanted);
        assert_eq!(told[2]["b"], "E");
    })
    .await;
}
