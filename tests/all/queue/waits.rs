//! A registration never waits for the queue: not for those who take rows in hand, not for those who clean up.

use super::installed;
use crate::rows::Db;
use crate::stage::{Stage, until};
use crate::stories::{LIMIT, tell};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Who takes rows in hand at once.
const CLAIMERS: usize = 8;
/// Registrations while they do.
const MEMBERS: usize = 300;

/// Eight claim what is due by the procedure and one cleans up, while a session at +08:00 registers members; by default it
/// would wait for a lock for 50 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_at_another_clock_while_others_claim() {
    tell(
        Stage::new(Db::MariaDb, "queue::waits::registrations_at_another_clock_while_others_claim"),
        LIMIT * 2,
        async |mut stage| {
            installed(&mut stage, "kinds = ['new', 'status']").await;
            let over = Arc::new(AtomicBool::new(false));
            let mut others = Vec::new();
            for at in 0..=CLAIMERS {
                let (url, over) = (stage.database_url().to_owned(), over.clone());
                others.push(tokio::spawn(async move {
                    let mut db = MySqlConnection::connect(&url).await.unwrap();
                    // The usual isolation of a shell.
                    db.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await.unwrap();
                    let call = match at {
                        CLAIMERS => "CALL CleanupNotificationQueue(0, 50)".to_owned(),
                        _ => format!("CALL ProcessMemberNotificationQueue(10, 30, 'claimer {at}')"),
                    };
                    while !over.load(Ordering::Relaxed) {
                        sqlx::raw_sql(AssertSqlSafe(call.clone())).execute(&mut db).await.unwrap();
                        let settle = format!(
                            "UPDATE member_notification_queue SET status = 'sent', processed_at = UTC_TIMESTAMP(3) \
                         WHERE status = 'processing' AND locked_by = 'claimer {at}' ORDER BY id LIMIT 5"
                        );
                        if at < CLAIMERS {
                            db.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").await.unwrap();
                            // Two that settle at once may lock each other out; that is theirs.
                            let _ = sqlx::raw_sql(AssertSqlSafe(settle)).execute(&mut db).await;
                        }
                    }
                }));
            }
            let mut writer = MySqlConnection::connect(stage.database_url()).await.unwrap();
            writer.execute("SET time_zone = '+08:00', innodb_lock_wait_timeout = 1").await.unwrap();
            let mut slowest = Duration::ZERO;
            for number in 0..MEMBERS {
                let start = Instant::now();
                let insert = format!(
                    "INSERT INTO members (member_no, created_at, updated_at) VALUES ('W{number}', NOW(), NOW())"
                );
                writer.execute(AssertSqlSafe(insert)).await.unwrap();
                if number % 10 == 0 {
                    let update = format!("UPDATE members SET status = 'GONE' WHERE member_no = 'W{number}'");
                    writer.execute(AssertSqlSafe(update)).await.unwrap();
                }
                slowest = slowest.max(start.elapsed());
            }
            over.store(true, Ordering::Relaxed);
            for other in others {
                other.await.unwrap();
            }
            // A lock that is waited for takes a second.
            assert!(slowest < Duration::from_millis(900), "the slowest took {slowest:?}");
            let late = "SELECT COUNT(*) FROM member_notification_queue WHERE available_at > UTC_TIMESTAMP(3) \
                    OR ABS(TIMESTAMPDIFF(SECOND, created_at, UTC_TIMESTAMP(3))) > 60";
            assert_eq!(stage.number(late).await, 0);
            let twice = "SELECT COUNT(*) FROM member_notification_queue WHERE claims > 1";
            assert_eq!(stage.number(twice).await, 0, "each row was claimed by one");
            let last = "SELECT COUNT(*) FROM members";
            assert_eq!(stage.number(last).await, i64::try_from(MEMBERS).unwrap());
        },
    )
    .await;
}

/// While a claim, or a deletion, is under way for over a second, a registration goes through at once: at the usual isolation
/// it would wait for the gap that it writes into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_takes_long_holds_nobody_up() {
    tell(Stage::new(Db::MariaDb, "queue::waits::a_claim_that_takes_long_holds_nobody_up"), LIMIT, async |mut stage| {
        installed(&mut stage, "").await;
        for number in 0..5 {
            super::register(&stage, &format!("A{number}"), "x").await;
        }
        for (trigger, event) in [("slow_update", "UPDATE"), ("slow_delete", "DELETE")] {
            let sql = format!(
                "CREATE TRIGGER {trigger} BEFORE {event} ON member_notification_queue FOR EACH ROW DO SLEEP(0.25)"
            );
            stage.execute(&sql).await;
        }
        for (at, call) in
            ["CALL ProcessMemberNotificationQueue(5, 30, 'slow')", "CALL CleanupNotificationQueue(0, 500)"]
                .into_iter()
                .enumerate()
        {
            let url = stage.database_url().to_owned();
            let slow = tokio::spawn(async move {
                let mut db = MySqlConnection::connect(&url).await.unwrap();
                let start = Instant::now();
                sqlx::raw_sql(AssertSqlSafe(call)).execute(&mut db).await.unwrap();
                start.elapsed()
            });
            let busy =
                "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep' AND db = DATABASE()";
            until("the claim to be under way", async || (stage.number(busy).await == 1).then_some(())).await;
            let start = Instant::now();
            super::register(&stage, &format!("NEW{at}"), "x").await;
            let took = start.elapsed();
            let slow = slow.await.unwrap();
            assert!(slow > Duration::from_secs(1) && took < Duration::from_millis(500), "{call}: {slow:?}, {took:?}");
            stage
                .execute(
                    "DROP TRIGGER IF EXISTS slow_update; UPDATE member_notification_queue SET status = 'sent', \
                     available_at = '2020-01-01', processed_at = '2020-01-01' WHERE status = 'processing'",
                )
                .await;
        }
    })
    .await;
}

/// The server's own order: a trigger beside others of the shop, a registration that is taken back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn triggers_of_others_stay() {
    tell(Stage::new(Db::MariaDb, "queue::waits::triggers_of_others_stay"), LIMIT, async |mut stage| {
        installed(&mut stage, "").await;
        stage.execute("CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, no VARCHAR(32))").await;
        stage.execute("CREATE TRIGGER audit_members AFTER INSERT ON members FOR EACH ROW INSERT INTO audit (no) VALUES (NEW.member_no)").await;
        super::register(&stage, "A1", "x").await;
        stage.verb(&["queue", "rollback", "--drop-pending", "--yes"]).await.expect_code(0);
        stage.verb(&["queue", "install", "--yes"]).await.expect_code(0);
        super::register(&stage, "A2", "y").await;
        assert_eq!(stage.number("SELECT COUNT(*) FROM audit").await, 2);
        assert_eq!(stage.number("SELECT COUNT(*) FROM member_notification_queue").await, 1);
    })
    .await;
}
