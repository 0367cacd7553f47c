//! The steps of the document that the queue comes from, as they are written there, by MySQL's own shell.

use super::{REGISTRATION, installed, shell, standing};
use crate::rows::Db;
use crate::stage::Stage;
use crate::stories::{LIMIT, tell};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_steps_run_as_written() {
    tell(Stage::new(Db::MariaDb, "queue::seed::its_steps_run_as_written"), LIMIT, async |mut stage| {
        installed(&mut stage, "").await;
        let utf8 = "SET NAMES utf8mb4;\n";
        let name = stage.database_url().rsplit('/').next().unwrap().to_owned();

        // 检查触发器是否创建
        let shown = shell(&stage, "SHOW TRIGGERS LIKE 'members';").await.unwrap();
        assert!(shown.contains("Trigger: tr_member_insert_notification") && shown.contains("Timing: AFTER"), "{shown}");
        let state = format!(
            "SELECT * FROM information_schema.TRIGGERS \nWHERE TRIGGER_SCHEMA = '{name}' \n\
             AND TRIGGER_NAME = 'tr_member_insert_notification';"
        );
        assert!(shell(&stage, &state).await.unwrap().contains("EVENT_OBJECT_TABLE: members"));
        // 检查存储过程
        let procedures =
            "SHOW PROCEDURE STATUS WHERE Name IN ('ProcessMemberNotificationQueue', 'CleanupNotificationQueue');";
        let shown = shell(&stage, procedures).await.unwrap();
        let ours = shown.split("*** ").filter(|row| row.contains(&format!("Db: {name}\n"))).count();
        assert_eq!(ours, 2, "{shown}");

        // 测试1：通过CRM后台创建会员 — it writes the same table, in a transaction and at its own clock.
        let desk = "SET time_zone = '+08:00'; BEGIN; INSERT INTO members (member_no, nickname, type, status, created_at, \
                    updated_at) VALUES ('CRM001', '后台会员', 'NORMAL', 'ACTIVE', NOW(), NOW()); COMMIT;";
        shell(&stage, &format!("{utf8}{desk}")).await.unwrap();
        // 测试2：模拟用户端登记
        let registered = format!(
            "{utf8}{REGISTRATION}\n\n-- 检查是否触发了通知队列\nSELECT * FROM member_notification_queue WHERE member_id = LAST_INSERT_ID();"
        );
        let shown = shell(&stage, &registered).await.unwrap();
        for word in ["dedupe_key: member_created:2", "\"nickname\": \"测试用户\"", "\"phone\": \"13800138000\"", "status: pending"] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        // 检查通知队列表
        let last = "SELECT * FROM member_notification_queue ORDER BY created_at DESC LIMIT 5;";
        assert_eq!(shell(&stage, last).await.unwrap().matches("notification_type: member_created").count(), 2);
        let late = "SELECT COUNT(*) FROM member_notification_queue WHERE available_at > UTC_TIMESTAMP(3)";
        assert_eq!(stage.number(late).await, 0, "nobody is due eight hours late");

        // Its procedures: both due rows, once; nothing older to delete.
        let claim = "CALL ProcessMemberNotificationQueue(10, 30, 'shell');";
        let taken = shell(&stage, claim).await.unwrap();
        assert_eq!((taken.matches("status: processing").count(), taken.matches("claims: 1").count()), (2, 2), "{taken}");
        assert_eq!(shell(&stage, claim).await.unwrap(), "");
        // Who dies with a frozen message may have sent it.
        stage.execute("UPDATE member_notification_queue SET locked_until = UTC_TIMESTAMP(3), body = '{}' WHERE id = 1").await;
        let again = shell(&stage, claim).await.unwrap();
        assert!(again.contains("suspect: 1") && again.contains("claims: 2"), "{again}");
        let keep = "CALL CleanupNotificationQueue(30, 500);";
        assert!(shell(&stage, keep).await.unwrap().contains("deleted: 0"));
        stage
            .execute(
                "UPDATE member_notification_queue SET status = CASE id WHEN 1 THEN 'sent' ELSE 'dead' END, \
                 available_at = UTC_TIMESTAMP(3) - INTERVAL 31 DAY, processed_at = UTC_TIMESTAMP(3) - INTERVAL 31 DAY",
            )
            .await;
        assert!(shell(&stage, keep).await.unwrap().contains("deleted: 1"), "what is dead is kept");

        // 回滚方案
        let rollback = "-- 1. 删除触发器\nDROP TRIGGER IF EXISTS tr_member_insert_notification;\n\n\
                        -- 2. 删除通知队列表\nDROP TABLE IF EXISTS member_notification_queue;\n\n\
                        -- 3. 删除存储过程\nDROP PROCEDURE IF EXISTS ProcessMemberNotificationQueue;\n\
                        DROP PROCEDURE IF EXISTS CleanupNotificationQueue;";
        shell(&stage, rollback).await.unwrap();
        assert_eq!(standing(&stage).await, 2, "send_pace and queue_capture, which it does not know");
        shell(&stage, &format!("{utf8}{}", REGISTRATION.replace("TEST001", "TEST002"))).await.unwrap();
        stage.verb(&["queue", "rollback", "--yes"]).await.expect_code(0);
        assert_eq!(standing(&stage).await, 0);
    })
    .await;
}
